"""Beats of one shape: aligned to a fraction of a sample, classed, and condensed into a median beat."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]
Places = NDArray[np.intp]

PRE_S = 0.45
"""Where the median beat begins, s before the middle of its QRS complex."""
POST_S = 0.70
"""Where it ends, s after it."""
MOST_CLASSES = 6
MOST_BEATS = 24
"""From so many beats, evenly spread, a median beat is made."""

_RIVAL = 0.75  # of the size of the largest class
_HALF_S = 0.070
_SLACK_S = 0.040
_PIECE = 96  # numbers that are sorted beside one another: a few vector registers


def classify_beats(smooth: Signal, centres: Floats, *, fs: float) -> tuple[Places, Floats]:
    """Group beats by the shape of their QRS complex, and align those of one shape.

    Parameters
    ----------
    smooth : ndarray of float32, shape (n_samples, n_leads)
        Amplitude in mV, without wander, to about 40 Hz.
    centres : ndarray, shape (n_beats,)
        Rough middle of each QRS complex, in samples; at least one beat.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    class_of_beat : ndarray of int, shape (n_beats,)
        0 for the commonest shape, then in order of frequency. Of two shapes nearly as common, as in bigeminy, 0 is the
        one that comes later after the beat before it.
    aligned : ndarray of float, shape (n_beats,)
        Middle of each QRS complex in samples, such that complexes of one class lie on one another.

    Notes
    -----
    Leader clustering: the beat that resembles the others most leads; all whose correlation with the median of its
    followers exceeds 0.85 (less in noise) follow; the rest starts over. What is left after five classes is the sixth.
    """
    half, slack = round(_HALF_S * fs), round(_SLACK_S * fs)
    rough = np.round(centres).astype(np.intp)
    wide = cut(smooth, (rough - half - slack).astype(float), 2 * (half + slack) + 1)
    centre(wide, slack, 2 * half + 1)
    label, shift = _cluster(wide, 2 * half + 1, MOST_CLASSES)
    size = _favour_timely(np.bincount(label).astype(float), label, centres)
    rank = np.argsort(np.argsort(-size, kind="stable"), kind="stable")
    return rank[label], rough + shift - slack


def _favour_timely(size: Floats, label: Places, centres: Floats) -> Floats:
    """Count the shape whose beats come latest after their neighbours as the commonest, if it is nearly that."""
    rivals = np.flatnonzero(size >= _RIVAL * size.max())
    if len(rivals) > 1:
        wait = np.diff(centres)
        usual = [np.median(wait[label[1:] == k]) if (label[1:] == k).any() else 0.0 for k in rivals]
        size[rivals[int(np.argmax(usual))]] = size.max() + 0.5
    return size


def median_beat(whole: Signal, centres: Floats, *, fs: float) -> tuple[Signal, Floats]:
    """Return the median of aligned beats, and how far single beats scatter about it.

    Parameters
    ----------
    whole : ndarray of float32, shape (n_samples, n_leads)
        Amplitude in mV.
    centres : ndarray, shape (n_beats,)
        Middle of each QRS complex in samples, fractions allowed.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    beat : ndarray of float32, shape (n_leads, n_window)
        From `PRE_S` before to `POST_S` after the centre, mV, each beat counted from its own mean level.
    scatter : ndarray, shape (n_leads,)
        Robust standard deviation of single beats about it: their interquartile range over 1.349, mean over the window,
        mV; NaN for one beat.

    Notes
    -----
    Beats cut off by the ends of the recording count only where fewer than three are whole.
    """
    before, after = round(PRE_S * fs), round(POST_S * fs)
    whole_ones = centres[(centres >= before) & (centres < len(whole) - after - 1)]
    used = whole_ones if len(whole_ones) >= 3 else centres
    if len(used) > MOST_BEATS:
        used = used[np.linspace(0, len(used) - 1, MOST_BEATS).round().astype(int)]
    beats = cut(whole, used - before, before + after + 1)
    centre(beats, 0, before + after + 1)
    return _median(beats)


@kernel
def cut(x: Signal, first: Floats, length: int) -> Signal:
    """Cut windows, the ends continued level; those that begin between samples by straight lines.

    Parameters
    ----------
    x : ndarray of float32, shape (n_samples, n_leads)
        A signal.
    first : ndarray, shape (n_windows,)
        Where each begins, in samples.
    length : int
        Samples of each.

    Returns
    -------
    ndarray of float32, shape (n_windows, n_leads, length)
        Lead by lead, so that one instruction serves several samples.
    """
    n, n_leads = x.shape
    out = np.empty((len(first), n_leads, length), dtype=np.float32)
    for b in range(len(first)):
        whole = int(np.floor(first[b]))
        part = np.float32(first[b] - whole)
        for j in range(length):
            s, t = min(max(whole + j, 0), n - 1), min(max(whole + j + 1, 0), n - 1)
            for k in range(n_leads):
                out[b, k, j] = x[s, k] + part * (x[t, k] - x[s, k])
    return out


@kernel
def centre(windows: Signal, first: int, length: int) -> None:
    """Take from each window and lead its mean over `length` samples from `first` on, in place."""
    share = np.float32(1) / np.float32(length)
    for b in range(windows.shape[0]):
        for k in range(windows.shape[1]):
            lead = windows[b, k]
            level = share * _sum(lead[first : first + length])
            for j in range(len(lead)):
                lead[j] -= level


@kernel
def _sum(x: Signal) -> np.float32:
    """Sum of samples, in eight sums beside one another, none of which waits for the last."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = np.float32(0)
    rest = len(x) % 8
    for j in range(0, len(x) - rest, 8):
        a0, a1, a2, a3 = a0 + x[j], a1 + x[j + 1], a2 + x[j + 2], a3 + x[j + 3]
        a4, a5, a6, a7 = a4 + x[j + 4], a5 + x[j + 5], a6 + x[j + 6], a7 + x[j + 7]
    for j in range(len(x) - rest, len(x)):
        a0 += x[j]
    return ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7))


@kernel
def _median(beats: Signal) -> tuple[Signal, Floats]:
    """Median over the beats, and the mean interquartile range of each lead as a standard deviation."""
    n, n_leads, length = beats.shape
    flat = beats.reshape(n, -1)
    middle = np.empty(flat.shape[1], dtype=np.float32)
    spread = np.zeros(n_leads) if n > 1 else np.full(n_leads, np.nan)
    piece = np.empty((n, _PIECE), dtype=np.float32)
    quarter = 0.25 * (n - 1)
    q, part = int(quarter), np.float32(quarter - int(quarter))
    share = 1 / (1.349 * length)
    for first in range(0, len(middle), _PIECE):
        m = min(_PIECE, len(middle) - first)
        piece[:, :m] = flat[:, first : first + m]
        _sort(piece)
        for k in range(m):
            middle[first + k] = np.float32(0.5) * (piece[(n - 1) // 2, k] + piece[n // 2, k])
        if n > 1:
            for k in range(m):
                low = piece[q, k] + part * (piece[q + 1, k] - piece[q, k])
                high = piece[n - 1 - q, k] - part * (piece[n - 1 - q, k] - piece[n - 2 - q, k])
                spread[(first + k) // length] += share * (high - low)
    return middle.reshape(n_leads, length), spread


@kernel
def _sort(rows: Signal) -> None:
    """Sort along the first axis in place by exchanging neighbours (odd-even transposition).

    That takes n² / 2 steps, but each serves a whole row at once.
    """
    n, m = rows.shape
    for turn in range(n):
        for b in range(turn % 2, n - 1, 2):
            for k in range(m):
                lower, upper = rows[b, k], rows[b + 1, k]
                rows[b, k], rows[b + 1, k] = min(lower, upper), max(lower, upper)


@kernel
def _cluster(wide: Signal, length: int, most: int) -> tuple[Places, Floats]:
    """Class of each window's middle part of `length` samples, and the first sample at which it fits its class."""
    n = len(wide)
    label, shift = np.full(n, -1, dtype=np.intp), np.zeros(n)
    for c in range(most):
        free = np.flatnonzero(label < 0)
        if len(free) == 0:
            break
        fits, at = _follow(wide, free, length)
        for i in range(len(free)):
            if fits[i] or c == most - 1:
                label[free[i]], shift[free[i]] = c, at[i]
    return label, shift


@kernel
def _follow(wide: Signal, free: Places, length: int) -> tuple[NDArray[np.bool_], Floats]:
    """Which of these windows resemble their leader, and the first sample at which each does."""
    slack = (wide.shape[2] - length) // 2
    some = free[:: (len(free) + MOST_BEATS - 1) // MOST_BEATS]
    leader = some[_leader(wide, some, slack, length)]
    at, alike = fit(wide, free, wide[leader, :, slack : slack + length].copy())
    members = _alike(alike)
    at, alike = fit(wide, free, _median_shape(wide, free[members], at[members], length))
    return _alike(alike), at


@kernel
def _alike(resemblance: Floats) -> NDArray[np.bool_]:
    """Which windows resemble the shape about as much as its own do; always the one that does so most.

    Its own are taken to be a quarter of all: with two shapes equally common, as in bigeminy, half would lie between.
    """
    usual = np.sort(resemblance)[(3 * len(resemblance)) // 4]
    limit = min(max(usual - 0.10, 0.65), 0.85)
    follows: NDArray[np.bool_] = resemblance > limit
    follows[resemblance.argmax()] = True
    return follows


@kernel
def _leader(wide: Signal, some: Places, slack: int, length: int) -> int:
    """Which of some windows has in its middle part the highest median correlation with the others."""
    m, n_leads = len(some), wide.shape[1]
    product = np.zeros((m, m), dtype=np.float32)
    column = np.empty(m, dtype=np.float32)
    for k in range(n_leads):
        for j in range(slack, slack + length):
            for i in range(m):
                column[i] = wide[some[i], k, j]
            for i in range(m):
                for h in range(m):
                    product[i, h] += column[i] * column[h]
    best, leader = -np.inf, 0
    size = np.sqrt(np.maximum(np.diag(product), np.float32(1e-30)))
    for i in range(m):
        usual = np.median(product[i] / size) / size[i]
        if usual > best:
            best, leader = usual, i
    return leader


@kernel
def _median_shape(wide: Signal, rows: Places, at: Floats, length: int) -> Signal:
    """Median of windows, each from its own sample on; shape (n_leads, length)."""
    step = (len(rows) + MOST_BEATS - 1) // MOST_BEATS
    some = np.empty(((len(rows) + step - 1) // step, wide.shape[1], length), dtype=np.float32)
    for i in range(len(some)):
        first = int(np.round(at[i * step]))
        some[i] = wide[rows[i * step], :, first : first + length]
    return _median(some)[0]


@kernel
def fit(wide: Signal, rows: Places, shape: Signal) -> tuple[Floats, Floats]:
    """Find where in each of some windows a shape fits best.

    Parameters
    ----------
    wide : ndarray of float32, shape (n_windows, n_leads, n_samples)
        The windows.
    rows : ndarray of int, shape (n,)
        Those to look at.
    shape : ndarray of float32, shape (n_leads, length)
        No longer than the windows.

    Returns
    -------
    first, correlation : ndarray, shape (n,)
        Sample of the window, between samples, on which the first of the shape lies, and the correlation there.
    """
    n_leads, length = shape.shape
    n_shifts = wide.shape[2] - length + 1
    norm = np.float64((shape * shape).sum())
    at, alike = np.empty(len(rows)), np.empty(len(rows))
    product, square = np.empty(n_shifts, dtype=np.float32), np.empty(wide.shape[2], dtype=np.float32)
    correlation = np.empty(n_shifts)
    for i in range(len(rows)):
        product[:], square[:] = 0, 0
        for k in range(n_leads):
            lead = wide[rows[i], k]
            for j in range(length):
                weight, part = shape[k, j], lead[j : j + n_shifts]
                for s in range(n_shifts):  # all shifts at once: no sum is waited for
                    product[s] += weight * part[s]
            for j in range(len(square)):
                square[j] += lead[j] * lead[j]
        power = np.float64(square[: length - 1].sum())
        for s in range(n_shifts):
            power += square[s + length - 1]
            correlation[s] = product[s] / np.sqrt(max(power * norm, 1e-30))
            power -= square[s]
        at[i], alike[i] = _between(correlation)
    return at, alike


@kernel
def _between(correlation: Floats) -> tuple[float, float]:
    """Place of the largest value, refined by a parabola through its neighbours, and that value."""
    s = correlation.argmax()
    place = float(s)
    if 0 < s < len(correlation) - 1:
        left, mid, right = correlation[s - 1], correlation[s], correlation[s + 1]
        bend = left - 2 * mid + right
        if bend < 0:
            place += min(max(0.5 * (left - right) / bend, -0.5), 0.5)
    return place, correlation[s]
