"""The AHA/ACCF/HRS recommendations for the interpretation of the electrocardiogram, parts III to VI (2009).

doi:10.1161/CIRCULATIONAHA.108.191095 and the three that follow it. On rhythm they are silent: the guidelines named with
each criterion are taken instead.
"""

from twelvelead.interpret.criteria import All, Criterion, Finding, Has, Not, Pack, any_of
from twelvelead.interpret.packs.axis import AXIS
from twelvelead.interpret.packs.chambers import CHAMBERS
from twelvelead.interpret.packs.conduction import BLOCKS, BRANCHES, FIRST_DEGREE, LONG_PR, SECOND_DEGREE
from twelvelead.interpret.packs.electrodes import ELECTRODES
from twelvelead.interpret.packs.q_waves import ANTERIOR, ANTEROSEPTAL, INFERIOR, LATERAL
from twelvelead.interpret.packs.repolarisation import REPOLARISATION, SECONDARY
from twelvelead.interpret.packs.rhythm import RHYTHM
from twelvelead.interpret.packs.sources import AHA_II, AHA_III, UDMI4

ABNORMAL_Q = Finding(
    "abnormal_q", "Abnormal Q waves", "infarction", any_of(INFERIOR, ANTEROSEPTAL, ANTERIOR, LATERAL), UDMI4,
    unless=SECONDARY,
)  # fmt: skip

_FINDINGS = (
    *RHYTHM, *BRANCHES, FIRST_DEGREE, LONG_PR, SECOND_DEGREE, *AXIS, *CHAMBERS, *BLOCKS, *REPOLARISATION, ABNORMAL_Q,
    *ELECTRODES,
)  # fmt: skip
NORMAL_KEY = "normal_ecg"
NORMAL_TOO = frozenset(
    {
        "sinus_origin", "sinus_rhythm", "sinus_arrhythmia", "early_repolarisation", "short_qt", "prolonged_p",
        "lvh_peguero_lo_presti",
    }
)  # fmt: skip
"""Findings that a normal ECG may have. Many healthy people have a QT below 390 ms, the recommendation's limit; our P
wave is longer than annotators' by about as much as many exceed 120 ms; Peguero and Lo Presti's is a later proposal."""


def normal_of(findings: tuple[Finding, ...]) -> Finding:
    """Make the finding that an ECG is normal: sinus rhythm, and nothing of these but what a normal ECG may have.

    Parameters
    ----------
    findings : tuple of Finding
        All others that are judged.
    """
    abnormal = (Has(finding.key) for finding in findings if finding.key not in NORMAL_TOO)
    nothing = Criterion("nothing_abnormal", "none of the abnormal findings", Not(any_of(*abnormal)), AHA_II)
    return Finding(NORMAL_KEY, "Normal ECG", "rhythm", All(Has("sinus_rhythm"), nothing), AHA_II)


AHA_ACCF_HRS_2009 = Pack(
    "aha_accf_hrs_2009", "AHA/ACCF/HRS recommendations, 2009", AHA_III, (*_FINDINGS, normal_of(_FINDINGS))
)  # fmt: skip
