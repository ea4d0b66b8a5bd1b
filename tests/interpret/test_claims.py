"""What is read out of a text, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.interpret.claims import find_claims
from twelvelead.interpret.lexicon import leads_in
from twelvelead.interpret.lexicon_diagnoses import CONCEPTS, narrower
from twelvelead.interpret.lexicon_features import FEATURES
from twelvelead.interpret.lexicon_quantities import QUANTITIES
from twelvelead.interpret.verify_readings import PUT_TOGETHER
from twelvelead.measure import CATALOGUE
from twelvelead.terms import LEADS

NAMES = {m.name for m in CATALOGUE}


@pytest.mark.parametrize(
    ("words", "leads"),
    [
        ("II, III, and aVF", ("II", "III", "aVF")), ("V2–V4", ("V2", "V3", "V4")), ("V2 to V4", ("V2", "V3", "V4")),
        ("V1-3", ("V1", "V2", "V3")), ("V5/V6", ("V5", "V6")), ("leads I and aVL", ("I", "aVL")),
        ("V1, V2 and V5 through V6", ("V1", "V2", "V5", "V6")), ("lead avf", ("aVF",)),
    ],
)  # fmt: skip
def test_lead_expressions(words, leads):
    assert leads_in(words) == leads
    [claim] = find_claims(f"ST elevation in {words}.")
    assert claim.leads == leads
    assert not claim.group


@pytest.mark.parametrize(
    ("words", "low", "unit", "step"),
    [
        ("0.16 s", 160, "ms", 10), ("160 ms", 160, "ms", 1), ("160 milliseconds", 160, "ms", 1), ("160", 160, "ms", 1),
        ("0.160 sec", 160, "ms", 1), ("160.5 msec", 160.5, "ms", 0.1),
    ],
)  # fmt: skip
def test_intervals_in_any_unit(words, low, unit, step):
    [claim] = find_claims(f"The PR interval is {words}.")
    assert (claim.subject, claim.unit) == ("pr", unit)
    assert (claim.low, claim.step) == pytest.approx((low, step))


@pytest.mark.parametrize(("words", "mv"), [("12 mm", 1.2), ("1.2 mV", 1.2), ("1200 µV", 1.2), ("1200 uV", 1.2)])
def test_amplitudes_in_any_unit(words, mv):
    [claim] = find_claims(f"The R wave in V5 is {words}.")
    assert (claim.subject, claim.leads, claim.unit) == ("r", ("V5",), "mV")
    assert claim.low == pytest.approx(mv)


@pytest.mark.parametrize(
    "text",
    [
        "No ST elevation.", "There is no evidence of ST elevation.", "ST elevation is absent.", "Without ST elevation.",
        "ST elevation is not present.", "Absence of ST elevation.", "ST elevation has been ruled out.",
        "ST segments are not elevated.", "There isn't any ST elevation.",
    ],
)  # fmt: skip
def test_denials(text):
    [claim] = find_claims(text)
    assert claim.subject == "st up"
    assert claim.negated


@pytest.mark.parametrize("text", ["Possible LVH.", "LVH cannot be excluded.", "LVH is likely.", "This may be LVH."])
def test_hedges(text):
    [claim] = find_claims(text)
    assert (claim.subject, claim.hedged, claim.negated) == ("lvh", True, False)


def test_a_denial_ends_where_another_statement_begins():
    up, inverted = find_claims("There is no ST elevation, but T waves are inverted in V2.")
    assert (up.negated, inverted.negated) == (True, False)
    assert (up.leads, inverted.leads) == ((), ("V2",))
    wide, absent = find_claims("QRS is wide and P waves are absent.")
    assert (wide.subject, wide.negated, absent.subject, absent.negated) == ("qrs wide", False, "p present", True)


def test_each_number_goes_to_its_own_lead():
    text = "ST elevation in II (0.12 mV), III (0.20 mV) and aVF (0.15 mV)."
    values = {claim.leads: claim.low for claim in find_claims(text) if claim.kind == "number"}
    assert values == {("II",): 0.12, ("III",): 0.20, ("aVF",): 0.15}
    text = "T-wave amplitude in II, III and aVF: 0.12 mV, -0.20 mV and 0.15 mV."
    assert [(c.leads, c.low) for c in find_claims(text)] == [(("II",), 0.12), (("III",), -0.20), (("aVF",), 0.15)]


def test_a_depth_is_negative_where_the_wave_points_down():
    number = next(c for c in find_claims("ST depression of 1.5 mm in V5.") if c.kind == "number")
    assert number.low == pytest.approx(-0.15)


@pytest.mark.parametrize(
    ("text", "comparator"),
    [
        ("QRS duration > 120 ms", ">"), ("QRS duration of less than 120 ms", "<"),
        ("QRS duration up to 120 ms", "up to"),
        ("QRS duration does not exceed 120 ms", "<"), ("QRS duration 120 ms", "="),
    ],
)  # fmt: skip
def test_comparators(text, comparator):
    [claim] = find_claims(text)
    assert (claim.comparator, claim.low) == (comparator, 120)


def test_groups_beats_formulas_and_extremes():
    [claim] = find_claims("T waves are flattened in the lateral leads.")
    assert claim.group
    assert claim.leads == ("I", "aVL", "V5", "V6")
    [claim] = find_claims("The third beat has a PR interval of 150 ms.")
    assert claim.beat == 3
    [claim] = find_claims("QTc 420 ms (Fridericia).")
    assert claim.qualifier == "fridericia"
    [claim] = find_claims("The longest RR interval is 1.2 s.")
    assert (claim.qualifier, claim.low) == ("longest", 1200)


@pytest.mark.parametrize(
    "text",
    [
        "QRS 92 ms (normal <120 ms)", "Criterion: PR interval above 200 ms; QRS 92 ms", "A 12-lead ECG: QRS 92 ms",
        "A 10-second strip at 25 mm/s and 10 mm/mV: QRS 92 ms", "In a 63-year-old man QRS was 92 ms",
    ],
)  # fmt: skip
def test_limits_and_settings_are_no_claims(text):
    assert [(claim.subject, claim.low) for claim in find_claims(text)] == [("qrs", 92)]


def test_i_is_a_lead_only_where_it_reads_like_one():
    assert find_claims("ST elevation in I and aVL.")[0].leads == ("I", "aVL")
    assert find_claims("I see ST elevation.")[0].leads == ()
    assert find_claims("Mobitz II block with ST elevation.")[-1].leads == ()


@given(st.text(max_size=300))
def test_any_text_can_be_read_and_claims_lie_within_it(text):
    for claim in find_claims(text):
        assert 0 <= claim.start < claim.end <= len(text)


@given(st.lists(st.sampled_from(["ST elevation in V2.", "QT 400 ms.", "No LVH.", "Axis 40°."]), max_size=8))
def test_sentences_are_read_independently(parts):
    together = find_claims(" ".join(parts))
    alone = [claim for part in parts for claim in find_claims(part)]
    assert [(c.subject, c.leads, c.negated, c.low) for c in together] == [
        (c.subject, c.leads, c.negated, c.low) for c in alone
    ]


def test_markers_are_passed_over_and_places_stay():
    text = "QT 400 ms. [[m:qt_interval_ms]] No LVH. [[m:sokolow_lyon_mv]]"
    qt, lvh = find_claims(text)
    assert (text[qt.start : qt.end], text[lvh.start : lvh.end]) == ("QT 400 ms", "LVH")


@pytest.mark.parametrize("key", CONCEPTS)
def test_broader_diagnoses_exist_and_do_not_go_in_circles(key):
    assert set(CONCEPTS[key].broader) <= set(CONCEPTS)
    assert key in narrower(key)
    assert not any(key in narrower(other) and other in narrower(key) for other in CONCEPTS if other != key)
    feature = CONCEPTS[key].feature
    assert feature is None or feature in FEATURES


@pytest.mark.parametrize("key", FEATURES, ids=" ".join)
def test_every_word_has_a_measurement_and_a_strict_range_within_the_loose_one(key):
    feature = FEATURES[key]
    assert feature.measure in PUT_TOGETHER or feature.measure.replace("{lead}", "v2") in NAMES
    for lead in (None, *LEADS):
        loose, strict = feature.ranges(lead)
        assert loose[0] <= strict[0] <= strict[1] <= loose[1]
    assert feature.source.startswith("doi:") or feature.source == "convention"


def test_every_quantity_is_measured_in_its_unit():
    from twelvelead.interpret.derived import DERIVED

    units = {m.name: m.unit for m in (*CATALOGUE, *DERIVED)}
    for (wave, unit), quantity in QUANTITIES.items():
        for name in (*quantity.whole, *quantity.lead):
            found = units.get(name.replace("{lead}", "v2")) or units.get(name.replace("{lead}", "ii"))
            leads = [n for lead in LEADS if (n := name.replace("{lead}", lead.lower())) in units]
            assert name in PUT_TOGETHER or units[leads[0] if leads else name] == unit, (wave, name, found)
