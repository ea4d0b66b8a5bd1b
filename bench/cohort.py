"""Outcomes of 800,000 ECGs from 40 million laboratory results and 7.7 million diagnoses, beside DuckDB, in one run.

    python bench/cohort.py [--scales 0.1 0.333 1] [--folder FOLDER] [--seed N]

Makes a hospital of that size as Parquet files in a temporary folder (uniform random numbers: what is timed is the
joining, not the medicine), then, in a process of its own for each line: links ECGs to stays, finds the laboratory
result nearest in time within ±60 minutes and whether it is below or above its own reference range, for 20 analytes; and
gives each ECG the diagnoses of its stay with their ancestors, counts them, and answers for the thousand most frequent.
DuckDB does the laboratory part by as-of joins; its counts must be the same. Wall time, processor time and peak memory
of each process, reading the files included.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from twelvelead.cohort import CodeRule, Outcome, count_codes, find_answers, link_stays, normalise_codes
from twelvelead.terms import COHORT, EVENTS, STAYS

PATIENTS, ECGS, HOSPITAL, EMERGENCY = 160_000, 800_000, 546_000, 425_000
LABS, DIAGNOSES, CHUNK = 40_000_000, 7_700_000, 2_000_000
ANALYTES = tuple(f"Analyte {i:02d}" for i in range(20))
CODES = 15_197
HOUR = 3_600_000_000  # microseconds
BEGIN = (datetime(2110, 1, 1) - datetime(1970, 1, 1)).days * 24 * HOUR
CENTURY = 100 * 365 * 24 * HOUR


def main():
    """Make the data, run each part in its own process, and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--scales", type=float, nargs="+", default=[0.1, 1 / 3, 1.0])
    parser.add_argument("--folder", type=Path, help="where the data are made (a temporary folder below it)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=sorted(PARTS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(PARTS[arguments.part](arguments.folder)))
        return
    print(f"{'ECGs':>8} {'labs':>11} {'diagnoses':>10}  {'part':<22} {'wall s':>7} {'CPU s':>7} {'peak GB':>8}  result")
    for scale in arguments.scales:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
            folder = Path(name)
            make_hospital(folder, scale=scale, seed=arguments.seed)
            for part in ("everything", "laboratory", "laboratory_duckdb"):
                spent = run_alone(part, folder)
                sizes = f"{int(ECGS * scale):>8} {int(LABS * scale):>11} {int(DIAGNOSES * scale):>10}"
                spending = f"{spent['s']:>7.1f} {spent['cpu']:>7.1f} {spent['gb']:>8.2f}"
                print(f"{sizes}  {part:<22} {spending}  {spent['result']}", flush=True)


def run_alone(part, folder):
    """Run one part in a fresh process, so that its peak of memory is its own."""
    command = [sys.executable, __file__, "--part", part, "--folder", str(folder)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])  # noqa: S603


def spend(function, folder):
    """Return wall time, peak memory, and what came out."""
    start, processor = time.perf_counter(), time.process_time()
    result = function(folder)
    spent = {"s": time.perf_counter() - start, "cpu": time.process_time() - processor, "result": result}
    return spent | {"gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


def rules():
    """Below and above the reference range, for every analyte."""
    sides = {"low": "below_reference", "high": "above_reference"}
    return tuple(
        Outcome(
            name=f"{analyte.replace(' ', '_')}_{side}", title=f"{analyte} {side}", system="laboratory",
            codes=(analyte,), link="time", window_h=(-1, 1), event=event, absent="unknown",
        )
        for analyte in ANALYTES
        for side, event in sides.items()
    )  # fmt: skip


def laboratory(folder):
    """Find the nearest result of each analyte and its class."""
    cohort = pl.read_parquet(folder / "cohort.parquet")
    counts = find_answers(cohort, pl.scan_parquet(folder / "labs-*.parquet"), rules()).counts()
    return f"{counts['n_events'].sum()} events, {counts['n_without'].sum()} without"


def everything(folder):
    """Link, find laboratory outcomes, and find the outcomes of the thousand most frequent diagnoses."""
    cohort = link_stays(pl.read_parquet(folder / "cohort.parquet"), pl.read_parquet(folder / "stays.parquet"))
    labs = find_answers(cohort, pl.scan_parquet(folder / "labs-*.parquet"), rules()).counts()
    diagnoses = normalise_codes(pl.scan_parquet(folder / "diagnoses-*.parquet"), CodeRule())
    codes = count_codes(cohort, diagnoses, link="stay")["code"].head(1000)
    asked = tuple(Outcome(name=c, title=c, system="icd10", codes=(c,), match="prefix", link="stay") for c in codes)
    found = find_answers(cohort, diagnoses, asked).counts()
    return f"{labs['n_events'].sum()} abnormal results, {len(asked)} codes with {found['n_events'].sum()} ECGs"


def laboratory_duckdb(folder):
    """Do what `laboratory` does in DuckDB: one as-of join before and one after the ECG, then the nearer of the two."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"create view labs as select * from '{folder}/labs-*.parquet'")  # noqa: S608
    connection.execute(f"""create table asked as select recording_id, patient_id, recorded_at, code
                       from '{folder}/cohort.parquet' cross join (select distinct code from labs)""")  # noqa: S608
    columns = "asked.recording_id, asked.code, recorded_at, time, value, reference_lower, reference_upper"
    same = "asked.patient_id = labs.patient_id and asked.code = labs.code"
    sides = " union all ".join(
        f"select {columns} from asked asof join labs on {same} and asked.recorded_at {sign} labs.time"  # noqa: S608
        for sign in (">=", "<")
    )
    row = connection.execute(f"""
        with sides as ({sides}),
        near as (select * from sides where abs(epoch_us(time) - epoch_us(recorded_at)) <= {HOUR}),
        one as (select arg_min(value < reference_lower, abs(epoch_us(time) - epoch_us(recorded_at))) low,
                       arg_min(value > reference_upper, abs(epoch_us(time) - epoch_us(recorded_at))) high
                from near group by recording_id, code)
        select sum(low::int) + sum(high::int), 2 * count(*) from one""").fetchone()  # noqa: S608
    return f"{row[0]} events, {row[1] - row[0]} without"


PARTS = {
    "everything": lambda folder: spend(everything, folder),
    "laboratory": lambda folder: spend(laboratory, folder),
    "laboratory_duckdb": lambda folder: spend(laboratory_duckdb, folder),
}


def make_hospital(folder, *, scale, seed):
    """Write cohort, stays, laboratory results and diagnoses, in chunks."""
    rng = np.random.default_rng(seed)
    n_patients = int(PATIENTS * scale)
    stays = make_stays(rng, scale=scale, n_patients=n_patients)
    STAYS.select(stays).write_parquet(folder / "stays.parquet")
    patient, start, length = (stays[c].to_numpy() for c in ("patient", "start_us", "length_us"))
    n = int(ECGS * scale)
    stay = rng.integers(len(patient), size=n)
    in_stay = rng.uniform(size=n) < 0.6
    at = np.where(in_stay, start[stay] + rng.uniform(size=n) * length[stay], BEGIN + rng.uniform(size=n) * CENTURY)
    cohort = pl.DataFrame(
        {"recording_id": np.arange(n), "patient_id": patient[stay], "recorded_at": at.astype(np.int64)}
    ).with_columns(age_years=pl.lit(60.0), sex=pl.lit("female"), stay_id=pl.lit(None), path=pl.lit(None))
    COHORT.select(cohort).write_parquet(folder / "cohort.parquet")
    for place, size in enumerate(chunks(int(LABS * scale))):
        stay = rng.integers(len(patient), size=size)
        value, lower = rng.normal(10, 3, size), rng.choice([5.0, 6.0, 7.0], size)
        labs = pl.DataFrame(
            {
                "patient_id": patient[stay],
                "time": (start[stay] + rng.uniform(size=size) * length[stay]).astype(np.int64),
                "code": pl.Series(ANALYTES).gather(rng.integers(len(ANALYTES), size=size)),
                "value": value, "reference_lower": lower, "reference_upper": lower + 8,
            }
        )  # fmt: skip
        write_events(labs, "laboratory", folder / f"labs-{place:03d}.parquet")
    codes = make_codes(rng)
    share = 1 / np.arange(1, CODES + 1) ** 0.8
    hospital = np.flatnonzero(stays["kind"] == "hospital")
    for place, size in enumerate(chunks(int(DIAGNOSES * scale))):
        stay = rng.choice(hospital, size=size)
        coded = pl.DataFrame(
            {
                "patient_id": patient[stay],
                "time": (start + length)[stay].astype(np.int64),
                "code": codes.gather(rng.choice(CODES, size=size, p=share / share.sum())),
                "stay_id": stays["stay_id"].gather(stay),
            }
        )
        write_events(coded, "icd10", folder / f"diagnoses-{place:03d}.parquet")


def make_stays(rng, *, scale, n_patients):
    """Hospital stays of up to ten days, and emergency stays of up to ten hours, most of them just before one."""
    n_hospital, n_emergency = int(HOSPITAL * scale), int(EMERGENCY * scale)
    patient = rng.integers(n_patients, size=n_hospital)
    start = (BEGIN + rng.uniform(size=n_hospital) * CENTURY).astype(np.int64)
    length = (rng.uniform(1, 240, n_hospital) * HOUR).astype(np.int64)
    led_to = rng.integers(n_hospital, size=n_emergency)
    ed_length = (rng.uniform(1, 10, n_emergency) * HOUR).astype(np.int64)
    frame = pl.DataFrame(
        {
            "patient": np.concatenate([patient, patient[led_to]]),
            "start_us": np.concatenate([start, start[led_to] - ed_length]),
            "length_us": np.concatenate([length, ed_length]),
            "kind": ["hospital"] * n_hospital + ["emergency"] * n_emergency,
            "hospital_stay_id": [None] * n_hospital + [f"hosp-{i}" for i in led_to],
        }
    )
    number = pl.int_range(pl.len()).over("kind").cast(pl.String)
    kind = pl.col("kind").replace_strict({"hospital": "hosp-", "emergency": "ed-"}, return_dtype=pl.String)
    return frame.with_columns(
        stay_id=kind + number, patient_id=pl.col("patient").cast(pl.String), start=pl.col("start_us"),
        end=pl.col("start_us") + pl.col("length_us"),
    )  # fmt: skip


def make_codes(rng):
    """Codes of four to seven characters, as many as MIMIC-IV has."""
    made = set()
    while len(made) < CODES:
        tail = "".join(rng.choice(list("0123456789X"), size=rng.integers(1, 5)))
        made.add(f"{rng.choice(list('ABCDEFGHIJKLMNOPQRSTZ'))}{rng.integers(10)}{rng.integers(10)}{tail}")
    return pl.Series(sorted(made)).shuffle(seed=0)


def write_events(rows, system, path):
    """Fill the columns that these events don't have, and write them."""
    absent = [c for c in EVENTS.schema if c not in {*rows.columns, "system"}]
    empty = (pl.lit(None, EVENTS.schema[c]).alias(c) for c in absent)
    EVENTS.select(rows.with_columns(*empty, system=pl.lit(system))).select(list(EVENTS.schema)).write_parquet(path)


def chunks(n):
    """Sizes of the pieces in which n rows are made."""
    return [min(CHUNK, n - at) for at in range(0, n, CHUNK)]


if __name__ == "__main__":
    main()
