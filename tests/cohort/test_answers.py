import json
import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from twelvelead.cohort import Outcome, find_answers, find_outcome, find_outcomes, relevant_events
from twelvelead.terms import COHORT, EVENTS, ContractError

T0 = datetime(1970, 1, 2)  # around the epoch, where times change their sign


def cohort(*rows):
    table = pl.DataFrame(list(rows), schema_overrides=COHORT.schema)
    return table.with_columns(pl.lit(None, t).alias(c) for c, t in COHORT.schema.items() if c not in table.columns)


def ecg(name, patient="p", hours=0.0, **more):
    return {"recording_id": name, "patient_id": patient, "recorded_at": T0 + timedelta(hours=hours)} | more


def events(*rows):
    table = pl.DataFrame(list(rows) or [{"patient_id": "none", "system": "x", "code": "x"}])
    table = table.with_columns(pl.lit(None, t).alias(c) for c, t in EVENTS.schema.items() if c not in table.columns)
    return EVENTS.select(table)


def event(code="K", hours=0.0, value=None, patient="p", **more):
    row = {"patient_id": patient, "system": "laboratory", "code": code, "time": T0 + timedelta(hours=hours)}
    return row | {"value": value, "reference_lower": 3.5, "reference_upper": 5.0} | more


def rule(**changes):
    base = {"name": "x", "title": "X", "system": "laboratory", "codes": ("K",), "link": "time", "window_h": (-1, 1)}
    if changes.get("link", "time") != "time":
        del base["window_h"]
    return Outcome(**({"event": "above_reference", "absent": "unknown"} | base | changes))


def answer(table, *rows, **changes):
    return find_outcome(table, events(*rows), rule(**changes))["y"].to_list()


ONE = cohort(ecg("r"))


# --- what one result says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "changes", "expected"),
    [
        (2.0, {}, 0),  # the opposite abnormality is no event, as published
        (2.0, {"opposite": "unknown"}, None),
        (4.0, {"opposite": "unknown"}, 0),
        (6.0, {"opposite": "unknown"}, 1),
        (6.0, {"event": "below_reference", "opposite": "unknown"}, None),
        (2.0, {"event": "outside_reference"}, 1),
        (6.0, {"event": "outside_reference"}, 1),
        (5.0, {"event": "outside_reference"}, 0),
    ],
)
def test_three_classes_of_a_result(value, changes, expected):
    assert answer(ONE, event(value=value), **changes) == [expected]


def test_the_flag_speaks_where_there_is_no_range():
    none = {"reference_lower": None, "reference_upper": None}
    asked = {"event": "outside_reference"}
    assert answer(ONE, event(value=9.0, flag="abnormal", **none), **asked) == [1]
    assert answer(ONE, event(value=9.0, **none), **asked) == [None]
    assert answer(ONE, event(value=4.0, flag="abnormal"), **asked) == [0]  # the range decides where there is one
    assert answer(ONE, event(value=9.0, reference_lower=None), **asked) == [1]


def test_limits_can_differ_between_the_sexes():
    people = cohort(*(ecg(name, name, sex=sex) for name, sex in (("f", "female"), ("m", "male"), ("u", None))))
    rows = [event(value=12.5, patient=p) for p in "fmu"]
    declared = {"event": "below_reference", "reference": "declared"}
    assert answer(people, *rows, limits={"female": (12, 16), "male": (13.5, 17.5)}, **declared) == [0, 1, None]
    assert answer(people, *rows, limits={"male": (13.5, math.inf), "all": (12, math.inf)}, **declared) == [0, 1, 0]


def test_the_published_limit_is_the_median_of_all_rows():
    # Upper limits 5, 6 and 9: the median is 6, whatever the row's own limit and whoever the patient.
    rows = [event(value=5.5), event(value=0, patient="q", reference_upper=6.0, hours=50)]
    rows.append(event(value=0, patient="elsewhere", reference_upper=9.0))
    assert answer(ONE, *rows) == [1]
    assert answer(ONE, *rows, reference="median") == [0]
    other = event("L", value=6.0, reference_upper=2.0)  # another analyte has its own median
    assert answer(ONE, *rows, other, reference="median") == [0]


@pytest.mark.parametrize(
    ("policy", "alone", "with_earlier"),
    [("no", 0, 0), ("yes", 1, 1), ("unknown", None, None), ("ignore", None, 1)],
)
def test_four_policies_for_an_uncertain_finding(policy, alone, with_earlier):
    asked = {"event": "value", "uncertain": policy}
    assert answer(ONE, event(value=-1.0), **asked) == [alone]
    assert answer(ONE, event(value=-1.0), event(value=1.0, hours=-0.5), **asked) == [with_earlier]


def test_an_uncertain_finding_stays_unknown_where_absence_means_none():
    asked = {"event": "value", "uncertain": "unknown", "link": "recording", "absent": "no"}
    rows = [event(value=v, recording_id=r) for r, v in (("a", -1.0), ("b", 1.0), ("c", 0.0))]
    rows.append(event("L", value=0.0, recording_id="d"))
    people = cohort(*(ecg(name) for name in "abcde"))
    assert answer(people, *rows, **asked) == [None, 1, 0, 0, None]


def test_uncertain_can_be_a_class_of_its_own():
    people = cohort(*(ecg(name, name) for name in "abc"))
    rows = [event(value=v, patient=p) for p, v in (("a", -1.0), ("b", 1.0), ("c", 0.0))]
    assert answer(people, *rows, event="uncertain") == [1, 0, 0]


# --- which events of a window -----------------------------------------------------------------------------------------


def test_any_result_of_a_window():
    asked = {"choose": "any", "window_h": (0, 2)}
    assert answer(ONE, event(value=4.0, hours=0.1), event(value=6.0, hours=1.9), **asked) == [1]
    assert answer(ONE, event(value=4.0, hours=0.1), event(value=6.0, hours=2.1), **asked) == [0]
    assert answer(ONE, event(value=6.0, hours=-0.1), **asked) == [None]


def test_both_abnormalities_in_one_window_are_unknown():
    asked = {"choose": "any", "window_h": (0, 2)}
    both = (event(value=2.0, hours=0.1), event(value=6.0, hours=1))
    assert answer(ONE, *both, **asked) == [None]
    assert answer(ONE, *both, event="below_reference", **asked) == [None]
    assert answer(ONE, both[0], **asked) == [0]
    assert answer(ONE, both[0], event(value=4.0, hours=1), opposite="unknown", **asked) == [None]


def test_absence_can_need_an_observation_in_the_window():
    people = cohort(ecg("a"), ecg("b", hours=500), ecg("c", "q"))
    asked = {"event": "present", "codes": ("I50",), "match": "prefix", "window_h": (-24, 24)}
    rows = [event("I509", hours=20), event("J18", hours=510)]
    assert answer(people, *rows, absent="no_if_observed", **asked) == [1, 0, None]
    assert answer(people, *rows, absent="no", **asked) == [1, 0, 0]


def test_an_outcome_can_befall_one_sex_only():
    people = cohort(*(ecg(name, name, sex=sex) for name, sex in (("f", "female"), ("m", "male"), ("u", None))))
    rows = [event("C61", patient=p) for p in "fu"]
    asked = {"event": "present", "codes": ("C61",), "absent": "no"}
    assert answer(people, *rows, **asked) == [1, 0, 1]
    assert answer(people, *rows, sex="male", **asked) == [None, 0, None]
    assert answer(people, *rows, sex="female", **asked) == [1, None, None]


def test_an_incident_outcome_leaves_out_who_had_it_and_who_left():
    year = 24 * 365
    names = ("new", "old", "well", "left", "at_once", "long_ago")
    people = cohort(*(ecg(name, name) for name in names))
    rows = [
        event("E11", hours=100, patient="new"),
        event("E11", hours=100, patient="old"), event("E11", hours=-900, patient="old"),
        event("I10", hours=2 * year, patient="well"),
        event("I10", hours=50, patient="left"),
        event("E11", hours=0, patient="at_once"),
        event("E11", hours=-5 * year, patient="long_ago"), event("E11", hours=9, patient="long_ago"),
    ]  # fmt: skip
    asked = {"event": "present", "codes": ("E11",), "absent": "no", "window_h": (0, year)}
    assert answer(people, *rows, **asked) == [1, 1, 0, 0, 1, 1]
    incident = asked | {"washout_h": math.inf, "follow_up_h": year}
    assert answer(people, *rows, **incident) == [1, None, 0, None, None, None]
    assert answer(people, *rows, **(incident | {"washout_h": year})) == [1, None, 0, None, None, 1]


def test_a_normal_result_before_does_not_make_an_abnormal_one_old():
    asked = {"window_h": (0, 100), "washout_h": math.inf}
    assert answer(ONE, event(value=4.0, hours=-5), event(value=6.0, hours=5), **asked) == [1]
    assert answer(ONE, event(value=6.0, hours=-5), event(value=6.0, hours=5), **asked) == [None]


def test_follow_up_ends_with_an_event_at_its_very_end():
    asked = {"event": "present", "codes": ("E11",), "absent": "no", "window_h": (0, 10), "follow_up_h": 10}
    assert answer(ONE, event("I10", hours=10), **asked) == [0]
    assert answer(ONE, event("I10", hours=9.99), **asked) == [None]
    assert answer(ONE, event("E11", hours=5), **asked) == [1]


# --- stays ------------------------------------------------------------------------------------------------------------


def test_emergency_codes_count_where_the_hospital_has_none():
    links = {"hospital_stay_id": None, "led_to_stay_id": None, "emergency_stay_id": None}
    people = cohort(
        ecg("in", stay_id="h1", **(links | {"hospital_stay_id": "h1", "emergency_stay_id": "e1"})),
        ecg("led", stay_id="h2", **(links | {"led_to_stay_id": "h2", "emergency_stay_id": "e2"})),
        ecg("uncoded", stay_id="h3", **(links | {"hospital_stay_id": "h3", "emergency_stay_id": "e3"})),
        ecg("emergency", stay_id="e4", **(links | {"emergency_stay_id": "e4"})),
        ecg("both", stay_id="h5", **(links | {"hospital_stay_id": "h5", "led_to_stay_id": "h6"})),
        ecg("nothing", stay_id="h7", **(links | {"hospital_stay_id": "h7"})),
    )
    coded = {"h1": "J18", "e1": "I50", "h2": "I50", "e2": "R07", "e3": "I50", "e4": "I50", "h5": "J18", "h6": "I50"}
    rows = [event(code, stay_id=stay) for stay, code in coded.items()]
    asked = {"event": "present", "codes": ("I50",), "link": "stay", "absent": "no"}
    assert answer(people, *rows, **asked) == [0, 1, 1, 1, 1, None]


# --- many rules together ----------------------------------------------------------------------------------------------


def random_hospital(seed, n=60):
    rng = np.random.default_rng(seed)
    people = cohort(
        *(
            ecg(f"r{i}", f"p{rng.integers(12)}", float(rng.uniform(-300, 300)), stay_id=f"s{rng.integers(20)}",
                sex=["female", "male", None][rng.integers(3)])
            for i in range(n)
        )
    )  # fmt: skip
    rows = [
        event(str(rng.choice(["K", "Na", "I50", "I509", "K70", "K7030"])), float(rng.uniform(-400, 400)),
              float(rng.uniform(2, 7)), f"p{rng.integers(14)}", stay_id=f"s{rng.integers(25)}",
              recording_id=f"r{rng.integers(n)}", system=str(rng.choice(["laboratory", "icd10"])))
        for _ in range(400)
    ]  # fmt: skip
    return people, events(*rows)


MANY = (
    *(rule(name=f"{c}_{e[:5]}", codes=(c,), event=e, window_h=(-30, 30)) for c in ("K", "Na")
      for e in ("above_reference", "below_reference")),
    rule(name="any", window_h=(0, 48), choose="any"),
    rule(name="median", codes=("K", "Na"), window_h=(-50, 10), reference="median", absent="no_if_observed"),
    *(rule(name=c, codes=(c,), system="icd10", match="prefix", event="present", link="stay", absent="no", sex=s)
      for c, s in (("I50", None), ("I509", "female"), ("K70", "male"), ("K", None))),
    rule(name="recording", codes=("I50", "K70"), system="icd10", match="prefix", event="present", link="recording"),
    rule(name="incident", codes=("K70",), system="icd10", event="present", absent="no", window_h=(0, 200),
         washout_h=100, follow_up_h=150),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_many_rules_together_equal_one_by_one(seed):
    people, table = random_hospital(seed)
    together = find_outcomes(people, table.lazy(), MANY)
    alone = pl.concat([find_outcome(people, table, r) for r in MANY])
    assert together.equals(alone)
    assert together["y"].null_count() > 0
    assert set(together["y"].drop_nulls()) == {0, 1}


@pytest.mark.parametrize("seed", range(3))
def test_the_relevant_events_are_enough(seed):
    people, table = random_hospital(seed)
    for r in MANY:
        some = relevant_events(table.lazy(), [r])
        assert find_outcome(people, some, r).equals(find_outcome(people, table, r))
    assert relevant_events(table.lazy(), MANY[:1]).height < table.height / 2
    assert relevant_events(table.lazy(), []).is_empty()


def test_answers_are_counted_without_writing_them_out():
    people, table = random_hospital(1)
    answers = find_answers(people, table, MANY)
    long = answers.table().join(people.select("recording_id", "patient_id"), on="recording_id")
    y = pl.col("y")
    by_hand = long.group_by("target", maintain_order=True).agg(
        n_events=(y == 1).sum().cast(pl.Int64), n_without=(y == 0).sum().cast(pl.Int64),
        n_unknown=y.is_null().sum().cast(pl.Int64),
        n_patients_with_event=pl.col("patient_id").filter(y == 1).n_unique().cast(pl.Int64),
    )  # fmt: skip
    assert answers.counts().equals(by_hand)
    assert answers.table([3]).equals(find_outcome(people, table, MANY[3]))
    events_ = long.filter(y == 1).select("recording_id", stratum="target").sort(pl.all())
    assert answers.strata().sort(pl.all()).equals(events_)


def test_rules_that_differ_in_an_endless_time_are_two_questions():
    people = cohort(ecg("a"))
    table = events(event("E11", hours=-9), event("E11", hours=9))
    asked = {"event": "present", "codes": ("E11",), "window_h": (0, math.inf)}
    rules = [rule(name="any", **asked), rule(name="incident", washout_h=math.inf, **asked)]
    assert find_outcomes(people, table, rules)["y"].to_list() == [1, None]
    for r in rules:
        assert Outcome.model_validate_json(r.model_dump_json()) == r
        assert Outcome.model_validate(json.loads(json.dumps(r.model_dump(mode="json"), allow_nan=False))) == r


def test_no_rules_give_no_outcomes():
    people, table = random_hospital(0)
    assert find_outcomes(people, table, ()).is_empty()


def test_rows_may_come_in_any_order():
    people, table = random_hospital(2)
    backward = find_outcomes(people.reverse(), table.reverse(), MANY)
    assert backward.sort("target", "recording_id").equals(
        find_outcomes(people, table, MANY).sort("target", "recording_id")
    )


def test_a_table_that_breaks_its_contract_is_refused():
    people, table = random_hospital(0)
    with pytest.raises(ContractError, match="column"):
        find_outcomes(people, table.drop("code"), MANY)
    with pytest.raises(ContractError, match="repeated"):
        find_outcomes(pl.concat([people, people]), table, MANY)


# --- the window, naively ----------------------------------------------------------------------------------------------


@given(
    start=st.sampled_from([-math.inf, -30, -5.5, -1, 0, 0.5]),
    width=st.sampled_from([0, 0.25, 1, 7, 80, math.inf]),
    choose=st.sampled_from(["nearest", "any"]),
    opposite=st.sampled_from(["no", "unknown"]),
    when=st.lists(st.tuples(st.sampled_from("pq"), st.integers(-60, 60), st.sampled_from([2.0, 4, 6])), max_size=14),
)
def test_windows_equal_a_naive_search(start, width, choose, opposite, when):
    end = math.inf if math.isinf(width) else start + width
    asked = rule(window_h=(start, end), choose=choose, opposite=opposite)
    people = cohort(ecg("a", "p", 0), ecg("b", "p", 7.5), ecg("c", "q", -20))
    table = events(*(event(value=v, hours=h, patient=p) for p, h, v in when), event("none", patient="none"))
    expected = []
    for patient, at in (("p", 0), ("p", 7.5), ("q", -20)):
        inside = [(abs(h - at), h - at, v) for p, h, v in when if p == patient and start <= h - at <= end]
        values = [v for *_, v in inside]
        if choose == "nearest" and inside:
            values = [v for d, s, v in inside if (d, s) == min((d, s) for d, s, _ in inside)]
        if not values or (choose == "any" and 2.0 in values and (6 in values or opposite == "unknown")):
            expected.append(None)
        elif 6 in values:
            expected.append(1)
        else:
            expected.append(None if opposite == "unknown" and set(values) == {2.0} else 0)
    assert find_outcome(people, table, asked)["y"].to_list() == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"link": "stay", "choose": "any"}, "must go with link 'time'"),
        ({"link": "stay", "washout_h": 1}, "must go with link 'time'"),
        ({"reference": "declared"}, "limits must be given"),
        ({"limits": {"all": (1, 2)}}, "limits must be given"),
        ({"window_h": (math.nan, 1)}, "must run from early to late"),
        ({"uncertain": "maybe"}, "uncertain"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        rule(**changes)
