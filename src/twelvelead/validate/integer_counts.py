"""Whether whole people can give the rates that are printed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Limits = tuple[float, float]

ANY: Limits = (0.0, 1.0)
ROUNDING = 1e-9
"""Limits are halves of a printed unit, which double precision holds only to some 1e-17 each."""


@dataclass(frozen=True)
class Rates:
    """Between what limits the rates at one threshold lie."""

    sensitivity: Limits = ANY
    specificity: Limits = ANY
    ppv: Limits = ANY
    npv: Limits = ANY


def possible_counts(rates: Rates, n_events: int, n_nonevents: int) -> tuple[int, int, int, int] | None:
    """Return true positives, false negatives, false positives and true negatives that give the rates, or None.

    Parameters
    ----------
    rates : Rates
        Limits of each rate, both included: some round halves up, some to even.
    n_events, n_nonevents : int
        People with and without the event.

    Returns
    -------
    tuple of int, or None
        The first that fits, by true positives.

    Examples
    --------
    Of three with the event, sensitivity .67 is two; .50 is nobody's.

    >>> possible_counts(Rates(sensitivity=(0.665, 0.675)), 3, 7)
    (2, 1, 0, 7)
    >>> possible_counts(Rates(sensitivity=(0.495, 0.505)), 3, 7) is None
    True
    """
    # Each rate is a range of false positives for given true positives: 1 − specificity = FP/N, PPV = TP/(TP + FP),
    # NPV = (N − FP)/(N − FP + FN).
    tp = _whole(rates.sensitivity, n_events)
    fewest, most = _range((1 - rates.specificity[1], 1 - rates.specificity[0]), n_nonevents)
    by_ppv = _others(tp, rates.ppv, n_nonevents)
    by_npv = _others(n_events - tp, (1 - rates.npv[1], 1 - rates.npv[0]), n_nonevents)
    low = np.maximum(np.maximum(by_ppv[0], n_nonevents - by_npv[1]), fewest)
    high = np.minimum(np.minimum(by_ppv[1], n_nonevents - by_npv[0]), most)
    fits = np.flatnonzero(low <= high)
    if not len(fits):
        return None
    true, false = int(tp[fits[0]]), int(low[fits[0]])
    return true, n_events - true, false, n_nonevents - false


def _range(share: Limits, n: int) -> tuple[int, int]:
    """Return the fewest and most of n people that have a share within the limits."""
    return max(int(np.ceil(share[0] * n - ROUNDING)), 0), min(int(np.floor(share[1] * n + ROUNDING)), n)


def _whole(share: Limits, n: int) -> Ints:
    fewest, most = _range(share, n)
    return np.arange(fewest, most + 1)


def _others(some: Ints, share: Limits, n: int) -> tuple[Ints, Ints]:
    """Return how few and how many of n others may stand beside some people, for these to be such a share of both."""
    if share == ANY:
        return np.zeros_like(some), np.full_like(some, n)
    low, high = max(share[0], 0.0), min(share[1], 1.0)
    fewest = np.ceil(some * (1 - high) / high - ROUNDING).astype(np.int64)
    most = np.full_like(some, n) if low == 0 else np.floor(some * (1 - low) / low + ROUNDING).astype(np.int64)
    # Of nobody at all there is no share.
    return np.maximum(fewest, (some == 0).astype(np.int64)), most
