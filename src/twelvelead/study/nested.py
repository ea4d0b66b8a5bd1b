"""Does a block of predictors add anything to another? A study of nested models, run end to end."""

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io.tables import sha256, write_json, write_table, write_text
from twelvelead.study.judgement import DECIMALS
from twelvelead.study.nested_declaration import NestedStudy
from twelvelead.study.nested_fitting import NestedTask, list_models, run_nested_fit
from twelvelead.study.nested_judging import judge_nested
from twelvelead.study.nested_sample import DEVELOPMENT, People, gather_people
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.run import Results
from twelvelead.study.versions import code_digest, versions
from twelvelead.terms import FAILURES, PREDICTIONS


def run_nested(
    study: NestedStudy, *, data: Path, out: Path, workers: int | str = 1, progress: Progress = silent
) -> Results:
    """Fit the models of each block and of both, compare them on people held out, and write the study's folder.

    Parameters
    ----------
    study : NestedStudy
        The declaration.
    data : Path
        Folder that the database's folder is relative to.
    out : Path
        Made if it is not there. Gets `predictions` (long), `predictions_wide` (a column per model), `performance`,
        `differences` (every contrast), `reclassification`, `strata`, `strata_differences` and `decision` (of the first
        contrast), with follow-up `survival`, with claims `consistency`, `flow`, models, manifest and report.
    workers : int or str
        Processes, or `dask=ADDRESS`; the result does not depend on it.
    progress : Progress
        Told how far each stage has come.

    Returns
    -------
    Results
        As of every study.

    Raises
    ------
    InputError
        If the database can't be read.
    StudyError
        If the blocks can't be had from it, or too few people have the event.
    MissingExtra
        If a network is declared and PyTorch is not installed.
    """
    people = gather_people(study, data=data)
    run = out / "work" / _key(study, people)
    write_table(people.table, run / "people.parquet")
    tasks = _tasks(study, people, run)
    todo = [task for task in tasks if not task.folder.is_dir()]
    run_tasks(run_nested_fit, todo, workers=workers, stage="fitting", progress=progress)
    risks = _gather(study, tasks)
    predictions = PREDICTIONS.check(risks.filter(pl.col("y").is_not_null()))
    tables = {"predictions": predictions, "predictions_wide": _widen(people, risks), "flow": people.flow}
    judged, page = judge_nested(study, people, risks)
    tables |= judged
    _write(study, people, tables, out=out, tasks=tasks)
    write_text(page, out / "report.html")
    return Results(out, tables["performance"], (), FAILURES.empty())


def _gather(study: NestedStudy, tasks: list[NestedTask]) -> pl.DataFrame:
    """Put the risks of all models together, in the form of predictions; y is null for those lost from sight."""
    parts = [
        pl.read_parquet(task.folder / "risks.parquet").with_columns(
            target=pl.lit(study.targets[0].name), model=pl.lit(task.model.name), set=pl.lit("internal")
        )
        for task in tasks
    ]
    return pl.concat(parts).select(list(PREDICTIONS.schema)).sort("target", "model", "set", "recording_id")


def _widen(people: People, risks: pl.DataFrame) -> pl.DataFrame:
    """Return a row per person held out: identifiers, y, age, sex, follow-up, and a column of risks per model."""
    about = [c for c in ("age_years", "sex", "time_y", "status") if c in people.table.columns]
    wide = risks.pivot("model", index=["recording_id", "patient_id", "y"], values="p")
    models = sorted(set(wide.columns) - {"recording_id", "patient_id", "y"})
    joined = wide.join(people.table.select("recording_id", *about), on="recording_id", how="left", validate="1:1")
    return joined.select("recording_id", "patient_id", "y", *about, *models).sort("recording_id")


def _tasks(study: NestedStudy, people: People, run: Path) -> list[NestedTask]:
    folds = sorted(set(people.table["fold"]) - {DEVELOPMENT})
    return [
        NestedTask(
            study, model, fold, run / "people.parquet", people.base, people.added, run / model.name / f"fold-{fold}"
        )
        for model in list_models(study)
        for fold in folds
    ]


def _key(study: NestedStudy, people: People) -> str:
    """Name a run by all that its fits depend on."""
    hashed = hashlib.sha256(f"{code_digest()} {study.model_dump_json()}".encode())
    hashed.update(people.table.hash_rows(seed=0).to_numpy().tobytes() + str(people.table.schema).encode())
    return hashed.hexdigest()[:16]


def _write(
    study: NestedStudy, people: People, tables: Mapping[str, pl.DataFrame], *, out: Path, tasks: list[NestedTask]
) -> None:
    """Write tables, models, declaration and manifest."""
    rounded = {name: table.with_columns(pl.selectors.float().round(DECIMALS)) for name, table in tables.items()}
    for name, table in rounded.items():
        write_table(table, out / f"{name}.parquet")
        if name != "predictions":
            write_table(table, out / f"{name}.csv")
    write_text(study.model_dump_json(indent=2), out / "study.json")
    for task in tasks:
        place = out / "models" / task.model.name / f"fold-{task.fold}"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(task.folder / "model", place)
    write_json(_manifest(study, people, out=out, names=rounded), out / "manifest.json")


def _manifest(study: NestedStudy, people: People, *, out: Path, names: Iterable[str]) -> dict[str, Any]:
    """Say what was read, what was written, and by which software."""
    database = people.database
    written = [*(out / f"{name}.parquet" for name in names), out / "study.json"]
    written += [path for path in (out / "models").rglob("*") if path.is_file()]
    inputs = {"name": database.name, "simulated": database.simulated}
    return {
        "study": study.name,
        "mode": study.mode,
        "seed": study.seed,
        "versions": versions(),
        "inputs": {"internal": inputs | {"tables": {path.name: sha256(path) for path in database.tables}}},
        "refusals": [],
        "outputs": {path.relative_to(out).as_posix(): sha256(path) for path in sorted(written)},
    }
