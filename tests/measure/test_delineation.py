"""Marks against known truth: the synthetic heart, and cardiologists' marks in the Lobachevsky database."""

import numpy as np
import polars as pl
import pytest

from twelvelead.measure import measure
from twelvelead.terms import FIDUCIAL_TIMES

ORDER = list(FIDUCIAL_TIMES)


def truth(times):
    """Where a cardiologist would put the marks: 2 to 2.5 Gaussian widths from the wave's centre."""
    p = times - 0.16
    return {"p_peak_s": p, "p_onset_s": p - 2.25 * 0.022, "p_offset_s": p + 2.25 * 0.022,
            "qrs_onset_s": times - 0.026 - 2.25 * 0.007, "r_peak_s": times, "t_peak_s": times + 0.28,
            "t_offset_s": times + 0.28 + 2.25 * 0.042}  # fmt: skip


@pytest.mark.parametrize("fs", [250, 360, 500, 1000])
def test_marks_of_the_synthetic_heart(fs, make_heart):
    times = 0.62 + 0.8 * np.arange(12)
    fiducials = measure(make_heart(fs=fs))[1].filter(pl.col("lead") == "global")
    assert fiducials.height == len(times)
    # The rules follow cardiologists' habit, not a Gaussian's; a mark is right within 12 ms, a peak within 6, T end 20.
    allowed = {"p_peak_s": 0.006, "r_peak_s": 0.006, "t_peak_s": 0.008, "t_offset_s": 0.020}
    for name, at in truth(times).items():
        error = fiducials[name].to_numpy() - at
        assert np.abs(error).max() <= allowed.get(name, 0.012), (name, error)


def test_marks_follow_one_another(make_heart):
    fiducials = measure(make_heart(noise_mv=0.03, seed=3))[1]
    marks = fiducials.select(ORDER).to_numpy()
    ahead = np.diff(marks, axis=1)
    assert (ahead[np.isfinite(ahead)] >= 0).all()


@pytest.mark.parametrize("rr_s", [0.38, 0.5, 1.0, 1.6])
def test_rate_from_38_to_158(rr_s, make_heart):
    times = np.arange(0.7, 9.3, rr_s)
    row, _ = measure(make_heart(times=times))
    assert row["heart_rate_bpm"] == pytest.approx(60 / rr_s, abs=0.3)
    assert row["beat_count"] == len(times)


FASTEST = pytest.param(0.38, marks=pytest.mark.xfail(reason="QT does not shorten here: T ends in the next QRS complex"))


@pytest.mark.parametrize("rr_s", [FASTEST, 0.5, 1.0, 1.6])
def test_qrs_duration_at_any_rate(rr_s, make_heart):
    row, _ = measure(make_heart(times=np.arange(0.7, 9.3, rr_s)))
    assert row["qrs_duration_ms"] == pytest.approx(95, abs=20)


def score(cases):
    """Share of marks found within 150 ms, share of marks right, errors in ms; false ones only inside the span."""
    points = {point: {"error": [], "n": 0, "extra": 0} for point in (c.removesuffix("_s") for c in ORDER)}
    for recording, marks in cases:
        fiducials = measure(recording)[1]
        for lead, reference in marks.items():
            rows = fiducials.filter(pl.col("lead") == lead)
            every = np.concatenate(list(reference.values()))
            for point, at in reference.items():
                found = rows[f"{point}_s"].drop_nulls().to_numpy()
                gap = found[None, :] - at[:, None] if found.size else np.full((at.size, 1), np.inf)
                nearest = gap[np.arange(at.size), np.abs(gap).argmin(axis=1)]
                near = np.abs(nearest) <= 0.150
                tally = points[point]
                tally["error"] += list(nearest[near] * 1000)
                tally["n"] += at.size
                inside = (found >= every.min()) & (found <= every.max())
                tally["extra"] += int((inside & (np.abs(gap).min(axis=0) > 0.150)).sum())
            for point in set(points) - set(reference):
                found = rows[f"{point}_s"].drop_nulls().to_numpy()
                points[point]["extra"] += int(((found >= every.min()) & (found <= every.max())).sum())
    return points


# Standard deviation in ms: what training/marks.py finds in records unseen by the refiner. Here it has seen them:
# the gate is that the whole pipeline, beats and presence included, does no worse.
MOST_SD = {"p_onset": 16, "p_peak": 14, "p_offset": 14, "qrs_onset": 9.5, "r_peak": 15, "qrs_offset": 10.5,
           "t_onset": 25, "t_peak": 20, "t_offset": 22.5}  # fmt: skip


def test_accuracy_on_the_lobachevsky_database(ludb):
    points = score([ludb(number) for number in range(1, 200, 4)])
    for point, tally in points.items():
        found, extra = len(tally["error"]), tally["extra"]
        least_found, least_right = {"p": (0.96, 0.93), "q": (0.997, 0.985), "r": (0.997, 0.985), "t": (0.99, 0.98)}[
            point[0]
        ]
        assert found / tally["n"] >= least_found, point
        assert found / (found + extra) >= least_right, point
        if point in MOST_SD:
            assert np.std(tally["error"]) <= MOST_SD[point], (point, np.std(tally["error"]))
            assert abs(np.mean(tally["error"])) <= 3, (point, np.mean(tally["error"]))
