"""Where the beats are: the QRS complexes of all leads together, and the rhythm that fits them best."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]
Places = NDArray[np.intp]

_LOW_PASS_S = 0.0078  # SD of a Gaussian: half the amplitude is left at 24 Hz
_HIGH_PASS_S = 0.104  # two means over ±104 ms / 2 leave half the amplitude at 4 Hz
_ENVELOPE_S = 0.040
_HALF_TEMPLATE_S = 0.064
_SHORTEST_S = 1.0
_CHUNK_S = 2.0
"""Background and height of the complexes are known for each piece of this length, leaning on its neighbours."""

# Set on the 12 handed-out records of the MIT-BIH arrhythmia database and the 100 of the Lobachevsky database, clean and
# with noise added; see the figures that bench/noise.py prints.
_CLEAR = 0.38
_REFRACTORY_S = 0.20
_T_WAVE_S = 0.36
_UNLIKE = 0.7
_SHAPES = 3
_MOST_BEATS = 15
_WORTH_CLARITY, _WORTH_LIKENESS, _WORTH_SPEED, _WORTH_TALLEST = 0.5, 3.5, 9.0, 13.0
_COST_BACKGROUND, _COST_SLOW, _COST_ANY = 9.0, 10.0, 17.0
_LEAST_WORTH, _MOST_WORTH = -2.0, 10.0
_COST_UNUSUAL = 2.0


def find_beats(signal: Signal, *, fs: float) -> Floats:
    """Find the QRS complexes of a recording.

    Parameters
    ----------
    signal : ndarray of float32, shape (n_samples, n_leads)
        The independent leads in mV, time by time; wander removed, no NaN, and little above 50 Hz.
    fs : float
        Sampling frequency in Hz, about 250.

    Returns
    -------
    ndarray of float, shape (n_beats,)
        Time in s of the middle of each QRS complex; empty where the recording holds no complexes that stand out from
        their surroundings.

    Notes
    -----
    1. The QRS band, 4–24 Hz at half the rate.
    2. An envelope: the speed of each lead over 80 ms, in units of its own usual complex, weighted by how far those
       stand out of the background here. A lead counts for no more than a complex, so that a burst in one of two leads
       is no more than half a complex.
    3. The median of the clear complexes, aligned with the one that resembles the others most, is the template of a
       matched filter over all leads. Noise that differs between leads cancels there, as it doesn't in a sum of
       energies. Clear complexes unlike it give a second template, and a third.
    4. Each candidate has a worth, in units of log-odds: how clearly it holds a template, how like one it is, how fast
       it is, and how it compares with the tallest within 300 ms, since a P or T wave has a complex beside it.
    5. Of all ways to choose among the candidates, the one of greatest worth, less a cost for each interval that is
       unlike the usual one; whatever usual interval fits best. A premature beat costs little beside its worth; a bump
       in mid-interval costs more than it is worth, and one that fills a pause less.

    Steps 1 and 2 follow Pan and Tompkins [1]_.

    References
    ----------
    .. [1] Pan J, Tompkins WJ. A real-time QRS detection algorithm. doi:10.1109/TBME.1985.325532
    """
    rate = fs / 2
    if len(signal) < _SHORTEST_S * fs:
        return np.empty(0)
    chunk = round(_CHUNK_S * rate)
    q = _qrs_band(signal, _LOW_PASS_S * fs, round(_HIGH_PASS_S * rate))
    envelope, background = _envelope(q, chunk, round(_ENVELOPE_S * rate))
    clear = _clear_peaks(envelope, round(_REFRACTORY_S * rate), round(_T_WAVE_S * rate))
    if not clear.size:
        return np.empty(0)
    match = _match_shapes(q, clear, chunk=chunk, half=round(_HALF_TEMPLATE_S * rate))
    return _choose(envelope, background, match, rate)


def _match_shapes(q: Signal, clear: Places, *, chunk: int, half: int) -> Signal:
    """Match with up to three templates, at each time the one that fits best; rows amplitude, likeness, noise."""
    match = _match(q, _template(q, clear, half), chunk)
    for _ in range(_SHAPES - 1):
        unlike = clear[_best(match[1], clear, half // 2 + 1) < _UNLIKE]
        if len(unlike) < max(3, 0.05 * len(clear)):
            break
        other = _match(q, _template(q, unlike, half), chunk)
        match[:2] = np.where(other[1] > match[1], other[:2], match[:2])
    return match


@kernel
def _qrs_band(x: Signal, sd: float, half: int) -> Signal:
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
    low -= _mean(_mean(low, half), half)
    return low


@kernel
def _mean(x: Signal, half: int) -> Signal:
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
def _middle(values: Signal) -> float:
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


@kernel
def _around(x: Signal, reach: int) -> Signal:
    """Take the running median over the chunks, per lead."""
    n_chunks, n_leads = x.shape
    out = np.empty((n_chunks, n_leads), dtype=np.float32)
    for c in range(n_chunks):
        for k in range(n_leads):
            out[c, k] = _middle(x[max(0, c - reach) : c + reach + 1, k].copy())
    return out


@kernel
def _usual_size(x: Signal, chunk: int) -> Signal:
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
            out[c, k] = _middle(some[:m])
    return _around(out, 1)


@kernel
def _spread(per_chunk: Signal, n: int, chunk: int) -> Signal:
    """Give every sample the value of its chunk."""
    out = np.empty(n, dtype=np.float32)
    for c in range(len(per_chunk)):
        out[c * chunk : n if c == len(per_chunk) - 1 else (c + 1) * chunk] = per_chunk[c, 0]
    return out


@kernel
def _speed(q: Signal, half: int) -> Signal:
    """Root mean square over ±`half` samples of the change of each lead."""
    n, n_leads = q.shape
    speed = np.zeros((n, n_leads), dtype=np.float32)
    for t in range(1, n - 1):
        for k in range(n_leads):
            change = q[t + 1, k] - q[t - 1, k]
            speed[t, k] = change * change
    return np.sqrt(np.maximum(_mean(speed, half), np.float32(0)))


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
def _envelope(q: Signal, chunk: int, half: int) -> tuple[Signal, Signal]:
    """Speed of all leads in units of a usual complex, and its background at each time."""
    n, n_leads = q.shape
    speed = _speed(q, half)
    background, height = _usual_size(speed, chunk), _usual_height(speed, chunk)
    n_chunks = len(height)
    envelope = np.empty((n, 1), dtype=np.float32)
    weight, most = np.empty(n_leads, dtype=np.float32), np.empty(n_leads, dtype=np.float32)
    for c in range(n_chunks):
        for k in range(n_leads):
            contrast = min(height[c, k] / max(background[c, k], np.float32(1e-9)), np.float32(12.0))
            weight[k] = contrast**2 if height[c, k] > 1e-6 else 0.0
            most[k] = np.float32(1.1) * height[c, k]
        weight /= max(weight.sum(), np.float32(1e-30))
        for k in range(n_leads):
            weight[k] /= max(height[c, k], np.float32(1e-6))
        for t in range(c * chunk, n if c == n_chunks - 1 else (c + 1) * chunk):
            total = np.float32(0)
            for k in range(n_leads):
                total += weight[k] * min(speed[t, k], most[k])
            envelope[t, 0] = total
    return envelope[:, 0].copy(), _spread(_usual_size(envelope, chunk), n, chunk)


@kernel
def _peaks(x: Signal, least: float, distance: int) -> Places:
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
def _clear_peaks(envelope: Signal, distance: int, t_wave: int) -> Places:
    """High peaks, without those that follow one twice as high as a T wave does."""
    peaks = _peaks(envelope, _CLEAR, distance)
    m = 0
    for p in peaks:
        if m == 0 or p - peaks[m - 1] >= t_wave or envelope[p] >= 0.5 * envelope[peaks[m - 1]]:
            peaks[m] = p
            m += 1
    return peaks[:m]


@kernel
def _best(x: Signal, at: Places, reach: int) -> Signal:
    """Largest value within `reach` of each place."""
    out = np.empty(len(at), dtype=np.float32)
    for i in range(len(at)):
        top = x[at[i]]
        for t in range(max(0, at[i] - reach), min(len(x), at[i] + reach + 1)):
            top = max(top, x[t])
        out[i] = top
    return out


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
        out[i // n_leads, i % n_leads] = _middle(shifted[i])
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
        typical = _middle(likeness[a])
        if typical > most:
            medoid, most = a, typical
    typical_beat: Signal = unit[medoid] * scale
    return typical_beat


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
def _match(q: Signal, template: Signal, chunk: int) -> Signal:
    """Match with a template over all leads, each weighted by how quiet it is here.

    Rows: the size of the template, its correlation with the leads, and the noise of the first.
    """
    n, n_leads = q.shape
    width = len(template)
    projection, norm = _projections(q, template)
    spread = _usual_size(projection, chunk)
    n_chunks = len(spread)
    out = np.empty((3, n), dtype=np.float32)
    amplitude, power = np.empty((n, 1), dtype=np.float32), np.empty((n, 1), dtype=np.float32)
    weight, share, most = np.empty((3, n_leads), dtype=np.float32)
    for c in range(n_chunks):
        for k in range(n_leads):
            noise = max(spread[c, k] / np.float32(0.6745), np.float32(0.08))
            most[k] = np.float32(1.1) + 2 * noise
            weight[k] = 1 / noise**2 if norm[k] > 1e-9 else 0.0
        weight /= max(weight.sum(), np.float32(1e-30))
        for k in range(n_leads):
            share[k] = weight[k] / max(norm[k], np.float32(1e-9))
        for t in range(c * chunk, n if c == n_chunks - 1 else (c + 1) * chunk):
            a, p = np.float32(0), np.float32(0)
            for k in range(n_leads):
                a += weight[k] * max(min(projection[t, k], most[k]), -most[k])
                p += share[k] * q[t, k] * q[t, k]
            amplitude[t, 0], power[t, 0] = a, p
    power = _mean(power, width // 2)
    out[0] = amplitude[:, 0]
    out[1] = out[0] / np.sqrt(np.maximum(np.float32(width) * power[:, 0], np.float32(1e-12)))
    out[2] = _spread(_usual_size(amplitude, chunk), n, chunk) / np.float32(0.6745)
    return out


@kernel
def _choose(envelope: Signal, background: Signal, match: Signal, rate: float) -> Floats:
    """Choose the candidates that make the best rhythm; none where they don't stand out."""
    amplitude, likeness, noise = match
    merit = np.empty(len(envelope), dtype=np.float32)
    for t in range(len(envelope)):
        merit[t] = min(max(amplitude[t], 0.0), 1.0) * likeness[t] + 0.5 * envelope[t]
    at = _peaks(merit, 0.12, round(0.17 * rate))
    reach = round(0.04 * rate)
    a, r, e = _best(amplitude, at, reach), _best(likeness, at, reach), _best(envelope, at, reach)
    tallest = _best(envelope, at, round(0.3 * rate))
    worth = np.empty(len(at))
    for i in range(len(at)):
        worth[i] = (
            _WORTH_CLARITY * min(a[i] / max(noise[at[i]], 0.08), 8.0)
            + _WORTH_LIKENESS * r[i]
            + _WORTH_SPEED * e[i]
            + _WORTH_TALLEST * e[i] / tallest[i]
            - _COST_BACKGROUND * background[at[i]]
            - _COST_SLOW * max(0.3 - e[i], 0.0)
            - _COST_ANY
        )
    some = worth > _LEAST_WORTH  # what is worth less, no interval makes good
    at, a, r, e = at[some], a[some], r[some], e[some]
    kept = _best_rhythm(at / rate, np.minimum(worth[some], _MOST_WORTH))
    if not kept.any():
        return np.empty(0)
    clarity = float(np.median(a[kept]) / max(np.median(noise), 1e-6))
    if not _stand_out(envelope, background, clarity, r[kept], e[kept], len(envelope) / rate):
        return np.empty(0)
    return at[kept] / rate


@kernel
def _best_rhythm(at: Floats, worth: Floats) -> NDArray[np.bool_]:
    """Of the choices that are best for one usual interval each, the best; intervals from 0.3 to 2 s."""
    m = len(at)
    log_gap = np.zeros((m, m))
    for j in range(m):
        for i in range(j):
            log_gap[j, i] = math.log(at[j] - at[i])
    best, chosen = -np.inf, np.zeros(m, dtype=np.bool_)
    score, before = np.empty(m), np.empty(m, dtype=np.intp)
    for h in range(12):
        _link(at, worth, log_gap, math.log(0.3) + 0.25 * h * math.log(2.0), score, before)
        if m and score.max() > best:
            best = score.max()
            chosen[:] = False
            last = np.argmax(score)
            while last >= 0:
                chosen[last] = True
                last = before[last]
    return chosen


@kernel
def _link(at: Floats, worth: Floats, log_gap: Floats, log_usual: float, score: Floats, before: Places) -> None:
    """Fill in the best total up to each candidate, and the candidate before it on that way (−1: none)."""
    for j in range(len(at)):
        score[j], before[j] = worth[j], -1
        for i in range(j - 1, -1, -1):
            if at[j] - at[i] < _REFRACTORY_S:
                continue
            cost = min(_COST_UNUSUAL * abs(log_gap[j, i] - log_usual), _COST_UNUSUAL)
            if score[i] + worth[j] - cost > score[j]:
                score[j], before[j] = score[i] + worth[j] - cost, i
            if at[j] - at[i] > 4.0:  # an interval of 4 s is as unusual as any longer one
                break


@kernel
def _stand_out(envelope: Signal, background: Signal, clarity: float, r: Signal, e: Signal, duration_s: float) -> bool:
    """Whether complexes rise out of what lies between them, as the peaks of noise don't.

    Many that are alike may rise less: complexes in strong noise, or a fast rhythm of wide ones that leaves no rest.
    """
    height = float(np.median(e))
    contrast = height / max(float(np.median(envelope)), 1e-6)
    quarter = np.partition(background, len(background) // 4)[len(background) // 4]  # flutter may fill the rest
    if contrast > 2.2 or height > 4.0 * quarter:
        return True
    if len(e) < max(5.0, 0.5 * duration_s):
        return False
    if contrast > 1.5 and clarity > 3.7:
        return True
    rest = np.partition(envelope, len(envelope) // 7)[len(envelope) // 7]
    return bool(np.median(r) > 0.97 and height > 8 * rest)
