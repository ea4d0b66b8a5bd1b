"""The contract of every table that leaves a room."""

import polars as pl

from twelvelead.terms.contract import Column, Contract

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
        Column(
            "estimate",
            pl.Float64,
            "The metric; null where it can't be estimated, as with fewer than 10 patients with, or without, the event.",
            nullable=True,
        ),
        Column("lower", pl.Float64, "Lower confidence limit.", nullable=True),
        Column("upper", pl.Float64, "Upper confidence limit.", nullable=True),
        Column("level", pl.Float64, "Confidence level of the interval, e.g. 0.95."),
        Column("n", pl.Int64, "Recordings."),
        Column("n_patients", pl.Int64, "Patients."),
        Column("n_events", pl.Int64, "Recordings with the event."),
        Column(
            "delong_lower",
            pl.Float64,
            "For auroc (in log-odds) and delta_auroc: lower limit in closed form, by DeLong with patients as clusters.",
            nullable=True,
        ),
        Column("delong_upper", pl.Float64, "The upper limit.", nullable=True),
        Column(
            "interval",
            pl.String,
            "What made lower and upper: studentised bootstrap, percentile bootstrap, Wilson; null without them.",
            nullable=True,
        ),
    ),
)

COMPARISON = Contract(
    "comparison",
    ("target", "set"),
    (
        _TARGET,
        _SET,
        *(
            Column(f"{mode}_{name}", dtype, f"{meaning}, in mode {mode}; null where there is none.", nullable=True)
            for mode in ("sound", "paper")
            for name, dtype, meaning in (
                ("estimate", pl.Float64, "AUROC of the model with ECG, age and sex"),
                ("lower", pl.Float64, "Lower limit of its interval"),
                ("upper", pl.Float64, "Upper limit of its interval"),
                ("n", pl.Int64, "Recordings"),
                ("n_patients", pl.Int64, "Patients"),
                ("n_events", pl.Int64, "Recordings with the event"),
            )
        ),
        Column("width_ratio", pl.Float64, "Width of the sound interval over that of the published one.", nullable=True),
    ),
)
"""What the choices of a publication do to its figures."""

SHIFT = Contract(
    "shift",
    ("predictor",),
    (
        Column("predictor", pl.String, "Predictor."),
        *(
            Column(f"{side}_{name}", pl.Float64, f"{meaning} in the {database} database.", unit, nullable=True)
            for side, database in (("internal", "development"), ("external", "external"))
            for name, meaning, unit in (
                ("missing", "Share of recordings that lack it", "1"),
                ("lowest", "Lowest value", ""),
                ("highest", "Highest value", ""),
                ("mean", "Mean", ""),
            )
        ),
        Column(
            "standardised_difference", pl.Float64, "External minus internal mean, in pooled SD.", "1", nullable=True
        ),
    ),
)
"""How the predictors differ between two databases."""

TRAPS = Contract(
    "traps",
    ("target", "predictor"),
    (
        _TARGET,
        Column("predictor", pl.String, "Predictor."),
        Column("internal", pl.Float64, "AUROC of “is missing”, development database.", nullable=True),
        Column("external", pl.Float64, "AUROC of “is missing”, external database.", nullable=True),
        Column("trap", pl.Boolean, "Whether the two differ by 0.05 or more."),
    ),
)
"""What the mere absence of a measurement says of an outcome, here and there."""

CODES_USED = Contract(
    "codes",
    ("target", "set", "system", "code"),
    (
        _TARGET,
        _SET,
        Column("system", pl.String, "What the published code is written in: icd9, icd10 or kcd."),
        Column("code", pl.String, "Published code."),
        Column("icd10", pl.String, "The ICD-10 code that it became."),
        Column("n_events", pl.Int64, "Entries of the patients of the cohort."),
        Column("n_patients", pl.Int64, "Patients of the cohort who have it."),
    ),
)
"""Which published codes stand behind each diagnosis."""

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

HYPOTHESES = Contract(
    "hypotheses",
    ("target", "set", "model", "hypothesis"),
    (
        _TARGET,
        _SET,
        _MODEL,
        Column("hypothesis", pl.String, "auroc > 0.5, auroc > 0.7, or delta_auroc > 0; each one-sided."),
        Column("parent", pl.String, "Tested target whose code contains this one's, if any.", nullable=True),
        Column("family", pl.String, "Topmost tested target whose code contains this one's; else the target itself."),
        Column("n_tested", pl.Int64, "Targets declared for this hypothesis and set, with those not estimable."),
        Column("n_families", pl.Int64, "Effective number of tests: targets not within another tested one."),
        Column("estimate", pl.Float64, "AUROC, or its difference; null where not estimable.", nullable=True),
        Column("z", pl.Float64, "Distance from the null hypothesis, in patient-clustered errors.", nullable=True),
        Column("p_value", pl.Float64, "One-sided, before any adjustment.", nullable=True),
        Column("p_bh", pl.Float64, "Adjusted by Benjamini and Hochberg over n_tested.", nullable=True),
        Column("p_by", pl.Float64, "Adjusted by Benjamini and Yekutieli over n_tested.", nullable=True),
        Column("rejected", pl.Boolean, "Whether p_bh is at most the declared false discovery rate."),
        Column("note", pl.String, "Why there is no test, if there is none.", nullable=True),
    ),
)
"""What is claimed of which target, tested over all of them."""

SUBGROUPS = Contract(
    "subgroups",
    ("target", "set", "model", "grouping", "metric", "subgroup"),
    (
        _TARGET,
        _SET,
        _MODEL,
        Column("grouping", pl.String, "What divides the recordings: sex, age band, race, site, atrial fibrillation."),
        Column("metric", pl.String, "auroc, calibration_intercept or calibration_slope."),
        Column("subgroup", pl.String, "Value of the grouping."),
        Column("reference", pl.String, "The largest subgroup, which the others are compared with."),
        Column("n", pl.Int64, "Recordings; null where suppressed.", nullable=True),
        Column("n_patients", pl.Int64, "Patients; null where suppressed.", nullable=True),
        Column("n_events", pl.Int64, "Recordings with the event; null where suppressed.", nullable=True),
        Column("estimate", pl.Float64, "The metric in the subgroup; null where suppressed.", nullable=True),
        Column("difference", pl.Float64, "Estimate less that of the reference.", nullable=True),
        Column("lower", pl.Float64, "Lower confidence limit of the difference.", nullable=True),
        Column("upper", pl.Float64, "Upper confidence limit of the difference.", nullable=True),
        Column("level", pl.Float64, "Confidence level of the interval, e.g. 0.95."),
        Column("statistic", pl.Float64, "Wald statistic of no difference between any subgroups.", nullable=True),
        Column("degrees_of_freedom", pl.Int64, "Subgroups compared, less one.", nullable=True),
        Column("p_value", pl.Float64, "Of the interaction: the same for all subgroups of a grouping.", nullable=True),
        Column("p_bh", pl.Float64, "Adjusted over all interactions that were declared.", nullable=True),
        Column("n_tested", pl.Int64, "Interactions that were declared."),
        Column("note", pl.String, "Why a row has no figures, if it has none.", nullable=True),
    ),
)
"""Whether a model is as good in one group of people as in another."""

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
    COMPARISON,
    SHIFT,
    TRAPS,
    CODES_USED,
    SELECTION,
    SHAP,
    RISKS,
    HYPOTHESES,
    SUBGROUPS,
)
"""Every table that leaves a room; documented on one page and tested as one."""
