"""An outcome of two classes as 1 and 0."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from twelvelead.terms import StudyError


def as_events(y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int8]]:
    """Return the two classes of an outcome, and 1 where it is the one that sorts last.

    Parameters
    ----------
    y : ndarray of shape (n_recordings,)
        Outcome.

    Returns
    -------
    ndarray of shape (2,), ndarray of int8, shape (n_recordings,)

    Raises
    ------
    StudyError
        If there are not two classes.

    Examples
    --------
    >>> classes, event = as_events(np.array(["none", "present", "none"]))
    >>> classes.tolist(), event.tolist()
    (['none', 'present'], [0, 1, 0])
    """
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
