"""How trees are grown: the one place that calls XGBoost to train."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Table = NDArray[np.floating[Any]]
"""Predictors, NaN where missing. XGBoost works in float32, so that either gives the same trees."""


class Rows(NamedTuple):
    """Recordings to train on, or to judge by.

    Parameters
    ----------
    X : ndarray of shape (n_recordings, n_features)
        Predictors.
    y : ndarray of shape (n_recordings,)
        1 event, 0 none.
    patients : ndarray of int, shape (n_recordings,), or None
        The patient of each. None: every recording is a patient of its own.
    weights : ndarray of shape (n_recordings,) or None
        How many recordings each stands for. None: itself.
    edges : ndarray of float32, shape (n_edges, n_features), or None
        Where the bins of each predictor begin, NaN below the last: see `Bins`. None: found anew from `X`.
    """

    X: Table
    y: NDArray[np.int8]
    patients: NDArray[np.intp] | None = None
    weights: Floats | None = None
    edges: NDArray[np.float32] | None = None

    def take(self, rows: NDArray[Any]) -> "Rows":
        """Return some of the recordings, by position or by a mask."""
        parts = {name: getattr(self, name) for name in ("X", "y", "patients", "weights")}
        return self._replace(**{name: part[rows] for name, part in parts.items() if part is not None})

    def select(self, columns: NDArray[np.intp]) -> "Rows":
        """Return the same recordings with some of the predictors."""
        edges = None if self.edges is None else np.ascontiguousarray(self.edges[:, columns])
        return self._replace(X=np.ascontiguousarray(self.X[:, columns]), edges=edges)

    def count_patients(self) -> tuple[int, int]:
        """Return the numbers of patients who have a recording with the event, and without."""
        ids = np.arange(len(self.y)) if self.patients is None else self.patients
        return len(np.unique(ids[self.y == 1])), len(np.unique(ids[self.y == 0]))

    def matrix(self) -> xgb.DMatrix:
        """Return XGBoost's form of it."""
        if self.edges is None:
            return matrix(self.X, self.y, weights=self.weights)
        # A few hundred rows that hold just the edges have them as their quantiles.
        bins = xgb.QuantileDMatrix(self.edges, missing=np.nan, nthread=1)
        return xgb.QuantileDMatrix(self.X, self.y, weight=self.weights, missing=np.nan, nthread=1, ref=bins)


Given = Rows | tuple[Table, NDArray[np.int8]]
"""`Rows`, or predictors and outcomes alone."""


LEAST_COLUMNS = 10
"""Predictors that each tree sees at least, where there are so many."""


@dataclass(frozen=True)
class Growth:
    """How many trees are grown, how deep, and how strongly each is held back.

    Parameters
    ----------
    rounds : int
        Number of rounds; with early stopping, the most that are tried.
    learning_rate : float
        Share of each tree's correction that is kept.
    max_depth : int
        Questions asked in a row; 1 gives stumps, which make an additive model.
    subsample, colsample : float
        Share of the recordings and of the predictors that each tree sees; never fewer than `LEAST_COLUMNS` predictors,
        or a model of age and sex would never see both at once.
    min_child_weight : float
        Least sum of p(1 − p) in a leaf; 1 is about 4 recordings at p = 0.5.
    reg_lambda : float
        L2 penalty on leaf values.
    trees_per_round : int
        Trees grown side by side in a round. Above 1 a round is a small random forest [1]_: its trees see all
        predictors, but each question chooses among √n of them.
    seed : int
        Which recordings and predictors each tree sees.

    References
    ----------
    .. [1] Breiman L. Random forests. doi:10.1023/A:1010933404324

    Examples
    --------
    >>> Growth(rounds=100, colsample=0.3).params(20)["colsample_bytree"]
    0.5
    """

    rounds: int
    learning_rate: float = 0.3
    max_depth: int = 6
    subsample: float = 1.0
    colsample: float = 1.0
    min_child_weight: float = 1.0
    reg_lambda: float = 1.0
    trees_per_round: int = 1
    seed: int = 0

    @property
    def sees_everything(self) -> bool:
        """Whether every tree sees all recordings and predictors, so that no chance is in it."""
        return self.subsample == self.colsample == 1 and self.trees_per_round == 1

    def params(self, n_features: int) -> dict[str, Any]:
        """Return XGBoost's own names for these choices, for a table of `n_features` predictors."""
        forest = self.trees_per_round > 1
        return {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
            "tree_method": "hist",
            # One thread: members and targets are the parallel units, and the bytes can't depend on the machine.
            "nthread": 1,
            "learning_rate": self.learning_rate,
            "max_depth": self.max_depth,
            "subsample": self.subsample,
            "colsample_bytree": 1.0 if forest else min(1.0, max(self.colsample, LEAST_COLUMNS / n_features)),
            "colsample_bynode": n_features**-0.5 if forest else 1.0,
            "num_parallel_tree": self.trees_per_round,
            "min_child_weight": self.min_child_weight,
            "reg_lambda": self.reg_lambda,
            "seed": self.seed,
        }


def grow(train: Given, growth: Growth, *, tune: Given | None = None, patience: int = 0) -> xgb.Booster:
    """Grow trees on the training recordings, and stop once they no longer help the tuning recordings.

    Parameters
    ----------
    train : Rows, or (predictors, outcomes)
        Recordings to train on.
    growth : Growth
        How the trees are grown.
    tune : Rows, or (predictors, outcomes), or None
        Recordings on which the log loss is watched; None grows all `growth.rounds` rounds.
    patience : int
        Rounds without a lower log loss after which growing stops. The trees after the best round are cut off.

    Returns
    -------
    Booster
        Its margin is log-odds.
    """
    rows = Rows(*train).matrix()
    params = growth.params(train[0].shape[1])
    if tune is None:
        return xgb.train(params, rows, num_boost_round=growth.rounds)
    watched = Rows(*tune)
    stop = xgb.callback.EarlyStopping(rounds=patience, save_best=True)
    return xgb.train(
        params,
        rows,
        num_boost_round=growth.rounds,
        evals=[(matrix(watched.X, watched.y, weights=watched.weights), "tune")],
        callbacks=[stop],
        verbose_eval=False,
    )


def margin(booster: xgb.Booster, X: Table) -> Floats:
    """Return the booster's log-odds for each recording, shape (n_recordings,)."""
    out: Floats = booster.predict(matrix(X), output_margin=True).astype(np.float64)
    return out


def matrix(X: Table, y: NDArray[np.int8] | None = None, *, weights: Floats | None = None) -> xgb.DMatrix:
    """Return XGBoost's form of the predictors; NaN is missing, and is sent the way that training found best."""
    return xgb.DMatrix(X, label=y, weight=weights, missing=np.nan, nthread=1)
