"""Zero-phase filters: what passes, what does not, and at which rate."""

import math

import numpy as np
import pytest

from twelvelead.signal import Recording
from twelvelead.signal import filter as filters
from twelvelead.terms import InputError


def sine(hz, *, fs, seconds=10.0):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * fs)) / fs)[None]


@pytest.mark.parametrize(("hz", "gain"), [(2.0, 1.0), (10.0, 0.5), (40.0, 1 / 257)])
def test_the_response_is_butterworth_run_both_ways(hz, gain):
    (out,) = filters.filter_bands(sine(hz, fs=500), fs=500, bands=[(0, 10, 500)])
    assert np.abs(out[0, 1000:4000]).max() == pytest.approx(gain, abs=0.005)


@pytest.mark.parametrize("fs", [100, 128, 250, 257, 333.3, 360, 500, 1000])
def test_resampling_keeps_a_sine_where_it_was(fs):
    (out,) = filters.filter_bands(sine(5, fs=fs), fs=fs, bands=[(0, math.inf, 500)])
    rate = filters.exact_rate(fs, 500)
    assert rate == pytest.approx(500, rel=3e-3)
    at = np.arange(out.shape[1]) / rate
    inner = (at > 1) & (at < 9)
    np.testing.assert_allclose(out[0, inner], np.sin(2 * np.pi * 5 * at)[inner], atol=0.01)


def test_each_band_is_as_if_filtered_alone():
    x = np.random.default_rng(0).normal(0, 1, (2, 2000))
    bands = [(0.5, 40, 500.0), (4, 24, 250.0)]
    both = filters.filter_bands(x, fs=500, bands=bands)
    for band, out in zip(bands, both, strict=True):
        (alone,) = filters.filter_bands(x, fs=500, bands=[band])
        np.testing.assert_allclose(out[:, 100:-100], alone[:, 100:-100], atol=0.01)


def test_wander_goes_and_gaps_stay():
    x = 0.5 * sine(0.05, fs=500, seconds=20) + sine(5, fs=500, seconds=20)
    x[0, 3000:3010] = np.nan
    out = filters.remove_baseline(Recording(x, ("II",), 500))
    assert np.isnan(out["II"]).sum() == 10
    assert np.nanmax(np.abs(out["II"][2000:8000])) == pytest.approx(1.0, abs=0.05)


def test_a_band_upside_down_is_refused():
    with pytest.raises(InputError, match="low_hz must be at least 0 and below high_hz; got 40 and 1"):
        filters.band_pass(Recording(sine(5, fs=500), ("II",), 500), low_hz=40, high_hz=1)


def test_a_lead_without_samples_is_zero():
    assert not filters.bridge_gaps(np.full((1, 5), np.nan)).any()
