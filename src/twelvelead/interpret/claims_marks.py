"""The words of a text that mean something, and where they stand."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from twelvelead.interpret.lexicon import (
    ADJECTIVE,
    COMPACT,
    GROUPS,
    LEAD_GROUP,
    LEAD_LIST,
    NUMBER,
    WAVE,
    Unit,
    leads_in,
    unit_of,
)
from twelvelead.interpret.lexicon_diagnoses import CONCEPT
from twelvelead.interpret.lexicon_quantities import NAMED

EVIDENCE = re.compile(r"\s?\[\[m:[a-z0-9_]+\]\]")
_END = re.compile(r"(?<!\bapprox)(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bca)(?<!\bresp)[.!?](?=\s|$)|\n+")
_SAME_WIDTH = str.maketrans({
    "−": "-", "‐": "-", "‑": "-", "—": ";",
    "\u00a0": " ", "\u202f": " ", "*": " ", "#": " ", "“": " ", "”": " ", '"': " ",
})  # fmt: skip
_NOT_A_VALUE = re.compile(
    r"(?i)\b\d+[- ]leads?\b|\b\d+(?:st|nd|rd|th)\b(?!\s+beat)|\b\d+:\d+\b|\b\d+(?:\.\d+)?[- ]?(?:seconds?|s"
    r"|mm/mV|mm/s|minutes?|years?)"
    r"[- ](?:recording|strip|tracing|rhythm|old|ECG)\b|\b\d+[- ]year[- ]old\b|\b25 mm/s\b|\b10 mm/mV\b"
    r"|\((?:normal|ref\w*)\b[^()]*\d[^()]*\)"
    r"|\b(?:lasts?|over|for)\s+\d+(?:\.\d+)?[- ]?(?:seconds?|minutes?|s)\b"
    r"|\bcriterion:[^;\n]*(?:;|$)|^\s*[^\n.:;]{1,60}:\s*$"
)
_LIMIT = re.compile(
    r"(?i)(?:\((?:normal|reference|ref\b)[^)]{0,30}|\b(?:normal|reference) (?:range|limits?|values?)(?: is| of"
    r"|:)?\s*|\bnormal\s*(?:is|[:=])?\s*"
    r"|\b(?:upper|lower) limit[^.;]{0,30}|\b(?:threshold|cut-?off|limit)\s*(?:of|is|:)?\s*|\bcriterion:[^;]*"
    r"|\b(?:needs|requires?|requiring)\b[^.;]{0,40})$"
)
_BEAT = re.compile(r"(?i)\bbeats?\s+(?:#|no\.?\s*|number\s*)?(\d+)\b|\b(\w+)\s+beat\b")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_NEGATION = re.compile(
    r"(?i)\b(?:no(?! later)|not|without|absence of|negative for|rules? out|ruling out|denies|lacks?|lacking"
    r"|never|neither|nor|free of|excludes?"
    r"|fails? to (?:show|meet|reach)|none of)\b|n't\b"
)
_AFTER = re.compile(
    r"(?i)\b(?:(?:is|are|was|were|has been|have been|can be)\s+)?(?:not\s+(?:\w+ly\s+)?(?:present|seen|evident"
    r"|met|fulfilled|identified|observed|noted|"
    r"detected|found|demonstrated|apparent|appreciated|visible|shown|satisfied|discernible|suggested|supported"
    r"|indicated)|absent|ruled out|excluded|missing|lost)\b"
)
_HEDGE = re.compile(
    r"(?i)\b(?:possibl[ey]|probabl[ey]|likely|may|might|could|borderline|cannot (?:be )?(?:rule[d]? out|exclude[d]?)"
    r"|can't (?:be )?(?:rule[d]? out|judged|excluded)|consider|suspected|questionable|equivocal"
    r"|raises? (?:the )?(?:possibility|concern|suspicion)"
    r"|can(?:not|'t) be judged|if clinically|unlikely|rather than|versus|vs|differential|indeterminate|undetermined)\b"
)
_BREAK = re.compile(
    r"(?i);|\bbut\b|\bhowever\b|\bwhile\b|\bwhereas\b|\bal?though\b|\bexcept\b|\byet\b|,\s*(?:and\s+)?with\b"
    r"|\bwith (?=reciprocal|associated|no\b|an?\b|normal)"
    r"|,\s*(?:and\s+)?(?=(?:there|which|the|it|this|suggesting|indicating|consistent|no|a|an|followed"
    r"|without)\b)|\band (?=there\b|the\b|a\b|an\b|no\b)"
)


class Said(NamedTuple):
    """A number as it is written: words of comparison, the number, and the end of its range; empty if there is none."""

    words: str
    low: str
    high: str


class Mark(NamedTuple):
    """A stretch of text with a meaning.

    Parameters
    ----------
    start, end : int
        In the sentence.
    kind : str
        lead, number, wave, adjective, concept, label, not, not before, maybe, break or beat.
    key : str
        Which of them.
    leads : tuple of str
        Of a lead expression.
    said : Said or None
        Of a number: its parts as written.
    unit : Unit or None
        Of a number.
    """

    start: int
    end: int
    kind: str
    key: str = ""
    leads: tuple[str, ...] = ()
    said: Said | None = None
    unit: Unit | None = None


class Sentence(NamedTuple):
    """A sentence: its words and its marks in order."""

    words: str
    marks: list[Mark]


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """Cut a text into sentences, each with where it begins; what means nothing is made blank, so that places stay.

    Examples
    --------
    >>> list(sentences("QT 400 ms. [[m:qt_interval_ms]] No U wave"))
    [(0, 'QT 400 ms.'), (10, '                      No U wave')]
    """
    plain = EVIDENCE.sub(lambda match: " " * len(match[0]), text).translate(_SAME_WIDTH)
    start = 0
    for end in [*(match.end() for match in _END.finditer(plain)), len(plain)]:
        words = plain[start:end]
        if words.strip():
            yield start, words
        start = end


def marks_of(words: str, labels: Sequence[str] = ()) -> list[Mark]:
    """Find what means something in a sentence; what was found first is not read again."""
    marks: list[Mark] = []
    left = words
    for found in _finders(labels):
        new = [mark for mark in found(left) if "\0" not in left[mark.start : mark.end]]
        marks += [mark for mark in new if mark.kind != "nothing"]
        for mark in new:
            if mark.kind != "break":
                left = left[: mark.start] + "\0" * (mark.end - mark.start) + left[mark.end :]
    return sorted(marks, key=lambda mark: (mark.start, mark.end))


def _finders(labels: Sequence[str]) -> tuple[Callable[[str], list[Mark]], ...]:
    label = _any_of(tuple(labels))
    return (
        lambda words: [Mark(*m.span(), "nothing") for m in _NOT_A_VALUE.finditer(words)],
        lambda words: [Mark(*m.span(), "label", m[0].lower()) for m in label.finditer(words)] if label else [],
        lambda words: [Mark(*m.span(), "concept", str(m.lastgroup)) for m in CONCEPT.finditer(words)],
        lambda words: [Mark(*m.span(), "maybe") for m in _HEDGE.finditer(words)],
        lambda words: [Mark(*m.span(), "not before") for m in _AFTER.finditer(words)],
        lambda words: [Mark(*m.span(), "wave", m[0].lower()) for m in NAMED.finditer(words)],
        _compact, _leads, _groups, _beats, _numbers,
        lambda words: [Mark(*m.span(), "not") for m in _NEGATION.finditer(words)],
        lambda words: [Mark(*m.span(), "wave", str(m.lastgroup)) for m in WAVE.finditer(words)],
        lambda words: [Mark(*m.span(), "adjective", str(m.lastgroup)) for m in ADJECTIVE.finditer(words)],
        lambda words: [Mark(m.start(), m.end(), "break") for m in _BREAK.finditer(words)],
    )  # fmt: skip


@lru_cache(maxsize=64)
def _any_of(labels: tuple[str, ...]) -> re.Pattern[str] | None:
    by_length = sorted(labels, key=len, reverse=True)
    return re.compile("(?i)" + "|".join(rf"\b{re.escape(name)}(?!\w)" for name in by_length)) if by_length else None


def _compact(words: str) -> list[Mark]:
    """Read RV5 as the R wave of V5."""
    found: list[Mark] = []
    for m in COMPACT.finditer(words):
        found.append(Mark(m.start("wave"), m.end("wave"), "wave", m["wave"].lower()))
        found.append(Mark(m.start("lead"), m.end("lead"), "lead", "named", leads_in(m["lead"])))
    return found


_NOT_A_LEAD = re.compile(r"(?i)(?:type|mobitz|class|grade|stage|degree|phase)\s*$")


def _leads(words: str) -> list[Mark]:
    found = []
    for m in LEAD_LIST.finditer(words):
        alone = m[0] == "I" and not re.search(r"(?i)(?:in|of|lead|and|,|:|\()\s*$", words[: m.start()])
        if not alone and not _NOT_A_LEAD.search(words[: m.start()]):
            found.append(Mark(*m.span(), "lead", "named", leads_in(m[0])))
    return found


def _groups(words: str) -> list[Mark]:
    return [
        Mark(*m.span(), "lead", "group", next(leads for p, leads in GROUPS.items() if re.match(rf"(?i){p}\b", m[0])))
        for m in LEAD_GROUP.finditer(words)
    ]


def _numbers(words: str) -> list[Mark]:
    """Read the values; of limits that are quoted beside them nothing is claimed."""
    found: list[Mark] = []
    for m in reversed(list(NUMBER.finditer(words))):
        unit = unit_of(m["unit"]) if m["unit"] else None
        if unit is None and found and found[-1].kind == "number":
            between = words[m.end() : found[-1].start]
            unit = found[-1].unit if re.fullmatch(r"\s*(?:,|/|and|,\s*and|or)\s*", between) else None
        said = Said(m["cmp"] or "", m["low"], m["high"] or "")
        kind = "nothing" if _LIMIT.search(words[: m.start()]) else "number"
        start = m.start("cmp") if m["cmp"] else m.start("low")
        found.append(Mark(start, m.end(), kind, said=said, unit=unit))
    return found


def _beats(words: str) -> list[Mark]:
    found = []
    for m in _BEAT.finditer(words):
        word = (m[2] or "").lower()
        digits = m[1] or (re.sub(r"\D", "", word) or str(_ORDINALS.index(word) + 1 if word in _ORDINALS else ""))
        if digits:
            found.append(Mark(*m.span(), "beat", digits))
    return found
