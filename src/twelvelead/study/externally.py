"""External validation: a finished study's models on another database, prepared by the same rules, and judged there."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io import recognise_database
from twelvelead.io.tables import read_json, sha256, sink_table, write_json, write_table, write_text
from twelvelead.report.external_report import DETAILED, Place, external_report
from twelvelead.study.case_mix import DECIMALS, plan_resamples, tabulate_transport
from twelvelead.study.declaration import DatabaseUse, Study
from twelvelead.study.elsewhere import Elsewhere, predict_elsewhere
from twelvelead.study.embedded import require_alike
from twelvelead.study.finished import Finished, open_study, side_of_study
from twelvelead.study.fitting import BASE, FULL, GAINS
from twelvelead.study.groupings import gather_people, group
from twelvelead.study.judgement import Choices, is_estimable, judge_place, smooth_curves
from twelvelead.study.mending import mend
from twelvelead.study.modelling import modelling_table
from twelvelead.study.newcomers import made_by
from twelvelead.study.progress import Progress, silent
from twelvelead.study.reasons import TABLES as REASON_TABLES
from twelvelead.study.reasons import tabulate_reasons
from twelvelead.study.sample import Sample, prepare_sample
from twelvelead.study.sensitivities import judge_subsets, tabulate
from twelvelead.study.transport import list_codes, side_of
from twelvelead.study.versions import versions
from twelvelead.terms import PERFORMANCE, PREDICTIONS, SENSITIVITY, SHAP, InputError, StudyError
from twelvelead.validate import Dossier, Objection, check, hypotheses, performance, refuse
from twelvelead.validate.checks import table as tabulate_objections

CHECKED = ("V001", "V009", "V012", "V016", "V017", "V018")
"""Rules for which enough is known: recordings of the development are refused, and nothing is chosen here."""


@dataclass(frozen=True)
class External:
    """What came of an external validation.

    Parameters
    ----------
    folder : Path
        Where its tables lie.
    tables : dict of str to DataFrame
        performance, hypotheses, transport, domain, shift, traps, codes, recalibrated, sensitivity, reason_agreement, …
    objections : tuple of Objection
        What a methods reviewer would object to.
    unknown : tuple of str
        Targets of which nothing is known there.
    failures : DataFrame keeping `terms.FAILURES`
        Recordings that could not be measured.
    """

    folder: Path
    tables: dict[str, pl.DataFrame] = field(repr=False)
    objections: tuple[Objection, ...]
    unknown: tuple[str, ...]
    failures: pl.DataFrame = field(repr=False)


def validate_externally(  # noqa: PLR0913 - one for each flag of the command
    folder: Path,
    *,
    data: Path,
    out: Path,
    use: DatabaseUse | None = None,
    embeddings: Path | None = None,
    share: float = 0.5,
    workers: int = 1,
    progress: Progress = silent,
) -> External:
    """Apply a finished study's models to another database, and judge them there.

    Parameters
    ----------
    folder : Path
        The study's folder; its models' checksums are verified before they are read.
    data : Path
        The other database.
    out : Path
        Folder of the results: Parquet tables, recalibration.json, report.html and manifest.json.
    use : DatabaseUse or None
        Its kind, and what is different in the rules of the outcomes there. By default the kind is recognised, and the
        rules are those that the study declares for its own external database of that kind, if it has one.
    embeddings : Path or None
        The table of its embeddings, where the models know such; by default the one that `use` names.
    share : float
        Share of the patients that recalibration is fitted on; the others judge it.
    workers : int
        Processes for measuring and threads; the result does not depend on it.
    progress : Progress
        Told how far each stage has come.

    Returns
    -------
    External

    Raises
    ------
    InputError
        If the folder is no finished study, or the database can't be read.
    FormatError
        If a model's file is not what its card says.
    StudyError
        If nothing could be measured, the database holds recordings that the models were developed on, or its
        embeddings are not like theirs.
    """
    finished = open_study(folder)
    chosen = choose_use(finished.study, data) if use is None else use
    work = out / "work"
    progress("preparing", 0, 1)
    sample = prepare_sample(
        finished.study, chosen, data=data, work=work, workers=workers, progress=progress, like=finished,
        embeddings=embeddings,
    )  # fmt: skip
    if sample.embeddings is not None:
        require_alike(made_by(folder), sample.embeddings.made, where=sample.embeddings.name)
    refuse_development(finished, sample)
    targets = [target.name for target in finished.modelled]
    table = work / "external.parquet"
    write_table(modelling_table(sample, targets), table)
    progress("preparing", 1, 1)
    place = Elsewhere(finished, chosen, sample, table, out, work, share, workers)
    known = predict_elsewhere(place, targets, progress=progress)
    if not known:
        msg = f"an outcome of the study must be known in the other database; got none of {len(targets)} targets in "
        raise StudyError(msg + f"{str(data)!r}. Say how outcomes are found there: --rule.")
    tables, mended = _judge(place, known, progress=progress)
    progress("reporting", 0, 1)
    objections = _object(place, known)
    tables |= _compare(place, known) | _draw(place, known)
    tables |= {"objections": tabulate_objections(objections), "flow": sample.flow, "failures": sample.failures}
    unknown = tuple(target for target in targets if target not in known)
    _write(place, known, tables=tables, mended=mended)
    page = external_report(
        finished.study.model_dump(mode="json"),
        tables,
        objections,
        place=Place(
            sample.database.name, chosen.kind, chosen.rule, share, unknown,
            simulated=sample.database.simulated or _was_simulated(folder),
        ),
        predictions=place.read,
        checked=CHECKED,
        provenance=_provenance(place),
    )  # fmt: skip
    write_text(page, out / "report.html")
    _write_manifest(place, unknown)
    shutil.rmtree(work)
    progress("reporting", 1, 1)
    return External(out, tables, objections, unknown, sample.failures)


def choose_use(study: Study, data: Path, *, kind: str | None = None, rule: dict[str, Any] | None = None) -> DatabaseUse:
    """Say how another database is read.

    Parameters
    ----------
    study : Study
        Its own external database's rules are taken where that is of the same kind and no rule is given.
    data : Path
        The database's folder.
    kind : str or None
        Recognised by default.
    rule : dict or None
        What is different in the rules of the outcomes there.

    Raises
    ------
    InputError
        If the folder is no database that can be read.
    """
    if kind is None:
        found = recognise_database(data) if data.is_dir() else None
        if found is None:
            msg = f"the data folder must hold a database that can be read; got {str(data)!r}. Check --data, or give "
            raise InputError(msg + "--kind.")
        kind = found.name
    if rule is None:
        own = study.external
        rule = own.rule if own is not None and own.kind == kind else {}
    return DatabaseUse(kind=kind, rule=rule)


def refuse_development(finished: Finished, sample: Sample) -> None:
    """Refuse a database that holds recordings on which the models were developed.

    Raises
    ------
    StudyError
        If a recording of a patient is in both.
    """
    folds = pl.read_parquet(finished.folder / "folds.parquet").select("recording_id", "patient_id")
    both = sample.cohort.join(folds, on=["recording_id", "patient_id"], how="semi")
    if not both.is_empty():
        msg = f"external validation needs other patients than the development; got {both.height} of "
        msg += f"{sample.cohort.height} recordings that are in both, {both['recording_id'].min()!r} first. "
        raise StudyError(msg + "Give another database with --data.")


def _judge(
    place: Elsewhere, targets: Sequence[str], *, progress: Progress
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Judge one target after the other, and all together; and give the curves that would mend the risks."""
    study, declared = place.study, place.study.validation
    people = gather_people(place.sample.cohort, place.sample.features, set_="external")
    groupings = group(people, study.split.age_bands_years)
    parts: dict[str, list[pl.DataFrame]] = {
        "performance": [PERFORMANCE.empty()], "recalibrated": [PERFORMANCE.empty()],
        "sensitivity": [SENSITIVITY.empty()], **{name: [table.empty()] for name, table in REASON_TABLES.items()},
    }  # fmt: skip
    mended: dict[str, Any] = {}
    for done, target in enumerate(targets, 1):
        predictions = place.read(target)
        full = predictions.filter(pl.col("model") == FULL)
        judged = performance(
            predictions, n_resamples=declared.n_resamples, level=declared.level, seed=study.seed, unit=declared.unit,
            thresholds=declared.thresholds, strata=groupings, method=declared.method, gains=GAINS,
        )  # fmt: skip
        parts["performance"].append(PERFORMANCE.select(judged))
        of_target = mend(full, study=study, share=place.share)
        mended[target] = of_target.parameters
        parts["recalibrated"].append(PERFORMANCE.select(of_target.performance))
        parts["sensitivity"].append(_do_otherwise(place, full, target))
        for name, table in _compare_reasons(place, full, target).items():
            parts[name].append(table)
        progress("validating", done, len(targets))
    rounded = pl.col(pl.Float64).round(DECIMALS)
    tables = {name: pl.concat(found).with_columns(rounded) for name, found in parts.items()}
    tested = hypotheses(
        (place.read(target) for target in targets),
        model=FULL,
        base=BASE if study.predictors.demographics else None,
        rate=declared.false_discovery_rate,
        declared=[target.name for target in place.finished.modelled],
    )
    return tables | {"hypotheses": tested.with_columns(rounded)}, mended


def _do_otherwise(place: Elsewhere, full: pl.DataFrame, target: str) -> pl.DataFrame:
    """Judge the full model without recordings that lack a measurement, and with ages redrawn."""
    used = place.finished.models[FULL]
    predictors = place.sample.predictors.select("recording_id", *used)
    rows = tabulate(judge_subsets(full, predictors, bootstrap=plan_resamples(place.study)), target)
    ages = place.work / "targets" / target / "ages.parquet"
    return pl.concat([rows, pl.read_parquet(ages)]) if ages.is_file() else rows


def _compare_reasons(place: Elsewhere, full: pl.DataFrame, target: str) -> dict[str, pl.DataFrame]:
    """Rank the reasons here and there, where the study kept those of its own recordings."""
    finished = place.finished
    shap = pl.read_parquet(place.work / "targets" / target / "shap.parquet")
    if (finished.folder / "shap.parquet").is_file():
        shap = pl.concat([finished.read("shap", target).select(list(SHAP.schema)), shap])
    internal = finished.read("predictions", target)
    people = pl.concat([rows.select("recording_id", "set", "patient_id") for rows in (internal, full)])
    selection = finished.read("selection", target)
    return tabulate_reasons(shap, people, selection=selection, seed=place.study.seed)


def _object(place: Elsewhere, targets: Sequence[str]) -> tuple[Objection, ...]:
    """List what a methods reviewer would object to; refuse where figures would be wrong."""
    study = place.study
    found: list[Objection] = []
    dossier = Dossier(
        predictors=place.finished.models[FULL],
        thresholds=study.validation.thresholds,
        thresholds_declared=True,
        unit=study.validation.unit,
        level=study.validation.level,
        chosen_on="development",
    )
    for target in targets:
        said = check(place.read(target), development_patients=(), dossier=dossier)
        if study.mode == "sound":
            refuse(said)
        found += said
    return tuple(sorted(dict.fromkeys(found), key=lambda o: (o.severity, o.code)))


def _compare(place: Elsewhere, targets: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Tabulate what differs between the two databases, and what that does to the full models."""

    def read(target: str) -> pl.DataFrame:
        both = place.finished.read("predictions", target), place.read(target).filter(pl.col("model") == FULL)
        return pl.concat([rows.select(list(PREDICTIONS.schema)) for rows in both])

    tables = tabulate_transport(
        place.study, side_of_study(place.finished), side_of(place.sample), targets=targets, read=read
    )
    codes = list_codes(place.study, [("external", place.sample)])
    own = place.finished.folder / "codes.parquet"
    if own.is_file():
        codes = pl.concat([pl.read_parquet(own).filter(pl.col("set") == "internal"), codes])
    return {**tables, "codes": codes}


def _draw(place: Elsewhere, targets: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Tabulate calibration, decision curves and strata of the targets that the report draws."""
    declared, seed = place.study.validation, place.study.seed
    choices = Choices(declared.thresholds, tuple(declared.thresholds[:2]), declared.level, declared.n_resamples, seed)
    found: dict[str, list[pl.DataFrame]] = {}
    for target in targets[:DETAILED]:
        rows = place.read(target).filter(pl.col("model").is_in([BASE, FULL]))
        if is_estimable(rows):
            at = [pl.lit(target).alias("target"), pl.lit("external").alias("set"), pl.all()]
            curves = judge_place(rows, choices)
            for name in ("decision", "strata"):
                found.setdefault(name, []).append(curves[name].select(at))
            found.setdefault("calibration", []).append(
                smooth_curves([((target, "external"), rows)], level=declared.level)
            )
    return {name: pl.concat(tables) for name, tables in found.items()}


def _write(
    place: Elsewhere, targets: Sequence[str], *, tables: dict[str, pl.DataFrame], mended: dict[str, Any]
) -> None:
    """Write the tables, and the curves that would mend the risks."""
    out = place.out
    for name, table in tables.items():
        write_table(table, out / f"{name}.parquet")
    write_table(tables["performance"], out / "performance.csv")
    for name in ("predictions", "shap"):
        parts = [place.work / "targets" / target / f"{name}.parquet" for target in targets]
        sink_table(pl.scan_parquet(parts), out / f"{name}.parquet")
    write_json({"model": FULL, "targets": mended}, out / "recalibration.json")


def _was_simulated(folder: Path) -> bool:
    inputs = read_json(folder / "manifest.json")["inputs"] if (folder / "manifest.json").is_file() else {}
    return any(database["simulated"] for database in inputs.values())


def _provenance(place: Elsewhere) -> list[tuple[str, str]]:
    """List what a reader needs to do the same again."""
    study = place.study
    said = {
        "study": study.name,
        "declaration, SHA-256": sha256(place.finished.folder / "study.json"),
        "external database": f"{place.sample.database.name} ({place.use.kind})",
        "rules of the outcomes there": ", ".join(f"{k} = {v}" for k, v in place.use.rule.items()) or "as declared",
        "recalibrated on": f"{100 * place.share:g} % of the patients",
        "seed": str(study.seed),
    }
    return [*said.items(), *versions().items()]


def _write_manifest(place: Elsewhere, unknown: Sequence[str]) -> None:
    """Say what the result was made of. No clock: same input, same bytes."""
    database, out = place.sample.database, place.out
    models = sorted((place.finished.folder / "models").rglob("card.json"))
    outputs = sorted(path for path in out.iterdir() if path.is_file() and path.name != "manifest.json")
    manifest = {
        "study": place.study.model_dump(mode="json"),
        "use": place.use.model_dump(mode="json"),
        "share": place.share,
        "versions": versions(),
        "models": {path.relative_to(place.finished.folder).as_posix(): sha256(path) for path in models},
        "database": {
            "name": database.name,
            "simulated": database.simulated,
            "tables": {path.name: sha256(path) for path in database.tables},
            "n_measured": place.sample.cohort.height,
            "n_refused": place.sample.failures.height,
            **({} if place.sample.embeddings is None else {"embeddings": place.sample.embeddings.card()}),
        },
        "unknown": list(unknown),
        "outputs": {path.name: sha256(path) for path in outputs},
    }
    write_json(manifest, out / "manifest.json")
