"""Measure an archive of recordings: in shards, on several processes or machines, resumable after a kill."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from twelvelead.io import Found, sink_table
from twelvelead.measure import features_contract
from twelvelead.study.fingerprint import fingerprint
from twelvelead.study.kernels import compile_kernels
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.refusal import take_unique
from twelvelead.study.shard import EVERYTHING, Shard, Wanted, measure_shard
from twelvelead.terms import FAILURES, FIDUCIALS, FINDINGS, MACHINE, Contract, Reason

SHARD = 128  # recordings: some tenths of a second of work, and all that a killed run has lost of each worker


@dataclass(frozen=True)
class Measured:
    """What came of an archive. The tables stay in the shards' files until they are asked for.

    Parameters
    ----------
    shards : tuple of Shard
        All done.
    failures : DataFrame keeping `terms.FAILURES`
        The recordings that could not be measured.
    n_measured : int
        How many could.
    """

    shards: tuple[Shard, ...]
    failures: pl.DataFrame
    n_measured: int

    @cached_property
    def features(self) -> pl.DataFrame:
        """One row per recording, keeping `features_contract()`, in the order of recording_id."""
        return features_contract().check(self.scan_features().collect())

    @cached_property
    def fiducials(self) -> pl.DataFrame:
        """The marks of every beat, keeping `terms.FIDUCIALS`; without rows where they were not wanted."""
        return FIDUCIALS.check(self.scan_fiducials().collect())

    def scan_features(self) -> pl.LazyFrame:
        """Give the features without reading them."""
        return self._scan("features", features_contract())

    def scan_fiducials(self) -> pl.LazyFrame:
        """Give the fiducials without reading them."""
        return self._scan("fiducials", FIDUCIALS)

    def write_findings(self, path: Path) -> None:
        """Write what is wrong with recordings that were measured, keeping `terms.FINDINGS`."""
        sink_table(self._scan("findings", FINDINGS), path)

    def write_features(self, path: Path) -> None:
        """Write the features piece by piece, so that they need not fit into memory."""
        sink_table(self.scan_features(), path)

    def write_fiducials(self, path: Path) -> None:
        """Write the fiducials piece by piece, so that they need not fit into memory."""
        sink_table(self.scan_fiducials(), path)

    def write_machine(self, path: Path) -> None:
        """Write what the files say besides their samples, keeping `terms.MACHINE`."""
        sink_table(self._scan("machine", MACHINE), path)

    def _scan(self, table: str, contract: Contract) -> pl.LazyFrame:
        files = [path for shard in self.shards if (path := shard.path(table)).is_file()]
        return pl.scan_parquet(files) if files else contract.empty().lazy()


def measure_archive(
    recordings: Sequence[Found],
    *,
    work: Path,
    workers: int | str = 1,
    wanted: Wanted = EVERYTHING,
    progress: Progress = silent,
    stage: str = "measuring",
) -> Measured:
    """Measure recordings, each as if it were alone.

    Parameters
    ----------
    recordings : sequence of Found
        What `io.find_recordings` found, or a database's cohort names.
    work : Path
        Folder for the shards. Shards of the same files, measured by the same version, are taken from it.
    workers : int or str
        Processes of this machine, or `dask=ADDRESS` of a Dask cluster. The tables don't depend on it.
    wanted : Wanted
        What of them.
    progress : Progress
        Told after each shard.
    stage : str
        What the progress display calls it.

    Returns
    -------
    Measured
        A recording that can't be read or measured, or whose id is not unique, is a row of `failures`.
    """
    unique, repeated = take_unique(recordings)
    shards = _plan(unique, work=work, wanted=wanted)
    work.mkdir(parents=True, exist_ok=True)
    todo = [shard for shard in shards if not shard.is_done]
    if todo and isinstance(workers, int):
        compile_kernels(progress)
    run_tasks(
        measure_shard, todo, workers=workers, stage=stage, progress=progress,
        size=lambda shard: len(shard.recordings), needs=_needs,
    )  # fmt: skip
    refused = [pl.read_parquet(path) for shard in shards if (path := shard.path("failures")).is_file()]
    failures = pl.concat([FAILURES.empty(), *refused, _duplicates(repeated)]).sort("recording_id", "reason")
    n_measured = sum(len(shard.recordings) for shard in shards) - sum(table.height for table in refused)
    return Measured(tuple(shards), FAILURES.check(failures), n_measured)


def _plan(unique: Sequence[Found], *, work: Path, wanted: Wanted) -> list[Shard]:
    """Deal recordings out to shards, in the order of their ids."""
    shards = []
    for start in range(0, len(unique), SHARD):
        part = tuple(unique[start : start + SHARD])
        name = f"{start // SHARD:06d}-{fingerprint(part, wanted)[:16]}"
        shards.append(Shard(part, wanted, work.absolute() / name))
    return shards


def _duplicates(repeated: dict[str, str]) -> pl.DataFrame:
    return FAILURES.select(
        [{"recording_id": n, "reason": Reason.DUPLICATE.value, "message": m} for n, m in repeated.items()]
    )


def _needs(shard: Shard) -> list[str]:
    """Find the files that are there to see for whoever measures a shard."""
    files = (os.fspath(found.file) for found in shard.recordings)
    return [str(shard.stem.parent), *(file for file in files if Path(file).is_file())]
