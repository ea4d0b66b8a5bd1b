"""Spikes out, wander off: what condition does to a signal, against filters of scipy and by hand."""

import numpy as np
import pytest
from scipy import signal as scipy_signal

from twelvelead.measure.condition import FS, condition, low_pass
from twelvelead.signal import Recording


def made(rows, *, fs=500.0):
    rows = np.atleast_2d(rows)
    return Recording(rows, tuple(f"x{k}" for k in range(len(rows))), fs, id="made")


def test_wander_is_the_zero_phase_butterworth_low_pass_of_scipy():
    rng = np.random.default_rng(0)
    x = np.cumsum(rng.normal(0, 0.02, (3, 5000)), axis=1) + rng.normal(0, 0.02, (3, 5000))
    b, a = scipy_signal.butter(2, 0.4, fs=500)
    slow = scipy_signal.filtfilt(b, a, x, axis=1, padlen=1000)
    got = condition(made(x), ("x0", "x1", "x2"))
    inner = slice(1250, -1250)
    np.testing.assert_allclose(got.whole.T[:, inner], (x - slow)[:, inner], atol=0.02)
    np.testing.assert_allclose(got.wander_mv, slow.std(axis=1), rtol=0.1)


@pytest.mark.parametrize(("hz", "kept"), [(5, 1.0), (20, 0.83), (40, 0.45), (100, 0.0)])
def test_the_smooth_copy_has_triple_running_mean_response(hz, kept):
    t = np.arange(5000) / 500
    got = condition(made(np.sin(2 * np.pi * hz * t + 0.3)), ("x0",)).smooth
    assert len(got) == 2500
    middle = got[500:-500, 0]
    assert np.sqrt(2) * middle.std() == pytest.approx(kept, abs=0.02)


def test_the_smooth_copy_keeps_the_time_of_a_peak():
    t = np.arange(5000) / 500
    got = condition(made(np.exp(-0.5 * ((t - 4.002) / 0.02) ** 2)), ("x0",))
    assert got.smooth[:, 0].argmax() / 250 == pytest.approx(4.002, abs=0.0041)
    assert got.whole[:, 0].argmax() / 500 == pytest.approx(4.002, abs=0.0021)


@pytest.mark.parametrize("fs", [100, 250, 360, 400, 500, 1000])
def test_every_rate_becomes_500(fs):
    t = np.arange(10 * fs) / fs
    got = condition(made(np.sin(2 * np.pi * 7 * t), fs=fs), ("x0",))
    assert got.fs == pytest.approx(FS)
    inner = got.whole[1500:3500, 0]
    np.testing.assert_allclose(inner, np.sin(2 * np.pi * 7 * np.arange(1500, 3500) / 500), atol=0.01)


def test_spikes_are_taken_out_and_told():
    t = np.arange(5000) / 500
    rows = np.tile(0.2 * np.sin(2 * np.pi * 1.3 * t), (3, 1))
    clean = condition(made(rows), ("x0", "x1", "x2"))
    for at in (1000, 2000, 3000):
        rows[:, at : at + 2] += 1.5
    got = condition(made(rows), ("x0", "x1", "x2"))
    assert got.spikes_s == pytest.approx([2.0, 4.0, 6.0], abs=0.005)
    np.testing.assert_allclose(got.whole, clean.whole, atol=0.02)


def test_gaps_are_bridged_and_other_leads_left_alone():
    t = np.arange(5000) / 500
    rows = np.stack([np.sin(2 * np.pi * 2 * t), np.cos(2 * np.pi * 2 * t)])
    gapped = rows.copy()
    gapped[0, 2000:2005] = np.nan
    whole, holed = (condition(made(x), ("x0", "x1")).whole for x in (rows, gapped))
    np.testing.assert_allclose(holed[:, 1], whole[:, 1], atol=1e-6)
    np.testing.assert_allclose(holed, whole, atol=0.01)


def test_only_the_wanted_leads_come_back_in_their_order():
    rows = np.random.default_rng(0).normal(size=(3, 2500))
    assert condition(made(rows), ("x2", "x0")).whole.shape == (2500, 2)


def test_a_beat_is_smoothed_as_by_a_fourier_transform():
    rng = np.random.default_rng(0)
    x = np.convolve(rng.normal(size=1200), np.ones(4) / 4, mode="same").astype(np.float32)
    frequency = np.fft.rfftfreq(1200, 1 / 500)
    wanted = np.fft.irfft(np.fft.rfft(x) / (1 + (frequency / 40) ** 4), n=1200)
    got = low_pass(x[:, None], fs=500, high_hz=40)[:, 0]
    np.testing.assert_allclose(got[100:-100], wanted[100:-100], atol=0.02)
