"""What the risks of nested models are worth, what one adds to the other, and the page that says so."""

import polars as pl

from twelvelead.report.nested_report import nested_report
from twelvelead.report.validation_report import Given
from twelvelead.study.groupings import subgroups
from twelvelead.study.judgement import part_by_place, smooth_curves
from twelvelead.study.nested_declaration import PERMUTED, NestedStudy
from twelvelead.study.nested_fitting import list_contrasts
from twelvelead.study.nested_sample import DEVELOPMENT, People
from twelvelead.study.versions import versions
from twelvelead.validate import Objection, check, performance, refuse
from twelvelead.validate.bootstrap import Bootstrap
from twelvelead.validate.consistency import Published, consistency
from twelvelead.validate.nested_comparison import Contrast, NestedComparison, compare_nested
from twelvelead.validate.survival import survival_performance

Tables = dict[str, pl.DataFrame]
BASELINE_RULE = "V008"
"""Age and sex as baseline: here the base block is what everything is compared with."""


def judge_nested(study: NestedStudy, people: People, risks: pl.DataFrame) -> tuple[Tables, str]:
    """Estimate everything that is asked of the risks, with intervals, and write the page.

    Parameters
    ----------
    study : NestedStudy
        The declaration.
    people : People
        Who takes part.
    risks : DataFrame
        As `terms.PREDICTIONS`, of all models; y is null for those who were lost from sight.

    Returns
    -------
    dict of str to DataFrame
        performance, calibration and differences, of every contrast; of the first contrast reclassification, strata,
        strata_differences and decision; with a horizon survival; with claims consistency.
    str
        The report, HTML.

    Raises
    ------
    StudyError
        If a person helped to make a model that he or she is judged by.
    """
    declared, predictions = study.validation, risks.filter(pl.col("y").is_not_null())
    objections = _object_to(people, predictions)
    judged = performance(
        predictions,
        n_resamples=declared.n_resamples,
        level=declared.level,
        seed=study.seed,
        unit=declared.unit,
        thresholds=declared.thresholds,
        strata=subgroups(people.table.select("recording_id", "age_years", "sex"), study.split.age_bands_years),
        method=declared.method,
    )
    found = [compare_nested(predictions, contrast) for contrast in contrasts(study)]
    tables: Tables = {
        "performance": judged,
        "calibration": smooth_curves(part_by_place(predictions), level=declared.level),
        "differences": pl.concat([each.differences for each in found]),
        **{name: table for name, table in vars(found[0]).items() if name != "differences" and table.width},
    }
    if study.nested.horizon_y is not None:
        tables["survival"] = _follow(study, people, risks)
    if study.nested.claims is not None:
        tables["consistency"] = consistency(Published(**study.nested.claims.model_dump()))
    return tables, _report(study, people, predictions, tables=tables, first=found[0], objections=objections)


def contrasts(study: NestedStudy) -> tuple[Contrast, ...]:
    """List what is compared with what, the first with the permuted model beside it."""
    declared = study.validation
    bootstrap = Bootstrap(n_resamples=declared.n_resamples, seed=study.seed, level=declared.level)
    return tuple(
        Contrast(
            new=new,
            base=base,
            null=None if i else f"{new}_{PERMUTED}",
            cuts=study.nested.cuts,
            thresholds=declared.thresholds,
            bootstrap=bootstrap,
        )
        for i, (new, base) in enumerate(list_contrasts(study))
    )


def _object_to(people: People, predictions: pl.DataFrame) -> tuple[Objection, ...]:
    """Ask a methods reviewer; where everybody is held out in turn, fold by fold."""
    table = people.table.select("recording_id", "patient_id", "fold")
    for fold in sorted(set(table["fold"]) - {DEVELOPMENT}):
        held = table.filter(pl.col("fold") == fold)
        part = predictions.join(held.select("recording_id"), on="recording_id", how="semi")
        makers = table.filter(pl.col("fold") != fold)["patient_id"].to_list()
        refuse(check(part, development_patients=makers))
    return tuple(o for o in check(predictions, development_patients=()) if o.code != BASELINE_RULE)


def _follow(study: NestedStudy, people: People, risks: pl.DataFrame) -> pl.DataFrame:
    """Judge the risks of all who were held out, those lost from sight and those who died among them."""
    declared, tables = study.validation, []
    bootstrap = Bootstrap(n_resamples=declared.n_resamples, seed=study.seed, level=declared.level)
    known = people.table.select("recording_id", "time_y", "status")
    for (model,), rows in sorted(risks.partition_by("model", as_dict=True).items()):
        seen = rows.join(known, on="recording_id", how="left", validate="1:1").sort("recording_id")
        table = survival_performance(
            *(seen[name].to_numpy() for name in ("time_y", "status", "p")),
            horizons=(study.nested.horizon_y or 0.0,),
            patients=seen["patient_id"].to_numpy(),
            bootstrap=bootstrap,
        )
        tables.append(table.select(pl.lit(model).alias("model"), pl.all()))
    return pl.concat(tables)


def _report(
    study: NestedStudy,
    people: People,
    predictions: pl.DataFrame,
    *,
    tables: Tables,
    first: NestedComparison,
    objections: tuple[Objection, ...],
) -> str:
    contrast = contrasts(study)[0]
    shown = [model for model in (contrast.base, contrast.new, contrast.null) if model is not None]
    return nested_report(
        predictions.filter(pl.col("model").is_in(shown)),
        first,
        tables["performance"].filter(pl.col("model").is_in(shown)),
        contrast=contrast,
        objections=objections,
        given=Given(
            title=study.title,
            n_resamples=study.validation.n_resamples,
            level=study.validation.level,
            cuts=study.nested.cuts,
            notes=_notes(study, people, tables),
            provenance=[("study", study.name), ("mode", study.mode), ("seed", str(study.seed)), *versions().items()],
            simulated=people.database.simulated,
        ),
        calibration=tables["calibration"].filter(pl.col("model").is_in(shown)),
    )


def _notes(study: NestedStudy, people: People, tables: Tables) -> tuple[str, ...]:
    """Say what the page's tables don't: who took part, the other contrasts, the claims, and the faults repeated."""
    notes = [study.question]
    notes += [f"{step}: {n} recordings of {m} people." for step, n, m, _ in people.flow.iter_rows()]
    for row in tables["differences"].filter(pl.col("measure") == "delta_auroc").iter_rows(named=True):
        interval = "no interval" if row["lower"] is None else f"{row['lower']:.3f} to {row['upper']:.3f}"
        notes.append(f"{row['new']} against {row['base']}: ΔAUROC {row['estimate']:.3f} ({interval}).")
    if study.publication:
        notes.append(f"The question is that of: {study.publication}")
    if "consistency" in tables:
        for claim, possible, why in tables["consistency"].iter_rows():
            notes.append(f"Published: {claim}. {'Possible' if possible else 'Arithmetically impossible'}. {why}")
    if study.mode == "paper":
        notes += [f"Fault repeated: {fault.name}. {fault.text}" for fault in study.faults]
    return tuple(notes)
