"""Which candidates are beats: those that together make the best rhythm."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.qrs_envelope import best_near, find_peaks
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]
Places = NDArray[np.intp]

_REFRACTORY_S = 0.20
# Set by hand, guided by logistic fits, on the 12 records of the MIT-BIH arrhythmia database (doi:10.13026/C2F305) and
# the 100 of the Lobachevsky database that were at hand, clean and noisy; bench/noise.py prints what they give.
_WORTH_CLARITY, _WORTH_LIKENESS, _WORTH_SPEED, _WORTH_TALLEST = 0.5, 3.5, 9.0, 13.0
_COST_BACKGROUND, _COST_SLOW, _COST_ANY = 9.0, 10.0, 17.0
_LEAST_WORTH, _MOST_WORTH = -2.0, 10.0
_COST_UNUSUAL = 2.0


@kernel
def choose_beats(envelope: Signal, background: Signal, match: Signal, rate: float) -> Floats:
    """Choose the candidates that make the best rhythm; none where they don't stand out."""
    amplitude, likeness, noise = match
    merit = np.empty(len(envelope), dtype=np.float32)
    for t in range(len(envelope)):
        merit[t] = min(max(amplitude[t], 0.0), 1.0) * likeness[t] + 0.5 * envelope[t]
    at = find_peaks(merit, 0.12, round(0.17 * rate))
    reach = round(0.04 * rate)
    a, r, e = best_near(amplitude, at, reach), best_near(likeness, at, reach), best_near(envelope, at, reach)
    tallest = best_near(envelope, at, round(0.3 * rate))
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
