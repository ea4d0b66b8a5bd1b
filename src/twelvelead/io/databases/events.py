"""Events from the tables of a database: one frame per table, each of which says what systems its codes are of."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import polars as pl

from twelvelead.terms import EVENTS

SOURCE = "source_id"
"""Column beyond `terms.EVENTS`: the event's own name in its table, such as a laboratory item or an X-ray image."""

SCHEMA = {**EVENTS.schema, SOURCE: pl.String}


@dataclass(frozen=True)
class EventTable:
    """What one published table says of events.

    Parameters
    ----------
    systems : tuple of str
        The systems of its codes.
    rows : LazyFrame
        Keeps `terms.EVENTS`, and has the column `source_id`.
    """

    systems: tuple[str, ...]
    rows: pl.LazyFrame


def as_events(rows: pl.LazyFrame, *systems: str) -> EventTable:
    """Make events of a table's rows.

    Parameters
    ----------
    rows : LazyFrame
        Columns as `terms.EVENTS` names them; those that may be null may be absent.
    systems : str
        The systems of its codes; `rows` need not have the column `system` if it is just one.

    Returns
    -------
    EventTable
        Rows without a patient or a code are left out: they say nothing.
    """
    held = rows.collect_schema()
    columns = [
        pl.col(name).cast(dtype) if name in held else _absent(name, systems).cast(dtype).alias(name)
        for name, dtype in SCHEMA.items()
    ]
    known = pl.col("patient_id").is_not_null() & pl.col("code").is_not_null()
    return EventTable(systems, rows.filter(known).select(columns))


def _absent(name: str, systems: tuple[str, ...]) -> pl.Expr:
    return pl.lit(systems[0]) if name == "system" else pl.lit(None)


def concat_events(tables: Sequence[EventTable]) -> pl.LazyFrame:
    """Put the events of several tables one under the other; none make an empty frame."""
    if not tables:
        return pl.LazyFrame(schema=SCHEMA)
    return pl.concat([table.rows for table in tables])


def select_systems(tables: Sequence[EventTable], systems: Collection[str]) -> pl.LazyFrame:
    """Give the events of some systems; no other tables are read than those that have them."""
    wanted = [table for table in tables if set(systems) & set(table.systems)]
    return concat_events(wanted).filter(pl.col("system").is_in(list(systems)))
