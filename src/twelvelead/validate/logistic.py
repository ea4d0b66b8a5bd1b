"""Logistic regression, many resamples at once, and how sure its coefficients are."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]

CLIP = 1e-8
"""Risks of exactly 0 or 1 have no log-odds; they are taken as this far from the end."""

MOST_STEPS = 40
"""Newton takes five or so; classes that separate never come to rest."""


def log_odds(p: Floats) -> Floats:
    """Return log(p / (1 − p)), with risks held `CLIP` away from 0 and 1."""
    out: Floats = logit(np.clip(p, CLIP, 1 - CLIP))
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


def logistic_covariance(
    design: Floats, beta: Floats, *, y: Floats, offset: Floats | None = None, unit: NDArray[np.intp] | None = None
) -> Floats:
    """Return the covariance of the coefficients of a fitted logistic regression.

    Parameters
    ----------
    design : ndarray of shape (n_recordings, k)
    beta : ndarray of shape (k,)
        The fit; see `fit_logistic`.
    y : ndarray of shape (n_recordings,)
    offset : ndarray of shape (n_recordings,) or None
        As it was fitted with.
    unit : ndarray of int, shape (n_recordings,), or None
        Number of each recording's patient, from 0. None: the inverse information, which takes recordings for
        independent and the model for true.

    Returns
    -------
    ndarray of shape (k, k)
        NaN where the fit is.

    Notes
    -----
    With patients it is the sandwich of the inverse information about the scores summed by patient, times
    G/(G − 1) for G patients.

    References
    ----------
    Liang KY, Zeger SL. Longitudinal data analysis using generalized linear models. doi:10.1093/biomet/73.1.13

    Examples
    --------
    Two of four have the event: the variance of the log-odds is 1/2 + 1/2.

    >>> y = np.array([0.0, 0.0, 1.0, 1.0])
    >>> logistic_covariance(np.ones((4, 1)), np.zeros(1), y=y).item()
    1.0
    """
    if np.isnan(beta).any():
        return np.full((len(beta), len(beta)), np.nan)
    mu: Floats = expit(design @ beta + (0.0 if offset is None else offset))
    information = design.T @ (design * (mu * (1 - mu))[:, None])
    bread = np.asarray(np.linalg.pinv(information, hermitian=True), dtype=np.float64)
    if unit is None:
        return bread
    score = design * (y - mu)[:, None]
    n_units = int(unit.max()) + 1
    by_patient = np.column_stack([np.bincount(unit, weights=column, minlength=n_units) for column in score.T])
    out: Floats = bread @ (by_patient.T @ by_patient) @ bread * n_units / max(n_units - 1, 1)
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
