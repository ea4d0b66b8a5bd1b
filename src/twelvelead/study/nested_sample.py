"""The people of a study of nested models: a row each, with their recordings at baseline side by side."""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twelvelead.cohort import assign_folds, count_step, find_outcomes, relevant_events, select_eligible
from twelvelead.io import load_database
from twelvelead.io.databases import Database
from twelvelead.study.happened import prepare_events
from twelvelead.study.nested_declaration import Block, NestedStudy
from twelvelead.study.onset import at_horizon, find_onset
from twelvelead.terms import COHORT, StudyError

DEVELOPMENT = -1
"""Fold of those who only ever help to make a model; those of fold 0 are then held out."""


@dataclass(frozen=True)
class People:
    """Who takes part.

    Parameters
    ----------
    database : Database
        Where they come from.
    table : DataFrame
        recording_id (the first at baseline), patient_id, age_years, sex, fold, part (0 development, 1 held out), y;
        with a horizon prevalent, time_y and status, and y null for those who were lost from sight before it;
        `base <column>` of the base block, and `<measurement>_1`, `<measurement>_2`, … of the added block.
    base, added : tuple of str
        The base block's columns; the added block's measurements.
    flow : DataFrame keeping `terms.FLOW`
        How they came about.
    """

    database: Database
    table: pl.DataFrame
    base: tuple[str, ...]
    added: tuple[str, ...]
    flow: pl.DataFrame


def gather_people(study: NestedStudy, *, data: Path) -> People:
    """Load the database, apply the study's rules, and make one row per person.

    Parameters
    ----------
    study : NestedStudy
        The declaration.
    data : Path
        Folder that the database's folder is relative to.

    Raises
    ------
    InputError
        If the database can't be read.
    StudyError
        If it has no measurements, a block matches no column, the blocks share one, or nobody is left.
    """
    database = load_database(study.database.kind, data / study.database.folder, raw=study.mode == "paper")
    if database.features is None:
        msg = f"nested models need a table of features; got none in {database.name}. Measure the ECGs first."
        raise StudyError(msg)
    cohort, events = prepare_events(database, database.cohort, study, study.database)
    eligible, flow = select_eligible(cohort, study.eligibility)
    first = eligible.sort("recorded_at", "recording_id").unique("patient_id", keep="first", maintain_order=True)
    people = first.sort("patient_id")
    flow = count_step(flow, "first recording of each person", people)
    known = eligible.join(database.features.collect(), on="recording_id", how="left", validate="1:1").with_columns(
        sex_male=pl.col("sex").replace_strict({"male": 1.0, "female": 0.0}, default=None, return_dtype=pl.Float64)
    )
    base, added = (_match(block, known) for block in (study.nested.base, study.nested.added))
    if both := sorted(set(base) & set(added)):
        msg = f"the blocks must share no column; got {', '.join(both)} in both. Exclude it from one."
        raise StudyError(msg)
    people = people.select(*COHORT.schema, *_held_column(study))
    people, flow = _find_out(study, people, flow, events=events, database=database)
    people = people.drop("stay_id", "path")
    people = people.join(
        known.select("recording_id", *(pl.col(c).cast(pl.Float64).alias(f"base {c}") for c in base)),
        on="recording_id", how="left", validate="1:1", maintain_order="left",
    )  # fmt: skip
    people = people.join(
        _side_by_side(known, added, n=study.nested.n_recordings),
        on="patient_id", how="left", validate="1:1", maintain_order="left",
    )  # fmt: skip
    folded = _fold(study, people).with_columns(part=(pl.col("fold") != DEVELOPMENT).cast(pl.Int32))
    return People(database, folded, base, added, flow)


def _held_column(study: NestedStudy) -> tuple[str, ...]:
    return () if study.nested.held is None else (study.nested.held.column,)


def _match(block: Block, known: pl.DataFrame) -> tuple[str, ...]:
    """Name the numeric columns of a block, in the order of its patterns."""
    numeric = [name for name, dtype in known.schema.items() if dtype.is_numeric()]
    left_out = {name for pattern in block.exclude for name in fnmatch.filter(numeric, pattern)}
    chosen: dict[str, None] = {}
    for pattern in block.columns:
        found = [name for name in fnmatch.filter(numeric, pattern) if name not in left_out]
        if not found:
            msg = f"block {block.name} must match numeric columns; got none for {pattern!r}. There are: "
            raise StudyError(msg + ", ".join(numeric))
        chosen |= dict.fromkeys(found)
    return tuple(chosen)


def _find_out(
    study: NestedStudy, people: pl.DataFrame, flow: pl.DataFrame, *, events: pl.LazyFrame, database: Database
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add y, and drop those of whom it is not known; with a horizon, first those who had the outcome at baseline."""
    (rule,) = study.targets
    years = study.nested.horizon_y
    if years is None:
        found = find_outcomes(people, relevant_events(events, [rule]), [rule]).select("recording_id", "y")
        people = people.join(found, on="recording_id", how="left", validate="1:1", maintain_order="left")
        people = people.filter(pl.col("y").is_not_null())
        return people, count_step(flow, "outcome known", people)
    if database.patients is None:
        msg = f"an outcome within {years:g} years needs a table of patients with deaths; got none. Add it."
        raise StudyError(msg)
    onset = find_onset(people, events, rule, patients=database.patients).with_columns(at_horizon(years))
    people = people.join(onset, on="patient_id", how="left", validate="1:1", maintain_order="left")
    if study.nested.labels == "incident":
        people = people.filter(~pl.col("prevalent"))
        flow = count_step(flow, "without the outcome at baseline", people)
    else:
        held = study.nested.held
        develops = pl.lit(value=False) if held is None else pl.col(held.column) == held.development
        # The fault: whoever has it already is the event, and whoever will get it is none.
        people = people.with_columns(y=pl.when(develops).then(pl.col("prevalent").cast(pl.Int8)).otherwise("y"))
        people = people.filter(develops | ~pl.col("prevalent"))
        flow = count_step(flow, "without the outcome at baseline, of those held out", people)
    known = people.filter(pl.col("y").is_not_null())
    return people, count_step(flow, f"outcome within {years:g} years known", known)


def _side_by_side(known: pl.DataFrame, added: Iterable[str], *, n: int) -> pl.DataFrame:
    """Return patient_id and `<measurement>_<i>` of each person's first n recordings, null where there are fewer."""
    numbered = known.sort("recorded_at", "recording_id").with_columns(
        place=pl.int_range(1, pl.len() + 1).over("patient_id")
    )
    of_place = [pl.col(name).cast(pl.Float64).filter(pl.col("place") == i).first().alias(f"{name}_{i}")
                for i in range(1, n + 1) for name in added]  # fmt: skip
    return numbered.group_by("patient_id").agg(of_place)


def _fold(study: NestedStudy, people: pl.DataFrame) -> pl.DataFrame:
    held = study.nested.held
    if held is None:
        strata = people.select("recording_id", "patient_id", "y", male=(pl.col("sex") == "male").cast(pl.Int8))
        folds = assign_folds(strata, n_folds=study.split.n_folds, seed=study.seed).select("recording_id", "fold")
        return people.join(folds, on="recording_id", how="left", validate="1:1", maintain_order="left")
    part = pl.col(held.column)
    fold = pl.when(part == held.held_out).then(0).when(part == held.development).then(DEVELOPMENT)
    placed = people.with_columns(fold=fold.cast(pl.Int32)).filter(pl.col("fold").is_not_null())
    if placed["fold"].n_unique() < 2:
        msg = f"{held.column} must hold {held.development!r} and {held.held_out!r}; got "
        msg += f"{sorted(map(str, people[held.column].unique()))}. Mend the declaration or the table."
        raise StudyError(msg)
    return placed
