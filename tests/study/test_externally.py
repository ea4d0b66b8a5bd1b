"""External validation from the command to the page: two hospitals of tables, the second with other patients."""

import json
from datetime import datetime

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead.app.cli import main
from twelvelead.app.external import read_rule
from twelvelead.io import read_json, read_model, sha256
from twelvelead.io.databases import Database
from twelvelead.io.databases import tables as own_tables
from twelvelead.predict import from_parts
from twelvelead.study import choose_use, parse_study, run_study, validate_externally
from twelvelead.study.application import load_forest
from twelvelead.study.finished import open_study, side_of_study
from twelvelead.study.mending import deal_share
from twelvelead.study.sensitivities import judge_redrawn, list_subsets, redraw_ages
from twelvelead.terms import (
    DOMAIN,
    EVENTS,
    HYPOTHESES,
    PERFORMANCE,
    PREDICTIONS,
    SENSITIVITY,
    SHAP,
    TRANSPORT,
    FormatError,
    InputError,
    StudyError,
)
from twelvelead.validate import Recalibration

DECLARATION = """
name = "two"
title = "Two hospitals"
question = "Does it hold elsewhere?"
seed = 1

[database]
kind = "tables"
folder = "here"

[predictors]
source = "database"

[split]
method = "holdout"
n_folds = 2

[model]
n_members = 2
elimination = 0.9

[validation]
n_resamples = 100
thresholds = [0.2]

[[targets]]
name = "heart_failure"
title = "Heart failure"
system = "icd10"
codes = ["I50"]
match = "prefix"
link = "stay"

[[targets]]
name = "diabetes"
title = "Diabetes"
system = "icd10"
codes = ["E11"]
match = "prefix"
link = "stay"
"""


def write_hospital(folder, name, *, seed, spread=1.0, effect=1.2, level=-1.0, n=1600):
    rng = np.random.default_rng(seed)
    qrs, rate = rng.normal(size=n) * spread, rng.normal(size=n)
    ids = [f"{name}-{i:04d}" for i in range(n)]
    time = [datetime(2020, 1, 1)] * n
    cohort = pl.DataFrame({
        "recording_id": ids, "patient_id": [f"{name}{i % 1400}" for i in range(n)],
        "age_years": rng.integers(30, 80, n).astype(float), "sex": np.where(rng.random(n) < 0.5, "male", "female"),
        "recorded_at": time, "stay_id": ids, "path": pl.Series([None] * n, dtype=pl.String),
    }).with_columns(pl.col("recorded_at").cast(pl.Datetime("us")))  # fmt: skip
    features = pl.DataFrame({
        "recording_id": ids, "qrs_duration_ms": 100 + 15 * qrs, "heart_rate_bpm": 70 + 10 * rate,
        "pr_interval_ms": np.where(rng.random(n) < 0.1, np.nan, 160 + 20 * rng.normal(size=n)),
    }).with_columns(pl.exclude("recording_id").cast(pl.Float32).fill_nan(None))  # fmt: skip
    # Everybody has some code: without any nothing would be known.
    ill = {
        "Z00": np.ones(n),
        "I50": rng.random(n) < expit(level + effect * qrs),
        "E11": rng.random(n) < expit(-1.5 + 0.8 * rate),
    }
    rows = [(cohort["patient_id"][i], ids[i], code) for code, has in ill.items() for i in np.flatnonzero(has).tolist()]
    events = pl.DataFrame(rows, schema=["patient_id", "stay_id", "code"], orient="row")
    empty = {name: pl.lit(None, dtype) for name, dtype in EVENTS.schema.items() if name not in events.columns}
    events = events.with_columns(**empty).with_columns(
        system=pl.lit("icd10"), time=pl.lit(datetime(2020, 1, 1)).cast(pl.Datetime("us"))
    )
    own_tables.write(
        Database(
            name=name, folder=folder / name, cohort=cohort, events=events.select(list(EVENTS.schema)).lazy(),
            tables=(), features=features.lazy(), simulated=True,
        )
    )  # fmt: skip
    return folder / name


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    write_hospital(folder, "here", seed=1)
    write_hospital(folder, "there", seed=2, spread=0.5, level=-2.0)
    return folder


@pytest.fixture(scope="module")
def study(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    run_study(parse_study(DECLARATION, name="two"), data=data, out=out)
    return out


@pytest.fixture(scope="module")
def found(study, data, tmp_path_factory):
    return validate_externally(study, data=data / "there", out=tmp_path_factory.mktemp("external") / "out")


def test_everything_that_was_promised_is_there_and_keeps_its_contract(found):
    for contract in (PERFORMANCE, PREDICTIONS, SHAP, TRANSPORT, DOMAIN, SENSITIVITY, HYPOTHESES):
        contract.check(pl.read_parquet(found.folder / f"{contract.name}.parquet"))
    assert set(found.tables["performance"]["set"]) == {"external"}
    assert not (found.folder / "work").exists()
    manifest = read_json(found.folder / "manifest.json")
    assert manifest["outputs"]["recalibration.json"] == sha256(found.folder / "recalibration.json")
    assert manifest["use"]["kind"] == "tables"
    assert len(manifest["models"]) == 6


def test_the_risks_are_those_of_the_saved_models(found, study, data):
    features = pl.read_parquet(data / "there" / "features.parquet")
    cohort = pl.read_parquet(data / "there" / "cohort.parquet")
    model = from_parts(*read_model(study / "models" / "heart_failure" / "ecg"))
    said = pl.read_parquet(found.folder / "predictions.parquet").filter(target="heart_failure", model="ecg")
    rows = said.join(features, on="recording_id", how="left", maintain_order="left")
    p = model.predict_proba(rows.select(model.feature_names_))[:, 1]
    np.testing.assert_array_equal(said["p"].to_numpy(), p)
    assert said.height == cohort.height


def test_a_narrower_mix_explains_most_of_the_fall(found):
    of = {(r["target"], r["quantity"]): r for r in found.tables["transport"].iter_rows(named=True)}
    assert of["heart_failure", "internal"]["estimate"] - of["heart_failure", "external"]["estimate"] > 0.05
    assert of["heart_failure", "case_mix"]["upper"] < 0
    for target in ("heart_failure", "diabetes"):
        rest = of[target, "rest"]
        assert abs(rest["estimate"]) < rest["upper"] - rest["lower"]  # four standard errors


def test_recalibration_is_fitted_on_one_half_and_mends_the_other(found):
    rows = found.tables["recalibrated"].filter(target="heart_failure", metric="oe_ratio", stratum="all")
    oe = {row["model"]: row for row in rows.iter_rows(named=True)}
    assert oe["none"]["upper"] < 1
    for method in ("intercept", "logistic", "isotonic"):
        assert abs(np.log(oe[method]["estimate"])) < abs(np.log(oe["none"]["estimate"])) / 2
    told = json.loads((found.folder / "recalibration.json").read_text())["targets"]["heart_failure"]
    assert told["fitted_on"]["n"] + oe["none"]["n"] == 1600
    curve = told["methods"]["logistic"]
    mended = Recalibration("logistic", curve["intercept"], curve["slope"])
    full = pl.read_parquet(found.folder / "predictions.parquet").filter(target="heart_failure", model="ecg_age_sex")
    full = full.sort("recording_id")
    judged = ~deal_share(full["y"], full["patient_id"], share=0.5, seed=1)
    y, p = full["y"].to_numpy()[judged], mended(full["p"].to_numpy()[judged])
    assert y.sum() / p.sum() == pytest.approx(oe["logistic"]["estimate"], abs=1e-9)


def test_reasons_and_sensitivities_are_there(found):
    assert set(found.tables["reason_agreement"]["measure"]) == {"spearman", "kendall", "top_overlap"}
    rows = found.tables["sensitivity"].filter(target="diabetes")
    assert rows["analysis"].to_list() == ["as declared", "with a P wave", "nothing missing"]
    assert rows["n"][1] < rows["n"][0]
    own = found.tables["performance"].filter(target="diabetes", model="ecg_age_sex", metric="auroc", stratum="all")
    assert rows["estimate"][0] == pytest.approx(own["estimate"][0])


def test_the_page_says_whose_models_and_where(found):
    page = (found.folder / "report.html").read_text()
    for words in ("SIMULATED DATA", "External validation: Two hospitals", "there (tables)", "Explained by the mix",
                  "Mended by", "With a P wave", "Spearman"):  # fmt: skip
        assert words in page, words
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_second_run_gives_the_same_bytes(found, study, data, tmp_path):
    validate_externally(study, data=data / "there", out=tmp_path, workers=2)
    for path in sorted(found.folder.iterdir()):
        assert sha256(tmp_path / path.name) == sha256(path), path.name


def test_the_development_side_is_what_the_study_knew(study, data):
    side = side_of_study(open_study(study))
    features = pl.read_parquet(data / "here" / "features.parquet")
    cohort = pl.read_parquet(data / "here" / "cohort.parquet")
    both = side.predictors.join(features, on="recording_id", suffix="_there").join(cohort, on="recording_id")
    assert both.height == 1600
    assert both["qrs_duration_ms"].to_list() == both["qrs_duration_ms_there"].to_list()
    assert both["age_years"].to_list() == both["age_years_right"].to_list()
    y = side.outcome("diabetes")
    assert set(y.tolist()) == {-1, 0, 1}
    assert 700 < np.count_nonzero(y >= 0) < 900


def test_the_hospital_of_the_development_is_refused(study, data, tmp_path):
    with pytest.raises(StudyError, match="other patients than the development; got 1600 of 1600"):
        validate_externally(study, data=data / "here", out=tmp_path)


def test_a_model_that_was_changed_is_refused(study, data, tmp_path):
    import shutil

    shutil.copytree(study, tmp_path / "study")
    part = tmp_path / "study" / "models" / "diabetes" / "ecg_age_sex" / "member_0.ubj"
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(FormatError, match="SHA-256"):
        validate_externally(tmp_path / "study", data=data / "there", out=tmp_path / "out")


def test_the_command_takes_rules_and_says_what_is_unknown(study, data, tmp_path, capsys):
    out = tmp_path / "out"
    fragment = tmp_path / "there.toml"
    fragment.write_text('[external]\nkind = "tables"\nrule = { link = "time", window_h = [-1, 1] }\n')
    status = main(["external", str(study), "--data", str(data / "there"), "--out", str(out), "--declaration",
                   str(fragment), "--recalibrate-on", "0.3", "--workers", "1"])  # fmt: skip
    assert status == 0
    assert read_json(out / "manifest.json")["use"]["rule"] == {"link": "time", "window_h": [-1, 1]}
    assert "The report is" in capsys.readouterr().err
    told = read_json(out / "recalibration.json")["targets"]["diabetes"]
    assert told["fitted_on"]["n_patients"] == pytest.approx(0.3 * 1400, abs=3)
    status = main(["external", str(study), "--data", str(data / "there"), "--out", str(out), "--rule", "nonsense"])
    assert status == 3
    assert "--rule must be name=value" in capsys.readouterr().err


def test_rules_are_read_as_a_declaration_has_them():
    assert read_rule(["absent=no_if_observed", "washout_h=inf", 'codes=["I50","I51"]']) == {
        "absent": "no_if_observed", "washout_h": float("inf"), "codes": ["I50", "I51"],
    }  # fmt: skip


def test_the_studys_own_rules_are_taken_for_the_same_kind(data):
    text = DECLARATION + '\n[external]\nkind = "tables"\nrule = { link = "time", window_h = [0, 1] }\n'
    own = parse_study(text, name="two")
    assert choose_use(own, data / "there").rule == {"link": "time", "window_h": [0, 1]}
    assert choose_use(own, data / "there", rule={}).rule == {}
    with pytest.raises(InputError, match="must hold a database"):
        choose_use(own, data / "nowhere")


def test_predictors_that_nobody_has_are_not_asked_for():
    table = pl.DataFrame({
        "recording_id": ["a", "b", "c"], "p_duration_ms": [None] * 3, "pr_interval_ms": [1.0, None, 1.0],
        "qt_interval_ms": [None, 1.0, 1.0],
    }, schema_overrides={"p_duration_ms": pl.Float32})  # fmt: skip
    subsets = {name: kept.tolist() for name, kept in list_subsets(table).items()}
    assert subsets == {
        "as declared": [True] * 3, "with a P wave": [True, False, True], "nothing missing": [False, False, True],
    }  # fmt: skip


def test_ages_are_redrawn_once_for_each_patient_and_within_their_group(study):
    finished = open_study(study)
    forest = load_forest([finished.place("heart_failure", "ecg_age_sex")], finished.models["ecg_age_sex"])
    n = 60
    rng = np.random.default_rng(0)
    table = pl.DataFrame({"patient_id": [f"p{i // 2}" for i in range(n)], **{
        name: np.repeat(rng.normal(60, 10, n // 2), 2) for name in forest.features
    }})  # fmt: skip
    drawn = redraw_ages(forest, table, precision_years=2.5, seed=0)
    assert drawn.shape == (20, n, 1)
    assert np.array_equal(drawn[:, ::2], drawn[:, 1::2])  # both recordings of a patient are moved alike
    same = redraw_ages(forest, table, precision_years=0.0, seed=0)
    assert np.array_equal(same[0], same[1])
    rows = pl.DataFrame({"patient_id": table["patient_id"], "y": [i // 2 % 2 for i in range(n)]})
    row = judge_redrawn(rows, drawn[:, :, 0], precision_years=2.5)
    assert row["lower"] <= row["estimate"] <= row["upper"]
    assert row["analysis"] == "ages redrawn within ± 2.5 years"


def test_a_share_that_leaves_nobody_is_refused():
    with pytest.raises(StudyError, match=r"in \(0, 1\); got 1"):
        deal_share([0, 1], ["a", "b"], share=1.0, seed=0)
