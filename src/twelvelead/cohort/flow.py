"""The participant flow as data: how many recordings and patients are left after each step."""

import polars as pl

from twelvelead.terms import FLOW


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
