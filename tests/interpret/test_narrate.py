"""Narratives: each sentence with evidence that resolves, each number with its unit, in three forms."""

import re
from functools import lru_cache

import pytest

from twelvelead.interpret.case import examine
from twelvelead.interpret.criteria import Criterion, Finding, Has, InLeads, Is, Pack, any_of
from twelvelead.interpret.engine import judge
from twelvelead.interpret.narrate import resolve, strip_markers, write
from twelvelead.interpret.narrate_findings import small
from twelvelead.interpret.narrate_paragraph import WORDS, paragraph
from twelvelead.interpret.narrate_report import SECTIONS, print_report, report
from twelvelead.interpret.narrate_steps import steps
from twelvelead.interpret.narrate_words import say_value
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.verify import CONTRADICTED, verify
from twelvelead.simulate import SITE_A, hospital, recording
from twelvelead.terms import RESEARCH_ONLY, InputError

DOI = "doi:10.1161/CIR.0000000000000628"
RATE = Criterion("rate", "rate above 20 per minute", Is("heart_rate_bpm", ">", 20), DOI)
PACK = Pack(
    "small", "Of this test", DOI,
    (
        Finding("beats", "Beating heart", "rhythm", RATE, DOI),
        Finding("fast", "Sinus tachycardia", "rhythm", Is("heart_rate_bpm", ">", 300), DOI),
        Finding("slow", "Sinus bradycardia", "rhythm", Has("fast"), DOI, unless=("beats",)),
        Finding("tall", "Tall R waves", "chambers",
                InLeads(("I", "V5"), any_of(Is("r_amplitude_{lead}_mv", ">", 0))), DOI),
    ),
)  # fmt: skip
FORMS = {"report": report, "paragraph": paragraph, "steps": steps}


@lru_cache
def cases():
    sim = hospital(3, site=SITE_A, seed=5)
    rows = [sim.truth.row(k, named=True) for k in range(3)]
    return [examine(recording(row, site=SITE_A), age_years=60.0, sex="female") for row in rows]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pack", [PACK, DEFAULT], ids=lambda pack: pack.key)
def test_every_sentence_has_evidence_that_resolves_and_every_number_a_unit(form, pack):
    for case in cases():
        statements = FORMS[form](case, pack, judge(case, pack))
        for s in statements:
            assert s.evidence
            for fact in s.facts:
                evidence = resolve(f"m:{fact.name}", case)
                assert s.text[fact.start : fact.end] == say_value(evidence.value, evidence.unit)
                assert f"m:{fact.name}" in s.evidence
                assert evidence.spans
            if s.facts:
                assert any(unit in s.text for unit in (" ms", " mV", " bpm", "°"))


def test_a_marker_names_a_number_with_its_place_and_can_be_taken_out():
    case = cases()[0]
    statements = report(case, PACK, judge(case, PACK))
    with_markers = write(statements, markers=True)
    assert strip_markers(with_markers) == write(statements)
    ids = set(re.findall(r"\[\[(m:\w+)\]\]", with_markers))
    assert "m:heart_rate_bpm" in ids
    rate = resolve("m:heart_rate_bpm", case)
    assert (rate.name, rate.unit) == ("heart_rate_bpm", "1/min")
    assert rate.value == case.values["heart_rate_bpm"]
    with pytest.raises(InputError, match="an evidence id must be"):
        resolve("m:no_such_thing_ms", case)


def test_findings_are_told_as_present_absent_or_not_judged_with_the_reason():
    case = cases()[0]
    told = {s.finding: s for s in report(case, PACK, judge(case, PACK)) if s.finding}
    rate = say_value(case.values["heart_rate_bpm"], "1/min")
    assert told["beats"].text == f"Beating heart (heart rate {rate})."
    assert (told["fast"].text, told["fast"].polarity) == ("No sinus tachycardia.", "absent")
    assert told["slow"].polarity == "indeterminate"
    assert told["slow"].text == "Sinus bradycardia can't be judged in beating heart."


def test_the_report_has_its_sections_and_says_what_it_is_not():
    case = cases()[0]
    printed = print_report(report(case, DEFAULT, judge(case, DEFAULT)))
    for heading, _, _ in SECTIONS:
        assert f"{heading}:\n" in printed
    assert "Impression:\n" in printed
    assert printed.rstrip().endswith(RESEARCH_ONLY)


def test_every_group_of_findings_has_a_section():
    told = {group for _, groups, _ in SECTIONS for group in groups}
    assert {finding.group for finding in DEFAULT.findings} <= told


def test_a_paragraph_has_300_words_at_most_and_each_group_of_leads():
    for case in cases():
        text = write(paragraph(case, DEFAULT, judge(case, DEFAULT)))
        assert len(text.split()) <= WORDS
        assert "\n" not in text
        for leads in ("II, III and aVF", "I, aVL, V5 and V6", "V1 and V2", "V3 and V4"):
            assert f"ST level at J in {leads}:" in text


def test_steps_tell_criterion_measurement_and_verdict():
    case = cases()[0]
    texts = [s.text for s in steps(case, PACK, judge(case, PACK))]
    rate = say_value(case.values["heart_rate_bpm"], "1/min")
    assert texts[0] == f"Criterion: rate above 20 per minute; measured heart rate {rate}; met."
    assert texts[-1].startswith("In summary: beating heart")


def test_the_same_case_gives_the_same_text():
    case = cases()[0]
    found = judge(case, DEFAULT)
    assert write(steps(case, DEFAULT, found)) == write(steps(case, DEFAULT, judge(case, DEFAULT)))


@pytest.mark.parametrize("form", FORMS)
def test_the_checker_contradicts_nothing_of_them(form):
    for case in cases():
        found = judge(case, DEFAULT)
        statements = FORMS[form](case, DEFAULT, found)
        text = print_report(statements) if form == "report" else write(statements)
        wrong = [(c.said, c.why) for c in verify(text, case, found) if c.standing is CONTRADICTED]
        assert wrong == []


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(0.0, "mV", "0.00 mV"), (-0.001, "mV", "0.00 mV"), (179.6, "deg", "180°"), (59.5, "1/min", "60 bpm"),
     (0.5, "1", "0.50")],
)  # fmt: skip
def test_numbers_are_rounded_to_what_is_measured(value, unit, said):
    assert say_value(value, unit) == said


def test_labels_begin_small_unless_with_a_symbol():
    assert [small(x) for x in ("Pause", "QT", "ST elevation")] == ["pause", "QT", "ST elevation"]
