"""The judge: sees outcomes and predicted risks, never the model that made them."""

from twelvelead.validate.bootstrap import Bootstrap
from twelvelead.validate.calibration import (
    brier,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    calibration_summary,
    oe_ratio,
    scaled_brier,
)
from twelvelead.validate.chance import chance_z
from twelvelead.validate.checks import RULES, Dossier, Objection, check, refuse
from twelvelead.validate.compare import Difference, Sample, delta_auroc, unpaired_delta_auroc
from twelvelead.validate.consistency import Published, consistency
from twelvelead.validate.decision import decision_curves, delta_net_benefit
from twelvelead.validate.discrimination import auprc, auroc, auroc_covariance, roc_curve
from twelvelead.validate.hypotheses import discoveries, hypotheses
from twelvelead.validate.improvement import Idi, idi
from twelvelead.validate.likelihood import Fit, LikelihoodRatio, likelihood_ratio_test
from twelvelead.validate.multiplicity import adjust, families, parents
from twelvelead.validate.near_duplicates import near_duplicates
from twelvelead.validate.nested_comparison import Contrast, NestedComparison, compare_nested
from twelvelead.validate.paired import Figure, Pair
from twelvelead.validate.performance import performance
from twelvelead.validate.recalibration import Recalibration, recalibrate, recalibration_ladder
from twelvelead.validate.reclassification import Nri, categorical_nri, continuous_nri, reclassification_table
from twelvelead.validate.resample import Interval, draw_counts, interval, resamples, units
from twelvelead.validate.reweighted import Judged, part_difference
from twelvelead.validate.sample_size import SampleSize, anticipated_r2, minimum_sample_size
from twelvelead.validate.smoothing import CalibrationError, calibration_error, ici, smooth_curve
from twelvelead.validate.strata import quantile_cuts, risk_strata, strata_difference, stratum_of
from twelvelead.validate.studentised import (
    AurocInterval,
    DeltaAurocInterval,
    auroc_interval,
    delta_auroc_interval,
)
from twelvelead.validate.subgroups import adjust_interactions, subgroup_differences
from twelvelead.validate.survival import strata_incidence, survival_performance
from twelvelead.validate.utility import decision_curve, net_benefit, number_needed_to_screen

__all__ = [
    "RULES",
    "AurocInterval",
    "Bootstrap",
    "CalibrationError",
    "Contrast",
    "DeltaAurocInterval",
    "Difference",
    "Dossier",
    "Figure",
    "Fit",
    "Idi",
    "Interval",
    "Judged",
    "LikelihoodRatio",
    "NestedComparison",
    "Nri",
    "Objection",
    "Pair",
    "Published",
    "Recalibration",
    "Sample",
    "SampleSize",
    "adjust",
    "adjust_interactions",
    "anticipated_r2",
    "auprc",
    "auroc",
    "auroc_covariance",
    "auroc_interval",
    "brier",
    "calibration_curve",
    "calibration_error",
    "calibration_intercept",
    "calibration_slope",
    "calibration_summary",
    "categorical_nri",
    "chance_z",
    "check",
    "compare_nested",
    "consistency",
    "continuous_nri",
    "decision_curve",
    "decision_curves",
    "delta_auroc",
    "delta_auroc_interval",
    "delta_net_benefit",
    "discoveries",
    "draw_counts",
    "families",
    "hypotheses",
    "ici",
    "idi",
    "interval",
    "likelihood_ratio_test",
    "minimum_sample_size",
    "near_duplicates",
    "net_benefit",
    "number_needed_to_screen",
    "oe_ratio",
    "parents",
    "part_difference",
    "performance",
    "quantile_cuts",
    "recalibrate",
    "recalibration_ladder",
    "reclassification_table",
    "refuse",
    "resamples",
    "risk_strata",
    "roc_curve",
    "scaled_brier",
    "smooth_curve",
    "strata_difference",
    "strata_incidence",
    "stratum_of",
    "subgroup_differences",
    "survival_performance",
    "units",
    "unpaired_delta_auroc",
]
