"""Whose recordings these are: from a table, from a database that is known, or from the files and folders themselves."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from twelvelead.io import Found, load_database, open_found, read_table, recognise_database
from twelvelead.io.databases import ptbxl
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.privacy import Release, Sample
from twelvelead.signal import Recording
from twelvelead.study.progress import Progress, silent
from twelvelead.terms import FAILURES, LEADS, Error, InputError, Reason, Unmeasurable

LONGEST_S = 60.0
"""Of longer recordings only the beginning is audited."""

FROM_TABLE = "a table of people"
FROM_FILES = "the files themselves; the person is the patient number of the file or else the folder that it lies in"

_COLUMNS = ("recorded_at", "age_years", "sex", "device")


@dataclass(frozen=True)
class Person:
    """What is known of a recording: whose it is, when and by what it was made, and how old and of which sex they were.

    None where it is not known.
    """

    patient_id: str
    recorded_at: datetime | None = None
    age_years: float | None = None
    sex: str | None = None
    device: str | None = None


@dataclass(frozen=True, eq=False)
class Known:
    """Who is known of.

    Parameters
    ----------
    people : mapping of recording id to Person, or None
        None where only the files can tell.
    source : str
        Where this is known from.
    simulated : bool
        Whether the people are made up, as far as a database says it.
    """

    people: Mapping[str, Person] | None
    source: str
    simulated: bool = False


@dataclass(frozen=True, eq=False)
class Gathered:
    """A release that was read.

    Parameters
    ----------
    release : Release
        The recordings with their people.
    failures : DataFrame keeping `terms.FAILURES`
        Recordings that can't be read, or whose person is not known.
    known : Known
        Whose they are, and where from.
    n_cut : int
        Recordings of which only the beginning was read.
    """

    release: Release
    failures: pl.DataFrame
    known: Known
    n_cut: int


def read_subjects(path: Path) -> dict[str, Person]:
    """Read a table of people.

    Parameters
    ----------
    path : Path
        CSV, TSV or Parquet with a row per recording: patient_id; recording_id, or path; and if known recorded_at (ISO
        8601), age_years, sex (female or male), device. PTB-XL's own table will do.

    Returns
    -------
    dict of recording id to Person

    Raises
    ------
    InputError
        If a column is absent, a recording comes twice, or a date or sex can't be understood.
    """
    table = read_table(path)
    if {"filename_hr", "patient_id", "age", "sex"} <= set(table.columns):
        table = ptbxl.demographics(table).rename({"recording_date": "recorded_at"})
    key = next((name for name in ("recording_id", "path") if name in table.columns), None)
    if key is None or "patient_id" not in table.columns:
        msg = "a table of people must have the columns patient_id, and recording_id or path; got "
        msg += f"{', '.join(table.columns[:12])} in {path.name}. Rename yours."
        raise InputError(msg)
    people: dict[str, Person] = {}
    for row in table.iter_rows(named=True):
        if row[key] is None or row["patient_id"] is None:
            continue
        name = _without_suffix(str(row[key])) if key == "path" else str(row[key])
        if name in people:
            msg = f"a table of people must have one row per recording; got {name!r} twice in {path.name}. Keep one."
            raise InputError(msg)
        people[name] = _person(row, name)
    return people


def _without_suffix(name: str) -> str:
    return re.sub(r"\.\w+$", "", name)


def _person(row: Mapping[str, object], name: str) -> Person:
    said = {column: row.get(column) for column in _COLUMNS}
    sex = None if said["sex"] in {None, ""} else str(said["sex"]).strip().lower()
    sex = {"f": "female", "m": "male"}.get(sex or "", sex)
    if sex not in {None, "female", "male"}:
        msg = f"sex must be female or male, or empty; got {said['sex']!r} for {name!r}. Translate it."
        raise InputError(msg)
    age, device = said["age_years"], said["device"]
    return Person(
        patient_id=str(row["patient_id"]),
        recorded_at=_moment(said["recorded_at"], name),
        age_years=_age(age, name),
        sex=sex,
        device=None if device in {None, ""} else " ".join(str(device).split()),
    )


def _age(value: object, name: str) -> float | None:
    try:
        return None if value in {None, ""} else float(str(value))
    except ValueError as error:
        msg = f"age_years must be a number, or empty; got {value!r} for {name!r}. Rewrite it."
        raise InputError(msg) from error


def _moment(value: object, name: str) -> datetime | None:
    if value is None or isinstance(value, datetime) or not str(value).strip():
        return value if isinstance(value, datetime) else None
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        msg = f"recorded_at must be a date or time as 2020-01-31 10:15; got {value!r} for {name!r}. Rewrite it."
        raise InputError(msg) from error


def known_people(paths: Sequence[Path], subjects: Path | None) -> Known:
    """Return who is known of.

    Parameters
    ----------
    paths : sequence of Path
        What is audited; a folder may be a database.
    subjects : Path or None
        A table of people, which goes before the database's own.
    """
    kinds = [(recognise_database(path), path) for path in paths if path.is_dir()]
    kind, path = next(((kind, path) for kind, path in kinds if kind is not None), (None, None))
    database = load_database(kind.name, path) if kind is not None and path is not None else None
    simulated = database is not None and database.simulated
    if subjects is not None:
        return Known(read_subjects(subjects), FROM_TABLE, simulated)
    if database is None:
        return Known(None, FROM_FILES, simulated)
    if (database.folder / ptbxl.TABLE).is_file():
        return Known(read_subjects(database.folder / ptbxl.TABLE), "PTB-XL’s own table", simulated)
    rows = database.cohort.iter_rows(named=True)
    people = {row["recording_id"]: _person(row, row["recording_id"]) for row in rows}
    return Known(people, f"the tables of the database ({database.name})", simulated)


def gather(
    found: Iterable[Found], known: Known, *, declared: Declaration = UNDECLARED, progress: Progress = silent
) -> Gathered:
    """Read recordings and put them together with their people.

    Parameters
    ----------
    found : iterable of Found
        From `find_recordings`.
    known : Known
        From `known_people`. Recordings are found in it by `match`.
    declared : Declaration
        What signal tables don't say of themselves.
    progress : Progress
        Told after each recording.

    Returns
    -------
    Gathered
        Standard leads only, where a recording has any.

    Raises
    ------
    InputError
        If no recording of a known person can be read.
    """
    wanted = sorted(found, key=lambda f: _natural(f.recording_id))
    whose = None
    if known.people is not None:
        names = match([f.recording_id for f in wanted], known.people)
        whose = {one: known.people[name] for one, name in names.items()}
    samples: list[Sample] = []
    failures = []
    n_cut = 0
    seen: set[str] = set()
    for done, one in enumerate(wanted, 1):
        try:
            sample, cut = _read(one, whose, declared)
            if sample.recording.id in seen:
                msg = f"recordings must differ in their id; got {sample.recording.id!r} twice. Rename one."
                raise Unmeasurable(Reason.DUPLICATE, msg)
        except Error as error:
            reason = error.reason if isinstance(error, Unmeasurable) else Reason.UNREADABLE
            failures.append({"recording_id": one.recording_id, "reason": reason.value, "message": str(error)})
        else:
            samples.append(sample)
            seen.add(sample.recording.id)
            n_cut += cut
        progress("reading", done, len(wanted))
    if not samples:
        msg = f"there must be recordings of known people; got none of {len(wanted)}"
        msg += f" ({failures[0]['message']})" if failures else ""
        raise InputError(msg + ". Give a table of people by --subjects.")
    return Gathered(Release(tuple(samples)), FAILURES.select(failures), known, n_cut)


def _read(found: Found, people: Mapping[str, Person] | None, declared: Declaration) -> tuple[Sample, bool]:
    """Read one recording; also whether it was cut."""
    source = open_found(found, declared, identify=people is None)
    person: Person | None
    if people is None:
        folder = found.recording_id.rpartition("/")[0]
        said, made = source.patient, source.provenance
        person = Person(said.id or folder, made.recorded_at, said.age_years, said.sex, made.device or None)
    else:
        person = people.get(found.recording_id)
    if person is None or not person.patient_id:
        msg = f"it must be known whose a recording is; got nothing for {found.recording_id!r}. "
        raise InputError(msg + "Name it in a table of people, or put each person's recordings into a folder.")
    n = min(source.n_samples, round(LONGEST_S * source.fs))
    recording = _standard_leads(source.span(0, n))
    recording = replace(recording, id=found.recording_id)
    sample = Sample(recording, person.patient_id, person.recorded_at, person.device, person.age_years, person.sex)
    return sample, n < source.n_samples


def _standard_leads(recording: Recording) -> Recording:
    """Keep the leads of the standard ECG: others are often the same ones, filtered."""
    at = [k for k, lead in enumerate(recording.leads) if lead in LEADS]
    if not at or len(at) == len(recording.leads):
        return recording
    return replace(recording, signal=recording.signal[at], leads=tuple(recording.leads[k] for k in at))


def match(ids: Sequence[str], names: Collection[str]) -> dict[str, str]:
    """Find recordings in a table that calls them by less, or by more, of their path.

    Parameters
    ----------
    ids : sequence of str
        Recordings that were found.
    names : collection of str
        Recordings of the table.

    Returns
    -------
    dict of id to name
        Without those that fit several names, or share a name with another recording: a wrong person is worse than none.

    Examples
    --------
    >>> match(["a/rec_1", "a/rec_2", "b/rec_2"], ["top/a/rec_1", "rec_2"])
    {'a/rec_1': 'top/a/rec_1'}
    """
    longer: dict[str, list[str]] = {}
    for name in names:
        for tail in _tails(name):
            longer.setdefault(tail, []).append(name)
    found = {}
    for one in ids:
        shorter = (tail for tail in _tails(one) if tail in names)
        fits = [one] if one in names else longer.get(one) or list(shorter)
        if len(fits) == 1:
            found[one] = fits[0]
    times = Counter(found.values())
    return {one: name for one, name in found.items() if times[name] == 1}


def _tails(name: str) -> list[str]:
    """Return what is left of a path as its first folders are left out, the whole first."""
    parts = name.split("/")
    return ["/".join(parts[k:]) for k in range(len(parts))]


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sort rec_10 after rec_2."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name))
