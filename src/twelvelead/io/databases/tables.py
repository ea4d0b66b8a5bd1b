"""Your own tables: `cohort`, `events` and the waveforms beside them.

==================  ====================================================================================================
file                what it holds
==================  ====================================================================================================
cohort.parquet      one row per recording, `terms.COHORT`; `path` names the waveform file relative to the folder
events.parquet      everything that happened, `terms.EVENTS`
features.parquet    optional: measurements instead of waveforms, recording_id and columns named as in the CATALOGUE
stays.parquet       optional: when patients were in the hospital, `terms.STAYS`
patients.parquet    optional: sex and death, `terms.PATIENTS`
database.json       optional: {"name": …, "simulated": true or false, "optimum": {target: best reachable AUROC}}
==================  ====================================================================================================

Any table may be a .csv instead; columns that may be null may be absent, further ones are kept, times are ISO 8601.
Events and features in Parquet are read when they are needed, and may be larger than memory.
"""

from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io.databases.card import CARD, read_card
from twelvelead.io.databases.database import Database
from twelvelead.io.tables import read_table, sink_table, write_json, write_table
from twelvelead.terms import COHORT, EVENTS, FEATURES, PATIENTS, STAYS, Contract, ContractError, InputError


def recognise(folder: Path) -> bool:
    """Whether `folder` holds a cohort and an events table."""
    return find_table(folder, "cohort") is not None and find_table(folder, "events") is not None


def load(folder: Path) -> Database:
    """Load a folder of your own tables.

    Raises
    ------
    InputError
        If one of the two needed tables is not there.
    ContractError
        If a table lacks a column or can't be read as the column's type.
    """
    names = ("cohort", "events", "features", "stays", "patients")
    paths = {name: path for name in names if (path := find_table(folder, name)) is not None}
    if missing := [name for name in names[:2] if name not in paths]:
        msg = f"{folder} must hold cohort and events as .parquet or .csv; got no {' and no '.join(missing)}. Add them."
        raise InputError(msg)
    card = read_card(folder)
    return Database(
        name=str(card.get("name", folder.name)),
        folder=folder,
        cohort=read_conforming(paths["cohort"], COHORT),
        events=_scan_conforming(paths["events"], EVENTS),
        tables=tuple(paths.values()),
        features=_scan_conforming(paths["features"], FEATURES) if "features" in paths else None,
        stays=read_conforming(paths["stays"], STAYS) if "stays" in paths else None,
        patients=read_conforming(paths["patients"], PATIENTS) if "patients" in paths else None,
        simulated=bool(card.get("simulated", False)),
        optimum={str(k): float(v) for k, v in card.get("optimum", {}).items()},
    )


def write(database: Database) -> None:
    """Write the tables and the card of a database into its folder; waveforms are written by their format."""
    folder = database.folder
    write_table(COHORT.check(database.cohort), folder / "cohort.parquet")
    sink_table(EVENTS.check_schema(database.events), folder / "events.parquet")
    if database.features is not None:
        sink_table(FEATURES.check_schema(database.features), folder / "features.parquet")
    for name, table in (("stays", database.stays), ("patients", database.patients)):
        if table is not None:
            write_table(table, folder / f"{name}.parquet")
    card = {"name": database.name, "simulated": database.simulated, "optimum": database.optimum}
    write_json(card, folder / CARD)


def find_table(folder: Path, name: str) -> Path | None:
    """Find `name.parquet` or else `name.csv` in a folder; None if there is neither."""
    found = [p for p in (folder / f"{name}.parquet", folder / f"{name}.csv") if p.is_file()]
    return found[0] if found else None


def read_conforming(path: Path, contract: Contract) -> pl.DataFrame:
    """Read a table so that it keeps a contract: add columns that may be null, read text as its column's type.

    Raises
    ------
    ContractError
        If a column is not there, is not of its type, is null where it must not be, or the key repeats.
    """
    return contract.check(_conform(read_table(path), contract))


def _scan_conforming(path: Path, contract: Contract) -> pl.LazyFrame:
    """Give a table that keeps a contract without holding it in memory, if it is Parquet of the right types.

    Nulls are looked for in one pass; keys are not, since events have none and features are joined one to one.
    """
    rows = pl.scan_parquet(path) if path.suffix == ".parquet" else pl.LazyFrame()
    held = rows.collect_schema()
    absent = [c for c in contract.columns if c.nullable and c.name not in held]
    rows = rows.with_columns(pl.lit(None, c.dtype).alias(c.name) for c in absent)
    if path.suffix != ".parquet" or any(held[c.name] != c.dtype for c in contract.columns if c.name in held):
        return read_conforming(path, contract).lazy()
    contract.check_schema(rows)
    never = [c.name for c in contract.columns if not c.nullable]
    nulls = rows.select(pl.col(never).null_count()).collect(engine="streaming").row(0, named=True)
    for name, count in nulls.items():
        if count:
            msg = f"{contract.name}: {name} must not be null; got {count} null in {path.name}. Fill or drop them."
            raise ContractError(msg)
    return rows


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
    return table


def _cast(column: pl.Expr, dtype: Any, held: Any) -> pl.Expr:  # noqa: ANN401
    if dtype == pl.Datetime("us") and held == pl.String:
        return column.str.to_datetime(time_unit="us")
    return column.cast(dtype)
