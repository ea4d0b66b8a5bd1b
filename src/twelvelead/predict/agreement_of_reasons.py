"""How firmly a model's reasons are ranked, and whether they are the same elsewhere."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from scipy.stats import kendalltau, rankdata

from twelvelead.predict.trees import Floats, Ints
from twelvelead.signal.kernel import kernel
from twelvelead.terms import InputError

LEVEL = 0.95


def reason_stability(
    shap: NDArray[np.floating],
    patients: ArrayLike,
    *,
    predictors: Sequence[str],
    top: int,
    n_resamples: int,
    seed: int,
) -> pl.DataFrame:
    """Say how firmly each predictor's rank is known: by mean |SHAP|, over resamples of the patients.

    Parameters
    ----------
    shap : ndarray, shape (n_recordings, n_used)
        Shapley values of a model, log-odds, as `shap_values` returns them.
    patients : array of shape (n_recordings,)
        The patient of each recording.
    predictors : sequence of str
        The columns of `shap`.
    top : int
        How many ranks count as being among the first.
    n_resamples : int
        Bootstrap resamples of patients, each with all their recordings.
    seed : int
        Of the resamples.

    Returns
    -------
    DataFrame with columns feature, mean_abs_shap, rank, rank_lower, rank_upper, top_share
        The strongest first. Rank 1 is the strongest, and equals share the mean of their ranks; the limits are the 2.5
        and 97.5 % quantiles over the resamples; `top_share` is the share of resamples with a rank up to `top`.

    Raises
    ------
    InputError
        If shapes don't fit, or a value is not finite.

    Notes
    -----
    The model is held fixed: what varies is who is explained. How the model itself would vary is seen by fitting it
    again, as the folds of a study do.

    Examples
    --------
    >>> shap = np.array([[0.5, -0.1], [-0.7, 0.2], [0.6, 0.1]])
    >>> table = reason_stability(shap, ["a", "b", "c"], predictors=["x", "y"], top=1, n_resamples=50, seed=0)
    >>> table["mean_abs_shap"].round(3).to_list(), table["rank_upper"].to_list(), table["top_share"].to_list()
    ([0.6, 0.133], [1.0, 2.0], [1.0, 0.0])
    """
    _check(shap, patients, predictors=predictors)
    mean, resampled = _means(shap, patients, n_resamples=n_resamples, rng=np.random.default_rng(seed))
    ranks = _rank(resampled)
    lower, upper = np.quantile(ranks, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    first = (ranks <= top) & (resampled > 0)
    return pl.DataFrame(
        {
            "feature": list(predictors),
            "mean_abs_shap": mean,
            "rank": _rank(mean[None])[0],
            "rank_lower": lower,
            "rank_upper": upper,
            "top_share": first.mean(axis=0),
        }
    ).sort("rank", "feature")


def rank_agreement(
    internal: tuple[NDArray[np.floating], ArrayLike],
    external: tuple[NDArray[np.floating], ArrayLike],
    *,
    predictors: Sequence[str],
    top: int,
    n_resamples: int,
    seed: int,
) -> pl.DataFrame:
    """Say how far one model's reasons have the same ranks in two sets of recordings.

    Parameters
    ----------
    internal, external : (ndarray of shape (n_recordings, n_used), array of shape (n_recordings,))
        Shapley values of the same model, and the patient of each recording.
    predictors : sequence of str
        The columns of both, two at least.
    top : int
        How many ranks count as being among the first.
    n_resamples : int
        Bootstrap resamples of the patients, drawn in either set by itself.
    seed : int
        Of the resamples.

    Returns
    -------
    DataFrame with columns measure, estimate, lower, upper
        `spearman` and `kendall` (tau-b) of the predictors' mean |SHAP|, −1 to 1, and `top_overlap`, the share of the
        `top` strongest that both sets have in common. Limits are 2.5 and 97.5 % quantiles over the resamples; null
        where a rank correlation is not defined, as all predictors are equally strong.

    Raises
    ------
    InputError
        If shapes don't fit, a value is not finite, or there is one predictor only.

    Notes
    -----
    A resample's ranks are noisier than those of the data, so the limits lie rather low.

    Examples
    --------
    >>> here, there = np.array([[0.5, 0.1, 0.2]]), np.array([[0.9, 0.3, 0.2]])
    >>> one = ["a"]
    >>> agreed = rank_agreement((here, one), (there, one), predictors=["x", "y", "z"], top=1, n_resamples=9, seed=0)
    >>> agreed["estimate"].round(3).to_list()
    [0.5, 0.333, 1.0]
    """
    for shap, patients in (internal, external):
        _check(shap, patients, predictors=predictors)
    if len(predictors) < 2:
        msg = f"ranks can agree for two predictors at least; got {len(predictors)}. Leave this model out."
        raise InputError(msg)
    rng = np.random.default_rng(seed)
    here, many_here = _means(*internal, n_resamples=n_resamples, rng=rng)
    there, many_there = _means(*external, n_resamples=n_resamples, rng=rng)
    estimate = _agree(here, there, top=top)
    drawn = np.array([_agree(a, b, top=top) for a, b in zip(many_here, many_there, strict=True)])
    limits = [_limits(column) for column in drawn.T]
    return pl.DataFrame(
        {
            "measure": ["spearman", "kendall", "top_overlap"],
            "estimate": estimate,
            "lower": [low for low, _ in limits],
            "upper": [high for _, high in limits],
        }
    ).with_columns(pl.col("estimate", "lower", "upper").fill_nan(None))


def _agree(a: Floats, b: Floats, *, top: int) -> list[float]:
    """Spearman's and Kendall's coefficients, NaN where one is constant, and the overlap of the strongest."""
    ranks = _rank(np.stack([a, b]))
    overlap = float(np.all((ranks <= top) & (np.stack([a, b]) > 0), axis=0).sum()) / min(top, len(a))
    if np.ptp(ranks, axis=1).min() == 0:
        return [np.nan, np.nan, overlap]
    apart = ranks - ranks.mean(axis=1, keepdims=True)
    spearman = np.sum(apart[0] * apart[1]) / np.sqrt(np.sum(apart[0] ** 2) * np.sum(apart[1] ** 2))
    return [float(spearman), float(kendalltau(ranks[0], ranks[1]).statistic), overlap]


def _limits(drawn: Floats) -> tuple[float, float]:
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return np.nan, np.nan
    lower, upper = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(lower), float(upper)


def _rank(strength: Floats) -> Floats:
    """Rank within each row, 1 the strongest; equals share the mean of their ranks."""
    out: Floats = rankdata(-strength, axis=1)
    return out


def _means(
    shap: NDArray[np.floating], patients: ArrayLike, *, n_resamples: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Mean |SHAP| of each predictor, and the same in each resample of the patients, shape (n_resamples, n_used)."""
    _, patient = np.unique(np.asarray(patients), return_inverse=True)
    recordings = np.bincount(patient)
    starts = np.cumsum(recordings) - recordings
    sums = np.empty((len(recordings), shap.shape[1]))
    for k, column in enumerate(np.abs(shap).T.astype(np.float64)):
        # Each patient's in rising order: the sum does not depend on the order of the rows.
        sums[:, k] = np.add.reduceat(column[np.lexsort((column, patient))], starts)
    out = np.empty((n_resamples, shap.shape[1]))
    for row in out:
        _average(sums, recordings, rng.integers(len(recordings), size=len(recordings)), row)
    mean = np.empty(shap.shape[1])
    _average(sums, recordings, np.arange(len(recordings)), mean)
    return mean, out


@kernel
def _average(sums: Floats, recordings: Ints, drawn: Ints, out: Floats) -> None:
    """Average patients' sums over the recordings of those drawn, into `out`."""
    out[:] = 0.0
    n = 0
    for patient in drawn:
        n += recordings[patient]
        for k in range(out.size):
            out[k] += sums[patient, k]
    out /= n


def _check(shap: NDArray[np.floating], patients: ArrayLike, *, predictors: Sequence[str]) -> None:
    shape, n = np.shape(shap), len(np.asarray(patients))
    if shape != (n, len(predictors)) or n == 0:
        msg = (
            f"shap must have a row per patient's recording and a column per predictor; got shape {shape} for {n} "
            f"recordings and {len(predictors)} predictors. Pass what shap_values returns."
        )
        raise InputError(msg)
    if not np.isfinite(shap).all():
        msg = "shap must be finite; got values that are not. Explain the recordings anew."
        raise InputError(msg)
