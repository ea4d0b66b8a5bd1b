"""The CATALOGUE: every measurement, declared once, in the order of the feature table."""

import polars as pl

from twelvelead.measure import amplitudes, axes, intervals, morphology, quality, rhythm, voltage
from twelvelead.terms import FEATURES, Column, Contract, Measurement

CATALOGUE: tuple[Measurement, ...] = (
    *rhythm.MEASUREMENTS,
    *intervals.MEASUREMENTS,
    *axes.MEASUREMENTS,
    *voltage.MEASUREMENTS,
    *morphology.MEASUREMENTS,
    *amplitudes.MEASUREMENTS,
    *quality.MEASUREMENTS,
)
"""What `measure` returns, in this order."""


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
