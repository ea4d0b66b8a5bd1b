"""Your own tables: `cohort`, `events` and the waveforms beside them.

==================  ====================================================================================================
file                what it holds
==================  ====================================================================================================
cohort.parquet      one row per recording, `terms.COHORT`; `path` names the waveform file relative to the folder
events.parquet      everything that happened, `terms.EVENTS`
database.json       optional: {"name": …, "simulated": true or false, "optimum": {target: best reachable AUROC}}
==================  ====================================================================================================

Either table may be a .csv instead; columns that may be null may be absent, times are ISO 8601.
"""

from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io.databases.database import Database
from twelvelead.io.tables import read_json, read_table, sink_table, write_json, write_table
from twelvelead.terms import COHORT, EVENTS, Contract, ContractError, InputError

CARD = "database.json"


def recognise(folder: Path) -> bool:
    """Whether `folder` holds a cohort and an events table."""
    return _find(folder, "cohort") is not None and _find(folder, "events") is not None


def load(folder: Path) -> Database:
    """Load a folder of your own tables.

    Raises
    ------
    InputError
        If one of the two tables is not there.
    ContractError
        If a table lacks a column or can't be read as the column's type.
    """
    paths = {name: _find(folder, name) for name in ("cohort", "events")}
    if missing := [name for name, path in paths.items() if path is None]:
        msg = f"{folder} must hold cohort and events as .parquet or .csv; got no {' and no '.join(missing)}. Add them."
        raise InputError(msg)
    cohort_path, events_path = (path for path in paths.values() if path is not None)
    card: dict[str, Any] = read_json(folder / CARD) if (folder / CARD).is_file() else {}
    return Database(
        name=str(card.get("name", folder.name)),
        folder=folder,
        cohort=_conform(read_table(cohort_path), COHORT),
        events=EVENTS.check(_conform(read_table(events_path), EVENTS)).lazy(),
        tables=(cohort_path, events_path),
        simulated=bool(card.get("simulated", False)),
        optimum={str(k): float(v) for k, v in card.get("optimum", {}).items()},
    )


def write(database: Database) -> None:
    """Write the tables and the card of a database into its folder; waveforms are written by their format."""
    write_table(COHORT.check(database.cohort), database.folder / "cohort.parquet")
    sink_table(EVENTS.check_schema(database.events), database.folder / "events.parquet")
    card = {"name": database.name, "simulated": database.simulated, "optimum": database.optimum}
    write_json(card, database.folder / CARD)


def _find(folder: Path, name: str) -> Path | None:
    found = [p for p in (folder / f"{name}.parquet", folder / f"{name}.csv") if p.is_file()]
    return found[0] if found else None


def _conform(table: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """Add the columns that may be absent, and read text as the types of the contract."""
    absent = [c for c in contract.columns if c.nullable and c.name not in table.columns]
    table = table.with_columns(pl.lit(None, c.dtype).alias(c.name) for c in absent)
    for column in contract.columns:
        if column.name not in table.columns or table.schema[column.name] == column.dtype:
            continue
        try:
            table = table.with_columns(_cast(pl.col(column.name), column.dtype, table.schema[column.name]))
        except pl.exceptions.PolarsError as error:
            msg = f"{contract.name}: {column.name} must be {column.dtype}; got {table.schema[column.name]} with values "
            msg += f"that are not ({str(error).splitlines()[0]}). Mend the column."
            raise ContractError(msg) from error
    return contract.check(table)


def _cast(column: pl.Expr, dtype: Any, held: Any) -> pl.Expr:  # noqa: ANN401
    if dtype == pl.Datetime("us") and held == pl.String:
        return column.str.to_datetime(time_unit="us")
    return column.cast(dtype)
