"""What a table must have when it crosses from one room to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from twelvelead.terms.errors import ContractError


@dataclass(frozen=True)
class Column:
    """One column of a table contract."""

    name: str
    dtype: Any  # a polars data type; polars has no public name for "class or instance"
    meaning: str
    unit: str = ""
    nullable: bool = False


@dataclass(frozen=True)
class Contract:
    """The columns that a table must have when it crosses from one room to another.

    A table may have more columns than its contract names; those it names must have the type, must hold no null where
    they may not, and the key must not repeat.

    Parameters
    ----------
    name : str
        What the table is called in messages.
    key : tuple of str
        Columns that together name a row. Empty: rows have no key.
    columns : tuple of Column
        The promised columns.

    Examples
    --------
    >>> people = Contract("one", ("id",), (Column("id", pl.String, "Patient."),))
    >>> people.check(pl.DataFrame({"id": ["a", "b"]})).height
    2
    >>> people.check(pl.DataFrame({"id": ["a", "a"]}))
    Traceback (most recent call last):
    twelvelead.terms.errors.ContractError: one: id must name one row; got 1 repeated, first 'a'. Remove duplicates.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> dict[str, Any]:
        """Column names and polars types."""
        return {c.name: c.dtype for c in self.columns}

    def empty(self) -> pl.DataFrame:
        """Return a table without rows that keeps the contract."""
        return pl.DataFrame(schema=self.schema)

    def select(self, rows: pl.DataFrame | Sequence[dict[str, Any]]) -> pl.DataFrame:
        """Return `rows` as a table with just the promised columns and types, checked."""
        table = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, schema_overrides=self.schema)
        if table.width == 0:
            return self.empty()
        return self.check(table.select(pl.col(c.name).cast(c.dtype) for c in self.columns if c.name in table.columns))

    def check_schema(self, table: pl.LazyFrame) -> pl.LazyFrame:
        """Return a table that is not read yet unchanged, or raise `ContractError` if a column or a type is wrong."""
        self._check_columns(table.collect_schema())
        return table

    def check(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return `table` unchanged, or raise `ContractError` saying which column breaks the contract."""
        self._check_columns(table.schema)
        for c in self.columns:
            if not c.nullable and (n := table[c.name].null_count()):
                msg = f"{self.name}: {c.name} must not be null; got {n} null of {table.height}. Fill or drop them."
                raise ContractError(msg)
        self._check_key(table)
        return table

    def _check_columns(self, schema: pl.Schema) -> None:
        missing = [c.name for c in self.columns if c.name not in schema]
        if missing:
            msg = f"{self.name}: must have column(s) {', '.join(missing)}; got {', '.join(schema) or 'none'}. "
            msg += "Add them or rename yours."
            raise ContractError(msg)
        for c in self.columns:
            if schema[c.name] != c.dtype:
                msg = f"{self.name}: {c.name} must be {c.dtype}; got {schema[c.name]}. Cast the column."
                raise ContractError(msg)

    def _check_key(self, table: pl.DataFrame) -> None:
        if not self.key:
            return
        repeated = table.select(self.key).filter(pl.struct(self.key).is_duplicated()).unique(maintain_order=True)
        if repeated.height:
            first = repeated.row(0)
            msg = (
                f"{self.name}: {', '.join(self.key)} must name one row; got {repeated.height} repeated, "
                f"first {', '.join(map(repr, first))}. Remove duplicates."
            )
            raise ContractError(msg)
