"""A study in both modes: what each choice of the publication does to its figures."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twelvelead.io.tables import read_json, write_table, write_text
from twelvelead.report import comparison_report
from twelvelead.study.declaration import Study
from twelvelead.study.fitting import FULL
from twelvelead.study.nested_declaration import NestedStudy
from twelvelead.study.nested_fitting import list_contrasts
from twelvelead.study.progress import Progress, silent
from twelvelead.study.run import Results
from twelvelead.study.starting import start_study
from twelvelead.terms import COMPARISON


@dataclass(frozen=True)
class Both:
    """What came of both modes.

    Parameters
    ----------
    sound, paper : Results
        The two runs.
    comparison : DataFrame keeping `terms.COMPARISON`
        The AUROC of the full model, side by side.
    """

    sound: Results
    paper: Results
    comparison: pl.DataFrame


def run_both(
    sound: Study,
    paper: Study,
    *,
    data: Path,
    out: Path,
    embeddings: Path | None = None,
    workers: int | str = 1,
    progress: Progress = silent,
) -> Both:
    """Run a study as it should be and as it was published, and put the figures side by side.

    Parameters
    ----------
    sound, paper : Study
        The same study in both modes.
    data, out : Path
        Folders of the data and of the results; `out` gets `sound`, `paper`, `comparison.csv` and `comparison.html`.
    embeddings : Path or None
        As `run_study` has it; for the sound run.
    workers : int or str
        Processes, or `dask=ADDRESS`.
    progress : Progress
        Told how far each stage has come.

    Raises
    ------
    InputError, StudyError
        As `run_study` does.
    """
    results = {
        study.mode: start_study(
            study, data=data, out=out / study.mode, embeddings=embeddings, workers=workers, progress=progress
        )
        for study in (sound, paper)
    }
    models = _full(sound), _full(paper)
    table = compare_modes(results["sound"].performance, results["paper"].performance, models=models)
    write_table(table, out / "comparison.csv")
    inputs = read_json(out / "sound" / "manifest.json")["inputs"]
    html = comparison_report(
        title=sound.title,
        publication=sound.publication,
        faults=[(fault.name, fault.text) for fault in sound.faults],
        comparison=table,
        simulated=any(database["simulated"] for database in inputs.values()),
    )
    write_text(html, out / "comparison.html")
    return Both(results["sound"], results["paper"], table)


def _full(study: Study) -> str:
    """Name the model that a study's conclusion rests on."""
    return list_contrasts(study)[0][0] if isinstance(study, NestedStudy) else FULL


def compare_modes(sound: pl.DataFrame, paper: pl.DataFrame, *, models: tuple[str, str] = (FULL, FULL)) -> pl.DataFrame:
    """Put the AUROC of the full model in both modes side by side.

    Parameters
    ----------
    sound, paper : DataFrame keeping `terms.PERFORMANCE`
        Of the two modes.
    models : (str, str)
        The full model of each.

    Returns
    -------
    DataFrame keeping `terms.COMPARISON`
        One row per target and set that either mode has.
    """
    chosen = (pl.col("metric") == "auroc") & (pl.col("stratum") == "all")
    kept = ("estimate", "lower", "upper", "n", "n_patients", "n_events")
    parts = [
        table.filter(chosen, model=model).select(
            "target", "set", *(pl.col(name).alias(f"{mode}_{name}") for name in kept)
        )
        for mode, table, model in (("sound", sound, models[0]), ("paper", paper, models[1]))
    ]
    joined = parts[0].join(parts[1], on=["target", "set"], how="full", coalesce=True, validate="1:1")
    width = (pl.col("sound_upper") - pl.col("sound_lower")) / (pl.col("paper_upper") - pl.col("paper_lower"))
    ratio = pl.when(width.is_finite() & (width > 0)).then(width)  # a model without any split has no width
    return COMPARISON.select(joined.with_columns(width_ratio=ratio).sort("set", "target", descending=[True, False]))
