"""The tables of the published layouts imply the truth, read plainly row by row; and they hold the originals' traps."""

import ast
from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from twelvelead.simulate.published import ECG_VIEW, MIMIC, draw_block, ecg_view_tables, mimic_statics, mimic_tables
from twelvelead.simulate.published.analytes import TESTS, target_of
from twelvelead.simulate.published.ecg_view import ecg_view_statics
from twelvelead.simulate.published.findings import PUBLISHED_ORDER

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def mimic():
    block = draw_block(0, n_patients=300, plan=MIMIC, seed=4)
    tables, truth = mimic_tables(block)
    return {path.split("/")[-1].split(".csv")[0]: table for path, table in tables.items()}, truth


@pytest.fixture(scope="module")
def view():
    tables, truth = ecg_view_tables(draw_block(0, n_patients=1000, plan=ECG_VIEW, seed=4))
    return {path.removesuffix(".csv"): table for path, table in tables.items()}, truth


def grouped(rows, key):
    found = defaultdict(list)
    for row in rows.iter_rows(named=True):
        found[row[key]].append(row)
    return found


def clean(code):
    return code.strip()


def test_the_x_ray_after_an_ecg_shows_the_truth(mimic):
    """Each image from the front, and the nearest ECG in the 24 h before it, as the published study pairs them."""
    tables, truth = mimic
    ecgs = grouped(truth.with_columns(subject_id=pl.col("patient_id").cast(pl.Int64)), "subject_id")
    shown = {row["dicom_id"]: row for row in tables["labels"].iter_rows(named=True)}
    paired = far = 0
    for image in tables["mimic-cxr-2.0.0-metadata"].iter_rows(named=True):
        if image["ViewPosition"] == "LATERAL":
            continue
        clock = f"{image['StudyTime']:010.3f}"
        taken = datetime.strptime(f"{image['StudyDate']}{clock}", "%Y%m%d%H%M%S.%f")
        before = [e for e in ecgs[image["subject_id"]] if timedelta(0) < taken - e["recorded_at"] <= 24 * HOUR]
        if not before:
            far += 1
            continue
        ecg = max(before, key=lambda e: e["recorded_at"])
        for finding in PUBLISHED_ORDER:
            name = finding.replace(" ", "_").replace("(", "").replace(")", "")
            assert shown[image["dicom_id"]][finding] == ecg[f"y_{name}"]
        paired += 1
    assert paired > 300
    assert far > 100


def test_programs_read_no_finding_that_is_not_there(mimic):
    tables, _ = mimic
    labels = tables["labels"].with_columns(study_id=pl.col("study_id").str.strip_prefix("s").cast(pl.Int64))
    read = tables["mimic-cxr-2.0.0-chexpert"].join(labels.unique("study_id"), on="study_id", suffix="_true")
    for finding in ("Cardiomegaly", "Edema", "Pneumonia"):
        said, true = read[finding], read[f"{finding}_true"]
        assert set(said.drop_nulls()) == {-1.0, 0.0, 1.0}
        assert (true.filter(said == 1) == 1).all()
        assert (true.filter(said == 0) == 0).all()
        assert said.null_count() > 0.3 * read.height
    assert not tables["mimic-cxr-2.0.0-chexpert"].equals(tables["mimic-cxr-2.0.0-negbio"])


def test_the_nearest_result_within_the_hour_tells_the_truth(mimic):
    tables, truth = mimic
    rows = grouped(tables["labevents"], "subject_id")
    checked = 0
    for test in TESTS:
        for ecg in truth.iter_rows(named=True):
            at = ecg["recorded_at"]
            near = [
                r
                for r in rows[int(ecg["patient_id"])]
                if r["itemid"] == test.itemid and abs(r["charttime"] - at) <= HOUR
            ]
            if not near:
                continue
            r = min(near, key=lambda row: abs(row["charttime"] - at))
            if test.outcome_is_high:
                assert (r["valuenum"] > r["ref_range_upper"]) == ecg[f"y_{target_of(test)}"]
            else:
                assert (r["valuenum"] < r["ref_range_lower"]) == ecg[f"y_{target_of(test)}"]
            checked += 1
    assert checked > 1000


def test_results_are_published_as_the_original_publishes_them(mimic):
    labs = mimic[0]["labevents"]
    items = mimic_statics()["mimic-iv-3.1/hosp/d_labitems.csv.gz"]
    assert set(labs["itemid"]) <= set(items["itemid"])
    assert items.group_by("label").agg(pl.col("fluid").n_unique()).filter(pl.col("fluid") > 1).height >= 2
    outside = (pl.col("valuenum") < pl.col("ref_range_lower")) | (pl.col("valuenum") > pl.col("ref_range_upper"))
    zero = (pl.col("ref_range_lower") == 0) & (pl.col("ref_range_upper") == 0)
    assert labs.filter((pl.col("flag") == "abnormal") != (outside & ~zero)).is_empty()
    assert (labs["storetime"] > labs["charttime"]).all()
    assert labs.filter(zero).height > 50
    assert 0.1 < labs["hadm_id"].null_count() / labs.height < 0.7
    assert (labs["value"] == "___").sum() > 10
    sodium = labs.filter(pl.col("itemid") == 50983)
    assert set(sodium["ref_range_lower"]) == {133.0, 135.0}  # they changed over the years
    haemoglobin = labs.filter(pl.col("itemid") == 51222)
    assert set(haemoglobin["ref_range_lower"]) == {11.2, 13.7}
    assert labs["labevent_id"].is_unique().all()


def test_codes_of_the_stay_tell_the_truth(mimic):
    """Hospital codes of the ECG's stay or of the one its emergency stay led to, else the emergency codes."""
    tables, truth = mimic
    codes, emergency = grouped(tables["diagnoses_icd"], "hadm_id"), grouped(tables["diagnosis"], "stay_id")
    admitted, arrived = grouped(tables["admissions"], "subject_id"), grouped(tables["edstays"], "subject_id")
    of_nine = {"4280": "I50", "42822": "I50", "42832": "I50", "V422": "Z953", "5712": "K703", "5713": "K70"}
    known = 0
    for ecg in truth.iter_rows(named=True):
        at, person = ecg["recorded_at"], int(ecg["patient_id"])
        ed = [s for s in arrived[person] if s["intime"] < at < s["outtime"]]
        stays = {s["hadm_id"] for s in admitted[person] if s["admittime"] < at < s["dischtime"]}
        stays |= {s["hadm_id"] for s in ed if s["hadm_id"] is not None}
        found = [r for s in stays for r in codes[s]] or [r for s in ed for r in emergency[s["stay_id"]]]
        if not found:
            assert ecg["stay_kind"] == "none" or not ecg["coded"]
            continue
        known += 1
        names = {
            of_nine.get(clean(r["icd_code"]), "-") if r["icd_version"] == 9 else clean(r["icd_code"]) for r in found
        }
        for target in ("I50", "Z953", "K70"):
            assert any(name.startswith(target) for name in names) == ecg[f"y_{target}"]
    assert 0.4 < known / truth.height < 0.7


def test_the_published_collision_is_built_in(mimic):
    tables, truth = mimic
    assert set(tables["diagnoses_icd"]["icd_code"].str.len_chars()) == {7}
    extended = tables["records_w_diag_icd10"].with_columns(recording_id=pl.col("study_id").cast(pl.String))
    joined = extended.join(truth, on="recording_id", validate="1:1")
    lists = [ast.literal_eval(text) for text in joined["all_diag_all"]]
    nine = (joined["icd_version"] == 9).to_numpy()
    transplanted = (joined["y_Z953"] == 1).to_numpy()
    coded = np.array([bool(codes) for codes in lists])
    has = {code: np.array([code in codes for codes in lists]) for code in ("V422", "Z953")}
    # A transplant of the years of ICD-9 is an accident there, and one of the years of ICD-10 is a transplant.
    assert (has["V422"] == coded & np.where(nine, transplanted, joined["y_V422"] == 1)).all()
    assert (has["Z953"] == coded & ~nine & transplanted).all()
    assert (has["V422"] & nine).sum() > 20


def test_ext_icd_has_the_columns_and_the_faults_of_the_original(mimic):
    tables, truth = mimic
    extended = tables["records_w_diag_icd10"]
    assert len(extended.columns) == 23
    assert set(extended["gender"]) == {"M", "F", "missing"}
    assert (extended["all_diag_all"] == "[]").sum() > 200
    assert extended["all_diag_all"].null_count() == 0
    for fold in ("fold", "strat_fold"):
        assert extended.group_by("subject_id").agg(pl.col(fold).n_unique())[fold].max() == 1
        assert set(extended[fold]) == set(range(20))
    outside = extended["ecg_no_within_stay"] == -1
    assert (outside == (extended["ecg_taken_in_ed_or_hosp"] == "False")).all()
    inside = extended.filter(pl.col("ecg_no_within_stay") >= 0)
    stay = pl.coalesce("hosp_hadm_id", "ed_stay_id")
    assert inside.select(stay, "ecg_no_within_stay").is_unique().all()
    assert truth["recording_id"].is_unique().all()


def test_what_the_machine_did_not_find(mimic):
    tables, truth = mimic
    machine = tables["machine_measurements"]
    fibrillates = truth["rhythm"] == "af"
    assert ((machine["p_onset"] == 29999) == fibrillates).all()
    assert (machine.filter(fibrillates)["p_axis"] == 29999).all()
    assert (machine.filter(~fibrillates)["p_end"] == 29999).mean() == pytest.approx(0.13, abs=0.03)
    assert (machine["p_axis"] == 32767).sum() > 0
    found = machine.filter(~fibrillates)
    pr = (found["qrs_onset"] - found["p_onset"]).to_numpy()
    assert np.abs(pr - truth.filter(~fibrillates)["pr_interval_ms"].to_numpy()).mean() < 6
    assert machine["report_0"].null_count() == 0
    assert machine["report_17"].null_count() == machine.height


def test_stays_are_in_order_and_some_lack_ecgs_or_codes(mimic):
    tables, truth = mimic
    stays, emergency = tables["admissions"], tables["edstays"]
    assert (stays["dischtime"] > stays["admittime"]).all()
    assert (emergency["outtime"] > emergency["intime"]).all()
    assert stays["hadm_id"].is_unique().all()
    assert set(emergency["hadm_id"].drop_nulls()) <= set(stays["hadm_id"])
    assert 0 < emergency["hadm_id"].null_count() < emergency.height
    uncoded = set(stays["hadm_id"]) - set(tables["diagnoses_icd"]["hadm_id"])
    assert 0 < len(uncoded) < 0.12 * stays.height
    assert set(tables["diagnoses_icd"]["icd_version"]) == {9, 10}
    vital = tables["vitalsign"].join(emergency.select("stay_id", "intime", "outtime"), on="stay_id")
    assert vital["charttime"].is_between(vital["intime"], vital["outtime"]).all()
    assert len(set(truth["patient_id"].cast(pl.Int64)) - set(tables["patients"]["subject_id"])) >= 1


def test_the_oldest_are_91(mimic):
    ages = mimic[0]["patients"]["anchor_age"]
    assert ages.max() == 91
    assert 90 not in set(ages)


def test_ecg_view_loses_numbers_with_the_years_and_in_fibrillation(view):
    tables, truth = view
    ecgs = tables["Electrocardiogram"]
    old, fibrillates = ecgs["ecgsource"] == "M", truth["rhythm"] == "af"
    assert ecgs.filter(fibrillates)["PR"].null_count() == fibrillates.sum()
    assert ecgs.filter(~old & ~fibrillates)["PR"].null_count() == 0
    assert ecgs.filter(old & ~fibrillates)["PR"].null_count() > 0.4 * (old & ~fibrillates).sum()
    for axis in ("P_wave_axis", "QRS_axis", "T_wave_axis"):
        assert ecgs[axis].drop_nulls().is_between(-89, 270).all()
    assert ecgs["T_wave_axis"].max() > 180
    assert ecgs["ecgdate"].dt.year().is_between(1994, 2013).all()
    bazett = ecgs.filter(pl.col("RR") < 30_000)
    assert (bazett["QTc"] - bazett["QT"] / (bazett["RR"] / 1000).sqrt()).abs().max() <= 1


def test_ecg_view_persons_and_codes(view):
    tables, truth = view
    people = tables["Person"].join(
        truth.select(personid=pl.col("patient_id").cast(pl.Int64), female="female"), on="personid"
    )
    assert ((people["sex"] == 0) == people["female"]).all()
    assert tables["Person"]["Birthyeargroup"].is_between(0, 24).all()
    dated = tables["Diagnosis"]
    assert (dated["diagcode"].str.contains(r"^[A-Z]\d\d(\.\d)?$") | (dated["diagcode"] == "M95303")).all()
    assert (dated["diagcode"] == "M95303").any()
    master = ecg_view_statics()["DiagnosisCodeMaster.csv"]
    assert set(dated["diaglocalcode"]) <= set(master["diaglocalcode"])
    assert "no_data" in set(master["diagnosis"])
    assert any(ord(letter) > 127 for letter in "".join(master["diagnosis"]))


def test_ecg_view_codes_within_ninety_days_tell_the_truth(view):
    tables, truth = view
    codes = grouped(tables["Diagnosis"], "personid")
    events = known = 0
    for ecg in truth.iter_rows(named=True):
        near = [
            r for r in codes[int(ecg["patient_id"])] if abs(r["diagdate"] - ecg["recorded_at"]) <= timedelta(days=90)
        ]
        names = {r["diagcode"].replace(".", "") for r in near} - {"M95303"}
        if not names:
            assert not ecg["coded"]
            continue
        known += 1
        events += "I48" in {name[:3] for name in names}
        for target in ("I50", "I48", "K70", "N18"):
            assert any(name.startswith(target) for name in names) == ecg[f"y_{target}"]
    assert known > 1500
    assert events > 50


def test_ecg_view_results_tell_the_truth(view):
    tables, truth = view
    limits = {"K": (5.1, "Potassium_high"), "Ca": (8.4, "Calcium_Total_low"), "Mg": (1.6, "Magnesium_low")}
    rows = grouped(tables["Laboratory"], "personid")
    checked = 0
    for ecg in truth.head(800).iter_rows(named=True):
        for r in rows[int(ecg["patient_id"])]:
            if abs(r["labdate"] - ecg["recorded_at"]) <= HOUR:
                limit, target = limits[r["labname"]]
                beyond = r["labvalue"] > limit if r["labname"] == "K" else r["labvalue"] < limit
                assert beyond == ecg[f"y_{target}"]
                checked += 1
    assert checked > 500
