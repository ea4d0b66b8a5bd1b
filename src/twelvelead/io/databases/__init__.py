"""One file per database; each gives the same tables."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twelvelead.io.databases import ptbxl, tables
from twelvelead.io.databases.database import Database
from twelvelead.terms import InputError


@dataclass(frozen=True)
class Kind:
    """A database that can be read: how it is recognised, and how it is loaded."""

    name: str
    meaning: str
    recognise: Callable[[Path], bool]
    load: Callable[[Path], Database]


DATABASES = (
    Kind("ptbxl", "PTB-XL as published (ptbxl_database.csv)", ptbxl.recognise, ptbxl.load),
    Kind("tables", "your own tables (cohort and events beside the waveforms)", tables.recognise, tables.load),
)


def recognise_database(folder: Path) -> Kind | None:
    """Say which database a folder is; None if it is none that can be read."""
    return next((kind for kind in DATABASES if kind.recognise(folder)), None)


def load_database(kind: str, folder: Path) -> Database:
    """Load the tables of a database of a known kind.

    Parameters
    ----------
    kind : str
        Name of one of `DATABASES`.
    folder : Path
        Where it lies.

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
    return found.load(folder)


__all__ = ["DATABASES", "Database", "Kind", "load_database", "recognise_database"]
