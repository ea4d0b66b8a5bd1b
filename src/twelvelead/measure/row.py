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
from twelvelead.signal import Quality, assess
from twelvelead.signal.recording import Recording
from twelvelead.terms import FAILURES, FINDINGS, Unmeasurable

Floats = NDArray[np.float64]


class Rows(NamedTuple):
    """What came of several recordings: tables keeping `features_contract()`, and of `terms` what they are called."""

    features: pl.DataFrame
    fiducials: pl.DataFrame
    failures: pl.DataFrame
    findings: pl.DataFrame


def measure(recording: Recording, *, refine: bool = True) -> tuple[dict[str, Any], pl.DataFrame]:
    """Measure one ECG.

    Parameters
    ----------
    recording : Recording
        1 to 15 leads, of any names; what a missing lead would have told is null. `signal.assess` says what is wrong
        with a lead.
    refine : bool
        Whether the marks that the rules set are corrected by what was learnt from cardiologists' marks.

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
    Each wave is measured on the median beat of the commonest QRS shape, at 500 Hz, wander below 0.4 Hz taken off;
    times on a copy of it that is smoothed to 40 Hz, both without phase shift. The fiducials table has the marks of
    every single beat.
    """
    heartbeat = observe(recording, _assess(recording).usable, refine=refine)
    values = evaluate(gather([condense(heartbeat)]))[:, 0].tolist()
    row: dict[str, Any] = {"recording_id": recording.id}
    row |= {m.name: value if math.isfinite(value) else None for m, value in zip(CATALOGUE, values, strict=True)}
    return row, tabulate_fiducials([heartbeat])


def measure_many(recordings: Iterable[Recording], *, fiducials: bool = True, refine: bool = True) -> Rows:
    """Measure several ECGs; each row is the same as if its recording had been measured alone.

    Parameters
    ----------
    recordings : iterable of Recording
        Taken one at a time; only what is left of them is kept.
    fiducials : bool
        Whether the table of marks is wanted; it is empty otherwise.
    refine : bool
        As for `measure`.

    Returns
    -------
    Rows
        Features and fiducials in the order of the recordings; those that can't be measured are failures; what is
        wrong with those that can, lead by lead, is in the findings.
    """
    ids: list[str] = []
    numbers: list[tuple[Floats, Floats]] = []
    heartbeats: list[Heartbeat] = []
    failures: list[dict[str, str]] = []
    findings: list[dict[str, str | None]] = []
    for recording in recordings:
        try:
            quality = _assess(recording)
            heartbeat = observe(recording, quality.usable, refine=refine)
        except Unmeasurable as error:
            failures.append({"recording_id": recording.id, "reason": error.reason.value, "message": str(error)})
        else:
            if fiducials:
                heartbeats.append(heartbeat)
            ids.append(recording.id)
            findings += list_findings(recording.id, quality)
            numbers.append(condense(heartbeat))
    features = tabulate(ids, gather(numbers))
    return Rows(features, tabulate_fiducials(heartbeats), FAILURES.select(failures), FINDINGS.select(findings))


def list_findings(recording_id: str, quality: Quality) -> list[dict[str, str | None]]:
    """Give each finding about a recording as a row of `terms.FINDINGS`."""
    return [
        {"recording_id": recording_id, "lead": f.lead, "reason": f.reason.value, "message": f.message}
        for f in quality.findings
    ]


def _assess(recording: Recording) -> Quality:
    """Judge a recording; raise if it can't be measured."""
    quality = assess(recording)
    if quality.refusal is not None:
        raise Unmeasurable(quality.refusal.reason, quality.refusal.message)
    return quality
