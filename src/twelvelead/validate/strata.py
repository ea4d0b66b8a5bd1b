"""Low, medium and high risk: what became of those called so, by cuts that were fixed beforehand."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twelvelead.terms import StudyError
from twelvelead.validate.bootstrap import Bootstrap, limits, resampled_counts
from twelvelead.validate.proportions import shares
from twelvelead.validate.resample import enough_patients, units
from twelvelead.validate.risks import as_probabilities

Floats = NDArray[np.float64]

NAMES = {2: ("low", "high"), 3: ("low", "medium", "high")}
"""What two or three strata are called if nothing else is said; more are numbered from the lowest."""


def quantile_cuts(p: ArrayLike, quantiles: Sequence[float]) -> tuple[float, ...]:
    """Return cuts at quantiles of the *development* risks, to be frozen before anyone else is judged.

    Parameters
    ----------
    p : array of shape (n_recordings,)
        Risks of the recordings that the model was developed on.
    quantiles : sequence of float
        In (0, 1), ascending; thirds are (1/3, 2/3).

    Raises
    ------
    StudyError
        If quantiles are not in (0, 1), or two of them are the same risk.

    Examples
    --------
    >>> quantile_cuts([0.1, 0.2, 0.3], [0.5])
    (0.2,)
    """
    found = np.asarray(quantiles, dtype=float)
    if not len(found) or not ((found > 0) & (found < 1)).all():
        msg = f"quantiles must be in (0, 1); got {list(quantiles)}. Thirds are (1/3, 2/3)."
        raise StudyError(msg)
    return _checked(np.quantile(np.asarray(p, dtype=float), found).tolist())


def stratum_of(p: ArrayLike, *, cuts: Sequence[float]) -> NDArray[np.intp]:
    """Return the number of each recording's stratum, shape (n_recordings,); a risk equal to a cut is above it.

    Parameters
    ----------
    p : array of shape (n_recordings,)
        Predicted risks.
    cuts : sequence of float
        Limits of the strata, ascending, frozen before the outcomes are looked at.

    Examples
    --------
    >>> stratum_of([0.1, 0.2, 0.9], cuts=[0.2, 0.5]).tolist()
    [0, 1, 2]
    """
    return np.searchsorted(np.array(_checked(cuts)), np.asarray(p, dtype=float), side="right")


def risk_strata(
    y: ArrayLike,
    p: ArrayLike,
    *,
    cuts: Sequence[float],
    level: float,
    patients: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return what became of each stratum of risk.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    cuts : sequence of float
        Risks at which the strata part, ascending, in (0, 1): declared beforehand, or `quantile_cuts` of development.
        Cuts found on the recordings that are judged here would flatter the model.
    level : float
        Confidence level of the limits.
    patients : array of shape (n_recordings,) or None
        The patient of each recording. None: every recording is a patient of its own.
    names : sequence of str or None
        One per stratum, from the lowest. None: low (medium) high; more are numbered.

    Returns
    -------
    DataFrame with columns stratum, from, below, n, n_patients, n_events, predicted, observed, lower, upper,
    ppv_from_here, share_of_events
        One row per stratum, from the lowest, also where nobody is in it. `observed` is the share with the event, that
        is the positive predictive value of being called so, with its limits; `ppv_from_here` that of being in this
        stratum or a higher one; `share_of_events` the part of all events that falls here. Null where there is nobody.

    Raises
    ------
    StudyError
        If cuts or names can't be used.

    Notes
    -----
    The limits are Wilson's of a design effect; see `proportions.shares`.

    Examples
    --------
    >>> found = risk_strata([0, 0, 1, 1], [0.1, 0.2, 0.2, 0.9], cuts=[0.2, 0.5], level=0.95)
    >>> found.select("stratum", "n", "observed", "ppv_from_here", "share_of_events").rows()
    [('low', 1, 0.0, 0.5, 0.0), ('medium', 2, 0.5, 0.6666666666666666, 0.5), ('high', 1, 1.0, 1.0, 0.5)]
    """
    y, p = as_probabilities(y, p)
    labels = strata_names(cuts, names)
    unit = np.arange(len(y)) if patients is None else units(patients)
    order = np.argsort(p, kind="stable")  # sums are then the same in whichever order the rows came
    y, p, unit = y[order], p[order], unit[order]
    group = stratum_of(p, cuts=cuts)
    n = np.bincount(group, minlength=len(labels))
    events = np.bincount(group, weights=y, minlength=len(labels))
    expected = np.bincount(group, weights=p, minlength=len(labels))
    with np.errstate(invalid="ignore"):
        by_group = pl.DataFrame(
            {
                "group": np.arange(len(labels)),
                "stratum": labels,
                "from": [0.0, *cuts],
                "below": [*cuts, 1.0],
                "predicted": expected / n,
                "ppv_from_here": events[::-1].cumsum()[::-1] / n[::-1].cumsum()[::-1],
                "share_of_events": events / events.sum(),
            }
        ).fill_nan(None)
    counted = shares(y, group, unit, level=level)
    zero = pl.col("n", "n_patients", "n_events").fill_null(0)
    return (
        by_group.join(counted, on="group", how="left", validate="1:1", maintain_order="left")
        .with_columns(zero)
        .select(
            *("stratum", "from", "below", "n", "n_patients", "n_events", "predicted"),
            *("observed", "lower", "upper", "ppv_from_here", "share_of_events"),
        )
    )


def strata_difference(
    y: ArrayLike,
    new: ArrayLike,
    base: ArrayLike,
    *,
    cuts: Sequence[float],
    patients: ArrayLike,
    bootstrap: Bootstrap,
    base_cuts: Sequence[float] | None = None,
) -> pl.DataFrame:
    """Return by how much the share with the event in each stratum differs between two models.

    Parameters
    ----------
    y, new, base : array of shape (n_recordings,)
        Outcome, and the risks of the new model and of the one it is compared with.
    cuts : sequence of float
        As in `risk_strata`.
    patients : array of shape (n_recordings,)
        The patient of each recording: whole patients are drawn, the same for both models.
    bootstrap : Bootstrap
        Of the percentile interval.
    base_cuts : sequence of float or None
        Cuts of the other model, as many. None: the same.

    Returns
    -------
    DataFrame with columns stratum, new, base, difference, lower, upper, n_resamples, n_discarded
        `new` and `base` are the positive predictive values. Limits are null where fewer than 10 patients have the
        event, or a recording without it, or where a stratum is empty in more than 5 % of the resamples.

    Raises
    ------
    StudyError
        If the models have different numbers of cuts.
    """
    y, new = as_probabilities(y, new)
    base = as_probabilities(y, base)[1]
    other = cuts if base_cuts is None else base_cuts
    if len(other) != len(cuts):
        msg = f"both models must have as many strata; got {len(cuts)} and {len(other)} cuts. Give as many."
        raise StudyError(msg)
    unit, k = units(patients), len(cuts) + 1
    # Columns: model × outcome × stratum.
    group = np.stack([stratum_of(new, cuts=cuts), stratum_of(base, cuts=other)])
    column = (2 * np.arange(2)[:, None] + y.astype(int)) * k + group
    ppv = _ppv(np.bincount(column.ravel(), minlength=4 * k)[None], k)[0]
    replicates = None
    if enough_patients(y, unit):
        counts = resampled_counts(np.tile(unit, 2), column.ravel(), n_columns=4 * k, bootstrap=bootstrap)
        replicates = _ppv(counts, k)[:, 0] - _ppv(counts, k)[:, 1]
    return (
        pl.DataFrame(
            {
                "stratum": strata_names(cuts, None),
                "new": ppv[0],
                "base": ppv[1],
                "difference": ppv[0] - ppv[1],
                **limits(replicates, ("lower", "upper"), level=bootstrap.level),
                "n_resamples": bootstrap.n_resamples if replicates is not None else 0,
            },
            schema_overrides={
                **dict.fromkeys(("lower", "upper"), pl.Float64),
                "n_discarded": pl.Int64,
                "n_resamples": pl.Int64,
            },
        )
        .select("stratum", "new", "base", "difference", "lower", "upper", "n_resamples", "n_discarded")
        .fill_nan(None)
    )


def _ppv(counts: NDArray[Any], k: int) -> Floats:
    """Return events per recording, shape (n_resamples, 2, k), from counts by model, outcome and stratum."""
    none, event = np.moveaxis(counts.reshape(-1, 2, 2, k).astype(float), 2, 0)
    with np.errstate(invalid="ignore"):
        out: Floats = event / (none + event)
    return out


def strata_names(cuts: Sequence[float], names: Sequence[str] | None) -> tuple[str, ...]:
    """Return what the strata are called, from the lowest.

    Raises
    ------
    StudyError
        If there are not as many names as strata.

    Examples
    --------
    >>> strata_names([0.1, 0.2], None)
    ('low', 'medium', 'high')
    >>> strata_names([0.1, 0.2, 0.3], None)
    ('1', '2', '3', '4')
    """
    n = len(cuts) + 1
    chosen = NAMES.get(n, tuple(str(i + 1) for i in range(n))) if names is None else tuple(names)
    if len(chosen) != n:
        msg = f"each stratum must have a name; got {len(chosen)} names for {n} strata. Give one per stratum."
        raise StudyError(msg)
    return chosen


def _checked(cuts: Sequence[float]) -> tuple[float, ...]:
    found = tuple(float(c) for c in cuts)
    if not found or not all(0 < c < 1 for c in found) or any(b <= a for a, b in pairwise(found)):
        msg = f"cuts must be risks in (0, 1), ascending and different; got {list(found)}. Give fewer, or others."
        raise StudyError(msg)
    return found
