"""Numbers of a sentence: which wave and which lead each is about."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from twelvelead.interpret.claims_marks import Mark
from twelvelead.interpret.lexicon import Unit
from twelvelead.interpret.lexicon_quantities import IMPLIED, QTC, QUANTITIES, SAME_WAVE, TELLING, dimensions

if TYPE_CHECKING:
    from twelvelead.interpret.claims_links import Reader

_TO_NUMBER = re.compile(
    r"(?i)^(?:[\s:=(,~]|\b(?:is|are|was|were|of|at|measures?|measuring|measured|interval|duration|width|amplitude|level|the|an?|about|to|by|"
    r"complex(?:es)?|waves?|segment|time|height|depth|with|be|and|voltage|index|value|calculated|estimated|bazett|fridericia|framingham|hodges|approximately|shows?|"
    r"shorter|longer|per)\b|\))*$"
)
_LEAD_BEFORE = re.compile(r"(?i)^\s*[(:=]?\s*(?:is|are|was|at|of|measures?|measuring|with|by|reaches|to)?\s*$")
_LEAD_AFTER = re.compile(r"(?i)^\s*\(?\s*(?:in|at|for|of|on)?\s*(?:the\s+)?(?:leads?)?\s*$")
_SEPARATOR = re.compile(r"(?i)^\s*(?:,|/|and|,\s*and|or|to)\s*$")
_FORMULA = re.compile(rf"(?i){'|'.join(QTC)}")
_POINT = re.compile(r"(?i)\bat (?:the )?J(?: ?\+? ?([68]0)\b(?! ?(?:µV|uV|mV|mm)))?(?! ?\+? ?\d+ ?ms)\b")
"""The J point, or 60 or 80 ms after it; not 40."""
_NEAR_WAVE = 30
"""So many characters before a wave its point may be told: "at J, ST is …"."""
_EXTREME = (
    ("longest", re.compile(r"(?i)\b(?:longest|maxim\w+|longer)\b")),
    ("shortest", re.compile(r"(?i)\b(?:shortest|minim\w+|shorter)\b")),
)


class Placed(NamedTuple):
    """A number with its wave.

    Parameters
    ----------
    number : Mark
        The number.
    wave : Mark or None
        The wave it was found beside; None if its unit alone tells.
    subject : str
        Key of the wave; empty if nothing is known that it could be about.
    unit : Unit or None
        Its unit, as written or understood.
    leads : tuple of str
        Where they are given one by one.
    whole : bool
        Whether it belongs to all leads together.
    sign : float
        -1 of a depth told as a size.
    qualifier : str
        As in `Claim`.
    """

    number: Mark
    wave: Mark | None
    subject: str
    unit: Unit | None
    leads: tuple[str, ...]
    whole: bool
    sign: float
    qualifier: str


def place(reader: "Reader", adjectives: Mapping[Mark, tuple[Mark, str]]) -> list[Placed]:
    """Find the wave, the leads and the sign of every number of a sentence.

    Parameters
    ----------
    reader : Reader
        The sentence.
    adjectives : mapping
        By adjective: its wave and what it says.

    Returns
    -------
    list of Placed
        Without the numbers that have neither a unit nor a wave: counts, dates and the like.
    """
    placed = []
    one_by_one = _one_by_one(reader)
    for number in reader.of("number"):
        wave = _wave_of(reader, number)
        subject = SAME_WAVE.get(wave.key, wave.key) if wave is not None else ""
        unit = number.unit
        if unit is None and wave is not None and subject in IMPLIED:
            unit = Unit(IMPLIED[subject], 1.0)
        if not subject and unit is not None:
            subject = TELLING.get(unit.dimension, "")
        if unit is None:
            continue
        quantity = QUANTITIES.get((subject, unit.dimension))
        whole = quantity is not None and not quantity.lead
        leads = () if whole else (one_by_one.get(number) or _lead_beside(reader, number))
        sign = _sign(number, wave, adjectives)
        placed.append(
            Placed(number, wave, subject, unit, leads, whole, sign, _qualifier(reader, number, wave, subject))
        )
    return placed


def _wave_of(reader: "Reader", number: Mark) -> Mark | None:
    """Find the wave of a number: right before it, right after it, or the last one that can have its unit."""
    waves = [wave for wave in reader.of("wave") if _fits(wave, number)]
    before = [wave for wave in waves if wave.end <= number.start]
    after = [wave for wave in waves if wave.start >= number.end]
    if (
        before
        and _TO_NUMBER.match(reader.between(before[-1].end, number.start))
        and not _another(reader, before[-1], number)
    ):
        return before[-1]
    any_before = [wave for wave in reader.of("wave") if wave.end <= number.start]
    if number.unit is not None and any_before and not before:
        last = any_before[-1]
        direct = _TO_NUMBER.match(reader.words[last.end : number.start])
        if direct and dimensions(last.key):  # a unit that the wave can't have: it is said of it all the same
            return last
    if after and re.fullmatch(r"(?i)\s*-?\s*(?:of\s+|tall\s+|deep\s+)?", reader.words[number.end : after[0].start]):
        return after[0]
    if number.unit is None:
        return None
    here = [wave for wave in before if reader.together(wave, number)]
    if here or before:
        return (here or before)[-1]
    late = [wave for wave in after if reader.together(wave, number)]
    return late[0] if late and number.unit.dimension not in TELLING else None


def _fits(wave: Mark, number: Mark) -> bool:
    units = dimensions(wave.key)
    return wave.key in IMPLIED if number.unit is None else number.unit.dimension in units


def _another(reader: "Reader", wave: Mark, number: Mark) -> bool:
    return any(wave.end <= other.start < number.start for other in reader.of("number"))


def _one_by_one(reader: "Reader") -> dict[Mark, tuple[str, ...]]:
    """Give the numbers of a list the leads of a list as long as it, in order."""
    found: dict[Mark, tuple[str, ...]] = {}
    numbers = reader.of("number")
    start = 0
    for k, number in enumerate(numbers):
        if k + 1 < len(numbers) and _SEPARATOR.match(reader.words[number.end : numbers[k + 1].start]):
            continue
        run = numbers[start : k + 1]
        start = k + 1
        if len(run) > 1:
            fitting = [
                lead for lead in reader.of("lead") if len(lead.leads) == len(run) and reader.together(lead, run[0])
            ]
            if fitting:
                nearest = min(
                    fitting, key=lambda lead: min(abs(lead.start - run[-1].end), abs(run[0].start - lead.end))
                )
                found |= {one: (lead,) for one, lead in zip(run, nearest.leads, strict=True)}
    return found


def _lead_beside(reader: "Reader", number: Mark) -> tuple[str, ...]:
    leads = reader.of("lead")
    before = [lead for lead in leads if lead.end <= number.start]
    after = [lead for lead in leads if lead.start >= number.end]
    if before and _LEAD_BEFORE.match(reader.words[before[-1].end : number.start]) and before[-1].key == "named":
        return before[-1].leads
    if after and _LEAD_AFTER.match(reader.words[number.end : after[0].start]) and after[0].key == "named":
        return after[0].leads
    return ()


def _sign(number: Mark, wave: Mark | None, adjectives: Mapping[Mark, tuple[Mark, str]]) -> float:
    if wave is None or (number.said is not None and number.said.low.startswith("-")):
        return 1.0
    if wave.key in ("std", "twi"):
        return -1.0
    own = [(abs(adjective.start - number.start), said) for adjective, (its, said) in adjectives.items() if its == wave]
    return -1.0 if own and min(own)[1] in ("down", "inverted", "deep") and wave.key in ("st", "t", "p") else 1.0


def _qualifier(reader: "Reader", number: Mark, wave: Mark | None, subject: str) -> str:
    words = reader.words
    if subject == "qtc":
        after = _FORMULA.search(words[number.end : number.end + 25])
        before = list(_FORMULA.finditer(words[: number.start]))
        short = re.search(r"(?i)QT ?c ?([BFH])\b[^,;]*$", words[: number.start])
        if after or before:
            return (after[0] if after else before[-1][0]).lower()
        return {"b": "bazett", "f": "fridericia", "h": "hodges"}[short[1].lower()] if short else ""
    if subject == "st":
        # Of the wave's own list, however long: "ST level at J 0.02 mV in I, 0.04 mV in II" is at J in both.
        begin = max(0, wave.start - _NEAR_WAVE) if wave is not None and wave.end <= number.start else 0
        points = list(_POINT.finditer(words, begin, number.start))
        return f"j{points[-1][1] or ''}" if points else ""
    if subject == "rr":
        near = words[max(0, number.start - 60) : number.start]
        found = [
            (max(m.start() for m in pattern.finditer(near)), name) for name, pattern in _EXTREME if pattern.search(near)
        ]
        return max(found)[1] if found else ""
    return ""
