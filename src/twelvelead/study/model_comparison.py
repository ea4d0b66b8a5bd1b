"""Compare two models of anyone's table of predictions: read it, call the judge, write the folder."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from twelvelead.report.nested_report import nested_report
from twelvelead.report.validation_report import Given
from twelvelead.study.judgement import (
    Choices,
    Judgement,
    is_estimable,
    part_by_place,
    provenance,
    record,
    say_unknown,
    smooth_curves,
    write_folder,
)
from twelvelead.study.prediction_table import Columns, read_predictions
from twelvelead.study.progress import Progress, silent
from twelvelead.study.review import NOTHING, Beside, review
from twelvelead.terms import InputError
from twelvelead.validate import Contrast, compare_nested, performance, refuse
from twelvelead.validate.checks import table as tabulate


def compare_models(
    path: Path,
    *,
    models: tuple[str, str, str | None],
    out: Path,
    columns: Columns,
    choices: Choices,
    beside: Beside = NOTHING,
    progress: Progress = silent,
) -> Judgement:
    """Judge what one model adds to another, and write tables and report.

    Parameters
    ----------
    path : Path
        CSV, TSV or Parquet.
    models : (str, str, str or None)
        Base, new and, if there is one, the null model: columns of a wide table, or models of a long one.
    out : Path
        Folder of the results: differences, reclassification, strata, strata_differences, decision, calibration,
        performance (also as Parquet) and objections as CSV; judgement.json and report.html.
    columns : Columns
        What the table's other columns are called.
    choices : Choices
        Thresholds, cuts and the bootstrap.
    beside : Beside
        What else is known.
    progress : Progress
        Told after each stage.

    Returns
    -------
    Judgement

    Raises
    ------
    InputError
        If a column or a model is absent, or holds what it can't.
    StudyError
        If the figures would be wrong, or the models have different recordings.
    """
    base, new, null = models
    named = tuple(m for m in models if m is not None)
    given = read_predictions(path, columns, compared=named)
    there = given.predictions["model"].unique().sort().to_list()
    if not set(named) <= set(there):
        absent = ", ".join(sorted(set(named) - set(there)))
        msg = (
            f"base, new and null must be columns or models of the table; got {absent}, there are {', '.join(there)}. "
            "Name these with --base, --new and --null."
        )
        raise InputError(msg)
    predictions = given.predictions.filter(pl.col("model").is_in(named))
    given = replace(given, predictions=predictions)
    objections, known = review(given, beside, thresholds=choices.thresholds, level=choices.level)
    objections = tuple(o for o in objections if o.code != "V008")  # the base model is what is compared with here
    refuse(objections)
    contrast = Contrast(new, base, null, choices.cuts, choices.thresholds, choices.bootstrap)
    judged = performance(
        predictions,
        n_resamples=choices.n_resamples,
        level=choices.level,
        seed=choices.seed,
        thresholds=choices.thresholds,
    )
    progress("each model", 1, 1)
    found = compare_nested(predictions, contrast)
    progress("comparing", 1, 1)
    places = part_by_place(predictions)
    tables = {"performance": judged, "calibration": smooth_curves(places, level=choices.level)}
    page = nested_report(
        predictions,
        found,
        tables["performance"],
        contrast=contrast,
        objections=objections,
        given=Given(
            title=f"{new} against {base}",
            n_resamples=choices.n_resamples,
            level=choices.level,
            cuts=choices.cuts,
            known=known,
            notes=say_unknown(given.n_unknown),
            provenance=provenance(path, choices),
            simulated=beside.simulated,
        ),
        calibration=tables["calibration"],
    )
    tables |= {name: table for name, table in vars(found).items() if table.width}
    written = {**record(path, columns, choices), "models": {"base": base, "new": new, "null": null}}
    write_folder(out, tables | {"objections": tabulate(objections)}, page=page, record=written)
    lost = tuple(", ".join(place) for place, rows in places if not is_estimable(rows))
    return Judgement(tables, objections, lost, given.n_unknown)
