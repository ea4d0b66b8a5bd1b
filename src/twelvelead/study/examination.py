"""What this installation can do, and what a folder of data is."""

import os
import platform
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from twelvelead.io import find_recordings, load_database, recognise_database
from twelvelead.io.databases import DATABASES, Database, Kind, Table
from twelvelead.io.databases.published import count_rows, find_strangers, find_tables
from twelvelead.study.studies import builtin_studies, load_study
from twelvelead.study.versions import versions
from twelvelead.terms import RESEARCH_ONLY, InputError

EXTRAS = {
    "wfdb": ("formats", "rarer WFDB formats"),
    "pydicom": ("formats", "DICOM"),
    "sierraecg": ("formats", "Philips XML"),
    "h5py": ("formats", "HDF5"),
    "matplotlib": ("plot", "an ECG as PNG or PDF"),
    "distributed": ("scale", "a Dask cluster"),
}
LOOKED_FOR = 1000  # waveform files; a look for each of 800,000 takes minutes on a file server
MAPPED_TO_ICD10 = {"icd9", "kcd"}  # by the cohort's rules, so that studies of ICD-10 codes have their outcomes

Lines = list[tuple[str, str]]


def examine(data: Path | None) -> Lines:
    """Describe the installation, and a data folder where one is given, as named lines.

    Raises
    ------
    InputError
        If the folder is not there, or holds a table of a known database twice.
    FormatError, ContractError
        If a table of a known database can't be read as what it is.
    """
    lines = [*versions().items(), ("platform", platform.platform()), ("processors", str(os.cpu_count()))]
    for module, (extra, use) in EXTRAS.items():
        state = "installed" if find_spec(module) else f"not installed (pip install 'twelvelead[{extra}]')"
        lines.append((module, f"{state}: {use}"))
    lines.append(("studies", ", ".join(builtin_studies())))
    lines.append(("notice", RESEARCH_ONLY))
    if data is not None:
        lines += _examine_folder(data)
    return lines


def _examine_folder(folder: Path) -> Lines:
    if not folder.is_dir():
        msg = f"--data must be a folder; got {str(folder)!r}, which is not there. Check the path."
        raise InputError(msg)
    lines = [("data", str(folder))]
    first = recognise_database(folder)
    others = [kind for kind in DATABASES if kind.tables and kind is not first and kind.recognise(folder)]
    for kind in [first, *others] if first is not None else []:
        lines += _examine_database(kind, folder)
    if first is None:
        known = "; ".join(f"{k.name}: {k.meaning}" for k in DATABASES)
        lines.append(("database", f"none that is known here ({known})"))
    recognised = {kind.name for kind in (first, *others) if kind is not None}
    lines += _find_below(folder, recognised) + _find_strangers(folder, recognised)
    return [*lines, ("waveform files", str(_count_waveforms(folder)))]


def _examine_database(kind: Kind, folder: Path) -> Lines:
    database = load_database(kind.name, folder)
    lines = [("database", f"{kind.name}: {kind.meaning}" + (" (simulated)" if database.simulated else ""))]
    lines += _describe_tables(kind, folder)
    lines += [
        ("recordings", _describe_recordings(database)),
        ("patients", str(_count_patients(database))),
    ]
    if database.stays is not None:
        kinds = database.stays["kind"].value_counts(sort=True).iter_rows()
        lines.append(("stays", ", ".join(f"{n} {name}" for name, n in kinds)))
    systems = {system for table in database.event_tables for system in table.systems}
    if kind.tables:  # whose rows were counted
        lines.append(("systems", ", ".join(sorted(systems)) or "none"))
    else:
        counts = database.events.group_by("system").len().sort("system").collect(engine="streaming")
        systems = set(counts["system"])
        each = ", ".join(f"{name} {n}" for name, n in counts.iter_rows())
        lines.append(("events", str(counts["len"].sum()) + (f" ({each})" if each else "")))
    return [*lines, ("can be studied by", _list_studies(kind, database, systems) or "a declaration of your own")]


def _describe_tables(kind: Kind, folder: Path) -> Lines:
    """Say of each part of a database what is there, in which release, and what is not."""
    found = find_tables(folder, kind.tables)
    parts: dict[str, list[Table]] = {}
    for table in kind.tables:
        parts.setdefault(table.part or kind.name, []).append(table)
    lines = []
    for part, tables in parts.items():
        there = [_describe_table(table, found[table.name]) for table in tables if table.name in found]
        missing = [table.name for table in tables if table.name not in found]
        said = ", ".join(there) or "not there"
        lines.append((part, said + (f"; missing: {', '.join(missing)}" if there and missing else "")))
    return lines


def _describe_table(table: Table, path: Path) -> str:
    n = count_rows(path)
    if n in table.rows:
        return f"{table.name} {n} rows (as in release {table.rows[n]})"
    return f"{table.name} {n} rows" + (" (of no release that is known here)" if table.rows else "")


def _describe_recordings(database: Database) -> str:
    paths = database.cohort["path"].drop_nulls()
    asked = paths.gather_every(max(1, paths.len() // LOOKED_FOR))
    absent = sum(not _is_there(database.folder / path) for path in asked)
    said = f"{database.cohort.height} in the tables"
    if not paths.len():
        said += ", no waveform files"
    elif asked.len() == paths.len():
        said += f", {absent} of them without waveform file"
    else:
        said += f", {absent} of {asked.len()} that were looked at without waveform file"
    if database.features is not None:
        said += f", {len(database.features.collect_schema()) - 1} measurements that came with them"
    return said


def _count_patients(database: Database) -> int:
    people = [table["patient_id"] for table in (database.cohort, database.patients) if table is not None]
    return pl.concat(people).n_unique()


def _list_studies(kind: Kind, database: Database, systems: set[str]) -> str:
    """Name the built-in studies of this kind of database, and what they would miss."""
    had = systems | ({"icd10"} if systems & MAPPED_TO_ICD10 else set())
    said = []
    for name in builtin_studies():
        study = load_study(name)
        if study.database.kind != kind.name:
            continue
        lacking = sorted({target.system for target in study.targets} - had)
        if database.cohort.is_empty():
            lacking.insert(0, "recordings")
        said.append(name + (f" (lacks {', '.join(lacking)})" if lacking else ""))
    return ", ".join(said)


def _find_below(folder: Path, recognised: set[str]) -> Lines:
    """Say which subfolders are databases of their own; parts of one that was recognised are not."""
    below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    kinds = [(path, kind) for path in below if (kind := recognise_database(path)) is not None]
    other = [(path, kind) for path, kind in kinds if kind.name not in recognised]
    return [("below", f"{path.name} is {kind.name}: give --data {path}") for path, kind in other]


def _find_strangers(folder: Path, recognised: set[str]) -> Lines:
    """Say which files bear a known table's name and are not it."""
    lines = []
    for kind in DATABASES:
        if kind.name in recognised:
            for path, missing in find_strangers(folder, kind.tables).items():
                said = f"{path.relative_to(folder)} lacks {', '.join(missing)}"
                lines.append(("unknown version", f"{said}, so it is not read as {kind.name}"))
    return lines


def _count_waveforms(folder: Path) -> int:
    try:
        return len(find_recordings([folder]))
    except InputError:  # which says that there is none
        return 0


def _is_there(path: Path) -> bool:
    return path.is_file() or path.with_name(path.name + ".hea").is_file()
