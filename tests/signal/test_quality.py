from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.io import find_recordings, read
from twelvelead.signal import Recording, assess
from twelvelead.signal.survey import survey
from twelvelead.simulate import SITE_A, SITE_B, hospital, recording
from twelvelead.terms import LEADS, Reason

DATA = Path(__file__).parents[2].parent / "shared" / "data"
TRUTH = hospital(12, site=SITE_A, seed=1).truth
ECG = recording(TRUTH.row(0, named=True), site=SITE_A)


def changed(lead=None, *, signal=None, **kw):
    new = ECG.signal.copy()
    if lead is not None:
        new[LEADS.index(lead)] = signal
    return Recording(new, ECG.leads, ECG.fs, "x", **kw)


def found(quality):
    return {(f.reason, f.lead) for f in quality.findings}


def test_a_clean_recording_has_nothing_wrong():
    assert assess(ECG).findings == ()
    assert assess(ECG).usable == LEADS
    assert assess(ECG).refusal is None


FAULTS = {
    Reason.FLAT: np.full(5000, 0.3),
    Reason.MISSING_LEAD: np.full(5000, np.nan),
    Reason.SATURATED: np.where(np.arange(5000) % 1000 < 500, 5.0, -5.0),
}


@pytest.mark.parametrize("reason", FAULTS)
def test_a_lead_that_can_not_be_measured_is_not_usable(reason):
    quality = assess(changed("V2", signal=FAULTS[reason]))
    assert (reason, "V2") in found(quality)
    assert "V2" not in quality.usable
    assert len(quality.usable) == 11
    assert quality.refusal is None


def test_clipped_and_noisy_leads_are_named_but_usable():
    clipped = np.clip(ECG["II"], -1, 0.6 * ECG["II"].max())
    quality = assess(changed("II", signal=np.repeat(clipped[::4], 4)))
    assert (Reason.CLIPPED, "II") in found(quality)
    assert "II" in quality.usable
    noisy = ECG["V1"] + np.random.default_rng(0).normal(0, 0.6, 5000)
    quality = assess(changed("V1", signal=noisy))
    assert found(quality) == {(Reason.NOISE, "V1")}
    assert "V1" in quality.usable


def test_a_coarse_machine_is_not_called_clipped():
    # 250 Hz and 5 uV steps: a broad T wave stands still for several samples at its top.
    truth = hospital(60, site=SITE_B, seed=2).truth
    for row in truth.iter_rows(named=True):
        assert Reason.CLIPPED not in {f.reason for f in assess(recording(row, site=SITE_B)).findings}


def test_an_absent_lead_is_missing_only_from_a_twelve_lead_recording():
    eleven = Recording(ECG.signal[:-1], LEADS[:-1], 500, "x")
    assert found(assess(eleven)) == {(Reason.MISSING_LEAD, "V6")}
    assert assess(Recording(ECG.signal[:2], LEADS[:2], 500, "x")).findings == ()


@pytest.mark.parametrize(("factor", "guess"), [(1000, "uV"), (200, "converter steps"), (1e-3, "looks like V")])
def test_other_units_are_refused(factor, guess):
    quality = assess(Recording(ECG.signal * factor, LEADS, 500, "x"))
    assert quality.refusal.reason is Reason.WRONG_UNITS
    assert guess in quality.refusal.message


@pytest.mark.parametrize("steps", [0, 1, 8])
def test_an_empty_channel_is_flat_and_not_taken_for_volts(steps):
    # A 1 uV converter without input shows a few steps; an ECG in V as many values as an ECG in mV.
    noise = np.random.default_rng(0).integers(0, steps + 1, (12, 5000)) / 1000
    assert assess(Recording(noise, LEADS, 500, "x")).refusal.reason is Reason.FLAT


@pytest.mark.parametrize(("seconds", "usable"), [(1.5, True), (3.0, True), (6.0, False)])
def test_a_lead_that_falls_off_is_flat_from_then_on(seconds, usable):
    signal = ECG["V3"].copy()
    signal[5000 - int(500 * seconds) :] = signal[0]
    quality = assess(changed("V3", signal=signal))
    assert ((Reason.FLAT, "V3") in found(quality)) == (seconds > 2)
    assert ("V3" in quality.usable) == usable


def test_a_recording_without_leads_is_refused():
    assert assess(Recording(np.zeros((0, 5000)), (), 500, "x")).refusal.reason is Reason.MISSING_LEAD


def surveyed(values):
    return survey(np.array(values, dtype=np.float32)[:, None], fs=500)


@given(st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=300))
def test_the_spread_is_the_nearest_rank_percentile(values):
    ranked = sorted(values)
    cut = round(0.01 * (len(ranked) - 1))
    assert surveyed(values).spread[0] == pytest.approx(ranked[len(ranked) - 1 - cut] - ranked[cut])
    assert (surveyed(values).low[0], surveyed(values).high[0]) == (ranked[0], ranked[-1])
    assert surveyed(values).at_rail[0] == sum(v in {ranked[0], ranked[-1]} for v in values)


@given(st.lists(st.integers(0, 2), min_size=1, max_size=120))
def test_the_longest_standing_run_is_that_of_a_plain_count(values):
    assert surveyed(values).standing[0] == max(len(list(group)) for _, group in groupby(values))


def test_missing_samples_are_not_counted():
    x = np.random.default_rng(0).normal(size=(3000, 3)).astype(np.float32)
    x[::7, 1] = np.nan
    x[:, 2] = np.nan
    found = survey(x, fs=500)
    assert found.known.tolist() == [3000, 2571, 0]
    assert found.low[1] == np.nanmin(x[:, 1])
    assert np.isnan([found.low[2], found.high[2], found.spread[2]]).all()


def test_the_noise_of_a_lead_is_four_standard_deviations():
    rng = np.random.default_rng(0)
    found = survey(rng.normal(0, 0.05, (20_000, 4)).astype(np.float32), fs=500)
    assert found.noise.mean() == pytest.approx(4 * 0.05, rel=0.1)


def test_too_short_and_all_flat_are_refused():
    assert assess(Recording(ECG.signal[:, :1000], LEADS, 500, "x")).refusal.reason is Reason.TOO_SHORT
    assert assess(Recording(np.zeros((12, 5000)), LEADS, 500, "x")).refusal.reason is Reason.FLAT
    assert assess(Recording(np.full((12, 5000), np.nan), LEADS, 500, "x")).refusal.reason is Reason.MISSING_LEAD


def test_swapped_limb_leads_contradict_einthoven():
    order = [1, 2, 0, 3, 4, 5, *range(6, 12)]
    assert (Reason.EINTHOVEN, None) in found(assess(Recording(ECG.signal[order], LEADS, 500, "x")))


def test_a_few_gaps_are_borne():
    signal = ECG["I"].copy()
    signal[:800] = np.nan
    assert "I" in assess(changed("I", signal=signal)).usable


def test_lead_order_does_not_matter():
    quality = assess(Recording(ECG.signal[::-1], LEADS[::-1], 500, "x"))
    assert quality.usable == LEADS[::-1]


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is absent: no real recordings to judge")
@pytest.mark.parametrize(("database", "n"), [("ptbxl", 350), ("ludb", 100)])
def test_no_real_recording_of_a_research_archive_is_refused(database, n):
    refused = [f.recording_id for f in find_recordings([DATA / database]) if assess(read(f.path)).refusal]
    assert refused == [], f"of {n}"


@pytest.mark.parametrize("fs", [25, 50, 100, 250, 1000, 5000])
def test_any_sampling_frequency_is_judged(fs):
    n = round(fs * 3)
    shape = np.interp(np.linspace(0, 1000, n), np.arange(5000), ECG["II"])
    quality = assess(Recording(np.stack([shape, np.where(np.arange(n) % 3 == 0, np.nan, shape)]), ("I", "II"), fs, "x"))
    assert quality.refusal is None
    assert quality.usable == ("I", "II")


@pytest.mark.parametrize("factor", [0.3, 1, 3, -1])
def test_gain_and_time_direction_do_not_change_the_judgement(factor):
    noisy = ECG.signal + np.random.default_rng(3).normal(0, 0.02, ECG.signal.shape)
    assert assess(Recording(factor * noisy[:, ::-1], LEADS, 500, "x")).findings == ()
