"""Formulas checked by hand, from their papers."""

import math
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.measure import CATALOGUE, amplitudes, axes, features_contract, intervals, measure, morphology, rhythm
from twelvelead.terms import FIDUCIALS, LEADS


@pytest.mark.parametrize("correct", [intervals.qtc_bazett, intervals.qtc_fridericia, intervals.qtc_framingham,
                                     intervals.qtc_hodges])  # fmt: skip
def test_at_60_per_minute_no_correction_corrects(correct):
    assert correct(412.0, 1000.0) == pytest.approx(412.0, abs=1e-9)


def test_corrections_at_100_per_minute():
    # RR 0.6 s, QT 340 ms: √0.6 = 0.774597, ∛0.6 = 0.843433, 154·0.4 = 61.6, 1.75·40 = 70
    assert intervals.qtc_bazett(340, 600) == pytest.approx(438.938, abs=1e-3)
    assert intervals.qtc_fridericia(340, 600) == pytest.approx(403.115, abs=1e-3)
    assert intervals.qtc_framingham(340, 600) == pytest.approx(401.6, abs=1e-9)
    assert intervals.qtc_hodges(340, 600) == pytest.approx(410.0, abs=1e-9)


@pytest.mark.parametrize(("i", "avf", "degrees"), [(1, 0, 0), (0, 1, 90), (-1, 0, 180), (0, -1, -90),
                                                   (1, math.sqrt(3) / 2, 45)])  # fmt: skip
def test_axes_of_the_quadrants(i, avf, degrees):
    assert axes.frontal_axis(i, avf) == pytest.approx(degrees, abs=1e-9)


def test_an_axis_without_wave_or_lead_is_none():
    assert math.isnan(axes.frontal_axis(0, 0))
    assert math.isnan(axes.frontal_axis(math.nan, 1))
    assert math.isnan(axes.angle_between(np.zeros(3), np.ones(3)))


@given(st.lists(st.floats(300, 2000), min_size=3, max_size=40))
def test_rr_statistics_against_a_naive_loop(values):
    rr = np.array(values)
    steps = [b - a for a, b in pairwise(values)]
    assert rhythm.rmssd(rr) == pytest.approx(math.sqrt(sum(s * s for s in steps) / len(steps)), rel=1e-9, abs=1e-9)
    assert rhythm.pnn50(rr) == sum(abs(s) > 50 for s in steps) / len(steps)


def test_rr_statistics_of_too_few_beats_are_none():
    assert math.isnan(rhythm.rmssd(np.array([800.0])))
    assert math.isnan(rhythm.pnn50(np.array([])))
    assert rhythm.premature(np.array([])).size == 0


def test_qrs_waves_of_usual_shapes():
    def waves(*parts):
        return amplitudes.qrs_waves(np.concatenate([np.full(n, v) for v, n in parts]), fs=500)

    qs = waves((-0.8, 30))
    assert (qs["q_amplitude_mv"], qs["r_amplitude_mv"], qs["s_amplitude_mv"]) == (-0.8, 0.0, 0.0)
    rsr = waves((0.3, 10), (-0.6, 12), (0.5, 14))
    assert (rsr["r_amplitude_mv"], rsr["s_amplitude_mv"], rsr["r_prime_amplitude_mv"]) == (0.3, -0.6, 0.5)
    assert rsr["r_peak_time_ms"] == 44.0  # the R′ is the taller; it begins 22 samples after onset
    short = waves((0.5, 2), (-0.6, 20))
    assert short["r_amplitude_mv"] == 0.0  # 4 ms are no wave
    flat = waves((0.0, 30))
    assert flat["qrs_notch_count"] == 0
    assert math.isnan(flat["r_share_ratio"])


def test_transition_zone_at_the_ends():
    assert morphology.transition_zone([0.6, 0.7, 0.8, 0.8, 0.9, 0.9]) == 1.0
    assert morphology.transition_zone([0.1] * 6) == 7.0
    assert math.isnan(morphology.transition_zone([0.1, math.nan, 0.5, 0.8, 0.9, 0.9]))


def test_voltage_criteria_are_sums_of_waves(make_heart):
    row = measure(make_heart())[0]
    s_v1 = -min(row["s_amplitude_v1_mv"], row["q_amplitude_v1_mv"])
    s_v3 = -min(row["s_amplitude_v3_mv"], row["q_amplitude_v3_mv"])
    assert row["sokolow_lyon_mv"] == pytest.approx(s_v1 + max(row["r_amplitude_v5_mv"], row["r_amplitude_v6_mv"]))
    assert row["cornell_voltage_mv"] == pytest.approx(row["r_amplitude_avl_mv"] + s_v3)
    assert row["cornell_product_mvms"] == pytest.approx(row["cornell_voltage_mv"] * row["qrs_duration_ms"])
    assert row["qtc_bazett_ms"] == pytest.approx(row["qt_interval_ms"] / math.sqrt(row["rr_mean_ms"] / 1000))
    assert row["heart_rate_bpm"] == pytest.approx(60000 / row["rr_mean_ms"])
    assert row["jt_interval_ms"] + row["qrs_duration_ms"] == pytest.approx(row["qt_interval_ms"])


def test_the_row_keeps_the_contract(make_heart):
    row, fiducials = measure(make_heart(name="r1"))
    assert list(row) == ["recording_id", *(m.name for m in CATALOGUE)]
    table = features_contract().select([row])
    assert table.columns == list(row)
    assert table.schema["pr_interval_ms"] == pl.Float32
    FIDUCIALS.check(fiducials)
    assert fiducials["lead"].unique(maintain_order=True).to_list() == [*LEADS, "global"]
    assert fiducials.height == 13 * row["beat_count"]
