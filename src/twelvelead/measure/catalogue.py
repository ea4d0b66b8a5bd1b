"""The CATALOGUE: every measurement, declared once, in the order of the feature table."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.measure import amplitudes, axes, intervals, morphology, quality, reversal, rhythm, u_wave, voltage
from twelvelead.measure.errors import read_errors
from twelvelead.measure.heartbeat import Heartbeats
from twelvelead.terms import FEATURES, Column, Contract, Measurement

Floats = NDArray[np.float64]

_DECLARED = (
    *rhythm.MEASUREMENTS,
    *intervals.MEASUREMENTS,
    *axes.MEASUREMENTS,
    *voltage.MEASUREMENTS,
    *morphology.MEASUREMENTS,
    *amplitudes.MEASUREMENTS,
    *u_wave.MEASUREMENTS,
    *quality.MEASUREMENTS,
    *reversal.MEASUREMENTS,
)
_ERRORS = read_errors()

CATALOGUE: tuple[Measurement, ...] = tuple(replace(m, error=_ERRORS.get(m.name)) for m in _DECLARED)
"""What `measure` returns, in this order."""


def evaluate(heartbeats: Heartbeats) -> Floats:
    """Evaluate every formula of the CATALOGUE for every recording.

    Parameters
    ----------
    heartbeats : Heartbeats
        n recordings, from `condense.gather`.

    Returns
    -------
    ndarray, shape (n_measurements, n)
        NaN where there is no number.
    """
    values = np.empty((len(CATALOGUE), heartbeats.facts.shape[1]))
    with np.errstate(all="ignore"):
        for row, measurement in zip(values, CATALOGUE, strict=True):
            row[:] = measurement.function(heartbeats)
    values[np.isinf(values)] = np.nan  # a formula that divides by nothing
    return values


def pool(values: Floats) -> Floats:
    """Make one number of each measurement out of those of the windows of a long recording.

    Parameters
    ----------
    values : ndarray, shape (n_measurements, n_windows)
        From `evaluate`, one column per window; NaN where a window has no number, which does not count.

    Returns
    -------
    ndarray, shape (n_measurements,)
        The median, sum, mean, largest or smallest, as the measurement declares; NaN where no window has a number.

    Notes
    -----
    The median of directions is taken about their mean direction, so that 179° and −179° make 180° and not 0°.
    """
    known = (~np.isnan(values)).sum(axis=1)
    ways = np.array([m.pooled for m in CATALOGUE])
    turned = np.array([m.unit == "deg" for m in CATALOGUE])
    out = _median(values, known)
    out[turned] = _median_direction(values[turned], known[turned])
    total = np.where(known > 0, np.nansum(values, axis=1), np.nan)
    out[ways == "sum"] = total[ways == "sum"]
    out[ways == "mean"] = (total / np.maximum(known, 1))[ways == "mean"]
    out[ways == "max"] = np.fmax.reduce(values[ways == "max"], axis=1)
    out[ways == "min"] = np.fmin.reduce(values[ways == "min"], axis=1)
    return out


def _median(values: Floats, known: NDArray[np.intp]) -> Floats:
    """Median of each row's known values."""
    ordered, rows = np.sort(values, axis=1), np.arange(len(values))  # NaN comes last
    middle: Floats = 0.5 * (ordered[rows, np.maximum(known - 1, 0) // 2] + ordered[rows, known // 2])
    return middle


def _median_direction(degrees: Floats, known: NDArray[np.intp]) -> Floats:
    """Median of each row's known directions, −180 to 180°."""
    radians = np.radians(degrees)
    mean = np.degrees(np.arctan2(np.nansum(np.sin(radians), axis=1), np.nansum(np.cos(radians), axis=1)))
    apart = (degrees - mean[:, None] + 180) % 360 - 180
    direction: Floats = 180 - (180 - mean - _median(apart, known)) % 360  # 180 and not −180
    return direction


def tabulate(recording_ids: Sequence[str], heartbeats: Heartbeats) -> pl.DataFrame:
    """Return the feature table of several recordings.

    Parameters
    ----------
    recording_ids : sequence of str, length n
        The key of each row.
    heartbeats : Heartbeats
        n recordings, in the same order.

    Returns
    -------
    DataFrame, see `features_contract`
        One row per recording; null where there is no number.
    """
    return tabulate_values(recording_ids, evaluate(heartbeats))


def tabulate_values(recording_ids: Sequence[str], values: Floats) -> pl.DataFrame:
    """Return the feature table of values that are there already.

    Parameters
    ----------
    recording_ids : sequence of str, length n
        The key of each row.
    values : ndarray, shape (n_measurements, n)
        From `evaluate` or `pool`.

    Returns
    -------
    DataFrame, see `features_contract`
    """
    # One long column, cut: building hundreds of short ones would take longer than measuring.
    single, n = values.astype(np.float32), len(recording_ids)
    flat = pl.Series(single.ravel(), dtype=pl.Float32, nan_to_null=True)
    columns = [flat.slice(k * n, n).alias(m.name) for k, m in enumerate(CATALOGUE)]
    return pl.DataFrame([pl.Series("recording_id", recording_ids, dtype=pl.String), *columns])


def features_contract() -> Contract:
    """Return the contract of the feature table: `recording_id`, then one nullable column per measurement.

    Examples
    --------
    >>> contract = features_contract()
    >>> contract.columns[0].name, contract.columns[1].name, contract.columns[1].unit
    ('recording_id', 'heart_rate_bpm', '1/min')
    """
    columns = (Column(m.name, pl.Float32, m.definition, m.unit, nullable=True) for m in CATALOGUE)
    return Contract(FEATURES.name, FEATURES.key, (*FEATURES.columns, *columns))
