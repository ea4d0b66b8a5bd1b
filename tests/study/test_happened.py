"""What happened to people, brought to the rules of a study: every function on tables small enough for paper."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.cohort import CodeRule, Outcome, find_answers
from twelvelead.io.databases import Database
from twelvelead.study import parse_study
from twelvelead.study.declaration import DatabaseUse, Family, Xrays
from twelvelead.study.happened import expand, keep_events, prepare_events, rules_there, systems_of
from twelvelead.terms import COHORT, EVENTS, StudyError

T0 = datetime(2150, 1, 1)
HERE = DatabaseUse(kind="mimic_iv")
ABROAD = DatabaseUse(
    kind="ecg_view_ii", rule={"system": "icd10", "link": "time", "window_h": [-2160, 2160], "absent": "no_if_observed"}
)
I50 = Outcome(name="I50", title="Heart failure", system="icd10", codes=("I50",), match="prefix", link="stay")
LOW_K = Outcome(
    name="K_low", title="Low", system="laboratory", codes=("Potassium",), link="time", window_h=(-1, 1),
    event="below_reference", absent="unknown",
)  # fmt: skip


def ecgs(*rows):
    """ECGs: recording_id, patient_id, hours after T0, stay_id."""
    table = pl.DataFrame(list(rows), schema=["recording_id", "patient_id", "hours", "stay_id"], orient="row")
    table = table.with_columns(
        pl.col("stay_id").cast(pl.String),
        recorded_at=(T0 + pl.duration(seconds=pl.col("hours").cast(pl.Float64) * 3600)).cast(pl.Datetime("us")),
        age_years=pl.lit(60.0),
        sex=pl.lit("female"),
        path=pl.lit(None, pl.String),
    )
    return COHORT.check(table.select(*COHORT.schema))


def events(*rows):
    """Events as dictionaries: hours instead of time, whatever is not said is null; source_id besides."""
    wide = {**EVENTS.schema, "source_id": pl.String}
    said = [{k: v for k, v in row.items() if k != "hours"} for row in rows]
    for row, of in zip(rows, said, strict=True):
        of["time"] = T0 + timedelta(hours=row["hours"]) if "hours" in row else None
    return pl.DataFrame([{**dict.fromkeys(wide), **row} for row in said], schema=wide).lazy()


def diagnosis(patient, system, code, **more):
    return {"patient_id": patient, "system": system, "code": code, **more}


def study(**changes):
    text = """
name = "toy"
title = "Toy"
question = "?"
seed = 0
[database]
kind = "mimic_iv"
[split]
method = "holdout"
[[targets]]
name = "I50"
title = "Heart failure"
system = "icd10"
codes = ["I50"]
match = "prefix"
link = "stay"
"""
    return parse_study(text, name="toy").model_copy(update=changes)


def database(cohort, happened):
    return Database("toy", Path(), cohort, happened, ())


# Rules, and the systems that they ask about


def test_rules_are_changed_by_the_database_and_nothing_else_is():
    there = rules_there([I50, LOW_K], ABROAD)
    assert [rule.name for rule in there] == ["I50", "K_low"]
    changed = I50.model_dump() | {"link": "time", "window_h": (-2160, 2160), "absent": "no_if_observed"}
    assert there[0].model_dump() == changed
    assert rules_there([I50, LOW_K], HERE) == (I50, LOW_K)
    assert rules_there([], ABROAD) == ()


def test_a_rule_that_does_not_fit_an_outcome_is_refused_when_it_is_laid_over():
    with pytest.raises(ValueError, match="window_h must be given with link 'time'"):
        rules_there([I50], DatabaseUse(kind="tables", rule={"window_h": [0, 1]}))
    with pytest.raises(ValueError, match="fields of an outcome"):
        DatabaseUse(kind="tables", rule={"windows": [0, 1]})


def test_systems_are_those_as_published():
    assert systems_of(study(), HERE) == {"icd9", "icd10", "kcd"}
    assert systems_of(study(targets=(LOW_K,)), HERE) == {"laboratory"}
    assert systems_of(study(targets=(LOW_K, I50)), HERE) == {"laboratory", "icd9", "icd10", "kcd"}
    assert systems_of(study(targets=(LOW_K,)), DatabaseUse(kind="tables", rule={"system": "omr"})) == {"omr"}


def test_systems_of_families_and_xrays_count_too():
    family = Family(rule={"system": "machine_statement", "link": "recording"})
    xrays = Xrays(system="chest_xray_chexpert")
    assert systems_of(study(targets=(LOW_K,), families=(family,)), HERE) == {"laboratory", "machine_statement"}
    assert systems_of(study(targets=(LOW_K,), xrays=xrays), HERE) == {"laboratory", "chest_xray_chexpert"}


# Events


def test_codes_of_every_system_become_icd10_and_what_is_not_asked_for_is_not_read():
    cohort = ecgs(("e1", "p", 0, None))
    happened = events(
        diagnosis("p", "icd9", "V422"),
        diagnosis("p", "icd10", "I5022"),
        diagnosis("p", "kcd", "K7031"),
        diagnosis("p", "icd9", "25000"),
        diagnosis("p", "omr", "BMI (kg/m2)", value=22.0),
    )
    rows, said = prepare_events(database(cohort, happened), cohort, study(), HERE)
    assert rows is cohort
    codes = said.select("system", "code").collect().sort("code").rows()
    assert codes == [("icd10", "E119"), ("icd10", "I5022"), ("icd10", "K70"), ("icd10", "Z953")]


def test_the_published_collision_comes_with_the_rule_of_the_codes_only():
    """ICD-9 V42.2 is a valve; a dictionary without versions takes it for ICD-10 V42.2, once that is in use too."""
    cohort = ecgs(("e1", "p", 0, None))
    happened = events(diagnosis("p", "icd9", "V422"), diagnosis("q", "icd10", "V422"))

    def codes(rule):
        _, said = prepare_events(database(cohort, happened), cohort, study(codes=rule), HERE)
        return dict(said.select("patient_id", "code").collect().rows())

    assert codes(CodeRule()) == {"p": "Z953", "q": "V422"}
    assert codes(CodeRule(by_version=False)) == {"p": "V422", "q": "V422"}


def test_korean_codes_are_cut_as_the_study_says():
    cohort = ecgs(("e1", "p", 0, None))
    happened = events(diagnosis("p", "kcd", "K703"))
    for characters, expected in ((3, "K70"), (4, "K703")):
        rule = CodeRule(kcd_characters=characters)
        _, said = prepare_events(database(cohort, happened), cohort, study(codes=rule), ABROAD)
        assert said.collect()["code"].to_list() == [expected]


def test_laboratory_results_come_in_one_unit():
    cohort = ecgs(("e1", "p", 0, None))
    potassium = {"patient_id": "p", "system": "laboratory", "code": "Potassium"}
    creatinine = {"patient_id": "p", "system": "laboratory", "code": "Creatinine"}
    happened = events(
        {**potassium, "hours": 0, "value": 4.0, "unit": "mmol/L", "reference_lower": 3.5, "reference_upper": 5.1},
        {**creatinine, "hours": 0, "value": 113.12, "unit": "umol/L", "reference_lower": 0, "reference_upper": 0},
        {**creatinine, "hours": 1, "value": 1.0, "unit": "cups"},
    )
    _, said = prepare_events(database(cohort, happened), cohort, study(targets=(LOW_K,)), HERE)
    rows = said.collect().sort("code", "time", descending=[True, False])
    assert rows["unit"].to_list()[:2] == ["mEq/L", "mg/dL"]
    assert rows["value"].to_list()[:2] == pytest.approx([4.0, 1.28], abs=0.001)  # 113.12 g/mol: 0.11312 mg a µmol, ÷ 10
    assert rows["value"][2] is None
    assert rows["reference_lower"].to_list() == [3.5, None, None]


def test_xrays_make_the_rows():
    cohort = ecgs(("e1", "p", 0, None), ("e2", "p", 2, None), ("e3", "q", 0, None))
    xray = {"patient_id": "p", "system": "chest_xray", "code": "Edema", "value": 1.0}
    happened = events(
        {**xray, "hours": 3, "source_id": "s1/a"},
        {**xray, "hours": 3, "source_id": "s1/b"},
        {**xray, "hours": 30, "source_id": "s2/c"},
        {**xray, "patient_id": "q", "hours": -1, "source_id": "s3/d"},
    )
    source = database(cohort, happened)
    declared = study(targets=(LOW_K,), xrays=Xrays(unit="image", within_h=24))
    rows, said = prepare_events(source, cohort, declared, HERE)
    assert rows.select("recording_id", "ecg_id", "delay_h").rows() == [("e2@s1/a", "e2", 1.0), ("e2@s1/b", "e2", 1.0)]
    assert sorted(said.collect()["recording_id"]) == ["e2@s1/a", "e2@s1/b"]
    for xrays, expected in (
        (Xrays(within_h=24), ["e2 s1"]),
        (Xrays(within_h=0.5), []),
        (Xrays(unit="image", within_h=29), ["e2 s1/a", "e2 s1/b", "e2 s2/c"]),
    ):
        rows, _ = prepare_events(source, cohort, declared.model_copy(update={"xrays": xrays}), HERE)
        assert [f"{ecg} {xray}" for ecg, xray in rows.select("ecg_id", "source_id").iter_rows()] == expected


# Families

STAYS = ecgs(*((f"e{n}", f"p{n}", 0, f"s{n}") for n in range(6)))
OF_STAYS = {"system": "icd10", "match": "prefix", "link": "stay"}


def coded(*pairs):
    return events(*(diagnosis(f"p{n}", "icd10", code, stay_id=f"s{n}") for n, code in pairs))


HAPPENED = ((0, "I5022"), (0, "I5023"), (1, "I509"), (2, "I509"), (3, "K7030"), (4, "K7030"), (5, "K70"))


def names(*families, of=HAPPENED):
    return [target.name for target in expand(families, STAYS, coded(*of))]


def test_a_family_is_every_code_that_enough_recordings_have_the_commonest_first():
    # By hand: I50 and K70 have three recordings, I509, K703 and K7030 two, I502, I5022 and I5023 one.
    assert names(Family(rule=OF_STAYS, min_recordings=2)) == ["I50", "K70", "I509", "K703", "K7030"]
    assert names(Family(rule=OF_STAYS, min_recordings=3)) == ["I50", "K70"]
    assert names(Family(rule=OF_STAYS, min_recordings=2, characters=(4,))) == ["I509", "K703"]
    assert names(Family(rule=OF_STAYS, min_recordings=2, largest=3)) == ["I50", "K70", "I509"]
    pair = (Family(rule=OF_STAYS, min_recordings=2, characters=(n,)) for n in (5, 3))
    assert names(*pair) == ["K7030", "I50", "K70"]
    assert names() == []


def test_targets_of_a_family_have_its_rule():
    family = Family(rule={**OF_STAYS, "min_events": 7, "sex": "female"}, min_recordings=3)
    first, _ = expand([family], STAYS, coded(*HAPPENED))
    assert first.model_dump() == Outcome(
        name="I50", title="ICD10 I50", system="icd10", codes=("I50",), match="prefix", link="stay", min_events=7,
        sex="female",
    ).model_dump()  # fmt: skip


def test_a_family_counts_in_its_window():
    near = {"system": "icd10", "match": "prefix", "link": "time", "window_h": [-1, 1]}
    happened = events(
        *(diagnosis(f"p{n}", "icd10", "I509", hours=0.5) for n in range(3)),
        *(diagnosis(f"p{n}", "icd10", "K70", hours=1.5) for n in range(5)),
    )
    family = Family(rule=near, min_recordings=3)
    assert [t.name for t in expand([family], STAYS, happened)] == ["I50", "I509"]


def test_a_family_without_any_code_is_an_error():
    with pytest.raises(StudyError, match="a code that 4 recordings have; got none"):
        names(Family(rule=OF_STAYS, min_recordings=9), Family(rule=OF_STAYS, min_recordings=4))


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["I50", "I509", "I5022", "K70", "K7030", "C61"]))))
def test_a_family_agrees_with_counting_one_by_one(pairs):
    codes = {code[:n] for _, code in pairs for n in (3, 4, 5) if len(code) >= n}
    having = {code: {n for n, c in pairs if c.startswith(code)} for code in codes}
    expected = sorted((code for code in codes if len(having[code]) >= 2), key=lambda c: (-len(having[c]), c))
    if expected:
        assert names(Family(rule=OF_STAYS, min_recordings=2), of=pairs) == expected
    else:
        with pytest.raises(StudyError, match="2 recordings"):
            names(Family(rule=OF_STAYS, min_recordings=2), of=pairs)


# Outcomes


def test_all_outcomes_of_all_rules_by_hand(tmp_path):
    cohort = ecgs(("e1", "p", 0, "s1"), ("e2", "q", 0, "s2"), ("e3", "q", 0, None))
    potassium = {"system": "laboratory", "code": "Potassium", "reference_lower": 3.5}
    happened = events(
        diagnosis("p", "icd10", "I509", stay_id="s1"),
        diagnosis("q", "icd10", "K70", stay_id="s2"),
        {"patient_id": "p", "hours": 0.5, "value": 3.6, **potassium},
        {"patient_id": "q", "hours": -0.5, "value": 3.4, **potassium},
        {"patient_id": "q", "hours": 0.6, "value": 3.9, **potassium},
        {"patient_id": "q", "hours": 2.0, "value": 3.0, **potassium},
    )
    kept = keep_events(happened, tmp_path / "events.parquet")
    assert kept.collect().equals(happened.collect())
    found = find_answers(cohort, kept, [I50, LOW_K])
    assert found.table().rows() == [
        ("e1", "I50", 1), ("e2", "I50", 0), ("e3", "I50", None), ("e1", "K_low", 0), ("e2", "K_low", 1),
        ("e3", "K_low", 1),
    ]  # fmt: skip
