"""Recordings in files and folders: find them, read one."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from twelvelead.io.formats import FORMATS, HEAD, Declaration, Format, Provenance, Source
from twelvelead.io.formats.wfdb_segments import segments_among
from twelvelead.io.formats.xml import root_element
from twelvelead.signal import Recording
from twelvelead.terms import Error, FormatError, InputError

_SUFFIXES = {suffix for known in FORMATS for suffix in known.suffixes}
_COMMON = {".csv", ".tsv", ".parquet", ".xml", ".mat", ".npy", ".h5", ".hdf5"}
"""Suffixes that other files bear, too. What bears another one of a format but can't be recognised is broken."""


@dataclass(frozen=True, slots=True)
class Found:
    """A recording that was found: its id, the file that names it, and which of that file it is if there are several.

    Kept small, since archives hold a million.
    """

    recording_id: str
    file: Path | str
    entry: str | None = None

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
    entry: str | None = None,
    identify: bool = False,
) -> Source:
    """Open one recording of any known format: how long it is, what its file says, and any span of it on demand.

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
    entry : str or None
        Which recording of a file that holds several.
    identify : bool
        Whether the patient's id, name and date of birth are wanted.

    Returns
    -------
    Source
        WFDB, EDF, ISHNE, NPY and shards are read as far as is asked for; other formats are read here, whole.

    Raises
    ------
    InputError
        If the file is not there, something is not declared, or it is not said which of several recordings is meant.
    FormatError
        If the file is of no known format or is broken.
    MissingExtra
        If an optional package is needed to read it.
    """
    declaration = Declaration(fs=fs, leads=tuple(leads) if leads else None, units=units, entry=entry)
    return open_declared(Path(path), declaration, recording_id=recording_id, identify=identify)


def open_found(found: Found, declaration: Declaration, *, identify: bool = False) -> Source:
    """Open a recording that was found, under its id; as `open_declared` does.

    Parameters
    ----------
    found : Found
        What `find_recordings` found.
    declaration : Declaration
        What the file doesn't say; which recording of it is meant, `found` knows.
    identify : bool
        Whether the patient's id, name and date of birth are wanted.
    """
    said = Declaration(declaration.fs, declaration.leads, declaration.units, found.entry)
    return open_declared(found.path, said, recording_id=found.recording_id, identify=identify)


def open_declared(
    path: Path, declaration: Declaration, *, recording_id: str | None = None, identify: bool = False
) -> Source:
    """Open one recording of any known format; as `open_recording` does.

    Parameters
    ----------
    path : Path
        The file; a WFDB record may be named without suffix.
    declaration : Declaration
        What the file doesn't say, and which recording of several is meant.
    recording_id : str or None
        Instead of the file's stem.
    identify : bool
        Whether the patient's id, name and date of birth are wanted.

    Raises
    ------
    InputError, FormatError, MissingExtra
        As `open_recording` does.
    """
    with _readable(path):
        known = _format_of(path)
        if known.entries is not None and declaration.entry is None:
            declaration = replace(declaration, entry=_only_entry(path, known))
        source = known.open(path, declaration)
    span = source.span

    def read_span(first: int, stop: int) -> Recording:
        with _readable(path):
            recording = span(first, stop)
        return recording if recording_id is None else replace(recording, id=recording_id)

    said = source.provenance  # written out, since dataclasses.replace takes as long as a header does to read
    return Source(
        source.fs,
        source.n_samples,
        read_span,
        source.machine,
        Provenance(
            known.name,
            said.version,
            said.device,
            said.software,
            said.recorded_at,
            said.high_pass_hz,
            said.low_pass_hz,
            said.notch_hz,
        ),
        source.patient if identify else source.patient.without_identity(),
        source.median,
        source.step_mv,
        source.notes,
    )


def read(
    path: Path | str,
    *,
    fs: float | None = None,
    leads: Sequence[str] | None = None,
    units: str | None = None,
    recording_id: str | None = None,
    entry: str | None = None,
) -> Recording:
    """Read one recording of any known format.

    Parameters
    ----------
    path, fs, leads, units, recording_id, entry
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
    source = open_recording(path, fs=fs, leads=leads, units=units, recording_id=recording_id, entry=entry)
    return source.read()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in our words what the system refuses."""
    try:
        yield
    except OSError as error:
        msg = f"a recording must be readable; got {error.strerror or error} for {str(path)!r}. Check the path."
        raise InputError(msg) from error


def _only_entry(path: Path, known: Format) -> str:
    """Name the recording of a file that holds just one of possibly several."""
    entries = known.entries(path) if known.entries is not None else []
    if len(entries) != 1:
        some = f", such as {', '.join(entries[:3])}" if entries else ""
        msg = f"it must be said which of several recordings is meant; got {len(entries)}{some} in {path.name}. "
        msg += "Give its name as the entry."
        raise InputError(msg)
    return entries[0]


def find_recordings(paths: Sequence[Path]) -> list[Found]:
    """Find the recordings that files and folders hold.

    Parameters
    ----------
    paths : sequence of Path
        Each a recording, or a folder that is searched with all its subfolders. Files are known by their content,
        whatever their names.

    Returns
    -------
    list of Found
        In the order of the paths; within a folder by name, its own files before its subfolders. The id of a recording
        in a folder is its path below that folder without suffix, that of a single file its stem; where two files of a
        folder share a stem, both keep their suffix. A recording of a file with several is called by its own name there.
        Ids may repeat; who measures them has to refuse those. A file that bears a waveform format's suffix but is
        broken is found, too, so that it is listed.

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
            with _readable(path):
                known = _format_of(path)
            found.extend(_list(known, str(path), _without_suffix(path.name, known), ""))
    if not found:
        known_formats = "; ".join(f"{f.name}: {f.meaning}" for f in FORMATS)
        given = ", ".join(map(str, paths)) or "no path"
        msg = f"there must be a recording to read; got none in {given}. Known: {known_formats}."
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
        yield from _search_files([entry for entry in entries if entry.is_file()], top, below)


def _search_files(files: list[os.DirEntry[str]], folder: str, below: str) -> Iterator[Found]:
    """Look through the files of one folder, most of which belong to a WFDB header and need not be opened."""
    records = {entry.name.removesuffix(".hea") for entry in files if entry.name.endswith(".hea")}
    segments = segments_among(records, folder)
    named: list[tuple[os.DirEntry[str], Format | None, str]] = []
    for entry in files:
        if entry.name.endswith(".hea"):
            if (name := entry.name.removesuffix(".hea")) not in segments:
                named.append((entry, None, name))
        elif entry.name[0] != "." and entry.name.rpartition(".")[0] not in records:
            head = _read_head(entry.path)
            known = _recognise(head, Path(entry.path))
            if known is not None or _is_broken(head, entry.name):
                named.append((entry, known, _without_suffix(entry.name, known)))
    times = Counter(name for _, _, name in named)
    for entry, known, name in named:
        yield from _list(known, entry.path, name if times[name] == 1 else entry.name, below)


def _list(known: Format | None, file: str, name: str, below: str) -> Iterator[Found]:
    """List the recordings of a file; one that can't be listed counts as one, so that it is refused where it is read."""
    if known is None or known.entries is None:
        yield Found(below + name, file)
        return
    try:
        yield from (Found(below + entry, file, entry) for entry in known.entries(Path(file)))
    except Error:
        yield Found(below + name, file)


def _without_suffix(name: str, known: Format | None) -> str:
    """Leave out a suffix that only says the format; parts of a name may look like one."""
    stem, dot, suffix = name.rpartition(".")
    is_format = dot + suffix.lower() in _SUFFIXES or (known is not None and known.name == "wfdb")
    return stem if stem and is_format else name


def _read_head(path: str | Path) -> bytes:
    """Read the beginning of a file; nothing of one that can't be read, which shows when it is opened."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - quicker, and there are a million
            return file.read(HEAD)
    except OSError:
        return b""


def _recognise(head: bytes, path: Path) -> Format | None:
    return next((known for known in FORMATS if known.recognise(head, path)), None)


def _is_broken(head: bytes, name: str) -> bool:
    """Whether a file that is of no known format should be a waveform, by its name."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
    return suffix in _SUFFIXES - _COMMON or (suffix == ".xml" and root_element(head) is None)


def _refusal(error: OSError) -> InputError:
    msg = f"a folder must be readable; got {error.strerror} for {error.filename!r}. Check its permissions."
    return InputError(msg)


def _format_of(path: Path) -> Format:
    if not path.is_file() and not path.with_name(path.name + ".hea").is_file():
        msg = f"a recording must be there; got {str(path)!r}, which is not. Check the path."
        raise InputError(msg)
    if path.suffix == ".hea":  # first of all, and without a look into it: most archives are WFDB
        return FORMATS[0]
    known = _recognise(_read_head(path), path)
    if known is None:
        names = ", ".join(f.name for f in FORMATS)
        msg = f"a recording must be of a known format ({names}); got {path.name!r}. Convert it to one of these."
        raise FormatError(msg)
    return known
