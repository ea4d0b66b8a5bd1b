"""Write the simulated five-year cohort as tables that a study reads, and its truth beside them."""

from datetime import timedelta
from pathlib import Path

import polars as pl

from twelvelead.io.databases import Database
from twelvelead.io.databases import tables as own_tables
from twelvelead.io.tables import write_json, write_table, write_text
from twelvelead.simulate.diabetes import (
    CLINICAL,
    DEVELOPMENT,
    ECG,
    LONGITUDINAL,
    best_aurocs,
    diabetes_cohort,
)
from twelvelead.terms import COHORT, EVENTS, FEATURES, PATIENTS, InputError

LAYOUTS = ("diabetes", "diabetes-null")
"""What the command line calls the cohort, and the one in which the ECG says nothing of the future."""

TARGET = "type2_diabetes"
DIAGNOSIS, EXAMINATION = "E11", "Z000"
YEAR = timedelta(days=365.25)

_OPTIMUM_SEED = 0  # of the draw that the best reachable AUROCs come from, whatever the cohort's seed
_README = """ALL DATA IN THIS FOLDER ARE SIMULATED. Nobody in them is real.

{n} people, seed {seed}: a development cohort, some of whom have diabetes at baseline, and a longitudinal one, none of
whom has. Three ECGs each at baseline. The ECG {what} who gets diabetes within five years; what diabetes does to
the ECG of those who have it is simulated in either case.

events: E11, type 2 diabetes, when it was diagnosed; Z000, examinations: at baseline, and when a person was last seen.
truth/people.parquet: the true risk, what came of it, and when, seen or not. database.json: the best reachable AUROCs
among people without diabetes at baseline: crf, from the six clinical factors; crf_ecg_1 and crf_ecg_3, and from the
mean of one or three ECGs, too; crf_ecg_true, and from a person's true usual levels.
"""


def simulate_diabetes(folder: Path, *, n_patients: int = DEVELOPMENT + LONGITUDINAL, seed: int, null: bool) -> None:
    """Write the simulated cohort.

    Parameters
    ----------
    folder : Path
        Gets `cohort`, `events`, `features` and `patients` as Parquet, `database.json`, `README.txt` and `truth`.
    n_patients : int
        People of both cohorts together, at least 20; the development cohort is as large a part as it is of the
        publication's 2,438.
    seed : int
        Not negative. The same seed and number give the same files.
    null : bool
        Whether the ECG says nothing of who will get diabetes.

    Raises
    ------
    InputError
        If there are too few people, or the seed is negative.
    """
    if n_patients < 20:
        msg = f"patients must be at least 20; got {n_patients}. Simulate more."
        raise InputError(msg)
    n_longitudinal = round(n_patients * LONGITUDINAL / (DEVELOPMENT + LONGITUDINAL))
    simulated = diabetes_cohort(n_patients - n_longitudinal, n_longitudinal=n_longitudinal, seed=seed, null=null)
    people, recordings = simulated.people, simulated.recordings
    best = best_aurocs(seed=_OPTIMUM_SEED, null=null)
    database = Database(
        name=f"simulated five-year cohort{', ECG without meaning' if null else ''}",
        folder=folder,
        cohort=_cohort(people, recordings),
        events=_events(people).lazy(),
        tables=(),
        features=FEATURES.check(recordings.select("recording_id", *ECG)).lazy(),
        patients=_patients(people),
        simulated=True,
        optimum={TARGET: best["crf_ecg_3"], **{f"{TARGET} {name}": value for name, value in best.items()}},
    )
    own_tables.write(database)
    write_table(people, folder / "truth" / "people.parquet")
    write_json(best, folder / "truth" / "optimum.json")
    what = "says nothing of" if null else "says something of"
    write_text(_README.format(n=n_patients, seed=seed, what=what), folder / "README.txt")


def _cohort(people: pl.DataFrame, recordings: pl.DataFrame) -> pl.DataFrame:
    clinical = people.select("patient_id", "part", *CLINICAL)
    sex = pl.when(pl.col("sex_male") == 1).then(pl.lit("male")).otherwise(pl.lit("female"))
    joined = recordings.join(clinical, on="patient_id", how="left", validate="m:1").sort("patient_id", "recording_id")
    return COHORT.check(
        joined.select(
            "recording_id",
            "patient_id",
            "age_years",
            sex.alias("sex"),
            "recorded_at",
            pl.lit(None, pl.String).alias("stay_id"),
            pl.lit(None, pl.String).alias("path"),
            "part",
            *(name for name in CLINICAL if name not in {"age_years", "sex_male"}),
        )
    )


def _events(people: pl.DataFrame) -> pl.DataFrame:
    """Return diagnoses and examinations, as far as a person was followed."""
    seen = pl.min_horizontal("seen_until_y", "death_y")
    onset = pl.when(pl.col("onset_y") <= pl.col("seen_until_y")).then("onset_y")
    rows = [
        people.select("patient_id", code=pl.lit(DIAGNOSIS), time=_after(pl.coalesce(-pl.col("known_for_y"), onset))),
        people.select("patient_id", code=pl.lit(EXAMINATION), time=pl.col("baseline")),
        people.select("patient_id", code=pl.lit(EXAMINATION), time=_after(seen)),
    ]
    long = pl.concat(rows).drop_nulls("time").with_columns(system=pl.lit("icd10"))
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in EVENTS.schema.items() if name not in long.columns]
    return EVENTS.select(long.with_columns(absent)).sort("patient_id", "time", "code")


def _patients(people: pl.DataFrame) -> pl.DataFrame:
    sex = pl.when(pl.col("sex_male") == 1).then(pl.lit("male")).otherwise(pl.lit("female"))
    died = pl.when(pl.col("death_y") <= pl.col("seen_until_y")).then("death_y")
    return PATIENTS.check(people.select("patient_id", sex=sex, died_at=_after(died)).sort("patient_id"))


def _after(years: pl.Expr) -> pl.Expr:
    """Return the time so many years after baseline, to the microsecond."""
    return pl.col("baseline") + pl.duration(microseconds=(years * (YEAR / timedelta(microseconds=1))).round(0))
