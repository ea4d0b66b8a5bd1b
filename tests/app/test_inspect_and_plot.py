"""`twelvelead inspect` and `twelvelead plot`, as a newcomer types them."""

import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader

from twelvelead.app.cli import main
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.signal import Recording
from twelvelead.simulate import SITE_A, hospital
from twelvelead.simulate import recording as simulate_recording
from twelvelead.terms import LEADS

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module")
def ecg(tmp_path_factory):
    truth = hospital(1, site=SITE_A, seed=1).truth.row(0, named=True)
    recording = simulate_recording(truth, site=SITE_A)
    return write_wfdb(recording, tmp_path_factory.mktemp("ecg") / "ecg.hea")


def test_inspect(ecg, capsys):
    assert main(["inspect", str(ecg)]) == 0
    out = capsys.readouterr().out
    for line in ("recording  ecg", "format     wfdb", "step       1 µV", "identity left out", "heart rate (/min)"):
        assert line in out
    assert re.search(r"^V6 +−?\d\.\d\d +\d\.\d\d +0\.0 +1$", out, re.MULTILINE)
    assert main(["inspect", str(ecg.with_suffix("")), "--format", "json"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert read["signal"]["leads"] == list(LEADS)
    assert {row["name"] for row in read["measurements"]} >= {"heart_rate_bpm", "qrs_duration_ms"}


def test_inspect_a_folder_that_is_partly_broken(ecg, tmp_path, capsys):
    (tmp_path / "good.hea").write_bytes(ecg.read_bytes().replace(b"ecg", b"good"))
    (tmp_path / "good.dat").write_bytes(ecg.with_suffix(".dat").read_bytes())
    (tmp_path / "x.scp").write_bytes(b"no SCP-ECG at all")
    assert main(["inspect", str(tmp_path)]) == 4
    captured = capsys.readouterr()
    assert re.search(r"^wfdb +1$", captured.out, re.MULTILINE)
    assert "can't be read: 1\n  x: " in captured.out
    assert "open: 2 of 2 done" in captured.err
    assert main(["inspect", str(tmp_path), "--format", "json"]) == 4
    held = json.loads(capsys.readouterr().out)
    assert (held["n_recordings"], held["formats"], len(held["failures"])) == (2, {"wfdb": 1}, 1)


def test_inspect_declared(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.zeros((5000, 2)))
    assert main(["inspect", str(tmp_path / "x.npy")]) == 3
    assert "must declare fs" in capsys.readouterr().err
    assert main(["inspect", str(tmp_path / "x.npy"), "--fs", "500", "--leads", "I,II", "--units", "uV"]) == 0
    out = capsys.readouterr().out
    assert "sampling   500 Hz, 10 s" in out
    assert "flat" in out


def test_names_are_left_out_unless_asked_for(tmp_path, capsys):
    path = SHARED / "formats" / "muse" / "example.xml"
    if not path.is_file():
        pytest.skip("../shared/data/formats is absent")
    root = ET.parse(path).getroot()  # noqa: S314 - a file of ours
    who = root.find("PatientDemographics")
    words = {e.text for e in who if e.tag in ("PatientID", "PatientLastName", "PatientFirstName") and e.text}
    assert words
    out, drawn = tmp_path / "out.svg", {}
    for flags in ([], ["--identify"]):
        assert main(["inspect", str(path), *flags]) == 0
        assert main(["plot", str(path), "-o", str(out), *flags]) == 0
        drawn[bool(flags)] = [capsys.readouterr().out, out.read_text()]
    for text in drawn[False]:
        assert not any(re.search(rf"\b{re.escape(word)}\b", text) for word in words)
    for text in drawn[True]:
        assert all(word in text for word in words)


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_plot(suffix, ecg, tmp_path, capsys):
    out = tmp_path / "deep" / f"ecg.{suffix}"
    assert main(["plot", str(ecg), "-o", str(out)]) == 0
    content = out.read_bytes()
    assert capsys.readouterr().out == ""
    assert content.startswith({"svg": b"<svg ", "pdf": b"%PDF", "png": b"\x89PNG"}[suffix])
    assert [p.name for p in out.parent.iterdir()] == [out.name]
    assert main(["plot", str(ecg), "--out", str(out)]) == 0
    assert out.read_bytes() == content


def test_plot_with_every_flag(ecg, tmp_path):
    out = tmp_path / "ecg.svg"
    flags = ["--layout", "12x1", "--cabrera", "--speed", "50", "--gain", "5", "--start", "2.5", "--no-marks"]
    assert main(["plot", str(ecg), "-o", str(out), *flags]) == 0
    svg = out.read_text()
    for said in ("50 mm/s · 5 mm/mV", "12x1 · Cabrera order · 7.5 s from 2.5 s of 10 s", ">−aVR</text>"):
        assert said in svg
    assert "mark-" not in svg
    assert 'width="400mm"' in svg  # 20 mm margin, 7.5 s, 5 mm
    assert main(["plot", str(ecg), "-o", str(out)]) == 0
    assert "mark-qrs" in out.read_text()
    assert "QRS " in out.read_text()


def test_plot_of_the_median_beat(ecg, tmp_path):
    out = tmp_path / "ecg.pdf"
    assert main(["plot", str(ecg), "-o", str(out), "--median"]) == 0
    text = PdfReader(io.BytesIO(out.read_bytes())).pages[0].extract_text()
    assert re.search(r"median of \d+ beats", text)
    assert "columns show the same time" in " ".join(text.split())


def test_plot_of_what_can_not_be_measured(tmp_path, capsys):
    flat = write_wfdb(Recording(np.zeros((1, 5000)), ("II",), 500, id="flat"), tmp_path / "flat.hea")
    out = tmp_path / "ecg.svg"
    assert main(["plot", str(flat), "-o", str(out)]) == 0
    assert "II flat · not measured: flat" in out.read_text()
    out.unlink()
    assert main(["plot", str(flat), "-o", str(out), "--median"]) == 3
    assert "lead II must vary" in capsys.readouterr().err
    assert not out.exists()


def test_plot_reads_of_a_long_recording_what_it_draws(tmp_path):
    t = np.arange(90 * 250) / 250
    beats = np.exp(-0.5 * ((t % 0.8 - 0.4) / 0.012) ** 2) + np.random.default_rng(0).normal(0, 0.01, t.size)
    long = write_wfdb(Recording(beats[None], ("MLII",), 250, id="long"), tmp_path / "long.hea")
    out = tmp_path / "ecg.svg"
    assert main(["plot", str(long), "-o", str(out), "--start", "85"]) == 0
    assert "drawn and measured: 5 s from 85 s of 90 s" in out.read_text()
    assert ">75/min</text>" in out.read_text()


@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        (["inspect", "nowhere.hea"], 3, "a recording must be there; got 'nowhere.hea'"),
        (["inspect", "ECG", "--format", "xml"], 2, "xml"),
        (["plot", "ECG", "-o", "x.jpg"], 3, "a picture's name must end in .svg, .pdf, .png; got 'x.jpg'"),
        (["plot", "nowhere.hea", "-o", "x.svg"], 3, "a recording must be there"),
        (["plot", "ECG", "-o", "x.svg", "--start", "10"], 3, "start_s must lie within the recording; got 10 s of 10 s"),
        (["plot", "ECG", "-o", "x.svg", "--layout", "4x3"], 2, "4x3"),
        (["plot", "ECG", "-o", "x.svg", "--speed", "30"], 2, "30"),
        (["plot", "ECG", "-o", "x.png", "--dpi", "5000"], 3, "dpi must be 20 to 600; got 5000"),
        (["plot", "ECG"], 2, "--out"),
    ],
)
def test_what_is_wrong_is_said_with_the_right_status(command, status, said, ecg, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([str(ecg) if word == "ECG" else word for word in command]) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []
