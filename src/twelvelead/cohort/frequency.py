"""How many recordings have each code or outcome: the counts that decide what a study predicts."""

from collections.abc import Sequence
from typing import Literal

import polars as pl

from twelvelead.cohort.answers import Answers
from twelvelead.cohort.codes import add_ancestors
from twelvelead.cohort.matching import coded_stays, number_people, within
from twelvelead.terms import COHORT, EVENTS, StudyError


def count_codes(
    cohort: pl.DataFrame,
    events: pl.DataFrame | pl.LazyFrame,
    *,
    link: Literal["recording", "stay", "time"],
    window_h: tuple[float, float] | None = None,
    system: str = "icd10",
) -> pl.DataFrame:
    """Count the recordings that have each code or a code below it.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        Recordings.
    events : DataFrame or LazyFrame keeping `terms.EVENTS`
        Everything that happened; diagnoses as `normalise_codes` writes them.
    link : {"recording", "stay", "time"}
        How a code belongs to a recording, as in `Outcome`.
    window_h : (float, float) or None
        For link "time": from and to, in hours after the recording.
    system : str
        Whose codes.

    Returns
    -------
    DataFrame with columns code, n_recordings (Int64)
        All codes of 3 to 5 characters, and the categories above them, the most frequent first. A recording counts once
        for a code, however often the code stands there.

    Raises
    ------
    StudyError
        If there is a window without the link "time", or the link without a window.

    Notes
    -----
    The publications predict the codes that at least 200 or 2000 recordings have. Without dropping the placeholders X
    first (`CodeRule.strip_x`), S06 and S060X are counted where S06 and S060 should be, and further codes come in: 1,089
    instead of the 1,076 of doi:10.1093/ehjdh/ztae039.
    """
    if (window_h is None) == (link == "time"):
        msg = f"window_h must be given with link 'time' and only then; got {window_h} with {link!r}. Mend the call."
        raise StudyError(msg)
    people = number_people(COHORT.check(cohort))
    lazy = EVENTS.check_schema(events.lazy())
    of_system = lazy.filter(pl.col("system") == system)
    if link == "recording":
        ids = people.lazy().select("recording", "recording_id")
        pairs = of_system.select("recording_id", "code").join(ids, on="recording_id").select("recording", "code")
    elif window_h is None:
        stays = coded_stays(people, lazy, system)
        # Every recording of a group of stays has their codes: a stay with five recordings is looked at once.
        groups = stays.group_by("recording").agg(pl.col("stay_id").sort()).group_by("stay_id").agg(n=pl.len())
        numbered = groups.with_row_index("owner")
        of_stay = numbered.lazy().select("owner", "stay_id").explode("stay_id")
        pairs = of_system.select("stay_id", "code").join(of_stay, on="stay_id").select("owner", "code")
        return _count(pairs, numbered.select("owner", pl.col("n").cast(pl.Int64)))
    else:
        around = within(people, of_system.select("patient_id", "time", "code"), window_h)
        pairs = around.select("recording", "code")
    return _count(pairs.rename({"recording": "owner"}), people.select(owner="recording", n=pl.lit(1, pl.Int64)))


def _count(pairs: pl.LazyFrame, weights: pl.DataFrame) -> pl.DataFrame:
    """Count, for each code and the codes above it, the owners that have it, each as often as its weight `n` says."""
    having = pairs.unique().collect(engine="streaming")
    # A few thousand codes are cut, instead of some million rows.
    ancestors = add_ancestors(having.select("code", published="code").unique())
    names = ancestors.select("code").unique().with_row_index("ancestor")
    above = ancestors.join(names, on="code").select(code="published", ancestor="ancestor")
    each = having.join(above, on="code").select("owner", "ancestor").unique()
    counts = each.join(weights, on="owner").group_by("ancestor").agg(n_recordings=pl.col("n").sum())
    table = counts.join(names, on="ancestor").select("code", "n_recordings")
    return table.sort("n_recordings", "code", descending=[True, False])


def frequent_in_folds(
    answers: Answers, folds: pl.DataFrame, *, which: Sequence[int], n_events: int, n_without: int = 0
) -> tuple[str, ...]:
    """Name the targets that have enough events in each of some folds, as the publications ask of the last two.

    Parameters
    ----------
    answers : Answers
        Outcomes of all targets.
    folds : DataFrame with columns recording_id, fold
        Where each recording of `answers.cohort` is.
    which : sequence of int
        The folds that must have enough.
    n_events, n_without : int
        Fewest recordings with the event, and without it, in each of them.

    Returns
    -------
    tuple of str
        Names of the targets, in their order.
    """
    fold = answers.cohort.select("recording_id").join(
        folds.select("recording_id", "fold"), on="recording_id", how="left", validate="1:1", maintain_order="left"
    )["fold"]
    inside = [(fold == number).fill_null(value=False).to_numpy() for number in which]
    names = []
    for place, rule in enumerate(answers.rules):
        y = answers.of(place)
        if all((y[part] == 1).sum() >= n_events and (y[part] == 0).sum() >= n_without for part in inside):
            names.append(rule.name)
    return tuple(names)
