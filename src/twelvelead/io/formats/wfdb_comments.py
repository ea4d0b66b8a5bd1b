"""What the comments of WFDB headers say of the patient, as the archives write them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from twelvelead.io.formats.metadata import Patient, sex_of

OLDEST_AGE = 130.0  # years; the Challenge writes 300, and others -1, for "above 89" or "unknown"

_TAG = re.compile(r"<([^<>]*)>:?([^<]*)")  # LUDB, the INCART database, MIMIC-IV-ECG
_TAPE = re.compile(r"(\d{1,3}|-1)\s+([MF])\b")  # the MIT-BIH databases: age and sex come first
_DATE = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})")  # the day first, as in Germany and Russia
_SAID_NOTHING = {"", "no", "none", "n/a", "unknown", "nan", "0"}
# The lines of the PTB database that tell a diagnosis.
_PTB = {
    "reason for admission",
    "acute infarction (localization)",
    "former infarction (localization)",
    "additional diagnoses",
}


@dataclass(frozen=True)
class Comments:
    """What comments say.

    Parameters
    ----------
    patient : Patient
        Age, sex and identifier.
    statements : tuple of str
        Diagnoses, as text or as SNOMED CT codes.
    recorded_on : datetime or None
        The day of the recording, where a comment has it.
    """

    patient: Patient = Patient()  # noqa: RUF009 - frozen
    statements: tuple[str, ...] = ()
    recorded_on: datetime | None = None


NOTHING = Comments()


def read_comments(lines: tuple[str, ...]) -> Comments:
    """Read the comments of a header; what is of no known kind is passed over.

    Parameters
    ----------
    lines : tuple of str
        Without their `#`.

    Notes
    -----
    Known are those of PTB, LUDB, ECG-ID, INCART, the Challenges of 2020 and 2021, MIMIC-IV-ECG and the MIT-BIH
    databases.

    Examples
    --------
    >>> said = read_comments(("Age: 74", "Sex: Male", "Dx: 426783006,39732003"))
    >>> (said.patient, said.statements)
    (Patient(sex='male', age_years=74.0, id='', name='', born=None), ('426783006', '39732003'))
    """
    if not lines:
        return NOTHING
    said: dict[str, str] = {}
    statements: list[str] = []
    for key, value in _pairs(lines):
        if key == "dx":
            statements += [code for code in re.split(r"[,\s]+", value) if code.lower() not in _SAID_NOTHING]
        elif key == "diagnoses" and value:
            statements.append(value)
        elif key in _PTB and value.lower() not in _SAID_NOTHING:
            statements.append(f"{key.capitalize()}: {value}")
        else:
            said.setdefault(key, value)
    who = said.get("subject_id", said.get("patient", ""))
    patient = Patient(sex=sex_of(said.get("sex")), age_years=_age(said.get("age", "")), id=who)
    return Comments(patient, tuple(statements), _day(said.get("ecg date", "")))


def _pairs(lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Give keys in lower case and values; each line that follows `<diagnoses>` is a diagnosis, too."""
    in_diagnoses = False
    for line in lines:
        if tags := _TAG.findall(line):
            for key, value in tags:
                in_diagnoses = key.strip().lower() == "diagnoses"
                yield key.strip().lower(), value.strip()
        elif line.startswith("patient "):
            yield "patient", line.removeprefix("patient ").strip()
        elif in_diagnoses and line:
            yield "diagnoses", line
        elif tape := _TAPE.match(line):
            yield "age", tape[1]
            yield "sex", tape[2]
        else:
            key, _, value = line.partition(":")
            yield key.strip().lower(), value.strip()


def _age(text: str) -> float | None:
    try:
        age = float(text)
    except ValueError:
        return None
    return age if 0 <= age <= OLDEST_AGE else None


def _day(text: str) -> datetime | None:
    found = _DATE.fullmatch(text)
    try:
        return datetime(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        return None
