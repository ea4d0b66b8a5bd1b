"""Matched filters: how large a typical QRS complex is at each time, and how like one it is."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.qrs_envelope import best_near, mean_around, middle_of, spread_chunks, usual_size
from twelvelead.signal.kernel import kernel

Signal = NDArray[np.float32]
Places = NDArray[np.intp]

_UNLIKE = 0.7
_SHAPES = 3
_MOST_BEATS = 15


def match_shapes(q: Signal, clear: Places, *, chunk: int, half: int) -> Signal:
    """Match with up to three templates, at each time the one that fits best; rows amplitude, likeness, noise."""
    match = _match(q, _template(q, clear, half), chunk)
    for _ in range(_SHAPES - 1):
        unlike = clear[best_near(match[1], clear, half // 2 + 1) < _UNLIKE]
        if len(unlike) < max(3, 0.05 * len(clear)):
            break
        other = _match(q, _template(q, unlike, half), chunk)
        match[:2] = np.where(other[1] > match[1], other[:2], match[:2])
    return match


@kernel
def _match(q: Signal, template: Signal, chunk: int) -> Signal:
    """Match with a template over all leads, each weighted by how quiet it is here.

    Rows: the size of the template, its correlation with the leads, and the noise of the first.
    """
    n, n_leads = q.shape
    width = len(template)
    projection, norm = _projections(q, template)
    spread = usual_size(projection, chunk)
    n_chunks = len(spread)
    out = np.empty((3, n), dtype=np.float32)
    amplitude, power = np.zeros((n, 1), dtype=np.float32), np.zeros((n, 1), dtype=np.float32)
    sizes, leads = projection.T.copy(), q.T.copy()
    weight, share, most = np.empty((3, n_leads), dtype=np.float32)
    for c in range(n_chunks):
        for k in range(n_leads):
            noise = max(spread[c, k] / np.float32(0.6745), np.float32(0.08))
            most[k] = np.float32(1.1) + 2 * noise
            weight[k] = 1 / noise**2 if norm[k] > 1e-9 else 0.0
        weight /= max(weight.sum(), np.float32(1e-30))
        for k in range(n_leads):
            share[k] = weight[k] / max(norm[k], np.float32(1e-9))
        first, last = c * chunk, n if c == n_chunks - 1 else (c + 1) * chunk
        a, p = amplitude[first:last, 0], power[first:last, 0]
        for k in range(n_leads):
            own, voltage = sizes[k, first:last], leads[k, first:last]
            for t in range(len(own)):
                a[t] += weight[k] * max(min(own[t], most[k]), -most[k])
                p[t] += share[k] * voltage[t] * voltage[t]
    power = mean_around(power, width // 2)
    out[0] = amplitude[:, 0]
    out[1] = out[0] / np.sqrt(np.maximum(np.float32(width) * power[:, 0], np.float32(1e-12)))
    out[2] = spread_chunks(usual_size(amplitude, chunk), n, chunk) / np.float32(0.6745)
    return out


@kernel
def _projections(q: Signal, template: Signal) -> tuple[Signal, Signal]:
    """Size of the template in each lead at each time, the template's own being 1; and its energy per lead."""
    n, n_leads = q.shape
    width = len(template)
    half = width // 2
    norm = np.zeros(n_leads, dtype=np.float32)
    for j in range(width):
        for k in range(n_leads):
            norm[k] += template[j, k] ** 2
    block = 16  # rows at a time, so that the inner loop is long whatever the number of leads
    taps = np.empty((width, block * n_leads), dtype=np.float32)
    for j in range(width):
        for i in range(block * n_leads):
            taps[j, i] = template[j, i % n_leads] / max(norm[i % n_leads], np.float32(1e-9))
    padded = np.zeros((n + width + block) * n_leads, dtype=np.float32)
    padded[half * n_leads : (half + n) * n_leads] = q.ravel()
    out = np.zeros((n + block) * n_leads, dtype=np.float32)
    for first in range(0, n, block):
        rows = out[first * n_leads : (first + block) * n_leads]
        for j in range(width):
            tap, shifted = taps[j], padded[(first + j) * n_leads : (first + j + block) * n_leads]
            for i in range(block * n_leads):
                rows[i] += tap[i] * shifted[i]
    return out[: n * n_leads].reshape(n, n_leads), norm


@kernel
def _template(q: Signal, clear: Places, half: int) -> Signal:
    """Median of up to 15 complexes, each shifted to fit the one that resembles the others most."""
    n, n_leads = q.shape
    m, reach, size = min(len(clear), _MOST_BEATS), 2 * half, (2 * half + 1) * n_leads
    cut = np.zeros((m, (2 * reach + 1) * n_leads), dtype=np.float32)
    for b in range(m):
        first = clear[(b * len(clear)) // m] - reach
        for j in range(max(0, -first), min(2 * reach + 1, n - first)):
            for k in range(n_leads):
                cut[b, j * n_leads + k] = q[first + j, k]
    model = _most_typical(cut[:, half * n_leads : half * n_leads + size].copy(), n_leads)
    shifted = np.empty((size, m), dtype=np.float32)
    for b in range(m):
        best, lag = np.float32(-np.inf), 0
        for s in range(2 * half + 1):
            fit = np.float32(0)
            for i in range(size):
                fit += cut[b, s * n_leads + i] * model[i]
            if fit > best:
                best, lag = fit, s
        shifted[:, b] = cut[b, lag * n_leads : lag * n_leads + size]
    out = np.empty((2 * half + 1, n_leads), dtype=np.float32)
    for i in range(size):
        out[i // n_leads, i % n_leads] = middle_of(shifted[i])
    return out


@kernel
def _most_typical(beats: Signal, n_leads: int) -> Signal:
    """Of complexes, the one whose median correlation with all is highest; leads scaled to count alike.

    The result is scaled twice, ready for products with complexes that are not.
    """
    m, size = beats.shape
    scale = np.empty(size, dtype=np.float32)
    for k in range(n_leads):
        scale[k::n_leads] = 1 / max(np.abs(beats[:, k::n_leads]).sum(), np.float32(1e-9))
    unit = beats * scale
    for b in range(m):
        unit[b] /= np.sqrt(max((unit[b] ** 2).sum(), np.float32(1e-20)))
    likeness = np.empty((m, m), dtype=np.float32)
    for a in range(m):
        for b in range(a + 1):
            likeness[a, b] = (unit[a] * unit[b]).sum()
            likeness[b, a] = likeness[a, b]
    medoid, most = 0, -2.0
    for a in range(m):
        typical = middle_of(likeness[a])
        if typical > most:
            medoid, most = a, typical
    typical_beat: Signal = unit[medoid] * scale
    return typical_beat
