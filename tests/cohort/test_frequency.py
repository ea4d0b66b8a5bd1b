from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from twelvelead.cohort import (
    CodeRule,
    Outcome,
    count_codes,
    find_answers,
    frequent_in_folds,
    normalise_codes,
)
from twelvelead.terms import COHORT, EVENTS, StudyError

T0 = datetime(2150, 1, 1)


def cohort(*rows):
    table = pl.DataFrame(
        [
            {"recording_id": r, "patient_id": p, "stay_id": s, "recorded_at": T0 + timedelta(hours=h)}
            for r, p, s, h in rows
        ],
        schema_overrides=COHORT.schema,
    )
    return table.with_columns(pl.lit(None, t).alias(c) for c, t in COHORT.schema.items() if c not in table.columns)


def codes(*rows):
    table = pl.DataFrame(
        [
            {
                "patient_id": p,
                "stay_id": s,
                "code": c,
                "system": "icd10",
                "recording_id": r,
                "time": T0 + timedelta(hours=h),
            }
            for p, s, c, r, h in rows
        ]
    )
    table = table.with_columns(pl.lit(None, t).alias(c) for c, t in EVENTS.schema.items() if c not in table.columns)
    return EVENTS.select(table).lazy()


def test_placeholders_make_further_codes():
    # Three ECGs of a stay with S06.0X0A, two with S06.0X1A, two with T38.0X5A; each code needs 3 ECGs.
    people = cohort(*((f"r{i}", "p", f"s{stay}", 0) for i, stay in enumerate((1, 1, 1, 2, 2, 3, 3))))
    rows = codes(*(("p", f"s{i}", c, None, 0) for i, c in ((1, "S060X0A"), (2, "S060X1A"), (3, "T380X5A"))))

    def frequent(*, strip_x):
        table = normalise_codes(rows, CodeRule(strip_x=strip_x))
        counts = count_codes(people, table, link="stay")
        return counts.filter(pl.col("n_recordings") >= 3)["code"].sort().to_list()

    assert frequent(strip_x=True) == ["S06", "S060"]
    assert frequent(strip_x=False) == ["S06", "S060", "S060X"]


@pytest.mark.parametrize("link", ["recording", "stay", "time"])
def test_counts_equal_the_outcomes(link):
    rng = np.random.default_rng(0)
    people = cohort(*((f"r{i}", f"p{rng.integers(9)}", f"s{rng.integers(12)}", rng.uniform(0, 900)) for i in range(60)))
    known = ["K70", "K703", "K7030", "K7031", "I10", "C349", "C3490"]
    rows = codes(
        *((f"p{rng.integers(9)}", f"s{rng.integers(15)}", str(rng.choice(known)), f"r{rng.integers(60)}",
           rng.uniform(0, 900)) for _ in range(200))
    )  # fmt: skip
    window = {"window_h": (-50, 50)} if link == "time" else {}
    counts = dict(count_codes(people, rows, link=link, **window).rows())
    asked = [
        Outcome(name=c, title=c, system="icd10", codes=(c,), match="prefix", link=link, absent="unknown", **window)
        for c in sorted({c[:n] for c in known for n in (3, 4, 5) if len(c) >= n})
    ]
    found = find_answers(people, rows, asked).counts()
    assert counts == dict(found.select("target", "n_events").rows())
    assert min(counts.values()) < 60


def test_stays_that_share_a_recording_count_it_once():
    links = {"hospital_stay_id": "s1", "led_to_stay_id": "s2", "emergency_stay_id": "s3"}
    people = cohort(("a", "p", "s1", 0)).with_columns(pl.lit(v).alias(k) for k, v in links.items())
    rows = codes(("p", "s1", "I10", None, 0), ("p", "s2", "I10", None, 0), ("p", "s3", "R07", None, 0))
    assert count_codes(people, rows, link="stay").rows() == [("I10", 1)]


def test_a_window_needs_the_link_time():
    people, rows = cohort(("a", "p", "s", 0)), codes(("p", "s", "I10", None, 0))
    with pytest.raises(StudyError, match="window_h must be given"):
        count_codes(people, rows, link="time")
    with pytest.raises(StudyError, match="window_h must be given"):
        count_codes(people, rows, link="stay", window_h=(0, 1))


def test_a_target_needs_events_in_both_folds():
    people = cohort(*((f"r{i}", f"p{i}", f"s{i}", 0) for i in range(12)))
    folds = pl.DataFrame({"recording_id": [f"r{i}" for i in range(12)], "fold": [18] * 4 + [19] * 4 + [0] * 4})
    having = {"I10": (0, 1, 4, 5), "K70": (0, 1, 4, 8, 9), "Z99": tuple(range(12))}
    rows = codes(*((f"p{i}", f"s{i}", c, None, 0) for c, places in having.items() for i in places))
    asked = [Outcome(name=c, title=c, system="icd10", codes=(c,), link="stay") for c in having]
    answers = find_answers(people, rows, asked)
    count = Counter(frequent_in_folds(answers, folds, which=(18, 19), n_events=2))
    assert count == Counter(["I10", "Z99"])
    assert frequent_in_folds(answers, folds.reverse(), which=(18, 19), n_events=1, n_without=1) == ("I10", "K70")
