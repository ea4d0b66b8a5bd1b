"""What the packs leave out of the published criteria, and where they had to choose; for the page of criteria."""

from typing import NamedTuple

from twelvelead.interpret.packs.sources import (
    AHA_II,
    AHA_III,
    AHA_IV,
    AHA_V,
    AHA_VI,
    BRADYCARDIA,
    EARLY,
    EXERCISE,
    SVT,
    UDMI4,
)


class Note(NamedTuple):
    """One criterion, where it is published, and why it is absent or how it is read."""

    criterion: str
    source: str
    why: str


LEFT_OUT = (
    Note("ST elevation in V7–V9, V3R and V4R", UDMI4, "these leads are not recorded"),
    Note("changes that are new", UDMI4, "one recording has no before"),
    Note("ST elevation concordant with QRS in left bundle branch block", UDMI4, "it raises suspicion only"),
    Note("Cornell product with an addition for women", AHA_V, "0.6 and 0.8 mV are both in use; without it the product "
         "finds fewer women"),
    Note("P notched by 40 ms or more", AHA_V, "notches of the P wave are not measured"),
    Note("biventricular hypertrophy", AHA_V, "no limits are given"),
    Note("digitalis in the points of Romhilt and Estes", AHA_V, "the recording does not tell who takes it"),
    Note("peri-infarction block", AHA_III, "no limits are given"),
    Note("notch or slur at the end of QRS", EARLY, "not measured: elevation of J stands for it, as the name says"),
    Note("U waves elsewhere than in V2 and V3", AHA_IV, "not measured"),
    Note("JT interval in wide QRS", AHA_IV, "its limits are not given as numbers; QT is not judged there"),
    Note("ST segment vector and the occluded artery", AHA_VI, "prose without limits"),
    Note("third-degree atrioventricular block; types of the second degree", BRADYCARDIA, "no measurement "
         "of ours tells them surely enough: see the pack `erb`"),
    Note("mechanism of supraventricular tachycardia", SVT, "not told from ten seconds of surface ECG"),
)  # fmt: skip
"""Published criteria that are not in the packs."""

READINGS = (
    Note("complete left bundle branch block: R peak later than 60 ms in V5 and V6", AHA_III,
         "in one of them, since an RS complex is allowed in the other; a broad R lasts over 60 ms"),
    Note("complete right bundle branch block: S wide in I and V6", AHA_III,
         "in one of them; S lasts to the end of QRS in all leads; a q before the dominant R in V1, as of an "
         "infarction, is allowed; R′ of an rsr′ is wider or taller than r, “usually” in the recommendation"),
    Note("second-degree atrioventricular block", BRADYCARDIA, "one dropped beat: RR of 1.5 times those before with a "
         "P wave in it; 2:1 conduction throughout has none, and is not found"),
    Note("pre-excitation: delta wave", AHA_III, "first 30 ms of QRS below a fifth of its steepest slope: no published "
         "number; the other two criteria are as published"),
    Note("q and r waves that a criterion forbids or asks for", AHA_II, "from 0.05 mV: half a millimetre"),
    Note("indeterminate axis: equiphasic", AHA_III, "R between 0.4 and 0.6 of R and S in every limb lead"),
    Note("atrial fibrillation: no distinct P waves, irregular RR", "doi:10.1161/CIR.0000000000001193",
         "our learned probability of P below 0.5, the share of it that RR irregularity makes taken out; RR varying by "
         "10 % or more, both intervals of each ectopic beat left out"),
    Note("absence of left ventricular hypertrophy, for ischaemia and infarction", UDMI4,
         "hypertrophy with its own ST–T changes: voltage alone does not establish it, and QS complexes make voltage"),
    Note("voltage of left ventricular hypertrophy", AHA_V, "one of those listed is enough, from 35 years of age"),
    Note("right ventricular hypertrophy", AHA_V, "one listed measure, and an axis to the right of 90 degrees"),
    Note("horizontal or downsloping ST", EXERCISE, "depressed by 0.05 mV at J and still 80 ms later"),
    Note("QS complex", UDMI4, "r below 0.025 mV, as in the Minnesota code"),
    Note("T inverted or flat", AHA_IV, "in two leads or more"),
    Note("QT corrected", AHA_IV, "by Framingham's straight line, one of those recommended"),
)  # fmt: skip
"""Where the words of a criterion leave a choice: what was chosen."""
