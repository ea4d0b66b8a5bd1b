"""HDF5 of the CODE datasets, many recordings to a file; and declared matrices in other HDF5 files."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.hdf5_file import dataset, opened, read_rows
from twelvelead.io.formats.scale import Declaration, by_time, declared, is_declared, to_source
from twelvelead.io.formats.source import Source
from twelvelead.terms import FormatError, InputError

MARK = b"\x89HDF\r\n\x1a\n"
TRACINGS, EXAMS = "tracings", "exam_id"
FS = 400.0  # Hz
LIMB, CHEST = ("I", "II", "III"), ("V1", "V2", "V3", "V4", "V5", "V6")
ORDER = (*LIMB, "aVR", "aVL", "aVF", *CHEST)
ORDER_OF_TEST = (*LIMB, "aVL", "aVF", "aVR", *CHEST)
UNIT_NOTE = "the file does not say its unit, and its dataset's description contradicts itself: mV are taken."

# Goldberger: aVR = -(I + II)/2, aVL = I - II/2, aVF = II - I/2.
_OF_I_II = {"aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}


@dataclass(frozen=True, eq=False)
class _Content:
    """What a file holds.

    Parameters
    ----------
    order : tuple of str
        Leads of the tracings as published; none where the file is of no CODE dataset.
    rows : dict of str to int
        The row of each recording in the tracings; -1 for a matrix of its own.
    """

    order: tuple[str, ...]
    rows: dict[str, int]


def recognise_hdf5(head: bytes, path: Path) -> bool:
    """Whether a file is HDF5 that names tracings at its beginning, or has a sidecar which names its leads."""
    return head.startswith(MARK) and (TRACINGS.encode() in head or is_declared(path))


def hdf5_entries(path: Path) -> list[str]:
    """List the recordings of a file: by `exam_id`, by row where there is none, or each matrix by its name.

    Raises
    ------
    FormatError
        If the file is broken.
    MissingExtra
        If the h5py package is not installed.
    """
    return list(_content(path).rows)


def open_hdf5(path: Path, declaration: Declaration) -> Source:
    """Open one recording of a file; only its row is read.

    Parameters
    ----------
    path : Path
        A file of CODE-15 % (`tracings` of shape (n, 4096, 12) and `exam_id`), of the CODE test set (`tracings` alone),
        or any that holds matrices of declared fs, leads and units.
    declaration : Declaration
        `entry` names the recording; `units` outranks the unit of the CODE datasets.

    Returns
    -------
    Source
        Without the zeros that fill up its row on both sides.

    Raises
    ------
    FormatError
        If the file is broken, or the recording is nothing but zeros.
    InputError
        If there is no such recording, or something is not declared.
    MissingExtra
        If the h5py package is not installed.

    Notes
    -----
    The description of the CODE datasets gives the scale as 1e-4 V and at once the factor, 1000, that belongs to mV. mV
    are taken, as most who use the data do. CODE-15 % has the augmented leads in the order aVR, aVL, aVF, the test set
    in the order aVL, aVF, aVR: Goldberger's law says for each recording which it is, and the published order stands
    where it does not.

    References
    ----------
    CODE-15 %: doi:10.5281/zenodo.4916206. CODE test set: doi:10.5281/zenodo.3765780, doi:10.1038/s41467-020-15432-4.
    """
    content, entry = _content(path), declaration.entry or ""
    if entry not in content.rows:
        msg = f"a recording must be one of the {len(content.rows)} that {path.name} holds; got {entry!r}. List them."
        raise InputError(msg)
    said = declared(path, declaration)
    with opened(path) as file:
        if not content.order:
            matrix = dataset(file, entry)
            return to_source(by_time(read_rows(matrix, 0, matrix.shape[0]), said), said, path=path, entry=entry)
        row = content.rows[entry]
        samples = read_rows(dataset(file, TRACINGS), row, row + 1)[0]
    samples = _trim(samples, f"{entry} of {path.name}")
    order = _order(samples, content.order)
    notes = [UNIT_NOTE] if said.units is None else []
    if order != content.order:
        notes.append(f"augmented leads are {', '.join(order[3:6])} by Goldberger's law, not in the published order.")
    said = Declaration(fs=FS, leads=order, units=said.units or "mV")
    return replace(to_source(samples, said, path=path, entry=entry), notes=tuple(notes))


def _content(path: Path) -> _Content:
    """List what a file holds; once as long as it does not change, since each recording needs it."""
    found = path.stat()
    return _list(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=4)
def _list(path: Path, size: int, changed: int) -> _Content:
    del changed
    with opened(path) as file:
        names = list(file)  # asked for themselves, links would be followed into other files
        if TRACINGS not in names:
            return _Content((), {name: -1 for name in names if _is_matrix(file, name)})
        tracings = dataset(file, TRACINGS)
        if tracings.ndim != 3 or tracings.shape[2] != len(ORDER) or tracings.shape[0] > size:
            msg = f"tracings must have the shape (recordings, samples, {len(ORDER)}); got {tracings.shape} in "
            msg += f"{path.name}. Copy the file again."
            raise FormatError(msg)
        if EXAMS not in names:
            return _Content(ORDER_OF_TEST, {str(row): row for row in range(tracings.shape[0])})
        exams = dataset(file, EXAMS)
        if exams.shape != tracings.shape[:1] or exams.dtype.kind not in "iu":
            msg = f"exam_id must have a whole number for each of {tracings.shape[0]} recordings; got {exams.shape} of "
            msg += f"{exams.dtype} in {path.name}. Copy the file again."
            raise FormatError(msg)
        ids = read_rows(exams, 0, len(exams)).tolist()
    rows: dict[str, int] = {}
    for row, exam in enumerate(ids):
        if exam:  # each part of CODE-15 % ends in a row of zeros with the id 0, which is no recording
            rows.setdefault(str(exam), row)
    return _Content(ORDER, rows)


def _is_matrix(file: Any, name: str) -> bool:  # noqa: ANN401 - an h5py.File
    try:
        return len(dataset(file, name).shape) == 2
    except FormatError:
        return False


def _trim(samples: NDArray[np.number], where: str) -> NDArray[np.number]:
    """Leave out the rows at both ends in which all leads are exactly zero."""
    recorded = np.flatnonzero((samples != 0).any(axis=1))
    if not recorded.size:
        msg = f"a recording must have samples; got nothing but zeros for {where}. Leave it out."
        raise FormatError(msg)
    return samples[recorded[0] : recorded[-1] + 1]


def _order(samples: NDArray[np.number], published: tuple[str, ...]) -> tuple[str, ...]:
    """Name the leads: as published, unless the other order fits Goldberger's law at least twice as well."""
    other = ORDER_OF_TEST if published == ORDER else ORDER
    return other if 2 * _misfit(samples, other) < _misfit(samples, published) else published


def _misfit(samples: NDArray[np.number], order: tuple[str, ...]) -> float:
    """Root mean square of what augmented leads differ from those that follow from I and II, offsets aside."""
    expected = samples[:, :2].astype(np.float64) @ np.array([_OF_I_II[lead] for lead in order[3:6]]).T
    return float(np.sqrt(np.mean(np.var(samples[:, 3:6] - expected, axis=0))))
