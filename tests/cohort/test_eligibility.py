from datetime import datetime

import polars as pl

from twelvelead.cohort import Eligibility, select_eligible
from twelvelead.terms import COHORT

PEOPLE = COHORT.select(
    pl.DataFrame(
        {
            "recording_id": ["d", "a", "b", "c", "e"],
            "patient_id": ["2", "1", "1", "1", "3"],
            "age_years": [17.0, 50.0, 50.0, 51.0, None],
            "sex": ["male", "female", "female", "female", None],
            "recorded_at": [datetime(2150, 1, d) for d in (1, 3, 2, 9)] + [None],
            "stay_id": ["s9", "s1", "s1", "s2", None],
            "path": ["d", "a", "b", "c", "e"],
        },
        schema=COHORT.schema,
    )
)


def ids(eligibility):
    return select_eligible(PEOPLE, eligibility)[0]["recording_id"].to_list()


def test_all_ecgs_count_unless_said_otherwise():
    assert ids(Eligibility()) == ["a", "b", "c", "d", "e"]


def test_age_limits_are_included_and_unknown_age_is_not():
    assert ids(Eligibility(min_age_years=50, max_age_years=51)) == ["a", "b", "c"]
    assert ids(Eligibility(min_age_years=51)) == ["c"]


def test_the_first_ecg_is_the_earliest_not_the_first_row():
    assert ids(Eligibility(index="first_per_patient")) == ["b", "d", "e"]
    assert ids(Eligibility(index="first_per_stay")) == ["b", "c", "d", "e"]


def test_age_is_asked_before_the_first_ecg_is_chosen():
    assert ids(Eligibility(min_age_years=51, index="first_per_patient")) == ["c"]


def test_the_flow_adds_up():
    _, flow = select_eligible(PEOPLE, Eligibility(min_age_years=18, index="first_per_patient"))
    assert flow.rows() == [
        ("ECG recordings in the database", 5, 3, 0),
        ("aged 18 years or more", 3, 1, 2),
        ("first ECG of the patient", 1, 1, 2),
    ]


def test_row_order_does_not_matter():
    forward, _ = select_eligible(PEOPLE, Eligibility(index="first_per_stay"))
    backward, _ = select_eligible(PEOPLE.reverse(), Eligibility(index="first_per_stay"))
    assert forward.equals(backward)
