"""The dictionary: lead names, units, error tree, measurements and table contracts. Imports nothing of ours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST_LEADS = ("V1", "V2", "V3", "V4", "V5", "V6")
LEADS = LIMB_LEADS + CHEST_LEADS

UCUM = {"ms": "ms", "mV": "mV", "s": "s", "Hz": "Hz", "deg": "deg", "1/min": "/min", "1": "1", "%": "%",
        "mV*ms": "mV.ms", "mV/s": "mV/s", "1/s": "/s"}  # fmt: skip
"""House units, one per dimension, and their Unified Code for Units of Measure."""

RESEARCH_ONLY = "Research software, not a medical device. Not for diagnosis or treatment."


# --- errors -----------------------------------------------------------------------------------------------------------


class Error(ValueError):
    """Anything that is wrong with what the caller passed in, or with what a file holds.

    Every message reads: what must hold; what was got, and where. What to do next.

    ::

        Error
        ├── InputError        a file, a folder or an argument                      exit status 3
        │   ├── FormatError   a recording file that can't be decoded
        │   └── ContractError a table that lacks a column, or whose key repeats
        ├── StudyError        a declared study that can't be carried out as said   exit status 3
        ├── Unmeasurable      a recording that reads, but can't be measured; carries a `Reason`
        └── MissingExtra      an optional dependency that is not installed         exit status 5
    """


class InputError(Error):
    """A file, a folder or an argument is not what it must be."""


class FormatError(InputError):
    """A recording file can't be decoded."""


class ContractError(InputError):
    """A table breaks its contract."""


class StudyError(Error):
    """A declared study can't be carried out as it is declared."""


class Reason(StrEnum):
    """Why a recording, or one lead of it, is refused or flagged."""

    UNREADABLE = "unreadable"  # the file can't be decoded
    DUPLICATE = "duplicate"  # two recordings with one id
    TOO_SHORT = "too_short"
    MISSING_LEAD = "missing_lead"  # a lead that is absent, or that holds no sample
    FLAT = "flat"
    CLIPPED = "clipped"  # the peaks are cut off at a level
    SATURATED = "saturated"  # much of the lead stands at a rail
    NOISE = "noise"
    WRONG_UNITS = "wrong_units"  # amplitudes that no heart gives in mV
    EINTHOVEN = "einthoven"  # the limb leads contradict one another
    NO_BEATS = "no_beats"
    FILE = "file"  # the file contradicts itself, or lacks a part
    FAULT = "fault"  # of this software: an error that nobody foresaw


class Unmeasurable(Error):
    """A recording that can be read, but not measured.

    Parameters
    ----------
    reason : Reason
        The typed reason, which the failures table lists.
    message : str
        The sentence for people.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class MissingExtra(Error):
    """An optional dependency is not installed; the message is the command that installs it."""


# --- measurements -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measurement:
    """What one number means: its name, unit, definition and source, and the function that computes it.

    Parameters
    ----------
    name : str
        Column name, `<wave>_<property>[_<lead>]_<unit>`.
    unit : str
        A house unit, a key of `UCUM`.
    definition : str
        One sentence that a cardiologist can check.
    source : str
        `doi:…` of the definition.
    function : callable
        Takes what the measuring room knows about n recordings (`measure.Heartbeats`) and returns their numbers, shape
        (n,); NaN where there is none.
    level : {"recording", "lead"}
        Whether the number belongs to the whole recording or to one lead.
    lead : str or None
        The lead, for level "lead".
    reference : (float, float) or None
        Lower and upper reference limit for adults, in `unit`.
    reference_source : str
        `doi:…` of the reference range; two, with a blank between them, where the limits come from two papers.
    loinc, mdc : str
        LOINC code and ISO/IEEE 11073-10102 reference id, where they exist.
    pooled : {"median", "sum", "max", "min", "mean"}
        What the windows of a long recording make together.
    error : (float, float) or None
        Mean and standard deviation of this tool's own error against annotated recordings, in `unit`; None if unknown.
    """

    name: str
    unit: str
    definition: str
    source: str
    function: Callable[[Any], NDArray[np.float64]] = field(repr=False)
    level: str = "recording"
    lead: str | None = None
    reference: tuple[float, float] | None = None
    reference_source: str = ""
    loinc: str = ""
    mdc: str = ""
    pooled: str = "median"
    error: tuple[float, float] | None = None


# --- table contracts --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """One column of a table contract."""

    name: str
    dtype: Any  # a polars data type; polars has no public name for "class or instance"
    meaning: str
    unit: str = ""
    nullable: bool = False


@dataclass(frozen=True)
class Contract:
    """The columns that a table must have when it crosses from one room to another.

    A table may have more columns than its contract names; those it names must have the type, must hold no null where
    they may not, and the key must not repeat.

    Parameters
    ----------
    name : str
        What the table is called in messages.
    key : tuple of str
        Columns that together name a row. Empty: rows have no key.
    columns : tuple of Column
        The promised columns.

    Examples
    --------
    >>> people = Contract("people", ("patient_id",), (Column("patient_id", pl.String, "Patient."),))
    >>> people.check(pl.DataFrame({"patient_id": ["a", "b"]})).height
    2
    >>> people.check(pl.DataFrame({"patient_id": ["a", "a"]}))
    Traceback (most recent call last):
    twelvelead.terms.ContractError: people: patient_id must name one row; got 1 repeated, first 'a'. Remove duplicates.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> dict[str, Any]:
        """Column names and polars types."""
        return {c.name: c.dtype for c in self.columns}

    def empty(self) -> pl.DataFrame:
        """Return a table without rows that keeps the contract."""
        return pl.DataFrame(schema=self.schema)

    def select(self, rows: pl.DataFrame | Sequence[dict[str, Any]]) -> pl.DataFrame:
        """Return `rows` as a table with just the promised columns and types, checked."""
        table = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, schema_overrides=self.schema)
        if table.width == 0:
            return self.empty()
        return self.check(table.select(pl.col(c.name).cast(c.dtype) for c in self.columns if c.name in table.columns))

    def check_schema(self, table: pl.LazyFrame) -> pl.LazyFrame:
        """Return a table that is not read yet unchanged, or raise `ContractError` if a column or a type is wrong."""
        self._check_columns(table.collect_schema())
        return table

    def check(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return `table` unchanged, or raise `ContractError` saying which column breaks the contract."""
        self._check_columns(table.schema)
        for c in self.columns:
            if not c.nullable and (n := table[c.name].null_count()):
                msg = f"{self.name}: {c.name} must not be null; got {n} null of {table.height}. Fill or drop them."
                raise ContractError(msg)
        self._check_key(table)
        return table

    def _check_columns(self, schema: pl.Schema) -> None:
        missing = [c.name for c in self.columns if c.name not in schema]
        if missing:
            msg = f"{self.name}: must have column(s) {', '.join(missing)}; got {', '.join(schema) or 'none'}. "
            msg += "Add them or rename yours."
            raise ContractError(msg)
        for c in self.columns:
            if schema[c.name] != c.dtype:
                msg = f"{self.name}: {c.name} must be {c.dtype}; got {schema[c.name]}. Cast the column."
                raise ContractError(msg)

    def _check_key(self, table: pl.DataFrame) -> None:
        if not self.key:
            return
        repeated = table.select(self.key).filter(pl.struct(self.key).is_duplicated()).unique(maintain_order=True)
        if repeated.height:
            first = repeated.row(0)
            msg = (
                f"{self.name}: {', '.join(self.key)} must name one row; got {repeated.height} repeated, "
                f"first {', '.join(map(repr, first))}. Remove duplicates."
            )
            raise ContractError(msg)


_ID = Column("recording_id", pl.String, "Recording; the key of every table made from it.")
_PATIENT = Column("patient_id", pl.String, "Patient.")
_TARGET = Column("target", pl.String, "Outcome that is predicted.")
_MODEL = Column("model", pl.String, "Set of predictors: age_sex, ecg or ecg_age_sex.")
_SET = Column("set", pl.String, "internal (held-out patients of the development database) or external.")

FEATURES = Contract("features", ("recording_id",), (_ID,))
"""One row per recording; the other columns are those of the CATALOGUE."""

FIDUCIAL_TIMES = (
    "p_onset_s", "p_peak_s", "p_offset_s", "qrs_onset_s", "r_peak_s", "qrs_offset_s", "t_onset_s", "t_peak_s",
    "t_offset_s",
)  # fmt: skip
FIDUCIALS = Contract(
    "fiducials",
    ("recording_id", "lead", "beat"),
    (
        _ID,
        Column("lead", pl.String, "Lead, or `global` for the marks that hold for all leads together."),
        Column("beat", pl.Int32, "Number of the beat in the recording, from 0."),
        *(
            Column(name, pl.Float64, "Time from the start of the recording; null where there is none.", "s", True)  # noqa: FBT003
            for name in FIDUCIAL_TIMES
        ),
        Column("kind", pl.String, "dominant, premature, wide, paced or aberrant; the same in all leads."),
        *(
            Column(
                f"{wave}_confidence",
                pl.Float32,
                f"Lowest confidence of the {wave.upper()} wave's marks, 0 to 1; null if unknown.",
                "1",
                nullable=True,
            )
            for wave in ("p", "qrs", "t")
        ),
    ),
)

FAILURES = Contract(
    "failures",
    (),
    (
        _ID,
        Column("reason", pl.String, "A `Reason`."),
        Column("message", pl.String, "What must hold, what was got, what next."),
    ),
)

FINDINGS = Contract(
    "findings",
    (),
    (
        _ID,
        Column("lead", pl.String, "The lead that is at fault; null for the whole recording.", nullable=True),
        Column("reason", pl.String, "A `Reason`."),
        Column("message", pl.String, "What must hold, and what was got."),
    ),
)
"""Why a recording that was read lacks some numbers, or should be trusted less."""

MACHINE = Contract(
    "machine",
    ("recording_id",),
    (
        _ID,
        Column("format", pl.String, "Waveform format of the file."),
        Column("version", pl.String, "What the file says of its format's version."),
        Column("device", pl.String, "Manufacturer and model."),
        Column("software", pl.String, "Software of the device."),
        Column("recorded_at", pl.Datetime("us"), "Time of recording by the device's clock.", nullable=True),
        Column("high_pass_hz", pl.Float64, "High-pass filter of the device.", "Hz", nullable=True),
        Column("low_pass_hz", pl.Float64, "Low-pass filter of the device.", "Hz", nullable=True),
        Column("notch_hz", pl.Float64, "Mains filter of the device.", "Hz", nullable=True),
        Column("sex", pl.String, "female or male.", nullable=True),
        Column("age_years", pl.Float64, "Age when the ECG was recorded; ages above 89 are 90.", "a", nullable=True),
        Column("patient_id", pl.String, "Null unless identities are asked for.", nullable=True),
        *(
            Column(name, pl.Float64, f"{meaning}, as the device measured it.", unit, nullable=True)
            for name, unit, meaning in (
                ("heart_rate_bpm", "1/min", "Ventricular rate"),
                ("atrial_rate_bpm", "1/min", "Atrial rate"),
                ("p_duration_ms", "ms", "P duration"),
                ("pr_interval_ms", "ms", "PR interval"),
                ("qrs_duration_ms", "ms", "QRS duration"),
                ("qt_interval_ms", "ms", "QT interval"),
                ("qtc_bazett_ms", "ms", "QTc by Bazett's formula"),
                ("qtc_fridericia_ms", "ms", "QTc by Fridericia's formula"),
                ("qtc_ms", "ms", "QTc by a formula that the file does not name"),
                ("p_axis_deg", "deg", "Frontal P axis"),
                ("qrs_axis_deg", "deg", "Frontal QRS axis"),
                ("t_axis_deg", "deg", "Frontal T axis"),
            )
        ),
        Column("statements", pl.List(pl.String), "The device's interpretation."),
    ),
)
"""What the files of recordings say besides their samples."""

COHORT = Contract(
    "cohort",
    ("recording_id",),
    (
        _ID,
        _PATIENT,
        Column("age_years", pl.Float64, "Age when the ECG was recorded; ages above 89 are 90.", "a", nullable=True),
        Column("sex", pl.String, "female or male.", nullable=True),
        Column("recorded_at", pl.Datetime("us"), "Time of recording.", nullable=True),
        Column("stay_id", pl.String, "Hospital or emergency stay of the recording.", nullable=True),
        Column("path", pl.String, "Waveform file, relative to the database folder.", nullable=True),
    ),
)

EVENTS = Contract(
    "events",
    (),
    (
        _PATIENT,
        Column("time", pl.Datetime("us"), "When it happened, was coded or was drawn.", nullable=True),
        Column("system", pl.String, "What `code` is written in: icd10, icd9, laboratory, chest_xray, scp, …"),
        Column("code", pl.String, "Diagnosis code without dot, analyte, or X-ray finding."),
        Column("value", pl.Float64, "Result; for X-ray findings 1 present, 0 absent.", nullable=True),
        Column("unit", pl.String, "Unit of `value`.", nullable=True),
        Column("reference_lower", pl.Float64, "Lower reference limit of this row's result.", nullable=True),
        Column("reference_upper", pl.Float64, "Upper reference limit of this row's result.", nullable=True),
        Column("flag", pl.String, "`abnormal` where the laboratory flagged the result.", nullable=True),
        Column("stay_id", pl.String, "Stay to which the event belongs.", nullable=True),
        Column("recording_id", pl.String, "Recording that the event annotates, if one.", nullable=True),
    ),
)
"""Everything that a hospital's tables say happened to a patient, one row each."""

STAYS = Contract(
    "stays",
    ("stay_id",),
    (
        Column("stay_id", pl.String, "Hospital or emergency stay."),
        _PATIENT,
        Column("kind", pl.String, "hospital or emergency."),
        Column("start", pl.Datetime("us"), "Admission.", nullable=True),
        Column("end", pl.Datetime("us"), "Discharge or death.", nullable=True),
        Column("hospital_stay_id", pl.String, "Of an emergency stay, the hospital stay it led to.", nullable=True),
    ),
)
"""When patients were in the hospital."""

PATIENTS = Contract(
    "patients",
    ("patient_id",),
    (
        _PATIENT,
        Column("sex", pl.String, "female or male.", nullable=True),
        Column("died_at", pl.Datetime("us"), "Death, as far as the database follows it.", nullable=True),
    ),
)

OUTCOMES = Contract(
    "outcomes",
    ("recording_id", "target"),
    (_ID, _TARGET, Column("y", pl.Int8, "1 event, 0 none, null unknown.", nullable=True)),
)

FLOW = Contract(
    "flow",
    ("step",),
    (
        Column("step", pl.String, "What was required."),
        Column("n_recordings", pl.Int64, "Recordings left."),
        Column("n_patients", pl.Int64, "Patients left."),
        Column("excluded", pl.Int64, "Recordings that this step took away."),
    ),
)

PREDICTIONS = Contract(
    "predictions",
    ("recording_id", "target", "model", "set"),
    (
        _ID,
        _PATIENT,
        _TARGET,
        _MODEL,
        _SET,
        Column("y", pl.Int8, "Observed outcome: 1 event, 0 none."),
        Column("p", pl.Float64, "Predicted risk.", "1"),
    ),
)

PERFORMANCE = Contract(
    "performance",
    ("target", "model", "set", "metric", "stratum"),
    (
        _TARGET,
        _MODEL,
        _SET,
        Column(
            "metric", pl.String, "auroc, auprc, brier, calibration_intercept, …; delta_auroc compares with age_sex."
        ),
        Column("stratum", pl.String, "all, or the subgroup."),
        Column("estimate", pl.Float64, "The metric; null where it can't be estimated.", nullable=True),
        Column("lower", pl.Float64, "Lower confidence limit.", nullable=True),
        Column("upper", pl.Float64, "Upper confidence limit.", nullable=True),
        Column("level", pl.Float64, "Confidence level of the interval, e.g. 0.95."),
        Column("n", pl.Int64, "Recordings."),
        Column("n_patients", pl.Int64, "Patients."),
        Column("n_events", pl.Int64, "Recordings with the event."),
    ),
)

SELECTION = Contract(
    "selection",
    ("target", "model", "fit", "n_features"),
    (
        _TARGET,
        _MODEL,
        Column("fit", pl.String, "Which of the study's fits, e.g. `fold 0 member 2` or `final member 0`."),
        Column("n_features", pl.Int64, "Predictors kept at this step of the elimination."),
        Column("auroc", pl.Float64, "AUROC on the tuning patients."),
        Column("chosen", pl.Boolean, "Whether the model uses this step's predictors."),
        Column("features", pl.List(pl.String), "The predictors kept."),
    ),
)

SHAP = Contract(
    "shap",
    ("recording_id", "target", "model", "set", "feature"),
    (
        _ID,
        _TARGET,
        _MODEL,
        _SET,
        Column("feature", pl.String, "Predictor."),
        Column("value", pl.Float64, "The predictor's value; null where missing.", nullable=True),
        Column("shap", pl.Float64, "Exact Shapley value on the log-odds scale.", "log-odds"),
    ),
)

RISKS = Contract(
    "risks",
    ("recording_id", "target"),
    (
        _ID,
        _TARGET,
        Column("p", pl.Float64, "Predicted risk.", "1"),
        *(
            Column(f"reason_{rank}{part}", dtype, meaning, nullable=True)
            for rank in (1, 2, 3)
            for part, dtype, meaning in (
                ("", pl.String, f"Predictor with the {('', 'second-', 'third-')[rank - 1]}largest |SHAP| value."),
                ("_value", pl.Float64, "That predictor's value."),
                ("_shap", pl.Float64, "Its Shapley value on the log-odds scale."),
            )
        ),
    ),
)

CONTRACTS = (
    FEATURES,
    FIDUCIALS,
    FAILURES,
    FINDINGS,
    MACHINE,
    COHORT,
    EVENTS,
    STAYS,
    PATIENTS,
    OUTCOMES,
    FLOW,
    PREDICTIONS,
    PERFORMANCE,
    SELECTION,
    SHAP,
    RISKS,
)
"""Every table that leaves a room; documented on one page and tested as one."""
