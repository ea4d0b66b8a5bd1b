"""Apply a finished study's models to new recordings."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.io import Found, read_model, read_table
from twelvelead.io.databases import ptbxl
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.predict import (
    EMBEDDING,
    N_REASONS,
    Forest,
    calibrated,
    margins,
    plant,
    shapley_values,
    single,
    strongest,
    sum_blocks,
    trees_from_parts,
)
from twelvelead.study.declaration import Study
from twelvelead.study.fitting import ECG_ONLY, FULL
from twelvelead.study.newcomers import Reading, gather_newcomers
from twelvelead.study.progress import Progress, silent
from twelvelead.study.sample import join_predictors
from twelvelead.study.studies import parse_json
from twelvelead.terms import RISKS, InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Applied:
    """Risks of new recordings.

    Parameters
    ----------
    risks : DataFrame keeping `terms.RISKS`
        One row per recording and target.
    failures : DataFrame keeping `terms.FAILURES`
        Recordings that could not be measured or embedded.
    model : str
        The set of predictors that was used.
    n_without_demographics : int
        Recordings of which neither age nor sex is known; their risk uses the ECG alone through the model's own
        treatment of missing values.
    """

    risks: pl.DataFrame
    failures: pl.DataFrame
    model: str
    n_without_demographics: int


def apply_study(  # noqa: PLR0913 - one for each flag of the command
    folder: Path,
    recordings: Sequence[Found],
    *,
    demographics: pl.DataFrame | None,
    work: Path,
    workers: int = 1,
    declared: Declaration = UNDECLARED,
    progress: Progress = silent,
    embeddings: Path | None = None,
    checkpoint: Path | None = None,
) -> Applied:
    """Predict every target of a study for new recordings, with the three strongest reasons.

    Parameters
    ----------
    folder : Path
        The study's output folder.
    recordings : sequence of Found
        What `io.find_recordings` found.
    demographics : DataFrame or None
        recording_id, age_years, sex, as `read_demographics` gives them. Without it the ECG-only models are used.
    work : Path
        Folder for measured shards.
    workers : int
        Processes.
    declared : Declaration
        For signal tables that don't say.
    progress : Progress
        Told how far the measuring has come.
    embeddings, checkpoint : Path or None
        Where the models know embeddings: the table of these recordings', or the encoder itself.

    Raises
    ------
    InputError
        If the folder is no finished study, or its models know embeddings and none are given.
    StudyError
        If the embeddings are not like those that the models were fitted on.
    """
    study = read_study(folder)
    reading = Reading(work, workers, declared, progress, embeddings, checkpoint)
    known = gather_newcomers(study, recordings, reading, folder=folder)
    ids = known.features.select("recording_id")
    model = ECG_ONLY if demographics is None else FULL
    people = ids.with_columns(age_years=pl.lit(None, pl.Float64), sex=pl.lit(None, pl.String))
    if demographics is not None:
        people = match_demographics(ids["recording_id"], demographics)
    table = join_predictors(known.features, people, study.predictors)
    kept = [(t.name, folder / "models" / t.name / model) for t in study.targets]
    kept = [(name, path) for name, path in kept if path.is_dir()]  # a target that the study refused has no model
    forest = load_forest([path for _, path in kept], table.columns[1:], workers=workers)
    return Applied(
        risks=predict_risks(forest, table, targets=[name for name, _ in kept], workers=workers),
        failures=known.failures,
        model=model,
        n_without_demographics=people.filter(pl.col("age_years").is_null() & pl.col("sex").is_null()).height,
    )


def load_forest(folders: Sequence[Path], features: Sequence[str], *, workers: int = 1) -> Forest:
    """Read many models' folders into one forest.

    Parameters
    ----------
    folders : sequence of Path
        Of models, as `io.write_model` writes them.
    features : sequence of str
        Columns of the table that they will be asked about.
    workers : int
        Threads.

    Raises
    ------
    FormatError, InputError
        If a file is not what its card says, or holds no trees that can be followed.
    """
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        return plant(list(pool.map(lambda folder: trees_from_parts(*read_model(folder)), folders)), features)


def predict_risks(forest: Forest, table: pl.DataFrame, *, targets: Sequence[str], workers: int = 1) -> pl.DataFrame:
    """Predict the risk of every target for every recording, with the three strongest reasons.

    Parameters
    ----------
    forest : Forest
        One model per target.
    table : DataFrame
        recording_id and the forest's features.
    targets : sequence of str
        Names of the models' targets.
    workers : int
        Threads.

    Returns
    -------
    DataFrame keeping `terms.RISKS`
        Sorted by recording and target.
    """
    x = single(forest, table.select(forest.features).to_numpy())
    p = calibrated(forest, margins(forest, x, n_jobs=workers))
    reasons = np.full((len(targets), len(x), N_REASONS), -1, dtype=np.int64)
    strength = np.zeros(reasons.shape)

    def give_reasons(k: int) -> None:
        shap, used = shapley_values(forest.select(k), x)
        sums, names, columns = sum_blocks(shap, [forest.features[i] for i in used])
        chosen = strongest(sums, names)
        there = chosen >= 0
        strength[k][there] = np.take_along_axis(sums, np.maximum(chosen, 0), axis=1)[there]
        places = np.where(columns >= 0, used[columns], len(forest.features))  # a block comes after all predictors
        reasons[k][there] = places[chosen[there]]

    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        list(pool.map(give_reasons, range(len(targets))))
    return RISKS.check(_tabulate(table, forest.features, targets, p=p, reasons=reasons, strength=strength))


def _tabulate(
    table: pl.DataFrame, features: Sequence[str], targets: Sequence[str], *, p: Floats, reasons: Ints, strength: Floats
) -> pl.DataFrame:
    """Lay out risks, shape (n_recordings, n_targets), and reasons, shape (n_targets, n_recordings, 3).

    A reason is a place among the features; behind the last stands the embedding as a whole, which has no value.
    """
    n = table.height
    rows = np.tile(np.arange(n), len(targets))
    values = np.column_stack([table.select(features).to_numpy().astype(np.float64), np.full(n, np.nan)])
    names = pl.Series([*features, EMBEDDING], dtype=pl.String)
    columns = {
        "recording_id": table["recording_id"].gather(rows),
        "target": pl.Series(targets, dtype=pl.String).gather(np.repeat(np.arange(len(targets)), n)),
        "p": pl.Series(p.T.ravel(), dtype=pl.Float64),
    }
    for k in range(N_REASONS):
        which = reasons[:, :, k].ravel()
        there = which >= 0
        number = pl.Series(which).to_frame("k").select(pl.when(pl.col("k") >= 0).then("k")).to_series()
        columns[f"reason_{k + 1}"] = names.gather(number)
        for what, of in (("value", values[rows, which]), ("shap", strength[:, :, k].ravel())):
            columns[f"reason_{k + 1}_{what}"] = pl.Series(np.where(there, of, np.nan)).fill_nan(None)
    return pl.DataFrame(columns).select(list(RISKS.schema)).sort("recording_id", "target")


def read_demographics(path: Path) -> pl.DataFrame:
    """Read age and sex by recording: a table with recording_id, age_years and sex, or a database's own table.

    Returns
    -------
    DataFrame with columns recording_id (String), age_years (Float64, null unknown), sex (`female`, `male` or null)

    Raises
    ------
    InputError
        If the table is neither.
    """
    table = read_table(path)
    if {"filename_hr", "age", "sex"} <= set(table.columns):
        return ptbxl.demographics(table).select("recording_id", "age_years", "sex")
    if {"recording_id", "age_years", "sex"} <= set(table.columns):
        return table.select(
            pl.col("recording_id").cast(pl.String),
            pl.col("age_years").cast(pl.Float64, strict=False),
            pl.col("sex").cast(pl.String).str.to_lowercase(),
        )
    msg = (
        f"demographics must have the columns recording_id, age_years and sex, or be PTB-XL's table; got "
        f"{', '.join(table.columns[:12])} in {str(path)!r}. Rename the columns."
    )
    raise InputError(msg)


def match_demographics(ids: pl.Series, demographics: pl.DataFrame) -> pl.DataFrame:
    """Find what a table says of each recording by its id, or where that fails by the last part of its path.

    Parameters
    ----------
    ids : Series of str
        Recording ids, unique.
    demographics : DataFrame
        From `read_demographics`; or any other table with recording_id.

    Returns
    -------
    DataFrame with the columns of `demographics`, in the order of `ids`; null where it has no row

    Raises
    ------
    InputError
        If one recording has two rows.

    Examples
    --------
    >>> table = pl.DataFrame({"recording_id": ["records500/00000/00001_hr"], "age_years": [56.0], "sex": ["female"]})
    >>> match_demographics(pl.Series(["00000/00001_hr"]), table)["age_years"].to_list()
    [56.0]
    """
    wanted = pl.DataFrame({"recording_id": ids}).with_columns(_last=pl.col("recording_id").str.split("/").list.last())
    by_id = demographics.unique(maintain_order=True)
    by_last = by_id.with_columns(_last=pl.col("recording_id").str.split("/").list.last())
    by_last = by_last.filter(pl.col("_last").is_unique()).drop("recording_id")
    twice = by_id.filter(pl.col("recording_id").is_duplicated())
    if twice.height:
        msg = (
            f"demographics must have one row per recording; got several for {twice['recording_id'][0]!r}. "
            "Remove all but one."
        )
        raise InputError(msg)
    exact = wanted.join(by_id, on="recording_id", how="left", validate="1:1", maintain_order="left")
    loose = wanted.join(by_last, on="_last", how="left", maintain_order="left")
    known = exact["recording_id"].is_in(by_id["recording_id"].implode())
    others = [name for name in demographics.columns if name != "recording_id"]
    return exact.select(
        "recording_id", *(pl.when(known).then(name).otherwise(loose[name]).alias(name) for name in others)
    )


def read_study(folder: Path) -> Study:
    """Read the declaration of a finished study.

    Raises
    ------
    InputError
        If the folder is none of a finished study.
    """
    path = folder / "study.json"
    if not path.is_file():
        msg = (
            f"{str(folder)!r} must be the folder of a finished study; got one without study.json. Run the study first."
        )
        raise InputError(msg)
    return parse_json(path.read_text(encoding="utf-8"), name=str(path))
