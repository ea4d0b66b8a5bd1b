"""Decision curves of several models on the same recordings, and of their difference, with clustered intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twelvelead.terms import StudyError
from twelvelead.validate.bootstrap import Bootstrap, limits, resampled_counts
from twelvelead.validate.resample import enough_patients, units
from twelvelead.validate.risks import as_probabilities
from twelvelead.validate.utility import check_prevalence, check_thresholds

Floats = NDArray[np.float64]

ALL, NONE = "all", "none"
"""Acting on everybody and on nobody: a model is to be better than both."""

TYPES = {
    **dict.fromkeys(("lower", "upper", "avoided_lower", "avoided_upper"), pl.Float64),
    **dict.fromkeys(("n_resamples", "n_discarded"), pl.Int64),
}
"""Of columns that may be null throughout."""


def decision_curves(
    y: ArrayLike,
    risks: Mapping[str, ArrayLike],
    thresholds: Sequence[float],
    *,
    patients: ArrayLike,
    bootstrap: Bootstrap,
    prevalence: float | None = None,
) -> pl.DataFrame:
    """Return the net benefit of acting on each model, on everybody and on nobody, with clustered intervals.

    Parameters
    ----------
    y : array of shape (n_recordings,)
        Outcome, 1 event, 0 none.
    risks : mapping of str to array of shape (n_recordings,)
        Predicted risks of each model, the baseline of age and sex among them; no model is called "all" or "none".
    thresholds : sequence of float
        Risks from which one would act, each in [0, 1).
    patients : array of shape (n_recordings,)
        The patient of each recording: whole patients are drawn, the same for all models.
    bootstrap : Bootstrap
        Of the percentile intervals.
    prevalence : float or None
        Share with the event among those whom the models are for, where events were sampled apart from the rest.
        None: the share here.

    Returns
    -------
    DataFrame with columns model, threshold, net_benefit, lower, upper, interventions_avoided, avoided_lower,
    avoided_upper, n_resamples, n_discarded
        `interventions_avoided` is per 100, against acting on everybody and with no event missed on balance; null at
        threshold 0. Limits are null where fewer than 10 patients have the event, or a recording without it.

    References
    ----------
    Vickers AJ et al. Extensions to decision curve analysis. doi:10.1186/1472-6947-8-53
    """
    reach = _reach(y, risks, thresholds, patients=patients, prevalence=prevalence)
    values, replicates = _net_benefit(reach, bootstrap)
    per_100 = np.divide(100.0, reach.odds, out=np.full_like(reach.odds, np.nan), where=reach.odds > 0)
    everybody = len(reach.models)
    avoided = (values - values[everybody]) * per_100
    drawn_avoided = None if replicates is None else (replicates - replicates[:, [everybody]]) * per_100
    tables = []
    for i, model in enumerate((*reach.models, ALL, NONE)):
        columns = {
            "model": [model] * len(reach.thresholds),
            "threshold": reach.thresholds,
            "net_benefit": values[i],
            "interventions_avoided": avoided[i],
            **limits(_of(drawn_avoided, i), ("avoided_lower", "avoided_upper"), level=bootstrap.level),
            **limits(_of(replicates, i), ("lower", "upper"), level=bootstrap.level),
            "n_resamples": 0 if replicates is None else bootstrap.n_resamples,
        }
        tables.append(pl.DataFrame(columns, schema_overrides=TYPES))
    order = ("model", "threshold", "net_benefit", "lower", "upper", "interventions_avoided", "avoided_lower")
    return pl.concat(tables).select(*order, "avoided_upper", "n_resamples", "n_discarded").fill_nan(None)


def _of(replicates: Floats | None, i: int) -> Floats | None:
    return None if replicates is None else replicates[:, i]


def delta_net_benefit(
    y: ArrayLike,
    new: ArrayLike,
    base: ArrayLike,
    *,
    thresholds: Sequence[float],
    patients: ArrayLike,
    bootstrap: Bootstrap,
    prevalence: float | None = None,
) -> pl.DataFrame:
    """Return by how much the net benefit of one model is above another's, at each threshold.

    Parameters
    ----------
    y, new, base : array of shape (n_recordings,)
        Outcome, and the risks of the new model and of the one it is compared with.
    thresholds, patients, bootstrap, prevalence
        As in `decision_curves`.

    Returns
    -------
    DataFrame with columns threshold, new, base, difference, lower, upper, n_resamples, n_discarded

    Notes
    -----
    The difference does not depend on the reference: it is also that of the net benefits above acting on everybody.
    """
    reach = _reach(y, {"new": new, "base": base}, thresholds, patients=patients, prevalence=prevalence)
    values, replicates = _net_benefit(reach, bootstrap)
    drawn = None if replicates is None else replicates[:, 0] - replicates[:, 1]
    columns = {
        "threshold": reach.thresholds,
        "new": values[0],
        "base": values[1],
        "difference": values[0] - values[1],
        **limits(drawn, ("lower", "upper"), level=bootstrap.level),
        "n_resamples": 0 if replicates is None else bootstrap.n_resamples,
    }
    order = ("threshold", "new", "base", "difference", "lower", "upper", "n_resamples", "n_discarded")
    return pl.DataFrame(columns, schema_overrides=TYPES).select(order)


@dataclass(frozen=True)
class _Reach:
    """Who reaches which threshold by which model.

    A recording is counted once per model, in the column of its outcome and of how many thresholds its risk reaches;
    true and false positives at a threshold are sums over columns.
    """

    models: tuple[str, ...]
    thresholds: Floats
    column: NDArray[np.intp]
    unit: NDArray[np.intp]
    prevalence: float | None
    enough: bool

    @property
    def n_columns(self) -> int:
        """Model × outcome × thresholds reached, from none to all."""
        return 2 * len(self.models) * (len(self.thresholds) + 1)

    @property
    def odds(self) -> Floats:
        """False positives that one true positive is worth, the other way round."""
        out: Floats = self.thresholds / (1 - self.thresholds)
        return out


def _reach(
    y: ArrayLike,
    risks: Mapping[str, ArrayLike],
    thresholds: Sequence[float],
    *,
    patients: ArrayLike,
    prevalence: float | None,
) -> _Reach:
    check_thresholds(thresholds)
    taken = sorted({ALL, NONE} & risks.keys())
    if taken or not risks:
        msg = f"models must be there and not be called {ALL} or {NONE}; got {taken or 'none'}. Rename them."
        raise StudyError(msg)
    edges = np.unique(np.asarray(thresholds, dtype=float))
    columns = []
    for i, p in enumerate(risks.values()):
        outcome, risk = as_probabilities(y, p)
        # A risk of exactly 0 is never positive; see `utility.weighted_at_threshold`.
        reached = np.where(risk > 0, np.searchsorted(edges, risk, side="right"), 0)
        columns.append((2 * i + outcome.astype(int)) * (len(edges) + 1) + reached)
    if prevalence is not None:
        check_prevalence(outcome, prevalence)
    unit = units(patients)
    return _Reach(tuple(risks), edges, np.stack(columns), unit, prevalence, enough_patients(outcome, unit))


def _net_benefit(reach: _Reach, bootstrap: Bootstrap) -> tuple[Floats, Floats | None]:
    """Return net benefits (n_models + 2, n_thresholds) of models, everybody, nobody; and the same of every resample."""
    once = np.bincount(reach.column.ravel(), minlength=reach.n_columns)[None].astype(float)
    replicates = None
    if reach.enough:
        unit = np.tile(reach.unit, len(reach.models))
        counts = resampled_counts(unit, reach.column.ravel(), n_columns=reach.n_columns, bootstrap=bootstrap)
        replicates = _worth(reach, counts)
    return _worth(reach, once)[0], replicates


def _worth(reach: _Reach, counts: Floats) -> Floats:
    """Return net benefits from counts by column, shape (n_resamples, n_models + 2, n_thresholds)."""
    by_reach = counts.reshape(len(counts), len(reach.models), 2, -1)
    rest, events = by_reach[:, 0].sum(axis=-1).T[..., None, None]
    positive = by_reach[..., ::-1].cumsum(axis=-1)[..., ::-1][..., 1:]
    with np.errstate(invalid="ignore", divide="ignore"):
        if reach.prevalence is None:
            share, of_event, of_rest = events / (events + rest), 1 / (events + rest), 1 / (events + rest)
        else:
            share = np.full_like(events, reach.prevalence)
            of_event, of_rest = share / events, (1 - share) / rest
        by_model = of_event * positive[:, :, 1] - of_rest * positive[:, :, 0] * reach.odds
    everybody = share - (1 - share) * reach.odds
    out: Floats = np.concatenate([by_model, everybody, np.zeros_like(everybody)], axis=1)
    return out
