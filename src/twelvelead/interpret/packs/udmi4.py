"""Ischaemia and infarction by the fourth universal definition of myocardial infarction (2018).

doi:10.1161/CIR.0000000000000617. One recording shows no change over time: what is "new" there is found here.
"""

from twelvelead.interpret.criteria import All, Criterion, Finding, Has, Is, Not, Pack, Test, any_of
from twelvelead.interpret.packs.chambers import LVH, STRAIN
from twelvelead.interpret.packs.conduction import LBBB, PREEXCITATION, RBBB
from twelvelead.interpret.packs.q_waves import ANTERIOR, ANTEROSEPTAL, INFERIOR, LATERAL, POSTERIOR
from twelvelead.interpret.packs.repolarisation import elevated, neighbours
from twelvelead.interpret.packs.rhythm import FIBRILLATION, FLUTTER, PACED
from twelvelead.interpret.packs.sources import UDMI4

_FIRST = (PACED, FLUTTER, FIBRILLATION, PREEXCITATION, LBBB, RBBB, LVH, STRAIN)
"""What decides whether the rest can be judged."""
_NO_ST = ("paced_rhythm", "preexcitation", "complete_lbbb", "complete_rbbb", "lvh_repolarisation")
"""The table of acute changes holds in the absence of hypertrophy and of bundle branch block."""
_NO_Q = ("paced_rhythm", "preexcitation", "complete_lbbb", "lvh_repolarisation")
"""That of prior infarction in the absence of hypertrophy and of left bundle branch block. Hypertrophy counts where it
has changed repolarisation: voltage alone does not establish it, and a deep QS in V3 is itself such a voltage."""

_REGIONS = {
    "inferior": (("II", "aVF", "III"),),
    "anterior": (("V1", "V2", "V3", "V4"),),
    "lateral": (("aVL", "I"), ("V5", "V6")),
}
_J_UP = "J at 0.1 mV or more in two contiguous leads; in V2 and V3 0.2 mV, in men under 40 0.25 mV, in women 0.15 mV"


def _depressed(_: str) -> Test:
    """Say that ST is horizontal or falls: still down by 0.05 mV, and by no less than at J, 80 ms later."""
    return All(Is("st_j_amplitude_{lead}_mv", "<=", -0.05), Is("st_j80_amplitude_{lead}_mv", "<=", -0.05))


def _inverted(_: str) -> Test:
    return All(Is("t_amplitude_{lead}_mv", "<", -0.1), Is("r_share_{lead}_ratio", ">", 0.5))


_ELEVATION = tuple(
    Finding(
        f"st_elevation_{region}", f"ST elevation of {region} ischaemia", "ischaemia",
        Criterion("j_up", _J_UP, neighbours(elevated, runs), UDMI4), UDMI4, unless=_NO_ST,
    )
    for region, runs in _REGIONS.items()
)  # fmt: skip
_ISCHAEMIA = (
    Finding(
        "ischaemic_st_depression", "ST depression of ischaemia", "ischaemia",
        Criterion(
            "depression", "horizontal or downsloping ST depression of 0.05 mV or more in two contiguous leads",
            neighbours(_depressed), UDMI4,
        ),
        UDMI4, unless=_NO_ST,
    ),
    Finding(
        "ischaemic_t_inversion", "T wave inversion of ischaemia", "ischaemia",
        Criterion(
            "inversion", "T inverted by more than 0.1 mV in two contiguous leads with R larger than S",
            neighbours(_inverted), UDMI4,
        ),
        UDMI4, unless=_NO_ST,
    ),
)  # fmt: skip
_PRIOR = (
    Finding("prior_mi_inferior", "Prior inferior infarction", "infarction", INFERIOR, UDMI4, unless=_NO_Q),
    Finding("prior_mi_anteroseptal", "Prior anteroseptal infarction", "infarction", ANTEROSEPTAL, UDMI4, unless=_NO_Q),
    Finding("prior_mi_anterior", "Prior anterior infarction", "infarction", ANTERIOR, UDMI4, unless=_NO_Q),
    Finding("prior_mi_lateral", "Prior lateral infarction", "infarction", LATERAL, UDMI4, unless=_NO_Q),
    Finding(
        "prior_mi_posterior", "Prior posterior infarction", "infarction",
        All(
            POSTERIOR,
            Criterion(
                "no_defect", "no conduction defect", Not(any_of(Has("complete_rbbb"), Has("complete_lbbb"))), UDMI4
            ),
        ),
        UDMI4, unless=_NO_Q,
    ),
)  # fmt: skip

UDMI4_PACK = Pack(
    "udmi4", "Fourth universal definition of myocardial infarction", UDMI4,
    (*_FIRST, *_ELEVATION, *_ISCHAEMIA, *_PRIOR),
)  # fmt: skip
