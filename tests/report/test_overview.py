"""Many targets on one page: in an order, in pages, and only some of them in full."""

import polars as pl
import pytest

from twelvelead.report import study_report
from twelvelead.report.overview import PAGE, arrange, show_hypotheses, show_performance
from twelvelead.terms import HYPOTHESES

from .conftest import performance_row
from .test_study_report import read, words

N = 90
CODES = [f"{letter}{n:02d}" for n in range(30) for letter in "IKC"]


@pytest.fixture
def many(study, declaration):
    """Ninety diagnoses of three chapters; the more often declared, the better predicted, from 0.50 to 0.678."""
    target = {**declaration["targets"][0], "system": "icd10", "match": "prefix"}
    targets = [{**target, "name": code, "title": f"Disease {code}", "codes": [code]} for code in CODES]
    rows = [
        performance_row(code, model, "internal", metric, 0.5 + 0.002 * k if metric == "auroc" else 0.001 * k)
        for k, code in enumerate(CODES)
        for model in ("age_sex", "ecg_age_sex")
        for metric in ("auroc", "delta_auroc")
        if model != "age_sex" or metric == "auroc"
    ]
    performance = (
        study["performance"]
        .clear()
        .vstack(pl.DataFrame(rows, schema_overrides=study["performance"].schema).select(study["performance"].columns))
    )
    declared = {**declaration, "targets": targets, "external": None}
    one = study["predictions"].filter(pl.col("target") == "MI", pl.col("set") == "internal")
    predictions = pl.concat([one.with_columns(target=pl.lit(code)) for code in CODES])
    shap = study["shap"].clear()
    outcomes = pl.DataFrame([("internal", c, 20, 60) for c in CODES], schema=["set", "target", "n_events", "n_known"],
                            orient="row")  # fmt: skip
    return {**study, "declaration": declared, "performance": performance, "predictions": predictions, "shap": shap,
            "outcomes": outcomes, "external_flow": None, "example": None}  # fmt: skip


def test_few_targets_stay_as_declared(study):
    arranged = arrange(study["performance"], study["declaration"], first=(), detailed=30)
    assert list(arranged.ranked) == list(arranged.grouped) == list(arranged.detailed) == ["MI", "HYP"]
    assert not arranged.chapters


def test_many_targets_are_ranked_by_lower_limit_and_grouped_by_chapter(many):
    arranged = arrange(many["performance"], many["declaration"], first=("I00",), detailed=5)
    assert list(arranged.ranked) == CODES[::-1]
    assert [code[0] for code in arranged.grouped] == ["C"] * 30 + ["I"] * 30 + ["K"] * 30
    assert list(arranged.grouped)[:2] == ["C29", "C28"]
    assert set(arranged.detailed) == {"I00", "C29", "K29", "I29", "C28"}  # the declared one, then the best
    assert list(arranged.detailed) == [code for code in arranged.grouped if code in arranged.detailed]


def test_forest_plots_come_in_pages_and_every_target_is_drawn_once_for_each_metric(many):
    arranged = arrange(many["performance"], many["declaration"], first=(), detailed=5)
    shown = show_performance(many["performance"], arranged, declaration=many["declaration"], optimum={})
    (part,) = shown["forests"]
    drawn = [*part["top"], *(chart for page in part["figures"] for chart in page)]
    assert len(drawn) == 2 * -(-N // PAGE)
    for code in CODES:
        assert sum(f">Disease {code}<" in chart for chart in drawn) == 2, code
    assert ">Disease C29<" in part["top"][0]


def test_a_page_of_many_targets_has_all_in_its_tables_and_some_in_full(many):
    html = study_report(**many, first=["I00"], detailed=5)
    page, text = read(html), words(html)
    assert [i for i in page.ids if i.startswith("target-")] == [
        f"target-{c}" for c in ("C29", "C28", "I29", "I00", "K29")
    ]
    assert "5 of 90 targets are shown in full" in text
    for chapter in ("II Neoplasms", "IX Circulatory system", "XI Digestive system"):
        assert text.count(chapter) == 1, chapter
    for code in CODES:
        assert f"Disease {code}" in text
    assert study_report(**many, first=["I00"], detailed=5) == html


def test_hypotheses_are_counted_over_all_and_listed_for_those_in_full(many):
    arranged = arrange(many["performance"], many["declaration"], first=(), detailed=5)
    named = {"set": "internal", "model": "ecg_age_sex", "hypothesis": "auroc > 0.5", "parent": None}
    sizes = {"n_tested": N, "n_families": N, "estimate": 0.6, "z": 2.0, "p_value": 0.02, "p_bh": 0.03, "p_by": 0.1}
    rows = [
        {**named, **sizes, "target": code, "family": code, "rejected": k % 3 == 0, "note": None}
        for k, code in enumerate(CODES)
    ]
    tested = HYPOTHESES.select(pl.DataFrame(rows, schema_overrides=HYPOTHESES.schema))
    shown = show_hypotheses(tested, arranged)
    assert shown["counts"] == [("held-out (internal)", "AUROC above 0.5", 90, 30, 30)]
    assert {row[0] for row in shown["rows"]} == set(arranged.detailed)
    assert "It holds for" in words(study_report(**many, hypotheses=tested))
    assert show_hypotheses(None, arranged) is None
