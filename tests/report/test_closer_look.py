"""What the study report says beside the performance: reasons, subgroups, recalibration, PROBAST+AI."""

import polars as pl
import pytest

from twelvelead.report.closer_look import show_interactions, show_recalibration
from twelvelead.report.overview import Arrangement
from twelvelead.report.performance_table import tabulate_subgroups
from twelvelead.report.probast import checked_codes
from twelvelead.report.reasons import draw_concepts, tabulate_ranks
from twelvelead.report.study_report import study_report
from twelvelead.terms import PERFORMANCE, REASON_AGREEMENT, REASON_CONCEPTS, REASONS, RECALIBRATION, SUBGROUPS
from twelvelead.validate import Objection

from .conftest import performance_row
from .test_study_report import read, words

TITLES = {"MI": "Infarction", "HYP": "Hypertrophy"}
FEW = Arrangement(TITLES, TITLES, {}, TITLES)
MODEL = "ecg_age_sex"


def interaction(target, p_bh, **more):
    row = {
        "target": target, "set": "internal", "model": MODEL, "grouping": "sex", "metric": "auroc", "reference": "male",
        "level": 0.95, "p_value": None if p_bh is None else p_bh / 2, "p_bh": p_bh, "n_tested": 2,
    }  # fmt: skip
    large = {"n": 50, "n_patients": 40, "n_events": 20}
    return [
        {**row, "subgroup": "male", **large, "estimate": 0.8},
        {
            **row,
            "subgroup": "female",
            **large,
            "estimate": 0.7,
            "difference": -0.1,
            "lower": -0.2,
            "upper": 0.0,
            **more,
        },
    ]


@pytest.fixture
def closer():
    place = {"target": "MI", "model": MODEL}
    reasons = [
        {**place, "set": set_, "feature": feature, "concept": concept, "mean_abs_shap": 0.4 - 0.1 * rank, "rank": rank,
         "rank_lower": 1.0, "rank_upper": 2.5, "top_share": 1.0, "chosen_share": 0.4}
        for set_ in ("internal", "external")
        for rank, feature, concept in ((1, "qtc_fridericia_ms", "repolarisation"), (2, "age_years", "demographics"))
    ]  # fmt: skip
    concepts = [{**row, "n_predictors": 1} for row in reasons]
    agreement = [
        {**place, "measure": measure, "n_predictors": 2, "estimate": 0.61, "lower": 0.5, "upper": 0.7}
        for measure in ("spearman", "kendall", "top_overlap")
    ]
    ladder = [
        {**place, "set": "external", "method": method, "n": 60, "n_events": 20, "oe_ratio": oe,
         "calibration_slope": slope, "ici": 0.031}
        for method, oe, slope in (("none", 1.73, 0.6), ("intercept", 1.01, 0.6), ("logistic", 1.02, 0.97))
    ]  # fmt: skip
    empty = dict.fromkeys(RECALIBRATION.schema)
    return {
        "reasons": REASONS.select(reasons),
        "concepts": REASON_CONCEPTS.select(concepts),
        "reason_agreement": REASON_AGREEMENT.select(agreement),
        "recalibration": RECALIBRATION.select([{**empty, **row} for row in ladder]),
        "subgroups": SUBGROUPS.select([{**dict.fromkeys(SUBGROUPS.schema), **row} for row in interaction("MI", 0.01)]),
    }


def test_everything_stands_on_the_page(study, closer):
    objections = [Objection("V010", "the sample must be large; got a small one. Widen it.")]
    html = study_report(**study, closer=closer, objections=objections, checked=checked_codes(["V010"]))
    said = words(html)
    for phrase in ("in log-odds: repolarisation (0.30) and demographics (0.20)", "0.61 (0.50 to 0.70)", "1.73",
                   "−0.100 (−0.200 to 0.000)", "differ", "34 questions"):  # fmt: skip
        assert phrase in said, phrase
    for anchor in ("agreement", "recalibration", "probast", "subgroups"):
        assert f'id="{anchor}"' in html, anchor
        assert f'href="#{anchor}"' in html, anchor
    assert "Importance by concept, Infarction" in html
    read(html)


def test_without_a_closer_look_nothing_of_it_is_there(study):
    html = study_report(**study)
    for absent in ('id="agreement"', 'id="recalibration"', "Importance by concept", "Differences between subgroups"):
        assert absent not in html, absent


def test_bars_are_as_long_as_their_means(closer):
    drawn = draw_concepts(closer["concepts"], subject="Infarction")
    assert drawn.index("Repolarisation") < drawn.index("Demographics")
    lengths = [float(part.split('width="')[1].split('"')[0]) for part in drawn.split("<rect ")[3:]]
    assert lengths[0] / lengths[2] == pytest.approx(0.3 / 0.2, rel=0.01)


def test_ranks_of_both_sets_stand_side_by_side(closer):
    table = tabulate_ranks(
        closer["reasons"].filter(~((pl.col("set") == "external") & (pl.col("feature") == "age_years")))
    )
    assert table["rows"] == [
        ["QTc Fridericia (ms)", "repolarisation", "1 (1–2.5)", "1 (1–2.5)", "40\u00a0%"],
        ["age (years)", "demographics", "2 (1–2.5)", "not used", "40\u00a0%"],
    ]


def test_interactions_are_counted_over_all_targets_and_shown_of_some():
    rows = [*interaction("MI", 0.04), *interaction("HYP", None, difference=None, note="suppressed: few")]
    table = SUBGROUPS.select([{**dict.fromkeys(SUBGROUPS.schema), **row} for row in rows])
    some = Arrangement(TITLES, TITLES, {}, {"HYP": "Hypertrophy"})
    shown = show_interactions(table, some, rate=0.05)
    assert shown["counts"] == [("Held-out (internal)", "sex", "2", "1", "1")]
    assert [row["cells"][0] for row in shown["rows"]] == ["Hypertrophy"]
    assert shown["rows"][0]["cells"][5] == "suppressed"
    assert show_interactions(table, FEW, rate=0.05)["rows"][0]["differs"]
    assert not show_interactions(table, FEW, rate=0.03)["rows"][0]["differs"]


def test_a_target_that_cannot_be_mended_says_why(closer):
    one = dict.fromkeys(RECALIBRATION.schema) | {
        "target": "HYP", "model": MODEL, "set": "external", "method": "none", "note": "not estimable: few",
    }  # fmt: skip
    table = pl.concat([closer["recalibration"], RECALIBRATION.select([one])])
    shown = show_recalibration(table, FEW)
    assert [(row["size"], row["note"]) for row in shown["rows"]] == [("20 of 60", ""), ("< 10", "not estimable: few")]
    assert shown["rows"][0]["cells"][:3] == ["1.73", "1.01", "1.02"]
    assert shown["median"][:3] == ["1.73", "1.01", "1.02"]
    assert show_recalibration(closer["recalibration"], FEW)["median"] == []


@pytest.mark.parametrize(
    ("known", "hidden"),
    [
        ({"a": 40, "b": 30, "c": 20}, set()),
        ({"a": 40, "b": 30, "c": None}, {"b", "c"}),  # c would be the whole less a and b
        ({"a": 40, "b": None, "c": None}, {"b", "c"}),
        ({"a": None}, {"a"}),
    ],
)
def test_counts_of_suppressed_subgroups_cannot_be_had_from_the_others(known, hidden):
    rows = [
        {**performance_row("MI", MODEL, "internal", "auroc", 0.7, stratum=f"site={name}"), "n_patients": n or 3,
         **({"estimate": None, "lower": None, "upper": None} if n is None else {})}
        for name, n in known.items()
    ]  # fmt: skip
    table = tabulate_subgroups(PERFORMANCE.select(rows), titles={"MI": "Infarction"}, model=MODEL)
    assert {row["stratum"][-1] for row in table if row["n"] == row["n_patients"] == row["n_events"] == "–"} == hidden
