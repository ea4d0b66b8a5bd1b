"""What follows from a machine's measurements, against plain arithmetic row by row."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.io.databases.machine import AXES, POSSIBLE, TIMES, derive_features
from twelvelead.measure import CATALOGUE
from twelvelead.measure.intervals import qtc_bazett, qtc_framingham, qtc_fridericia, qtc_hodges

NUMBER = st.none() | st.integers(-200, 5000).map(float)
AXIS = st.none() | st.integers(-360, 360).map(float)
ROW = st.fixed_dictionaries({**dict.fromkeys(TIMES, NUMBER), **dict.fromkeys(AXES, AXIS)})


def naive(row, *, raw):
    """Say it again in plain Python."""
    if not raw:
        for name, (low, high) in POSSIBLE.items():
            if row[name] is not None and not low <= row[name] <= high:
                row[name] = None
        for name in AXES:
            if row[name] is not None:
                row[name] = math.degrees(
                    math.atan2(math.sin(math.radians(row[name])), math.cos(math.radians(row[name])))
                )

    def apart(a, b):
        if a is None or b is None:
            return None
        cosine = math.cos(math.radians(a)) * math.cos(math.radians(b)) + math.sin(math.radians(a)) * math.sin(
            math.radians(b)
        )
        return math.degrees(math.acos(max(-1, min(1, cosine))))

    def ratio(a, b):
        return None if a is None or not b else a / b

    rr = row["rr_mean_ms"] if row["rr_mean_ms"] and row["rr_mean_ms"] > 0 else None
    pr, qt = row["pr_interval_ms"], row["qt_interval_ms"]
    return {
        "heart_rate_bpm": rr and 60000 / rr,
        "pt_interval_ms": None if pr is None or qt is None else pr + qt,
        "p_rr_ratio": ratio(row["p_duration_ms"], row["rr_mean_ms"]),
        "pr_qt_ratio": ratio(pr, qt),
        "qtc_bazett_ms": None if rr is None or qt is None else qt / math.sqrt(rr / 1000),
        "qtc_fridericia_ms": None if rr is None or qt is None else qt / (rr / 1000) ** (1 / 3),
        "qrs_t_angle_frontal_deg": apart(row["qrs_axis_deg"], row["t_axis_deg"]),
        "p_t_angle_frontal_deg": apart(row["p_axis_deg"], row["t_axis_deg"]),
    }


@pytest.mark.parametrize("raw", [False, True])
@given(rows=st.lists(ROW, min_size=1, max_size=5))
def test_derived_numbers_are_those_of_plain_arithmetic(raw, rows):
    schema = {"recording_id": pl.String, **dict.fromkeys((*TIMES, *AXES), pl.Float64)}
    frame = pl.DataFrame([{"recording_id": str(n), **row} for n, row in enumerate(rows)], schema=schema)
    derived = derive_features(frame.lazy(), raw=raw).collect()
    for got, row in zip(derived.iter_rows(named=True), rows, strict=True):
        for name, value in naive(dict(row), raw=raw).items():
            assert (got[name] is None) == (value is None), name
            if value is not None:  # the angle by arc cosine is right to a millionth of a degree only
                assert got[name] == pytest.approx(value, rel=1e-9, abs=1e-5), name
        if not raw:
            assert all(got[name] is None or -180 < got[name] <= 180 for name in AXES)
        assert not any(isinstance(value, float) and not math.isfinite(value) for value in got.values())


def test_corrections_are_those_of_the_catalogue():
    qt, rr = np.array([300.0, 400.0, 500.0]), np.array([500.0, 1000.0, 1500.0])
    frame = pl.DataFrame({"recording_id": ["a", "b", "c"], "qt_interval_ms": qt, "rr_mean_ms": rr})
    whole = frame.with_columns(pl.lit(None, pl.Float64).alias(n) for n in (*TIMES, *AXES) if n not in frame.columns)
    derived = derive_features(whole.lazy(), raw=False).collect()
    for name, formula in (
        ("bazett", qtc_bazett), ("fridericia", qtc_fridericia), ("framingham", qtc_framingham), ("hodges", qtc_hodges),
    ):  # fmt: skip
        np.testing.assert_allclose(derived[f"qtc_{name}_ms"].to_numpy(), formula(qt, rr), rtol=1e-9)


def test_names_are_of_the_catalogue_or_declared_beyond_it():
    names = (*TIMES, *AXES)
    frame = pl.LazyFrame(schema={"recording_id": pl.String, **dict.fromkeys(names, pl.Float64)})
    beyond = set(derive_features(frame, raw=False).collect_schema()) - {m.name for m in CATALOGUE} - {"recording_id"}
    assert beyond == {
        "pt_interval_ms", "p_rr_ratio", "qrs_rr_ratio", "qt_rr_ratio", "pr_qt_ratio", "p_qrs_angle_frontal_deg",
        "p_t_angle_frontal_deg",
    }  # fmt: skip
