"""The marks of every beat and lead, as a table."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.measure.delineate import Mark
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.measure.kinds import Kind, classify_kinds
from twelvelead.terms import FIDUCIAL_TIMES, FIDUCIALS

Floats = NDArray[np.float64]

KINDS = tuple(kind.name.lower() for kind in Kind)
WAVES = {"p": Mark.P_ONSET, "qrs": Mark.QRS_ONSET, "t": Mark.T_ONSET}
"""The first of the three marks of each wave."""


def tabulate_fiducials(heartbeats: Sequence[Heartbeat]) -> pl.DataFrame:
    """List the marks of every beat and lead, as `terms.FIDUCIALS` has them.

    Parameters
    ----------
    heartbeats : sequence of Heartbeat
        From `observe`.

    Returns
    -------
    DataFrame
        In the order of `heartbeats`, then by beat, then in the recording's order of leads, `global` last; times in s,
        to 0.1 ms.
    """
    if not heartbeats:
        return FIDUCIALS.empty()
    times = np.round(np.concatenate([_marks(h) for h in heartbeats]), 4).T
    sure = np.concatenate([_confidence(h) for h in heartbeats]).astype(np.float32).T
    n_rows = [len(h.times_s) * (len(h.leads) + 1) for h in heartbeats]
    kinds = [classify_kinds(h.times_s, h.shape_class, h.global_marks_s, h.spikes_s) for h in heartbeats]
    columns = {name: pl.Series(column, nan_to_null=True) for name, column in zip(FIDUCIAL_TIMES, times, strict=True)}
    return pl.DataFrame(
        {
            "recording_id": _repeat([h.recording_id for h in heartbeats], np.repeat(np.arange(len(n_rows)), n_rows)),
            "lead": _repeat(*_leads(heartbeats)),
            "beat": np.concatenate([_of_beats(np.arange(len(h.times_s)), h) for h in heartbeats]).astype(np.int32),
            **columns,
            "kind": _repeat(KINDS, np.concatenate([_of_beats(k, h) for k, h in zip(kinds, heartbeats, strict=True)])),
            **{
                f"{wave}_confidence": pl.Series(np.where(np.isnan(times[WAVES[wave]]), np.nan, row), nan_to_null=True)
                for wave, row in zip(WAVES, sure, strict=True)
            },
        },
        schema=FIDUCIALS.schema,
    )


def _marks(h: Heartbeat) -> Floats:
    """Return the marks of all beats and leads, and of all leads together; shape (n_beats · (n_leads + 1), 9)."""
    marks = np.concatenate([h.beat_marks_s, h.global_marks_s[:, :, None]], axis=2)
    return marks.transpose(0, 2, 1).reshape(-1, len(Mark))


def _leads(heartbeats: Sequence[Heartbeat]) -> tuple[list[str], NDArray[np.integer]]:
    """Names of the leads, and which of them each row has."""
    names = [name for h in heartbeats for name in (*h.leads, "global")]
    first = np.cumsum([0] + [len(h.leads) + 1 for h in heartbeats])
    at = [np.tile(np.arange(a, b), len(h.times_s)) for a, b, h in zip(first, first[1:], heartbeats, strict=False)]
    return names, np.concatenate(at)


def _confidence(h: Heartbeat) -> Floats:
    """Lowest confidence of P, QRS and T in the same rows; NaN for beats of other shapes, whose marks have none."""
    n_leads = len(h.leads)
    of_leads = h.confidence if h.confidence is not None else np.full((len(Mark), n_leads), np.nan)
    together = h.global_confidence if h.global_confidence is not None else np.full(len(Mark), np.nan)
    of_waves = np.column_stack([of_leads, together]).reshape(3, 3, n_leads + 1)
    lowest = np.fmin.reduce(of_waves, axis=1).T
    return np.where((h.shape_class == 0)[:, None, None], lowest, np.nan).reshape(-1, 3)


def _of_beats(values: NDArray[np.integer], h: Heartbeat) -> NDArray[np.integer]:
    """Repeat what is one number per beat for each row of that beat."""
    return np.repeat(values, len(h.leads) + 1)


def _repeat(names: Sequence[str], at: NDArray[np.integer]) -> pl.Series:
    return pl.Series(names, dtype=pl.String).gather(at)
