"""Whose the recordings of a batch are, and how old and of which sex the people were, as far as anything says it."""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from twelvelead.io import Found, load_database, open_found, recognise_database
from twelvelead.io.databases import ptbxl
from twelvelead.io.formats import Declaration
from twelvelead.io.tables import read_table
from twelvelead.study.application import match_demographics, read_demographics
from twelvelead.terms import Error

Sex = Literal["female", "male"]


@dataclass(frozen=True)
class Person:
    """Whom a recording is of.

    Parameters
    ----------
    patient : str
        A hash, the same for all recordings of one person; of the recording itself where nobody knows the person.
    age_years : float or None
        When it was recorded.
    sex : {"female", "male"} or None
        Of the person.
    known : bool
        Whether it is known who it is.
    """

    patient: str
    age_years: float | None = None
    sex: Sex | None = None
    known: bool = False


def people_of(
    recordings: Sequence[Found], paths: Sequence[Path], demographics: Path | None, declared: Declaration
) -> list[Person]:
    """Find out whose recordings are.

    Parameters
    ----------
    recordings : sequence of Found
        Unique by id.
    paths : sequence of Path
        Where they were found; a folder among them that is a database has a table of them.
    demographics : Path or None
        A table with recording_id, age_years, sex and perhaps patient_id, or PTB-XL's own; it counts before all else.
    declared : Declaration
        What signal tables don't say of themselves.

    Returns
    -------
    list of Person
        In the order of `recordings`. What no table says is taken from the recording's file.

    Raises
    ------
    InputError
        If the table is none of these, or has two rows of one recording.
    """
    tables = [_table(demographics)] if demographics is not None else _databases(paths)
    if not tables:
        return [_of_file(found, declared) for found in recordings]
    table = pl.concat(tables)
    ids = pl.Series([found.recording_id for found in recordings], dtype=pl.String)
    rows = match_demographics(ids, table).select("age_years", "sex", "patient_id").iter_rows()
    return [
        _person(found, patient, age, sex) if patient is not None or age is not None or sex is not None
        else _of_file(found, declared)
        for found, (age, sex, patient) in zip(recordings, rows, strict=True)
    ]  # fmt: skip


def _table(path: Path) -> pl.DataFrame:
    known = read_demographics(path)
    table = read_table(path)
    if {"filename_hr", "patient_id"} <= set(table.columns):
        return ptbxl.demographics(table).select("recording_id", "age_years", "sex", "patient_id")
    if "patient_id" in table.columns:
        return known.with_columns(patient_id=table["patient_id"].cast(pl.String))
    return known.with_columns(patient_id=pl.lit(None, pl.String))


def _databases(paths: Sequence[Path]) -> list[pl.DataFrame]:
    tables = []
    for path in paths:
        kind = recognise_database(path) if path.is_dir() else None
        if kind is not None:
            cohort = load_database(kind.name, path).cohort
            tables.append(cohort.select("recording_id", "age_years", "sex", "patient_id"))
    return tables


def _of_file(found: Found, declared: Declaration) -> Person:
    """Ask the recording's file; what can't be read is refused later, with its reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            patient = open_found(found, declared, identify=True).patient
    except (Error, OSError):
        return _person(found, None, None, None)
    return _person(found, patient.id or None, patient.age_years, patient.sex)


def _person(found: Found, patient: str | None, age_years: float | None, sex: str | None) -> Person:
    name = f"patient {patient}" if patient else f"recording {found.recording_id}"
    group = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()
    age = min(age_years, ptbxl.OLDEST) if age_years is not None else None
    stated: Sex | None = "female" if sex == "female" else "male" if sex == "male" else None
    return Person(group, age, stated, known=bool(patient))
