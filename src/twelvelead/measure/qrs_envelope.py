"""How fast all leads change together: the envelope in which QRS complexes are peaks."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel

Signal = NDArray[np.float32]
Places = NDArray[np.intp]

CLEAR = 0.38
"""A peak is clear from this share of a usual complex."""


@kernel
def qrs_band(x: Signal, sd: float, half: int) -> Signal:
    """Smooth with a Gaussian, keep every second sample, and take away the slow part."""
    n, n_leads = x.shape
    padded = np.empty((n + 10) * n_leads, dtype=np.float32)
    padded[5 * n_leads : (n + 5) * n_leads] = x.ravel()
    for t in range(5):
        padded[t * n_leads : (t + 1) * n_leads] = x[0]
        padded[(n + 5 + t) * n_leads : (n + 6 + t) * n_leads] = x[n - 1]
    w = np.exp(-0.5 * (np.arange(6) / sd) ** 2)
    w /= 2 * w.sum() - w[0]
    smooth = np.float32(w[0]) * padded[5 * n_leads : (n + 5) * n_leads]
    for j in range(1, 6):  # all times and leads in one long loop per tap: short inner loops cost more
        tap = np.float32(w[j])
        early, late = padded[(5 - j) * n_leads :], padded[(5 + j) * n_leads :]
        for i in range(n * n_leads):
            smooth[i] += tap * (early[i] + late[i])
    low = np.empty(((n + 1) // 2, n_leads), dtype=np.float32)
    for t in range(len(low)):
        for k in range(n_leads):
            low[t, k] = smooth[2 * t * n_leads + k]
    low -= mean_around(mean_around(low, half), half)
    return low


@kernel
def qrs_envelope(q: Signal, chunk: int, half: int) -> tuple[Signal, Signal]:
    """Speed of all leads in units of a usual complex, and its background at each time."""
    n, n_leads = q.shape
    speed = _speed(q, half)
    background, height = usual_size(speed, chunk), _usual_height(speed, chunk)
    n_chunks = len(height)
    by_lead, total = speed.T.copy(), np.zeros(n, dtype=np.float32)
    weight, most = np.empty(n_leads, dtype=np.float32), np.empty(n_leads, dtype=np.float32)
    for c in range(n_chunks):
        for k in range(n_leads):
            contrast = min(height[c, k] / max(background[c, k], np.float32(1e-9)), np.float32(12.0))
            weight[k] = contrast**2 if height[c, k] > 1e-6 else 0.0
            most[k] = np.float32(1.1) * height[c, k]
        weight /= max(weight.sum(), np.float32(1e-30))
        for k in range(n_leads):
            weight[k] /= max(height[c, k], np.float32(1e-6))
        first, last = c * chunk, n if c == n_chunks - 1 else (c + 1) * chunk
        piece = total[first:last]
        for k in range(n_leads):
            own = by_lead[k, first:last]
            for t in range(len(piece)):
                piece[t] += weight[k] * min(own[t], most[k])
    envelope = total.reshape(n, 1)
    return total, spread_chunks(usual_size(envelope, chunk), n, chunk)


@kernel
def _speed(q: Signal, half: int) -> Signal:
    """Root mean square over ±`half` samples of the change of each lead."""
    n, n_leads = q.shape
    speed = np.zeros((n, n_leads), dtype=np.float32)
    for t in range(1, n - 1):
        for k in range(n_leads):
            change = q[t + 1, k] - q[t - 1, k]
            speed[t, k] = change * change
    return np.sqrt(np.maximum(mean_around(speed, half), np.float32(0)))


@kernel
def _usual_height(x: Signal, chunk: int) -> Signal:
    """Median over about 10 s of the maxima of the chunks; shape (n_chunks, n_leads)."""
    n, n_leads = x.shape
    n_chunks = max(1, n // chunk)
    top = np.zeros((n_chunks, n_leads), dtype=np.float32)
    for c in range(n_chunks):
        for t in range(c * chunk, n if c == n_chunks - 1 else (c + 1) * chunk):
            for k in range(n_leads):
                top[c, k] = max(top[c, k], x[t, k])
    return _around(top, 2 if n_chunks > 7 else 7)


@kernel
def clear_peaks(envelope: Signal, distance: int, t_wave: int) -> Places:
    """High peaks, without those that follow one twice as high as a T wave does."""
    peaks = find_peaks(envelope, CLEAR, distance)
    m = 0
    for p in peaks:
        if m == 0 or p - peaks[m - 1] >= t_wave or envelope[p] >= 0.5 * envelope[peaks[m - 1]]:
            peaks[m] = p
            m += 1
    return peaks[:m]


@kernel
def find_peaks(x: Signal, least: float, distance: int) -> Places:
    """Find samples that none within `distance` exceeds; of equal ones the first."""
    n = len(x)
    out = np.empty(n, dtype=np.intp)
    m = 0
    for t in range(n):
        if x[t] < least:
            continue
        highest = True
        for i in range(max(0, t - distance), min(n, t + distance + 1)):
            if x[i] > x[t] or (x[i] == x[t] and i < t):
                highest = False
                break
        if highest:
            out[m] = t
            m += 1
    return out[:m]


@kernel
def best_near(x: Signal, at: Places, reach: int) -> Signal:
    """Largest value within `reach` of each place."""
    out = np.empty(len(at), dtype=np.float32)
    for i in range(len(at)):
        top = x[at[i]]
        for t in range(max(0, at[i] - reach), min(len(x), at[i] + reach + 1)):
            top = max(top, x[t])
        out[i] = top
    return out


@kernel
def mean_around(x: Signal, half: int) -> Signal:
    """Mean over `half` samples on both sides, of fewer at the ends."""
    n, n_leads = x.shape
    total = np.zeros((n + 1, n_leads))
    for t in range(n):
        for k in range(n_leads):
            total[t + 1, k] = total[t, k] + x[t, k]
    out = np.empty((n, n_leads), dtype=np.float32)
    for t in range(n):
        first, last = max(t - half, 0), min(t + half + 1, n)
        share = 1.0 / (last - first)
        for k in range(n_leads):
            out[t, k] = share * (total[last, k] - total[first, k])
    return out


@kernel
def usual_size(x: Signal, chunk: int) -> Signal:
    """Median size per chunk and lead, from about 40 samples, and of three chunks the middle one."""
    n, n_leads = x.shape
    n_chunks = max(1, n // chunk)
    out = np.empty((n_chunks, n_leads), dtype=np.float32)
    step = max(1, chunk // 40)
    some = np.empty(2 * chunk // step + 2, dtype=np.float32)
    for c in range(n_chunks):
        last = n if c == n_chunks - 1 else (c + 1) * chunk
        for k in range(n_leads):
            m = 0
            for t in range(c * chunk, last, step):
                some[m] = abs(x[t, k])
                m += 1
            out[c, k] = middle_of(some[:m])
    return _around(out, 1)


@kernel
def _around(x: Signal, reach: int) -> Signal:
    """Take the running median over the chunks, per lead."""
    n_chunks, n_leads = x.shape
    out = np.empty((n_chunks, n_leads), dtype=np.float32)
    for c in range(n_chunks):
        for k in range(n_leads):
            out[c, k] = middle_of(x[max(0, c - reach) : c + reach + 1, k].copy())
    return out


@kernel
def spread_chunks(per_chunk: Signal, n: int, chunk: int) -> Signal:
    """Give every sample the value of its chunk."""
    out = np.empty(n, dtype=np.float32)
    for c in range(len(per_chunk)):
        out[c * chunk : n if c == len(per_chunk) - 1 else (c + 1) * chunk] = per_chunk[c, 0]
    return out


@kernel
def middle_of(values: Signal) -> float:
    """Median of a few values, which it sorts in place."""
    n = len(values)
    for i in range(1, n):
        value = values[i]
        j = i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
    return 0.5 * float(values[(n - 1) // 2] + values[n // 2])
