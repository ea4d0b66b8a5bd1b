"""Sentences about findings that an ECG may not have, and what makes each of them false."""

from collections.abc import Callable, Mapping

Values = Mapping[str, float]
INVENTIONS: tuple[tuple[str, str], ...] = (
    ("lbbb", "Complete left bundle branch block is present."),
    ("lbbb", "The QRS morphology is that of LBBB."),
    ("rbbb", "Complete right bundle branch block is seen."),
    ("rbbb", "There is a complete RBBB."),
    ("af", "The rhythm is atrial fibrillation."),
    ("af", "AFib with an irregular ventricular response."),
    ("flutter", "Atrial flutter with variable block is noted."),
    ("lvh", "Voltage criteria for left ventricular hypertrophy are met."),
    ("lvh", "The tracing shows LVH."),
    ("rvh", "Right ventricular hypertrophy is evident."),
    ("lafb", "Left anterior hemiblock is present."),
    ("lpfb", "There is a left posterior fascicular block."),
    ("av_block_1", "First-degree AV block is present."),
    ("left_axis", "Left axis deviation is present."),
    ("right_axis", "The axis is deviated to the right."),
    ("pvc", "Frequent PVCs are seen."),
    ("pvc", "There is a premature ventricular complex."),
    ("pac", "Premature atrial contractions are noted."),
    ("inferior_mi", "These findings are consistent with an old inferior myocardial infarction."),
    ("anterior_mi", "There is an anterior infarct."),
    ("lateral_mi", "Prior lateral MI."),
    ("paced", "The ventricles are paced: paced rhythm."),
    ("preexcitation", "A delta wave of WPW is seen."),
    ("low_voltage", "Low voltage is noted."),
    ("sinus_tachycardia", "Sinus tachycardia is present."),
    ("bigeminy", "Ventricular bigeminy is seen."),
    ("raa", "P pulmonale suggests right atrial enlargement."),
    ("laa", "Left atrial enlargement is present."),
)
"""Diagnosis, and a sentence that says it."""


def _all(leads: tuple[str, ...], name: str, test: Callable[[float], bool]) -> Callable[[Values], bool]:
    """Test the number of each lead; a missing one fails."""
    return lambda values: all(test(values[name.format(lead=lead)]) for lead in leads)


_INFERIOR = ("ii", "iii", "avf")
MEASURED_INVENTIONS: tuple[tuple[Callable[[Values], bool], str], ...] = (
    (_all(("v2", "v3"), "st_j80_amplitude_{lead}_mv", lambda x: x < 0.15), "ST elevation of 0.35 mV in V2 and V3."),
    (_all(_INFERIOR, "st_j80_amplitude_{lead}_mv", lambda x: x < 0.1),
     "In leads II, III and aVF there is marked ST elevation of 3 mm."),
    (_all(("v5", "v6"), "st_j80_amplitude_{lead}_mv", lambda x: x > 0.0), "ST depression of 2 mm is seen in V5–V6."),
    (_all(("v4", "v5", "v6"), "t_amplitude_{lead}_mv", lambda x: x > 0.2), "T-wave inversions are noted in V4 to V6."),
    (_all(_INFERIOR, "t_amplitude_{lead}_mv", lambda x: x > 0.15), "The T waves are inverted in the inferior leads."),
    (_all(_INFERIOR, "q_duration_{lead}_ms", lambda x: x < 10), "Pathological Q waves are present in II, III and aVF."),
    (_all(("pr_interval",), "{lead}_ms", lambda x: x < 180), "The PR interval is prolonged at 240 ms."),
    (_all(("qrs_duration",), "{lead}_ms", lambda x: x < 90), "The QRS complex is wide, measuring 150 ms."),
    (_all(("qtc_framingham",), "{lead}_ms", lambda x: x < 420), "The QTc is prolonged to 510 ms."),
)  # fmt: skip
"""What the values must be for it to be false by far, and the sentence."""
