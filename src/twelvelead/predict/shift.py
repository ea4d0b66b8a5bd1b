"""Whether the recordings of another database look like those that a model was developed on."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from twelvelead.predict.grow import Growth, grow, margin
from twelvelead.terms import StudyError

Floats = NDArray[np.float64]

GROWTH = Growth(rounds=100, learning_rate=0.1, max_depth=3, subsample=0.7)
N_FOLDS = 3
HEAVIEST = 20.0
"""No recording counts for more than this many: a few would otherwise decide everything."""


def tell_apart(
    here: Floats,
    there: Floats,
    *,
    patients_here: Sequence[object] | NDArray[np.object_],
    patients_there: Sequence[object] | NDArray[np.object_],
    seed: int,
) -> tuple[Floats, Floats]:
    """Say how much each recording looks like one of the other database, by a model that has not seen its patient.

    Parameters
    ----------
    here, there : ndarray of shape (n_here, n_features), (n_there, n_features)
        The same predictors in the development database and in the other; NaN where missing.
    patients_here, patients_there : sequence of length n_here, n_there
        The patient of each recording.
    seed : int
        Which patients are in which fold.

    Returns
    -------
    ndarray of shape (n_here,), ndarray of shape (n_there,)
        Chance of being from the other database, as if both were equally large. An AUROC of these chances near 0.5 says
        that the two are alike in what the model sees; near 1, that external validation is about another population.

    Raises
    ------
    StudyError
        If the two tables have different columns, or a database has fewer patients than there are folds.

    References
    ----------
    Debray TPA et al. A new framework to enhance the interpretation of external validation studies of clinical
    prediction models. doi:10.1016/j.jclinepi.2014.06.018

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 2))
    >>> alike, _ = tell_apart(X[:200], X[200:] + [9, 0], patients_here=range(200), patients_there=range(200), seed=0)
    >>> bool(alike.max() < 0.5)
    True
    """
    if here.shape[1:] != there.shape[1:]:
        msg = f"both databases must have the same predictors; got {here.shape[1]} and {there.shape[1]}. Select them."
        raise StudyError(msg)
    X = np.concatenate([here, there])
    other = np.repeat(np.array([0, 1], dtype=np.int8), [len(here), len(there)])
    rng = np.random.default_rng(seed)
    folds = np.concatenate([_deal(ids, rng) for ids in (patients_here, patients_there)])
    odds = np.empty(len(X))
    for fold in range(N_FOLDS):
        seen = folds != fold
        booster = grow((X[seen], other[seen]), GROWTH)
        # The model knows how many recordings there are of each; taken away, both count alike.
        odds[~seen] = margin(booster, X[~seen]) - np.log(np.mean(other[seen]) / np.mean(1 - other[seen]))
    chance = expit(odds)
    return chance[: len(here)], chance[len(here) :]


def weigh_like(chance: Floats) -> Floats:
    """Return weights by which recordings from here stand in for those of the other database.

    Parameters
    ----------
    chance : ndarray of shape (n_here,)
        Of being from the other database, as `tell_apart` gives it.

    Returns
    -------
    ndarray of shape (n_here,)
        Odds of the chance, at most `HEAVIEST` times their mean, with mean 1. A figure so weighted is what the model
        would reach there if nothing but the mix of patients differed.

    References
    ----------
    Shimodaira H. Improving predictive inference under covariate shift by weighting the log-likelihood function.
    doi:10.1016/S0378-3758(00)00115-4

    Examples
    --------
    >>> weigh_like(np.array([0.5, 0.75, 0.5])).tolist()
    [0.6, 1.8, 0.6]
    """
    odds = chance / np.maximum(1 - chance, 1e-12)
    weights = np.minimum(odds, HEAVIEST * np.mean(odds))
    out: Floats = np.round(weights / np.mean(weights), 12)
    return out


def effective_number(weights: Floats) -> float:
    """Return how many equally weighted recordings tell as much as these.

    References
    ----------
    Kish L. Survey Sampling. Wiley, 1965.

    Examples
    --------
    >>> effective_number(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    return float(np.sum(weights) ** 2 / np.sum(weights**2))


def _deal(ids: Sequence[object] | NDArray[np.object_], rng: np.random.Generator) -> NDArray[np.intp]:
    """Deal the patients into folds, shape (n_recordings,)."""
    people, person = np.unique(np.asarray(ids), return_inverse=True)
    if len(people) < N_FOLDS:
        msg = f"each database must have at least {N_FOLDS} patients; got {len(people)}. Use more."
        raise StudyError(msg)
    fold = rng.permutation(len(people)) % N_FOLDS
    return fold[person]
