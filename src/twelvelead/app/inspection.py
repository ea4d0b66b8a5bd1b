"""An inspection in words and tables, on stdout."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from twelvelead.report.wording import name_feature, write_number
from twelvelead.study.inspecting import Comparison, Holding, Inspection, LeadReport

SHOWN_FAILURES = 20


def as_json(found: Inspection | Holding) -> str:
    """Write an inspection as JSON with stable keys, those of its dataclass."""
    return json.dumps(asdict(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_text(found: Inspection | Holding) -> str:
    """Write an inspection for people."""
    if isinstance(found, Holding):
        return _holding(found)
    lines = [f"recording  {found.recording_id}", *_facts(found)]
    lines += ["", f"missing    {'; '.join(found.missing) or 'nothing'}"]
    lines += [f"note       {note}" for note in found.notes]
    lines += ["", *_leads(found), "", *_quality(found), "", *_measurements(found.measurements)]
    if found.statements:
        lines += ["", "the device's statements", *(f"  {statement}" for statement in found.statements)]
    return "\n".join(lines) + "\n"


def _holding(found: Holding) -> str:
    """Write what a folder or a file with several recordings holds."""
    rows = [[name, str(n)] for name, n in found.formats.items()]
    lines = [f"{found.path}: {found.n_recordings} recordings"]
    if rows:
        lines += _table(["format", "recordings"], rows, right=1)
    if found.failures:
        lines.append(f"can't be read: {len(found.failures)}")
        lines += [f"  {recording_id}: {message}" for recording_id, message in found.failures[:SHOWN_FAILURES]]
        rest = len(found.failures) - SHOWN_FAILURES
        lines += [f"  … and {rest} more"] if rest > 0 else []
    if not found.formats and not found.failures:
        more = ", …" if found.n_recordings > len(found.first) else ""
        lines += [f"such as {', '.join(found.first)}{more}", "Name one of them: --entry NAME"]
    return "\n".join(lines) + "\n"


def _facts(found: Inspection) -> list[str]:
    origin, signal, patient = found.origin, found.signal, found.patient
    band = [
        f"{word} {origin[key]:g} Hz"
        for key, word in (("high_pass_hz", "from"), ("low_pass_hz", "up to"), ("notch_hz", "notch"))
        if origin[key] is not None
    ]
    steps = ", ".join(f"{1000 * step:.4g}" for step in signal["step_mv"])
    beat = signal["median_beat_s"]
    facts = {
        "format": " ".join(part for part in (origin["format"], origin["version"]) if part),
        "device": origin["device"],
        "software": origin["software"],
        "filters": ", ".join(band),
        "time": origin["recorded_at"],
        "leads": f"{len(signal['leads'])}: {' '.join(signal['leads'])}",
        "sampling": f"{signal['fs_hz']:g} Hz, {signal['duration_s']:.6g} s, {signal['n_samples']} samples per lead",
        "step": f"{steps} µV" if steps else "",
        "median": "no median beat"
        if beat is None
        else f"a beat of {beat:.4g} s in {len(signal['median_beat_leads'])} leads",
        "patient": _patient(patient),
    }
    return [f"{name:<10} {value or 'not stated'}" for name, value in facts.items()]


def _patient(patient: Any) -> str:  # noqa: ANN401 - a mapping
    age = None if patient["age_years"] is None else f"{patient['age_years']:g} years"
    known = [patient["sex"] or "sex not stated", age or "age not stated"]
    if "identity" in patient:
        return f"{', '.join(known)}; identity left out (--identify shows what the file has)"
    who = [f"{key} {patient[key]}" for key in ("name", "id", "born") if patient[key]]
    return ", ".join([*known, *(who or ["no identity in the file"])])


def _leads(found: Inspection) -> list[str]:
    def row(lead: LeadReport) -> list[str]:
        step = "–" if lead.step_mv is None else f"{1000 * lead.step_mv:.4g}"
        share = f"{100 * lead.missing_share:.1f}"
        return [lead.lead, _write(lead.low_mv, 2), _write(lead.high_mv, 2), share, step, ", ".join(lead.findings)]

    head = ["lead", "lowest mV", "highest mV", "missing %", "step µV", "findings"]
    return _table(head, [row(lead) for lead in found.leads], right=4)


def _quality(found: Inspection) -> list[str]:
    whole = abs(found.signal["duration_s"] - found.examined_s) < 0.5
    lines = [] if whole else [f"examined   the first {found.examined_s:g} s"]
    residual = found.einthoven_residual_mv
    said = "unknown: fewer than three limb leads"
    if residual is not None:
        said = f"{1000 * residual:.1f} µV (recorded minus derived limb leads, root mean square)"
    lines.append(f"Einthoven  {said}")
    if found.computed:
        lines.append(f"computed   {', '.join(found.computed)}: no more than what I and II give, to one step")
    lines += [f"{reason:<10} {message}" for reason, message in found.findings]
    if found.refusal is not None and found.refusal not in found.findings:
        lines.append(f"{found.refusal[0]:<10} {found.refusal[1]}")
    return lines


def _measurements(rows: Sequence[Comparison]) -> list[str]:
    shown = [row for row in rows if row.ours is not None or row.machine is not None]
    if not shown:
        return ["no measurements, neither ours nor the device's"]
    cells = [
        [name_feature(row.name), _write(row.ours), _write(row.machine), _write(row.difference, plus=True)]
        for row in shown
    ]
    return _table(["measurement", "ours", "device", "ours − device"], cells, right=3)


def _write(value: float | None, digits: int = 0, *, plus: bool = False) -> str:
    sign = "+" if plus and value is not None and round(value, digits) > 0 else ""
    return sign + write_number(value, digits)


def _table(head: list[str], rows: list[list[str]], *, right: int) -> list[str]:
    """Align a table: its first column and those after the next `right` ones to the left, these to the right."""
    cells = [head, *rows]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if 1 <= k <= right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
