"""What a text says of an ECG, taken apart into single claims."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from twelvelead.interpret.claims_links import Linked, link
from twelvelead.interpret.claims_marks import Mark, Said, Sentence, marks_of, sentences
from twelvelead.interpret.lexicon import ABOUT, AT_MOST_ONE_OF, GREATER, LESS

Kind = Literal["number", "word", "diagnosis", "finding"]
Comparator = Literal["=", ">", "<", "up to"]


@dataclass(frozen=True)
class Claim:
    """One thing that a text says.

    Parameters
    ----------
    kind : {"number", "word", "diagnosis", "finding"}
        A value; a word bound to a limit; a diagnosis; a finding in the very words of its label.
    subject : str
        The wave of a number; wave and adjective, with a blank between; key of the diagnosis; label of the finding.
    start, end : int
        Where it stands in the text, in characters.
    leads : tuple of str
        Those it is about; empty if it names none.
    group : bool
        Whether they were named as a group, as in "inferior leads", and not one by one.
    negated, hedged : bool
        Whether it is denied, and whether it is said as possible only.
    low, high : float
        The number, or the ends of its range, in `unit`.
    unit : str
        A house unit; empty if the text names none.
    step : float
        The place of the text's last digit, in `unit`.
    comparator : {"=", ">", "<", "up to"}
        How the measured value relates to it.
    about : bool
        Whether it is called approximate.
    beat : int or None
        Which beat, from 1.
    qualifier : str
        Formula of a corrected QT, or "longest" and "shortest" of an RR interval.
    """

    kind: Kind
    subject: str
    start: int
    end: int
    leads: tuple[str, ...] = ()
    group: bool = False
    negated: bool = False
    hedged: bool = False
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    step: float = 0.0
    comparator: Comparator = "="
    about: bool = False
    beat: int | None = None
    qualifier: str = ""


def find_claims(text: str, labels: Sequence[str] = ()) -> list[Claim]:
    """Take a text apart.

    Parameters
    ----------
    text : str
        A report, in English. Markers of evidence in it, as in `[[m:pr_interval_ms]]`, are passed over.
    labels : sequence of str
        Labels of findings, which are recognised as they are written.

    Returns
    -------
    list of Claim
        In the order of the text.

    Examples
    --------
    >>> [claim] = find_claims("PR interval 0.16 s.")
    >>> claim.subject, claim.low, claim.unit, claim.step
    ('pr', 160.0, 'ms', 10.0)
    >>> [claim] = find_claims("No ST elevation in leads II, III and aVF.")
    >>> claim.subject, claim.leads, claim.negated
    ('st up', ('II', 'III', 'aVF'), True)
    """
    return [
        replace(claim, start=claim.start + start, end=claim.end + start)
        for start, words in sentences(text)
        for claim in _claims_of(words, tuple(labels))
    ]


@lru_cache(maxsize=65536)
def _claims_of(words: str, labels: tuple[str, ...]) -> tuple[Claim, ...]:
    """Take one sentence apart; no sentence depends on another one."""
    found: dict[tuple[object, ...], Claim] = {}
    for linked in link(Sentence(words, marks_of(words, labels))):
        claim = _claim(linked)
        numbers = () if claim.kind != "number" else (claim.start, claim.end)
        found.setdefault((claim.kind, claim.subject, claim.leads, claim.negated, *numbers), claim)
    return tuple(sorted(found.values(), key=lambda claim: (claim.start, claim.end)))


def _claim(linked: Linked) -> Claim:
    mark = linked.mark
    if mark.kind != "number":
        kind: Kind = {"concept": "diagnosis", "label": "finding"}.get(mark.kind, "word")  # type: ignore[assignment]
        start, end = min(mark.start, linked.start), max(mark.end, linked.end)
        return Claim(
            kind, linked.subject, start, end, linked.leads, linked.group,
            negated=linked.negated, hedged=linked.hedged, beat=linked.beat,
        )  # fmt: skip
    return _number(mark, linked)


def _number(mark: Mark, linked: Linked) -> Claim:
    said = mark.said or Said("", "0", "")
    times = mark.unit.times if mark.unit is not None else 1.0
    low_text = said.low.lstrip("+±")
    high_text = said.high or low_text
    low, high = (times * float(number) * linked.sign for number in (low_text, high_text))
    if "±" in said.low:
        low = -high
    comparator = _comparator(said.words)
    if linked.negated and comparator in ("<", ">"):
        comparator = "<" if comparator == ">" else ">"
    return Claim(
        "number", linked.subject, min(mark.start, linked.start), mark.end, linked.leads, linked.group,
        negated=linked.negated and comparator == "=", hedged=linked.hedged,
        low=min(low, high), high=max(low, high), unit=mark.unit.dimension if mark.unit else "",
        step=times * _step(low_text), comparator=comparator, about=bool(ABOUT.search(said.words)),
        beat=linked.beat, qualifier=linked.qualifier,
    )  # fmt: skip


def _comparator(words: str) -> Comparator:
    if AT_MOST_ONE_OF.search(words):
        return "up to"
    if GREATER.search(words):
        return ">"
    return "<" if LESS.search(words) else "="


def _step(number: str) -> float:
    """Give the place of the last digit."""
    decimals = re.search(r"\.(\d+)$", number)
    return float(10.0 ** -len(decimals[1])) if decimals else 1.0
