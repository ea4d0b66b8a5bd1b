"""Recordings measured: their rows of the feature table, and of the fiducials table."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.measure.catalogue import CATALOGUE, evaluate, tabulate
from twelvelead.measure.condense import condense, gather
from twelvelead.measure.fiducials import tabulate_fiducials
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.measure.observe import observe
from twelvelead.signal import assess
from twelvelead.signal.recording import Recording
from twelvelead.terms import FAILURES, Unmeasurable

Floats = NDArray[np.float64]


class Rows(NamedTuple):
    """What came of several recordings: tables keeping `features_contract()`, `terms.FIDUCIALS` and `terms.FAILURES`."""

    features: pl.DataFrame
    fiducials: pl.DataFrame
    failures: pl.DataFrame


def measure(recording: Recording) -> tuple[dict[str, Any], pl.DataFrame]:
    """Measure one ECG.

    Parameters
    ----------
    recording : Recording
        1 to 15 leads, of any names; what a missing lead would have told is null.

    Returns
    -------
    features : dict
        `recording_id`, then every measurement of the CATALOGUE as float; None where there is none.
    fiducials : DataFrame, see `terms.FIDUCIALS`
        One row per beat for each lead of the recording, and for `global`.

    Raises
    ------
    Unmeasurable
        If the recording's quality forbids it, or no beat is found; carries a `Reason`.

    Notes
    -----
    Each wave is measured on the median beat of the commonest QRS shape, at 500 Hz; amplitudes on a copy of 0.4–150 Hz,
    times on one of 0.5–40 Hz, both without phase shift. The fiducials table has the marks of every single beat.
    """
    heartbeat = _observe(recording)
    values = evaluate(gather([condense(heartbeat)]))[:, 0].tolist()
    row: dict[str, Any] = {"recording_id": recording.id}
    row |= {m.name: value if math.isfinite(value) else None for m, value in zip(CATALOGUE, values, strict=True)}
    return row, tabulate_fiducials([heartbeat])


def measure_many(recordings: Iterable[Recording], *, fiducials: bool = True) -> Rows:
    """Measure several ECGs; each row is the same as if its recording had been measured alone.

    Parameters
    ----------
    recordings : iterable of Recording
        Taken one at a time; only what is left of them is kept.
    fiducials : bool
        Whether the table of marks is wanted; it is empty otherwise.

    Returns
    -------
    Rows
        Features and fiducials in the order of the recordings; those that can't be measured are failures.
    """
    ids: list[str] = []
    numbers: list[tuple[Floats, Floats]] = []
    heartbeats: list[Heartbeat] = []
    failures: list[dict[str, str]] = []
    for recording in recordings:
        try:
            heartbeat = _observe(recording)
        except Unmeasurable as error:
            failures.append({"recording_id": recording.id, "reason": error.reason.value, "message": str(error)})
        else:
            if fiducials:
                heartbeats.append(heartbeat)
            ids.append(recording.id)
            numbers.append(condense(heartbeat))
    return Rows(tabulate(ids, gather(numbers)), tabulate_fiducials(heartbeats), FAILURES.select(failures))


def _observe(recording: Recording) -> Heartbeat:
    """Find the heartbeat of a recording whose quality allows it."""
    quality = assess(recording)
    if quality.refusal is not None:
        raise Unmeasurable(quality.refusal.reason, quality.refusal.message)
    return observe(recording, quality.usable)
