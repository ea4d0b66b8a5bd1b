"""What a methods reviewer would object to, found before the reviewer does."""

from collections.abc import Collection

import polars as pl

from twelvelead.terms import PREDICTIONS, StudyError
from twelvelead.validate.discrimination import auroc
from twelvelead.validate.dossier import Dossier, each, examine_dossier, some
from twelvelead.validate.resample import LEAST_PATIENTS
from twelvelead.validate.rules import RULES, Objection

EVENTS_FOR_CURVE = 200
"""Events, and non-events, below which a calibration curve is mostly noise (Van Calster et al.)."""

TOO_GOOD = 0.99
"""An AUROC above this is a leak more often than a discovery."""

EVENTS_TO_WONDER = 50
"""With fewer recordings with the event, chance alone can bring an AUROC or a mean risk that is far off."""

__all__ = ["RULES", "Dossier", "Objection", "check", "refuse", "table"]


def check(
    predictions: pl.DataFrame,
    *,
    development_patients: Collection[str],
    selection_recordings: Collection[str] = (),
    dossier: Dossier | None = None,
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
    dossier : Dossier or None
        What else is known of the study; each fact in it allows one more check. The rules say which they need.

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
    for (target, model, where), part in each(predictions):
        found += _counts(part, f"{target}, {where}") + _part(part, f"{target}, {model}, {where}")
    found += _baseline(predictions)
    if dossier is not None:
        found += examine_dossier(predictions, dossier)
    once = dict.fromkeys(found)  # models of one target mostly have the same recordings, so the same counts
    return tuple(sorted(once, key=lambda o: (o.severity, o.code)))


def refuse(objections: Collection[Objection], *, declared: Collection[str] = ()) -> None:
    """Raise `StudyError` with every error among the objections; let warnings pass.

    Parameters
    ----------
    objections : collection of Objection
        What `check` found.
    declared : collection of str
        Codes of errors that a study makes on purpose, to repeat a published method; they pass, too.

    Raises
    ------
    StudyError
        If there is another error.

    Examples
    --------
    >>> refuse([Objection("V007", "…")])
    >>> refuse([Objection("V001", "patients must be apart; got 1, first 'b'.")])
    Traceback (most recent call last):
    twelvelead.terms.errors.StudyError: V001 patients must be apart; got 1, first 'b'.
    """
    errors = [f"{o.code} {o.message}" for o in objections if o.severity == "error" and o.code not in declared]
    if errors:
        raise StudyError("\n".join(errors))


def table(objections: Collection[Objection]) -> pl.DataFrame:
    """Return the objections as a table with columns code, severity, item (TRIPOD+AI), probast (PROBAST+AI), message."""
    columns = ("code", "severity", "item", "probast", "message")
    rows = [tuple(getattr(o, c) for c in columns) for o in objections]
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _leaks(predictions: pl.DataFrame, patients: Collection[str], recordings: Collection[str]) -> list[Objection]:
    found = []
    both = sorted(set(predictions["patient_id"]) & set(patients))
    if both:
        msg = (
            f"a patient must be on one side of the split; got {len(both)} on both: {some(both)}. "
            "Split by patient_id and fit again."
        )
        found.append(Objection("V001", msg))
    used = sorted(set(predictions["recording_id"]) & set(recordings))
    if used:
        msg = (
            f"recordings that judge a model must take no part in choosing it; got {len(used)} that did: {some(used)}. "
            "Choose on development patients only."
        )
        found.append(Objection("V002", msg))
    return found


def _rows(predictions: pl.DataFrame) -> list[Objection]:
    found = []
    keys = predictions.select(PREDICTIONS.key)
    twice = sorted(keys.filter(keys.is_duplicated())["recording_id"].unique())
    if twice:
        msg = f"a recording must have one row per target, model and set; got {len(twice)} repeated: {some(twice)}."
        found.append(Objection("V003", f"{msg} Remove duplicates."))
    outside = predictions.filter(~pl.col("p").is_between(0, 1) | pl.col("p").is_nan())
    if outside.height:
        first = outside.sort("recording_id").row(0, named=True)
        msg = (
            f"p must be in [0, 1]; got {outside.height} outside, first {first['p']} in {first['recording_id']!r}. "
            "Pass probabilities, not scores."
        )
        found.append(Objection("V004", msg))
    return found


def _counts(part: pl.DataFrame, name: str) -> list[Objection]:
    found = []
    counts = {side: part.filter(y=side) for side in (1, 0)}
    patients = {side: rows["patient_id"].n_unique() for side, rows in counts.items()}
    if min(patients.values()) < LEAST_PATIENTS:
        msg = (
            f"an interval needs {LEAST_PATIENTS} patients with the event and {LEAST_PATIENTS} without; "
            f"got {patients[1]} and {patients[0]} in {name}. Report no interval."
        )
        found.append(Objection("V005", msg))
    if min(rows.height for rows in counts.values()) < EVENTS_FOR_CURVE:
        msg = (
            f"a calibration curve needs {EVENTS_FOR_CURVE} recordings with the event and without; "
            f"got {counts[1].height} and {counts[0].height} in {name}. Read its shape with care."
        )
        found.append(Objection("V006", msg))
    return found


def _part(part: pl.DataFrame, name: str) -> list[Objection]:
    found = []
    if part.height > 1 and part["p"].n_unique() == 1:
        msg = f"risks must differ; got {part['p'][0]:.4g} for all {part.height} in {name}. The model learnt nothing."
        found.append(Objection("V007", msg))
    return found + _too_good(part, name) + _off_scale(part, name)


def _too_good(part: pl.DataFrame, name: str) -> list[Objection]:
    if not EVENTS_TO_WONDER <= part["y"].sum() <= part.height - EVENTS_TO_WONDER or part["p"].is_nan().any():
        return []
    value = auroc(part["y"], part["p"])
    if value <= TOO_GOOD:
        return []
    msg = (
        f"an AUROC above {TOO_GOOD} must be explained; got {value:.4f} in {name}. "
        "Look for a predictor that is part of the outcome, or follows from it."
    )
    return [Objection("V015", msg)]


def _off_scale(part: pl.DataFrame, name: str) -> list[Objection]:
    """Notice risks of another scale: class weights, classes resampled, a cohort of another prevalence."""
    events, expected = int(part["y"].sum()), float(part["p"].sum())
    if events < EVENTS_TO_WONDER or not expected > 0 or 0.5 <= events / expected <= 2:
        return []
    msg = (
        f"risks must be on the scale of the outcome; got {expected / part.height:.3g} on average where "
        f"{events / part.height:.3g} have the event in {name}. Recalibrate, or say that classes were weighted."
    )
    return [Objection("V020", msg)]


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
            found.append(Objection("V008", msg))
    return found
