"""Features and an outcome to an explained risk."""

from twelvelead.predict.calibrate import Calibrator, calibrate
from twelvelead.predict.explain import base_value, explain, top_reasons
from twelvelead.predict.grow import Growth
from twelvelead.predict.paper import paper_classifier
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
    "explain",
    "from_parts",
    "paper_classifier",
    "to_parts",
    "top_reasons",
]
