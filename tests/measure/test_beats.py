"""QRS complexes are found where they are, whatever else moves, and nowhere else."""

import numpy as np
import pytest

from twelvelead.measure.beats import find_beats
from twelvelead.signal.filter import filter_bands
from twelvelead.terms import LEADS

FS = 250.0
INDEPENDENT = [LEADS.index(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]


def smooth(signal, fs=500.0):
    """From lead by time to what `find_beats` takes."""
    (out,) = filter_bands(signal, fs=fs, bands=[(0.5, 45.0, FS)])
    return np.ascontiguousarray(out.T)


def detect(recording):
    return find_beats(smooth(recording.signal[INDEPENDENT]), fs=FS)


def train(times, width_s, *, n_leads=8, duration_s=10.0, noise_mv=0.01):
    """Gaussian complexes of one width, at the given times."""
    t = np.arange(round(500 * duration_s)) / 500
    wave = sum(np.exp(-0.5 * ((t - at) / width_s) ** 2) for at in times)
    noise = np.random.default_rng(0).normal(0, noise_mv, (n_leads, t.size))
    return np.linspace(-1, 1.2, n_leads)[:, None] * wave + noise


def assert_same(found, times, within_s):
    assert len(found) == len(times)
    assert np.abs(found - times).max() <= within_s


@pytest.mark.parametrize("rr_s", [0.3, 0.45, 0.8, 1.6])
def test_every_beat_is_found_once(rr_s, make_heart):
    times = np.arange(0.62, 9.5, rr_s)
    assert_same(detect(make_heart(times=times)), times, 0.03)


@pytest.mark.parametrize("fs", [240.0, 256.0, 260.0])
def test_the_rate_may_vary_a_little(fs, make_heart):
    times = 0.62 + 0.8 * np.arange(11)
    heart = make_heart(times=times, fs=2 * fs)
    (out,) = filter_bands(heart.signal[INDEPENDENT], fs=2 * fs, bands=[(0.5, 45.0, fs)])
    assert_same(find_beats(np.ascontiguousarray(out.T), fs=fs), times, 0.03)


@pytest.mark.parametrize("gain", [0.05, -1.0, 20.0])
def test_gain_does_not_matter(gain, make_heart):
    signal = smooth(make_heart().signal[INDEPENDENT])
    assert np.array_equal(find_beats(np.float32(gain) * signal, fs=FS), find_beats(signal, fs=FS))


def test_order_of_leads_and_a_dead_one_do_not_matter(make_heart):
    signal = smooth(make_heart(noise_mv=0.02).signal[INDEPENDENT])
    found = find_beats(signal, fs=FS)
    assert np.allclose(find_beats(signal[:, ::-1].copy(), fs=FS), found, atol=0.008)
    assert np.allclose(find_beats(np.hstack([signal, 0 * signal[:, :1]]), fs=FS), found, atol=0.008)


def test_time_shift_moves_every_beat_with_it(make_heart):
    times = 1.0 + 0.8 * np.arange(10)
    early, late = detect(make_heart(times=times)), detect(make_heart(times=times + 0.4))
    assert np.allclose(late - early, 0.4, atol=0.016)


@pytest.mark.parametrize("rate", [60, 160, 180])
@pytest.mark.parametrize("width_s", [0.020, 0.030, 0.0375])
def test_wide_complexes_at_high_rates(rate, width_s):
    """A Gaussian of 37.5 ms lasts 150 ms; at 180/min there is no rest between two of them."""
    times = np.arange(0.5, 9.7, 60 / rate)
    assert_same(find_beats(smooth(train(times, width_s)), fs=FS), times, 0.03)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_leads", [1, 2, 8, 12])
@pytest.mark.parametrize("duration_s", [2.5, 10, 40])
def test_noise_has_no_beats(n_leads, duration_s, seed):
    noise = np.random.default_rng(seed).normal(0, 0.2, (n_leads, round(500 * duration_s)))
    assert find_beats(smooth(noise), fs=FS).size == 0


@pytest.mark.parametrize("n", [0, 1, 100, 240, 625, 2500])
def test_a_flat_line_has_no_beats(n):
    assert find_beats(np.zeros((n, 8), dtype=np.float32), fs=FS).size == 0


@pytest.mark.parametrize("n_leads", [1, 2, 15])
def test_any_number_of_leads(n_leads):
    times = 0.5 + 0.9 * np.arange(10)
    assert_same(find_beats(smooth(train(times, 0.012, n_leads=n_leads)), fs=FS), times, 0.02)


def test_one_beat():
    assert_same(find_beats(smooth(train([1.2], 0.012, duration_s=2.5)), fs=FS), [1.2], 0.02)


def test_a_premature_wide_beat_is_found(make_heart):
    normal = 0.62 + 0.8 * np.arange(11)
    times = np.delete(normal, 5)
    heart = make_heart(times=times)
    wide = train([normal[5] - 0.3], 0.03, n_leads=12, noise_mv=0.0) * 1.2
    found = find_beats(smooth((heart.signal + wide)[INDEPENDENT]), fs=FS)
    assert_same(found, np.sort(np.append(times, normal[5] - 0.3)), 0.06)


def test_a_burst_in_one_of_two_leads_is_no_beat(make_heart):
    """The other lead would show a beat of whatever shape."""
    times = 0.62 + 0.8 * np.arange(11)
    two = make_heart(times=times).signal[[1, 7]]
    t = np.arange(two.shape[1]) / 500
    two[1] += 3 * np.exp(-0.5 * ((t - times[4] - 0.4) / 0.02) ** 2)
    assert_same(find_beats(smooth(two), fs=FS), times, 0.03)


def test_p_waves_without_a_complex_are_no_beats(make_heart):
    """Block of every second beat: the P waves stand alone in the pauses."""
    times = 0.7 + 1.6 * np.arange(6)
    heart = make_heart(times=times)
    alone = make_heart(times=times[:-1] + 0.8)
    t = np.arange(5000) / 500
    p = sum(np.exp(-0.5 * ((t - at - 0.64) / 0.022) ** 2) for at in times[:-1])
    with_p = heart.signal + p * 0.15 * np.sign(alone.signal.mean(axis=1, keepdims=True))
    assert_same(find_beats(smooth(with_p[INDEPENDENT]), fs=FS), times, 0.03)


@pytest.mark.parametrize("seed", range(3))
def test_beats_are_found_in_strong_independent_noise(seed, make_heart):
    """White noise as strong as half a complex in each lead: no single lead shows the beats well, eight together do."""
    times = 0.62 + 0.8 * np.arange(11)
    noise = np.random.default_rng(seed).normal(0, 0.35, (12, 5000))
    found = find_beats(smooth((make_heart(times=times).signal + noise)[INDEPENDENT]), fs=FS)
    assert_same(found, times, 0.04)


def test_annotated_beats_are_found(ludb):
    """Five recordings of the Lobachevsky database: every annotated complex of lead II, none between two of them."""
    for number in (1, 9, 33, 71, 105):
        recording, marks = ludb(number)
        reference = marks["II"]["r_peak"]
        found = detect(recording)
        inside = found[(found > reference[0] - 0.15) & (found < reference[-1] + 0.15)]
        assert_same(inside, reference, 0.10)
