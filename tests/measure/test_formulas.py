"""Formulas checked by hand, from their papers."""

import math
from itertools import groupby, pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.measure import (
    CATALOGUE,
    amplitudes,
    axes,
    features_contract,
    intervals,
    measure,
    morphology,
    observe,
    rhythm,
)
from twelvelead.measure.heartbeat import Fact, Heartbeats, Quantity
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
    shares = np.array([[0.6, 0.7, 0.8, 0.8, 0.9, 0.9], [0.1] * 6, [0.1, math.nan, 0.5, 0.8, 0.9, 0.9]])
    assert morphology.transition_zone(shares.T)[:2].tolist() == [1.0, 7.0]
    assert math.isnan(morphology.transition_zone(shares.T)[2])


def test_the_first_transition_counts():
    # R overtakes S between V1 and V2, falls behind in V3, and overtakes it again in V5.
    assert morphology.transition_zone(np.array([[0.3, 0.7, 0.4, 0.4, 0.6, 0.9]]).T).tolist() == [1.5]


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


@given(st.lists(st.floats(300, 2000), min_size=1, max_size=30))
def test_early_intervals_against_a_naive_median(values):
    rr = np.array(values)
    padded = np.pad(rr, 4, mode="reflect" if rr.size > 4 else "edge")
    naive = [rr[k] < 0.8 * np.median(padded[k : k + 9]) for k in range(rr.size)]
    assert rhythm.premature(rr).tolist() == naive


@given(st.lists(st.sampled_from([-0.5, -0.1, -0.03, -0.01, 0.0, 0.01, 0.03, 0.2, 1.0]), min_size=2, max_size=60))
def test_qrs_waves_against_naive_runs(values):
    """Q before R, S after R, R′ after S; the largest of several of one name; a wave lasts 3 samples at 500 Hz."""
    runs = [(side, list(run)) for side, run in groupby(values, key=lambda v: (v > 0.02) - (v < -0.02))]
    waves, seen_r = {"q": [0.0], "r": [0.0], "s": [0.0], "r_prime": [0.0]}, False
    for side, run in runs:
        if side == 0 or len(run) < 3:
            continue
        if side > 0:
            waves["r_prime" if seen_r and min(waves["s"]) < 0 else "r"].append(max(run))
            seen_r = True
        else:
            waves["s" if seen_r else "q"].append(min(run))
    found = amplitudes.qrs_waves(np.array(values), fs=500)
    for name, sizes in waves.items():
        assert found[f"{name}_amplitude_mv"] == max(sizes, key=abs), name


def test_angles_and_lengths_of_heart_vectors():
    beats = Heartbeats(np.full((len(Fact), 1), np.nan), np.full((len(Quantity), 12, 1), np.nan))
    for name, vector in {
        "qrs_mean": (1, 0, 0),
        "t_mean": (1, 1, 0),
        "qrs_peak": (0, 3, 4),
        "t_peak": (0, 0, 1),
    }.items():
        for axis, value in zip("xyz", vector, strict=True):
            beats.fact(f"{name}_{axis}")[:] = value
    by_name = {m.name: m.function for m in CATALOGUE}
    for name, value in {
        "qrs_t_angle_spatial_deg": 45, "qrs_vector_magnitude_mv": 5, "t_qrs_vector_ratio": 0.2,
        "qrs_t_peak_angle_spatial_deg": math.degrees(math.acos(0.8)), "t_elevation_deg": 45, "t_azimuth_deg": 0,
    }.items():  # fmt: skip
        assert by_name[name](beats)[0] == pytest.approx(value), name
    assert np.isnan(by_name["ventricular_gradient_mvms"](beats)[0])


def test_marks_of_the_median_beat_make_the_intervals(make_heart):
    heart = make_heart()
    beat = observe(heart, heart.leads)
    row, _ = measure(heart)
    ms = 1000 / beat.fs
    assert row["qrs_duration_ms"] == pytest.approx((beat.global_marks[5] - beat.global_marks[3]) * ms)
    assert row["pr_interval_ms"] == pytest.approx((beat.global_marks[3] - beat.global_marks[0]) * ms)
    assert row["qt_lead_sd_ms"] == pytest.approx(np.std(beat.marks[8] - beat.marks[3]) * ms)
    at = LEADS.index("V5")
    on, off = (round(beat.marks[k, at]) for k in (3, 5))
    assert row["qrs_area_v5_mvms"] == pytest.approx(beat.beat[at, on : off + 1].sum() * ms)
