"""One declared study, run end to end."""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.cohort import assign_folds, published_folds
from twelvelead.io import is_database
from twelvelead.io.tables import read_json, sha256, write_json, write_table, write_text
from twelvelead.study.declaration import Study
from twelvelead.study.fitting import FINAL, FULL, REFUSAL, FitTask, run_fit
from twelvelead.study.judging import judge, object_to
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.reporting import write_report
from twelvelead.study.sample import DEMOGRAPHICS, Sample, prepare_sample
from twelvelead.study.transport import audit_missingness, compare_predictors, list_codes
from twelvelead.study.versions import code_digest, versions
from twelvelead.terms import PREDICTIONS, SELECTION, SHAP, StudyError


@dataclass(frozen=True)
class Refusal:
    """A target that was not modelled, and why."""

    target: str
    message: str


@dataclass(frozen=True)
class Results:
    """What a study found: the tables that its folder holds."""

    performance: pl.DataFrame
    predictions: pl.DataFrame
    refusals: tuple[Refusal, ...]
    failures: pl.DataFrame


def run_study(study: Study, *, data: Path, out: Path, workers: int = 1, progress: Progress = silent) -> Results:
    """Run a study and write its folder.

    Parameters
    ----------
    study : Study
        The declaration.
    data : Path
        Folder that the declaration's database folders are relative to.
    out : Path
        Made if it is not there. Work done by an earlier, killed run of the same study is taken up.
    workers : int
        Processes; the result does not depend on it.
    progress : Progress
        Told how far each stage has come.

    Returns
    -------
    Results
        The main tables.

    Raises
    ------
    InputError
        If a database can't be read.
    StudyError
        If no target has enough events, or nothing could be measured.
    """
    work = out / "work"
    samples = _prepare_samples(study, data=data, work=work, workers=workers, progress=progress)
    study = study.model_copy(update={"targets": samples["internal"].declared, "families": ()})
    targets, refusals = _estimable(samples["internal"])
    folds = _fold(study, samples["internal"], targets)
    tables = {name: _modelling_table(s, folds if name == "internal" else None) for name, s in samples.items()}
    run = work / _key(study, tables)
    paths = {name: run / f"{name}.parquet" for name in tables}
    for name, table in tables.items():
        write_table(table, paths[name])
    tasks = _tasks(study, targets, ecg=samples["internal"].ecg, paths=paths, run=run)
    todo = [task for task in tasks if not task.folder.is_dir()]
    run_tasks(run_fit, todo, workers=workers, stage="fitting", progress=progress)
    tasks, refusals = _drop_refused(tasks, refusals)
    predictions = _gather(tasks, "predictions", PREDICTIONS.empty()).sort("target", "model", "set", "recording_id")
    objections = object_to(PREDICTIONS.check(predictions), folds)
    performance = judge(study, predictions, people=_people(samples), work=run, workers=workers, progress=progress)
    shap = _gather(tasks, "shap", SHAP.empty()).sort("target", "model", "set", "recording_id", "feature")
    written = {
        "performance": performance,
        "predictions": predictions,
        "selection": SELECTION.check(_gather(tasks, "selection", SELECTION.empty())),
        "shap": SHAP.check(shap),
        "features": pl.concat([s.features for s in samples.values()], how="diagonal_relaxed"),
        "failures": pl.concat([s.failures for s in samples.values()]),
        "flow": pl.concat([s.flow.with_columns(set=pl.lit(name)) for name, s in samples.items()]),
        "folds": folds,
        **_compare_databases(study, samples),
    }
    for name, table in written.items():
        write_table(table, out / f"{name}.parquet")
    write_table(performance, out / "performance.csv")
    write_text(study.model_dump_json(indent=2), out / "study.json")
    _keep_models(tasks, out / "models")
    write_report(
        study,
        out / "report.html",
        samples=samples,
        run=run,
        tables=written,
        refusals=[{"target": r.target, "message": r.message} for r in refusals],
        notes=[f"{o.code} (TRIPOD+AI {o.item}): {o.message}" for o in objections],
    )
    names = [*(f"{name}.parquet" for name in written), "performance.csv", "study.json", "report.html"]
    outputs = [*(out / name for name in names), *(p for p in (out / "models").rglob("*") if p.is_file())]
    manifest = _manifest(study, samples, refusals)
    manifest["outputs"] = {path.relative_to(out).as_posix(): sha256(path) for path in sorted(outputs)}
    write_json(manifest, out / "manifest.json")
    return Results(performance, predictions, refusals, written["failures"])


def _prepare_samples(study: Study, *, data: Path, work: Path, workers: int, progress: Progress) -> dict[str, Sample]:
    """Prepare the development sample, and the external one if there is one."""
    how: dict[str, Any] = {"data": data, "workers": workers, "progress": progress}
    internal = prepare_sample(study, study.database, work=work / "internal", **how)
    use = study.external
    if use is None or (use.optional and not is_database(use.kind, data / use.folder)):
        return {"internal": internal}
    return {
        "internal": internal,
        "external": prepare_sample(study, use, work=work / "external", like=internal, **how),
    }


def _compare_databases(study: Study, samples: dict[str, Sample]) -> dict[str, pl.DataFrame]:
    """Tabulate what differs between the two databases, where there are two."""
    if "external" not in samples:
        return {}
    two = samples["internal"], samples["external"]
    return {
        "shift": compare_predictors(*two),
        "traps": audit_missingness(*two),
        "codes": list_codes(study, samples.items()),
    }


def _estimable(sample: Sample) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
    """Split the targets into those with enough events to model, and those refused."""
    targets, refusals = [], []
    for rule in sample.targets:
        y = sample.outcomes.filter(pl.col("target") == rule.name)["y"]
        events, others = int((y == 1).sum()), int((y == 0).sum())
        if min(events, others) >= rule.min_events:
            targets.append(rule.name)
            continue
        message = (
            f"target {rule.name} must have at least {rule.min_events} recordings with the event and as many without; "
            f"got {events} with, {others} without and {y.null_count()} unknown. Widen the rule or add recordings."
        )
        refusals.append(Refusal(rule.name, message))
    if not targets:
        raise _nothing_to_study(refusals)
    return tuple(targets), tuple(refusals)


def _fold(study: Study, sample: Sample, targets: tuple[str, ...]) -> pl.DataFrame:
    """Take the published folds; where there are none, assign folds balanced in every target, age band and sex."""
    if study.split.published is not None and study.split.published in sample.cohort.columns:
        folds = published_folds(sample.cohort, study.split.published)
        there = sorted(folds["fold"].unique())
        if there[-1] - there[0] >= study.split.n_folds or study.split.held_out not in there:
            msg = f"n_folds must be the number of published folds, and held_out one of them; got {study.split.n_folds} "
            msg += (
                f"and {study.split.held_out} for {there[0]} to {there[-1]} in {study.split.published}. Mend the study."
            )
            raise StudyError(msg)
        # The first is the one held out everywhere here.
        return folds.with_columns(fold=(pl.col("fold") - study.split.held_out) % study.split.n_folds)
    outcomes = sample.outcomes.filter(pl.col("target").is_in(targets)).pivot(
        on="target", index="recording_id", values="y", aggregate_function="first"
    )
    limits = [0.0, *study.split.age_bands_years, float("inf")]
    bands = [
        pl.col("age_years").is_between(low, high, closed="left").alias(f"age {low:g}") for low, high in pairwise(limits)
    ]
    people = sample.cohort.select("recording_id", "patient_id", *bands, (pl.col("sex") == "male").alias("male"))
    strata = people.join(outcomes, on="recording_id", how="left", validate="1:1")
    return assign_folds(strata, n_folds=study.split.n_folds, seed=study.seed)


def _modelling_table(sample: Sample, folds: pl.DataFrame | None) -> pl.DataFrame:
    """One row per recording: who, which fold, every outcome and every predictor, joined by recording_id."""
    outcomes = sample.outcomes.with_columns(target="y " + pl.col("target")).pivot(
        on="target", index="recording_id", values="y", aggregate_function="first"
    )
    table = sample.cohort.select("recording_id", "patient_id")
    if folds is not None:
        table = table.join(folds.drop("patient_id"), on="recording_id", how="left", validate="1:1")
    for part in (outcomes, sample.predictors):
        table = table.join(part, on="recording_id", how="left", validate="1:1")
    return table.sort("recording_id")


def _key(study: Study, tables: dict[str, pl.DataFrame]) -> str:
    """Name a run by all that its fits depend on."""
    hashed = hashlib.sha256(f"{code_digest()} {study.model_dump_json()}".encode())
    for name, table in sorted(tables.items()):
        hashed.update(name.encode() + table.hash_rows(seed=0).to_numpy().tobytes() + str(table.schema).encode())
    return hashed.hexdigest()[:16]


def _tasks(
    study: Study, targets: tuple[str, ...], *, ecg: tuple[str, ...], paths: dict[str, Path], run: Path
) -> list[FitTask]:
    demographics = tuple(d for d in DEMOGRAPHICS if d in study.predictors.demographics)
    models = {"age_sex": demographics, "ecg": ecg, FULL: (*ecg, *demographics, *study.predictors.others)}
    folds: tuple[int | None, ...] = (0,) if study.split.method == "holdout" else (*range(study.split.n_folds), None)
    return [
        FitTask(
            study=study,
            target=target,
            model=model,
            fold=fold,
            predictors=predictors,
            table=paths["internal"],
            external=paths.get("external") if fold == folds[-1] else None,
            folder=run / target / model / (FINAL if fold is None else f"fold-{fold}"),
        )
        for model, predictors in models.items()
        if predictors
        for target in targets
        for fold in folds
    ]


def _drop_refused(tasks: list[FitTask], refusals: tuple[Refusal, ...]) -> tuple[list[FitTask], tuple[Refusal, ...]]:
    """Leave out the targets of which a fit was refused, and add why."""
    refused: dict[str, str] = {}
    for task in tasks:
        if (task.folder / REFUSAL).is_file():
            refused.setdefault(task.target, read_json(task.folder / REFUSAL)["message"])
    refusals += tuple(Refusal(target, message) for target, message in refused.items())
    left = [task for task in tasks if task.target not in refused]
    if not left:
        raise _nothing_to_study(refusals)
    return left, refusals


def _nothing_to_study(refusals: Iterable[Refusal]) -> StudyError:
    reasons = " ".join(refusal.message for refusal in refusals)
    return StudyError(f"a study needs a target with enough events; got none: {reasons}")


def _gather(tasks: list[FitTask], name: str, empty: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([empty, *(pl.read_parquet(task.folder / f"{name}.parquet") for task in tasks)])


def _people(samples: dict[str, Sample]) -> pl.DataFrame:
    return pl.concat(
        [s.cohort.select("recording_id", "age_years", "sex", pl.lit(name).alias("set")) for name, s in samples.items()]
    )


def _keep_models(tasks: list[FitTask], folder: Path) -> None:
    """Copy the model of each target and set of predictors that `predict` will use: the last fit of each."""
    shutil.rmtree(folder, ignore_errors=True)
    for task in {(task.target, task.model): task for task in tasks}.values():
        shutil.copytree(task.folder / "model", folder / task.target / task.model)


def _manifest(study: Study, samples: dict[str, Sample], refusals: tuple[Refusal, ...]) -> dict[str, Any]:
    """Say what a result was made of: the declaration, the software and the inputs. No clock: same input, same bytes."""
    return {
        "study": study.model_dump(mode="json"),
        "versions": versions(),
        "inputs": {
            name: {
                "database": sample.database.name,
                "simulated": sample.database.simulated,
                "tables": {path.name: sha256(path) for path in sample.database.tables},
                "n_measured": sample.features.height,
                "n_refused": sample.failures.height,
            }
            for name, sample in samples.items()
        },
        "refusals": [{"target": r.target, "message": r.message} for r in refusals],
    }
