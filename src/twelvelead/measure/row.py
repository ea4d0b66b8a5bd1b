"""One recording measured: its row of the feature table, and its rows of the fiducials table."""

import math
from typing import Any

import numpy as np
import polars as pl

from twelvelead.measure.catalogue import CATALOGUE
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.measure.observe import observe
from twelvelead.signal import assess
from twelvelead.signal.recording import Recording
from twelvelead.terms import FIDUCIAL_TIMES, Unmeasurable


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
    quality = assess(recording)
    if quality.refusal is not None:
        raise Unmeasurable(quality.refusal.reason, quality.refusal.message)
    heartbeat = observe(recording, quality.usable)
    values = ((m.name, float(m.function(heartbeat))) for m in CATALOGUE)
    row: dict[str, Any] = {"recording_id": recording.id}
    row |= {name: value if math.isfinite(value) else None for name, value in values}
    return row, tabulate_fiducials(heartbeat)


def tabulate_fiducials(heartbeat: Heartbeat) -> pl.DataFrame:
    """List the marks of every beat and lead, as `terms.FIDUCIALS` has them.

    Parameters
    ----------
    heartbeat : Heartbeat
        From `observe`.

    Returns
    -------
    DataFrame
        Sorted by beat, then in the recording's order of leads, `global` last; times in s, to 0.1 ms.
    """
    names = (*heartbeat.leads, "global")
    n_beats = len(heartbeat.times_s)
    marks = np.concatenate([heartbeat.beat_marks_s, heartbeat.global_marks_s[:, :, None]], axis=2)
    flat = np.round(marks.transpose(0, 2, 1).reshape(-1, len(FIDUCIAL_TIMES)), 4)
    columns = {name: pl.Series(flat[:, k], nan_to_null=True) for k, name in enumerate(FIDUCIAL_TIMES)}
    return pl.DataFrame(
        {
            "recording_id": pl.Series([heartbeat.recording_id] * len(flat), dtype=pl.String),
            "lead": pl.Series(list(names) * n_beats, dtype=pl.String),
            "beat": pl.Series(np.repeat(np.arange(n_beats), len(names)), dtype=pl.Int32),
            **columns,
        }
    )
