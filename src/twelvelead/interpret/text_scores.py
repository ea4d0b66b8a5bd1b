"""How good a set of texts is, held against our proofs; and what it would be worth without the ECG."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np

from twelvelead.interpret.case import Case
from twelvelead.interpret.criteria import Pack
from twelvelead.interpret.engine import judge, measured
from twelvelead.interpret.narrate import resolve
from twelvelead.interpret.proof import Evidence, Interpretation, Span
from twelvelead.interpret.verify import CONTRADICTED, SUPPORTED, UNVERIFIABLE, Checked, verify
from twelvelead.interpret.verify_diagnoses import meaning
from twelvelead.interpret.verify_scores import NORMAL, score, share
from twelvelead.terms import LEADS, InputError

NOT_A_PLACE = ("RR", "beat")
"""What was measured on the whole recording points nowhere."""


@dataclass(frozen=True)
class TextCounts:
    """What is counted in one text; counts of several texts are added up.

    Parameters
    ----------
    n_texts : int
        Texts.
    n_claims, n_contradicted : int
        Claims that were found, and those that the recording or the text itself contradicts.
    n_numbers, n_numbers_right : int
        Numbers that were measured, and those that are right.
    n_findings, n_findings_named : int
        Abnormal findings that are there, and those that the text names, be it as possible or borderline.
    n_false_diagnoses : int
        Diagnoses that are said to be there, and are not.
    n_leads : int
        Of the twelve leads, those named.
    n_lead_claims, n_lead_claims_right : int
        Decided claims about a lead, once for each lead; and those that are right.
    shared_s, covered_s : float
        Lead-seconds that the text's right claims and the findings' proofs both rest on, and that either rests on.
    """

    n_texts: int = 0
    n_claims: int = 0
    n_contradicted: int = 0
    n_numbers: int = 0
    n_numbers_right: int = 0
    n_findings: int = 0
    n_findings_named: int = 0
    n_false_diagnoses: int = 0
    n_leads: int = 0
    n_lead_claims: int = 0
    n_lead_claims_right: int = 0
    shared_s: float = 0.0
    covered_s: float = 0.0


def count_text(text: str, case: Case, pack: Pack) -> TextCounts:
    """Count what is right and wrong in a text.

    Parameters
    ----------
    text : str
        Of anyone.
    case : Case
        The recording that it is held against.
    pack : Pack
        Criteria of the findings.

    Returns
    -------
    TextCounts
    """
    found = judge(case, pack)
    checked = verify(text, case, found)
    n_findings = len({meaning(found.findings[key].text) for key in found.met} - {("diagnosis", k) for k in NORMAL})
    omitted = score([_as_named(c) for c in checked], case, [(pack, found)]).omission_rate or 0.0
    numbers = [c for c in checked if c.kind == "number" and c.standing in (SUPPORTED, CONTRADICTED)]
    of_leads = [
        (lead, c.standing) for c in checked if c.claim is not None and c.standing in (SUPPORTED, CONTRADICTED)
        for lead in c.claim.leads
    ]  # fmt: skip
    shared, covered = _places(checked, case, found)
    return TextCounts(
        1, len(checked), sum(c.standing is CONTRADICTED for c in checked),
        len(numbers), sum(c.standing is SUPPORTED for c in numbers),
        n_findings, n_findings - round(omitted * n_findings), _false_diagnoses(checked),
        len({lead for c in checked if c.claim is not None for lead in c.claim.leads} & set(LEADS)),
        len(of_leads), sum(standing is SUPPORTED for _, standing in of_leads), shared, covered,
    )  # fmt: skip


def _as_named(one: Checked) -> Checked:
    """Take a claim for a finding's name also where it is said as possible only."""
    return replace(one, standing=SUPPORTED if one.standing is UNVERIFIABLE else one.standing)


def _false_diagnoses(checked: Sequence[Checked]) -> int:
    return len({
        c.claim.subject for c in checked
        if c.claim is not None and c.kind in ("diagnosis", "finding") and c.standing is CONTRADICTED
        and not c.claim.negated
    })  # fmt: skip


def _places(checked: Sequence[Checked], case: Case, found: Interpretation) -> tuple[float, float]:
    """Give the lead-seconds that text and proofs share, and those of either."""
    names = dict.fromkeys(i for c in checked if c.standing is SUPPORTED for i in c.evidence)
    said = [s for name in names if (e := _known(name, case)) is not None for s in e.spans]
    there = [s for key in found.met for e in measured(found.findings[key]) for s in e.spans]
    return overlap_s(said, there)


def _known(identity: str, case: Case) -> Evidence | None:
    name = identity.removeprefix("m:")
    return resolve(identity, case) if name in case.values and case.evidence(name) is not None else None


def overlap_s(first: Iterable[Span], second: Iterable[Span]) -> tuple[float, float]:
    """Measure how much of the signal two sets of stretches share, and how much either has.

    Parameters
    ----------
    first, second : iterable of Span
        Of one recording; those of the whole of it (`NOT_A_PLACE`) don't count. All leads together are a lead of their
        own.

    Returns
    -------
    shared, either : float
        Lead-seconds; their quotient is the intersection over union.

    Examples
    --------
    >>> overlap_s([Span("II", 0.0, 0.2, "P")], [Span("II", 0.1, 0.3, "P"), Span("V1", 0.0, 1.0, "QRS")])
    (0.1, 1.3)
    """
    a, b = _by_lead(first), _by_lead(second)
    shared = total = 0.0
    for lead in a.keys() | b.keys():
        edges = sorted({edge for span in (*a.get(lead, ()), *b.get(lead, ())) for edge in span})
        for start, end in pairwise(edges):
            in_a, in_b = (any(s <= start and end <= e for s, e in x.get(lead, ())) for x in (a, b))
            shared += (end - start) * (in_a and in_b)
            total += (end - start) * (in_a or in_b)
    return round(shared, 9), round(total, 9)


def _by_lead(spans: Iterable[Span]) -> dict[str, set[tuple[float, float]]]:
    of: dict[str, set[tuple[float, float]]] = {}
    for span in spans:
        if span.wave not in NOT_A_PLACE:
            of.setdefault(span.lead or "", set()).add((span.start_s, span.end_s))
    return of


def add_counts(counts: Iterable[TextCounts]) -> TextCounts:
    """Add counts up.

    Examples
    --------
    >>> add_counts([TextCounts(1, 4), TextCounts(1, 6)]).n_claims
    10
    """
    listed = list(counts)
    return TextCounts(*(sum(getattr(c, field.name) for c in listed) for field in fields(TextCounts)))


def figures(counts: TextCounts) -> dict[str, float | None]:
    """Turn counts into shares.

    Parameters
    ----------
    counts : TextCounts
        Of one text or of many; those of many weigh every claim alike.

    Returns
    -------
    dict of str to float or None
        diagnosis_f1 (of findings named, omitted, and diagnoses that are not there), lead_coverage, lead_accuracy,
        numeric_precision, contradiction_rate, omission_rate, span_iou; None where there is nothing to count.

    Examples
    --------
    >>> f = figures(TextCounts(1, 10, 1, 5, 4, n_findings=3, n_findings_named=2, n_false_diagnoses=1, n_leads=6))
    >>> f["numeric_precision"], f["contradiction_rate"], f["lead_coverage"], round(f["diagnosis_f1"], 4)
    (0.8, 0.1, 0.5, 0.6667)
    """
    c = counts
    omitted = c.n_findings - c.n_findings_named
    named = 2 * c.n_findings_named
    return {
        "diagnosis_f1": share(named, named + omitted + c.n_false_diagnoses),
        "lead_coverage": share(c.n_leads, len(LEADS) * c.n_texts),
        "lead_accuracy": share(c.n_lead_claims_right, c.n_lead_claims),
        "numeric_precision": share(c.n_numbers_right, c.n_numbers),
        "contradiction_rate": share(c.n_contradicted, c.n_claims),
        "omission_rate": share(omitted, c.n_findings),
        "span_iou": share(c.shared_s, c.covered_s),
    }


def count_with_controls(
    texts: Mapping[str, str], cases: Mapping[str, Case], *, pack: Pack, seed: int
) -> dict[str, dict[str, TextCounts]]:
    """Count a set of texts, and the same texts where they can know nothing of the ECG.

    Parameters
    ----------
    texts : mapping of str to str
        By recording.
    cases : mapping of str to Case
        At least those recordings.
    pack : Pack
        Criteria of the findings.
    seed : int
        Of the exchange.

    Returns
    -------
    dict of str to dict of str to TextCounts
        By recording under `texts`; under `shuffled_ecg`, each text held against another recording; under `no_ecg`, one
        text, the most usual of the set, held against every recording. What is earned there is earned without the ECG.

    Raises
    ------
    InputError
        If there is no text, or a recording of one is not there.
    """
    ids = sorted(texts)
    absent = [name for name in ids if name not in cases]
    if not ids or absent:
        msg = "there must be texts, each of a recording that is there; got "
        msg += f"{len(absent)} without, first {absent[0]!r}. Leave them out." if absent else "no text. Give some."
        raise InputError(msg)
    usual = texts[most_usual(texts)]
    other = exchange(ids, seed=seed)
    return {
        "texts": {name: count_text(texts[name], cases[name], pack) for name in ids},
        "shuffled_ecg": {name: count_text(texts[other[name]], cases[name], pack) for name in ids},
        "no_ecg": {name: count_text(usual, cases[name], pack) for name in ids},
    }


def exchange(ids: Sequence[str], *, seed: int) -> dict[str, str]:
    """Give each recording another one's text.

    Parameters
    ----------
    ids : sequence of str
        Recordings; one alone keeps its own.
    seed : int
        Of the order.

    Examples
    --------
    >>> swapped = exchange(["a", "b", "c"], seed=0)
    >>> sorted(swapped.values()) == ["a", "b", "c"], any(k == v for k, v in swapped.items())
    (True, False)
    """
    order = [ids[k] for k in np.random.default_rng(seed).permutation(len(ids))]
    return dict(zip(order, order[1:] + order[:1], strict=True))


def most_usual(texts: Mapping[str, str]) -> str:
    """Name the recording whose text has most words in common with all others.

    Parameters
    ----------
    texts : mapping of str to str
        By recording.

    Examples
    --------
    >>> most_usual({"a": "sinus rhythm", "b": "atrial flutter", "c": "sinus rhythm, normal axis"})
    'a'
    """
    words = {name: set(text.lower().replace(",", "").split()) for name, text in texts.items()}
    times = Counter(word for own in words.values() for word in own)
    return max(sorted(words), key=lambda name: sum(times[w] for w in words[name]) / max(1, len(words[name])))
