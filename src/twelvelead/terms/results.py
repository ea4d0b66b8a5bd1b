"""The contracts of what a study finds: predictions, figures, reasons."""

import polars as pl

from twelvelead.terms.columns import MODEL, PATIENT_ID, RECORDING_ID, SET, TARGET
from twelvelead.terms.contract import Column, Contract

PREDICTIONS = Contract(
    "predictions",
    ("recording_id", "target", "model", "set"),
    (
        RECORDING_ID,
        PATIENT_ID,
        TARGET,
        MODEL,
        SET,
        Column("y", pl.Int8, "Observed outcome: 1 event, 0 none."),
        Column("p", pl.Float64, "Predicted risk.", "1"),
    ),
)

PERFORMANCE = Contract(
    "performance",
    ("target", "model", "set", "metric", "stratum"),
    (
        TARGET,
        MODEL,
        SET,
        Column(
            "metric",
            pl.String,
            "auroc, auprc, brier, calibration_intercept, …; delta_auroc compares with age_sex, delta_auroc_embedding "
            "with measured_age_sex.",
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
        TARGET,
        SET,
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
        TARGET,
        Column("predictor", pl.String, "Predictor."),
        Column("internal", pl.Float64, "AUROC of “is missing”, development database.", nullable=True),
        Column("external", pl.Float64, "AUROC of “is missing”, external database.", nullable=True),
        Column("trap", pl.Boolean, "Whether the two differ by 0.05 or more."),
    ),
)
"""What the mere absence of a measurement says of an outcome, here and there."""

DOMAIN = Contract(
    "domain",
    (),
    (
        Column("estimate", pl.Float64, "AUROC of a model that tells the databases apart.", nullable=True),
        Column("lower", pl.Float64, "Lower confidence limit.", nullable=True),
        Column("upper", pl.Float64, "Upper confidence limit.", nullable=True),
        Column("level", pl.Float64, "Confidence level of the interval, e.g. 0.95."),
        Column("n_internal", pl.Int64, "Recordings drawn from the development database."),
        Column("n_external", pl.Int64, "Recordings drawn from the external database."),
        Column("predictors", pl.List(pl.String), "What the model saw."),
        Column("absent", pl.List(pl.String), "Predictors left out, since one database has none of them."),
    ),
)
"""Whether two databases can be told apart by what the models may know."""

TRANSPORT = Contract(
    "transport",
    ("target", "quantity"),
    (
        TARGET,
        Column(
            "quantity",
            pl.String,
            "internal, reweighted, external: AUROCs of the full model; case_mix: reweighted less internal; rest: "
            "external less reweighted.",
        ),
        Column("estimate", pl.Float64, "Null where it can't be estimated.", nullable=True),
        Column("lower", pl.Float64, "Lower confidence limit.", nullable=True),
        Column("upper", pl.Float64, "Upper confidence limit.", nullable=True),
        Column("level", pl.Float64, "Confidence level of the interval, e.g. 0.95."),
        Column("n", pl.Int64, "Recordings."),
        Column("n_patients", pl.Int64, "Patients."),
        Column("n_events", pl.Int64, "Recordings with the event."),
        Column(
            "effective_n",
            pl.Float64,
            "Equally weighted recordings that would tell as much as the weighted ones.",
            nullable=True,
        ),
        Column("note", pl.String, "Why a figure is missing, if it is.", nullable=True),
    ),
)
"""What of the difference between two databases the mix of patients explains."""

SENSITIVITY = Contract(
    "sensitivity",
    ("target", "analysis"),
    (
        TARGET,
        Column("analysis", pl.String, "What is done otherwise."),
        Column("estimate", pl.Float64, "AUROC of the full model; null where it can't be estimated.", nullable=True),
        Column("lower", pl.Float64, "Lower confidence limit; of redrawn ages the lowest AUROC.", nullable=True),
        Column("upper", pl.Float64, "Upper confidence limit; of redrawn ages the highest AUROC.", nullable=True),
        Column("n", pl.Int64, "Recordings."),
        Column("n_patients", pl.Int64, "Patients."),
        Column("n_events", pl.Int64, "Recordings with the event."),
        Column("note", pl.String, "What has to be said of it.", nullable=True),
    ),
)
"""External validation done otherwise."""

CODES_USED = Contract(
    "codes",
    ("target", "set", "system", "code"),
    (
        TARGET,
        SET,
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
        TARGET,
        MODEL,
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
        RECORDING_ID,
        TARGET,
        MODEL,
        SET,
        Column("feature", pl.String, "Predictor; `embedding` stands for all of an embedding's numbers together."),
        Column("value", pl.Float64, "The predictor's value; null where missing.", nullable=True),
        Column("shap", pl.Float64, "Exact Shapley value on the log-odds scale.", "log-odds"),
    ),
)

RISKS = Contract(
    "risks",
    ("recording_id", "target"),
    (
        RECORDING_ID,
        TARGET,
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
        TARGET,
        SET,
        MODEL,
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
        TARGET,
        SET,
        MODEL,
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

REASONS = Contract(
    "reasons",
    ("target", "model", "set", "feature"),
    (
        TARGET,
        MODEL,
        SET,
        Column("feature", pl.String, "Predictor that any of the model's fits takes."),
        Column("concept", pl.String, "What it is about: rate, atrial, conduction, …"),
        Column("mean_abs_shap", pl.Float64, "Mean |SHAP| over the recordings that were explained.", "log-odds"),
        Column("rank", pl.Float64, "Rank by it; 1 is the strongest, equals share the mean of their ranks."),
        Column("rank_lower", pl.Float64, "2.5 % quantile of the rank over resamples of patients."),
        Column("rank_upper", pl.Float64, "97.5 % quantile."),
        Column("top_share", pl.Float64, "Share of the resamples in which it is among the ten strongest.", "1"),
        Column("chosen_share", pl.Float64, "Share of the study's fits, folds and members, that chose it.", "1"),
    ),
)
"""What the full model answers to, and how firmly the order of its reasons is known."""

REASON_CONCEPTS = Contract(
    "concepts",
    ("target", "model", "set", "concept"),
    (
        TARGET,
        MODEL,
        SET,
        Column("concept", pl.String, "Rate, atrial, conduction, repolarisation, axis, voltage, demographics, …"),
        Column(
            "n_predictors",
            pl.Int64,
            "Predictors of it that any of the model's fits takes; of an embedding, the numbers that any fit chose.",
        ),
        Column(
            "mean_abs_shap", pl.Float64, "Mean over recordings of |sum of its predictors' Shapley values|.", "log-odds"
        ),
        Column("rank", pl.Float64, "Rank by it; 1 is the strongest."),
        Column("rank_lower", pl.Float64, "2.5 % quantile of the rank over resamples of patients."),
        Column("rank_upper", pl.Float64, "97.5 % quantile."),
    ),
)
"""What the full model answers to, by what its predictors are about."""

REASON_AGREEMENT = Contract(
    "reason_agreement",
    ("target", "model", "measure"),
    (
        TARGET,
        MODEL,
        Column(
            "measure", pl.String, "spearman, kendall (of mean |SHAP|), or top_overlap (share of the ten strongest)."
        ),
        Column("n_predictors", pl.Int64, "Predictors that are ranked."),
        Column("estimate", pl.Float64, "Internal against external; null where all are equally strong.", nullable=True),
        Column("lower", pl.Float64, "2.5 % quantile over resamples of patients.", nullable=True),
        Column("upper", pl.Float64, "97.5 % quantile.", nullable=True),
    ),
)
"""Whether the reasons have the same ranks in the external database."""

RECALIBRATION = Contract(
    "recalibration",
    ("target", "model", "set", "method"),
    (
        TARGET,
        MODEL,
        SET,
        Column(
            "method",
            pl.String,
            "none, intercept or logistic; each half of the patients is judged by the curve of the other half.",
        ),
        Column("n", pl.Int64, "Recordings; null where suppressed.", nullable=True),
        Column("n_events", pl.Int64, "Recordings with the event; null where suppressed.", nullable=True),
        *(
            Column(name, pl.Float64, meaning, nullable=True)
            for name, meaning in (
                ("oe_ratio", "Observed over expected events; 1 is ideal."),
                ("calibration_intercept", "Intercept with the slope fixed at 1; 0 is ideal."),
                ("calibration_slope", "Slope; 1 is ideal."),
                ("ici", "Integrated calibration index."),
                ("brier", "Brier score."),
                ("scaled_brier", "Scaled Brier score."),
            )
        ),
        Column("note", pl.String, "Why there are no figures, if there are none.", nullable=True),
    ),
)
"""What mending the risks in a new place would gain."""

RESULTS = (
    PREDICTIONS,
    PERFORMANCE,
    COMPARISON,
    SHIFT,
    TRAPS,
    DOMAIN,
    TRANSPORT,
    SENSITIVITY,
    CODES_USED,
    SELECTION,
    SHAP,
    RISKS,
    HYPOTHESES,
    SUBGROUPS,
    REASONS,
    REASON_CONCEPTS,
    REASON_AGREEMENT,
    RECALIBRATION,
)
