"""Simulated hospitals on disk in the published layouts: what was written is what the readers of the originals read."""

from pathlib import Path

import duckdb
import polars as pl
import pytest

from twelvelead.app.cli import main
from twelvelead.cohort.codes import CodeRule, normalise_codes
from twelvelead.io import read
from twelvelead.io.databases import load_database, recognise_database
from twelvelead.study import simulated_layouts
from twelvelead.study.simulated_layouts import LAYOUTS, simulate_layout
from twelvelead.terms import InputError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
HOSP, ECG = "mimic-iv-3.1/hosp", "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0"
N = 1030  # more than a block


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    places = {layout.name: tmp_path_factory.mktemp(layout.kind) for layout in LAYOUTS}
    for name, place in places.items():
        simulate_layout(place, layout=name, n_patients=N, seed=1, workers=1)
    return places


@pytest.fixture(scope="module")
def databases(folders):
    return {la.name: load_database(la.kind, folders[la.name]) for la in LAYOUTS}


def truth_of(folder):
    return pl.read_parquet(folder / "truth" / "recordings" / "*.parquet")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda la: la.name)
def test_the_folder_is_recognised_and_says_that_it_is_simulated(layout, folders, databases):
    database = databases[layout.name]
    assert recognise_database(folders[layout.name]).name == layout.kind
    assert database.simulated
    assert database.optimum["I50"] > 0.8
    assert database.optimum["K72"] == 0.5
    assert "SIMULATED" in (folders[layout.name] / "README.txt").read_text()
    assert not list(folders[layout.name].glob(".parts*"))
    assert (folders[layout.name] / "truth" / "outcomes.csv").is_file()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda la: la.name)
def test_recordings_are_read_as_they_were_made(layout, folders, databases):
    database, truth = databases[layout.name], truth_of(folders[layout.name])
    assert truth["patient_id"].n_unique() == N
    joined = database.cohort.join(truth, on="recording_id", validate="1:1", suffix="_true")
    assert joined.height == truth.height == database.cohort.height
    assert (joined["patient_id"] == joined["patient_id_true"]).all()
    assert (joined["recorded_at"] == joined["recorded_at_true"]).all()
    apart = (joined["age_years"] - joined["age_years_true"]).abs().max()
    assert apart <= (0 if layout.name == "mimic-iv" else 3)  # there the year of birth is known to five years
    known = joined.filter(pl.col("sex").is_not_null())
    assert ((known["sex"] == "female") == known["female"]).all()
    features = database.features.collect().join(truth, on="recording_id", suffix="_true")
    for name, error in (("qrs_duration_ms", 6), ("pr_interval_ms", 7), ("qt_interval_ms", 9)):
        assert (features[name] - features[f"{name}_true"]).std() < error
    in_fibrillation = features.filter(pl.col("rhythm") == "af")
    assert in_fibrillation["pr_interval_ms"].null_count() == in_fibrillation.height > 100


def test_every_event_is_read(folders, databases):
    """The same counts by another reader of the same files."""

    def count(path):
        return duckdb.sql(f"select count(*) from read_csv('{path}', all_varchar=true)").fetchall()[0][0]  # noqa: S608

    counts = dict(databases["mimic-iv"].events.group_by("system").len().collect().iter_rows())
    mimic = folders["mimic-iv"]
    assert counts["laboratory"] == count(mimic / HOSP / "labevents.csv.gz")
    coded = count(mimic / HOSP / "diagnoses_icd.csv.gz") + count(mimic / "mimic-iv-ed-2.2/ed/diagnosis.csv.gz")
    assert counts["icd9"] + counts["icd10"] == coded
    assert counts["chest_xray"] + counts["chest_xray_lateral"] == 45 * count(mimic / "cxr-lt-2024/labels.csv")
    view = folders["ecg-view-ii"]
    counts = dict(databases["ecg-view-ii"].events.group_by("system").len().collect().iter_rows())
    assert counts["kcd"] == count(view / "Diagnosis.csv")
    assert counts["laboratory"] == count(view / "Laboratory.csv")
    stays = databases["mimic-iv"].stays.group_by("kind").len()
    assert dict(stays.iter_rows()) == {
        "hospital": count(mimic / HOSP / "admissions.csv.gz"),
        "emergency": count(mimic / "mimic-iv-ed-2.2/ed/edstays.csv.gz"),
    }


def test_codes_are_read_as_the_truth_says(databases, folders):
    """By recording, from the list that the publications used; V42.2 of ICD-9 is one of the transplants."""
    truth = truth_of(folders["mimic-iv"])
    said = databases["mimic-iv"].select_events(["ext_icd_all"]).collect()
    for target in ("I50", "K703", "F03", "C34"):
        having = said.filter(pl.col("code").str.starts_with(target)).select("recording_id").unique()
        true = truth.filter((pl.col(f"y_{target}") == 1) & pl.col("coded") & (pl.col("stay_kind") != "none"))
        assert set(having["recording_id"]) == set(true["recording_id"])
    collided = said.filter(pl.col("code") == "V422").join(truth, on="recording_id")
    of_nine = collided.filter(pl.col("icd_version") == 9)
    assert (of_nine["y_Z953"] == 1).all()
    assert of_nine.height > 50


def test_the_collision_changes_codes_looked_up_without_their_version_only(databases, folders):
    truth = truth_of(folders["mimic-iv"]).filter("is_first", pl.col("coded"), pl.col("stay_kind") == "hospital")
    stays = databases["mimic-iv"].stays.filter(pl.col("kind") == "hospital")
    visits = truth.join(stays, on="patient_id").filter(pl.col("recorded_at").is_between("start", "end"))
    events = databases["mimic-iv"].select_events(["icd9", "icd10"])
    meanings = pl.read_csv(
        folders["mimic-iv"] / HOSP / "d_icd_diagnoses.csv.gz", schema_overrides={"icd_code": pl.String}
    )
    dictionary = meanings.filter(pl.col("icd_version") == 10)["icd_code"].to_list()

    def stays_with(code, rule):
        found = normalise_codes(events, rule, dictionary=dictionary).filter(system="icd10", code=code).collect()
        return set(found["stay_id"]) & set(visits["stay_id"])

    def truly(condition):
        return set(visits.filter(condition)["stay_id"])

    transplanted, accident, nine = pl.col("y_Z953") == 1, pl.col("y_V422") == 1, pl.col("icd_version") == 9
    assert stays_with("Z953", CodeRule()) == truly(transplanted)
    assert stays_with("V422", CodeRule()) == truly(accident)
    published = CodeRule(by_version=False)
    assert stays_with("Z953", published) == truly(transplanted & ~nine)
    assert stays_with("V422", published) == truly((transplanted & nine) | accident)
    assert len(truly(transplanted & nine)) > 10


@pytest.mark.skipif(not (DATA / "mimic-iv-demo").is_dir(), reason="../shared/data/mimic-iv-demo is absent")
def test_columns_are_those_of_the_real_files(folders):
    real = {
        path.name: path for folder in ("mimic-iv-demo/hosp", "mimic-iv-ecg") for path in (DATA / folder).glob("*.csv*")
    }
    ours = {path.name: path for path in folders["mimic-iv"].rglob("*.csv*")}
    shared = set(real) & set(ours)
    assert len(shared) == 10
    for name in shared:
        assert pl.read_csv(ours[name], n_rows=0).columns == pl.read_csv(real[name], n_rows=0).columns, name


def test_the_files_do_not_depend_on_the_workers(folders, tmp_path):
    simulate_layout(tmp_path, layout="ecg-view-ii", n_patients=N, seed=1, workers=2)
    ours = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(ours) > 8
    for path in ours:
        assert (tmp_path / path).read_bytes() == (folders["ecg-view-ii"] / path).read_bytes(), path


def test_a_run_that_was_broken_off_goes_on(folders, tmp_path, monkeypatch):
    def stop(parts, folder):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(simulated_layouts, "_join", stop)
        with pytest.raises(KeyboardInterrupt):
            simulate_layout(tmp_path, layout="ecg-view-ii", n_patients=N, seed=1)
    assert not (tmp_path / "database.json").exists()

    def refuse(part):
        pytest.fail(f"block {part.number} was written already")

    monkeypatch.setattr(simulated_layouts, "_write_part", refuse)
    simulate_layout(tmp_path, layout="ecg-view-ii", n_patients=N, seed=1)
    assert (tmp_path / "Person.csv").read_bytes() == (folders["ecg-view-ii"] / "Person.csv").read_bytes()


def test_waveforms_lie_where_the_list_says(tmp_path):
    assert (
        main(["simulate", str(tmp_path), "--layout", "mimic-iv", "--patients", "2", "--waveforms", "--workers", "1"])
        == 0
    )
    database, truth = load_database("mimic_iv", tmp_path), truth_of(tmp_path)
    assert database.cohort.height == truth.height
    row = database.cohort.row(0, named=True)
    ecg = read(tmp_path / f"{row['path']}.hea")
    assert ecg.leads == ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
    assert ecg.signal.shape == (12, 5000)
    assert ecg.start == row["recorded_at"]
    lines = [line.split() for line in (tmp_path / f"{row['path']}.hea").read_text().splitlines()[1:13]]
    assert [line[-1] for line in lines] == [
        "I",
        "II",
        "III",
        "aVR",
        "aVF",
        "aVL",
        "V1",
        "V2",
        "V3",
        "V4",
        "V5",
        "V6",
    ]  # as stored in the original
    assert lines[0][2].startswith("200")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"layout": "mimic-iii"},
            "layout must be one of own, mimic-iv, ecg-view-ii, diabetes, diabetes-null; got 'mimic-iii'",
        ),
        ({"n_patients": 0}, "patients must be from 1 to 400000; got 0"),
        ({"seed": -1}, "seed must not be negative; got -1"),
        ({"layout": "ecg-view-ii", "waveforms": True}, "got ecg-view-ii, which has none"),
    ],
)
def test_arguments_that_can_not_be_right(arguments, said, tmp_path):
    with pytest.raises(InputError, match=said):
        simulate_layout(tmp_path / "x", **({"layout": "mimic-iv", "n_patients": 5, "seed": 0} | arguments))
    assert not (tmp_path / "x").exists()
