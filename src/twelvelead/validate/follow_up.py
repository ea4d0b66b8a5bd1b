"""Time to a diagnosis, where some are lost from sight and others die first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twelvelead.signal.kernel import kernel
from twelvelead.terms import StudyError

Floats = NDArray[np.float64]

CENSORED, DIAGNOSED, DIED = 0, 1, 2
"""How follow-up ended: lost from sight or over; with the diagnosis; with a death that makes it impossible."""


@dataclass(frozen=True)
class FollowUp:
    """Follow-up of recordings, by rising time.

    Parameters
    ----------
    time : ndarray of shape (n_recordings,)
        Time from the recording to the end of its follow-up, in any one unit.
    status : ndarray of int, shape (n_recordings,)
        `CENSORED`, `DIAGNOSED` or `DIED`.
    order : ndarray of int, shape (n_recordings,)
        Where each stood in what was passed in.
    starts : ndarray of int, shape (n_times,)
        First place of each different time.
    place : ndarray of int, shape (n_recordings,)
        Number of each recording's time.
    """

    time: Floats
    status: NDArray[np.int64]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    place: NDArray[np.intp]


def follow_up(time: ArrayLike, status: ArrayLike, *, ties: ArrayLike) -> FollowUp:
    """Check and sort the follow-up of recordings.

    Parameters
    ----------
    time, status : array of shape (n_recordings,)
        See `FollowUp`.
    ties : array of shape (n_recordings,) or (n_recordings, k)
        What sorts recordings of one time and status, so that sums do not depend on the order of rows.

    Raises
    ------
    StudyError
        If lengths differ, a time is negative, infinite or NaN, or a status is not 0, 1 or 2.

    Examples
    --------
    >>> follow_up([5.0, 2.0, 5.0], [0, 1, 1], ties=[0, 0, 0]).place.tolist()
    [0, 1, 1]
    """
    t, s = np.asarray(time, dtype=float), np.asarray(status)
    if t.ndim != 1 or t.shape != s.shape or not len(t):
        msg = f"time and status must have one value per recording; got shapes {t.shape} and {s.shape}. Align them."
        raise StudyError(msg)
    wrong = ~(np.isfinite(t) & (t >= 0))
    if wrong.any():
        msg = f"time must be 0 or more and finite; got {t[wrong][0]} in {int(wrong.sum())} of {len(t)} recordings. "
        msg += "Leave out recordings made after the end of follow-up."
        raise StudyError(msg)
    unknown = ~np.isin(s, (CENSORED, DIAGNOSED, DIED))
    if unknown.any():
        msg = f"status must be 0 censored, 1 diagnosed or 2 died; got {s[unknown][0]} in {int(unknown.sum())} of "
        msg += f"{len(t)} recordings. Drop unknown ends of follow-up."
        raise StudyError(msg)
    keys = np.asarray(ties).reshape(len(t), -1)
    order = np.lexsort((*keys.T, s, t))
    t = t[order]
    new = np.r_[True, t[1:] != t[:-1]]
    return FollowUp(t, s[order].astype(np.int64), order, np.flatnonzero(new), np.cumsum(new) - 1)


def check_horizons(seen: FollowUp, horizons: ArrayLike) -> Floats:
    """Return horizons as an ascending array, shape (n_horizons,).

    Raises
    ------
    StudyError
        If there is none, they do not ascend, or one is not above 0, is beyond follow-up, or is before any diagnosis.
    """
    found = np.atleast_1d(np.asarray(horizons, dtype=float))
    if not len(found) or not (found > 0).all() or (np.diff(found) <= 0).any():
        msg = f"horizons must be times above 0, ascending; got {found.tolist()}. Give one or more."
        raise StudyError(msg)
    if found[-1] > seen.time[-1]:
        msg = f"a horizon must be within follow-up, which ends at {seen.time[-1]:g}; got {found[-1]:g}. Choose less."
        raise StudyError(msg)
    diagnosed = seen.time[seen.status == DIAGNOSED]
    if not len(diagnosed) or diagnosed[0] > found[0]:
        first = f"the first at {diagnosed[0]:g}" if len(diagnosed) else "none at all"
        msg = f"there must be a diagnosis by each horizon; got {first}, horizon {found[0]:g}. Choose a later one."
        raise StudyError(msg)
    return found


@dataclass(frozen=True)
class Curves:
    """What is known after each different time of a follow-up; column 0 is before the first.

    Parameters
    ----------
    observed : ndarray of shape (n_resamples, n_times + 1)
        Chance to be not yet lost from sight: Kaplan-Meier of censoring, at which who is diagnosed or dies at the same
        time is no longer at risk.
    incidence : ndarray of shape (n_resamples, n_times + 1)
        Aalen and Johansen's share with the diagnosis.
    """

    observed: Floats
    incidence: Floats


def curves(seen: FollowUp, weights: Floats) -> Curves:
    """Return the chance to be observed and the cumulative incidence, of every resample.

    Parameters
    ----------
    seen : FollowUp
    weights : ndarray of shape (n_resamples, n_recordings)
        How often each recording was drawn, in the order of `seen`.

    Notes
    -----
    Who dies can no longer be diagnosed. 1 − Kaplan-Meier, which takes deaths for censoring, is more than the incidence:
    the share in a world without death. Where nobody dies the two are equal.

    References
    ----------
    Aalen OO, Johansen S. An empirical transition matrix for non-homogeneous Markov chains based on censored
    observations. Scandinavian Journal of Statistics 1978;5:141-150.

    Examples
    --------
    Of four, one is diagnosed at 1, one dies at 2, one is diagnosed at 3: 1/4, then 1/4 + 1/2 × 1/2.

    >>> seen = follow_up([1, 2, 3, 4], [1, 2, 1, 0], ties=np.zeros(4))
    >>> curves(seen, np.ones((1, 4))).incidence.tolist()
    [[0.0, 0.25, 0.25, 0.5, 0.5]]
    """
    found = Curves(*np.ones((2, len(weights), len(seen.starts) + 1)))
    _follow(seen.place, seen.status, np.asarray(weights, dtype=float), found.observed, found.incidence)
    return found


@kernel
def _follow(
    place: NDArray[np.intp], status: NDArray[np.int64], weights: Floats, observed: Floats, incidence: Floats
) -> None:
    n_times = observed.shape[1] - 1
    for b in range(len(weights)):
        ends = np.zeros((3, n_times))
        for i in range(len(place)):
            ends[status[i], place[i]] += weights[b, i]
        at_risk, free = ends.sum(), 1.0
        incidence[b, 0] = 0.0
        for k in range(n_times):
            lost, diagnosed, died = ends[0, k], ends[1, k], ends[2, k]
            ended = diagnosed + died
            observed[b, k + 1] = observed[b, k] * (1 - lost / (at_risk - ended) if lost > 0 else 1.0)
            incidence[b, k + 1] = incidence[b, k] + (free * diagnosed / at_risk if diagnosed > 0 else 0.0)
            free *= 1 - ended / at_risk if ended > 0 else 1.0
            at_risk -= ended + lost


def after(seen: FollowUp, horizons: Floats) -> NDArray[np.intp]:
    """Return the column of `Curves` that holds at each horizon, shape (n_horizons,)."""
    return np.searchsorted(seen.time[seen.starts], horizons, side="right")


def inverse_probability(seen: FollowUp, weights: Floats, *, observed: Floats, horizon: float) -> Floats:
    """Return each recording's weight in what is known at the horizon, shape (n_resamples, n_recordings).

    Who ended by then, with the diagnosis or dead, stands for all those lost from sight before that time; who is
    followed beyond it, for all lost by the horizon; who is lost by then has weight 0.

    Parameters
    ----------
    seen : FollowUp
    weights : ndarray of shape (n_resamples, n_recordings)
        How often each recording was drawn, in the order of `seen`.
    observed : ndarray of shape (n_resamples, n_times + 1)
        Of `Curves`.
    horizon : float
        Time.

    References
    ----------
    Blanche P et al. Estimating and comparing time-dependent areas under receiver operating characteristic curves for
    censored event times with competing risks. doi:10.1002/sim.5958
    """
    beyond = seen.time > horizon
    known = beyond | (seen.status != CENSORED)
    # Before one's own time: it was possible to see the end then.
    at = observed[:, np.where(beyond, after(seen, np.array(horizon)), seen.place)]
    out: Floats = np.divide(weights * known, at, out=np.zeros_like(at), where=at > 0)
    return out
