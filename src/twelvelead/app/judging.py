"""Commands for anyone's predictions: judge them, compare two models, hold published figures against arithmetic."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from twelvelead.app.shell import OK, PARTLY, Out, app
from twelvelead.app.show import Display, align

if TYPE_CHECKING:
    from twelvelead.study.judgement import Choices, Judgement
    from twelvelead.study.prediction_table import Columns
    from twelvelead.study.review import Beside


SHOWN = 3  # objections of one kind


@Parameter(name="*", group="Columns of the table")
@dataclass(frozen=True)
class Names:
    """What the table's columns are called.

    Parameters
    ----------
    y
        Outcome: 1 event, 0 none, empty unknown.
    patient
        Whose the recording is: the unit of every interval.
    recording
        Which recording; not needed where a row is a recording.
    target
        What is predicted, where there are several.
    set
        internal, external or another set, where there are several.
    model
        Whose risk it is, where several models stand one below the other.
    strata
        Groupings, separated by commas; ages (a column named age…) are put into bands.
    site
        Where a recording comes from, to see whether the site tells as much as the model.
    """

    y: str = "y"
    patient: str = "patient_id"
    recording: str = "recording_id"
    target: str = "target"
    set: str = "set"
    model: str = "model"
    strata: str | None = None
    site: str | None = None


@Parameter(name="*", group="To be declared beforehand")
@dataclass(frozen=True)
class Declared:
    """What is to be declared before the outcomes are looked at.

    Parameters
    ----------
    thresholds
        Risks from which one would act, separated by commas.
    cuts
        Limits of low, medium and high risk, separated by a comma.
    undeclared
        Say that the thresholds were chosen after the outcomes were seen, which the report then objects to.
    level
        Confidence level.
    resamples
        Bootstrap resamples of patients.
    seed
        Their seed.
    """

    thresholds: str = "0.05,0.1,0.2"
    cuts: str = "0.1,0.2"
    undeclared: bool = False
    level: float = 0.95
    resamples: int = 1000
    seed: int = 0


@Parameter(name="*", group="What else is known; each allows more checks")
@dataclass(frozen=True)
class Known:
    """What is known beside the predictions.

    Parameters
    ----------
    development
        Table of the recordings that the model was developed on: patient_id; y, and measurements, if there are.
    parameters
        How many parameters were tried: with the outcomes of --development, whether it was large enough.
    measurements
        Table of the predictors by recording_id, to look for copies and for a predictor that is the outcome.
    simulated
        Say on the page that the patients are made up.
    """

    development: Path | None = None
    parameters: int | None = None
    measurements: Path | None = None
    simulated: bool = False


@app.command
def validate(
    predictions: Path,
    *,
    out: Out,
    p: str = "p",
    baseline: str | None = None,
    names: Names = Names(),
    declared: Declared = Declared(),
    known: Known = Known(),
) -> int:
    """Judge anyone's predicted risks: ranking, calibration, usefulness, and what a methods reviewer would object to.

    Parameters
    ----------
    predictions
        CSV, TSV or Parquet with a row per recording: patient, outcome, risk.
    p
        Column of the predicted risks; several, separated by commas, are one model each.
    baseline
        The model that knows age and sex only, with which the others are compared.
    """
    from twelvelead.study.judgement import validate_predictions

    columns = _columns(names, tuple(p.split(",")))
    with Display() as display:
        found = validate_predictions(
            predictions, out=out, columns=columns, choices=_choices(declared),
            beside=_beside(known, declared, baseline), progress=display.progress,
        )  # fmt: skip
    display.performance(found.tables["performance"])
    return _close(display, found, out)


@app.command
def compare(  # noqa: PLR0913 - one for each flag
    predictions: Path,
    *,
    base: str,
    new: str,
    out: Out,
    null: str | None = None,
    p: str = "p",
    names: Names = Names(),
    declared: Declared = Declared(),
    known: Known = Known(),
) -> int:
    """Say what one model adds to another that knows less, on the same recordings.

    Parameters
    ----------
    predictions
        CSV, TSV or Parquet: a column of risks per model, or the models one below the other.
    base, new
        The model that is to be improved on, and the one that knows more: columns, or models.
    null
        The new model refitted with its new predictors shuffled between patients: what is gained by chance.
    p
        Column of the predicted risks, where the models stand one below the other.
    """
    from twelvelead.study.model_comparison import compare_models
    from twelvelead.validate.paired import WARNING

    with Display() as display:
        found = compare_models(
            predictions, models=(base, new, null), out=out, columns=_columns(names, (p,)), choices=_choices(declared),
            beside=_beside(known, declared, None), progress=display.progress,
        )  # fmt: skip
    _print_differences(found)
    display.note(WARNING)
    return _close(display, found, out)


@app.command
def consistency(  # noqa: PLR0913 - one for each flag
    *,
    n: int,
    events: int | None = None,
    nri: str | None = None,
    p: Annotated[str | None, Parameter(help="p value of the NRI, as printed: <0.001 or 0.012.")] = None,
    idi: str | None = None,
    idi_p: str | None = None,
    auroc_new: str | None = None,
    auroc_base: str | None = None,
    delta_p: str | None = None,
    auroc: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    level: float = 0.95,
    sensitivity: str | None = None,
    specificity: str | None = None,
    ppv: str | None = None,
    npv: str | None = None,
) -> int:
    """Say which published figures are arithmetically possible. Exit status 4 if one is not.

    Parameters
    ----------
    n
        People in the evaluation.
    events
        Those with the event, if it is said.
    nri, idi, idi_p
        Net reclassification index; integrated discrimination improvement and its p value.
    auroc_new, auroc_base, delta_p
        AUROC of two models, and the p value of their difference.
    auroc, lower, upper, level
        An AUROC, its interval, and the level that it is said to have.
    sensitivity, specificity, ppv, npv
        Rates at one threshold, as printed: 0.82 or 82.0%.
    """
    from twelvelead.validate.consistency import Published
    from twelvelead.validate.consistency import consistency as hold_against_arithmetic

    published = Published(
        n, events, nri, p, idi, idi_p, auroc_new, auroc_base, delta_p, auroc, lower, upper, level, sensitivity,
        specificity, ppv, npv,
    )  # fmt: skip
    found = hold_against_arithmetic(published)
    rows = [("claim", "possible", "why")]
    rows += [(claim, "yes" if possible else "NO", why) for claim, possible, why in found.iter_rows()]
    sys.stdout.write(align(rows))
    return OK if found["possible"].all() else PARTLY


def _columns(names: Names, p: tuple[str, ...]) -> "Columns":
    from twelvelead.study.prediction_table import Columns

    strata = tuple(names.strata.split(",")) if names.strata else ()
    return Columns(
        y=names.y, p=p, patient=names.patient, recording=names.recording, target=names.target, set=names.set,
        model=names.model, strata=strata, site=names.site,
    )  # fmt: skip


def _choices(declared: Declared) -> "Choices":
    from twelvelead.study.judgement import Choices

    return Choices(
        thresholds=_numbers(declared.thresholds, "--thresholds"), cuts=_numbers(declared.cuts, "--cuts"),
        level=declared.level, n_resamples=declared.resamples, seed=declared.seed,
    )  # fmt: skip


def _beside(known: Known, declared: Declared, baseline: str | None) -> "Beside":
    from twelvelead.study.review import Beside

    return Beside(
        development=known.development, n_parameters=known.parameters, measurements=known.measurements,
        baseline=baseline, thresholds_declared=False if declared.undeclared else None, simulated=known.simulated,
    )  # fmt: skip


def _numbers(text: str, flag: str) -> tuple[float, ...]:
    from twelvelead.terms import InputError

    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        msg = f"{flag} must be numbers separated by commas; got {text!r}. Write, say, {flag} 0.1,0.2."
        raise InputError(msg) from error


def _print_differences(found: "Judgement") -> None:
    """Print what the new model adds, a line per target and measure; of the null model below it."""
    from twelvelead.report.wording import write_number

    lines: list[Sequence[str]] = [("target", "set", "model", "difference", "estimate", "interval", "p")]
    for row in found.tables["differences"].iter_rows(named=True):
        if row["measure"] is None:
            lines.append((row["target"], row["set"], row["new"], "", "not estimable", "", ""))
            continue
        interval = "" if row["lower"] is None else " to ".join(write_number(row[k], 4) for k in ("lower", "upper"))
        estimate = write_number(row["estimate"], 4)
        p_value = "" if row["p_value"] is None else f"{row['p_value']:.3g}"
        lines.append((row["target"], row["set"], row["new"], row["measure"], estimate, interval, p_value))
    sys.stdout.write(align(lines))


def _close(display: Display, found: "Judgement", out: Path) -> int:
    """Say what is to be said at the end, and return the exit status: partly done where something was not estimable."""
    for code in dict.fromkeys(objection.code for objection in found.objections):
        same = [objection for objection in found.objections if objection.code == code]
        for o in same[:SHOWN]:
            display.note(f"{o.severity} {o.code} (TRIPOD+AI {o.item}): {o.message}")
        if len(same) > SHOWN:
            display.note(f"  … and {len(same) - SHOWN} more of {code}: {out / 'objections.csv'}")
    if found.n_unknown:
        display.note(f"{found.n_unknown} row(s) left out: the outcome is unknown.")
    for place in found.not_estimable:
        display.note(f"{place}: not estimable: fewer than 10 patients with, or without, the event.")
    display.note(f"The report is {out / 'report.html'}.")
    return PARTLY if found.not_estimable else OK
