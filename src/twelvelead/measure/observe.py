"""From a recording to its heartbeat: beats, median beat and marks."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.amplitudes import set_level
from twelvelead.measure.beats import find_beats
from twelvelead.measure.condition import STEP, Conditioned, condition
from twelvelead.measure.delineate import global_marks
from twelvelead.measure.fibrillation import f_waves
from twelvelead.measure.flutter import FLUTTER_SHARE, find_flutter
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.measure.marking import mark_beats, without_p
from twelvelead.measure.rules import median_of
from twelvelead.measure.shapes import classify_beats
from twelvelead.signal import einthoven_residual_mv
from twelvelead.signal.kernel import kernel
from twelvelead.signal.recording import Recording
from twelvelead.terms import Reason, Unmeasurable

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]

_FEW = 80  # samples of a lead from which its noise is told


def observe(recording: Recording, usable: tuple[str, ...], *, refine: bool = True) -> Heartbeat:
    """Find the beats of a recording, their median beat and all marks.

    Parameters
    ----------
    recording : Recording
        One ECG.
    usable : tuple of str
        The leads that may be measured.
    refine : bool
        Whether the marks that the rules set are corrected by what was learnt.

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
    centres, shape_class = _find_beats(ready, recording)
    found = mark_beats(ready, centres, shape_class, refine=refine)
    atrial = _atrial_facts(ready, usable, found.of_all_leads)
    if atrial["flutter_share"] >= FLUTTER_SHARE:
        found = without_p(found)
    noise = _noise(ready.whole, ready.smooth, max(1, len(ready.smooth) // _FEW))
    facts = {
        "p_probability": found.p_probability,
        "p_resemblance": found.p_resemblance,
        "wander_mv": median_of(ready.wander_mv),
        "scatter_mv": median_of(found.scatter),
        "noise_mv": median_of(noise),
        "einthoven_mv": einthoven_residual_mv(recording),
    }
    facts |= atrial
    at = [recording.leads.index(lead) for lead in usable]
    n = len(recording.leads)
    is_usable = np.zeros(n, dtype=bool)
    is_usable[at] = True
    return Heartbeat(
        recording_id=recording.id,
        leads=recording.leads,
        usable=is_usable,
        fs=ready.fs,
        times_s=centres / ready.fs,
        shape_class=shape_class,
        beat=_spread(set_level(found.beat, found.marks.at, fs=ready.fs), at, n=n, axis=0),
        marks=_spread(found.marks.at, at, n=n, axis=1),
        global_marks=global_marks(*found.marks),
        beat_marks_s=_spread(found.of_beats, at, n=n, axis=2) / ready.fs,
        global_marks_s=found.of_all_leads / ready.fs,
        scatter_mv=_spread(found.scatter, at, n=n, axis=0),
        facts=facts,
        by_lead={"noise_mv": _spread(noise, at, n=n, axis=0)},
        spikes_s=ready.spikes_s,
        confidence=_spread(found.marks.confidence, at, n=n, axis=1),
        global_confidence=np.array([median_of(row) for row in found.marks.confidence]),
    )


def _find_beats(ready: Conditioned, recording: Recording) -> tuple[Floats, NDArray[np.intp]]:
    """Middle of each beat in samples of `ready.whole`, in order, and its class of shape."""
    fs = ready.fs / STEP
    rough = find_beats(ready.guide, fs=fs)
    if not rough.size:
        msg = (
            f"beats must stand out of noise and resemble each other; got none in recording {recording.id!r} "
            f"({recording.duration:.1f} s). Look at the recording."
        )
        raise Unmeasurable(Reason.NO_BEATS, msg)
    shape_class, centres = classify_beats(ready.guide, rough * fs, fs=fs)
    order = np.argsort(centres, kind="stable")
    return centres[order] * STEP, shape_class[order]


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


def _spread(values: Floats, at: list[int], *, n: int, axis: int) -> Floats:
    """Put the usable leads' values at their places among all leads; NaN elsewhere."""
    if n == len(at):
        return values
    shape = list(values.shape)
    shape[axis] = n
    out = np.full(shape, np.nan)
    where: list[slice | list[int]] = [slice(None)] * len(shape)
    where[axis] = at
    out[tuple(where)] = values
    return out
