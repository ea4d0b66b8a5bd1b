"""Stepwise reasoning: each criterion, what was measured, whether it is met; and the list of what follows."""

from collections.abc import Iterator

from twelvelead.interpret.case import Case
from twelvelead.interpret.criteria import Pack
from twelvelead.interpret.engine import small
from twelvelead.interpret.narrate import Statement, listed, sentence
from twelvelead.interpret.narrate_findings import SHOWN, basis, is_said_otherwise, tell, telling
from twelvelead.interpret.narrate_report import impression
from twelvelead.interpret.proof import Interpretation, Proof, Verdict


def steps(case: Case, pack: Pack, found: Interpretation) -> tuple[Statement, ...]:
    """Tell how each finding was decided.

    Parameters
    ----------
    case : Case
        The recording.
    pack : Pack
        The criteria.
    found : Interpretation
        What they came to.

    Returns
    -------
    tuple of Statement
        For each finding its criteria, as criterion, measured numbers and verdict, then the verdict of the finding; the
        list of the findings that are present last. Of a finding that is absent, the first criterion that fails.
    """
    statements: list[Statement] = []
    for finding in pack.findings:
        proof = found.findings[finding.key]
        statements += _criteria(finding.key, proof, case)
        if not is_said_otherwise(finding, pack, found):
            statements.append(tell(finding, proof, case))
    return (*statements, *impression([s for s in statements if s.finding and not s.section.startswith("step")]))


def _criteria(key: str, proof: Proof, case: Case) -> list[Statement]:
    own = list(_outermost(proof))
    if proof.verdict is Verdict.NOT_MET:
        own = [part for part in own if part.verdict is Verdict.NOT_MET][:1]
    return [_step(key, part, case) for part in own]


def _outermost(proof: Proof) -> Iterator[Proof]:
    """Give the criteria, or the other findings, that a finding is made of; not what these are made of."""
    for part in proof.parts:
        if part.source:
            yield part
        else:
            yield from _outermost(part)


def _step(key: str, part: Proof, case: Case) -> Statement:
    numbers = telling(part)[:SHOWN]
    shown = ["measured ", *listed(numbers), "; "] if numbers else []
    borderline = ", borderline" if part.borderline else ""
    text, facts = sentence(
        f"Criterion: {small(part.text).replace(';', ',')}; ", *shown, f"{part.verdict.value}{borderline}."
    )
    return Statement(text, basis(part, case), "measured", key, "step", facts)
