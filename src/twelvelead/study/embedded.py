"""Embeddings as a study's predictors: which table, which row is whose, and by which encoder they were made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io.tables import read_about, read_table, sha256
from twelvelead.predict.blocks import EMBEDDING, block_of
from twelvelead.terms import FAILURES, ContractError, Reason, StudyError

MADE = "embedding"
"""Under this a table says how it was made: encoder (SHA-256 of its file), pool, and leads (null: all)."""


@dataclass(frozen=True)
class Embeddings:
    """A table that `twelvelead embed` wrote.

    Parameters
    ----------
    name : str
        The file's.
    sha256 : str
        Its digest.
    made : mapping
        How it was made: encoder, pool, leads; empty where the table doesn't say, as CSV can't.
    table : DataFrame
        recording_id and the columns `embedding_…`, Float32.
    """

    name: str
    sha256: str
    made: Mapping[str, Any]
    table: pl.DataFrame = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the predictors."""
        return tuple(self.table.columns[1:])

    def card(self) -> dict[str, Any]:
        """Say which table it is, for a manifest."""
        return {"file": self.name, "sha256": self.sha256, "columns": len(self.columns), **self.made}


def read_embeddings(path: Path) -> Embeddings:
    """Read a table of embeddings.

    Parameters
    ----------
    path : Path
        The table, .parquet, .csv or .tsv.

    Raises
    ------
    InputError
        If it is not there.
    ContractError
        If it has no such columns, a recording twice, or a value that is not a number.
    """
    table = read_table(path)
    names = [name for name in table.columns if block_of(name) == EMBEDDING]
    if "recording_id" not in table.columns or not names:
        msg = f"a table of embeddings must have recording_id and columns {EMBEDDING}_*; got others in {str(path)!r}. "
        raise ContractError(msg + "Make it by `twelvelead embed`.")
    if n := table["recording_id"].is_duplicated().sum():
        msg = f"a table of embeddings must have each recording once; got {n} rows that repeat in {str(path)!r}. "
        raise ContractError(msg + "Make it again by `twelvelead embed`.")
    if text := [name for name in names if not (table[name].dtype.is_numeric() or table[name].dtype == pl.Null)]:
        msg = f"embeddings must be numbers; got {table[text[0]].dtype} in {text[0]} of {str(path)!r}. "
        raise ContractError(msg + "Make it again by `twelvelead embed`.")
    numbers = table.select(pl.col("recording_id").cast(pl.String), pl.col(names).cast(pl.Float32).fill_nan(None))
    return Embeddings(path.name, sha256(path), read_about(path).get(MADE, {}), numbers)


def match_embeddings(embeddings: Embeddings, ids: pl.Series) -> pl.DataFrame:
    """Find the embeddings of recordings by their ids, or where that fails by the last part of their paths.

    Parameters
    ----------
    embeddings : Embeddings
        The table, in which an id may be the path below the folder that was embedded.
    ids : Series of str
        Recording ids, unique.

    Returns
    -------
    DataFrame
        recording_id, as in `ids` and in their order, and the embedding; without rows of those that have none.

    Examples
    --------
    >>> table = pl.DataFrame({"recording_id": ["p10/s7/7", "p10/s8/8"], "embedding_0": [0.5, 1.5]})
    >>> match_embeddings(Embeddings("e.parquet", "", {}, table), pl.Series(["8", "9"])).rows()
    [('8', 1.5)]
    """
    wanted = pl.DataFrame({"recording_id": ids})
    last = pl.col("recording_id").str.split("/").list.last()
    there = embeddings.table.select("recording_id", _as="recording_id")
    exact = wanted.join(there, on="recording_id", how="inner", validate="1:1")
    # Two recordings whose paths end alike can't be told apart by it.
    left = (
        wanted.join(exact, on="recording_id", how="anti").with_columns(_last=last).filter(pl.col("_last").is_unique())
    )
    others = (
        there.join(exact, on="_as", how="anti")
        .with_columns(_last=last)
        .filter(pl.col("_last").is_unique())
        .select("_last", "_as")
    )
    loose = left.join(others, on="_last", how="inner", validate="1:1").select("recording_id", "_as")
    found = wanted.join(pl.concat([exact, loose]), on="recording_id", how="inner", maintain_order="left")
    values = embeddings.table.rename({"recording_id": "_as"})
    return found.join(values, on="_as", how="left", maintain_order="left").drop("_as")


def require_embedding(matched: pl.DataFrame, ids: pl.Series, embeddings: Embeddings) -> None:
    """Refuse a table that has none of the recordings.

    Raises
    ------
    StudyError
        If so.
    """
    if matched.is_empty() and ids.len():
        theirs = embeddings.table["recording_id"]
        msg = f"the table of embeddings must have recordings of the study; got none of {ids.len()}: the study has "
        msg += f"{ids[0]!r}, {embeddings.name} {theirs[0]!r}." if theirs.len() else f"no row in {embeddings.name}."
        raise StudyError(msg + " Embed the database's own folder.")


def list_lacking(matched: pl.DataFrame, ids: pl.Series, embeddings: Embeddings) -> pl.DataFrame:
    """List the recordings that have no embedding, as `terms.FAILURES` has it."""
    lacking = ids.filter(~ids.is_in(matched["recording_id"].implode())).sort()
    message = f"a recording must have a row in the table of embeddings; got none in {embeddings.name}. "
    message += "`twelvelead embed --failures` says why it could not be embedded."
    rows = pl.DataFrame({"recording_id": lacking}).with_columns(
        reason=pl.lit(Reason.NOT_EMBEDDED.value), message=pl.lit(message)
    )
    return FAILURES.select(rows)


def require_alike(here: Mapping[str, Any], there: Mapping[str, Any], *, where: str) -> None:
    """Refuse embeddings that another encoder made, or the same in another way: their numbers mean something else.

    Parameters
    ----------
    here, there : mapping
        How the embeddings that the models were fitted on were made, and how those they are to be applied to.
    where : str
        What the latter are called in the message.

    Raises
    ------
    StudyError
        If both say how they were made, and not alike.
    """
    for key in ("encoder", "pool", "leads"):
        if key in here and key in there and here[key] != there[key]:
            msg = f"embeddings must be made as those that the models were fitted on, {key} {here[key]}; got "
            raise StudyError(msg + f"{there[key]} in {where}. Embed again by the same encoder.")


def require_columns(wanted: tuple[str, ...], embeddings: Embeddings) -> None:
    """Refuse embeddings of another width or pooling.

    Parameters
    ----------
    wanted : tuple of str
        The columns that the models were fitted on.
    embeddings : Embeddings
        Those they are to be applied to.

    Raises
    ------
    StudyError
        If their columns are others.
    """
    if embeddings.columns != wanted:
        msg = f"embeddings must have the {len(wanted)} columns that the models know, {wanted[0]} to {wanted[-1]}; got "
        msg += f"{len(embeddings.columns)}, {embeddings.columns[0]} to {embeddings.columns[-1]}, in {embeddings.name}. "
        raise StudyError(msg + "Embed by the same encoder, pooled alike.")
