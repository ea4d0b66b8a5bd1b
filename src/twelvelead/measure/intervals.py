"""Durations and intervals of the median beat over all leads, and the QT interval corrected for rate."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.heartbeat import Heartbeats
from twelvelead.measure.rhythm import fact, rr_mean
from twelvelead.terms import Measurement

Floats = NDArray[np.float64]

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


def qtc_bazett(qt_ms: Floats, rr_ms: Floats) -> Floats:
    """Correct the QT interval for rate by Bazett's square root; ms, shape (n,).

    Examples
    --------
    >>> float(qtc_bazett(400, 640))
    500.0
    """
    return qt_ms / np.sqrt(rr_ms / 1000)


def qtc_fridericia(qt_ms: Floats, rr_ms: Floats) -> Floats:
    """Correct the QT interval for rate by Fridericia's cube root; ms, shape (n,).

    Examples
    --------
    >>> float(round(qtc_fridericia(400, 512), 6))
    500.0
    """
    return qt_ms / np.cbrt(rr_ms / 1000)


def qtc_framingham(qt_ms: Floats, rr_ms: Floats) -> Floats:
    """Correct the QT interval for rate by the Framingham line, QT + 154 (1 − RR); ms, shape (n,).

    Examples
    --------
    >>> qtc_framingham(400, 500)
    477.0
    """
    return qt_ms + 154 * (1 - rr_ms / 1000)


def qtc_hodges(qt_ms: Floats, rr_ms: Floats) -> Floats:
    """Correct the QT interval for rate by Hodges' line, QT + 1.75 (rate − 60); ms, shape (n,).

    Examples
    --------
    >>> qtc_hodges(400, 750)
    435.0
    """
    return qt_ms + 1.75 * (60000 / rr_ms - 60)


def between(first: str, last: str, heartbeats: Heartbeats) -> Floats:
    """Return the time from one mark of the median beat to another, e.g. `qrs_onset` to `t_offset`; ms, shape (n,)."""
    return heartbeats.fact(f"{last}_ms") - heartbeats.fact(f"{first}_ms")


qrs_duration = partial(between, "qrs_onset", "qrs_offset")
qt_interval = partial(between, "qrs_onset", "t_offset")


def corrected(correct: Callable[[Floats, Floats], Floats], heartbeats: Heartbeats) -> Floats:
    """Correct the QT interval for the rate; ms, shape (n,)."""
    return correct(qt_interval(heartbeats), rr_mean(heartbeats))


MEASUREMENTS = (
    Measurement(
        "p_duration_ms", "ms", "Earliest P onset to latest P offset of the leads.", AHA_I,
        partial(between, "p_onset", "p_offset"),
        reference=(0.0, 120.0), reference_source=AHA_V, mdc="MDC_ECG_TIME_PD_P_GL",
    ),
    Measurement(
        "pr_interval_ms", "ms", "P onset to QRS onset.", AHA_I, partial(between, "p_onset", "qrs_onset"),
        reference=(120.0, 200.0), reference_source=PR_LIMITS,
        loinc="8625-6", mdc="MDC_ECG_TIME_PD_PR_GL",
    ),
    Measurement("pr_segment_ms", "ms", "P offset to QRS onset.", AHA_I, partial(between, "p_offset", "qrs_onset")),
    Measurement(
        "qrs_duration_ms", "ms", "Earliest QRS onset to latest QRS offset of the leads.", AHA_I, qrs_duration,
        reference=(70.0, 110.0), reference_source=QRS_LIMITS,
        loinc="8633-0", mdc="MDC_ECG_TIME_PD_QRS_GL",
    ),
    Measurement(
        "qt_interval_ms", "ms", "QRS onset to T offset.", AHA_IV, qt_interval,
        loinc="8634-8", mdc="MDC_ECG_TIME_PD_QT_GL",
    ),
    Measurement("jt_interval_ms", "ms", "QRS offset to T offset.", AHA_IV, partial(between, "qrs_offset", "t_offset")),
    Measurement("t_duration_ms", "ms", "T onset to T offset.", AHA_I, partial(between, "t_onset", "t_offset")),
    Measurement("tpeak_tend_ms", "ms", "T peak to T offset.", TPE, partial(between, "t_peak", "t_offset")),
    Measurement(
        "qt_lead_sd_ms", "ms", "Standard deviation of the QT interval over the leads.", AHA_IV,
        partial(fact, "qt_lead_sd_ms"),
    ),
    Measurement(
        "qtc_bazett_ms", "ms", "QT / √RR, RR in s (mean).", "doi:10.1111/j.1542-474X.1997.tb00325.x",
        partial(corrected, qtc_bazett),
        reference=QTC_LIMITS, reference_source=AHA_IV, loinc="76635-2", mdc="MDC_ECG_TIME_PD_QTcB",
    ),
    Measurement(
        "qtc_fridericia_ms", "ms", "QT / ∛RR, RR in s (mean).", "doi:10.1111/j.0954-6820.1920.tb18266.x",
        partial(corrected, qtc_fridericia),
        reference=QTC_LIMITS, reference_source=AHA_IV, loinc="76634-5", mdc="MDC_ECG_TIME_PD_QTcF",
    ),
    Measurement(
        "qtc_framingham_ms", "ms", "QT + 154 (1 − RR), RR in s (mean).", "doi:10.1016/0002-9149(92)90562-D",
        partial(corrected, qtc_framingham), reference=QTC_LIMITS, reference_source=AHA_IV,
    ),
    Measurement(
        "qtc_hodges_ms", "ms", "QT + 1.75 (rate − 60), rate per min (mean).", AHA_IV, partial(corrected, qtc_hodges),
        reference=QTC_LIMITS, reference_source=AHA_IV,
    ),
)  # fmt: skip
