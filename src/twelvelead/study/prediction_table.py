"""Anyone's table of predictions, brought into the form that the judge takes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from twelvelead.io.tables import read_table
from twelvelead.study.groupings import subgroups
from twelvelead.terms import PREDICTIONS, InputError
from twelvelead.validate.performance import BASELINE

AGE_BANDS_YEARS = (40.0, 55.0, 70.0)
"""Where ages are parted into subgroups, as in our studies."""

MOST_GROUPS = 12
"""A column with more different values is no grouping; ages are put into bands."""

ONE = {"target": "outcome", "model": "model", "set": "evaluation"}
"""What there is one of where a table does not say which."""


@dataclass(frozen=True)
class Columns:
    """What a table's columns are called.

    Parameters
    ----------
    y, patient, recording, target, set, model : str
        Outcome, patient, recording, target, set and model. The last four need not be there.
    p : tuple of str
        Risks: one column, or in a wide table one per model.
    strata : tuple of str
        Groupings.
    site : str or None
        Where a recording comes from.
    """

    y: str = "y"
    p: tuple[str, ...] = ("p",)
    patient: str = "patient_id"
    recording: str = "recording_id"
    target: str = "target"
    set: str = "set"
    model: str = "model"
    strata: tuple[str, ...] = ()
    site: str | None = None


@dataclass(frozen=True)
class PredictionTable:
    """Predictions as the judge takes them, and what else the table says.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Sorted by target, model, set and recording.
    strata : DataFrame with recording_id and a column per grouping, or None
        Groups of each recording.
    sites : DataFrame with columns recording_id, site, or None
        Where each recording comes from.
    n_unknown : int
        Rows left out because their outcome is unknown.
    """

    predictions: pl.DataFrame
    strata: pl.DataFrame | None
    sites: pl.DataFrame | None
    n_unknown: int


def read_predictions(
    path: Path, columns: Columns, *, baseline: str | None = None, compared: tuple[str, ...] = ()
) -> PredictionTable:
    """Read a table of outcomes and predicted risks.

    Parameters
    ----------
    path : Path
        CSV, TSV or Parquet: one row per recording (and target, set and, with one column of risks, model).
    columns : Columns
        What they are called.
    baseline : str or None
        The model that knows age and sex only, with which every other is compared; by default `age_sex`.
    compared : tuple of str
        Models that are wanted: columns of risks, if the table has them, else models of a long table.

    Returns
    -------
    PredictionTable

    Raises
    ------
    InputError
        If a column is absent, or holds what it can't.
    """
    table = read_table(path)
    if len(set(compared)) < len(compared):
        msg = f"the models compared must be different; got {', '.join(compared)}. Name another with --new."
        raise InputError(msg)
    wide = bool(set(compared) & set(table.columns)) or (bool(compared) and columns.p[0] not in table.columns)
    if wide:
        columns = replace(columns, p=compared)
    _require(table, columns, path, risks="--base, --new, --null" if wide else "--p")
    table = _named(table, columns)
    groups = [*columns.strata, *([columns.site] if columns.site else [])]
    known = table.filter(pl.col("y").is_not_null())
    long = _long(known, columns)
    if baseline is not None:
        if baseline not in long["model"]:
            there = ", ".join(long["model"].unique().sort())
            msg = f"the baseline must be a model of the table; got {baseline!r}, there are {there}. Name one of them."
            raise InputError(msg)
        long = long.with_columns(pl.col("model").replace({baseline: BASELINE}))
    predictions = PREDICTIONS.select(long).sort("target", "model", "set", "recording_id")
    grouped = _groups(known, groups) if groups else None
    return PredictionTable(
        predictions,
        strata=grouped.select("recording_id", *columns.strata) if grouped is not None and columns.strata else None,
        sites=grouped.select("recording_id", site=columns.site) if grouped is not None and columns.site else None,
        n_unknown=table.height - known.height,
    )


def _require(table: pl.DataFrame, columns: Columns, path: Path, *, risks: str) -> None:
    """Refuse a table that lacks a column, saying which flag would name another."""
    usual = Columns()
    optional = [(f"--{name}", str(getattr(columns, name))) for name in ("recording", "target", "set", "model")]
    wanted = [
        ("--y", columns.y),
        ("--patient", columns.patient),
        *((risks, name) for name in columns.p),
        *((flag, name) for flag, name in optional if name != getattr(usual, flag[2:])),
        *(("--strata", name) for name in columns.strata),
        *([("--site", columns.site)] if columns.site is not None else []),
    ]
    absent = [(flag, name) for flag, name in wanted if name not in table.columns]
    if absent:
        flags = ", ".join(sorted({flag for flag, _ in absent}))
        msg = (
            f"a table of predictions must have the column(s) {', '.join(name for _, name in absent)}; got "
            f"{', '.join(table.columns)} in {path.name!r}. Name yours with {flags}."
        )
        raise InputError(msg)
    if table.is_empty():
        msg = f"a table of predictions must have rows; got none in {path.name!r}. Write it again."
        raise InputError(msg)


def _named(table: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Give the columns our names and types; a row without recording_id is a recording of its own."""
    ids = pl.col(columns.recording) if columns.recording in table.columns else _row_number()
    fixed: dict[str, pl.Expr | pl.Series] = {
        "recording_id": ids.cast(pl.String),
        "patient_id": pl.col(columns.patient).cast(pl.String),
        "target": _or_one(table, columns.target, "target"),
        "set": _or_one(table, columns.set, "set"),
        "model": _or_one(table, columns.model, "model", name=columns.p[0] if columns.p[0] != "p" else None),
        "y": _outcome(table, columns.y),
    }
    kept = [name for name in (*columns.p, *columns.strata, columns.site) if name is not None and name not in fixed]
    out = table.select(*dict.fromkeys(kept), **fixed)
    for name in ("recording_id", "patient_id"):
        if n := out[name].null_count():
            msg = f"{name} must not be missing; got {n} missing of {out.height}. Fill or drop these rows."
            raise InputError(msg)
    return out


def _row_number() -> pl.Expr:
    return "row " + (pl.int_range(pl.len()) + 1).cast(pl.String).str.zfill(9)


def _or_one(table: pl.DataFrame, column: str, what: str, *, name: str | None = None) -> pl.Expr:
    return pl.col(column).cast(pl.String) if column in table.columns else pl.lit(name or ONE[what])


def _outcome(table: pl.DataFrame, name: str) -> pl.Series:
    """Return outcomes as 0, 1 or null (unknown)."""
    given = table[name]
    number = given.cast(pl.Float64, strict=False).fill_nan(None)
    other = number.is_not_null() & (number != 0) & (number != 1)
    bad = given.filter(other | (number.is_null() & (given.cast(pl.String) != "NaN").fill_null(value=False)))
    if len(bad):
        msg = f"{name} must be 1 (event), 0 (none) or empty (unknown); got {bad[0]!r}. Recode it."
        raise InputError(msg)
    return number.cast(pl.Int8)


def _long(table: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Put a wide table's models one below the other; give a long one its p."""
    wide = len(columns.p) > 1
    if wide:
        keys = ["recording_id", "patient_id", "target", "set", "y"]
        out = table.select(*keys, *columns.p).unpivot(
            on=list(columns.p), index=keys, variable_name="model", value_name="p"
        )
    else:
        out = table.with_columns(p=pl.col(columns.p[0]))
        _require_ids(table, columns)
    number = out["p"].cast(pl.Float64, strict=False).fill_nan(None)
    if n := number.null_count():
        first = out.filter(number.is_null())["recording_id"][0]
        msg = f"a risk must be a number; got {n} that are none, first in {first!r}. Predict or drop these recordings."
        raise InputError(msg)
    return out.with_columns(p=number)


def _require_ids(table: pl.DataFrame, columns: Columns) -> None:
    """Refuse several models without recording_id: which of their rows belong together could only be guessed."""
    numbered = table["recording_id"].n_unique() == table.height and table["recording_id"].str.starts_with("row ").all()
    if numbered and table["model"].n_unique() > 1:
        msg = (
            f"several models in one column must have a column {columns.recording}, which tells whose rows belong "
            f"together; got {table['model'].n_unique()} models without it. Add it, or give each model a column."
        )
        raise InputError(msg)


def _groups(table: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return each recording's groups: text as it is, ages in bands."""
    columns = [pl.col("recording_id"), *(_group(table[name]).alias(name) for name in dict.fromkeys(names))]
    out = table.select(columns).unique()
    twice = out.filter(pl.col("recording_id").is_duplicated()).sort("recording_id")
    if twice.height:
        msg = f"a recording must be in one group; got several of {twice['recording_id'][0]!r}. Mend the table."
        raise InputError(msg)
    return out.sort("recording_id")


def _group(values: pl.Series) -> pl.Series:
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if values.drop_nulls().n_unique() <= MOST_GROUPS:
        return values.cast(pl.String)
    if not (values.dtype.is_numeric() and values.name.lower().startswith("age")):
        msg = (
            f"a grouping must have at most {MOST_GROUPS} groups; got {values.drop_nulls().n_unique()} in "
            f"{values.name}. Group them first; ages (a column named age…) are put into bands."
        )
        raise InputError(msg)
    people = pl.DataFrame({"recording_id": "", "age_years": values, "sex": None})
    return subgroups(people, AGE_BANDS_YEARS)["age"]
