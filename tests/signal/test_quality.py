from pathlib import Path

import numpy as np
import pytest

from twelvelead.io import find_recordings, read
from twelvelead.signal import Recording, assess
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


@pytest.mark.parametrize(("factor", "guess"), [(1000, "uV"), (1e-3, "looks like V")])
def test_other_units_are_refused(factor, guess):
    quality = assess(Recording(ECG.signal * factor, LEADS, 500, "x"))
    assert quality.refusal.reason in {Reason.WRONG_UNITS, Reason.FLAT}
    if factor > 1:
        assert quality.refusal.reason is Reason.WRONG_UNITS
        assert guess in quality.refusal.message


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
