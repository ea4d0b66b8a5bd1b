"""The pages of the judge: what they say, in which words, and that nothing in them runs."""

import re
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead.report.axes import style_models
from twelvelead.report.hypotheses_table import tabulate_hypotheses, tabulate_subgroup_differences
from twelvelead.report.nested_report import nested_report
from twelvelead.report.probast import QUESTIONS, answer_questions, checked_codes
from twelvelead.report.validation_report import Given, validation_report
from twelvelead.study.judgement import Choices, judge_place, part_by_place, smooth_curves
from twelvelead.terms import HYPOTHESES, PREDICTIONS, RESEARCH_ONLY, SUBGROUPS
from twelvelead.validate import RULES, Objection, performance
from twelvelead.validate.bootstrap import Bootstrap
from twelvelead.validate.hypotheses import hypotheses
from twelvelead.validate.nested_comparison import Contrast, compare_nested

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>&'
CHOICES = Choices(thresholds=(0.2,), cuts=(0.2, 0.4), level=0.95, n_resamples=40, seed=0)
GIVEN = Given(title="Judgement of a.csv", n_resamples=40, level=0.95, cuts=(0.2, 0.4))


def predictions(target="mi", n=200):
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    y = rng.random(n) < expit(x - 0.5)
    risks = {"age_sex": expit(-0.5 + 0 * x), "new": expit(x - 0.5), "permuted": expit(-0.5 + 0.1 * rng.normal(size=n))}
    ids = {"recording_id": [f"r{i:03d}" for i in range(n)], "patient_id": [f"p{i:03d}" for i in range(n)]}
    return PREDICTIONS.select(
        pl.concat(
            [
                pl.DataFrame({**ids, "target": target, "model": m, "set": "internal", "y": y, "p": p})
                for m, p in risks.items()
            ]
        )
    ).sort("target", "model", "recording_id")


@pytest.fixture(scope="module")
def judged():
    rows = predictions()
    tables = {"performance": performance(rows, n_resamples=40, level=0.95, seed=0, thresholds=(0.2,))}
    ((place, part),) = part_by_place(rows)
    for name, table in judge_place(part, CHOICES).items():
        tables[name] = table.select(pl.lit(place[0]).alias("target"), pl.lit(place[1]).alias("set"), pl.all())
    tables["calibration"] = smooth_curves(part_by_place(rows), level=0.95)
    tables["hypotheses"] = hypotheses(rows, model="new", base="age_sex", rate=0.05)
    return rows, tables


def contrast(null="permuted"):
    return Contrast("new", "age_sex", null, (0.2, 0.4), (0.2,), Bootstrap(40, 0, 0.95))


@pytest.fixture(scope="module")
def compared(judged):
    rows, _ = judged
    return compare_nested(rows, contrast())


class Tags(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page(judged, objections=(), **changes):
    rows, tables = judged
    return validation_report(rows, tables, objections, given=Given(**{**vars(GIVEN), **changes}))


def nested(judged, compared, *, null="permuted", objections=(), **changes):
    rows, tables = judged
    return nested_report(
        rows, compared, tables["performance"], contrast=contrast(null), objections=objections,
        given=Given(**{**vars(GIVEN), **changes}), calibration=tables["calibration"],
    )  # fmt: skip


# --- what holds for both pages ----------------------------------------------------------------------------------------


@pytest.fixture(params=["validation", "nested"])
def write(request, judged, compared):
    """Write either page with changes."""
    if request.param == "validation":
        return lambda **given: page(judged, **given)
    return lambda **given: nested(judged, compared, **given)


def test_nothing_runs_and_nothing_is_fetched(write):
    html = write()
    tags = Tags(html).tags
    assert not {"script", "iframe", "object", "img"} & {tag for tag, _ in tags}
    links = {a["href"] for _, a in tags if "href" in a and not a["href"].startswith("#")}
    assert links == {"data:,", "https://doi.org/10.1136/bmj-2024-082505", "https://doi.org/10.1136/bmj-2023-078378"}
    assert not any("src" in a for _, a in tags)
    assert "default-src 'none'" in html
    assert RESEARCH_ONLY in html
    assert not re.search(r"\{\{|\{%|StrictUndefined| None[ <]", Tags(html).text)


def test_inner_links_lead_somewhere(write):
    tags = Tags(write()).tags
    anchors = {a["id"] for _, a in tags if "id" in a}
    assert {a["href"][1:] for _, a in tags if a.get("href", "").startswith("#")} <= anchors
    assert len([a["id"] for _, a in tags if "id" in a]) == len(anchors)


def test_hostile_text_stays_text(write):
    html = write(
        title=HOSTILE, notes=[HOSTILE], provenance=[(HOSTILE, HOSTILE)], objections=[Objection("V001", HOSTILE)]
    )
    tags = Tags(html).tags
    assert not {"script", "img"} & {tag for tag, _ in tags}
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)


def test_simulated_patients_are_said_to_be_so(write):
    html = write(simulated=True)
    assert "SIMULATED DATA. No patient in this report exists" in html
    assert re.search(r"<title>[^<]*\(SIMULATED DATA\)</title>", html)
    assert "SIMULATED" not in write()


def test_objections_stand_with_who_asks(write):
    html = write(objections=[Objection("V020", "risks must be on the scale; got 3.")])
    text = Tags(html).text
    assert "V020 warning Risks must be on the scale; got 3. 13 evaluation 4.7" in text
    assert "1 objection of a methods reviewer" in text
    assert "Nothing, as far as could be checked." in Tags(write()).text


def test_what_was_not_checked_is_said(write):
    few, many = Tags(write()).text, Tags(write(known=["V001", "V014"])).text
    assert f"12 of {len(RULES)} rules" in few
    assert f"10 of {len(RULES)} rules" in many
    assert "V014 No recording is there twice" in few
    assert "V014 No recording is there twice" not in many


# --- the judgement ----------------------------------------------------------------------------------------------------


def test_the_page_quotes_the_table(judged):
    _, tables = judged
    row = tables["performance"].filter((pl.col("metric") == "auroc") & (pl.col("model") == "new")).row(0, named=True)
    words = f"{row['estimate']:.2f} ({row['lower']:.2f} to {row['upper']:.2f})"
    text = Tags(page(judged)).text
    assert "AUROC of permuted: mi (held-out (internal))" in text
    assert words in text
    strata = tables["strata"].filter((pl.col("model") == "new") & (pl.col("stratum") == "high")).row(0, named=True)
    assert f"high: 0.4 to 1 {strata['n']} ({strata['n_patients']}) {strata['n_events']}" in text
    ladder = (
        tables["recalibration"].filter((pl.col("model") == "new") & (pl.col("method") == "none")).row(0, named=True)
    )
    assert f"nothing {ladder['oe_ratio']:.2f}" in text


def test_curves_have_a_style_each(judged):
    html = page(judged)
    looks = style_models(["age_sex", "new", "permuted"])
    assert len({(s.colour, s.dash, s.marker) for s in looks.values()}) == 3
    for look in looks.values():
        assert f'stroke="{look.colour}"' in html
    # Three decision curves; two calibration curves, as risks that are all the same have none.
    assert html.count('fill-opacity="0.13"') == 5


def test_a_page_without_anything_estimable(judged):
    rows, tables = judged
    none = tables["performance"].with_columns(pl.lit(None, pl.Float64).alias(n) for n in ("estimate", "lower", "upper"))
    empty = {"performance": none, "calibration": tables["calibration"].clear()}
    text = Tags(validation_report(rows, empty, (), given=GIVEN)).text
    assert "Nothing could be estimated" in text
    assert "not estimable" in text


# --- the comparison ---------------------------------------------------------------------------------------------------


def test_the_verdict_is_by_the_interval_of_delta_auroc(judged, compared):
    text = Tags(nested(judged, compared)).text
    assert "Mi, held-out (internal): new ranks better than age + sex (ΔAUROC" in text
    assert "With the new predictors permuted:" in text

    def said(lower, upper):
        moved = pl.when(pl.col("measure") == "delta_auroc")
        table = compared.differences.with_columns(
            lower=moved.then(pl.lit(lower)).otherwise("lower"), upper=moved.then(pl.lit(upper)).otherwise("upper")
        )
        return Tags(nested(judged, type(compared)(**{**vars(compared), "differences": table}))).text

    assert "new ranks worse than age + sex" in said(-0.2, -0.1)
    assert "no difference between new and age + sex could be shown" in said(-0.1, 0.1)
    assert "no interval, so no conclusion" in said(None, None)


def test_nri_stands_below_its_warning_and_in_parts(judged, compared):
    text = Tags(nested(judged, compared)).text
    warning = text.index("Not evidence that the new model is better")
    assert (
        text.index("ΔAUROC (studentised bootstrap of patients)")
        < warning
        < text.index("… events moved up less moved down")
    )
    assert text.index("NRI with the declared classes") < text.index("Continuous NRI: sum")


def test_the_reclassification_table_counts_everyone(judged, compared):
    moved = compared.reclassification
    up = moved.filter((pl.col("y") == 1) & (pl.col("base") < pl.col("new")))["n"].sum()
    n = moved.filter(y=1)["n"].sum()
    assert f"Recordings with the event: up {up}, down" in Tags(nested(judged, compared)).text
    assert f"of {n}" in Tags(nested(judged, compared)).text


def test_without_a_null_model_the_page_says_so(judged):
    rows, _ = judged
    found = compare_nested(rows, contrast(None))
    text = Tags(nested(judged, found, null=None)).text
    assert "No null model was given" in text
    assert "permuted minus" not in text


# --- tables of tests, PROBAST+AI --------------------------------------------------------------------------------------


def test_hypotheses_say_how_many_were_tested():
    row = {
        "target": "I48", "set": "internal", "model": "ecg", "hypothesis": "auroc > 0.5", "parent": None,
        "family": "I48", "n_tested": 12, "n_families": 9, "estimate": 0.8, "z": 5.0, "p_value": 1e-7, "p_bh": 0.012,
        "p_by": 0.03, "rejected": True, "note": None,
    }  # fmt: skip
    found = tabulate_hypotheses(HYPOTHESES.select([row]))
    assert "12 targets (9 not within another)" in found["lead"]
    expected = ["I48", "held-out (internal)", "ECG", "AUROC above 0.5", "0.800", "< 0.001", "0.012", "0.030", "holds"]
    assert found["rows"] == [expected]
    assert tabulate_hypotheses(HYPOTHESES.empty()) is None


def test_subgroup_differences_leave_out_the_reference():
    shared = {
        "target": "I48", "set": "internal", "model": "ecg", "grouping": "age_band", "metric": "auroc",
        "reference": "old", "n": 90, "n_patients": 80, "n_events": 20, "estimate": 0.7, "level": 0.95, "statistic": 3.0,
        "degrees_of_freedom": 1, "p_value": 0.01, "p_bh": 0.04, "n_tested": 3, "note": None,
    }  # fmt: skip
    rows = [
        {**shared, "subgroup": "old", "difference": 0.0, "lower": None, "upper": None},
        {**shared, "subgroup": "young", "difference": 0.1, "lower": 0.05, "upper": 0.15},
    ]
    found = tabulate_subgroup_differences(SUBGROUPS.select(rows))
    assert found["lead"].startswith("1 interaction was declared")
    assert "1 held after" in found["lead"]
    assert [row["cells"] for row in found["rows"]] == [
        [
            "I48",
            "held-out (internal)",
            "age band",
            "AUROC",
            "young minus old",
            "0.100 (0.050 to 0.150)",
            "0.010",
            "0.040",
        ]
    ]
    assert tabulate_subgroup_differences(None)["rows"] == []


def test_probast_has_its_34_questions_and_every_rule_asks_one_or_a_domain():
    assert [sum(q.part == part for q in QUESTIONS) for part in ("development", "evaluation")] == [16, 18]
    places = {f"{q.part} {q.number}" for q in QUESTIONS}
    assert all(rule.probast in places or rule.probast == "evaluation 4" for rule in RULES)


def test_a_question_is_answered_only_by_what_was_checked():
    answers = {(a.question.part, a.question.number): a for a in answer_questions((), checked=checked_codes())}
    assert answers["evaluation", "4.2"].found == "no objection"
    assert answers["evaluation", "4.5"].found == "for the assessor"  # nothing of it was checked
    assert answers["development", "2.1"].found == "for the assessor"
