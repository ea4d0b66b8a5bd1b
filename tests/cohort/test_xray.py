from datetime import datetime, timedelta

import polars as pl
import pytest

from twelvelead.cohort import Outcome, find_outcome, pair_xrays
from twelvelead.terms import COHORT, EVENTS, ContractError

T0 = datetime(2150, 1, 1)
HOURS = {"e1": 0.0, "e2": 3.0, "e3": 40.0}
EDEMA = Outcome(
    name="Edema", title="Edema", system="chest_xray", codes=("Edema",), link="recording", event="value", absent="no"
)


def ecgs():
    rows = [{"recording_id": r, "patient_id": "p", "recorded_at": T0 + timedelta(hours=h)} for r, h in HOURS.items()]
    rows.append({"recording_id": "q1", "patient_id": "q", "recorded_at": T0})
    table = pl.DataFrame(rows, schema_overrides=COHORT.schema)
    return table.with_columns(pl.lit(None, t).alias(c) for c, t in COHORT.schema.items() if c not in table.columns)


def findings(*rows):
    names = ("source_id", "hours", "code", "value")
    table = pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows]).with_columns(
        patient_id=pl.lit("p"), system=pl.lit("chest_xray"), time=T0 + pl.duration(milliseconds=pl.col("hours") * 3.6e6)
    )
    absent = (pl.lit(None, t).alias(c) for c, t in EVENTS.schema.items() if c not in table.columns)
    table = table.with_columns(*absent).cast({"time": pl.Datetime("us")})
    return table.select(*EVENTS.schema, "source_id").lazy()


XRAYS = (
    ("s1/a", 4.0, "Edema", 0.0), ("s1/b", 4.0, "Edema", 1.0), ("s2/c", 20.0, "Edema", 1.0),
    ("s2/c", 20.0, "Mass", 0.0), ("s3/d", 90.0, "Edema", 1.0), ("s4/e", 41.0, "Mass", 1.0),
)  # fmt: skip


def test_the_image_is_the_unit_as_published():
    rows, events = pair_xrays(ecgs(), findings(*XRAYS), unit="image", within_h=24)
    # Both images of s1 and the one of s2 follow e2; s3 follows e3 by 50 hours.
    assert rows.select("recording_id", "ecg_id", "delay_h").rows() == [
        ("e2@s1/a", "e2", 1.0), ("e2@s1/b", "e2", 1.0), ("e2@s2/c", "e2", 17.0), ("e3@s4/e", "e3", 1.0),
    ]  # fmt: skip
    assert find_outcome(rows, events, EDEMA)["y"].to_list() == [0, 1, 1, 0]


def test_a_study_is_one_row_and_an_ecg_too():
    rows, events = pair_xrays(ecgs(), findings(*XRAYS), unit="study", within_h=24)
    assert rows.select("recording_id", "source_id", "delay_h").rows() == [("e2", "s1", 1.0), ("e3", "s4", 1.0)]
    assert find_outcome(rows, events, EDEMA)["y"].to_list() == [1, 0]
    assert events.collect().height == 3


def test_an_xray_at_the_time_of_the_ecg_or_before_has_no_ecg():
    for hours, expected in ((0.0, []), (-1.0, []), (0.001, ["e1"]), (3.0, ["e1"]), (27.0, ["e2"]), (27.001, [])):
        rows, _ = pair_xrays(ecgs(), findings(("s1/a", hours, "Edema", 1.0)), unit="study", within_h=24)
        assert rows["ecg_id"].to_list() == expected, hours


def test_events_must_say_which_image_they_are_from():
    with pytest.raises(ContractError, match="source_id"):
        pair_xrays(ecgs(), findings(*XRAYS).drop("source_id"), unit="study", within_h=24)
