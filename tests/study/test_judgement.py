"""Anyone's table of predictions, judged and compared: what is read, what is written, what is refused."""

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead.io.tables import read_json
from twelvelead.study.judgement import Choices, validate_predictions
from twelvelead.study.model_comparison import compare_models
from twelvelead.study.prediction_table import Columns, read_predictions
from twelvelead.study.review import Beside
from twelvelead.terms import PREDICTIONS, InputError, StudyError
from twelvelead.validate import delta_auroc_interval, performance
from twelvelead.validate.improvement import idi
from twelvelead.validate.paired import Pair
from twelvelead.validate.reclassification import categorical_nri

CHOICES = Choices(thresholds=(0.1, 0.3), cuts=(0.2, 0.4), level=0.95, n_resamples=60, seed=3)
WIDE = Columns(p=("age_sex", "with_ecg"))


def wide(n_patients=150, seed=0):
    """Two recordings per patient; `with_ecg` knows more than `age_sex`, `permuted` knows as much."""
    rng = np.random.default_rng(seed)
    n = 2 * n_patients
    age, ecg = np.repeat(rng.normal(60, 12, n_patients), 2), rng.normal(size=n)
    y = rng.random(n) < expit(-1 + 0.05 * (age - 60) + ecg)
    return pl.DataFrame(
        {
            "recording_id": [f"r{i:04d}" for i in range(n)],
            "patient_id": [f"p{i // 2:04d}" for i in range(n)],
            "y": y.astype(int),
            "age_sex": expit(-1 + 0.05 * (age - 60)),
            "with_ecg": expit(-1.1 + 0.05 * (age - 60) + ecg),
            "permuted": expit(-1 + 0.05 * (age - 60) + 0.05 * rng.normal(size=n)),
            "sex": np.where(np.arange(n) // 2 % 2 == 0, "female", "male"),
            "age": age,
        }
    )


def longer(table, models=("age_sex", "with_ecg", "permuted")):
    keys = [c for c in table.columns if c not in {"age_sex", "with_ecg", "permuted"}]
    return table.unpivot(on=list(models), index=keys, variable_name="model", value_name="p")


@pytest.fixture
def table(tmp_path):
    """Write a table and return its path."""

    def write(frame, name="predictions.csv"):
        path = tmp_path / name
        frame.write_parquet(path) if name.endswith("parquet") else frame.write_csv(path)
        return path

    return write


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_wide_and_a_long_table_are_the_same_predictions(table):
    models = ("age_sex", "with_ecg")
    one = read_predictions(table(wide()), WIDE).predictions
    other = read_predictions(table(longer(wide(), models), "long.parquet"), Columns()).predictions
    PREDICTIONS.check(one)
    assert one.equals(other)
    assert one["target"].unique().to_list() == ["outcome"]
    assert one["set"].unique().to_list() == ["evaluation"]


def test_columns_may_have_other_names(table):
    frame = (
        wide().rename({"y": "dead", "patient_id": "subject", "recording_id": "ecg"}).with_columns(cohort=pl.lit("B"))
    )
    columns = Columns(y="dead", patient="subject", recording="ecg", set="cohort", p=("with_ecg",))
    found = read_predictions(table(frame), columns).predictions
    assert found["set"].unique().to_list() == ["B"]
    assert found["model"].unique().to_list() == ["with_ecg"]
    assert found["p"].to_list() == pytest.approx(wide()["with_ecg"].to_list())


def test_rows_without_outcome_are_left_out_and_counted(table):
    frame = wide().with_columns(y=pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise("y"))
    found = read_predictions(table(frame), WIDE)
    assert found.n_unknown == 7
    assert found.predictions.height == 2 * (frame.height - 7)
    unknown = frame.with_columns(pl.col("y").cast(pl.Float64).fill_null(float("nan")))
    assert read_predictions(table(unknown, "t.parquet"), WIDE).n_unknown == 7


def test_outcomes_may_be_truths_or_words_of_digits(table):
    one = read_predictions(table(wide()), WIDE).predictions
    for kind in (pl.Boolean, pl.Float64, pl.String):
        frame = wide().with_columns(pl.col("y").cast(kind))
        assert read_predictions(table(frame, "t.parquet"), WIDE).predictions.equals(one), kind


def test_ages_are_put_into_bands_and_other_groups_are_as_they_are(table):
    found = read_predictions(table(wide()), Columns(p=("age_sex",), strata=("sex", "age"), site="sex"))
    joined = found.strata.join(wide().select("recording_id", years="age"), on="recording_id")
    assert joined.filter(age="under 40 years")["years"].max() < 40
    assert joined.filter(age="40–54 years")["years"].is_between(40, 55, closed="left").all()
    assert set(found.strata["sex"]) == {"female", "male"}
    assert found.sites.columns == ["recording_id", "site"]


WRONG = {
    "no such column": (
        lambda t: t,
        Columns(y="dead", p=("age_sex",)),
        r"must have the column\(s\) dead; got .* Name yours with --y",
    ),
    "no such patient": (lambda t: t, Columns(p=("age_sex",), patient="who"), "Name yours with --patient"),
    "no risk": (lambda t: t, Columns(), r"column\(s\) p; got .* Name yours with --p"),
    "no such group": (lambda t: t, Columns(p=("age_sex",), strata=("race",)), "race.*--strata"),
    "no outcome": (lambda t: t.with_columns(y=pl.col("y") + 1), WIDE, r"y must be 1 \(event\), 0 \(none\).*got 2"),
    "words": (lambda t: t.with_columns(y=pl.lit("yes")), WIDE, "got 'yes'. Recode it"),
    "a risk is missing": (
        lambda t: t.with_columns(age_sex=pl.when(pl.col("recording_id") == "r0005").then(None).otherwise("age_sex")),
        WIDE,
        "a risk must be a number; got 1 that are none, first in 'r0005'",
    ),
    "nobody's recording": (
        lambda t: t.with_columns(patient_id=pl.when(pl.col("y") == 1).then(None).otherwise("patient_id")),
        WIDE,
        "patient_id must not be missing",
    ),
    "too many groups": (lambda t: t, Columns(p=("age_sex",), strata=("patient_id",)), "at most 12 groups; got 150"),
    "no rows": (lambda t: t.head(0), WIDE, "must have rows; got none"),
    "two groups": (
        lambda t: pl.concat(
            [t.with_columns(target=pl.lit("A")), t.with_columns(target=pl.lit("B"), sex=pl.lit("male"))]
        ),
        Columns(p=("age_sex",), strata=("sex",)),
        "a recording must be in one group; got several of 'r0000'",
    ),
}


@pytest.mark.parametrize("case", WRONG, ids=WRONG)
def test_a_table_that_lacks_something_is_refused_with_what_to_do(table, case):
    change, columns, message = WRONG[case]
    with pytest.raises(InputError, match=message):
        read_predictions(table(change(wide()), "t.parquet"), columns)


def test_several_models_without_ids_are_refused(table):
    frame = longer(wide()).drop("recording_id")
    with pytest.raises(InputError, match="3 models without it"):
        read_predictions(table(frame), Columns())
    alone = read_predictions(table(longer(wide(), ("age_sex",)).drop("recording_id")), Columns()).predictions
    assert alone["recording_id"].n_unique() == alone.height == 300


def test_a_baseline_by_another_name(table):
    found = read_predictions(table(wide().rename({"age_sex": "old"})), Columns(p=("old", "with_ecg")), baseline="old")
    assert set(found.predictions["model"]) == {"age_sex", "with_ecg"}
    with pytest.raises(InputError, match="got 'none', there are age_sex, with_ecg"):
        read_predictions(table(wide()), WIDE, baseline="none")


# --- judging ----------------------------------------------------------------------------------------------------------


def test_what_is_written_is_what_the_judge_says(table, tmp_path):
    columns = Columns(p=("age_sex", "with_ecg"), strata=("sex",))
    path = table(wide())
    found = validate_predictions(path, out=tmp_path / "out", columns=columns, choices=CHOICES)
    given = read_predictions(path, columns)
    direct = performance(
        given.predictions, n_resamples=60, level=0.95, seed=3, thresholds=(0.1, 0.3), strata=given.strata
    )
    assert found.tables["performance"].equals(direct)
    written = {p.name for p in (tmp_path / "out").iterdir()}
    tables = {
        "performance",
        "hypotheses",
        "subgroups",
        "calibration",
        "recalibration",
        "decision",
        "strata",
        "objections",
    }
    assert written == {f"{name}.csv" for name in tables} | {"performance.parquet", "judgement.json", "report.html"}
    for name in tables - {"performance", "objections", "hypotheses"}:
        assert {"target", "set", "model"} <= set(pl.read_csv(tmp_path / "out" / f"{name}.csv").columns), name
    record = read_json(tmp_path / "out" / "judgement.json")
    assert record["choices"]["seed"] == 3
    assert record["input"]["name"] == "predictions.csv"
    assert [o.code for o in found.objections] == ["V006"]
    assert found.not_estimable == ()


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_the_order_of_rows_changes_no_byte(table, tmp_path):
    columns = Columns(p=("age_sex", "with_ecg"), strata=("sex", "age"))
    path = table(wide())
    validate_predictions(path, out=tmp_path / "one", columns=columns, choices=CHOICES)
    path.unlink()
    shuffled = table(wide().sample(fraction=1, shuffle=True, seed=1))
    validate_predictions(shuffled, out=tmp_path / "two", columns=columns, choices=CHOICES)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    for name in one.keys() - {"judgement.json", "report.html"}:  # those hold the hash of the file
        assert one[name] == two[name], name
    validate_predictions(shuffled, out=tmp_path / "three", columns=columns, choices=CHOICES)
    assert contents(tmp_path / "three") == two


def test_too_few_patients_get_no_number(table, tmp_path):
    few = wide().with_columns(
        target=pl.lit("few"), y=pl.col("recording_id").is_in(["r0000", "r0001", "r0002"]).cast(int)
    )
    both = pl.concat([wide().with_columns(target=pl.lit("many")), few.select(*wide().columns, "target")])
    found = validate_predictions(table(both), out=tmp_path / "out", columns=WIDE, choices=CHOICES)
    assert found.not_estimable == ("few, evaluation",)
    rows = found.tables["performance"].filter(target="few")
    assert rows["estimate"].null_count() == rows.height
    assert rows["note"].str.contains("not estimable").any()
    for name in ("calibration", "strata", "decision", "recalibration"):
        assert set(found.tables[name]["target"]) == {"many"}
    assert "Fewer than 10 patients have the event" in (tmp_path / "out" / "report.html").read_text()


def test_nothing_estimable_still_gives_a_report(table, tmp_path):
    few = wide().with_columns(y=pl.col("recording_id").is_in(["r0000", "r0001"]).cast(int))
    found = validate_predictions(table(few), out=tmp_path / "out", columns=WIDE, choices=CHOICES)
    assert found.tables["performance"]["estimate"].null_count() == found.tables["performance"].height
    assert "Nothing could be estimated" in (tmp_path / "out" / "report.html").read_text()


def test_patients_on_both_sides_are_refused(table, tmp_path):
    developed = tmp_path / "development.csv"
    pl.DataFrame({"patient_id": ["p0003", "other"]}).write_csv(developed)
    with pytest.raises(StudyError, match="V001 a patient must be on one side of the split; got 1 on both: p0003"):
        validate_predictions(
            table(wide()), out=tmp_path / "out", columns=WIDE, choices=CHOICES, beside=Beside(development=developed)
        )
    assert not (tmp_path / "out").exists()


def test_more_knowledge_allows_more_checks(table, tmp_path):
    rng = np.random.default_rng(1)
    measured = pl.DataFrame(
        {"recording_id": wide()["recording_id"], **{f"m{k}": rng.normal(size=300) for k in range(9)}}
    )
    copy = measured.filter(recording_id="r0000").with_columns(recording_id=pl.lit("r0009"))
    measured = pl.concat([measured.filter(pl.col("recording_id") != "r0009"), copy])
    measured.with_columns(delay_h=pl.lit(1.0)).write_csv(tmp_path / "measured.csv")
    pl.DataFrame({"patient_id": [f"d{i}" for i in range(80)], "y": [0, 1] * 40}).write_csv(tmp_path / "development.csv")
    beside = Beside(
        development=tmp_path / "development.csv", n_parameters=30, measurements=tmp_path / "measured.csv",
        thresholds_declared=False,
    )  # fmt: skip
    with pytest.raises(StudyError, match=r"V009 a predictor must be known at the index ECG; got 1.*delay_h"):
        validate_predictions(table(wide()), out=tmp_path / "out", columns=WIDE, choices=CHOICES, beside=beside)
    measured.write_csv(tmp_path / "measured.csv")
    found = validate_predictions(table(wide()), out=tmp_path / "out", columns=WIDE, choices=CHOICES, beside=beside)
    assert [o.code for o in found.objections if o.code != "V006"] == ["V010", "V012", "V014"]
    said = (tmp_path / "out" / "report.html").read_text()
    assert "30 parameters at a prevalence of 0.5" in said


def test_a_development_table_without_patients_is_refused(table, tmp_path):
    pl.DataFrame({"subject": ["a"]}).write_csv(tmp_path / "development.csv")
    beside = Beside(development=tmp_path / "development.csv")
    with pytest.raises(InputError, match="the table of --development must have a column patient_id; got subject"):
        validate_predictions(table(wide()), out=tmp_path / "out", columns=WIDE, choices=CHOICES, beside=beside)


# --- comparing --------------------------------------------------------------------------------------------------------


def differences(found, model="with_ecg"):
    return {r["measure"]: r for r in found.tables["differences"].filter(new=model).iter_rows(named=True)}


def test_a_comparison_is_what_the_judge_says(table, tmp_path):
    frame = wide()
    found = compare_models(
        table(frame),
        models=("age_sex", "with_ecg", "permuted"),
        out=tmp_path / "out",
        columns=Columns(),
        choices=CHOICES,
    )
    y, patients = frame["y"].to_numpy(), frame["patient_id"].to_numpy()
    new, base = frame["with_ecg"].to_numpy(), frame["age_sex"].to_numpy()
    how = {"level": 0.95, "n_resamples": 60, "seed": 3}
    said = differences(found)
    direct = delta_auroc_interval(y, new, base, patients=patients, **how)
    assert (said["delta_auroc"]["estimate"], said["delta_auroc"]["lower"]) == (direct.estimate, direct.lower)
    assert said["delta_auroc_delong"]["p_value"] == direct.p_value
    pair = Pair(y, new=new, base=base, patients=patients)
    assert said["idi"]["estimate"] == pytest.approx(idi(pair, **how).total.estimate, abs=1e-12)
    nri = categorical_nri(pair, cuts=(0.2, 0.4), **how)
    assert said["nri_nonevents"]["estimate"] == pytest.approx(nri.nonevents.estimate, abs=1e-12)
    assert said["delta_brier"]["estimate"] == pytest.approx(np.mean((y - new) ** 2 - (y - base) ** 2), abs=1e-12)
    assert said["delta_auroc"]["lower"] > 0
    permuted = differences(found, "permuted")["delta_auroc"]
    assert permuted["lower"] < 0 < permuted["upper"]
    moved = found.tables["reclassification"]
    assert moved["n"].sum() == frame.height


def test_a_wide_and_a_long_table_are_compared_alike(table, tmp_path):
    models = ("age_sex", "with_ecg", None)
    one = compare_models(table(wide()), models=models, out=tmp_path / "a", columns=Columns(), choices=CHOICES)
    other = compare_models(
        table(longer(wide()), "long.csv"), models=models, out=tmp_path / "b", columns=Columns(), choices=CHOICES
    )
    for name, found in one.tables.items():
        assert found.equals(other.tables[name]), name
    assert "No null model was given" in (tmp_path / "a" / "report.html").read_text()


def test_models_that_are_not_there_are_refused(table, tmp_path):
    how = {"out": tmp_path / "out", "columns": Columns(), "choices": CHOICES}
    with pytest.raises(InputError, match=r"column\(s\) B; got .*Name yours with --base, --new, --null"):
        compare_models(table(wide()), models=("age_sex", "B", None), **how)
    with pytest.raises(InputError, match="got B, there are age_sex, permuted, with_ecg"):
        compare_models(table(longer(wide()), "long.csv"), models=("age_sex", "B", None), **how)
    with pytest.raises(InputError, match="must be different; got age_sex, age_sex"):
        compare_models(table(wide()), models=("age_sex", "age_sex", None), **how)


def test_models_on_different_recordings_are_refused(table, tmp_path):
    frame = longer(wide()).filter((pl.col("model") != "with_ecg") | (pl.col("recording_id") != "r0004"))
    with pytest.raises(StudyError, match="same recordings"):
        compare_models(
            table(frame), models=("age_sex", "with_ecg", None), out=tmp_path / "out", columns=Columns(), choices=CHOICES
        )


def test_a_comparison_of_too_few_has_no_number(table, tmp_path):
    few = wide().with_columns(y=pl.col("recording_id").is_in(["r0000", "r0001", "r0002"]).cast(int))
    found = compare_models(
        table(few), models=("age_sex", "with_ecg", None), out=tmp_path / "out", columns=Columns(), choices=CHOICES
    )
    assert found.not_estimable == ("outcome, evaluation",)
    assert found.tables["differences"]["estimate"].to_list() == [None]
    assert "not estimable" in (tmp_path / "out" / "report.html").read_text()


DEGENERATE = {
    "the same risk for all": lambda t: t.with_columns(with_ecg=pl.lit(0.3)),
    "risks of 0 and 1": lambda t: t.with_columns(with_ecg=pl.col("y").cast(pl.Float64)),
    "always wrong": lambda t: t.with_columns(with_ecg=1.0 - pl.col("y")),
    "nothing but 0": lambda t: t.with_columns(with_ecg=pl.lit(0.0)),
    "the same model twice": lambda t: t.with_columns(with_ecg="age_sex"),
}


@pytest.mark.parametrize("case", DEGENERATE, ids=DEGENERATE)
def test_degenerate_risks_neither_crash_nor_pass_for_a_gain(table, tmp_path, case):
    path = table(DEGENERATE[case](wide(60)))
    few = Choices(thresholds=(0.1,), cuts=(0.2, 0.4), level=0.95, n_resamples=20, seed=0)
    judged = validate_predictions(path, out=tmp_path / "a", columns=WIDE, choices=few)
    assert judged.tables["performance"]["estimate"].is_finite().all()
    found = compare_models(
        path, models=("age_sex", "with_ecg", None), out=tmp_path / "b", columns=Columns(), choices=few
    )
    gain = differences(found)["delta_auroc"]
    if case in {"the same risk for all", "nothing but 0", "always wrong"}:
        assert gain["estimate"] < 0
    if case == "the same model twice":
        assert (gain["estimate"], gain["lower"], gain["upper"]) == (0.0, 0.0, 0.0)
