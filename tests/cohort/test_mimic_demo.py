"""The cohort rules on real tables (MIMIC-IV demo), beside SQL that DuckDB runs on the files themselves."""
# ruff: noqa: S608 - the queries are put together from constants of this file

from pathlib import Path

import duckdb
import polars as pl
import pytest

from twelvelead.cohort import (
    CodeRule,
    Outcome,
    count_codes,
    count_units,
    count_unmapped,
    find_answers,
    harmonise_units,
    link_stays,
    normalise_codes,
)
from twelvelead.terms import COHORT, EVENTS, STAYS

HOSP = Path(__file__).parents[2].parent / "shared" / "data" / "mimic-iv-demo" / "hosp"

pytestmark = pytest.mark.skipif(not HOSP.is_dir(), reason="../shared/data/mimic-iv-demo is absent: no real tables")

HOURS_IN = 6  # the demo has no ECGs: one is imagined at admission, and one six hours later
ANALYTES = ("Potassium", "Creatinine", "Hemoglobin", "Urea Nitrogen", "White Blood Cells", "Lactate", "Troponin T")


def query(sql):
    connection = duckdb.connect()
    for name in ("admissions", "diagnoses_icd", "d_icd_diagnoses", "labevents", "d_labitems"):
        connection.execute(f"create view {name} as select * from read_csv('{HOSP / name}.csv.gz')")
    connection.execute(f"""
        create view ecgs as select hadm_id, subject_id, admittime taken, 'a' || hadm_id id from admissions
        union all select hadm_id, subject_id, admittime + interval {HOURS_IN} hour, 'b' || hadm_id from admissions""")
    return connection.execute(sql).fetchall()


def read(name):
    return pl.read_csv(HOSP / f"{name}.csv.gz", infer_schema=False)


def time(column):
    return pl.col(column).str.to_datetime(time_unit="us")


def number(column):
    return pl.col(column).cast(pl.Float64)


def fill(table, contract):
    absent = [pl.lit(None, t).alias(c) for c, t in contract.schema.items() if c not in table.columns]
    return contract.select(table.with_columns(absent))


@pytest.fixture(scope="module")
def cohort():
    admissions = read("admissions").select("hadm_id", patient_id="subject_id", admitted=time("admittime"))
    ecgs = [
        admissions.with_columns(
            recording_id=pl.lit(letter) + pl.col("hadm_id"),
            recorded_at=pl.col("admitted") + pl.duration(hours=hours),
        )
        for letter, hours in (("a", 0), ("b", HOURS_IN))
    ]
    return fill(pl.concat(ecgs), COHORT)


@pytest.fixture(scope="module")
def stays():
    columns = {"start": "admittime", "end": "dischtime"}
    return fill(
        read("admissions").select(
            stay_id=pl.lit("hosp-") + pl.col("hadm_id"),
            patient_id="subject_id",
            kind=pl.lit("hospital"),
            **{ours: time(theirs) for ours, theirs in columns.items()},
        ),
        STAYS,
    )


@pytest.fixture(scope="module")
def diagnoses():
    return fill(
        read("diagnoses_icd").select(
            patient_id="subject_id",
            stay_id=pl.lit("hosp-") + pl.col("hadm_id"),
            system=pl.lit("icd") + pl.col("icd_version"),
            code=pl.col("icd_code").str.strip_chars(),
        ),
        EVENTS,
    ).lazy()


@pytest.fixture(scope="module")
def laboratory():
    blood = read("d_labitems").filter(pl.col("fluid") == "Blood").select("itemid", code="label")
    return fill(
        read("labevents").join(blood, on="itemid").select(
            patient_id="subject_id",
            time=time("charttime"),
            system=pl.lit("laboratory"),
            code="code",
            value=number("valuenum"),
            unit="valueuom",
            reference_lower=number("ref_range_lower"),
            reference_upper=number("ref_range_upper"),
            flag="flag",
        ),
        EVENTS,
    ).lazy()  # fmt: skip


@pytest.mark.parametrize(("rule", "signs"), [("sound", (">=", "<=")), ("paper", (">", "<"))])
def test_stays_hold_as_many_ecgs(cohort, stays, rule, signs):
    linked = link_stays(cohort, stays, rule=rule)
    bounds = f"e.taken {signs[0]} a.admittime and e.taken {signs[1]} a.dischtime"
    inside = f"select count(distinct id) from ecgs e join admissions a using (subject_id) where {bounds}"
    assert linked["stay_id"].count() == query(inside)[0][0]
    assert linked["stay_id"].count() > 0


def test_icd10_codes_have_as_many_ecgs(cohort, stays, diagnoses):
    # Only the stays coded in ICD-10, whose codes need no mapping: prefixes of the stay's codes, without the X.
    tenth = diagnoses.filter(pl.col("system") == "icd10")
    linked = link_stays(cohort, stays)
    counts = count_codes(linked, normalise_codes(tenth, CodeRule()), link="stay")
    first_stay = """select id, arg_min(a.hadm_id, (a.admittime, 'hosp-' || a.hadm_id)) hadm_id
                    from ecgs e join admissions a using (subject_id)
                    where e.taken between a.admittime and a.dischtime group by id"""
    expected = query(f"""
        with codes as (select hadm_id, rtrim(substr(trim(icd_code), 1, 5), 'X') code from diagnoses_icd
                       where icd_version = 10),
        prefixes as (select distinct hadm_id, substr(code, 1, n) code from codes, (values (3), (4), (5)) t(n)
                     where length(code) >= n)
        select code, count(*) from ({first_stay}) join prefixes using (hadm_id) group by code""")
    assert dict(counts.rows()) == dict(expected)
    assert counts.height > 500


def test_every_diagnosis_is_mapped_or_counted(diagnoses):
    table = normalise_codes(diagnoses, CodeRule())
    lost = count_unmapped(table)
    mapped = table.filter(pl.col("system") == "icd10").select(pl.len()).collect().item()
    assert mapped + lost["n_events"].sum() == query("select count(*) from diagnoses_icd")[0][0]
    assert lost["n_events"].sum() < 0.02 * mapped  # 31 of 4506 when this was written
    # Hypertension is I10 in both versions.
    hypertension = table.filter(pl.col("system") == "icd10", pl.col("code") == "I10").select(pl.len()).collect().item()
    sql = "select count(*) from diagnoses_icd where (icd_version = 9 and trim(icd_code) in ('4010', '4011', '4019'))"
    assert hypertension == query(sql + " or (icd_version = 10 and trim(icd_code) = 'I10')")[0][0]


def test_the_published_mapping_makes_accidents_of_histories(diagnoses):
    tenth = read("d_icd_diagnoses").filter(pl.col("icd_version") == "10")["icd_code"].to_list()

    def accidents(rule):
        table = normalise_codes(diagnoses, rule, dictionary=tenth).filter(pl.col("system") == "icd10")
        return table.filter(pl.col("code").str.starts_with("V")).select(pl.len()).collect().item()

    collide = query("""select count(*) from diagnoses_icd where icd_version = 9 and icd_code like 'V%'
                       and trim(icd_code) in (select trim(icd_code) from d_icd_diagnoses where icd_version = 10)""")[0][
        0
    ]
    sound = accidents(CodeRule())  # some are: ICD-9 accidents, and ICD-10's own
    assert accidents(CodeRule(by_version=False)) == sound + collide
    assert collide > 5 * sound


def test_each_analyte_has_as_many_abnormal_results(cohort, laboratory):
    events = {"low": "below_reference", "high": "above_reference"}
    rules = [
        Outcome(
            name=f"{side}{place}", title=a, system="laboratory", codes=(a,), link="time", window_h=(-1, 1), event=event,
            absent="unknown",
        )
        for place, a in enumerate(ANALYTES)
        for side, event in events.items()
    ]  # fmt: skip
    counts = find_answers(cohort, harmonise_units(laboratory), rules).counts()
    found = {row[0]: (row[1], row[2]) for row in counts.rows()}
    # Of results equally near, the earlier; of those drawn at one time, the abnormal one.
    rows = query("""
        with labs as (
            select subject_id, charttime, label, valuenum, ref_range_lower lo, ref_range_upper hi from labevents
            join d_labitems using (itemid) where fluid = 'Blood' and valuenum is not null
              and not coalesce(ref_range_lower = 0 and ref_range_upper = 0, false)),
        near as (
            select id, label, abs(epoch_us(charttime) - epoch_us(taken)) * 2 + (charttime > taken)::int far,
                   valuenum < lo low, valuenum > hi high
            from ecgs join labs using (subject_id)
            where charttime between taken - interval 1 hour and taken + interval 1 hour),
        low as (select distinct on (id, label) id, label, low y from near where low is not null
                order by id, label, far, low desc),
        high as (select distinct on (id, label) id, label, high y from near where high is not null
                 order by id, label, far, high desc)
        select label, 'low', sum(y::int), sum((not y)::int) from low group by label
        union all select label, 'high', sum(y::int), sum((not y)::int) from high group by label""")
    expected = {(label, side): (int(n1), int(n0)) for label, side, n1, n0 in rows}
    for place, analyte in enumerate(ANALYTES):
        for side in events:
            assert found[f"{side}{place}"] == expected.get((analyte, side), (0, 0)), (analyte, side)
    assert sum(n for n, _ in found.values()) > 100


def test_the_units_of_real_results_are_known(laboratory):
    units = count_units(laboratory)
    assert units.filter(~pl.col("known")).is_empty()  # of the listed analytes
    listed = units.filter(pl.col("known"))["n_events"].sum()
    assert listed / units["n_events"].sum() > 0.7
