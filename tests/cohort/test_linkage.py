from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.cohort import link_stays
from twelvelead.terms import COHORT, STAYS, ContractError

T0 = datetime(2150, 1, 1)


def at(hours):
    return None if hours is None else T0 + timedelta(hours=hours)


def ecgs(*rows):
    table = pl.DataFrame(
        [{"recording_id": r, "patient_id": p, "recorded_at": at(h)} for r, p, h in rows], schema_overrides=COHORT.schema
    )
    return table.with_columns(pl.lit(None, t).alias(c) for c, t in COHORT.schema.items() if c not in table.columns)


def stays(*rows):
    names = ("stay_id", "patient_id", "kind", "start", "end", "hospital_stay_id")
    table = [dict(zip(names, (s, p, k, at(a), at(b), h), strict=True)) for s, p, k, a, b, h in rows]
    return pl.DataFrame(table, schema=STAYS.schema)


HOSPITAL = ("h1", "p", "hospital", 10, 50, None)
EMERGENCY = ("e1", "p", "emergency", 2, 9, "h1")
COLUMNS = ("stay_id", "hospital_stay_id", "led_to_stay_id", "emergency_stay_id", "n_within_stay")


def linked(table, *rows, rule="sound"):
    return {
        row[0]: row[1:] for row in link_stays(table, stays(*rows), rule=rule).select("recording_id", *COLUMNS).rows()
    }


def test_an_ecg_belongs_to_the_stay_it_was_recorded_in():
    table = ecgs(("in", "p", 20), ("before", "p", 1), ("between", "p", 9.5), ("other", "q", 20), ("never", "p", None))
    none = (None,) * 5
    expected = {"in": ("h1", "h1", None, None, 0), "before": none, "between": none, "other": none, "never": none}
    assert linked(table, HOSPITAL, EMERGENCY) == expected


def test_an_emergency_stay_leads_to_the_hospital():
    assert linked(ecgs(("a", "p", 5)), HOSPITAL, EMERGENCY) == {"a": ("h1", None, "h1", "e1", 0)}
    alone = ("e1", "p", "emergency", 2, 9, None)
    assert linked(ecgs(("a", "p", 5)), HOSPITAL, alone) == {"a": ("e1", None, None, "e1", 0)}


def test_the_moment_of_admission_belongs_to_the_stay_but_not_in_the_publication():
    for hour in (10, 50):
        assert linked(ecgs(("a", "p", hour)), HOSPITAL)["a"][0] == "h1"
        assert linked(ecgs(("a", "p", hour)), HOSPITAL, rule="paper")["a"][0] is None
    assert linked(ecgs(("a", "p", 10.01)), HOSPITAL, rule="paper")["a"][0] == "h1"


def test_of_two_stays_the_earlier_counts_and_in_the_publication_the_first_of_the_table():
    late, early = ("z", "p", "hospital", 12, 40, None), ("y", "p", "hospital", 11, 40, None)
    assert linked(ecgs(("a", "p", 20)), late, early)["a"][0] == "y"
    assert linked(ecgs(("a", "p", 20)), late, early, rule="paper")["a"][0] == "z"


def test_ecgs_are_numbered_within_their_stay():
    table = ecgs(("c", "p", 30), ("a", "p", 12), ("b", "p", 3), ("d", "p", 4), ("x", "p", 99))
    numbers = {name: row[4] for name, row in linked(table, HOSPITAL, EMERGENCY).items()}
    assert numbers == {"a": 0, "c": 1, "b": 0, "d": 1, "x": None}


def test_what_the_database_says_of_the_stay_stands():
    table = ecgs(("a", "p", 20)).with_columns(stay_id=pl.lit("published"))
    assert linked(table, HOSPITAL)["a"][:2] == ("published", "h1")


def test_a_stay_without_end_holds_nothing():
    assert linked(ecgs(("a", "p", 20)), ("h", "p", "hospital", 10, None, None))["a"][0] is None


def test_linking_twice_is_linking_once():
    table = ecgs(("a", "p", 20), ("b", "p", 5))
    once = link_stays(table, stays(HOSPITAL, EMERGENCY))
    assert link_stays(once, stays(HOSPITAL, EMERGENCY)).equals(once)


def test_a_stay_that_stands_twice_is_refused():
    with pytest.raises(ContractError, match="stay_id must name one row"):
        link_stays(ecgs(("a", "p", 1)), stays(HOSPITAL, HOSPITAL))


hours = st.integers(0, 12)


@given(
    st.lists(st.tuples(st.sampled_from("pq"), hours), min_size=1, max_size=8),
    st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from(["hospital", "emergency"]), hours, hours), max_size=8),
    st.sampled_from(["sound", "paper"]),
)
def test_links_equal_a_naive_search(when, where, rule):
    table = ecgs(*((f"r{i}", p, h) for i, (p, h) in enumerate(when)))
    known = [(f"s{i}", p, kind, a, a + length, None) for i, (p, kind, a, length) in enumerate(where)]
    found = linked(table, *known, rule=rule)
    for i, (patient, hour) in enumerate(when):
        containing = {"hospital": [], "emergency": []}
        for place, (stay, p, kind, a, b, _) in enumerate(known):
            inside = a <= hour <= b if rule == "sound" else a < hour < b
            if p == patient and inside:
                containing[kind].append(((a, stay) if rule == "sound" else (place,), stay))
        first = {kind: min(rows)[1] if rows else None for kind, rows in containing.items()}
        assert found[f"r{i}"][1] == first["hospital"]
        assert found[f"r{i}"][3] == first["emergency"]
        assert found[f"r{i}"][0] == (first["hospital"] or first["emergency"])
