"""What can be done to a release, held against what it should be by hand."""

from dataclasses import replace

import numpy as np
import pytest
from tests.privacy.making import feature_rows

from twelvelead.measure import CATALOGUE, observe
from twelvelead.privacy import Release, Sample, beat_units, feature_units, simulated_people
from twelvelead.privacy.differential_privacy import RANGES, add_gaussian, add_laplace, gaussian_scale
from twelvelead.privacy.k_same import group_nearest, k_same
from twelvelead.privacy.transforms_average import LENGTH_S, average_beats, median_cycle
from twelvelead.privacy.transforms_numbers import GROUPS, PRINTED, keep_measurements, round_measurements, steps_of
from twelvelead.privacy.transforms_signal import keep_leads, low_pass, quantise
from twelvelead.privacy.transforms_time import shuffle_beats, warp_time
from twelvelead.privacy.what_if import AS_IT_IS, quick, what_ifs
from twelvelead.signal import Recording
from twelvelead.terms import InputError

LEADS = ("I", "V2")


@pytest.fixture(scope="module")
def release():
    return keep_leads(LEADS)(simulated_people(6, 2, seed=3))


def sine(hz, *, fs=500, seconds=10.0):
    return np.sin(2 * np.pi * hz * np.arange(round(fs * seconds)) / fs)


def of(signal, leads=("I",), name="r"):
    return Release((Sample(Recording(np.atleast_2d(signal), leads, 500, id=name), "anna"),))


def first(release):
    return release.samples[0].recording


def test_low_pass_halves_its_corner_and_takes_what_is_far_above():
    corner, above, below = (first(low_pass(15)(of(sine(hz)))).signal[0, 1000:-1000].max() for hz in (15, 60, 2))
    assert corner == pytest.approx(0.5, abs=0.02)
    assert above < 0.01
    assert below > 0.99
    with pytest.raises(InputError, match="more than 0 Hz"):
        low_pass(0)


def test_quantised_samples_are_whole_steps_no_farther_than_half_of_one():
    signal = sine(3)
    coarse = first(quantise(0.25)(of(signal))).signal[0]
    assert np.abs(coarse - signal).max() <= 0.125 + 1e-6
    assert set(np.unique(coarse)) <= {k * 0.25 for k in range(-4, 5)}
    with pytest.raises(InputError, match="above 0 mV"):
        quantise(0.0)


def test_leads_are_kept_in_the_order_asked_for():
    release = of(np.stack([sine(2), sine(3)]), ("I", "II"))
    kept = first(keep_leads(("II",))(release))
    assert kept.leads == ("II",)
    np.testing.assert_array_equal(kept["II"], first(release)["II"])
    with pytest.raises(InputError, match="V1"):
        keep_leads(("V1",))(release)
    with pytest.raises(InputError, match="at least one lead"):
        keep_leads(())


def test_beats_in_another_order_have_the_same_rr_intervals(release):
    before = first(release)
    after = first(shuffle_beats(seed=1)(release))
    assert after.signal.shape == before.signal.shape
    rr = [np.sort(np.diff(observe(r, r.leads).times_s)) for r in (before, after)]
    assert len(rr[0]) == len(rr[1])
    np.testing.assert_allclose(rr[1][1:-1], rr[0][1:-1], atol=0.03)
    assert not np.allclose(after.signal, before.signal, atol=0.2)
    flat = of(np.zeros(5000))
    assert first(shuffle_beats(seed=1)(flat)) is first(flat)


def test_a_wrong_clock_moves_no_sample_farther_than_it_may():
    ramp = np.arange(5000) / 500
    moved = first(warp_time(0.1, seed=2)(of(ramp))).signal[0]
    assert np.all(np.diff(moved) >= 0)
    speed = np.diff(moved[:-600]) * 500
    assert speed.min() > 0.88
    assert speed.max() < 1.12
    assert speed.std() > 0.01
    np.testing.assert_allclose(first(warp_time(0.0, seed=2)(of(ramp))).signal[0], ramp, atol=1e-6)
    with pytest.raises(InputError, match="share"):
        warp_time(1.0, seed=0)


def test_what_is_drawn_depends_on_the_recording_and_the_seed_alone(release):
    backwards = Release(release.samples[::-1])
    for transform in (shuffle_beats(seed=4), warp_time(0.1, seed=4)):
        there, back = transform(release), transform(backwards)
        np.testing.assert_array_equal(first(there).signal, back.samples[-1].recording.signal)


def test_an_averaged_recording_is_one_beat_again_and_again(release):
    recording = first(average_beats()(release))
    cycle = median_cycle(first(release))
    n = cycle.shape[1]
    assert recording.duration == LENGTH_S
    np.testing.assert_allclose(recording.signal[:, n : 2 * n], recording.signal[:, :n])
    np.testing.assert_allclose(cycle[:, [0, -1]], 0, atol=1e-9)
    rr = np.diff(observe(first(release), LEADS).times_s)
    assert n / 500 == pytest.approx(np.median(rr), abs=0.02)
    assert not average_beats()(of(np.zeros(5000))).samples


def test_k_people_share_each_beat(release):
    shared = k_same(2)(release)
    by_signal = {}
    for sample in shared.samples:
        by_signal.setdefault(sample.recording.signal.tobytes(), set()).add(sample.subject_id)
    assert sorted(map(len, by_signal.values())) == [2, 2, 2]
    with pytest.raises(InputError, match="2 people or more"):
        k_same(1)
    with pytest.raises(InputError, match="got 6 for k = 7"):
        k_same(7)(release)


def test_groups_hold_everybody_once_and_k_or_more():
    x = np.random.default_rng(0).standard_normal((23, 4))
    groups = group_nearest(x, 5)
    assert sorted(i for group in groups for i in group) == list(range(23))
    assert sorted(map(len, groups)) == [5, 5, 5, 8]


def test_measurements_are_kept_and_rounded(release):
    units = feature_units(release)
    kept = keep_measurements(("qt_interval_ms", "heart_rate_bpm"))(units)
    assert kept.names == ("qt_interval_ms", "heart_rate_bpm")
    np.testing.assert_array_equal(kept.x[:, 0], units.x[:, units.names.index("qt_interval_ms")])
    rounded = round_measurements({"qt_interval_ms": 20.0, "heart_rate_bpm": 5.0})(kept)
    assert np.nanmax(np.abs(rounded.x - kept.x) / [20, 5]) <= 0.5 + 1e-6
    assert np.all((rounded.x % [20, 5] == 0) | np.isnan(kept.x))
    with pytest.raises(InputError, match="'nothing'"):
        keep_measurements(("nothing",))(units)


def test_steps_are_no_finer_than_what_is_printed():
    names = GROUPS["all"]
    fine, coarse = steps_of(names, to="resolution"), steps_of(names, to="error")
    assert set(fine) == {m.name for m in CATALOGUE}
    assert all(coarse[name] >= fine[name] > 0 for name in names)
    error = next(m.error[1] for m in CATALOGUE if m.name == "qt_interval_ms")
    assert coarse["qt_interval_ms"] == pytest.approx(2 * 1.96 * error)


def private_rows(n):
    names = tuple(RANGES)
    middle = [sum(RANGES[name]) / 2 for name in names]
    return feature_rows(np.tile(middle, (n, 1)), np.arange(n), names=names)


def test_laplace_noise_has_the_scale_of_its_composition():
    units = private_rows(4000)
    epsilon = 200.0
    noisy = add_laplace(epsilon, ranges=RANGES, seed=1)(units)
    width = np.array([high - low for low, high in RANGES.values()])
    apart = np.abs(noisy.x - units.x).mean(axis=0)
    np.testing.assert_allclose(apart, width * len(RANGES) / epsilon, rtol=0.05)


def test_no_one_is_told_apart_more_than_epsilon_allows():
    """Two rows at opposite ends: no outcome is more than exp(ε) times as probable of one as of the other."""
    epsilon, n = 1.0, 30_000
    ranges = {"qt_interval_ms": (0.0, 1.0)}
    for value in (0.0, 1.0):
        units = feature_rows(np.full((n, 1), value), np.arange(n), names=("qt_interval_ms",))
        x = add_laplace(epsilon, ranges=ranges, seed=7)(units).x[:, 0]
        counts = np.histogram(x, bins=[-0.1, 0.25, 0.5, 0.75, 1.1])[0] / n
        if value == 0.0:
            low = counts
    ratio = np.concatenate([low / counts, counts / low])
    assert ratio.max() <= np.exp(epsilon) * 1.03
    assert ratio.max() > 0.9 * np.exp(epsilon)  # and no more noise than is needed


def test_a_gap_and_an_outlier_tell_nothing():
    rows = private_rows(2)
    gap = replace(rows, x=np.stack([np.full(len(RANGES), np.nan), np.full(len(RANGES), 1e9)]).astype(np.float32))
    noisy = add_laplace(50.0, ranges=RANGES, seed=1)(gap).x
    low, high = np.array(list(RANGES.values())).T
    assert np.isfinite(noisy).all()
    assert np.all((noisy >= low) & (noisy <= high))
    np.testing.assert_allclose(noisy[0], add_laplace(50.0, ranges=RANGES, seed=1)(rows).x[0], rtol=1e-6)
    with pytest.raises(InputError, match="epsilon"):
        add_laplace(0.0, ranges=RANGES, seed=0)
    with pytest.raises(InputError, match="qt_interval_ms"):
        add_laplace(1.0, ranges={"qt_interval_ms": (1.0, 1.0)}, seed=0)


@pytest.mark.parametrize(("epsilon", "delta"), [(0.1, 1e-5), (1.0, 1e-5), (10.0, 1e-6)])
def test_gaussian_noise_just_keeps_its_promise(epsilon, delta):
    """The privacy loss is normal with mean 1/2σ² and deviation 1/σ: integrate what lies beyond ε."""
    sigma = gaussian_scale(epsilon, delta)
    mean, spread = 0.5 / sigma**2, 1 / sigma
    loss = np.linspace(epsilon, mean + 14 * spread, 400_001)
    density = np.exp(-0.5 * ((loss - mean) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
    beyond = np.trapezoid(density * (1 - np.exp(epsilon - loss)), loss)
    assert beyond == pytest.approx(delta, rel=1e-3)
    noisy = add_gaussian(epsilon=1e4, delta=delta, ranges=RANGES, seed=0)(private_rows(2000)).x
    wide = np.array([high - low for low, high in RANGES.values()])
    expected = gaussian_scale(1e4, delta) * np.sqrt(len(RANGES)) * wide
    np.testing.assert_allclose(noisy.std(axis=0), expected, rtol=0.1)
    with pytest.raises(InputError, match="delta"):
        gaussian_scale(1.0, 0.0)


def test_every_what_if_is_told_apart_and_says_what_it_was_set_to():
    found = what_ifs(seed=0, n_people=90)
    keys = [w.key for w in found]
    assert len(set(keys)) == len(keys)
    assert found[0].key == AS_IT_IS
    assert all((w.signals is None) != (w.numbers is None) for w in found)
    assert all(w.parameters for w in found if w.key not in {AS_IT_IS, "median_beat"})
    few = quick(found)
    assert few[0].key == AS_IT_IS
    assert len(few) == 8
    assert not [w for w in what_ifs(seed=0, n_people=4) if w.key in {"k_same_5", "k_same_10"}]


def test_signals_are_still_signals_after_each_what_if(release):
    for what_if in what_ifs(seed=0, n_people=6):
        if what_if.signals is not None and all(lead in LEADS for lead in what_if.leads):
            after = what_if.signals(release)
            assert {s.recording.id for s in after.samples} <= {s.recording.id for s in release.samples}
            assert len(beat_units(after)) > 0, what_if.key


def test_printed_numbers_have_a_range_each():
    assert set(PRINTED) == set(RANGES)
