from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from twelvelead.cohort import Outcome, find_outcome
from twelvelead.terms import COHORT, EVENTS

T0 = datetime(2150, 1, 1, 12)


def cohort(*recordings):
    rows = [
        {"recording_id": r, "patient_id": p, "recorded_at": T0 + timedelta(hours=h), "stay_id": s}
        for r, p, h, s in recordings
    ]
    table = pl.DataFrame(rows, schema_overrides=COHORT.schema)
    return table.with_columns(pl.lit(None, COHORT.schema[c]).alias(c) for c in COHORT.schema if c not in table.columns)


def events(*rows):
    table = pl.DataFrame(list(rows) or [{"patient_id": "none", "system": "x", "code": "x"}])
    table = table.with_columns(pl.lit(None, t).alias(c) for c, t in EVENTS.schema.items() if c not in table.columns)
    return EVENTS.select(table)


def y(result):
    return dict(result.sort("recording_id").select("recording_id", "y").iter_rows())


LAB = {"name": "high", "title": "High", "system": "laboratory", "codes": ("K",), "link": "time", "window_h": (-1, 1)}


def potassium(patient, hours, value, **more):
    row = {"patient_id": patient, "time": T0 + timedelta(hours=hours), "system": "laboratory", "code": "K"}
    return row | {"value": value, "reference_lower": 3.5, "reference_upper": 5.0} | more


def test_the_nearest_result_within_the_window_counts():
    table = events(potassium("p", -0.9, 6.0), potassium("p", 0.5, 4.0), potassium("p", 5, 9.0))
    rule = Outcome(**LAB, event="above_reference", absent="unknown")
    assert y(find_outcome(cohort(("r", "p", 0, "s")), table, rule)) == {"r": 0}


def test_each_row_is_judged_by_its_own_reference_range():
    table = events(potassium("p", 0.1, 5.2, reference_upper=5.5), potassium("q", 0.1, 5.2))
    rule = Outcome(**LAB, event="above_reference", absent="unknown")
    assert y(find_outcome(cohort(("a", "p", 0, "s"), ("b", "q", 0, "t")), table, rule)) == {"a": 0, "b": 1}


def test_the_opposite_abnormality_is_no_event():
    rule = Outcome(**LAB, event="above_reference", absent="unknown")
    assert y(find_outcome(cohort(("r", "p", 0, "s")), events(potassium("p", 0, 2.0)), rule)) == {"r": 0}
    rule = Outcome(**LAB, event="below_reference", absent="unknown")
    assert y(find_outcome(cohort(("r", "p", 0, "s")), events(potassium("p", 0, 2.0)), rule)) == {"r": 1}


def test_no_result_in_the_window_is_unknown():
    rule = Outcome(**LAB, event="above_reference", absent="unknown")
    table = events(potassium("p", 1.01, 9.0), potassium("other", 0, 9.0))
    assert y(find_outcome(cohort(("r", "p", 0, "s")), table, rule)) == {"r": None}


def test_a_result_without_a_limit_says_nothing():
    rule = Outcome(**LAB, event="above_reference", absent="unknown")
    table = events(potassium("p", 0, 9.0, reference_upper=None))
    assert y(find_outcome(cohort(("r", "p", 0, "s")), table, rule)) == {"r": None}


def test_the_earlier_of_two_equally_near_results_counts():
    rule = Outcome(**LAB, event="above_reference", absent="unknown")
    table = events(potassium("p", 0.5, 9.0), potassium("p", -0.5, 4.0))
    assert y(find_outcome(cohort(("r", "p", 0, "s")), table, rule)) == {"r": 0}


def code(patient, stay, code):
    return {"patient_id": patient, "system": "icd10", "code": code, "stay_id": stay}


DIAGNOSIS = {"name": "I50", "title": "Heart failure", "system": "icd10", "codes": ("I50",), "link": "stay"}


def test_a_prefix_takes_in_its_children_and_exact_does_not():
    people = cohort(("a", "p", 0, "s1"), ("b", "p", 1, "s2"), ("c", "q", 0, "s3"))
    table = events(code("p", "s1", "I509"), code("p", "s2", "I50"), code("q", "s3", "I51"))
    assert y(find_outcome(people, table, Outcome(**DIAGNOSIS, match="prefix"))) == {"a": 1, "b": 1, "c": 0}
    assert y(find_outcome(people, table, Outcome(**DIAGNOSIS))) == {"a": 0, "b": 1, "c": 0}


def test_a_stay_without_any_code_is_unknown_not_healthy():
    people = cohort(("a", "p", 0, "coded"), ("b", "q", 0, "uncoded"), ("c", "q", 0, None))
    assert y(find_outcome(people, events(code("p", "coded", "J18")), Outcome(**DIAGNOSIS))) == {
        "a": 0, "b": None, "c": None,
    }  # fmt: skip


def test_an_annotation_belongs_to_its_recording():
    people = cohort(("a", "p", 0, None), ("b", "p", 1, None), ("c", "p", 2, None))
    rows = [{"patient_id": "p", "system": "scp", "code": c, "recording_id": r} for r, c in (("a", "MI"), ("b", "NORM"))]
    rule = Outcome(name="MI", title="MI", system="scp", codes=("MI",), link="recording")
    assert y(find_outcome(people, events(*rows), rule)) == {"a": 1, "b": 0, "c": None}


XRAY = {"name": "x", "title": "X", "system": "chest_xray", "codes": ("X",), "link": "time", "event": "value"}


@settings(max_examples=60, deadline=None)
@given(
    start=st.floats(-30, 10),
    width=st.floats(0, 40),
    absent=st.sampled_from(["no", "unknown"]),
    when=st.lists(
        st.tuples(st.sampled_from("pq"), st.integers(-40, 40), st.sampled_from([0.0, 1.0, None])), max_size=12
    ),
)
def test_time_windows_equal_a_naive_search(start, width, absent, when):
    people = cohort(("a", "p", 0, None), ("b", "p", 7, None), ("c", "q", -3, None))
    table = events(
        *(
            {"patient_id": p, "time": T0 + timedelta(hours=h), "system": "chest_xray", "code": "X", "value": v}
            for p, h, v in when
        ),
        {"patient_id": "none", "system": "y", "code": "y", "value": 0.0, "time": T0},
    )
    rule = Outcome(**XRAY, window_h=(start, start + width), absent=absent)
    # The window's ends are instants, so the naive search must round them as timedelta does.
    first, last = timedelta(hours=start), timedelta(hours=start + width)
    expected = {}
    for recording, patient, at in (("a", "p", 0), ("b", "p", 7), ("c", "q", -3)):
        inside = [
            (abs(h - at), h - at, -v)
            for p, h, v in when
            if p == patient and v is not None and first <= timedelta(hours=h - at) <= last
        ]
        nearest = sorted(inside)
        expected[recording] = int(-nearest[0][2]) if nearest else (0 if absent == "no" else None)
    assert y(find_outcome(people, table, rule)) == expected


def test_rows_may_come_in_any_order():
    people = cohort(("a", "p", 0, "s"), ("b", "p", 3, "s"), ("c", "q", 0, "t"))
    table = events(*(potassium(p, h, v) for p in "pq" for h, v in ((-0.5, 6.0), (0.4, 4.0), (2.7, 6.0))))
    rule = Outcome(**LAB, event="above_reference", absent="unknown")
    assert y(find_outcome(people.reverse(), table.reverse(), rule)) == y(find_outcome(people, table, rule))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window_h": None}, "window_h must be given with link 'time'"),
        ({"window_h": (2, 1)}, "must run from early to late"),
        ({"link": "stay"}, "only then"),
        ({"colour": "red"}, "Extra inputs"),
        ({"name": "a/b"}, "pattern"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        Outcome(**(LAB | change))
