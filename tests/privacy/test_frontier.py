"""What-ifs: who is told apart after them, and which of them no other one beats."""

import numpy as np
import pytest
from tests.privacy.making import feature_rows

from twelvelead.privacy import (
    ATTACKERS,
    NotEstimable,
    beat_units,
    compare,
    estimate,
    feature_units,
    rank_share,
    simulated_people,
)
from twelvelead.privacy.frontier import (
    Shown,
    pareto,
    prepare,
    strongest,
    tabulate_attacks,
    tabulate_errors,
    tabulate_what_ifs,
    try_out,
)
from twelvelead.privacy.lookup import look_up, pair
from twelvelead.privacy.transforms_signal import keep_leads
from twelvelead.privacy.what_if import WhatIf, as_it_is, what_ifs
from twelvelead.validate import Bootstrap

DRAWS = Bootstrap(200, 0, 0.95)
SOME = tuple(ATTACKERS[key] for key in ("template", "lda_features"))


@pytest.fixture(scope="module")
def tried():
    release = keep_leads(("I", "V2"))(simulated_people(20, 2, seed=1, signature="qrs"))
    shown = Shown(beat_units(release), feature_units(release))
    original = prepare(release, shown, pair(shown.beats))
    wanted = ("as_it_is", "k_same_2", "numbers_printed", "laplace_1", "leads_i")
    found = {w.key: w for w in what_ifs(seed=0, n_people=20)}
    return [try_out(original, found[key], SOME, bootstrap=DRAWS) for key in wanted]


def test_first_recordings_are_known_and_second_ones_looked_for():
    units = feature_rows(np.random.default_rng(0).standard_normal((40, 3)), np.repeat(np.arange(12), [4] * 8 + [2] * 4))
    pairing = pair(units)
    assert pairing.first == {f"r{k}" for k in [*range(0, 32, 4), 32, 34, 36, 38]}
    assert pairing.second == {f"r{k + 1}" for k in [*range(0, 32, 4), 32, 34, 36, 38]}
    trials = look_up(units, units, pairing, seed=0)
    looked_for = np.concatenate([trial.probe.subject for trial in trials])
    assert sorted(looked_for) == list(range(12))
    for trial in trials:
        assert len(np.unique(trial.gallery.subject)) == 12
        assert not np.isin(trial.background.subject, trial.probe.subject).any()
        assert not np.isin(trial.gallery.recording, trial.probe.recording).any()


def test_who_has_no_second_recording_is_enrolled_all_the_same():
    units = feature_rows(
        np.random.default_rng(0).standard_normal((27, 3)), np.r_[np.repeat(np.arange(12), 2), 12, 13, 14]
    )
    pairing = pair(units)
    assert len(pairing.first) == 15
    assert len(pairing.second) == 12
    for trial in look_up(units, units, pairing, seed=0):
        assert set(trial.gallery.subject) == set(range(15))


def test_people_are_matched_by_name_between_two_releases():
    units = feature_rows(np.random.default_rng(0).standard_normal((24, 3)), np.repeat(np.arange(12), 2))
    pairing = pair(units)
    fewer = units.of(np.arange(1, 12))
    renumbered = feature_rows(fewer.x, fewer.subject - 1)
    fewer = type(fewer)(
        **{**vars(renumbered), "subject_ids": units.subject_ids[1:], "recording_ids": units.recording_ids[2:]}
    )
    same = look_up(units, units, pairing, seed=0)
    trials = look_up(units, fewer, pairing, seed=0)
    assert sorted(np.concatenate([t.probe.subject for t in trials])) == list(range(1, 12))
    assert len(same) == len(trials)
    assert isinstance(pair(units.of(np.arange(9))), NotEstimable)
    assert isinstance(look_up(units, fewer.of(np.arange(5)), pairing, seed=0), NotEstimable)


def test_no_one_to_learn_from_is_said():
    units = feature_rows(np.random.default_rng(0).standard_normal((24, 3)), np.repeat(np.arange(12), 2))
    pairing = pair(units)
    once = units.take(np.array([name in pairing.first for name in units.recording_ids]))
    assert "to learn from" in look_up(once, units, pairing, seed=0).why


def test_sharing_a_beat_by_two_leaves_one_in_two(tried):
    compared = tried[1].attacks["template", "refitted"]
    assert estimate(rank_share(1), compared, bootstrap=DRAWS).value == pytest.approx(0.5)
    unprepared = estimate(rank_share(1), tried[1].attacks["template", "unprepared"], bootstrap=DRAWS)
    assert unprepared.value <= 0.5


def test_who_sees_nothing_of_a_release_does_not_attack_it(tried):
    assert {key for key, _ in tried[0].attacks} == {"template", "lda_features"}
    assert {key for key, _ in tried[2].attacks} == {"lda_features"}


def test_what_can_not_be_applied_says_why(tried):
    assert "II" in tried[4].why_not
    row = tabulate_what_ifs(tried, bootstrap=DRAWS).row(4, named=True)
    assert row["risk"] is None
    assert not row["pareto"]
    assert "II" in row["why_not"]


def test_noise_for_privacy_costs_use_and_lowers_risk(tried):
    table = tabulate_what_ifs(tried, bootstrap=DRAWS)
    rows = {row["what_if"]: row for row in table.iter_rows(named=True)}
    assert rows["as_it_is"]["kept"] == 1
    assert rows["as_it_is"]["change"] == 0
    assert rows["as_it_is"]["pareto"]
    assert rows["laplace_1"]["kept"] < 0.5
    assert rows["laplace_1"]["risk"] < rows["as_it_is"]["risk"]
    assert rows["numbers_printed"]["gives"] == "numbers"
    assert rows["as_it_is"]["risk"] == pytest.approx(max(rows["as_it_is"][k] for k in ("refitted", "unprepared")))
    assert tabulate_errors(tried).height > 0
    attacks = tabulate_attacks(tried, bootstrap=DRAWS)
    assert set(attacks["fitted"]) == {"refitted", "unprepared"}


def test_the_strongest_is_the_one_who_names_most(tried):
    best, risk = strongest(tried[0].attacks, bootstrap=DRAWS)
    every = [estimate(rank_share(1), c, bootstrap=DRAWS).value for c in tried[0].attacks.values()]
    assert risk.value == max(every)
    assert best in tried[0].attacks
    assert isinstance(strongest({}, bootstrap=DRAWS)[1], NotEstimable)


def test_unprepared_and_refitted_are_the_same_where_nothing_is_done(tried):
    scores = [tried[0].attacks["template", fitted] for fitted in ("refitted", "unprepared")]
    for one, other in zip(*scores, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)


def test_the_frontier_by_hand():
    points = [(0.9, 1.0), (0.9, 1.0), (0.5, 0.6), (0.5, 0.5), (0.4, 0.6), (0.1, 0.0), (None, 1.0), (0.0, None)]
    assert pareto(points) == [True, True, False, False, True, True, False, False]


def test_a_trial_is_an_attack_like_any_other():
    rng = np.random.default_rng(0)
    people = rng.standard_normal((30, 6)) * 3
    x = np.repeat(people, 3, axis=0) + rng.standard_normal((90, 6)) * 0.1
    units = feature_rows(x, np.repeat(np.arange(30), 3))
    compared = compare(ATTACKERS["lda_features"], look_up(units, units, pair(units), seed=0), seed=0)
    assert estimate(rank_share(1), compared, bootstrap=DRAWS).value == 1.0


def test_a_what_if_gives_something():
    empty = WhatIf("nothing", "nothing")
    release = keep_leads(("I",))(simulated_people(10, 2, seed=1))
    shown = Shown(beat_units(release), feature_units(release))
    original = prepare(release, shown, pair(shown.beats))
    assert "signals or numbers" in try_out(original, empty, SOME, bootstrap=DRAWS).why_not
    assert as_it_is(release) is release
