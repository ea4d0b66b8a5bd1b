"""Pages and pictures; quotes only what the rooms below produced."""

from twelvelead.report.comparison import comparison_report
from twelvelead.report.curves import draw_calibration, draw_decision, draw_roc
from twelvelead.report.ecg import draw_ecg
from twelvelead.report.ecg_caption import Caption, caption_source
from twelvelead.report.ecg_sheet import LAYOUTS, Paper
from twelvelead.report.flow_diagram import draw_flow
from twelvelead.report.forest import draw_forest
from twelvelead.report.methods import describe_methods
from twelvelead.report.nested_report import nested_report
from twelvelead.report.printing import PICTURES, print_drawing, require_picture_name
from twelvelead.report.study_report import study_report
from twelvelead.report.swarm import draw_beeswarm, draw_dependence
from twelvelead.report.table_one import table_one
from twelvelead.report.validation_report import Given, validation_report
from twelvelead.report.waterfall import draw_waterfall

__all__ = [
    "LAYOUTS",
    "PICTURES",
    "Caption",
    "Given",
    "Paper",
    "caption_source",
    "comparison_report",
    "describe_methods",
    "draw_beeswarm",
    "draw_calibration",
    "draw_decision",
    "draw_dependence",
    "draw_ecg",
    "draw_flow",
    "draw_forest",
    "draw_roc",
    "draw_waterfall",
    "nested_report",
    "print_drawing",
    "require_picture_name",
    "study_report",
    "table_one",
    "validation_report",
]
