"""How true a text is, in five numbers, with no other text or model to compare it with."""

from collections.abc import Sequence
from dataclasses import dataclass

from twelvelead.interpret.case import Case
from twelvelead.interpret.criteria import Pack
from twelvelead.interpret.lexicon_diagnoses import CONCEPTS
from twelvelead.interpret.lexicon_features import FEATURES
from twelvelead.interpret.proof import Interpretation
from twelvelead.interpret.verify import CONTRADICTED, SUPPORTED, UNVERIFIABLE, Checked
from twelvelead.interpret.verify_diagnoses import meaning
from twelvelead.interpret.verify_readings import is_of_a_lead, read_out
from twelvelead.terms import LEADS

NORMAL = ("sinus", "normal_sinus", "normal_ecg")
"""Findings that are not abnormal."""


@dataclass(frozen=True)
class Scores:
    """What a text is worth; None where there is nothing to count.

    Parameters
    ----------
    n_claims : int
        How many claims were found.
    numeric_precision : float or None
        Of the numbers that were measured, the share that is right.
    contradiction_rate : float or None
        Of all claims, the share that is contradicted; each contradiction of the text with itself counts as a claim.
    unsupported_rate : float or None
        Of all claims, the share that nothing supports: unverifiable or contradicted.
    omission_rate : float or None
        Of the abnormal findings that are there, the share that the text does not name.
    lead_f1 : float or None
        Of the words that it says of leads: F1 between the leads named and those where the word holds.
    """

    n_claims: int
    numeric_precision: float | None
    contradiction_rate: float | None
    unsupported_rate: float | None
    omission_rate: float | None
    lead_f1: float | None


def score(checked: Sequence[Checked], case: Case, judged: Sequence[tuple[Pack, Interpretation]]) -> Scores:
    """Count what became of a text's claims.

    Parameters
    ----------
    checked : sequence of Checked
        From `verify`.
    case : Case
        The recording.
    judged : sequence of (Pack, Interpretation)
        The findings, for what the text omits.

    Returns
    -------
    Scores
    """
    numbers = [c for c in checked if c.kind == "number" and c.standing in (SUPPORTED, CONTRADICTED)]
    wrong = [c for c in checked if c.standing is CONTRADICTED]
    loose = [c for c in checked if c.standing in (CONTRADICTED, UNVERIFIABLE)]
    return Scores(
        len(checked), share(sum(c.standing is SUPPORTED for c in numbers), len(numbers)),
        share(len(wrong), len(checked)), share(len(loose), len(checked)),
        _omission(checked, judged), _lead_f1(checked, case),
    )  # fmt: skip


def share(part: float, whole: float) -> float | None:
    """Give a part's share of the whole; None of nothing."""
    return part / whole if whole else None


def _omission(checked: Sequence[Checked], judged: Sequence[tuple[Pack, Interpretation]]) -> float | None:
    there = {meaning(found.findings[key].text) for _, found in judged for key in found.met}
    abnormal = {(kind, subject) for kind, subject in there if subject not in NORMAL}
    said: set[tuple[str, str]] = {
        meaning(c.claim.subject) if c.claim.kind == "finding" else (c.claim.kind, c.claim.subject) for c in checked
        if c.claim is not None and c.standing is SUPPORTED and not c.claim.negated
    }  # fmt: skip
    named = [one for one in abnormal if one in said or _by_kin(one, said)]
    return share(len(abnormal) - len(named), len(abnormal))


def _by_kin(finding: tuple[str, str], said: set[tuple[str, str]]) -> bool:
    """Say whether a finding is named by its word, as a prolonged PR for first-degree block, or by a wider name."""
    concept = CONCEPTS.get(finding[1]) if finding[0] == "diagnosis" else None
    if concept is None:
        return False
    by_word = concept.feature is not None and ("word", " ".join(concept.feature)) in said
    return by_word or any(("diagnosis", wider) in said for wider in concept.broader)


def _lead_f1(checked: Sequence[Checked], case: Case) -> float | None:
    named: dict[str, set[str]] = {}
    for c in checked:
        if c.claim is not None and c.kind == "word" and c.claim.leads and not c.claim.negated:
            named.setdefault(c.claim.subject, set()).update(c.claim.leads)
    hit = false = missed = 0
    for subject, leads in named.items():
        wave, adjective = subject.split(" ")
        feature = FEATURES[wave, adjective]
        if not is_of_a_lead(feature.measure):
            continue
        readings = {lead: r for lead in LEADS if (r := read_out(case, feature.measure, lead)) is not None}
        may = {lead for lead, r in readings.items() if r.difference(*feature.ranges(lead)[0]) <= r.tolerance}
        must = {lead for lead, r in readings.items() if r.inside(*feature.ranges(lead)[1])} - set(feature.silent)
        hit += len(leads & may)
        false += len((leads & readings.keys()) - may)
        missed += len(must - leads)
    return share(2 * hit, 2 * hit + false + missed)
