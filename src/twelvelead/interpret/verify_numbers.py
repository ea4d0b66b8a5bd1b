"""Numbers of a text against measured ones."""

import math

from twelvelead.interpret.case import Case
from twelvelead.interpret.claims import Claim
from twelvelead.interpret.lexicon_quantities import QTC, QUANTITIES, Quantity, dimensions
from twelvelead.interpret.verify_outcome import CONTRADICTED, SUPPORTED, UNMEASURED, UNVERIFIABLE, Outcome, outcome_of
from twelvelead.interpret.verify_readings import Reading, read_beat, read_out
from twelvelead.terms import LEADS

ABOUT = 0.05
"""A number called approximate may be wrong by 5 % beside."""
_RR = {"longest": "rr_max_ms", "shortest": "rr_min_ms"}


def check_number(claim: Claim, case: Case) -> Outcome:
    """Compare a number with what was measured.

    Parameters
    ----------
    claim : Claim
        Of a number.
    case : Case
        The recording.

    Returns
    -------
    Outcome
        Supported if it is within the measurement's tolerance and half of its own last digit; of several leads, in each
        of them, or in one where they were named as a group.
    """
    quantity = QUANTITIES.get((claim.subject, claim.unit))
    if quantity is None:
        return _unknown(claim)
    if claim.beat is not None and not claim.leads:
        readings = read_beat(case, claim.subject, claim.beat)
        return _judge_any(claim, readings, size=False) if readings else Outcome(UNMEASURED, "not measured in that beat")
    if claim.leads and quantity.lead:
        return _in_leads(claim, case, quantity)
    if not quantity.whole:
        return _somewhere(claim, case, quantity)
    return _of_recording(claim, case, quantity)


def _unknown(claim: Claim) -> Outcome:
    if not claim.subject:
        return Outcome(UNVERIFIABLE, "it isn't known what the number belongs to")
    units = sorted(dimensions(claim.subject))
    if not units:
        return Outcome(UNVERIFIABLE, "this is not a number that is measured here")
    return Outcome(CONTRADICTED, f"its unit can't be {claim.unit}; it is measured in {' or '.join(units)}")


def _of_recording(claim: Claim, case: Case, quantity: Quantity) -> Outcome:
    if claim.subject == "rr" and claim.high > claim.low:
        return _rr_range(claim, case)
    found = [read_out(case, name) for name in _meant(claim, quantity)]
    readings = [reading for reading in found if reading is not None and math.isfinite(reading.value)]
    return _judge_any(claim, readings, size=quantity.size) if readings else Outcome(UNMEASURED, "not measured here")


def _meant(claim: Claim, quantity: Quantity) -> tuple[str, ...]:
    if claim.subject == "qtc" and claim.qualifier in QTC:
        return (QTC[claim.qualifier],)
    if claim.subject == "rr" and claim.qualifier in _RR:
        return (_RR[claim.qualifier],)
    return quantity.whole


def agrees(claim: Claim, reading: Reading, *, size: bool = False) -> bool:
    """Say whether a number means a reading, within its tolerance and half of its own last digit."""
    slack = reading.tolerance + claim.step / 2 + 1e-9
    low, high, value = claim.low, claim.high, reading.value
    if size or claim.comparator == "up to":
        low, high = sorted((abs(low), abs(high)))
        reading = reading._replace(value=abs(value))
    if claim.about:
        slack += ABOUT * max(abs(low), abs(high))
    if claim.comparator == ">":
        return reading.value > low - slack
    if claim.comparator == "<":
        return reading.value < high + slack
    return (reading.difference(low, high) <= slack) is not claim.negated


def _judge_any(claim: Claim, readings: list[Reading], *, size: bool) -> Outcome:
    fitting = [reading for reading in readings if agrees(claim, reading, size=size)]
    if fitting:
        return outcome_of(SUPPORTED, "", fitting[:1])
    return outcome_of(CONTRADICTED, "measured otherwise", readings)


def _in_leads(claim: Claim, case: Case, quantity: Quantity) -> Outcome:
    names = [name for name in quantity.lead if not claim.qualifier or f"_{claim.qualifier}_" in name]
    by_lead: list[list[Reading]] = []
    for lead in claim.leads:
        found = [read_out(case, name, lead if "{lead}" in name or "_ms" not in name else None) for name in names]
        by_lead.append([reading for reading in found if reading is not None])
    known = [readings for readings in by_lead if readings]
    if not known:
        return Outcome(UNMEASURED, "not measured in these leads")
    fitting = [[r for r in readings if agrees(claim, r, size=quantity.size)][:1] for readings in known]
    enough = any(fitting) if claim.group or claim.comparator == "up to" else all(fitting)
    if enough:
        return outcome_of(SUPPORTED, "", [r for readings in fitting for r in readings])
    wrong = [readings[0] for readings, right in zip(known, fitting, strict=True) if not right]
    return outcome_of(CONTRADICTED, "measured otherwise", wrong)


def _somewhere(claim: Claim, case: Case, quantity: Quantity) -> Outcome:
    """Judge a number of a lead without its lead: it may be any."""
    found = [read_out(case, name, lead) for lead in LEADS for name in quantity.lead]
    known = [reading for reading in found if reading is not None]
    if not known:
        return Outcome(UNMEASURED, "not measured in any lead")
    fitting = [reading for reading in known if agrees(claim, reading, size=quantity.size)]
    if fitting:
        return outcome_of(UNVERIFIABLE, "it isn't said in which lead", fitting[:3])
    return outcome_of(CONTRADICTED, "in no lead", [])


def _rr_range(claim: Claim, case: Case) -> Outcome:
    ends = [read_out(case, "rr_min_ms"), read_out(case, "rr_max_ms")]
    known = [reading for reading in ends if reading is not None]
    if len(known) < 2:
        return Outcome(UNMEASURED, "fewer than two beats")
    slack = known[0].tolerance + claim.step / 2
    right = abs(known[0].value - claim.low) <= slack and abs(known[1].value - claim.high) <= slack
    return outcome_of(SUPPORTED if right else CONTRADICTED, "" if right else "measured otherwise", known)
