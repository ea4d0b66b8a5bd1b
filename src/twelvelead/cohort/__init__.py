"""Who, when, what happened: tables in, tables out. Knows no signal."""

from twelvelead.cohort.answers import Answers, find_answers, find_outcome, find_outcomes, relevant_events
from twelvelead.cohort.codes import CodeRule, add_ancestors, count_unmapped, map_codes, normalise_codes
from twelvelead.cohort.demographics import add_age
from twelvelead.cohort.eligibility import Eligibility, select_eligible
from twelvelead.cohort.flow import count_events, count_step
from twelvelead.cohort.frequency import count_codes, frequent_in_folds
from twelvelead.cohort.laboratory import ANALYTES, count_units, harmonise_units, main_fluids
from twelvelead.cohort.linkage import link_stays
from twelvelead.cohort.outcome import Outcome
from twelvelead.cohort.split import assign_folds, check_disjoint, published_folds
from twelvelead.cohort.xray import pair_xrays

__all__ = [
    "ANALYTES",
    "Answers",
    "CodeRule",
    "Eligibility",
    "Outcome",
    "add_age",
    "add_ancestors",
    "assign_folds",
    "check_disjoint",
    "count_codes",
    "count_events",
    "count_step",
    "count_units",
    "count_unmapped",
    "find_answers",
    "find_outcome",
    "find_outcomes",
    "frequent_in_folds",
    "harmonise_units",
    "link_stays",
    "main_fluids",
    "map_codes",
    "normalise_codes",
    "pair_xrays",
    "published_folds",
    "relevant_events",
    "select_eligible",
]
