"""A database made ready for a study: eligible recordings, outcomes, predictors, and how many were lost where."""

import fnmatch
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twelvelead.cohort import count_step, find_outcome, select_eligible
from twelvelead.io import Found, load_database
from twelvelead.io.databases import Database
from twelvelead.measure import CATALOGUE
from twelvelead.study.archive import Measured, measure_archive
from twelvelead.study.declaration import DatabaseUse, Predictors, Study
from twelvelead.study.progress import Progress
from twelvelead.terms import EVENTS, StudyError

DEMOGRAPHICS = {
    "age_years": pl.col("age_years").cast(pl.Float32),
    "sex_male": pl.col("sex").replace_strict({"male": 1.0, "female": 0.0}, default=None, return_dtype=pl.Float32),
}


@dataclass(frozen=True)
class Sample:
    """What a study knows of one database.

    Parameters
    ----------
    database : Database
        The tables as loaded.
    cohort : DataFrame keeping `terms.COHORT`
        Eligible recordings that could be measured.
    flow : DataFrame keeping `terms.FLOW`
        How they came about.
    outcomes : DataFrame keeping `terms.OUTCOMES`
        Every target of every recording of `cohort`.
    predictors : DataFrame
        recording_id and one Float32 column per predictor, in the order of `cohort`.
    measured : Measured
        Features, fiducials and failures of the eligible recordings.
    """

    database: Database
    cohort: pl.DataFrame
    flow: pl.DataFrame
    outcomes: pl.DataFrame
    predictors: pl.DataFrame
    measured: Measured


def prepare_sample(
    study: Study, use: DatabaseUse, *, data: Path, work: Path, workers: int, progress: Progress
) -> Sample:
    """Load a database, apply the study's rules and measure the recordings that are left.

    Raises
    ------
    InputError
        If the database can't be read.
    StudyError
        If no eligible recording could be measured.
    """
    folder = data / use.folder
    database = load_database(use.kind, folder)
    eligible, flow = select_eligible(database.cohort, study.eligibility)
    recordings = [Found(name, folder / path) for name, path in eligible.select("recording_id", "path").iter_rows()]
    measured = measure_archive(
        recordings, work=work, workers=workers, progress=progress, stage=f"measuring {database.name}"
    )
    cohort = eligible.join(measured.features.select("recording_id"), on="recording_id", how="semi")
    flow = count_step(flow, "ECG could be measured", cohort)
    if cohort.is_empty():
        msg = (
            f"a study needs recordings that can be measured; got none of {eligible.height} in {str(folder)!r}. "
            "See failures.parquet of `twelvelead measure`."
        )
        raise StudyError(msg)
    events = EVENTS.check(database.events.collect())
    outcomes = pl.concat([find_outcome(cohort, events, rule) for rule in study.targets])
    return Sample(
        database=database,
        cohort=cohort,
        flow=flow,
        outcomes=outcomes,
        predictors=join_predictors(measured.features, cohort, study.predictors),
        measured=measured,
    )


def join_predictors(features: pl.DataFrame, people: pl.DataFrame, predictors: Predictors) -> pl.DataFrame:
    """Join measurements and demographics by recording_id, one to one, in the order of `people`.

    Parameters
    ----------
    features : DataFrame keeping `measure.features_contract()`
        Measurements.
    people : DataFrame with columns recording_id, age_years, sex
        Demographics.
    predictors : Predictors
        Which of them a model may know.
    """
    demographics = people.select("recording_id", *(DEMOGRAPHICS[d].alias(d) for d in predictors.demographics))
    chosen = features.select("recording_id", *ecg_predictors(predictors))
    return demographics.select("recording_id").join(
        chosen.join(demographics, on="recording_id", how="inner", validate="1:1"),
        on="recording_id",
        how="left",
        validate="1:1",
        maintain_order="left",
    )


def ecg_predictors(predictors: Predictors) -> list[str]:
    """Names of the measurements that a study's models may know, in the order of the CATALOGUE.

    Raises
    ------
    StudyError
        If the patterns leave none.
    """

    def matches(name: str, patterns: tuple[str, ...]) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    names = [
        m.name for m in CATALOGUE if matches(m.name, predictors.include) and not matches(m.name, predictors.exclude)
    ]
    if not names:
        msg = (
            f"predictors must include a measurement of the CATALOGUE; got none from include {predictors.include} and "
            f"exclude {predictors.exclude}. Mend the patterns."
        )
        raise StudyError(msg)
    return names
