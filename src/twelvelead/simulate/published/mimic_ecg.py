"""The tables of MIMIC-IV-ECG 1.0: record_list, machine_measurements, waveform_note_links."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.published.identifiers import scattered_ids, subject_ids
from twelvelead.simulate.published.machine import Floats, measure_by_machine, report_lines
from twelvelead.simulate.published.population import Block

NOT_FOUND, LARGEST, SMALLEST, OVERFLOW = 29999, 32767, -32768, 65535
"""How the machine writes that it did not find a mark, an axis (two of them), or RR."""

_ONSET_MS = 40  # of the first wave, from the start of the machine's average beat
_NO_P_END = 0.13  # share of the ECGs whose P wave has an onset but no end, as published
_NO_P_AXIS, _NO_T_AXIS, _NO_QRS_AXIS, _NO_RR, _REVERSED = 0.009, 0.0018, 0.0002, 0.0002, 0.0002

_BANDS = ("0.005-150 Hz", "0.05-150 Hz", "0.05-100 Hz")
_FILTERS = ("60 Hz notch Baseline filter", "60 Hz notch", "Baseline filter")


def keys(block: Block) -> pl.DataFrame:
    """Return subject_id, study_id, ecg_time and path of each ECG, in the order of the block's recordings."""
    subject = subject_ids(block)[block.recordings["patient"].to_numpy()]
    study = scattered_ids(block, 40_000_000, block.recordings.height)
    table = pl.DataFrame({"subject_id": subject, "study_id": study, "ecg_time": block.recordings["recorded_at"]})
    person = pl.col("subject_id").cast(pl.String)
    name = pl.col("study_id").cast(pl.String)
    return table.with_columns(
        path=pl.format("files/p{}/p{}/s{}/{}", person.str.slice(0, 4), person, name, name),
    )


def record_list(ecgs: pl.DataFrame) -> pl.DataFrame:
    """Return `record_list.csv`."""
    return ecgs.select("subject_id", "study_id", file_name="study_id", ecg_time="ecg_time", path="path")


def machine_measurements(block: Block, ecgs: pl.DataFrame) -> pl.DataFrame:
    """Return `machine_measurements.csv`.

    Notes
    -----
    P onset is 29999 in atrial fibrillation and nowhere else; the end of P and the P axis also where the machine failed.
    """
    measured = measure_by_machine(block)
    n = ecgs.height
    setting = np.minimum(np.floor(4 * block.uniform("setting", n)).astype(int), 2)
    return pl.concat(
        [
            ecgs.select("subject_id", "study_id"),
            pl.DataFrame({"cart_id": 6_800_000 + np.floor(90_000 * block.uniform("cart", n)).astype(int)}),
            ecgs.select("ecg_time"),
            report_lines(block, measured),
            pl.DataFrame({"bandwidth": np.array(_BANDS)[setting], "filtering": np.array(_FILTERS)[setting]}),
            pl.DataFrame(_marks(block, measured)),
        ],
        how="horizontal",
    )


def _marks(block: Block, measured: dict[str, Floats]) -> dict[str, NDArray[Any]]:
    """Return marks in ms from the start of the average beat, RR and axes, with what stands for "not found"."""
    n = measured["rr"].size
    fails = block.uniform("machine/fails", n, 6).T
    has_p = ~np.isnan(measured["pr"])
    qrs_onset = _ONSET_MS + np.where(has_p, measured["pr"], 130)
    t_end = np.where(fails[5] < _REVERSED, qrs_onset + 10, qrs_onset + measured["qt"])
    marks = {
        "rr_interval": np.where(fails[0] < _NO_RR, OVERFLOW, measured["rr"]),
        "p_onset": np.where(has_p, _ONSET_MS, NOT_FOUND),
        "p_end": np.where(has_p & (fails[1] >= _NO_P_END), _ONSET_MS + measured["p_duration"], NOT_FOUND),
        "qrs_onset": qrs_onset,
        "qrs_end": qrs_onset + measured["qrs"],
        "t_end": t_end,
        "p_axis": np.where(has_p, np.where(fails[2] < _NO_P_AXIS, LARGEST, measured["p_axis"]), NOT_FOUND),
        "qrs_axis": np.where(fails[3] < _NO_QRS_AXIS, SMALLEST, measured["qrs_axis"]),
        "t_axis": np.where(fails[4] < _NO_T_AXIS, LARGEST, measured["t_axis"]),
    }
    return {name: column.astype(np.int64) for name, column in marks.items()}


def waveform_note_links(block: Block, ecgs: pl.DataFrame) -> pl.DataFrame:
    """Return `waveform_note_links.csv`: three ECGs in four have a cardiologist's note; its text is not published."""
    noted = pl.Series(block.uniform("note", ecgs.height) < 0.76)
    table = ecgs.filter(noted).with_columns(note_seq=pl.int_range(pl.len()).over("subject_id") + 1)
    return table.select(
        "subject_id",
        "study_id",
        waveform_path="path",
        note_id=pl.format("{}-EK-{}", "subject_id", "note_seq"),
        note_seq="note_seq",
        charttime="ecg_time",
    )
