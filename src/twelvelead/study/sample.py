"""A database made ready for a study: eligible recordings, outcomes, predictors, and how many were lost where."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

import polars as pl

from twelvelead.cohort import Answers, Outcome, count_step, find_answers, link_stays, select_eligible
from twelvelead.io import Found, load_database
from twelvelead.io.databases import Database
from twelvelead.io.tables import write_table
from twelvelead.measure import CATALOGUE, features_contract
from twelvelead.predict import EMBEDDING, block_of
from twelvelead.study.archive import measure_archive
from twelvelead.study.declaration import DatabaseUse, Predictors, Study
from twelvelead.study.embedded import (
    Embeddings,
    list_lacking,
    match_embeddings,
    read_embeddings,
    require_columns,
    require_embedding,
)
from twelvelead.study.happened import each_once, expand, keep_events, prepare_events, rules_there
from twelvelead.study.progress import Progress
from twelvelead.terms import FAILURES, FIDUCIALS, StudyError

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
        Eligible recordings that have measurements and embeddings, so far as models may know these.
    flow : DataFrame keeping `terms.FLOW`
        How they came about.
    declared : tuple of Outcome
        What is predicted; families are expanded by the development database.
    targets : tuple of Outcome
        The same by the rules of this database.
    answers : Answers
        What each of `targets` says of each recording of `cohort`.
    features : LazyFrame
        recording_id, measurements and embeddings of the eligible recordings, a row each, by recording_id; on disk.
    predictors : DataFrame
        recording_id and one Float32 column per predictor, in the order of `cohort`.
    failures : DataFrame keeping `terms.FAILURES`
        Eligible recordings that could not be measured, or were not embedded.
    fiducials : LazyFrame keeping `terms.FIDUCIALS`
        Marks, on disk; without rows where waveforms were not measured.
    embeddings : Embeddings or None
        Where embeddings are predictors, the table that they are from.
    """

    database: Database
    cohort: pl.DataFrame
    flow: pl.DataFrame
    declared: tuple[Outcome, ...]
    targets: tuple[Outcome, ...]
    answers: Answers
    features: pl.LazyFrame
    predictors: pl.DataFrame
    failures: pl.DataFrame
    fiducials: pl.LazyFrame
    embeddings: Embeddings | None = None

    @property
    def ecg(self) -> tuple[str, ...]:
        """Names of the measurements and columns of embeddings among the predictors."""
        there = set(self.features.collect_schema()) - {"recording_id"}
        return tuple(name for name in self.predictors.columns if name in there)


class Like(Protocol):
    """What an external sample takes from the development one, or from a finished study."""

    @property
    def declared(self) -> tuple[Outcome, ...]:
        """What is predicted."""

    @property
    def ecg(self) -> tuple[str, ...]:
        """Names of the measurements and columns of embeddings among the predictors."""


class _Features(NamedTuple):
    """What is known of the ECGs of a cohort, a row each; `steps` are what was asked of an ECG, and who is left."""

    table: pl.LazyFrame
    failures: pl.DataFrame
    fiducials: pl.LazyFrame
    steps: tuple[tuple[str, pl.Series], ...] = ()


def prepare_sample(  # noqa: PLR0913 - what is read, where, and how
    study: Study,
    use: DatabaseUse,
    *,
    data: Path,
    work: Path,
    workers: int | str,
    progress: Progress,
    like: Like | None = None,
    embeddings: Path | None = None,
) -> Sample:
    """Load a database, apply the study's rules, and measure the recordings that are left or look their numbers up.

    Parameters
    ----------
    study, use : Study, DatabaseUse
        The declaration, and what it says of this database.
    data, work : Path
        Folder of the data, and for shards.
    workers : int or str
        Processes, or `dask=ADDRESS`.
    progress : Progress
        Told how far the measuring has come.
    like : Like or None
        The development sample, or what is known of it: an external one has its targets and predictors.
    embeddings : Path or None
        The table of embeddings, instead of the one that is declared.

    Raises
    ------
    InputError
        If the database or the table of embeddings can't be read.
    StudyError
        If no eligible recording could be measured or was embedded, the database has no measurements of its own, or
        the embeddings are not like those of the development.
    """
    given = _open_embeddings(study, data / use.folder / use.embeddings if embeddings is None else embeddings, like=like)
    database = load_database(use.kind, data / use.folder, raw=study.mode == "paper")
    cohort = database.cohort
    if database.stays is not None:
        cohort = link_stays(cohort, database.stays, rule=study.stays)
    cohort, events = prepare_events(database, cohort, study, use)
    kept = work / "events.parquet"
    events = keep_events(events, kept)
    start = "ECG recordings in the database" if study.xrays is None else _PAIRED[study.xrays.unit]
    eligible, flow = select_eligible(cohort, study.eligibility, start=start)
    if not study.predictors.measured:
        found = _list_ecgs(eligible)
    elif study.predictors.source == "database":
        found = _look_up(database, eligible)
    else:
        found = _measure(database, eligible, work=work, workers=workers, progress=progress)
    if given is not None:
        found = _embed(found, given, work=work)
    cohort = eligible
    for step, left in found.steps:
        cohort = cohort.filter(_key(cohort).is_in(left.implode()))
        flow = count_step(flow, step, cohort)
        if cohort.is_empty():
            msg = f"a study needs recordings of which the {step}; got none of {eligible.height} in "
            raise StudyError(msg + f"{str(data / use.folder)!r}. See failures.parquet of `twelvelead measure`.")
    features = _by_row(found.table, eligible)
    if like is None:
        declared = each_once((*study.targets, *expand(study.families, cohort, events, use=use)))
    else:
        declared = like.declared
    targets = rules_there(declared, use)
    answers = find_answers(cohort, events, targets)
    kept.unlink()
    return Sample(
        database=database,
        cohort=cohort,
        flow=flow,
        declared=declared,
        targets=targets,
        answers=answers,
        features=features,
        predictors=_choose_predictors(features, cohort, study.predictors, like=like),
        failures=found.failures,
        fiducials=found.fiducials,
        embeddings=None if given is None else replace(given, table=given.table.clear()),
    )


MEASURABLE, EMBEDDED = "ECG could be measured", "ECG was embedded"


_PAIRED = {
    "study": "ECGs with a chest X-ray study after them",
    "image": "chest X-ray images with an ECG before them",
}


def _measure(
    database: Database, eligible: pl.DataFrame, *, work: Path, workers: int | str, progress: Progress
) -> _Features:
    """Measure the waveforms; where several rows share an ECG, once."""
    ecg, entry = _key(eligible), pl.col("entry") if "entry" in eligible.columns else pl.lit(None, pl.String)
    rows = eligible.select(_ecg=ecg, path="path", entry=entry).unique("_ecg", maintain_order=True).drop_nulls("path")
    recordings = [Found(name, database.folder / path, entry) for name, path, entry in rows.iter_rows()]
    measured = measure_archive(
        recordings, work=work, workers=workers, progress=progress, stage=f"measuring {database.name}"
    )
    table = features_contract().check_schema(measured.scan_features())
    return _Features(table, measured.failures, measured.scan_fiducials(), ((MEASURABLE, _ids(table)),))


def _look_up(database: Database, eligible: pl.DataFrame) -> _Features:
    """Take the measurements that the database itself has."""
    if database.features is None:
        msg = f"predictors of source 'database' need measurements there; got none in {database.name}. "
        msg += 'Declare source = "waveforms".'
        raise StudyError(msg)
    wanted = eligible.select(recording_id=_key(eligible)).unique().lazy()
    table = database.features.join(wanted, on="recording_id", how="semi").sort("recording_id")
    return _Features(table, FAILURES.empty(), FIDUCIALS.empty().lazy(), ((MEASURABLE, _ids(table)),))


def _list_ecgs(eligible: pl.DataFrame) -> _Features:
    """List the ECGs, of which nothing is measured."""
    table = eligible.select(recording_id=_key(eligible)).unique().sort("recording_id")
    return _Features(table.lazy(), FAILURES.empty(), FIDUCIALS.empty().lazy())


def _open_embeddings(study: Study, path: Path, *, like: Like | None) -> Embeddings | None:
    """Read the table of embeddings before the work, if models may know them."""
    if not study.predictors.embedded:
        return None
    given = read_embeddings(path)
    if like is not None:
        require_columns(tuple(name for name in like.ecg if block_of(name) == EMBEDDING), given)
    return given


def _embed(found: _Features, given: Embeddings, *, work: Path) -> _Features:
    """Put the embeddings beside what is known of the ECGs; those that have none are listed and left out."""
    if own := [name for name in found.table.collect_schema() if block_of(name) == EMBEDDING]:
        msg = f"columns {EMBEDDING}_* must come from one table; got {own[0]} among the database's measurements, too. "
        raise StudyError(msg + "Leave one of them out.")
    ids = _ids(found.table)
    matched = match_embeddings(given, ids)
    require_embedding(matched, ids, given)
    kept = work / "embeddings.parquet"  # what the study goes by, whatever becomes of the file that was given
    write_table(matched, kept)
    table = found.table.join(
        pl.scan_parquet(kept), on="recording_id", how="inner", validate="1:1", maintain_order="left"
    )
    failures = pl.concat([found.failures, list_lacking(matched, ids, given)])
    return _Features(table, failures, found.fiducials, (*found.steps, (EMBEDDED, matched["recording_id"])))


def _ids(table: pl.LazyFrame) -> pl.Series:
    return table.select("recording_id").collect(engine="streaming").to_series()


def _key(eligible: pl.DataFrame) -> pl.Expr:
    """Name the ECG of a row, which several X-rays may share."""
    return pl.col("ecg_id" if "ecg_id" in eligible.columns else "recording_id")


def _by_row(features: pl.LazyFrame, eligible: pl.DataFrame) -> pl.LazyFrame:
    """Give each row of a cohort the measurements of its ECG."""
    if "ecg_id" not in eligible.columns:
        return features
    rows = eligible.lazy().select("recording_id", _ecg="ecg_id")
    table = features.rename({"recording_id": "_ecg"}).join(rows, on="_ecg", how="inner").drop("_ecg")
    return table.select("recording_id", pl.exclude("recording_id")).sort("recording_id")


def _choose_predictors(
    features: pl.LazyFrame, cohort: pl.DataFrame, predictors: Predictors, *, like: Like | None
) -> pl.DataFrame:
    """Read what a model may know of the cohort, and nothing else."""
    there = features.collect_schema().names()
    names = ecg_predictors(predictors, there) if like is None else list(like.ecg)
    chosen = features.select("recording_id", *(_column(name, there) for name in names if name in there))
    return join_predictors(
        chosen.collect(engine="streaming"), cohort, predictors, ecg=None if like is None else like.ecg
    )


def join_predictors(
    features: pl.DataFrame, people: pl.DataFrame, predictors: Predictors, *, ecg: Sequence[str] | None = None
) -> pl.DataFrame:
    """Join measurements and demographics by recording_id, one to one, in the order of `people`.

    Parameters
    ----------
    features : DataFrame with a column recording_id
        Measurements; a predictor that is not among them is missing for everybody.
    people : DataFrame with columns recording_id, age_years, sex, and `predictors.others`
        Demographics.
    predictors : Predictors
        Which of them a model may know.
    ecg : sequence of str or None
        The measurements that are predictors; by default those of `features` that are declared.
    """
    names = ecg_predictors(predictors, features.columns) if ecg is None else ecg
    if ecg is None and (unknown := [name for name in predictors.others if name not in people.columns]):
        msg = f"other predictors must be columns of the recordings; got {', '.join(unknown)}. Mend the declaration."
        raise StudyError(msg)
    demographics = people.select(
        "recording_id",
        *(DEMOGRAPHICS[d].alias(d) for d in predictors.demographics),
        *(_column(name, people.columns) for name in predictors.others),
    )
    chosen = features.select("recording_id", *(_column(name, features.columns) for name in names))
    return demographics.select("recording_id").join(
        chosen.join(demographics, on="recording_id", how="inner", validate="1:1"),
        on="recording_id",
        how="left",
        validate="1:1",
        maintain_order="left",
    )


def _column(name: str, there: Sequence[str]) -> pl.Expr:
    return (pl.col(name) if name in there else pl.lit(None)).cast(pl.Float32).alias(name)


def ecg_predictors(predictors: Predictors, columns: Sequence[str]) -> list[str]:
    """Names of what a study's models may know of an ECG: the CATALOGUE's in its order, others, then an embedding's.

    Parameters
    ----------
    predictors : Predictors
        The declaration.
    columns : sequence of str
        The columns that the development database's table of measurements and embeddings has.

    Raises
    ------
    StudyError
        If the patterns leave none.
    """

    def matches(name: str, patterns: tuple[str, ...]) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)

    place = {m.name: n for n, m in enumerate(CATALOGUE)}
    there = sorted((c for c in columns if c != "recording_id"), key=lambda c: place.get(c, len(place)))
    embedded = [c for c in there if block_of(c) == EMBEDDING] if predictors.embedded else []
    if not predictors.measured:
        return embedded
    measured = [c for c in there if c not in set(embedded)]
    names = [c for c in measured if matches(c, predictors.include) and not matches(c, predictors.exclude)]
    if not names:
        msg = (
            f"predictors must include a measurement that is there; got none from include {predictors.include} and "
            f"exclude {predictors.exclude}. Mend the patterns."
        )
        raise StudyError(msg)
    return names + embedded
