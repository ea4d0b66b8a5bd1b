"""Durations and intervals of the median beat over all leads, and the QT interval corrected for rate."""

import math

import numpy as np

from twelvelead.measure.delineate import Mark
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.measure.rhythm import mean_rr
from twelvelead.terms import Measurement

AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"  # the electrocardiogram and its technology
AHA_IV = "doi:10.1161/CIRCULATIONAHA.108.191096"  # ST, T, U waves and the QT interval
AHA_III = "doi:10.1161/CIRCULATIONAHA.108.191095"  # intraventricular conduction
TPE = "doi:10.1016/j.jelectrocard.2008.07.016"
AHA_V = "doi:10.1161/CIRCULATIONAHA.108.191097"  # hypertrophy; a P wave of over 120 ms
# Pre-excitation shortens PR to under 120 ms; first-degree block prolongs it to over 200 ms.
PR_LIMITS = f"{AHA_III} doi:10.1161/CIR.0000000000000628"
# The 2nd percentile of 36 299 healthy women is 70 ms; above 110 ms is abnormal.
QRS_LIMITS = f"doi:10.1016/j.jelectrocard.2013.05.136 {AHA_III}"
QTC_LIMITS = (390.0, 460.0)
"""390 ms or less is short; 460 ms or more is long for women, 450 ms or more for men."""


def qtc_bazett(qt_ms: float, rr_ms: float) -> float:
    """Correct the QT interval for rate by Bazett's square root; ms.

    Examples
    --------
    >>> qtc_bazett(400, 640)
    500.0
    """
    return qt_ms / math.sqrt(rr_ms / 1000)


def qtc_fridericia(qt_ms: float, rr_ms: float) -> float:
    """Correct the QT interval for rate by Fridericia's cube root; ms.

    Examples
    --------
    >>> round(qtc_fridericia(400, 512), 6)
    500.0
    """
    return float(qt_ms / np.cbrt(rr_ms / 1000))


def qtc_framingham(qt_ms: float, rr_ms: float) -> float:
    """Correct the QT interval for rate by the Framingham line, QT + 154 (1 − RR); ms.

    Examples
    --------
    >>> qtc_framingham(400, 500)
    477.0
    """
    return qt_ms + 154 * (1 - rr_ms / 1000)


def qtc_hodges(qt_ms: float, rr_ms: float) -> float:
    """Correct the QT interval for rate by Hodges' line, QT + 1.75 (rate − 60); ms.

    Examples
    --------
    >>> qtc_hodges(400, 750)
    435.0
    """
    return qt_ms + 1.75 * (60000 / rr_ms - 60)


def _between(heartbeat: Heartbeat, first: Mark, last: Mark) -> float:
    return float(heartbeat.global_marks[last] - heartbeat.global_marks[first]) * 1000 / heartbeat.fs


def p_duration(heartbeat: Heartbeat) -> float:
    """P duration in ms."""
    return _between(heartbeat, Mark.P_ONSET, Mark.P_OFFSET)


def pr_interval(heartbeat: Heartbeat) -> float:
    """PR interval in ms."""
    return _between(heartbeat, Mark.P_ONSET, Mark.QRS_ONSET)


def pr_segment(heartbeat: Heartbeat) -> float:
    """PR segment in ms."""
    return _between(heartbeat, Mark.P_OFFSET, Mark.QRS_ONSET)


def qrs_duration(heartbeat: Heartbeat) -> float:
    """QRS duration in ms."""
    return _between(heartbeat, Mark.QRS_ONSET, Mark.QRS_OFFSET)


def qt_interval(heartbeat: Heartbeat) -> float:
    """QT interval in ms."""
    return _between(heartbeat, Mark.QRS_ONSET, Mark.T_OFFSET)


def jt_interval(heartbeat: Heartbeat) -> float:
    """JT interval in ms."""
    return _between(heartbeat, Mark.QRS_OFFSET, Mark.T_OFFSET)


def t_duration(heartbeat: Heartbeat) -> float:
    """T duration in ms."""
    return _between(heartbeat, Mark.T_ONSET, Mark.T_OFFSET)


def tpeak_tend(heartbeat: Heartbeat) -> float:
    """T peak to T end in ms."""
    return _between(heartbeat, Mark.T_PEAK, Mark.T_OFFSET)


def qt_lead_sd(heartbeat: Heartbeat) -> float:
    """Return the standard deviation of the QT interval over the leads, ms."""
    qt = (heartbeat.marks[Mark.T_OFFSET] - heartbeat.marks[Mark.QRS_ONSET])[heartbeat.usable]
    return float(np.std(qt)) * 1000 / heartbeat.fs if qt.size > 1 else float("nan")


def _bazett(heartbeat: Heartbeat) -> float:
    return qtc_bazett(qt_interval(heartbeat), mean_rr(heartbeat))


def _fridericia(heartbeat: Heartbeat) -> float:
    return qtc_fridericia(qt_interval(heartbeat), mean_rr(heartbeat))


def _framingham(heartbeat: Heartbeat) -> float:
    return qtc_framingham(qt_interval(heartbeat), mean_rr(heartbeat))


def _hodges(heartbeat: Heartbeat) -> float:
    return qtc_hodges(qt_interval(heartbeat), mean_rr(heartbeat))


MEASUREMENTS = (
    Measurement(
        "p_duration_ms", "ms", "Earliest P onset to latest P offset of the leads.", AHA_I, p_duration,
        reference=(0.0, 120.0), reference_source=AHA_V, mdc="MDC_ECG_TIME_PD_P_GL",
    ),
    Measurement(
        "pr_interval_ms", "ms", "P onset to QRS onset.", AHA_I, pr_interval,
        reference=(120.0, 200.0), reference_source=PR_LIMITS,
        loinc="8625-6", mdc="MDC_ECG_TIME_PD_PR_GL",
    ),
    Measurement("pr_segment_ms", "ms", "P offset to QRS onset.", AHA_I, pr_segment),
    Measurement(
        "qrs_duration_ms", "ms", "Earliest QRS onset to latest QRS offset of the leads.", AHA_I, qrs_duration,
        reference=(70.0, 110.0), reference_source=QRS_LIMITS,
        loinc="8633-0", mdc="MDC_ECG_TIME_PD_QRS_GL",
    ),
    Measurement(
        "qt_interval_ms", "ms", "QRS onset to T offset.", AHA_IV, qt_interval,
        loinc="8634-8", mdc="MDC_ECG_TIME_PD_QT_GL",
    ),
    Measurement("jt_interval_ms", "ms", "QRS offset to T offset.", AHA_IV, jt_interval),
    Measurement("t_duration_ms", "ms", "T onset to T offset.", AHA_I, t_duration),
    Measurement("tpeak_tend_ms", "ms", "T peak to T offset.", TPE, tpeak_tend),
    Measurement(
        "qt_lead_sd_ms", "ms", "Standard deviation of the QT interval over the leads.", AHA_IV, qt_lead_sd
    ),
    Measurement(
        "qtc_bazett_ms", "ms", "QT / √RR, RR in s (mean).", "doi:10.1111/j.1542-474X.1997.tb00325.x", _bazett,
        reference=QTC_LIMITS, reference_source=AHA_IV, loinc="76635-2", mdc="MDC_ECG_TIME_PD_QTcB",
    ),
    Measurement(
        "qtc_fridericia_ms", "ms", "QT / ∛RR, RR in s (mean).", "doi:10.1111/j.0954-6820.1920.tb18266.x", _fridericia,
        reference=QTC_LIMITS, reference_source=AHA_IV, loinc="76634-5", mdc="MDC_ECG_TIME_PD_QTcF",
    ),
    Measurement(
        "qtc_framingham_ms", "ms", "QT + 154 (1 − RR), RR in s (mean).", "doi:10.1016/0002-9149(92)90562-D",
        _framingham, reference=QTC_LIMITS, reference_source=AHA_IV,
    ),
    Measurement(
        "qtc_hodges_ms", "ms", "QT + 1.75 (rate − 60), rate per min (mean).", AHA_IV, _hodges,
        reference=QTC_LIMITS, reference_source=AHA_IV,
    ),
)  # fmt: skip
