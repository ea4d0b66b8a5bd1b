"""Blocks of predictors, such as the ECG's and the clinic's, brought together early, late or in between."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_array, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from twelvelead.predict.fuse_learners import (
    Development,
    columns_of,
    deal,
    fit_stack,
    learn,
    log_odds,
    margin_of,
    subsets,
)
from twelvelead.predict.fuse_network import Training, fit_network
from twelvelead.predict.log_odds_classifier import LogOddsClassifier
from twelvelead.terms import StudyError

Floats = NDArray[np.float64]

FUSIONS = ("early", "intermediate", "late")
LEARNERS = ("logistic", "xgboost")


class FusionClassifier(LogOddsClassifier):
    """Predict a risk from several blocks of predictors, any of which a person may lack.

    Parameters
    ----------
    blocks : mapping of str to sequence of (str or int), or None
        The blocks' columns, by name or position: `{"clinical": ["age_years", …], "ecg": […]}`. None: all columns are
        one block. With one block every fusion is a model of that block alone, to compare the others with.
    fusion : {"early", "intermediate", "late"}
        "early": the blocks' columns side by side go into one model. "late": each block has its model, and a logistic
        regression weighs their log-odds, which it learnt from patients that those models had not seen. "intermediate":
        a network with a branch per block, see `fuse_network`; needs the extra `torch`.
    learner : {"logistic", "xgboost"}
        `fit_penalised` or `RiskClassifier`; "intermediate" has its own and does not look at this.
    learner_params : mapping or None
        Arguments for `RiskClassifier` or `fit_network` that differ from those taken here.
    n_folds : int
        Folds of patients, at least 2: for the penalty, for the log-odds that late fusion learns from, and for the
        network's members.
    random_state : int
        Seed of folds, trees and weights.

    Attributes
    ----------
    blocks_ : dict of str to ndarray of int
        Columns of each block.
    early_ : dict of tuple of str to model
        A model per set of blocks, if the fusion is "early".
    late_ : Stack
    network_ : Network
    prior_ : float
        Share of development recordings with the event: the risk of whom nothing is known.
    classes_, n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Notes
    -----
    A block is missing where all its columns are. Such a person's risk comes from a model that was fitted without the
    block, not from one that is told the block's mean: the weights of the other block were learnt beside it, and leave
    out what both of them know. In the network, whole blocks are dropped during training instead.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(400, 3))
    >>> y = (rng.normal(size=400) < X[:, 0] + X[:, 2] - 1).astype(int)
    >>> model = FusionClassifier(blocks={"clinical": [0, 1], "ecg": [2]}).fit(X, y)
    >>> both, without_ecg = model.predict_proba([[1, 0, 2], [1, 0, np.nan]])[:, 1]
    >>> bool(both > without_ecg > y.mean())
    True
    """

    def __init__(
        self,
        *,
        blocks: Mapping[str, Sequence[str | int]] | None = None,
        fusion: str = "early",
        learner: str = "logistic",
        learner_params: Mapping[str, Any] | None = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.blocks = blocks
        self.fusion = fusion
        self.learner = learner
        self.learner_params = learner_params
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit the models that the fusion needs.

        Parameters
        ----------
        X : array or DataFrame of shape (n_recordings, n_features)
            NaN or null where missing.
        y : array of shape (n_recordings,)
            Outcome, two classes; the one that sorts last is the event.
        groups : array of shape (n_recordings,) or None
            The patient of each recording; None: every recording is a patient of its own.

        Returns
        -------
        FusionClassifier
            The model itself.

        Raises
        ------
        StudyError
            If there is one class only, a block names a column that is not there, or a choice is unknown.
        MissingExtra
            If the fusion is "intermediate" and torch is not installed.
        """
        checked = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
        table: Floats = checked[0]
        self._check_choices()
        self.classes_, event = _classes(checked[1])
        self.blocks_ = self.find_blocks(table.shape[1])
        self.prior_ = float(np.mean(event))
        patients = _patients(groups, len(event))
        folds = deal(event, patients, n_folds=min(self.n_folds, len(set(patients))), seed=self.random_state)
        known, params = Development(table, event, patients, folds), dict(self.learner_params or {})
        choices: dict[str, Any] = {"learner": self.learner, "params": params, "seed": self.random_state}
        with threadpool_limits(1):  # small matrices: several threads would only wait for one another
            if self.fusion == "early":
                self.early_ = {s: learn(known, self.blocks_, s, **choices) for s in subsets(self.blocks_)}
            elif self.fusion == "late":
                self.late_ = fit_stack(known, self.blocks_, **choices)
            else:
                parts = [table[:, columns] for columns in self.blocks_.values()]
                self.network_ = fit_network(parts, event, folds=folds, seed=self.random_state, plan=Training(**params))
        return self

    def margin(self, X: ArrayLike) -> Floats:
        """Return the log-odds of the risk, shape (n_recordings,)."""
        check_is_fitted(self)
        table: Floats = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        out: Floats = np.full(len(table), log_odds(np.array(self.prior_)))
        there = np.array([np.isfinite(table[:, columns]).any(axis=1) for columns in self.blocks_.values()]).T
        for present in subsets(self.blocks_):
            rows = np.flatnonzero((there == [name in present for name in self.blocks_]).all(axis=1))
            if len(rows):
                out[rows] = self._margin(table[rows], present)
        return out

    def _margin(self, X: Floats, present: tuple[str, ...]) -> Floats:
        """Return the log-odds of recordings that have just these blocks."""
        if self.fusion == "early":
            return margin_of(self.early_[present], X[:, columns_of(self.blocks_, present)])
        if self.fusion == "late":
            return self.late_.margin(X, self.blocks_, present)
        return self.network_.margin([X[:, columns] for columns in self.blocks_.values()])

    def _check_choices(self) -> None:
        for name, value, known in (("fusion", self.fusion, FUSIONS), ("learner", self.learner, LEARNERS)):
            if value not in known:
                msg = f"{name} must be one of {', '.join(known)}; got {value!r}. Choose one of them."
                raise StudyError(msg)
        if self.n_folds < 2:
            msg = f"n_folds must be at least 2; got {self.n_folds}. Use 5."
            raise StudyError(msg)

    def find_blocks(self, n_features: int) -> dict[str, NDArray[np.intp]]:
        """Return the columns of each block, by position; raise `StudyError` where one is not there."""
        if self.blocks is None:
            return {"all": np.arange(n_features)}
        names = list(getattr(self, "feature_names_in_", []))
        place: dict[Any, int] = {**{i: i for i in range(n_features)}, **{name: i for i, name in enumerate(names)}}
        held = [column for columns in self.blocks.values() for column in columns]
        absent = [column for column in held if column not in place]
        if not held or absent or len(set(held)) < len(held) or not all(map(len, self.blocks.values())):
            msg = (
                f"every block must name columns of the table, none of them twice; got {absent or held} "
                f"where there are {names or n_features}. Mend `blocks`."
            )
            raise StudyError(msg)
        return {name: np.array([place[c] for c in columns]) for name, columns in self.blocks.items()}


def _classes(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int8]]:
    check_classification_targets(y)
    classes, event = np.unique(y, return_inverse=True)
    if len(classes) == 1:
        msg = f"y must hold two classes; got one class, {classes[0]!r}. Leave this target out."
        raise StudyError(msg)
    if len(classes) > 2:
        # scikit-learn's own checks look for these words.
        kind = type_of_target(y)
        msg = f"Only binary classification is supported. The type of the target is {kind}; got {len(classes)} classes."
        raise StudyError(msg)
    return classes, event.astype(np.int8)


def _patients(groups: ArrayLike | None, n: int) -> tuple[str, ...]:
    if groups is None:
        return tuple(f"{i:012d}" for i in range(n))
    ids = check_array(groups, ensure_2d=False, dtype=None)
    if len(ids) != n:
        msg = f"groups must name the patient of each of the {n} recordings; got {len(ids)}. Pass one per row."
        raise StudyError(msg)
    return tuple(str(i) for i in ids)
