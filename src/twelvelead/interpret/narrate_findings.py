"""One sentence for each finding: that it is there, that it is not, or why that can't be said."""

import re

from twelvelead.interpret.case import Case
from twelvelead.interpret.criteria import Finding, Pack
from twelvelead.interpret.engine import measured
from twelvelead.interpret.lexicon_diagnoses import narrower
from twelvelead.interpret.narrate import Statement, evidence_id, listed, sentence
from twelvelead.interpret.proof import Evidence, Interpretation, Proof, Verdict
from twelvelead.interpret.verify_diagnoses import meaning

SHOWN = 6
"""So many numbers are told in one sentence; the ids name all."""
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
        hint = " (borderline: a number lies within its own error of the limit)" if proof.borderline else ""
        denial = "Not a" if finding.key == "normal_ecg" else "No"
        text = f"{denial} {small(finding.label)}{hint}."
        return Statement(text, basis(proof, case), "absent", finding.key, finding.group)
    text = f"{finding.label} can't be judged: {plain(proof.why) or 'its criteria are undecided'}."
    return Statement(text, basis(proof, case), "indeterminate", finding.key, finding.group)


def _present(finding: Finding, proof: Proof, case: Case) -> Statement:
    numbers = telling(proof)[:SHOWN]
    hint = ", borderline: a number lies within its own error of the limit" if proof.borderline else ""
    told = [" (", *listed(numbers), ")"] if numbers else []
    text, facts = sentence(finding.label, *told, f"{hint}.")
    return Statement(text, basis(proof, case), "present", finding.key, finding.group, facts)


def telling(proof: Proof) -> list[Evidence]:
    """Give the numbers with a unit that a verdict rests on, the ones in leads last."""
    numbers = [e for e in measured(proof) if e.unit in _UNITS]
    return sorted({e.name: e for e in numbers}.values(), key=lambda e: e.lead is not None)


def basis(proof: Proof, case: Case) -> tuple[str, ...]:
    """Give the ids of what a verdict rests on; of one that lacks its numbers, of what there is, the beats at least."""
    found = measured(proof) or proof.all_evidence()
    names = dict.fromkeys(e.name for e in found) or {"beat_count": None}
    return tuple(evidence_id(name) for name in names if name in case.values)


def small(label: str) -> str:
    """Begin a label with a small letter, unless its first word is a symbol.

    Examples
    --------
    >>> small("Left axis deviation"), small("ST elevation"), small("T wave inversion"), small("J point")
    ('left axis deviation', 'ST elevation', 'T wave inversion', 'J point')
    """
    first = label.split(" ", maxsplit=1)[0]
    return label if len(first) == 1 or first.isupper() else label[:1].lower() + label[1:]


def plain(why: str) -> str:
    """Write the names of measurements in a reason as words.

    Examples
    --------
    >>> plain("pr_interval_ms could not be measured")
    'pr interval could not be measured'
    """
    return re.sub(
        r"\b([a-z0-9]+(?:_[a-z0-9]+)+)_(?:ms|mv|bpm|deg|mvms|mvs|ratio|share|count|probability)\b",
        lambda m: m[1].replace("_", " "),
        why,
    )


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
