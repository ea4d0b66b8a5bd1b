"""Where a recording is cut into beats by who gives it away, and the lot that is drawn for it."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure import observe
from twelvelead.privacy.rough_beats import find_rough_beats
from twelvelead.signal import Recording, assess
from twelvelead.terms import Unmeasurable

BEFORE_S = 0.28
"""From the cut to the middle of the QRS complex: before P in most people."""


def cut_points(recording: Recording) -> NDArray[np.intp]:
    """Return the samples at which the beats of a recording begin, ascending; fewer than two where there is none.

    Beats of any shape count. Where they can't be measured, the attackers' plain search finds them.
    """
    try:
        times = observe(recording, assess(recording).usable).times_s
    except Unmeasurable:
        times = find_rough_beats(recording.signal, fs=recording.fs)
    at = np.rint((times - BEFORE_S) * recording.fs).astype(np.intp)
    return np.unique(at[(at >= 0) & (at < recording.n_samples)])


def lot_of(recording: Recording, seed: int) -> np.random.Generator:
    """Return what is drawn for a recording: a function of the seed and its id alone."""
    return np.random.default_rng([seed, crc32(recording.id.encode())])
