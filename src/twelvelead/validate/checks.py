"""What a methods reviewer would object to, found before the reviewer does."""

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from twelvelead.terms import PREDICTIONS, StudyError
from twelvelead.validate.resample import LEAST_PATIENTS

EVENTS_FOR_CURVE = 200
"""Events, and non-events, below which a calibration curve is mostly noise (Van Calster et al.)."""


@dataclass(frozen=True)
class Rule:
    """One thing that is checked.

    Parameters
    ----------
    code : str
        Stable name; never reused for another meaning.
    severity : {"error", "warning"}
        An error makes the figures wrong; a warning makes them weak.
    item : str
        The item of the TRIPOD+AI statement that asks for it.
    meaning : str
        What must hold.
    """

    code: str
    severity: str
    item: str
    meaning: str


@dataclass(frozen=True)
class Objection:
    """A rule that is broken, and by what.

    Parameters
    ----------
    code, severity, item : str
        Of the `Rule`.
    message : str
        What must hold, what was got, what next.
    """

    code: str
    severity: str
    item: str
    message: str


RULES = (
    Rule("V001", "error", "12a", "No patient is in the development data and in the evaluation data."),
    Rule("V002", "error", "12a", "No recording is used to select or tune a model and to judge it."),
    Rule("V003", "error", "7", "A recording has one row per target, model and set."),
    Rule("V004", "error", "12g", "A predicted risk is between 0 and 1."),
    Rule("V005", "warning", "10", "At least 10 patients have the event, and 10 have none, for an interval."),
    Rule("V006", "warning", "12e", "At least 200 recordings have the event, and 200 none, for a calibration curve."),
    Rule("V007", "warning", "23a", "A model gives different patients different risks."),
    Rule("V008", "warning", "12e", "Every model is compared with age and sex alone, on the same recordings."),
)
"""The rules, with the items of TRIPOD+AI (doi:10.1136/bmj-2023-078378) that ask for them."""

_RULE = {rule.code: rule for rule in RULES}


def check(
    predictions: pl.DataFrame, *, development_patients: Collection[str], selection_recordings: Collection[str] = ()
) -> tuple[Objection, ...]:
    """List what a reviewer would object to in a table of predictions.

    Parameters
    ----------
    predictions : DataFrame keeping the columns of `terms.PREDICTIONS`
        What is to be judged. Repeated rows are an objection here, not an error.
    development_patients : collection of str
        Patients whose recordings trained, tuned or calibrated the models that made these predictions. For
        cross-fitted predictions check each fold with its own.
    selection_recordings : collection of str
        Recordings that took part in any choice: predictors, tuning, thresholds.

    Returns
    -------
    tuple of Objection
        Errors first, each list in the order of `RULES`, then by target, model and set. Empty if all is well.

    References
    ----------
    Collins GS et al. TRIPOD+AI statement. doi:10.1136/bmj-2023-078378
    Van Calster B et al. A calibration hierarchy for risk models was defined. doi:10.1016/j.jclinepi.2015.12.005

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "recording_id": ["r1", "r2"], "patient_id": ["a", "b"], "target": "mi", "model": "age_sex",
    ...     "set": "internal", "y": pl.Series([0, 1], dtype=pl.Int8), "p": [0.1, 1.2],
    ... })
    >>> [o.code for o in check(table, development_patients={"b", "c"})]
    ['V001', 'V004', 'V005', 'V006']
    """
    found = [*_leaks(predictions, development_patients, selection_recordings), *_rows(predictions)]
    for (target, model, where), part in sorted(
        predictions.partition_by("target", "model", "set", as_dict=True).items(), key=lambda item: item[0]
    ):
        found += _part(part, f"{target}, {model}, {where}")
    found += _baseline(predictions)
    return tuple(sorted(found, key=lambda o: (o.severity, o.code)))


def refuse(objections: Collection[Objection]) -> None:
    """Raise `StudyError` with every error among the objections; let warnings pass.

    Examples
    --------
    >>> refuse([Objection("V007", "warning", "23a", "…")])
    >>> refuse([Objection("V001", "error", "12a", "patients must be apart; got 1, first 'b'.")])
    Traceback (most recent call last):
    twelvelead.terms.errors.StudyError: V001 patients must be apart; got 1, first 'b'.
    """
    errors = [f"{o.code} {o.message}" for o in objections if o.severity == "error"]
    if errors:
        raise StudyError("\n".join(errors))


def table(objections: Collection[Objection]) -> pl.DataFrame:
    """Return the objections as a table with columns code, severity, item, message."""
    columns = ("code", "severity", "item", "message")
    rows = [tuple(getattr(o, c) for c in columns) for o in objections]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _object(code: str, message: str) -> Objection:
    rule = _RULE[code]
    return Objection(code, rule.severity, rule.item, message)


def _leaks(predictions: pl.DataFrame, patients: Collection[str], recordings: Collection[str]) -> list[Objection]:
    found = []
    both = sorted(set(predictions["patient_id"]) & set(patients))
    if both:
        msg = (
            f"a patient must be on one side of the split; got {len(both)} on both: {_some(both)}. "
            "Split by patient_id and fit again."
        )
        found.append(_object("V001", msg))
    used = sorted(set(predictions["recording_id"]) & set(recordings))
    if used:
        msg = (
            f"recordings that judge a model must take no part in choosing it; got {len(used)} that did: {_some(used)}. "
            "Choose on development patients only."
        )
        found.append(_object("V002", msg))
    return found


def _rows(predictions: pl.DataFrame) -> list[Objection]:
    found = []
    keys = predictions.select(PREDICTIONS.key)
    twice = sorted(keys.filter(keys.is_duplicated())["recording_id"].unique())
    if twice:
        msg = f"a recording must have one row per target, model and set; got {len(twice)} repeated: {_some(twice)}."
        found.append(_object("V003", f"{msg} Remove duplicates."))
    outside = predictions.filter(~pl.col("p").is_between(0, 1) | pl.col("p").is_nan())
    if outside.height:
        first = outside.sort("recording_id").row(0, named=True)
        msg = (
            f"p must be in [0, 1]; got {outside.height} outside, first {first['p']} in {first['recording_id']!r}. "
            "Pass probabilities, not scores."
        )
        found.append(_object("V004", msg))
    return found


def _part(part: pl.DataFrame, name: str) -> list[Objection]:
    found = []
    counts = {side: part.filter(y=side) for side in (1, 0)}
    patients = {side: rows["patient_id"].n_unique() for side, rows in counts.items()}
    if min(patients.values()) < LEAST_PATIENTS:
        msg = (
            f"an interval needs {LEAST_PATIENTS} patients with the event and {LEAST_PATIENTS} without; "
            f"got {patients[1]} and {patients[0]} in {name}. Report no interval."
        )
        found.append(_object("V005", msg))
    if min(rows.height for rows in counts.values()) < EVENTS_FOR_CURVE:
        msg = (
            f"a calibration curve needs {EVENTS_FOR_CURVE} recordings with the event and without; "
            f"got {counts[1].height} and {counts[0].height} in {name}. Read its shape with care."
        )
        found.append(_object("V006", msg))
    if part.height > 1 and part["p"].n_unique() == 1:
        msg = f"risks must differ; got {part['p'][0]:.4g} for all {part.height} in {name}. The model learnt nothing."
        found.append(_object("V007", msg))
    return found


def _baseline(predictions: pl.DataFrame) -> list[Objection]:
    found = []
    for (target, where), part in sorted(
        predictions.partition_by("target", "set", as_dict=True).items(), key=lambda item: item[0]
    ):
        ids = {str(m): set(rows["recording_id"]) for (m,), rows in part.partition_by("model", as_dict=True).items()}
        base = ids.get("age_sex", set())
        apart = sorted(m for m, those in ids.items() if those != base)
        if apart:
            msg = (
                "models must be compared with age_sex on the same recordings; "
                f"got {', '.join(apart)} without that in {target}, {where}. Predict those recordings with age_sex."
            )
            found.append(_object("V008", msg))
    return found


def _some(ids: list[str]) -> str:
    return ", ".join(ids[:5]) + (", …" if len(ids) > 5 else "")
