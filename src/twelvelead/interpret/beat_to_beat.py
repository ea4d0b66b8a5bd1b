"""What the sequence of beats tells beside the CATALOGUE: regularity without ectopic beats, P waves, pacing."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twelvelead.interpret.derivation import Derived
from twelvelead.measure import Heartbeat, Mark
from twelvelead.measure.presence import p_probability
from twelvelead.measure.rhythm import premature

Floats = NDArray[np.float64]

AF_2023 = "doi:10.1161/CIR.0000000000001193"
SVT_2015 = "doi:10.1161/CIR.0000000000000311"
AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"

SPIKE_BEFORE_S, SPIKE_AFTER_S = 0.06, 0.04
"""A ventricular spike stands at QRS onset: up to 60 ms before what is marked as such, 40 ms after it."""


def unprovoked_rr(heartbeat: Heartbeat) -> Floats:
    """Give the RR intervals that no ectopic beat made short or long.

    Parameters
    ----------
    heartbeat : Heartbeat
        The beats.

    Returns
    -------
    ndarray, shape (n,)
        ms. Left out: intervals before a premature beat or one of another shape, and the pause after each.

    Examples
    --------
    See `without_ectopy`.
    """
    rr: Floats = 1000 * np.diff(heartbeat.times_s)
    return without_ectopy(rr, heartbeat.shape_class)


def without_ectopy(rr: Floats, shape_class: NDArray[np.intp]) -> Floats:
    """Leave out the intervals on both sides of a premature beat or one of another shape.

    Parameters
    ----------
    rr : ndarray, shape (n_beats − 1,)
        RR intervals, ms.
    shape_class : ndarray of int, shape (n_beats,)
        0 for the commonest shape of QRS complex.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> without_ectopy(np.array([800.0, 810.0, 500.0, 1100.0, 790.0]), np.zeros(6, dtype=int)).tolist()
    [800.0, 810.0, 790.0]
    """
    if not rr.size:
        return rr
    ectopic = shape_class > 0
    ectopic[1:] |= premature(rr)
    kept: Floats = rr[~(ectopic[1:] | ectopic[:-1])]
    return kept


def _variation(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    kept = unprovoked_rr(heartbeat)
    return float(kept.std(ddof=1) / kept.mean()) if kept.size >= 3 else math.nan


def _range(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    kept = unprovoked_rr(heartbeat)
    return float(np.ptp(kept)) if kept.size >= 3 else math.nan


def steady_p_probability(probability: float, rr_variation: float) -> float:
    """Say how probable P waves would be of the same deflections in a regular rhythm.

    Parameters
    ----------
    probability : float
        `p_present_probability`, in which an irregular rhythm speaks against P waves.
    rr_variation : float
        The standard deviation over mean of RR that went into it; NaN counts as 0.

    Returns
    -------
    float
        0 to 1; NaN where nothing is known of P.

    Notes
    -----
    In an additive model of log-odds the term of RR is the difference of any two cases that differ in RR alone. It is
    taken out, so that "no P waves" and "irregular" are two observations, not one counted twice.

    Examples
    --------
    >>> steady_p_probability(0.4, 0.0)
    0.4
    >>> steady_p_probability(0.4, 0.2) > 0.9
    True
    """
    if math.isnan(probability) or not 0 < probability < 1:
        return probability
    varied = 0.0 if math.isnan(rr_variation) else rr_variation
    regular, irregular = (
        _log_odds(p_probability(resemblance=0.5, signal_to_noise=1.0, rr_variation=v, spread_ms=5.0))
        for v in (0.0, varied)
    )
    return 1 / (1 + math.exp(-(_log_odds(probability) + regular - irregular)))


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _steady_p(_: Heartbeat, values: Mapping[str, float]) -> float:
    return steady_p_probability(values["p_present_probability"], values["rr_usual_variation_ratio"])


def _paced_share(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    """Share of the beats whose QRS onset has a spike about it."""
    onsets = heartbeat.global_marks_s[:, Mark.QRS_ONSET]
    since = onsets[:, None] - heartbeat.spikes_s[None, :]
    near = (since < SPIKE_BEFORE_S) & (since > -SPIKE_AFTER_S)
    return float(near.any(axis=1).mean())


DERIVED = (
    Derived(
        "rr_unprovoked_variation_ratio", "1",
        "Standard deviation over mean of the RR intervals that no premature beat or beat of another shape bounds.",
        AF_2023, _variation,
    ),
    Derived(
        "rr_unprovoked_range_ms", "ms",
        "Longest less shortest of the RR intervals that no premature beat or beat of another shape bounds.",
        SVT_2015, _range,
    ),
    Derived(
        "p_steady_probability", "1",
        "Probability that beats have a P wave, from its size and constancy alone, as if the rhythm were regular.",
        AF_2023, _steady_p,
    ),
    Derived(
        "pacing_onset_share", "1", "Share of beats with a pacemaker spike from 60 ms before QRS onset to 40 ms after.",
        AHA_I, _paced_share,
    ),
)  # fmt: skip
