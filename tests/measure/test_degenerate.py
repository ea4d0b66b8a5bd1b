"""Recordings that are hardly recordings: measured as far as they go, refused with a reason, never a crash."""

from dataclasses import replace

import numpy as np
import pytest

from twelvelead.measure import CATALOGUE, features_contract, measure, measure_many, observe
from twelvelead.signal import Recording, resample
from twelvelead.terms import FAILURES, FIDUCIAL_TIMES, FIDUCIALS, LEADS, InputError, Reason, Unmeasurable

FIFTEEN = (*LEADS, "V7", "V8", "V9")
T = np.arange(5000) / 500
NOISE = np.random.default_rng(0).normal(0, 1, (12, 5000))


def assert_whole(recording):
    """Measured or refused with a reason; the tables keep their contracts, and what is in them can be. Returns the row.

    Shares and probabilities lie from 0 to 1, angles within 180 degrees, marks inside the recording.
    """
    rows = measure_many([recording])
    features_contract().check(rows.features)
    FIDUCIALS.check(rows.fiducials)
    FAILURES.check(rows.failures)
    assert rows.features.height + rows.failures.height == 1
    if rows.features.is_empty():
        assert rows.failures["reason"].item() in set(Reason)
        return {}
    row = rows.features.row(0, named=True)
    for m in CATALOGUE:
        value = row[m.name]
        assert value is None or np.isfinite(value), m.name
        if value is not None and m.name.endswith(("_share", "_probability")):
            assert -1e-9 <= value <= 1 + 1e-6, m.name
        if value is not None and m.unit == "deg":
            assert abs(value) <= 180.001, m.name
    marks = rows.fiducials.select(FIDUCIAL_TIMES).to_numpy()
    known = marks[np.isfinite(marks)]
    assert known.size > 0
    assert known.min() >= 0
    assert known.max() <= recording.duration
    assert rows.fiducials.height == row["beat_count"] * (len(recording.leads) + 1)
    return row


def at_beats(recording, before_s, height_mv):
    """Add a pacemaker spike before each R wave."""
    times = 0.62 + 0.8 * np.arange(int((recording.duration - 1.07) / 0.8) + 1)
    signal = recording.signal.copy()
    signal[:, np.round((times - before_s) * recording.fs).astype(int)] += height_mv
    return replace(recording, signal=signal)


SPOILT = {
    "flat": lambda x: 0 * x,
    "one value": lambda x: 0 * x + 7,
    "NaN": lambda x: np.nan * x,
    "NaN here and there": lambda x: np.where(np.abs(NOISE) > 2, np.nan, x),
    "half of it NaN": lambda x: np.where(NOISE > 0, np.nan, x),
    "NaN for 3 s at the start": lambda x: np.where(T < 3, np.nan, x),
    "NaN for 3 s at the end": lambda x: np.where(T > 7, np.nan, x),
    "saturated a little": lambda x: np.clip(5 * x, -0.5, 0.5),
    "saturated": lambda x: np.clip(50 * x, -0.5, 0.5),
    "at a rail from the middle on": lambda x: np.where(T > 5, 5.0, x),
    "a jump": lambda x: x + 10 * (T > 5),
    "a ramp": lambda x: x + np.linspace(0, 20, 5000),
    "backwards": lambda x: x[:, ::-1],
    "upside down": lambda x: -x,
    "all leads alike": lambda x: np.tile(x[1], (12, 1)),
    "noise of 1 mV": lambda x: x + NOISE,
    "mains of 1 mV": lambda x: x + np.sin(2 * np.pi * 50 * T),
    "a slow sine": lambda x: 0 * x + np.sin(2 * np.pi * 1.2 * T),
    "a sine of 5 Hz": lambda x: 0 * x + np.sin(2 * np.pi * 5 * T),
    "a square wave": lambda x: 0 * x + np.sign(np.sin(2 * np.pi * 1.2 * T)),
    "single samples": lambda x: 0 * x + 1.0 * (np.arange(5000) % 400 == 200),
    "random steps": lambda x: np.repeat(NOISE[:, :125], 40, axis=1),
    "a random walk": lambda x: 0.05 * np.cumsum(NOISE, axis=1),
    "a thousandth of a mV": lambda x: 1e-3 * x,
    "thousands of mV": lambda x: 1e3 * x,
    "an enormous offset": lambda x: x + 1e9,
}


@pytest.mark.parametrize("how", SPOILT)
def test_spoilt_recordings_are_measured_or_refused(how, make_heart):
    heart = make_heart()
    assert_whole(replace(heart, signal=SPOILT[how](heart.signal)))


RATES = [100, 120, 128, 200, 240, 250, 257, 300, 360, 400, 500, 512, 977, 1000]


@pytest.mark.parametrize("fs", RATES)
def test_any_sampling_rate(fs, make_heart):
    row = assert_whole(make_heart(fs=float(fs)))
    assert row["heart_rate_bpm"] == pytest.approx(75, abs=0.1)
    assert row["beat_count"] == 12
    whole = measure(make_heart())[0]
    for name, allowed in (("pr_interval_ms", 4), ("qrs_duration_ms", 4), ("qt_interval_ms", 5)):
        assert row[name] == pytest.approx(whole[name], abs=allowed), name


@pytest.mark.parametrize("fs", [100, 250, 500, 1000])
@pytest.mark.parametrize("duration_s", [2.5, 3.0, 5.0, 20.0, 59.9])
def test_any_length_from_the_shortest_on(duration_s, fs, make_heart):
    row = assert_whole(make_heart(fs=float(fs), duration_s=duration_s, times=np.arange(0.3, duration_s - 0.2, 0.8)))
    assert row["heart_rate_bpm"] == pytest.approx(75, abs=0.5)
    assert row["qrs_duration_ms"] == pytest.approx(97, abs=8)


@pytest.mark.parametrize("n_leads", range(1, 16))
def test_any_number_of_leads_of_any_names(n_leads, make_heart):
    signal = make_heart().signal
    signal = np.vstack([signal, signal[:3]])[:n_leads]
    row = assert_whole(Recording(signal, FIFTEEN[:n_leads], 500))
    strange = assert_whole(Recording(signal, tuple(f"channel {k}" for k in range(n_leads)), 500))
    for name in ("heart_rate_bpm", "qrs_duration_ms", "qt_interval_ms"):
        assert strange[name] == pytest.approx(row[name], abs=4), name
    assert all(strange[m.name] is None for m in CATALOGUE if m.lead)


@pytest.mark.parametrize("lead", LEADS)
def test_any_lead_alone(lead, make_heart, pick_leads):
    row = assert_whole(pick_leads(make_heart(), [lead]))
    assert row["heart_rate_bpm"] == pytest.approx(75, abs=0.1)
    assert row["qrs_duration_ms"] == pytest.approx(97, abs=12)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_any_type_of_number(dtype, make_heart):
    heart = make_heart()
    row = assert_whole(Recording(np.round(10 * heart.signal).astype(dtype), LEADS, 500))  # steps of 1 mV: large, coarse
    assert row["heart_rate_bpm"] == pytest.approx(75, abs=0.3)


# Single precision holds 10 000 mV to 1 µV and 100 000 mV to 8 µV.
@pytest.mark.parametrize(("offset_mv", "allowed"), [(-300.0, 1), (1e4, 3), (-1e5, 6)])
def test_a_huge_offset(offset_mv, allowed, make_heart):
    heart = make_heart()
    row = assert_whole(replace(heart, signal=heart.signal + offset_mv))
    whole = measure(heart)[0]
    for name in ("pr_interval_ms", "qrs_duration_ms", "qt_interval_ms"):
        assert row[name] == pytest.approx(whole[name], abs=allowed), name


def test_infinity_is_refused_at_the_door(make_heart):
    heart = make_heart()
    with pytest.raises(InputError, match="finite"):
        replace(heart, signal=np.where(T > 5, np.inf, heart.signal))


@pytest.mark.parametrize("fs", [250, 360, 500, 1000])
@pytest.mark.parametrize("before_s", [0.05, 0.20])
def test_pacing_at_any_rate(before_s, fs, make_heart):
    heart = make_heart(fs=float(fs), p=False)
    row = assert_whole(at_beats(heart, before_s, 2.0))
    assert row["pacing_spike_count"] == row["beat_count"] == 12
    assert row["qrs_duration_ms"] == pytest.approx(measure(heart)[0]["qrs_duration_ms"], abs=6)


# What there is of a complex at the very edge may count as a beat or not; the others are all there.
@pytest.mark.parametrize("edge_s", [0.0, 0.05, 0.2, 9.7, 9.9, 9.99])
def test_a_complex_cut_off_by_the_edge(edge_s, make_heart):
    times = np.arange(1.0, 9.0, 0.8)
    row = assert_whole(make_heart(times=np.sort(np.append(times, edge_s))))
    assert row["beat_count"] in {len(times), len(times) + 1}
    assert row["qrs_duration_ms"] == pytest.approx(99, abs=4)


@pytest.mark.parametrize("at_s", [0.0, 0.1, 0.3, 1.3, 2.2, 2.45])
def test_one_beat_anywhere(at_s, make_heart):
    row = assert_whole(make_heart(times=[at_s], duration_s=2.5))
    assert not row or row["beat_count"] == 1


@pytest.mark.parametrize("n_beats", [1, 2, 3])
def test_few_beats_in_ten_seconds(n_beats, make_heart):
    row = assert_whole(make_heart(times=0.8 + np.arange(n_beats)))
    assert not row or row["beat_count"] == n_beats


@pytest.mark.parametrize("rr_s", [0.22, 0.25, 0.3, 2.0, 3.0, 4.0])
def test_extreme_rates(rr_s, make_heart):
    row = assert_whole(make_heart(times=np.arange(0.5, 9.6, rr_s)))
    if rr_s >= 0.25:  # 240 per minute
        assert row["heart_rate_bpm"] == pytest.approx(60 / rr_s, rel=0.01)


def test_any_two_leads_exchanged(make_heart):
    heart = make_heart()
    whole = measure(heart)[0]
    for a, b in ((0, 1), (0, 6), (6, 11), (1, 3)):
        order = list(range(12))
        order[a], order[b] = b, a
        row = assert_whole(Recording(heart.signal[order], LEADS, 500))
        for name in ("heart_rate_bpm", "qrs_duration_ms", "qt_interval_ms"):
            assert row[name] == pytest.approx(whole[name], abs=4), name


@pytest.mark.parametrize("fill", [0.0, np.nan, 1.0])
def test_nothing_is_refused(fill):
    with pytest.raises(Unmeasurable):
        measure(Recording(np.full((12, 5000), fill), LEADS, 500, id="none"))


@pytest.mark.parametrize("n_leads", [1, 2, 12])
@pytest.mark.parametrize("seed", range(5))
def test_white_noise_is_refused(n_leads, seed):
    noise = np.random.default_rng(seed).normal(0, 0.2, (n_leads, 5000))
    with pytest.raises(Unmeasurable):
        measure(Recording(noise, LEADS[:n_leads], 500))


def test_no_beats_and_no_lead_say_so(make_heart):
    heart = make_heart()
    with pytest.raises(Unmeasurable, match="at least one lead must be usable; got none") as none:
        observe(heart, ())
    assert none.value.reason == Reason.MISSING_LEAD
    rng = np.random.default_rng(0)
    with pytest.raises(Unmeasurable, match="beats must stand out") as flat:
        observe(replace(heart, signal=rng.normal(0, 0.01, (12, 5000))), LEADS)
    assert flat.value.reason == Reason.NO_BEATS
    with pytest.raises(Unmeasurable):
        observe(replace(heart, signal=heart.signal[:, :400]), LEADS)


def test_a_single_beat_has_no_rr(make_heart):
    row, fiducials = measure(make_heart(times=[1.3], duration_s=2.6))
    assert row["beat_count"] == 1
    assert row["rr_mean_ms"] is None
    assert row["qtc_bazett_ms"] is None
    assert row["qrs_duration_ms"] == pytest.approx(95, abs=20)
    assert fiducials.height == 13


def test_two_beats(make_heart):
    row, _ = measure(make_heart(times=[0.8, 1.8], duration_s=2.6))
    assert row["heart_rate_bpm"] == pytest.approx(60, abs=0.3)
    assert row["rr_sd_ms"] is None


@pytest.mark.parametrize("leads", [("II",), ("V1",), ("I", "II"), ("V5", "II", "aVF")])
def test_few_leads(leads, make_heart, pick_leads):
    row, fiducials = measure(pick_leads(make_heart(), leads))
    assert row["heart_rate_bpm"] == pytest.approx(75, abs=0.1)
    assert fiducials["lead"].unique(maintain_order=True).to_list() == [*leads, "global"]
    measured = {m.lead for m in CATALOGUE if m.lead and row[m.name] is not None}
    assert measured == set(leads)


def test_unknown_leads_and_fifteen_of_them(make_heart):
    heart = make_heart()
    more = Recording(np.vstack([heart.signal, heart.signal[:3]]), (*LEADS, "V7", "V8", "V9"), 500)
    row, fiducials = measure(more)
    assert row["pr_interval_ms"] == pytest.approx(measure(heart)[0]["pr_interval_ms"], abs=8)
    assert fiducials["lead"].n_unique() == 16


def test_100_hz(make_heart):
    row, _ = measure(resample(make_heart(), fs=100))
    fine = measure(make_heart())[0]
    for name, allowed in (
        ("heart_rate_bpm", 0.3),
        ("pr_interval_ms", 10),
        ("qrs_duration_ms", 12),
        ("qt_interval_ms", 12),
    ):
        assert row[name] == pytest.approx(fine[name], abs=allowed), name


def test_a_dead_lead_and_a_gap(make_heart):
    heart = make_heart()
    signal = heart.signal.copy()
    signal[LEADS.index("V2")] = 0
    signal[LEADS.index("V6"), 1000:1100] = np.nan
    row, fiducials = measure(replace(heart, signal=signal))
    assert row["r_amplitude_v2_mv"] is None
    assert row["r_amplitude_v6_mv"] == pytest.approx(measure(heart)[0]["r_amplitude_v6_mv"], abs=0.05)
    dead = fiducials.filter(lead="V2")
    assert dead.height == row["beat_count"]
    assert dead["qrs_onset_s"].null_count() == dead.height


def test_swapped_arms_turn_the_axis(make_heart, pick_leads):
    heart = make_heart()
    swapped = {"I": -heart["I"], "II": heart["III"], "III": heart["II"], "aVR": heart["aVL"], "aVL": heart["aVR"]}
    turned = replace(heart, signal=np.stack([swapped.get(lead, heart[lead]) for lead in LEADS]))
    straight = measure(heart)[0]
    assert measure(turned)[0]["qrs_axis_deg"] == pytest.approx(180 - straight["qrs_axis_deg"], abs=4)
    assert measure(turned)[0]["p_axis_deg"] > 90
    # aVF follows from I and II
    assert measure(pick_leads(heart, ("I", "II")))[0]["qrs_axis_deg"] == pytest.approx(straight["qrs_axis_deg"], abs=4)


def test_a_saturated_recording_is_measured_or_refused(make_heart):
    heart = make_heart(gain=3)
    clipped = replace(heart, signal=np.clip(heart.signal, -0.5, 0.5))
    row, _ = measure(clipped)
    assert row["heart_rate_bpm"] == pytest.approx(75, abs=0.2)
