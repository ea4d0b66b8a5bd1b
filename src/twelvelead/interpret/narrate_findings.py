"""One sentence for each finding: that it is there, that it is not, or why that can't be said."""

import re

from twelvelead.interpret.case import Case
from twelvelead.interpret.criteria import Finding, Pack
from twelvelead.interpret.engine import IN, measured, small
from twelvelead.interpret.lexicon_diagnoses import narrower
from twelvelead.interpret.narrate import Statement, evidence_id, listed, sentence
from twelvelead.interpret.narrate_words import name_of
from twelvelead.interpret.proof import Evidence, Interpretation, Proof, Verdict
from twelvelead.interpret.verify_diagnoses import meaning
from twelvelead.terms import LEADS

SHOWN = 6
"""So many numbers are told in one sentence; the ids name all."""
_NEAR = "a number lies within its own error of the limit"
_ELSEWHERE = "a finding in which it can't be judged is not firmly ruled out"
_NAME = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+_(?:ms|mv|bpm|deg|mvms|mvs|ratio|share|count|probability)\b")
_UNITS = ("ms", "mV", "1/min", "deg", "mV*ms")


def tell(finding: Finding, proof: Proof, case: Case) -> Statement:
    """Say what became of a finding.

    Parameters
    ----------
    finding : Finding
        Of the pack.
    proof : Proof
        Its verdict.
    case : Case
        The recording.

    Returns
    -------
    Statement
        With the numbers that the verdict rests on, where it is met.
    """
    if proof.verdict is Verdict.MET:
        return _present(finding, proof, case)
    if proof.verdict is Verdict.NOT_MET:
        hint = f" (borderline: {_NEAR})" if _own(proof).borderline else ""
        denial = "Not a" if finding.key == "normal_ecg" else "No"
        text = f"{denial} {small(finding.label)}{hint}."
        return Statement(text, basis(proof, case), "absent", finding.key, finding.group)
    why = plain(proof.why) or "its criteria are undecided"
    text = f"{finding.label} can't be judged{f' in {why[len(IN) :]}' if why.startswith(IN) else f': {why}'}."
    return Statement(text, basis(proof, case), "indeterminate", finding.key, finding.group)


def _present(finding: Finding, proof: Proof, case: Case) -> Statement:
    numbers = telling(proof)[:SHOWN]
    hint = f", borderline: {_NEAR if _own(proof).borderline else _ELSEWHERE}" if proof.borderline else ""
    told = [" (", *listed(numbers), ")"] if numbers else []
    text, facts = sentence(finding.label, *told, f"{hint}.")
    return Statement(text, basis(proof, case), "present", finding.key, finding.group, facts)


def _own(proof: Proof) -> Proof:
    """Give what a finding's own criteria came to, whatever may make them meaningless."""
    return proof.parts[-1] if proof.parts else proof


def telling(proof: Proof) -> list[Evidence]:
    """Give the numbers with a unit that a verdict rests on, the ones in leads last.

    Of what is ruled out only where there is nothing else: sinus rhythm does not rest on a narrow QRS.
    """
    numbers = [e for e in measured(proof, denied=False) or measured(proof) if e.unit in _UNITS]
    return sorted({e.name: e for e in numbers}.values(), key=lambda e: e.lead is not None)


def basis(proof: Proof, case: Case) -> tuple[str, ...]:
    """Give the ids of what a verdict rests on; of one that lacks its numbers, of what there is, the beats at least."""
    found = measured(proof) or proof.all_evidence()
    names = dict.fromkeys(e.name for e in found) or {"beat_count": None}
    return tuple(evidence_id(name) for name in names if name in case.values)


def plain(why: str) -> str:
    """Write the names of measurements in a reason as words.

    Examples
    --------
    >>> plain("pr_interval_ms could not be measured; u_amplitude_v2_mv could not be measured")
    'PR interval could not be measured; U-wave amplitude in V2 could not be measured'
    """
    return _NAME.sub(lambda found: _in_words(found[0]), why)


def _in_words(name: str) -> str:
    lead = next((lead for lead in LEADS if f"_{lead.lower()}_" in name), None)
    return name_of(name, lead) + (f" in {lead}" if lead else "")


def told(case: Case, pack: Pack, found: Interpretation) -> list[Statement]:
    """Tell every finding of a pack, in the pack's order, but for denials of what another finding says."""
    return [
        tell(finding, found.findings[finding.key], case)
        for finding in pack.findings
        if not is_said_otherwise(finding, pack, found)
    ]


def is_said_otherwise(finding: Finding, pack: Pack, found: Interpretation) -> bool:
    """Say whether a finding is absent while another one that is there means the same to a reader, or a kind of it.

    "No sinus rhythm" would be misread in sinus bradycardia, and "no hypertrophy" where other criteria of it are met.
    """
    if found.findings[finding.key].verdict is not Verdict.NOT_MET:
        return False
    kind, subject = meaning(finding.label)
    same = narrower(subject) if kind == "diagnosis" else {subject}
    there = [meaning(f.label) for f in pack.findings if found.findings[f.key].verdict is Verdict.MET]
    return any(other == kind and its in same for other, its in there)
