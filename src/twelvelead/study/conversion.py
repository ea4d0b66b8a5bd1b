"""Convert recordings to another format, batch by batch: each batch writes its files, and then what came of it."""

import hashlib
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io import Found, open_found, sink_table
from twelvelead.io.deidentify import deidentify, pseudonym
from twelvelead.io.formats import Declaration, Source
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.formats.shards import INDEX
from twelvelead.io.formats.shards_write import append_recording, signal_file
from twelvelead.io.formats.source import source_of
from twelvelead.io.formats.wfdb_write import write_wfdb_source
from twelvelead.study.refusal import describe_fault
from twelvelead.terms import Error, Reason

SUFFIXES = {"wfdb": ".hea", "dicom": ".dcm", "shards": ""}
"""What can be written, and the suffix of the file that each recording becomes."""

OUTCOME = {
    "recording_id": pl.String, "new_id": pl.String, "patient_id": pl.String, "new_patient_id": pl.String,
    "reason": pl.String, "message": pl.String, "exact": pl.Boolean, "dropped": pl.Int64,
}  # fmt: skip
"""What came of a recording; the first and the third column are empty where ids must not be kept."""

Write = Callable[[Source, str], bool | None]
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")  # a WFDB record's name, and a file's on any system


@dataclass(frozen=True)
class Conversion:
    """What recordings are to become.

    Parameters
    ----------
    to : str
        A key of `SUFFIXES`.
    declared : Declaration
        For signal tables that don't say.
    identify : bool
        Whether the patient's id, name and date of birth are kept where the format has a place for them.
    key : bytes or None
        With which recordings are de-identified, if they are.
    crosswalk : bool
        Whether the old ids are kept beside the new ones.
    """

    to: str
    declared: Declaration = UNDECLARED
    identify: bool = False
    key: bytes | None = field(default=None, repr=False)
    crosswalk: bool = False

    def new_id(self, recording_id: str) -> str:
        """Give the id that a recording gets."""
        return recording_id if self.key is None else pseudonym(recording_id, key=self.key, kind="recording")

    def refusal(self, recording_id: str, reason: str, error: str | Exception) -> dict[str, Any]:
        """Say why a recording is not converted; of one that must not be told by name, what names nobody."""
        message = str(error)
        if self.key is not None:
            kind = type(error).__name__ if isinstance(error, Exception) else "another of its name"
            message = f"a recording must be convertible; got {kind}. The message is left out, as it may tell whose "
            message += "recording it is: look the id up in the crosswalk, and convert that file by itself."
        return {"new_id": self.new_id(recording_id), "reason": reason, "message": message, **self.old(recording_id)}

    def old(self, recording_id: str, patient_id: str = "") -> dict[str, str]:
        """Give the old ids, as far as they may be kept."""
        return {"recording_id": recording_id, "patient_id": patient_id} if self.crosswalk else {}


@dataclass(frozen=True)
class Batch:
    """Recordings that are converted in one go.

    Parameters
    ----------
    number : int
        Of the batch; with shards, of its signal file.
    recordings : tuple of Found
        Sorted by id.
    wanted : Conversion
        What they are to become.
    folder : Path
        Where the files go.
    record : Path
        Folder of the tables that say what came of it.
    """

    number: int
    recordings: tuple[Found, ...]
    wanted: Conversion
    folder: Path
    record: Path

    @property
    def outcome(self) -> Path:
        """Table that is written last, and says that the batch is done."""
        return self.record / f"{self.number:06d}.outcome.parquet"

    @property
    def index(self) -> Path:
        """Rows of the index of shards."""
        return self.record / f"{self.number:06d}.index.parquet"


def convert_batch(batch: Batch) -> None:
    """Convert the recordings of a batch; one that can't be is a row that says why."""
    with _open_writer(batch) as write:
        outcomes = [convert_one(found, batch.wanted, write) for found in batch.recordings]
    _write_table(pl.DataFrame(outcomes, schema=OUTCOME), batch.outcome)


def convert_one(found: Found, wanted: Conversion, write: Write) -> dict[str, Any]:
    """Convert one recording, and say what came of it.

    Parameters
    ----------
    found : Found
        The recording.
    wanted : Conversion
        What it is to become.
    write : callable
        Takes the source and its new id; says whether nothing was rounded, if that is known.

    Returns
    -------
    dict
        A row of `OUTCOME`.
    """
    try:
        source = _read(found, wanted)
    except (Error, OSError) as error:
        return wanted.refusal(found.recording_id, Reason.UNREADABLE.value, error)
    except Exception as error:  # noqa: BLE001 - a fault of ours, which must not cost the batch
        return wanted.refusal(found.recording_id, Reason.FAULT.value, _fault(error, wanted))
    new_id, patient, said = wanted.new_id(found.recording_id), source.patient.id, len(source.machine.statements)
    try:
        if wanted.key is not None:
            source = deidentify(source, key=wanted.key, recording_id=found.recording_id)
        exact = write(source, new_id)
    except Error as error:
        return wanted.refusal(found.recording_id, Reason.UNWRITABLE.value, error)
    except OSError:
        raise  # such as a full disk, which is no recording's fault
    except Exception as error:  # noqa: BLE001 - a fault of ours, which must not cost the batch
        return wanted.refusal(found.recording_id, Reason.FAULT.value, _fault(error, wanted))
    return {
        "new_id": new_id, "new_patient_id": source.patient.id if wanted.crosswalk else "", "exact": exact,
        "dropped": said - len(source.machine.statements), **wanted.old(found.recording_id, patient),
    }  # fmt: skip


def write_file(source: Source, path: Path, wanted: Conversion) -> bool | None:
    """Write a recording as a file of its own, and say whether nothing was rounded; None if unknown."""
    if wanted.to == "wfdb":
        return write_wfdb_source(source, path)
    from twelvelead.io.formats.dicom_write import write_dicom

    path.parent.mkdir(parents=True, exist_ok=True)
    write_dicom(source, path, pseudonymised=wanted.key is not None)
    return None


def place(recording_id: str, suffix: str) -> Path:
    """Find a place below any folder for the file of a recording.

    Parameters
    ----------
    recording_id : str
        Whatever files and their entries are called; parts of it between slashes become folders.
    suffix : str
        Of the file.

    Returns
    -------
    Path
        Relative, of ASCII letters, digits, `_` and `-`. A part that has something else gets a number made from it, so
        that no two share a place; none leads upwards.

    Examples
    --------
    >>> place("ward 1/0042", ".hea").as_posix()
    'ward_1-57f52d83/0042.hea'
    >>> ".." in place("../../etc/passwd", ".hea").parts
    False
    """
    parts = [_plain(part) for part in recording_id.split("/")]
    return Path(*parts[:-1], parts[-1] + suffix)


def _plain(part: str) -> str:
    if _PLAIN.fullmatch(part):
        return part
    number = hashlib.sha256(part.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', part)[:80].lstrip('-') or '_'}-{number}"


def _read(found: Found, wanted: Conversion) -> Source:
    """Read a recording whole, so that what is amiss with its file shows before anything is written."""
    with warnings.catch_warnings():
        if wanted.key is not None:
            warnings.simplefilter("ignore")  # they name the file
        source = open_found(found, wanted.declared, identify=wanted.identify or wanted.key is not None)
        return replace(source, span=source_of(source.read()).span)


@contextmanager
def _open_writer(batch: Batch) -> Iterator[Write]:
    """Give what writes a recording of a batch."""
    if batch.wanted.to != "shards":
        suffix = SUFFIXES[batch.wanted.to]
        yield lambda source, new_id: write_file(source, batch.folder / place(new_id, suffix), batch.wanted)
        return
    rows: list[dict[str, Any]] = []
    # Elsewhere at first: a worker whose run was killed may still be writing while the next run does.
    scratch = batch.record / f"process-{os.getpid()}" / signal_file(batch.number)
    scratch.parent.mkdir(exist_ok=True)
    with scratch.open("wb") as file:

        def append(source: Source, new_id: str) -> bool:
            rows.append(append_recording(source, new_id, file))
            return bool(rows[-1]["exact"])

        yield append
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(batch.folder / scratch.name)
    _write_table(INDEX.select(rows), batch.index)


def _write_table(table: pl.DataFrame, path: Path) -> None:
    sink_table(table.lazy(), path, durable=False)  # what a loss of power takes can be converted again


def _fault(error: Exception, wanted: Conversion) -> str | Exception:
    """Say of an error that nobody foresaw what is needed to mend it, unless it may tell whose recording it is."""
    return describe_fault(error, "convert") if wanted.key is None else error
