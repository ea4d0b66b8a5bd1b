"""The checker: tolerances, consistency, findings, scores; each verdict by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.interpret.handmade import case, interpretation

from twelvelead.interpret.claims import find_claims
from twelvelead.interpret.consistency import clashes, corrected
from twelvelead.interpret.criteria import Finding, Is, Pack
from twelvelead.interpret.tolerance import tolerance
from twelvelead.interpret.verify import verify
from twelvelead.interpret.verify_readings import read_out
from twelvelead.interpret.verify_scores import score
from twelvelead.measure import CATALOGUE

CASE, FOUND = case(), interpretation()
ERROR = {m.name: m.error for m in CATALOGUE}


def standings(text, found=FOUND):
    return [claim.standing.value for claim in verify(text, CASE, found)]


@pytest.mark.parametrize(
    ("name", "wave"), [("pr_interval_ms", "PR interval"), ("qrs_duration_ms", "QRS duration"), ("qt_interval_ms", "QT")]
)
def test_intervals_may_differ_by_our_own_measured_error_and_half_a_digit_and_no_more(name, wave):
    half = 1.96 * ERROR[name][1]
    assert tolerance(CASE, name).half == pytest.approx(half)
    for sign in (-1, 1):
        inside = math.floor(half + 0.5) * sign + CASE.values[name]
        outside = (math.floor(half + 0.5) + 1) * sign + CASE.values[name]
        assert standings(f"{wave} {inside:.0f} ms.") == ["supported"]
        assert standings(f"{wave} {outside:.0f} ms.") == ["contradicted"]


def test_amplitudes_may_differ_by_25_microvolts_or_5_percent():
    assert tolerance(CASE, "r_amplitude_v5_mv").half == pytest.approx(0.07)  # 5 % of 1.4 mV
    assert tolerance(CASE, "r_amplitude_v3_mv").half == pytest.approx(0.025)
    assert standings("R in V5 is 1.47 mV.") == ["supported"]
    assert standings("R in V5 is 1.48 mV.") == ["contradicted"]
    assert standings("R in V5 is 15 mm.") == ["supported"]  # of 1 mm as last digit
    assert standings("R in V5 is 15.0 mm.") == ["contradicted"]


def test_every_number_says_what_was_measured_how_far_it_may_be_off_and_where_it_stands():
    text = "Summary. The PR interval is 240 ms."
    [claim] = verify(text, CASE, FOUND)
    assert text[claim.start : claim.end] == claim.said == "PR interval is 240 ms"
    assert claim.measured == "168 ms"
    assert "11 ms (95 % limits of our error" in claim.tolerance
    assert claim.evidence == ("m:pr_interval_ms",)


def test_angles_go_round():
    turned = case()
    turned.values["qrs_axis_deg"] = 179.0
    [claim] = verify("The axis is -178°.", turned)
    assert claim.standing == "supported"
    assert read_out(turned, "qrs_axis_deg").difference(-178, -178) == pytest.approx(3.0)


def test_a_unit_of_something_else_is_a_contradiction():
    [claim] = verify("Heart rate 75 ms.", CASE)
    assert claim.standing == "contradicted"
    assert "measured in 1/min" in claim.why


def test_beats_one_by_one():
    assert standings("The third beat comes with an RR interval of 800 ms.") == ["supported"]
    assert standings("The third beat comes with an RR interval of 1100 ms.") == ["contradicted"]
    assert standings("Beat 40 has an RR interval of 800 ms.") == ["unmeasured"]


def test_findings_decide_diagnoses_and_only_firm_ones_contradict():
    assert standings("Complete LBBB.") == ["contradicted"]
    assert standings("No complete LBBB.") == ["supported"]
    assert standings("LVH.") == ["unverifiable"]  # absent, but within the error of a measurement
    assert standings("No LVH.") == ["supported"]
    assert standings("Left atrial abnormality.") == ["unverifiable"]  # indeterminate
    assert standings("Old inferior infarction.") == ["supported"]
    assert standings("No myocardial infarction.") == ["contradicted"]  # an inferior one is a kind of it
    assert standings("Brugada pattern.") == ["unverifiable"]  # no criterion of it


def test_words_decide_where_no_finding_does():
    assert standings("First-degree AV block.", ()) == ["contradicted"]
    assert standings("Sinus tachycardia.", ()) == ["contradicted"]
    assert standings("Left axis deviation.", ()) == ["contradicted"]


def test_between_the_loose_and_the_strict_limit_either_may_be_said():
    slow = case()
    slow.values["heart_rate_bpm"] = 55.0
    assert [c.standing.value for c in verify("Bradycardia. No bradycardia.", slow)] == ["supported", "supported"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Heart rate 75 bpm. RR interval 500 ms.", "an RR interval of 800 ms, not of 500"),
        ("Heart rate 75 bpm. QT 380 ms. QTc 500 ms.", "no QTc of 500 ms by any formula"),
        ("Heart rate 75 bpm. QT 380 ms. QTc 380 ms (Bazett).", "no QTc of 380 ms by Bazett"),
        ("Heart rate 100 bpm. QT 620 ms.", "does not fit into an RR interval of 600 ms"),
        ("QRS duration 400 ms. QT 380 ms.", "does not hold a QRS of 400 ms"),
        ("QRS axis 120°. The QRS is positive in lead I.", "the other sign in I"),
        ("ST level 0.1 mV in I, 0.5 mV in II and 0.1 mV in III.", "add up to 0.20 mV in II"),
        ("Heart rate 60 bpm. A pause of 1100 ms.", "a pause is longer than 1200 ms"),
    ],
)
def test_texts_that_contradict_themselves(text, why):
    assert any(why in clash.why for clash in clashes(find_claims(text))), text


@pytest.mark.parametrize(
    "text",
    [
        "Heart rate 75 bpm. RR interval 800 ms. QT 380 ms. QTc 425 ms (Bazett). QRS 92 ms.",
        "QRS axis 40°. The QRS is positive in leads I and aVF.",
        "ST level -0.04 mV in I, 0.18 mV in II, 0.22 mV in III.",
        "Heart rate 60 bpm. A pause of 1300 ms.", "Heart rate 75 bpm. Normal QTc of 410 ms. QT 380 ms.",
    ],
)  # fmt: skip
def test_texts_that_agree_with_themselves(text):
    assert clashes(find_claims(text)) == []


def test_corrections_of_qt_are_the_published_formulas():
    found = corrected(400.0, 1.0)
    assert set(found.values()) == {400.0}
    assert corrected(400.0, 0.5)["bazett"] == pytest.approx(400 * math.sqrt(2))


def test_gems_example_a_pause_of_517_ms_in_sinus_rhythm():
    """The claims that GEM's published example makes, in our words: arXiv 2503.06073, figure 3."""
    text = (
        "Sinus rhythm. Of the RR intervals there is a shorter interval at 255 ms, and a compensatory pause at 517 ms."
    )
    [clash] = clashes(find_claims(text))
    assert text[clash.start : clash.end] == "pause at 517 ms"
    assert "is no pause" in clash.why
    checked = verify(text, CASE, FOUND)
    assert [c.why for c in checked if c.kind == "consistency"] == [
        "517 ms is no pause beside RR intervals of 800 ms (the median of this recording): a pause is longer than 960 ms"
    ]
    said = {c.said: c.standing.value for c in checked}
    assert said["Sinus rhythm"] == "supported"
    assert said["shorter interval at 255 ms"] == "contradicted"


def test_scores_by_hand():
    pack = Pack("by_hand", "", "", tuple(Finding(k, k, "", Is("pr_interval_ms", ">", 200), "") for k in FOUND.findings))
    text = "PR interval 168 ms. QRS duration 150 ms. ST elevation in II, III and V2. Complete LBBB. Brugada pattern."
    checked = verify(text, CASE, FOUND)
    found = score(checked, CASE, [(pack, FOUND)])
    assert found.n_claims == 5
    assert found.numeric_precision == 0.5
    assert found.contradiction_rate == pytest.approx(3 / 5)  # QRS, V2, LBBB
    assert found.unsupported_rate == pytest.approx(4 / 5)
    assert found.omission_rate == 1.0  # of inferior infarction and ST elevation, as a finding, neither is supported
    assert found.lead_f1 == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))  # II, III right; V2 wrong; aVF not named
    nothing = score([], CASE, [])
    assert (nothing.n_claims, nothing.numeric_precision, nothing.lead_f1) == (0, None, None)


@given(st.floats(100, 300), st.sampled_from(["ms", "s"]))
def test_numbers_against_a_naive_comparison(value, unit):
    said = f"{value:.0f}" if unit == "ms" else f"{value / 1000:.3f}"
    slack = 1.96 * ERROR["pr_interval_ms"][1] + 0.5
    far = abs(float(said) * (1 if unit == "ms" else 1000) - 168.0) > slack + 1e-6
    assert standings(f"PR interval {said} {unit}.") == ["contradicted" if far else "supported"]
