"""An AUROC as it would be with another mix of patients, and what of a difference between two places that explains."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from twelvelead.signal.kernel import kernel
from twelvelead.validate.bootstrap import Bootstrap
from twelvelead.validate.discrimination import as_outcome_and_risk
from twelvelead.validate.resample import LEAST_PATIENTS, Counts, Interval, draw_counts, enough_patients, units
from twelvelead.validate.studentised import (
    TOO_FEW,
    UNSTABLE,
    auroc_interval,
    count_patients,
    studentised_auroc,
    studentised_difference,
    variance_of_difference,
)

Floats = NDArray[np.float64]

QUANTITIES = ("internal", "reweighted", "external", "case_mix", "rest")
"""Three AUROCs; reweighted less internal, which is what the mix of patients does; external less reweighted."""

TOO_THIN = "not estimable: fewer than 10 effective patients with, or without, the event look like those elsewhere"

STEP = 64
"""Resamples drawn at a time."""


@dataclass(frozen=True)
class Judged:
    """Recordings of one place with outcome and risk.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        1 event, 0 none; predicted risk.
    patients : array of shape (n_recordings,)
        Patient of each recording.
    """

    y: ArrayLike
    p: ArrayLike
    patients: ArrayLike


def part_difference(internal: Judged, weights: ArrayLike, external: Judged, *, bootstrap: Bootstrap) -> pl.DataFrame:
    """Part the difference between a model's AUROC in two places into the mix of patients and the rest.

    Parameters
    ----------
    internal : Judged
        Held-out recordings of the place where the model was developed.
    weights : array of shape (n_internal,)
        How many recordings of the other place each of them stands for, to any scale, 0 or more.
    external : Judged
        Recordings of the other place.
    bootstrap : Bootstrap
        Resamples of patients, in either place by itself.

    Returns
    -------
    DataFrame with columns quantity, estimate, lower, upper, n, n_patients, n_events, effective_n, note
        One row for each of `QUANTITIES`. `effective_n` is the number of equally weighted recordings that would tell as
        much as the weighted ones; null where nothing is weighted. Intervals are studentised as `auroc_interval`'s and
        hold the weights fixed.

    Raises
    ------
    StudyError
        If outcomes and risks don't fit each other.

    Notes
    -----
    If the outcome depends on the predictors in the same way in both places, and the weights are right, the reweighted
    AUROC and the external one estimate the same [1]_. What is left over may be another effect of a predictor, another
    way to measure or to code, or a difference in what was not measured.

    The variance of a weighted AUROC is that of the sum of its patients' influences, with the weights in the place of
    DeLong's counts.

    References
    ----------
    .. [1] Debray TPA et al. A new framework to enhance the interpretation of external validation studies of clinical
       prediction models. doi:10.1016/j.jclinepi.2014.06.018

    Examples
    --------
    With equal weights the mix of patients explains nothing.

    >>> here = Judged(np.arange(60) % 2, np.arange(60) % 7, np.arange(60))
    >>> there = Judged(np.arange(60) % 2, np.arange(60) % 2, np.arange(60))
    >>> found = part_difference(here, np.ones(60), there, bootstrap=Bootstrap(50, 0, 0.95))
    >>> [round(value, 4) for value in found["estimate"]]
    [0.51, 0.51, 1.0, 0.0, 0.49]
    """
    y, p = as_outcome_and_risk(internal.y, internal.p)
    unit, weight = units(internal.patients), np.asarray(weights, dtype=float)
    of_patients = [np.bincount(unit, weights=np.where(y == side, weight, 0.0)).astype(float) for side in (0, 1)]
    thin = min(map(_effective, of_patients)) < LEAST_PATIENTS
    if thin or not enough_patients(y, unit):
        note = TOO_THIN if enough_patients(y, unit) else TOO_FEW
        found: dict[str, dict[str, object]] = {name: {"note": note} for name in ("reweighted", "case_mix", "rest")}
    else:
        found = _reweight(_Here(y, p, unit, weight), external, bootstrap)
    size = {"n": len(y), "n_patients": int(unit.max()) + 1, "n_events": int(y.sum()), "effective_n": _effective(weight)}
    found = {name: row | size for name, row in found.items()}
    found |= {"internal": _plain(internal, bootstrap), "external": _plain(external, bootstrap)}
    schema: dict[str, type[pl.DataType]] = {
        "quantity": pl.String, "estimate": pl.Float64, "lower": pl.Float64, "upper": pl.Float64, "n": pl.Int64,
        "n_patients": pl.Int64, "n_events": pl.Int64, "effective_n": pl.Float64, "note": pl.String,
    }  # fmt: skip
    return pl.DataFrame([{"quantity": name} | found[name] for name in QUANTITIES], schema=schema)


class _Here(NamedTuple):
    """Held-out recordings of the place where the model was developed."""

    y: Floats
    p: Floats
    unit: NDArray[np.intp]
    weight: Floats


def _reweight(here: _Here, external: Judged, bootstrap: Bootstrap) -> dict[str, dict[str, object]]:
    """Return the rows that weights have a part in."""
    both = [np.ones(len(here.y)), here.weight]
    (auroc, covariance), few = _known(here.y, here.p, both, unit=here.unit), count_patients(here.y, here.unit)
    drawn, errors = _resampled(here.y, here.p, both, unit=here.unit, bootstrap=bootstrap)
    value, of = float(auroc[1]), (drawn[:, 1], np.sqrt(errors[:, 1, 1]))
    level = bootstrap.level
    limits = studentised_auroc((value, float(covariance[1, 1])), of, level=level, n_patients=few)
    change = float(auroc[1] - auroc[0]), variance_of_difference(covariance).item()
    changes = drawn[:, 1] - drawn[:, 0], np.sqrt(variance_of_difference(errors))
    return {
        "reweighted": _row(value, limits),
        "case_mix": _row(change[0], studentised_difference(change, changes, level=level, n_patients=few)),
        "rest": _rest((value, float(covariance[1, 1])), (drawn[:, 1], errors[:, 1, 1]), external, few, bootstrap),
    }


def _row(estimate: float, limits: Interval) -> dict[str, object]:
    note = UNSTABLE if limits.lower is None else None
    return {"estimate": estimate, "lower": limits.lower, "upper": limits.upper, "note": note}


def _plain(judged: Judged, bootstrap: Bootstrap) -> dict[str, object]:
    """Return a row for an AUROC without weights."""
    y, p = as_outcome_and_risk(judged.y, judged.p)
    found = auroc_interval(
        y, p, patients=judged.patients, level=bootstrap.level, n_resamples=bootstrap.n_resamples, seed=bootstrap.seed
    )
    row = {"estimate": found.estimate, "lower": found.lower, "upper": found.upper, "note": found.note}
    n_patients = len(np.unique(np.asarray(judged.patients)))
    return {**row, "n": len(y), "n_patients": n_patients, "n_events": int(y.sum())}


def _rest(
    reweighted: tuple[float, float],
    drawn: tuple[Floats, Floats],
    external: Judged,
    few: tuple[int, int],
    bootstrap: Bootstrap,
) -> dict[str, object]:
    """Return external less reweighted; the two places are resampled each for itself, from different seeds."""
    y, p = as_outcome_and_risk(external.y, external.p)
    unit = units(external.patients)
    if not enough_patients(y, unit):
        return {"note": TOO_FEW}
    auroc, covariance = _known(y, p, [np.ones(len(y))], unit=unit)
    own = replace(bootstrap, seed=bootstrap.seed + 1)
    there, errors = _resampled(y, p, [np.ones(len(y))], unit=unit, bootstrap=own)
    difference = float(auroc[0]) - reweighted[0], float(covariance[0, 0]) + reweighted[1]
    differences = there[:, 0] - drawn[0], np.sqrt(errors[:, 0, 0] + drawn[1])
    counts = count_patients(y, unit)
    fewest = min(few[0], counts[0]), min(few[1], counts[1])
    return _row(difference[0], studentised_difference(difference, differences, level=own.level, n_patients=fewest))


def _known(y: Floats, p: Floats, weightings: list[Floats], *, unit: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the AUROC by each weighting, shape (n_weightings,), and their covariance."""
    everybody = np.ones((int(unit.max()) + 1, 1), dtype=np.uint8)
    auroc, covariance = _weighted(_sort(y, p, weightings, unit=unit), everybody)
    return auroc[0], covariance[0]


def _resampled(
    y: Floats, p: Floats, weightings: list[Floats], *, unit: NDArray[np.intp], bootstrap: Bootstrap
) -> tuple[Floats, Floats]:
    """Return the same of each resample; NaN where one class is absent."""
    ranked, n_units = _sort(y, p, weightings, unit=unit), int(unit.max()) + 1
    parts = []
    for first in range(0, bootstrap.n_resamples, STEP):
        size = min(STEP, bootstrap.n_resamples - first)
        parts.append(_weighted(ranked, draw_counts(n_units, first=first, size=size, seed=bootstrap.seed)))
    return np.concatenate([auroc for auroc, _ in parts]), np.concatenate([covariance for _, covariance in parts])


class _Ranked(NamedTuple):
    """Recordings in ascending order of risk; `starts` of the groups of equal risks, and the end."""

    y: NDArray[np.bool_]
    unit: NDArray[np.intp]
    weights: Floats
    starts: NDArray[np.intp]
    sums: Floats


def _sort(y: Floats, p: Floats, weightings: list[Floats], *, unit: NDArray[np.intp]) -> _Ranked:
    """Sort by risk, then outcome, patient and weight: sums are then the same in whichever order the rows came."""
    order = np.lexsort((*weightings, unit, y, p))
    y, p, unit, weights = y[order], p[order], unit[order], np.stack(weightings)[:, order]
    starts = np.flatnonzero(np.concatenate([[True], p[1:] != p[:-1], [True]]))
    sums = [[np.bincount(unit, weights=weight * side) for side in (1 - y, y)] for weight in weights]
    return _Ranked(y > 0, unit, weights, starts, np.array(sums))


def _weighted(ranked: _Ranked, counts: Counts) -> tuple[Floats, Floats]:
    """Return AUROCs, shape (n_resamples, n_weightings), and their covariances, of patients drawn `counts` times."""
    n_resamples, (n_weightings, _, n_units) = counts.shape[1], ranked.sums.shape
    auroc = np.full((n_resamples, n_weightings), np.nan)
    covariance = np.full((n_resamples, n_weightings, n_weightings), np.nan)
    drawn = np.ascontiguousarray(counts.T)
    _walk(ranked, drawn, np.empty((n_weightings, n_units)), auroc, covariance)
    return auroc, covariance


@kernel
def _walk(ranked: _Ranked, counts: Counts, influence: Floats, auroc: Floats, covariance: Floats) -> None:
    """Fill in AUROC and covariance of each resample: one walk up the risks for each weighting."""
    n_units = counts.shape[1]
    for b in range(len(counts)):
        drawn = counts[b]
        for k in range(len(ranked.weights)):
            rest = np.sum(drawn * ranked.sums[k, 0])
            events = np.sum(drawn * ranked.sums[k, 1])
            if rest > 0 and events > 0:
                _place(ranked, drawn, k, (rest, events), influence[k])
                auroc[b, k] = np.sum(drawn * influence[k]) / 2
                own = ranked.sums[k, 0] / rest + ranked.sums[k, 1] / events
                influence[k] -= auroc[b, k] * own
        for i in range(len(influence)):
            for j in range(len(influence)):
                if not np.isnan(auroc[b, i] + auroc[b, j]):
                    products = np.sum(drawn * influence[i] * influence[j])
                    covariance[b, i, j] = products * n_units / (n_units - 1)


@kernel
def _place(ranked: _Ranked, drawn: Counts, k: int, sizes: tuple[float, float], out: Floats) -> None:
    """Sum, for each patient once, the weighted shares of recordings of the other outcome that are ranked right."""
    weights, y, unit = ranked.weights[k], ranked.y, ranked.unit
    out[:] = 0.0
    rest_below, events_below = 0.0, 0.0
    for g in range(len(ranked.starts) - 1):
        rest, events = 0.0, 0.0
        for i in range(ranked.starts[g], ranked.starts[g + 1]):
            if y[i]:
                events += drawn[unit[i]] * weights[i]
            else:
                rest += drawn[unit[i]] * weights[i]
        below = (rest_below + rest / 2) / sizes[0] / sizes[1]
        above = (sizes[1] - events_below - events / 2) / sizes[1] / sizes[0]
        for i in range(ranked.starts[g], ranked.starts[g + 1]):
            out[unit[i]] += weights[i] * (below if y[i] else above)
        rest_below += rest
        events_below += events


def _effective(weights: Floats) -> float:
    """Return how many equally weighted recordings tell as much as these (Kish)."""
    squares = float(np.sum(weights**2))
    return float(np.sum(weights)) ** 2 / squares if squares > 0 else 0.0
