"""The judge: sees outcomes and predicted risks, never the model that made them."""

from twelvelead.validate.calibration import (
    brier,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    ici,
    oe_ratio,
    scaled_brier,
)
from twelvelead.validate.checks import RULES, Objection, check, refuse
from twelvelead.validate.compare import Difference, delta_auroc
from twelvelead.validate.discrimination import auprc, auroc, auroc_covariance, roc_curve
from twelvelead.validate.performance import performance
from twelvelead.validate.resample import Interval, interval, resamples, units
from twelvelead.validate.utility import decision_curve, net_benefit

__all__ = [
    "RULES",
    "Difference",
    "Interval",
    "Objection",
    "auprc",
    "auroc",
    "auroc_covariance",
    "brier",
    "calibration_curve",
    "calibration_intercept",
    "calibration_slope",
    "check",
    "decision_curve",
    "delta_auroc",
    "ici",
    "interval",
    "net_benefit",
    "oe_ratio",
    "performance",
    "refuse",
    "resamples",
    "roc_curve",
    "scaled_brier",
    "units",
]
