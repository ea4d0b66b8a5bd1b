"""Section 1 of an SCP-ECG record (EN 1064): tagged fields that say where it comes from and whom it is of."""

import struct
from dataclasses import dataclass
from datetime import date, datetime, time

from twelvelead.io.formats.metadata import Patient, Provenance, age_at, sex_of
from twelvelead.io.formats.scp_sections import Section

_END = 255
_YEARS_PER = {1: 1.0, 2: 1 / 12, 3: 7 / 365.25, 4: 1 / 365.25, 5: 1 / 8766}
"""Years per year, month, week, day and hour, the units of an age."""

_ENCODINGS = {3: "iso8859-2", 0x0B: "iso8859-4", 0x13: "iso8859-5", 0x1B: "iso8859-6", 0x23: "iso8859-7",
              0x2B: "iso8859-8", 0x33: "iso8859-11", 0x3B: "iso8859-15", 7: "utf-16-le", 0x0F: "euc-jp",
              0x17: "euc-jp", 0x1F: "euc-jp", 0x27: "gb2312", 0x2F: "euc-kr"}  # fmt: skip
"""Character sets by the language support code of tag 14; any other is Latin-1, with which ASCII agrees."""

_MAKERS = {1: "Burdick", 2: "Cambridge", 3: "Compumed", 4: "Datamed", 5: "Fukuda", 6: "Hewlett-Packard",
           7: "Marquette Electronics", 8: "Mortara Instruments", 9: "Nihon Kohden", 10: "Okin", 11: "Quinton",
           12: "Siemens", 13: "Spacelabs", 14: "Telemed", 15: "Hellige", 16: "Esaote", 17: "Schiller",
           18: "Picker-Schwarzer", 19: "et medical devices", 20: "Zwönitz"}  # fmt: skip
"""Manufacturers by the code of tag 14, for devices that don't spell theirs out."""

_PEOPLE = (0, 1, 2, 3, 20, 21, 22, 31)
"""Tags that name the patient, physicians and technicians, or number the patient and the ECG."""


@dataclass(frozen=True)
class Header:
    """What section 1 says.

    Parameters
    ----------
    provenance : Provenance
        Device, software, filters, time.
    patient : Patient
        With identity.
    encoding : str
        Of the text of all sections.
    people : tuple of str
        Names of people, and numbers that stand for the patient, which no statement may repeat.
    notes : tuple of str
        What is amiss.
    """

    provenance: Provenance = Provenance()  # noqa: RUF009 - frozen
    patient: Patient = Patient()  # noqa: RUF009 - frozen
    encoding: str = "latin-1"
    people: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_header(section: Section | None, *, version: str) -> Header:
    """Read section 1; a field that is not as long as it must be is left out."""
    if section is None:
        return Header(Provenance(version=version), notes=("there is no section 1: no device, time or patient",))
    fields, notes = _read_fields(section)
    device = fields.get(14, b"")
    encoding = _ENCODINGS.get(device[16], "latin-1") if len(device) > 16 else "latin-1"
    day, clock = _date(fields.get(25, b"")), _time(fields.get(26, b""))
    recorded = datetime.combine(day, clock) if day is not None else None
    high_pass, low_pass, notch = (_number(fields.get(27, b""), "H"), _number(fields.get(28, b""), "H"),
                                  _number(fields.get(29, b""), "B"))  # fmt: skip
    provenance = Provenance(
        version=version,
        device=_device(device, encoding),
        software=", ".join(filter(None, _strings(device, encoding)[2:4])),
        recorded_at=recorded,
        high_pass_hz=high_pass / 100 or None,
        low_pass_hz=float(low_pass) or None,
        notch_hz={1: 60.0, 2: 50.0}.get(notch & 3),
    )
    people = tuple(text for tag in _PEOPLE if (text := decode(fields.get(tag, b""), encoding)))
    return Header(provenance, _patient(fields, encoding, recorded), encoding, people, tuple(notes))


def decode(raw: bytes, encoding: str) -> str:
    """Decode text that ends with a zero, or with the field."""
    end = "\0\0" if encoding.startswith("utf-16") else "\0"
    return raw.decode(encoding, errors="replace").split(end[0])[0].strip()


def _read_fields(section: Section) -> tuple[dict[int, bytes], list[str]]:
    """Read the first field of each tag."""
    fields: dict[int, bytes] = {}
    data, at = section.data, 0
    while at + 3 <= len(data) and data[at] != _END:
        (length,) = struct.unpack_from("<H", data, at + 1)
        if at + 3 + length > len(data):
            return fields, [f"section 1 ends within the field of tag {data[at]}"]
        fields.setdefault(data[at], data[at + 3 : at + 3 + length])
        at += 3 + length
    return fields, []


def _patient(fields: dict[int, bytes], encoding: str, recorded: datetime | None) -> Patient:
    born = _date(fields.get(5, b""))
    last, first, second = (decode(fields.get(tag, b""), encoding) for tag in (0, 1, 3))
    age, unit = struct.unpack("<HB", fields[4][:3]) if len(fields.get(4, b"")) >= 3 else (0, 0)
    return Patient(
        sex=sex_of(str(_number(fields.get(8, b""), "B"))),
        age_years=age * _YEARS_PER[unit] if unit in _YEARS_PER else age_at(born, recorded),
        id=decode(fields.get(2, b""), encoding),
        name=", ".join(name for name in (" ".join(filter(None, (last, second))), first) if name),
        born=born,
    )


def _device(raw: bytes, encoding: str) -> str:
    """Name manufacturer and model by tag 14."""
    if len(raw) < 14:
        return ""
    maker = (_strings(raw, encoding)[4:] or [""])[0] or _MAKERS.get(raw[7], "")
    return " ".join(filter(None, (maker, decode(raw[8:14], encoding))))


def _strings(raw: bytes, encoding: str) -> list[str]:
    """Give the texts at the end of tag 14.

    They are: version of the analysis, serial number, system software, SCP-ECG software, manufacturer.
    """
    texts = [decode(text, encoding) for text in raw[36:].split(b"\0")[:5]]
    known = ["" if text.lower() == "unknown" else text for text in texts]
    return [known[0], "", *known[2:]] if len(known) > 2 else known


def _number(raw: bytes, layout: str) -> int:
    """Read a number; 0 where the field is too short, which means unknown in all of them."""
    size = struct.calcsize(layout)
    return int(struct.unpack(f"<{layout}", raw[:size])[0]) if len(raw) >= size else 0


def _date(raw: bytes) -> date | None:
    """Read year, month and day; None where they are no date."""
    if len(raw) < 4:
        return None
    try:
        return date(*struct.unpack("<HBB", raw[:4]))
    except ValueError:
        return None


def _time(raw: bytes) -> time:
    """Read hour, minute and second; midnight where they are no time."""
    try:
        return time(*raw[:3])
    except ValueError:
        return time()
