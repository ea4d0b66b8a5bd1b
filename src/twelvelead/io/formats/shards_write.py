"""Write recordings as shards."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from twelvelead.io.formats.shards import BYTES, INDEX, NAME, SUM
from twelvelead.io.formats.source import Source
from twelvelead.io.formats.steps import to_steps
from twelvelead.io.tables import sha256, sink_table, write_text


def write_shards(recordings: Iterable[tuple[str, Source]], folder: Path) -> Path:
    """Write recordings as one shard and its index.

    Parameters
    ----------
    recordings : iterable of (str, Source)
        Each with its id; read whole, one at a time.
    folder : Path
        Made if it is not there.

    Returns
    -------
    Path
        The index.

    Raises
    ------
    InputError
        If an amplitude is one that no amplifier gives.
    ContractError
        If an id repeats.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / signal_file(0)).open("wb") as file:
        rows = [append_recording(source, recording_id, file) for recording_id, source in recordings]
        os.fsync(file.fileno())
    write_index(INDEX.select(rows).lazy(), folder)
    return folder / NAME


def signal_file(number: int) -> str:
    """Name the signal file of a number."""
    return f"signals-{number:05d}.int16"


def append_recording(source: Source, recording_id: str, file: BinaryIO) -> dict[str, Any]:
    """Append a recording to a signal file, and return its row of the index.

    Parameters
    ----------
    source : Source
        Read whole.
    recording_id : str
        Its id.
    file : binary file
        Open for writing, at its end.

    Raises
    ------
    InputError
        If an amplitude is one that no amplifier gives; nothing is written then.
    """
    recording = source.read()
    steps = to_steps(recording, source.step_mv, bits=16)
    content = steps.samples.astype("<i2", copy=False).tobytes()
    said, patient = source.provenance, source.patient
    recorded_at = said.recorded_at if said.recorded_at is not None else recording.start
    row = {
        "recording_id": recording_id,
        "file": Path(file.name).name,
        "first": file.tell() // BYTES,
        "n_samples": recording.n_samples,
        "fs": recording.fs,
        "leads": list(recording.leads),
        "step_mv": list(steps.step_mv),
        "zero": list(steps.zero),
        "exact": steps.exact,
        "sha256": hashlib.sha256(content).hexdigest(),
        "patient_id": patient.id,
        "sex": patient.sex,
        "age_years": patient.age_years,
        "recorded_at": None if recorded_at is None else recorded_at.replace(tzinfo=None),  # the clock on the wall
        "format": said.format,
        "device": said.device,
        "software": said.software,
        "high_pass_hz": said.high_pass_hz,
        "low_pass_hz": said.low_pass_hz,
        "notch_hz": said.notch_hz,
        "statements": list(source.machine.statements),
        "measurements": [{"name": k, "value": float(v)} for k, v in source.machine.measurements.items()],
        "notes": list(source.notes),
    }
    file.write(content)
    return row


def write_index(rows: pl.LazyFrame, folder: Path) -> None:
    """Publish shards: write their index, whose rows are those of `append_recording`, when all signals are written."""
    sink_table(rows, folder / NAME)
    write_text(f"{sha256(folder / NAME)}  {NAME}\n", folder / SUM)
