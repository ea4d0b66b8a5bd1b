"""The stays of MIMIC-IV's patients: emergency, hospital, the one after the other, or none."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.published.identifiers import scattered_ids
from twelvelead.simulate.published.population import Block

_HOUR, _DAY = 60, 1440  # in minutes
_KINDS = ("none", "emergency", "both", "hospital")
_LIMITS = (0.42, 0.55, 0.86)  # of the kinds' shares
_UNKNOWN_PEOPLE = 0.006  # share of the patients of whom the hospital's tables know nothing


def draw_visits(block: Block) -> pl.DataFrame:
    """Draw the stays of a block's visits.

    Returns
    -------
    polars.DataFrame
        One row per visit, in order: `patient`, `kind` (none, emergency, both, hospital), `coded`, `hadm_id`, `stay_id`,
        `intime` and `outtime` (emergency), `admittime`, `dischtime` (hospital), `first` and `last` (ECG), `real_day`.

    Notes
    -----
    An emergency stay begins before the first ECG; the hospital stay that it leads to begins a little before it ends.
    One in twenty stays has no codes.
    """
    ecg = pl.col("recorded_at")
    visits = (
        block.recordings.group_by("visit", maintain_order=True)
        .agg(pl.col("patient", "real_day").first(), first=ecg.min(), last=ecg.max(), n=pl.len())
        .sort("visit")
    )
    n = visits.height
    chance = np.searchsorted(_LIMITS, block.uniform("visit_kind", n), side="right")
    unknown = unknown_people(block)[visits["patient"].to_numpy()]
    chance = np.where(unknown, 0, chance)
    kind = np.array(_KINDS)[chance]
    # Nobody stays in the emergency department for two days.
    long = ((visits["last"] - visits["first"]).dt.total_hours() > 20).to_numpy()
    kind = np.where(long & (kind == "emergency"), "both", kind)
    emergency, hospital = np.isin(kind, ("emergency", "both")), np.isin(kind, ("both", "hospital"))
    draws = block.uniform("visit_times", n, 5).T
    visits = visits.with_columns(
        kind=pl.Series(kind),
        coded=pl.Series(block.uniform("coded", n) < 0.95),
        hadm_id=_where(hospital, scattered_ids(block, 20_000_000, n)),
        stay_id=_where(emergency, scattered_ids(block, 30_000_000, n)),
    )
    return _add_times(visits, draws)


def _add_times(visits: pl.DataFrame, draws: NDArray[np.float64]) -> pl.DataFrame:
    def minutes(number: int, start: float, end: float) -> pl.Series:
        return pl.Series(np.floor(start + (end - start) * draws[number]).astype(np.int64) * 60_000_000).cast(
            pl.Duration("us")
        )

    first, last = pl.col("first"), pl.col("last")
    is_both, in_hospital = pl.col("kind") == "both", pl.col("hadm_id").is_not_null()
    in_emergency = pl.col("stay_id").is_not_null()
    leaves = pl.when(is_both).then(first + minutes(1, 60, 8 * _HOUR)).otherwise(last + minutes(1, 30, 5 * _HOUR))
    timed = visits.with_columns(
        intime=pl.when(in_emergency).then(first - minutes(0, 5, 60)), outtime=pl.when(in_emergency).then(leaves)
    )
    arrives = pl.when(is_both).then(pl.col("outtime") - minutes(2, 0, 15)).otherwise(first - minutes(2, 30, 20 * _HOUR))
    timed = timed.with_columns(admittime=pl.when(in_hospital).then(arrives))
    leaves = pl.max_horizontal(pl.col("admittime") + minutes(3, _DAY, 7 * _DAY), last + minutes(4, _HOUR, 10 * _HOUR))
    return timed.with_columns(dischtime=pl.when(in_hospital).then(leaves))


def unknown_people(block: Block) -> NDArray[np.bool_]:
    """Return which patients have ECGs and are not in the hospital's tables: their sex is published as `missing`."""
    return block.uniform("unknown", block.patients.height) < _UNKNOWN_PEOPLE


def _where(given: NDArray[np.bool_], ids: NDArray[np.int64]) -> pl.Series:
    return pl.select(pl.when(pl.Series(given)).then(pl.Series(ids))).to_series()
