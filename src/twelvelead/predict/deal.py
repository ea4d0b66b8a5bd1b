"""Folds of the development patients: who trains, who tunes, who calibrates."""

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from twelvelead.cohort.split import assign_folds
from twelvelead.predict.thin import MANY
from twelvelead.terms import StudyError

LEAST_PER_FOLD = 2
"""Recordings with and without the event that every fold must hold: with fewer, an AUROC is one comparison or none."""


def number_patients(groups: ArrayLike | None, n: int) -> NDArray[np.intp]:
    """Give the patients numbers from 0, in the order of their names.

    Parameters
    ----------
    groups : array of shape (n_recordings,) or None
        The patient of each recording. None: every recording is a patient of its own.
    n : int
        Number of recordings.

    Returns
    -------
    ndarray of int, shape (n_recordings,)

    Raises
    ------
    StudyError
        If there is not one patient per recording.

    Examples
    --------
    >>> number_patients(["p9", "p10", "p9"], 3).tolist()
    [1, 0, 1]
    """
    if groups is None:
        return np.arange(n)
    ids = check_array(groups, ensure_2d=False, dtype=None)
    if len(ids) != n:
        msg = f"groups must name the patient of each of the {n} recordings; got {len(ids)}. Pass one per row."
        raise StudyError(msg)
    return pl.Series([str(i) for i in ids.tolist()]).rank("dense").to_numpy().astype(np.intp) - 1


def deal(y: NDArray[np.int8], patients: NDArray[np.intp], *, n_folds: int, seed: int) -> NDArray[np.int32]:
    """Deal the patients into folds that have equal shares of the recordings with and without the event.

    Parameters
    ----------
    y : ndarray of shape (n_recordings,)
        1 event, 0 none.
    patients : ndarray of int, shape (n_recordings,)
        As `number_patients` returns them.
    n_folds, seed : int
        Number of folds; what decides between equals.

    Returns
    -------
    ndarray of int32, shape (n_recordings,)
        The fold of each recording, from 0.

    Raises
    ------
    StudyError
        If a class has too few recordings or patients for the folds.

    Notes
    -----
    Up to `MANY` recordings by iterative stratification (`cohort.assign_folds`). Beyond, where that would take seconds
    for every target, the patients are sorted by their recordings with the event, then without, and dealt out like
    cards, there and back, so that neither number differs between two folds by more than one patient's.
    """
    for what, count in (("with the event", int(y.sum())), ("without it", int(len(y) - y.sum()))):
        if count < LEAST_PER_FOLD * n_folds:
            msg = (
                f"{n_folds} folds need at least {LEAST_PER_FOLD * n_folds} recordings {what}; got {count}. "
                "Leave this target out, or use fewer folds."
            )
            raise StudyError(msg)
    folds = (_deal_out if len(y) > MANY else _stratify)(y, patients, n_folds=n_folds, seed=seed)
    least = min(min(np.sum(y[folds == k]), np.sum(1 - y[folds == k])) for k in range(n_folds))
    if least < LEAST_PER_FOLD:
        msg = (
            f"every fold of patients must hold {LEAST_PER_FOLD} recordings with and without the event; "
            f"got a fold with {least}. The events belong to too few patients: leave this target out."
        )
        raise StudyError(msg)
    return folds


def _stratify(y: NDArray[np.int8], patients: NDArray[np.intp], *, n_folds: int, seed: int) -> NDArray[np.int32]:
    names = [f"{i:012d}" for i in range(max(len(y), int(patients.max()) + 1))]
    table = pl.DataFrame(
        {"recording_id": names[: len(y)], "patient_id": [names[i] for i in patients], "event": y, "none": 1 - y}
    )
    return assign_folds(table, n_folds=n_folds, seed=seed)["fold"].to_numpy().astype(np.int32)


def _deal_out(y: NDArray[np.int8], patients: NDArray[np.intp], *, n_folds: int, seed: int) -> NDArray[np.int32]:
    events = np.bincount(patients, weights=y)
    rest = np.bincount(patients, weights=1 - y)
    turn = np.empty(len(events), dtype=np.intp)
    chance = np.random.default_rng(seed).permutation(len(events))
    turn[np.lexsort((chance, -rest, -events))] = np.arange(len(events))
    there, back = turn % n_folds, n_folds - 1 - turn % n_folds
    return np.where(turn // n_folds % 2, back, there).astype(np.int32)[patients]
