"""Diagnoses of a text against the findings of criteria packs."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from twelvelead.interpret.case import Case
from twelvelead.interpret.claims import Claim, find_claims
from twelvelead.interpret.engine import measured
from twelvelead.interpret.lexicon_diagnoses import CONCEPTS, SAME, narrower
from twelvelead.interpret.proof import Interpretation, Proof, Verdict
from twelvelead.interpret.verify_outcome import CONTRADICTED, SUPPORTED, UNVERIFIABLE, Outcome, unique
from twelvelead.interpret.verify_words import check_word

MET, NOT_MET, INDETERMINATE = Verdict.MET, Verdict.NOT_MET, Verdict.INDETERMINATE


class Meanings(NamedTuple):
    """Proofs by what they are of: diagnoses, words bound to limits, and labels that are neither."""

    diagnoses: dict[str, list[Proof]]
    words: dict[str, list[Proof]]
    labels: dict[str, list[Proof]]


@lru_cache(maxsize=4096)
def meaning(label: str) -> tuple[str, str]:
    """Say what a finding's label is: kind and subject of the claim that it makes, as a text.

    Examples
    --------
    >>> meaning("Left anterior fascicular block"), meaning("ST elevation"), meaning("Something else")
    (('diagnosis', 'lafb'), ('word', 'st up'), ('finding', 'something else'))
    """
    claims = find_claims(label)
    found = [c for c in claims if c.kind == "diagnosis"] or [c for c in claims if c.kind == "word" and not c.leads]
    return (found[0].kind, found[0].subject) if found else ("finding", label.lower())


@lru_cache(maxsize=4096)
def is_whole(label: str) -> bool:
    """Say whether a label is nothing but the name of one diagnosis, or of a wave with a word about it.

    Examples
    --------
    >>> is_whole("Left anterior fascicular block"), is_whole("P waves from the sinus node")
    (True, False)
    """
    claims = find_claims(label)
    return len(claims) == 1 and ((claims[0].start, claims[0].end) == (0, len(label)) or claims[0].kind == "word")


def proofs_by_meaning(interpretations: Sequence[Interpretation]) -> Meanings:
    """Sort the findings of interpretations by what a text would call them."""
    found = Meanings({}, {}, {})
    for interpretation in interpretations:
        for proof in interpretation.findings.values():
            kind, subject = meaning(proof.text)
            table = {"diagnosis": found.diagnoses, "word": found.words}.get(kind, found.labels)
            table.setdefault(subject, []).append(proof)
            if table is not found.labels and not is_whole(proof.text):
                found.labels.setdefault(proof.text.lower(), []).append(proof)
    return found


def check_label(claim: Claim, meanings: Meanings) -> Outcome:
    """Judge a finding that is called by its label."""
    return _decide(claim, meanings.labels[claim.subject])


def check_diagnosis(claim: Claim, case: Case, meanings: Meanings) -> Outcome:
    """Judge a diagnosis by the findings that mean it or a kind of it; by measurements where there is none.

    Parameters
    ----------
    claim : Claim
        Of a diagnosis.
    case : Case
        The recording.
    meanings : Meanings
        Its findings.

    Returns
    -------
    Outcome
        Contradicted only if the finding is decided otherwise whatever the errors of the measurements it rests on.
    """
    key = claim.subject
    feature = CONCEPTS[key].feature
    exact = key in meanings.diagnoses
    if exact or feature is None:
        proofs = [proof for name in sorted(narrower(key)) for proof in meanings.diagnoses.get(name, ())]
        if proofs:
            return _decide(claim, proofs)
    same = dict(SAME).get(key)
    if same is not None and (same in meanings.diagnoses or CONCEPTS[same].feature):
        first = check_diagnosis(_as(claim, same), case, meanings)
        if feature is None or first.standing is CONTRADICTED:
            return first
        second = check_word(_as(claim, " ".join(feature)), case)
        return second if second.standing is CONTRADICTED and not claim.negated else first
    if feature is not None:
        return check_word(_as(claim, " ".join(feature)), case)
    return Outcome(UNVERIFIABLE, "no criterion of it is judged here")


def with_findings(claim: Claim, outcome: Outcome, meanings: Meanings) -> Outcome:
    """Let the finding that means a word have its say, where no leads are named."""
    proofs = meanings.words.get(claim.subject, [])
    if not proofs or claim.leads:
        return outcome
    decided = _decide(claim, proofs)
    if decided.standing is SUPPORTED or outcome.standing is decided.standing:
        return decided
    if CONTRADICTED in (decided.standing, outcome.standing) and SUPPORTED in (decided.standing, outcome.standing):
        return Outcome(
            UNVERIFIABLE, "seen, but below the criterion", outcome.measured, outcome.tolerance, outcome.names
        )
    return decided if decided.standing is CONTRADICTED else outcome


def _as(claim: Claim, subject: str) -> Claim:
    return Claim("word", subject, claim.start, claim.end, negated=claim.negated, hedged=claim.hedged)


def _decide(claim: Claim, proofs: Sequence[Proof]) -> Outcome:
    verdict, firm = _any(p.verdict for p in proofs), _any(p.firm for p in proofs)
    chosen = next((p for p in proofs if p.verdict is verdict), proofs[0])
    names = unique(e.name for e in measured(chosen)[:12])
    if verdict is INDETERMINATE:
        return Outcome(UNVERIFIABLE, f"it can't be decided: {chosen.why}", names=names)
    said = f"criteria {verdict.value}: {chosen.text}"
    if (verdict is MET) is not claim.negated:
        return Outcome(SUPPORTED, said, names=names)
    if firm is not verdict:
        return Outcome(UNVERIFIABLE, f"{said}, but within the error of a measurement", names=names)
    return Outcome(CONTRADICTED, said, names=names)


def _any(verdicts: object) -> Verdict:
    found = set(verdicts)  # type: ignore[call-overload]
    return MET if MET in found else (INDETERMINATE if INDETERMINATE in found else NOT_MET)
