"""Which predictors to keep: recursive feature elimination as one nested pass."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xgboost as xgb
from sklearn.metrics import roc_auc_score

from twelvelead.predict.grow import Floats, Growth, Rows, grow, margin
from twelvelead.terms import StudyError

IMPORTANCES = ("gain", "total_gain")


@dataclass(frozen=True)
class Step:
    """The predictors that were left at one point of the elimination, and how well they did.

    Parameters
    ----------
    features : tuple of str
        Predictors kept, in the order of the table.
    auroc : float
        AUROC on the tuning recordings of a model that was trained on just these.
    """

    features: tuple[str, ...]
    auroc: float

    @property
    def n_features(self) -> int:
        """Number of predictors kept."""
        return len(self.features)


@dataclass(frozen=True)
class Elimination:
    """The whole elimination, most predictors first.

    Examples
    --------
    >>> Elimination((Step(("a", "b", "c"), 0.70), Step(("a", "b"), 0.72), Step(("a",), 0.72))).chosen.features
    ('a',)
    """

    steps: tuple[Step, ...]

    @property
    def chosen(self) -> Step:
        """The step with the highest tuning AUROC; of equals the one with fewest predictors."""
        return max(self.steps, key=lambda s: (s.auroc, -s.n_features))


def eliminate(
    train: Rows,
    tune: Rows,
    *,
    names: Sequence[str],
    growth: Growth,
    step: float,
    smallest: int,
    importance: str = "gain",
) -> Elimination:
    """Drop the least important predictors, again and again, and note how well the rest predict.

    Parameters
    ----------
    train, tune : (ndarray of shape (n_recordings, n_features), ndarray of shape (n_recordings,))
        Predictors and outcomes to train on, and to score each step on. No patient may be in both.
    names : sequence of str
        Names of the predictors, the columns of both tables.
    growth : Growth
        How the trees of every step are grown.
    step : float
        Predictors dropped at a time: an integer from 1, or a share of those left, in (0, 1).
    smallest : int
        Where to stop.
    importance : {"gain", "total_gain"}
        Mean fall of the loss per split on the predictor, or the sum over its splits.

    Returns
    -------
    Elimination
        One step per number of predictors tried.

    Raises
    ------
    StudyError
        If a choice can't be carried out.

    Notes
    -----
    Dropping one at a time and ranking by the same training recordings, the predictors left at size k don't depend on
    where the elimination is to stop. So one pass of p − k + 1 fits gives what a loop of `sklearn.feature_selection.RFE`
    over every final size k gives with one elimination per size: for 22 predictors down to 4, 19 fits instead of 189.
    Predictors of equal importance go in the order of their names, last first, so that the order of the table's
    columns does not matter to which of them stays.

    References
    ----------
    Guyon I et al. Gene selection for cancer classification using support vector machines. doi:10.1023/A:1012487302797
    """
    _check(names, step=step, smallest=smallest, importance=importance)
    kept = np.arange(len(names))
    steps = []
    while True:
        booster = grow((train[0][:, kept], train[1]), growth)
        score = float(roc_auc_score(tune[1], margin(booster, tune[0][:, kept])))
        steps.append(Step(tuple(names[int(i)] for i in kept), score))
        n_drop = min(_count(step, len(kept)), len(kept) - smallest)
        if n_drop <= 0:
            return Elimination(tuple(steps))
        gains = _gains(booster, len(kept), importance)
        by_name = np.argsort(np.argsort([names[int(i)] for i in kept]))
        worst_first = np.lexsort((-by_name, gains))
        kept = np.delete(kept, worst_first[:n_drop])


def _count(step: float, n_left: int) -> int:
    return max(1, int(step * n_left)) if step < 1 else int(step)


def _gains(booster: xgb.Booster, n_features: int, importance: str) -> Floats:
    gains = np.zeros(n_features)
    for name, gain in booster.get_score(importance_type=importance).items():
        gains[int(name.removeprefix("f"))] = gain
    return gains


def _check(names: Sequence[str], *, step: float, smallest: int, importance: str) -> None:
    if not (0 < step < 1 or (step >= 1 and step == int(step))):
        msg = f"step must be a share in (0, 1) or a whole number from 1; got {step}. Use 1 to drop one at a time."
        raise StudyError(msg)
    if smallest < 1:
        msg = f"smallest must be at least 1 predictor; got {smallest}. Use 1 or more."
        raise StudyError(msg)
    if importance not in IMPORTANCES:
        msg = f"importance must be one of {', '.join(IMPORTANCES)}; got {importance!r}. Choose one of them."
        raise StudyError(msg)
    if len(set(names)) != len(names) or not names:
        msg = f"names must be distinct, one per predictor; got {len(names)} of which {len(set(names))} differ. Rename."
        raise StudyError(msg)
