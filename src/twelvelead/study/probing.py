"""Probe an encoder on PTB-XL: what can be read off its embeddings, beside one never trained, judged by patients."""

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.cohort.split import assign_folds
from twelvelead.io import Found, load_database, open_found, sha256
from twelvelead.io.databases import Database
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.tables import require_table_name, write_table
from twelvelead.study.archive import measure_archive
from twelvelead.study.embedding import Embedding, embed_archive
from twelvelead.study.probe_figures import Predicted, figures
from twelvelead.study.progress import Progress, silent
from twelvelead.study.shard import Wanted
from twelvelead.terms import InputError, StudyError

if TYPE_CHECKING:  # to import an encoder takes seconds, and needs an extra
    from twelvelead.encode.probe import Kind

Floats = NDArray[np.float64]

SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
NUMBERS = ("heart_rate_bpm", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms")
N_FOLDS = 10
SHARES = (0.01, 0.1)
DRAWS = 3
WAYS = ("linear", "low_shot", "fine_tune")


@dataclass(frozen=True)
class ProbePlan:
    """How an encoder is probed.

    Parameters
    ----------
    ways : tuple of {"linear", "low_shot", "fine_tune"}
        "linear": a linear model on frozen embeddings. "low_shot": the same, learnt from 1 % and from 10 % of the
        patients, three draws each. "fine_tune": the encoder trained on, all tasks of a kind together.
    held_out : {"each", "last"}
        Each fold in turn is predicted by a model of the others, or the last one alone.
    n_resamples, seed : int
        Bootstrap resamples of patients; seed of these, of the untrained encoder, and of what is drawn.
    """

    ways: tuple[str, ...] = ("linear", "low_shot")
    held_out: Literal["each", "last"] = "each"
    n_resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.ways or not set(self.ways) <= set(WAYS):
            msg = f"ways must be some of {', '.join(WAYS)}; got {', '.join(self.ways) or 'none'}. Mend that."
            raise InputError(msg)


@dataclass(frozen=True)
class Task:
    """What is to be read off.

    Parameters
    ----------
    name : str
        A superclass or a measurement.
    kind : {"event", "number"}
        What it is.
    y : ndarray of shape (n_recordings,)
        NaN where it is unknown.
    """

    name: str
    kind: "Kind"
    y: Floats


@dataclass(frozen=True)
class People:
    """Whose recordings they are, and which fold each is in.

    Parameters
    ----------
    patients : ndarray of str, shape (n_recordings,)
        Patients.
    fold : ndarray of int, shape (n_recordings,)
        Patient-disjoint.
    held_out : tuple of int
        The folds that are predicted.
    """

    patients: NDArray[np.str_]
    fold: NDArray[np.int64]
    held_out: tuple[int, ...]


def probe_database(
    data: Path,
    *,
    checkpoint: Path,
    out: Path,
    plan: ProbePlan,
    workers: int = 1,
    progress: Progress = silent,
) -> pl.DataFrame:
    """Probe an encoder on the superclasses of PTB-XL, and on heart rate, PR, QRS and QT as measured here.

    Parameters
    ----------
    data : Path
        Folder of PTB-XL.
    checkpoint : Path
        The encoder's file.
    out : Path
        The table, .parquet or .csv.
    plan : ProbePlan
        How.
    workers : int
        Processes.
    progress : Progress
        Told how far it has come.

    Returns
    -------
    DataFrame with the columns of `probe_figures.FIGURES`

    Raises
    ------
    InputError
        If the folder is not PTB-XL, or the file is of no known encoder.
    StudyError
        If no recording can be embedded, or a patient is in two folds.
    """
    from twelvelead.encode.registry import load_embedder, save_untrained

    require_table_name(out)
    database = load_database("ptbxl", data)
    folds = _folds(database.cohort, seed=plan.seed)
    work = out.with_name(f".{out.name}.unfinished")
    work.mkdir(parents=True, exist_ok=True)
    found = _recordings(database)
    untrained = save_untrained(load_embedder(checkpoint), work / "untrained", seed=plan.seed)
    files = {"pretrained": checkpoint.absolute(), "untrained": untrained.absolute()}
    tables = {}
    for encoder, file in files.items():
        wanted = Embedding(file, sha256(file))
        named = _named(progress, encoder)
        done = embed_archive(found, wanted, work=work / encoder, workers=workers, progress=named)
        tables[encoder] = done.scan().collect()
    measured = measure_archive(
        found, work=work / "measured", workers=workers, wanted=Wanted(fiducials=False), progress=progress
    )
    ids = tables["pretrained"]["recording_id"]
    if not len(ids):
        msg = f"a probe needs recordings that can be embedded; got none of {len(found)} in {str(data)!r}. "
        msg += "See the failures of `twelvelead embed`."
        raise StudyError(msg)
    cohort = pl.DataFrame({"recording_id": ids}).join(
        database.cohort, on="recording_id", how="left", validate="1:1", maintain_order="left"
    )
    tasks = (*_superclasses(database, cohort), *_numbers(measured.features, cohort))
    people = _people(cohort, folds, held_out=plan.held_out)
    values = {name: table.drop("recording_id").to_numpy() for name, table in tables.items()}
    predicted: list[Predicted] = []
    for way in plan.ways:
        if way == "fine_tune":
            inputs = _inputs(database, cohort, checkpoint)
            predicted += _fine_tuned(files, tasks, people, inputs, plan=plan, progress=progress)
        else:
            predicted += predict_linear(values, tasks, people, way=way, seed=plan.seed)
    table = figures(predicted, people.patients, n_resamples=plan.n_resamples, seed=plan.seed)
    write_table(table, out)
    shutil.rmtree(work)
    return table


def predict_linear(
    embeddings: dict[str, NDArray[np.float32]],
    tasks: Sequence[Task],
    people: People,
    *,
    way: str,
    seed: int,
) -> list[Predicted]:
    """Predict the held-out folds by linear models of the others' frozen embeddings.

    Parameters
    ----------
    embeddings : dict of str to ndarray of shape (n_recordings, width)
        By the encoder's name.
    tasks : sequence of Task
        What is to be read off.
    people : People
        Patients and folds.
    way : {"linear", "low_shot"}
        From all patients of the other folds, or from few.
    seed : int
        Of the inner folds, and of what is drawn.
    """
    draws = (
        [("linear", 1.0, 0)]
        if way == "linear"
        else [(f"low_shot_{share:g}", share, draw) for share in SHARES for draw in range(DRAWS)]
    )
    out = []
    for task in tasks:
        for name, share, draw in draws:
            scores = {
                encoder: _cross(x, task, people, share=share, seed=seed + 1000 * draw)
                for encoder, x in embeddings.items()
            }
            if task.kind == "number":
                scores["mean"] = _mean_of_others(task, people, share=share, seed=seed + 1000 * draw)
            out.append(Predicted(task.name, task.kind, name, draw, task.y, scores))
    return out


def print_rows(table: pl.DataFrame) -> list[tuple[str, ...]]:
    """Give the figures as lines of cells, the first of them the head."""
    lines: list[tuple[str, ...]] = [("task", "way", "draw", "encoder", "metric", "estimate", "interval", "n")]
    for row in table.iter_rows(named=True):
        interval = "" if row["lower"] is None else f"{row['lower']:.3f} to {row['upper']:.3f}"
        estimate = row["note"] or "not estimable" if row["estimate"] is None else f"{row['estimate']:.3f}"
        n = str(row["n"]) if row["n_events"] is None else f"{row['n_events']}/{row['n']}"
        lines.append((row["task"], row["way"], str(row["draw"]), row["encoder"], row["metric"], estimate, interval, n))
    return lines


def _cross(x: NDArray[np.float32], task: Task, people: People, *, share: float, seed: int) -> Floats | None:
    """Predict each held-out fold from a share of the patients of the others; None where these are too few."""
    from twelvelead.encode.probe import fit_linear

    scores = np.full(len(task.y), np.nan)
    for fold, rows in _training(task, people, share=share, seed=seed):
        try:
            model = fit_linear(x[rows], task.y[rows], patients=people.patients[rows], kind=task.kind, seed=seed)
        except StudyError:
            return None
        held = people.fold == fold
        scores[held] = model.predict(x[held])
    return scores


def _mean_of_others(task: Task, people: People, *, share: float, seed: int) -> Floats:
    """Predict each held-out fold by the mean of what a probe would have learnt from."""
    scores = np.full(len(task.y), np.nan)
    for fold, rows in _training(task, people, share=share, seed=seed):
        scores[people.fold == fold] = task.y[rows].mean()
    return scores


def _training(task: Task, people: People, *, share: float, seed: int) -> list[tuple[int, NDArray[np.intp]]]:
    """Give each held-out fold with the rows that a probe learns from."""
    from twelvelead.encode.probe import draw_patients

    out = []
    for fold in people.held_out:
        rows = np.flatnonzero((people.fold != fold) & ~np.isnan(task.y))
        if share < 1:
            rows = rows[draw_patients(people.patients[rows], share=share, seed=seed + fold)]
        out.append((fold, rows))
    return out


def _fine_tuned(
    files: dict[str, Path],
    tasks: Sequence[Task],
    people: People,
    inputs: NDArray[np.float32],
    *,
    plan: ProbePlan,
    progress: Progress,
) -> list[Predicted]:
    """Predict the held-out folds by encoders that were trained on, on all tasks of a kind together."""
    from twelvelead.encode.probe import FineTuning, fine_tune
    from twelvelead.encode.registry import load_embedder

    kinds: tuple[Kind, ...] = ("event", "number")
    total, done = len(kinds) * len(files) * len(people.held_out), 0
    out = []
    for kind in kinds:
        mine = [task for task in tasks if task.kind == kind]
        y = np.stack([task.y for task in mine], axis=1)
        scores = {encoder: np.full(y.shape, np.nan) for encoder in files}
        for encoder, file in files.items():
            for fold in people.held_out:
                held = people.fold == fold
                rows = ~held & ~np.isnan(y).all(axis=1)
                scores[encoder][held] = fine_tune(
                    load_embedder(file), inputs[rows], y[rows], test=inputs[held], kind=kind,
                    choices=FineTuning(), seed=plan.seed,
                )  # fmt: skip
                done += 1
                progress("fine-tuning", done, total)
        for i, task in enumerate(mine):
            given = {encoder: score[:, i] for encoder, score in scores.items()}
            if kind == "number":
                given["mean"] = _mean_of_others(task, people, share=1.0, seed=plan.seed)
            out.append(Predicted(task.name, kind, "fine_tune", 0, task.y, given))
    return out


def _recordings(database: Database) -> list[Found]:
    rows = database.cohort.select("recording_id", "path").drop_nulls("path")
    return [Found(name, database.folder / path) for name, path in rows.iter_rows()]


def _inputs(database: Database, cohort: pl.DataFrame, checkpoint: Path) -> NDArray[np.float32]:
    """Read what an encoder takes of all recordings, shape (n_recordings, n_leads, n_samples)."""
    from twelvelead.encode.cut import cut_input
    from twelvelead.encode.registry import load_embedder

    takes = replace(load_embedder(checkpoint).takes, some_leads=False)  # a batch has the same leads throughout
    out = []
    for name, path in cohort.select("recording_id", "path").iter_rows():
        samples, _ = cut_input(open_found(Found(name, database.folder / path), UNDECLARED).read(), takes)
        out.append(takes.normalise(samples, takes.fs))
    return np.stack(out)


def _superclasses(database: Database, cohort: pl.DataFrame) -> list[Task]:
    """Give the diagnostic superclasses; unknown where a recording has none of them, as in most publications."""
    events = database.select_events(["ptbxl_superclass"]).select("recording_id", "code").collect()
    sets: dict[str, set[str]] = {}
    for name, code in events.iter_rows():
        sets.setdefault(name, set()).add(code)
    each = [sets.get(name, set()) & set(SUPERCLASSES) for name in cohort["recording_id"]]
    return [
        Task(code, "event", np.array([float(code in has) if has else math.nan for has in each]))
        for code in SUPERCLASSES
    ]


def _numbers(features: pl.DataFrame, cohort: pl.DataFrame) -> list[Task]:
    table = cohort.select("recording_id").join(
        features.select("recording_id", *NUMBERS), on="recording_id", how="left", maintain_order="left"
    )
    return [Task(name, "number", table[name].cast(pl.Float64).fill_null(math.nan).to_numpy()) for name in NUMBERS]


def _folds(cohort: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Take the published folds where there are some, own ones otherwise; either must keep patients together."""
    table = cohort.select("recording_id", "patient_id")
    if "strat_fold" not in cohort.columns:
        return assign_folds(table, n_folds=N_FOLDS, seed=seed).select("recording_id", "fold")
    table = table.with_columns(fold=cohort["strat_fold"])
    torn = table.group_by("patient_id").agg(n=pl.col("fold").n_unique()).filter(pl.col("n") > 1).height
    if torn:
        msg = f"each patient must be in one fold; got {torn} in several. Mend strat_fold, or leave it out."
        raise StudyError(msg)
    return table.select("recording_id", "fold")


def _people(cohort: pl.DataFrame, folds: pl.DataFrame, *, held_out: str) -> People:
    """Put patients and folds in the order of the cohort."""
    table = cohort.select("recording_id", "patient_id").join(
        folds, on="recording_id", how="left", validate="1:1", maintain_order="left"
    )
    fold = table["fold"].cast(pl.Int64).to_numpy()
    there = tuple(int(f) for f in np.unique(fold))
    held = there if held_out == "each" else there[-1:]
    return People(table["patient_id"].cast(pl.String).to_numpy(), fold, held)


def _named(progress: Progress, encoder: str) -> Progress:
    def told(stage: str, done: int, total: int) -> None:
        progress(f"{stage}, {encoder}", done, total)

    return told
