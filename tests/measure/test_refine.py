"""The learned second look at the marks: its arithmetic by hand, and laws that any refiner must keep."""

import numpy as np
import pytest

from twelvelead.measure.delineate import Mark, delineate, global_marks, r_waves
from twelvelead.measure.refine import HALF, N_FEATURES, SHAPE, Refiner, be_sure, correct, describe, load_refiner, refine
from twelvelead.measure.rules import follow_rules

FS, ORIGIN, RR = 500.0, 225, 0.8


def make_beat(n_leads=12, *, noise_mv=0.0, seed=0, shift=0):
    """Gaussian P, QRS and T, of another size and sign in each lead, flat at both ends."""
    rng = np.random.default_rng(seed)
    t = (np.arange(576) - ORIGIN - shift) / FS
    waves = [(-0.16, 0.022, 0.12), (-0.02, 0.008, -0.1), (0.0, 0.010, 1.0), (0.025, 0.009, -0.3), (0.28, 0.045, 0.3)]
    sizes = (
        0.4 + np.abs(np.sin(1 + np.arange(n_leads)))[:, None] * np.where(np.arange(n_leads) % 4 == 3, -1, 1)[:, None]
    )
    beat = sizes * sum(height * np.exp(-0.5 * ((t - at) / width) ** 2) for at, width, height in waves)
    return np.ascontiguousarray(beat + noise_mv * rng.normal(size=beat.shape))


def make_refiner(**changed):
    """Build a refiner that does nothing, but for what is changed."""
    single = np.float32
    nothing = {
        "mean": np.zeros((9, N_FEATURES), single), "scale": np.ones((9, N_FEATURES), single),
        "inner": np.zeros((9, N_FEATURES, 2), single), "bias": np.zeros((9, 2), single),
        "outer": np.zeros((9, 2), single), "split": np.zeros((9, 1, 3), np.uint8),
        "cut": np.zeros((9, 1, 3), single), "leaf": np.zeros((9, 1, 4), single), "start": np.zeros((9, 2), single),
        "sure_split": np.zeros((9, 1, 3), np.uint8), "sure_cut": np.zeros((9, 1, 3), single),
        "sure_leaf": np.zeros((9, 1, 4), single), "sure_start": np.zeros(9, single),
        "most": np.tile(np.array([-50, 50], single), (9, 1)),
    }  # fmt: skip
    return Refiner(**(nothing | changed))


def test_nets_by_hand():
    features = np.zeros((9, 1, N_FEATURES), np.float32)
    features[:, 0, 0], features[:, 0, 1] = 3.0, 100.0
    inner = np.zeros((9, N_FEATURES, 2), np.float32)
    inner[:, 0, 0], inner[:, 1, 0], inner[:, 0, 1] = 2.0, 1.0, -1.0
    mean, scale = np.zeros((9, N_FEATURES), np.float32), np.ones((9, N_FEATURES), np.float32)
    mean[:, 0], scale[:, 0] = 1.0, 0.5
    r = make_refiner(inner=inner, mean=mean, scale=scale, bias=np.tile(np.float32([0.5, 0]), (9, 1)),
                     outer=np.tile(np.float32([2, 7]), (9, 1)), start=np.tile(np.float32([1, 0]), (9, 1)))  # fmt: skip
    # (3 − 1) / 2 = 1, and 100 counts as 4: the first unit is 2·1 + 4 + 0.5 = 6.5, the second is negative, so 0.
    assert correct(features, r[:5], r[5:9], r.most) == pytest.approx(np.full((9, 1), 0.5 * (1 + 2 * 6.5)))


@pytest.mark.parametrize(
    ("first", "second", "leaf"), [(0.9, 0.0, 1.0), (0.9, 5.0, 2.0), (1.0, 0.0, 3.0), (2.0, 9.0, 4.0)]
)
def test_trees_by_hand(first, second, leaf):
    features = np.zeros((9, 1, N_FEATURES), np.float32)
    features[:, 0, 7], features[:, 0, 8] = first, second
    tree = {"split": np.tile(np.uint8([7, 8, 8]), (9, 1, 1)), "cut": np.tile(np.float32([1, 5, 9]), (9, 1, 1)),
            "leaf": np.tile(np.float32([1, 2, 3, 4]), (9, 1, 1))}  # fmt: skip
    r = make_refiner(**tree, **{f"sure_{name}": value for name, value in tree.items()})
    assert correct(features, r[:5], r[5:9], r.most) == pytest.approx(np.full((9, 1), leaf / 2))
    assert be_sure(features, r[9:13]) == pytest.approx(np.full((9, 1), 1 / (1 + np.exp(-leaf))))


def test_no_correction_exceeds_what_was_seen():
    r = make_refiner(start=np.full((9, 2), 400, np.float32))
    features = np.zeros((9, 3, N_FEATURES), np.float32)
    assert (correct(features, r[:5], r[5:9], r.most) == 50).all()


def test_a_refiner_that_learnt_nothing_leaves_the_rules_marks():
    beat = make_beat()
    marks = follow_rules(beat, FS, ORIGIN, RR)
    at, confidence = refine(beat, marks, fs=FS, rr_s=RR, refiner=make_refiner())
    np.testing.assert_allclose(at, marks, atol=1e-9)
    assert (confidence == 0.5).all()


def test_description_of_a_straight_line():
    beat = np.tile(0.01 * np.arange(576.0), (2, 1))
    marks = np.tile(np.array([100.0, 120, 140, 200, 225, 250, 300, 350, 400])[:, None], (1, 2))
    f = describe(beat, marks, FS, RR)[Mark.QRS_ONSET, 0]
    # From the anchor, 2 samples to each step, in units of the rise from QRS onset to the sample behind its offset.
    np.testing.assert_allclose(f[:SHAPE], 2 * (np.arange(SHAPE) - HALF) / 51, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(f[SHAPE : 2 * SHAPE], np.abs(f[:SHAPE]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(f[2 * SHAPE : 3 * SHAPE], 1.0, rtol=1e-5)


def test_off_switch_gives_the_rules_marks_without_confidence():
    beat = make_beat()
    marks = delineate(beat, fs=FS, origin=ORIGIN, rr_s=RR, refine=False)
    np.testing.assert_array_equal(marks.at, follow_rules(beat, FS, ORIGIN, RR))
    assert np.isnan(marks.confidence).all()
    assert not np.array_equal(marks.at, delineate(beat, fs=FS, origin=ORIGIN, rr_s=RR).at)


@pytest.mark.parametrize("n_leads", [1, 2, 3, 12, 15])
def test_lead_order_does_not_matter(n_leads):
    beat = make_beat(n_leads, noise_mv=0.01)
    order = np.random.default_rng(1).permutation(n_leads)
    one, other = (delineate(b, fs=FS, origin=ORIGIN, rr_s=RR) for b in (beat, beat[order]))
    np.testing.assert_allclose(one.at[:, order], other.at, atol=1e-3)
    np.testing.assert_allclose(one.confidence[:, order], other.confidence, atol=1e-4)


def test_a_shift_in_time_shifts_the_marks():
    one = delineate(make_beat(), fs=FS, origin=ORIGIN, rr_s=RR)
    other = delineate(make_beat(shift=9), fs=FS, origin=ORIGIN + 9, rr_s=RR)
    np.testing.assert_allclose(other.at, one.at + 9, atol=1e-3)


@pytest.mark.parametrize("fs", [250.0, 1000.0])
def test_sampling_frequency_hardly_matters(fs):
    beat = make_beat()
    x = np.arange(0, 575, FS / fs)
    other = np.array([np.interp(x, np.arange(576), lead) for lead in beat])
    one = delineate(beat, fs=FS, origin=ORIGIN, rr_s=RR).at / FS
    again = delineate(other, fs=fs, origin=round(ORIGIN * fs / FS), rr_s=RR).at / fs
    assert np.median(np.abs(one - again)) <= 0.004


@pytest.mark.parametrize("beat", [
    np.zeros((3, 576)), np.full((2, 576), 7.0), np.random.default_rng(2).normal(size=(12, 576)),
    1e6 * make_beat(2), 1e-6 * make_beat(2), make_beat(1),
], ids=["flat", "level", "noise", "huge", "tiny", "one lead"])  # fmt: skip
@pytest.mark.parametrize("rr_s", [0.2, 0.8, 4.0])
def test_marks_are_in_order_and_inside_whatever_the_input(beat, rr_s):
    at, confidence = delineate(beat, fs=FS, origin=ORIGIN, rr_s=rr_s)
    assert np.isfinite(at).all()
    assert (np.diff(at, axis=0) >= 0).all()
    assert at.min() >= 0
    assert at.max() <= beat.shape[1] - 1
    assert ((confidence >= 0) & (confidence <= 1)).all()


def test_r_stays_on_a_turning_point():
    beat = make_beat(noise_mv=0.005)
    at = delineate(beat, fs=FS, origin=ORIGIN, rr_s=RR).at[Mark.R_PEAK]
    assert (at == np.round(at)).all()
    for lead, k in zip(beat, at.astype(int), strict=True):
        assert (lead[k] - lead[k - 1]) * (lead[k + 1] - lead[k]) <= 0


def test_noise_lowers_confidence():
    clean, noisy = (
        delineate(make_beat(noise_mv=noise), fs=FS, origin=ORIGIN, rr_s=RR).confidence.mean() for noise in (0.002, 0.1)
    )
    assert noisy < clean - 0.1


def test_what_was_learnt_is_small_and_whole():
    refiner = load_refiner()
    assert all(np.isfinite(values).all() for values in refiner)
    assert refiner.mean.shape == (9, N_FEATURES)
    assert max(refiner.split.max(), refiner.sure_split.max()) < N_FEATURES
    assert (refiner.most[:, 0] < 0).all()
    assert (refiner.most[:, 1] > 0).all()


def test_r_wave_of_rs_qs_and_qr():
    qrs = np.array([[0, 0.2, 0, -0.9, 0, 0], [0, -0.1, -0.4, -0.9, -0.2, 0], [0, -0.9, 0, 0.3, 0.1, 0.0]])
    assert r_waves(qrs).tolist() == [1, 3, 3]


def test_global_marks_of_equal_leads_are_theirs():
    marks = np.tile(np.arange(9.0)[:, None], (1, 5))
    assert global_marks(marks, np.full((9, 5), 0.5)).tolist() == list(range(9))


def test_global_marks_reach_outward_and_leave_absent_waves_absent():
    marks = np.tile(np.arange(9.0)[:, None] * 50, (1, 12)) + np.arange(12.0)
    marks[:3] = np.nan
    together = global_marks(marks, np.full((9, 12), 0.9))
    assert np.isnan(together[:3]).all()
    assert together[Mark.QRS_ONSET] < np.median(marks[Mark.QRS_ONSET])
    assert together[Mark.QRS_OFFSET] > np.median(marks[Mark.QRS_OFFSET])
    assert together[Mark.T_PEAK] == np.median(marks[Mark.T_PEAK])


def test_an_unsure_lead_does_not_set_the_global_marks():
    marks = np.tile(np.arange(9.0)[:, None] * 50, (1, 8))
    confidence = np.full((9, 8), 0.9)
    marks[Mark.T_OFFSET, 0], confidence[Mark.T_OFFSET, 0] = 460, 0.01
    assert global_marks(marks, confidence)[Mark.T_OFFSET] == pytest.approx(400, abs=1)
