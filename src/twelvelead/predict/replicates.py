"""Several recordings of one person: what the mean of three knows more than one of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twelvelead.terms import InputError

Floats = NDArray[np.float64]

HOW = ("mean", "concat", "random_intercept")


def reliability_of_mean(reliability: float, n: int) -> float:
    """Return the reliability of the mean of several measurements (Spearman and Brown).

    Parameters
    ----------
    reliability : float
        Of one measurement: the share of its variance that lies between persons, from 0 to 1.
    n : int
        Measurements that are averaged, at least 1.

    Notes
    -----
    nρ / (1 + (n − 1)ρ), for three measurements 3ρ / (1 + 2ρ). A linear predictor's slope on a noisy measurement is the
    true slope times its reliability (regression dilution [1]_): averaging takes part of that back.

    References
    ----------
    .. [1] Hutcheon JA et al. Random measurement error and regression dilution bias. doi:10.1136/bmj.c2289

    Examples
    --------
    >>> reliability_of_mean(0.5, 3)
    0.75
    """
    return n * reliability / (1 + (n - 1) * reliability)


@dataclass(frozen=True)
class Replicates:
    """How the recordings of a person become one row; learnt from the development persons.

    Parameters
    ----------
    how : {"mean", "concat", "random_intercept"}
        The mean of what was measured; all of it side by side, recording after recording, as ECG-DiaNet did; or the
        person's level in a model of a random intercept: the mean, drawn towards the population's by the reliability
        that so many recordings have, so that one who has a single recording is drawn more than one who has three.
    n : int
        Recordings per person, at most.
    centre, between, within : tuple of float
        Of each measurement: the population's mean, and the variances between and within persons; in the measurement's
        unit and its square. Empty unless `how` is "random_intercept".
    """

    how: str
    n: int
    centre: tuple[float, ...] = ()
    between: tuple[float, ...] = ()
    within: tuple[float, ...] = ()

    def __call__(self, values: ArrayLike) -> Floats:
        """Make one row per person.

        Parameters
        ----------
        values : array of shape (n_persons, n_recordings, n_measurements)
            NaN where missing; `n_recordings` must be `n`.

        Returns
        -------
        ndarray of shape (n_persons, n_measurements), for "concat" (n_persons, n_recordings · n_measurements)
            NaN where a person lacks a measurement altogether.
        """
        held = _check(values)
        if held.shape[1] != self.n:
            msg = f"every person must have room for {self.n} recordings; got {held.shape[1]}. Fill up with NaN."
            raise InputError(msg)
        if self.how == "concat":
            return held.reshape(len(held), -1)
        mean, counts = _mean(held)
        if self.how == "mean":
            return mean
        between, within = np.array(self.between), np.array(self.within)
        spread = between * counts + within
        shrink = np.divide(between * counts, spread, out=np.zeros_like(spread), where=spread > 0)
        centre = np.array(self.centre)
        out: Floats = np.where(counts > 0, centre + shrink * (mean - centre), np.nan)
        return out

    @property
    def reliability(self) -> tuple[float, ...]:
        """Reliability of one recording, for each measurement; empty unless `how` is "random_intercept"."""
        pairs = zip(self.between, self.within, strict=True)
        return tuple(b / (b + w) if b + w > 0 else 0.0 for b, w in pairs)

    def names(self, measurements: tuple[str, ...]) -> tuple[str, ...]:
        """Name the columns of the rows that come out.

        Examples
        --------
        >>> Replicates("concat", 2).names(("pr_interval_ms", "t_axis_deg"))
        ('pr_interval_ms_1', 't_axis_deg_1', 'pr_interval_ms_2', 't_axis_deg_2')
        """
        if self.how != "concat":
            return measurements
        return tuple(f"{name}_{i}" for i in range(1, self.n + 1) for name in measurements)

    def card(self) -> dict[str, Any]:
        """Say all of it in what JSON can hold; `Replicates(**card)` is this again."""
        return {"how": self.how, "n": self.n, **{k: list(getattr(self, k)) for k in ("centre", "between", "within")}}


def learn_replicates(values: ArrayLike, *, how: str) -> Replicates:
    """Learn from the development persons how their recordings become one row; their outcomes are not looked at.

    Parameters
    ----------
    values : array of shape (n_persons, n_recordings, n_measurements)
        NaN where missing.
    how : {"mean", "concat", "random_intercept"}
        See `Replicates`.

    Raises
    ------
    InputError
        If the array has another shape, `how` is unknown, or nobody has two recordings to tell noise from persons by.

    Notes
    -----
    Variances by the one-way analysis of variance, with the usual n₀ where persons have unequal numbers of recordings;
    a variance between persons that comes out negative is 0.

    Examples
    --------
    Two persons, (1, 3) and (7, 9): means 2 and 8; within 2, between (36 − 2) / 2 = 17; the means lie 17/18 of the way.

    >>> found = learn_replicates([[[1.0], [3.0]], [[7.0], [9.0]]], how="random_intercept")
    >>> found.within, found.between
    ((2.0,), (17.0,))
    >>> round(found([[[1.0], [3.0]]]).item(), 4)
    2.1667
    """
    held = _check(values)
    if how not in HOW:
        msg = f"replicates must be taken as one of {', '.join(HOW)}; got {how!r}. Choose one of them."
        raise InputError(msg)
    if how != "random_intercept":
        return Replicates(how, held.shape[1])
    mean, counts = _mean(held)
    total, persons = counts.sum(axis=0), (counts > 0).sum(axis=0)
    if np.any(total <= persons) or np.any(persons < 2):
        msg = "a random intercept needs persons with two recordings; got a measurement without. Take the mean instead."
        raise InputError(msg)
    inside = np.nansum((held - mean[:, None, :]) ** 2, axis=(0, 1)) / (total - persons)
    centre = np.nansum(held, axis=(0, 1)) / total
    among = np.nansum(counts * (mean - centre) ** 2, axis=0) / (persons - 1)
    typical = (total - (counts**2).sum(axis=0) / total) / (persons - 1)
    between = np.maximum((among - inside) / typical, 0.0)
    return Replicates(how, held.shape[1], *(tuple(float(v) for v in a) for a in (centre, between, inside)))


def _mean(held: Floats) -> tuple[Floats, Floats]:
    """Mean and number of what is there, shape (n_persons, n_measurements)."""
    counts = np.isfinite(held).sum(axis=1).astype(float)
    sums = np.where(np.isfinite(held), held, 0.0).sum(axis=1)
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0), counts


def _check(values: ArrayLike) -> Floats:
    held = np.asarray(values, dtype=float)
    if held.ndim != 3:
        msg = f"recordings must be of shape (persons, recordings, measurements); got {held.shape}. Reshape the array."
        raise InputError(msg)
    return held
