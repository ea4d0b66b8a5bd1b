"""How far one score ranks better than another on the same recordings, with patients as the units of chance."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Placed:
    """An AUROC, and what each patient adds to its error.

    Parameters
    ----------
    auroc : float
        Chance that a recording with the event scores above one without; a tie counts half.
    by_patient : ndarray of shape (2, n_patients)
        Sums of the placements of a patient's recordings with the event (0) and without (1) about the AUROC, each
        divided by the number of such recordings.
    """

    auroc: float
    by_patient: Floats


def place(y: NDArray[np.int8], score: Floats, patients: NDArray[np.intp] | None = None) -> Placed:
    """Return the AUROC of a score and its parts by patient.

    Parameters
    ----------
    y, score : ndarray of shape (n_recordings,)
        1 event, 0 none; and what ranks them.
    patients : ndarray of int, shape (n_recordings,), or None
        Numbers from 0. None: every recording is a patient of its own.

    Returns
    -------
    Placed
        With an AUROC of NaN where one class is absent.

    Examples
    --------
    >>> place(np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.5, 0.9])).auroc
    0.75
    """
    ids = np.arange(len(y)) if patients is None else patients
    event = y == 1
    events, rest = np.sort(score[event]), np.sort(score[~event])
    if not (len(events) and len(rest)):
        return Placed(float("nan"), np.zeros((2, int(ids.max(initial=-1)) + 1)))
    below = np.searchsorted(rest, score[event], "left") + np.searchsorted(rest, score[event], "right")
    above = 2 * len(events) - np.searchsorted(events, score[~event], "left")
    above -= np.searchsorted(events, score[~event], "right")
    auroc = int(below.sum()) / (2 * len(events) * len(rest))
    n = int(ids.max()) + 1
    parts = (
        (ids[event], below / (2 * len(rest)) - auroc, len(events)),
        (ids[~event], above / (2 * len(events)) - auroc, len(rest)),
    )
    return Placed(auroc, np.array([np.bincount(who, weights=part, minlength=n) / m for who, part, m in parts]))


def error_between(one: Placed, other: Placed, sides: tuple[int, int]) -> float:
    """Return the standard error of the difference of two AUROCs on the same recordings.

    Parameters
    ----------
    one, other : Placed
        Of two scores.
    sides : (int, int)
        Patients who have a recording with the event, and without.

    Returns
    -------
    float
        0 where the scores rank alike; infinite where a side has fewer than two patients.

    Notes
    -----
    DeLong's paired variance with placements added up by patient, as Obuchowski wrote it for clustered data [1]_.

    References
    ----------
    .. [1] Obuchowski NA. Nonparametric analysis of clustered ROC curve data. doi:10.2307/2533958

    Examples
    --------
    >>> y = np.array([0, 0, 1, 1])
    >>> one, flat = place(y, np.array([0.1, 0.6, 0.5, 0.9])), place(y, np.zeros(4))
    >>> round(error_between(one, flat, (2, 2)) ** 2, 12)
    0.125
    """
    if min(sides) < 2:
        return float("inf")
    apart = one.by_patient - other.by_patient
    n = apart.shape[1]
    own = sum(m / (m - 1) * float(part @ part) for m, part in zip(sides, apart, strict=True))
    return float(np.sqrt(max(0.0, own + 2 * n / (n - 1) * float(apart[0] @ apart[1]))))
