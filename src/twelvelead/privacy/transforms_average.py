"""One beat for a recording: its median beat, repeated at its median rate."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.people import AS_RECORDED, Release, Transform
from twelvelead.privacy.transforms_cut import cut_points
from twelvelead.signal import Recording
from twelvelead.signal.filter import bridge_gaps, remove_baseline

Floats = NDArray[np.float64]

LENGTH_S = 10.0
"""For how long the beat is repeated: as long for everybody, since lengths tell people apart, too."""


def median_cycle(recording: Recording) -> Floats | None:
    """Return the median beat of a recording from before its P wave to where the next one begins.

    Returns
    -------
    ndarray, shape (n_leads, n_samples), or None
        In mV at the recording's rate, as long as the median RR interval; both ends at 0. None where fewer than two
        beats are found.
    """
    cuts = cut_points(recording)
    if len(cuts) < 2:
        return None
    n = int(np.median(np.diff(cuts)))
    starts = cuts[cuts + n <= recording.n_samples]
    if n < 2 or not len(starts):
        return None
    steady = bridge_gaps(remove_baseline(recording).signal)
    cycle = np.median(np.stack([steady[:, at : at + n] for at in starts]), axis=0)
    along = np.linspace(0.0, 1.0, n)
    level: Floats = cycle - (cycle[:, :1] * (1 - along) + cycle[:, -1:] * along)
    return level


def repeat_cycle(cycle: Floats, *, fs: float) -> NDArray[np.float32]:
    """Repeat a beat for `LENGTH_S`; shape (n_leads, n_samples)."""
    n = round(LENGTH_S * fs)
    return np.tile(cycle, -(-n // cycle.shape[1]))[:, :n].astype(np.float32)


def average_beats() -> Transform:
    """Return the transform that gives away each recording's median beat only, repeated at its median rate.

    Recordings in which no two beats are found are not given away.
    """

    def change(release: Release) -> Release:
        samples = []
        for sample in release.samples:
            cycle = median_cycle(sample.recording)
            if cycle is not None:
                signal = repeat_cycle(cycle, fs=sample.recording.fs)
                samples.append(replace(sample, recording=replace(sample.recording, signal=signal)))
        label = "median beats"
        return Release(tuple(samples), label if release.label == AS_RECORDED else f"{release.label}, {label}")

    return change
