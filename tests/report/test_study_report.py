"""The page as a whole: complete, self-contained, harmless and the same every time."""

import html as html_entities
import re
from html.parser import HTMLParser

import polars as pl
import pytest

from twelvelead.report import study_report
from twelvelead.report.performance_table import write_estimate
from twelvelead.terms import PERFORMANCE, SELECTION, SHAP, ContractError, InputError

HOSTILE = '<script>alert(1)</script> & "co"'
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Reader(HTMLParser):
    """Checks that tags nest, and collects ids, links and text."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.words = [], [], [], set(), []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[k] for k in ("href", "src", "xlink:href", "action", "data") if k in given]
        assert not [k for k in given if k.startswith("on")], f"event handler on {tag}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    return reader


def words(html):
    return re.sub(r"\s+", " ", html_entities.unescape(re.sub(r"<[^>]+>", "", html)))


def test_nothing_is_fetched_and_nothing_runs(study):
    html = study_report(**study)
    page = read(html)
    assert not page.tags & {"script", "iframe", "object", "embed", "img", "form"}
    outside = [link for link in page.links if not link.startswith(("#", "data:,", "https://doi.org/"))]
    assert not outside
    assert "default-src 'none'" in html
    assert "url(" not in html
    assert "@import" not in html


def test_every_link_within_the_page_arrives_and_ids_are_unique(study):
    page = read(study_report(**study))
    assert len(set(page.ids)) == len(page.ids)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_every_estimate_stands_there_with_its_interval(study):
    text = words(study_report(**study))
    for row in study["performance"].iter_rows(named=True):
        if row["model"] == "ecg_age_sex" or row["stratum"] == "all":
            assert write_estimate(row) in text, row


def test_intervals_state_level_resamples_and_unit(study):
    sentence = "95 % interval from 1\u202f000 bootstrap resamples of patients"
    text = words(study_report(**study)).replace(" ", " ")
    assert re.sub(r"\s", "", sentence) in re.sub(r"\s", "", text)
    counted = study["performance"].with_columns(n_resamples=pl.lit(500), n_discarded=pl.lit(3))
    text = words(study_report(**{**study, "performance": counted}))
    assert (
        "500 bootstrap resamples of patients; those in which a figure is undefined were left out of it, at most 3."
        in text
    )


def test_headline_counts_gains_by_their_interval(study):
    # ΔAUROC 0.051 ± 0.04 lies above 0, 0.01 ± 0.04 does not.
    text = words(study_report(**study))
    assert "added to age and sex for 1 of 2 targets in held-out (internal) recordings and 1 of 2 targets in ext" in text
    assert "0.051 (0.011 to 0.091) gain" in text
    assert "0.010 (−0.030 to 0.050) gain" not in text


def test_a_loss_is_called_a_loss(study):
    worse = study["performance"].with_columns(
        pl.when(pl.col("metric") == "delta_auroc").then(pl.col(c) - 1).otherwise(pl.col(c)).alias(c)
        for c in ("estimate", "lower", "upper")
    )
    text = words(study_report(**{**study, "performance": worse}))
    assert "for 0 of 2 targets in held-out (internal) recordings (and made the prediction worse for 2)" in text


def test_hostile_names_are_only_text(study, declaration):
    study["declaration"] = {**declaration, "title": HOSTILE, "question": HOSTILE}
    study["declaration"]["targets"][0]["title"] = HOSTILE
    study["failures"] = study["failures"].with_columns(message=pl.lit(HOSTILE))
    study["notes"], study["versions"] = [HOSTILE], {HOSTILE: HOSTILE}
    study["refusals"] = [{"target": HOSTILE, "message": HOSTILE}]
    html = study_report(**study)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    read(html)


def test_simulated_data_are_called_so_loudly(study):
    assert "SIMULATED" not in study_report(**study)
    study |= {"simulated": True, "optimum": {"internal": {"MI": 0.9, "HYP": 0.8}}}
    text = words(study_report(**study))
    assert text.count("SIMULATED DATA") == 2  # in the window's title and above the page
    # Best minus reached: 0.9 − 0.85 and 0.8 − 0.73.
    assert "what was reached stays behind it by 0.05 to 0.07" in text


def test_research_only_is_the_first_thing_said(study):
    page = read(study_report(**study))
    said = [w.strip() for w in page.words if w.strip()]
    assert "Research software, not a medical device. Not for diagnosis or treatment." in said[:6]


def test_same_study_same_bytes_whatever_the_order_of_rows(study):
    first = study_report(**study)
    assert first == study_report(**study)
    for name in ("predictions", "shap", "cohort", "features", "outcomes"):
        study[name] = study[name].sample(fraction=1, shuffle=True, seed=3)
    assert study_report(**study) == first


def test_refusals_failures_and_exclusions_are_told(study):
    text = words(study_report(**study))
    assert "at least 20 events; got 3." in text
    assert "12 leads are flat." in text
    assert "excluded: 10 recordings" in text
    assert "Few events per predictor." in text


def test_a_bare_study_is_written_too(study, declaration):
    """Cross-fitting without an external database, SHAP values, example, failures or refusals."""
    declaration = {**declaration, "external": None, "split": {**declaration["split"], "method": "cross_fit"}}
    inside = {
        name: study[name].filter(pl.col("set") == "internal") for name in ("cohort", "predictions", "performance")
    }
    study |= {**inside, "declaration": declaration, "external_flow": None, "shap": SHAP.empty(), "example": None}
    study |= {"selection": SELECTION.empty(), "failures": study["failures"].clear(), "refusals": [], "notes": []}
    html = study_report(**study)
    text = words(html)
    assert "Every recording could be measured." in text
    assert "There was no external validation." in text
    assert "Development (cross-fitted)" in text
    assert 'id="example"' not in html
    assert 'href="#example"' not in html
    read(html)


def test_a_study_without_any_model_is_still_a_report(study):
    study |= {"performance": PERFORMANCE.empty(), "predictions": study["predictions"].clear()}
    study |= {"selection": SELECTION.empty(), "shap": SHAP.empty(), "example": None}
    text = words(study_report(**study))
    assert "No comparison with age and sex could be made." in text
    assert "at least 20 events; got 3." in text


def test_one_class_in_a_set_leaves_out_its_curves_only(study):
    one = pl.when(pl.col("set") == "external").then(0).otherwise(pl.col("y")).cast(pl.Int8).alias("y")
    study["predictions"] = study["predictions"].with_columns(one)
    assert "Only one class occurs here; no curve can be drawn." in words(study_report(**study))


def test_broken_tables_and_a_flat_optimum_are_refused(study):
    with pytest.raises(ContractError, match="predictions: must have column"):
        study_report(**{**study, "predictions": study["predictions"].drop("p")})
    with pytest.raises(InputError, match=r"optimum must give the best AUROC per set and target; got 0\.9 for 'MI'"):
        study_report(**{**study, "optimum": {"MI": 0.9}})


def test_paper_mode_warns_on_the_first_screen(study, declaration):
    study["declaration"] = {**declaration, "mode": "paper"}
    text = words(study_report(**study))
    assert text.index("this run repeats a published method with its faults") < text.index("Development database")
