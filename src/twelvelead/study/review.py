"""Put together what a methods reviewer is told of anyone's predictions, and ask what they object to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twelvelead.io.tables import read_table
from twelvelead.study.prediction_table import PredictionTable
from twelvelead.terms import InputError
from twelvelead.validate import Dossier, Objection, check


@dataclass(frozen=True)
class Beside:
    """What is known beside the predictions; each part allows more checks.

    Parameters
    ----------
    development : Path or None
        Table of the recordings that the models were developed on: patient_id; with recording_id and measurements,
        copies are looked for; with y (and target), whether they were enough.
    n_parameters : int or None
        Candidate parameters: everything that was tried.
    measurements : Path or None
        Table of the predictors of the evaluated recordings: recording_id and numbers.
    baseline : str or None
        The model that knows age and sex only.
    thresholds_declared : bool or None
        Whether the thresholds were fixed before the evaluation data were seen.
    simulated : bool
        Whether the patients are made up.
    """

    development: Path | None = None
    n_parameters: int | None = None
    measurements: Path | None = None
    baseline: str | None = None
    thresholds_declared: bool | None = None
    simulated: bool = False


NOTHING = Beside()


def review(
    given: PredictionTable, beside: Beside, *, thresholds: Sequence[float], level: float
) -> tuple[tuple[Objection, ...], list[str]]:
    """List what a methods reviewer would object to, and the rules for which enough was known.

    Parameters
    ----------
    given : PredictionTable
        What is judged.
    beside : Beside
        What else is known.
    thresholds : sequence of float
        Risks from which one would act.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    tuple of Objection, list of str
        The codes are those of rules that need more than predictions.

    Raises
    ------
    InputError
        If a table lacks a column.
    """
    developed = _read(beside.development, "patient_id", "--development")
    measured = _read(beside.measurements, "recording_id", "--measurements")
    patients = [] if developed is None else developed["patient_id"].cast(pl.String).unique().to_list()
    counted = developed is not None and "y" in developed.columns and beside.n_parameters is not None
    dossier = Dossier(
        predictors=[] if measured is None else [name for name in measured.columns if name != "recording_id"],
        development=_outcomes(developed, given.predictions) if counted and developed is not None else None,
        n_parameters=beside.n_parameters,
        thresholds=tuple(thresholds),
        thresholds_declared=beside.thresholds_declared,
        sites=given.sites,
        measurements=measured,
        development_measurements=_comparable(developed, measured),
        unit="patient",
        level=level,
    )
    known = {
        "V001": developed is not None,
        "V009": measured is not None,
        "V010": counted,
        "V011": True,  # the page that is written shows it
        "V012": True,
        "V013": given.sites is not None,
        "V014": measured is not None,
        "V016": True,
        "V017": True,
    }
    objections = check(given.predictions, development_patients=patients, dossier=dossier)
    return objections, [code for code, there in known.items() if there]


def _read(path: Path | None, column: str, flag: str) -> pl.DataFrame | None:
    if path is None:
        return None
    table = read_table(path)
    if column not in table.columns:
        msg = (
            f"the table of {flag} must have a column {column}; got {', '.join(table.columns)} in {path.name!r}. Add it."
        )
        raise InputError(msg)
    return table


def _outcomes(developed: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Return the development outcomes by target; where the table names none they are of the only one judged."""
    known = developed.filter(pl.col("y").is_not_null())
    if "target" in known.columns:
        return known.select("target", "y")
    return known.select(pl.lit(predictions["target"][0]).alias("target"), "y")


def _comparable(developed: pl.DataFrame | None, measured: pl.DataFrame | None) -> pl.DataFrame | None:
    if developed is None or measured is None or "recording_id" not in developed.columns:
        return None
    shared = [name for name in measured.columns if name in developed.columns]
    return developed.select(shared) if len(shared) > 8 else None
