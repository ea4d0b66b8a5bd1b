"""The tables of MIMIC-IV-ED 2.2: edstays, diagnosis, vitalsign, triage."""

import numpy as np
import polars as pl

from twelvelead.simulate.published.codes import dictionary
from twelvelead.simulate.published.identifiers import subject_ids
from twelvelead.simulate.published.mimic_hosp import number_codes
from twelvelead.simulate.published.population import Block

_COMPLAINTS = ("Chest pain", "Dyspnea", "Abd pain", "Weakness", "s/p Fall", "Palpitations")
_VITALS = ("temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp")


def edstays(block: Block, visits: pl.DataFrame) -> pl.DataFrame:
    """Return `edstays.csv.gz`."""
    female = block.patients["female"]
    stays = visits.filter(pl.col("stay_id").is_not_null())
    admitted = pl.col("hadm_id").is_not_null()
    return stays.select(
        subject_id=pl.Series(subject_ids(block))[stays["patient"]],
        hadm_id="hadm_id",
        stay_id="stay_id",
        intime="intime",
        outtime="outtime",
        gender=pl.select(pl.when(female[stays["patient"]]).then(pl.lit("F")).otherwise(pl.lit("M"))).to_series(),
        race=pl.lit("WHITE"),
        arrival_transport=pl.when(admitted).then(pl.lit("AMBULANCE")).otherwise(pl.lit("WALK IN")),
        disposition=pl.when(admitted).then(pl.lit("ADMITTED")).otherwise(pl.lit("HOME")),
    )


def diagnosis(block: Block, coded: pl.DataFrame) -> pl.DataFrame:
    """Return `diagnosis.csv.gz`."""
    titles = dictionary().select(
        "icd_code", icd_version=pl.col("icd_version").cast(pl.Int64), icd_title=pl.col("long_title").str.to_uppercase()
    )
    numbered = number_codes(block, coded, "stay_id")
    titled = numbered.join(titles, on=["icd_code", "icd_version"], how="left", maintain_order="left", validate="m:1")
    return titled.select("subject_id", "stay_id", "seq_num", "icd_code", "icd_version", "icd_title")


def vitalsign(block: Block, visits: pl.DataFrame) -> pl.DataFrame:
    """Return `vitalsign.csv.gz`: up to three times in a stay; the heart rate is near that of the first ECG."""
    stays = _with_heart_rate(block, visits)
    times = [
        stays.select("subject_id", "stay_id", charttime=pl.col("intime") + pl.duration(minutes=after)).with_columns(
            *_signs(block, stays, f"vital{number}"), rhythm=pl.lit(None, pl.String), pain=pl.lit("0")
        )
        for number, after in enumerate((5, 75, 170))
    ]
    before_leaving = pl.concat(times).join(stays.select("stay_id", "outtime"), on="stay_id", maintain_order="left")
    taken = before_leaving.filter(pl.col("charttime") < pl.col("outtime")).drop("outtime")
    return taken.sort("subject_id", "stay_id", "charttime")


def triage(block: Block, visits: pl.DataFrame) -> pl.DataFrame:
    """Return `triage.csv.gz`; pain is text, and not always a number."""
    stays = _with_heart_rate(block, visits)
    pain, acuity, complaint = block.uniform("triage", stays.height, 3).T
    words = np.where(pain < 0.03, "unable", np.floor(pain * 11).astype(int).astype(str))
    return stays.select("subject_id", "stay_id").with_columns(
        *_signs(block, stays, "triage"),
        pain=pl.Series(words),
        acuity=pl.Series(np.floor(1 + 5 * acuity).clip(1, 5)),
        chiefcomplaint=pl.Series(np.array(_COMPLAINTS)[(complaint * len(_COMPLAINTS)).astype(int)]),
    )


def _with_heart_rate(block: Block, visits: pl.DataFrame) -> pl.DataFrame:
    rate = block.recordings.filter("is_first")["heart_rate_bpm"]
    stays = visits.with_columns(rate=rate).filter(pl.col("stay_id").is_not_null())
    return stays.with_columns(subject_id=pl.Series(subject_ids(block))[stays["patient"]])


def _signs(block: Block, stays: pl.DataFrame, name: str) -> list[pl.Series]:
    """Return the vital signs, some of them missing, temperature in °F."""
    noise = block.normal(name, stays.height, len(_VITALS)).T
    missing = block.uniform(f"{name}/missing", stays.height, len(_VITALS)).T < 0.05
    centres = (98.1, 0.0, 17.5, 97.5, 134.0, 77.0)
    spreads = (0.8, 5.0, 2.0, 1.7, 20.0, 12.0)
    values = [np.rint(c + s * z) for c, s, z in zip(centres, spreads, noise, strict=True)]
    values[0] = np.rint((centres[0] + spreads[0] * noise[0]) * 10) / 10
    values[1] = np.rint(stays["rate"].to_numpy() + values[1])
    values[3] = np.minimum(values[3], 100)
    return [
        pl.Series(sign, np.where(gone, np.nan, v)).fill_nan(None)
        for sign, v, gone in zip(_VITALS, values, missing, strict=True)
    ]
