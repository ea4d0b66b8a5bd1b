"""Recordings in files and folders: find them, read one."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from twelvelead.io.formats import FORMATS, Declaration, Format, Source
from twelvelead.signal import Recording
from twelvelead.terms import FormatError, InputError

SUFFIXES = (".hea", ".npy", ".csv", ".tsv", ".parquet")
"""Files that are looked into when a folder is searched; a recording's other files are found through these."""


@dataclass(frozen=True, slots=True)
class Found:
    """A recording that was found: its id, and the file that names it; kept small, since archives hold a million."""

    recording_id: str
    file: Path | str

    @property
    def path(self) -> Path:
        """The file that names it."""
        return Path(self.file)


def open_recording(
    path: Path | str,
    *,
    fs: float | None = None,
    leads: Sequence[str] | None = None,
    units: str | None = None,
    recording_id: str | None = None,
) -> Source:
    """Open one recording of any known format: how long it is, and any span of it on demand.

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
    Source
        WFDB and NPY are read as far as is asked for; other formats are read here, whole.

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
    with _readable(path):
        source = _format_of(path).open(path, declaration)

    def span(first: int, stop: int) -> Recording:
        with _readable(path):
            recording = source.span(first, stop)
        return recording if recording_id is None else replace(recording, id=recording_id)

    return Source(source.fs, source.n_samples, span)


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
    path, fs, leads, units, recording_id
        As `open_recording` takes them.

    Returns
    -------
    Recording
        In mV.

    Raises
    ------
    InputError, FormatError, MissingExtra
        As `open_recording` does.
    """
    return open_recording(path, fs=fs, leads=leads, units=units, recording_id=recording_id).read()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in our words what the system refuses."""
    try:
        yield
    except OSError as error:
        msg = f"a recording must be readable; got {error.strerror or error} for {str(path)!r}. Check the path."
        raise InputError(msg) from error


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
            found.extend(_search(path))
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
    """Look through a folder: its own files by name, then its subfolders by name; links to folders are not followed."""
    waiting = [(str(folder), "")]
    while waiting:
        top, below = waiting.pop()
        try:
            with os.scandir(top) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            raise _refusal(error) from error
        folders = [(entry.path, f"{below}{entry.name}/") for entry in entries if entry.is_dir(follow_symlinks=False)]
        waiting += reversed(folders)
        for entry in entries:
            # The name decides before anything is opened: archives hold a million files.
            if entry.name.endswith(SUFFIXES) and entry.is_file() and _is_recording(entry):
                yield Found(below + entry.name.rpartition(".")[0], entry.path)


def _is_recording(entry: os.DirEntry[str]) -> bool:
    return entry.name.endswith(".hea") or any(known.recognise(Path(entry.path)) for known in FORMATS)


def _refusal(error: OSError) -> InputError:
    msg = f"a folder must be readable; got {error.strerror} for {error.filename!r}. Check its permissions."
    return InputError(msg)


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
