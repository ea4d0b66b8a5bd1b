"""The batch jobs of the command line: paths in, tables out."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from twelvelead.io import find_recordings
from twelvelead.io.formats import Declaration
from twelvelead.io.tables import write_table
from twelvelead.study.application import Applied, apply_study, read_demographics
from twelvelead.study.archive import UNDECLARED, Measured, measure_archive
from twelvelead.study.pool import Progress, silent


def measure_files(
    paths: Sequence[Path],
    *,
    out: Path,
    fiducials: Path | None = None,
    failures: Path | None = None,
    workers: int = 1,
    declared: Declaration = UNDECLARED,
    progress: Progress = silent,
) -> Measured:
    """Measure all recordings found under `paths`, and write the tables that are asked for.

    A killed run leaves its finished shards beside `out`; the same command takes them up, and removes them at the end.

    Parameters
    ----------
    paths : sequence of Path
        Recordings, and folders that are searched.
    out, fiducials, failures : Path
        Tables to be written, .parquet or .csv; the last two where they are asked for.
    workers : int
        Processes.
    declared : Declaration
        What signal tables don't say of themselves.
    progress : Progress
        Told how far the measuring has come.

    Raises
    ------
    InputError
        If a path is not there or no recording is found.
    """
    work = out.with_name(f".{out.name}.unfinished")
    measured = measure_archive(find_recordings(paths), work=work, workers=workers, declared=declared, progress=progress)
    _write({out: measured.features, fiducials: measured.fiducials, failures: measured.failures})
    shutil.rmtree(work)
    return measured


def predict_files(
    study: Path,
    paths: Sequence[Path],
    *,
    out: Path,
    demographics: Path | None = None,
    failures: Path | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> Applied:
    """Apply a finished study to all recordings found under `paths`, and write the risks.

    Parameters
    ----------
    study : Path
        Folder of the study.
    paths : sequence of Path
        Recordings, and folders that are searched.
    out, failures : Path
        Tables to be written, .parquet or .csv; the second where it is asked for.
    demographics : Path or None
        Age and sex, as `read_demographics` takes them.
    workers : int
        Processes.
    progress : Progress
        Told how far the measuring has come.

    Raises
    ------
    InputError
        If a path is not there, no recording is found, or the study is not finished.
    """
    work = out.with_name(f".{out.name}.unfinished")
    known = read_demographics(demographics) if demographics is not None else None
    applied = apply_study(
        study, find_recordings(paths), demographics=known, work=work, workers=workers, progress=progress
    )
    _write({out: applied.risks, failures: applied.failures})
    shutil.rmtree(work)
    return applied


def _write(tables: dict[Path | None, pl.DataFrame]) -> None:
    for path, table in tables.items():
        if path is not None:
            write_table(table, path)
