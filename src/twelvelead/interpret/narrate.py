"""Sentences about an ECG, each with the measurements it rests on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from twelvelead.interpret.case import Case
from twelvelead.interpret.narrate_words import name_of, say_value
from twelvelead.interpret.proof import Evidence
from twelvelead.terms import InputError

Polarity = Literal["present", "absent", "indeterminate", "measured"]
_MARKER = re.compile(r"\s?\[\[m:[a-z0-9_]+\]\]")


@dataclass(frozen=True)
class Fact:
    """A measured number in a sentence: its measurement, and where number and unit stand in the sentence."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    """One sentence.

    Parameters
    ----------
    text : str
        As it is printed.
    evidence : tuple of str
        Ids of the measurements it rests on, one or more; `resolve` turns them into numbers with their places.
    polarity : {"present", "absent", "indeterminate", "measured"}
        Whether it says a finding, denies it, says why it can't be judged, or tells numbers only.
    finding : str
        Key of the finding; empty if it is about none.
    section : str
        Heading of the report that it stands under.
    facts : tuple of Fact
        The numbers in it.
    """

    text: str
    evidence: tuple[str, ...]
    polarity: Polarity = "measured"
    finding: str = ""
    section: str = ""
    facts: tuple[Fact, ...] = ()


def evidence_id(name: str) -> str:
    """Give the id of a measurement, the same in every recording.

    Examples
    --------
    >>> evidence_id("pr_interval_ms")
    'm:pr_interval_ms'
    """
    return f"m:{name}"


def resolve(identity: str, case: Case) -> Evidence:
    """Turn an id into the number: name, value, unit, lead, error and where it was measured.

    Raises
    ------
    InputError
        If the id is of no measurement, or of one that has no number in this recording.
    """
    name = identity.removeprefix("m:")
    found = case.evidence(name) if name in case.values else None
    if found is None:
        msg = f"an evidence id must be of a number that was measured; got {identity!r}. Use the ids of the statements."
        raise InputError(msg)
    return found


def sentence(*parts: str | Evidence) -> tuple[str, tuple[Fact, ...]]:
    """Put a sentence together of words and numbers; a number is said with its unit.

    Examples
    --------
    >>> text, (fact,) = sentence("Heart rate ", Evidence("heart_rate_bpm", 47.2, "1/min", None, None, ()), ".")
    >>> text, text[fact.start : fact.end]
    ('Heart rate 47 bpm.', '47 bpm')
    """
    text, facts = "", []
    for part in parts:
        words = part if isinstance(part, str) else say_value(part.value, part.unit)
        if not isinstance(part, str):
            facts.append(Fact(part.name, len(text), len(text) + len(words)))
        text += words
    return text, tuple(facts)


def listed(items: Sequence[Evidence]) -> list[str | Evidence]:
    """Name numbers one after the other, with commas: what, how much, where.

    Examples
    --------
    >>> sentence(*listed([Evidence("r_amplitude_v5_mv", 1.93, "mV", "V5", None, ())]))[0]
    'R-wave amplitude 1.93 mV in V5'
    """
    parts: list[str | Evidence] = []
    for item in items:
        parts += [
            ", " if parts else "",
            f"{name_of(item.name, item.lead)} ",
            item,
            f" in {item.lead}" if item.lead else "",
        ]
    return parts


def write(statements: Iterable[Statement], *, markers: bool = False) -> str:
    """Write statements as running text.

    Parameters
    ----------
    statements : iterable of Statement
        In order.
    markers : bool
        Whether the ids of the evidence follow each sentence, as in ``[[m:pr_interval_ms]]``.
    """
    return " ".join(
        s.text + ("".join(f" [[{identity}]]" for identity in s.evidence) if markers else "") for s in statements
    )


def strip_markers(text: str) -> str:
    """Take the evidence ids out of a text.

    Examples
    --------
    >>> strip_markers("PR interval 167 ms. [[m:pr_interval_ms]] Heart rate 47 bpm. [[m:heart_rate_bpm]]")
    'PR interval 167 ms. Heart rate 47 bpm.'
    """
    return _MARKER.sub("", text)
