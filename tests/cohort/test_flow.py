import polars as pl

from twelvelead.cohort import count_events, count_step
from twelvelead.terms import FLOW, OUTCOMES

EVERYONE = pl.DataFrame({"recording_id": list("abcd"), "patient_id": ["1", "1", "2", "3"]})
Y = {"I50": [1, 1, 0, None], "K70": [0, 0, 0, 1]}
OUTCOME = OUTCOMES.select(
    [{"recording_id": r, "target": t, "y": y} for t, values in Y.items() for r, y in zip("abcd", values, strict=True)]
)


def test_every_step_counts_recordings_and_patients():
    flow = count_step(
        count_step(FLOW.empty(), "all", EVERYONE), "first", EVERYONE.filter(pl.col("recording_id") != "b")
    )
    assert flow.rows() == [("all", 4, 3, 0), ("first", 3, 3, 1)]


def test_every_step_counts_the_events_of_each_target():
    assert count_events("all", EVERYONE, OUTCOME).rows() == [("all", "I50", 2, 1, 1, 1), ("all", "K70", 1, 3, 0, 1)]
    left = EVERYONE.filter(pl.col("patient_id") == "2")
    assert count_events("second", left, OUTCOME).rows() == [
        ("second", "I50", 0, 1, 0, 0),
        ("second", "K70", 0, 1, 0, 0),
    ]


def test_a_target_of_which_nothing_is_left_has_zeros():
    assert count_events("none", EVERYONE.clear(), OUTCOME).rows() == [
        ("none", "I50", 0, 0, 0, 0), ("none", "K70", 0, 0, 0, 0),
    ]  # fmt: skip
