"""The rows of measurements of a release, one per recording or one per window of a few seconds."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure import CATALOGUE, condense, evaluate, gather, observe
from twelvelead.privacy.people import Release, Sample
from twelvelead.privacy.units import Seen, Units, assemble
from twelvelead.signal import Recording, assess
from twelvelead.terms import InputError, Unmeasurable

Floats = NDArray[np.float64]


def feature_units(release: Release, *, names: Sequence[str] | None = None, window_s: float | None = None) -> Units:
    """Measure a release.

    Parameters
    ----------
    release : Release
        Recordings.
    names : sequence of str or None
        The measurements wanted, from the CATALOGUE. None: all.
    window_s : float or None
        Length of the windows that a recording is cut into, in s; each is measured alone, and what is left at the end
        belongs to the last one. None: the recording as a whole.

    Returns
    -------
    Units
        `x` of shape (n_rows, n_measurements), NaN where a number can't be measured.

    Raises
    ------
    InputError
        If a name is not of the CATALOGUE, or nothing can be measured.
    """
    known = {m.name: k for k, m in enumerate(CATALOGUE)}
    wanted = tuple(known) if names is None else tuple(names)
    strange = [name for name in wanted if name not in known]
    if strange:
        msg = f"measurements must be of the CATALOGUE; got {strange[0]!r}. See docs/catalogue.md."
        raise InputError(msg)
    at = [known[name] for name in wanted]
    seen = [_rows_of(sample, at, window_s=window_s) for sample in release.samples]
    return assemble(release.samples, seen, names=wanted)


def _rows_of(sample: Sample, at: list[int], *, window_s: float | None) -> Seen:
    rows: list[Floats] = []
    times: list[float] = []
    why_not = ""
    for start, window in _windows(sample.recording, window_s):
        try:
            rows.append(_row(window)[at])
        except Unmeasurable as error:
            why_not = str(error)
        else:
            times.append(start + window.duration / 2)
    if not rows:
        return Seen(None, np.empty(0), why_not)
    return Seen(np.stack(rows).astype(np.float32), np.array(times))


def _row(recording: Recording) -> Floats:
    """Measure one recording; shape (n_measurements,)."""
    quality = assess(recording)
    if quality.refusal is not None:
        raise Unmeasurable(quality.refusal.reason, quality.refusal.message)
    row: Floats = evaluate(gather([condense(observe(recording, quality.usable))]))[:, 0]
    return row


def _windows(recording: Recording, window_s: float | None) -> list[tuple[float, Recording]]:
    """Cut a recording into windows; each with its beginning in s."""
    n = recording.n_samples if window_s is None else round(window_s * recording.fs)
    n_windows = max(1, recording.n_samples // max(n, 1))
    ends = [*(k * n for k in range(n_windows)), recording.n_samples]
    return [
        (first / recording.fs, replace(recording, signal=recording.signal[:, first:last]))
        for first, last in pairwise(ends)
    ]
