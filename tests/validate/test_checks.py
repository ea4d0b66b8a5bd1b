import polars as pl
import pytest

from twelvelead.terms import StudyError
from twelvelead.validate import RULES, check, refuse
from twelvelead.validate.checks import table


def predictions(n=800, models=("age_sex", "ecg")):
    return pl.concat(
        [
            pl.DataFrame(
                {
                    "recording_id": [f"r{i}" for i in range(n)],
                    "patient_id": [f"p{i}" for i in range(n)],
                    "target": "mi",
                    "model": model,
                    "set": "internal",
                    "y": pl.Series([i % 2 for i in range(n)], dtype=pl.Int8),
                    "p": [(i + 1) / (n + 1) for i in range(n)],
                }
            )
            for model in models
        ]
    )


def codes(rows, **given):
    return [o.code for o in check(rows, **{"development_patients": set(), **given})]


def few_events(rows):
    return rows.filter((pl.col("y") == 0) | pl.col("recording_id").is_in([f"r{i}" for i in range(10)]))


BROKEN = {
    "V001": lambda rows: codes(rows, development_patients={"p3", "x"}),
    "V002": lambda rows: codes(rows, selection_recordings=["r5", "x"]),
    "V003": lambda rows: codes(pl.concat([rows, rows.head(1)])),
    "V004": lambda rows: codes(rows.with_columns(p=pl.col("p") + 0.5)),
    "V005": lambda rows: codes(few_events(rows)),
    "V006": lambda rows: codes(rows.filter(pl.col("recording_id").str.len_chars() < 4)),
    "V007": lambda rows: codes(rows.with_columns(p=pl.lit(0.1))),
    "V008": lambda rows: codes(rows.filter(model="ecg")),
}


def test_clean_predictions_draw_no_objection():
    assert check(predictions(), development_patients={"x"}, selection_recordings={"y"}) == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.code)
def test_every_rule_is_broken_by_its_case(rule):
    assert rule.code in BROKEN[rule.code](predictions())


def test_codes_are_unique_and_severities_known():
    assert len({r.code for r in RULES}) == len(RULES)
    assert {r.severity for r in RULES} == {"error", "warning"}


def test_errors_are_refused_with_the_ids_and_warnings_pass():
    leak = check(predictions(), development_patients=[f"p{i}" for i in range(7)])
    with pytest.raises(StudyError, match=r"V001 a patient must be on one side.*got 7 on both: p0, p1, p2, p3, p4, …"):
        refuse(leak)
    refuse(check(predictions(100), development_patients=()))
    assert table(leak)["code"].to_list() == ["V001"]
    assert table(()).columns == ["code", "severity", "item", "message"]


def test_nan_risk_is_out_of_range():
    assert "V004" in codes(predictions().with_columns(p=pl.lit(float("nan"))))
