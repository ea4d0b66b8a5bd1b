"""An interpretation as one page of HTML that needs nothing else: the ECG, and each statement's evidence boxed on it."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from twelvelead.interpret.case import Case
from twelvelead.interpret.narrate import Statement, evidence_id, resolve
from twelvelead.interpret.narrate_steps import steps
from twelvelead.interpret.narrate_words import name_of
from twelvelead.report.boxes import Box, find_boxes
from twelvelead.report.ecg import Sheet, draw_ecg
from twelvelead.report.interpretation import (
    Reading,
    caption_for,
    describe_faults,
    describe_person,
    known_values,
    paper_for,
    say_measured,
    say_place,
)
from twelvelead.report.pages import render
from twelvelead.report.svg import clean, element
from twelvelead.terms import RESEARCH_ONLY

_WHOLE = ("Rhythm", "Rate", "Impression", "Not judged")
"""Sections that are about the whole recording: their boxes are shown when they are pointed at."""


_LEAST_MM = 0.6
"""A stretch of no length is to be seen as well."""


def draw_reading(reading: Reading) -> str:
    """Draw the ECG of an interpretation, with the boxes of every statement, each in a group of its own.

    Parameters
    ----------
    reading : Reading
        Of one recording.

    Returns
    -------
    str
        One SVG document in mm; the group of the statement at index k has the id `b<k>`.
    """
    case = reading.case
    return draw_ecg(
        case.recording, paper=paper_for(case), caption=caption_for(case), measurements=known_values(case),
        above=lambda sheet: "".join(_group(k, s, case, sheet) for k, s in enumerate(reading.statements)),
    )  # fmt: skip


def _group(k: int, statement: Statement, case: Case, sheet: Sheet) -> str:
    """Draw the boxes of a statement; a click on one leads to its sentence."""
    told = {evidence_id(fact.name) for fact in statement.facts}
    places: dict[Box, list[str]] = {}
    main: set[Box] = set()
    for identity in statement.evidence:
        found = resolve(identity, case)
        said = f"{name_of(found.name, found.lead)} {say_measured(found)}: {say_place(found)}"
        for box in (box for span in found.spans for box in find_boxes(span, sheet)):
            places.setdefault(box, []).append(said)
            if identity in told:
                main.add(box)
    rects = "".join(
        _rect(box, [statement.text, *said], kind="" if box in main else "more") for box, said in places.items()
    )
    lit = " lit" if statement.polarity == "present" and statement.section not in _WHOLE else ""
    link = element("a", {"href": f"#s{k}"}, rects) if rects else ""
    return element("g", {"class": f"boxes {statement.polarity}{lit}", "id": f"b{k}"}, link)


def _rect(box: Box, said: Sequence[str], *, kind: str) -> str:
    """Draw a box; of a number that the sentence does not quote it is one of `more`."""
    width = max(box.right - box.left, _LEAST_MM)
    left = box.left - (width - (box.right - box.left)) / 2
    place = {"x": left, "y": box.top, "width": width, "height": box.bottom - box.top, "rx": 0.6}
    title = element("title", {}, clean("\n".join(dict.fromkeys(said))))
    return element("rect", place | ({"class": kind} if kind else {}), title)


def interpretation_page(reading: Reading) -> str:
    """Write an interpretation as a page of HTML.

    Parameters
    ----------
    reading : Reading
        Of one recording.

    Returns
    -------
    str
        A page without a script and without anything to be fetched. A click on a sentence shows its boxes, and so does
        pointing at it; a click on a box leads back; each number leads to where it was measured.
    """
    case = reading.case
    decided = steps(case, reading.pack, reading.found)
    return render(
        "interpretation.html",
        title=f"ECG {case.recording.id}".strip(),
        research_only=RESEARCH_ONLY,
        person=describe_person(case),
        pack=reading.pack,
        faults=describe_faults(case),
        ecg=draw_reading(reading),
        sections=_sections(reading.statements),
        count=len(reading.statements),
        evidence=_evidence(reading, decided),
        decided=[{"polarity": s.polarity, "text": _linked(s), "step": s.section == "step"} for s in decided],
    )


def _sections(statements: Sequence[Statement]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Put statements under their headings; the impression first, what is absent last and folded away."""
    found: dict[str, list[dict[str, Any]]] = {"Impression": []}
    for k, s in enumerate(statements):
        found.setdefault(s.section, []).append({"k": k, "polarity": s.polarity, "text": _linked(s)})
    return [(heading, rows) for heading, rows in found.items() if rows]


def _linked(statement: Statement) -> Markup:
    """Write a sentence whose numbers lead to where they were measured."""
    parts, at = [], 0
    for fact in sorted(statement.facts, key=lambda fact: fact.start):
        parts += [escape(statement.text[at : fact.start]), Markup('<a class="number" href="#{}">{}</a>').format(
            evidence_id(fact.name), statement.text[fact.start : fact.end]
        )]  # fmt: skip
        at = fact.end
    return Markup("").join([*parts, escape(statement.text[at:])])


def _evidence(reading: Reading, decided: Sequence[Statement]) -> list[tuple[str, str, str, str]]:
    """List every number: its id, what it is, how much, and where it was measured."""
    found = reading.evidence()
    for s in decided:
        found |= {identity: resolve(identity, reading.case) for identity in s.evidence}
    return [
        (identity, name_of(e.name, e.lead) + (f" in {e.lead}" if e.lead else ""), say_measured(e), say_place(e))
        for identity, e in found.items()
    ]
