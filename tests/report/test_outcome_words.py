"""Every rule of an outcome that can be declared has its words, and two different rules don't read alike."""

import itertools
import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.cohort import Outcome
from twelvelead.report.outcome_words import describe_outcome

INF = float("inf")
BASE = {"name": "K", "title": "Potassium", "system": "laboratory", "codes": ["Potassium"]}
NEAR = {**BASE, "link": "time", "window_h": [-1, 24]}


def values(field):
    """Give the values of a field that is one of few words, as the declaration has it."""
    annotation = Outcome.model_fields[field].annotation
    return [value for arg in (annotation, *get_args(annotation)) for value in get_args(arg) if isinstance(value, str)]


FEW = [name for name in Outcome.model_fields if values(name) and name != "limits"]


def complete(**changes):
    """Make a rule that is allowed, whatever one field of it is."""
    rule = {**BASE, "link": "time", **changes}
    if rule["link"] == "time":
        rule.setdefault("window_h", [-1, 24])
    if rule.get("reference") == "declared":
        rule.setdefault("limits", {"all": [3.5, 5.1]})
    return Outcome.model_validate(rule)


def words(**changes):
    return describe_outcome(complete(**changes).model_dump())


def test_the_fields_with_few_values_are_those_that_are_known():
    """A new one belongs into the words; the law below would try its values, but not that they are told apart."""
    assert set(FEW) == {"match", "link", "choose", "event", "uncertain", "reference", "opposite", "absent", "sex"}
    free = {"name", "title", "system", "codes", "window_h", "limits", "washout_h", "follow_up_h", "min_events"}
    assert set(Outcome.model_fields) == {*FEW, *free}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in FEW for value in values(field)])
def test_every_value_of_every_field_has_words(field, value):
    for written in (complete(**{field: value}).model_dump(), json.loads(complete(**{field: value}).model_dump_json())):
        text = describe_outcome(written)
        assert text.startswith("K, Potassium: a laboratory entry ")
        assert text.endswith(".")
        assert "None" not in text
        assert "{" not in text
        assert "  " not in text


MATTERS = {
    "match": {}, "link": {}, "choose": {}, "event": {}, "uncertain": {"event": "value"}, "absent": {}, "sex": {},
    "reference": {"event": "above_reference"}, "opposite": {"event": "above_reference"},
}  # fmt: skip


@pytest.mark.parametrize("field", FEW)
def test_different_rules_read_differently(field):
    """Where a field matters, no two of its values give the same words, and none those of another rule."""
    texts = {value: words(**{**MATTERS[field], field: value}) for value in values(field)}
    for one, other in itertools.combinations(texts, 2):
        assert texts[one] != texts[other], (one, other)
    if Outcome.model_fields[field].default is None:
        assert words(**MATTERS[field]) not in texts.values()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"match": "prefix"}, "a laboratory entry whose code begins with Potassium, "),
        ({"codes": ["K", "Potassium"]}, "coded K or Potassium, "),
        ({"link": "recording"}, "coded Potassium that annotates the recording counts"),
        ({"link": "stay"}, "coded Potassium of the same stay counts"),
        ({}, ", nearest in time to the ECG between 1 h before it and 24 h after it, counts"),
        ({"choose": "any"}, ", at any time between 1 h before it and 24 h after it, counts"),
        ({"window_h": [0, 0.5]}, "between the ECG itself and 0.5 h after it,"),
        ({"window_h": [-INF, 0]}, "nearest in time to the ECG up to the ECG itself,"),
        ({"window_h": [0, INF]}, "from the ECG itself on,"),
        ({"window_h": [24, INF]}, "from 24 h after it on,"),
        ({"window_h": [-INF, INF]}, "whenever that was,"),
        ({"event": "present"}, "counts as the outcome if it was recorded."),
        ({"event": "value"}, "if its value is 0.5 or more."),
        ({"event": "uncertain"}, "if it was left open (−1)."),
        ({"event": "above_reference"}, "above the upper limit of the reference range given with that result."),
        ({"event": "below_reference"}, "below the lower limit of the reference range given with that result."),
        ({"event": "outside_reference"}, "its result lies outside the reference range given with that result."),
        ({"event": "above_reference", "reference": "median"}, "of the median of all results' reference ranges."),
        (
            {"event": "above_reference", "reference": "declared", "limits": {"male": [3, 5], "female": [2.5, 4]}},
            "upper limit of the declared range.",
        ),
        (
            {"event": "above_reference", "reference": "declared", "limits": {"male": [3, 5], "female": [2.5, 4]}},
            "The declared range is: female 2.5 to 4 and male 3 to 5.",
        ),
        ({"event": "value", "uncertain": "yes"}, "A finding left open counts as present."),
        ({"event": "value", "uncertain": "ignore"}, "A finding left open is not taken into account."),
        ({"event": "value", "uncertain": "unknown"}, "A finding left open leaves the outcome unknown."),
        ({"event": "above_reference", "opposite": "unknown"}, "The abnormality on the other side"),
        ({"absent": "unknown"}, "the outcome is unknown and the recording is left out"),
        ({"absent": "no_if_observed"}, "absent where the patient has any entry of that system"),
        ({"sex": "male"}, "Only male patients were asked about."),
        ({"washout_h": 720}, "Who had it within 720 h before the ECG, or at it, is left out"),
        ({"washout_h": INF}, "Who had it ever before the ECG, or at it, is left out"),
        ({"follow_up_h": 2160}, "seen 2160 h after the ECG or later."),
    ],
)
def test_words_by_hand(change, said):
    assert said in words(**change)


def test_what_is_not_declared_is_not_spoken_of():
    text = words()
    for silent in ("declared range", "left open", "other side", "Only", "incident", "seen"):
        assert silent not in text


def test_a_name_that_is_the_title_is_said_once():
    assert words(title="K").startswith("K: a laboratory entry coded Potassium")


def test_the_stay_without_codes_is_spoken_of_where_it_counts():
    """Without codes of the stay, or of the recording, the outcome is not absent; with a window it is."""
    for link in ("stay", "recording"):
        assert "provided that the system was coded there at all" in words(link=link)
    assert "provided that" not in words()


def test_limits_that_are_endless_are_read_from_the_study_that_was_written():
    """JSON has no infinity: there it is a word."""
    for limits, said in (({"all": [-INF, 5.1]}, "5.1"), ({"female": [8.4, INF]}, "8.4")):
        rule = complete(event="above_reference", reference="declared", limits=limits)
        spoken = describe_outcome(rule.model_dump())
        assert said in spoken
        assert describe_outcome(json.loads(rule.model_dump_json())) == spoken
        assert "inf" not in spoken


def test_a_washout_of_nothing_but_the_moment_is_said():
    assert "at it, is left out: the outcome is incident" in words(washout_h=0)


def test_windows_and_limits_read_the_same_from_python_and_json():
    rule = complete(window_h=[-INF, INF], washout_h=INF, follow_up_h=24.0)
    assert describe_outcome(json.loads(rule.model_dump_json())) == describe_outcome(rule.model_dump())


hours = st.floats(-3000, 3000).map(lambda h: round(h, 1)) | st.sampled_from([0.0, INF, -INF])


@given(st.tuples(hours, hours).filter(lambda w: w[0] <= w[1] and w[0] < INF and w[1] > -INF))
def test_every_window_has_words_and_says_its_finite_ends(window):
    text = words(window_h=list(window))
    assert "inf" not in text
    for end in window:
        if end not in {0, INF, -INF}:
            assert f"{abs(end):g} h {'before' if end < 0 else 'after'} it" in text
