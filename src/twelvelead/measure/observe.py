"""From a recording to its heartbeat: beats, median beat and marks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure import presence
from twelvelead.measure.amplitudes import set_level
from twelvelead.measure.beats import find_beats
from twelvelead.measure.condition import STEP, Conditioned, condition, low_pass
from twelvelead.measure.delineate import Mark, delineate, middle
from twelvelead.measure.fibrillation import f_waves
from twelvelead.measure.flutter import find_flutter
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.measure.registration import place, register_wave
from twelvelead.measure.rhythm import usual_rr
from twelvelead.measure.shapes import PRE_S, classify_beats, median_beat
from twelvelead.signal import einthoven_residual_mv
from twelvelead.signal.kernel import kernel
from twelvelead.signal.recording import Recording
from twelvelead.terms import Reason, Unmeasurable

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]
MARK_HZ = 40.0

ONSET_QUANTILE = 0.25
"""A global onset is the first quartile of the leads' onsets, a global offset the third quartile of the offsets.

The very first and last lead carry the noise of all leads; beside 12SL, on three MUSE
recordings, the second-extreme lead measures QRS 8–18 ms longer, the median lead −5 to +1 ms."""

_QUANTILE = np.array([ONSET_QUANTILE, 0.5, 1 - ONSET_QUANTILE] * 3)
_FEW = 160  # samples of a lead from which its noise is told
_P_SLACK_S = 0.028
_T_SLACK_S = 0.040


def observe(recording: Recording, usable: tuple[str, ...]) -> Heartbeat:
    """Find the beats of a recording, their median beat and all marks.

    Parameters
    ----------
    recording : Recording
        One ECG.
    usable : tuple of str
        The leads that may be measured.

    Returns
    -------
    Heartbeat

    Raises
    ------
    Unmeasurable
        If no lead is usable or no beat is found.
    """
    if not usable:
        msg = f"at least one lead must be usable; got none in recording {recording.id!r}. Look at its quality findings."
        raise Unmeasurable(Reason.MISSING_LEAD, msg)
    ready = condition(recording, usable)
    centres, shape_class = _find_beats(ready, usable, recording)
    found = _mark(ready, centres, shape_class)
    at = np.array([recording.leads.index(lead) for lead in usable])
    n = len(recording.leads)
    noise = _noise(ready.whole, ready.smooth, max(1, len(ready.smooth) // _FEW))
    facts = {
        "p_probability": found.p_probability,
        "p_resemblance": found.p_resemblance,
        "wander_mv": middle(ready.wander_mv),
        "scatter_mv": middle(found.scatter),
        "noise_mv": middle(noise),
        "einthoven_mv": einthoven_residual_mv(recording),
    }
    facts |= _atrial_facts(ready, usable, found.overall)
    beat = set_level(found.beat, found.marks, fs=ready.fs)
    return Heartbeat(
        recording_id=recording.id,
        leads=recording.leads,
        usable=np.isin(np.arange(n), at),
        fs=ready.fs,
        times_s=centres / ready.fs,
        shape_class=shape_class,
        beat=_spread(beat, at, n=n, axis=0),
        marks=_spread(found.marks, at, n=n, axis=1),
        global_marks=over_leads(found.marks),
        beat_marks_s=_spread(found.placed, at, n=n, axis=2) / ready.fs,
        global_marks_s=found.overall / ready.fs,
        scatter_mv=_spread(found.scatter, at, n=n, axis=0),
        facts=facts,
        by_lead={"noise_mv": _spread(noise, at, n=n, axis=0)},
        spikes_s=ready.spikes_s,
    )


def over_leads(marks: Floats) -> Floats:
    """Combine the marks of all leads: first quartile of onsets, median of peaks, third quartile of offsets.

    Parameters
    ----------
    marks : ndarray, shape (9, n_leads)
        NaN in all leads where there is no wave.

    Returns
    -------
    ndarray, shape (9,)
    """
    ordered = np.sort(marks, axis=1)
    at = _QUANTILE * (marks.shape[1] - 1)
    low, part = np.floor(at).astype(int), at - np.floor(at)
    rows, high = np.arange(len(Mark)), np.ceil(at).astype(int)
    combined: Floats = ordered[rows, low] * (1 - part) + ordered[rows, high] * part
    return combined


def _find_beats(ready: Conditioned, usable: tuple[str, ...], recording: Recording) -> tuple[Floats, NDArray[np.intp]]:
    """Middle of each beat in samples of `ready.whole`, in order, and its class of shape."""
    fs = ready.fs / STEP
    independent = _independent(usable)
    rough = find_beats(np.ascontiguousarray(ready.smooth[:, independent]), fs=fs)
    if not rough.size:
        msg = (
            f"beats must stand out of noise and resemble each other; got none in recording {recording.id!r} "
            f"({recording.duration:.1f} s). Look at the recording."
        )
        raise Unmeasurable(Reason.NO_BEATS, msg)
    shape_class, centres = classify_beats(ready.smooth, rough * fs, fs=fs)
    order = np.argsort(centres, kind="stable")
    return centres[order] * STEP, shape_class[order]


def _independent(usable: tuple[str, ...]) -> list[int]:
    """Leads that are not sums of others: all but III, aVR, aVL, aVF where I and II are there."""
    derived = {"III", "aVR", "aVL", "aVF"} if {"I", "II"} <= set(usable) else set()
    return [k for k, lead in enumerate(usable) if lead not in derived]


@dataclass
class _Found:
    """What comes of marking: the commonest shape's median beat and marks, and the marks of every beat."""

    placed: Floats
    overall: Floats
    beat: Signal
    marks: Floats
    scatter: Floats
    p_probability: float
    p_resemblance: float


def _mark(ready: Conditioned, centres: Floats, shape_class: NDArray[np.intp]) -> _Found:
    """Mark the median beat of each shape, and carry its marks over to every beat."""
    fs = ready.fs
    origin = round(PRE_S * fs)
    rr = float(np.median(np.diff(centres))) / fs if len(centres) > 1 else 0.8
    n, n_leads = ready.whole.shape
    placed = np.full((len(centres), len(Mark), n_leads), np.nan)
    overall = np.full((len(centres), len(Mark)), np.nan)
    for label in range(int(shape_class.max()) + 1):
        mine = centres[shape_class == label]
        median, scatter = median_beat(ready.whole, mine, fs=fs)
        smooth = low_pass(np.ascontiguousarray(median.T), fs=fs, high_hz=MARK_HZ).T
        beat = smooth.astype(float, order="C")
        marks = delineate(beat, fs=fs, origin=origin, rr_s=rr).at
        t_shift, _ = _register(ready, mine, smooth, span=_span(marks, Mark.T_ONSET, Mark.T_OFFSET), slack_s=_T_SLACK_S)
        if label == 0:
            p_span, p_beat = _span(marks, Mark.P_ONSET, Mark.P_OFFSET), smooth
        p_shift, p_like = _register(ready, mine, p_beat, span=p_span, slack_s=_P_SLACK_S)
        if label == 0:
            rr_usual = usual_rr(centres, shape_class)
            probability, resemblance = _presence(
                marks, beat, scatter, rr=rr_usual, p_shift=p_shift, p_like=p_like, fs=fs
            )
            if probability < presence.LEAST_PROBABILITY:
                marks[: Mark.QRS_ONSET] = np.nan
            first = (median, marks, scatter, probability, resemblance)
        else:
            marks[: Mark.QRS_ONSET] = first[1][: Mark.QRS_ONSET]
        p_shift = np.where(p_like >= (0.25 if label == 0 else 0.85), p_shift, np.nan)
        placed[shape_class == label] = place(marks, mine, origin, p_shift, t_shift, n)
        overall[shape_class == label] = place(over_leads(marks)[:, None], mine, origin, p_shift, t_shift, n)[:, :, 0]
    return _Found(placed, overall, *first)


def _register(
    ready: Conditioned, centres: Floats, beat: Signal, *, span: tuple[int, int], slack_s: float
) -> tuple[Floats, Floats]:
    """How many samples of `ready.whole` later a wave comes in each beat, and how like it is; looked for at 250 Hz."""
    a, b = span
    shift, alike = register_wave(
        ready.smooth,
        centres / STEP,
        beat=np.ascontiguousarray(beat[:, round(PRE_S * ready.fs) % STEP :: STEP]),
        origin=round(PRE_S * ready.fs) // STEP,
        span=(a // STEP, b // STEP),
        slack=round(slack_s * ready.fs / STEP),
    )
    return shift * STEP, alike


def _presence(
    marks: Floats, beat: Floats, scatter: Floats, *, rr: Floats, p_shift: Floats, p_like: Floats, fs: float
) -> tuple[float, float]:
    """Probability that there is a P wave, and the usual resemblance of single P waves to the median one."""
    known = np.isfinite(p_like)
    size = presence.wave_size(beat, marks)
    noise = float(np.sqrt((scatter**2).sum()))
    if known.sum() < 2 or not noise > 0:
        noise = max(noise, 1e-9) if noise > 0 else 0.02 * float(np.sqrt((np.ptp(beat, axis=1) ** 2).sum()))
    resemblance = float(np.median(p_like[known])) if known.any() else 0.0
    probability = presence.p_probability(
        resemblance=resemblance,
        signal_to_noise=size / max(noise, 1e-9),
        rr_variation=float(rr.std() / rr.mean()) if rr.size > 1 else 0.0,
        spread_ms=float(p_shift[known].std()) * 1000 / fs if known.any() else 0.0,
    )
    return probability, resemblance


def _span(marks: Floats, first: Mark, last: Mark) -> tuple[int, int]:
    a, b = int(middle(marks[first])), int(middle(marks[last]))
    return a, max(b, a + 8)


def _atrial_facts(ready: Conditioned, usable: tuple[str, ...], overall: Floats) -> dict[str, float]:
    atrial = [usable.index(lead) for lead in ("II", "V1") if lead in usable] or [0]
    signal, marks_s, fs = np.ascontiguousarray(ready.smooth[:, atrial].T), overall / ready.fs, ready.fs / STEP
    amplitude, share = f_waves(signal, marks_s, fs=fs)
    flutter_share, flutter_hz = find_flutter(signal, marks_s, fs=fs)
    return {"f_wave_mv": amplitude, "f_wave_share": share, "flutter_share": flutter_share, "flutter_hz": flutter_hz}


@kernel
def _noise(whole: Signal, smooth: Signal, step: int) -> Floats:
    """Robust standard deviation of what `smooth` lacks, from every `step`-th of its samples; mV, shape (n_leads,)."""
    n_leads = smooth.shape[1]
    rest = np.empty((len(smooth) + step - 1) // step, dtype=np.float32)
    noise = np.empty(n_leads)
    for k in range(n_leads):
        for i in range(len(rest)):
            rest[i] = abs(whole[i * step * STEP, k] - smooth[i * step, k])
        noise[k] = 1.4826 * np.sort(rest)[len(rest) // 2]
    return noise


def _spread(values: Floats, at: NDArray[np.intp], *, n: int, axis: int) -> Floats:
    """Put the usable leads' values at their places among all leads; NaN elsewhere."""
    if n == len(at):
        return values
    shape = list(values.shape)
    shape[axis] = n
    out = np.full(shape, np.nan)
    where: list[slice | NDArray[np.intp]] = [slice(None)] * len(shape)
    where[axis] = at
    out[tuple(where)] = values
    return out
