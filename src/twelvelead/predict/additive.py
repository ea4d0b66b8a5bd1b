"""An explainable boosting machine as an alternative: a curve per predictor and a few surfaces, all of them visible."""

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from twelvelead.predict.deal import deal, number_patients
from twelvelead.predict.events import as_events
from twelvelead.terms import MissingExtra

Floats = NDArray[np.float64]


class AdditiveBoosting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Predict a risk by an explainable boosting machine [1]_ that stops early on whole patients.

    Parameters
    ----------
    n_bags : int
        Machines whose mean is taken, at least 3; each stops early on the patients of its own fold.
    interactions : int
        Pairs of predictors that may have a surface of their own.
    learning_rate : float
        Share of each correction that is kept.
    random_state : int
        Seed of the folds and the machine.

    Attributes
    ----------
    machine_ : interpret.glassbox.ExplainableBoostingClassifier
        Fitted; its curves can be drawn with `interpret`.
    classes_, n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Notes
    -----
    Missing values have a bin of their own in each curve. The machine's own split for early stopping is by recording and
    would put a patient on both sides; the bags given to it here are folds of patients.

    References
    ----------
    .. [1] Lou Y et al. Accurate intelligible models with pairwise interactions. doi:10.1145/2487575.2487579
    """

    def __init__(
        self, *, n_bags: int = 5, interactions: int = 5, learning_rate: float = 0.02, random_state: int = 0
    ) -> None:
        self.n_bags = n_bags
        self.interactions = interactions
        self.learning_rate = learning_rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit the curves and surfaces.

        Parameters
        ----------
        X : array or DataFrame of shape (n_recordings, n_features)
            Predictors; NaN or null where missing.
        y : array of shape (n_recordings,)
            Outcome, two classes; the one that sorts last is the event.
        groups : array of shape (n_recordings,) or None
            The patient of each recording. None: every recording is a patient of its own.

        Returns
        -------
        AdditiveBoosting
            The model itself.

        Raises
        ------
        StudyError
            If there are not two classes, or a class has too few recordings or patients for the bags.
        MissingExtra
            If interpret-core is not installed.
        """
        machine_type = _machine_type()
        table, outcome = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan")
        self.classes_, event = as_events(outcome)
        folds = deal(event, number_patients(groups, len(event)), n_folds=self.n_bags, seed=self.random_state)
        # 1 trains, −1 stops early.
        bags = np.where(folds[:, None] == np.arange(self.n_bags), -1, 1).astype(np.int8)
        self.machine_ = machine_type(
            interactions=self.interactions,
            learning_rate=self.learning_rate,
            outer_bags=self.n_bags,
            feature_types=["continuous"] * table.shape[1],
            random_state=self.random_state,
            n_jobs=1,
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Missing values detected")  # they are meant to have their bin
            self.machine_.fit(table, event, bags=bags)
        return self

    def margin(self, X: ArrayLike) -> Floats:
        """Return the log-odds, shape (n_recordings,)."""
        check_is_fitted(self)
        table = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        out: Floats = self.machine_.decision_function(table)
        return out

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the risk of no event and of the event, shape (n_recordings, 2)."""
        p = 1 / (1 + np.exp(-self.margin(X)))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier class, shape (n_recordings,). A risk says more: use `predict_proba`."""
        out: NDArray[Any] = self.classes_[(self.margin(X) > 0).astype(int)]
        return out

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


def _machine_type() -> Any:  # noqa: ANN401 (interpret has no types)
    try:
        from interpret.glassbox import ExplainableBoostingClassifier
    except ImportError as error:
        msg = "an explainable boosting machine needs interpret-core. Run: pip install 'twelvelead[ebm]'"
        raise MissingExtra(msg) from error
    return ExplainableBoostingClassifier
