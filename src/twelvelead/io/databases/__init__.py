"""One file per database; each gives the same tables."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from twelvelead.io.databases import (
    challenge2021,
    code15,
    ecg_view,
    meds,
    mimic,
    ptbxl,
    tables,
    uci_arrhythmia,
    z_alizadeh_sani,
)
from twelvelead.io.databases.database import Database
from twelvelead.io.databases.published import Table
from twelvelead.terms import InputError


@dataclass(frozen=True)
class Kind:
    """A database that can be read.

    Parameters
    ----------
    name : str
        What a study calls it.
    meaning : str
        What it is, and by which file it is known.
    recognise : callable
        Folder to whether it is one.
    load : callable
        Folder to `Database`.
    load_raw : callable or None
        The same with a machine's measurements cleaned only as the publications did, if there are such.
    tables : tuple of Table
        The tables that it was published as, for those that come in several.
    """

    name: str
    meaning: str
    recognise: Callable[[Path], bool]
    load: Callable[[Path], Database]
    load_raw: Callable[[Path], Database] | None = None
    tables: tuple[Table, ...] = ()


DATABASES = (
    Kind("ptbxl", "PTB-XL as published (ptbxl_database.csv)", ptbxl.recognise, ptbxl.load),
    Kind("tables", "your own tables (cohort and events beside the waveforms)", tables.recognise, tables.load),
    Kind("uci_arrhythmia", "UCI Arrhythmia (arrhythmia.data)", uci_arrhythmia.recognise, uci_arrhythmia.load),
    Kind("meds", "any MEDS data set (data/**/*.parquet)", meds.recognise, meds.load),
    Kind(
        "mimic_iv",
        "MIMIC-IV with -ECG, -ED, -Ext-ICD, MIMIC-CXR-JPG or CXR-LT (record_list, machine_measurements or admissions)",
        mimic.recognise,
        mimic.load,
        partial(mimic.load, raw=True),
        mimic.TABLES,
    ),
    Kind(
        "ecg_view_ii",
        "ECG-ViEW II (Electrocardiogram.csv and Person.csv)",
        ecg_view.recognise,
        ecg_view.load,
        partial(ecg_view.load, raw=True),
        ecg_view.TABLES,
    ),
    Kind("code15", "CODE-15 % (exams.csv)", code15.recognise, code15.load, tables=code15.TABLES),
    Kind(
        "z_alizadeh_sani",
        "Z-Alizadeh Sani (z_alizadeh_sani.csv)",
        z_alizadeh_sani.recognise,
        z_alizadeh_sani.load,
        tables=z_alizadeh_sani.TABLES,
    ),
    Kind(
        "challenge2021",
        "PhysioNet/CinC Challenge 2020 or 2021 (.hea files with Dx)",
        challenge2021.recognise,
        challenge2021.load,
    ),
)


def recognise_database(folder: Path) -> Kind | None:
    """Say which database a folder is; None if it is none that can be read."""
    return next((kind for kind in DATABASES if kind.recognise(folder)), None)


def is_database(kind: str, folder: Path) -> bool:
    """Whether a folder is there, and is a database of a kind.

    Parameters
    ----------
    kind : str
        Name of one of `DATABASES`.
    folder : Path
        Where it may lie.
    """
    return folder.is_dir() and any(k.name == kind and k.recognise(folder) for k in DATABASES)


def load_database(kind: str, folder: Path, *, raw: bool = False) -> Database:
    """Load the tables of a database of a known kind.

    Parameters
    ----------
    kind : str
        Name of one of `DATABASES`.
    folder : Path
        Where it lies.
    raw : bool
        Whether a machine's measurements are cleaned only as the publications did; without effect on databases that have
        none.

    Raises
    ------
    InputError
        If there is no such kind, no such folder, or the folder is not a database of that kind.
    """
    found = next((k for k in DATABASES if k.name == kind), None)
    if found is None:
        msg = f"database kind must be one of {', '.join(k.name for k in DATABASES)}; got {kind!r}. Mend the study."
        raise InputError(msg)
    if not folder.is_dir():
        msg = f"the data folder must be there; got {str(folder)!r}, which is not. Check --data."
        raise InputError(msg)
    if not found.recognise(folder):
        msg = f"{str(folder)!r} must be {found.meaning}; got a folder without those tables. Check --data."
        raise InputError(msg)
    return found.load_raw(folder) if raw and found.load_raw is not None else found.load(folder)


__all__ = ["DATABASES", "Database", "Kind", "Table", "is_database", "load_database", "recognise_database"]
