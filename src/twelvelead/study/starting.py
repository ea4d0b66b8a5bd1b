"""Run a study in the way that it declares."""

from pathlib import Path

from twelvelead.study.declaration import Study
from twelvelead.study.nested_declaration import NestedStudy
from twelvelead.study.progress import Progress, silent
from twelvelead.study.run import Results, run_study


def start_study(
    study: Study,
    *,
    data: Path,
    out: Path,
    embeddings: Path | None = None,
    workers: int | str = 1,
    progress: Progress = silent,
) -> Results:
    """Run a study of targets, each by itself, or one that compares nested models of one target.

    Parameters
    ----------
    study : Study
        The declaration; a `NestedStudy` compares.
    data, out : Path
        Folders of the data and of the results.
    embeddings : Path or None
        The table of the database's embeddings, where models may know such; by default the one that is declared.
    workers : int or str
        Processes, or `dask=ADDRESS`.
    progress : Progress
        Told how far each stage has come.

    Raises
    ------
    InputError, StudyError
        As `run_study` and `run_nested` do.
    """
    if isinstance(study, NestedStudy):
        from twelvelead.study.nested import run_nested  # needs more, which other studies need not wait for

        return run_nested(study, data=data, out=out, workers=workers, progress=progress)
    return run_study(study, data=data, out=out, embeddings=embeddings, workers=workers, progress=progress)
