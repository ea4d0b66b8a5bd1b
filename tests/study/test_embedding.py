import math
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from twelvelead.app.cli import main
from twelvelead.encode import LEADS_8, EncoderConfig, new_model, save_encoder
from twelvelead.encode.embed import embed
from twelvelead.encode.registry import load_embedder
from twelvelead.io import Found, find_recordings, open_recording, read_table, sha256
from twelvelead.io.formats import Declaration
from twelvelead.study import embedding
from twelvelead.study.embedded import read_embeddings
from twelvelead.study.embedding import Embedding, embed_archive, embed_files
from twelvelead.study.probe_figures import FIGURES, Predicted, figures
from twelvelead.study.probing import People, ProbePlan, Task, predict_linear, print_rows, probe_database
from twelvelead.terms import InputError

PTBXL = Path(__file__).parents[2].parent / "shared" / "data" / "ptbxl"
CONFIG = EncoderConfig(16, 1, 2, predictor_width=8, predictor_depth=1, predictor_heads=2)
TABLE_ROWS = 60  # of PTB-XL


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("encoder") / "encoder.safetensors"
    save_encoder(new_model(CONFIG, seed=0)[0], path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five recordings that can be embedded, one of them of some leads and one long; one too short; one broken."""
    home = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    seconds = {"a": 10, "b": 10, "c": 10, "few": 10, "long": 40, "short": 4}
    for name, s in seconds.items():
        leads = ("I", "V2") if name == "few" else ("V1", *[lead for lead in LEADS_8 if lead != "V1"])
        rows = rng.normal(0, 0.2, (s * 250, len(leads)))
        pl.DataFrame(rows, schema=list(leads), orient="row").write_csv(home / f"{name}.csv")
    (home / "broken.hea").write_text("broken 2 500 5000\nmissing.dat 16 200/mV\nmissing.dat 16 200/mV\n")
    return home


def run(folder, checkpoint, out, *more):
    return main(["embed", str(folder), "--checkpoint", str(checkpoint), "--out", str(out), "--fs", "250",
                 "--units", "mV", "--workers", "1", *more])  # fmt: skip


def test_a_folder_is_embedded_and_what_can_t_be_is_listed(folder, checkpoint, tmp_path):
    out, failures = tmp_path / "embeddings.parquet", tmp_path / "failures.csv"
    assert run(folder, checkpoint, out, "--failures", str(failures)) == 4
    table = read_table(out)
    assert table["recording_id"].to_list() == ["a", "b", "c", "few", "long"]
    assert table.columns[1:] == [f"embedding_{n:03d}" for n in range(16)]
    assert set(table.dtypes[1:]) == {pl.Float32}
    refused = dict(read_table(failures).select("recording_id", "reason").iter_rows())
    assert refused == {"broken": "unreadable", "short": "too_short"}
    embedder = load_embedder(checkpoint)
    for name in ("a", "few", "long"):
        alone = embed(open_recording(folder / f"{name}.csv", fs=250, units="mV").read(), embedder)
        np.testing.assert_array_equal(table.filter(recording_id=name).drop("recording_id").to_numpy()[0], alone)
    assert not list(tmp_path.glob(".*")), "shards are removed at the end"
    assert read_embeddings(out).made == {"encoder": sha256(checkpoint), "pool": "mean", "leads": None}


def test_leads_and_pool_can_be_chosen(folder, checkpoint, tmp_path):
    out = tmp_path / "embeddings.parquet"
    assert run(folder, checkpoint, out, "--pool", "leads", "--use-leads", "I,V1") == 4
    table = read_table(out)
    assert table.width == 1 + 8 * 16
    row = table.filter(recording_id="few").row(0, named=True)
    assert row["embedding_i_000"] is not None
    assert row["embedding_v1_000"] is None
    assert table["embedding_v2_000"].null_count() == table.height
    assert read_embeddings(out).made == {"encoder": sha256(checkpoint), "pool": "leads", "leads": ["I", "V1"]}
    assert run(folder, checkpoint, out, "--use-leads", "III") == 3
    assert run(folder, folder / "a.csv", out) == 3


def test_a_killed_run_is_taken_up_and_another_encoder_s_is_not(folder, checkpoint, tmp_path, monkeypatch):
    found = [Found(f.recording_id, f.file) for f in find_recordings([folder]) if f.recording_id in {"a", "b", "c"}]
    declared = Declaration(fs=250, units="mV")
    wanted = Embedding(checkpoint, sha256(checkpoint), declared=declared)
    monkeypatch.setattr(embedding, "SHARD", 1)
    done = []

    def die(stage, n, total):
        done.append(n)
        if n == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_archive(found, wanted, work=tmp_path / "work", progress=die)
    totals = []
    resumed = embed_archive(found, wanted, work=tmp_path / "work", progress=lambda s, n, total: totals.append(total))
    assert set(totals) == {1}, "two of three were done"
    fresh = embed_archive(found, wanted, work=tmp_path / "fresh")
    assert resumed.scan().collect().equals(fresh.scan().collect())
    other = tmp_path / "other.safetensors"
    save_encoder(new_model(CONFIG, seed=1)[0], other)
    totals.clear()
    changed = embed_archive(
        found, Embedding(other, sha256(other), declared=declared), work=tmp_path / "work",
        progress=lambda s, n, total: totals.append(total),
    )  # fmt: skip
    assert set(totals) == {3}
    assert not changed.scan().collect().equals(fresh.scan().collect())


def test_workers_don_t_change_a_byte(folder, checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(embedding, "SHARD", 2)
    for workers in (1, 2):
        embed_files(
            [folder], checkpoint=checkpoint, out=tmp_path / f"{workers}.parquet", workers=workers,
            declared=Declaration(fs=250, units="mV"),
        )  # fmt: skip
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


def people(n, *, n_folds, held_out=None):
    patients = np.array([f"p{i // 2}" for i in range(n)])
    fold = (np.arange(n) // 2) % n_folds
    return People(patients, fold, tuple(range(n_folds)) if held_out is None else held_out)


def test_a_probe_sees_no_held_out_patient():
    """Embeddings that tell one person from another, and an outcome drawn per person: nothing can be learnt."""
    n = 200
    who = people(n, n_folds=5)
    patient = np.arange(n) // 2
    x = np.eye(100, dtype=np.float32)[patient]
    y = np.random.default_rng(0).normal(size=100)[patient]
    (one,) = predict_linear({"pretrained": x}, [Task("t", "number", y)], who, way="linear", seed=0)
    assert abs(np.corrcoef(one.scores["pretrained"], y)[0, 1]) < 0.5
    mean = one.scores["mean"]
    for fold in range(5):
        np.testing.assert_allclose(mean[who.fold == fold], y[who.fold != fold].mean())


def test_what_is_unknown_is_neither_learnt_nor_judged():
    n = 80
    who, rng = people(n, n_folds=4, held_out=(3,)), np.random.default_rng(1)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    y = np.where(np.arange(n) % 5 == 0, math.nan, (x[:, 0] > 0).astype(float))
    given = {"pretrained": x, "untrained": x[:, 1:]}
    predicted = predict_linear(given, [Task("t", "event", y)], who, way="linear", seed=0)
    table = figures(predicted, who.patients, n_resamples=200, seed=0)
    assert dict(table.schema) == FIGURES
    judged = (who.fold == 3) & ~np.isnan(y)
    assert table["n"].unique().to_list() == [judged.sum()]
    assert table["n_events"].unique().to_list() == [int(y[judged].sum())]
    assert np.isnan(predicted[0].scores["pretrained"][who.fold != 3]).all()


def test_low_shot_draws_three_times_and_says_where_there_is_too_little():
    n = 120
    who, rng = people(n, n_folds=3), np.random.default_rng(2)
    x = rng.normal(size=(n, 4)).astype(np.float32)
    tasks = [Task("number", "number", x[:, 0].astype(float)), Task("event", "event", (x[:, 0] > 0).astype(float))]
    table = figures(
        predict_linear({"pretrained": x, "untrained": -x[:, :2]}, tasks, who, way="low_shot", seed=0),
        who.patients, n_resamples=200, seed=0,
    )  # fmt: skip
    assert set(table["draw"]) == {0, 1, 2}
    assert set(table["way"]) == {"low_shot_0.01", "low_shot_0.1"}
    rare = table.filter((pl.col("way") == "low_shot_0.01") & (pl.col("encoder") == "pretrained"))
    assert set(rare["note"]) == {"too few patients to learn from"}
    assert len(print_rows(table)) == table.height + 1


def test_figures_by_hand():
    """Errors 1, 1, 3 of three patients: 5/3; of the other 2 each. The difference is resampled, not the limits'."""
    y = np.array([0.0, 0.0, 0.0, math.nan])
    scores = {"pretrained": np.array([1.0, -1, 3, 9]), "untrained": np.array([2.0, 2, -2, 9]), "absent": None}
    one = Predicted("t", "number", "linear", 0, y, scores)
    table = figures([one], np.array(["a", "b", "c", "d"]), n_resamples=2000, seed=0)
    got = {row["encoder"]: row for row in table.iter_rows(named=True)}
    assert got["pretrained"]["estimate"] == pytest.approx(5 / 3)
    assert got["untrained"]["estimate"] == got["untrained"]["lower"] == got["untrained"]["upper"] == 2
    assert got["pretrained - untrained"]["estimate"] == pytest.approx(-1 / 3)
    # Of 27 draws one is c, c, c (+1) and eight have neither (-1): outside of neither tail of 2.5 %.
    assert (got["pretrained - untrained"]["lower"], got["pretrained - untrained"]["upper"]) == (-1, 1)
    assert got["absent"]["estimate"] is None
    assert got["absent"]["note"]
    assert table["n"].to_list() == [3] * 4


def test_plans_are_checked():
    with pytest.raises(InputError, match="some of"):
        ProbePlan(ways=("linear", "deep"))


@pytest.mark.skipif(not PTBXL.is_dir(), reason="../shared/data/ptbxl is absent: no real recordings to probe")
def test_the_command_probes_real_recordings(checkpoint, tmp_path, capsys):
    home = tmp_path / "ptbxl"
    home.mkdir()
    shutil.copy(PTBXL / "scp_statements.csv", home)
    lines = (PTBXL / "ptbxl_database.csv").read_text().splitlines(keepends=True)
    (home / "ptbxl_database.csv").write_text("".join(lines[: TABLE_ROWS + 1]))
    (home / "records500").symlink_to(PTBXL / "records500")
    out = tmp_path / "probe.csv"
    assert main(["probe", str(home), "--checkpoint", str(checkpoint), "--out", str(out), "--workers", "1",
                 "--ways", "linear", "--resamples", "100", "--held-out", "last"]) == 0  # fmt: skip
    table = read_table(out)
    rates = table.filter(pl.col("task") == "heart_rate_bpm")
    assert set(rates["encoder"]) == {
        "pretrained", "untrained", "mean", "pretrained - untrained", "pretrained - mean",
    }  # fmt: skip
    folds = pl.read_csv(home / "ptbxl_database.csv", infer_schema_length=None)["strat_fold"]
    assert rates["n"].to_list() == [(folds == folds.max()).sum()] * 5
    assert rates.filter(encoder="mean")["estimate"][0] > 1  # 1/min: hearts differ
    assert {"NORM", "MI", "STTC", "CD", "HYP"} <= set(table["task"])
    assert "heart_rate_bpm" in capsys.readouterr().out


@pytest.mark.skipif(not PTBXL.is_dir(), reason="../shared/data/ptbxl is absent: no real recordings to probe")
def test_folds_that_tear_patients_apart_are_refused(checkpoint, tmp_path):
    home = tmp_path / "ptbxl"
    home.mkdir()
    shutil.copy(PTBXL / "scp_statements.csv", home)
    table = pl.read_csv(PTBXL / "ptbxl_database.csv", infer_schema_length=None).head(4)
    table.with_columns(patient_id=pl.lit(1.0)).write_csv(home / "ptbxl_database.csv")
    (home / "records500").symlink_to(PTBXL / "records500")
    with pytest.raises(ValueError, match="in one fold"):
        probe_database(home, checkpoint=checkpoint, out=tmp_path / "x.csv", plan=ProbePlan(ways=("linear",)))
