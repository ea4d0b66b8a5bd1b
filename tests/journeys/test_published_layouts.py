"""The published studies on simulated hospitals of the published layouts: one command each, in both modes."""

import re
from importlib import resources

import polars as pl
import pytest

from twelvelead.app.cli import main
from twelvelead.io import read_json, sha256

pytestmark = pytest.mark.slow

N_PATIENTS = 600
# Two codes that ICD-9 and ICD-10 spell alike: V42.2 is a transplanted valve, V422 an accident, which no ECG tells.
COLLISION = """
name = "collision"
title = "A collision of codes"
question = "Does a valve become an accident?"
seed = 0

[database]
kind = "mimic_iv"

[predictors]
source = "database"
include = ["pr_interval_ms", "qrs_duration_ms", "rr_mean_ms", "qtc_bazett_ms", "qrs_axis_deg"]

[split]
method = "cross_fit"
n_folds = 2

[model]
n_members = 2
elimination = 0.9

[validation]
n_resamples = 200

[[targets]]
name = "Z953"
title = "Heart valve replaced by transplant"
system = "icd10"
codes = ["Z953"]
link = "stay"

[[targets]]
name = "V422"
title = "A car accident"
system = "icd10"
codes = ["V422"]
link = "stay"

[paper]
codes = { by_version = false }
model = { preset = "xgboost_defaults" }
validation = { level = 0.05, unit = "recording" }

[[faults]]
name = "codes without their version"
text = "V42.2 becomes V422."
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layouts")
    for layout, place in (("mimic-iv", folder), ("ecg-view-ii", folder / "ecg-view-ii")):
        assert main(["simulate", str(place), "--layout", layout, "--patients", str(N_PATIENTS), "--seed", "0"]) == 0
    return folder


def run_both(name, data, out, *, workers=2):
    return main(["study", str(name), "--data", str(data), "--out", str(out), "--mode", "both",
                 "--workers", str(workers)])  # fmt: skip


def auroc(out, mode, target, set_, model="ecg_age_sex"):
    table = pl.read_parquet(out / mode / "performance.parquet")
    return table.filter(metric="auroc", stratum="all", target=target, set=set_, model=model).row(0, named=True)


def truth(folder):
    return pl.concat([pl.read_parquet(path) for path in sorted((folder / "truth" / "recordings").glob("*.parquet"))])


def check_folder(out):
    """What both modes always leave behind."""
    for mode in ("sound", "paper"):
        assert read_json(out / mode / "manifest.json")["inputs"]["internal"]["simulated"] is True
        assert "SIMULATED DATA" in (out / mode / "report.html").read_text(encoding="utf-8")
    page = (out / "comparison.html").read_text(encoding="utf-8")
    assert "SIMULATED DATA" in page
    written = pl.read_csv(out / "comparison.csv")
    assert written.select("target", "set").is_duplicated().sum() == 0
    return page


def cut(name, keep, path):
    """Write a built-in study with few of its targets, which stand there a line each."""
    text = (resources.files("twelvelead.study") / "library" / f"{name}.toml").read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    named = [(re.match(r'  \{ name = "([^"]+)"', line), line) for line in lines]
    assert set(keep) <= {found[1] for found, _ in named if found}
    path.write_text("".join(line for found, line in named if found is None or found[1] in keep), encoding="utf-8")
    return path


# Liver diseases, as they come


@pytest.fixture(scope="module")
def liver(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("liver")
    return run_both("liver", data, out), out


def test_the_study_of_the_liver_ends_with_all_its_files(liver):
    status, out = liver
    assert status in {0, 4}
    refused = [read_json(out / mode / "manifest.json")["refusals"] for mode in ("sound", "paper")]
    assert (status == 4) == any(refused)
    page = check_folder(out)
    for said in ("intervals of 5 % called 95 %", "sound/report.html", "paper/report.html", "K70_new"):
        assert said in page


def test_a_planted_disease_of_the_liver_is_found_in_the_other_country(liver):
    _, out = liver
    row = auroc(out, "sound", "K70", "external")
    assert row["level"] == 0.95
    assert row["lower"] > 0.5


@pytest.mark.parametrize("set_", ["internal", "external"])
def test_a_null_disease_of_the_liver_stays_null(liver, set_):
    _, out = liver
    for target in ("K72", "K72_new"):
        row = auroc(out, "sound", target, set_)
        if row["lower"] is None:  # one risk for everybody: all pairs are tied, and there is no interval
            assert row["estimate"] == 0.5, target
        else:
            assert row["lower"] <= 0.5 <= row["upper"], target


def test_the_published_intervals_are_far_narrower(liver):
    _, out = liver
    table = pl.read_csv(out / "comparison.csv").filter(set="external", target="K70")
    assert auroc(out, "paper", "K70", "external")["level"] == 0.05
    assert table["width_ratio"][0] > 10


def test_eligibility_of_the_two_modes_differs_as_declared(liver):
    """Sound: adults, the first ECG of a stay. Paper: every ECG."""
    _, out = liver
    flows = {m: pl.read_parquet(out / m / "flow.parquet").filter(set="internal") for m in ("sound", "paper")}
    assert "first ECG of the stay" in flows["sound"]["step"].to_list()
    assert "first ECG of the stay" not in flows["paper"]["step"].to_list()
    last = {mode: flow["n_recordings"][-1] for mode, flow in flows.items()}
    assert last["sound"] < last["paper"]
    assert pl.read_csv(out / "comparison.csv").filter(target="K70_new")["paper_n"].null_count() == 2


# The collision of codes


@pytest.fixture(scope="module")
def collided(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("collision")
    (folder / "collision.toml").write_text(COLLISION, encoding="utf-8")
    assert run_both(folder / "collision.toml", data, folder / "out") == 0
    return folder


def said_and_true(folder, data, mode, target):
    """Who has the outcome in the study, and what is true of the stay: one row per recording."""
    predictions = pl.read_parquet(folder / "out" / mode / "predictions.parquet")
    said = predictions.filter(target=target, model="ecg_age_sex", set="internal").select("recording_id", "y")
    joined = said.join(truth(data), on="recording_id", validate="1:1")
    assert joined.height == said.height > 500
    return joined


def test_a_valve_becomes_an_accident_on_paper_only(collided, data):
    accident, valve, nine = pl.col("y_V422") == 1, pl.col("y_Z953") == 1, pl.col("icd_version") == 9
    expected = {
        ("sound", "V422"): accident, ("sound", "Z953"): valve,
        ("paper", "V422"): accident | (valve & nine), ("paper", "Z953"): valve & ~nine,
    }  # fmt: skip
    for (mode, target), rule in expected.items():
        rows = said_and_true(collided, data, mode, target)
        assert rows.filter((pl.col("y") == 1) != rule).is_empty(), (mode, target)
    assert said_and_true(collided, data, "paper", "Z953").filter(valve & nine).height > 20


def test_the_accident_can_be_predicted_on_paper_only(collided):
    sound = auroc(collided / "out", "sound", "V422", "internal")
    assert sound["lower"] <= 0.5 <= sound["upper"]
    assert auroc(collided / "out", "sound", "Z953", "internal")["lower"] > 0.5
    paper = auroc(collided / "out", "paper", "V422", "internal")
    assert paper["lower"] > 0.5
    assert paper["n_events"] > 2 * sound["n_events"]


def test_the_page_names_the_fault(collided):
    page = check_folder(collided / "out")
    assert "codes without their version" in page


def test_a_second_run_on_one_process_gives_the_same_bytes(collided, data, tmp_path):
    assert run_both(collided / "collision.toml", data, tmp_path, workers=1) == 0
    names = ["comparison.csv", "comparison.html"]
    names += [f"{m}/{n}" for m in ("sound", "paper") for n in ("manifest.json", "report.html", "predictions.parquet")]
    for name in names:
        assert sha256(tmp_path / name) == sha256(collided / "out" / name), name


# X-rays and the laboratory, a few targets of each


@pytest.fixture(scope="module")
def xrays(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("xrays")
    declared = cut("cxr_findings", ("Cardiomegaly", "Pleural_Effusion", "Scoliosis"), folder / "cxr.toml")
    return run_both(declared, data, folder), folder


def test_findings_of_xrays_are_found_where_they_are_planted(xrays):
    status, out = xrays
    assert status in {0, 4}
    assert "the delay as a predictor" in check_folder(out)
    assert auroc(out, "sound", "Pleural_Effusion", "internal")["lower"] > 0.5
    null = auroc(out, "sound", "Scoliosis", "internal") if "Scoliosis" not in refused(out, "sound") else None
    assert null is None or null["lower"] <= 0.5 <= null["upper"]


def refused(out, mode):
    return {refusal["target"] for refusal in read_json(out / mode / "manifest.json")["refusals"]}


def test_on_paper_the_images_are_rows_and_the_delay_is_known(xrays):
    _, out = xrays
    rows = {m: pl.read_parquet(out / m / "predictions.parquet")["recording_id"] for m in ("sound", "paper")}
    assert rows["paper"].str.contains("@s").all()
    assert not rows["sound"].str.contains("@").any()
    offered = {m: pl.read_parquet(out / m / "selection.parquet")["features"].explode() for m in ("sound", "paper")}
    assert "delay_h" in set(offered["paper"])
    assert "delay_h" not in set(offered["sound"])


@pytest.fixture(scope="module")
def laboratory(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("laboratory")
    keep = ("Potassium_high", "Sodium_low", "Hemoglobin_low", "Potassium_above_5.1")
    return run_both(cut("laboratory_values", keep, folder / "lab.toml"), data, folder), folder


def test_results_of_the_laboratory_are_found_where_they_are_planted(laboratory):
    status, out = laboratory
    assert status in {0, 4}
    assert "one reference range for everybody" in check_folder(out)
    for target in ("Potassium_high", "Hemoglobin_low"):
        assert auroc(out, "sound", target, "internal")["estimate"] > 0.6, target
    assert auroc(out, "sound", "Potassium_high", "internal")["lower"] > 0.5
    null = auroc(out, "sound", "Sodium_low", "internal")
    assert null["estimate"] == 0.5 if null["lower"] is None else null["lower"] <= 0.5 <= null["upper"]


def test_a_result_with_a_declared_limit_is_found_in_the_other_country(laboratory):
    """ECG-ViEW II has neither units nor ranges: without a declared limit nothing is known there."""
    _, out = laboratory
    assert auroc(out, "sound", "Potassium_above_5.1", "external")["lower"] > 0.5
    external = pl.read_parquet(out / "sound" / "performance.parquet").filter(set="external")
    assert set(external["target"]) == {"Potassium_above_5.1"}


def test_one_range_for_everybody_calls_men_healthy_who_are_not(laboratory, data):
    """By its own range each result is what was planted; the median of all ranges is lower than that of men."""
    _, out = laboratory
    wrong = {}
    for mode in ("sound", "paper"):
        predictions = pl.read_parquet(out / mode / "predictions.parquet")
        said = predictions.filter(target="Hemoglobin_low", model="ecg_age_sex", set="internal")
        joined = said.join(truth(data), on="recording_id", validate="1:1")
        assert joined.height == said.height > 20
        wrong[mode] = joined.filter(pl.col("y") != pl.col("y_Hemoglobin_low")).select("female", "y").unique().rows()
    assert wrong == {"sound": [], "paper": [(False, 0)]}
