"""From a recording to its heartbeat: beats, median beat and marks."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure import pacing, presence
from twelvelead.measure.amplitudes import measure_leads, set_level
from twelvelead.measure.beats import DETECTION_BAND, DETECTION_FS, find_beats
from twelvelead.measure.delineate import Mark, delineate, middle
from twelvelead.measure.fibrillation import f_waves
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.measure.register import place, register_wave
from twelvelead.measure.rhythm import usual_rr
from twelvelead.measure.template import PRE_S, classify_beats, median_beat, scatter_about
from twelvelead.signal import einthoven_residual_mv
from twelvelead.signal.filter import bridge_gaps, exact_rate, filter_bands
from twelvelead.signal.recording import Recording
from twelvelead.terms import Reason, Unmeasurable

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]

FS = 500.0
AMPLITUDE_BAND = (0.4, 150.0)
MARK_BAND = (0.5, 40.0)

ONSET_QUANTILE = 0.25
"""A global onset is the first quartile of the leads' onsets, a global offset the third quartile of the offsets.

The very first and last lead carry the noise of all leads; beside 12SL, on three MUSE
recordings, the second-extreme lead measures QRS 8–18 ms longer, the median lead −5 to +1 ms."""

_QUANTILE = np.array([ONSET_QUANTILE, 0.5, 1 - ONSET_QUANTILE] * 3)
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
    at = [recording.leads.index(lead) for lead in usable]
    raw = bridge_gaps(recording.signal[at])
    spikes = pacing.find_spikes(raw, fs=recording.fs)
    clean = pacing.remove_spikes(raw, spikes, fs=recording.fs)
    whole, smooth, qrs = filter_bands(
        clean, fs=recording.fs, bands=[(*AMPLITUDE_BAND, FS), (*MARK_BAND, FS), (*DETECTION_BAND, DETECTION_FS)]
    )
    fs = exact_rate(recording.fs, FS)
    rough = find_beats(qrs[_independent(usable)], fs=exact_rate(recording.fs, DETECTION_FS))
    if not rough.size:
        msg = (
            f"beats must stand out of noise and resemble each other; got none in recording {recording.id!r} "
            f"({recording.duration:.1f} s). Look at the recording."
        )
        raise Unmeasurable(Reason.NO_BEATS, msg)
    shape_class, centres = classify_beats(smooth, rough * fs, fs=fs)
    order = np.argsort(centres, kind="stable")
    shape_class, centres = shape_class[order], centres[order]
    found = _mark(smooth, centres, shape_class, fs=fs)
    beat, _ = median_beat(whole, centres[shape_class == 0], fs=fs)
    beat = set_level(beat, found["marks"], fs=fs)
    facts = _facts(recording, raw=raw, whole=whole, smooth=smooth, usable=usable, found=found, fs=fs)
    facts |= _pacing_facts(spikes, centres / fs, fs=recording.fs)
    noise = _noise(whole - smooth)
    facts["noise_mv"] = float(np.median(noise))
    by_lead = measure_leads(beat, found["marks"], fs=fs) | {"noise_mv": noise}
    n = len(recording.leads)
    return Heartbeat(
        recording_id=recording.id,
        leads=recording.leads,
        usable=np.isin(np.arange(n), at),
        fs=fs,
        times_s=centres / fs,
        shape_class=shape_class,
        beat=_spread(beat, at, n=n, axis=0),
        marks=_spread(found["marks"], at, n=n, axis=1),
        global_marks=over_leads(found["marks"]),
        beat_marks_s=_spread(found["placed"], at, n=n, axis=2) / fs,
        global_marks_s=found["global"] / fs,
        scatter_mv=_spread(found["scatter"], at, n=n, axis=0),
        facts=facts,
        by_lead={k: _spread(v, at, n=n, axis=0) for k, v in by_lead.items()},
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


def _independent(usable: tuple[str, ...]) -> list[int]:
    """Leads that are not sums of others: all but III, aVR, aVL, aVF where I and II are there."""
    derived = {"III", "aVR", "aVL", "aVF"} if {"I", "II"} <= set(usable) else set()
    return [k for k, lead in enumerate(usable) if lead not in derived]


def _mark(smooth: Signal, centres: Floats, shape_class: NDArray[np.intp], *, fs: float) -> dict[str, Floats]:
    """Mark the commonest shape's median beat, and every beat; returns marks, placed, global, scatter and P facts."""
    origin = round(PRE_S * fs)
    rr = float(np.median(np.diff(centres))) / fs if len(centres) > 1 else 0.8
    placed = np.full((len(centres), len(Mark), len(smooth)), np.nan)
    overall = np.full((len(centres), len(Mark)), np.nan)
    found: dict[str, Floats] = {}
    for label in range(int(shape_class.max()) + 1):
        mine = shape_class == label
        beat, beats = median_beat(smooth, centres[mine], fs=fs)
        marks = np.maximum.accumulate(delineate(beat, fs=fs, origin=origin, rr_s=rr), axis=0)
        t_span = _span(marks, Mark.T_ONSET, Mark.T_OFFSET)
        t_shift, _ = register_wave(
            smooth, centres[mine], beat=beat, origin=origin, span=t_span, slack=round(_T_SLACK_S * fs)
        )
        if label == 0:
            p_span, p_beat = _span(marks, Mark.P_ONSET, Mark.P_OFFSET), beat
        p_shift, p_like = register_wave(
            smooth, centres[mine], beat=p_beat, origin=origin, span=p_span, slack=round(_P_SLACK_S * fs)
        )
        if label == 0:
            scatter = scatter_about(beat, beats)
            found = _presence(
                marks, beat, scatter, rr=usual_rr(centres, shape_class), p_shift=p_shift, p_like=p_like, fs=fs
            )
            marks = found["marks"]
            p_least = 0.25
        else:
            marks[: Mark.QRS_ONSET] = found["marks"][: Mark.QRS_ONSET]
            p_least = 0.85
        p_shift = np.where(p_like >= p_least, p_shift, np.nan)
        placed[mine] = place(marks, centres[mine], origin=origin, p_shift=p_shift, t_shift=t_shift)
        whole = place(over_leads(marks)[:, None], centres[mine], origin=origin, p_shift=p_shift, t_shift=t_shift)
        overall[mine] = whole[:, :, 0]
    return found | {"placed": _inside(placed, smooth.shape[1]), "global": _inside(overall, smooth.shape[1])}


def _presence(
    marks: Floats,
    beat: Floats,
    scatter: Floats,
    *,
    rr: Floats,
    p_shift: Floats,
    p_like: Floats,
    fs: float,
) -> dict[str, Floats]:
    """Decide whether there is a P wave; without one its marks become NaN."""
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
    marks = marks.copy()
    if probability < presence.LEAST_PROBABILITY:
        marks[: Mark.QRS_ONSET] = np.nan
    return {
        "marks": marks,
        "scatter": scatter,
        "p_probability": np.array(probability),
        "p_resemblance": np.array(resemblance),
    }


def _span(marks: Floats, first: Mark, last: Mark) -> tuple[int, int]:
    a, b = int(middle(marks[first])), int(middle(marks[last]))
    return a, max(b, a + 8)


def _inside(marks: Floats, n_samples: int) -> Floats:
    """Drop marks outside the recording, and with one mark of P or T the whole wave."""
    out = np.where((marks >= 0) & (marks <= n_samples - 1), marks, np.nan)
    for wave in (slice(Mark.P_ONSET, Mark.QRS_ONSET), slice(Mark.T_ONSET, None)):
        lost = np.isnan(out[:, wave]).any(axis=1, keepdims=True)
        out[:, wave] = np.where(lost, np.nan, out[:, wave])
    return out


def _facts(
    recording: Recording,
    *,
    raw: Signal,
    whole: Signal,
    smooth: Signal,
    usable: tuple[str, ...],
    found: dict[str, Floats],
    fs: float,
) -> dict[str, float]:
    atrial = [usable.index(lead) for lead in ("II", "V1") if lead in usable] or [0]
    amplitude, share = f_waves(smooth[atrial], found["global"] / fs, fs=fs)
    scatter = float(np.median(found["scatter"]))
    return {
        "p_probability": float(found["p_probability"]),
        "p_resemblance": float(found["p_resemblance"]),
        "f_wave_mv": amplitude,
        "f_wave_share": share,
        "wander_mv": _wander(raw, fs=recording.fs),
        "scatter_mv": scatter,
        "einthoven_mv": einthoven_residual_mv(Recording(whole[:, ::4], usable, fs / 4)),
    }


def _pacing_facts(spikes: NDArray[np.intp], times_s: Floats, *, fs: float) -> dict[str, float]:
    at = spikes / fs
    before = times_s[:, None] - at[None, :]
    paced = ((before > -0.02) & (before < 0.10)).any(axis=1)
    return {"spike_count": float(len(spikes)), "paced_share": float(paced.mean())}


def _noise(rest: Signal) -> Floats:
    return 1.4826 * np.median(np.abs(rest[:, :: max(1, rest.shape[1] // 1000)]), axis=1).astype(float)


def _wander(raw: Signal, *, fs: float) -> float:
    """Median over the leads of the standard deviation of 1 s medians, mV."""
    second = round(fs)
    n = raw.shape[1] // second
    if n < 2:
        return math.nan
    levels = np.median(raw[:, : n * second].reshape(len(raw), n, second)[:, :, :: max(1, second // 50)], axis=2)
    return float(np.median(levels.std(axis=1)))


def _spread(values: Floats, at: list[int], *, n: int, axis: int) -> Floats:
    """Put the usable leads' values at their places among all leads; NaN elsewhere."""
    shape = list(values.shape)
    shape[axis] = n
    out = np.full(shape, np.nan)
    where: list[slice | list[int]] = [slice(None)] * len(shape)
    where[axis] = at
    out[tuple(where)] = values
    return out
