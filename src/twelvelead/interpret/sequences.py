"""What the order of the beats shows: premature beats and how wide they are, and intervals that are too long."""

import math
from bisect import insort
from collections.abc import Mapping
from statistics import median

import numpy as np
from numpy.typing import NDArray

from twelvelead.interpret.derivation import Derived
from twelvelead.interpret.proof import Span
from twelvelead.interpret.qrs_extent import extent_s
from twelvelead.measure import Heartbeat
from twelvelead.measure.rhythm import premature, rr_intervals

Floats = NDArray[np.float64]

AHA_II = "doi:10.1161/CIRCULATIONAHA.106.180201"
BRADYCARDIA = "doi:10.1161/CIR.0000000000000628"

SLIGHTLY_EARLY = 0.9
"""A beat of another shape counts as premature from an RR interval of 0.9 of the median on; others from 0.8."""


def premature_beats(heartbeat: Heartbeat) -> tuple[int, ...]:
    """Give the beats that come too early.

    Parameters
    ----------
    heartbeat : Heartbeat
        The beats.

    Returns
    -------
    tuple of int
        From 0. Their RR interval is under 0.8 of the median of nine around, or under 0.9 of the recording's median in a
        beat of another shape than the usual one. What follows a premature beat of another shape at once and has the
        usual shape is the rhythm going on, unless it is early itself.
    """
    rr = rr_intervals(heartbeat.times_s)
    if not rr.size:
        return ()
    other = heartbeat.shape_class[1:] > 0
    early = premature(rr) | (other & (rr < SLIGHTLY_EARLY * np.median(rr)))
    return tuple((np.flatnonzero(early) + 1).tolist())


def qrs_extent_ms(heartbeat: Heartbeat, beat: int) -> float:
    """Give the QRS duration of one beat over all leads, ms; NaN where it was not marked."""
    start, end = extent_s(heartbeat, beat)
    return 1000.0 * (end - start)


def long_intervals(times_s: Floats) -> Floats:
    """Compare each RR interval with those before it.

    Parameters
    ----------
    times_s : ndarray, shape (n_beats,)
        Times of the beats, s.

    Returns
    -------
    ndarray, shape (n_beats − 1,)
        Each interval over the median of all before it; NaN for the first.

    Examples
    --------
    >>> long_intervals(np.array([0.0, 0.8, 1.6, 3.2])).round(3).tolist()
    [nan, 1.0, 2.0]
    """
    ratios, before = [], list[float]()
    for rr in rr_intervals(times_s).tolist():
        ratios.append(rr / median(before) if before else math.nan)
        insort(before, rr)
    return np.array(ratios)


def longest_interval(heartbeat: Heartbeat) -> int | None:
    """Give the beat that begins the RR interval that most exceeds those before it; None of fewer than three beats."""
    ratios = long_intervals(heartbeat.times_s)
    return int(np.nanargmax(ratios)) if ratios.size > 1 else None


def _count(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    return float(len(premature_beats(heartbeat))) if heartbeat.times_s.size > 2 else math.nan


def _widths(heartbeat: Heartbeat) -> list[float]:
    widths = [qrs_extent_ms(heartbeat, beat) for beat in premature_beats(heartbeat)]
    return [width for width in widths if math.isfinite(width)]


def _widest(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    return max(_widths(heartbeat), default=math.nan)


def _narrowest(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    return min(_widths(heartbeat), default=math.nan)


def _longest(heartbeat: Heartbeat, _: Mapping[str, float]) -> float:
    beat = longest_interval(heartbeat)
    return math.nan if beat is None else float(long_intervals(heartbeat.times_s)[beat])


def _early_spans(heartbeat: Heartbeat) -> tuple[Span, ...]:
    ends = [(beat, *extent_s(heartbeat, beat)) for beat in premature_beats(heartbeat)]
    return tuple(Span(None, start, end, "QRS", beat) for beat, start, end in ends if start < end)


def _long_span(heartbeat: Heartbeat) -> tuple[Span, ...]:
    beat = longest_interval(heartbeat)
    if beat is None:
        return ()
    return (Span(None, float(heartbeat.times_s[beat]), float(heartbeat.times_s[beat + 1]), "RR", beat),)


DERIVED: tuple[Derived, ...] = (
    Derived("premature_beat_count", "1", "Beats whose RR interval is under 0.8 of the median around, 0.9 if they have "
            "another shape.", AHA_II, _count, _early_spans),
    Derived("premature_qrs_widest_ms", "ms", "Longest QRS duration of the premature beats, over all leads.", AHA_II,
            _widest, _early_spans),
    Derived("premature_qrs_narrowest_ms", "ms", "Shortest QRS duration of the premature beats, over all leads.", AHA_II,
            _narrowest, _early_spans),
    Derived("rr_longest_to_preceding_ratio", "1", "Longest RR interval in comparison with the median of those before.",
            BRADYCARDIA, _longest, _long_span),
)  # fmt: skip
