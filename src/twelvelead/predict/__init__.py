"""Features and an outcome to an explained risk."""

from twelvelead.predict.additive import AdditiveBoosting
from twelvelead.predict.agreement_of_reasons import rank_agreement, reason_stability
from twelvelead.predict.bins import Bins, bin_once
from twelvelead.predict.blocks import EMBEDDING, block_of, sum_blocks, sum_reasons
from twelvelead.predict.calibrate import Calibrator, calibrate
from twelvelead.predict.concepts import CONCEPTS, by_concept, concept_importance, concept_of, sum_by_concept
from twelvelead.predict.explain import N_REASONS, base_value, explain, shap_values, strongest, top_reasons
from twelvelead.predict.forest import Forest, calibrated, expected_margins, margins, plant, root_model, single
from twelvelead.predict.fuse import FusionClassifier
from twelvelead.predict.fuse_parts import fusion_from_parts, fusion_to_parts
from twelvelead.predict.grow import Growth
from twelvelead.predict.pace import suited
from twelvelead.predict.paper import eliminated_stumps, xgboost_defaults
from twelvelead.predict.parts import from_parts, to_parts, trees_from_parts
from twelvelead.predict.replicates import Replicates, learn_replicates, reliability_of_mean
from twelvelead.predict.risk_model import Member, RiskClassifier
from twelvelead.predict.select import Elimination, Step, eliminate, eliminate_by_folds
from twelvelead.predict.shapley import shapley_values
from twelvelead.predict.spline import SplineLogistic, from_spline_card, spline_card
from twelvelead.predict.tune import Tuning, tune

__all__ = [
    "CONCEPTS",
    "EMBEDDING",
    "N_REASONS",
    "AdditiveBoosting",
    "Bins",
    "Calibrator",
    "Elimination",
    "Forest",
    "FusionClassifier",
    "Growth",
    "Member",
    "Replicates",
    "RiskClassifier",
    "SplineLogistic",
    "Step",
    "Tuning",
    "base_value",
    "bin_once",
    "block_of",
    "by_concept",
    "calibrate",
    "calibrated",
    "concept_importance",
    "concept_of",
    "eliminate",
    "eliminate_by_folds",
    "eliminated_stumps",
    "expected_margins",
    "explain",
    "from_parts",
    "from_spline_card",
    "fusion_from_parts",
    "fusion_to_parts",
    "learn_replicates",
    "margins",
    "plant",
    "rank_agreement",
    "reason_stability",
    "reliability_of_mean",
    "root_model",
    "shap_values",
    "shapley_values",
    "single",
    "spline_card",
    "strongest",
    "suited",
    "sum_blocks",
    "sum_by_concept",
    "sum_reasons",
    "to_parts",
    "top_reasons",
    "trees_from_parts",
    "tune",
    "xgboost_defaults",
]
