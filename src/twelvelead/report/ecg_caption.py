"""What is printed on an ECG beside its traces: whose it is, what was measured, how it was drawn, what is amiss."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twelvelead.report.svg import INK, MUTED, Attributes, text, wrap
from twelvelead.report.wording import write_number
from twelvelead.signal import Quality
from twelvelead.terms import Reason

if TYPE_CHECKING:
    from twelvelead.io import Source

SMALL: Attributes = {"font-size": 3.2, "fill": INK}
_TITLE: Attributes = {"font-size": 4.2, "font-weight": "600", "fill": INK}
_NAME: Attributes = {"font-size": 2.8, "fill": MUTED}
_LINE_MM = 4.6
_FIRST_MM, _COLUMN_MM = 20.0, 20.0
_FACES = {"normal": 0.62, "600": 0.72}  # widths of a letter per size, those of the widest usual face

PRINTED = (
    ("heart_rate_bpm", "Rate", "/min"),
    ("pr_interval_ms", "PR", "ms"),
    ("qrs_duration_ms", "QRS", "ms"),
    ("qt_interval_ms", "QT", "ms"),
    ("qtc_fridericia_ms", "QTc Frid.", "ms"),
    ("qtc_bazett_ms", "QTc Bazett", "ms"),
    ("qtc_ms", "QTc", "ms"),
    ("p_axis_deg", "P axis", "°"),
    ("qrs_axis_deg", "QRS axis", "°"),
    ("t_axis_deg", "T axis", "°"),
)
_ONLY_IF_SAID = {"qtc_bazett_ms", "qtc_ms"}  # printed where the device has them, so that like stands beside like
_FAULTS = {
    Reason.TOO_SHORT: "too short to be measured",
    Reason.MISSING_LEAD: "mostly missing",
    Reason.FLAT: "flat",
    Reason.CLIPPED: "peaks cut off",
    Reason.SATURATED: "saturated",
    Reason.NOISE: "noisy",
    Reason.WRONG_UNITS: "amplitudes that are not mV",
    Reason.EINTHOVEN: "limb leads contradict one another",
}


@dataclass(frozen=True)
class Caption:
    """What the sheet says of the recording.

    Parameters
    ----------
    title : str
        The largest line; the recording's id where it is empty.
    subject : tuple of str
        Patient, time, device; whatever is known.
    filter_text : str
        What was done to the trace before, printed beside speed and gain.
    quality : Quality or None
        What is wrong with the recording is printed at the foot, where it has been judged …
    remarks : tuple of str
        … and these.
    """

    title: str = ""
    subject: tuple[str, ...] = ()
    filter_text: str = "no filter applied"
    quality: Quality | None = None
    remarks: tuple[str, ...] = ()


def caption_source(source: "Source", *, quality: Quality | None = None, remarks: Sequence[str] = ()) -> Caption:
    """Say of a recording what its file says: patient, time, device and filters.

    Parameters
    ----------
    source : Source
        The patient's name and number are printed where it has them, so where they were asked for.
    quality : Quality or None
        Of the recording.
    remarks : sequence of str
        What else is to be said at the foot.
    """
    patient, origin = source.patient, source.provenance
    age = "" if patient.age_years is None else f"{math.floor(patient.age_years)} years"
    born = "" if patient.born is None else f"born {patient.born.isoformat()}"
    number = f"patient {patient.id}" if patient.id else ""
    who = [patient.name, number, born, ", ".join(part for part in (patient.sex or "", age) if part)]
    when = "" if origin.recorded_at is None else origin.recorded_at.strftime("%Y-%m-%d %H:%M:%S")
    when = when.removesuffix(" 00:00:00")  # files that only know the day
    subject = tuple(part for part in (*who, when, origin.device) if part)
    return Caption(subject=subject, filter_text=describe_filters(source), quality=quality, remarks=tuple(remarks))


def describe_filters(source: "Source") -> str:
    """Say which filters the device had applied.

    Examples
    --------
    >>> from twelvelead.io.formats import Provenance, Source
    >>> describe_filters(Source(500, 0, None, provenance=Provenance(low_pass_hz=150.0, notch_hz=60.0)))
    "device's filter up to 150 Hz, notch 60 Hz"
    >>> describe_filters(Source(500, 0, None))
    "device's filter not stated"
    """
    origin = source.provenance
    high, low = origin.high_pass_hz, origin.low_pass_hz
    band = ""
    if high is not None and low is not None:
        band = f"{high:g}–{low:g} Hz"
    elif low is not None:
        band = f"up to {low:g} Hz"
    elif high is not None:
        band = f"from {high:g} Hz"
    notch = f"notch {origin.notch_hz:g} Hz" if origin.notch_hz is not None else ""
    said = ", ".join(part for part in (band, notch) if part)
    return f"device's filter {said}" if said else "device's filter not stated"


def text_width(content: str, style: Attributes) -> float:
    """Estimate how wide a text is at most, in mm.

    Examples
    --------
    >>> round(text_width("V1", {"font-size": 3.6, "font-weight": "600"}), 1)
    5.2
    """
    return len(content) * float(style["font-size"]) * _FACES[str(style.get("font-weight", "normal"))]


def draw_head(
    title: str,
    subject: Sequence[str],
    values: tuple[Mapping[str, object], Mapping[str, object]],
    *,
    left: float,
    width: float,
) -> tuple[str, float]:
    """Print the lines above the traces.

    Parameters
    ----------
    title : str
        The largest line.
    subject : sequence of str
        Patient, time, device.
    values : (mapping, mapping)
        Ours and the device's measurements, by the names of the CATALOGUE.
    left, width : float
        Where a line begins and how long it may be, mm.

    Returns
    -------
    markup : str
        The lines.
    bottom : float
        Where the last one ends, mm from the upper edge.
    """
    y = 6.0
    parts = []
    for content in _fold(title, _TITLE, width):
        parts.append(text((left, y), content, _TITLE))
        y += 5.4
    for content in _fold(" · ".join(subject), SMALL, width):
        parts.append(text((left, y), content, SMALL))
        y += _LINE_MM
    table, y = _draw_table(*values, at=(left, y), width=width)
    return "".join([*parts, table]), y - 3.2


def draw_foot(lines: Sequence[str], *, left: float, top: float, width: float) -> tuple[str, float]:
    """Print lines below the traces, broken where they are too long; return the markup and where it ends, in mm."""
    parts, y = [], top + 5.5
    for line in lines:
        for content in _fold(line, SMALL, width):
            parts.append(text((left, y), content, SMALL))
            y += _LINE_MM
    return "".join(parts), y - _LINE_MM + 3


def sentence(measurements: Mapping[str, object]) -> str:
    """Name the measured values that a reader looks for first.

    Examples
    --------
    >>> sentence({"heart_rate_bpm": 71.6, "pr_interval_ms": None, "qrs_axis_deg": -30.2})
    'Rate 72/min · QRS axis −30°'
    """
    said = ((name, label, unit) for name, label, unit in PRINTED if name not in _ONLY_IF_SAID)
    return " · ".join(f"{label} {value}" for name, label, unit in said if (value := _write(measurements, name, unit)))


def list_faults(quality: Quality, leads: Sequence[str]) -> list[str]:
    """Say what is wrong with the recording, and with which of some leads.

    Examples
    --------
    >>> from twelvelead.signal.quality import Finding
    >>> noise = [Finding(Reason.NOISE, lead, "") for lead in ("V1", "V2")]
    >>> list_faults(Quality((), tuple(noise)), ("V1", "V2", "V3"))
    ['V1, V2 noisy']
    """
    faults: dict[str, list[str]] = {}
    for finding in quality.findings:
        named = faults.setdefault(_FAULTS.get(finding.reason, finding.reason.value), [])
        if finding.lead is not None:
            named.append(finding.lead)
    by_lead = {what: [lead for lead in named if lead in leads] for what, named in faults.items()}
    return [
        f"{', '.join(by_lead[what])} {what}".strip() for what, named in faults.items() if by_lead[what] or not named
    ]


def _draw_table(
    measurements: Mapping[str, object], machine: Mapping[str, object], *, at: tuple[float, float], width: float
) -> tuple[str, float]:
    """Print ours and the device's values one above another, in as many blocks as the width asks for."""
    rows = [(name, values) for name, values in (("measured", measurements), ("device", machine)) if _any(values)]
    columns = [
        (name, label, unit)
        for name, label, unit in PRINTED
        if any(_write(values, name, unit) for _, values in rows)
        and (name not in _ONLY_IF_SAID or _write(machine, name, unit))
    ]
    (left, y), parts = at, []
    fit = max(1, int((width - _FIRST_MM) // _COLUMN_MM))
    for first in range(0, len(columns), fit):
        block = columns[first : first + fit]
        for k, (_, label, _) in enumerate(block):
            parts.append(text((left + _FIRST_MM + k * _COLUMN_MM, y), label, _NAME))
        for who, values in rows:
            y += 4.0
            parts.append(text((left, y), who, _NAME))
            for k, (name, _, unit) in enumerate(block):
                content = _write(values, name, unit) or "–"
                parts.append(text((left + _FIRST_MM + k * _COLUMN_MM, y), content, SMALL))
        y += 4.6
    return "".join(parts), y


def _any(values: Mapping[str, object]) -> bool:
    return any(_write(values, name, unit) for name, _, unit in PRINTED)


def _write(values: Mapping[str, object], name: str, unit: str) -> str:
    value = values.get(name)
    if not isinstance(value, int | float) or not math.isfinite(value):
        return ""
    return f"{write_number(value, 0)}{'' if unit in {'°', '/min'} else ' '}{unit}"


def _fold(content: str, style: Attributes, width: float) -> list[str]:
    """Break a text into lines that are no longer than `width` mm; no line for no text."""
    return wrap(content, max(8, int(width / text_width("m", style)))) if content else []
