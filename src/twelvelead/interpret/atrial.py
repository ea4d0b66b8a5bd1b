"""P waves looked for one by one between T and QRS: whether each is conducted, and whether they keep their own time."""

import math
from collections.abc import Mapping
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twelvelead.interpret.derivation import Derived, Searched
from twelvelead.interpret.proof import Span
from twelvelead.interpret.sequences import longest_interval, premature_beats
from twelvelead.measure import Heartbeat, Mark
from twelvelead.signal.filter import filter_bands
from twelvelead.signal.recording import Recording

Floats = NDArray[np.float64]

AHA_II = "doi:10.1161/CIRCULATIONAHA.106.180201"
BRADYCARDIA = "doi:10.1161/CIR.0000000000000628"

FS = 250.0
BAND_HZ = (0.5, 25.0)
"""P waves have little above 25 Hz."""
LEADS = ("II", "V1", "aVF", "I")
"""Where P is looked for: in the first of them in which the median P wave is largest; else in the first there is."""
LIKE = 0.8
"""Least correlation with the P wave that is looked for …"""
LEAST_SIZE, MOST_SIZE = 0.4, 2.5
"""… and its size, as a multiple of that wave's."""
ANY_MV, ANY_S = 0.1, 0.1
"""Where the beats have no common P wave: half a sine of 0.1 mV and 100 ms."""
APART_S = 0.2
AFTER_QRS_S = 0.3
"""Where T has no end, P is looked for from so long after the QRS complex."""
LONGEST_PR_S = 0.4
"""A P wave that a QRS complex follows within so much, or within 0.15 s more than the usual PR, is conducted."""
MORE_THAN_USUAL_S = 0.15


def find_p_waves(recording: Recording, heartbeat: Heartbeat) -> Floats:
    """Find single P waves between the end of T and the next QRS complex.

    Parameters
    ----------
    recording : Recording
        The ECG.
    heartbeat : Heartbeat
        Its beats and marks.

    Returns
    -------
    ndarray, shape (n_waves,)
        Times of the middles of the waves, s from the start, ascending; those hidden in QRS and T are not seen.
    """
    lead, wave = _wanted(heartbeat)
    (band,) = filter_bands(
        recording.signal[[recording.leads.index(lead)]], fs=recording.fs, bands=[(*BAND_HZ, FS)]
    )  # fmt: skip
    signal = band[0].astype(np.float64)
    found: list[float] = []
    for start, end in _diastoles(heartbeat, recording.duration):
        found += [start + t for t in _matches(signal[round(start * FS) : round(end * FS)], wave)]
    return np.array(found)


def _wanted(heartbeat: Heartbeat) -> tuple[str, Floats]:
    """Choose a lead, and the P wave to look for in it, over the line that joins its ends, at 250 Hz."""
    usable = [lead for lead, is_usable in zip(heartbeat.leads, heartbeat.usable, strict=True) if is_usable]
    leads = [lead for lead in LEADS if lead in usable] or usable[:1]
    onset, offset = heartbeat.global_marks[[Mark.P_ONSET, Mark.P_OFFSET]]
    if math.isfinite(onset + offset) and offset - onset >= 0.04 * heartbeat.fs:
        step = heartbeat.fs / FS
        at = np.arange(onset, offset + 0.5, step)
        waves = {
            lead: _level(np.interp(at, np.arange(heartbeat.beat.shape[1]), heartbeat.beat[heartbeat.leads.index(lead)]))
            for lead in leads
        }
        lead = max(waves, key=lambda name: float(np.nan_to_num(np.abs(waves[name]).max())))
        return lead, waves[lead]
    return leads[0], ANY_MV * np.sin(np.linspace(0, np.pi, round(ANY_S * FS)))


def _level(wave: Floats) -> Floats:
    """Take away the line that joins the ends."""
    levelled: Floats = wave - np.linspace(wave[0], wave[-1], wave.size)
    return levelled


def _diastoles(heartbeat: Heartbeat, duration: float) -> list[tuple[float, float]]:
    """List the stretches from the end of each T wave to the next QRS complex, s."""
    marks = heartbeat.global_marks_s
    ends = np.append(marks[1:, Mark.QRS_ONSET], duration)
    found = []
    for k, end in enumerate(ends):
        start = marks[k, Mark.T_OFFSET]
        if not start < end:
            start = marks[k, Mark.QRS_OFFSET] + AFTER_QRS_S
        if end - start > ANY_S:
            found.append((max(float(start), 0.0), min(float(end), duration)))
    return found


def _matches(signal: Floats, wave: Floats) -> list[float]:
    """Find the times at which the wave lies, s from the first sample."""
    n = wave.size
    if signal.size < n or not np.abs(wave).max() > 0:
        return []
    size = math.sqrt(float(wave @ wave))
    pieces = np.lib.stride_tricks.sliding_window_view(signal, n)
    along = np.linspace(0.0, 1.0, n)
    pieces = pieces - pieces[:, :1] - (pieces[:, -1:] - pieces[:, :1]) * along
    norms = np.sqrt((pieces * pieces).sum(axis=1))
    likeness = (pieces * wave).sum(axis=1) / np.maximum(norms * size, 1e-12)
    fits = (likeness >= LIKE) & (norms >= LEAST_SIZE * size) & (norms <= MOST_SIZE * size)
    places = [(float(likeness[k]), int(k)) for k in np.flatnonzero(fits)]
    chosen: list[int] = []
    for _, k in sorted(places, reverse=True):
        if all(abs(k - other) >= APART_S * FS for other in chosen):
            chosen.append(k)
    return [(k + n / 2) / FS for k in sorted(chosen)]


def unconducted(p_s: Floats, heartbeat: Heartbeat) -> Floats:
    """Choose the P waves that no QRS complex follows in time.

    Parameters
    ----------
    p_s : ndarray, shape (n_waves,)
        Times of the P waves, s.
    heartbeat : Heartbeat
        The beats.

    Returns
    -------
    ndarray
        Their times; what stands after the last QRS complex, or where a beat of another shape follows, is not judged.
    """
    marks = heartbeat.global_marks
    usual = (marks[Mark.QRS_ONSET] - (marks[Mark.P_ONSET] + marks[Mark.P_OFFSET]) / 2) / heartbeat.fs
    most = max(LONGEST_PR_S, usual + MORE_THAN_USUAL_S) if math.isfinite(usual) else LONGEST_PR_S
    onsets = heartbeat.global_marks_s[:, Mark.QRS_ONSET]
    late = []
    for p in p_s:
        after = np.flatnonzero(onsets > p)
        if after.size and heartbeat.shape_class[after[0]] == 0 and onsets[after[0]] - p > most:
            late.append(float(p))
    return np.array(late)


def keeps_time(p_s: Floats) -> float:
    """Say how well P waves fall on a beat of their own.

    Parameters
    ----------
    p_s : ndarray, shape (n_waves,)
        Times of the P waves that were seen, s; some between them may be hidden.

    Returns
    -------
    float
        Length of the mean of their phases, 0 to 1, for the best of the periods that go once, twice or three times into
        their median interval, from 0.4 to 1.5 s; NaN of fewer than five.

    Examples
    --------
    >>> round(keeps_time(np.array([0.1, 0.9, 1.7, 3.3, 4.1])), 3)
    1.0
    """
    if p_s.size < 5:
        return math.nan
    median = float(np.median(np.diff(p_s)))
    periods = np.concatenate([np.linspace(0.9, 1.1, 41) * median / parts for parts in (1, 2, 3)])
    periods = periods[(periods >= 0.4) & (periods <= 1.5)]
    phases = np.exp(2j * np.pi * p_s / periods[:, None])
    return float(np.abs(phases.mean(axis=1)).max(initial=0.0))


def _search(recording: Recording, heartbeat: Heartbeat) -> dict[str, float]:
    p = find_p_waves(recording, heartbeat)
    lost = unconducted(p, heartbeat)
    early = premature_beats(heartbeat)
    long = longest_interval(heartbeat)
    in_pause = 0
    if long is not None and long not in early:
        times = heartbeat.times_s
        in_pause = int(((lost > times[long]) & (lost < times[long + 1])).sum())
    return {
        "p_found_count": float(p.size),
        "p_unconducted_count": float(lost.size),
        "p_unconducted_in_pause_count": float(in_pause),
        "pr_scatter_ms": _pr_scatter_ms(p, heartbeat),
        "p_own_time_ratio": keeps_time(p),
    }


def _pr_scatter_ms(p_s: Floats, heartbeat: Heartbeat) -> float:
    """Give the standard deviation of the time from the last P wave to the QRS complex, ms."""
    onsets = heartbeat.global_marks_s[:, Mark.QRS_ONSET]
    times = []
    for before, onset in pairwise(onsets):
        seen = p_s[(p_s > before) & (p_s < onset)]
        if seen.size:
            times.append(1000.0 * (onset - float(seen[-1])))
    return float(np.std(times)) if len(times) >= 3 else math.nan


def _found(name: str, _: Heartbeat, values: Mapping[str, float]) -> float:
    return values[name]


def _pause_span(heartbeat: Heartbeat) -> tuple[Span, ...]:
    beat = longest_interval(heartbeat)
    if beat is None:
        return ()
    return (Span(None, float(heartbeat.times_s[beat]), float(heartbeat.times_s[beat + 1]), "RR", beat),)


_DECLARED = (
    ("p_found_count", "1", "P waves seen one by one between T and QRS.", AHA_II),
    ("p_unconducted_count", "1", "P waves that no QRS complex follows within 0.4 s, or 0.15 s more than usual.",
     BRADYCARDIA),
    ("p_unconducted_in_pause_count", "1",
     "Such P waves in the longest RR interval, unless that follows a premature beat.", BRADYCARDIA),
    ("pr_scatter_ms", "ms", "Standard deviation of the time from the last P wave to the QRS complex.", BRADYCARDIA),
    ("p_own_time_ratio", "1", "How well the P waves fall on a beat of their own, 0 to 1.", BRADYCARDIA),
)  # fmt: skip

SEARCHED = Searched(tuple(name for name, *_ in _DECLARED), _search)

DERIVED: tuple[Derived, ...] = tuple(
    Derived(name, unit, definition, source, partial(_found, name),
            *((_pause_span,) if name == "p_unconducted_in_pause_count" else ()))
    for name, unit, definition, source in _DECLARED
)  # fmt: skip
