"""Measure an archive of recordings: in shards, on several processes, resumable after a kill."""

import hashlib
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io import Found, read
from twelvelead.io.formats import Declaration
from twelvelead.io.tables import write_table
from twelvelead.measure import features_contract, measure
from twelvelead.study.pool import Progress, run_tasks, silent
from twelvelead.study.versions import code_digest
from twelvelead.terms import FAILURES, FIDUCIALS, Error, Reason, Unmeasurable

SHARD = 100
SIDE_FILES = (".hea", ".dat", ".mat", ".json")  # files that may belong to the one that names a recording
TABLES = ("failures", "fiducials", "features")  # written in this order: a shard with features is complete


UNDECLARED = Declaration()


@dataclass(frozen=True)
class Measured:
    """What came of an archive: three tables keeping `features_contract()`, `FIDUCIALS` and `FAILURES`."""

    features: pl.DataFrame
    fiducials: pl.DataFrame
    failures: pl.DataFrame


@dataclass(frozen=True)
class _Shard:
    recordings: tuple[Found, ...]
    declared: Declaration
    stem: Path

    def path(self, table: str) -> Path:
        return self.stem.with_name(f"{self.stem.name}.{table}.parquet")


def measure_archive(
    recordings: Sequence[Found],
    *,
    work: Path,
    workers: int = 1,
    declared: Declaration = UNDECLARED,
    progress: Progress = silent,
    stage: str = "measuring",
) -> Measured:
    """Measure recordings and gather the tables.

    Parameters
    ----------
    recordings : sequence of Found
        What `io.find_recordings` found, or a database's cohort names.
    work : Path
        Folder for the shards. Shards of the same files, measured by the same version, are taken from it.
    workers : int
        Processes. The tables don't depend on it.
    declared : Declaration
        For signal tables that don't say.
    progress : Progress
        Told after each shard.
    stage : str
        What the progress display calls it.

    Returns
    -------
    Measured
        Tables in the order of recording_id. A recording that can't be read or measured, or whose id is not unique, is
        a row of `failures`.
    """
    times = Counter(r.recording_id for r in recordings)
    unique = sorted((r for r in recordings if times[r.recording_id] == 1), key=lambda r: r.recording_id)
    shards = [
        _Shard(part, declared, work / f"{start // SHARD:06d}-{_digest(part, declared)}")
        for start in range(0, len(unique), SHARD)
        if (part := tuple(unique[start : start + SHARD]))
    ]
    work.mkdir(parents=True, exist_ok=True)
    todo = [shard for shard in shards if not shard.path("features").is_file()]
    run_tasks(
        _measure_shard, todo, workers=workers, stage=stage, progress=progress, size=lambda shard: len(shard.recordings)
    )
    duplicates = FAILURES.select(
        [
            {
                "recording_id": name,
                "reason": Reason.DUPLICATE.value,
                "message": f"recording_id must name one recording; got {n} named {name!r}. Rename or move the others.",
            }
            for name, n in sorted(times.items())
            if n > 1
        ]
    )
    contract = features_contract()
    failures = pl.concat([FAILURES.empty(), *(pl.read_parquet(s.path("failures")) for s in shards), duplicates])
    return Measured(
        features=contract.check(
            pl.concat([contract.empty(), *(pl.read_parquet(s.path("features")) for s in shards)]).sort("recording_id")
        ),
        fiducials=FIDUCIALS.check(
            pl.concat([FIDUCIALS.empty(), *(pl.read_parquet(s.path("fiducials")) for s in shards)])
        ),
        failures=FAILURES.check(failures.sort("recording_id", "reason")),
    )


def _measure_shard(shard: _Shard) -> None:
    """Measure one shard and write its three tables."""
    rows: list[dict[str, Any]] = []
    marks: list[pl.DataFrame] = [FIDUCIALS.empty()]
    failures: list[dict[str, Any]] = []
    for found in shard.recordings:
        try:
            recording = read(
                found.path,
                fs=shard.declared.fs,
                leads=shard.declared.leads,
                units=shard.declared.units,
                recording_id=found.recording_id,
            )
            row, fiducials = measure(recording)
        except Unmeasurable as error:
            failures.append(_failure(found, error.reason, error))
        except (Error, OSError) as error:
            failures.append(_failure(found, Reason.UNREADABLE, error))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # A fault of ours must not cost the batch; it is listed with what is needed to mend it.
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"twelvelead must measure or refuse a recording; got {type(error).__name__}: {error} "
            text += f"({Path(where.filename).name}, line {where.lineno}). Please report it with the recording."
            failures.append({"recording_id": found.recording_id, "reason": Reason.FAULT.value, "message": text})
        else:
            rows.append(row)
            marks.append(fiducials)
    tables = {
        "failures": FAILURES.select(failures),
        "fiducials": pl.concat(marks),
        "features": features_contract().select(rows),
    }
    for name in TABLES:
        write_table(tables[name], shard.path(name))


def _failure(found: Found, reason: Reason, error: Exception) -> dict[str, Any]:
    return {"recording_id": found.recording_id, "reason": reason.value, "message": str(error)}


def _digest(recordings: Sequence[Found], declared: Declaration) -> str:
    """Name a shard by what it is made of: the code, the declaration, and each file with its size and time of change."""
    hashed = hashlib.sha256(f"{code_digest()} {declared}".encode())
    for found in recordings:
        hashed.update(f"\n{found.recording_id}\0{found.path}".encode())
        for suffix in sorted({found.path.suffix, *SIDE_FILES}):
            file = found.path.with_suffix(suffix)
            if file.is_file():
                stat = file.stat()
                hashed.update(f"\0{suffix} {stat.st_size} {stat.st_mtime_ns}".encode())
    return hashed.hexdigest()[:16]
