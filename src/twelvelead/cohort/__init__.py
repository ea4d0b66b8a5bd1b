"""Who, when, what happened: tables in, tables out. Knows no signal."""

from twelvelead.cohort.eligibility import Eligibility, select_eligible
from twelvelead.cohort.flow import count_step
from twelvelead.cohort.outcome import Outcome, find_outcome
from twelvelead.cohort.split import assign_folds, check_disjoint

__all__ = [
    "Eligibility",
    "Outcome",
    "assign_folds",
    "check_disjoint",
    "count_step",
    "find_outcome",
    "select_eligible",
]
