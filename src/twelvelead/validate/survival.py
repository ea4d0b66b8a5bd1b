"""Risks of a diagnosis within a time, judged where some are lost from sight and others die first."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twelvelead.terms import StudyError
from twelvelead.validate.bootstrap import Bootstrap
from twelvelead.validate.concordance import weighted_concordance
from twelvelead.validate.discrimination import weighted_auroc
from twelvelead.validate.follow_up import (
    CENSORED,
    DIAGNOSED,
    FollowUp,
    after,
    check_horizons,
    curves,
    follow_up,
    inverse_probability,
)
from twelvelead.validate.resample import enough_patients, interval, resamples, units
from twelvelead.validate.strata import strata_names, stratum_of

Floats = NDArray[np.float64]

PER_HORIZON = ("uno_c", "auroc", "brier", "cumulative_incidence", "oe_ratio")
"""What is estimated at each horizon; over several also the integrated Brier score."""

TOO_FEW = "fewer than 10 patients with, or without, the event: no interval"
UNSTABLE = "undefined in more than 5 % of resamples: no interval"
UNDEFINED = "not defined for these recordings"


def survival_performance(
    time: ArrayLike,
    status: ArrayLike,
    risk: ArrayLike,
    *,
    horizons: Sequence[float],
    patients: ArrayLike,
    bootstrap: Bootstrap,
) -> pl.DataFrame:
    """Judge predicted risks of a diagnosis within each of several times.

    Parameters
    ----------
    time : array of shape (n_recordings,)
        Time from the recording to the end of its follow-up, in the unit of `horizons`.
    status : array of shape (n_recordings,)
        How it ended: 0 censored, 1 with the diagnosis, 2 with a death before it.
    risk : array of shape (n_recordings, n_horizons), or (n_recordings,) for one horizon
        Predicted risk of the diagnosis by each horizon.
    horizons : sequence of float
        Times, ascending, within follow-up.
    patients : array of shape (n_recordings,)
        The patient of each recording: whole patients are drawn.
    bootstrap : Bootstrap
        Of the percentile intervals.

    Returns
    -------
    DataFrame with columns metric, horizon, estimate, lower, upper, n, n_events, n_died, n_lost, n_resamples,
    n_discarded, note
        Metrics: uno_c (see `concordance`); auroc, of who is diagnosed by the horizon against everybody else, dead or
        not; brier; cumulative_incidence, the observed share with the diagnosis (Aalen-Johansen); oe_ratio, that share
        over the mean risk; and for two horizons or more integrated_brier, at the last one. n_events, n_died and n_lost
        are recordings diagnosed, dead and lost from sight by the horizon.

    Raises
    ------
    StudyError
        If an argument is impossible: a negative time, a horizon beyond follow-up or before any diagnosis.

    Notes
    -----
    Who is lost from sight by the horizon is stood for by those who were not, weighted by the inverse probability of
    being observed. Being lost must not depend on the risk. That probability is estimated anew in each resample.

    References
    ----------
    Graf E et al. Assessment and comparison of prognostic classification schemes for survival data.
    doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5
    van Geloven N et al. Validation of prediction models in the presence of competing risks.
    doi:10.1136/bmj-2021-069249
    """
    seen, p, times, unit = _prepared(time, status, risk, horizons=horizons, patients=patients)
    rank = np.column_stack([np.unique(column, return_inverse=True)[1] for column in p.T])
    observed = _figures(seen, p, times, rank=rank, weights=np.ones((1, len(unit))))
    enough = [enough_patients(_diagnosed(seen, t).astype(float), unit) for t in times]
    draws = resamples(unit, n_resamples=bootstrap.n_resamples, seed=bootstrap.seed) if any(enough) else ()
    chunks = [_figures(seen, p, times, rank=rank, weights=weights) for weights in draws]
    rows = []
    for (metric, k), value in observed.items():
        drawn = np.concatenate([chunk[metric, k] for chunk in chunks]) if enough[k] else None
        row = {"metric": metric, "horizon": times[k], **_row(float(value[0]), drawn, level=bootstrap.level)}
        by_then = seen.time <= times[k]
        ends = {
            name: int(np.sum(by_then & (seen.status == s))) for s, name in enumerate(("n_lost", "n_events", "n_died"))
        }
        rows.append({**row, "n": len(unit), **ends})
    columns = ("metric", "horizon", "estimate", "lower", "upper", "n", "n_events", "n_died", "n_lost")
    schema = {**dict.fromkeys(("estimate", "lower", "upper"), pl.Float64), "note": pl.String}
    return pl.DataFrame(rows, schema_overrides=schema).select(*columns, "n_resamples", "n_discarded", "note")


def strata_incidence(
    time: ArrayLike,
    status: ArrayLike,
    risk: ArrayLike,
    *,
    cuts: Sequence[float],
    horizon: float,
    patients: ArrayLike,
    bootstrap: Bootstrap,
) -> pl.DataFrame:
    """Return the share with the diagnosis by the horizon in each stratum of risk, censoring and death considered.

    Parameters
    ----------
    time, status, patients, bootstrap
        As in `survival_performance`.
    risk : array of shape (n_recordings,)
        Predicted risk of the diagnosis by the horizon.
    cuts : sequence of float
        As in `risk_strata`.
    horizon : float
        Time within follow-up.

    Returns
    -------
    DataFrame with columns stratum, n, n_events, n_died, n_lost, predicted, observed, lower, upper, n_resamples,
    n_discarded, note
        `observed` is Aalen and Johansen's estimate, which is one minus Kaplan-Meier's where nobody dies.

    Raises
    ------
    StudyError
        As in `survival_performance`.
    """
    seen, p, times, unit = _prepared(time, status, risk, horizons=[horizon], patients=patients)
    group = stratum_of(p[:, 0], cuts=cuts)
    labels = strata_names(cuts, None)

    def shares(weights: Floats) -> Floats:
        """Return the incidence in each stratum, shape (n_resamples, n_strata)."""
        found = []
        for i in range(len(labels)):
            inside = weights * (group == i)
            share = curves(seen, inside).incidence[:, after(seen, times)[0]]
            # Where all drawn ones were lost before the horizon, the share at it can't be known.
            reach = np.where(inside > 0, seen.time, -1.0).max(axis=1)
            ended = (inside * (seen.status != CENSORED)).sum(axis=1) == inside.sum(axis=1)
            found.append(np.where((reach >= horizon) | (ended & (reach >= 0)), share, np.nan))
        return np.column_stack(found)

    estimate = shares(np.ones((1, len(unit))))[0]
    enough = enough_patients(_diagnosed(seen, horizon).astype(float), unit)
    drawn = resamples(unit, n_resamples=bootstrap.n_resamples, seed=bootstrap.seed) if enough else ()
    replicates = [shares(weights) for weights in drawn]
    together = np.concatenate(replicates) if replicates else None
    rows = []
    for i, label in enumerate(labels):
        inside = group == i
        by_then = inside & (seen.time <= horizon)
        ends = {
            name: int(np.sum(by_then & (seen.status == s))) for s, name in enumerate(("n_lost", "n_events", "n_died"))
        }
        found = _row(float(estimate[i]), None if together is None else together[:, i], level=bootstrap.level)
        predicted = float(np.mean(p[inside])) if inside.any() else None
        rows.append({"stratum": label, "n": int(inside.sum()), **ends, "predicted": predicted, **found})
    schema = {**dict.fromkeys(("predicted", "estimate", "lower", "upper"), pl.Float64), "note": pl.String}
    columns = ("stratum", "n", "n_events", "n_died", "n_lost", "predicted", "observed", "lower", "upper")
    table = pl.DataFrame(rows, schema_overrides=schema).rename({"estimate": "observed"})
    return table.select(*columns, "n_resamples", "n_discarded", "note")


def _prepared(
    time: ArrayLike, status: ArrayLike, risk: ArrayLike, *, horizons: Sequence[float], patients: ArrayLike
) -> tuple[FollowUp, Floats, Floats, NDArray[np.intp]]:
    """Return follow-up, risks (n_recordings, n_horizons), horizons and patients, by rising time."""
    p = np.asarray(risk, dtype=float)
    p = p[:, None] if p.ndim == 1 else p
    unit = units(patients)
    n = len(np.asarray(time))
    if p.shape != (n, len(horizons)) or len(unit) != n:
        msg = f"risks must have one row per recording and one column per horizon, ({n}, {len(horizons)}), and patients "
        msg += f"as many rows; got {p.shape} and {len(unit)}. Align them."
        raise StudyError(msg)
    if not ((p >= 0) & (p <= 1)).all():
        msg = f"risks must be in [0, 1]; got {p[~((p >= 0) & (p <= 1))][0]}. Give risks, not scores."
        raise StudyError(msg)
    seen = follow_up(time, status, ties=np.column_stack([unit, p]))
    return seen, p[seen.order], check_horizons(seen, horizons), unit[seen.order]


def _diagnosed(seen: FollowUp, horizon: float) -> NDArray[np.bool_]:
    out: NDArray[np.bool_] = (seen.status == DIAGNOSED) & (seen.time <= horizon)
    return out


def _figures(
    seen: FollowUp, p: Floats, times: Floats, *, rank: NDArray[np.intp], weights: Floats
) -> dict[tuple[str, int], Floats]:
    """Return every figure, by name and number of its horizon, of every resample; shape (n_resamples,) each."""
    found: dict[tuple[str, int], Floats] = {}
    n = weights.sum(axis=1)
    curve = curves(seen, weights)
    incidence = curve.incidence[:, after(seen, times)]
    for k, t in enumerate(times):
        y = _diagnosed(seen, t).astype(float)
        known = inverse_probability(seen, weights, observed=curve.observed, horizon=t)
        found["uno_c", k] = weighted_concordance(seen, rank[:, k], weights=weights, observed=curve.observed, horizon=t)
        found["auroc", k] = weighted_auroc(y, p[:, k], weights=known)
        found["brier", k] = known @ (y - p[:, k]) ** 2 / n
        found["cumulative_incidence", k] = incidence[:, k]
        with np.errstate(invalid="ignore", divide="ignore"):
            found["oe_ratio", k] = incidence[:, k] / (weights @ p[:, k] / n)
    if len(times) > 1:
        scores = np.column_stack([found["brier", k] for k in range(len(times))])
        found["integrated_brier", len(times) - 1] = np.trapezoid(scores, times, axis=1) / (times[-1] - times[0])
    return found


def _row(estimate: float, drawn: Floats | None, *, level: float) -> dict[str, object]:
    real = bool(np.isfinite(estimate))
    limits = interval(drawn, level=level) if drawn is not None and real else None
    given = limits is not None and limits.lower is not None
    return {
        "estimate": estimate if real else None,
        "lower": limits.lower if limits else None,
        "upper": limits.upper if limits else None,
        "n_resamples": limits.n_resamples if limits else 0,
        "n_discarded": limits.n_discarded if limits else 0,
        "note": UNDEFINED if not real else TOO_FEW if limits is None else None if given else UNSTABLE,
    }
