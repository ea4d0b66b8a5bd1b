"""Laws that hold for every measurement of the CATALOGUE, on a synthetic heart."""

from dataclasses import replace

import numpy as np
import pytest

from twelvelead.measure import CATALOGUE, measure
from twelvelead.signal import Recording, resample
from twelvelead.terms import LEADS, UCUM

# What may change between two recordings of one heart: 2 ms is one sample; noise here is 4 µV.
TOLERANCE = {"ms": 4.0, "mV": 0.012, "mV*ms": 1.0, "mV/s": 0.25, "deg": 3.0, "1": 0.06, "1/min": 0.1}
# A P wave's or T wave's end in one lead is a flat curve: its noise is several samples.
WIDE = {"p_lead_duration": 14.0, "t_lead_duration": 14.0, "qt_dispersion_ms": 6.0, "q_duration": 6.0,
        "s_duration": 6.0, "r_duration": 6.0, "r_prime_duration": 6.0, "r_peak_time": 6.0, "p_duration_ms": 8.0,
        "pr_segment_ms": 8.0, "t_duration_ms": 8.0, "tpeak_tend_ms": 8.0, "st_axis_deg": 180.0,
        "qrs_lead_duration": 8.0, "f_wave_power_share": 0.35, "q_inferior_duration_ms": 6.0, "p_axis_deg": 6.0,
        "s_lateral_duration_ms": 6.0, "t_biphasic": 0.15,
        "st_j_amplitude": 0.03, "st_slope": 0.6}  # J lies on the slope of S: 2 ms are 20 µV  # fmt: skip
# Definitions with a limit in mV (a wave is what exceeds 20 µV, a notch 25 µV, …) can't be independent of the gain.
LIMIT_IN_MV = ("q_duration", "r_duration", "s_duration", "r_prime_duration", "r_peak_time", "_count", "_notch",
               "inferior_duration", "lateral_duration", "r_share", "transition")  # fmt: skip
AMPLITUDE_UNITS = {"mV", "mV*ms", "mV/s"}
# High-frequency noise is what a filter takes away.
NOISE = ("noise_", "beat_scatter")

BY_NAME = pytest.mark.parametrize("measurement", CATALOGUE, ids=lambda m: m.name)


def tolerance(measurement):
    wide = [v for k, v in WIDE.items() if measurement.name.startswith(k)]
    return max([TOLERANCE[measurement.unit], *wide])


def agree(measurement, left, right, *, factor=1.0, slack=1.0):
    a, b = left[measurement.name], right[measurement.name]
    if a is None or b is None:
        return a is None and b is None
    gap = abs(a * factor - b)
    if measurement.unit == "deg":
        gap = min(gap, 360 - gap)
    return gap <= slack * tolerance(measurement) * max(1.0, factor)


@pytest.fixture(scope="module")
def rows(make_heart, pick_leads):
    heart = make_heart(duration_s=10.4)
    whole = replace(heart, signal=heart.signal[:, 100:5100])
    made = {
        "whole": whole,
        "shifted": replace(heart, signal=heart.signal[:, :5000]),
        "gain": replace(whole, signal=whole.signal * 1.5),
        "offset": replace(whole, signal=whole.signal + np.linspace(-2, 2, 12)[:, None]),
        "reversed": pick_leads(whole, LEADS[::-1]),
        "resampled": resample(resample(whole, fs=250), fs=1000),
        "without": pick_leads(whole, [lead for lead in LEADS if lead != "V3"]),
        "dead": replace(whole, signal=np.where(np.array(LEADS)[:, None] == "V3", np.nan, whole.signal)),
        "upside": replace(whole, signal=whole.signal * np.where(np.array(LEADS) == "V5", -1, 1)[:, None]),
    }
    return {name: measure(recording)[0] for name, recording in made.items()}


def test_every_measurement_is_declared_whole():
    names = [m.name for m in CATALOGUE]
    assert len(set(names)) == len(names)
    for m in CATALOGUE:
        assert m.unit in UCUM, m.name
        assert m.unit in TOLERANCE, f"{m.name}: no law covers the unit {m.unit}"
        assert m.source.startswith("doi:10."), m.name
        assert m.definition.endswith("."), m.name
        assert (m.level == "lead") == (m.lead is not None), m.name
        assert (m.reference is None) == (m.reference_source == ""), m.name
        suffix = {"ms": "_ms", "mV": "_mv", "mV*ms": "_mvms", "mV/s": "_mvs", "deg": "_deg", "1/min": "_bpm"}
        ends = (suffix[m.unit],) if m.unit in suffix else ("_ratio", "_count", "_share", "_probability")
        assert m.name.endswith(ends), m.name


@BY_NAME
def test_a_shift_in_time_changes_nothing(measurement, rows):
    assert agree(measurement, rows["whole"], rows["shifted"])


def free_of_limits(measurement):
    return measurement.unit in AMPLITUDE_UNITS or not any(part in measurement.name for part in LIMIT_IN_MV)


@pytest.mark.parametrize("measurement", [m for m in CATALOGUE if free_of_limits(m)], ids=lambda m: m.name)
def test_gain_scales_amplitudes_and_nothing_else(measurement, rows):
    factor = 1.5 if measurement.unit in AMPLITUDE_UNITS else 1.0
    assert agree(measurement, rows["whole"], rows["gain"], factor=factor)


@BY_NAME
def test_a_constant_offset_changes_nothing(measurement, rows):
    assert agree(measurement, rows["whole"], rows["offset"])


@BY_NAME
def test_order_of_leads_changes_nothing(measurement, rows):
    assert agree(measurement, rows["whole"], rows["reversed"], slack=0.5)


@pytest.mark.parametrize("measurement", [m for m in CATALOGUE if not m.name.startswith(NOISE)], ids=lambda m: m.name)
def test_resampling_changes_nothing(measurement, rows):
    assert agree(measurement, rows["whole"], rows["resampled"], slack=2.0)


NEEDS_V3 = {
    "qrs_t_angle_spatial_deg", "qrs_t_peak_angle_spatial_deg", "qrs_vector_magnitude_mv", "t_vector_magnitude_mv",
    "t_qrs_vector_ratio", "ventricular_gradient_mvms", "qrs_azimuth_deg", "qrs_elevation_deg", "t_azimuth_deg",
    "t_elevation_deg", "cornell_voltage_mv", "cornell_product_mvms", "peguero_lo_presti_mv", "qrs_chest_voltage_mv",
    "qrs_total_voltage_mv", "qrs_low_voltage_count", "r_transition_ratio", "r_anterior_minimum_mv",
    "q_pathological_count", "st_elevation_count", "st_depression_count", "st_highest_amplitude_mv",
    "st_lowest_amplitude_mv", "st_anterior_amplitude_mv", "t_inverted_count", "t_flat_count", "t_lowest_ratio",
    "t_anterior_ratio", "qrs_t_concordance_ratio",
}  # fmt: skip
COUNTS_LEADS = {"lead_usable_count", "qrs_complexity_ratio", "t_complexity_ratio", "qrs_fragmented_count"}


@pytest.mark.parametrize("how", ["without", "dead"])
@BY_NAME
def test_a_missing_lead_takes_only_its_own_measurements(measurement, how, rows):
    if measurement.name in NEEDS_V3 or measurement.lead == "V3":
        assert rows[how][measurement.name] is None
    elif measurement.name in COUNTS_LEADS:
        assert rows[how][measurement.name] is not None
    else:
        assert agree(measurement, rows["whole"], rows[how], slack=1.5)


def test_an_inverted_lead_inverts_its_amplitudes(rows):
    for name in ("qrs_area_v5_mvms", "t_area_v5_mvms", "t_amplitude_v5_mv", "p_area_v5_mvms"):
        assert rows["upside"][name] == pytest.approx(-rows["whole"][name], abs=0.8), name
    assert rows["upside"]["r_amplitude_v6_mv"] == pytest.approx(rows["whole"]["r_amplitude_v6_mv"], abs=0.012)


@pytest.mark.parametrize("wave", ["st_j60_amplitude_{}_mv", "t_amplitude_{}_mv", "qrs_area_{}_mvms"])
def test_einthoven_holds_for_what_is_measured(wave, rows):
    i, ii, iii = (rows["whole"][wave.format(lead)] for lead in ("i", "ii", "iii"))
    assert i + iii == pytest.approx(ii, abs=0.6 if "area" in wave else 0.02)


def test_same_bytes_whatever_was_measured_before(make_heart):
    first = measure(make_heart())
    measure(make_heart(seed=5, gain=2.0))
    again = measure(make_heart())
    assert first[0] == again[0]
    assert first[1].equals(again[1])


def test_a_recording_is_not_changed_by_measuring(make_heart):
    heart = make_heart()
    before = heart.signal.copy()
    measure(heart)
    assert isinstance(heart, Recording)
    np.testing.assert_array_equal(heart.signal, before)
