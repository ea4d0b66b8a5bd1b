"""Judging anyone's predictions, as a newcomer types it."""

import re
import runpy
import shlex
from pathlib import Path

import polars as pl
import pytest

from twelvelead.app.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "validate.md"


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """Make the example's table where a reader would make it."""
    folder = tmp_path_factory.mktemp("example")
    script = folder / "make.py"
    script.write_text(blocks("python")[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        runpy.run_path(str(script))
    return folder


QUICK = ("--resamples", "50", "--seed", "1")


@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.split()[2])
def test_the_page_prints_what_the_commands_print(block, example, monkeypatch, capsys):
    command, _, expected = block.partition("\n")
    monkeypatch.chdir(example)
    status = main(shlex.split(command.removeprefix("$ twelvelead ")))
    assert capsys.readouterr().out == expected
    assert status == (4 if "consistency" in command else 0)


def test_validate_writes_its_folder_and_says_where(example, tmp_path, capsys):
    out = tmp_path / "out"
    path = str(example / "predictions.csv")
    assert main(["validate", path, "--p", "with_ecg", "--strata", "sex", "--out", str(out), *QUICK]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0].split() == ["target", "model", "set", "metric", "estimate", "interval", "events/n"]
    assert "warning V008 (TRIPOD+AI 12e): models must be compared with age_sex" in said.err
    assert f"The report is {out / 'report.html'}." in said.err
    assert (out / "report.html").exists()
    assert pl.read_csv(out / "subgroups.csv")["grouping"].unique().to_list() == ["sex"]


def test_a_target_with_too_few_patients_is_partly_done(example, tmp_path, capsys):
    few = pl.read_csv(example / "predictions.csv").with_columns(y=(pl.int_range(pl.len()) < 6).cast(int))
    few.write_csv(tmp_path / "few.csv")
    assert main(["validate", str(tmp_path / "few.csv"), "--p", "with_ecg", "--out", str(tmp_path / "o"), *QUICK]) == 4
    said = capsys.readouterr()
    assert "not estimable" in said.out
    assert "outcome, evaluation: not estimable: fewer than 10 patients" in said.err


MISTAKES = {
    "no file": (["validate", "nowhere.csv"], "the file must be there; got 'nowhere.csv'"),
    "no column": (["validate", "predictions.csv"], "must have the column(s) p; got patient_id, y, age_sex"),
    "no model": (["compare", "predictions.csv", "--base", "age_sex", "--new", "B"], "Name yours with --base, --new"),
    "no numbers": (
        ["validate", "predictions.csv", "--p", "with_ecg", "--thresholds", "low"],
        "--thresholds must be numbers separated by commas; got 'low'",
    ),
    "no risk to act from": (
        ["validate", "predictions.csv", "--p", "with_ecg", "--thresholds", "1.5"],
        "threshold must be a risk in [0, 1)",
    ),
    "no ascending cuts": (
        ["compare", "predictions.csv", "--base", "age_sex", "--new", "with_ecg", "--cuts", "0.4,0.2"],
        "cuts must be",
    ),
    "scores": (["validate", "predictions.csv", "--p", "patient_id"], "V004 p must be in [0, 1]"),
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=MISTAKES)
def test_mistakes_say_what_must_hold(mistake, example, tmp_path, monkeypatch, capsys):
    command, message = MISTAKES[mistake]
    monkeypatch.chdir(example)
    assert main([*command, "--out", str(tmp_path / "out"), *QUICK]) == 3
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert not (tmp_path / "out").exists()


def test_patients_on_both_sides_are_refused(example, tmp_path, capsys):
    pl.DataFrame({"patient_id": [3, 4, 9999]}).write_csv(tmp_path / "development.csv")
    path = str(example / "predictions.csv")
    developed = ["--development", str(tmp_path / "development.csv")]
    assert main(["validate", path, "--p", "with_ecg", *developed, "--out", str(tmp_path / "out"), *QUICK]) == 3
    assert "V001 a patient must be on one side of the split; got 2 on both: 3, 4." in capsys.readouterr().err


def test_compare_prints_the_null_model_and_the_warning(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(example)
    models = ["--base", "age_sex", "--new", "with_ecg", "--null", "shuffled"]
    assert main(["compare", "predictions.csv", *models, "--out", str(tmp_path / "out"), *QUICK]) == 0
    said = capsys.readouterr()
    rows = [line.split() for line in said.out.splitlines()[1:]]
    assert {row[2] for row in rows} == {"with_ecg", "shuffled"}
    assert {"delta_auroc", "delta_auroc_delong", "idi", "nri_events", "continuous_nri"} <= {row[3] for row in rows}
    assert "Not evidence that the new model is better" in said.err


def test_consistency_of_possible_figures_is_done(capsys):
    assert main(["consistency", "--n", "100", "--events", "50", "--sensitivity", "0.90", "--specificity", "0.80"]) == 0
    assert "yes" in capsys.readouterr().out
    assert main(["consistency", "--n", "100", "--events", "100", "--sensitivity", "0.90"]) == 3
