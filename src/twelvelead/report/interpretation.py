"""An interpretation for people and for programs: a report in words, and the proofs as JSON."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twelvelead.interpret.case import Case
from twelvelead.interpret.criteria import Pack
from twelvelead.interpret.engine import judge
from twelvelead.interpret.narrate import Statement, evidence_id, resolve
from twelvelead.interpret.narrate_report import print_report, report
from twelvelead.interpret.narrate_words import name_of, say_value
from twelvelead.interpret.proof import Evidence, Interpretation, Proof, Span
from twelvelead.report.boxes import find_boxes
from twelvelead.report.ecg import Sheet, lay_out
from twelvelead.report.ecg_caption import Caption, list_faults
from twelvelead.report.ecg_sheet import PAGE_S, Paper
from twelvelead.terms import LEADS, RESEARCH_ONLY

SCHEMA = "twelvelead-interpretation/1"
"""Changes with the meaning of a key; keys may be added under the same."""
PLACES = "Where it was measured"
DPI = 200.0
_DIGITS = 6


@dataclass(frozen=True)
class Reading:
    """One recording, interpreted.

    Parameters
    ----------
    case : Case
        The recording and its measurements.
    pack : Pack
        The criteria.
    found : Interpretation
        What they came to.
    statements : tuple of Statement
        The report.
    """

    case: Case
    pack: Pack
    found: Interpretation
    statements: tuple[Statement, ...]

    def evidence(self) -> dict[str, Evidence]:
        """Give every number that a statement or a proof rests on, by its id."""
        said = [resolve(identity, self.case) for s in self.statements for identity in s.evidence]
        proved = [e for proof in self.found.findings.values() for e in proof.all_evidence()]
        return {evidence_id(e.name): e for e in (*said, *proved)}


def interpret_case(case: Case, pack: Pack) -> Reading:
    """Judge a recording by a pack of criteria, and put it into words.

    Parameters
    ----------
    case : Case
        The recording, measured.
    pack : Pack
        The criteria.

    Returns
    -------
    Reading
    """
    found = judge(case, pack)
    return Reading(case, pack, found, report(case, pack, found))


def paper_for(case: Case) -> Paper:
    """Choose the sheet that shows the most of what an interpretation points at: each lead in full, 10 s of it.

    Of a recording that is longer than the sheet, the 10 s around the beat that was measured.
    """
    layout = "12x1" if set(LEADS) <= set(case.recording.leads) else "rows"
    spare = case.recording.duration - PAGE_S
    qrs = case.evidence("qrs_duration_ms")
    if spare <= 0 or qrs is None:
        return Paper(layout=layout)
    return Paper(layout=layout, start_s=round(min(max(qrs.spans[0].start_s - PAGE_S / 2, 0.0), spare), 3))


def caption_for(case: Case) -> Caption:
    """Say on the sheet whose it is and what is wrong with it."""
    person = describe_person(case)
    return Caption(subject=(person,), filter_text="as in the file", quality=case.quality)


def describe_person(case: Case) -> str:
    """Say how old the person is and of which sex, as far as it was said.

    Limits that depend on what is not known are not decided.
    """
    age = "age not stated" if case.age_years is None else f"{case.age_years:g} years"
    return f"{case.sex or 'sex not stated'}, {age}"


def describe_faults(case: Case) -> list[str]:
    """Say what is wrong with the recording, lead by lead."""
    return list_faults(case.quality, list(case.recording.leads))


def say_place(evidence: Evidence) -> str:
    """Say where a number was measured: lead, seconds, wave and beat.

    Examples
    --------
    >>> say_place(Evidence("pr_interval_ms", 167, "ms", None, 9.0, (Span(None, 1.2, 1.367, "PR", 2),)))
    'all leads, 1.200 to 1.367 s, PR of beat 3'
    """
    return "; ".join(_say_span(span) for span in evidence.spans[:3]) + (
        f"; and {len(evidence.spans) - 3} stretches more" if len(evidence.spans) > 3 else ""
    )


def _say_span(span: Span) -> str:
    beat = "" if span.beat is None else f" of beat {span.beat + 1}"
    wave = "first to last beat" if span.wave == "RR" and span.beat is None else f"{span.wave}{beat}"
    return f"{span.lead or 'all leads'}, {span.start_s:.3f} to {span.end_s:.3f} s, {wave}"


def say_measured(evidence: Evidence) -> str:
    """Say a number with its error, as far as it is known.

    Examples
    --------
    >>> say_measured(Evidence("pr_interval_ms", 167, "ms", None, 9.0, (Span(None, 1.2, 1.367, "PR", 2),)))
    '167 ms ± 9 ms'
    """
    error = "" if evidence.error is None else f" ± {say_value(evidence.error, evidence.unit)}"
    return say_value(evidence.value, evidence.unit) + error


def as_text(reading: Reading) -> str:
    """Write an interpretation for people.

    Parameters
    ----------
    reading : Reading
        Of one recording.

    Returns
    -------
    str
        What was recorded, the report, and where each number in it was measured.
    """
    case, quoted = reading.case, quoted_in(reading.statements, reading.case)
    recording, faults = case.recording, describe_faults(case)
    head = [
        f"{recording.id or 'ECG'}: {describe_person(case)}; {len(recording.leads)} leads, {recording.duration:.4g} s",
        f"Criteria: {reading.pack.title}",
        *([f"Quality: {'; '.join(faults)}"] if faults else []),
    ]
    places = [
        Statement(
            f"{name_of(e.name, e.lead)}{f' in {e.lead}' if e.lead else ''} {say_measured(e)}: {say_place(e)}.",
            (evidence_id(e.name),), section=PLACES,
        )
        for e in quoted
    ]  # fmt: skip
    return "\n".join([*head, "", print_report((*reading.statements, *places))])


def quoted_in(statements: Sequence[Statement], case: Case) -> list[Evidence]:
    """Give the numbers that statements quote, each once, in order."""
    names = dict.fromkeys(fact.name for s in statements for fact in s.facts)
    return [resolve(evidence_id(name), case) for name in names]


def as_json(reading: Reading, *, boxes: bool = False, dpi: float = DPI) -> dict[str, Any]:
    """Write an interpretation for programs.

    Parameters
    ----------
    reading : Reading
        Of one recording.
    boxes : bool
        Whether each stretch gets its boxes in pixels of the drawing that `draw_reading` makes.
    dpi : float
        Pixels per inch of it.

    Returns
    -------
    dict
        As docs/interpretation.md describes it.
    """
    case, pack = reading.case, reading.pack
    sheet = lay_out_reading(case) if boxes else None
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "recording_id": case.recording.id,
        "person": {"age_years": case.age_years, "sex": case.sex},
        "signal": {
            "leads": list(case.recording.leads), "fs_hz": float(case.recording.fs),
            "duration_s": round(case.recording.duration, _DIGITS),
        },
        "quality": describe_faults(case),
        "pack": {"key": pack.key, "title": pack.title, "source": pack.source},
        "met": list(reading.found.met),
        "findings": [
            {"key": finding.key, "label": finding.label, "group": finding.group,
             **_proof(reading.found.findings[finding.key], reading.found, top=True)}
            for finding in pack.findings
        ],
        "statements": [
            {"text": s.text, "section": s.section, "polarity": s.polarity, "finding": s.finding or None,
             "evidence": list(s.evidence)}
            for s in reading.statements
        ],
        "evidence": {identity: _number(e, sheet, dpi) for identity, e in reading.evidence().items()},
        "notice": RESEARCH_ONLY,
    }  # fmt: skip
    if sheet is not None:
        scale = dpi / 25.4
        content["image"] = {
            "layout": sheet.paper.layout, "start_s": sheet.paper.start_s, "dots_per_inch_px": dpi,
            "width_px": round(sheet.width * scale), "speed_mm_s": sheet.paper.speed, "gain_mm_mv": sheet.paper.gain,
        }  # fmt: skip
    return content


def lay_out_reading(case: Case) -> Sheet:
    """Say where everything stands on the drawing of an interpretation."""
    return lay_out(case.recording, paper=paper_for(case), caption=caption_for(case), values=(known_values(case), {}))


def known_values(case: Case) -> dict[str, float]:
    """Give the measurements that have a number, for the head of the sheet."""
    return {name: value for name, value in case.values.items() if math.isfinite(value)}


def _proof(proof: Proof, found: Interpretation, *, top: bool = False) -> dict[str, Any]:
    """Write a proof and all below it; another finding is named, and stands in its own place."""
    content: dict[str, Any] = {"text": proof.text, "verdict": proof.verdict.value, "borderline": proof.borderline}
    if not top and proof.key and found.findings.get(proof.key) is proof:
        return content | {"finding": proof.key}
    content |= {name: value for name in ("why", "source") if (value := getattr(proof, name))}
    if not top and proof.key:
        content["criterion"] = proof.key
    if proof.evidence:
        content["evidence"] = [evidence_id(e.name) for e in proof.evidence]
    if proof.parts:
        content["criteria"] = [_proof(part, found) for part in proof.parts]
    return content


def _number(evidence: Evidence, sheet: Sheet | None, dpi: float) -> Mapping[str, Any]:
    error = None if evidence.error is None else round(evidence.error, _DIGITS)
    return {
        "name": evidence.name, "value": round(evidence.value, _DIGITS), "unit": evidence.unit, "error": error,
        "lead": evidence.lead, "spans": [_span(span, sheet, dpi) for span in evidence.spans],
    }  # fmt: skip


def _span(span: Span, sheet: Sheet | None, dpi: float) -> dict[str, Any]:
    content = {
        "lead": span.lead, "start_s": round(span.start_s, _DIGITS), "end_s": round(span.end_s, _DIGITS),
        "wave": span.wave, "beat": span.beat,
    }  # fmt: skip
    if sheet is None:
        return content
    return content | {"boxes_px": [list(box.pixels(dpi)) for box in find_boxes(span, sheet)]}
