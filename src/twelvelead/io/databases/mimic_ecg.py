"""MIMIC-IV-ECG 1.0 (doi:10.13026/4nqg-sb35): which ECGs there are, and what the machine made of them."""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.events import SOURCE, EventTable, as_events
from twelvelead.io.databases.machine import AXES, LONGEST, WIDEST, clean, derive_features
from twelvelead.io.databases.published import Table, collect, scan

_TIME, _ID, _NUMBER = pl.Datetime("us"), pl.String, pl.Float64
_PART = "MIMIC-IV-ECG"

MARKS = ("rr_interval", "p_onset", "p_end", "qrs_onset", "qrs_end", "t_end")
MACHINE_AXES = ("p_axis", "qrs_axis", "t_axis")
REPORTS = tuple(f"report_{n}" for n in range(18))

RECORDS = Table(
    "record_list",
    {"subject_id": _ID, "study_id": _ID, "ecg_time": _TIME, "path": pl.String},
    {},
    {800_035: "1.0"},
    _PART,
)
MEASUREMENTS = Table(
    "machine_measurements",
    {"subject_id": _ID, "study_id": _ID, "ecg_time": _TIME, **dict.fromkeys(MARKS + MACHINE_AXES, _NUMBER)},
    dict.fromkeys(REPORTS, pl.String),
    {800_035: "1.0"},
    _PART,
)
NOTES = Table(
    "waveform_note_links",
    {"subject_id": _ID, "study_id": _ID, "waveform_path": pl.String, "note_id": _ID},
    part=_PART,
)

TABLES = (RECORDS, MEASUREMENTS, NOTES)


def read_recordings(found: dict[str, Path], *, folder: Path) -> pl.DataFrame:
    """Read which ECGs there are: columns recording_id, patient_id, recorded_at, path.

    Parameters
    ----------
    found : dict of str to Path
        The tables that are there; `record_list` or else `machine_measurements` is read.
    folder : Path
        What `path` is relative to. It is null where the waveforms were not unpacked beside the list.

    Notes
    -----
    recording_id is the study_id. The time is the cart's own clock, which nobody set by the hospital's.
    """
    table = RECORDS if RECORDS.name in found else MEASUREMENTS
    file = found[table.name]
    with_waveforms = table is RECORDS and (file.parent / "files").is_dir()
    place = file.parent.relative_to(folder).as_posix()
    path = pl.col("path") if place == "." else pl.lit(f"{place}/") + pl.col("path")
    rows = scan(table, file).select(
        recording_id="study_id",
        patient_id="subject_id",
        recorded_at="ecg_time",
        path=path if with_waveforms else pl.lit(None, pl.String),
    )
    return collect(rows, file)


def features(path: Path, *, raw: bool) -> pl.LazyFrame:
    """Give the machine's measurements in house names, one row per recording.

    Parameters
    ----------
    path : Path
        `machine_measurements`.
    raw : bool
        As `machine.derive_features` has it.

    Notes
    -----
    29999, 32767, −32768 and 65535 stand for "not found". As published studies have it, marks and RR outside 0 to 5000
    ms and axes outside ±360° are taken away *before* intervals are derived. RR is the machine's, PR runs from P onset
    to QRS onset, QT from QRS onset to the end of T.
    """
    rows = scan(MEASUREMENTS, path).select(
        recording_id="study_id",
        **{mark: clean(mark, raw_limit=LONGEST) for mark in MARKS},
        **{axis: clean(axis, raw_limit=WIDEST, lowest=-WIDEST) for axis in MACHINE_AXES},
    )
    between = {
        "p_duration_ms": ("p_onset", "p_end"), "pr_interval_ms": ("p_onset", "qrs_onset"),
        "qrs_duration_ms": ("qrs_onset", "qrs_end"), "qt_interval_ms": ("qrs_onset", "t_end"),
        "jt_interval_ms": ("qrs_end", "t_end"),
    }  # fmt: skip
    intervals = rows.select(
        "recording_id",
        rr_mean_ms="rr_interval",
        **{name: pl.col(last) - pl.col(first) for name, (first, last) in between.items()},
        **{name: pl.col(axis) for name, axis in zip(AXES, MACHINE_AXES, strict=True)},
    )
    return derive_features(intervals, raw=raw)


def statements(path: Path) -> EventTable:
    """Give the lines of the machine's report (`machine_statement`); the text is the code, `source_id` the line.

    Blank lines may stand between others; they are left out. A line may warn of poor quality and tell no finding.
    """
    rows = scan(MEASUREMENTS, path)
    lines = [line for line in REPORTS if line in rows.collect_schema()]
    index = ["patient_id", "time", "recording_id"]
    table = rows.select(patient_id="subject_id", time="ecg_time", recording_id="study_id", **{n: n for n in lines})
    # Not by a list of the lines, which takes six times as long.
    long = table.unpivot(on=lines, index=index, variable_name=SOURCE, value_name="code")
    text = pl.col("code").str.strip_chars()
    return as_events(long.with_columns(code=text).filter(text.str.len_chars() > 0), "machine_statement")
