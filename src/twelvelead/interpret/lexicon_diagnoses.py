"""Diagnoses by their names, synonyms and abbreviations, and which includes which."""

import re
from typing import NamedTuple


class Concept(NamedTuple):
    """A diagnosis.

    Parameters
    ----------
    pattern : str
        Its names, as a regular expression without regard to case.
    broader : tuple of str
        What it is a kind of.
    feature : tuple of (str, str) or None
        Wave and adjective by which measurements decide it where no criterion does.
    """

    pattern: str
    broader: tuple[str, ...] = ()
    feature: tuple[str, str] | None = None


_OLD = r"(?:(?:old|prior|previous|acute|recent|evolving|remote|age[- ]indeterminate|chronic) )?"
_MI = r"(?:(?:wall )?(?:(?:myo)?cardial )?(?:infarct(?:ion|s)?|MI)\b|myocardial necrosis)"
_BLOCK = r"(?:[- ]bundle[- ]branch block|BBB\b)"
_ENLARGED = r"(?:hypertrophy|enlargement)"
_ATRIAL = r"(?:enlargement|abnormality|hypertrophy|dilat(?:ion|ation)|overload)"

CONCEPTS: dict[str, Concept] = {
    "nstemi": Concept(r"\bNSTEMI\b|\bnon[- ]ST[- ](?:segment[- ])?elevation (?:MI\b|myocardial infarction)"),
    "stemi": Concept(r"\bSTEMI\b|\bST[- ](?:segment[- ])?elevation (?:MI\b|myocardial infarction)", ("acute_mi",)),
    "inferior_mi": Concept(rf"\b{_OLD}infer(?:ior|o-?lateral|o-?posterior) {_MI}|\bIMI\b", ("mi",)),
    "anteroseptal_mi": Concept(rf"\b{_OLD}(?:antero-?septal|septal) {_MI}|\bASMI\b", ("anterior_mi", "mi")),
    "anterolateral_mi": Concept(rf"\b{_OLD}antero-?lateral {_MI}|\bALMI\b", ("lateral_mi", "anterior_mi", "mi")),
    "anterior_mi": Concept(rf"\b{_OLD}(?:extensive )?anterior {_MI}|\bAMI\b", ("mi",)),
    "lateral_mi": Concept(rf"\b{_OLD}(?:high )?lateral {_MI}|\bLMI\b", ("mi",)),
    "posterior_mi": Concept(rf"\b{_OLD}(?:posterior|inferobasal) {_MI}|\bPMI\b", ("mi",)),
    "acute_mi": Concept(rf"\bacute {_MI}", ("mi",)),
    "mi": Concept(rf"\b{_OLD}{_MI}"),
    "early_repolarisation": Concept(r"\b(?:benign )?early repolari[sz]ation(?: pattern)?"),
    "strain": Concept(
        r"\bsecondary ST[-– ]?T (?:wave )?abnormalit(?:y|ies) of left ventricular hypertrophy|\b(?:(?:LV"
        r"|left ventricular|ventricular) )?strain(?: pattern)?\b"
    ),
    "ischaemia": Concept(r"\b(?:(?:acute|myocardial|subendocardial|anterior|inferior|lateral) )*isch(?:a)?emi[ac]\w*"),
    "complete_lbbb": Concept(rf"\bcomplete (?:left{_BLOCK}|LBBB\b)|\bCLBBB\b", ("lbbb", "bbb")),
    "incomplete_lbbb": Concept(rf"\b(?:incomplete|partial) (?:left{_BLOCK}|LBBB\b)|\bILBBB\b", ("bbb",)),
    "lbbb": Concept(rf"\bleft{_BLOCK}|\bLBBB\b", ("bbb",)),
    "complete_rbbb": Concept(rf"\bcomplete (?:right{_BLOCK}|RBBB\b)|\bCRBBB\b", ("rbbb", "bbb")),
    "incomplete_rbbb": Concept(rf"\b(?:incomplete|partial) (?:right{_BLOCK}|RBBB\b)|\bIRBBB\b", ("bbb",)),
    "rbbb": Concept(rf"\bright{_BLOCK}|\bRBBB\b", ("bbb",)),
    "bbb": Concept(r"\bbundle[- ]branch blocks?\b|\bBBB\b", ()),
    "bifascicular": Concept(r"\bbifascicular block"),
    "lafb": Concept(r"\bleft anterior (?:fascicular block|hemiblock)|\bLAFB\b|\bLAHB\b", ("fascicular",)),
    "lpfb": Concept(r"\bleft posterior (?:fascicular block|hemiblock)|\bLPFB\b|\bLPHB\b", ("fascicular",)),
    "fascicular": Concept(r"\b(?:fascicular block|hemiblock)"),
    "ivcd": Concept(
        r"\b(?:non-?specific )?intra-?ventricular (?:conduction )?(?:delay|defect|disturbance|block)|\bIVCD\b"
    ),
    "av_block_1": Concept(
        r"\b(?:first|1st)[- ]degree (?:AV|A-V|atrio-?ventricular|heart)(?: conduction)? (?:block|delay)|\b1(?:°"
        r"|st) ?AV ?B(?:lock)?\b|\b1AVB\b",
        ("av_block",),
        ("pr", "long"),
    ),
    "av_block_2": Concept(
        r"\b(?:second|2nd)[- ]degree (?:AV|atrio-?ventricular|heart) block|\bmobitz(?: type)? (?:I{1,2}|[12])\b"
        r"|\bwenckebach\b|\b2AVB\b",
        ("av_block", "high_av_block"),
    ),
    "av_block_3": Concept(
        r"\b(?:third|3rd)[- ]degree (?:AV|atrio-?ventricular|heart) block|\bcomplete (?:AV|heart"
        r"|atrio-?ventricular) block|\b3AVB\b",
        ("av_block", "high_av_block"),
    ),
    "high_av_block": Concept(
        r"\b(?:high(?:er)?[- ](?:grade|degree)|advanced) (?:AV|atrio-?ventricular) block", ("av_block",)
    ),
    "av_block": Concept(r"\b(?:AV|A-V|atrio-?ventricular) block"),
    "preexcitation": Concept(
        r"\b(?:ventricular )?pre-?excitation|\bWPW\b|\bwolff[-– ]parkinson[-– ]white(?: pattern| syndrome)?"
        r"|\bdelta waves?"
    ),
    "sinus_bradycardia": Concept(r"\bsinus bradycardi[ac]", ("sinus", "bradycardia"), ("rate", "slow")),
    "sinus_tachycardia": Concept(r"\bsinus tachycardi[ac]", ("sinus", "tachycardia"), ("rate", "fast")),
    "sinus_arrhythmia": Concept(r"\b(?:marked )?sinus arr?h?ythmia", ("sinus",)),
    "normal_sinus": Concept(r"\bnormal sinus rhythm|\bNSR\b", ("sinus",), ("rate", "normal")),
    "sinus": Concept(r"\bsinus(?: rhythm| mechanism)?\b"),
    "svt": Concept(r"\bsupra-?ventricular tachycardi[ac]|\bSVT\b", ("tachycardia",)),
    "vt": Concept(r"\bventricular tachycardi[ac]|\bVT\b", ("tachycardia",)),
    "bradycardia": Concept(r"\bbradycardi[ac]", (), ("rate", "slow")),
    "tachycardia": Concept(r"\btachycardi[ac]", (), ("rate", "fast")),
    "af": Concept(r"\batrial fibrillation|\bA-?Fib\b|\bAF(?:IB)?\b"),
    "flutter": Concept(r"\b(?:atrial )?flutter(?! rate)|\bAFL\b|\bAFLT\b"),
    "paced": Concept(
        r"\b(?:(?:ventricular|atrial|dual[- ]chamber|electronic(?:ally)?|artificial) )*(?:paced(?: rhythm"
        r"| beats)?|pac(?:ing|emaker)(?: rhythm| spikes?)?)\b"
    ),
    "bigeminy": Concept(r"\b(?:ventricular )?bigemin(?:y|us)"),
    "pvc": Concept(
        r"\bpremature ventricular (?:complex(?:es)?|contractions?|beats?)"
        r"|\bventricular (?:premature (?:complex(?:es)?|beats?|contractions?)|extrasystoles?|ectop(?:y|ics?"
        r"|ic beats?))|\bPVCs?\b|\bVPCs?\b|\bVEBs?\b",
        ("ectopy",),
        ("pvc", "present"),
    ),
    "pac": Concept(
        r"\bpremature (?:atrial|supra-?ventricular) (?:complex(?:es)?|contractions?|beats?)"
        r"|\b(?:supraventricular|atrial) (?:premature (?:complex(?:es)?|beats?|contractions?)|extrasystoles?"
        r"|ectop(?:y|ics?|ic beats?))|\bPACs?\b|\bAPCs?\b|\bSVEBs?\b",
        ("ectopy",),
        ("pac", "present"),
    ),
    "ectopy": Concept(r"\b(?:ectop(?:y|ics?|ic beats?)|extrasystoles?|premature beats?)", ()),
    "left_axis": Concept(
        r"\bleft(?:ward)?[- ]axis(?: deviation)?|\bLAD\b|\baxis (?:(?:is|was) )?(?:deviated (?:to the left"
        r"|leftwards?)|leftward)|\bleftward (?:QRS )?axis",
        (),
        ("axis", "left"),
    ),
    "right_axis": Concept(
        r"\bright(?:ward)?[- ]axis(?: deviation)?|\bRAD\b|\baxis (?:(?:is|was) )?(?:deviated (?:to the right"
        r"|rightwards?)|rightward)|\brightward (?:QRS )?axis",
        (),
        ("axis", "right"),
    ),
    "extreme_axis": Concept(
        r"\bextreme (?:right )?axis(?: deviation)?|\bnorth-?west axis|\bsuperior(?: right)? axis",
        (),
        ("axis", "extreme"),
    ),
    "indeterminate_axis": Concept(r"\bindeterminate axis|\baxis (?:is )?indeterminate"),
    "lvh": Concept(rf"\bleft ventricular {_ENLARGED}|\bLVH\b|\bLV hypertrophy"),
    "rvh": Concept(rf"\bright ventricular {_ENLARGED}|\bRVH\b|\bRV hypertrophy"),
    "laa": Concept(rf"\b(?:left atrial|LA) {_ATRIAL}|\bLAE\b|\bP[- ]mitrale\b"),
    "raa": Concept(rf"\b(?:right atrial|RA) {_ATRIAL}|\bRAE\b|\bP[- ]pulmonale\b"),
    "low_voltage": Concept(r"\blow[- ](?:QRS[- ])?voltages?", (), ("voltage", "low")),
    "lead_reversal": Concept(
        r"\b(?:(?:arm|limb|leg|chest)[- ])?(?:lead|electrode)s? (?:reversal|misplacement|interchange)"
    ),
    "long_qt": Concept(r"\blong QT(?: syndrome)?\b", (), ("qtc", "long")),
    "short_qt": Concept(r"\bshort QT(?: syndrome)?\b", (), ("qtc", "short")),
    "brugada": Concept(r"\bbrugada\b"),
    "pericarditis": Concept(r"\bpericarditis"),
    "hyperkalaemia": Concept(r"\bhyperkal(?:a)?emia"),
    "normal_ecg": Concept(
        r"\bnormal (?:12-lead )?(?:ECG|EKG|electrocardiogram|tracing)|\b(?:ECG|EKG|tracing) is (?:entirely "
        r"|otherwise )?normal"
    ),
}
"""By key, the more special names first."""
SAME = (
    ("complete_lbbb", "lbbb"), ("complete_rbbb", "rbbb"), ("normal_sinus", "sinus"), ("stemi", "acute_mi"),
)  # fmt: skip
"""Where no finding is the first, the second is what it comes to."""
CONCEPT = re.compile("(?i)" + "|".join(f"(?P<{key}>{concept.pattern})" for key, concept in CONCEPTS.items()))


def narrower(key: str) -> frozenset[str]:
    """Give a diagnosis and all that are kinds of it.

    Examples
    --------
    >>> sorted(narrower("av_block"))
    ['av_block', 'av_block_1', 'av_block_2', 'av_block_3', 'high_av_block']
    """
    below = {name for name, concept in CONCEPTS.items() if key in concept.broader}
    return frozenset({key}.union(*(narrower(name) for name in below))) if below else frozenset({key})
