"""A database made ready for a study: who, which numbers, which outcomes; and the folds that come with it."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from twelvelead.cohort import Outcome
from twelvelead.io.databases import Database
from twelvelead.io.databases import tables as own_tables
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.simulate import SITE_A, hospital, recording
from twelvelead.study import parse_study
from twelvelead.study.declaration import DatabaseUse, Family, Predictors, Split, Xrays
from twelvelead.study.progress import silent
from twelvelead.study.run import _fold, _prepare_samples
from twelvelead.study.sample import join_predictors, prepare_sample
from twelvelead.terms import COHORT, EVENTS, InputError, StudyError

T0 = datetime(2150, 1, 1)
N = 12
EDEMA = Outcome(name="Edema", title="Edema", system="chest_xray", codes=("Edema",), link="recording", event="value")
TEXT = """
name = "toy"
title = "Toy"
question = "?"
seed = 0
[database]
kind = "tables"
folder = "a"
[predictors]
source = "database"
[split]
method = "holdout"
n_folds = 3
[[targets]]
name = "I50"
title = "Heart failure"
system = "icd10"
codes = ["I50"]
match = "prefix"
link = "time"
window_h = [-1, 1]
"""
STUDY = parse_study(TEXT, name="toy")


def cohort(**columns):
    """Twelve ECGs of six patients, two each, an hour and a day after T0."""
    n = np.arange(N)
    table = pl.DataFrame(
        {
            "recording_id": [f"e{k:02d}" for k in n],
            "patient_id": [f"p{k // 2}" for k in n],
            "age_years": [30.0 + k for k in n],
            "sex": ["female", "male"] * (N // 2),
            "recorded_at": [T0 + timedelta(hours=1 if k % 2 == 0 else 24) for k in n],
            "stay_id": None,
            "path": None,
            **columns,
        },
        schema_overrides=COHORT.schema,
    )
    return COHORT.check(table)


def events(*rows):
    """Events: patient_id, system, code, value, hours after T0, source_id."""
    named = ("patient_id", "system", "code", "value", "hours", "source_id")
    said = [dict(zip(named, row, strict=True)) for row in rows]
    wide = {**EVENTS.schema, "source_id": pl.String}
    filled = [{**dict.fromkeys(wide), **{k: v for k, v in row.items() if k != "hours"}} for row in said]
    for row, source in zip(filled, said, strict=True):
        row["time"] = T0 + timedelta(hours=source["hours"])
    return pl.DataFrame(filled, schema=wide).lazy()


def numbers(ids, **columns):
    given = {"pr_interval_ms": [100.0 + k for k in range(len(ids))], **columns}
    return pl.DataFrame({"recording_id": list(ids), **given}).lazy()


FAILING = events(("p0", "icd10", "I509", None, 1.5, None), ("p1", "icd10", "I110", None, 1.5, None))


def place(folder, *, people=None, happened=FAILING, features=None):
    """Write a database of our own tables."""
    people = cohort() if people is None else people
    features = numbers(people["recording_id"].to_list()) if features is None else features
    folder.mkdir(parents=True, exist_ok=True)
    own_tables.write(Database("toy", folder, people, happened, (), features=features))


def prepare(study, data, **how):
    use = how.pop("use", study.database)
    return prepare_sample(study, use, data=data, work=data / "work", workers=1, progress=silent, **how)


def measured(sample):
    return sample.features.collect()


def with_predictors(**changes):
    return STUDY.model_copy(update={"predictors": STUDY.predictors.model_copy(update=changes)})


# Measurements of the database itself


def test_a_databases_own_measurements_are_looked_up_by_name(tmp_path):
    shuffled = numbers([f"e{k:02d}" for k in (3, 1, 0)] + ["stranger"], qrs_duration_ms=[90.0, 91.0, None, 93.0])
    place(tmp_path / "a", features=shuffled)
    sample = prepare(STUDY, tmp_path)
    assert sample.cohort["recording_id"].to_list() == ["e00", "e01", "e03"]
    assert sample.predictors.rows() == [
        ("e00", 102.0, None, 30.0, 0.0), ("e01", 101.0, 91.0, 31.0, 1.0), ("e03", 100.0, 90.0, 33.0, 1.0),
    ]  # fmt: skip
    assert sample.predictors.columns == ["recording_id", "pr_interval_ms", "qrs_duration_ms", "age_years", "sex_male"]
    assert sample.ecg == ("pr_interval_ms", "qrs_duration_ms")
    assert measured(sample)["recording_id"].to_list() == ["e00", "e01", "e03"]
    assert set(sample.predictors.drop("recording_id").dtypes) == {pl.Float32}
    assert sample.answers.table().rows() == [("e00", "I50", 1), ("e01", "I50", 0), ("e03", "I50", 0)]
    assert sample.flow.select("step", "n_recordings", "excluded").rows() == [
        ("ECG recordings in the database", N, 0), ("ECG could be measured", 3, 9),
    ]  # fmt: skip
    assert (sample.failures.height, sample.fiducials.collect().height) == (0, 0)


def test_who_is_not_eligible_is_not_looked_up(tmp_path):
    place(tmp_path / "a")
    young = STUDY.model_copy(update={"eligibility": STUDY.eligibility.model_copy(update={"min_age_years": 40})})
    sample = prepare(young, tmp_path)
    assert sample.cohort["recording_id"].to_list() == ["e10", "e11"]
    assert measured(sample)["recording_id"].to_list() == ["e10", "e11"]


def test_measurements_that_are_not_there_are_an_error(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    own_tables.write(Database("toy", folder, cohort(), FAILING, ()))
    with pytest.raises(StudyError, match="got none in toy"):
        prepare(STUDY, tmp_path)
    place(tmp_path / "a", features=numbers(["stranger"]))
    with pytest.raises(StudyError, match=f"got none of {N}"):
        prepare(STUDY, tmp_path)


# Waveforms


def simulated_ecg():
    return recording(hospital(1, site=SITE_A, seed=1).truth.row(0, named=True), site=SITE_A)


def test_waveforms_are_measured_where_the_study_says_so(tmp_path):
    """Of the two that have a path, one has a file."""
    folder = tmp_path / "a"
    place(folder)
    write_wfdb(simulated_ecg(), folder / "one.hea", adc_per_mv=1000)
    people = cohort(path=["one.hea", "nowhere.hea"] + [None] * (N - 2))
    place(folder, people=people)
    sample = prepare(with_predictors(source="waveforms"), tmp_path)
    assert sample.cohort["recording_id"].to_list() == ["e00"]
    assert sample.failures["recording_id"].to_list() == ["e01"]
    assert 60 < measured(sample)["pr_interval_ms"][0] < 400
    assert measured(sample)["pr_interval_ms"][0] != 100.0  # the number that the database has
    assert sample.fiducials.collect().height > 0
    assert len(sample.ecg) > 100


def test_an_entry_says_which_recording_of_a_file_it_is(tmp_path):
    h5py = pytest.importorskip("h5py", reason="needs the extra h5py")
    ecg = simulated_ecg()
    order = ("I", "II", "III", "aVR", "aVL", "aVF", *(f"V{n}" for n in range(1, 7)))
    wave = np.asarray(ecg.signal)[[ecg.leads.index(lead) for lead in order]]
    place(tmp_path / "a", people=cohort(path=["exams.hdf5"] * 3 + [None] * (N - 3),
                                        entry=["7", "9", "8"] + [None] * (N - 3)))  # fmt: skip
    at = np.arange(4096) * ecg.fs / 400.0  # CODE-15 % is sampled at 400 Hz
    tracings = np.zeros((3, 4096, 12), dtype=np.float32)
    tracings[1] = np.stack([np.interp(at, np.arange(wave.shape[1]), row) for row in wave], axis=1)
    with h5py.File(tmp_path / "a" / "exams.hdf5", "w") as file:
        file["exam_id"] = np.array([7, 9, 8])
        file["tracings"] = tracings
    sample = prepare(with_predictors(source="waveforms"), tmp_path)
    assert sample.cohort["recording_id"].to_list() == ["e01"]  # entry 9; the other two are flat
    assert set(sample.failures["recording_id"]) == {"e00", "e02"}


# X-rays

XRAYED = events(
    ("p0", "chest_xray", "Edema", 0.0, 2, "s1/a"), ("p0", "chest_xray", "Edema", 1.0, 2, "s1/b"),
    ("p0", "chest_xray", "Edema", 0.0, 5, "s2/c"), ("p1", "chest_xray", "Edema", 1.0, 2, "s3/d"),
    ("p2", "chest_xray", "Edema", 1.0, 0.5, "s4/e"),
)  # fmt: skip


def xray_study(unit, **predictors):
    changed = with_predictors(**predictors)
    return changed.model_copy(update={"xrays": Xrays(unit=unit, within_h=24), "targets": (EDEMA,)})


def test_every_image_is_a_row_with_the_numbers_of_its_ecg(tmp_path):
    place(tmp_path / "a", happened=XRAYED)
    sample = prepare(xray_study("image", others=("delay_h",)), tmp_path)
    assert sample.predictors.drop("age_years").rows() == [
        ("e00@s1/a", 100.0, 0.0, 1.0), ("e00@s1/b", 100.0, 0.0, 1.0), ("e00@s2/c", 100.0, 0.0, 4.0),
        ("e02@s3/d", 102.0, 0.0, 1.0),
    ]  # fmt: skip
    assert sample.answers.of(0).tolist() == [0, 1, 0, 1]
    assert sample.ecg == ("pr_interval_ms",)
    assert measured(sample)["recording_id"].to_list() == sample.cohort["recording_id"].to_list()
    assert sample.flow["step"][0] == "chest X-ray images with an ECG before them"
    assert sample.flow.select("n_recordings", "n_patients").row(0) == (4, 2)


def test_of_a_study_each_ecg_is_one_row(tmp_path):
    place(tmp_path / "a", happened=XRAYED)
    sample = prepare(xray_study("study"), tmp_path)
    assert sample.cohort["recording_id"].to_list() == ["e00", "e02"]
    assert sample.answers.of(0).tolist() == [1, 1]  # one of the two images of s1 shows it
    assert sample.flow["step"][0] == "ECGs with a chest X-ray study after them"


def test_an_ecg_that_several_xrays_share_is_measured_once(tmp_path):
    place(tmp_path / "a")
    write_wfdb(simulated_ecg(), tmp_path / "a" / "one.hea", adc_per_mv=1000)
    place(tmp_path / "a", people=cohort(path=["one.hea"] + [None] * (N - 1)), happened=XRAYED)
    told = []
    study = xray_study("image", source="waveforms")
    sample = prepare_sample(
        study, study.database, data=tmp_path, work=tmp_path / "work", workers=1,
        progress=lambda stage, done, total: told.append((stage, done, total)),
    )  # fmt: skip
    assert sample.cohort["recording_id"].to_list() == ["e00@s1/a", "e00@s1/b", "e00@s2/c"]
    assert measured(sample).drop("recording_id").unique().height == 1
    assert sample.fiducials.collect()["recording_id"].unique().to_list() == ["e00"]
    assert {total for _, _, total in told} == {1}


# Predictors


def test_predictors_that_another_database_lacks_are_missing_there(tmp_path):
    place(tmp_path / "a", people=cohort(charlson=[1] * N), features=numbers(
        [f"e{k:02d}" for k in range(N)], qrs_duration_ms=[90.0] * N))  # fmt: skip
    ids = [f"x{k:02d}" for k in range(N)]
    place(tmp_path / "b", people=cohort(recording_id=ids), features=numbers(ids, qt_interval_ms=[400.0] * N))
    study = with_predictors(others=("charlson",))
    internal = prepare(study, tmp_path)
    external = prepare(study, tmp_path, use=DatabaseUse(kind="tables", folder="b"), like=internal)
    assert external.predictors.schema == internal.predictors.schema
    assert internal.predictors["charlson"].to_list() == [1.0] * N
    for absent in ("qrs_duration_ms", "charlson"):
        assert external.predictors[absent].null_count() == N
    assert external.predictors["pr_interval_ms"].null_count() == 0
    assert "qt_interval_ms" not in external.predictors.columns
    assert external.ecg == ("pr_interval_ms",)
    assert external.declared == internal.declared


def test_predictors_stand_in_the_order_of_the_people_and_follow_the_declaration():
    people = cohort(acci=list(range(N))).sort("recording_id", descending=True)
    features = numbers([f"e{k:02d}" for k in range(N)], qrs_duration_ms=[90.0] * N, odd_ms=[1.0] * N).collect()
    declared = Predictors(include=("*",), exclude=("qrs_*",), demographics=("sex_male",), others=("acci",))
    table = join_predictors(features, people, declared)
    assert table.columns == ["recording_id", "pr_interval_ms", "odd_ms", "sex_male", "acci"]
    assert table["recording_id"].to_list() == people["recording_id"].to_list()
    assert table.row(0) == ("e11", 111.0, 1.0, 1.0, 11.0)
    assert join_predictors(features, people, declared, ecg=["nowhere_ms"])["nowhere_ms"].null_count() == N


def test_a_person_without_measurements_has_no_predictors_and_strangers_make_no_row():
    features = numbers(["e00", "stranger"]).collect()
    table = join_predictors(features, cohort(), Predictors())
    assert table.height == N
    assert table.filter(pl.col("pr_interval_ms").is_not_null())["recording_id"].to_list() == ["e00"]


def test_sex_that_is_not_known_is_missing():
    people = cohort(sex=["female", "male", None] * (N // 3))
    table = join_predictors(numbers(people["recording_id"].to_list()).collect(), people, Predictors())
    assert table["sex_male"].to_list() == [0.0, 1.0, None] * (N // 3)


# An external database


def test_an_optional_external_database_may_be_absent(tmp_path):
    place(tmp_path / "a")

    def prepared(use):
        study = STUDY.model_copy(update={"external": use})
        return set(_prepare_samples(study, data=tmp_path, work=tmp_path / "w", workers=1, progress=silent))

    assert prepared(None) == {"internal"}
    assert prepared(DatabaseUse(kind="tables", folder="b", optional=True)) == {"internal"}
    with pytest.raises(InputError, match="which is not"):
        prepared(DatabaseUse(kind="tables", folder="b"))
    (tmp_path / "b").mkdir()
    assert prepared(DatabaseUse(kind="tables", folder="b", optional=True)) == {"internal"}  # another kind of folder
    place(tmp_path / "b")
    assert prepared(DatabaseUse(kind="tables", folder="b", optional=True)) == {"internal", "external"}


def test_an_external_database_has_its_own_rule(tmp_path):
    happened = events(("p0", "icd10", "I509", None, 20.0, None))
    for name in "ab":
        place(tmp_path / name, happened=happened)
    internal = prepare(STUDY, tmp_path)
    wider = DatabaseUse(kind="tables", folder="b", rule={"window_h": [0, 24]})
    external = prepare(STUDY, tmp_path, use=wider, like=internal)
    assert internal.answers.counts()["n_events"].to_list() == [0]
    assert external.answers.strata()["recording_id"].to_list() == ["e00"]
    assert external.targets[0].window_h == (0, 24)
    assert external.declared[0].window_h == (-1, 1)


def test_targets_of_a_family_are_those_of_the_development_database(tmp_path):
    """K70 is the commoner there, I50 abroad; what is predicted is decided at home."""

    def coded(*pairs):
        return events(*((f"p{n}", "icd10", code, None, 1.5, None) for n, code in pairs))

    place(tmp_path / "a", happened=coded((0, "K70"), (1, "K70"), (2, "K70"), (3, "I50")))
    place(tmp_path / "b", happened=coded((0, "I50"), (1, "I50"), (2, "I50"), (3, "K70")))
    rule = {"system": "icd10", "match": "prefix", "link": "time", "window_h": [-1, 1]}
    study = STUDY.model_copy(update={"targets": (), "families": (Family(rule=rule, min_recordings=2),)})
    internal = prepare(study, tmp_path)
    use = DatabaseUse(kind="tables", folder="b", rule={"min_events": 7})
    external = prepare(study, tmp_path, use=use, like=internal)
    assert [t.name for t in internal.targets] == [t.name for t in external.targets] == ["K70"]
    assert external.targets[0].min_events == 7
    assert internal.answers.counts()["n_events"].to_list() == [3]
    assert external.answers.counts()["n_events"].to_list() == [1]


# Folds


def folds_of(tmp_path, people, split):
    place(tmp_path / "a", people=people)
    study = STUDY.model_copy(update={"split": split})
    sample = prepare(study, tmp_path)
    return dict(_fold(study, sample, ("I50",)).select("recording_id", "fold").rows())


@pytest.mark.parametrize("held_out", [0, 1, 4, 5])
def test_the_published_fold_that_is_held_out_becomes_the_first(tmp_path, held_out):
    published = [k // 2 for k in range(N)]  # the patient's number
    split = Split(method="holdout", n_folds=6, published="strat_fold", held_out=held_out)
    folds = folds_of(tmp_path, cohort(strat_fold=published), split)
    assert [r for r, fold in folds.items() if fold == 0] == [f"e{2 * held_out:02d}", f"e{2 * held_out + 1:02d}"]
    # The others keep apart what was apart.
    assert len({(published[int(r[1:])], fold) for r, fold in folds.items()}) == 6
    assert set(folds.values()) == set(range(6))


def test_folds_that_count_from_one_rotate_too(tmp_path):
    split = Split(method="holdout", n_folds=6, published="strat_fold", held_out=6)
    folds = folds_of(tmp_path, cohort(strat_fold=[1 + k // 2 for k in range(N)]), split)
    assert [r for r, fold in folds.items() if fold == 0] == ["e10", "e11"]
    assert set(folds.values()) == set(range(6))


def test_without_published_folds_patients_are_dealt(tmp_path):
    split = Split(method="holdout", n_folds=3, published="strat_fold", held_out=1)
    folds = folds_of(tmp_path, cohort(), split)
    assert set(folds.values()) == {0, 1, 2}
    assert all(folds[f"e{k:02d}"] == folds[f"e{k + 1:02d}"] for k in range(0, N, 2))


def test_published_folds_that_tear_a_patient_apart_are_refused(tmp_path):
    split = Split(method="holdout", n_folds=2, published="strat_fold")
    with pytest.raises(StudyError, match="patient"):
        folds_of(tmp_path, cohort(strat_fold=[k % 2 for k in range(N)]), split)
