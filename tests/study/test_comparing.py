"""Both modes of a study side by side."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twelvelead.io import read_json
from twelvelead.study import declare, run_both
from twelvelead.study.comparing import compare_modes
from twelvelead.terms import COMPARISON, PERFORMANCE


def row(target="K70", set_="internal", **changes):
    return {
        "target": target, "model": "ecg_age_sex", "set": set_, "metric": "auroc", "stratum": "all", "estimate": 0.8,
        "lower": 0.7, "upper": 0.9, "level": 0.95, "n": 100, "n_patients": 80, "n_events": 20,
        "delong_lower": None, "delong_upper": None, "interval": "studentised bootstrap", **changes,
    }  # fmt: skip


def performance(*rows):
    return PERFORMANCE.select(list(rows))


def test_figures_of_both_modes_by_hand():
    sound = performance(row())
    paper = performance(row(estimate=0.82, lower=0.8175, upper=0.8225, level=0.05, n=400, n_patients=90, n_events=70))
    assert compare_modes(sound, paper).row(0, named=True) == {
        "target": "K70", "set": "internal", "sound_estimate": 0.8, "sound_lower": 0.7, "sound_upper": 0.9,
        "sound_n": 100, "sound_n_patients": 80, "sound_n_events": 20, "paper_estimate": 0.82, "paper_lower": 0.8175,
        "paper_upper": 0.8225, "paper_n": 400, "paper_n_patients": 90, "paper_n_events": 70,
        "width_ratio": pytest.approx(40.0),
    }  # fmt: skip


def test_other_models_metrics_and_subgroups_are_left_out():
    other = [row(model="ecg"), row(metric="auprc"), row(stratum="sex=female"), row(metric="delta_auroc")]
    table = compare_modes(performance(row(), *other), performance(*other, row()))
    assert table.height == 1
    assert table["width_ratio"].to_list() == [pytest.approx(1.0)]
    assert compare_modes(performance(*other), performance(*other)).is_empty()


def test_what_only_one_mode_has_is_there_with_nothing_beside_it():
    table = compare_modes(performance(row("A"), row("B")), performance(row("B"), row("C")))
    assert table["target"].to_list() == ["A", "B", "C"]
    assert table["paper_n"].to_list() == [None, 100, 100]
    assert table["sound_n"].to_list() == [100, 100, None]
    assert table["width_ratio"].to_list() == [None, pytest.approx(1.0), None]


def test_the_held_out_come_before_the_external_and_targets_by_name():
    rows = [row("B", "external"), row("A", "internal"), row("B", "internal"), row("A", "external")]
    table = compare_modes(performance(*rows), performance(*reversed(rows)))
    assert table.select("set", "target").rows() == [
        ("internal", "A"), ("internal", "B"), ("external", "A"), ("external", "B"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sound", "paper"),
    [((0.7, 0.9), (0.8, 0.8)), ((0.8, 0.8), (0.8, 0.8)), ((None, None), (0.7, 0.9)), ((0.7, 0.9), (None, None))],
)
def test_a_width_that_nothing_can_be_divided_by_gives_no_ratio(sound, paper):
    tables = (performance(row(lower=low, upper=high)) for low, high in (sound, paper))
    table = compare_modes(*tables)
    assert table["width_ratio"].to_list() == [None]
    assert COMPARISON.check(table) is table


def test_no_figures_at_all_are_an_empty_table():
    table = compare_modes(PERFORMANCE.empty(), PERFORMANCE.empty())
    assert table.is_empty()
    assert table.schema == COMPARISON.schema


names = st.sets(st.tuples(st.sampled_from("ABC"), st.sampled_from(["internal", "external"])))


@settings(max_examples=30)
@given(names, names)
def test_every_target_and_set_of_either_mode_is_there_once(one, other):
    table = compare_modes(*(performance(*(row(*pair) for pair in pairs)) for pairs in (one, other)))
    assert sorted(table.select("target", "set").rows()) == sorted(one | other)
    there = dict(zip(table.select("target", "set").rows(), table["sound_n"].to_list(), strict=True))
    assert {pair for pair, n in there.items() if n is not None} == one


DECLARATION = """
name = "toy"
title = "A toy"
question = "?"
publication = "Somebody."
seed = 0
[database]
kind = "tables"
[predictors]
source = "database"
[split]
method = "holdout"
n_folds = 2
[model]
n_members = 1
[validation]
n_resamples = 200
[[targets]]
name = "I50"
title = "Heart failure"
system = "icd10"
codes = ["I50"]
match = "prefix"
link = "recording"
[paper]
eligibility = { index = "first_per_patient" }
model = { preset = "xgboost_defaults" }
validation = { level = 0.05, unit = "recording" }
[[faults]]
name = "a toy's fault"
text = "It has one."
"""


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Two ECGs each of 200 patients; a wide QRS goes with heart failure."""
    folder = tmp_path_factory.mktemp("toy")
    rng = np.random.default_rng(0)
    ids = [f"e{n:03d}" for n in range(400)]
    wide = rng.normal(size=400)
    failing = rng.random(400) < 1 / (1 + np.exp(-2 * wide))
    cohort = pl.DataFrame(
        {"recording_id": ids, "patient_id": [f"p{n // 2}" for n in range(400)], "age_years": 60.0, "sex": "male"}
    )
    codes = {"recording_id": ids, "patient_id": cohort["patient_id"], "system": "icd10"}
    happened = pl.DataFrame({**codes, "code": np.where(failing, "I509", "I10").tolist()})
    cohort.write_parquet(folder / "cohort.parquet")
    happened.write_parquet(folder / "events.parquet")
    pl.DataFrame({"recording_id": ids, "qrs_duration_ms": 100 + 20 * wide}).write_parquet(folder / "features.parquet")
    (folder / "database.json").write_text('{"name": "toy", "simulated": true}', encoding="utf-8")
    (folder / "toy.toml").write_text(DECLARATION, encoding="utf-8")
    return folder


def test_a_study_in_both_modes_writes_both_folders_and_the_comparison(toy, tmp_path):
    sound, paper = (declare(str(toy / "toy.toml"), mode=mode) for mode in ("sound", "paper"))
    both = run_both(sound, paper, data=toy, out=tmp_path)
    assert both.comparison.select("target", "set").rows() == [("I50", "internal")]
    written = pl.read_csv(tmp_path / "comparison.csv", schema_overrides=dict(both.comparison.schema))
    assert written.equals(both.comparison)
    assert both.comparison.equals(compare_modes(both.sound.performance, both.paper.performance))
    row = both.comparison.row(0, named=True)
    assert row["width_ratio"] > 10
    assert (row["sound_n"], row["sound_n_patients"]) == (200, 100)
    assert (row["paper_n"], row["paper_n_patients"]) == (100, 100)
    for mode in ("sound", "paper"):
        assert read_json(tmp_path / mode / "manifest.json")["study"]["mode"] == mode
    html = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    for said in ("SIMULATED DATA", "Published as: Somebody.", "a toy&#39;s fault"):
        assert said in html
