"""The benchmark's command, from files to printed figures; and what it reaches on the public samples."""

import json
from pathlib import Path

import polars as pl
import pytest

from twelvelead.app.cli import main
from twelvelead.study.benchmarking import read_samples, run_benchmark
from twelvelead.terms import InputError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SAMPLES, RECORDINGS = DATA / "ecg-reasoning" / "ptbxl_1_350.json", DATA / "ptbxl"
needs_data = pytest.mark.skipif(not SAMPLES.is_file(), reason="../shared/data/ecg-reasoning is absent")


@needs_data
def test_the_public_samples(tmp_path, capsys):
    """Published multimodal models complete under 6 % (doi:10.48550/arXiv.2603.14326); asked here: 60 %."""
    code = main(["benchmark", "ecg-reasoning", str(SAMPLES), "--recordings", str(RECORDINGS), "--out", str(tmp_path)])
    assert code == 0
    printed = capsys.readouterr().out
    assert "Initial accuracy" in printed
    assert "Depth" in printed
    share = float(printed.split("Completion ")[1].split(" %")[0])
    assert share >= 60
    found = {(r["reader"], r["figure"]): r for r in pl.read_parquet(tmp_path / "figures.parquet").to_dicts()}
    ours = found["measured", "completion"]
    assert ours["value"] == pytest.approx(share / 100, abs=0.0005)
    assert ours["lower"] <= ours["value"] <= ours["upper"]
    assert (ours["n"], ours["n_patients"]) == (41, 38)
    for control in ("no_ecg", "shuffled_ecg"):
        assert found[control, "completion"]["value"] < ours["lower"]
        assert found[control, "criterion"]["value"] == found["measured", "criterion"]["value"]
    steps = pl.read_parquet(tmp_path / "steps.parquet").filter(reader="measured")
    assert steps.filter(pl.col("stage") == "measurement").filter(pl.col("evidence") == "").is_empty()
    assert steps.filter(pl.col("evidence") != "").filter(pl.col("spans") == "").is_empty()
    assert json.loads((tmp_path / "benchmark.json").read_text())["failures"] == []


@needs_data
def test_same_seed_same_bytes_and_folders_of_single_samples(tmp_path):
    raw = json.loads(SAMPLES.read_text())[:3]
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    (tmp_path / "in" / "a.json").write_text(json.dumps(raw[0]))
    (tmp_path / "in" / "deeper" / "b.jsonl").write_text("\n".join(json.dumps(r) for r in raw[1:]))
    assert [s.ecg_id for s in read_samples(tmp_path / "in")] == [r["metadata"]["ecg_id"] for r in raw]
    for name in ("one", "two"):
        run_benchmark(tmp_path / "in", RECORDINGS, out=tmp_path / name, n_resamples=50)
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes(), file.name


@needs_data
@pytest.mark.parametrize(("rules", "n"), [("strict", 2), ("compat", 1)])
def test_an_unknown_recording_is_a_listed_failure(tmp_path, rules, n):
    first, second = json.loads(SAMPLES.read_text())[:2]
    second["metadata"]["ecg_id"] = "999999"
    (tmp_path / "in.json").write_text(json.dumps([first, second]))
    done = run_benchmark(tmp_path / "in.json", RECORDINGS, out=tmp_path / "out", rules=rules, n_resamples=50)
    assert done.failures["recording_id"].to_list() == ["999999"]
    assert done.failures["reason"].to_list() == ["not_found"]
    row = done.figures.filter(reader="measured", figure="completion").to_dicts()[0]
    assert (row["n"], row["value"]) == (n, 1 / n)


def test_no_samples_is_an_error(tmp_path):
    with pytest.raises(InputError, match="must be samples"):
        read_samples(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match="must be JSON"):
        read_samples(tmp_path / "broken.json")
