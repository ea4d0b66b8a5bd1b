"""Recalibration of a model elsewhere: fitted on a declared share of the patients, judged on the others."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twelvelead.study.declaration import Study
from twelvelead.terms import PERFORMANCE, PREDICTIONS, StudyError
from twelvelead.validate import performance, recalibrate, units
from twelvelead.validate.recalibration import METHODS


@dataclass(frozen=True)
class Mended:
    """What recalibration does to one target's full model.

    Parameters
    ----------
    performance : DataFrame keeping `terms.PERFORMANCE`
        Of the patients who were not fitted to; `model` is the method, from "none" to "isotonic".
    parameters : dict
        What JSON holds: how many recordings were fitted to, and of each method its curve, or why there is none.
    """

    performance: pl.DataFrame
    parameters: dict[str, Any]


def mend(predictions: pl.DataFrame, *, study: Study, share: float) -> Mended:
    """Recalibrate on some patients, and judge every method on the others.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Of one target, model and set.
    study : Study
        Says how to resample, and its seed deals the patients.
    share : float
        Share of the patients that is fitted to.

    Returns
    -------
    Mended

    Notes
    -----
    The new log-odds are intercept + slope × the old; or, where there are knots, the new risk is that of the straight
    lines between (old, new) risks. See `validate.recalibrate`.
    """
    rows = predictions.sort("recording_id")
    fitted = pl.Series(deal_share(rows["y"], rows["patient_id"], share=share, seed=study.seed))
    here, there = rows.filter(fitted), rows.filter(~fitted)
    curves: dict[str, dict[str, Any]] = {}
    parts = []
    for method in METHODS:
        try:
            curve = recalibrate(here["y"], here["p"], method=method)
        except StudyError as error:
            curves[method] = {"note": str(error)}
            continue
        curves[method] = asdict(curve)
        parts.append(there.with_columns(model=pl.lit(method), p=pl.Series(curve(there["p"]))))
    counts = {"n": here.height, "n_patients": here["patient_id"].n_unique(), "n_events": int(here["y"].sum())}
    declared = study.validation
    judged = performance(
        PREDICTIONS.select(pl.concat(parts)),
        n_resamples=declared.n_resamples,
        level=declared.level,
        seed=study.seed,
        unit=declared.unit,
        thresholds=declared.thresholds,
        method=declared.method,
    ) if not there.is_empty() else PERFORMANCE.empty()  # fmt: skip
    return Mended(judged, {"share": share, "seed": study.seed, "fitted_on": counts, "methods": curves})


def deal_share(y: ArrayLike, patients: ArrayLike, *, share: float, seed: int) -> NDArray[np.bool_]:
    """Return which recordings are of the share of patients that is fitted to, shape (n_recordings,).

    Parameters
    ----------
    y, patients : array of shape (n_recordings,)
        Outcome and patient. Patients with an event, and those without, are dealt each for themselves.
    share : float
        In (0, 1).
    seed : int
        Seed; the order of recordings changes nothing.

    Raises
    ------
    StudyError
        If the share is not in (0, 1).

    Examples
    --------
    >>> fitted = deal_share([0, 0, 0, 0, 1, 1], list("abcdef"), share=0.5, seed=0)
    >>> int(fitted[:4].sum()), int(fitted[4:].sum())
    (2, 1)
    """
    if not 0 < share < 1:
        msg = f"the share of patients to recalibrate on must be in (0, 1); got {share:g}. Declare 0.5."
        raise StudyError(msg)
    unit = units(patients)
    event = np.bincount(unit, weights=np.asarray(y, dtype=float)) > 0
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(event), dtype=bool)
    for stratum in (event, ~event):
        places = rng.permutation(np.flatnonzero(stratum))
        chosen[places[: round(share * len(places))]] = True
    out: NDArray[np.bool_] = chosen[unit]
    return out
