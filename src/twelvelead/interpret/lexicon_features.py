"""Qualitative words bound to limits: what "prolonged PR" or "flattened T waves" says in numbers."""

import math
from typing import NamedTuple

INF = math.inf
Range = tuple[float, float]


class Feature(NamedTuple):
    """A word about a wave, as two ranges of a measured number.

    Parameters
    ----------
    measure : str
        Name of the measurement with `{lead}` for a lead's, or of a reading that is put together in `verify_readings`.
    loose : (float, float)
        Who says it is wrong only if the number lies outside; in the measurement's unit.
    strict : (float, float)
        Who denies it is wrong only if the number lies inside. Between the two either may be said.
    source : str
        `doi:…` of the limits, or "convention" where it is ours.
    by_lead : tuple of (lead, loose, strict)
        Other ranges of single leads.
    silent : tuple of str
        Leads of which nothing follows where no lead is named.
    """

    measure: str
    loose: Range
    strict: Range
    source: str
    by_lead: tuple[tuple[str, Range, Range], ...] = ()
    silent: tuple[str, ...] = ()

    def ranges(self, lead: str | None) -> tuple[Range, Range]:
        """Give the loose and the strict range, of a lead."""
        return next(((a, b) for name, a, b in self.by_lead if name == lead), (self.loose, self.strict))


CONDUCTION = "doi:10.1161/CIRCULATIONAHA.108.191095"
REPOLARISATION = "doi:10.1161/CIRCULATIONAHA.108.191096"
CHAMBERS = "doi:10.1161/CIRCULATIONAHA.108.191097"
UDMI = "doi:10.1161/CIR.0000000000000617"
RATES = "doi:10.1161/CIR.0000000000000628"
INFARCTION = "doi:10.1161/CIRCULATIONAHA.108.191098"
TERMS = "doi:10.1161/CIRCULATIONAHA.106.180201"
OURS = "convention"

_ST = "st_j_amplitude_{lead}_mv"
_T = "t_amplitude_{lead}_mv"
_T_RATIO = "t_share"
_NOT_T = ("aVR", "III", "V1", "aVL", "aVF", "V2")
_NOT_P = ("aVR", "III", "aVL", "V1")
_V23 = tuple((lead, (0.05, INF), (0.25, INF)) for lead in ("V2", "V3"))
_LEVEL_V23 = tuple((lead, (-0.1, 0.25), (-0.02, 0.02)) for lead in ("V2", "V3"))
_TALL = (
    *((lead, (2.0, INF), (3.0, INF)) for lead in ("V4", "V5", "V6")),
    ("V1", (0.6, INF), (0.7, INF)), ("V2", (0.6, INF), (2.0, INF)), ("aVL", (1.0, INF), (1.1, INF)),
)  # fmt: skip

FEATURES: dict[tuple[str, str], Feature] = {
    ("rate", "fast"): Feature("heart_rate_bpm", (100, INF), (100, INF), RATES),
    ("rate", "slow"): Feature("heart_rate_bpm", (0, 60), (0, 50), RATES),
    ("rate", "normal"): Feature("heart_rate_bpm", (50, 100), (60, 100), RATES),
    ("pr", "long"): Feature("pr_interval_ms", (200, INF), (200, INF), RATES),
    ("pr", "short"): Feature("pr_interval_ms", (0, 120), (0, 120), CONDUCTION),
    ("pr", "normal"): Feature("pr_interval_ms", (120, 200), (120, 200), CONDUCTION),
    ("qrs", "wide"): Feature("qrs_duration_ms", (110, INF), (120, INF), CONDUCTION),
    ("qrs", "long"): Feature("qrs_duration_ms", (110, INF), (120, INF), CONDUCTION),
    ("qrs", "narrow"): Feature("qrs_duration_ms", (0, 120), (0, 110), CONDUCTION),
    ("qrs", "normal"): Feature("qrs_duration_ms", (0, 120), (0, 100), CONDUCTION),
    ("qtc", "long"): Feature("qtc", (450, INF), (460, INF), REPOLARISATION),
    ("qtc", "short"): Feature("qtc", (0, 390), (0, 360), REPOLARISATION),
    ("qtc", "normal"): Feature("qtc", (350, 460), (390, 450), REPOLARISATION),
    ("axis", "normal"): Feature("qrs_axis_deg", (-30, 90), (-30, 90), CONDUCTION),
    ("axis", "left"): Feature("qrs_axis_deg", (-90, -30), (-90, -30), CONDUCTION),
    ("axis", "right"): Feature("qrs_axis_deg", (90, 180), (90, 180), CONDUCTION),
    ("axis", "extreme"): Feature("qrs_axis_deg", (-180, -90), (-180, -90), CONDUCTION),
    ("p", "long"): Feature("p_duration_ms", (120, INF), (120, INF), CHAMBERS),
    ("p", "present"): Feature("p_present_probability", (0.3, INF), (0.7, INF), OURS),
    ("p", "upright"): Feature("p_amplitude_{lead}_mv", (0, INF), (0.05, INF), TERMS, silent=_NOT_P),
    ("p", "inverted"): Feature("p_amplitude_{lead}_mv", (-INF, 0), (-INF, -0.05), TERMS, silent=_NOT_P),
    ("p", "tall"): Feature("p_amplitude_{lead}_mv", (0.2, INF), (0.25, INF), CHAMBERS),
    ("st", "up"): Feature(_ST, (0.05, INF), (0.1, INF), UDMI, _V23, ("aVR",)),
    ("st", "down"): Feature(_ST, (-INF, -0.03), (-INF, -0.05), UDMI, silent=("aVR",)),
    ("st", "isoelectric"): Feature(_ST, (-0.1, 0.1), (-0.02, 0.02), UDMI, _LEVEL_V23),
    ("t", "inverted"): Feature(_T, (-INF, 0), (-INF, -0.1), REPOLARISATION, silent=("aVR", "III", "V1", "aVL")),
    ("t", "upright"): Feature(_T, (0, INF), (0.1, INF), REPOLARISATION, silent=("aVR", "III", "V1", "aVL")),
    ("t", "flat"): Feature(_T, (-0.15, 0.15), (-0.05, 0.05), REPOLARISATION, silent=_NOT_T),
    ("t", "tall"): Feature(_T, (0.5, INF), (1.0, INF), REPOLARISATION),
    ("t", "peaked"): Feature(_T, (0.5, INF), (1.2, INF), OURS),
    ("t", "deep"): Feature(_T, (-INF, -0.3), (-INF, -0.5), REPOLARISATION, silent=("aVR",)),
    ("t", "biphasic"): Feature("t_biphasic_{lead}_ratio", (0.05, INF), (0.5, INF), OURS),
    ("u", "present"): Feature("u_size", (0.02, INF), (0.1, INF), REPOLARISATION),
    ("q", "pathological"): Feature("q_pathology", (0.8, INF), (1.2, INF), UDMI, silent=("aVR", "III", "V1")),
    ("q", "present"): Feature("q_size", (0.02, INF), (0.1, INF), UDMI, silent=("aVR", "III", "V1")),
    ("q", "deep"): Feature("q_size", (0.1, INF), (0.3, INF), UDMI, silent=("aVR", "III", "V1")),
    ("qs", "present"): Feature("qs_size", (0.05, INF), (0.1, INF), UDMI, silent=("aVR", "III", "V1")),
    ("rsr", "present"): Feature("r_prime_amplitude_{lead}_mv", (0.03, INF), (0.1, INF), CONDUCTION),
    ("r_prime", "present"): Feature("r_prime_amplitude_{lead}_mv", (0.03, INF), (0.1, INF), CONDUCTION),
    ("r", "tall"): Feature("r_amplitude_{lead}_mv", (1.1, INF), (2.0, INF), CHAMBERS, _TALL),
    ("s", "deep"): Feature("s_size", (0.8, INF), (2.0, INF), CHAMBERS),
    ("transition", "poor"): Feature("r_amplitude_v3_mv", (0, 0.3), (0, 0.3), INFARCTION),
    ("transition", "normal"): Feature("r_amplitude_v3_mv", (0.3, INF), (0.3, INF), INFARCTION),
    ("qrs", "notched"): Feature("qrs_notch_{lead}_count", (1, INF), (2, INF), "doi:10.1161/CIRCULATIONAHA.105.595892"),
    ("qrs", "upright"): Feature("qrs_area_{lead}_mvms", (0, INF), (0, INF), CONDUCTION),
    ("qrs", "inverted"): Feature("qrs_area_{lead}_mvms", (-INF, 0), (-INF, 0), CONDUCTION),
    ("voltage", "low"): Feature("low_voltage", (0, 1), (0, 1), TERMS),
    ("rhythm", "irregular"): Feature("rr_variation_ratio", (0.04, INF), (0.15, INF), OURS),
    ("rhythm", "regular"): Feature("rr_variation_ratio", (0, 0.15), (0, 0.04), OURS),
    ("pause", "present"): Feature("rr_pause_ratio", (1.2, INF), (1.2, INF), OURS),
    ("pvc", "present"): Feature("beat_ventricular_premature_count", (1, INF), (1, INF), TERMS),
    ("pac", "present"): Feature("beat_supraventricular_premature_count", (1, INF), (1, INF), TERMS),
    ("sokolow", "tall"): Feature("sokolow_lyon_mv", (3.5, INF), (3.5, INF), CHAMBERS),
}  # fmt: skip
_SAME_AS = {
    ("qt", "long"): ("qtc", "long"), ("qt", "short"): ("qtc", "short"), ("qt", "normal"): ("qtc", "normal"),
    ("rr", "irregular"): ("rhythm", "irregular"), ("rr", "regular"): ("rhythm", "regular"),
    ("rate", "irregular"): ("rhythm", "irregular"), ("rate", "regular"): ("rhythm", "regular"),
    ("qrs", "low"): ("voltage", "low"), ("r", "notched"): ("qrs", "notched"), ("rate", "low"): ("rate", "slow"),
    ("p", "wide"): ("p", "long"), ("st", "normal"): ("st", "isoelectric"), ("t", "normal"): ("t", "upright"),
    ("r", "present"): ("r", "present"), ("axis", "deviated"): ("axis", "left"), ("p", "peaked"): ("p", "tall"),
    ("t", "low"): ("t", "flat"), ("t", "up"): ("t", "tall"), ("rate", "up"): ("rate", "fast"),
    ("twi", "present"): ("t", "inverted"), ("ste", "present"): ("st", "up"), ("std", "present"): ("st", "down"),
    ("r", "poor"): ("transition", "poor"), ("q", "wide"): ("q", "pathological"), ("r", "wide"): ("qrs", "wide"),
    ("pr", "wide"): ("pr", "long"), ("qs", "pathological"): ("qs", "present"), ("t", "negative"): ("t", "inverted"),
    ("qrs", "tall"): ("r", "tall"), ("qrs", "short"): ("qrs", "narrow"), ("p", "regular"): ("p", "present"),
    ("pause", "long"): ("pause", "present"), ("qt", "up"): ("qtc", "long"), ("qtc", "up"): ("qtc", "long"),
}  # fmt: skip
ALONE = ("qs", "rsr", "r_prime", "twi", "ste", "std", "pause")
"""Waves that are statements by being named."""


def feature_of(wave: str, adjective: str) -> tuple[str, str] | None:
    """Find what a wave and an adjective together say, under one name; None where nothing is bound to them.

    Examples
    --------
    >>> feature_of("qt", "long")
    ('qtc', 'long')
    >>> feature_of("axis", "tall") is None
    True
    """
    key = _SAME_AS.get((wave, adjective), (wave, adjective))
    return key if key in FEATURES else None
