"""Electrodes exchanged on a synthetic heart, and on the real recordings where those are at hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twelvelead.io import read
from twelvelead.measure import measure, measure_many
from twelvelead.terms import LEADS

ARMS = {"I": "-I", "II": "III", "III": "II", "aVR": "aVL", "aVL": "aVR"}
ARM_AND_LEG = {"I": "-III", "II": "-II", "III": "-I", "aVR": "aVF", "aVF": "aVR"}
EXCHANGES = pytest.mark.parametrize(
    ("leads", "sign"), [(ARMS, "lead_arm_reversal_ratio"), (ARM_AND_LEG, "lead_leg_reversal_ratio")]
)


def exchange(recording, leads):
    """Replace leads by others; `-I` is lead I upside down."""
    rows = [recording[leads.get(lead, lead).removeprefix("-")] for lead in LEADS]
    signs = [-1 if leads.get(lead, lead).startswith("-") else 1 for lead in LEADS]
    return replace(recording, signal=np.array(signs)[:, None] * np.stack(rows), leads=LEADS)


def test_a_heart_with_its_electrodes_in_place_shows_no_sign(make_heart):
    row, _ = measure(make_heart())
    assert row["lead_arm_reversal_ratio"] == 0
    assert row["lead_leg_reversal_ratio"] == 0
    assert row["lead_limb_flattest_mv"] > 0.2
    assert row["lead_chest_order_ratio"] > 0.95


@EXCHANGES
def test_exchanged_limb_electrodes_show(leads, sign, make_heart):
    assert measure(exchange(make_heart(), leads))[0][sign] == 1


def test_without_p_two_signs_are_left(make_heart):
    times = 0.6 + np.cumsum(np.random.default_rng(1).uniform(0.5, 1.1, 11))
    row, _ = measure(exchange(make_heart(times=times[times < 9.4], p=False, noise_mv=0.01), ARMS))
    assert row["p_amplitude_i_mv"] is None
    assert row["lead_arm_reversal_ratio"] == 1


def test_an_arm_exchanged_with_the_right_leg_leaves_a_flat_lead(make_heart):
    heart = make_heart()
    signal = heart.signal.copy()
    signal[LEADS.index("II")] *= 0.02  # right arm and right leg: II lies between the legs
    row, _ = measure(replace(heart, signal=signal))
    assert row["lead_limb_flattest_mv"] < 0.05


@pytest.mark.parametrize("pair", [("V1", "V6"), ("V2", "V5"), ("V1", "V4")])
def test_chest_leads_out_of_order_show(pair, make_heart):
    first, second = pair
    row, _ = measure(exchange(make_heart(), {first: second, second: first}))
    assert row["lead_chest_order_ratio"] < 0.8


@pytest.fixture(scope="module")
def healthy():
    """Every seventh of the real recordings, read."""
    folder = Path(__file__).parents[2].parent / "shared" / "data" / "ptbxl" / "records500"
    if not folder.is_dir():
        pytest.skip("the PTB-XL sample is not at ../shared/data/ptbxl")
    return [read(path) for path in sorted(folder.rglob("*.hea"))[::7]]


@EXCHANGES
def test_exchanged_limb_electrodes_are_found_in_real_recordings(leads, sign, healthy):
    """On all 350: sensitivity 97 % for either exchange, specificity over 98 %, from two of three signs on."""
    straight = measure_many(healthy, fiducials=False).features[sign]
    turned = measure_many((exchange(r, leads) for r in healthy), fiducials=False).features[sign]
    assert (straight < 0.6).mean() >= 0.96
    assert (turned > 0.6).mean() >= 0.90
