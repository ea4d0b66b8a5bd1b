"""Check what a text says of an ECG against what was measured, claim by claim."""

from collections.abc import Sequence
from dataclasses import dataclass

from twelvelead.interpret.case import Case
from twelvelead.interpret.claims import Claim, find_claims
from twelvelead.interpret.consistency import clashes
from twelvelead.interpret.proof import Interpretation
from twelvelead.interpret.verify_diagnoses import check_diagnosis, check_label, proofs_by_meaning, with_findings
from twelvelead.interpret.verify_numbers import check_number
from twelvelead.interpret.verify_outcome import CONTRADICTED, SUPPORTED, UNMEASURED, UNVERIFIABLE, Outcome, Standing
from twelvelead.interpret.verify_words import check_word

__all__ = ["CONTRADICTED", "SUPPORTED", "UNMEASURED", "UNVERIFIABLE", "Checked", "Standing", "verify"]


@dataclass(frozen=True)
class Checked:
    """A claim with what became of it.

    Parameters
    ----------
    said : str
        The words of the text.
    start, end : int
        Where they stand, in characters.
    kind : str
        number, word, diagnosis, finding; or consistency, where the text contradicts itself.
    standing : Standing
        Supported, contradicted, unverifiable (nothing known decides it, or it is too close to a limit), or unmeasured
        (it could be decided, but the number is missing in this recording).
    measured : str
        The measured values, with units.
    tolerance : str
        How far a number may be from them, and why.
    why : str
        The reason.
    evidence : tuple of str
        Ids of the measurements, which `resolve` turns into numbers with their places.
    claim : Claim or None
        What was understood.
    """

    said: str
    start: int
    end: int
    kind: str
    standing: Standing
    measured: str = ""
    tolerance: str = ""
    why: str = ""
    evidence: tuple[str, ...] = ()
    claim: Claim | None = None


def verify(text: str, case: Case, interpretation: Interpretation | Sequence[Interpretation] = ()) -> list[Checked]:
    """Check each claim of a text, and the text against itself.

    Parameters
    ----------
    text : str
        A report in English, of anyone.
    case : Case
        The recording, measured.
    interpretation : Interpretation, or several
        Findings by which diagnoses are decided.

    Returns
    -------
    list of Checked
        In the order of the text; contradictions of the text with itself last.
    """
    interpretations = (interpretation,) if isinstance(interpretation, Interpretation) else tuple(interpretation)
    meanings = proofs_by_meaning(interpretations)
    claims = find_claims(text, tuple(meanings.labels))
    checked = []
    for claim in claims:
        match claim.kind:
            case "number":
                outcome = check_number(claim, case)
            case "word":
                outcome = with_findings(claim, check_word(claim, case), meanings)
            case "diagnosis":
                outcome = check_diagnosis(claim, case, meanings)
            case _:
                outcome = check_label(claim, meanings)
        checked.append(_join(text, claim, outcome))
    found = clashes(claims, case)
    return checked + [
        Checked(text[c.start : c.end], c.start, c.end, "consistency", CONTRADICTED, why=c.why) for c in found
    ]


def _join(text: str, claim: Claim, outcome: Outcome) -> Checked:
    standing, why = outcome.standing, outcome.why
    if claim.hedged and standing is CONTRADICTED:
        standing, why = UNVERIFIABLE, f"said as possible only; {why}"
    return Checked(
        text[claim.start : claim.end], claim.start, claim.end, claim.kind, standing, outcome.measured,
        outcome.tolerance, why, tuple(f"m:{name}" for name in outcome.names), claim,
    )  # fmt: skip
