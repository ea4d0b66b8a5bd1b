"""When an outcome began in people who did not have it, and what is known at a horizon."""

import polars as pl

from twelvelead.cohort import Outcome
from twelvelead.terms import StudyError

YEAR_US = 365.25 * 86_400e6
CENSORED, EVENT, DIED = 0, 1, 2


def find_onset(index: pl.DataFrame, events: pl.LazyFrame, rule: Outcome, *, patients: pl.DataFrame) -> pl.DataFrame:
    """Say for every person whether the outcome was there already, when it began, or how long it is known not to have.

    Parameters
    ----------
    index : DataFrame with columns patient_id and recorded_at
        One row per person: baseline.
    events : LazyFrame keeping `terms.EVENTS`
        What happened. Any event of the rule's system shows that a person was still followed.
    rule : Outcome
        Its system and codes; nothing else of it is looked at.
    patients : DataFrame keeping `terms.PATIENTS`
        Deaths.

    Returns
    -------
    DataFrame
        patient_id; prevalent (whether the outcome was there at baseline or before); time_y, years from baseline to
        onset, death or last contact; status: 1 onset, 2 death without it, 0 neither, as far as known. In the order of
        `index`; a person without a time of baseline has nulls.

    Raises
    ------
    StudyError
        If a person has two rows.
    """
    if index["patient_id"].is_duplicated().any():
        msg = f"onset must be counted from one baseline per person; got {index.height} rows of "
        msg += f"{index['patient_id'].n_unique()} people. Keep the first recording of each."
        raise StudyError(msg)
    code = pl.col("code")
    is_outcome = (
        code.is_in(list(rule.codes))
        if rule.match == "exact"
        else pl.any_horizontal(code.str.starts_with(prefix) for prefix in rule.codes)
    )
    contacts = events.filter(pl.col("system") == rule.system).group_by("patient_id")
    found = contacts.agg(
        first=pl.col("time").filter(is_outcome).min(), last=pl.col("time").max(), always=is_outcome.any()
    ).collect()
    deaths = patients.select("patient_id", "died_at")
    joined = (
        index.select("patient_id", "recorded_at")
        .join(found, on="patient_id", how="left", validate="1:1", maintain_order="left")
        .join(deaths, on="patient_id", how="left", validate="1:1", maintain_order="left")
    )
    prevalent = (pl.col("first") <= pl.col("recorded_at")).fill_null(value=False)
    # An outcome that bears no time may have been there before: nobody knows.
    unknown = pl.col("always").fill_null(value=False) & pl.col("first").is_null()
    begins = pl.when(~prevalent).then("first")
    dies = pl.when(begins.is_null() | (pl.col("died_at") < begins)).then("died_at")
    last = pl.max_horizontal("last", "recorded_at")
    time = pl.coalesce(dies, begins, last) - pl.col("recorded_at")
    status = pl.when(dies.is_not_null()).then(DIED).when(begins.is_not_null()).then(EVENT).otherwise(CENSORED)
    return joined.select(
        "patient_id",
        prevalent=pl.when(~unknown).then(prevalent),
        time_y=pl.when(~unknown).then(time.dt.total_microseconds() / YEAR_US),
        status=pl.when(~unknown & pl.col("recorded_at").is_not_null()).then(status).cast(pl.Int8),
    )


def at_horizon(years: float) -> pl.Expr:
    """Return the outcome at a horizon, from the columns of `find_onset`: 1, 0, or null where nobody knows.

    Parameters
    ----------
    years : float
        From baseline.

    Notes
    -----
    Death without the outcome is no outcome: the risk is that of having it within those years, in a world in which one
    can die. Who was last seen earlier without it, or had it at baseline, is null.

    Examples
    --------
    >>> people = pl.DataFrame({
    ...     "prevalent": [False, False, False, False, True],
    ...     "time_y": [3.0, 6.0, 3.0, 3.0, 5.2],
    ...     "status": [1, 1, 2, 0, 0],
    ... })
    >>> people.select(at_horizon(5.0)).to_series().to_list()
    [1, 0, 0, None, None]
    """
    within = pl.col("time_y") <= years
    y = (
        pl.when(within & (pl.col("status") == EVENT))
        .then(1)
        .when((within & (pl.col("status") == DIED)) | (pl.col("time_y") >= years))
        .then(0)
    )
    return pl.when(~pl.col("prevalent")).then(y).cast(pl.Int8).alias("y")
