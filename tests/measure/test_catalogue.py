"""The CATALOGUE's numbers put together: pooled over windows, tabulated, with the error that was measured."""

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from twelvelead.measure import (
    CATALOGUE,
    condense,
    evaluate,
    features_contract,
    gather,
    measure,
    measure_many,
    observe,
    tabulate_fiducials,
)
from twelvelead.measure.catalogue import pool, tabulate
from twelvelead.measure.errors import read_errors
from twelvelead.measure.heartbeat import Fact, Heartbeats, Quantity
from twelvelead.terms import FAILURES, FIDUCIALS, LEADS

NAMES = [m.name for m in CATALOGUE]


def windows(**values):
    """Three windows in which nothing is known but `values`."""
    table = np.full((len(CATALOGUE), 3), np.nan)
    for name, of_windows in values.items():
        table[NAMES.index(name)] = of_windows
    return dict(zip(NAMES, pool(table), strict=True))


def test_every_measurement_says_how_its_windows_are_pooled():
    assert {m.pooled for m in CATALOGUE} == {"median", "sum", "mean", "max", "min"}
    for m in CATALOGUE:
        assert m.pooled == "sum" or m.name != "beat_count"
        assert m.pooled in {"sum", "max"} or not m.name.startswith("beat_") or not m.name.endswith("_count")


def test_windows_are_pooled_as_declared():
    pooled = windows(
        beat_count=[30, 31, 20], rr_max_ms=[900, 2100, 950], rr_min_ms=[700, 650, math.nan],
        pr_interval_ms=[160, 170, 150], beat_premature_share=[0.1, 0.0, 0.2], qt_interval_ms=[math.nan, 400, 410],
    )  # fmt: skip
    assert pooled["beat_count"] == 81
    assert (pooled["rr_max_ms"], pooled["rr_min_ms"]) == (2100, 650)
    assert pooled["pr_interval_ms"] == 160
    assert pooled["beat_premature_share"] == pytest.approx(0.1)
    assert pooled["qt_interval_ms"] == 405
    assert math.isnan(pooled["qrs_duration_ms"])
    assert math.isnan(pooled["pacing_spike_count"])


@pytest.mark.parametrize(
    ("axes", "middle"),
    [([179, -179, -178], -179), ([10, 20, 60], 20), ([-90, -80, math.nan], -85), ([180, 180, 180], 180)],
)
def test_the_median_of_directions_goes_round(axes, middle):
    assert windows(qrs_axis_deg=axes)["qrs_axis_deg"] == pytest.approx(middle)


def test_one_window_is_itself(make_heart):
    heart = make_heart()
    values = evaluate(gather([condense(observe(heart, heart.leads))]))
    np.testing.assert_allclose(pool(values), values[:, 0], rtol=1e-12)  # directions are turned there and back


def test_a_formula_that_divides_by_nothing_gives_no_number():
    beats = Heartbeats(np.zeros((len(Fact), 2)), np.zeros((len(Quantity), len(LEADS), 2)))
    values = evaluate(beats)
    assert not np.isinf(values).any()
    assert np.isnan(values[NAMES.index("heart_rate_bpm")]).all()
    table = tabulate(["a", "b"], beats)
    features_contract().check(table)
    assert table["heart_rate_bpm"].null_count() == 2
    assert tabulate([], gather([])).schema == table.schema


def test_many_are_measured_like_each_alone(make_heart):
    hearts = [make_heart(name="a"), make_heart(name="noise", gain=0.0), make_heart(name="b", seed=3)]
    rows = measure_many(hearts)
    assert rows.features["recording_id"].to_list() == ["a", "b"]
    FAILURES.check(rows.failures)
    assert rows.failures["recording_id"].to_list() == ["noise"]
    FIDUCIALS.check(rows.fiducials)
    row, fiducials = measure(hearts[2])
    alone = features_contract().select([row])
    assert alone.equals(rows.features.filter(recording_id="b"))
    assert fiducials.equals(rows.fiducials.filter(recording_id="b"))
    unmarked = measure_many(hearts, fiducials=False)
    assert unmarked.features.equals(rows.features)
    assert unmarked.fiducials.equals(FIDUCIALS.empty())


def test_confidence_is_the_lowest_of_a_wave_where_it_is_known(make_heart):
    heart = make_heart()
    found = observe(heart, heart.leads)
    sure = np.full((9, 12), 0.9)
    sure[2, 0], sure[3:6, 1] = 0.4, np.nan
    table = tabulate_fiducials([replace(found, confidence=sure, global_confidence=np.full(9, 0.8))])
    of = {lead: table.filter(pl.col("lead") == lead) for lead in ("I", "II", "global")}
    assert of["I"]["p_confidence"].to_list() == pytest.approx([0.4] * 12)
    assert of["I"]["t_confidence"].to_list() == pytest.approx([0.9] * 12)
    assert of["II"]["qrs_confidence"].null_count() == 12
    assert of["global"]["qrs_confidence"].to_list() == pytest.approx([0.8] * 12)


def test_errors_are_those_of_measurements():
    errors = read_errors()
    declared = {m.name: m.error for m in CATALOGUE if m.error is not None}
    assert declared == errors
    assert {"pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "qtc_fridericia_ms", "heart_rate_bpm"} <= set(errors)
    for name, (bias, sd) in errors.items():
        assert abs(bias) < 20, name
        assert 0 < sd < 40, name
