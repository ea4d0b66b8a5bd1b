"""The same recording under two names: found by its measurements, whatever its identifiers say."""

import polars as pl

from twelvelead.terms import StudyError

MEASURED = 8
"""With fewer measurements two different recordings may well agree in all."""

DIGITS = 5
"""Significant digits that are compared; a copy that went through another format differs beyond them."""

ROWS = 50_000
"""Recordings that are looked at together, so that wide tables don't fill the memory."""

FOUND = {"recording_id": pl.String, "twin": pl.String, "where": pl.String}


def near_duplicates(
    measurements: pl.DataFrame, development: pl.DataFrame | None = None, *, patients: pl.DataFrame
) -> pl.DataFrame:
    """Return pairs of recordings with the same measurements that should not be one: of two patients, or of both sides.

    Parameters
    ----------
    measurements : DataFrame with recording_id and columns of numbers
        Of the evaluated recordings.
    development : DataFrame with the same columns, or None
        Of the development recordings.
    patients : DataFrame with columns recording_id, patient_id
        Whose each evaluated recording is.

    Returns
    -------
    DataFrame with columns recording_id, twin, where
        An evaluated recording; another one with the same measurements; "two patients" or "both sides". A group of k
        copies gives k − 1 pairs, each with the first.

    Raises
    ------
    StudyError
        If the two tables have fewer than `MEASURED` columns of numbers in common.

    Notes
    -----
    Numbers are compared to `DIGITS` significant digits, missing ones as missing. Recordings with fewer than `MEASURED`
    different numbers are left out: an ECG of whole milliseconds has too few to be told from another's.

    Examples
    --------
    >>> columns = {f"m{k}": [1.0 + k, 1.0 + k] for k in range(8)}
    >>> table = pl.DataFrame({"recording_id": ["a", "b"], **columns})
    >>> near_duplicates(table, patients=pl.DataFrame({"recording_id": ["a", "b"], "patient_id": ["p", "q"]})).row(0)
    ('b', 'a', 'two patients')
    """
    names = sorted(
        name
        for name, kind in measurements.schema.items()
        if kind.is_numeric() and name != "recording_id" and (development is None or name in development.columns)
    )
    if len(names) < MEASURED:
        msg = (
            f"recordings are told apart by at least {MEASURED} measurements; got {len(names)}: "
            f"{', '.join(names) or 'none'}. Pass the table of measurements."
        )
        raise StudyError(msg)
    mine = _print(measurements, names).join(
        patients.select(pl.col("recording_id").cast(pl.String), pl.col("patient_id").cast(pl.String)),
        on="recording_id",
        how="inner",
        validate="1:1",
    )
    first = mine.sort("recording_id").unique("print", keep="first", maintain_order=True)
    pairs = mine.join(
        first.select("print", twin="recording_id", twin_patient="patient_id"), on="print", how="inner"
    ).filter((pl.col("twin") != pl.col("recording_id")) & (pl.col("twin_patient") != pl.col("patient_id")))
    found = [pairs.with_columns(where=pl.lit("two patients"))]
    if development is not None:
        theirs = _print(development, names).sort("recording_id").unique("print", keep="first", maintain_order=True)
        across = mine.join(theirs.rename({"recording_id": "twin"}), on="print", how="inner")
        found.append(across.with_columns(where=pl.lit("both sides")))
    return pl.concat([table.select(list(FOUND)) for table in found]).sort("where", "recording_id")


def _print(table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Give each recording a number that tells its rounded measurements: columns recording_id, print."""
    rounded = [pl.col(name).cast(pl.Float64).fill_nan(None).round_sig_figs(DIGITS) for name in names]
    enough = pl.concat_list(rounded).list.drop_nulls().list.n_unique() >= MEASURED
    # Of 800,000 recordings two get the same 64 bits by chance once in 50 million tables.
    ids = pl.col("recording_id").cast(pl.String)
    parts = [part.filter(enough).select(ids, print=pl.struct(rounded).hash()) for part in table.iter_slices(ROWS)]
    empty = pl.DataFrame(schema={"recording_id": pl.String, "print": pl.UInt64})
    return pl.concat([empty, *parts])
