"""Recordings made ready for pre-training, once: of one length, rate and order of leads, mapped into memory."""

import hashlib
import math
import os
import shutil
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.encode import EncoderConfig, to_input
from twelvelead.encode.config import FS
from twelvelead.encode.cut import MARGIN_S
from twelvelead.io import Found, find_recordings, open_found
from twelvelead.io.databases import load_database, recognise_database
from twelvelead.io.formats import Declaration, Provenance, Source
from twelvelead.io.formats.shards import INDEX, NAME, SUM
from twelvelead.io.formats.shards_write import append_recording, signal_file, write_index
from twelvelead.io.formats.source import source_of
from twelvelead.io.tables import sha256, sink_table, write_table, write_text
from twelvelead.signal import Recording
from twelvelead.study.fingerprint import fingerprint
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress
from twelvelead.study.refusal import refusing, take_unique
from twelvelead.terms import FAILURES, InputError, Reason

PART = 256  # recordings: a signal file of some 10 MB, and all that a killed run has lost of each worker
FAILED, SPLIT = "failures.parquet", "split.parquet"


@dataclass(frozen=True)
class Part:
    """Recordings that are made ready in one go.

    Parameters
    ----------
    number : int
        Of the part and its signal file.
    recordings : tuple of Found
        Sorted by id.
    patients : tuple of str
        Of each recording, as far as tables say; else empty.
    config : EncoderConfig
        What they are made ready for.
    declared : Declaration
        What signal tables don't say.
    folder : Path
        Where the files go.
    """

    number: int
    recordings: tuple[Found, ...]
    patients: tuple[str, ...]
    config: EncoderConfig
    declared: Declaration
    folder: Path

    def path(self, table: str) -> Path:
        """File of one of the tables: index, groups, failures; the last says that the part is done."""
        return self.folder / f"part-{self.number:05d}.{table}.parquet"


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Recordings that are ready.

    Parameters
    ----------
    maps : tuple of ndarray of int16, each of shape (n, n_samples, n_leads)
        Signal files, mapped into memory.
    place : ndarray of int, shape (n_recordings, 2)
        Of each recording: which map, and which of it.
    step_mv, zero : ndarray of float32, shape (n_recordings, n_leads)
        The amplitude in mV is (integer + zero) · step.
    train, held_out : ndarray of int
        Numbers of the recordings to train on, and to check with.
    sha256 : str
        Of the index, which has those of all recordings.
    by_patient : bool
        Whether it was known for all recordings whose they are, so that no patient is on both sides.
    """

    maps: tuple[NDArray[np.int16], ...]
    place: NDArray[np.int64]
    step_mv: NDArray[np.float32]
    zero: NDArray[np.float32]
    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    sha256: str
    by_patient: bool

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int16]:
        """Copy recordings out of the maps, shape (n, n_samples, n_leads)."""
        out = np.empty((len(rows), *self.maps[0].shape[1:]), np.int16)
        for k, (file, first) in enumerate(self.place[rows].tolist()):
            out[k] = self.maps[file][first]
        return out


def prepare_data(
    archive: Path,
    folder: Path,
    *,
    config: EncoderConfig,
    held_out: float,
    workers: int,
    declared: Declaration,
    progress: Progress,
) -> None:
    """Make all recordings of an archive ready, unless that was done before.

    A killed run leaves its finished parts beside `folder`; the same call takes them up. The files don't depend on the
    number of workers.

    Parameters
    ----------
    archive : Path
        A folder of recordings in any format, shards among them, or a file with several.
    folder : Path
        To be made: shards as `io.formats.shards` describes them, a table of those refused, and the split.
    config : EncoderConfig
        What they are made ready for.
    held_out : float
        Part of the patients to check with.
    workers : int
        Processes.
    declared : Declaration
        What signal tables don't say of themselves.
    progress : Progress
        Told how far it has come.

    Raises
    ------
    InputError
        If there is no recording, or fewer than four of them, or of their patients, are fit.
    """
    if (folder / SUM).is_file():
        return
    found = find_recordings([archive])
    unique, repeated = take_unique(found)
    work = folder.with_name(f".{folder.name}.unfinished")
    parts = _plan(unique, _patients(archive), work=work, config=config, declared=declared)
    todo = [part for part in parts if not part.path("failures").is_file()]
    run_tasks(
        write_part, todo, workers=workers, stage="making ready", progress=progress, size=lambda p: len(p.recordings)
    )
    duplicates = FAILURES.select(
        [{"recording_id": n, "reason": Reason.DUPLICATE.value, "message": m} for n, m in repeated.items()]
    )
    refused = pl.concat([*(pl.read_parquet(part.path("failures")) for part in parts), duplicates])
    groups = pl.concat([pl.read_parquet(part.path("groups")) for part in parts])
    write_table(refused.sort("recording_id"), work / FAILED)
    write_table(split_groups(groups, held_out=held_out), work / SPLIT)
    write_index(pl.scan_parquet([part.path("index") for part in parts]), work)
    for part in parts:
        for table in ("index", "groups", "failures"):
            part.path(table).unlink()
    for left in work.glob(".process-*"):  # half a file, whose writer was killed
        left.unlink()
    (work / "plan").unlink()
    work.replace(folder)


def open_data(folder: Path, *, config: EncoderConfig) -> TrainingData:
    """Map what `prepare_data` made into memory.

    Parameters
    ----------
    folder : Path
        Its folder.
    config : EncoderConfig
        What they were made ready for.
    """
    index = pl.read_parquet(folder / NAME, columns=["recording_id", "file", "first", "step_mv", "zero"])
    split = pl.read_parquet(folder / SPLIT)
    held = index.join(split, on="recording_id", how="left", validate="1:1", maintain_order="left")["held_out"]
    shape = (config.n_samples, config.n_leads)
    files = index["file"].unique().sort().to_list()
    maps = tuple(np.memmap(folder / file, dtype="<i2", mode="r").reshape(-1, *shape) for file in files)
    place = index.select(
        pl.col("file").replace_strict(files, list(range(len(files))), return_dtype=pl.Int64),
        pl.col("first") // math.prod(shape),
    )
    return TrainingData(
        maps=maps,
        place=place.to_numpy(),
        step_mv=np.array(index["step_mv"].to_list(), dtype=np.float32),
        zero=np.array(index["zero"].to_list(), dtype=np.float32),
        train=np.flatnonzero(~held.to_numpy()),
        held_out=np.flatnonzero(held.to_numpy()),
        sha256=sha256(folder / NAME),
        by_patient=bool(split["by_patient"].all()),
    )


def split_groups(groups: pl.DataFrame, *, held_out: float) -> pl.DataFrame:
    """Hold out some patients with all their recordings.

    Parameters
    ----------
    groups : DataFrame with columns recording_id, group, by_patient
        One row per recording; those of one group stay together.
    held_out : float
        Part of the groups, rounded; at least two, since one alone has no spread.

    Returns
    -------
    DataFrame with columns recording_id, held_out, by_patient
        The groups, which are hashes, are left out.

    Raises
    ------
    InputError
        If there are fewer than four groups.

    Examples
    --------
    >>> table = pl.DataFrame({"recording_id": ["r1", "r2", "r3", "r4", "r5"], "group": ["a", "b", "b", "c", "d"]})
    >>> split = split_groups(table.with_columns(by_patient=True), held_out=0.1)
    >>> split.filter("held_out")["recording_id"].to_list()
    ['r1', 'r2', 'r3']
    """
    names = groups["group"].unique().sort()
    if len(names) < 4:
        msg = f"there must be recordings of four patients or more that are fit; got {len(names)}. Give more, or look "
        msg += "into their failures."
        raise InputError(msg)
    chosen = names.head(max(2, round(held_out * len(names))))
    return groups.select("recording_id", held_out=pl.col("group").is_in(chosen.implode()), by_patient="by_patient")


def write_part(part: Part) -> None:
    """Make the recordings of a part ready; one that can't be is a row that says why."""
    rows: list[dict[str, Any]] = []
    groups: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    scratch = part.folder / f".process-{os.getpid()}-{signal_file(part.number)}"
    with scratch.open("wb") as file:
        for found, patient in zip(part.recordings, part.patients, strict=True):
            ready = None
            with refusing(found, refused, doing="make ready"):
                ready = _made_ready(found, part)
            if ready is not None:
                source, patient_there = ready
                rows.append({**append_recording(source, found.recording_id, file), "file": signal_file(part.number)})
                groups.append(_group(found, patient or patient_there))
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(part.folder / signal_file(part.number))
    _write(INDEX.select(rows), part.path("index"))
    schema = {"recording_id": pl.String, "group": pl.String, "by_patient": pl.Boolean}
    _write(pl.DataFrame(groups, schema=schema), part.path("groups"))
    _write(FAILURES.select(refused), part.path("failures"))


def _made_ready(found: Found, part: Part) -> tuple[Source, str]:
    """Read as much of a recording as is needed, and say whose it is if its file does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a checksum and the like, which `twelvelead inspect` shows
        source = open_found(found, part.declared, identify=True)
        seconds = part.config.n_samples / FS + 2 * MARGIN_S
        begun = source.span(0, min(source.n_samples, math.ceil(seconds * source.fs)))
    signal = to_input(begun, config=part.config)
    ready = Recording(signal, part.config.leads, FS, found.recording_id)
    return source_of(ready, provenance=Provenance(source.provenance.format)), source.patient.id


def _group(found: Found, patient: str) -> dict[str, Any]:
    """Say what a recording must not be parted from: a hash, since the patient's id is not to lie in the folder."""
    name = f"patient {patient}" if patient else f"recording {found.recording_id}"
    group = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()
    return {"recording_id": found.recording_id, "group": group, "by_patient": bool(patient)}


def _patients(archive: Path) -> dict[str, str]:
    """Say whose recordings are, by id and by path, where the archive is a database with tables."""
    kind = recognise_database(archive) if archive.is_dir() else None
    if kind is None:
        return {}
    cohort = load_database(kind.name, archive).cohort.select("recording_id", "patient_id", "path")
    cohort = cohort.filter(pl.col("patient_id").is_not_null() & (pl.col("patient_id") != pl.col("recording_id")))
    times = Counter(cohort["path"])
    of: dict[str, str] = {}
    for recording_id, patient_id, path in cohort.iter_rows():
        of[recording_id] = patient_id
        if path is not None and times[path] == 1:
            of[os.path.splitext(path)[0]] = patient_id  # noqa: PTH122 - a million of them
    return of


def _plan(
    unique: Sequence[Found], patients: Mapping[str, str], *, work: Path, config: EncoderConfig, declared: Declaration
) -> list[Part]:
    """Deal recordings out to parts; what an earlier run did of another plan is removed."""
    digest, plan = fingerprint(unique, (config, declared)), work / "plan"
    if not plan.is_file() or plan.read_text() != digest:
        shutil.rmtree(work, ignore_errors=True)
        write_text(digest, plan)
    parts = []
    for start in range(0, len(unique), PART):
        part = tuple(unique[start : start + PART])
        whose = tuple(patients.get(f.recording_id) or patients.get(f.entry or "", "") for f in part)
        parts.append(Part(start // PART, part, whose, config, declared, work))
    return parts


def _write(table: pl.DataFrame, path: Path) -> None:
    sink_table(table.lazy(), path, durable=False)  # what a loss of power takes can be made again
