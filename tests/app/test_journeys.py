"""The command line as a newcomer types it."""

import re
import sys

import polars as pl
import pytest

import twelvelead
from twelvelead.app.cli import main
from twelvelead.app.show import Display
from twelvelead.study import simulate_hospitals
from twelvelead.terms import FIDUCIALS


@pytest.fixture(scope="module")
def hospitals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospitals")
    simulate_hospitals(folder, n_patients=80, seed=2)
    return folder


def test_measure(hospitals, tmp_path, capsys):
    out, marks = tmp_path / "features.parquet", tmp_path / "fiducials.parquet"
    status = main(
        ["measure", str(hospitals / "hospital_b"), "--out", str(out), "--fiducials", str(marks), "--workers", "1"]
    )
    assert status == 0
    features = pl.read_parquet(out)
    assert features.columns[0] == "recording_id"
    assert features["qrs_duration_ms"].is_between(50, 220).all()
    FIDUCIALS.check(pl.read_parquet(marks))
    captured = capsys.readouterr()
    assert f"{features.height} recording(s) measured, 0 refused" in captured.err
    assert captured.out == ""


def test_measure_on_no_cluster(hospitals, tmp_path, capsys):
    paths = [str(hospitals / "hospital_b"), "--out", str(tmp_path / "f.parquet")]
    assert main(["measure", *paths, "--scheduler", "slurm=x"]) == 3
    assert "scheduler must be dask=ADDRESS, as in dask=tcp://10.0.0.1:8786; got 'slurm=x'" in capsys.readouterr().err


def test_a_bad_recording_is_listed_and_the_rest_is_done(hospitals, tmp_path, capsys):
    (tmp_path / "bad.hea").write_text("bad 1 500 5000\nbad.dat 16 1000/mV\n")
    (tmp_path / "bad.dat").write_bytes(b"\0" * 100)
    good = next(iter(sorted((hospitals / "hospital_a" / "waveforms").glob("*.hea"))))
    paths = [str(tmp_path / "bad.hea"), str(good)]
    failures = tmp_path / "failures.csv"
    status = main(["measure", *paths, "--out", str(tmp_path / "f.csv"), "--failures", str(failures), "--workers", "1"])
    assert status == 4
    assert "bad: unreadable: bad.dat must have 10000 bytes" in capsys.readouterr().err
    assert pl.read_csv(failures)["reason"].to_list() == ["unreadable"]
    assert pl.read_csv(tmp_path / "f.csv").height == 1
    assert main(["measure", paths[0], "--out", str(tmp_path / "g.csv"), "--workers", "1"]) == 3


def test_study_and_predict(hospitals, tmp_path, capsys):
    text = tmp_path / "study.toml"
    text.write_text(
        """
name = "tiny"
title = "Tiny"
question = "Does it run?"
seed = 0
[database]
kind = "tables"
[predictors]
include = ["*_interval_ms", "qrs_duration_ms"]
[split]
method = "cross_fit"
n_folds = 2
[model]
n_members = 5
[validation]
n_resamples = 100
[[targets]]
name = "anaemia"
title = "Anaemia"
system = "laboratory"
codes = ["Hemoglobin"]
link = "time"
window_h = [-1, 1]
event = "below_reference"
absent = "unknown"
min_events = 8
"""
    )
    data, out = str(hospitals / "hospital_a"), tmp_path / "out"
    assert main(["study", str(text), "--data", data, "--out", str(out), "--workers", "1"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["target", "model", "set", "metric", "estimate", "interval", "events/n"]
    assert any("delta_auroc" in line for line in table)
    risks = tmp_path / "risks.parquet"
    people = hospitals / "hospital_b" / "cohort.parquet"
    inputs = [str(out), str(hospitals / "hospital_b"), "--demographics", str(people)]
    status = main(["predict", *inputs, "--out", str(risks), "--workers", "1"])
    assert status == 0
    assert pl.read_parquet(risks)["p"].is_between(0, 1).all()
    assert "predicted by the models of ecg_age_sex" in capsys.readouterr().err


def test_simulate_is_the_same_for_the_same_seed(hospitals, tmp_path):
    assert main(["simulate", str(tmp_path), "--patients", "80", "--seed", "2", "--workers", "2"]) == 0
    for path in sorted(hospitals.rglob("*")):
        if path.is_file():
            assert (tmp_path / path.relative_to(hospitals)).read_bytes() == path.read_bytes(), path.name


def test_doctor(hospitals, capsys):
    assert main(["doctor", "--data", str(hospitals / "hospital_a")]) == 0
    out = capsys.readouterr().out
    for line in (
        f"twelvelead: {twelvelead.__version__}",
        "database: tables",
        "(simulated)",
        "0 of them without waveform",
    ):
        assert line in out
    assert main(["doctor", "--data", str(hospitals / "hospital_a" / "waveforms")]) == 0
    assert "none that is known here" in capsys.readouterr().out
    assert main(["doctor", "--data", str(hospitals / "nowhere")]) == 3


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["measure", "nowhere.hea", "--out", "x.parquet"], 3, "a recording must be there; got 'nowhere.hea'"),
        (["measure", ".", "--out", "x.xlsx", "--workers", "0"], 3, "must"),
        (["study", "nobody", "--data", ".", "--out", "out"], 3, "a built-in one"),
        (["study", "ptbxl", "--data", "nowhere", "--out", "out"], 3, "the data folder must be there"),
        (["predict", "nowhere", "x.hea", "--out", "x.parquet"], 3, "must"),
        (["simulate", "x", "--patients", "0"], 3, "patients must be at least 2; got 0"),
        (["study", "ptbxl"], 2, "--data"),
        (["measure", "x", "--out", "y", "--fs", "fast"], 2, "fast"),
        (["sing"], 2, "sing"),
    ],
)
def test_what_is_wrong_is_said_with_the_right_status(command, status, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(command) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


def test_help_and_version(capsys):
    assert main(["--help"]) == 0
    assert "not a medical device" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == twelvelead.__version__


def test_an_interruption_is_resumable_and_says_so(monkeypatch, capsys):
    import twelvelead.study as rooms

    def interrupt(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(rooms, "examine", interrupt)
    assert main(["doctor"]) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_a_fault_of_ours_is_not_hidden(monkeypatch):
    import twelvelead.study as rooms

    def break_down(*_args, **_kwargs):
        raise ValueError("a bug")

    monkeypatch.setattr(rooms, "examine", break_down)
    with pytest.raises(ValueError, match="a bug"):
        main(["doctor"])


def test_a_terminal_gets_a_bar_and_a_file_gets_lines(monkeypatch, capsys):
    with Display() as display:
        display.progress("counting", 1, 2)
        display.progress("counting", 2, 2)
    assert re.fullmatch(r"counting: 2 of 2 done, \d+/s\n", capsys.readouterr().err)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Display() as display:
        display.progress("counting", 1, 2)
        display.progress("counting", 2, 2)
    assert "counting" in capsys.readouterr().err


def test_off_a_terminal_a_long_stage_speaks_once_a_minute(monkeypatch, capsys):
    clock = iter([0.0, 30.0, 65.0, 70.0, 130.0, 150.0])
    monkeypatch.setattr("twelvelead.app.show.time.monotonic", lambda: next(clock))
    display = Display()
    for done in (0, 1, 2, 3, 4, 6):
        display.progress("fitting", done, 6)
    assert capsys.readouterr().err.splitlines() == [
        "fitting: 2 of 6, ETA 2 min",
        "fitting: 4 of 6, ETA 1 min",
        "fitting: 6 of 6 done, 0/s",
    ]


def test_many_failures_are_not_all_printed(capsys):
    failures = pl.DataFrame({"recording_id": [f"r{n}" for n in range(30)], "reason": "flat", "message": "m"})
    assert Display().failures(failures, partly=4) == 4
    assert "… and 10 more" in capsys.readouterr().err
