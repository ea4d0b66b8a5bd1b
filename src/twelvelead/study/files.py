"""Apply a study for the command line: paths in, table out."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from twelvelead.io import find_recordings
from twelvelead.io.tables import write_table
from twelvelead.study.application import Applied, apply_study, read_demographics
from twelvelead.study.progress import Progress, silent


def predict_files(  # noqa: PLR0913 - one for each flag of the command
    study: Path,
    paths: Sequence[Path],
    *,
    out: Path,
    demographics: Path | None = None,
    embeddings: Path | None = None,
    checkpoint: Path | None = None,
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
    embeddings, checkpoint : Path or None
        Where the models know embeddings: the table of these recordings', or the encoder.
    workers : int
        Processes.
    progress : Progress
        Told how far the measuring has come.

    Raises
    ------
    InputError
        If a path is not there, no recording is found, the study is not finished, or its models need embeddings.
    """
    work = out.with_name(f".{out.name}.unfinished")
    known = read_demographics(demographics) if demographics is not None else None
    applied = apply_study(
        study, find_recordings(paths), demographics=known, work=work, workers=workers, progress=progress,
        embeddings=embeddings, checkpoint=checkpoint,
    )  # fmt: skip
    write_table(applied.risks, out)
    if failures is not None:
        write_table(applied.failures, failures)
    shutil.rmtree(work)
    return applied
