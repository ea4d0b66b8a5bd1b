"""Beats of one shape: aligned to a fraction of a sample, classed, and condensed into a median beat."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRE_S = 0.45
"""Where the median beat begins, s before its QRS complex."""
POST_S = 0.70
"""Where it ends, s after its QRS complex."""
MOST_CLASSES = 6
_HALF_S = 0.070
_SLACK_S = 0.040
_MOST_BEATS = 48
_FEW = 14


def classify_beats(
    signal: NDArray[np.float32], centres: NDArray[np.float64], *, fs: float
) -> tuple[NDArray[np.intp], Floats]:
    """Group beats by the shape of their QRS complex, and align those of one shape.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        Amplitude in mV, without wander.
    centres : ndarray, shape (n_beats,)
        Rough middle of each QRS complex, in samples.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    class_of_beat : ndarray of int, shape (n_beats,)
        0 for the commonest shape, then in order of frequency.
    aligned : ndarray of float, shape (n_beats,)
        Middle of each QRS complex in samples, such that complexes of one class lie on one another.

    Notes
    -----
    Leader clustering: the beat that resembles the others most leads; all whose correlation with the median of its
    followers exceeds 0.85 (less in noise) follow; the rest starts over. What is left after five classes is the sixth.
    """
    half, slack = round(_HALF_S * fs), round(_SLACK_S * fs)
    rough = np.round(centres).astype(np.intp)
    wide = cut(signal, rough, before=half + slack, after=half + slack)
    wide = wide - wide[:, :, slack:-slack].mean(axis=2, keepdims=True)
    class_of_beat = np.full(len(rough), -1, dtype=np.intp)
    aligned = rough.astype(float)
    for label in range(MOST_CLASSES):
        free = np.flatnonzero(class_of_beat < 0)
        if not free.size:
            break
        follows, shift = _follow(wide[free], half=half, slack=slack)
        if label == MOST_CLASSES - 1:
            follows[:] = True
        class_of_beat[free[follows]] = label
        aligned[free[follows]] += shift[follows]
    size = np.bincount(class_of_beat, minlength=class_of_beat.max() + 1)
    rank = np.argsort(np.argsort(-size, kind="stable"), kind="stable")
    return rank[class_of_beat], aligned


def median_beat(signal: NDArray[np.float32], centres: Floats, *, fs: float) -> tuple[Floats, NDArray[np.float32]]:
    """Return the median of aligned beats, and those beats.

    Parameters
    ----------
    signal : ndarray, shape (n_leads, n_samples)
        Amplitude in mV.
    centres : ndarray, shape (n_beats,)
        Middle of each QRS complex in samples, fractions allowed.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    beat : ndarray, shape (n_leads, n_window)
        From `PRE_S` before to `POST_S` after the centre, mV.
    beats : ndarray, shape (n_beats, n_leads, n_window)
        The single beats, each around its own mean level.

    Notes
    -----
    At most 48 beats, evenly spread; beats cut off by the ends of the recording count only where fewer than three are
    whole.
    """
    before, after = round(PRE_S * fs), round(POST_S * fs)
    whole = centres[(centres >= before) & (centres < signal.shape[1] - after - 1)]
    used = whole if len(whole) >= 3 else centres
    used = used[np.unique(np.linspace(0, len(used) - 1, _MOST_BEATS).round().astype(int))]
    beats = cut_between(signal, used, before=before, after=after)
    beats -= np.add.reduce(beats, axis=2, keepdims=True) / beats.shape[2]
    return _median_of_beats(beats).astype(float), beats


def scatter_about(beat: Floats, beats: NDArray[np.float32]) -> Floats:
    """Return how far single beats scatter about their median, in each lead.

    Parameters
    ----------
    beat, beats : ndarray, shape (n_leads, n_window) and (n_beats, n_leads, n_window)
        From `median_beat`, mV.

    Returns
    -------
    ndarray, shape (n_leads,)
        Robust standard deviation (1.4826 × median absolute deviation of every eighth sample), mV; NaN for one beat.
    """
    if len(beats) < 2:
        return np.full(len(beat), np.nan)
    deviation = np.abs(beats[:, :, ::8] - beat[None, :, ::8].astype(np.float32))
    scatter: Floats = 1.4826 * np.median(deviation.transpose(1, 0, 2).reshape(len(beat), -1), axis=1)
    return scatter


def _median_of_beats(beats: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median over the first axis, shape of one beat."""
    n = len(beats)
    ordered = _sort_few(beats) if n <= _FEW else np.sort(beats, axis=0)
    middle: NDArray[np.float32] = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    return middle


def _sort_few(beats: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sort along the first axis by exchanging whole neighbours (odd-even transposition): twice as fast for a few."""
    ordered = beats.copy()
    for k in range(len(beats)):
        lower, upper = ordered[k % 2 : -1 : 2], ordered[k % 2 + 1 :: 2]
        smaller = np.minimum(lower, upper)
        np.maximum(lower, upper, out=upper)
        lower[:] = smaller
    return ordered


def cut(signal: NDArray[np.float32], centres: NDArray[np.intp], *, before: int, after: int) -> NDArray[np.float32]:
    """Cut windows around samples, the ends continued level; shape (n_beats, n_leads, before + after + 1)."""
    at = np.clip(centres[:, None] + np.arange(-before, after + 1), 0, signal.shape[1] - 1)
    return signal[:, at].transpose(1, 0, 2)


def cut_between(signal: NDArray[np.float32], centres: Floats, *, before: int, after: int) -> NDArray[np.float32]:
    """Cut windows around points between samples, by straight lines; shape (n_beats, n_leads, before + after + 1)."""
    whole = np.floor(centres).astype(np.intp)
    part = (centres - whole).astype(np.float32)[:, None, None]
    wide = cut(signal, whole, before=before, after=after + 1)
    between: NDArray[np.float32] = wide[:, :, :-1] * (1 - part) + wide[:, :, 1:] * part
    return between


def correlate_shifts(wide: NDArray[np.float32], shape: NDArray[np.float32]) -> NDArray[np.float64]:
    """Correlate all leads of each window with `shape` at every shift; shape (n_beats, n_shifts)."""
    n_leads, n = shape.shape
    n_shifts = wide.shape[2] - n + 1
    # One matrix product for all shifts: column s holds `shape`, moved by s samples.
    moved = np.zeros((n_leads, wide.shape[2], n_shifts), dtype=np.float32)
    for s in range(n_shifts):
        moved[:, s : s + n, s] = shape
    flat = wide.reshape(len(wide), -1) @ moved.reshape(-1, n_shifts)
    squares = np.cumsum(np.pad((wide.astype(float) ** 2).sum(axis=1), ((0, 0), (1, 0))), axis=1)
    power = squares[:, n:] - squares[:, :-n]
    correlation: NDArray[np.float64] = flat / np.sqrt(
        np.maximum(power * float((shape.astype(float) ** 2).sum()), 1e-30)
    )
    return correlation


def best_shift(correlation: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Refine the best shift of each row by a parabola through its neighbours; the shift and its correlation."""
    rows = np.arange(len(correlation))
    k = correlation.argmax(axis=1)
    inner = np.clip(k, 1, correlation.shape[1] - 2)
    left, mid, right = (correlation[rows, inner + d] for d in (-1, 0, 1))
    bend = left - 2 * mid + right
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where((inner == k) & (bend < 0), 0.5 * (left - right) / bend, 0.0)
    return k + np.clip(part, -0.5, 0.5), correlation[rows, k]


def _follow(wide: NDArray[np.float32], *, half: int, slack: int) -> tuple[NDArray[np.bool_], Floats]:
    """Which beats resemble the leader of these, and by how many samples each must be shifted."""
    n = 2 * half + 1
    some = np.unique(np.linspace(0, len(wide) - 1, _MOST_BEATS).round().astype(int))
    narrow = wide[some, :, slack : slack + n].reshape(len(some), -1)
    unit = narrow / np.maximum(np.linalg.norm(narrow, axis=1, keepdims=True), 1e-12)
    shape = wide[some[np.median(unit @ unit.T, axis=1).argmax()], :, slack : slack + n]
    for last in (False, True):
        shift, resemblance = best_shift(correlate_shifts(wide, shape))
        limit = np.clip(np.median(resemblance) - 0.10, 0.65, 0.85)
        follows = resemblance > limit
        follows[resemblance.argmax()] = True
        if not last:
            members = np.flatnonzero(follows)[:: max(1, int(follows.sum()) // _MOST_BEATS)]
            moved = cut_rows(wide[members], np.round(shift[members]).astype(int), length=n)
            shape = _median_of_beats(moved)
    return follows, shift - slack


def cut_rows(wide: NDArray[np.float32], first: NDArray[np.intp], *, length: int) -> NDArray[np.float32]:
    """Cut `length` samples from each window, beginning at its own `first`."""
    at = first[:, None] + np.arange(length)
    return np.take_along_axis(wide, np.repeat(at[:, None, :], wide.shape[1], axis=1), axis=2)
