"""When the heart beats: sinus rhythm with respiratory arrhythmia, atrial fibrillation, premature ventricular beats."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESPIRATION_HZ = 0.25
_LONGEST_RR_S = 2.0


class Beats(NamedTuple):
    """QRS onsets (s from the start), the QT interval that follows each (s), and which beats are premature."""

    onset: Floats
    qt: Floats
    premature: NDArray[np.bool_]


def draw_beats(row: Mapping[str, Any], *, duration: float, rng: np.random.Generator) -> Beats:
    """Draw the beats of one recording, a little beyond both its ends.

    Between the first and the last sinus or fibrillating beat that lie in the recording, mean and standard deviation of
    RR are exactly those of the truth (premature beats aside): the true rate is the rate of these ten seconds, not of
    the population they were drawn from.

    Parameters
    ----------
    row : mapping
        One row of the truth.
    duration : float
        In s.
    rng : numpy.random.Generator
        The recording's own.

    Returns
    -------
    Beats
        In order of time.
    """
    rr, sd = 60.0 / float(row["heart_rate_bpm"]), float(row["rr_sd_ms"]) / 1000
    first = float(rng.random()) * rr
    inside = int((duration - first) / rr)
    beyond = int(_LONGEST_RR_S / rr) + 2
    deviation = _deviations(inside, row["rhythm"], rr=rr, rng=rng) * sd
    intervals = np.concatenate([np.full(beyond, rr), rr + deviation, np.full(beyond, rr)])
    onset = first - beyond * rr + np.concatenate([[0.0], np.cumsum(intervals)])
    # Repolarisation follows the rate slowly: a quarter of the change shows in the next beat, none in the mean.
    qt = float(row["qt_interval_ms"]) / 1000 * (1 + 0.25 * (np.concatenate([[rr], intervals]) / rr - 1) / 3)
    return _add_premature_beats(Beats(onset, qt, np.zeros(onset.size, dtype=bool)), row, beyond=beyond, rng=rng)


def _deviations(n: int, rhythm: str, *, rr: float, rng: np.random.Generator) -> Floats:
    """Draw n bounded deviations of RR with mean exactly 0 and standard deviation exactly 1 (n - 1 in the divisor)."""
    if rhythm == "af":
        raw = rng.random(n)
    else:
        phase = 2 * np.pi * (RESPIRATION_HZ * rr * np.arange(n) + rng.random())
        raw = np.sin(phase) + 0.5 * rng.random(n)
    raw = raw - raw.mean()
    deviations: Floats = raw / raw.std(ddof=1)
    return deviations


def _add_premature_beats(beats: Beats, row: Mapping[str, Any], *, beyond: int, rng: np.random.Generator) -> Beats:
    """Replace sinus beats by premature ventricular ones, each followed by a full compensatory pause."""
    n = int(row["premature_beat_count"])
    if n == 0:
        return beats
    onset, qt, premature = beats.onset.copy(), beats.qt.copy(), beats.premature.copy()
    # Neither at the ends nor next to one another.
    candidates = np.arange(beyond + 2, onset.size - beyond - 2, 3)
    for beat in rng.permutation(candidates)[:n]:
        coupling = max(0.62 * (onset[beat] - onset[beat - 1]), float(qt[beat - 1]) + 0.03)
        onset[beat] = onset[beat - 1] + coupling
        qt[beat] = qt[beat] + 0.04
        premature[beat] = True
    return Beats(onset, qt, premature)
