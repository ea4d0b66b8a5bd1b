"""Spikes of a cardiac pacemaker: found on the raw signal, and taken out before anything else is measured."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel

Signal = NDArray[np.float32]
Places = NDArray[np.intp]

LOWEST_RATE_HZ = 240.0
LEAST_COUNT = 3
"""Fewer spikes than this are artefacts: one recording in thirty has one or two without a pacemaker."""

# Least height of a leap in mV, and how much the leads may move before it, or go on rising behind it, as a share of it.
_STRICT = np.float32(0.12), np.float32(0.25)
_LENIENT = np.float32(0.06), np.float32(0.45)
_MOST_LEADS = 3
_RISE_S = 0.004
_STILL_S, _OVER_S = 0.030, 0.008
_MERGE_S = 0.03
_MOST_PER_S = 5  # more is noise, not a pacemaker
_BLOCK = 16  # samples that are looked at together for anything steep

_AHEAD_S, _BEHIND_S = 0.002, 0.010
_LONGEST_S = 0.040
_HELD_MV = np.float32(0.1)


def find_spikes(samples: Signal, *, fs: float) -> Places:
    """Find pacemaker spikes: three or more leaps out of stillness, each in three leads at once.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_samples, n_leads)
        Raw amplitude in mV, no missing samples, in one piece.
    fs : float
        Sampling frequency in Hz. Below 240 Hz spikes are not to be told from R waves, and none is reported.

    Returns
    -------
    ndarray of int, shape (n_spikes,)
        Number of the last sample before each spike.

    Notes
    -----
    A leap is over within 4 ms, follows 30 ms in which the leads together hardly move, and does not go on for 8 ms
    behind it: a QRS complex begins slower, and goes on. Whether the signal then falls back, fades, or is held level by
    the recorder does not matter. A recorder that holds its signal within a QRS complex makes no such leap, for the
    leads have moved before. Where there are three leaps of 0.12 mV, those of half that height count, too.

    Examples
    --------
    >>> x = np.zeros((2500, 2), dtype=np.float32)
    >>> x[[250, 750, 1250]] = 1.0
    >>> find_spikes(x, fs=500).tolist()
    [249, 749, 1249]
    """
    spans = round(_STILL_S * fs), max(1, round(_RISE_S * fs)), round(_OVER_S * fs), round(_MERGE_S * fs)
    none: Places = np.empty(0, dtype=np.intp)
    if fs < LOWEST_RATE_HZ or len(samples) <= sum(spans):
        return none
    if len(_leaps(samples, _STRICT, _enough(samples), spans)) < LEAST_COUNT:
        return none
    spikes: Places = _leaps(samples, _LENIENT, _enough(samples), spans)
    return spikes if len(spikes) <= _MOST_PER_S * len(samples) / fs else none


def remove_spikes(samples: Signal, spikes: Places, *, fs: float) -> Signal:
    """Put a straight line in the place of each spike: over 10 ms, or until a recorder that held it lets it fall.

    Parameters
    ----------
    samples : ndarray of float32, shape (n_samples, n_leads)
        Raw amplitude in mV.
    spikes : ndarray of int, shape (n_spikes,)
        From `find_spikes`.
    fs : float
        Sampling frequency in Hz.

    Returns
    -------
    ndarray of float32, shape (n_samples, n_leads)
        A copy without spikes; `samples` itself where there are none.
    """
    if not spikes.size:
        return samples
    out = samples.copy()
    spans = max(1, round(_AHEAD_S * fs)), round(_BEHIND_S * fs), round(_LONGEST_S * fs)
    _bridge(out, spikes, _enough(samples), spans)
    return out


def _enough(samples: Signal) -> int:
    """Leads in which a spike must be seen."""
    n_leads: int = samples.shape[1]
    return min(_MOST_LEADS, n_leads)


@kernel
def _leaps(x: Signal, limits: tuple[np.float32, np.float32], needed: int, spans: tuple[int, int, int, int]) -> Places:
    """Find the samples before leaps in `needed` leads; of neighbours the highest, of others nearby the first."""
    still, rise, over, merge = spans
    least, aside = limits
    n, n_leads = x.shape
    found = np.empty(n, dtype=np.intp)
    count, last, highest = 0, -merge - 1, np.float32(0)
    flat = x.reshape(n * n_leads)
    step = least / np.float32(rise)
    for start in range(still, n - rise - over, _BLOCK):
        stop = min(start + _BLOCK, n - rise - over)
        # Most of a recording is nowhere steep, which one pass over all leads' samples tells.
        here, next_ = flat[start * n_leads : stop * n_leads], flat[(start + 1) * n_leads : (stop + 1) * n_leads]
        if _count_steps(here, next_, step) < needed:
            continue
        for t in range(start, stop):
            for r in range(1, rise + 1):
                if _count_steps(x[t], x[t + r], least) < needed:
                    continue
                height = _moved(x, t, t + r)
                known = t - last <= merge
                if known and (t - last > rise or height < highest):
                    continue
                if _is_leap(x, (t, t + r), aside * height, (still, over)):
                    count += not known
                    found[count - 1] = last = t
                    highest = height
    return found[:count].copy()


@kernel
def _count_steps(here: Signal, there: Signal, least: np.float32) -> np.int32:
    """Count the values that differ by `least` or more."""
    count = np.int32(0)
    for i in range(len(here)):
        count += np.int32(abs(there[i] - here[i]) >= least)
    return count


@kernel
def _moved(x: Signal, a: int, b: int) -> np.float32:
    """Sum over the leads of how far each is at b from where it was at a, mV."""
    total = np.float32(0)
    for k in range(x.shape[1]):
        total += abs(x[b, k] - x[a, k])
    return total


@kernel
def _is_leap(x: Signal, ends: tuple[int, int], limit: np.float32, spans: tuple[int, int]) -> bool:
    """Whether the leads together are still before the leap, and do not go on rising behind it, but for `limit` mV."""
    a, b = ends
    for j in range(1, spans[0] + 1):
        if _moved(x, a - j, a) > limit:
            return False
    farthest = _moved(x, a, b) + limit
    j = 1
    while j <= spans[1] and _moved(x, a, b + j) <= farthest:
        j += 1
    return j > spans[1]


@kernel
def _bridge(x: Signal, spikes: Places, needed: int, spans: tuple[int, int, int]) -> None:
    """Put straight lines in the place of spikes, in `x` itself."""
    ahead, behind, longest = spans
    n, n_leads = x.shape
    for spike in spikes:
        first = max(spike - ahead, 0)
        last = max(_last_fall(x, spike, min(spike + longest, n - 2), needed), min(spike + behind, n - 1))
        for k in range(n_leads):
            rise = (x[last, k] - x[first, k]) / np.float32(last - first)
            for i in range(first + 1, last):
                x[i, k] = x[first, k] + rise * np.float32(i - first)


@kernel
def _last_fall(x: Signal, spike: int, far: int, needed: int) -> int:
    """Sample behind the last fall of `needed` leads from where they leapt to; the spike itself where there is none."""
    last = spike
    for t in range(spike + 2, far):
        falls = 0
        for k in range(x.shape[1]):
            leap = x[spike + 2, k] - x[spike, k]
            held = abs(leap) >= _HELD_MV and abs(x[t, k] - x[spike + 2, k]) <= abs(leap) / 4
            falls += held and (x[t, k] - x[t + 1, k]) * np.sign(leap) > abs(leap) / 3
        if falls >= needed:
            last = t + 1
    return last
