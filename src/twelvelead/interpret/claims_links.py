"""What belongs to what in a sentence: adjectives and numbers to waves, leads and denials to both."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from twelvelead.interpret.claims_marks import Mark, Sentence
from twelvelead.interpret.claims_numbers import Placed, place
from twelvelead.interpret.lexicon_features import ALONE, feature_of

_JOINED = re.compile(
    r"(?i)^[\s,/&+]*(?:(?:and|or|nor|the|both|an?|intervals?|durations?|complex(?:es)?|waves?|segments?|amplitudes?)\b[\s,/&+]*)*$"
)
_LEADING = re.compile(
    r"(?i)^(?:[\s,()\-:/]|\b(?:in|of|at|across|over|from|for|and|or|with|the|leads?|seen|noted|present|observed|is|are|was|were|segments?|"
    r"waves?|mild|slight|marked|upsloping|downsloping|horizontal|most|prominent|especially|particularly|measuring|up|to|about|"
    r"complex(?:es)?|evident|deepest|best|mainly|predominantly|maximal|amplitudes?|durations?|intervals?|pattern|changes?|new|minimal|"
    r"subtle|significant|concave|convex|both|also|involving|found|throughout|recorded|identified|reaching|as|high|approximately|visible|"
    r"consistently|clearly|there|appear|appears|symmetric(?:al)?|deep|non-?specific|only|height|depth)\b)*$"
)
_VERB = re.compile(r"(?i)\b(?:is|are|was|were|shows?|has|have|measures?|appears?|demonstrates?|reveals?|remains?)\b")
_SHOWS = re.compile(r"(?i)\s*(?:shows?|has|have|demonstrates?|exhibits?|displays?|reveals?)\b")
_FAR = 60
_BOTH = ("pause", "twi", "ste", "std")
"""What is a statement also where a number is told of it."""


class Linked(NamedTuple):
    """A statement with all that belongs to it.

    Parameters
    ----------
    mark : Mark
        The number, adjective, diagnosis or label.
    subject : str
        As in `Claim`.
    start, end : int
        In the sentence.
    leads : tuple of str
        What it is about.
    group : bool
        Whether they were named as a group.
    negated, hedged : bool
        As in `Claim`.
    beat : int or None
        Which beat.
    sign : float
        -1 of a depth told as a size.
    qualifier : str
        As in `Claim`.
    """

    mark: Mark
    subject: str
    start: int
    end: int
    leads: tuple[str, ...] = ()
    group: bool = False
    negated: bool = False
    hedged: bool = False
    beat: int | None = None
    sign: float = 1.0
    qualifier: str = ""


class Pair(NamedTuple):
    """An adjective and its wave."""

    adjective: Mark
    wave: Mark
    feature: tuple[str, str]


class Reader:
    """One sentence while it is read: its marks by kind, its clauses, and which leads are spoken for."""

    def __init__(self, sentence: Sentence) -> None:
        self.words = sentence.words
        self.marks = sentence.marks
        self.taken: set[Mark] = set()
        breaks = [mark.start for mark in self.of("break")]
        for lead in self.of("lead"):
            comma = re.search(r",\s*(?:and\s+)?(?:leads?\s*)?$", self.words[: lead.start])
            if comma and _SHOWS.match(self.words, lead.end):
                breaks.append(comma.start())
        self.breaks = sorted(breaks)

    def of(self, *kinds: str) -> list[Mark]:
        """Give the marks of a kind."""
        return [mark for mark in self.marks if mark.kind in kinds]

    def clause(self, position: int) -> int:
        """Say in which clause a position lies."""
        return sum(start <= position for start in self.breaks)

    def together(self, mark: Mark, other: Mark) -> bool:
        """Say whether two marks stand in one clause."""
        return self.clause(mark.start) == self.clause(other.start)

    def between(self, start: int, end: int) -> str:
        """Give the words between two positions, without what was recognised."""
        words = self.words[start:end]
        for mark in self.marks:
            if mark.kind != "break" and start <= mark.start and mark.end <= end:
                words = words[: mark.start - start] + " " * (mark.end - mark.start) + words[mark.end - start :]
        return words


def link(sentence: Sentence) -> list[Linked]:
    """Put the marks of a sentence together to statements."""
    reader = Reader(sentence)
    pairs = _pairs(reader)
    numbers = place(reader, {pair.adjective: (pair.wave, pair.feature[1]) for pair in pairs})
    statements = [
        *((mark, mark.key, mark, mark) for mark in reader.of("concept", "label")),
        *((p.adjective, " ".join(p.feature), p.adjective, p.wave) for p in pairs),
        *((mark, " ".join(key), mark, mark) for mark, key in _alone(reader, pairs, numbers)),
    ]
    linked = [_word(reader, *statement) for statement in sorted(statements, key=lambda s: s[0].start)]
    return linked + [_number(reader, placed) for placed in numbers]


def _pairs(reader: Reader) -> list[Pair]:
    """Give each adjective its wave, and the waves that are joined to this by "and"."""
    pairs: list[Pair] = []
    for adjective in reader.of("adjective"):
        near = [
            (distance, wave) for wave in reader.of("wave")
            if feature_of(wave.key, adjective.key) and (distance := _distance(reader, adjective, wave)) < _FAR * 2
        ]  # fmt: skip
        if not near:
            continue
        wave = min(near)[1]
        for other in _joined(reader, wave):
            feature = feature_of(other.key, adjective.key)
            if feature == ("t", "inverted") and any(p.wave is other and p.feature == ("t", "deep") for p in pairs):
                continue  # "no deep inversion" does not deny an inversion
            if feature and (other is wave or not _own(reader, other, adjective)):
                pairs.append(Pair(adjective, other, feature))
    return pairs


def _distance(reader: Reader, adjective: Mark, wave: Mark) -> int:
    """Say how far an adjective is from a wave, in characters; commas and other clauses count as a detour."""
    before = wave.end <= adjective.start
    gap = reader.words[wave.end : adjective.start] if before else reader.words[adjective.end : wave.start]
    detour = 20 * ("," in gap) if before else 40 * bool(re.search(r",|\band\b|\(|\b(?:is|are)\b", gap))
    if not reader.together(adjective, wave):
        bare = not any(reader.together(adjective, other) for other in reader.of("wave"))
        return len(gap) // 10 + _FAR if before and bare else 3 * _FAR
    return min(len(gap), _FAR) + detour


def _joined(reader: Reader, wave: Mark) -> list[Mark]:
    waves = reader.of("wave")
    place = waves.index(wave)
    found = [wave]
    for step in (-1, 1):
        last, k = wave, place + step
        while 0 <= k < len(waves):
            first, second = sorted((last, waves[k]))
            if not _JOINED.match(reader.words[first.end : second.start]) or not reader.together(first, second):
                break
            found.append(waves[k])
            last, k = waves[k], k + step
    return found


def _own(reader: Reader, wave: Mark, adjective: Mark) -> bool:
    """Say whether a wave has another adjective right beside it."""
    return any(
        other is not adjective and feature_of(wave.key, other.key) and _distance(reader, other, wave) < 12
        for other in reader.of("adjective")
    )


def _alone(reader: Reader, pairs: Sequence[Pair], numbers: Sequence[Placed]) -> list[tuple[Mark, tuple[str, str]]]:
    """Find the waves that are statements without an adjective."""
    busy = {pair.wave for pair in pairs} | {placed.wave for placed in numbers if placed.wave is not None}
    found = []
    for wave in reader.of("wave"):
        feature = feature_of(wave.key, "present")
        if feature is None or (wave in busy and wave.key not in _BOTH):
            continue
        denied = wave.key in ("p", "q", "u") and _denied(reader, wave, wave)
        led = wave.key == "q" and bool(_leads_of(reader, wave, wave))
        if denied or led or (wave.key in ALONE and wave not in {pair.wave for pair in pairs}):
            found.append((wave, feature))
    return found


def _word(reader: Reader, mark: Mark, subject: str, adjective: Mark, wave: Mark) -> Linked:
    first, last = sorted((adjective, wave)) if reader.together(adjective, wave) else (adjective, adjective)
    leads = () if mark.kind == "concept" else _leads_of(reader, first, last)
    return Linked(
        mark, subject, first.start, last.end,
        tuple(lead for part in leads for lead in part.leads),
        bool(leads) and all(part.key == "group" for part in leads),
        _denied(reader, first, last), _hedged(reader, first, last), _beat(reader, mark),
    )  # fmt: skip


def _number(reader: Reader, placed: Placed) -> Linked:
    mark, wave = placed.number, placed.wave
    found: Sequence[Mark] = ()
    if not placed.leads and wave is not None and not placed.whole:
        first, last = sorted((mark, wave)) if reader.together(mark, wave) else (mark, mark)
        found = [lead for lead in _leads_of(reader, first, last) if not _other_between(reader, last.end, lead.start)]
    leads = placed.leads or tuple(lead for part in found for lead in part.leads)
    start = min(mark.start, wave.start) if wave is not None and reader.together(mark, wave) else mark.start
    return Linked(
        mark._replace(unit=placed.unit),
        placed.subject, start, mark.end, leads,
        bool(found) and all(part.key == "group" for part in found),
        _denied(reader, mark, mark), False, _beat(reader, mark), placed.sign, placed.qualifier,  # noqa: FBT003
    )  # fmt: skip


def _beat(reader: Reader, mark: Mark) -> int | None:
    beats = [beat for beat in reader.of("beat") if reader.together(beat, mark)]
    return int(min(beats, key=lambda beat: abs(beat.start - mark.start)).key) if beats else None


def _leads_of(reader: Reader, first: Mark, last: Mark) -> list[Mark]:
    """Find the leads of a statement: inside it, right before it, after it, or as its clause's subject."""
    leads = [lead for lead in reader.of("lead") if reader.together(lead, first) or reader.together(lead, last)]
    inside = [lead for lead in leads if first.end <= lead.start < last.start]
    beside = [
        lead for lead in leads if lead.end <= first.start and not reader.between(lead.end, first.start).strip(" -")
    ]
    beside = [lead for lead in beside if lead.key == "group" and lead not in reader.taken]
    after = [lead for lead in leads if lead.start >= last.end and _leads_on(reader, last.end, lead.start)]
    chosen = inside or beside[-1:] or _chain(reader, after)
    if chosen:
        reader.taken.update(chosen)
        return chosen
    before = [lead for lead in leads if lead.end <= first.start and lead not in reader.taken]
    late = [lead for lead in leads if lead.start >= last.end and not _other_between(reader, last.end, lead.start)]
    return before[-1:] or late[:1]


def _other_between(reader: Reader, start: int, end: int) -> bool:
    return any(start <= mark.start < end for mark in reader.of("wave", "concept", "label"))


def _leads_on(reader: Reader, start: int, end: int) -> bool:
    """Say whether words only lead from a statement to its leads, and begin no other one."""
    if any(start <= wave.start < end and _VERB.search(reader.words[start : wave.start]) for wave in reader.of("wave")):
        return False
    return bool(_LEADING.match(reader.between(start, end)))


def _chain(reader: Reader, after: list[Mark]) -> list[Mark]:
    """Take the first lead expression, and those that are joined to it with numbers at most between."""
    chain = after[:1]
    for lead in after[1:]:
        if any(chain[-1].end <= w.start < lead.start for w in reader.of("wave", "adjective", "concept")):
            break
        if not re.fullmatch(
            r"(?i)[\s,();:&]*(?:(?:and|in|leads?|at)[\s,();:&]*)*", reader.between(chain[-1].end, lead.start)
        ):
            break
        chain.append(lead)
    return chain


def _denied(reader: Reader, first: Mark, last: Mark) -> bool:
    """Say whether a denial stands before a statement, inside it, or after it."""
    for no in reader.of("not"):
        if not reader.together(no, last):
            continue
        if first.end <= no.start < last.start:
            return True
        if no.end <= first.start and not _VERB.search(reader.words[no.end : first.start]):
            return True
    for absent in reader.of("not before"):
        if absent.start < last.end or not reader.together(absent, last):
            continue
        others = [m for m in reader.of("wave", "concept", "label") if last.end <= m.start < absent.start]
        gap = reader.words[last.end : absent.start]
        if not _VERB.search(gap) and not (others and _VERB.search(reader.words[first.start : last.end])):
            return True
    return False


def _hedged(reader: Reader, first: Mark, last: Mark) -> bool:
    return any(
        reader.together(maybe, last) and (maybe.end <= last.start or 0 <= maybe.start - last.end < 40)
        for maybe in reader.of("maybe")
    )
