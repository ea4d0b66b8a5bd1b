"""One ECG written down by hand: rate 75, inferior ST elevation, inverted T in V1 to V3, small Q in III and aVF."""

import math
from types import SimpleNamespace

import numpy as np

from twelvelead.interpret.case import Case
from twelvelead.interpret.proof import Interpretation, Proof, Verdict
from twelvelead.terms import LEADS

MET, NOT_MET, INDETERMINATE = Verdict.MET, Verdict.NOT_MET, Verdict.INDETERMINATE
WHOLE = {
    "heart_rate_bpm": 75.0, "rr_mean_ms": 800.0, "rr_sd_ms": 16.0, "rr_min_ms": 770.0, "rr_max_ms": 830.0,
    "rr_pause_ratio": 1.04, "rr_variation_ratio": 0.02, "beat_count": 12.0, "pr_interval_ms": 168.0,
    "qrs_duration_ms": 92.0, "qt_interval_ms": 380.0, "qtc_bazett_ms": 425.0, "qtc_fridericia_ms": 409.0,
    "qtc_framingham_ms": 411.0, "qtc_hodges_ms": 406.0, "p_duration_ms": 104.0, "qrs_axis_deg": 40.0,
    "p_present_probability": 0.98, "sokolow_lyon_mv": 2.3, "qrs_limb_voltage_mv": 0.9, "qrs_chest_voltage_mv": 1.6,
    "beat_ventricular_premature_count": 0.0, "beat_supraventricular_premature_count": 0.0, "t_axis_deg": math.nan,
}  # fmt: skip
BY_LEAD = {  # I, II, III, aVR, aVL, aVF, V1 to V6
    "st_j_amplitude": (-0.04, 0.18, 0.22, -0.07, -0.13, 0.20, 0.00, 0.02, 0.02, 0.00, 0.01, 0.00),
    "st_j60_amplitude": (-0.04, 0.18, 0.22, -0.07, -0.13, 0.20, 0.00, 0.02, 0.02, 0.00, 0.01, 0.00),
    "st_j80_amplitude": (-0.04, 0.18, 0.22, -0.07, -0.13, 0.20, 0.00, 0.02, 0.02, 0.00, 0.01, 0.00),
    "t_amplitude": (0.20, 0.30, 0.10, -0.25, 0.05, 0.20, -0.15, -0.25, -0.20, 0.25, 0.30, math.nan),
    "p_amplitude": (0.06, 0.12, 0.06, -0.09, 0.02, 0.09, 0.04, 0.05, 0.05, 0.05, 0.05, 0.05),
    "q_amplitude": (0.0, -0.02, -0.15, -0.6, 0.0, -0.12, 0.0, 0.0, 0.0, 0.0, -0.03, -0.04),
    "q_duration": (0.0, 8.0, 40.0, 40.0, 0.0, 38.0, 0.0, 0.0, 0.0, 0.0, 10.0, 12.0),
    "r_amplitude": (0.7, 0.9, 0.3, 0.1, 0.5, 0.5, 0.2, 0.4, 0.25, 0.8, 1.4, 1.2),
    "s_amplitude": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -0.9, -1.2, -0.8, -0.4, -0.1, 0.0),
    "r_prime_amplitude": (0.0,) * 12,
    "qrs_area": (20.0, 25.0, 5.0, -22.0, 8.0, 15.0, -20.0, -25.0, -15.0, 5.0, 30.0, 28.0),
}
UNITS = {"q_duration": "ms", "qrs_area": "mvms"}


def case():
    values = dict(WHOLE)
    for stem, row in BY_LEAD.items():
        for lead, value in zip(LEADS, row, strict=True):
            values[f"{stem}_{lead.lower()}_{UNITS.get(stem, 'mv')}"] = value
    times = np.cumsum([0.5, *[0.8] * 11])
    marks = np.full((12, 9), np.nan)
    heartbeat = SimpleNamespace(
        times_s=times, leads=LEADS, shape_class=np.zeros(12, int), scatter_mv=np.full(12, 0.02), global_marks_s=marks
    )
    return Case(SimpleNamespace(id="by hand"), heartbeat, None, values, 60.0, "male")


def proof(label, verdict, firm=None, why=""):
    return Proof(label, verdict, firm or verdict, label, why)


def interpretation():
    proofs = (
        proof("Sinus rhythm", MET), proof("Sinus tachycardia", NOT_MET), proof("Atrial fibrillation", NOT_MET),
        proof("Complete left bundle branch block", NOT_MET), proof("Complete right bundle branch block", NOT_MET),
        proof("Left anterior fascicular block", NOT_MET), proof("First-degree atrioventricular block", NOT_MET),
        proof("Left ventricular hypertrophy", NOT_MET, INDETERMINATE), proof("Right ventricular hypertrophy", NOT_MET),
        proof("Prior inferior infarction", MET), proof("Prior anterior infarction", NOT_MET),
        proof("Left axis deviation", NOT_MET), proof("Premature ventricular beats", NOT_MET),
        proof("Left atrial abnormality", INDETERMINATE, why="the P wave could not be measured in V1"),
        proof("Normal ECG", NOT_MET), proof("Prolonged QT interval", NOT_MET), proof("ST elevation", MET),
        proof("Chest electrodes out of order", NOT_MET),
    )  # fmt: skip
    return Interpretation("by hand", "by_hand", {p.key: p for p in proofs})
