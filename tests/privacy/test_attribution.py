"""Attribution: found where it was planted, flat where nothing was, and never attention alone."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kendalltau
from tests.privacy.making import comparison
from tests.privacy.planted import planted

from twelvelead.privacy import ATTACKERS, simulated_people
from twelvelead.privacy.attribution import Attention, attribute, to_segments
from twelvelead.privacy.beats import beat_units
from twelvelead.privacy.coalitions import as_fitted, keep_only, members, refitted, thin
from twelvelead.privacy.drawn import Drawn, genuine_margin, impostors_beaten, kendall
from twelvelead.privacy.occlusion import occlude
from twelvelead.privacy.protocols import NotEstimable, cross_record, subject_disjoint
from twelvelead.privacy.segments import SEGMENTS, Segmented, mean_beat, segment_beats
from twelvelead.privacy.shapley_segments import shapley_values, share_among_segments
from twelvelead.terms import InputError
from twelvelead.validate import Bootstrap

BOOTSTRAP = Bootstrap(300, 0, 0.95)
TEMPLATE = ATTACKERS["template"]


def drawn(values, *, names=SEGMENTS, spread=0.0, seed=0):
    values = np.asarray(values, dtype=float)
    draws = values + spread * np.random.default_rng(seed).normal(size=(50, len(values)))
    return Drawn(names, values, draws, 20, 0.95)


# --- the pieces, by hand ---


def test_shapley_values_are_the_mean_over_all_orders():
    n, rng = 4, np.random.default_rng(1)
    worth = rng.normal(size=(2**n, 3))
    wanted = np.zeros((n, 3))
    orders = list(permutations(range(n)))
    for order in orders:
        there = 0
        for player in order:
            wanted[player] += worth[there | 1 << player] - worth[there]
            there |= 1 << player
    np.testing.assert_allclose(shapley_values(worth), wanted / len(orders), atol=1e-12)


def test_kendall_is_that_of_scipy():
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 5, size=(2, len(SEGMENTS))).astype(float)
    assert kendall(drawn(a), drawn(b)).value == pytest.approx(kendalltau(a, b).statistic)


def test_figures_by_hand():
    """One probe ties with one of two impostors and beats the other; the second is beaten by both."""
    compared = (comparison([[2.0, 2.0, 0.0], [5.0, 1.0, 3.0]], [0, 1], [0, 1, 2]),)
    once = np.ones((1, 3))
    assert impostors_beaten(compared)(once).tolist() == [(0.75 + 0.0) / 2]
    assert genuine_margin(compared)(once).tolist() == [((2 - 1) + (1 - 4)) / 2]


def test_what_patches_have_is_shared_out_by_overlap():
    """Two patches of four samples: the second lies a quarter in ST and three quarters in T."""
    segmented = planted(None, n_people=1, n_recordings=1, n_beats=1)
    places = np.array([[4, 4, 5, 5, 5, 6, 6, 6]], dtype=np.int8)
    units = segmented.units
    object.__setattr__(units, "x", units.x[:, :, :8])
    got = to_segments(np.array([[1.0, 3.0]]), Segmented(units, places, "by hand"))[0]
    assert dict(zip(SEGMENTS, got, strict=True)) == {
        **dict.fromkeys(SEGMENTS, 0.0), "S": 0.5 / 4, "ST": (0.5 + 0.75) / 4, "T": 2.25 / 4
    }  # fmt: skip
    assert np.isnan(to_segments(np.zeros((1, 2)), Segmented(units, places, "by hand"))).all()


def test_attention_comes_with_duration_and_occlusion_or_not_at_all():
    share, duration, loss = drawn([0.3] + [0.1] * 7), drawn([0.15] + [0.85 / 7] * 7), drawn(np.zeros(8))
    assert Attention("rollout", share, duration, loss).lift.of("P").value == pytest.approx(2.0)
    with pytest.raises(TypeError):
        Attention("rollout", share)
    for missing in ({"duration": None}, {"occlusion": None}, {"occlusion": drawn([1.0], names=("P",))}):
        with pytest.raises(InputError, match="attention must come with"):
            Attention("rollout", **({"share": share, "duration": duration, "occlusion": loss} | missing))


def test_without_any_segment_everybody_is_the_same():
    segmented = planted("T")
    nothing = keep_only(segmented, members(()), stand_in=mean_beat(segmented))
    assert (nothing.x == nothing.x[0]).all()
    whole = keep_only(segmented, members(SEGMENTS), stand_in=mean_beat(segmented))
    assert (whole.x == segmented.units.x).all()
    game = refitted(TEMPLATE, cross_record, segmented, seed=0)
    assert impostors_beaten(game.play(members(())))(np.ones((1, 24))).tolist() == [0.5]


def test_an_attack_that_cannot_be_made_gives_no_game():
    few = planted("T", n_people=5)
    assert isinstance(refitted(TEMPLATE, cross_record, few, seed=0), NotEstimable)
    with pytest.raises(InputError, match="one trial"):
        as_fitted("x", lambda probe: np.zeros((1, 1)), subject_disjoint, segmented=planted("T"), seed=0)


def test_thin_keeps_the_first_beats_of_each_recording():
    units = planted(None, n_people=2).units
    assert np.bincount(thin(units, 3).recording).tolist() == [3, 3, 3, 3]


# --- planted, and not ---


@pytest.mark.parametrize("signature", ["P", "R", "T"])
def test_a_planted_segment_comes_out_on_top(signature):
    game = refitted(TEMPLATE, cross_record, planted(signature, n_people=30, seed=2), seed=0)
    found = attribute(game, bootstrap=BOOTSTRAP, shapley=True)
    for name, ranking in found.rankings().items():
        assert ranking.top() == signature, name
    for found_in, chance in ((found.occlusion.alone, 0.5), (found.shapley, 0.0)):
        named = found_in["impostors_beaten"].apart_from(chance)
        assert set(named) - {"QRS"} == {signature}
    shares, worth = found.shapley["impostors_beaten"], found.occlusion.whole["impostors_beaten"].value
    assert shares.parts()[0].sum() == pytest.approx(worth - 0.5)
    assert {"duration_share", "lost_eer", "alone_rank_1", "shapley_genuine_margin"} <= set(found.table()["figure"])
    assert str(found.rhythm).startswith("not estimable")


def test_with_nothing_planted_nothing_stands_out():
    game = refitted(TEMPLATE, cross_record, planted(None), seed=0)
    occlusion = occlude(game, bootstrap=BOOTSTRAP)
    shares = share_among_segments(game, bootstrap=BOOTSTRAP)
    for key in ("impostors_beaten", "eer"):
        assert not occlusion.lost[key].apart_from(0.0)
    assert not occlusion.alone["impostors_beaten"].apart_from(0.5)
    assert not shares["impostors_beaten"].apart_from(0.0)
    assert occlusion.whole["impostors_beaten"].lower < 0.5 < occlusion.whole["impostors_beaten"].upper


def test_of_simulated_people_the_signature_is_found_through_delineation():
    release = simulated_people(24, 2, seed=0, signature="t")
    segmented = segment_beats(release, beat_units(release, leads=("I", "V2")))
    found = attribute(refitted(TEMPLATE, cross_record, segmented, seed=0), bootstrap=BOOTSTRAP, shapley=True)
    assert {ranking.top() for ranking in found.rankings().values()} == {"T"}
    assert found.delineator == "twelvelead.measure.observe"
