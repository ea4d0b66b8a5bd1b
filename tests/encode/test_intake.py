"""Recordings as encoders take them: the true time, the right lead, and what is refused."""

import numpy as np
import pytest

from twelvelead.encode import LEADS_8, PRESETS, to_input
from twelvelead.signal import Recording
from twelvelead.terms import LEADS, Reason, Unmeasurable

CONFIG = PRESETS["tiny"]


def tone(fs, n, *, hz=3.0, leads=LEADS):
    gains = np.array([1 + LEADS.index(lead) for lead in leads])[:, None]
    return Recording(gains * np.sin(2 * np.pi * hz * np.arange(n) / fs), leads, fs, "r")


@pytest.mark.parametrize(
    ("fs", "n"), [(500, 5000), (400, 4096), (250, 2500), (1000, 10_000), (100, 1000), (500, 90_000)]
)
def test_sample_k_is_of_the_time_k_over_250(fs, n):
    got = to_input(tone(fs, n), config=CONFIG)
    gains = np.array([1, 2, 7, 8, 9, 10, 11, 12])[:, None]  # of I, II, V1 … V6 in the order of twelve
    wanted = gains * np.sin(2 * np.pi * 3 * np.arange(2500) / 250)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got[:, 100:-100], wanted[:, 100:-100], atol=0.02)


def test_leads_go_by_name_and_limb_leads_may_be_derived():
    rows = {"V6": 6.0, "aVF": 2.5, "II": 3.0, "V1": 1.0, "V2": 2.0, "V3": 3.5, "V4": 4.0, "V5": 5.0, "III": 2.0}
    wave = np.sin(np.arange(2500) / 20)
    recording = Recording(np.stack([a * wave for a in rows.values()]), tuple(rows), 250, "r")
    got = to_input(recording, config=CONFIG)
    wanted = [1.0, 3.0, 1.0, 2.0, 3.5, 4.0, 5.0, 6.0]  # I = II − III
    np.testing.assert_allclose(got, np.outer(wanted, wave), atol=1e-6)
    assert CONFIG.leads == LEADS_8


def with_gap():
    signal = np.array(tone(500, 5000).signal)
    signal[7, 2000:2100] = np.nan
    return Recording(signal, LEADS, 500, "r")


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        (tone(500, 4999), Reason.TOO_SHORT),
        (tone(500, 5000, leads=LEADS[:11]), Reason.MISSING_LEAD),
        (with_gap(), Reason.MISSING_LEAD),
        (Recording(np.ones((12, 5000)), LEADS, 500, "r"), Reason.FLAT),
    ],
    ids=["short", "no V6", "gap", "flat"],
)
def test_what_can_not_be_used_is_refused_with_its_reason(recording, reason):
    with pytest.raises(Unmeasurable, match="'r'") as caught:
        to_input(recording, config=CONFIG)
    assert caught.value.reason is reason


def test_a_gap_after_the_ten_seconds_does_no_harm():
    signal = np.array(tone(500, 8000).signal)
    signal[3, 6000:] = np.nan
    assert np.isfinite(to_input(Recording(signal, LEADS, 500, "r"), config=CONFIG)).all()
