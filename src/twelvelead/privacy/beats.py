"""Single beats of a release, each with its QRS complex at the same place."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import uniform_filter1d

from twelvelead.measure import observe
from twelvelead.privacy.people import Release, Sample
from twelvelead.privacy.rough_beats import find_rough_beats
from twelvelead.privacy.units import Seen, Units, assemble
from twelvelead.signal import Recording
from twelvelead.signal.filter import filter_bands
from twelvelead.terms import InputError, Unmeasurable

Floats = NDArray[np.float64]

FS = 250.0
"""Rate of the beats in Hz."""
BEFORE_MS, AFTER_MS = 250.0, 450.0
"""From the beginning of P to the end of T at rest."""

_BAND_HZ = (1.0, 40.0)
_MEAN = 5  # samples of 250 Hz: a mean over 20 ms has no 50 Hz left, and little of 60 Hz
_LEAST_FS = 50.0  # below, `observe` sees too little of the QRS complex to tell it from a T wave
_NEAR_S = np.arange(-0.06, 0.0605, 0.001)  # about as long as a QRS complex
_ROUNDS = 4


def beat_units(
    release: Release,
    *,
    leads: Sequence[str] | None = None,
    window_ms: tuple[float, float] = (-BEFORE_MS, AFTER_MS),
) -> Units:
    """Cut a release into beats.

    Parameters
    ----------
    release : Release
        Recordings.
    leads : sequence of str or None
        The leads wanted. None: those that all recordings have.
    window_ms : (float, float)
        Beginning and end of a beat, ms from the middle of its QRS complex.

    Returns
    -------
    Units
        `x` of shape (n_beats, n_leads, n_samples), in mV at 250 Hz, 1 to about 40 Hz. Only beats of the commonest shape
        that lie wholly in the recording.

    Raises
    ------
    InputError
        If the recordings share no lead, or no beat is found in any.

    Notes
    -----
    `measure.observe` finds the beats; where it finds none, or has fewer than 50 samples per second, a plainer search
    does (`find_rough_beats`): that a transform confuses one detector protects nobody. All beats of a recording are then
    moved together to where the energy of their median's slope has its centre, which noise and a coarse grid move less
    than the tallest sample.
    """
    wanted = tuple(leads) if leads is not None else shared_leads(release.samples)
    seen = [_beats_of(sample, wanted, window_ms=window_ms) for sample in release.samples]
    return assemble(release.samples, seen, names=wanted, fs=FS, at_r_s=-window_ms[0] / 1000)


def shared_leads(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return the leads that all recordings have, in the order of the first.

    Raises
    ------
    InputError
        If there is none.
    """
    first = samples[0].recording.leads if samples else ()
    shared = tuple(lead for lead in first if all(lead in s.recording.leads for s in samples))
    if not shared:
        msg = f"the recordings must share a lead; got none in all {len(samples)}. Leave out those that differ."
        raise InputError(msg)
    return shared


def _beats_of(sample: Sample, leads: tuple[str, ...], *, window_ms: tuple[float, float]) -> Seen:
    recording = sample.recording
    at = [recording.leads.index(lead) for lead in leads if lead in recording.leads]
    signal = recording.signal[at]
    if len(at) < len(leads) or not np.isfinite(signal).any(axis=1).all():
        return Seen(None, np.empty(0), f"{', '.join(leads)} must have samples; at least one has none")
    passed = filter_bands(signal, fs=recording.fs, bands=[(*_BAND_HZ, FS)])[0]
    smooth = uniform_filter1d(passed.astype(float), _MEAN, axis=1)
    times = _find(recording, leads)
    if not times.size:
        return Seen(None, np.empty(0), "no beat was found")
    course = CubicSpline(np.arange(smooth.shape[1]) / FS, smooth, axis=1)
    times = _centre(course, times)
    offset = np.arange(round((window_ms[1] - window_ms[0]) / 1000 * FS)) / FS + window_ms[0] / 1000
    inside = (times + offset[0] >= 0) & (times + offset[-1] <= course.x[-1])
    if not inside.any():
        return Seen(None, np.empty(0), "no beat lies wholly in the recording")
    x = course(times[inside, None] + offset).swapaxes(0, 1)
    return Seen(np.ascontiguousarray(x, dtype=np.float32), times[inside])


def _find(recording: Recording, leads: tuple[str, ...]) -> Floats:
    """Return the middle of each QRS complex of the commonest shape, s from the start."""
    if recording.fs >= _LEAST_FS:
        try:
            heartbeat = observe(recording, leads)
        except Unmeasurable:
            pass
        else:
            usual: Floats = heartbeat.times_s[heartbeat.shape_class == 0]
            return usual
    signal = recording.signal[[recording.leads.index(lead) for lead in leads]]
    return find_rough_beats(signal, fs=recording.fs)


def _centre(course: CubicSpline, times_s: Floats) -> Floats:
    """Move the beats of a recording, all by as much, to the centre of their QRS complex."""
    placed = times_s
    for _ in range(_ROUNDS):
        median = np.median(course(placed[:, None] + _NEAR_S), axis=1)
        energy = np.square(np.gradient(median, axis=1)).sum(axis=0)
        if not energy.any():
            break
        placed = placed + (_NEAR_S * energy).sum() / energy.sum()
    return placed
