"""What divides the people of a study: sex, age band, and site, race or atrial fibrillation where a database says so."""

from itertools import pairwise

import polars as pl

GIVEN = {"site": "site", "race": "race", "atrial_fibrillation": "atrial fibrillation"}
"""Columns of a cohort that divide it, and what they are called."""

EVIDENCE = "af_evidence_probability"
"""Measurement that tells atrial fibrillation where no column does: from one half on it is more likely than not."""

MOST = 12
"""Values of one grouping; of more, the rarer ones are taken together."""

REST = "other"


def gather_people(cohort: pl.DataFrame, features: pl.LazyFrame, *, set_: str) -> pl.DataFrame:
    """Gather what divides the recordings of one database.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        Perhaps with some of the columns site, race, atrial_fibrillation.
    features : LazyFrame keeping `terms.FEATURES`
        Its measurements.
    set_ : str
        internal or external.

    Returns
    -------
    DataFrame with columns recording_id, age_years, sex, set, and those of `GIVEN` that are known, as text
    """
    given = [pl.col(name).cast(pl.String) for name in GIVEN if name in cohort.columns]
    people = cohort.select("recording_id", "age_years", "sex", *given, set=pl.lit(set_))
    if "atrial_fibrillation" in people.columns or EVIDENCE not in features.collect_schema():
        return people
    likely = pl.when(pl.col(EVIDENCE) >= 0.5).then(pl.lit("likely")).when(pl.col(EVIDENCE) < 0.5).then(pl.lit("no"))
    evidence = features.select("recording_id", atrial_fibrillation=likely).collect(engine="streaming")
    return people.join(evidence, on="recording_id", how="left", validate="1:1", maintain_order="left")


def group(people: pl.DataFrame, age_bands_years: tuple[float, ...]) -> pl.DataFrame:
    """Return the groupings of recordings; null in a set that a grouping does not part into two or more.

    Parameters
    ----------
    people : DataFrame
        As `gather_people` returns it, of all sets.
    age_bands_years : tuple of float
        Where ages are parted.

    Returns
    -------
    DataFrame with columns recording_id, sex, age, and those of `GIVEN` that part the recordings of a set

    Examples
    --------
    >>> people = pl.DataFrame({"recording_id": ["a", "b"], "age_years": [40.0, 60.0], "sex": ["male", "female"],
    ...                        "set": "internal", "site": ["north", "north"], "race": ["one", "two"]})
    >>> group(people, (55,)).rows()
    [('a', 'male', 'under 55 years', 'one'), ('b', 'female', '55 years and over', 'two')]
    """
    there = [name for name in GIVEN if name in people.columns]
    parts = people.select("set", *(_pool(people[name]) for name in there)).select(
        pl.when(pl.col(name).drop_nulls().n_unique().over("set") > 1).then(name).alias(name) for name in there
    )
    parting = [column for column in parts if column.null_count() < column.len()]
    return subgroups(people, age_bands_years).with_columns(parting)


def _pool(values: pl.Series) -> pl.Series:
    """Take the rarer values together, if there are many; null stays null."""
    counts = values.drop_nulls().value_counts().sort(["count", values.name], descending=[True, False])
    if counts.height <= MOST:
        return values
    kept = counts[values.name].head(MOST - 1)
    pooled = pl.when(pl.col(values.name).is_in(kept.implode()) | pl.col(values.name).is_null()).then(values.name)
    return values.to_frame().select(pooled.otherwise(pl.lit(REST))).to_series()


def subgroups(people: pl.DataFrame, age_bands_years: tuple[float, ...]) -> pl.DataFrame:
    """Name each recording's sex and age band, for performance within them.

    Examples
    --------
    >>> subgroups(pl.DataFrame({"recording_id": ["a"], "age_years": [40.0], "sex": ["male"]}), (40, 55)).row(0)
    ('a', 'male', '40–54 years')
    """
    limits = [0.0, *age_bands_years, float("inf")]
    bands = [
        pl.when(pl.col("age_years").is_between(low, high, closed="left")).then(pl.lit(_name_band(low, high)))
        for low, high in pairwise(limits)
    ]
    return people.select("recording_id", sex="sex", age=pl.coalesce(bands))


def _name_band(low: float, high: float) -> str:
    if low == 0:
        return f"under {high:g} years"
    return f"{low:g} years and over" if high == float("inf") else f"{low:g}–{high - 1:g} years"
