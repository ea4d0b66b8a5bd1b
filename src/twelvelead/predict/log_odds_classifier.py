"""The scikit-learn side of a binary model that gives log-odds and needs no further calibration."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags

Floats = NDArray[np.float64]


class LogOddsClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Risks and classes from `margin`, which a model defines, together with `fit` and `classes_`."""

    classes_: NDArray[Any]

    def margin(self, X: ArrayLike) -> Floats:
        """Return the log-odds of the event, shape (n_recordings,)."""
        raise NotImplementedError

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Return the risk of no event and of the event, shape (n_recordings, 2)."""
        p = expit(self.margin(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier class, shape (n_recordings,). A risk says more: use `predict_proba`."""
        event = self.margin(X) > 0
        out: NDArray[Any] = self.classes_[event.astype(int)]
        return out

    def __sklearn_tags__(self) -> Tags:
        tags: Tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags
