"""Whether a model is as good in women as in men, in the old as in the young, at one site as at another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, fdtrc, logit
from scipy.stats import rankdata

from twelvelead.terms import PREDICTIONS, SUBGROUPS, StudyError
from twelvelead.validate.bootstrap import Bootstrap
from twelvelead.validate.clustered import patient_sums, replicate
from twelvelead.validate.discrimination import as_outcome_and_risk
from twelvelead.validate.figures import estimate, prepare, resampled
from twelvelead.validate.logistic import fit_logistic, log_odds
from twelvelead.validate.multiplicity import adjust
from twelvelead.validate.resample import LEAST_PATIENTS, interval, units

Floats = NDArray[np.float64]
Row = dict[str, Any]

METRICS = ("auroc", "calibration_intercept", "calibration_slope")

SUPPRESSED = "suppressed: fewer than 10 patients with, or without, the event"
ALONE = "nothing to compare with: fewer than two subgroups have 10 patients with, and without, the event"
UNDEFINED = "not defined for these recordings"

ADJUSTED = ("p_bh", "n_tested")
"""Columns that depend on how many interactions are tested together."""


@dataclass(frozen=True)
class _Subgroup:
    """Recordings of one subgroup; patients are numbered through all recordings of the target."""

    name: str
    y: Floats
    p: Floats
    unit: NDArray[np.intp]
    n_patients: int
    fewest: int


def subgroup_differences(
    predictions: pl.DataFrame, strata: pl.DataFrame, *, model: str, bootstrap: Bootstrap
) -> pl.DataFrame:
    """Compare ranking and calibration of a model between subgroups, and test whether any of them differ.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Of evaluated recordings.
    strata : DataFrame with recording_id and one column per grouping
        `sex`, `age_band`, `race`, `site`, `af`: whatever was declared. Null is in no subgroup.
    model : str
        The model that is judged.
    bootstrap : Bootstrap
        Of the intervals.

    Returns
    -------
    DataFrame keeping `terms.SUBGROUPS`
        One row per target, set, grouping, metric and subgroup. Subgroups in which fewer than 10 patients have the
        event, or a recording without it, are suppressed: neither figures nor counts.

    Raises
    ------
    ContractError
        If `predictions` breaks its contract.
    StudyError
        If the model is absent, or `strata` has no grouping or names a recording twice.

    Notes
    -----
    That two intervals overlap is no test. The interaction is tested over all subgroups at once: a Wald statistic of
    the differences from the reference, with the covariance of patients' influences, summed over each patient's
    recordings in all subgroups (a patient is in several age bands as the years go by). AUROCs are tested on the
    log-odds scale. The statistic is referred to an F distribution, whose second degrees of freedom are the patients of
    the rarer outcome in the smallest subgroup, less one: errors that are estimated from ten patients are themselves
    uncertain. Intervals are percentiles over the same resamples of patients in all subgroups.

    All interactions of a set are adjusted together (Benjamini-Hochberg), with those that could not be tested; of
    targets that were tested apart by `adjust_interactions`. A single suppressed subgroup can still be had as the
    difference of the others from the whole: publish either, not both.

    References
    ----------
    Altman DG, Bland JM. Interaction revisited: the difference between two estimates. doi:10.1136/bmj.326.7382.219
    Liang KY, Zeger SL. Longitudinal data analysis using generalized linear models. doi:10.1093/biomet/73.1.13
    """
    PREDICTIONS.check(predictions)
    groupings = [column for column in strata.columns if column != "recording_id"]
    if not groupings or strata["recording_id"].is_duplicated().any():
        msg = (
            "strata must have one row per recording and a column per grouping; "
            f"got columns {', '.join(strata.columns)}. Add them, or remove duplicates."
        )
        raise StudyError(msg)
    chosen = predictions.filter(model=model)
    if not chosen.height:
        msg = f"the predictions must have the model; got none of {model!r}. Name one that is there."
        raise StudyError(msg)
    rows: list[Row] = []
    for (target, where), part in sorted(
        chosen.partition_by("target", "set", as_dict=True).items(), key=lambda item: item[0]
    ):
        joined = part.sort("recording_id").join(strata, on="recording_id", how="left", maintain_order="left")
        place = {"target": str(target), "set": str(where), "model": model, "level": bootstrap.level}
        for grouping in groupings:
            found = list(_subgroups(joined, grouping))
            rows += [{**place, "grouping": grouping, **row} for row in _compare(found, bootstrap)]
    schema = {name: kind for name, kind in SUBGROUPS.schema.items() if name not in ADJUSTED}
    return adjust_interactions(pl.DataFrame(rows, schema=schema))


def adjust_interactions(found: pl.DataFrame) -> pl.DataFrame:
    """Adjust all interactions of a set together, whatever they were adjusted for before.

    Parameters
    ----------
    found : DataFrame keeping `terms.SUBGROUPS`, in which p_bh and n_tested may be absent
        What `subgroup_differences` said of each target, one below the other.

    Returns
    -------
    DataFrame keeping `terms.SUBGROUPS`
        The same rows, with p_bh and n_tested of all interactions (target, model, grouping, metric) of their set;
        those that could not be tested count.

    Examples
    --------
    >>> rows = SUBGROUPS.select([
    ...     {**{name: None for name in SUBGROUPS.schema}, "target": target, "set": "internal", "model": "ecg",
    ...      "grouping": "sex", "metric": "auroc", "subgroup": "female", "reference": "male", "level": 0.95,
    ...      "p_value": p, "p_bh": p, "n_tested": 1}
    ...     for target, p in (("mi", 0.02), ("af", 0.3))
    ... ])
    >>> adjust_interactions(rows).select("p_bh", "n_tested").rows()
    [(0.04, 2), (0.3, 2)]
    """
    test = ["target", "model", "set", "grouping", "metric"]
    rows = found.drop(ADJUSTED, strict=False)
    tests = rows.select(*test, "p_value").unique().sort(test)
    out = [
        part.with_columns(
            p_bh=pl.Series(adjust(part["p_value"].fill_null(np.nan), method="bh", n_tests=part.height)).fill_nan(None),
            n_tested=pl.lit(part.height),
        )
        for part in tests.partition_by("set", maintain_order=True)
    ]
    if not out:
        return SUBGROUPS.empty()
    adjusted = pl.concat(out).drop("p_value")
    return SUBGROUPS.select(rows.join(adjusted, on=test, how="left", maintain_order="left"))


def _subgroups(joined: pl.DataFrame, grouping: str) -> Iterator[_Subgroup]:
    known = joined.drop_nulls(grouping)
    if not known.height:
        return
    unit = units(known["patient_id"])
    value = known[grouping].cast(pl.String).to_numpy()
    y, p = as_outcome_and_risk(known["y"], known["p"])
    for name in sorted(set(value)):
        here = value == name
        by_side = [np.unique(unit[here & (y == side)]).size for side in (0, 1)]
        yield _Subgroup(name, y[here], p[here], unit[here], np.unique(unit[here]).size, min(by_side))


def _compare(subgroups: list[_Subgroup], bootstrap: Bootstrap) -> Iterator[Row]:
    """Yield the rows of one grouping, by metric and subgroup."""
    large = [s for s in subgroups if s.fewest >= LEAST_PATIENTS]
    reference = max(large, key=lambda s: s.n_patients, default=max(subgroups, key=lambda s: s.n_patients, default=None))
    if reference is None:
        return
    n_units = 1 + max(int(s.unit.max()) for s in subgroups)
    values = {s.name: _replicates(s, n_units, bootstrap) for s in large} if len(large) > 1 else {}
    estimates = {s.name: estimate(s.y, s.p, thresholds=(), subgroup=True) for s in large}
    for metric in METRICS:
        statistic, freedom, p_value = _interaction(large, reference, metric=metric, n_units=n_units)
        test = {"metric": metric, "reference": reference.name, "statistic": statistic, "p_value": p_value}
        test["degrees_of_freedom"] = freedom
        for subgroup in subgroups:
            row: Row = {**test, "subgroup": subgroup.name}
            if subgroup not in large:
                yield {**row, "note": SUPPRESSED}
                continue
            row |= {"n": len(subgroup.y), "n_patients": subgroup.n_patients, "n_events": int(subgroup.y.sum())}
            yield row | _difference(
                metric, subgroup.name, reference.name, estimates=estimates, values=values, bootstrap=bootstrap
            )


def _difference(
    metric: str,
    name: str,
    reference: str,
    *,
    estimates: Mapping[str, Mapping[str, float]],
    values: Mapping[str, Mapping[str, Floats]],
    bootstrap: Bootstrap,
) -> Row:
    """Return a subgroup's estimate, and its difference from the reference with limits."""
    mine = estimates[name][metric]
    if not np.isfinite(mine):
        return {"note": UNDEFINED}
    if len(estimates) == 1:
        return {"estimate": mine, "note": ALONE}
    difference = mine - estimates[reference][metric]
    if name == reference or not np.isfinite(difference):
        return {"estimate": mine}
    limits = interval(values[name][metric] - values[reference][metric], level=bootstrap.level)
    return {"estimate": mine, "difference": difference, "lower": limits.lower, "upper": limits.upper}


def _replicates(subgroup: _Subgroup, n_units: int, bootstrap: Bootstrap) -> dict[str, Floats]:
    """Return every figure in every resample of all patients, those of other subgroups too: differences are paired."""
    model = prepare(subgroup.y, subgroup.p, unit=subgroup.unit, thresholds=(), subgroup=True)
    of_some = patient_sums(subgroup.y, unit=subgroup.unit, columns=model.columns)
    sums = np.zeros((n_units, of_some.shape[1]))
    sums[: len(of_some)] = of_some
    found = replicate(
        [model.ranking], sums, n_resamples=bootstrap.n_resamples, seed=bootstrap.seed, with_covariance=False
    )
    return resampled(model, found, 0, thresholds=())


def _interaction(
    subgroups: list[_Subgroup], reference: _Subgroup, *, metric: str, n_units: int
) -> tuple[float | None, int | None, float | None]:
    """Return the Wald statistic of no difference, its degrees of freedom, and its p value."""
    if len(subgroups) < 2:
        return None, None, None
    ordered = [reference, *(s for s in subgroups if s is not reference)]
    found = [_INFLUENCE[metric](s) for s in ordered]
    theta = np.array([value for value, _ in found])
    influence = np.array(
        [np.bincount(s.unit, weights=parts, minlength=n_units) for s, (_, parts) in zip(ordered, found, strict=True)]
    )
    if not np.isfinite(theta).all():
        return None, None, None
    contrast = np.column_stack([-np.ones(len(theta) - 1), np.eye(len(theta) - 1)])
    difference, spread = contrast @ theta, contrast @ influence
    # einsum, not @: a sum that is shared out to threads ends in other last digits for other numbers of them.
    covariance = np.einsum("in,jn->ij", spread, spread) * n_units / (n_units - 1)
    if np.linalg.cond(covariance) > 1e12:
        return None, None, None
    statistic = float(difference @ np.linalg.solve(covariance, difference))
    freedom = len(difference)
    return statistic, freedom, float(fdtrc(freedom, min(s.fewest for s in ordered) - 1, statistic / freedom))


# --- estimates, and how much each recording moves them ----------------------------------------------------------------


def _auroc(subgroup: _Subgroup) -> tuple[float, Floats]:
    """Log-odds of the AUROC, and DeLong's placements about it."""
    y, p = subgroup.y, subgroup.p
    event = y == 1
    overall = rankdata(p)
    n_events, n_rest = int(event.sum()), int((~event).sum())
    part = np.empty_like(p)
    part[event] = (overall[event] - rankdata(p[event])) / n_rest
    part[~event] = 1 - (overall[~event] - rankdata(p[~event])) / n_events
    auroc = float(part[event].mean())
    if not 0 < auroc < 1:
        return float("nan"), part
    return float(logit(auroc)), (part - auroc) / np.where(event, n_events, n_rest) / (auroc * (1 - auroc))


def _intercept(subgroup: _Subgroup) -> tuple[float, Floats]:
    return _coefficient(subgroup, np.ones((len(subgroup.y), 1)), log_odds(subgroup.p))


def _slope(subgroup: _Subgroup) -> tuple[float, Floats]:
    return _coefficient(subgroup, np.column_stack([np.ones(len(subgroup.y)), log_odds(subgroup.p)]), None)


def _coefficient(subgroup: _Subgroup, design: Floats, offset: Floats | None) -> tuple[float, Floats]:
    """Last coefficient of a logistic regression, and each recording's score times the inverse information."""
    beta = fit_logistic(design, subgroup.y, offset=offset)
    if not np.isfinite(beta).all():
        return float("nan"), np.zeros_like(subgroup.y)
    mu = expit(design @ beta + (0.0 if offset is None else offset))
    information = np.einsum("ni,nj,n->ij", design, design, mu * (1 - mu))
    bread = np.linalg.pinv(information, hermitian=True)
    return float(beta[-1]), (design * (subgroup.y - mu)[:, None]) @ bread[:, -1]


_INFLUENCE = {"auroc": _auroc, "calibration_intercept": _intercept, "calibration_slope": _slope}
