"""The command that interprets, as one types it."""

import json
import shutil
from pathlib import Path

import pytest

from twelvelead.app.cli import main
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.simulate import SITE_A, hospital, recording
from twelvelead.terms import RESEARCH_ONLY

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "ptbxl"


@pytest.fixture(scope="module")
def ecg(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ecg")
    write_wfdb(recording(hospital(1, site=SITE_A, seed=3).truth.row(0, named=True), site=SITE_A), folder / "one.hea")
    return folder / "one.hea"


def test_text_json_and_html_of_one_recording(ecg, capsys):
    assert main(["interpret", str(ecg), "--age", "60", "--sex", "male", "--workers", "1"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("one: male, 60 years; 12 leads")
    assert "Heart rate " in text
    assert text.rstrip().endswith(RESEARCH_ONLY)
    assert main(["interpret", str(ecg), "--format", "json", "--boxes", "--dpi", "100", "--workers", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "twelvelead-interpretation/1"
    assert found["evidence"]["m:qrs_duration_ms"]["spans"][0]["boxes_px"]
    assert found["image"]["dots_per_inch_px"] == 100
    assert main(["interpret", str(ecg), "--format", "html", "--pack", "udmi4", "--workers", "1"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("<!DOCTYPE html>")
    assert "Fourth universal definition" in page


def test_a_bad_one_among_others_gives_4_and_alone_3(ecg, tmp_path, capsys):
    bad = tmp_path / "bad.hea"
    bad.write_text("bad 12 500 5000\nnothing.dat 16 1000 16 0 0 0 0 I\n")
    out = tmp_path / "out"
    assert main(["interpret", str(ecg), str(bad), "--out", str(out), "--workers", "1"]) == 4
    said = capsys.readouterr().err
    assert "1 recording(s) interpreted, 1 refused" in said
    assert "bad: unreadable" in said
    assert (out / "one.txt").is_file()
    assert main(["interpret", str(bad), "--workers", "1"]) == 3


def test_what_can_not_be_asked_is_said(ecg, capsys):
    assert main(["interpret"]) == 3
    assert "a recording or a folder" in capsys.readouterr().err
    assert main(["interpret", str(ecg), "--pack", "nobody"]) == 3
    assert "a pack must be one of" in capsys.readouterr().err
    assert main(["interpret", str(ecg), "--scheduler", "dask=tcp://x:1"]) == 3
    assert "--out" in capsys.readouterr().err


@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/ptbxl is absent")
def test_the_databases_own_table_says_age_and_sex(tmp_path, capsys):
    (tmp_path / "records500" / "00000").mkdir(parents=True)
    for suffix in ("hea", "dat"):
        name = f"records500/00000/00001_hr.{suffix}"
        shutil.copyfile(DATA / name, tmp_path / name)
    for name in ("ptbxl_database.csv", "scp_statements.csv"):
        (tmp_path / name).symlink_to(DATA / name)
    assert main(["interpret", str(tmp_path), "--format", "json", "--workers", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["person"] == {"age_years": 56.0, "sex": "female"}
