"""What a block of predictors is learnt with, and how blocks learnt apart are weighed together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import logit

from twelvelead.cohort.split import assign_folds
from twelvelead.predict.penalised import Penalised, fit_penalised
from twelvelead.predict.risk_model import RiskClassifier
from twelvelead.terms import StudyError

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Blocks = Mapping[str, NDArray[np.intp]]
Present = tuple[str, ...]
Learned = Penalised | RiskClassifier

MOST_CERTAIN = 1e-9
"""Risks are kept so far from 0 and 1 before their log-odds are taken."""

SMALL_TREES: dict[str, Any] = {"elimination": 0, "rounds": 300, "colsample": 0.5, "min_child_weight": 2.0}
"""How the trees differ from `RiskClassifier`'s defaults: some tens of predictors need no elimination."""


@dataclass(frozen=True, eq=False)
class Development:
    """The recordings that a model may learn from.

    Parameters
    ----------
    X : ndarray of shape (n_recordings, n_features)
        NaN where missing.
    y : ndarray of shape (n_recordings,)
        1 event, 0 none.
    patients : tuple of str
        Patient of each recording.
    folds : ndarray of int, shape (n_recordings,)
        Fold of each recording's patient.
    """

    X: Floats
    y: NDArray[np.int8]
    patients: tuple[str, ...]
    folds: NDArray[np.int32]

    def rows(self, chosen: Rows) -> "Development":
        """Return some of the recordings."""
        patients = tuple(self.patients[i] for i in chosen)
        return Development(self.X[chosen], self.y[chosen], patients, self.folds[chosen])

    def dealt(self, seed: int) -> "Development":
        """Return the same with folds dealt anew, as many as are left, at least two."""
        n_folds = max(2, len(np.unique(self.folds)))
        return replace(self, folds=deal(self.y, self.patients, n_folds=n_folds, seed=seed))

    def having(self, blocks: Blocks, present: Present) -> "Development":
        """Return the recordings that have all of some blocks, and of them those blocks' columns.

        Raises
        ------
        StudyError
            If there are not both classes among them.
        """
        there = np.all([np.isfinite(self.X[:, blocks[name]]).any(axis=1) for name in present], axis=0)
        found = self.rows(np.flatnonzero(there))
        if len(np.unique(found.y)) < 2:
            msg = f"both classes must occur where {' and '.join(present)} are there; got {int(found.y.sum())} events "
            msg += f"in {len(found.y)} recordings. Leave the block out."
            raise StudyError(msg)
        return replace(found, X=found.X[:, columns_of(blocks, present)])


def columns_of(blocks: Blocks, present: Present) -> NDArray[np.intp]:
    """Return the columns of some blocks, in the blocks' order.

    Examples
    --------
    >>> columns_of({"a": np.array([0, 2]), "b": np.array([1])}, ("a", "b")).tolist()
    [0, 2, 1]
    """
    return np.concatenate([blocks[name] for name in present])


def subsets(names: Mapping[str, Any]) -> list[Present]:
    """List every set of blocks that a person may have, one block or more.

    Examples
    --------
    >>> subsets({"clinical": 0, "ecg": 1})
    [('clinical',), ('ecg',), ('clinical', 'ecg')]
    """
    return [chosen for n in range(1, len(names) + 1) for chosen in combinations(names, n)]


def deal(y: NDArray[np.int8], patients: tuple[str, ...], *, n_folds: int, seed: int) -> NDArray[np.int32]:
    """Deal the patients into folds, each with its share of events; shape (n_recordings,).

    Raises
    ------
    StudyError
        If there are fewer patients than folds.
    """
    row = [f"{i:012d}" for i in range(len(y))]
    table = pl.DataFrame({"recording_id": row, "patient_id": patients, "event": y, "none": 1 - y})
    out: NDArray[np.int32] = assign_folds(table, n_folds=n_folds, seed=seed)["fold"].to_numpy()
    return out


def learn(
    known: Development, blocks: Blocks, present: Present, *, learner: str, params: Mapping[str, Any], seed: int
) -> Learned:
    """Fit one model to the columns of some blocks, by the recordings that have them.

    Parameters
    ----------
    known : Development
        What to learn from.
    blocks : mapping of str to ndarray of int
        Columns of each block.
    present : tuple of str
        The blocks; in a logistic regression each has its own penalty.
    learner : {"logistic", "xgboost"}
        `fit_penalised` or `RiskClassifier`.
    params : mapping
        Arguments of `RiskClassifier` that differ from `SMALL_TREES`.
    seed : int
        Of the trees.
    """
    known = known.having(blocks, present)
    if learner == "logistic":
        return fit_penalised(known.X, known.y, folds=known.folds, sizes=[len(blocks[name]) for name in present])
    trees = RiskClassifier(**{**SMALL_TREES, **params, "random_state": seed})
    return trees.fit(known.X, known.y, groups=np.array(known.patients))


def margin_of(model: Learned, X: Floats) -> Floats:
    """Return the log-odds of the risk that a learnt model gives, shape (n_recordings,)."""
    return model.margin(X) if isinstance(model, Penalised) else log_odds(model.predict_proba(X)[:, 1])


def log_odds(p: Floats) -> Floats:
    """Return log-odds, finite for risks of 0 and 1, too."""
    out: Floats = logit(np.clip(p, MOST_CERTAIN, 1 - MOST_CERTAIN))
    return out


@dataclass(frozen=True, eq=False)
class Stack:
    """Blocks joined late: a model each, and a logistic regression on their log-odds.

    Parameters
    ----------
    bases : dict of str to model
        Of each block, fitted on every development recording that has it.
    joins : dict of tuple of str to Penalised
        For each set of blocks, how their log-odds are weighed.
    """

    bases: dict[str, Learned]
    joins: dict[Present, Penalised]

    def margin(self, X: Floats, blocks: Blocks, present: Present) -> Floats:
        """Return the log-odds of recordings that have these blocks, shape (n_recordings,)."""
        of_blocks = [margin_of(self.bases[name], X[:, blocks[name]]) for name in present]
        return self.joins[present].margin(np.column_stack(of_blocks))


def fit_stack(known: Development, blocks: Blocks, *, learner: str, params: Mapping[str, Any], seed: int) -> Stack:
    """Learn each block by itself, then how much each is worth beside the others.

    Parameters
    ----------
    known : Development
        What to learn from.
    blocks : mapping of str to ndarray of int
        Columns of each block.
    learner, params, seed
        As for `learn`.

    Notes
    -----
    The weights come from log-odds of patients left out: on its own development patients a model looks surer than it
    is, the more so the more columns it has.

    References
    ----------
    Wolpert DH. Stacked generalization. doi:10.1016/S0893-6080(05)80023-1
    """
    choices: dict[str, Any] = {"learner": learner, "params": params, "seed": seed}
    bases, left_out = {}, np.full((len(known.y), len(blocks)), np.nan)
    for j, name in enumerate(blocks):
        bases[name] = learn(known, blocks, (name,), **choices)
        for fold in np.unique(known.folds):
            inside, outside = np.flatnonzero(known.folds != fold), np.flatnonzero(known.folds == fold)
            outside = outside[np.isfinite(known.X[np.ix_(outside, blocks[name])]).any(axis=1)]
            if len(outside):
                model = learn(known.rows(inside).dealt(seed), blocks, (name,), **choices)
                left_out[outside, j] = margin_of(model, known.X[np.ix_(outside, blocks[name])])
    seen = replace(known, X=left_out)
    place = {name: np.array([j]) for j, name in enumerate(blocks)}
    joins = {}
    for present in subsets(blocks):
        chosen = seen.having(place, present)
        joins[present] = fit_penalised(chosen.X, chosen.y, folds=chosen.folds)
    return Stack(bases, joins)
