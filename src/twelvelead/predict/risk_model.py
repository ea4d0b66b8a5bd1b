"""The risk model: a few boosted-tree members, each with predictors of its own choice, and one calibration curve."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import xgboost as xgb
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import (
    assert_all_finite,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from twelvelead.predict.bins import Bins
from twelvelead.predict.calibrate import METHODS, Calibrator, agreement, calibrate
from twelvelead.predict.deal import deal, number_patients
from twelvelead.predict.events import as_events
from twelvelead.predict.grow import Floats, Growth, Rows, Table, grow, margin
from twelvelead.predict.select import JUDGED_PER_EVENT, Elimination, eliminate
from twelvelead.predict.thin import thin
from twelvelead.terms import StudyError


@dataclass(frozen=True, eq=False)
class Member:
    """One booster and the predictors it takes.

    Parameters
    ----------
    columns : ndarray of int
        Positions of its predictors in the table that the model was fitted on.
    features : tuple of str
        Their names, in the same order.
    booster : Booster
        The trees, cut off after the best round.
    """

    columns: NDArray[np.intp]
    features: tuple[str, ...]
    booster: xgb.Booster

    def margin(self, X: Table) -> Floats:
        """Return this member's log-odds for each recording of the whole table, shape (n_recordings,)."""
        return margin(self.booster, X[:, self.columns])


_Fitted = tuple[Member, Elimination | None]


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Predict the risk of an outcome from a table of measurements, and learn honestly how far to trust it.

    The patients are dealt into folds. Each member sets one fold aside for calibration, tunes on the next (which
    predictors to keep, when to stop) and trains on the others. The model's log-odds are the mean of the members'; one
    curve turns them into a risk, and was fitted on recordings that the member in question had never seen.

    Parameters
    ----------
    n_members : int
        Number of members. Many for a few hundred recordings; 1 is enough from some 10,000.
    n_folds : int or None
        Folds that the patients are dealt into, at least 3 and `n_members`. None: `n_members`, but at least 7
        where there are fewer than 5 members, so that one member trains on 5/7, tunes on 1/7 and calibrates on 1/7.
    elimination : float
        Predictors dropped at a time: an integer from 1, or a share of those left. 0 keeps them all.
    smallest : int
        Fewest predictors tried.
    importance : {"gain", "total_gain", "shap"}
        What ranks the predictors.
    rule : {"best", "one_se", "near_best"}
        Which step of the elimination is chosen: see `eliminate`.
    elimination_rounds, elimination_learning_rate, elimination_max_depth
        How the trees of the elimination are grown; in all else like the final ones.
    rounds, early_stopping : int
        Most rounds of a member; rounds without a better tuning log loss after which it stops.
    learning_rate, max_depth, subsample, colsample, min_child_weight, reg_lambda, trees_per_round
        How the final trees are grown: see `Growth`.
    calibration : {"logistic", "isotonic", "none"}
        The curve from log-odds to risk.
    calibrate_on : {"unseen", "tune"}
        Recordings that the curve is fitted on. "tune" repeats a fault of published studies, to measure what it does:
        the curve then sees recordings on which the model looks better than it is. There is no fold for calibration
        then; it is trained on.
    random_state : int
        Seed of the folds and the trees.
    n_jobs : int
        Members fitted at a time. Results don't depend on it.

    Attributes
    ----------
    members_ : tuple of Member
    calibrator_ : Calibrator
    selection_ : list of dict
        One row per member and step of its elimination: fit, n_features, auroc, chosen, features. With target and model
        it keeps `terms.SELECTION`.
    feature_names_ : tuple of str
        Names of the predictors; `x0, x1, …` where the table had none.
    classes_, n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Notes
    -----
    The curve is fitted on the margins of single members, since no recording is unseen by all of them, but is for their
    mean. A mean carries less noise than its parts, so the slope found would be too small, risks too near the mean risk.
    As with any noisy measurement (regression dilution [1]_), the slope for the mean of M members is 1/(r + (1 − r)/M)
    times that for one, where r is the correlation of two members' margins on recordings that neither was
    trained on. No outcome enters r. With `n_members=1` nothing is changed.

    Since the margin is a plain mean, exact Shapley values of the model are the mean of its members' values.

    References
    ----------
    .. [1] Hutcheon JA et al. Random measurement error and regression dilution bias. doi:10.1136/bmj.c2289

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 5))
    >>> y = (X[:, 0] + rng.normal(size=300) > 1).astype(int)
    >>> model = RiskClassifier(n_members=1).fit(X, y)
    >>> low, high = model.predict_proba([[-1, 0, 0, 0, 0], [2, 0, 0, 0, 0]])[:, 1]
    >>> bool(low < 0.1 < 0.4 < high)
    True
    """

    def __init__(  # noqa: PLR0913 (scikit-learn's form: every choice is an argument)
        self,
        *,
        n_members: int = 5,
        n_folds: int | None = None,
        elimination: float = 0.3,
        smallest: int = 4,
        importance: str = "gain",
        rule: str = "best",
        elimination_rounds: int = 150,
        elimination_learning_rate: float = 0.05,
        elimination_max_depth: int = 3,
        rounds: int = 400,
        early_stopping: int = 30,
        learning_rate: float = 0.05,
        max_depth: int = 3,
        subsample: float = 0.7,
        colsample: float = 0.3,
        min_child_weight: float = 0.5,
        reg_lambda: float = 0.3,
        trees_per_round: int = 1,
        calibration: str = "logistic",
        calibrate_on: str = "unseen",
        random_state: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.n_members = n_members
        self.n_folds = n_folds
        self.elimination = elimination
        self.smallest = smallest
        self.importance = importance
        self.rule = rule
        self.elimination_rounds = elimination_rounds
        self.elimination_learning_rate = elimination_learning_rate
        self.elimination_max_depth = elimination_max_depth
        self.rounds = rounds
        self.early_stopping = early_stopping
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.subsample = subsample
        self.colsample = colsample
        self.min_child_weight = min_child_weight
        self.reg_lambda = reg_lambda
        self.trees_per_round = trees_per_round
        self.calibration = calibration
        self.calibrate_on = calibrate_on
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike | Bins, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Choose predictors, grow the members and fit the calibration curve.

        Parameters
        ----------
        X : array or DataFrame of shape (n_recordings, n_features), or Bins
            Predictors; NaN or null where missing. For many targets on many recordings, bin them once:
            `bins = bin_once(table)`, then for each target `fit(bins.take(known), y[known], groups=patients[known])`.
        y : array of shape (n_recordings,)
            Outcome, two classes; the one that sorts last is the event.
        groups : array of shape (n_recordings,) or None
            The patient of each recording. None: every recording is a patient of its own.

        Returns
        -------
        RiskClassifier
            The model itself.

        Raises
        ------
        StudyError
            If there is one class only, or a class has too few recordings or patients for the folds.

        Notes
        -----
        Beyond 20,000 recordings to train on, the elimination thins out those without the event, and so does what early
        stopping watches, where each then counts for as many as it stands for. The final trees see them all.
        """
        rows, outcome = self._receive(X, y)
        self._check_choices()
        self.classes_, event = as_events(outcome)
        rows = rows._replace(y=event, patients=number_patients(groups, len(event)))
        folds = self._deal(rows)
        with ThreadPoolExecutor(max_workers=max(1, self.n_jobs)) as pool:
            fitted = list(pool.map(lambda j: self._fit_member(rows, folds=folds, j=j), range(self.n_members)))
        self.members_ = tuple(member for member, _ in fitted)
        self.selection_ = [row for j, (_, path) in enumerate(fitted) for row in _selection_rows(j, path)]
        self.calibrator_ = self._calibrate(rows, folds=folds).rounded()
        return self

    def _receive(self, X: ArrayLike | Bins, y: ArrayLike) -> tuple[Rows, NDArray[Any]]:
        """Check the table and the outcome, and note what scikit-learn wants noted of them."""
        none = np.empty(0, dtype=np.int8)
        if not isinstance(X, Bins):
            checked = validate_data(self, X, y, dtype=np.float32, ensure_all_finite="allow-nan", ensure_min_samples=2)
            named = tuple(getattr(self, "feature_names_in_", ()))
            table, outcome, edges = checked[0], checked[1], None
        else:
            table, named, edges = X.table, X.names, X.edges
            outcome = column_or_1d(y)
            check_consistent_length(table, outcome)
            assert_all_finite(outcome, input_name="y")
            self.n_features_in_ = table.shape[1]
            if named:
                self.feature_names_in_ = np.array(named, dtype=object)
        self.feature_names_ = named or tuple(f"x{i}" for i in range(table.shape[1]))
        return Rows(table, none, edges=edges), outcome

    def margin(self, X: ArrayLike) -> Floats:
        """Return the log-odds before calibration, shape (n_recordings,): the mean of the members'."""
        check_is_fitted(self)
        table: Floats = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        out: Floats = np.mean([member.margin(table) for member in self.members_], axis=0)
        return out

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the risk of no event and of the event, shape (n_recordings, 2)."""
        p = self.calibrator_(self.margin(X)) if hasattr(self, "members_") else self.margin(X)
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier class, shape (n_recordings,). A risk says more: use `predict_proba`."""
        event = self.predict_proba(X)[:, 1] > 0.5
        out: NDArray[Any] = self.classes_[event.astype(int)]
        return out

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def _fit_member(self, rows: Rows, *, folds: NDArray[np.int32], j: int) -> _Fitted:
        train, tune, _ = self._parts(folds, j)
        seed = int(np.random.SeedSequence((self.random_state, j)).generate_state(1)[0] >> 1)
        final = self._growth(seed)
        watched, weights = thin(rows.y[tune], per_event=JUDGED_PER_EVENT, seed=seed)
        tuning = rows.take(tune[watched])._replace(weights=weights)
        path = None
        features = self.feature_names_
        if self.elimination:
            quick = replace(
                final,
                rounds=self.elimination_rounds,
                learning_rate=self.elimination_learning_rate,
                max_depth=self.elimination_max_depth,
            )
            path = eliminate(
                rows.take(train),
                tuning,
                names=self.feature_names_,
                growth=quick,
                step=self.elimination,
                smallest=self.smallest,
                importance=self.importance,
                rule=self.rule,
            )
            features = path.chosen.features
        place = {name: i for i, name in enumerate(self.feature_names_)}
        columns = np.array([place[name] for name in features])
        kept = rows.select(columns)
        trees = grow(kept.take(train), final, tune=tuning.select(columns), patience=self.early_stopping)
        return Member(columns, features, trees), path

    def _growth(self, seed: int) -> Growth:
        return Growth(
            rounds=self.rounds,
            learning_rate=self.learning_rate,
            max_depth=self.max_depth,
            subsample=self.subsample,
            colsample=self.colsample,
            min_child_weight=self.min_child_weight,
            reg_lambda=self.reg_lambda,
            trees_per_round=self.trees_per_round,
            seed=seed,
        )

    def _calibrate(self, rows: Rows, *, folds: NDArray[np.int32]) -> Calibrator:
        """Fit the curve on single members' margins and carry it over to their mean."""
        X, y = rows.X, rows.y
        places = [self._parts(folds, j)[2] for j in range(self.n_members)]
        margins = [member.margin(X[r]) for member, r in zip(self.members_, places, strict=True)]
        pooled = np.concatenate(margins)
        curve = calibrate(pooled, np.concatenate([y[r] for r in places]), method=self.calibration)
        if self.n_members == 1 or self.calibration == "none":
            return curve
        # The fold that member j has never seen is the one that member j - 1 tuned on: neither trained on it. With
        # calibrate_on="tune" there is no such pair, and no claim to be right either.
        unseen = self.calibrate_on == "unseen"
        neighbours = [
            (margins[j], self.members_[j - 1].margin(X[places[j]])) for j in range(1, self.n_members) if unseen
        ]
        alike = agreement(neighbours)
        return curve.stretched(float(np.mean(pooled)), 1 / (alike + (1 - alike) / self.n_members))

    def _parts(self, folds: NDArray[np.int32], j: int) -> tuple[NDArray[np.intp], ...]:
        """Rows that member `j` trains on, tunes on and is calibrated on."""
        n_folds = self._count_folds()
        tune = folds == (j + 1) % n_folds
        if self.calibrate_on == "tune":
            return np.flatnonzero(~tune), np.flatnonzero(tune), np.flatnonzero(tune)
        unseen = folds == j
        return np.flatnonzero(~(tune | unseen)), np.flatnonzero(tune), np.flatnonzero(unseen)

    def _count_folds(self) -> int:
        if self.n_folds is not None:
            return self.n_folds
        return self.n_members if self.n_members >= 5 else 7

    def _deal(self, rows: Rows) -> NDArray[np.int32]:
        patients = np.arange(len(rows.y)) if rows.patients is None else rows.patients
        return deal(rows.y, patients, n_folds=self._count_folds(), seed=self.random_state)

    def _check_choices(self) -> None:
        n_folds = self._count_folds()
        if self.n_members < 1 or n_folds < max(3, self.n_members):
            msg = (
                "n_members must be at least 1, and n_folds at least 3 and n_members; "
                f"got {self.n_members} and {n_folds}. Use more folds."
            )
            raise StudyError(msg)
        if self.calibrate_on not in {"unseen", "tune"}:
            msg = f"calibrate_on must be unseen or tune; got {self.calibrate_on!r}. Choose one of them."
            raise StudyError(msg)
        if self.calibration not in METHODS:
            msg = f"calibration must be one of {', '.join(METHODS)}; got {self.calibration!r}. Choose one of them."
            raise StudyError(msg)


def _selection_rows(j: int, path: Elimination | None) -> Sequence[dict[str, Any]]:
    if path is None:
        return []
    return [
        {
            "fit": f"member {j}",
            "n_features": step.n_features,
            "auroc": step.auroc,
            "chosen": step is path.chosen,
            "features": list(step.features),
        }
        for step in path.steps
    ]
