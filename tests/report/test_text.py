"""Methods, Table 1 and the TRIPOD+AI map: words that must follow from what was declared and counted."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.predict import RiskClassifier
from twelvelead.report import describe_methods, table_one
from twelvelead.report.methods import describe_eligibility, describe_minimum, describe_outcome
from twelvelead.report.svg import clean, wrap
from twelvelead.report.table_one import name_group
from twelvelead.report.tripod import ITEMS, map_items
from twelvelead.report.wording import name_feature, write_interval, write_number


def methods(declaration, **changes):
    sections = describe_methods(declaration, n_predictors=42, versions={"numpy": "2.4"}, **changes)
    return "\n".join(sentence for _, sentences in sections for sentence in sentences)


CHANGES = [
    (("validation", "n_resamples"), 321, "321 bootstrap resamples"),
    (("validation", "level"), 0.9, "90 % intervals"),
    (("validation", "method"), "percentile", "They are percentile intervals"),
    (("validation", "unit"), "recording", "too narrow"),
    (("validation", "thresholds"), [0.35], "predicted risks of 0.35"),
    (("model", "n_members"), 1, "The model has one member"),
    (("model", "elimination"), 1, "one predictor with the least gain"),
    (("model", "smallest"), 9, "down to 9"),
    (("model", "calibration"), "isotonic", "isotonic regression"),
    (("split", "method"), "cross_fit", "each fold was held out once"),
    (("split", "n_folds"), 11, "dealt into 11 folds"),
    (("split", "age_bands_years"), [], "balanced by outcomes and sex;"),
    (("eligibility", "index"), "first_per_stay", "of each hospital or emergency stay"),
    (("eligibility", "max_age_years"), 60, "at least 18 and at most 60 years"),
    (("predictors", "exclude"), [], "(matching “*”)"),
    (("predictors", "demographics"), [], "demographic predictors: none"),
    (("external",), None, "There was no external validation."),
    (("seed",), 99, "Seed 99"),
]


@pytest.mark.parametrize(("key", "value", "said"), CHANGES, ids=[".".join(key) for key, *_ in CHANGES])
def test_methods_follow_the_declaration(declaration, key, value, said):
    assert said not in methods(declaration)
    inner = declaration
    for part in key[:-1]:
        inner = inner[part]
    inner[key[-1]] = value
    assert said in methods(declaration)


def test_methods_state_the_trees_hyper_parameters(declaration):
    assert "stand in the card of each model" in methods(declaration)
    chosen = RiskClassifier(max_depth=7).get_params()
    text = methods(declaration, hyperparameters=chosen)
    assert f"depth 7, learning rate {chosen['learning_rate']:g}, most rounds {chosen['rounds']}" in text


def test_methods_state_numbers_versions_and_simulation(declaration):
    assert "42 measurements of the ECG were offered" in methods(declaration)
    assert "numpy 2.4" in methods(declaration)
    assert "All patients are simulated" in methods(declaration, simulated=True)


def test_paper_mode_names_every_fault(declaration):
    assert "Faults" not in [h[:6] for h, _ in describe_methods(declaration, n_predictors=1, versions={})]
    declaration["mode"] = "paper"
    declaration["validation"] |= {"level": 0.05, "unit": "recording"}
    text = methods(declaration)
    for fault in (
        "the publications call it 95 %. It holds 5 % of the resamples",
        "The bootstrap draws recordings, not patients",
        "Isotonic calibration is fitted on that same fold",
        "Selection of predictors and early stopping use one and the same fold",
        "used by stumps",
        "compare with no model of age and sex",
    ):
        assert fault in text, fault
    declaration["validation"] |= {"level": 0.95, "unit": "patient"}
    text = methods(declaration)
    assert "This is not repeated: the level here is 95 %." in text
    assert "The bootstrap draws recordings" not in text


def test_outcomes_are_defined_by_code_window_and_event():
    rule = {
        "name": "K", "title": "K", "system": "laboratory", "codes": ["50971", "50822"], "match": "prefix",
        "link": "time",        "window_h": [0, 1], "event": "above_reference", "absent": "unknown", "min_events": 20,
    }  # fmt: skip
    sentence = describe_outcome(rule)
    assert sentence.startswith("K: a laboratory entry whose code begins with 50971 or 50822, nearest in time")
    assert "between the ECG itself and 1 h after it" in sentence
    assert "above the upper limit of the reference range given with that result" in sentence
    assert "left out for this target" in sentence
    stay = describe_outcome({**rule, "link": "stay", "match": "exact", "event": "below_reference", "absent": "no"})
    assert "coded 50971 or 50822 of the same stay" in stay
    assert "below the lower limit of the reference range" in stay
    several = describe_minimum([{"name": "A", "min_events": 20}, {"name": "B", "min_events": 5}])
    assert "20 recordings with and 20 without the outcome (A) and 5 recordings with" in several


def test_no_age_limit_is_said():
    assert describe_eligibility({"min_age_years": None, "max_age_years": None, "index": "all"}) == [
        "There was no age limit.",
        "Every eligible ECG of a patient counts.",
    ]


def test_table_one_by_hand():
    cohort = pl.DataFrame(
        {
            "recording_id": ["a", "b", "c", "d", "e"],
            "patient_id": ["1", "1", "2", "3", "4"],
            "age_years": [40.0, 50.0, 60.0, None, 70.0],
            "sex": ["female", "female", "male", None, "male"],
            "set": ["development", "development", "development", "development", "external"],
        }
    )
    features = pl.DataFrame(
        {"recording_id": ["e", "d", "c", "b", "a"], "pr_interval_ms": [None, 200.0, 180.0, float("nan"), 160.0]}
    )
    outcomes = pl.DataFrame(
        {"set": ["development", "external"], "target": ["MI"] * 2, "n_events": [1, 1], "n_known": [3, 1]}
    )
    table = table_one(cohort, features=features, outcomes=outcomes, titles={"MI": "Infarction"})
    assert table.columns == ["characteristic", "development", "external", "all"]
    assert {row[0]: row[1:] for row in table.rows()} == {
        "Recordings, n": ("4", "1", "5"),
        "Patients, n": ("3", "1", "4"),
        "Age, years, mean (SD)": ("50.0 (10.0); 25.0 % missing", "70.0 (–)", "55.0 (12.9); 20.0 % missing"),
        "Female sex, n (%)": ("2 (66.7 %); 25.0 % missing", "0 (0.0 %)", "2 (50.0 %); 20.0 % missing"),
        "PR interval (ms), median [IQR]": (
            "180 [170 to 190]; 25.0 % missing",
            "– [– to –]; 100.0 % missing",
            "180 [170 to 190]; 40.0 % missing",
        ),
        "Infarction (MI), n (%)": ("1 (33.3 %); 1 unknown", "1 (100.0 %)", "2 (50.0 %); 1 unknown"),
    }
    assert name_group("all") == "All"
    assert name_group("internal") == "Held-out (internal)"


def test_tripod_has_all_items_once_and_hides_none():
    numbers = [item.number for item in ITEMS]
    assert len(set(numbers)) == len(numbers) == 52
    assert {int("".join(filter(str.isdigit, n))) for n in numbers} == set(range(1, 28))
    assert all(item.where or item.note for item in map_items(set()))
    unanswered = next(item for item in map_items({"methods"}) if item.number == "21")
    assert (unanswered.where, unanswered.note) == ("", "Not answered in this report.")


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (0.0, 2, "0.00"),
        (-0.001, 2, "0.00"),
        (-1.234, 1, "−1.2"),
        (float("nan"), 2, "–"),
        (1234567.0, 0, "1\u202f234\u202f567"),
    ],
)
def test_numbers_are_written_with_a_true_minus(value, digits, written):
    assert write_number(value, digits) == written


def test_an_interval_that_is_not_estimable_is_not_made_up():
    assert write_interval({"estimate": float("nan"), "lower": 0.1, "upper": 0.2}) == "not estimable"
    assert write_interval({"estimate": 0.5, "lower": float("nan"), "upper": 0.6}) == "0.50 (interval not estimable)"


def test_every_measurement_has_a_readable_name():
    from twelvelead.measure import CATALOGUE

    for measurement in CATALOGUE:
        name = name_feature(measurement.name)
        assert name.strip(), measurement.name
        assert "_" not in name, name
        if measurement.unit in {"ms", "mV", "mV*ms", "mV/s"}:
            assert name.endswith(f"({measurement.unit.replace('*', '·')})"), name


@given(st.text("ab c\n\u202f", max_size=60), st.integers(1, 30))
def test_wrapping_loses_no_letter_and_no_line_is_too_long(text, width):
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(len(line) <= width for line in lines)


@given(st.text())
def test_cleaned_text_is_wellformed_xml(text):
    import xml.etree.ElementTree as ET

    ET.fromstring(f'<a b="{clean(text)}">{clean(text)}</a>')  # noqa: S314 (our own drawing)
