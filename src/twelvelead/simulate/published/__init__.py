"""The simulated hospital in the layouts of MIMIC-IV and ECG-ViEW II: same files, columns, sentinels and traps."""

from twelvelead.simulate.published.ecg_view import ECG_VIEW, ecg_view_statics, ecg_view_tables
from twelvelead.simulate.published.mimic import MIMIC, mimic_statics, mimic_tables
from twelvelead.simulate.published.outcomes import describe_outcomes, describe_signs, optimum_of
from twelvelead.simulate.published.population import BLOCK, MOST_PATIENTS, Block, Plan, draw_block

__all__ = [
    "BLOCK",
    "ECG_VIEW",
    "MIMIC",
    "MOST_PATIENTS",
    "Block",
    "Plan",
    "describe_outcomes",
    "describe_signs",
    "draw_block",
    "ecg_view_statics",
    "ecg_view_tables",
    "mimic_statics",
    "mimic_tables",
    "optimum_of",
]
