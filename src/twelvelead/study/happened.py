"""What happened to the people of a database, brought to the form that a study's rules ask about."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.cohort import (
    Outcome,
    count_codes,
    harmonise_units,
    normalise_codes,
    pair_xrays,
)
from twelvelead.cohort.codes import DIAGNOSES
from twelvelead.io.databases import Database
from twelvelead.io.tables import sink_table
from twelvelead.study.declaration import DatabaseUse, Family, Study
from twelvelead.terms import EVENTS, StudyError

_LINKING = {"link", "window_h", "absent"}


def rules_there(rules: Sequence[Outcome], use: DatabaseUse) -> tuple[Outcome, ...]:
    """Give the rules of outcomes as a database needs them.

    Parameters
    ----------
    rules : sequence of Outcome
        As declared.
    use : DatabaseUse
        Whose `rule` is laid over them. How events are linked to an ECG is changed only where they are declared to be
        linked otherwise: an outcome that has its own time window keeps it.

    Examples
    --------
    >>> rule = Outcome(name="I50", title="Heart failure", system="icd10", codes=("I50",), link="stay")
    >>> use = DatabaseUse(kind="ecg_view_ii", rule={"link": "time", "window_h": (-24, 24)})
    >>> rules_there([rule], use)[0].link
    'time'
    """
    return tuple(Outcome.model_validate({**rule.model_dump(), **_laid_over(rule, use)}) for rule in rules)


def _laid_over(rule: Outcome, use: DatabaseUse) -> dict[str, Any]:
    kept = _LINKING if rule.link == use.rule.get("link") else set()
    return {key: value for key, value in use.rule.items() if key not in kept}


def systems_of(study: Study, use: DatabaseUse) -> set[str]:
    """Name the systems of events that a study asks about in a database, as they are published.

    Raises
    ------
    StudyError
        If diagnoses are asked for in a system that they are brought from, not to.
    """
    declared = [rule.model_dump() for rule in study.targets] + [family.rule for family in study.families]
    systems = {str({**rule, **use.rule}.get("system")) for rule in declared}
    if study.xrays is not None:
        systems.add(study.xrays.system)
    if foreign := sorted(systems & (set(DIAGNOSES) - {"icd10"})):
        msg = f"diagnoses must be asked for as icd10, which all of them are brought to; got {', '.join(foreign)}. "
        msg += "Declare system icd10, and how in codes."
        raise StudyError(msg)
    return systems | set(DIAGNOSES) if "icd10" in systems else systems


def prepare_events(
    database: Database, cohort: pl.DataFrame, study: Study, use: DatabaseUse
) -> tuple[pl.DataFrame, pl.LazyFrame]:
    """Read the events that a study asks about; codes become ICD-10, laboratory units one, X-rays find their ECG.

    Parameters
    ----------
    database : Database
        Whose events.
    cohort : DataFrame keeping `terms.COHORT`
        Its recordings.
    study : Study
        The declaration.
    use : DatabaseUse
        Its use of this database.

    Returns
    -------
    cohort : DataFrame keeping `terms.COHORT`
        The recordings; where X-rays are predicted, a row for each of these.
    events : LazyFrame keeping `terms.EVENTS`
        What happened.
    """
    published = database.select_events(systems_of(study, use))
    events = harmonise_units(normalise_codes(published, study.codes, dictionary=database.dictionary))
    if study.xrays is None:
        return cohort, events
    declared = study.xrays
    return pair_xrays(cohort, events, unit=declared.unit, within_h=declared.within_h, system=declared.system)


def expand(
    families: Sequence[Family], cohort: pl.DataFrame, events: pl.LazyFrame, *, use: DatabaseUse | None = None
) -> tuple[Outcome, ...]:
    """Make a target of every code that is frequent enough; of a code in two families, one.

    Parameters
    ----------
    families : sequence of Family
        What is asked for.
    cohort : DataFrame keeping `terms.COHORT`
        The eligible recordings of the development database.
    events : LazyFrame keeping `terms.EVENTS`
        As `prepare_events` gives them.
    use : DatabaseUse or None
        What is different in this database's rules.

    Raises
    ------
    StudyError
        If no code is frequent enough.
    """
    targets: list[Outcome] = []
    for family in families:
        # A code is counted with those below it, and so has to be found.
        rule = Outcome.model_validate({"name": "x", "title": "x", "codes": ["x"], **family.rule, "match": "prefix"})
        (here,) = (rule,) if use is None else rules_there([rule], use)
        counts = count_codes(cohort, events, link=here.link, window_h=here.window_h, system=here.system)
        frequent = counts.filter(
            (pl.col("n_recordings") >= family.min_recordings)
            & pl.col("code").str.len_chars().is_in(list(family.characters))
        )
        targets += [
            rule.model_copy(update={"name": code, "title": f"{rule.system.upper()} {code}", "codes": (code,)})
            for code in frequent["code"].head(family.largest)
        ]
    if families and not targets:
        least = min(family.min_recordings for family in families)
        msg = f"a family of targets needs a code that {least} recordings have; got none. Lower min_recordings."
        raise StudyError(msg)
    return each_once(targets)


def each_once(targets: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Leave out what bears a name again: a target that is declared goes before one of a family."""
    first: dict[str, Outcome] = {}
    for target in targets:
        first.setdefault(target.name, target)
    return tuple(first.values())


def keep_events(events: pl.LazyFrame, path: Path) -> pl.LazyFrame:
    """Write the events once, and read them from there: each question asks for them again, and codes take long to map.

    Parameters
    ----------
    events : LazyFrame keeping `terms.EVENTS`
        As `prepare_events` gives them; never held whole.
    path : Path
        A Parquet file of this run.
    """
    sink_table(EVENTS.check_schema(events), path, durable=False)
    return pl.scan_parquet(path)
