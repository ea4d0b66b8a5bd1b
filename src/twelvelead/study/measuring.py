"""Measure an archive for the command line: paths in, tables out."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twelvelead.io import find_recordings
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.tables import require_table_name, write_table
from twelvelead.study.archive import measure_archive
from twelvelead.study.progress import Progress, silent
from twelvelead.study.shard import Wanted


@dataclass(frozen=True)
class Tally:
    """What came of a batch whose tables are written.

    Parameters
    ----------
    n_measured : int
        Recordings that were measured.
    failures : DataFrame keeping `terms.FAILURES`
        Those that were not.
    """

    n_measured: int
    failures: pl.DataFrame


def measure_files(  # noqa: PLR0913 - one for each flag of the command
    paths: Sequence[Path],
    *,
    out: Path,
    fiducials: Path | None = None,
    failures: Path | None = None,
    findings: Path | None = None,
    machine: Path | None = None,
    identify: bool = False,
    workers: int | str = 1,
    declared: Declaration = UNDECLARED,
    refine: bool = True,
    progress: Progress = silent,
) -> Tally:
    """Measure all recordings found under `paths`, and write the tables that are asked for.

    A killed run leaves its finished shards beside `out`; the same command takes them up, and removes them at the end.
    Memory does not grow with the number of recordings, but for their names.

    Parameters
    ----------
    paths : sequence of Path
        Recordings, and folders that are searched.
    out, fiducials, failures, findings, machine : Path
        Tables to be written, .parquet or .csv; all but the first where they are asked for.
    identify : bool
        Whether the table of what the files say may hold the patients' ids.
    workers : int or str
        Processes of this machine, or `dask=ADDRESS` of a Dask cluster.
    declared : Declaration
        What signal tables don't say of themselves.
    refine : bool
        Whether the marks that the rules set are corrected by what was learnt.
    progress : Progress
        Told how far the measuring has come.

    Raises
    ------
    InputError
        If a path is not there, no recording is found, or a table's name has another suffix.
    """
    for path in (out, fiducials, failures, findings, machine):
        if path is not None:
            require_table_name(path)
    work = out.with_name(f".{out.name}.unfinished")
    wanted = Wanted(
        declared, fiducials=fiducials is not None, refine=refine, machine=machine is not None, identify=identify
    )
    measured = measure_archive(find_recordings(paths), work=work, workers=workers, wanted=wanted, progress=progress)
    if fiducials is not None:
        measured.write_fiducials(fiducials)
    if failures is not None:
        write_table(measured.failures, failures)
    if findings is not None:
        measured.write_findings(findings)
    if machine is not None:
        measured.write_machine(machine)
    measured.write_features(out)
    shutil.rmtree(work)
    return Tally(measured.n_measured, measured.failures)
