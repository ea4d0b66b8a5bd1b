"""The table that models are fitted on, and who is drawn by lot from it."""

import polars as pl
import pytest

from twelvelead.study.modelling import draw_recordings, modelling_table, read_rows
from twelvelead.study.progress import silent
from twelvelead.study.sample import prepare_sample

from .test_sample import STUDY, cohort, events, numbers, place

LAB = {"name": "low", "title": "Low", "system": "laboratory", "codes": ["K"], "link": "time", "window_h": (-1, 1)}


@pytest.fixture
def written(tmp_path):
    """Twelve ECGs, shuffled; the first two of p0, and one whose potassium nobody measured."""
    happened = events(
        ("p0", "icd10", "I509", None, 1.5, None), ("p1", "laboratory", "K", 1.0, 1.0, None),
    )  # fmt: skip
    people = cohort().sample(fraction=1, shuffle=True, seed=5)
    place(tmp_path / "a", people=people, happened=happened, features=numbers([f"e{k:02d}" for k in range(12)]))
    low = STUDY.targets[0].model_validate({**LAB, "absent": "unknown"})
    study = STUDY.model_copy(update={"targets": (*STUDY.targets, low)})
    sample = prepare_sample(study, study.database, data=tmp_path, work=tmp_path / "w", workers=1, progress=silent)
    folds = sample.cohort.select("recording_id", "patient_id", fold=pl.lit(1, pl.Int32))
    table = modelling_table(sample, ["low", "I50"], folds)
    table.write_parquet(tmp_path / "table.parquet")
    return tmp_path / "table.parquet", table


def test_rows_are_sorted_and_every_value_stands_in_its_own_row(written):
    _, table = written
    assert table.columns == [
        "recording_id", "patient_id", "fold", "pr_interval_ms", "age_years", "sex_male", "y low", "y I50",
    ]  # fmt: skip
    assert table["recording_id"].to_list() == [f"e{k:02d}" for k in range(12)]
    assert table["pr_interval_ms"].to_list() == [100.0 + k for k in range(12)]
    assert table["age_years"].to_list() == [30.0 + k for k in range(12)]
    assert table["y I50"].to_list() == [1] + [0] * 11
    assert table["y low"].to_list() == [None, None, 1] + [None] * 9
    assert {table.schema[name] for name in ("y low", "y I50")} == {pl.Int8}


def test_only_rows_whose_outcome_is_known_are_read(written):
    path, _ = written
    assert read_rows(path, "low", ("age_years",)).rows() == [("e02", "p1", 1, 1, 32.0)]
    assert read_rows(path, "I50", ("age_years", "sex_male")).height == 12


def test_lots_depend_on_seed_and_id_only(written):
    path, table = written
    ids = table["recording_id"]
    drawn = draw_recordings(path, ids, most=4, seed=0)
    assert drawn.len() == 4
    shuffled = draw_recordings(path, ids.sample(fraction=1.0, shuffle=True, seed=1), most=4, seed=0)
    assert shuffled.to_list() == drawn.to_list()
    assert set(draw_recordings(path, ids, most=4, seed=1)) != set(drawn)
    fewer = draw_recordings(path, drawn, most=3, seed=0)
    assert fewer.to_list() == drawn.head(3).to_list()  # the lots stay, whoever else may be drawn
    assert draw_recordings(path, ids, most=12, seed=0).to_list() == ids.to_list()
