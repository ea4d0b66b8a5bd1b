"""Recordings that are hardly recordings: measured as far as they go, refused with a reason, never a crash."""

from dataclasses import replace

import numpy as np
import pytest

from twelvelead.measure import CATALOGUE, measure, observe
from twelvelead.signal import Recording, resample
from twelvelead.terms import LEADS, Reason, Unmeasurable


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
