"""The tables of MIMIC-IV `hosp` 3.1, except the laboratory's: patients, admissions, diagnoses_icd, omr."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.published.codes import background_codes, random_disease_codes
from twelvelead.simulate.published.identifiers import scattered_ids, subject_ids
from twelvelead.simulate.published.outcomes import Fate
from twelvelead.simulate.published.population import Block
from twelvelead.simulate.published.visits import unknown_people

_DAY = 1440  # in minutes
_EARLIER, _RANDOM_CODE = 0.3, 0.08
_DEAD = 0.15
_RACES = ("WHITE", "WHITE", "WHITE", "BLACK/AFRICAN AMERICAN", "HISPANIC/LATINO - DOMINICAN", "ASIAN", "OTHER")
_INSURANCES = ("Medicare", "Medicaid", "Private", "Other")
_MARITAL = ("MARRIED", "SINGLE", "WIDOWED", "DIVORCED")
_AFTER = ("HOME", "HOME HEALTH CARE", "SKILLED NURSING FACILITY", "REHAB")
CODE_WIDTH = 7  # of the published database's char(7)


def patients(block: Block, visits: pl.DataFrame) -> pl.DataFrame:
    """Return `patients.csv.gz`, with `patient`, the row in the block, besides.

    Everybody above 89 is 91, and died_at is known up to a year after the last discharge. Some who have ECGs are absent.
    """
    n = block.patients.height
    dead, days = block.uniform("death", n, 2).T
    last = visits.group_by("patient").agg(end=pl.max_horizontal(pl.col("last").max(), pl.col("dischtime").max()))
    first_of_group = pl.col("real_year") - (pl.col("real_year") - 2008) % 3
    return (
        block.patients.join(last, on="patient", how="left", maintain_order="left", validate="1:1")
        .with_columns(
            subject_id=pl.Series(subject_ids(block)),
            died=pl.Series(dead < _DEAD),
            dod=pl.col("end").dt.date() + pl.duration(days=pl.lit(pl.Series(np.floor(365 * days).astype(np.int64)))),
        )
        .filter(pl.Series(~unknown_people(block)))
        .select(
            "subject_id",
            gender=pl.when("female").then(pl.lit("F")).otherwise(pl.lit("M")),
            anchor_age=pl.when(pl.col("anchor_age") > 89).then(91).otherwise("anchor_age"),
            anchor_year="anchor_year",
            anchor_year_group=pl.format("{} - {}", first_of_group, first_of_group + 2),
            dod=pl.when("died").then("dod"),
            patient="patient",
        )
    )  # fmt: skip


def earlier_stays(block: Block, visits: pl.DataFrame) -> pl.DataFrame:
    """Return hospital stays months before the first ECG, whose codes say nothing about any ECG."""
    n = block.patients.height
    has, days, length = block.uniform("earlier", n, 3).T
    first = visits.group_by("patient", maintain_order=True).first().sort("patient")
    before = pl.Series(np.floor((60 + 300 * days) * _DAY).astype(np.int64) * 60_000_000).cast(pl.Duration("us"))
    stay = pl.Series(np.floor((1 + 8 * length) * _DAY).astype(np.int64) * 60_000_000).cast(pl.Duration("us"))
    table = first.select(
        "patient",
        hadm_id=pl.Series(scattered_ids(block, 20_000_000, visits.height + n)[visits.height :]),
        admittime=pl.col("first") - before,
        dischtime=pl.col("first") - before + stay,
        real_day=pl.col("real_day") - before.dt.total_days(),
    )
    return table.filter(pl.Series((has < _EARLIER) & ~unknown_people(block)))


def admissions(block: Block, visits: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Return `admissions.csv.gz`, in order of patient and time."""
    stays = pl.concat(
        [
            visits.filter(pl.col("hadm_id").is_not_null()),
            earlier.with_columns(kind=pl.lit("hospital")),
        ],
        how="diagonal",
    )
    n = stays.height
    draws = block.uniform("admission", n, 5).T
    race = np.array(_RACES)[(block.uniform("race", block.patients.height) * len(_RACES)).astype(int)]
    dies = pl.Series(draws[0] < 0.02) & (pl.col("admittime") == pl.col("admittime").max().over("patient"))
    is_both = pl.col("kind") == "both"
    return (
        stays.with_columns(dies=dies)
        .select(
            subject_id=pl.Series(subject_ids(block))[stays["patient"]],
            hadm_id="hadm_id",
            admittime="admittime",
            dischtime="dischtime",
            deathtime=pl.when("dies").then("dischtime"),
            admission_type=pl.when(is_both).then(pl.lit("EW EMER.")).otherwise(pl.lit("URGENT")),
            admit_provider_id=pl.format("P{}", pl.Series((draws[1] * 9000).astype(int) + 1000)),
            admission_location=pl.when(is_both).then(pl.lit("EMERGENCY ROOM")).otherwise(pl.lit("PHYSICIAN REFERRAL")),
            discharge_location=pl.when("dies").then(pl.lit("DIED")).otherwise(_pick(draws[2], _AFTER)),
            insurance=_pick(draws[3], _INSURANCES),
            language=pl.lit("English"),
            marital_status=_pick(draws[4], _MARITAL),
            race=pl.Series(race)[stays["patient"]],
            edregtime=pl.when(is_both).then("intime"),
            edouttime=pl.when(is_both).then("outtime"),
            hospital_expire_flag=pl.col("dies").cast(pl.Int8),
        )
        .sort("subject_id", "admittime")
    )


def _pick(chance: NDArray[np.float64], choices: tuple[str, ...]) -> pl.Series:
    return pl.Series(np.array(choices)[(chance * len(choices)).astype(int)])


def coded_stays(
    block: Block,
    visits: pl.DataFrame,
    earlier: pl.DataFrame,
    *,
    disease_codes: pl.DataFrame,
    fate: Fate,
    since_icd10: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the codes of hospital stays and of emergency stays, one row each.

    Returns
    -------
    hospital : polars.DataFrame
        `patient`, `hadm_id`, `icd_code`, `icd_version`, `icd10`, `collided`.
    emergency : polars.DataFrame
        The same with `stay_id`. A stay that leads to the hospital is coded with what depends on nothing.
    """
    background = background_codes(block, "visit", fate.version)
    key = visits.with_row_index("visit_number").select(
        "patient", "hadm_id", "stay_id", "kind", "coded", visit=pl.col("visit_number").cast(pl.Int64)
    )
    of_visit = pl.concat([disease_codes, background]).join(key, on="visit", maintain_order="left").filter("coded")
    version = np.where(earlier["real_day"].to_numpy() < since_icd10, 9, 10)
    of_earlier = pl.concat(
        [
            random_disease_codes(block, "earlier", version, share=_RANDOM_CODE),
            background_codes(block, "earlier", version),
        ]
    ).join(
        earlier.with_row_index("number").select("patient", "hadm_id", visit=pl.col("number").cast(pl.Int64)), on="visit"
    )
    columns = ["patient", "icd_code", "icd_version", "icd10", "collided"]
    hospital = pl.concat(
        [
            of_visit.filter(pl.col("hadm_id").is_not_null()).select("hadm_id", *columns),
            of_earlier.select("hadm_id", *columns),
        ]
    )
    only = of_visit.filter(pl.col("kind") == "emergency")
    leading = background.join(key, on="visit").filter(pl.col("coded") & (pl.col("kind") == "both"))
    emergency = pl.concat([only.select("stay_id", *columns), leading.select("stay_id", *columns)])
    return hospital, emergency


def diagnoses_icd(block: Block, coded: pl.DataFrame) -> pl.DataFrame:
    """Return `diagnoses_icd.csv.gz`: codes padded with blanks to seven characters, numbered within their stay."""
    return number_codes(block, coded, "hadm_id").select(
        "subject_id", "hadm_id", "seq_num", pl.col("icd_code").str.pad_end(CODE_WIDTH), "icd_version"
    )


def number_codes(block: Block, coded: pl.DataFrame, stay: str) -> pl.DataFrame:
    """Add subject_id and seq_num; the order of a stay's codes is random."""
    order = pl.Series(block.uniform(f"order/{stay}", coded.height))
    return (
        coded.with_columns(subject_id=pl.Series(subject_ids(block))[coded["patient"]], order=order)
        .sort("subject_id", stay, "order")
        .with_columns(seq_num=pl.int_range(pl.len()).over(stay) + 1)
    )


def omr(block: Block, visits: pl.DataFrame) -> pl.DataFrame:
    """Return `omr.csv.gz`: weight, height, body mass index and blood pressure as text, in units of the house."""
    n = block.patients.height
    body = block.normal("body", n, 2).T
    female = block.patients["female"].to_numpy()
    inches = np.rint(69 - 5.5 * female + 2.7 * body[0])
    pounds = np.rint(0.0254**2 / 0.453592 * inches**2 * np.clip(28 + 5.5 * body[1], 16, 60) * 10) / 10
    index = np.rint(pounds * 0.453592 / (inches * 0.0254) ** 2 * 10) / 10
    pressure = block.normal("pressure", n, 2).T
    systolic, diastolic = np.rint(130 + 17 * pressure[0]).astype(int), np.rint(76 + 9 * pressure[1]).astype(int)
    first = visits.group_by("patient").agg(chartdate=pl.col("first").min().dt.date()).sort("patient")
    days = pl.duration(days=pl.lit(pl.Series(np.floor(40 * block.uniform("omr_day", n)).astype(np.int64))))
    said = {
        "Height (Inches)": pl.Series(inches.astype(int)).cast(pl.String),
        "Weight (Lbs)": pl.Series(pounds).cast(pl.String),
        "BMI (kg/m2)": pl.Series(index).cast(pl.String),
        "Blood Pressure": pl.select(pl.format("{}/{}", pl.Series(systolic), pl.Series(diastolic))).to_series(),
    }
    kept = pl.Series((block.uniform("omr", n) < 0.7) & ~unknown_people(block))
    tables = [
        first.select(
            subject_id=pl.Series(subject_ids(block)), chartdate=pl.col("chartdate") - days, seq_num=pl.lit(1),
            result_name=pl.lit(name), result_value=values,
        ).filter(kept)
        for name, values in said.items()
    ]  # fmt: skip
    return pl.concat(tables).sort("subject_id", "chartdate", "result_name")
