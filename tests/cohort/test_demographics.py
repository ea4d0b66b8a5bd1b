from datetime import datetime

import polars as pl

from twelvelead.cohort import add_age
from twelvelead.terms import COHORT


def ages(at, *rows):
    table = pl.DataFrame(
        [
            {"recording_id": f"r{i}", "patient_id": p, "recorded_at": y and datetime(y, 6, 1)}
            for i, (p, y) in enumerate(rows)
        ],
        schema_overrides=COHORT.schema,
    )
    absent = [c for c in COHORT.schema if c not in table.columns]
    table = table.with_columns(pl.lit(None, COHORT.schema[c]).alias(c) for c in absent)
    anchors = pl.DataFrame({"patient_id": ["a", "old"], "anchor_age": [52, 91], "anchor_year": [2180, 2160]})
    return add_age(table.with_columns(age_years=pl.lit(7.0)), anchors, at=at)["age_years"].to_list()


def test_age_is_that_at_the_ecg():
    assert ages("recording", ("a", 2180), ("a", 2178), ("a", 2190)) == [52, 50, 62]


def test_ages_above_89_are_90():
    assert ages("recording", ("a", 2218), ("a", 2217), ("old", 2160), ("old", 2163)) == [90, 89, 90, 90]


def test_the_published_age_is_that_of_another_year():
    assert ages("anchor", ("a", 2180), ("a", 2190), ("old", 2160)) == [52, 52, 90]


def test_nobody_gets_an_age_from_nowhere():
    assert ages("recording", ("stranger", 2180), ("a", None)) == [7.0, None]
