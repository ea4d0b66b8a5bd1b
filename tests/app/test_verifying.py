"""The command that checks a text, as one types it."""

import io
import json
import re
from pathlib import Path

import pytest

from twelvelead.app.cli import main
from twelvelead.interpret.case import examine
from twelvelead.interpret.narrate_words import say_value
from twelvelead.io import read
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.simulate import SITE_A, hospital, recording


@pytest.fixture(scope="module")
def ecg(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ecg")
    simulated = recording(hospital(1, site=SITE_A, seed=3).truth.row(0, named=True), site=SITE_A)
    write_wfdb(simulated, folder / "one.hea")
    return folder / "one.hea"


@pytest.fixture(scope="module")
def rate(ecg):
    return say_value(examine(read(ecg)).values["heart_rate_bpm"], "1/min")


def text_file(folder: Path, text: str) -> str:
    path = folder / "report.txt"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_contradictions_are_said_clearly_and_only_a_flag_makes_them_fail(ecg, rate, tmp_path, capsys):
    path = text_file(tmp_path, f"Heart rate {rate}. QRS duration 900 ms.")
    assert main(["verify", path, str(ecg)]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^contradicted .*“QRS duration 900 ms”; measured \d+ ms", said, re.MULTILINE)
    assert re.search(rf"^supported .*“Heart rate {rate}”", said, re.MULTILINE)
    assert "1 CONTRADICTED, 1 supported" in said
    assert "not a medical device" in said
    assert main(["verify", path, str(ecg), "--fail"]) == 1
    true = text_file(tmp_path, f"Heart rate {rate}.")
    assert main(["verify", true, str(ecg), "--fail"]) == 0
    assert "nothing contradicted" in capsys.readouterr().out


def test_json_has_the_place_and_the_evidence_of_each_claim(ecg, rate, tmp_path, capsys):
    text = f"Impression: none. Heart rate {rate}."
    path = text_file(tmp_path, text)
    assert main(["verify", path, str(ecg), "--format", "json", "--age", "60", "--sex", "female"]) == 0
    found = json.loads(capsys.readouterr().out)
    [claim] = [c for c in found["claims"] if c["kind"] == "number"]
    assert text[claim["start"] : claim["end"]] == f"Heart rate {rate}"
    assert claim["evidence"] == ["m:heart_rate_bpm"]
    assert found["scores"]["numeric_precision"] == 1.0
    assert found["n_contradicted"] == 0


def test_a_text_may_come_from_standard_input(ecg, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("QRS duration 900 ms."))
    assert main(["verify", "-", str(ecg)]) == 0
    assert "1 CONTRADICTED" in capsys.readouterr().out


def test_what_is_no_text_or_no_recording_is_bad_input(ecg, tmp_path, capsys):
    assert main(["verify", str(tmp_path / "missing.txt"), str(ecg)]) == 3
    assert "the text must be a file that can be read" in capsys.readouterr().err
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    assert main(["verify", str(tmp_path / "bytes.txt"), str(ecg)]) == 3
    assert "must be of UTF-8" in capsys.readouterr().err
    assert main(["verify", text_file(tmp_path, " \n"), str(ecg)]) == 3
    assert "must have 1 to" in capsys.readouterr().err
    assert main(["verify", text_file(tmp_path, "QT 400 ms."), str(tmp_path / "none.hea")]) == 3
