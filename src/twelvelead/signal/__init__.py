"""Recordings, and what can be done to them without knowing what a heartbeat is."""

from twelvelead.signal.filter import band_pass
from twelvelead.signal.leads import derive_limb_leads, distinct_names, einthoven_residual_mv, lead_name, standard_order
from twelvelead.signal.quality import Finding, Quality, assess
from twelvelead.signal.recording import Recording
from twelvelead.signal.resample import resample

__all__ = [
    "Finding",
    "Quality",
    "Recording",
    "assess",
    "band_pass",
    "derive_limb_leads",
    "distinct_names",
    "einthoven_residual_mv",
    "lead_name",
    "resample",
    "standard_order",
]
