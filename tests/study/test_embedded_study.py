"""A study whose models may know measurements, an embedding, or both: what the embedding adds, and how it is shown."""

import re
import shutil

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.metrics import roc_auc_score

from twelvelead.app.cli import main
from twelvelead.encode import EncoderConfig, new_model, save_encoder
from twelvelead.io import find_recordings, read_model, read_table, sha256
from twelvelead.io.tables import read_json, sink_table
from twelvelead.predict import base_value, from_parts
from twelvelead.study import apply_study, declare, load_study, parse_study, run_study
from twelvelead.study.embedded import Embeddings, match_embeddings, read_embeddings, require_alike
from twelvelead.study.externally import validate_externally
from twelvelead.study.newcomers import made_by
from twelvelead.terms import ContractError, InputError, StudyError

N, WIDTH = 420, 12
CONFIG = EncoderConfig(16, 1, 2, predictor_width=8, predictor_depth=1, predictor_heads=2)
DECLARATION = """
name = "planted"
title = "Planted"
question = "What does an embedding add?"
seed = 1

[database]
kind = "tables"
folder = "here"

[predictors]
features = "measured + embedded"
source = "database"

[split]
method = "cross_fit"
n_folds = 3

[model]
n_members = 1

[validation]
n_resamples = 400

[[targets]]
name = "sick"
title = "Sick"
system = "finding"
codes = ["sick"]
link = "recording"
event = "value"
"""
EXTERNAL = '[external]\nkind = "tables"\nfolder = "there"\nembeddings = "e.csv"\n\n[predictors]'


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def write_hospital(folder, *, seed, effects=(1.4, 2.2)):
    """Write a hospital in which the QRS duration foretells an outcome, and so may `hidden`, which nobody measured."""
    rng = np.random.default_rng(seed)
    qrs, hidden = rng.normal(100, 15, N), rng.normal(size=N)
    sick = rng.random(N) < 1 / (1 + np.exp(0.8 - effects[0] * (qrs - 100) / 15 - effects[1] * hidden))
    ids = [f"{folder.name}-{i:03d}" for i in range(N)]
    patients = [f"{folder.name}-p{i // 2:03d}" for i in range(N)]
    folder.mkdir(parents=True)
    pl.DataFrame({
        "recording_id": ids, "patient_id": patients, "age_years": rng.uniform(30, 80, N),
        "sex": rng.choice(["male", "female"], N),
    }).write_csv(folder / "cohort.csv")  # fmt: skip
    pl.DataFrame({
        "recording_id": ids, "patient_id": patients, "system": "finding", "code": "sick", "value": sick.astype(float),
    }).write_csv(folder / "events.csv")  # fmt: skip
    pl.DataFrame({"recording_id": ids, "qrs_duration_ms": qrs, "heart_rate_bpm": rng.normal(70, 10, N)}).write_csv(
        folder / "features.csv"
    )
    return ids, hidden, rng


def write_embeddings(path, ids, *, signal, rng, prefix="", about=None):
    """Write noise, and in the fourth column `signal` where there is one."""
    values = rng.normal(size=(len(ids), WIDTH)).astype(np.float32)
    if signal is not None:
        values[:, 3] = signal + rng.normal(0, 0.4, len(ids))
    table = pl.DataFrame(values, schema=[f"embedding_{k:03d}" for k in range(WIDTH)])
    table = table.insert_column(0, pl.Series("recording_id", [prefix + name for name in ids]))
    sink_table(table.sample(fraction=1.0, shuffle=True, seed=0).lazy(), path, about=about)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two hospitals; `signal` and `noise` embed the first, whose last seven recordings could not be embedded."""
    home = tmp_path_factory.mktemp("planted")
    ids, hidden, rng = write_hospital(home / "here", seed=0)
    made = {"embedding": {"encoder": "a" * 64, "pool": "mean", "leads": None}}
    for name, signal in (("signal", hidden[:-7]), ("noise", None)):
        write_embeddings(home / f"{name}.parquet", ids[:-7], signal=signal, rng=rng, prefix="p/", about=made)
    ids, hidden, rng = write_hospital(home / "there", seed=1)
    write_embeddings(home / "there" / "e.csv", ids, signal=hidden, rng=rng)
    return home


@pytest.fixture(scope="module")
def planted(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    study = parse_study(DECLARATION.replace("[predictors]", EXTERNAL), name="planted")
    return out, run_study(study, data=data, out=out, embeddings=data / "signal.parquet")


def gain(performance, set_="internal"):
    (row,) = performance.filter(metric="delta_auroc_embedding", set=set_).to_dicts()
    assert row["model"] == "ecg_age_sex"
    return row


def risks(predictions, model, set_="internal"):
    return predictions.filter(model=model, set=set_).sort("recording_id")


def test_what_an_embedding_knows_is_a_gain_with_its_interval(planted):
    _, results = planted
    for set_ in ("internal", "external"):
        row = gain(results.performance, set_)
        full, without = (risks(results.predictions, m, set_) for m in ("ecg_age_sex", "measured_age_sex"))
        assert full["recording_id"].equals(without["recording_id"])
        wanted = roc_auc_score(full["y"], full["p"]) - roc_auc_score(full["y"], without["p"])
        assert row["estimate"] == pytest.approx(wanted, abs=1e-9)
        assert 0 < row["lower"] < row["estimate"] < row["upper"]
        assert row["interval"] == "studentised bootstrap"
    concepts = pl.read_parquet(planted[0] / "concepts.parquet")
    assert concepts.filter(set="internal", rank=1)["concept"].to_list() == ["embedding"]


def test_noise_adds_nothing_and_costs_the_measurements_nothing(tmp_path):
    """Of twelve columns of noise, where the outcome is the QRS duration's alone and three members share the work."""
    ids, _, rng = write_hospital(tmp_path / "here", seed=2, effects=(2.0, 0.0))
    write_embeddings(tmp_path / "here" / "embeddings.parquet", ids, signal=None, rng=rng)
    study = parse_study(DECLARATION.replace("n_members = 1", "n_members = 3"), name="planted")
    results = run_study(study, data=tmp_path, out=tmp_path)
    row = gain(results.performance)
    assert row["lower"] < 0 < row["upper"]
    assert abs(row["estimate"]) < 0.02
    full = risks(results.predictions, "ecg_age_sex")
    assert roc_auc_score(full["y"], full["p"]) > 0.8
    concepts = pl.read_parquet(tmp_path / "concepts.parquet")
    assert concepts.filter(rank=1)["concept"].to_list() == ["conduction"]


def test_the_comparator_is_the_study_without_the_embedding(data, planted, tmp_path):
    """On the same recordings: those without an embedding are taken out of the other study by hand."""
    home = tmp_path / "data"
    shutil.copytree(data / "here", home / "here")
    cohort = pl.read_csv(home / "here" / "cohort.csv").sort("recording_id").head(N - 7)
    cohort.write_csv(home / "here" / "cohort.csv")
    text = DECLARATION.replace("measured + embedded", "measured")
    results = run_study(parse_study(text, name="planted"), data=home, out=tmp_path / "out")
    assert set(results.predictions["model"]) == {"age_sex", "ecg", "ecg_age_sex"}
    assert "delta_auroc_embedding" not in set(results.performance["metric"])
    alone, beside = risks(results.predictions, "ecg_age_sex"), risks(planted[1].predictions, "measured_age_sex")
    assert alone["recording_id"].equals(beside["recording_id"])
    assert alone["p"].to_list() == beside["p"].to_list()


def test_the_embedding_is_one_reason_and_the_reasons_add_up(planted):
    out, _ = planted
    shap = pl.read_parquet(out / "shap.parquet")
    assert set(shap["feature"]) == {"embedding", "qrs_duration_ms", "heart_rate_bpm", "age_years", "sex_male"}
    block = shap.filter(feature="embedding")
    assert block["value"].null_count() == block.height
    model = from_parts(*read_model(out / "models" / "sick" / "ecg_age_sex"))
    names = list(model.feature_names_in_)
    assert sum(name.startswith("embedding_") for name in names) == WIDTH
    features = pl.read_parquet(out / "features.parquet")
    people = pl.read_parquet(out / "people.parquet").filter(set="external")
    table = people.join(features, on="recording_id").sort("recording_id").with_columns(
        sex_male=(pl.col("sex") == "male").cast(pl.Float64)
    )  # fmt: skip
    sums = shap.filter(set="external").group_by("recording_id").agg(pl.col("shap").sum()).sort("recording_id")
    margin = model.margin(table.select(pl.col(names).cast(pl.Float32)))
    np.testing.assert_allclose(sums["shap"].to_numpy() + base_value(model), margin, atol=1e-4)


def test_tables_say_how_much_of_the_embedding_is_left(planted):
    out, _ = planted
    selection = pl.read_parquet(out / "selection.parquet").filter(model="ecg_age_sex", chosen=True)
    numbers = [{name for name in fit if name.startswith("embedding_")} for fit in selection["features"]]
    assert all("embedding_003" in fit for fit in numbers), "the column that knows is never dropped"
    in_any = set().union(*numbers)
    reasons = pl.read_parquet(out / "reasons.parquet").filter(set="internal", feature="embedding")
    assert reasons.select("concept", "chosen_share").row(0) == ("embedding", 1.0)
    concepts = pl.read_parquet(out / "concepts.parquet").filter(set="internal", concept="embedding")
    assert concepts["n_predictors"].to_list() == [len(in_any)]
    page = (out / "report.html").read_text()
    assert f"{min(map(len, numbers))} to {max(map(len, numbers))} of its numbers in a fit, {len(in_any)} in any" in page
    assert f"{WIDTH} numbers without names" in page
    assert "2 measurements of the ECG were offered" in page
    assert "The embedding measurably added to measurements, age and sex for 1 of 1 target" in page
    assert not re.search(r"embedding[_ ]0\d\d", page), "none of its numbers is shown alone"


def test_recordings_without_an_embedding_are_counted_and_listed(planted):
    out, results = planted
    flow = pl.read_parquet(out / "flow.parquet").filter(set="internal")
    assert flow.select("step", "n_recordings", "excluded").row(-1) == ("ECG was embedded", N - 7, 7)
    assert results.failures["recording_id"].to_list() == [f"here-{i}" for i in range(N - 7, N)]
    assert set(results.failures["reason"]) == {"not_embedded"}
    assert not set(results.failures["recording_id"]) & set(results.predictions["recording_id"])


def test_the_manifest_knows_the_table_and_another_table_is_another_run(data, planted, tmp_path):
    out, _ = planted
    said = read_json(out / "manifest.json")["inputs"]["internal"]["embeddings"]
    assert said["sha256"] == sha256(data / "signal.parquet")
    assert (said["columns"], said["encoder"], made_by(out)["pool"]) == (WIDTH, "a" * 64, "mean")
    study = parse_study(DECLARATION.replace("n_resamples = 400", "n_resamples = 100"), name="planted")
    fitted = []

    def run(name):
        def count(stage, done, total):
            if stage == "fitting" and done == total:
                fitted[-1] = total

        fitted.append(0)
        results = run_study(study, data=data, out=tmp_path, embeddings=data / f"{name}.parquet", progress=count)
        return risks(results.predictions, "ecg_age_sex")["p"].to_list()

    first, second, third = run("signal"), run("noise"), run("signal")
    assert fitted == [16, 16, 0], "four models in three folds and once more; what was done is known again"
    assert first == third != second


def test_the_embedding_alone(data, tmp_path):
    study = parse_study(DECLARATION.replace("measured + embedded", "embedded"), name="planted")
    shutil.copytree(data / "here", tmp_path / "data" / "here")
    (tmp_path / "data" / "here" / "features.csv").unlink()
    shutil.copy(data / "signal.parquet", tmp_path / "data" / "here" / "embeddings.parquet")
    results = run_study(study, data=tmp_path / "data", out=tmp_path / "out")
    assert set(results.predictions["model"]) == {"age_sex", "ecg", "ecg_age_sex"}
    _, card = read_model(tmp_path / "out" / "models" / "sick" / "ecg")
    assert card["features"] == [f"embedding_{k:03d}" for k in range(WIDTH)]
    only = risks(results.predictions, "ecg")
    assert roc_auc_score(only["y"], only["p"]) > 0.65
    assert "No measurement was offered" in (tmp_path / "out" / "report.html").read_text()


def test_external_validation_takes_the_other_hospital_s_embeddings(data, planted, tmp_path):
    out, results = planted
    found = validate_externally(out, data=data / "there", out=tmp_path / "x", embeddings=data / "there" / "e.csv")
    row = gain(found.tables["performance"], "external")
    assert row["estimate"] == pytest.approx(gain(results.performance, "external")["estimate"], abs=1e-9)
    assert "embedding" in set(pl.read_parquet(tmp_path / "x" / "shap.parquet")["feature"])
    table = pl.read_csv(data / "there" / "e.csv")
    other = {"embedding": {"encoder": "b" * 64}}
    sink_table(table.lazy(), tmp_path / "other.parquet", about=other)
    with pytest.raises(StudyError, match="fitted on, encoder aaa"):
        validate_externally(out, data=data / "there", out=tmp_path / "y", embeddings=tmp_path / "other.parquet")
    table.drop("embedding_011").write_csv(tmp_path / "narrow.csv")
    with pytest.raises(StudyError, match=r"12 columns that the models know.*got\s11"):
        validate_externally(out, data=data / "there", out=tmp_path / "z", embeddings=tmp_path / "narrow.csv")
    with pytest.raises(InputError, match="must be there"):
        validate_externally(out, data=data / "there", out=tmp_path / "w")


def test_tables_that_can_t_be_used_are_refused(data, tmp_path):
    study = parse_study(DECLARATION, name="planted")

    def refuse(table, error, words):
        path = tmp_path / "e.parquet"
        table.write_parquet(path)
        with pytest.raises(error, match=words):
            run_study(study, data=data, out=tmp_path / "out", embeddings=path)

    table = pl.read_parquet(data / "noise.parquet")
    refuse(pl.concat([table, table.head(1)]), ContractError, "each recording once; got 2")
    refuse(table.select("recording_id"), ContractError, "columns embedding_")
    refuse(table.with_columns(embedding_000=pl.lit("x")), ContractError, "must be numbers")
    refuse(table.with_columns(recording_id=pl.col("recording_id") + "x"), StudyError, "got none of 420")
    with pytest.raises(InputError, match="must be there"):
        run_study(study, data=data, out=tmp_path / "out")
    own = tmp_path / "data" / "here"
    shutil.copytree(data / "here", own)
    pl.read_csv(own / "features.csv").with_columns(embedding_000=0.5).write_csv(own / "features.csv")
    with pytest.raises(StudyError, match="come from one table"):
        run_study(study, data=tmp_path / "data", out=tmp_path / "out", embeddings=data / "noise.parquet")


def test_declarations(tmp_path):
    assert declare("ptbxl", embedded=True).predictors.features == "measured + embedded"
    assert declare("ptbxl", embedded=True, features="embedded").predictors.features == "embedded"
    assert declare("ptbxl").predictors.features == "measured"
    with pytest.raises(StudyError, match="Leave out --embeddings"):
        declare("ptbxl", embedded=True, features="measured")
    with pytest.raises(StudyError, match='nested models must have features = "measured"'):
        declare("type2_diabetes", embedded=True)
    with pytest.raises(StudyError, match="repeats publications"):
        declare("liver", mode="paper", embedded=True)
    (tmp_path / "mine.toml").write_text(DECLARATION)
    assert declare(str(tmp_path / "mine.toml"), embedded=True) == load_study(str(tmp_path / "mine.toml"))
    assert declare(str(tmp_path / "mine.toml"), mode="paper").predictors.features == "measured"


def test_ids_are_matched_exactly_then_by_the_last_part_of_a_path_that_is_unique():
    table = pl.DataFrame({
        "recording_id": ["a/1", "x/7", "y/8", "z/8", "q/9"], "embedding_0": [1.0, 7.0, 8.0, 88.0, 9.0],
    })  # fmt: skip
    given = Embeddings("e", "", {}, table)
    found = match_embeddings(given, pl.Series(["7", "a/1", "8", "b/9", "c/9"]))
    assert found.rows() == [("7", 7.0), ("a/1", 1.0)]
    assert match_embeddings(given, pl.Series(["1", "a/1"])).rows() == [("a/1", 1.0)], "no embedding is given twice"


def test_embeddings_made_otherwise_are_refused():
    made = {"encoder": "a", "pool": "mean", "leads": None}
    require_alike(made, made, where="e")
    require_alike(made, {}, where="e")  # CSV can't say
    for other in ({"encoder": "b"}, {"pool": "leads"}, {"leads": ["I"]}):
        with pytest.raises(StudyError, match=f"{next(iter(other))} "):
            require_alike(made, made | other, where="e")


@pytest.fixture(scope="module")
def by_commands(hospitals, tmp_path_factory):
    """As a newcomer types it: embed both hospitals' waveforms, then study them."""
    home = tmp_path_factory.mktemp("commands")
    save_encoder(new_model(CONFIG, seed=0)[0], home / "encoder.safetensors")
    for name in ("a", "b"):
        out = home / "data" / f"hospital_{name}"
        shutil.copytree(hospitals / f"hospital_{name}", out)
        assert main(["embed", str(out / "waveforms"), "--checkpoint", str(home / "encoder.safetensors"),
                     "--out", str(out / "embeddings.parquet"), "--workers", "1"]) == 0  # fmt: skip
    return home


def test_from_waveforms_to_predictions_by_commands(by_commands, small, capsys):
    home = by_commands
    text = f"""
name = "small"
title = "A small study"
question = "Does it run?"
seed = 3
database = {{ kind = "tables", folder = "hospital_a" }}
external = {{ kind = "tables", folder = "hospital_b" }}
predictors = {{ include = {list(small.predictors.include)} }}
split = {{ method = "cross_fit", n_folds = 3 }}
model = {{ n_members = 1 }}
validation = {{ n_resamples = 100 }}

[[targets]]
name = "heart_failure"
title = "Heart failure"
system = "icd10"
codes = ["I50"]
match = "prefix"
link = "stay"
min_events = 10
""".replace("'", '"')
    (home / "small.toml").write_text(text)
    asked = ["study", str(home / "small.toml"), "--data", str(home / "data"), "--out", str(home / "out"),
             "--embeddings", str(home / "data" / "hospital_a" / "embeddings.parquet"), "--workers", "1"]  # fmt: skip
    assert main(asked) == 0
    printed = capsys.readouterr().out
    assert len(re.findall(r"heart_failure +ecg_age_sex +\w+ +delta_auroc_embedding +-?0\.\d+ +\S+ to", printed)) == 2
    judged = pl.read_parquet(home / "out" / "predictions.parquet").filter(model="ecg_age_sex", set="external")
    place = home / "data" / "hospital_b"
    asked = ["predict", str(home / "out"), str(place / "waveforms"), "--workers", "1",
             "--demographics", str(place / "cohort.parquet")]  # fmt: skip
    for source, path in (("embeddings", place / "embeddings.parquet"), ("checkpoint", home / "encoder.safetensors")):
        assert main([*asked, f"--{source}", str(path), "--out", str(home / f"{source}.parquet")]) == 0
        risks_ = read_table(home / f"{source}.parquet")
        both = judged.join(risks_, on=["recording_id", "target"], suffix="_new")
        assert both.height == judged.height > 30
        assert both["p"].to_list() == both["p_new"].to_list()
        named = risks_.unpivot(on=["reason_1", "reason_2", "reason_3"])["value"].drop_nulls()
        assert "embedding" in set(named)
        assert not named.str.starts_with("embedding_").any()
    assert sha256(home / "embeddings.parquet") == sha256(home / "checkpoint.parquet")
    assert main([*asked, "--out", str(home / "none.parquet")]) == 3
    assert "--checkpoint" in capsys.readouterr().err


def test_predicting_needs_the_encoder_that_the_models_know(by_commands, tmp_path):
    home = by_commands
    found = find_recordings([home / "data" / "hospital_b" / "waveforms"])[:2]
    save_encoder(new_model(CONFIG, seed=1)[0], tmp_path / "other.safetensors")
    with pytest.raises(StudyError, match="fitted on, encoder"):
        apply_study(home / "out", found, demographics=None, work=tmp_path, checkpoint=tmp_path / "other.safetensors")
    table = pl.read_parquet(home / "data" / "hospital_b" / "embeddings.parquet")
    one = table.filter(recording_id=found[0].recording_id)
    one.write_parquet(tmp_path / "one.parquet")
    applied = apply_study(home / "out", found, demographics=None, work=tmp_path, embeddings=tmp_path / "one.parquet")
    assert applied.risks["recording_id"].to_list() == [found[0].recording_id]
    assert applied.failures.select("recording_id", "reason").rows() == [(found[1].recording_id, "not_embedded")]


def test_a_study_of_measurements_takes_no_embeddings(finished, hospitals, tmp_path):
    found = find_recordings([hospitals / "hospital_b" / "waveforms"])[:1]
    with pytest.raises(InputError, match="know no embeddings"):
        apply_study(finished[0], found, demographics=None, work=tmp_path, embeddings=tmp_path / "e.parquet")


def test_a_table_by_hand_is_read(tmp_path):
    (tmp_path / "e.csv").write_text("recording_id,embedding_0,note,embedding_1\nb,1.5,x,\na,2.5,y,4\n")
    given = read_embeddings(tmp_path / "e.csv")
    assert given.columns == ("embedding_0", "embedding_1")
    assert given.table.rows() == [("b", 1.5, None), ("a", 2.5, 4.0)]
    assert given.made == {}
