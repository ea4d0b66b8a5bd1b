"""Features and an outcome to an explained risk."""

from twelvelead.predict.calibrate import Calibrator, calibrate
from twelvelead.predict.explain import base_value, explain, top_reasons
from twelvelead.predict.grow import Growth
from twelvelead.predict.paper import eliminated_stumps, xgboost_defaults
from twelvelead.predict.parts import from_parts, to_parts
from twelvelead.predict.risk_model import Member, RiskClassifier
from twelvelead.predict.select import Elimination, Step, eliminate

__all__ = [
    "Calibrator",
    "Elimination",
    "Growth",
    "Member",
    "RiskClassifier",
    "Step",
    "base_value",
    "calibrate",
    "eliminate",
    "eliminated_stumps",
    "explain",
    "from_parts",
    "to_parts",
    "top_reasons",
    "xgboost_defaults",
]
