"""Measure one shard of an archive: what a worker does."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io import Found, Source, open_found, sink_table
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.measure import features_contract, measure_many
from twelvelead.measure.row import Rows
from twelvelead.measure.windows import LONG_S, OVERLAP_S, PIECE_S, measure_windows
from twelvelead.signal import Recording
from twelvelead.study.refusal import describe_fault
from twelvelead.terms import FAILURES, FIDUCIALS, FINDINGS, MACHINE, Error, Reason

BLOCK = 32  # recordings that are measured together


@dataclass(frozen=True)
class Wanted:
    """What is wanted of recordings.

    Parameters
    ----------
    declared : Declaration
        For signal tables that don't say.
    fiducials : bool
        Whether the marks of every beat are wanted, which takes time.
    refine : bool
        Whether the marks that the rules set are corrected by what was learnt.
    machine : bool
        Whether it is wanted what the files say besides their samples.
    identify : bool
        Whether that may say who the patient is.
    """

    declared: Declaration = UNDECLARED
    fiducials: bool = True
    refine: bool = True
    machine: bool = False
    identify: bool = False


EVERYTHING = Wanted()


@dataclass(frozen=True)
class Shard:
    """Recordings that are measured in one go, and where their tables are written.

    Parameters
    ----------
    recordings : tuple of Found
        Sorted by id.
    wanted : Wanted
        What of them.
    stem : Path
        Beginning of its files' names.
    """

    recordings: tuple[Found, ...]
    wanted: Wanted
    stem: Path

    def path(self, table: str) -> Path:
        """File of one of the tables."""
        return self.stem.with_name(f"{self.stem.name}.{table}.parquet")

    @property
    def is_done(self) -> bool:
        """Whether it was measured: its features are written last."""
        return self.path("features").is_file()


@dataclass
class _Done:
    """What came of a block, piece by piece."""

    rows: list[Rows] = field(default_factory=list)
    machine: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)


def measure_shard(shard: Shard) -> None:
    """Measure one shard and write its tables; that of the features comes last, and says that it is done."""
    done = [
        part
        for start in range(0, len(shard.recordings), BLOCK)
        for part in _measure_block(shard.recordings[start : start + BLOCK], shard.wanted)
    ]
    rows = [rows for part in done for rows in part.rows]
    failures = pl.concat([part.failures for part in rows])
    if failures.height:
        _write(failures.sort("recording_id"), shard.path("failures"))
    of_files = FINDINGS.select([row for part in done for row in part.findings])
    findings = pl.concat([of_files, *(part.findings for part in rows)])
    if findings.height:
        _write(findings.sort("recording_id", maintain_order=True), shard.path("findings"))
    if shard.wanted.machine:
        said = MACHINE.select([row for part in done for row in part.machine])
        _write(said.sort("recording_id"), shard.path("machine"))
    if shard.wanted.fiducials:
        marks = pl.concat([part.fiducials for part in rows])
        _write(marks.sort("recording_id", maintain_order=True), shard.path("fiducials"))
    _write(pl.concat([part.features for part in rows]).sort("recording_id"), shard.path("features"))


def _write(table: pl.DataFrame, path: Path) -> None:
    sink_table(table.lazy(), path, durable=False)  # what a loss of power takes can be measured again


def _measure_block(block: Sequence[Found], wanted: Wanted) -> list[_Done]:
    """Measure some recordings together; where that fails by a fault of ours, one by one, to find out whose it is."""
    done = _Done()
    try:
        done.rows.append(
            measure_many(_read_each(block, wanted, done), fiducials=wanted.fiducials, refine=wanted.refine)
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not cost the batch
        if len(block) > 1:
            return [part for found in block for part in _measure_block([found], wanted)]
        return [_Done([_refuse(block[0], Reason.FAULT, describe_fault(error, "measure"))], done.machine, done.findings)]
    return [done]


def _read_each(block: Sequence[Found], wanted: Wanted, done: _Done) -> Iterator[Recording]:
    """Read one recording after the other; the rows of long ones, measured window by window, go to `done`."""
    for found in block:
        try:
            source = open_found(found, wanted.declared, identify=wanted.identify)
            if wanted.machine:
                done.machine.append(list_machine(found.recording_id, source))
            if source.duration > LONG_S:
                windows = source.windows(PIECE_S, overlap=OVERLAP_S)
                done.rows.append(
                    measure_windows(
                        windows, recording_id=found.recording_id, fiducials=wanted.fiducials, refine=wanted.refine
                    )
                )
                notes = list(source.notes)
                recording = None
            else:
                recording, notes = _read_noting(source)
        except (Error, OSError) as error:
            done.rows.append(_refuse(found, Reason.UNREADABLE, str(error)))
            continue
        done.findings += [
            {"recording_id": found.recording_id, "lead": None, "reason": Reason.FILE.value, "message": note}
            for note in notes
        ]
        if recording is not None:
            yield recording


def _read_noting(source: Source) -> tuple[Recording, list[str]]:
    """Read a recording whole, and give with it what is amiss with its file, such as a checksum."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        recording = source.read()
    return recording, [*source.notes, *(str(warning.message) for warning in caught)]


def list_machine(recording_id: str, source: Source) -> dict[str, Any]:
    """Give what a file says besides its samples as a row of `terms.MACHINE`."""
    origin, patient, machine = source.provenance, source.patient, source.machine
    known = {
        "recording_id": recording_id,
        "format": origin.format,
        "version": origin.version,
        "device": origin.device,
        "software": origin.software,
        "recorded_at": origin.recorded_at,
        "high_pass_hz": origin.high_pass_hz,
        "low_pass_hz": origin.low_pass_hz,
        "notch_hz": origin.notch_hz,
        "sex": patient.sex,
        "age_years": patient.age_years,
        "patient_id": patient.id or None,
        "statements": list(machine.statements),
    }
    return {column.name: known.get(column.name, machine.measurements.get(column.name)) for column in MACHINE.columns}


def _refuse(found: Found, reason: Reason, message: str) -> Rows:
    row = {"recording_id": found.recording_id, "reason": reason.value, "message": message}
    return Rows(features_contract().empty(), FIDUCIALS.empty(), FAILURES.select([row]), FINDINGS.empty())
