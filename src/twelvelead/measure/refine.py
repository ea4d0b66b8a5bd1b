"""A learned second look at the marks that the rules set: by how much a cardiologist would move each, and how sure."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.rules import median_of, r_wave, slope_of, speed_of
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Counts = NDArray[np.uint8]

MODEL = Path(__file__).with_name("refiner.npz")

HALF = 13
SHAPE = 2 * HALF + 1
"""Samples of the course around a mark …"""
STEP_MS = (7.0, 7.0, 7.0, 4.0, 4.0, 4.0, 11.0, 11.0, 11.0)
"""… and what lies between them, for each of the nine marks."""
N_CUES = 8
N_FEATURES = 3 * SHAPE + 6 + 6 + 3 + 3 + 3 + N_CUES + 5
LEAST_SHARE = 0.005
"""A wave counts as no smaller than this share of the QRS complex."""
MOST = 4.0
"""A standardised feature counts as no further than this from its mean."""


class Refiner(NamedTuple):
    """What training/marks.py learnt, for each of the nine marks.

    Parameters
    ----------
    mean, scale : ndarray, shape (9, N_FEATURES)
        Standardise the features that the nets see.
    inner, bias, outer : ndarray, shape (9, N_FEATURES, n_units), (9, n_units) and (9, n_units)
        Nets of one layer of rectified units side by side; their sum is the mean of their corrections, ms.
    split, cut, leaf : ndarray, shape (9, n_trees, n_splits), the same, and (9, n_trees, n_splits + 1)
        Complete binary trees: the feature asked, from which value on it goes right, and the sum's terms, ms.
    start : ndarray, shape (9, 2)
        What the sum of the nets and that of the trees begin with, ms.
    sure_split, sure_cut, sure_leaf, sure_start : ndarray
        Trees of the same form, and the beginning of their sum, shape (9,): log odds that a mark is within tolerance.
    most : ndarray, shape (9, 2)
        The least and the largest correction, ms.
    """

    mean: Singles
    scale: Singles
    inner: Singles
    bias: Singles
    outer: Singles
    split: Counts
    cut: Singles
    leaf: Singles
    start: Singles
    sure_split: Counts
    sure_cut: Singles
    sure_leaf: Singles
    sure_start: Singles
    most: Singles


@cache
def load_refiner() -> Refiner:
    """Read what was learnt; once.

    Raises
    ------
    ValueError
        If it was learnt from other features than `describe` gives.
    """
    with np.load(MODEL, allow_pickle=False) as held:
        refiner = Refiner(**{name: np.ascontiguousarray(held[name]) for name in Refiner._fields})
    if refiner.mean.shape != (9, N_FEATURES):
        msg = f"the refiner must know {N_FEATURES} features; got {refiner.mean.shape[1]}. Run training/marks.py again."
        raise ValueError(msg)
    return refiner


def refine(beat: Floats, marks: Floats, *, fs: float, rr_s: float, refiner: Refiner) -> tuple[Floats, Floats]:
    """Correct the marks of a median beat, and tell how sure each is.

    Parameters
    ----------
    beat : ndarray, shape (n_leads, n_window)
        Amplitude in mV, 0.4–40 Hz.
    marks : ndarray, shape (9, n_leads)
        From `follow_rules`, samples.
    fs : float
        Sampling frequency in Hz.
    rr_s : float
        RR interval in s.
    refiner : Refiner
        From `load_refiner`.

    Returns
    -------
    at : ndarray, shape (9, n_leads)
        Samples, in order of time.
    confidence : ndarray, shape (9, n_leads)
        Probability that a cardiologist marks this point of a single beat within the tolerance that
        `delineate.TOLERANCE_MS` states.

    Notes
    -----
    Half the correction is the mean of small neural nets, half that of boosted trees [1]_: they err differently. Both
    see the course of the lead and of all leads together around the median of the leads' marks, where the other marks
    lie, and the size of the waves; none sees which lead it is. The R wave stays on a turning point of the lead.

    References
    ----------
    .. [1] Chen T, Guestrin C. XGBoost: a scalable tree boosting system. doi:10.1145/2939672.2939785
    """
    features = describe(beat, marks, fs, rr_s)
    shift = correct(features, refiner[:5], refiner[5:9], refiner.most)
    at = _settle(beat, marks, marks + shift * (fs / 1000))
    return at, be_sure(features, refiner[9:13])


@kernel
def describe(beat: Floats, marks: Floats, fs: float, rr_s: float) -> Singles:
    """Describe the surroundings of each mark by numbers that know neither lead, nor gain, nor sampling frequency.

    Parameters
    ----------
    beat, marks, fs, rr_s
        As for `refine`.

    Returns
    -------
    ndarray of float32, shape (9, n_leads, N_FEATURES)
        The course of the lead, of all leads, and how steep it is, around the anchor (the median of the leads' marks);
        the anchors of this wave and of QRS, and how high the lead is there; the lead's marks of this wave from their
        anchors, and how high it is there; how far the leads scatter, and the wave's sign; cues of `_seek_cues`; RR and
        the sizes, as shares of the usual lead's QRS complex. What precedes QRS by more than its surroundings, or
        follows it, does not describe its marks.
    """
    n_leads, n = beat.shape
    out = np.zeros((9, n_leads, N_FEATURES), dtype=np.float32)
    slope = slope_of(beat)
    speed = speed_of(slope)
    anchors = np.empty(9)
    for m in range(9):
        anchors[m] = median_of(marks[m])
    size = np.empty(n)
    scale = _qrs_size(beat, anchors)
    for m in range(9):
        first = m // 3 * 3
        a = min(max(int(anchors[first]), 0), n - 2)
        b = min(max(int(anchors[first + 2]) + 1, a + 1), n - 1)
        step = STEP_MS[m] * fs / 1000
        _size_about(beat, anchors[m], (min(a, int(anchors[m] - HALF * step) - 1), b + int(HALF * step) + 3), size)
        largest = (max(np.max(size[a : b + 1]), 1e-6), max(np.max(speed[a : b + 1]), 1e-6))
        ordered = np.sort(marks[m])
        tail = int(0.2 * (n_leads - 1))
        for k in range(n_leads):
            base = _value(beat[k], anchors[m])
            height = 0.0
            for i in range(a, b + 1):
                if abs(beat[k, i] - base) > abs(height):
                    height = beat[k, i] - base
            gain = (1.0 if height >= 0 else -1.0) / max(abs(height), LEAST_SHARE * scale)
            steepest = max(np.max(np.abs(slope[k, a : b + 1])), 1e-4 * scale)
            f = out[m, k]
            for j in range(SHAPE):
                at = anchors[m] + (j - HALF) * step
                f[j] = (_value(beat[k], at) - base) * gain
                f[SHAPE + j] = _value(size, at) / largest[0]
                own = abs(_value(slope[k], at)) / steepest
                f[2 * SHAPE + j] = own if first == 3 else _value(speed, at) / largest[1]
            c = 3 * SHAPE
            for q in range(6 if first != 3 else 3):
                other = anchors[first + q if q < 3 else q]
                f[c + q] = 10 * (other - anchors[m]) / fs
                f[c + 6 + q] = min(max((_value(beat[k], other) - base) * gain, -3.0), 3.0)
            c += 12
            for q in range(3):
                f[c + q] = 40 * (marks[first + q, k] - anchors[first + q]) / fs
                f[c + 3 + q] = (_value(beat[k], marks[first + q, k]) - base) * gain
            f[c + 6] = 40 * (ordered[tail] - anchors[m]) / fs
            f[c + 7] = 40 * (ordered[n_leads - 1 - tail] - anchors[m]) / fs
            f[c + 8] = 1.0 if gain > 0 else -1.0
            c += 9
            _seek_cues(f[c : c + N_CUES], m, anchors, fs, (beat[k], slope[k], speed), marks[first + 1, k])
            c += N_CUES
            f[c], f[c + 1], f[c + 2] = (
                rr_s if first != 3 else 1.0,
                np.log(max(abs(height) / scale, 0.002)),
                np.log(largest[0] / scale),
            )
            f[c + 3], f[c + 4] = np.log(steepest * fs / 500 / scale), np.log(largest[1] * fs / 500 / scale)
    return out


@kernel
def _value(course: Floats, at: float) -> float:
    """Value between samples; the ends continue level."""
    at = min(max(at, 0.0), len(course) - 1.001)
    i = int(at)
    value: float = course[i] + (course[i + 1] - course[i]) * (at - i)
    return value


@kernel
def _qrs_size(beat: Floats, anchors: Floats) -> float:
    """Return the peak-to-peak amplitude of the QRS complex in the usual lead, mV."""
    n_leads, n = beat.shape
    a = min(max(int(anchors[3]), 0), n - 2)
    b = min(max(int(anchors[5]) + 1, a + 1), n - 1)
    height = np.empty(n_leads)
    for k in range(n_leads):
        height[k] = np.max(beat[k, a : b + 1]) - np.min(beat[k, a : b + 1])
    return max(median_of(height), 1e-6)


@kernel
def _size_about(beat: Floats, anchor: float, span: tuple[int, int], size: Floats) -> None:
    """Write the root of the sum of squares of all leads from their level at the anchor, within a span, into `size`."""
    n_leads, n = beat.shape
    first, last = max(span[0], 0), min(span[1], n)
    size[:] = 0.0
    for k in range(n_leads):
        base = _value(beat[k], anchor)
        for i in range(first, last):
            size[i] += (beat[k, i] - base) ** 2
    for i in range(first, last):
        size[i] = np.sqrt(size[i])


@kernel
def _seek_cues(
    f: Singles, m: int, anchors: Floats, fs: float, courses: tuple[Floats, Floats, Floats], peak: float
) -> None:
    """Write where other rules would set the mark: levels of steepness for QRS, tangent and strongest bends for P, T."""
    lead, slope, speed = courses
    outward = -1 if m % 3 == 0 else 1
    n = len(lead)
    if m in (3, 5):
        start = min(max(int(anchors[m] + outward * 0.060 * fs), 1), n - 2)
        end = min(max(int(anchors[4]), 1), n - 2)
        for j in range(4):
            share = (0.04, 0.08, 0.16, 0.30)[j]
            f[j] = 40 * (_first_steep(slope, start, end, share) - anchors[m]) / fs
            f[4 + j] = 40 * (_first_steep(speed, start, end, share) - anchors[m]) / fs
        return
    if m == 4:
        return
    reach = int((0.10 if m > 5 else 0.05) * fs)
    top = min(max(int(peak), reach + 2), n - reach - 3)
    up = 1.0 if lead[top] >= _value(lead, anchors[m]) else -1.0
    steepest, fall = _steepest(slope, top, outward, int(1.6 * reach), up)
    level = _value(lead, anchors[m] + outward * 0.3 * reach)
    run = min(max(up * (lead[steepest] - level) / max(fall, 1e-4), 0.0), 1.6 * reach)
    hill, valley, balance = _strongest_bends(lead, anchors[m], reach)
    away = 15 / fs
    f[0] = (steepest - anchors[m]) * away
    f[1] = (steepest + outward * run - anchors[m]) * away
    f[2], f[3], f[4] = (hill - anchors[m]) * away * up, (valley - anchors[m]) * away * up, balance * up
    f[5], f[6], f[7] = (hill - anchors[m]) * away, (valley - anchors[m]) * away, up


@kernel
def _first_steep(slope: Floats, start: int, end: int, share: float) -> int:
    """First of two neighbours, on the way inward, steeper than a share of the steepest there."""
    step = 1 if end > start else -1
    highest = 1e-6
    for i in range(start, end, step):
        highest = max(highest, abs(slope[i]))
    for i in range(start, end, step):
        if abs(slope[i]) > share * highest and abs(slope[i + step]) > share * highest:
            return i
    return end


@kernel
def _steepest(slope: Floats, peak: int, outward: int, reach: int, up: float) -> tuple[int, float]:
    """Where the wave falls most steeply away from its peak, and how steeply."""
    at, fall = peak, -np.inf
    for j in range(1, reach):
        i = min(max(peak + outward * j, 1), len(slope) - 2)
        if -slope[i] * outward * up > fall:
            at, fall = i, -slope[i] * outward * up
    return at, fall


@kernel
def _strongest_bends(lead: Floats, anchor: float, reach: int) -> tuple[int, int, float]:
    """Where the lead bends most upward and most downward near the anchor, and which of the two is stronger."""
    n = len(lead)
    first = min(max(int(anchor - 1.6 * reach), reach), n - reach - 2)
    last = min(max(int(anchor + 1.6 * reach), first + 1), n - reach - 1)
    hill, valley, highest, lowest = first, first, -np.inf, np.inf
    for i in range(first, last):
        bend = lead[i] - 0.5 * (lead[i - reach // 2] + lead[i + reach // 2])
        if bend > highest:
            hill, highest = i, bend
        if bend < lowest:
            valley, lowest = i, bend
    return hill, valley, (highest + lowest) / max(highest - lowest, 1e-3)


@kernel
def correct(
    features: Singles,
    nets: tuple[Singles, Singles, Singles, Singles, Singles],
    trees: tuple[Counts, Singles, Singles, Singles],
    most: Singles,
) -> Floats:
    """Correction of each mark in ms, half of the nets, half of the trees; shape (9, n_leads)."""
    mean, scale, inner, bias, outer = nets
    split, cut, leaf, start = trees
    n_leads = features.shape[1]
    shift = np.empty((9, n_leads))
    standard = np.empty(N_FEATURES, dtype=np.float32)
    for m in range(9):
        for k in range(n_leads):
            for i in range(N_FEATURES):
                z = (features[m, k, i] - mean[m, i]) * scale[m, i]
                standard[i] = min(max(z, np.float32(-MOST)), np.float32(MOST))
            fitted = start[m, 0] + _sum_nets(standard, inner[m], bias[m], outer[m])
            fitted += start[m, 1] + _sum_trees(features[m, k], split[m], cut[m], leaf[m])
            shift[m, k] = min(max(0.5 * fitted, most[m, 0]), most[m, 1])
    return shift


@kernel
def be_sure(features: Singles, trees: tuple[Counts, Singles, Singles, Singles]) -> Floats:
    """Probability that each mark is within tolerance; shape (9, n_leads)."""
    split, cut, leaf, start = trees
    n_leads = features.shape[1]
    sure = np.empty((9, n_leads))
    for m in range(9):
        for k in range(n_leads):
            odds = np.exp(start[m] + _sum_trees(features[m, k], split[m], cut[m], leaf[m]))
            sure[m, k] = odds / (1 + odds)
    return sure


@kernel
def _sum_nets(standard: Singles, inner: Singles, bias: Singles, outer: Singles) -> float:
    """Sum of the rectified units of all nets, each by its weight."""
    hidden = bias.copy()
    for i in range(len(standard)):
        weights = inner[i]
        for h in range(len(hidden)):
            hidden[h] += standard[i] * weights[h]
    total = 0.0
    for h in range(len(hidden)):
        total += max(hidden[h], np.float32(0)) * outer[h]
    return total


@kernel
def _sum_trees(f: Singles, split: Counts, cut: Singles, leaf: Singles) -> float:
    """Sum of the leaves that a description falls into, one in each tree."""
    n_splits = np.uint32(split.shape[1])
    total = 0.0
    for t in range(len(split)):
        asked, limit = split[t], cut[t]
        node = np.uint32(0)
        while node < n_splits:
            node = np.uint32(2) * node + np.uint32(1) + np.uint32(f[asked[node]] >= limit[node])
        total += leaf[t, node - n_splits]
    return total


@kernel
def _settle(beat: Floats, ruled: Floats, at: Floats) -> Floats:
    """Put R back on a turning point of its lead, and all marks in order of time and inside the window; samples."""
    n_leads, n = beat.shape
    for k in range(n_leads):
        at[4, k] = _turning_point(beat[k], int(ruled[3, k]) - 5, int(ruled[5, k]) + 1, at[4, k])
        for m in range(9):
            at[m, k] = min(max(at[m, k], at[m - 1, k] if m else 0.0), n - 1.0)
    return at


@kernel
def _turning_point(lead: Floats, start: int, stop: int, near: float) -> float:
    """Of the tallest, the deepest, and the tallest point before and behind the deepest of a QRS, the nearest."""
    start, stop = max(start, 0), min(stop, len(lead) - 1)
    qrs = lead[start : stop + 1]
    low, high = int(np.argmin(qrs)), int(np.argmax(qrs))
    before, behind = int(np.argmax(qrs[: low + 1])), low + int(np.argmax(qrs[low:]))
    best = start + high
    for at in (low, before, behind, int(r_wave(qrs))):
        if 0 < at < len(qrs) - 1 and abs(start + at - near) < abs(best - near):
            best = start + at
    return float(best)
