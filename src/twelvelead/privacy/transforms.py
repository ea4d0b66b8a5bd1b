"""What is thought to make a release harmless: fewer samples per second, and noise."""

from collections.abc import Callable
from dataclasses import replace
from zlib import crc32

import numpy as np

from twelvelead.privacy.people import AS_RECORDED, Release, Transform
from twelvelead.signal import Recording, resample
from twelvelead.terms import InputError


def resample_to(hz: float) -> Transform:
    """Return the transform that keeps `hz` samples per second, and so what is slower than `hz` / 2.

    Examples
    --------
    >>> from twelvelead.privacy.people import Sample
    >>> release = Release((Sample(Recording(np.zeros((1, 5000)), ("I",), 500, id="r1"), "anna"),))
    >>> slow = resample_to(25)(release)
    >>> slow.label, slow.samples[0].recording.n_samples
    ('25 Hz', 250)
    """

    def change(recording: Recording) -> Recording:
        return resample(recording, fs=hz)

    return lambda release: each_recording(release, change, label=f"{hz:g} Hz")


def add_noise(mv: float, *, seed: int) -> Transform:
    """Return the transform that adds white noise of standard deviation `mv` to every sample of every lead.

    Parameters
    ----------
    mv : float
        In mV.
    seed : int
        A recording's noise is a function of this and its id alone.

    Raises
    ------
    InputError
        If `mv` is below 0.
    """
    if not mv >= 0:
        msg = f"noise must have a standard deviation of at least 0 mV; got {mv}. Use 0.1, say."
        raise InputError(msg)

    def change(recording: Recording) -> Recording:
        rng = np.random.default_rng([seed, crc32(recording.id.encode())])
        noise = rng.standard_normal(recording.signal.T.shape, dtype=np.float32).T
        return replace(recording, signal=recording.signal + np.float32(mv) * noise)

    return lambda release: each_recording(release, change, label=f"noise of {mv:g} mV")


def each_recording(release: Release, change: Callable[[Recording], Recording], *, label: str) -> Release:
    """Return a release with every recording changed, and its label lengthened.

    Parameters
    ----------
    release : Release
        Recordings.
    change : callable
        Recording to recording, of the same id.
    label : str
        What it does.
    """
    samples = tuple(replace(sample, recording=change(sample.recording)) for sample in release.samples)
    return Release(samples, label if release.label == AS_RECORDED else f"{release.label}, {label}")
