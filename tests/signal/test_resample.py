import numpy as np
import pytest

from twelvelead.signal import Recording, resample
from twelvelead.terms import InputError


def tone(fs, hz=5.0, seconds=4):
    t = np.arange(int(seconds * fs)) / fs
    return Recording(np.sin(2 * np.pi * hz * t)[None], ("I",), fs, "r")


@pytest.mark.parametrize(("fs", "wanted"), [(500, 250), (250, 500), (360, 500), (1000, 500), (257, 500), (500, 100)])
def test_a_slow_wave_is_the_same_at_any_rate(fs, wanted):
    out = resample(tone(fs), fs=wanted)
    assert out.fs == wanted
    assert abs(out.duration - 4) <= 1 / wanted + 1e-9
    inner = slice(wanted // 2, 3 * wanted)  # the filter has no past at the edges
    np.testing.assert_allclose(out["I"][inner], tone(wanted)["I"][: out.n_samples][inner], rtol=0, atol=0.01)


def test_gaps_stay_gaps_and_do_not_spread():
    r = tone(500)
    signal = r.signal.copy()
    signal[0, 500:600] = np.nan
    out = resample(Recording(signal, ("I",), 500), fs=250)
    assert np.flatnonzero(np.isnan(out["I"])).tolist() == list(range(250, 300))
    np.testing.assert_allclose(out["I"][310:900], tone(250)["I"][310:900], rtol=0, atol=0.02)


def test_a_lead_without_samples_stays_so():
    assert np.isnan(resample(Recording(np.full((1, 100), np.nan), ("I",), 500), fs=250).signal).all()


def test_the_same_rate_changes_nothing():
    r = tone(500)
    assert np.array_equal(resample(r, fs=500).signal, r.signal)


@pytest.mark.parametrize("fs", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(fs):
    with pytest.raises(InputError, match="positive number of Hz"):
        resample(tone(500), fs=fs)


@pytest.mark.parametrize("fs", [0.1, 0.35])
def test_a_rate_without_a_simple_ratio_is_refused_and_not_approximated(fs):
    with pytest.raises(InputError, match="simple fraction or multiple of 500 Hz"):
        resample(tone(500), fs=fs)


def test_every_lead_is_resampled_by_itself():
    r = tone(500)
    two = Recording(np.vstack([r.signal, 3 * r.signal]), ("I", "II"), 500)
    np.testing.assert_allclose(resample(two, fs=360)["II"], 3 * resample(r, fs=360)["I"], rtol=0, atol=1e-5)
