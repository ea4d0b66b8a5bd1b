"""What the hospital's ECG machine makes of a recording: whole numbers, a little beside the truth, and its words."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.published.population import Block

Floats = NDArray[np.float64]

_ERROR = {
    "rr": 4.0, "p_duration": 6.0, "pr": 4.0, "qrs": 3.5, "qt": 6.0, "p_axis": 5.0, "qrs_axis": 3.0, "t_axis": 5.0,
}  # fmt: skip
"""Standard deviation of the machine's error, in ms and degrees."""


def measure_by_machine(block: Block) -> dict[str, Floats]:
    """Return the machine's intervals in ms and axes in degrees (−180 to 180); NaN where there is no P wave."""
    truth = block.recordings
    true = {
        "rr": 60_000 / truth["heart_rate_bpm"].to_numpy(),
        "p_duration": truth["p_duration_ms"].to_numpy(),
        "pr": truth["pr_interval_ms"].to_numpy(),
        "qrs": truth["qrs_duration_ms"].to_numpy(),
        "qt": truth["qt_interval_ms"].to_numpy(),
        **{f"{wave}_axis": truth[f"{wave}_axis_deg"].to_numpy() for wave in ("p", "qrs", "t")},
    }
    measured = {n: np.rint(v + _ERROR[n] * block.normal(f"machine/{n}", v.size)) for n, v in true.items()}
    return {n: (v + 180) % 360 - 180 if n.endswith("axis") else v for n, v in measured.items()}


def report_lines(block: Block, measured: dict[str, Floats]) -> pl.DataFrame:
    """Return the machine's statements, `report_0` to `report_17`: the rhythm, findings, a blank line, the conclusion.

    Nearly one report in a hundred begins with a warning instead. The words are ours; a real machine's are its maker's.
    """
    truth = block.recordings
    n = truth.height
    is_af = pl.col("rhythm") == "af"
    rate = pl.Series(60_000 / measured["rr"])
    warned = pl.Series(block.uniform("warning", n))
    axis = pl.Series(measured["qrs_axis"])
    rhythm = (
        pl.when(is_af).then(pl.lit("Atrial fibrillation"))
        .when(rate > 100).then(pl.lit("Sinus tachycardia"))
        .when(rate < 60).then(pl.lit("Sinus bradycardia"))
        .otherwise(pl.lit("Sinus rhythm"))
    )  # fmt: skip
    no_age = "Age not entered, assumed to be 50 years old for purpose of ECG interpretation"
    warning = (
        pl.when(warned < 0.009).then(pl.lit("Warning: data quality may affect interpretation"))
        .when(warned < 0.015).then(pl.lit(no_age))
    )  # fmt: skip
    block_words = {"left": "Left bundle branch block", "right": "Right bundle branch block"}
    branch = pl.col("bundle_branch_block").replace_strict(block_words, default=None, return_dtype=pl.String)
    leftward = pl.when(axis < -30).then(pl.lit("Left axis deviation"))
    ectopic = pl.when(pl.col("premature_beat_count") > 0).then(pl.lit("Ventricular premature complexes"))
    abnormal = is_af | branch.is_not_null() | leftward.is_not_null() | (rate > 100)
    conclusion = (
        pl.when(abnormal).then(pl.lit("Abnormal ECG"))
        .when(ectopic.is_not_null()).then(pl.lit("Borderline ECG"))
        .otherwise(pl.lit("Normal ECG"))
    )  # fmt: skip
    first = pl.coalesce(warning, rhythm)
    second = pl.when(warning.is_not_null()).then(rhythm)
    lines = [first, second, branch, leftward, ectopic, conclusion]
    lines += [pl.lit(None, pl.String)] * (18 - len(lines))
    return truth.select(line.alias(f"report_{j}") for j, line in enumerate(lines))
