"""Scores of texts: counts by hand, controls that must fall, and the published ways of adding up a judge's marks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.interpret.case import examine
from twelvelead.interpret.engine import judge
from twelvelead.interpret.gem_scores import GEM, add_marks
from twelvelead.interpret.narrate import write
from twelvelead.interpret.narrate_paragraph import paragraph
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.proof import Span
from twelvelead.interpret.text_scores import (
    TextCounts,
    add_counts,
    count_text,
    count_with_controls,
    exchange,
    figures,
    overlap_s,
)
from twelvelead.simulate import SITE_A, hospital, recording
from twelvelead.terms import InputError


@pytest.fixture(scope="module")
def cases():
    sim = hospital(5, site=SITE_A, seed=4)
    people = sim.truth.rows(named=True)
    return {f"r{k}": examine(recording(person, site=SITE_A)) for k, person in enumerate(people[:5])}


def test_a_text_is_counted_by_hand(cases):
    case = cases["r0"]
    rate, width = case.values["heart_rate_bpm"], case.values["qrs_duration_ms"]
    text = f"Heart rate {rate:.0f} bpm. QRS duration {width + 80:.0f} ms. T-wave amplitude 9.00 mV in V2."
    counts = count_text(text, case, DEFAULT)
    assert (counts.n_numbers, counts.n_numbers_right) == (3, 1)
    assert counts.n_leads == 1
    assert (counts.n_lead_claims, counts.n_lead_claims_right) == (1, 0)
    assert counts.n_contradicted >= 2


def test_an_invented_diagnosis_costs(cases):
    case = cases["r0"]
    found = judge(case, DEFAULT)
    ours = write(paragraph(case, DEFAULT, found))
    plain, invented = (count_text(text, case, DEFAULT) for text in (ours, f"{ours} Complete left bundle branch block."))
    assert plain.n_false_diagnoses == 0
    assert invented.n_false_diagnoses == 1
    assert plain.n_findings == plain.n_findings_named


def test_our_own_texts_score_best_and_both_controls_worse(cases):
    texts = {name: write(paragraph(case, DEFAULT, judge(case, DEFAULT))) for name, case in cases.items()}
    counts = count_with_controls(texts, cases, pack=DEFAULT, seed=0)
    ours, shuffled, none = (figures(add_counts(counts[k].values())) for k in ("texts", "shuffled_ecg", "no_ecg"))
    assert ours["numeric_precision"] == 1.0
    assert ours["contradiction_rate"] == 0.0
    for control in (shuffled, none):
        assert control["numeric_precision"] < 0.8
        assert control["contradiction_rate"] > 0.1
        assert control["lead_accuracy"] < ours["lead_accuracy"] == 1.0


def test_nothing_is_made_of_nothing(cases):
    nothing = figures(count_text("Interesting.", cases["r0"], DEFAULT))
    assert nothing["numeric_precision"] is nothing["contradiction_rate"] is nothing["lead_accuracy"] is None
    assert nothing["lead_coverage"] == 0.0
    assert set(figures(TextCounts()).values()) == {None}
    with pytest.raises(InputError, match="got no text"):
        count_with_controls({}, cases, pack=DEFAULT, seed=0)
    with pytest.raises(InputError, match="first 'r9'"):
        count_with_controls({"r9": "x"}, cases, pack=DEFAULT, seed=0)


spans = st.lists(st.tuples(st.sampled_from(["I", "V1", None]), st.integers(0, 30), st.integers(1, 12)), max_size=6)


@given(spans, spans)
def test_overlap_is_that_of_hundredths_of_seconds_counted_one_by_one(first, second):
    def grid(drawn):
        return {(lead, k) for lead, start, length in drawn for k in range(start, start + length)}

    def made(drawn):
        return [Span(lead, start / 100, (start + length) / 100, "P") for lead, start, length in drawn]

    shared, either = overlap_s(made(first), made(second))
    a, b = grid(first), grid(second)
    assert shared == pytest.approx(len(a & b) / 100, abs=1e-9)
    assert either == pytest.approx(len(a | b) / 100, abs=1e-9)


def test_the_whole_recording_is_no_place():
    assert overlap_s([Span(None, 0.0, 10.0, "RR")], [Span(None, 0.0, 10.0, "RR")]) == (0.0, 0.0)


@given(st.integers(2, 30), st.integers(0, 99))
def test_an_exchange_leaves_nobody_his_own(n, seed):
    ids = [f"r{k}" for k in range(n)]
    swapped = exchange(ids, seed=seed)
    assert sorted(swapped) == sorted(swapped.values()) == sorted(ids)
    assert all(name != other for name, other in swapped.items())


FULL = {
    "DiagnosisAccuracy": [2, 1, 0], "AnalysisCompleteness": [1, 1, 0], "AnalysisRelevance": [2, 2, 1],
    "LeadAssessmentCoverage": [1] * 9, "LeadAssessmentAccuracy": [2] * 6 + [1] * 3,
    "ECGFeatureGrounding": [70], "EvidenceBasedReasoning": [60], "ClinicalDiagnosticFidelity": [80],
}  # fmt: skip


def test_gems_sums_by_hand():
    gem = add_marks({"a": FULL}, rules="gem")
    assert gem == {
        "DiagnosisAccuracy": pytest.approx(200 / 3), "AnalysisCompleteness": 2, "AnalysisRelevance": 5,
        "LeadAssessmentCoverage": 75, "LeadAssessmentAccuracy": 62.5,
        "ECGFeatureGrounding": 70, "EvidenceBasedReasoning": 60, "ClinicalDiagnosticFidelity": 80,
    }  # fmt: skip


def test_the_faults_are_kept_and_the_strict_rules_have_none():
    wrong = {**FULL, "DiagnosisAccuracy": [1, 0, 0], "EvidenceBasedReasoning": [60, 60]}
    assert add_marks({"a": wrong}, rules="gem")["DiagnosisAccuracy"] == pytest.approx(100 / 3), "half right is right"
    assert add_marks({"a": wrong}, rules="gem-mean")["DiagnosisAccuracy"] == 50, "wrong ones cost nothing"
    assert add_marks({"a": wrong}, rules="gem")["EvidenceBasedReasoning"] == 120, "more than all"
    with pytest.raises(InputError, match="EvidenceBasedReasoning there must be 1 to 1 marks"):
        add_marks({"a": wrong}, rules="strict")
    mended = {**wrong, "EvidenceBasedReasoning": [60]}
    assert add_marks({"a": mended}, rules="strict")["DiagnosisAccuracy"] == pytest.approx(100 / 6)
    covered = {**FULL, "LeadAssessmentCoverage": [1] * 15}
    assert add_marks({"a": covered}, rules="gem")["LeadAssessmentCoverage"] == 100
    with pytest.raises(InputError, match="1 to 12 marks"):
        add_marks({"a": covered}, rules="strict")


def test_gem_does_not_find_the_names_of_its_own_prompt_and_ecg_r1_does():
    marks = {"GroundedECGUnderstanding": [70], "Evidence-BasedReasoning": [60], "RealisticDiagnosticProcess": [80]}
    assert add_marks({"a": marks}, rules="gem") == {}
    r1 = add_marks({"a": marks}, rules="ecg-r1")
    assert (r1["ECGFeatureGrounding"], r1["Average"]) == (70, 70)


def test_recordings_without_a_mark_are_passed_over_unless_strict():
    judged = {"a": FULL, "b": {"DiagnosisAccuracy": [2]}}
    table = add_marks(judged, rules="gem")
    assert table["ECGFeatureGrounding"] == 70
    assert table["DiagnosisAccuracy"] == pytest.approx((200 / 3 + 100) / 2)
    with pytest.raises(InputError, match="of 'b'"):
        add_marks(judged, rules="strict")
    assert set(add_marks({"a": FULL}, rules="strict")) == set(GEM)
    assert np.isfinite(list(add_marks({"a": FULL}, rules="strict").values())).all()


def test_a_finding_called_possible_is_named(cases):
    case = next(c for c in cases.values() if count_text("x", c, DEFAULT).n_findings)
    ours = write(paragraph(case, DEFAULT, judge(case, DEFAULT)))
    silent, said = count_text("Interesting.", case, DEFAULT), count_text(ours, case, DEFAULT)
    assert (silent.n_findings_named, said.n_findings_named) == (0, said.n_findings)
