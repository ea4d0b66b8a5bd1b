"""The dictionary: lead names, units, error tree, measurements and table contracts. Imports nothing of ours."""

from twelvelead.terms.audits import AUDITS
from twelvelead.terms.contract import Column, Contract
from twelvelead.terms.errors import (
    ContractError,
    Error,
    FormatError,
    InputError,
    MissingExtra,
    Reason,
    StudyError,
    Unmeasurable,
)
from twelvelead.terms.measurement import Measurement
from twelvelead.terms.results import (
    CODES_USED,
    COMPARISON,
    DOMAIN,
    HYPOTHESES,
    PERFORMANCE,
    PREDICTIONS,
    REASON_AGREEMENT,
    REASON_CONCEPTS,
    REASONS,
    RECALIBRATION,
    RESULTS,
    RISKS,
    SELECTION,
    SENSITIVITY,
    SHAP,
    SHIFT,
    SUBGROUPS,
    TRANSPORT,
    TRAPS,
)
from twelvelead.terms.tables import (
    COHORT,
    EVENTS,
    FAILURES,
    FEATURES,
    FIDUCIAL_TIMES,
    FIDUCIALS,
    FINDINGS,
    FLOW,
    MACHINE,
    OUTCOMES,
    PATIENTS,
    STAYS,
    TABLES,
)

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST_LEADS = ("V1", "V2", "V3", "V4", "V5", "V6")
LEADS = LIMB_LEADS + CHEST_LEADS

UCUM = {"ms": "ms", "mV": "mV", "s": "s", "Hz": "Hz", "deg": "deg", "1/min": "/min", "1": "1", "%": "%",
        "mV*ms": "mV.ms", "mV/s": "mV/s", "1/s": "/s"}  # fmt: skip
"""House units, one per dimension, and their Unified Code for Units of Measure."""

CONTRACTS = (*TABLES, *RESULTS, *AUDITS)
"""Every table that leaves a room; documented on one page and tested as one."""

RESEARCH_ONLY = "Research software, not a medical device. Not for diagnosis or treatment."

__all__ = [
    "CHEST_LEADS",
    "CODES_USED",
    "COHORT",
    "COMPARISON",
    "CONTRACTS",
    "DOMAIN",
    "EVENTS",
    "FAILURES",
    "FEATURES",
    "FIDUCIALS",
    "FIDUCIAL_TIMES",
    "FINDINGS",
    "FLOW",
    "HYPOTHESES",
    "LEADS",
    "LIMB_LEADS",
    "MACHINE",
    "OUTCOMES",
    "PATIENTS",
    "PERFORMANCE",
    "PREDICTIONS",
    "REASONS",
    "REASON_AGREEMENT",
    "REASON_CONCEPTS",
    "RECALIBRATION",
    "RESEARCH_ONLY",
    "RISKS",
    "SELECTION",
    "SENSITIVITY",
    "SHAP",
    "SHIFT",
    "STAYS",
    "SUBGROUPS",
    "TRANSPORT",
    "TRAPS",
    "UCUM",
    "Column",
    "Contract",
    "ContractError",
    "Error",
    "FormatError",
    "InputError",
    "Measurement",
    "MissingExtra",
    "Reason",
    "StudyError",
    "Unmeasurable",
]
