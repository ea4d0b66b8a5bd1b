"""One declared study, run end to end."""

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.cohort import assign_folds, published_folds
from twelvelead.io import is_database
from twelvelead.io.tables import read_json, sha256, sink_table, write_json, write_table, write_text
from twelvelead.study.case_mix import tabulate_transport
from twelvelead.study.declaration import Study
from twelvelead.study.embedded import require_alike
from twelvelead.study.fitting import FINAL, FULL, REFUSAL, FitTask, predictors_of, run_fit
from twelvelead.study.groupings import gather_people
from twelvelead.study.judging import judge, judge_together
from twelvelead.study.lock import hold
from twelvelead.study.modelling import modelling_table
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.reporting import write_report
from twelvelead.study.sample import Sample, prepare_sample
from twelvelead.study.transport import list_codes, side_of
from twelvelead.study.versions import code_digest, versions
from twelvelead.terms import SELECTION, StudyError
from twelvelead.validate import Objection
from twelvelead.validate.checks import table as tabulate_objections

SAID = 10
"""Objections of one kind that the report says; with a thousand targets there are thousands."""


@dataclass(frozen=True)
class Refusal:
    """A target that was not modelled, and why."""

    target: str
    message: str


@dataclass(frozen=True)
class Results:
    """What a study found.

    Parameters
    ----------
    folder : Path
        Where its tables lie.
    performance : DataFrame keeping `terms.PERFORMANCE`
        Every metric of every target, model and set.
    refusals : tuple of Refusal
        Targets that were not modelled.
    failures : DataFrame keeping `terms.FAILURES`
        Recordings that could not be measured.
    """

    folder: Path
    performance: pl.DataFrame
    refusals: tuple[Refusal, ...]
    failures: pl.DataFrame

    @property
    def predictions(self) -> pl.DataFrame:
        """All held-out predictions, keeping `terms.PREDICTIONS`; read when asked for, since they may be millions."""
        return pl.read_parquet(self.folder / "predictions.parquet")


def run_study(
    study: Study,
    *,
    data: Path,
    out: Path,
    embeddings: Path | None = None,
    workers: int | str = 1,
    progress: Progress = silent,
) -> Results:
    """Run a study and write its folder.

    Parameters
    ----------
    study : Study
        The declaration.
    data : Path
        Folder that the declaration's database folders are relative to.
    out : Path
        Made if it is not there. Work done by an earlier, killed run of the same study is taken up.
    embeddings : Path or None
        The table of the development database's embeddings, instead of the one that is declared.
    workers : int or str
        Processes, or `dask=ADDRESS` of a Dask cluster whose workers see the same folders; the result does not depend
        on it.
    progress : Progress
        Told how far each stage has come.

    Returns
    -------
    Results
        The main tables.

    Raises
    ------
    InputError
        If a database or a table of embeddings can't be read, or another run is at work in `out`.
    StudyError
        If no target has enough events, nothing could be measured, or embeddings of the two databases are not alike.

    Notes
    -----
    Memory holds the recordings, and of them what a model may know, but never all predictions: those of one target at
    a time lie in `work/`, and are put together on disk.
    """
    with hold(out):
        return _run(study, data=data, out=out, embeddings=embeddings, workers=workers, progress=progress)


def _run(
    study: Study, *, data: Path, out: Path, embeddings: Path | None, workers: int | str, progress: Progress
) -> Results:
    work, first = out / "work", tuple(target.name for target in study.targets)
    progress("preparing", 0, 1 if study.external is None else 2)
    samples = _prepare_samples(study, data=data, work=work, embeddings=embeddings, workers=workers, progress=progress)
    study = study.model_copy(update={"targets": samples["internal"].declared, "families": ()})
    targets, refusals = _estimable(samples["internal"])
    folds = _fold(study, samples["internal"], targets)
    run = _write_tables(study, samples, targets, folds=folds, work=work)
    progress("preparing", len(samples), len(samples))
    tasks = _tasks(study, targets, ecg=samples["internal"].ecg, external="external" in samples, run=run)
    todo = [task for task in tasks if not task.folder.is_dir()]
    run_tasks(
        run_fit, todo, workers=workers, stage="fitting", progress=progress,
        needs=lambda task: [str(path) for path in (task.table, task.external) if path is not None],
    )  # fmt: skip
    tasks, refusals = _drop_refused(tasks, refusals)
    judged = judge(
        _what_workers_need(study), tasks, folds=run / "folds.parquet", people=run / "people.parquet",
        workers=workers, progress=progress,
    )  # fmt: skip
    progress("reporting", 0, 1)
    written = {
        "performance": judged.performance,
        "selection": SELECTION.check(_gather_selection(tasks)),
        "failures": pl.concat([s.failures for s in samples.values()]),
        "flow": pl.concat([s.flow.with_columns(set=pl.lit(name)) for name, s in samples.items()]),
        "folds": folds,
        "objections": tabulate_objections(judged.objections),
        **judged.tables,
        **({"hypotheses": judge_together(study, judged.folders)} if study.mode == "sound" else {}),
        **_compare_databases(study, samples, judged.folders),
    }
    for name, table in written.items():
        write_table(table, out / f"{name}.parquet")
    for name in ("predictions", "shap"):
        sink_table(pl.scan_parquet([folder / f"{name}.parquet" for folder in judged.folders]), out / f"{name}.parquet")
    features = pl.concat([s.features for s in samples.values()], how="diagonal_relaxed")
    sink_table(features, out / "features.parquet")
    sink_table(pl.scan_parquet(run / "people.parquet"), out / "people.parquet")
    write_table(judged.performance, out / "performance.csv")
    write_text(study.model_dump_json(indent=2), out / "study.json")
    _keep_models(tasks, out / "models")
    write_report(
        study,
        out,
        samples=samples,
        run=run,
        tables=written,
        first=first,
        refusals=[{"target": r.target, "message": r.message} for r in refusals],
        objections=judged.objections,
        notes=_write_notes(judged.objections),
    )
    tables = sorted([*written, "predictions", "shap", "features", "people"])
    names = [*(f"{name}.parquet" for name in tables), "performance.csv", "study.json", "report.html"]
    outputs = [*(out / name for name in names), *(p for p in (out / "models").rglob("*") if p.is_file())]
    manifest = _manifest(study, samples, refusals)
    manifest["outputs"] = {path.relative_to(out).as_posix(): sha256(path) for path in sorted(outputs)}
    write_json(manifest, out / "manifest.json")
    _sweep(out, run)
    progress("reporting", 1, 1)
    return Results(out, judged.performance, refusals, written["failures"])


def _prepare_samples(
    study: Study, *, data: Path, work: Path, workers: int | str, progress: Progress, embeddings: Path | None = None
) -> dict[str, Sample]:
    """Prepare the development sample, and the external one if there is one."""
    how: dict[str, Any] = {"data": data, "workers": workers, "progress": progress}
    internal = prepare_sample(study, study.database, work=work / "internal", embeddings=embeddings, **how)
    use = study.external
    if use is None or (use.optional and not is_database(use.kind, data / use.folder)):
        return {"internal": internal}
    external = prepare_sample(study, use, work=work / "external", like=internal, **how)
    if internal.embeddings is not None and external.embeddings is not None:
        require_alike(internal.embeddings.made, external.embeddings.made, where=external.database.name)
    return {"internal": internal, "external": external}


def _compare_databases(study: Study, samples: dict[str, Sample], folders: Sequence[Path]) -> dict[str, pl.DataFrame]:
    """Tabulate the codes used; where there are two databases, what differs and what that does to the full models."""
    codes = list_codes(study, samples.items())
    if "external" not in samples:
        return {"codes": codes}
    of_target = {folder.name: folder / "predictions.parquet" for folder in folders}
    full = pl.col("model") == FULL
    tables = tabulate_transport(
        study,
        side_of(samples["internal"]),
        side_of(samples["external"]),
        targets=[target.name for target in study.targets if target.name in of_target],
        read=lambda target: pl.scan_parquet(of_target[target]).filter(full).collect(engine="streaming"),
    )
    return {**tables, "codes": codes}


def _estimable(sample: Sample) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
    """Split the targets into those with enough events to model, and those refused."""
    targets, refusals = [], []
    for rule, row in zip(sample.targets, sample.answers.counts().iter_rows(named=True), strict=True):
        events, others = row["n_events"], row["n_without"]
        if min(events, others) >= rule.min_events:
            targets.append(rule.name)
            continue
        message = (
            f"target {rule.name} must have at least {rule.min_events} recordings with the event and as many without; "
            f"got {events} with, {others} without and {row['n_unknown']} unknown. Widen the rule or add recordings."
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
    limits = [0.0, *study.split.age_bands_years, float("inf")]
    bands = [
        pl.col("age_years").is_between(low, high, closed="left").alias(f"age {low:g}") for low, high in pairwise(limits)
    ]
    people = sample.cohort.select("recording_id", "patient_id", *bands, (pl.col("sex") == "male").alias("male"))
    # Of strata that are equally rare the first declared goes first: their names are ranked.
    rank = {name: f"{n:06d}" for n, name in enumerate(targets)}
    strata = sample.answers.strata().filter(pl.col("stratum").is_in(targets))
    ranked = strata.with_columns(pl.col("stratum").replace_strict(rank, return_dtype=pl.String))
    return assign_folds(people, n_folds=study.split.n_folds, seed=study.seed, strata=ranked)


def _write_tables(
    study: Study, samples: dict[str, Sample], targets: tuple[str, ...], *, folds: pl.DataFrame, work: Path
) -> Path:
    """Write what the fits and the judge read into a folder named by all that they depend on, and return it."""
    tables = {
        name: modelling_table(sample, targets, folds if name == "internal" else None)
        for name, sample in samples.items()
    }
    people = [gather_people(sample.cohort, sample.features, set_=name) for name, sample in samples.items()]
    tables |= {"folds": folds, "people": pl.concat(people, how="diagonal")}
    run = work / _key(study, tables)
    for name, table in tables.items():
        write_table(table, run / f"{name}.parquet")
    return run


def _key(study: Study, tables: dict[str, pl.DataFrame]) -> str:
    """Name a run by all that its fits depend on."""
    hashed = hashlib.sha256(f"{code_digest()} {study.model_dump_json()}".encode())
    for name, table in sorted(tables.items()):
        hashed.update(name.encode() + table.hash_rows(seed=0).to_numpy().tobytes() + str(table.schema).encode())
    return hashed.hexdigest()[:16]


def _tasks(study: Study, targets: tuple[str, ...], *, ecg: tuple[str, ...], external: bool, run: Path) -> list[FitTask]:
    """List the fits, those with the same predictors one after the other: a worker then has them in memory."""
    folds: tuple[int | None, ...] = (0,) if study.split.method == "holdout" else (*range(study.split.n_folds), None)
    needed = _what_workers_need(study)
    return [
        FitTask(
            study=needed,
            target=target,
            model=model,
            fold=fold,
            predictors=predictors,
            table=run / "internal.parquet",
            external=run / "external.parquet" if external and fold == folds[-1] else None,
            folder=run / target / model / (FINAL if fold is None else f"fold-{fold}"),
        )
        for model, predictors in predictors_of(study.predictors, ecg).items()
        for target in targets
        for fold in folds
    ]


def _what_workers_need(study: Study) -> Study:
    """Leave out what is long and no fit asks for: a thousand targets would go along with each of them."""
    return study.model_copy(update={"targets": (), "paper": {}, "faults": ()})


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


def _gather_selection(tasks: Sequence[FitTask]) -> pl.DataFrame:
    return pl.concat([SELECTION.empty(), *(pl.read_parquet(task.folder / "selection.parquet") for task in tasks)])


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
                "n_measured": sample.cohort.height,
                "n_refused": sample.failures.height,
                **({} if sample.embeddings is None else {"embeddings": sample.embeddings.card()}),
            }
            for name, sample in samples.items()
        },
        "refusals": [{"target": r.target, "message": r.message} for r in refusals],
    }


def _write_notes(objections: Sequence[Objection]) -> list[str]:
    """Write what a reviewer would object to, of each kind the first few."""
    notes = []
    for code in dict.fromkeys(o.code for o in objections):
        same = [o for o in objections if o.code == code]
        notes += [f"{o.code} (TRIPOD+AI {o.item}): {o.message}" for o in same[:SAID]]
        if len(same) > SAID:
            notes.append(f"{code}: {len(same) - SAID} more of this kind; all stand in objections.parquet.")
    return notes


def _sweep(out: Path, run: Path) -> None:
    """Remove what killed runs left half written."""
    for scratch in [*out.glob(".*.unfinished"), *run.rglob(".*.unfinished")]:
        shutil.rmtree(scratch) if scratch.is_dir() else scratch.unlink()
