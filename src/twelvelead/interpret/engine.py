"""From measurements to findings: each test of a pack is decided with its reasons, in three values."""

import math
import operator
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from twelvelead.interpret.case import Case, in_lead
from twelvelead.interpret.criteria import (
    All,
    AtLeast,
    ByPerson,
    Criterion,
    Finding,
    Has,
    InLeads,
    Is,
    Not,
    Pack,
    Share,
    Test,
)
from twelvelead.interpret.proof import Evidence, Interpretation, Proof, Verdict

MET, NOT_MET, INDETERMINATE = Verdict.MET, Verdict.NOT_MET, Verdict.INDETERMINATE
_COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


IN = "it can't be judged in "
"""Begins the reason of what another finding makes meaningless."""


def small(label: str) -> str:
    """Begin a label with a small letter, unless its first word is a symbol.

    Examples
    --------
    >>> small("Left axis deviation"), small("ST elevation"), small("T wave inversion"), small("J point")
    ('left axis deviation', 'ST elevation', 'T wave inversion', 'J point')
    """
    first = label.split(" ", maxsplit=1)[0]
    return label if len(first) == 1 or first.isupper() else label[:1].lower() + label[1:]


class _Scene(NamedTuple):
    """Where a test stands: the case, the lead around it, and the findings decided before."""

    case: Case
    lead: str | None
    found: Mapping[str, Proof]


def judge(case: Case, pack: Pack) -> Interpretation:
    """Decide every finding of a pack.

    Parameters
    ----------
    case : Case
        One recording, measured.
    pack : Pack
        Criteria.

    Returns
    -------
    Interpretation
        A proof for each finding.
    """
    found: dict[str, Proof] = {}
    for finding in pack.findings:
        found[finding.key] = _find(finding, _Scene(case, None, found))
    return Interpretation(case.recording.id, pack.key, found)


def _find(finding: Finding, scene: _Scene) -> Proof:
    """Decide a finding; what makes it meaningless, if it holds, is what its being indeterminate rests on."""
    proof = _decide(finding.test, scene)
    verdict, firm, why = proof.verdict, proof.firm, proof.why
    others = [scene.found[key] for key in finding.unless]
    in_the_way = [other for other in others if other.verdict is MET]
    if in_the_way:
        names = ", ".join(small(p.text) for p in in_the_way)
        verdict, why = INDETERMINATE, f"{IN}{names}"
    if any(other.firm is not NOT_MET for other in others):
        firm = INDETERMINATE
    return Proof(finding.label, verdict, firm, finding.key, why, finding.source, (*in_the_way, proof))


def _decide(test: Test, scene: _Scene) -> Proof:  # noqa: PLR0911 - a return for each kind of test
    match test:
        case Is():
            return _compare(test, scene)
        case All(parts):
            return _count([_decide(part, scene) for part in parts], len(parts), "all of")
        case AtLeast(count, parts):
            return _count([_decide(part, scene) for part in parts], count, f"at least {count} of")
        case InLeads():
            return _in_leads(test, scene)
        case Not(part):
            return _negate(_decide(part, scene))
        case Has(key):
            other = scene.found[key]
            why = other.why and f"{small(other.text)}: {other.why}"
            return Proof(other.text, other.verdict, other.firm, why=why, parts=(other,))
        case Criterion():
            proof = _decide(test.test, scene)
            return Proof(test.text, proof.verdict, proof.firm, test.key, proof.why, test.source, (proof,))


def _compare(test: Is, scene: _Scene) -> Proof:
    """Decide one comparison."""
    name = test.name if scene.lead is None else in_lead(test.name, scene.lead)
    evidence = scene.case.evidence(name)
    if evidence is None:
        text = f"{name} {test.comparator} {_say(test.limit, scene)}"
        return Proof(text, INDETERMINATE, INDETERMINATE, why=f"{name} could not be measured")
    limits, beside = _limits(test, scene)
    if not limits:
        text = f"{name} {test.comparator} {_say(test.limit, scene)}"
        why = f"{beside} could not be measured" if beside else "there is no limit for this sex and age"
        return Proof(text, INDETERMINATE, INDETERMINATE, why=why, evidence=(evidence,))
    unit = "" if evidence.unit == "1" else f" {evidence.unit}"
    text = f"{name} {test.comparator} {' or '.join(f'{limit:g}' for limit in sorted(set(limits)))}{unit}"
    other = scene.case.evidence(beside) if beside else None
    verdicts = {_verdict(test, evidence.value, limit, scene) for limit in limits}
    verdict = verdicts.pop() if len(verdicts) == 1 else INDETERMINATE
    why = "" if verdict is not INDETERMINATE else "the limit depends on sex and age, which are not known"
    error = _error(evidence, other, test.limit)
    near = error is not None and any(abs(evidence.value - limit) <= error for limit in limits)
    firm = INDETERMINATE if near else verdict
    return Proof(text, verdict, firm, why=why, evidence=(evidence,) if other is None else (evidence, other))


def _error(evidence: Evidence, other: Evidence | None, limit: object) -> float | None:
    """Give the error of a value against its limit: of both, where the limit is measured as well."""
    times = limit.times if isinstance(limit, Share) else 0.0
    errors = [e for e in (evidence.error, other.error and times * other.error if other else None) if e is not None]
    return math.hypot(*errors) if errors else None


def _verdict(test: Is, value: float, limit: float, scene: _Scene) -> Verdict:
    compare = _COMPARE[test.comparator]
    if not compare(value, limit):
        return NOT_MET
    if test.beats:
        beats = scene.case.by_beat(test.name)
        known = beats[np.isfinite(beats)]
        if known.size and compare(known, limit).mean() < test.beats:
            return NOT_MET
    return MET


def _limits(test: Is, scene: _Scene) -> tuple[list[float], str]:
    """Give every limit that may apply; and the measurement that it is a multiple of, if it is."""
    limit = test.limit
    if isinstance(limit, ByPerson):
        return _of_person(limit, scene.case), ""
    if isinstance(limit, Share):
        name = limit.name if scene.lead is None else in_lead(limit.name, scene.lead)
        value = scene.case.values[name]
        return [limit.times * value] if math.isfinite(value) else [], name
    return [limit], ""


def _of_person(limit: ByPerson, case: Case) -> list[float]:
    """Give the limit of the first row that fits for certain, and of those before it that may fit."""
    limits = []
    for sex, start, end, value in limit.rows:
        age = case.age_years
        may = (sex is None or case.sex in (None, sex)) and (age is None or start <= age < end)
        if may:
            limits.append(value)
        if may and (sex is None or case.sex is not None) and (age is not None or (start <= 0 and math.isinf(end))):
            break
    return limits


def _say(limit: object, scene: _Scene) -> str:
    match limit:
        case Share(name, times):
            return f"{times:g} × {name if scene.lead is None else in_lead(name, scene.lead)}"
        case ByPerson():
            return "the limit for sex and age"
        case _:
            return f"{limit:g}"


def _in_leads(test: InLeads, scene: _Scene) -> Proof:
    parts = [_decide(test.test, scene._replace(lead=lead)) for lead in test.leads]
    named = [_of_lead(part, lead) for part, lead in zip(parts, test.leads, strict=True)]
    count = f"at least {test.at_least} of {', '.join(test.leads)}"
    if not test.contiguous:
        return _count(named, test.at_least, f"at least {test.at_least} leads of")
    runs = [_tally([p.verdict for p in named[k : k + test.at_least]], test.at_least) for k in _starts(test)]
    firm = [_tally([p.firm for p in named[k : k + test.at_least]], test.at_least) for k in _starts(test)]
    verdict = _tally(runs, 1)
    why = _why(named) if verdict is INDETERMINATE else ""
    return Proof(f"neighbours, {count}", verdict, _tally(firm, 1), why=why, parts=tuple(named))


def _starts(test: InLeads) -> range:
    return range(len(test.leads) - test.at_least + 1)


def _of_lead(proof: Proof, lead: str) -> Proof:
    return Proof(f"lead {lead}", proof.verdict, proof.firm, why=proof.why, parts=(proof,))


def _negate(proof: Proof) -> Proof:
    turned = {MET: NOT_MET, NOT_MET: MET, INDETERMINATE: INDETERMINATE}
    return Proof(f"not: {proof.text}", turned[proof.verdict], turned[proof.firm], why=proof.why, parts=(proof,))


def _count(parts: Sequence[Proof], least: int, words: str) -> Proof:
    verdict = _tally([p.verdict for p in parts], least)
    text = f"{words} {len(parts)}"
    why = _why(parts) if verdict is INDETERMINATE else ""
    return Proof(text, verdict, _tally([p.firm for p in parts], least), why=why, parts=tuple(parts))


def _tally(verdicts: Sequence[Verdict], least: int) -> Verdict:
    """Say whether enough hold, whatever the unknown ones are."""
    met = sum(v is MET for v in verdicts)
    if met >= least:
        return MET
    return INDETERMINATE if met + sum(v is INDETERMINATE for v in verdicts) >= least else NOT_MET


def _why(parts: Sequence[Proof]) -> str:
    return "; ".join(dict.fromkeys(p.why for p in parts if p.verdict is INDETERMINATE and p.why))


def measured(proof: Proof, *, denied: bool = True) -> tuple[Evidence, ...]:
    """Give the numbers that a verdict rests on: those of the parts that have the same verdict, all the way down.

    Where no part has it, as under a negation or behind what can't be judged, those of all parts, or, without `denied`,
    none.
    """
    found: dict[tuple[str, float], Evidence] = {}
    _gather(proof, found, denied=denied)
    return tuple(found.values())


def _gather(proof: Proof, found: dict[tuple[str, float], Evidence], *, denied: bool) -> None:
    for evidence in proof.evidence:
        found.setdefault((evidence.name, evidence.value), evidence)
    same = [part for part in proof.parts if part.verdict is proof.verdict]
    for part in same or (proof.parts if denied else ()):
        _gather(part, found, denied=denied)
