"""The participant flow as data: how many recordings and patients are left after each step."""

import polars as pl

from twelvelead.terms import FLOW, OUTCOMES


def count_step(flow: pl.DataFrame, step: str, table: pl.DataFrame) -> pl.DataFrame:
    """Append one step to the participant flow.

    Parameters
    ----------
    flow : DataFrame keeping `terms.FLOW`
        The steps so far; `FLOW.empty()` to begin.
    step : str
        What was required of a recording to be still there, as it will stand in the diagram.
    table : DataFrame with columns recording_id, patient_id
        The recordings that are left.

    Returns
    -------
    DataFrame
        `flow` with one more row.

    Examples
    --------
    >>> all_ = pl.DataFrame({"recording_id": ["a", "b", "c"], "patient_id": ["1", "1", "2"]})
    >>> flow = count_step(FLOW.empty(), "in the database", all_)
    >>> count_step(flow, "first ECG of the patient", all_.head(1)).row(-1)
    ('first ECG of the patient', 1, 1, 2)
    """
    before = int(flow["n_recordings"][-1]) if flow.height else table.height
    row = {
        "step": step,
        "n_recordings": table.height,
        "n_patients": table["patient_id"].n_unique(),
        "excluded": before - table.height,
    }
    return FLOW.check(pl.concat([flow, FLOW.select([row])]))


def count_events(step: str, table: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Count the events of each target among the recordings that are left after a step.

    Parameters
    ----------
    step : str
        The step, as in the participant flow.
    table : DataFrame with columns recording_id, patient_id
        The recordings that are left.
    outcomes : DataFrame keeping `terms.OUTCOMES`
        Of these recordings and possibly of more. (For thousands of targets `Answers.counts` does the same.)

    Returns
    -------
    DataFrame with columns step, target, n_events, n_without, n_unknown, n_patients_with_event
        One row per target, sorted; a target of which nothing is left has zeros.

    Examples
    --------
    >>> left = pl.DataFrame({"recording_id": ["a", "b"], "patient_id": ["1", "1"]})
    >>> y = OUTCOMES.select([{"recording_id": r, "target": "I50", "y": 1} for r in "abc"])
    >>> count_events("aged 18 years or more", left, y).row(0)
    ('aged 18 years or more', 'I50', 2, 0, 0, 1)
    """
    targets = OUTCOMES.check(outcomes).select("target").unique()
    left = outcomes.join(table.select("recording_id", "patient_id"), on="recording_id", how="inner")
    y = pl.col("y")
    counts = left.group_by("target").agg(
        n_events=(y == 1).sum().cast(pl.Int64),
        n_without=(y == 0).sum().cast(pl.Int64),
        n_unknown=y.is_null().sum().cast(pl.Int64),
        n_patients_with_event=pl.col("patient_id").filter(y == 1).n_unique().cast(pl.Int64),
    )
    whole = targets.join(counts, on="target", how="left").with_columns(pl.exclude("target").fill_null(0))
    return whole.sort("target").select(pl.lit(step).alias("step"), pl.all())
