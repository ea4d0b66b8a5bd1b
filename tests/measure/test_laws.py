"""Laws that hold for every measurement of the CATALOGUE, on a synthetic heart."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from twelvelead.measure import CATALOGUE, measure, measure_many
from twelvelead.signal import Recording, resample
from twelvelead.terms import LEADS, UCUM

# What may change between two recordings of one heart: 2 ms is one sample; noise here is 4 µV.
TOLERANCE = {"ms": 4.0, "mV": 0.012, "mV*ms": 1.0, "mV/s": 0.25, "deg": 3.0, "1": 0.06, "1/min": 0.1}
# A P wave's or T wave's end in one lead is a flat curve: its noise is several samples.
WIDE = {"p_lead_duration": 14.0, "t_lead_duration": 14.0, "qt_lead_sd_ms": 6.0, "q_duration": 6.0,
        "s_duration": 6.0, "r_duration": 6.0, "r_prime_duration": 6.0, "r_peak_time": 6.0, "p_duration_ms": 8.0,
        "pr_segment_ms": 8.0, "t_duration_ms": 8.0, "tpeak_tend_ms": 8.0,
        "qrs_lead_duration": 8.0, "q_inferior_duration_ms": 6.0, "p_axis_deg": 6.0,
        "s_lateral_duration_ms": 6.0, "t_biphasic": 0.15,
        "st_j_amplitude": 0.03, "st_slope": 0.6}  # J lies on the slope of S: 2 ms are 20 µV  # fmt: skip
AMPLITUDE_UNITS = {"mV", "mV*ms", "mV/s"}
# What a healthy heart has none of is measured on an ill one: an axis of nothing can be anything.
ILL = ("st_axis", "f_wave_")
# High-frequency noise is what a filter takes away.
NOISE = ("noise_", "beat_scatter")

BY_NAME = pytest.mark.parametrize("measurement", CATALOGUE, ids=lambda m: m.name)


def tolerance(measurement):
    wide = [v for k, v in WIDE.items() if measurement.name.startswith(k)]
    return max([TOLERANCE[measurement.unit], *wide])


def agree(measurement, rows, change, *, factor=1.0, slack=1.0):
    heart = rows["ill" if measurement.name.startswith(ILL) else "healthy"]
    a, b = heart["whole"][measurement.name], heart[change][measurement.name]
    if a is None or b is None:
        return a is None and b is None
    gap = abs(a * factor - b)
    if measurement.unit == "deg":
        gap = min(gap, 360 - gap)
    return gap <= slack * tolerance(measurement) * max(1.0, factor)


@pytest.fixture(scope="module")
def rows(make_heart, pick_leads):
    """{heart: {change: row of features}}."""
    hearts = {
        "healthy": make_heart(duration_s=10.4),
        "ill": make_heart(duration_s=10.4, st=ST_VECTOR, f_mv=0.08, p=False),
    }
    return {
        name: {change: measure(recording)[0] for change, recording in vary(heart, pick_leads).items()}
        for name, heart in hearts.items()
    }


ST_VECTOR = (0.10, 0.17, 0.0)


def vary(heart, pick_leads):
    whole = replace(heart, signal=heart.signal[:, 100:5100])
    return {
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
    assert agree(measurement, rows, "shifted")


# A wave lasts while it exceeds 20 µV; half as large again, it lasts longer: here by less than 2 samples.
@BY_NAME
def test_gain_scales_amplitudes_and_nothing_else(measurement, rows):
    factor = 1.5 if measurement.unit in AMPLITUDE_UNITS else 1.0
    assert agree(measurement, rows, "gain", factor=factor)


@BY_NAME
def test_a_constant_offset_changes_nothing(measurement, rows):
    assert agree(measurement, rows, "offset")


@BY_NAME
def test_order_of_leads_changes_nothing(measurement, rows):
    assert agree(measurement, rows, "reversed", slack=0.5)


@pytest.mark.parametrize("measurement", [m for m in CATALOGUE if not m.name.startswith(NOISE)], ids=lambda m: m.name)
def test_resampling_changes_nothing(measurement, rows):
    assert agree(measurement, rows, "resampled", slack=2.0)


NEEDS_V3 = {
    "qrs_t_angle_spatial_deg", "qrs_t_peak_angle_spatial_deg", "qrs_vector_magnitude_mv", "t_vector_magnitude_mv",
    "t_qrs_vector_ratio", "ventricular_gradient_mvms", "qrs_azimuth_deg", "qrs_elevation_deg", "t_azimuth_deg",
    "t_elevation_deg", "cornell_voltage_mv", "cornell_product_mvms", "peguero_lo_presti_mv", "qrs_chest_voltage_mv",
    "qrs_total_voltage_mv", "qrs_low_voltage_count", "r_transition_ratio", "r_anterior_minimum_mv",
    "q_pathological_count", "st_elevation_count", "st_depression_count", "st_highest_amplitude_mv",
    "st_lowest_amplitude_mv", "st_anterior_amplitude_mv", "t_inverted_count", "t_flat_count", "t_lowest_ratio",
    "t_anterior_ratio", "qrs_t_concordance_ratio", "qs_count",
    "lead_chest_order_ratio",
}  # fmt: skip
COUNTS_LEADS = {
    "lead_usable_count", "qrs_complexity_ratio", "t_complexity_ratio", "qrs_fragmented_count", "t_biphasic_count",
}  # fmt: skip


@pytest.mark.parametrize("how", ["without", "dead"])
@BY_NAME
def test_a_missing_lead_takes_only_its_own_measurements(measurement, how, rows):
    if measurement.name in NEEDS_V3 or measurement.lead == "V3":
        assert rows["healthy"][how][measurement.name] is None
    elif measurement.name in COUNTS_LEADS:
        assert rows["healthy"][how][measurement.name] is not None
    else:
        assert agree(measurement, rows, how, slack=1.5)


def test_an_inverted_lead_inverts_its_amplitudes(rows):
    for name in ("qrs_area_v5_mvms", "t_area_v5_mvms", "t_amplitude_v5_mv", "p_area_v5_mvms"):
        assert rows["healthy"]["upside"][name] == pytest.approx(-rows["healthy"]["whole"][name], abs=0.8), name
    assert rows["healthy"]["upside"]["r_amplitude_v6_mv"] == pytest.approx(
        rows["healthy"]["whole"]["r_amplitude_v6_mv"], abs=0.012
    )


@pytest.mark.parametrize("wave", ["st_j60_amplitude_{}_mv", "t_amplitude_{}_mv", "qrs_area_{}_mvms"])
def test_einthoven_holds_for_what_is_measured(wave, rows):
    i, ii, iii = (rows["healthy"]["whole"][wave.format(lead)] for lead in ("i", "ii", "iii"))
    assert i + iii == pytest.approx(ii, abs=0.6 if "area" in wave else 0.02)


@pytest.fixture(scope="module")
def ward(make_heart, pick_leads):
    """Five recordings that have little in common, measured together and in groups of one and two."""
    times = 0.62 + 0.8 * np.arange(12)
    hearts = [
        make_heart(name="plain"),
        make_heart(name="large", gain=2.0, seed=5),
        make_heart(name="ill", st=ST_VECTOR, f_mv=0.08, p=False),
        pick_leads(make_heart(name="few"), ("II", "V1", "V5")),
        make_heart(name="slow", times=times[::2]),
    ]
    together = measure_many(hearts)
    groups = [[hearts[0]], hearts[1:3], hearts[3:4], hearts[4:]]
    return together.features, pl.concat([measure_many(group).features for group in groups])


@BY_NAME
def test_batch_mates_change_nothing(measurement, ward):
    together, apart = (table[measurement.name] for table in ward)
    assert together.equals(apart, null_equal=True)


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


def test_no_tolerance_lets_everything_pass(rows):
    """A law that a measurement can't break is none: angles reach 180 degrees and ratios 1."""
    largest = {"deg": 10.0, "1": 0.2}
    for m in CATALOGUE:
        assert tolerance(m) <= largest.get(m.unit, 15.0), m.name


def test_the_ill_heart_has_the_st_axis_and_the_f_waves_that_it_was_given(rows):
    row = rows["ill"]["whole"]
    # Leads I and aVF of a vector (x, y) are x and 0.87 y; the foot of T and the 0.4 Hz filter turn it by 2–3°.
    assert row["st_axis_deg"] == pytest.approx(np.degrees(np.arctan2(0.17, 0.10)), abs=4)
    # Lead V1 shows 0.70 of the f waves, root mean square 0.08/√2 mV; they are all at 6 Hz, the rest is noise.
    assert row["f_wave_amplitude_mv"] == pytest.approx(0.70 * 0.08 / np.sqrt(2), abs=0.005)
    assert row["f_wave_power_share"] > 0.85
    assert rows["healthy"]["whole"]["f_wave_power_share"] < 0.6


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("gain", [0.2, 0.5, 1.0, 3.0])
def test_counts_with_a_limit_in_mv_count_what_crosses_it(gain, side, make_heart):
    """Recount from the leads' own values, on gains that move them across the limits."""
    row, _ = measure(make_heart(gain=gain, st=tuple(side * x for x in ST_VECTOR)))
    size = {
        lead: max(row[f"r_amplitude_{lead}_mv"], row[f"r_prime_amplitude_{lead}_mv"])
        - min(row[f"q_amplitude_{lead}_mv"], row[f"s_amplitude_{lead}_mv"])
        for lead in map(str.lower, LEADS)
    }
    low = (max(list(size.values())[:6]) < 0.5) + (max(list(size.values())[6:]) < 1.0)
    assert row["qrs_low_voltage_count"] == low
    j = {lead: row[f"st_j_amplitude_{lead.lower()}_mv"] for lead in LEADS}
    cabrera = [j["aVL"], j["I"], -j["aVR"], j["II"], j["aVF"], j["III"]]
    chest = [j[f"V{k}"] for k in range(1, 7)]
    pairs = [pair for run in (cabrera, chest) for pair in pairwise(run)]
    assert row["st_elevation_count"] == sum(min(pair) >= 0.1 for pair in pairs)
    assert row["st_depression_count"] == sum(max(pair) <= -0.05 for pair in pairs)
    t = [row[f"t_amplitude_{lead}_mv"] for lead in ("i", "ii", "v3", "v4", "v5", "v6")]
    assert row["t_inverted_count"] == sum(value < -0.1 for value in t)
    long = {"v2": 20, "v3": 20}
    q = sum(
        row[f"q_amplitude_{lead}_mv"] <= -0.1 and row[f"q_duration_{lead}_ms"] >= long.get(lead, 30)
        for lead in ("i", "ii", "avl", "avf", "v2", "v3", "v4", "v5", "v6")
    )
    assert row["q_pathological_count"] == q


def test_the_limits_in_mv_are_crossed(make_heart):
    """The recount above would prove nothing if the counts were the same at every gain."""
    for name, st in (
        ("qrs_low_voltage_count", ST_VECTOR),
        ("st_elevation_count", ST_VECTOR),
        ("st_depression_count", tuple(-x for x in ST_VECTOR)),
    ):
        small, large = (measure(make_heart(gain=gain, st=st))[0][name] for gain in (0.2, 3.0))
        assert small != large, name
