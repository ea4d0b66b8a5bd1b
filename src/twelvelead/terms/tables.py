"""The contracts of what is known of recordings and patients before anything is predicted."""

import polars as pl

from twelvelead.terms.columns import PATIENT_ID, RECORDING_ID, TARGET
from twelvelead.terms.contract import Column, Contract

FEATURES = Contract("features", ("recording_id",), (RECORDING_ID,))
"""One row per recording; the other columns are those of the CATALOGUE."""

FIDUCIAL_TIMES = (
    "p_onset_s", "p_peak_s", "p_offset_s", "qrs_onset_s", "r_peak_s", "qrs_offset_s", "t_onset_s", "t_peak_s",
    "t_offset_s",
)  # fmt: skip
FIDUCIALS = Contract(
    "fiducials",
    ("recording_id", "lead", "beat"),
    (
        RECORDING_ID,
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
        RECORDING_ID,
        Column("reason", pl.String, "A `Reason`."),
        Column("message", pl.String, "What must hold, what was got, what next."),
    ),
)

FINDINGS = Contract(
    "findings",
    (),
    (
        RECORDING_ID,
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
        RECORDING_ID,
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
        RECORDING_ID,
        PATIENT_ID,
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
        PATIENT_ID,
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
        PATIENT_ID,
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
        PATIENT_ID,
        Column("sex", pl.String, "female or male.", nullable=True),
        Column("died_at", pl.Datetime("us"), "Death, as far as the database follows it.", nullable=True),
    ),
)

OUTCOMES = Contract(
    "outcomes",
    ("recording_id", "target"),
    (RECORDING_ID, TARGET, Column("y", pl.Int8, "1 event, 0 none, null unknown.", nullable=True)),
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

TABLES = (
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
)
