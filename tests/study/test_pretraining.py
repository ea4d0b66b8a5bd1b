"""Pre-training from files: the right samples, nobody on both sides, and a killed run that goes on."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl
import pytest
import torch

from twelvelead.app.cli import main
from twelvelead.encode import PRESETS, EncoderConfig, load_encoder, read_card, to_input
from twelvelead.io import read
from twelvelead.io.formats import Patient
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.formats.shards_write import write_shards
from twelvelead.io.formats.source import source_of
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.signal import Recording
from twelvelead.study import Wish, pretrain_archive, training_data
from twelvelead.study.feed import feed
from twelvelead.study.pretraining import make_plan
from twelvelead.study.progress import silent
from twelvelead.study.training_data import open_data, prepare_data, split_groups
from twelvelead.terms import LEADS, InputError

CPU = torch.device("cpu")
MINUTE = EncoderConfig(8, 2, 2, predictor_width=8, predictor_depth=1, predictor_heads=2, drop_path=0.3)
WISH = Wish(preset="tiny", steps=6, batch=4, lr=1e-2)


@pytest.fixture(autouse=True)
def small_and_single(monkeypatch):
    monkeypatch.setitem(PRESETS, "tiny", MINUTE)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def ecg(n, *, fs=250, seconds=10.0):
    t = np.arange(round(seconds * fs)) / fs
    gains = np.linspace(0.3, 1.5, 12)[:, None] * (1 + n / 10)
    return Recording(gains * np.sin(2 * np.pi * (1 + n / 7) * t), LEADS, fs, f"r{n:02d}", datetime(2020, 1, 2, 3, 4, 5))


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Twelve recordings of 250, 400 and 500 Hz, one that is short, one that is broken."""
    folder = tmp_path_factory.mktemp("archive")
    for n in range(12):
        write_wfdb(ecg(n, fs=(250, 400, 500)[n % 3], seconds=10.24), folder / f"ward {n % 2}" / f"r{n:02d}.hea")
    write_wfdb(ecg(1, seconds=9.9), folder / "short.hea")
    (folder / "torn.hea").write_text("torn 12 five")
    return folder


def prepare(archive, folder):
    prepare_data(
        archive, folder, config=MINUTE, held_out=0.25, workers=1, declared=UNDECLARED, progress=silent
    )  # fmt: skip
    return open_data(folder, config=MINUTE)


def results(folder):
    """The bytes of all that a training leaves."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- what is made ready -----------------------------------------------------------------------------------------------


def test_a_batch_is_the_recordings_in_mv(archive, tmp_path):
    data = prepare(archive, tmp_path / "data")
    ids = pl.read_parquet(tmp_path / "data" / "index.parquet")["recording_id"].to_list()
    assert len(ids) == 12
    rows = np.array([5, 0, 11])
    batch = feed(data, CPU)(rows)
    assert (batch.dtype, tuple(batch.shape)) == (torch.float32, (3, 8, 2500))
    for row, got in zip(rows, batch.numpy(), strict=True):
        wanted = to_input(read(archive / f"{ids[row]}.hea"), config=MINUTE)
        np.testing.assert_allclose(got, wanted, atol=0.5e-3 + 1e-6)  # half of a step of 1 µV


def test_shards_are_what_the_reader_of_shards_says(archive, tmp_path):
    data = prepare(archive, tmp_path / "data")
    recording = read(tmp_path / "data" / "index.parquet", entry="ward 1/r03")
    assert (recording.leads, recording.fs) == (MINUTE.leads, 250)
    ids = pl.read_parquet(tmp_path / "data" / "index.parquet")["recording_id"].to_list()
    row = np.array([ids.index("ward 1/r03")])
    np.testing.assert_allclose(feed(data, CPU)(row)[0].numpy(), recording.signal, atol=1e-6)


def test_a_wide_lead_keeps_its_own_step(tmp_path):
    for n in range(4):
        signal = np.array(ecg(n).signal)
        signal[6] = 100 + 50 * np.sin(np.arange(2500) / 40)  # V1 beyond what 16 bits of 1 µV hold
        write_wfdb(Recording(signal, LEADS, 250, f"r{n}"), tmp_path / "in" / f"r{n}.hea", adc_per_mv=100)
    data = prepare(tmp_path / "in", tmp_path / "data")
    got = feed(data, CPU)(np.arange(4)).numpy()
    wanted = np.stack([to_input(read(tmp_path / "in" / f"r{n}.hea"), config=MINUTE) for n in range(4)])
    np.testing.assert_allclose(got, wanted, atol=0.01)
    assert np.unique(data.step_mv).size > 1


def test_what_is_not_fit_is_listed(archive, tmp_path):
    prepare(archive, tmp_path / "data")
    failures = pl.read_parquet(tmp_path / "data" / "failures.parquet")
    assert failures.select("recording_id", "reason").rows() == [("short", "too_short"), ("torn", "unreadable")]


def test_parts_that_are_done_are_taken_up_and_the_bytes_are_the_same(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(training_data, "PART", 5)
    prepare(archive, tmp_path / "whole")
    original, done = training_data.write_part, []

    def killed(part):
        if part.number == 2 and not done.count("killed"):
            done.append("killed")
            raise KeyboardInterrupt
        done.append(part.number)
        original(part)

    monkeypatch.setattr(training_data, "write_part", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(archive, tmp_path / "data")
    assert not (tmp_path / "data").exists()
    prepare(archive, tmp_path / "data")
    assert done == [0, 1, "killed", 2]
    assert results(tmp_path / "data") == results(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"data", "whole"}


def test_no_patient_is_on_both_sides(tmp_path):
    """Shards know whose recordings are; here each patient has three."""
    rows = [(f"r{n:02d}", source_of(ecg(n), patient=Patient(id=f"p{n % 8}"))) for n in range(24)]
    write_shards(rows, tmp_path / "in")
    data = prepare(tmp_path / "in", tmp_path / "data")
    assert data.by_patient
    assert len(data.held_out) == 6  # a quarter of eight patients
    assert {row % 8 for row in data.train.tolist()}.isdisjoint({row % 8 for row in data.held_out.tolist()})
    for path in (tmp_path / "data").iterdir():
        assert not re.search(rb"\bp[0-7]\b", path.read_bytes()), f"{path.name} tells a patient's id"


def test_without_patients_recordings_are_split_and_it_is_said(archive, tmp_path):
    data = prepare(archive, tmp_path / "data")
    assert not data.by_patient
    assert sorted([*data.train.tolist(), *data.held_out.tolist()]) == list(range(12))
    assert len(data.held_out) == 3


def test_three_patients_are_too_few():
    table = pl.DataFrame({"recording_id": ["a", "b", "c"], "group": ["1", "2", "3"], "by_patient": [True] * 3})
    with pytest.raises(InputError, match="four patients or more that are fit; got 3"):
        split_groups(table, held_out=0.5)


# --- a training -------------------------------------------------------------------------------------------------------


def test_killed_and_begun_again_is_the_same_bytes(archive, tmp_path):
    rows = []
    whole = pretrain_archive(archive, out=tmp_path / "whole", wish=WISH, tell=rows.append)

    def kill(row):
        if row["step"] == 4:  # the checkpoint of step 4 is not written yet
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain_archive(archive, out=tmp_path / "killed", wish=WISH, tell=kill)
    assert not (tmp_path / "killed" / "encoder.safetensors").exists()
    told = []
    again = pretrain_archive(archive, out=tmp_path / "killed", wish=WISH, tell=told.append)
    assert [row["step"] for row in told] == [4, 5, 6]
    assert [row["step"] for row in rows] == list(range(7))
    assert results(tmp_path / "killed") == results(tmp_path / "whole")
    assert again.log.equals(whole.log)
    assert again.log["loss"].is_null().to_list() == [True] + 6 * [False]


@pytest.mark.slow
def test_a_process_killed_at_three_moments_comes_to_the_same_bytes(archive, tmp_path):
    """By SIGKILL, which nothing can catch, wherever in a step or in the writing of a checkpoint it hits."""

    def start(out):
        command = [sys.executable, "-m", "twelvelead.app.cli", "pretrain", str(archive), "--out", str(out)]
        command += ["--preset", "tiny", "--steps", "50", "--batch", "4", "--device", "cpu", "--workers", "1"]
        return subprocess.Popen(  # noqa: S603 - our own command
            command, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )

    assert start(tmp_path / "whole").wait(timeout=120) == 4  # two recordings are refused
    log, rng = tmp_path / "killed" / "training.csv", np.random.default_rng(0)
    for rows in sorted(rng.choice(np.arange(2, 45), 3, replace=False).tolist()):
        process, end = start(tmp_path / "killed"), time.monotonic() + 60
        while not (log.is_file() and len(log.read_text().splitlines()) > rows):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < end, "it came to nothing"
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert not (tmp_path / "killed" / "encoder.safetensors").exists()
    assert start(tmp_path / "killed").wait(timeout=120) == 4
    whole, killed = results(tmp_path / "whole"), results(tmp_path / "killed")
    assert {"encoder.safetensors", "checkpoint.safetensors", "training.csv"} < whole.keys()
    assert {name: killed[name] for name in whole} == whole


def test_the_encoder_loads_and_says_how_it_came_about(archive, tmp_path):
    done = pretrain_archive(archive, out=tmp_path / "out", wish=WISH)
    encoder, about = load_encoder(done.encoder), read_card(done.encoder)["about"]
    assert encoder.config == MINUTE
    assert (about["n_train"], about["n_held_out"], about["steps"], about["seed"]) == (10, 2, 6, 0)
    assert (about["recipe"]["batch"], about["recipe"]["lr"]) == (4, 1e-2)
    before = results(tmp_path / "out")
    pretrain_archive(archive, out=tmp_path / "out", wish=WISH)  # done is done
    assert results(tmp_path / "out") == before


@pytest.mark.parametrize("other", [{"seed": 1}, {"batch": 5}, {"recipe": "paper"}, {"steps": 7}, {"preset": "small"}])
def test_the_folder_of_another_training_is_refused(other, archive, tmp_path):
    pretrain_archive(archive, out=tmp_path / "out", wish=replace(WISH, steps=1))
    before = results(tmp_path / "out")
    with pytest.raises(InputError, match="another folder"):
        pretrain_archive(archive, out=tmp_path / "out", wish=replace(WISH, **{"steps": 1, **other}))
    assert results(tmp_path / "out") == before


def test_a_folder_of_something_else_is_refused(archive, tmp_path):
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(InputError, match=re.escape("thesis.docx")):
        pretrain_archive(archive, out=tmp_path, wish=WISH)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_damaged_checkpoint_is_refused(archive, tmp_path):
    pretrain_archive(archive, out=tmp_path / "out", wish=replace(WISH, steps=1))
    path = tmp_path / "out" / "checkpoint.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="checkpoint must be whole"):
        pretrain_archive(archive, out=tmp_path / "out", wish=replace(WISH, steps=1))


def test_a_loss_that_is_no_number_ends_the_training(archive, tmp_path):
    with pytest.raises(InputError, match="lower --lr"):
        pretrain_archive(archive, out=tmp_path / "out", wish=replace(WISH, steps=3, lr=1e30, recipe="paper"))


# --- what is asked for ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "n_steps", "batch"),
    [
        (Wish("tiny"), 603, 51),  # 30 passes over 1024 recordings, each of 20 steps or more
        (Wish("tiny", "paper", epochs=3), 48, 64),
        (Wish("tiny", batch=100, epochs=1), 11, 100),
        (Wish("tiny", batch=5000, steps=9), 9, 1024),
    ],
)
def test_steps_and_batch(wish, n_steps, batch):
    plan = make_plan(wish, n_train=1024, device=CPU)
    assert (plan.n_steps, plan.recipe.batch, plan.precision) == (n_steps, batch, "float32")


def test_the_learning_rate_of_sound_falls_as_the_width_grows():
    rates = [make_plan(Wish(preset), n_train=99, device=CPU).recipe.lr for preset in ("small", "base")]
    assert rates == pytest.approx([1e-3 * 64 / 384, 1e-3 * 64 / 768])
    assert make_plan(Wish("base", lr=1e-3), n_train=99, device=CPU).recipe.lr == 1e-3
    assert make_plan(Wish("base", "paper"), n_train=99, device=CPU).recipe.lr == 5e-5


@pytest.mark.parametrize(
    "wish", [Wish(steps=1, epochs=1), Wish(steps=0), Wish(batch=-1), Wish(lr=0.0), Wish(precision="float16")]
)
def test_what_can_not_be_is_refused(wish):
    with pytest.raises(InputError):
        make_plan(wish, n_train=100, device=CPU)


def test_the_command(archive, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["pretrain", str(archive), "--out", str(out), "--preset", "tiny", "--steps", "2", "--batch", "4"]
    assert main([*command, "--workers", "1", "--device", "cpu"]) == 4  # two recordings are refused
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(r"step 0  held out \d\.\d{4}  spread", said.err)
    assert re.search(r"step 2  loss \d\.\d{4}  held out \d\.\d{4}  spread \S+  effective rank \d", said.err)
    assert "10 recording(s) trained on, 2 held out, 2 refused" in said.err
    assert "a patient may be on both sides" in said.err
    assert "short: too_short" in said.err
    table = pl.read_csv(out / "training.csv")
    assert table["step"].to_list() == [0, 1, 2]
    assert (out / "training.svg").read_text().startswith("<svg")


def test_no_such_device(archive, tmp_path, capsys):
    assert main(["pretrain", str(archive), "--out", str(tmp_path / "o"), "--device", "abacus"]) == 3
    assert "device must be one that torch can use here" in capsys.readouterr().err
