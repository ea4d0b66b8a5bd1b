"""The beat: bumps, projection, amplitudes and axes against direct computation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.simulate.beat import (
    LEAD_VECTORS,
    bump,
    conducted_waves,
    derive_limb_leads,
    premature_waves,
    project,
    true_amplitudes,
    true_axes,
)
from twelvelead.terms import LEADS


def row(**changes):
    truth = {
        "qrs_size_mv": 1.2,
        "qrs_rotation_deg": 30.0,
        "qrs_posterior": 0.25,
        "t_size_mv": 0.25,
        "t_rotation_deg": 30.0,
        "t_anterior": 0.6,
        "p_size_mv": 0.1,
        "p_rotation_deg": 45.0,
        "bundle_branch_block": "none",
        "qrs_duration_ms": 90.0,
        "pr_interval_ms": 160.0,
        "p_duration_ms": 100.0,
    }
    return truth | changes


def waveform(waves, t):
    """Return the twelve leads of one beat at times t (s from QRS onset), by the plain definition."""
    return sum(np.outer(LEAD_VECTORS @ w.vector, bump((t - w.start[0]) / w.duration[0], w.skew)) for w in waves)


def test_a_wave_begins_and_ends_at_exactly_zero_and_peaks_at_one():
    u = np.linspace(-0.5, 1.5, 2001)
    for skew in (1.0, 1.357):
        shape = bump(u, skew)
        assert (shape[(u <= 0) | (u >= 1)] == 0).all()
        assert (shape[(u > 0.01) & (u < 0.99)] > 0).all()
        assert shape.max() == pytest.approx(1.0, abs=1e-5)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3))
def test_the_limb_leads_of_any_dipole_keep_einthoven_and_goldberger(dipole):
    lead = dict(zip(LEADS, project(np.array(dipole)), strict=True))
    assert lead["I"] + lead["III"] == pytest.approx(lead["II"], abs=1e-12)
    assert lead["aVR"] + lead["aVL"] + lead["aVF"] == pytest.approx(0.0, abs=1e-12)
    assert lead["aVF"] == pytest.approx((lead["II"] + lead["III"]) / 2, abs=1e-12)


def test_limb_leads_by_hand():
    # I = 1, II = 3: III = 2, aVR = -2, aVL = -1/2, aVF = 5/2.
    leads = derive_limb_leads(np.array([[1.0], [3.0], *([[0.0]] * 6)]))
    assert leads[:6, 0].tolist() == [1.0, 3.0, 2.0, -2.0, -0.5, 2.5]


@pytest.mark.parametrize("block", ["none", "left", "right"])
def test_waves_stand_exactly_on_the_true_intervals(block):
    truth, qt = row(bundle_branch_block=block), 0.4
    t = np.arange(-0.3, 0.6, 0.0001)
    waves = conducted_waves(truth, np.array([qt]))
    loudness = np.abs(waveform(waves, t)).max(axis=0)
    on = np.flatnonzero(loudness > 0)
    before, within = on[t[on] < 0], on[(t[on] >= 0) & (t[on] < 0.1)]
    step = 2e-4  # two steps of the time grid
    assert t[before[0]] == pytest.approx(-0.160, abs=step)  # P onset, a PR interval before QRS
    assert t[before[-1]] == pytest.approx(-0.060, abs=step)  # P offset: P lasts 100 ms
    assert t[within[0]] == pytest.approx(0.0, abs=step)
    assert t[within[-1]] == pytest.approx(0.090, abs=step)
    assert t[on[-1]] == pytest.approx(qt, abs=step)


def test_no_p_wave_without_a_pr_interval_nor_in_a_premature_beat():
    qt = np.array([0.4])
    assert {w.kind for w in conducted_waves(row(pr_interval_ms=None, p_duration_ms=None), qt)} == {"qrs", "t"}
    assert {w.kind for w in premature_waves(row(), qt)} == {"qrs", "t"}


@pytest.mark.parametrize("block", ["none", "left", "right"])
def test_true_amplitudes_and_axes_are_those_of_the_waveform(block):
    truth = row(bundle_branch_block=block)
    columns = {name: np.array([value]) for name, value in truth.items()}
    amplitudes, axes = true_amplitudes(columns), true_axes(columns)
    t = np.arange(0, 0.4, 0.0001)
    leads = waveform(conducted_waves(truth, np.array([0.4])), t)
    qrs, st_t = t <= 0.090, t > 0.090
    for lead, course in zip(LEADS, leads, strict=True):
        name = lead.lower()
        # The formula samples QRS at 51 points; between two of them a 1 mV bump moves by at most about 3 %.
        assert amplitudes[f"r_amplitude_{name}_mv"][0] == pytest.approx(max(course[qrs].max(), 0), abs=0.03)
        assert amplitudes[f"qrs_nadir_{name}_mv"][0] == pytest.approx(min(course[qrs].min(), 0), abs=0.03)
        peak = course[st_t][np.abs(course[st_t]).argmax()]
        assert amplitudes[f"t_amplitude_{name}_mv"][0] == pytest.approx(peak, abs=1e-5)
    area = dict(zip(LEADS, leads[:, qrs].sum(axis=1), strict=True))
    axis = np.degrees(np.arctan2(2 * area["aVF"] / np.sqrt(3), area["I"]))
    assert axes["qrs_axis_deg"][0] == pytest.approx(axis, abs=0.05)


def test_bundle_branch_blocks_look_like_bundle_branch_blocks():
    t = np.arange(0, 0.14, 0.0005)
    course = {
        block: dict(
            zip(
                LEADS,
                waveform(conducted_waves(row(bundle_branch_block=block, qrs_duration_ms=140.0), np.array([0.44])), t),
                strict=True,
            )
        )
        for block in ("none", "left", "right")
    }
    late = t > 0.1
    assert course["right"]["V1"][late].max() > 0.3  # R′
    assert course["right"]["V6"][late].min() < -0.2  # broad S
    assert course["none"]["V6"][t < 0.03].min() < -0.02  # septal q
    assert course["left"]["V6"].min() > -0.01  # none
    assert course["left"]["V1"].max() < 0.1
