"""How names and numbers are written for people."""

import math
from collections.abc import Mapping

MODELS = {
    "age_sex": "age + sex",
    "ecg": "ECG",
    "measured_age_sex": "measured + age + sex",
    "ecg_age_sex": "ECG + age + sex",
}
SETS = {"development": "development", "internal": "held-out (internal)", "external": "external"}
METRICS = {
    "auroc": "AUROC",
    "delta_auroc": "ΔAUROC vs age + sex",
    "delta_auroc_embedding": "ΔAUROC of the embedding",
    "auprc": "AUPRC",
    "brier": "Brier score",
    "scaled_brier": "scaled Brier score",
    "calibration_intercept": "calibration intercept",
    "calibration_slope": "calibration slope",
    "oe_ratio": "observed : expected",
    "ici": "integrated calibration index",
}
_UNITS = {"ms": "ms", "mv": "mV", "deg": "°", "bpm": "/min", "hz": "Hz", "s": "s", "years": "years",
          "mvms": "mV·ms", "mvs": "mV/s"}  # fmt: skip
_JOINED = {
    "QRS T": "QRS-T",
    "sokolow lyon": "Sokolow–Lyon",
    "peguero lo presti": "Peguero–Lo Presti",
    "tpeak tend": "Tpeak–Tend",
}
_WORDS = {
    "p": "P", "q": "Q", "r": "R", "s": "S", "t": "T", "st": "ST", "pr": "PR", "rr": "RR", "qrs": "QRS", "qt": "QT",
    "qtc": "QTc", "jt": "JT", "j": "J", "j60": "J+60", "j80": "J+80", "sd": "SD", "pnn50": "pNN50", "prime": "′",
    "einthoven": "Einthoven", "af": "AF", "i": "I", "ii": "II", "iii": "III", "avr": "aVR",
    "avl": "aVL", "avf": "aVF", "bazett": "Bazett", "fridericia": "Fridericia", "framingham": "Framingham",
    "hodges": "Hodges", "cornell": "Cornell", "sdnn": "SDNN", "rmssd": "RMSSD",
    **{f"v{n}": f"V{n}" for n in range(1, 7)},
}  # fmt: skip
_WHOLE = {
    "sex_male": "male sex (1 yes, 0 no)",
    "age_years": "age (years)",
    "embedding": "embedding (as a whole)",
}


def name_feature(feature: str) -> str:
    """Write a predictor's column name as a cardiologist would.

    Examples
    --------
    >>> name_feature("qtc_fridericia_ms"), name_feature("r_amplitude_v5_mv")
    ('QTc Fridericia (ms)', 'R amplitude V5 (mV)')
    >>> name_feature("qrs_area_v1_mvms"), name_feature("qrs_t_angle_frontal_deg")
    ('QRS area V1 (mV·ms)', 'QRS-T angle frontal (°)')
    """
    if feature in _WHOLE:
        return _WHOLE[feature]
    words, unit = feature.split("_"), ""
    if len(words) > 1 and words[-1] in _UNITS:
        words, unit = words[:-1], _UNITS[words[-1]]
    name = " ".join(_WORDS.get(word, word) for word in words).replace(" ′", "′")
    for apart, joined in _JOINED.items():
        name = name.replace(apart, joined)
    return f"{name} ({unit})" if unit else name


def name_model(model: str) -> str:
    """Write a set of predictors in words."""
    return MODELS.get(model, model)


def name_set(set_: str) -> str:
    """Write a set of recordings in words."""
    return SETS.get(set_, set_)


def write_number(value: float | None, digits: int = 2) -> str:
    r"""Write a number with a true minus sign, or a dash where there is none.

    Examples
    --------
    >>> write_number(-0.034), write_number(None), write_number(12345.0, 0)
    ('−0.03', '–', '12\u202f345')
    """
    if value is None or not math.isfinite(value):
        return "–"
    written = f"{value:,.{digits}f}".replace(",", "\u202f")
    if float(f"{value:.{digits}f}") == 0:
        return written.lstrip("-")
    return written.replace("-", "−")


def write_interval(row: Mapping[str, float | None], digits: int = 2) -> str:
    """Write estimate and limits, or say that no interval can be estimated.

    Examples
    --------
    >>> write_interval({"estimate": 0.871, "lower": 0.83, "upper": 0.905})
    '0.87 (0.83 to 0.91)'
    >>> write_interval({"estimate": 0.871, "lower": None, "upper": None})
    '0.87 (interval not estimable)'
    >>> write_interval({"estimate": None, "lower": None, "upper": None})
    'not estimable'
    """
    estimate, lower, upper = (row.get(key) for key in ("estimate", "lower", "upper"))
    if estimate is None or not math.isfinite(estimate):
        return "not estimable"
    if lower is None or upper is None or not (math.isfinite(lower) and math.isfinite(upper)):
        return f"{write_number(estimate, digits)} (interval not estimable)"
    return f"{write_number(estimate, digits)} ({write_number(lower, digits)} to {write_number(upper, digits)})"


def write_share(part: float, whole: float) -> str:
    """Write a count with its percentage.

    Examples
    --------
    >>> write_share(3, 12), write_share(0, 0)
    ('3 (25.0 %)', '0')
    """
    return f"{part:.0f} ({100 * part / whole:.1f} %)" if whole else f"{part:.0f}"


def write_level(level: float) -> str:
    """Write a confidence level as a percentage.

    Examples
    --------
    >>> write_level(0.95), write_level(0.05)
    ('95 %', '5 %')
    """
    return f"{100 * level:.6g} %"


def first_capital(words: str) -> str:
    """Write the first letter as a capital, and leave the others as they are.

    Examples
    --------
    >>> first_capital("heart rate (/min)"), first_capital("ECG")
    ('Heart rate (/min)', 'ECG')
    """
    return words[:1].upper() + words[1:]


def join_words(words: list[str]) -> str:
    """Join words with commas and a final "and".

    Examples
    --------
    >>> join_words(["MI", "CD", "HYP"])
    'MI, CD and HYP'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
