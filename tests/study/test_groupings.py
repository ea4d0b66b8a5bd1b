import polars as pl

from twelvelead.study.groupings import MOST, REST, gather_people, group

COHORT = pl.DataFrame(
    {"recording_id": ["a", "b", "c"], "age_years": [30.0, 50.0, None], "sex": ["male", None, "female"]}
)
FEATURES = pl.DataFrame({"recording_id": ["a", "b", "c"], "af_evidence_probability": [0.9, 0.1, None]}).lazy()


def test_atrial_fibrillation_is_taken_from_the_measurement_where_no_column_says_it():
    people = gather_people(COHORT, FEATURES, set_="internal")
    assert people["atrial_fibrillation"].to_list() == ["likely", "no", None]
    said = gather_people(COHORT.with_columns(atrial_fibrillation=pl.lit(value=True)), FEATURES, set_="internal")
    assert said["atrial_fibrillation"].to_list() == ["true"] * 3
    assert "atrial_fibrillation" not in gather_people(COHORT, FEATURES.select("recording_id"), set_="internal").columns


def test_sites_and_races_are_text_and_unknown_ones_stay_so():
    people = gather_people(COHORT.with_columns(site=pl.Series([1, 2, None])), FEATURES, set_="internal")
    assert people["site"].to_list() == ["1", "2", None]
    assert group(people, (40,))["site"].to_list() == ["1", "2", None]
    assert group(people, (40,))["age"].to_list() == ["under 40 years", "40 years and over", None]


def test_a_grouping_that_parts_one_set_only_groups_that_one():
    two = pl.concat(
        [
            pl.DataFrame({"recording_id": ["a", "b"], "age_years": 50.0, "sex": "male", "set": "internal",
                          "site": ["x", "y"]}),
            pl.DataFrame({"recording_id": ["c", "d"], "age_years": 50.0, "sex": "male", "set": "external",
                          "site": ["z", "z"]}),
        ]
    )  # fmt: skip
    assert group(two, (40,))["site"].to_list() == ["x", "y", None, None]
    assert "site" not in group(two.filter(set="external"), (40,)).columns


def test_of_many_sites_the_rarer_ones_are_taken_together():
    sites = [f"s{n:02d}" for n in range(MOST + 4) for _ in range(1 + (n < 3))]
    people = pl.DataFrame({"recording_id": [str(n) for n in range(len(sites))], "age_years": 50.0, "sex": "male",
                           "set": "internal", "site": sites})  # fmt: skip
    pooled = group(people, (40,))["site"]
    assert pooled.n_unique() == MOST
    assert (pooled == REST).sum() == 5
    assert (pooled == "s02").sum() == 2
    assert group(people[::-1], (40,))["site"].to_list() == pooled.to_list()[::-1]
