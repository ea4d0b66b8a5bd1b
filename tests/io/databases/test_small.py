"""Databases of one table, or none: Challenge, CODE-15 %, UCI Arrhythmia, Z-Alizadeh Sani."""

import csv
import re
from pathlib import Path

import duckdb
import pytest

from twelvelead.io import find_recordings, load_database, recognise_database
from twelvelead.io.databases import challenge2021, code15, uci_arrhythmia, z_alizadeh_sani
from twelvelead.measure import CATALOGUE
from twelvelead.terms import FormatError, InputError

DATA = Path(__file__).parents[3].parent / "shared" / "data"


def needs(name):
    return pytest.mark.skipif(not (DATA / name).is_dir(), reason=f"../shared/data/{name} is absent")


# --- the Challenge ----------------------------------------------------------------------------------------------------


@needs("challenge2021")
def test_the_challenge_agrees_with_its_headers():
    database = load_database("challenge2021", DATA / "challenge2021")
    events = database.events.collect()
    codes = dict(events.group_by("recording_id").agg("code").iter_rows())
    for row in database.cohort.iter_rows(named=True):
        text = (DATA / "challenge2021" / row["path"]).read_text()
        assert row["age_years"] == float(re.search(r"# ?Age: *(\S+)", text)[1])
        assert row["sex"] == re.search(r"# ?Sex: *(\w+)", text)[1].lower()
        assert codes[row["recording_id"]] == re.search(r"# ?Dx: *(\S+)", text)[1].split(",")
    assert database.cohort.height == len(list((DATA / "challenge2021").glob("*.hea"))) == 50
    ids = {found.recording_id for found in find_recordings([DATA / "challenge2021"])}
    assert set(database.cohort["recording_id"]) == ids


HEADER = "A1 12 500 5000\n#Age: {}\n# Sex: {}\n# Dx: {}\n"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (("57", "Female", "1,426783006"), (57.0, "female", ["426783006"])),
        (("NaN", "Unknown", "426783006, 164889003"), (None, None, ["426783006", "164889003"])),
        (("300", "M", "426783006,426783006"), (None, "male", ["426783006"])),
        (("-1", "F", "426783006"), (None, "female", ["426783006"])),
        (("94", "male", "426783006"), (90.0, "male", ["426783006"])),
        (("old", "", "426783006"), (None, None, ["426783006"])),
    ],
)
def test_what_headers_say_of_the_patient(tmp_path, said, kept):
    (tmp_path / "g1").mkdir()
    (tmp_path / "g1" / "A1.hea").write_text(HEADER.format(*said))
    database = challenge2021.load(tmp_path)
    row = database.cohort.row(0, named=True)
    codes = database.events.collect()["code"].to_list()
    assert (row["age_years"], row["sex"], codes) == kept
    assert (row["recording_id"], row["path"]) == ("g1/A1", "g1/A1.hea")


def test_headers_without_codes_are_not_the_challenge(tmp_path):
    (tmp_path / "A1.hea").write_text("A1 12 500 5000\n# Age: 57\n# Dx: normal\n")
    assert recognise_database(tmp_path) is None
    with pytest.raises(InputError, match=r"must hold \.hea files"):
        challenge2021.load(tmp_path / "nowhere")


# --- CODE-15 % --------------------------------------------------------------------------------------------------------

EXAMS = (
    "exam_id,age,is_male,nn_predicted_age,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,death,timey,normal_ecg,trace_file\n"
    "1169160,38,True,40.1,False,False,True,False,False,False,523632,False,2.09,False,exams_part13.hdf5\n"
    "2873686,95,False,67.0,False,False,False,False,False,True,1724173,True,6.65,False,exams_part13.hdf5\n"
    "168405,67,False,67.0,False,False,False,False,False,False,1724173,,,True,exams_part2.hdf5\n"
)


def test_code15_by_hand(tmp_path):
    (tmp_path / "exams.csv").write_text(EXAMS)
    assert recognise_database(tmp_path).name == "code15"
    database = code15.load(tmp_path)
    assert database.cohort.select("recording_id", "patient_id", "age_years", "sex", "path", "entry").rows() == [
        ("1169160", "523632", 38, "male", "exams_part13.hdf5", "1169160"),
        ("168405", "1724173", 67, "female", "exams_part2.hdf5", "168405"),
        ("2873686", "1724173", 90, "female", "exams_part13.hdf5", "2873686"),
    ]
    events = database.events.collect()
    assert events.filter(value=1).select("recording_id", "code").sort("recording_id", "code").rows() == [
        ("1169160", "LBBB"), ("168405", "normal_ecg"), ("2873686", "AF"), ("2873686", "death"),
    ]  # fmt: skip
    assert events.filter(code="AF").height == 3
    assert events.filter(code="follow_up_years").select("value", "unit").rows() == [(2.09, "a"), (6.65, "a")]
    assert events.filter(code="death").height == 2  # with each patient's first exam only


# --- UCI Arrhythmia ---------------------------------------------------------------------------------------------------


@needs("uci-arrhythmia")
def test_uci_arrhythmia_agrees_with_its_file():
    database = load_database("uci_arrhythmia", DATA / "uci-arrhythmia")
    with (DATA / "uci-arrhythmia" / "arrhythmia.data").open() as file:
        published = list(csv.reader(file))
    rows = database.features.collect()
    assert rows.height == len(published) == 452
    events = database.events.collect()
    classes = events.filter(system="uci_class")["code"].to_list()
    assert classes == [line[279] for line in published]
    assert events.filter(system="uci_arrhythmia")["value"].sum() == 452 - 245  # 245 are normal, by its description
    # The description's numbering from 1: R in V1 is 89, its amplitude 222; T of V6 277; QRSA of DI 168.
    for name, number, scale in (
        ("qrs_duration_ms", 5, 1), ("qrs_axis_deg", 10, 1), ("r_duration_v1_ms", 89, 1), ("q_duration_i_ms", 16, 1),
        ("uci_t_diphasic_v6_count", 159, 1), ("r_amplitude_v1_mv", 222, 0.1), ("t_amplitude_v6_mv", 277, 0.1),
        ("uci_qrs_area_i_mvms", 168, 1), ("uci_qrst_area_v6_mvms", 279, 1), ("s_amplitude_avf_mv", 213, 0.1),
    ):  # fmt: skip
        theirs = [float(line[number - 1]) * scale for line in published]
        assert rows[name].to_list() == pytest.approx(theirs), name
    assert rows["p_axis_deg"].null_count() == sum(line[11] == "?" for line in published) == 22
    assert rows["pr_interval_ms"].null_count() == sum(line[5] == "0" for line in published)


def test_uci_names_are_of_the_catalogue_or_marked():
    known = {m.name for m in CATALOGUE} | {"age", "sex", "class"}
    assert len(set(uci_arrhythmia.columns())) == 280
    assert {name for name in uci_arrhythmia.columns() if name not in known and not name.startswith("uci_")} == set()


@pytest.mark.parametrize("text", ["1,2,3\n", ",".join(["x"] * 280) + "\n", ""])
def test_uci_of_another_shape_is_refused(tmp_path, text):
    (tmp_path / "arrhythmia.data").write_text(text)
    with pytest.raises(FormatError, match=r"arrhythmia\.data must"):
        uci_arrhythmia.load(tmp_path)


# --- Z-Alizadeh Sani --------------------------------------------------------------------------------------------------


@needs("z-alizadeh-sani")
def test_z_alizadeh_sani_agrees_with_sql():
    database = load_database("z_alizadeh_sani", DATA / "z-alizadeh-sani")
    path = DATA / "z-alizadeh-sani" / "z_alizadeh_sani.csv"
    theirs = duckdb.execute(f"""
        SELECT count(*), count(*) FILTER (Sex = 'Male'), sum(Age), sum(DM), count(*) FILTER (Cath = 'Cad'), sum(FBS),
               sum(PR), sum("Q Wave"), count(*) FILTER (BBB = 'LBBB'), count(*) FILTER (LVH = 'Y'), sum(K),
               sum(CASE VHD WHEN 'mild' THEN 1 WHEN 'Moderate' THEN 2 WHEN 'Severe' THEN 3 ELSE 0 END)
        FROM read_csv('{path}')""").fetchall()[0]  # noqa: S608
    events, rows = database.events.collect(), database.features.collect()
    total = rows.sum().row(0, named=True)

    def events_of(code):
        return events.filter(code=code)["value"].sum()

    ours = (
        rows.height, database.cohort.filter(sex="male").height, database.cohort["age_years"].sum(),
        events_of("diabetes"), events_of("coronary_disease"), events_of("FBS"), total["za_pulse_bpm"],
        total["za_q_wave"], total["za_lbbb"], total["za_lvh"], events_of("K"), total["za_vhd"],
    )  # fmt: skip
    assert ours == pytest.approx(theirs)
    assert database.cohort["sex"].null_count() == 0  # "Fmale" is female
    assert not {"za_dm", "za_cath"} & set(rows.columns)


def test_what_defines_an_outcome_is_a_feature_and_named():
    sheet = {z_alizadeh_sani.feature(name) for name in z_alizadeh_sani.LABORATORY}
    assert {name for names in z_alizadeh_sani.DEFINES.values() for name in names} <= sheet
    assert set(z_alizadeh_sani.DEFINES) <= set(z_alizadeh_sani.OUTCOMES.values())


@needs("z-alizadeh-sani")
def test_an_unknown_word_is_named(tmp_path):
    text = (DATA / "z-alizadeh-sani" / "z_alizadeh_sani.csv").read_text()
    (tmp_path / "z_alizadeh_sani.csv").write_text(text.replace(",mild,", ",enormous,"))
    with pytest.raises(FormatError, match=r"VHD must be a number or one of .*; got \['enormous'\]"):
        z_alizadeh_sani.load(tmp_path)


def test_every_database_is_found_by_its_own_name():
    real = {"mimic-iv-demo": "mimic_iv", "mimic-iv-ecg": "mimic_iv", "uci-arrhythmia": "uci_arrhythmia",
            "z-alizadeh-sani": "z_alizadeh_sani", "challenge2021": "challenge2021", "ptbxl": "ptbxl"}  # fmt: skip
    there = {folder: name for folder, name in real.items() if (DATA / folder).is_dir()}
    if not there:
        pytest.skip("../shared/data is absent")
    assert {folder: recognise_database(DATA / folder).name for folder in there} == there
