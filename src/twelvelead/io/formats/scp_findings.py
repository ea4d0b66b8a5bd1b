"""What the device measured and said: sections 7, 8 and 11 of an SCP-ECG record (EN 1064)."""

import struct

from twelvelead.io.formats.machine import machine_of
from twelvelead.io.formats.metadata import Machine
from twelvelead.io.formats.scp_header import Header, decode
from twelvelead.io.formats.scp_sections import Record, Section

_ABSENT = (32767, 29999, 29998, 19999)
"""Values that mean: not measured, not found, wave not there."""

_QTC = {1: "qtc_bazett_ms", 2: "qtc_hodges_ms"}
_CODED, _TEXT = 1, 2  # kinds of statement in section 11


def read_findings(record: Record, header: Header) -> tuple[Machine, tuple[str, ...]]:
    """Read what the device measured and said, and what is amiss with that."""
    notes: list[str] = []
    measurements = _read_measurements(record.sections[7]) if 7 in record.sections else {}
    statements: list[str] = []
    for number in (8, 11):
        if number in record.sections:
            found, whole = _read_statements(record.sections[number], header.encoding)
            statements += found
            notes += [] if whole else [f"section {number} ends within a statement"]
    return machine_of(measurements, dict.fromkeys(statements), people=header.people), tuple(notes)


def _read_measurements(section: Section) -> dict[str, float | None]:
    """Read section 7; what it ends before is not there.

    Notes
    -----
    Times are ms from the beginning of the reference beat. The first block is that of the reference beat of type 0.
    """
    data = section.data
    if len(data) < 6:
        return {}
    n_blocks, n_spikes, rr, _ = struct.unpack_from("<BBHH", data)
    found: dict[str, float | None] = {}
    if n_blocks and len(data) >= 22:
        found = _intervals(struct.unpack_from("<5H3h", data, 6))
    found["rr_mean_ms"] = _value(rr)
    at = 6 + 16 * n_blocks + 10 * n_spikes
    if len(data) >= at + 2:
        at += 2 + struct.unpack_from("<H", data, at)[0]  # the types of the beats
    if len(data) >= at + 7:
        ventricular, atrial, qtc, formula = struct.unpack_from("<HHHB", data, at)
        found["heart_rate_bpm"], found["atrial_rate_bpm"] = _value(ventricular), _value(atrial)
        found[_QTC.get(formula, "qtc_ms")] = _value(qtc)
    if found.get("heart_rate_bpm") is None and found["rr_mean_ms"] is not None:
        found["heart_rate_bpm"] = round(60000 / rr, 1)
    return found


def _intervals(block: tuple[int, ...]) -> dict[str, float | None]:
    p_on, p_off, qrs_on, qrs_off, t_off, *axes = block
    found = {
        "p_duration_ms": _between(p_on, p_off),
        "pr_interval_ms": _between(p_on, qrs_on),
        "qrs_duration_ms": _between(qrs_on, qrs_off),
        "qt_interval_ms": _between(qrs_on, t_off),
    }
    for name, axis in zip(("p_axis_deg", "qrs_axis_deg", "t_axis_deg"), axes, strict=True):
        found[name] = float(axis)  # 999 or 29999 where there is none
    return found


def _between(start: int, stop: int) -> float | None:
    return float(stop - start) if start not in _ABSENT and stop not in _ABSENT and stop > start else None


def _value(number: int) -> float | None:
    return float(number) if number and number not in _ABSENT else None


def _read_statements(section: Section, encoding: str) -> tuple[list[str], bool]:
    """Read the statements of section 8 or 11, and say whether all were there.

    After kind, date and time, 9 bytes with their number, each has a number, a length and its text; in section 11 a kind
    before it: codes with zeros between, or text. How statements are connected is left out.
    """
    data = section.data
    count = data[8] if len(data) > 8 else 0
    statements: list[str] = []
    at = 9
    for _ in range(count):
        if at + 3 > len(data):
            return statements, False
        (length,) = struct.unpack_from("<H", data, at + 1)
        text = data[at + 3 : at + 3 + length]
        at += 3 + length
        if at > len(data):
            return statements, False
        kind = _TEXT
        if section.number == 11:
            kind, text = (text[0], text[1:]) if text else (0, b"")
        if kind == _CODED:
            statements.append(" ".join(filter(None, (decode(code, encoding) for code in text.split(b"\0")))))
        elif kind == _TEXT:
            statements.append(decode(text, encoding))
    return [statement for statement in statements if statement], True
