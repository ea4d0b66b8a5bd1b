"""What one event says of an outcome: that it is there, that it is not, that it can't be known, or nothing."""

from datetime import timedelta

import polars as pl

from twelvelead.cohort.outcome import Outcome

UNKNOWN = -1
"""The state of an event that answers the question by "it can't be known"; null: it says nothing."""

CENTURIES = timedelta(days=365 * 300)
"""Longer than any database: what an endless window is cut to, since times have an end."""


def state(rule: Outcome) -> pl.Expr:
    """Say what an event says of the outcome.

    Parameters
    ----------
    rule : Outcome
        The outcome's definition.

    Returns
    -------
    Expr
        Int8 from the columns of `terms.EVENTS` and those of `limits`: 1 event, 0 none, `UNKNOWN`; null where the
        value or its limit is missing.
    """
    value, (lower, upper) = pl.col("value"), limits(rule)
    kinds = {
        "present": pl.lit(1, pl.Int8),
        "value": _value(rule),
        "uncertain": (value == UNKNOWN).cast(pl.Int8),
        "above_reference": _beyond(value > upper, value < lower, rule),
        "below_reference": _beyond(value < lower, value > upper, rule),
        "outside_reference": _outside(value, lower, upper),
    }
    return kinds[rule.event].cast(pl.Int8)


def opposite(rule: Outcome) -> pl.Expr:
    """Whether an event is the abnormality on the other side; never null."""
    lower, upper = limits(rule)
    sides = {"above_reference": pl.col("value") < lower, "below_reference": pl.col("value") > upper}
    return sides.get(rule.event, pl.lit(value=False)).fill_null(value=False)


def limits(rule: Outcome) -> tuple[pl.Expr, pl.Expr]:
    """Lower and upper limit of an event's value: its own row's, the whole table's, or the declared ones of the sex.

    Notes
    -----
    Reads the columns reference_lower and reference_upper, median_lower and median_upper, or sex.
    """
    if rule.reference == "row":
        return pl.col("reference_lower"), pl.col("reference_upper")
    if rule.reference == "median":
        return pl.col("median_lower"), pl.col("median_upper")
    sides = []
    for side in (0, 1):
        limit = pl.lit(rule.limits["all"][side] if "all" in rule.limits else None, pl.Float64)
        for sex in ("female", "male"):
            if sex in rule.limits:
                limit = pl.when(pl.col("sex") == sex).then(pl.lit(rule.limits[sex][side], pl.Float64)).otherwise(limit)
        sides.append(limit)
    return sides[0], sides[1]


def _value(rule: Outcome) -> pl.Expr:
    """At least 0.5 is the event; what −1 says is the rule's policy."""
    says = {"no": 0, "yes": 1, "unknown": UNKNOWN, "ignore": None}[rule.uncertain]
    certain = (pl.col("value") >= 0.5).cast(pl.Int8)
    return pl.when(pl.col("value") == UNKNOWN).then(pl.lit(says, pl.Int8)).otherwise(certain)


def _beyond(beyond: pl.Expr, other_side: pl.Expr, rule: Outcome) -> pl.Expr:
    if rule.opposite == "no":
        return beyond.cast(pl.Int8)
    return pl.when(other_side).then(pl.lit(UNKNOWN, pl.Int8)).otherwise(beyond.cast(pl.Int8))


def _outside(value: pl.Expr, lower: pl.Expr, upper: pl.Expr) -> pl.Expr:
    """Outside the range on either side; where a row has no range, the laboratory's flag says so."""
    flagged = pl.col("flag") == "abnormal"
    one, none = pl.lit(1, pl.Int8), pl.lit(0, pl.Int8)
    return (
        pl.when((value < lower).fill_null(value=False) | (value > upper).fill_null(value=False))
        .then(one)
        .when(value.is_not_null() & (lower.is_not_null() | upper.is_not_null()))
        .then(none)
        .when(flagged)
        .then(one)
    )


def window(hours: tuple[float, float]) -> tuple[timedelta, timedelta]:
    """Turn a window in hours, which may be endless, into lengths of time."""
    furthest = CENTURIES.total_seconds() / 3600
    start, end = (timedelta(hours=min(max(h, -furthest), furthest)) for h in hours)
    return start, end
