"""A study in both modes: what each choice of the publication does to its figures."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twelvelead.io.tables import read_json, write_table, write_text
from twelvelead.report import comparison_report
from twelvelead.study.declaration import Study
from twelvelead.study.fitting import FULL
from twelvelead.study.progress import Progress, silent
from twelvelead.study.run import Results, run_study
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
    sound: Study, paper: Study, *, data: Path, out: Path, workers: int = 1, progress: Progress = silent
) -> Both:
    """Run a study as it should be and as it was published, and put the figures side by side.

    Parameters
    ----------
    sound, paper : Study
        The same study in both modes.
    data, out : Path
        Folders of the data and of the results; `out` gets `sound`, `paper`, `comparison.csv` and `comparison.html`.
    workers : int
        Processes.
    progress : Progress
        Told how far each stage has come.

    Raises
    ------
    InputError, StudyError
        As `run_study` does.
    """
    results = {
        study.mode: run_study(study, data=data, out=out / study.mode, workers=workers, progress=progress)
        for study in (sound, paper)
    }
    table = compare_modes(results["sound"].performance, results["paper"].performance)
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


def compare_modes(sound: pl.DataFrame, paper: pl.DataFrame) -> pl.DataFrame:
    """Put the AUROC of the full model in both modes side by side.

    Parameters
    ----------
    sound, paper : DataFrame keeping `terms.PERFORMANCE`
        Of the two modes.

    Returns
    -------
    DataFrame keeping `terms.COMPARISON`
        One row per target and set that either mode has.
    """
    chosen = (pl.col("metric") == "auroc") & (pl.col("stratum") == "all") & (pl.col("model") == FULL)
    kept = ("estimate", "lower", "upper", "n", "n_patients", "n_events")
    parts = [
        table.filter(chosen).select("target", "set", *(pl.col(name).alias(f"{mode}_{name}") for name in kept))
        for mode, table in (("sound", sound), ("paper", paper))
    ]
    joined = parts[0].join(parts[1], on=["target", "set"], how="full", coalesce=True, validate="1:1")
    width = (pl.col("sound_upper") - pl.col("sound_lower")) / (pl.col("paper_upper") - pl.col("paper_lower"))
    ratio = pl.when(width.is_finite() & (width > 0)).then(width)  # a model without any split has no width
    return COMPARISON.select(joined.with_columns(width_ratio=ratio).sort("set", "target", descending=[True, False]))
