"""Recordings in files and folders: find them, read one."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from twelvelead.io.formats import FORMATS, Declaration, Format
from twelvelead.signal import Recording
from twelvelead.terms import FormatError, InputError

SUFFIXES = (".hea", ".npy", ".csv", ".tsv", ".parquet")
"""Files that are looked into when a folder is searched; a recording's other files are found through these."""


@dataclass(frozen=True)
class Found:
    """A recording that was found: its id, and the file that names it."""

    recording_id: str
    path: Path


def read(
    path: Path | str,
    *,
    fs: float | None = None,
    leads: Sequence[str] | None = None,
    units: str | None = None,
    recording_id: str | None = None,
) -> Recording:
    """Read one recording of any known format.

    Parameters
    ----------
    path : Path or str
        The file; a WFDB record may be named without suffix.
    fs : float or None
        Sampling frequency in Hz, for files that don't say it.
    leads : sequence of str or None
        Lead names, for files that don't say them.
    units : str or None
        mV, uV or V, for files that don't say it.
    recording_id : str or None
        Instead of the file's stem.

    Returns
    -------
    Recording
        In mV.

    Raises
    ------
    InputError
        If the file is not there, or something is not declared.
    FormatError
        If the file is of no known format or is broken.
    MissingExtra
        If an optional package is needed to read it.
    """
    path = Path(path)
    declaration = Declaration(fs=fs, leads=tuple(leads) if leads else None, units=units)
    try:
        recording = _format_of(path).read(path, declaration)
    except OSError as error:
        msg = f"a recording must be readable; got {error.strerror or error} for {str(path)!r}. Check the path."
        raise InputError(msg) from error
    return recording if recording_id is None else replace(recording, id=recording_id)


def find_recordings(paths: Sequence[Path]) -> list[Found]:
    """Find the recordings that files and folders hold.

    Parameters
    ----------
    paths : sequence of Path
        Each a recording, or a folder that is searched with all its subfolders.

    Returns
    -------
    list of Found
        In the order of the paths; within a folder by name, its own files before its subfolders. The id of a recording
        in a folder is its path below that folder without suffix, that of a single file its stem. Ids may repeat; who
        measures them has to refuse those.

    Raises
    ------
    InputError
        If a path is not there, a folder can't be listed, or nothing that can be read is found.
    """
    found: list[Found] = []
    for path in paths:
        if path.is_dir():
            found += _search(path)
        else:
            _format_of(path)
            found.append(Found(path.stem if path.suffix in (*SUFFIXES, ".dat", ".mat") else path.name, path))
    if not found:
        known = "; ".join(f"{f.name}: {f.meaning}" for f in FORMATS)
        msg = (
            f"there must be a recording to read; got none in {', '.join(map(str, paths)) or 'no path'}. Known: {known}."
        )
        raise InputError(msg)
    return found


def _search(folder: Path) -> Iterator[Found]:
    for top, folders, files in os.walk(folder, onerror=_refuse_folder):
        folders.sort()
        below = Path(top).relative_to(folder)
        for name in sorted(files):
            if not name.endswith(SUFFIXES):  # before a Path is made: archives hold a million files
                continue
            path = Path(top, name)
            if path.is_file() and any(f.recognise(path) for f in FORMATS):
                yield Found((below / path.stem).as_posix(), path)


def _refuse_folder(error: OSError) -> None:
    msg = f"a folder must be readable; got {error.strerror} for {error.filename!r}. Check its permissions."
    raise InputError(msg) from error


def _format_of(path: Path) -> Format:
    if not path.is_file() and not path.with_name(path.name + ".hea").is_file():
        msg = f"a recording must be there; got {str(path)!r}, which is not. Check the path."
        raise InputError(msg)
    for known in FORMATS:
        if known.recognise(path):
            return known
    names = ", ".join(f.name for f in FORMATS)
    msg = f"a recording must be of a known format ({names}); got {path.name!r}. Convert it to one of these."
    raise FormatError(msg)
