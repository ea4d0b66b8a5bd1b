"""What DICOM calls leads, units and measurements: codes of ISO/IEEE 11073-10102 and, in older files, of SCP-ECG."""

import math
import re
from collections.abc import Mapping

from twelvelead.io.formats.scale import MV_PER
from twelvelead.signal import lead_name
from twelvelead.terms import LEADS

NUMBER_OF_LEAD = {
    "I": 1, "II": 2, "III": 61, "aVR": 62, "aVL": 63, "aVF": 64,
    "V1": 3, "V2": 4, "V3": 5, "V4": 6, "V5": 7, "V6": 8, "V7": 9, "V8": 66, "V9": 67,
    "V2R": 10, "V3R": 11, "V4R": 12, "V5R": 13, "V6R": 14, "V7R": 15, "V8R": 68, "V9R": 69, "X": 16, "Y": 17, "Z": 18,
}  # fmt: skip
"""By the lead's name; the same in both schemes (MDC 2:1, SCPECG 5.6.3-9-1), context group 3001."""

_DERIVED = {31: "I", 32: "II", 111: "III", 112: "aVR", 113: "aVL", 114: "aVF"} | {n + 32: f"V{n}" for n in range(1, 7)}
_LEADS = {number: lead for lead, number in NUMBER_OF_LEAD.items()} | _DERIVED
_LEAD_CODE = re.compile(r"(?:2:|5\.6\.3-9-|131072\+)(\d{1,3})")
_LEAD_TEXT = re.compile(r"^(?:derived\s+)?(?:ecg[\s_]+)?(?:mdc_ecg_)?lead[\s_:]+", re.IGNORECASE)

MDC = {
    "heart_rate_bpm": ("2:16016", "Ventricular Heart Rate"),
    "atrial_rate_bpm": ("2:16020", "Atrial Heart Rate"),
    "rr_mean_ms": ("2:16168", "RR interval global"),
    "p_duration_ms": ("2:16184", "P duration global"),
    "pr_interval_ms": ("2:15872", "PR interval global"),
    "qrs_duration_ms": ("2:16156", "QRS duration global"),
    "qt_interval_ms": ("2:16160", "QT interval global"),
    "qtc_ms": ("2:15876", "QTc interval global"),
    "qtc_bazett_ms": ("2:15880", "QTc global using Bazett formula"),
    "qtc_fridericia_ms": ("2:15892", "QTc global using Fredericia formula"),
    "p_axis_deg": ("2:16128", "P Axis"),
    "qrs_axis_deg": ("2:16132", "QRS axis"),
    "t_axis_deg": ("2:16136", "T axis"),
}
"""Code and meaning of a measurement by its name: context groups 3227 to 3229, and the rates of template 3713."""

_BY_CODE = {code: name for name, (code, _) in MDC.items()} | {
    "2:16000": "rr_mean_ms",
    "2:16770": "heart_rate_bpm",
    "8867-4": "heart_rate_bpm",
    "5.10.2.1-3": "rr_mean_ms",
    "5.10.2.5-1": "heart_rate_bpm",
    "5.10.2.5-3": "atrial_rate_bpm",
    "5.10.2.5-5": "qtc_ms",
    "5.10.3-11": "p_axis_deg",
    "5.10.3-13": "qrs_axis_deg",
    "5.10.3-15": "t_axis_deg",
    "5.13.5-5": "p_duration_ms",
    "5.13.5-7": "pr_interval_ms",
    "5.13.5-9": "qrs_duration_ms",
    "5.13.5-11": "qt_interval_ms",
}
_BY_MEANING = {
    "heart rate": "heart_rate_bpm",
    "ventricular rate": "heart_rate_bpm",
    "ventricular heart rate": "heart_rate_bpm",
    "atrial rate": "atrial_rate_bpm",
    "atrial heart rate": "atrial_rate_bpm",
    "rr interval": "rr_mean_ms",
    "p duration": "p_duration_ms",
    "pr interval": "pr_interval_ms",
    "qrs duration": "qrs_duration_ms",
    "qt interval": "qt_interval_ms",
    "qtc interval": "qtc_ms",
    "qtc bazett": "qtc_bazett_ms",
    "qtc fridericia": "qtc_fridericia_ms",
    "qtc fredericia": "qtc_fridericia_ms",  # as context group 3227 spells him
    "p axis": "p_axis_deg",
    "qrs axis": "qrs_axis_deg",
    "t axis": "t_axis_deg",
}

UNIT = {"ms": ("ms", "millisecond"), "deg": ("deg", "degree"), "bpm": ("/min", "per minute")}
"""UCUM code and meaning by the last part of a measurement's name."""

_MS = {"ms": 1.0, "s": 1000.0, "us": 1e-3}
_UNDEFINED = 29999  # of SCP-ECG, whose numbers older files hand on
_FURTHEST_DEG = 360.0  # beyond it, an axis is such a mark, too


def lead_of(code: str, meaning: str, label: str) -> str:
    """Name the lead of a channel from its code, or else from the code's meaning or the channel's label.

    Examples
    --------
    >>> lead_of("5.6.3-9-61", "Lead III", ""), lead_of("2:62", "aVR, augmented voltage, right", "")
    ('III', 'aVR')
    >>> lead_of("2:66", "Lead V8", ""), lead_of("MDC_ECG_LEAD_V2", "", ""), lead_of("", "Lead I (Einthoven)", "")
    ('V8', 'V2', 'I')
    """
    numbered = _LEAD_CODE.fullmatch(code)
    if numbered and int(numbered[1]) in _LEADS:
        return _LEADS[int(numbered[1])]
    said = (code if "LEAD" in code.upper() else "", meaning, label)
    plain = [_LEAD_TEXT.sub("", re.sub(r"\(.*?\)", "", text).split(",")[0].strip()) for text in said]
    names = [lead_name(text) for text in plain if text]
    return next((name for name in names if name in LEADS), names[0] if names else "")


def mv_per(unit: str, meaning: str) -> float | None:
    """Give the mV in a channel's unit; None if it is no voltage.

    Examples
    --------
    >>> mv_per("uV", "microvolt"), mv_per("mm[Hg]", "mmHg")
    (0.001, None)
    """
    return MV_PER.get(unit.strip().lower(), MV_PER.get(meaning.strip().lower()))


def measured(code: tuple[str, str, str], unit: str, number: float) -> tuple[str, float] | None:
    """Translate a coded measurement; None if it is none of the whole ECG's, or marks that nothing was measured.

    Parameters
    ----------
    code : tuple of str
        Its value, scheme and meaning.
    unit : str
        UCUM code. An axis is in degrees whatever the unit: files are known that write ms.
    number : float
        In that unit.

    Examples
    --------
    >>> measured(("5.13.5-7", "SCPECG", "PR Interval"), "s", 0.148)
    ('pr_interval_ms', 148.0)
    >>> measured(("5.10.3-13", "SCPECG", "QRS Axis"), "deg", 299.0)
    ('qrs_axis_deg', -61.0)
    """
    plain = re.sub(r"[\s,]*(?:global|\(.*?\)|using|formula)", "", code[2].lower()).strip()
    name = _BY_CODE.get(code[0]) or _BY_MEANING.get(plain)
    if name is None:
        return None
    if name.endswith("_deg"):
        return (name, 180.0 - (180.0 - number) % 360.0) if abs(number) <= _FURTHEST_DEG else None
    factor = _MS.get(unit.strip().lower()) if name.endswith("_ms") else 1.0
    if factor is None or not 0 < number < _UNDEFINED:
        return None
    return name, round(number * factor, 6)


def writable(measurements: Mapping[str, float]) -> dict[str, float]:
    """Keep the measurements that have a code, in the order of their codes.

    Examples
    --------
    >>> writable({"t_axis_deg": 41.0, "qt_interval_ms": float("nan"), "sokolow_lyon_mv": 2.1})
    {'t_axis_deg': 41.0}
    """
    return {name: measurements[name] for name in MDC if math.isfinite(measurements.get(name, math.nan))}
