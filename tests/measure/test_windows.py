"""A long recording in windows: every beat once, rhythm from all beats, memory of a few windows."""

from dataclasses import replace

import numpy as np
import pytest

from twelvelead.measure import measure, windows
from twelvelead.measure.windows import OVERLAP_S, PIECE_S, measure_windows
from twelvelead.signal import Recording
from twelvelead.terms import LEADS, Reason

FS = 250


@pytest.fixture(scope="module")
def long(make_heart):
    rng = np.random.default_rng(0)
    times = 0.7 + np.cumsum(rng.normal(0.8, 0.02, 160))
    return make_heart(fs=FS, times=times, duration_s=132.0, name="long"), times


def windows_of(recording, *, piece=PIECE_S, overlap=OVERLAP_S):
    n = recording.n_samples
    for first in np.arange(0, recording.duration, piece):
        a = max(round((first - overlap) * FS), 0)
        b = min(round((first + piece + overlap) * FS), n)
        yield a / FS, Recording(recording.signal[:, a:b], recording.leads, FS, id=recording.id)


def test_every_beat_is_found_once_and_in_order(long):
    recording, times = long
    table = measure_windows(windows_of(recording), recording_id="r").fiducials
    rows = table.filter(table["lead"] == "global")
    assert rows["beat"].to_list() == list(range(len(times)))
    np.testing.assert_allclose(rows["r_peak_s"], times, atol=0.012)
    assert table["recording_id"].unique().to_list() == ["r"]


def test_rate_and_variability_are_those_of_all_beats(long):
    recording, times = long
    row = measure_windows(windows_of(recording), recording_id="r").features.row(0, named=True)
    rr = np.diff(times) * 1000
    assert row["beat_count"] == len(times)
    assert row["rr_mean_ms"] == pytest.approx(rr.mean(), abs=0.5)
    assert row["rr_max_ms"] == pytest.approx(rr.max(), abs=3)
    assert row["rr_rmssd_ms"] == pytest.approx(np.sqrt(np.mean(np.diff(rr) ** 2)), abs=1.5)


def test_waves_are_those_of_one_short_window(long):
    recording, _ = long
    row = measure_windows(windows_of(recording), recording_id="r").features.row(0, named=True)
    short, _ = measure(Recording(recording.signal[:, : 12 * FS], LEADS, FS, id="short"))
    for name in ("qrs_duration_ms", "pr_interval_ms", "qt_interval_ms"):
        assert row[name] == pytest.approx(short[name], abs=6)
    assert row["r_amplitude_v5_mv"] == pytest.approx(short["r_amplitude_v5_mv"], abs=0.02)


def test_no_more_than_two_windows_are_held_at_once(long, monkeypatch):
    recording, _ = long
    measured = []
    observe = windows.observe
    monkeypatch.setattr(windows, "observe", lambda *a, **k: measured.append(1) or observe(*a, **k))
    ahead = []

    def counted():
        for taken, piece in enumerate(windows_of(recording), start=1):
            ahead.append(taken - len(measured))
            yield piece

    rows = measure_windows(counted(), recording_id="r", fiducials=False)
    assert len(ahead) == 5
    assert max(ahead) <= 2
    assert rows.fiducials.height == 0


def test_a_window_that_can_not_be_measured_costs_that_window_alone(long):
    recording, times = long
    signal = recording.signal.copy()
    signal[:, 25 * FS : 66 * FS] = 0.0
    rows = measure_windows(windows_of(replace(recording, signal=signal)), recording_id="r")
    found = rows.fiducials.filter(rows.fiducials["lead"] == "global")["r_peak_s"].to_numpy()
    outside = times[(times < 24.5) | (times > 66.5)]
    assert all(np.abs(found - t).min() < 0.02 for t in outside if t < 24 or t > 67)
    row = rows.features.row(0, named=True)
    assert row["rr_max_ms"] < 1500  # the hole is no pause
    assert row["heart_rate_bpm"] == pytest.approx(75, abs=2)


def test_a_recording_without_a_measurable_window_is_refused():
    flat = Recording(np.zeros((12, 90 * FS)), LEADS, FS, id="flat")
    rows = measure_windows(windows_of(flat), recording_id="flat")
    assert rows.features.height == 0
    assert rows.failures.row(0, named=True)["reason"] == Reason.FLAT.value
