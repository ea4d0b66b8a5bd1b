"""Rhythms whose truth is known: fibrillation, ectopic beats, pacing."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from twelvelead.measure import measure, pacing


def test_no_p_wave_is_invented_in_fibrillation(make_heart):
    rng = np.random.default_rng(1)
    times = 0.6 + np.cumsum(rng.uniform(0.5, 1.1, 11))
    times = times[times < 9.4]
    heart = make_heart(times=times, p=False, noise_mv=0.01)
    t = np.arange(5000) / 500
    f_wave = 0.04 * np.sin(2 * np.pi * 6 * t + np.cumsum(rng.normal(0, 0.1, t.size)))
    row, fiducials = measure(replace(heart, signal=heart.signal + f_wave * np.linspace(0.2, 1, 12)[:, None]))
    assert row["p_present_probability"] < 0.3
    assert row["af_evidence_probability"] > 0.7
    assert row["pr_interval_ms"] is None
    assert row["p_amplitude_ii_mv"] is None
    assert fiducials["p_onset_s"].null_count() == fiducials.height
    assert row["f_wave_amplitude_mv"] > measure(heart)[0]["f_wave_amplitude_mv"]


def test_sinus_rhythm_has_p_waves_and_no_evidence_of_fibrillation(make_heart):
    row, _ = measure(make_heart())
    assert row["p_present_probability"] > 0.95
    assert row["af_evidence_probability"] < 0.05


def test_a_premature_ventricular_beat_is_of_another_shape(make_heart):
    normal = 0.62 + 0.8 * np.arange(12)
    early = normal[5] - 0.30
    times = np.delete(normal, 5)
    heart = make_heart(times=times)
    t = np.arange(5000) / 500
    wide = np.exp(-0.5 * ((t - early) / 0.024) ** 2) - 0.4 * np.exp(-0.5 * ((t - early - 0.3) / 0.06) ** 2)
    row, fiducials = measure(replace(heart, signal=heart.signal + wide * np.linspace(-2, 2, 12)[:, None]))
    assert row["beat_count"] == 12
    assert row["beat_other_shape_share"] == pytest.approx(1 / 12)
    assert row["beat_premature_share"] == pytest.approx(1 / 11)
    assert row["qrs_duration_ms"] == pytest.approx(95, abs=15)  # the premature beat leaves the median beat alone
    odd = fiducials.filter((pl.col("lead") == "global") & (pl.col("r_peak_s").is_between(early - 0.05, early + 0.05)))
    assert odd.height == 1
    assert odd["p_peak_s"].item() is None
    assert odd["qrs_offset_s"].item() - odd["qrs_onset_s"].item() > 0.10


def add_wide_beats(heart, at, *, width_s, size_mv):
    """Smooth premature beats, each with a T wave the other way."""
    t = np.arange(heart.n_samples) / heart.fs
    wide = sum(
        np.exp(-0.5 * ((t - beat) / width_s) ** 2) - 0.3 * np.exp(-0.5 * ((t - beat - 0.32) / 0.06) ** 2) for beat in at
    )
    return replace(heart, signal=heart.signal + size_mv * wide * np.linspace(-1, 1, 12)[:, None])


@pytest.mark.parametrize("size_mv", [1.5, -1.5, 1.0])
@pytest.mark.parametrize("width_s", [0.020, 0.030, 0.035, 0.040])
def test_wide_smooth_premature_beats_are_found(width_s, size_mv, make_heart):
    """A Gaussian of 35 ms is as slow as a T wave; what tells it from one is its size, in the pause that it fills."""
    normal = 0.62 + 0.8 * np.arange(11)
    early = normal[[3, 7]] - 0.2
    heart = make_heart(times=np.delete(normal, [3, 7]))
    row, fiducials = measure(add_wide_beats(heart, early, width_s=width_s, size_mv=size_mv))
    found = fiducials.filter(pl.col("lead") == "global")["r_peak_s"].to_numpy()
    assert row["beat_count"] == 11
    for beat in early:
        assert np.abs(found - beat).min() < 0.1
    assert row["beat_other_shape_share"] == pytest.approx(2 / 11)


@pytest.mark.parametrize("width_s", [0.025, 0.040])
def test_wide_beats_are_found_when_every_second_beat_is_one(width_s, make_heart):
    """In bigeminy no interval between the narrow beats is longer than usual: all of them are long."""
    narrow, wide = 0.65 + 1.6 * np.arange(6), 1.25 + 1.6 * np.arange(5)
    row, _ = measure(add_wide_beats(make_heart(times=narrow), wide, width_s=width_s, size_mv=1.5))
    assert row["beat_count"] == 11
    assert row["beat_other_shape_share"] == pytest.approx(5 / 11)


def test_a_burst_between_two_beats_is_no_beat(make_heart):
    """Muscle noise half as large as a complex, in the middle of a usual interval, without a pause after it."""
    heart = make_heart(times=0.62 + 0.8 * np.arange(12))
    t = np.arange(heart.n_samples) / heart.fs
    burst = 0.5 * np.exp(-0.5 * ((t - 4.22) / 0.015) ** 2) * np.sin(2 * np.pi * 15 * (t - 4.22))
    row, _ = measure(replace(heart, signal=heart.signal + burst))
    assert row["beat_count"] == 12


def test_pacing_spikes_are_counted_and_taken_out(make_heart):
    times = 0.62 + 0.8 * np.arange(12)
    heart = make_heart(times=times, p=False)
    signal = heart.signal.copy()
    signal[:, np.round((times - 0.05) * 500).astype(int)] += np.linspace(0.8, 2.0, 12)[:, None]
    paced, plain = measure(replace(heart, signal=signal))[0], measure(heart)[0]
    assert paced["pacing_spike_count"] == 12
    assert paced["pacing_beat_share"] == 1.0
    assert plain["pacing_spike_count"] == 0
    assert paced["qrs_duration_ms"] == pytest.approx(plain["qrs_duration_ms"], abs=10)
    assert paced["r_amplitude_v5_mv"] == pytest.approx(plain["r_amplitude_v5_mv"], abs=0.03)


def test_narrow_r_waves_and_slow_rates_are_no_spikes():
    t = np.arange(2000) / 500
    r = 2.0 * np.exp(-0.5 * ((t - 1) / 0.008) ** 2)
    assert pacing.find_spikes(np.stack([r, r]).astype(np.float32), fs=500).size == 0
    assert pacing.find_spikes(np.ones((2, 1000), dtype=np.float32), fs=100).size == 0


def test_what_spikes_everywhere_is_noise():
    x = np.zeros((2, 1000), dtype=np.float32)
    x[:, ::40] = 1.0
    assert pacing.find_spikes(x, fs=500).size == 0
