"""Laws over all attackers, and what each must be able to do."""

from dataclasses import replace

import numpy as np
import pytest
from tests.privacy.making import feature_rows

from twelvelead.privacy import (
    ATTACKERS,
    PROTOCOLS,
    Attacker,
    NotEstimable,
    beat_units,
    compare,
    eer,
    estimate,
    feature_units,
    rank_share,
    simulated_people,
)
from twelvelead.privacy.lda import fit_directions, fit_scale
from twelvelead.terms import InputError
from twelvelead.validate import Bootstrap

FEW = Bootstrap(300, 0, 0.95)
OFFLINE = [a for a in ATTACKERS.values() if a.extra is None]
IDS = [a.key for a in OFFLINE]


def views(release):
    return {"beats": beat_units(release, leads=("I", "V2")), "features": feature_units(release, window_s=5)}


@pytest.fixture(scope="module")
def nobody():
    return views(simulated_people(30, 2, seed=11))


@pytest.fixture(scope="module")
def marked():
    return views(simulated_people(30, 3, seed=11, signature="qrs"))


def second(units):
    (trial,) = PROTOCOLS["cross_record"].trials(units, seed=0)
    return trial


@pytest.mark.parametrize("attacker", OFFLINE, ids=IDS)
def test_no_signature_is_no_risk(attacker, nobody):
    compared = compare(attacker, PROTOCOLS["cross_record"].trials(nobody[attacker.view], seed=0), seed=0)
    first, rate = (estimate(figure, compared, bootstrap=FEW) for figure in (rank_share(1), eer))
    assert first.lower <= 1 / 30 <= first.upper
    assert rate.lower <= 0.5 <= rate.upper


@pytest.mark.parametrize("attacker", OFFLINE, ids=IDS)
def test_a_signature_is_found(attacker, marked):
    compared = compare(attacker, PROTOCOLS["subject_disjoint"].trials(marked[attacker.view], seed=0), seed=0)
    first, rate = (estimate(figure, compared, bootstrap=FEW) for figure in (rank_share(1), eer))
    assert first.lower > 1 / 6  # galleries of six
    assert rate.upper < 0.5


def test_the_leak_invents_a_risk_where_there_is_none(nobody):
    compared = compare(ATTACKERS["lda_beats"], PROTOCOLS["within_record"].trials(nobody["beats"], seed=0), seed=0)
    assert estimate(rank_share(1), compared, bootstrap=FEW).lower > 0.5


@pytest.mark.parametrize("attacker", OFFLINE, ids=IDS)
def test_scores_do_not_depend_on_the_order_nor_on_who_else_is_looked_for(attacker, marked):
    trial = second(marked[attacker.view])
    scores = attacker.attack(trial.background, trial.gallery, trial.probe.blind(), seed=0)
    shuffled = np.random.default_rng(0).permutation(len(trial.probe))
    again = attacker.attack(trial.background, trial.gallery, trial.probe.take(shuffled).blind(), seed=0)
    np.testing.assert_allclose(again, scores, atol=1e-5)
    few = np.unique(trial.probe.group)[:3]
    alone = trial.probe.take(np.isin(trial.probe.group, few)).blind()
    np.testing.assert_allclose(attacker.attack(trial.background, trial.gallery, alone, seed=0), scores[:3], atol=1e-5)


@pytest.mark.parametrize("attacker", [a for a in OFFLINE if a.view == "beats"], ids=lambda a: a.key)
def test_gain_is_no_signature(attacker, marked):
    trial = second(marked["beats"])
    louder = replace(trial.probe, x=trial.probe.x * np.float32(2.5))
    one, two = (attacker.attack(trial.background, trial.gallery, p.blind(), seed=0) for p in (trial.probe, louder))
    np.testing.assert_allclose(two, one, atol=1e-4)


@pytest.mark.parametrize("attacker", [a for a in OFFLINE if a.view == "features"], ids=lambda a: a.key)
def test_gaps_and_empty_columns_are_borne(attacker):
    rng = np.random.default_rng(0)
    own = rng.normal(size=(12, 5)).repeat(2, axis=0)
    x = own + 0.1 * rng.normal(size=own.shape)
    x = np.c_[x, np.full(24, np.nan), np.full(24, 3.0)]
    x[rng.random(x.shape) < 0.1] = np.nan
    units = feature_rows(x, np.repeat(np.arange(12), 2))
    everyone = units.take(units.order == 1)
    scores = attacker.attack(units, units.take(units.order == 0), everyone.blind(), seed=0)
    assert np.isfinite(scores).all()
    assert np.mean(scores.argmax(axis=1) == np.arange(12)) > 0.7


def test_an_attacker_is_shown_no_label():
    seen = {}

    def spy(background, gallery, probe, *, seed):
        seen["labels"] = {*probe.subject.tolist(), *probe.day.tolist(), *probe.recording.tolist()}
        return np.zeros((len(np.unique(probe.group)), len(np.unique(gallery.subject))))

    units = feature_rows(np.zeros((24, 2)), np.repeat(np.arange(12), 2), day=np.tile([3, 4], 12))
    trials = PROTOCOLS["cross_record"].trials(units, seed=0)
    (found,) = compare(Attacker("spy", "Spy", "features", "nothing", spy), trials, seed=0)
    assert seen["labels"] == {-1}
    assert found.probe.tolist() == list(range(12))


def test_scores_and_views_are_checked():
    units = feature_rows(np.zeros((24, 2)), np.repeat(np.arange(12), 2))
    trials = PROTOCOLS["cross_record"].trials(units, seed=0)
    with pytest.raises(InputError, match="beats; got features"):
        compare(ATTACKERS["template"], trials, seed=0)
    for bad in (np.zeros((3, 3)), np.full((12, 12), np.nan)):
        broken = Attacker("broken", "Broken", "features", "nothing", lambda *_, seed, bad=bad: bad)
        with pytest.raises(InputError, match="Mend the attacker"):
            compare(broken, trials, seed=0)
    why = NotEstimable("of that")
    assert compare(ATTACKERS["template"], why, seed=0) is why


def test_directions_are_those_of_scikit_learn():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(4), 300)
    x = rng.normal(size=(4, 6))[y] + rng.normal(size=(1200, 6)) @ np.diag([1, 2, 1, 3, 1, 1])
    ours = fit_directions(x, y)(x)
    theirs = LinearDiscriminantAnalysis().fit(x, y).transform(x)
    for k in range(3):
        assert abs(np.corrcoef(ours[:, k], theirs[:, k])[0, 1]) > 0.999  # with 1200 rows nothing is shrunk


def test_directions_where_the_units_of_a_person_do_not_differ():
    means = np.random.default_rng(0).normal(size=(20, 30))
    x, person = np.repeat(means, 3, axis=0), np.repeat(np.arange(20), 3)
    seen = fit_directions(x, person)(x)
    nearest = np.argmax(seen @ seen.T / np.linalg.norm(seen, axis=1), axis=1)
    assert (person[nearest] == person).all()
    assert (fit_directions(np.ones((6, 4)), np.repeat([0, 1], 3))(np.ones((6, 4))) == 0).all()


def test_a_scale_leaves_out_what_does_not_vary():
    x = np.c_[np.arange(100.0), np.full(100, 7.0), np.full(100, np.nan)].astype(np.float32)
    scale = fit_scale(x)
    assert scale.kept.tolist() == [0]
    assert scale(np.array([[1e9, 7, 1], [np.nan, 7, 1]], dtype=np.float32)).tolist() == [[10.0], [0.0]]


def test_simulated_people_are_marked_and_repeatable():
    one, two = (simulated_people(3, 2, seed=4, signature="t") for _ in range(2))
    assert one.label == "simulated, signature in t"
    assert all(s.recording.id.startswith("simulated") for s in one.samples)
    for a, b in zip(one.samples, two.samples, strict=True):
        assert np.array_equal(a.recording.signal, b.recording.signal)
        assert (a.age_years, a.sex, a.subject_id) == (b.age_years, b.sex, b.subject_id)


@pytest.mark.parametrize("wave", ["p", "qrs", "t"])
def test_a_signature_is_in_its_wave_only(wave):
    plain, marked = (simulated_people(4, 1, seed=9, signature=s) for s in (None, wave))
    spans = {"p": (0, 60), "qrs": (62, 90), "t": (105, 175)}  # samples of 250 Hz; R at 62
    units = [beat_units(r, leads=("II", "V2")) for r in (plain, marked)]
    changed = {}
    for name, (first, last) in spans.items():
        medians = [np.stack([np.median(u.x[u.recording == k], axis=0) for k in range(4)]) for u in units]
        changed[name] = np.abs(medians[0] - medians[1])[:, :, first:last].max()
    assert max(changed, key=changed.get) == wave
