"""Whether a risk of 20 % means that 20 in 100 have the event."""

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri

from twelvelead.terms import StudyError
from twelvelead.validate.discrimination import as_outcome_and_risk

Floats = NDArray[np.float64]

CLIP = 1e-8
"""Risks of exactly 0 or 1 have no log-odds; they are taken as this far from the end."""

MOST_STEPS = 40
"""Newton takes five or so; classes that separate never come to rest."""

KNOT_QUANTILES = (0.05, 0.275, 0.5, 0.725, 0.95)
"""Where Harrell sets the knots of a five-knot restricted cubic spline."""


def brier(y: ArrayLike, p: ArrayLike) -> float:
    """Return the mean squared difference of risk and outcome; 0 is perfect.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcomes, 0 or 1, and predicted risks.

    References
    ----------
    Brier GW. Verification of forecasts expressed in terms of probability.
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2

    Examples
    --------
    >>> round(brier([1, 0], [0.8, 0.4]), 6)
    0.1
    """
    y, p = as_outcome_and_risk(y, p)
    return float(np.mean((y - p) ** 2))


def scaled_brier(y: ArrayLike, p: ArrayLike) -> float:
    """Return how much of the Brier score of the bare prevalence the risks take away; 1 is perfect, 0 useless.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcomes, 0 or 1, and predicted risks.

    Examples
    --------
    >>> scaled_brier([1, 0], [0.5, 0.5])
    0.0
    """
    y, p = as_outcome_and_risk(y, p)
    prevalence = float(np.mean(y))
    worst = prevalence * (1 - prevalence)
    return 1 - brier(y, p) / worst if worst else float("nan")


def oe_ratio(y: ArrayLike, p: ArrayLike) -> float:
    """Return observed events per expected event; above 1 the risks are too low.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcomes, 0 or 1, and predicted risks.

    Examples
    --------
    >>> oe_ratio([1, 0, 1, 0], [0.25, 0.25, 0.25, 0.25])
    2.0
    """
    y, p = as_outcome_and_risk(y, p)
    return float(np.sum(y) / np.sum(p)) if np.sum(p) else float("nan")


def calibration_intercept(y: ArrayLike, p: ArrayLike) -> float:
    """Return calibration-in-the-large: by how much log-odds the risks are too low on the whole; 0 is perfect.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.

    Returns
    -------
    float
        Intercept of a logistic regression of the outcome with the risk's log-odds as offset, that is with slope 1. NaN
        where one class is absent.

    References
    ----------
    Van Calster B et al. Calibration: the Achilles heel of predictive analytics. doi:10.1186/s12916-019-1466-7

    Examples
    --------
    Half have the event, all were given 20 %: log-odds 0 against log(1/4).

    >>> round(calibration_intercept([1, 0], [0.2, 0.2]), 6)
    1.386294
    """
    y, p = as_outcome_and_risk(y, p)
    lp = log_odds(p)
    return float(fit_logistic(np.ones((len(y), 1)), y, offset=lp)[0])


def calibration_slope(y: ArrayLike, p: ArrayLike) -> float:
    """Return how far the risks' spread is right: below 1 they are too extreme, above 1 too timid.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.

    Returns
    -------
    float
        Slope of a logistic regression of the outcome on the risk's log-odds, with free intercept. NaN where it has no
        finite value: one class only, one risk only, or risks that separate the outcomes.

    References
    ----------
    Cox DR. Two further applications of a model for binary regression. doi:10.1093/biomet/45.3-4.562

    Examples
    --------
    Given 0.2 and 0.8, a third and two thirds have the event: log 4 per log 16 of log-odds.

    >>> round(calibration_slope([1, 0, 0, 1, 1, 0], [0.2, 0.2, 0.2, 0.8, 0.8, 0.8]), 6)
    0.5
    """
    y, p = as_outcome_and_risk(y, p)
    design = np.column_stack([np.ones(len(y)), log_odds(p)])
    return float(fit_logistic(design, y)[1])


def ici(y: ArrayLike, p: ArrayLike) -> float:
    """Return the integrated calibration index: how far, on average, a risk is from the share that has the event.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.

    Returns
    -------
    float
        Mean |risk − smoothed share|. NaN where the smooth curve can't be fitted: one class only, or too few
        different risks.

    Notes
    -----
    The smoother is a logistic regression on a restricted cubic spline of the risk's log-odds with five knots at the
    5th, 27.5th, 50th, 72.5th and 95th percentile. The index depends on the smoother, so name it: on one and the same
    data lowess gives .044, loess .051 and this spline .054. Being a mean of absolute values it is above 0
    even for perfect risks, the more so the fewer the recordings.

    References
    ----------
    Austin PC, Steyerberg EW. The Integrated Calibration Index (ICI). doi:10.1002/sim.8281
    """
    y, p = as_outcome_and_risk(y, p)
    smooth = _smooth(y, p, at=p)
    return float(np.mean(np.abs(smooth - p))) if smooth is not None else float("nan")


def calibration_curve(
    y: ArrayLike, p: ArrayLike, *, n_bins: int = 10, patients: ArrayLike | None = None, level: float = 0.95
) -> pl.DataFrame:
    """Return the share that has the event by tenths of risk, and the smoothed share beside it.

    Parameters
    ----------
    y, p : array of shape (n_recordings,)
        Outcome (1 event, 0 none) and predicted risk.
    n_bins : int
        Number of groups with about equally many recordings. Equal risks are never parted.
    patients : array of shape (n_recordings,) or None
        The patient of each recording. None: every recording is a patient of its own.
    level : float
        Confidence level of the limits.

    Returns
    -------
    DataFrame with columns n, n_events, predicted, observed, lower, upper, smoothed
        One row per group, by rising risk: recordings, events, mean risk, share with the event and its limits, and the
        smoothed share at the mean risk (the spline of `ici`; null where it can't be fitted).

    Notes
    -----
    The limits are Wilson's [1]_, of as many independent recordings as tell the same: n over the design effect, the
    variance of the share between patients over that of independent recordings [2]_, and no less than 1.

    References
    ----------
    .. [1] Wilson EB. Probable inference, the law of succession, and statistical inference.
       doi:10.1080/01621459.1927.10502953
    .. [2] Kish L. Survey Sampling. Wiley, 1965.

    Examples
    --------
    >>> calibration_curve([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9], n_bins=2)["observed"].to_list()
    [0.0, 1.0]
    """
    y, p = as_outcome_and_risk(y, p)
    group = bins(p, n_bins)
    patient = np.arange(len(y)) if patients is None else np.unique(np.asarray(patients), return_inverse=True)[1]
    rows = pl.DataFrame({"group": group, "patient": patient, "y": y, "p": p})
    table = (
        rows.group_by("group")
        .agg(
            n=pl.len().cast(pl.Int64),
            n_events=pl.col("y").sum().cast(pl.Int64),
            predicted=pl.col("p").mean(),
            observed=pl.col("y").mean(),
        )
        .join(_design_effect(rows), on="group", validate="1:1")
        .sort("group")
    )
    lower, upper = _wilson(table["observed"].to_numpy(), (table["n"] / table["design_effect"]).to_numpy(), level=level)
    table = table.with_columns(lower=lower, upper=upper).drop("group", "design_effect")
    smooth = _smooth(y, p, at=table["predicted"].to_numpy())
    return table.with_columns(
        smoothed=pl.Series(smooth if smooth is not None else [None] * table.height, dtype=pl.Float64)
    )


def _design_effect(rows: pl.DataFrame) -> pl.DataFrame:
    """Give each group's variance of the share between patients, over that of independent recordings; at least 1."""
    residual = rows.with_columns(r=pl.col("y") - pl.col("y").mean().over("group"))
    of_patient = residual.group_by("group", "patient").agg(pl.col("r").sum())
    n = pl.len().cast(pl.Float64)
    sum_of_squares = (pl.col("r") ** 2).sum() * n / pl.max_horizontal(n - 1, 1.0)
    squares = of_patient.group_by("group").agg(between=sum_of_squares)
    independent = residual.group_by("group").agg(within=sum_of_squares)
    ratio = pl.when(pl.col("within") > 0).then(pl.col("between") / pl.col("within")).otherwise(1.0)
    both = squares.join(independent, on="group", validate="1:1")
    return both.select("group", design_effect=pl.max_horizontal(ratio, 1.0))


def _wilson(share: Floats, n: Floats, *, level: float) -> tuple[Floats, Floats]:
    """Return Wilson's limits of a share among `n` independent recordings."""
    z = float(ndtri((1 + level) / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return middle - half, middle + half


def bins(p: Floats, n_bins: int) -> NDArray[np.intp]:
    """Return the number of each recording's quantile group, shape (n_recordings,); equal risks share a group."""
    if n_bins < 1:
        msg = f"n_bins must be at least 1; got {n_bins}. Use 10."
        raise StudyError(msg)
    edges = np.unique(np.quantile(p, np.arange(1, n_bins) / n_bins))
    return np.searchsorted(edges, p, side="left")


def log_odds(p: Floats) -> Floats:
    """Return log(p / (1 − p)), with risks held `CLIP` away from 0 and 1."""
    out: Floats = logit(np.clip(p, CLIP, 1 - CLIP))
    return out


def spline(x: Floats, knots: Floats) -> Floats:
    """Return the restricted cubic spline basis: 1, x, and a cubic per knot but two, straight beyond the outer knots.

    Parameters
    ----------
    x : ndarray of shape (n,)
    knots : ndarray of shape (n_knots,)
        Ascending.

    Returns
    -------
    ndarray of shape (n, n_knots)

    References
    ----------
    Harrell FE. Regression Modeling Strategies, 2.4.5. doi:10.1007/978-3-319-19425-7
    """
    last, before = knots[-1], knots[-2]

    def cube(knot: float) -> Floats:
        out: Floats = np.maximum(x - knot, 0.0) ** 3
        return out

    columns = [np.ones_like(x), x]
    for knot in knots[:-2]:
        tail = (cube(before) * (last - knot) - cube(last) * (before - knot)) / (last - before)
        columns.append((cube(knot) - tail) / (last - knots[0]) ** 2)
    return np.column_stack(columns)


def spline_design(p: Floats, at: Floats) -> Floats | None:
    """Return the spline basis at risks `at`, knots from the risks `p`; None where the knots coincide."""
    lp = log_odds(p)
    knots = np.quantile(lp, KNOT_QUANTILES)
    if np.diff(knots).min() < 1e-6:
        return None
    return spline(log_odds(at), knots)


def _smooth(y: Floats, p: Floats, *, at: Floats) -> Floats | None:
    design = spline_design(p, p)
    if design is None:
        return None
    beta = fit_logistic(design, y)
    grid = spline_design(p, at)
    if grid is None or np.isnan(beta).any():
        return None
    out: Floats = expit(grid @ beta)
    return out


def fit_logistic(design: Floats, y: Floats, *, offset: Floats | None = None) -> Floats:
    """Return the coefficients of one logistic regression, shape (k,); see `weighted_logistic`."""
    out: Floats = weighted_logistic(design, events=y[None], weights=np.ones((1, len(y))), offset=offset)[0]
    return out


def weighted_logistic(
    design: Floats, *, events: Floats, weights: Floats, offset: Floats | None = None, start: Floats | None = None
) -> Floats:
    """Fit one logistic regression per resample, all at once, by Newton's method.

    Parameters
    ----------
    design : ndarray of shape (n_rows, k)
        Predictors, the first column ones. A row is a recording, or a group of recordings alike.
    events, weights : ndarray of shape (n_resamples, n_rows)
        How many recordings with the event, and how many in all, each resample has in each row.
    offset : ndarray of shape (n_rows,) or None
        Log-odds to add with coefficient 1.
    start : ndarray of shape (k,) or None
        Where Newton starts; the fit to all recordings saves steps.

    Returns
    -------
    ndarray of shape (n_resamples, k)
        Coefficients; NaN where `MOST_STEPS` steps don't bring them to rest, as when a class is absent or the classes
        separate.
    """
    k = design.shape[1]
    base = np.zeros(len(design)) if offset is None else offset
    beta = np.tile(np.zeros(k) if start is None else np.nan_to_num(start), (len(weights), 1))
    upper = np.triu_indices(k)
    products = design[:, upper[0]] * design[:, upper[1]]
    target = events @ design
    reach = np.sqrt(np.mean(design**2, axis=0))
    out = np.full_like(beta, np.nan)
    left = np.arange(len(weights))
    for _ in range(MOST_STEPS):
        mu = _sigmoid(beta[left] @ design.T + base)
        w = weights if len(left) == len(weights) else weights[left]
        mean = w * mu
        gradient = target[left] - mean @ design
        mean *= 1 - mu
        information = np.zeros((len(left), k, k))
        information[:, upper[0], upper[1]] = mean @ products
        information[:, upper[1], upper[0]] = information[:, upper[0], upper[1]]
        step = _solve(information, gradient)
        # From far away a Newton step overshoots: none may move the log-odds of a typical recording by more than 2.
        size = np.max(np.abs(step) * reach, axis=1, keepdims=True)
        step *= np.minimum(1.0, 2.0 / np.maximum(size, 1e-300))
        beta[left] += step
        # Newton squares the error at each step: one of 1e-6 leaves some 1e-12.
        done = np.max(np.abs(step), axis=1) < 1e-6 * (1 + np.max(np.abs(beta[left]), axis=1))
        out[left[done]] = beta[left[done]]
        lost = ~np.isfinite(step).all(axis=1) | (np.max(np.abs(beta[left]), axis=1) > 1e6)
        left = left[~(done | lost)]
        if not len(left):
            break
    return out


def _sigmoid(eta: Floats) -> Floats:
    """Return expit in place, several times faster than `scipy.special.expit`; exp overflows to inf, which gives 0."""
    np.negative(eta, out=eta)
    with np.errstate(over="ignore"):
        np.exp(eta, out=eta)
    eta += 1
    out: Floats = np.reciprocal(eta, out=eta)
    return out


def _solve(information: Floats, gradient: Floats) -> Floats:
    """Newton steps; NaN where the information is singular."""
    scale = np.sqrt(np.maximum(np.einsum("bii->bi", information), 1e-300))
    scaled = information / scale[:, :, None] / scale[:, None, :]
    regular = np.linalg.cond(scaled) < 1e14
    step = np.full_like(gradient, np.nan)
    if regular.any():
        solved = np.linalg.solve(scaled[regular], (gradient / scale)[regular][..., None])[..., 0]
        step[regular] = solved / scale[regular]
    return step
