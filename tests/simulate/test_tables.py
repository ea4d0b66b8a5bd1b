"""The tables say exactly what became of every recording, and hold what must not be used."""

from collections import defaultdict
from datetime import timedelta

import polars as pl
import pytest

from twelvelead.simulate import OUTCOMES, SITE_A, SITE_B
from twelvelead.simulate.tables import analyte

HOUR = timedelta(hours=1)


def by_patient(events, system):
    found = defaultdict(list)
    for event in events.filter(pl.col("system") == system).iter_rows(named=True):
        found[event["patient_id"]].append(event)
    return found


def implied(sim, outcome):
    """Read the outcome of every recording off the tables, plainly: 1, 0 or None where they don't say."""
    events = by_patient(sim.events, outcome.system)
    for row in sim.cohort.iter_rows(named=True):
        mine = events[row["patient_id"]]
        if outcome.kind == "diagnosis":
            codes = [e["code"] for e in mine if e["stay_id"] == row["stay_id"]]
            yield int(any(c.startswith(outcome.codes[0]) for c in codes)) if codes else None
            continue
        start, end = (timedelta(0), 24 * HOUR) if outcome.kind == "chest_xray" else (-HOUR, HOUR)
        near = [e for e in mine if e["code"] in outcome.codes and start <= e["time"] - row["recorded_at"] <= end]
        assert len(near) <= 1
        if not near:
            yield None
        elif outcome.kind == "chest_xray":
            yield int(near[0]["value"])
        elif outcome.name == "anaemia":
            yield int(near[0]["value"] < near[0]["reference_lower"])
        else:
            yield int(near[0]["value"] > near[0]["reference_upper"])


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda o: o.name)
@pytest.mark.parametrize("site", ["a", "b"])
def test_the_tables_imply_what_happened(outcome, site, hospital_a, hospital_b):
    sim = {"a": hospital_a, "b": hospital_b}[site]
    truth = sim.truth[f"y_{outcome.name}"].to_list()
    read = list(implied(sim, outcome))
    assert all(r in (None, t) for r, t in zip(read, truth, strict=True))
    known = [t for r, t in zip(read, truth, strict=True) if r is not None]
    share = {"chest_xray": 0.85, "diagnosis": 0.93, "laboratory": 0.88}[outcome.kind]
    assert len(known) / len(truth) == pytest.approx(share, abs=0.04)
    # What is unknown does not depend on the outcome: the known have it as often as all.
    assert sum(known) / len(known) == pytest.approx(sum(truth) / len(truth), abs=0.03)


def test_a_careless_reader_would_be_wrong(hospital_a):
    """Far from the ECG lie results that contradict it; the nearest in any time, or any stay, is not the outcome."""
    cohort, events, truth = hospital_a.cohort, hospital_a.events, hospital_a.truth
    joined = cohort.select("recording_id", "patient_id", "recorded_at", "stay_id").join(events, on="patient_id")
    potassium = joined.filter(pl.col("code") == "Potassium", (pl.col("time") - pl.col("recorded_at")).abs() > HOUR)
    far = potassium.join(truth.select("recording_id", "y_hyperkalaemia"), on="recording_id")
    high = far["value"] > far["reference_upper"]
    assert (high.cast(pl.Int8) != far["y_hyperkalaemia"]).mean() > 0.2
    elsewhere = joined.filter(pl.col("code").str.starts_with("I50"), pl.col("stay_id") != pl.col("stay_id_right"))
    assert elsewhere.height > 20


def test_some_results_are_abnormal_in_the_other_direction(hospital_a):
    potassium = hospital_a.events.filter(pl.col("code") == "Potassium")
    assert (potassium["value"] < potassium["reference_lower"]).sum() > 50
    haemoglobin = hospital_a.events.filter(pl.col("code") == "Hemoglobin")
    assert (haemoglobin["value"] > haemoglobin["reference_upper"]).sum() > 50


def test_haemoglobin_has_limits_of_its_own_for_women_and_men_in_the_sites_unit(hospital_a, hospital_b):
    for sim, unit, limits in ((hospital_a, "g/dL", {12.0, 13.5}), (hospital_b, "g/L", {120.0, 135.0})):
        rows = sim.events.filter(pl.col("code") == "Hemoglobin").join(
            sim.cohort.select("patient_id", "sex").unique(), on="patient_id", validate="m:1"
        )
        assert set(rows["unit"]) == {unit}
        assert set(rows["reference_lower"]) == limits
        assert rows.filter(pl.col("sex") == "female")["reference_lower"].unique().to_list() == [min(limits)]


def test_results_are_plausible_numbers(hospital_a):
    for code, low, high in (("Potassium", 1.0, 9.0), ("Hemoglobin", 4.0, 24.0), ("Chloride", 80, 125)):
        assert hospital_a.events.filter(pl.col("code") == code)["value"].is_between(low, high).all()


def test_diagnosis_codes_come_in_several_spellings(hospital_a):
    codes = set(hospital_a.events.filter(pl.col("system") == "icd10")["code"])
    assert {"I50", "I509", "I5022", "I48", "I4891", "Z012", "I10"} <= codes


def test_events_are_in_order_of_patient_and_time(hospital_a):
    order = hospital_a.events.select("patient_id", "time")
    assert order.equals(order.sort("patient_id", "time"))


def test_only_haemoglobin_is_reported_in_another_unit():
    assert analyte("Potassium", site=SITE_A) == analyte("Potassium", site=SITE_B)
    assert analyte("Hemoglobin", site=SITE_A).per_unit == 10 * analyte("Hemoglobin", site=SITE_B).per_unit
