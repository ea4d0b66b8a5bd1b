"""Words that are bound to limits, as "prolonged PR", against measured numbers."""

from collections.abc import Sequence

from twelvelead.interpret.case import Case
from twelvelead.interpret.claims import Claim
from twelvelead.interpret.lexicon_features import FEATURES, Feature
from twelvelead.interpret.verify_outcome import (
    CONTRADICTED,
    SUPPORTED,
    UNMEASURED,
    UNVERIFIABLE,
    Outcome,
    Standing,
    outcome_of,
)
from twelvelead.interpret.verify_readings import Reading, is_of_a_lead, read_out
from twelvelead.terms import LEADS

EVERYWHERE = (("st", "isoelectric"), ("t", "upright"), ("p", "upright"), ("qrs", "upright"))
"""What is said of all leads where none is named; everything else is said of some."""


def check_word(claim: Claim, case: Case) -> Outcome:
    """Compare a word with what was measured.

    Parameters
    ----------
    claim : Claim
        Of a word.
    case : Case
        The recording.

    Returns
    -------
    Outcome
        Whoever says a word is contradicted if the number is outside its loose range by more than its tolerance; whoever
        denies it, if the number is inside the strict range by more than that. Of leads named one by one each counts; of
        a group, two; with no lead named, one is enough to say it, and two are needed to contradict its denial.
    """
    wave, adjective = claim.subject.split(" ")
    feature = FEATURES[wave, adjective]
    if not is_of_a_lead(feature.measure):
        reading = read_out(case, feature.measure)
        if reading is None:
            return Outcome(UNMEASURED, "not measured here")
        wrong = _against(feature, reading, negated=claim.negated)
        return outcome_of(
            CONTRADICTED if wrong else SUPPORTED, _limit(feature, None, claim) if wrong else "", [reading]
        )
    if claim.leads:
        return _named(claim, feature, case)
    return _unnamed(claim, feature, case)


def _limit(feature: Feature, lead: str | None, claim: Claim) -> str:
    loose, strict = feature.ranges(lead)
    low, high = strict if claim.negated else loose
    return f"the word stands for {low:g} to {high:g} ({feature.source})"


def _against(feature: Feature, reading: Reading, *, negated: bool) -> bool:
    loose, strict = feature.ranges(reading.lead)
    if negated:
        return reading.inside(*_open(strict))
    return reading.difference(*_open(loose)) > reading.tolerance + 1e-9


def _open(ends: tuple[float, float]) -> tuple[float, float]:
    """Leave a range that begins at nothing open to that side."""
    return (-1e9 if ends[0] == 0 and ends[1] < 1e9 else ends[0], ends[1])


def _named(claim: Claim, feature: Feature, case: Case) -> Outcome:
    found = [read_out(case, feature.measure, lead) for lead in claim.leads]
    known = [reading for reading in found if reading is not None]
    if not known:
        return Outcome(UNMEASURED, "not measured in these leads")
    wrong = [reading for reading in known if _against(feature, reading, negated=claim.negated)]
    right = [reading for reading in known if reading not in wrong]
    if not wrong:
        return outcome_of(SUPPORTED, "", known)
    why = _limit(feature, wrong[0].lead, claim)
    if not claim.group:
        return outcome_of(CONTRADICTED, why, wrong)
    if claim.negated:
        return outcome_of(CONTRADICTED if len(wrong) > 1 else UNVERIFIABLE, why, wrong)
    return (
        outcome_of(SUPPORTED, "", right) if len(right) >= min(2, len(known)) else outcome_of(CONTRADICTED, why, wrong)
    )


def _unnamed(claim: Claim, feature: Feature, case: Case) -> Outcome:
    found = [read_out(case, feature.measure, lead) for lead in LEADS if lead not in feature.silent]
    known = [reading for reading in found if reading is not None]
    if not known:
        return Outcome(UNMEASURED, "not measured in any lead")
    wave, adjective = claim.subject.split(" ")
    if (wave, adjective) in EVERYWHERE:
        return _everywhere(claim, feature, known)
    surely = [r for r in known if _against(feature, r, negated=True)]
    maybe = [r for r in known if _may(feature, r)]
    if claim.negated:
        standing = CONTRADICTED if len(surely) > 1 else (UNVERIFIABLE if surely else SUPPORTED)
        return outcome_of(standing, "" if standing is SUPPORTED else "seen in these leads", surely or known[:1])
    inside = [r for r in known if r.difference(*_open(feature.ranges(r.lead)[1])) == 0]
    if inside:
        return outcome_of(SUPPORTED, "", inside)
    standing = UNVERIFIABLE if maybe else CONTRADICTED
    return outcome_of(standing, "too close to the limit" if maybe else "in no lead", maybe)


def _may(feature: Feature, reading: Reading) -> bool:
    """Say whether a number may lie in the strict range, as far as its tolerance goes."""
    return reading.difference(*_open(feature.ranges(reading.lead)[1])) <= reading.tolerance


def _everywhere(claim: Claim, feature: Feature, known: Sequence[Reading]) -> Outcome:
    out = [r for r in known if _against(feature, r, negated=False)]
    if claim.negated:
        return outcome_of(SUPPORTED if out else UNVERIFIABLE, "" if out else "it isn't said where", out)
    standing: Standing = CONTRADICTED if len(out) > 1 else (UNVERIFIABLE if out else SUPPORTED)
    return outcome_of(standing, "otherwise in these leads" if out else "", out)
