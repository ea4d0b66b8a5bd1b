"""What can be done to the time of a recording: the order of its beats dealt anew, or its clock made to run unevenly."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

from twelvelead.privacy.people import Transform
from twelvelead.privacy.transforms import each_recording
from twelvelead.privacy.transforms_cut import cut_points, lot_of
from twelvelead.signal import Recording
from twelvelead.signal.filter import bridge_gaps, remove_baseline
from twelvelead.terms import InputError

_KNOT_S = 1.0
_MOST_SHARE = 0.9


def shuffle_beats(*, seed: int) -> Transform:
    """Return the transform that deals the beats of each recording, with the pause after each, in another order.

    RR intervals are the same ones, and nobody's sequence; beats are left as they are but for a straight line through
    the ends of each, so that they join. A recording in which no two beats are found stays as it is.
    """

    def change(recording: Recording) -> Recording:
        cuts = cut_points(recording)
        if len(cuts) < 3:
            return recording
        steady = bridge_gaps(remove_baseline(recording).signal)
        parts = [_level(steady[:, first:last]) for first, last in pairwise(cuts)]
        order = lot_of(recording, seed).permutation(len(parts))
        middle = np.concatenate([parts[k] for k in order], axis=1)
        head, tail = steady[:, : cuts[0]], steady[:, cuts[-1] :]
        joined = (head - head[:, -1:] if head.size else head, middle, tail - tail[:, :1] if tail.size else tail)
        return replace(recording, signal=np.concatenate(joined, axis=1))

    return lambda release: each_recording(release, change, label="beats in another order")


def _level(part: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take a straight line through both ends off, so that both are 0."""
    along = np.linspace(0.0, 1.0, part.shape[1], dtype=np.float32)
    return part - (part[:, :1] * (1 - along) + part[:, -1:] * along)


def warp_time(share: float, *, seed: int) -> Transform:
    """Return the transform that lets the clock run faster and slower by up to `share`, changing about every second.

    Parameters
    ----------
    share : float
        Largest change of speed, 0 to 0.9. All intervals are wrong by up to this share.
    seed : int
        A recording's clock is a function of this and its id alone.

    Raises
    ------
    InputError
        If `share` is not in that range.
    """
    if not 0 <= share <= _MOST_SHARE:
        msg = f"the clock must run wrong by a share of 0 to {_MOST_SHARE}; got {share}. Use 0.1, say."
        raise InputError(msg)

    def change(recording: Recording) -> Recording:
        n, fs = recording.n_samples, recording.fs
        knots = np.arange(0.0, n / fs + 2 * _KNOT_S, _KNOT_S)
        speed = 1 + share * lot_of(recording, seed).uniform(-1, 1, len(knots))
        shown = np.r_[0.0, np.cumsum(_KNOT_S * (speed[1:] + speed[:-1]) / 2)]
        clock = PchipInterpolator(knots, shown)(np.arange(n) / fs)
        course = CubicSpline(np.arange(n) / fs, bridge_gaps(recording.signal), axis=1)
        return replace(recording, signal=course(np.minimum(clock, (n - 1) / fs)))

    return lambda release: each_recording(release, change, label=f"clock wrong by up to {share:.0%}")
