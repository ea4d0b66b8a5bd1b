"""Classes of beats, their alignment and their median, on beats whose shape and place are known."""

import numpy as np
import pytest

from twelvelead.measure.registration import place, register_wave
from twelvelead.measure.shapes import PRE_S, classify_beats, median_beat

FS = 250.0


def beats(places_s, kinds, *, fs=FS, duration_s=20.0, noise=0.0, seed=0):
    """Three leads; kind 0 is narrow, kind 1 wide and turned over."""
    t = np.arange(round(duration_s * fs)) / fs
    x = np.random.default_rng(seed).normal(0, noise, (t.size, 3)) if noise else np.zeros((t.size, 3))
    for at, kind in zip(places_s, kinds, strict=True):
        narrow = np.exp(-0.5 * ((t - at) / 0.012) ** 2) - 0.4 * np.exp(-0.5 * ((t - at - 0.03) / 0.01) ** 2)
        wide = -np.exp(-0.5 * ((t - at) / 0.035) ** 2) + 0.6 * np.exp(-0.5 * ((t - at - 0.06) / 0.02) ** 2)
        x += np.outer(wide if kind else narrow, (1.0, 0.7, -0.5))
    return x.astype(np.float32)


PLACES = np.arange(1.0, 19.0, 0.81)
KINDS = [1 if k in {4, 11} else 0 for k in range(len(PLACES))]


def test_two_shapes_are_two_classes_and_the_commoner_is_0():
    label, _ = classify_beats(beats(PLACES, KINDS, noise=0.02), PLACES * FS, fs=FS)
    assert label.tolist() == KINDS


def test_in_bigeminy_the_beats_on_time_are_class_0():
    places = np.sort(np.concatenate([np.arange(1.0, 18.0, 1.6), np.arange(1.55, 18.0, 1.6)]))
    kinds = [k % 2 for k in range(len(places))]
    label, _ = classify_beats(beats(places, kinds, noise=0.01), places * FS, fs=FS)
    assert label.tolist() == kinds
    label, _ = classify_beats(beats(places[1:], kinds[1:], noise=0.01), places[1:] * FS, fs=FS)
    assert label.tolist() == kinds[1:]


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_beats_of_a_class_are_aligned_to_a_fraction_of_a_sample(noise):
    rough = np.round(PLACES * FS) + np.random.default_rng(1).integers(-4, 5, len(PLACES))
    _, aligned = classify_beats(beats(PLACES, [0] * len(PLACES), noise=noise), rough, fs=FS)
    error_ms = (aligned / FS - PLACES) * 1000
    assert (error_ms - error_ms.mean()).std() < (0.15 if noise == 0 else 0.8)


def test_one_beat_is_a_class_of_its_own():
    label, aligned = classify_beats(beats([5.0], [0]), np.array([1250.0]), fs=FS)
    assert label.tolist() == [0]
    assert aligned == pytest.approx([1250.0])


def test_the_median_beat_is_numpys_median_of_shifted_beats():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5000, 4)).astype(np.float32)
    centres = np.array([600.0, 1100.0, 1700.0, 2300.0, 3000.0, 3900.0])
    got, scatter = median_beat(x, centres, fs=500)
    cuts = np.stack([x[int(c) - 225 : int(c) + 351] for c in centres])
    cuts -= cuts.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(got, np.median(cuts, axis=0).T, atol=1e-5)
    q1, q3 = np.quantile(cuts, [0.25, 0.75], axis=0)
    np.testing.assert_allclose(scatter, ((q3 - q1) / 1.349).mean(axis=0), rtol=1e-4)


def test_more_beats_than_needed_are_taken_evenly():
    places = np.arange(1.0, 59.0, 0.5)
    x = beats(places, [0] * len(places), fs=500.0, duration_s=60.0)
    got, _ = median_beat(x, places * 500, fs=500)
    at = round(places[20] * 500)
    one = x[at - 225 : at + 351]
    np.testing.assert_allclose(got, (one - one.mean(axis=0)).T, atol=0.02)


def test_one_beat_has_no_scatter():
    got, scatter = median_beat(beats([5.0], [0], fs=500.0), np.array([2500.0]), fs=500)
    assert np.isnan(scatter).all()
    assert np.abs(got[0]).argmax() == round(PRE_S * 500)


def test_a_wave_that_comes_later_is_found_later():
    late = np.random.default_rng(0).uniform(-0.02, 0.02, len(PLACES))
    t = np.arange(round(20 * FS)) / FS
    waves = sum(np.exp(-0.5 * ((t - at - 0.3 - d) / 0.03) ** 2) for at, d in zip(PLACES, late, strict=True))
    x = (beats(PLACES, [0] * len(PLACES)) + np.outer(waves, (0.3, 0.2, 0.1))).astype(np.float32)
    beat, _ = median_beat(x, PLACES * FS, fs=FS)
    origin = round(PRE_S * FS)
    shift, alike = register_wave(x, PLACES * FS, beat=beat, origin=origin, span=(origin + 50, origin + 100), slack=10)
    error_ms = (shift / FS - late) * 1000
    assert (error_ms - error_ms.mean()).std() < 1.5
    assert (alike > 0.95).all()


def test_a_wave_outside_the_recording_is_not_registered():
    x = beats(PLACES, [0] * len(PLACES))
    beat, _ = median_beat(x, PLACES * FS, fs=FS)
    shift, _ = register_wave(x, np.array([20.0, 500.0]), beat=beat, origin=112, span=(60, 90), slack=7)
    assert np.isnan(shift).tolist() == [True, False]


def test_marks_moved_far_stay_on_their_side_of_qrs_and_inside_the_recording():
    marks = np.array([100, 120, 140, 180, 200, 230, 300, 350, 400.0])[:, None]
    centres, none = np.array([300.0, 1000.0, 1400.0]), np.nan
    placed = place(marks, centres, 200, np.array([0.0, 90.0, none]), np.array([0.0, -120.0, 0.0]), 1500)[:, :, 0]
    assert placed[0].tolist() == [200, 220, 240, 280, 300, 330, 400, 450, 500]
    assert placed[1].tolist() == [980, 980, 980, 980, 1000, 1030, 1030, 1030, 1080]
    assert np.isnan(placed[2]).tolist() == [True] * 3 + [False] * 3 + [True] * 3  # T would lie behind the end
