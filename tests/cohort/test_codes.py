import polars as pl
import pytest

from twelvelead.cohort import CodeRule, add_ancestors, count_unmapped, map_codes, normalise_codes
from twelvelead.terms import EVENTS


def events(*pairs):
    rows = [{"patient_id": f"p{i}", "system": system, "code": code} for i, (system, code) in enumerate(pairs)]
    table = pl.DataFrame(rows)
    table = table.with_columns(pl.lit(None, t).alias(c) for c, t in EVENTS.schema.items() if c not in table.columns)
    return EVENTS.select(table).lazy()


def normalised(rule, *pairs, **more):
    table = normalise_codes(events(*pairs), rule, **more).collect().sort("patient_id")
    return table.select("system", "code").rows()


@pytest.mark.parametrize(
    ("published", "code"),
    [
        (("icd10", "I10"), "I10"),
        (("icd10", " i25.10 "), "I2510"),
        (("icd10", "S060X0A"), "S060"),  # five characters first, then the placeholder
        (("icd10", "W19XXXA"), "W19"),
        (("icd9", "4019"), "I10"),
        (("icd9", "V42.2"), "Z953"),  # heart valve replaced by transplant
        (("icd9", "E8889"), "W19"),  # an accident: E-codes are not endocrine diseases
        (("kcd", "L73.8"), "L73"),  # Korean codes are compared by category
    ],
)
def test_a_published_code_becomes_an_icd10_code(published, code):
    assert normalised(CodeRule(), published) == [("icd10", code)]


def test_a_code_is_known_by_its_version_and_the_published_fault_is_not():
    both = (("icd9", "V422"), ("icd10", "V422"), ("icd9", "V420"))
    assert normalised(CodeRule(), *both) == [("icd10", "Z953"), ("icd10", "V422"), ("icd10", "Z940")]
    assert normalised(CodeRule(by_version=False), *both) == [("icd10", "V422"), ("icd10", "V422"), ("icd10", "Z940")]


def test_the_published_dictionary_held_codes_that_nobody_has():
    assert normalised(CodeRule(by_version=False), ("icd9", "V422")) == [("icd10", "Z953")]
    assert normalised(CodeRule(by_version=False), ("icd9", "V422"), dictionary=["V42.2"]) == [("icd10", "V422")]
    assert normalised(CodeRule(), ("icd9", "V422"), dictionary=["V42.2"]) == [("icd10", "Z953")]


def test_numbers_do_not_collide():
    assert normalised(CodeRule(by_version=False), ("icd9", "4280"), ("icd10", "I509")) == [
        ("icd10", "I509"),
        ("icd10", "I509"),
    ]


def test_korean_codes_as_in_the_publications():
    rule = CodeRule(kcd_characters=5, strip_kcd_letter=True)
    assert normalised(rule, ("kcd", "M95.303"), ("kcd", "I10.9"), ("kcd", "K70A"), ("kcd", "K7A")) == [
        ("icd10", "M9530"), ("icd10", "I109"), ("icd10", "K70"), ("icd10", "K7A"),
    ]  # fmt: skip


def test_what_has_no_counterpart_is_kept_and_counted():
    lost = events(("icd9", "250"), ("icd9", "250"), ("icd10", "NoDx"), ("icd9", "V6441"), ("laboratory", "K"))
    table = normalise_codes(lost, CodeRule())
    assert table.collect().height == 5
    assert count_unmapped(table).rows() == [("250", 2, 2), ("NoDx", 1, 1), ("V6441", 1, 1)]


def test_other_events_and_other_columns_stay():
    rows = events(("laboratory", "Potassium"), ("scp", "NORM"), ("icd10", "I10")).with_columns(source_id=pl.lit("x"))
    table = normalise_codes(rows, CodeRule()).collect()
    assert table.columns == [*EVENTS.schema, "source_id"]
    assert sorted(table["code"]) == ["I10", "NORM", "Potassium"]


def test_codes_that_were_mapped_before_are_shortened_in_their_own_system():
    assert normalised(CodeRule(), ("ext_icd_all", "W19XXXA"), ("icd10", "I509")) == [
        ("ext_icd_all", "W19"),
        ("icd10", "I509"),
    ]


def test_every_row_of_the_table_is_mapped_once():
    codes = pl.DataFrame({"system": ["icd9", "icd9", "icd9"], "code": ["V42.2", "V422", "v422 "]})
    assert map_codes(codes, CodeRule())["icd10"].to_list() == ["Z953"] * 3


def test_no_diagnoses_at_all():
    assert normalised(CodeRule(), ("laboratory", "K")) == [("laboratory", "K")]


def test_ancestors_stand_there_once():
    table = pl.DataFrame({"who": [1, 1, 1, 2], "code": ["K7030", "K7031", "K70", "I10"]})
    assert sorted(add_ancestors(table).rows()) == [
        (1, "K70"), (1, "K703"), (1, "K7030"), (1, "K7031"), (2, "I10"),
    ]  # fmt: skip
