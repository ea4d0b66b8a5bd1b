"""MIMIC-IV and its companions: the real demo against SQL, the layouts by hand."""

import gzip
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from twelvelead.io import load_database, recognise_database
from twelvelead.io.databases import mimic, mimic_ecg, mimic_hosp
from twelvelead.terms import ContractError, FormatError, InputError

DATA = Path(__file__).parents[3].parent / "shared" / "data"
DEMO, ECG = DATA / "mimic-iv-demo", DATA / "mimic-iv-ecg"
needs_demo = pytest.mark.skipif(not DEMO.is_dir(), reason="../shared/data/mimic-iv-demo is absent")
needs_ecg = pytest.mark.skipif(not ECG.is_dir(), reason="../shared/data/mimic-iv-ecg is absent")


# --- the real demo, counted by another database engine ----------------------------------------------------------------


@pytest.fixture(scope="module")
def demo():
    return load_database("mimic_iv", DEMO)


@pytest.fixture(scope="module")
def sql():
    connection = duckdb.connect()
    for path in (DEMO / "hosp").glob("*.csv.gz"):
        name = path.name.removesuffix(".csv.gz")
        types = ", types={'icd_code': 'VARCHAR'}" if "icd" in name else ""
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_csv('{path}', sample_size=-1{types})")  # noqa: S608
    return connection


@needs_demo
def test_patients_and_stays_agree_with_sql(demo, sql):
    people = sql.execute(
        "SELECT subject_id::VARCHAR, lower(gender), anchor_age, dod FROM patients ORDER BY 1"
    ).fetchall()
    ours = demo.patients.sort("patient_id")
    assert ours.height == 100
    for row, (patient, gender, age, died) in zip(ours.iter_rows(named=True), people, strict=True):
        assert (row["patient_id"], row["sex"][0], row["anchor_age"]) == (patient, gender, age)
        assert (row["died_at"].date() if row["died_at"] else None) == died
    stays = sql.execute(
        "SELECT 'hosp-' || hadm_id, subject_id::VARCHAR, admittime, dischtime FROM admissions ORDER BY 1"
    ).fetchall()
    assert demo.stays.sort("stay_id").select("stay_id", "patient_id", "start", "end").rows() == stays
    assert demo.stays.height == 275


@needs_demo
def test_codes_agree_with_sql_and_keep_their_version(demo, sql):
    theirs = sql.execute("""
        SELECT d.subject_id::VARCHAR, a.dischtime, 'icd' || icd_version, trim(icd_code), 'hosp-' || d.hadm_id
        FROM diagnoses_icd d JOIN admissions a USING (hadm_id) ORDER BY ALL""").fetchall()
    ours = demo.select_events(["icd9", "icd10"]).select("patient_id", "time", "system", "code", "stay_id").collect()
    assert sorted(ours.rows()) == theirs
    assert ours["system"].value_counts().sort("system").rows() == [("icd10", 2313), ("icd9", 2193)]


@needs_demo
def test_the_dictionary_of_icd10_agrees_with_sql(demo, sql):
    theirs = sql.execute("SELECT DISTINCT trim(icd_code) FROM d_icd_diagnoses WHERE icd_version = 10").fetchall()
    assert demo.dictionary == tuple(sorted(code for (code,) in theirs))
    assert "V422" in demo.dictionary  # of ICD-9 it is a heart valve, of ICD-10 an accident
    assert "4280" not in demo.dictionary


@needs_demo
def test_laboratory_values_per_analyte_agree_with_sql(demo, sql):
    theirs = sql.execute("""
        WITH named AS (
            SELECT itemid, trim(label) AS label, trim(fluid) AS fluid,
                   count(DISTINCT trim(fluid)) OVER (PARTITION BY trim(label)) AS fluids
            FROM (SELECT DISTINCT ON (itemid) * FROM d_labitems))
        SELECT coalesce(CASE WHEN fluids = 1 OR fluid = 'Blood' THEN label ELSE label || ', ' || fluid END,
                        'item ' || e.itemid) AS code,
               count(*), count(valuenum), round(sum(valuenum), 3),
               count(*) FILTER (valuenum > ref_range_upper), count(*) FILTER (valuenum < ref_range_lower),
               count(*) FILTER (flag = 'abnormal'), count(hadm_id), min(charttime), max(charttime)
        FROM labevents e LEFT JOIN named n USING (itemid) GROUP BY 1 ORDER BY 1""").fetchall()
    value = pl.col("value")
    ours = (
        demo.select_events(["laboratory"])
        .group_by("code")
        .agg(
            pl.len(), value.count().alias("n"), value.sum().round(3).alias("sum"),
            (value > pl.col("reference_upper")).sum().alias("above"),
            (value < pl.col("reference_lower")).sum().alias("below"),
            (pl.col("flag") == "abnormal").sum().alias("flagged"), pl.col("stay_id").count().alias("in_stay"),
            pl.col("time").min().alias("first"), pl.col("time").max().alias("last"),
        )
        .collect()
    )  # fmt: skip
    ours = {row[0]: row[1:] for row in ours.rows()}
    assert len(ours) == len(theirs) > 400
    assert sum(row[0] for row in ours.values()) == 107_727
    for code, n, n_values, total, *rest in theirs:
        assert ours[code][:2] == (n, n_values), code
        assert ours[code][2] == pytest.approx(total or 0, rel=1e-9, abs=2e-3), code
        assert ours[code][3:] == tuple(rest), code


@needs_demo
def test_colliding_labels_are_told_apart_by_fluid_and_keep_their_item(demo):
    glucose = demo.select_events(["laboratory"]).filter(pl.col("code").str.starts_with("Glucose")).collect()
    by_code = dict(glucose.group_by("code").agg(pl.col("source_id").unique().sort()).iter_rows())
    assert by_code["Glucose"] == ["50809", "50931"]  # blood gas and chemistry
    assert by_code["Glucose, Urine"] == ["51478"]


@needs_demo
def test_the_outpatient_record_agrees_with_sql(demo, sql):
    ours = demo.select_events(["omr"]).collect()
    pressures = sql.execute("SELECT count(*) FROM omr WHERE result_value LIKE '%/%'").fetchall()[0][0]
    all_rows = sql.execute("SELECT count(*) FROM omr").fetchall()[0][0]
    assert ours.height == all_rows + pressures
    systolic = ours.filter(pl.col("code") == "Blood Pressure, systolic")["value"].sum()
    assert systolic == sql.execute("SELECT sum(split_part(result_value, '/', 1)::DOUBLE) FROM omr "
                               "WHERE result_name = 'Blood Pressure'").fetchall()[0][0]  # fmt: skip
    weight = ours.filter(pl.col("code") == "Weight (Lbs)")
    assert set(weight["unit"]) == {"Lbs"}
    assert weight["value"].sum() == pytest.approx(
        sql.execute("SELECT sum(result_value::DOUBLE) FROM omr WHERE result_name = 'Weight (Lbs)'").fetchall()[0][0]
    )


@needs_ecg
def test_the_real_row_of_mimic_iv_ecg():
    database = load_database("mimic_iv", ECG)
    assert database.cohort.select("recording_id", "patient_id", "recorded_at", "path").rows() == [
        ("40689238", "10000032", datetime(2180, 7, 23, 8, 44), None)  # no waveforms lie there
    ]
    row = database.features.collect().row(0, named=True)
    # 659, 40, 128, 170, 258, 518, 81, 77, 79, by hand
    assert (row["rr_mean_ms"], row["p_duration_ms"], row["pr_interval_ms"]) == (659, 88, 130)
    assert (row["qrs_duration_ms"], row["qt_interval_ms"], row["jt_interval_ms"]) == (88, 348, 260)
    assert row["qtc_bazett_ms"] == pytest.approx(348 / 0.659**0.5)
    assert (row["qrs_t_angle_frontal_deg"], row["heart_rate_bpm"]) == (2, pytest.approx(91.047, abs=1e-3))
    assert database.events.sort("source_id").collect()["code"].to_list() == [
        "Sinus rhythm", "Possible right atrial abnormality", "Borderline ECG",
    ]  # fmt: skip


# --- layouts by hand --------------------------------------------------------------------------------------------------

MARKS = ",".join((*mimic_ecg.MARKS, *mimic_ecg.MACHINE_AXES))
MEASURED = (
    f"subject_id,study_id,cart_id,ecg_time,report_0,report_1,report_2,{MARKS}\n"
    "1,11,7,2180-01-02 10:00:00,Atrial fibrillation,,Abnormal ECG,600,29999,29999,170,258,518,29999,-170,100\n"
    "1,12,7,2180-01-02 20:00:00,Sinus rhythm,  ,,65535,40,128,170,258,518,32767,270,-32768\n"
    "2,13,7,2150-06-01 00:00:00,,,,900,200,128,170,100,518,10,20,30\n"
)
RECORDS = (
    "subject_id,study_id,file_name,ecg_time,path\n"
    "1,11,11,2180-01-02 10:00:00,files/p1000/p1/s11/11\n"
    "1,12,12,2180-01-02 20:00:00,files/p1000/p1/s12/12\n"
    "2,13,13,2150-06-01 00:00:00,files/p1000/p2/s13/13\n"
)
PATIENTS = "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod\n1,F,50,2178,x,\n2,M,91,2150,x,2151-01-01\n"
ADMISSIONS = (
    "subject_id,hadm_id,admittime,dischtime,deathtime,race\n"
    "1,100,2180-01-02 09:00:00,2180-01-05 12:00:00,,x\n2,200,2150-06-01 00:00:00,,2150-06-02 00:00:00,x\n"
)
DIAGNOSES = 'subject_id,hadm_id,seq_num,icd_code,icd_version\n1,100,1,"V422   ",9\n1,100,2,V42.2,10\n'
EDSTAYS = (
    "subject_id,hadm_id,stay_id,intime,outtime,gender,race\n1,100,5,2180-01-02 08:00:00,2180-01-02 09:30:00,F,x\n"
    "2,,6,2150-05-01 00:00:00,2150-05-01 05:00:00,M,x\n"
)
ED_DIAGNOSIS = "subject_id,stay_id,seq_num,icd_code,icd_version,icd_title\n1,5,1,R079,10,Pain\n"
VITALS = (
    "subject_id,stay_id,charttime,temperature,heartrate,resprate,o2sat,sbp,dbp,rhythm,pain\n"
    "1,5,2180-01-02 08:30:00,98.6,80,,99,120,70,,8\n"
)
TRIAGE = (
    "subject_id,stay_id,temperature,heartrate,resprate,o2sat,sbp,dbp,pain,acuity,chiefcomplaint\n"
    "1,5,,90,,,,,bad,2,pain\n"
)
EXTENDED = (
    "Unnamed: 0,file_name,study_id,subject_id,ecg_time,ed_stay_id,hosp_hadm_id,ed_diag_ed,all_diag_all,gender,age,"
    "ecg_no_within_stay,fold,strat_fold\n"
    "0,a,11,1,2180-01-02 10:00:00,5.0,100.0,\"['R079']\",\"['V422', 'I48.0', 'NoDx']\",F,52.0,0,3,17\n"
    '1,a,12,1,2180-01-02 20:00:00,5.0,,[],"[]",missing,52.0,1,3,18\n'
    "2,a,13,2,2150-06-01 00:00:00,,,[],[],missing,101.0,-1,4,19\n"
)
CHEXPERT = "subject_id,study_id," + ",".join(mimic.mimic_cxr.FINDINGS) + "\n1,50,1.0,0.0,-1.0" + "," * 11 + "\n"
METADATA = (
    "dicom_id,subject_id,study_id,ViewPosition,Rows,StudyDate,StudyTime\n"
    "d1,1,50,AP,9,21800102,213014.531\nd2,1,50,LATERAL,9,21800102,3014.5\n"
)
SPLIT = "dicom_id,study_id,subject_id,split\nd1,50,1,train\nd2,50,1,train\n"
CXR_LT = "dicom_id,subject_id,study_id,Atelectasis,Osteopenia\nd1,1,s50,1,0\nd2,1,s50,0,1\n"


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(text.encode()))
        elif name.endswith(".parquet"):
            pl.read_csv(text.encode(), infer_schema_length=None).write_parquet(path)
        else:
            path.write_text(text)
    return folder


LABEVENTS = (
    "labevent_id,subject_id,hadm_id,specimen_id,itemid,charttime,value,valuenum,valueuom,ref_range_lower,"
    "ref_range_upper,flag\n1,1,,3,50931,2180-01-02 11:00:00,99,99,mg/dL,70,105,\n"
)

EVERYTHING = {
    "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0/machine_measurements.csv": MEASURED,
    "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0/record_list.csv": RECORDS,
    "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0/files/p1000/p1/s11/patients.csv": "never,read\n",
    "mimic-iv-3.1/hosp/patients.csv.gz": PATIENTS,
    "mimic-iv-3.1/hosp/admissions.csv.gz": ADMISSIONS,
    "mimic-iv-3.1/hosp/diagnoses_icd.csv.gz": DIAGNOSES,
    "mimic-iv-ed-2.2/ed/edstays.csv.gz": EDSTAYS,
    "mimic-iv-ed-2.2/ed/diagnosis.csv.gz": ED_DIAGNOSIS,
    "mimic-iv-ed-2.2/ed/vitalsign.csv.gz": VITALS,
    "mimic-iv-ed-2.2/ed/triage.csv.gz": TRIAGE,
    "ext/1.0.1/records_w_diag_icd10.csv": EXTENDED,
    "cxr/mimic-cxr-2.0.0-chexpert.csv.gz": CHEXPERT,
    "cxr/mimic-cxr-2.0.0-metadata.csv.gz": METADATA,
    "cxr/mimic-cxr-2.0.0-split.csv.gz": SPLIT,
    "lt/cxr-lt-2024/labels.csv": CXR_LT,
}


@pytest.fixture
def everything(tmp_path):
    return write(tmp_path, EVERYTHING)


def events_of(database, *systems):
    return database.select_events(systems).collect()


def test_whatever_the_layout_the_tables_are_the_same(everything, tmp_path_factory):
    flat = write(tmp_path_factory.mktemp("flat"), {Path(n).name: t for n, t in EVERYTHING.items() if "s11" not in n})
    nested = write(
        tmp_path_factory.mktemp("nested"),
        {f"physionet.org/files/{n}": t for n, t in EVERYTHING.items() if "s11" not in n},
    )
    first = mimic.load(everything)
    assert recognise_database(everything).name == "mimic_iv"
    for folder in (flat, nested):
        other = mimic.load(folder)
        assert other.cohort.drop("path").equals(first.cohort.drop("path"))
        assert other.events.collect().equals(first.events.collect())
        assert other.features.collect().equals(first.features.collect())
        assert other.stays.equals(first.stays)
        assert other.patients.equals(first.patients)


def test_parquet_says_the_same_as_csv(everything, tmp_path_factory):
    names = {name: name.replace(".csv.gz", ".parquet").replace(".csv", ".parquet") for name in EVERYTHING}
    files = {names[n]: t for n, t in EVERYTHING.items() if "s11" not in n}
    parquet = mimic.load(write(tmp_path_factory.mktemp("parquet"), files))
    csv = mimic.load(everything)
    assert parquet.cohort.drop("path").equals(csv.cohort.drop("path"))
    assert parquet.features.collect().equals(csv.features.collect())
    assert sorted(parquet.events.collect().rows(), key=str) == sorted(csv.events.collect().rows(), key=str)


def test_age_sex_stay_and_folds(everything):
    cohort = mimic.load(everything).cohort
    assert cohort.select("recording_id", "age_years", "sex", "stay_id", "strat_fold", "ecg_no_within_stay").rows() == [
        ("11", 52.0, "female", "hosp-100", 17, 0),
        ("12", 52.0, "female", "ed-5", 18, 1),
        ("13", 90.0, "male", None, 19, -1),  # published as 91
    ]
    place = "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0/"
    assert cohort["path"][0] == place + "files/p1000/p1/s11/11"


def test_without_the_hospital_age_and_sex_are_those_of_ext_icd(tmp_path):
    folder = write(tmp_path, {"record_list.csv": RECORDS, "records_w_diag_icd10.csv": EXTENDED})
    cohort = mimic.load(folder).cohort
    assert cohort.select("age_years", "sex").rows() == [(52.0, "female"), (52.0, None), (90.0, None)]
    assert (
        mimic.load(write(tmp_path / "x", {"machine_measurements.csv": MEASURED})).cohort["age_years"].null_count() == 3
    )


def test_sentinels_become_null(everything):
    rows = mimic.load(everything).features.collect().sort("recording_id")
    fibrillation, second, third = rows.iter_rows(named=True)
    for name in ("p_duration_ms", "pr_interval_ms", "p_axis_deg", "pt_interval_ms", "p_qrs_angle_frontal_deg"):
        assert fibrillation[name] is None, name
    assert fibrillation["qrs_t_angle_frontal_deg"] == 90  # −170 and 100
    assert second["rr_mean_ms"] is second["qtc_bazett_ms"] is second["heart_rate_bpm"] is None
    assert (second["p_axis_deg"], second["qrs_axis_deg"], second["t_axis_deg"]) == (None, -90, None)
    # QRS from 170 to 100 is −70 ms, P from 200 to 128, PR −30: no heart does that.
    assert third["qrs_duration_ms"] is third["p_duration_ms"] is third["pr_interval_ms"] is None
    assert third["qt_interval_ms"] == 348


def test_raw_is_cleaned_as_published_and_no_more(everything):
    rows = load_database("mimic_iv", everything, raw=True).features.collect().sort("recording_id")
    third = rows.row(2, named=True)
    assert (third["qrs_duration_ms"], third["p_duration_ms"], third["pr_interval_ms"]) == (-70, -72, -30)
    assert rows["qrs_axis_deg"].to_list() == [-170, 270, 20]
    assert rows["p_axis_deg"].to_list() == [None, None, 10]
    assert rows["rr_mean_ms"].to_list() == [600, None, 900]


def test_statements_keep_their_line_and_blank_ones_go(everything):
    events = events_of(mimic.load(everything), "machine_statement").sort("recording_id", "source_id")
    assert events.select("recording_id", "source_id", "code").rows() == [
        ("11", "report_0", "Atrial fibrillation"),
        ("11", "report_2", "Abnormal ECG"),
        ("12", "report_0", "Sinus rhythm"),
    ]


def test_a_code_is_its_version(everything):
    database = mimic.load(everything)
    end = datetime(2180, 1, 5, 12)
    assert events_of(database, "icd9").select("code", "stay_id", "time").rows() == [("V422", "hosp-100", end)]
    assert events_of(database, "icd10").select("code", "stay_id").rows() == [("V422", "hosp-100"), ("R079", "ed-5")]


def test_stays_of_both_kinds(everything):
    stays = mimic.load(everything).stays.sort("stay_id")
    assert stays.select("stay_id", "kind", "end", "hospital_stay_id").rows() == [
        ("ed-5", "emergency", datetime(2180, 1, 2, 9, 30), "hosp-100"),
        ("ed-6", "emergency", datetime(2150, 5, 1, 5), None),
        ("hosp-100", "hospital", datetime(2180, 1, 5, 12), None),
        ("hosp-200", "hospital", datetime(2150, 6, 2), None),  # ended by death
    ]


def test_vital_signs_and_triage(everything):
    events = events_of(mimic.load(everything), "vital")
    signs = {(row["code"], row["time"].hour * 60 + row["time"].minute): row["value"] for row in events.to_dicts()}
    assert signs == {
        ("temperature", 510): 98.6, ("heartrate", 510): 80, ("o2sat", 510): 99, ("sbp", 510): 120, ("dbp", 510): 70,
        ("heartrate", 480): 90, ("acuity", 480): 2,
    }  # fmt: skip
    assert set(events["stay_id"]) == {"ed-5"}


def test_ext_icd_lists(everything):
    database = mimic.load(everything)
    assert events_of(database, "ext_icd_all").select("recording_id", "code").rows() == [("11", "V422"), ("11", "I480")]
    assert events_of(database, "ext_icd_emergency")["code"].to_list() == ["R079"]


def test_a_cell_that_is_no_list_is_refused(tmp_path):
    text = EXTENDED.replace("[],[],missing,101.0", "[],__import__('os'),missing,101.0")
    folder = write(tmp_path, {"record_list.csv": RECORDS, "records_w_diag_icd10.csv": text})
    with pytest.raises(FormatError, match=r"must hold lists of codes .* in study 13"):
        mimic.load(folder)


def test_chest_x_rays(everything):
    database = mimic.load(everything)
    assert events_of(database, "chest_xray_chexpert").select("code", "value", "time", "source_id").rows() == [
        (name, value, datetime(2180, 1, 2, 0, 30, 14, 500_000), "s50")  # the study's first image
        for name, value in (("Atelectasis", 1.0), ("Cardiomegaly", 0.0), ("Consolidation", -1.0))
    ]
    frontal = events_of(database, "chest_xray").sort("code")
    assert frontal.select("code", "value", "time", "source_id").rows() == [
        ("Atelectasis", 1.0, datetime(2180, 1, 2, 21, 30, 14, 531_000), "s50/d1"),
        ("Osteopenia", 0.0, datetime(2180, 1, 2, 21, 30, 14, 531_000), "s50/d1"),
    ]
    assert events_of(database, "chest_xray_lateral")["source_id"].unique().to_list() == ["s50/d2"]
    assert database.patients.sort("patient_id")["cxr_split"].to_list() == ["train", None]


def test_selected_systems_are_those_of_all_events(everything):
    database = mimic.load(everything)
    all_events = database.events.collect()
    for system in all_events["system"].unique():
        assert events_of(database, system).equals(all_events.filter(pl.col("system") == system)), system
    assert events_of(database, "none").height == 0


def test_other_tables_are_not_read(everything):
    database = mimic.load(everything)
    (everything / "mimic-iv-ed-2.2/ed/vitalsign.csv.gz").unlink()
    assert events_of(database, "icd10", "icd9").height == 3
    with pytest.raises(OSError, match="vitalsign"):
        events_of(database, "vital")


def test_one_table_in_two_folders_is_refused(everything):
    write(everything, {"mimic-iv-2.2/hosp/patients.csv.gz": PATIENTS})
    with pytest.raises(InputError, match=r"must hold patients once; got .*2\.2.*3\.1.*one release"):
        mimic.load(everything)


def test_parquet_goes_before_csv_in_one_folder(tmp_path):
    folder = write(tmp_path, {"record_list.csv": RECORDS})
    short = "\n".join(RECORDS.splitlines()[:2]) + "\n"
    assert mimic.load(write(folder, {"record_list.parquet": short})).cohort.height == 1


def test_a_table_without_its_columns_is_another_one(tmp_path):
    assert recognise_database(write(tmp_path, {"admissions.csv": "ROW_ID,SUBJECT_ID,HADM_ID\n1,2,3\n"})) is None


def test_one_recording_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="recording_id must name one row"):
        mimic.load(write(tmp_path, {"record_list.csv": RECORDS + RECORDS.splitlines()[1] + "\n"}))


def test_each_part_can_be_alone(tmp_path):
    parts = {
        "ext": ({"records_w_diag_icd10.csv": EXTENDED}, ["ext_icd_all", "ext_icd_emergency"]),
        "triage": ({"admissions.csv": ADMISSIONS, "triage.csv": TRIAGE}, ["vital"]),
        "alone": (
            {"record_list.csv": RECORDS, "triage.csv": TRIAGE, "diagnosis.csv": ED_DIAGNOSIS},
            ["icd10", "vital"],
        ),
        "cxr": ({"record_list.csv": RECORDS, "labels.csv": CXR_LT}, ["chest_xray"]),
        "view": ({"record_list.csv": RECORDS, "mimic-cxr-2.0.0-chexpert.csv": CHEXPERT}, ["chest_xray_chexpert"]),
        "lab": ({"admissions.csv": ADMISSIONS, "labevents.csv": LABEVENTS}, ["laboratory"]),
    }
    for name, (files, systems) in parts.items():
        folder = write(tmp_path / name, files)
        assert recognise_database(folder).name == "mimic_iv"
        database = mimic.load(folder)
        assert sorted(database.events.collect()["system"].unique()) == systems, name
    assert mimic.load(tmp_path / "ext").cohort.height == 3
    assert database.events.collect().select("code", "value", "stay_id").rows() == [("item 50931", 99.0, None)]


def test_lists_may_be_lists_in_parquet(tmp_path):
    folder = write(tmp_path, {"record_list.csv": RECORDS})
    pl.DataFrame(
        {
            "study_id": [11, 12],
            "subject_id": [1, 1],
            "all_diag_all": [["I10", "E11.9"], []],
            "hosp_hadm_id": [100.0, None],
        }
    ).write_parquet(folder / "records_w_diag_icd10.parquet")
    database = mimic.load(folder)
    assert events_of(database, "ext_icd_all").select("recording_id", "code").rows() == [("11", "I10"), ("11", "E119")]
    assert database.cohort["stay_id"].to_list() == ["hosp-100", None, None]


def test_a_recording_with_two_rows_of_codes_is_refused(tmp_path):
    text = EXTENDED + EXTENDED.splitlines()[1] + "\n"
    with pytest.raises(ContractError, match="recording_id must name one row"):
        mimic.load(write(tmp_path, {"record_list.csv": RECORDS, "records_w_diag_icd10.csv": text}))


def test_items_without_a_name_keep_their_number():
    items = pl.LazyFrame(
        {
            "itemid": ["1", "2", "3", "4", "5"],
            "label": ["pH", "pH", "Macrophage", "Macrophage", " "],
            "fluid": ["Blood", "Urine", "Ascites", "Pleural", "Blood"],
        }
    )
    assert mimic_hosp.name_items(items).rows() == [
        ("1", "pH"), ("2", "pH, Urine"), ("3", "Macrophage, Ascites"), ("4", "Macrophage, Pleural"),
    ]  # fmt: skip
