"""Rate, regularity, ectopic beats, pacemaker spikes and the evidence for atrial fibrillation."""

import math

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.terms import Measurement

Floats = NDArray[np.float64]

TASK_FORCE = "doi:10.1161/01.CIR.93.5.1043"
AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"
AHA_II = "doi:10.1161/CIRCULATIONAHA.106.180201"
ESC_AF = "doi:10.1093/eurheartj/ehaa612"
BOLLMANN = "doi:10.1093/europace/eul113"  # the surface ECG in atrial fibrillation
# Sinus bradycardia is a rate below 50, sinus tachycardia one above 100.
RATE_LIMITS = "doi:10.1161/CIR.0000000000000628 doi:10.1161/CIR.0000000000000311"
NAN = float("nan")


def rr_intervals(times_s: Floats) -> Floats:
    """RR intervals in ms, shape (n_beats − 1,).

    Examples
    --------
    >>> rr_intervals(np.array([0.5, 1.5, 2.25])).tolist()
    [1000.0, 750.0]
    """
    return np.diff(times_s) * 1000


def usual_rr(times_s: Floats, shape_class: NDArray[np.intp]) -> Floats:
    """RR intervals in ms between two beats of the commonest shape; all intervals if there are fewer than two such."""
    rr = rr_intervals(times_s)
    usual = (shape_class[1:] == 0) & (shape_class[:-1] == 0)
    return rr[usual] if usual.sum() >= 2 else rr


def mean_rr(heartbeat: Heartbeat) -> float:
    """Mean RR interval in ms."""
    rr = heartbeat.rr_ms
    return float(rr.mean()) if rr.size else NAN


def rmssd(rr: Floats) -> float:
    """Root mean square of successive RR differences in ms; `rr` in ms.

    Examples
    --------
    >>> rmssd(np.array([800.0, 900.0, 800.0]))
    100.0
    """
    return float(np.sqrt(np.mean(np.diff(rr) ** 2))) if rr.size > 1 else NAN


def pnn50(rr: Floats) -> float:
    """Share of successive RR differences above 50 ms; `rr` in ms.

    Examples
    --------
    >>> pnn50(np.array([800.0, 900.0, 910.0, 850.0, 840.0]))
    0.5
    """
    return float(np.mean(np.abs(np.diff(rr)) > 50)) if rr.size > 1 else NAN


def premature(rr: Floats) -> NDArray[np.bool_]:
    """Whether each RR interval is at least a fifth shorter than the median of those around it; shape of `rr`.

    Examples
    --------
    >>> premature(np.array([800.0, 800.0, 500.0, 1100.0, 800.0])).tolist()
    [False, False, True, False, False]
    """
    if not rr.size:
        return np.zeros(0, dtype=bool)
    padded = np.pad(rr, 4, mode="reflect" if rr.size > 4 else "edge")
    around = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 9), axis=1)[:, 4]
    return np.asarray(rr < 0.8 * around)


def _heart_rate(heartbeat: Heartbeat) -> float:
    return 60000 / mean_rr(heartbeat)


def _rr_sd(heartbeat: Heartbeat) -> float:
    rr = heartbeat.rr_ms
    return float(rr.std(ddof=1)) if rr.size > 1 else NAN


def _rr_rmssd(heartbeat: Heartbeat) -> float:
    return rmssd(heartbeat.rr_ms)


def _rr_variation(heartbeat: Heartbeat) -> float:
    return _rr_sd(heartbeat) / mean_rr(heartbeat)


def _rr_pnn50(heartbeat: Heartbeat) -> float:
    return pnn50(heartbeat.rr_ms)


def _rr_min(heartbeat: Heartbeat) -> float:
    rr = heartbeat.rr_ms
    return float(rr.min()) if rr.size else NAN


def _rr_max(heartbeat: Heartbeat) -> float:
    rr = heartbeat.rr_ms
    return float(rr.max()) if rr.size else NAN


def _usual_rr_variation(heartbeat: Heartbeat) -> float:
    rr = usual_rr(heartbeat.times_s, heartbeat.shape_class)
    return float(rr.std(ddof=1) / rr.mean()) if rr.size > 1 else NAN


def _rr_irregularity(heartbeat: Heartbeat) -> float:
    rr = heartbeat.rr_ms
    return float(np.median(np.abs(np.diff(rr))) / np.median(rr)) if rr.size > 1 else NAN


def _premature_share(heartbeat: Heartbeat) -> float:
    early = premature(heartbeat.rr_ms)
    return float(early.mean()) if early.size else NAN


def _other_shape_share(heartbeat: Heartbeat) -> float:
    return float((heartbeat.shape_class > 0).mean())


def _shape_count(heartbeat: Heartbeat) -> float:
    return float(heartbeat.shape_class.max() + 1)


def _beat_count(heartbeat: Heartbeat) -> float:
    return float(len(heartbeat.times_s))


def _p_probability(heartbeat: Heartbeat) -> float:
    return heartbeat.facts["p_probability"]


def _p_resemblance(heartbeat: Heartbeat) -> float:
    return heartbeat.facts["p_resemblance"]


def _f_wave(heartbeat: Heartbeat) -> float:
    return heartbeat.facts["f_wave_mv"]


def _f_wave_share(heartbeat: Heartbeat) -> float:
    return heartbeat.facts["f_wave_share"]


def _af(heartbeat: Heartbeat) -> float:
    irregular = _usual_rr_variation(heartbeat)
    p = heartbeat.facts["p_probability"]
    return (1 - p) / (1 + math.exp(-60 * (irregular - 0.08))) if not math.isnan(irregular) else NAN


def _spikes(heartbeat: Heartbeat) -> float:
    return heartbeat.facts["spike_count"]


def _paced_share(heartbeat: Heartbeat) -> float:
    return heartbeat.facts["paced_share"]


MEASUREMENTS = (
    Measurement(
        "heart_rate_bpm", "1/min", "60 s over the mean RR interval.", AHA_II, _heart_rate,
        reference=(50.0, 100.0), reference_source=RATE_LIMITS,
        loinc="8867-4", mdc="MDC_ECG_HEART_RATE",
    ),
    Measurement(
        "rr_mean_ms", "ms", "Mean RR interval.", TASK_FORCE, mean_rr, loinc="8637-1", mdc="MDC_ECG_TIME_PD_RR_GL"
    ),
    Measurement("rr_sd_ms", "ms", "Standard deviation of the RR intervals.", TASK_FORCE, _rr_sd),
    Measurement("rr_rmssd_ms", "ms", "Root mean square of successive RR differences.", TASK_FORCE, _rr_rmssd),
    Measurement("rr_variation_ratio", "1", "Standard deviation of RR over its mean.", TASK_FORCE, _rr_variation),
    Measurement("rr_pnn50_share", "1", "Share of successive RR differences above 50 ms.", TASK_FORCE, _rr_pnn50),
    Measurement("rr_min_ms", "ms", "Shortest RR interval.", AHA_II, _rr_min),
    Measurement("rr_max_ms", "ms", "Longest RR interval.", AHA_II, _rr_max),
    Measurement(
        "rr_usual_variation_ratio", "1", "Standard deviation over mean of RR between beats of the commonest shape.",
        TASK_FORCE, _usual_rr_variation,
    ),
    Measurement(
        "rr_irregularity_ratio", "1", "Median absolute successive RR difference over median RR.", ESC_AF,
        _rr_irregularity,
    ),
    Measurement(
        "beat_premature_share", "1", "Share of RR intervals under 0.8 of the median of nine around.", AHA_II,
        _premature_share,
    ),
    Measurement(
        "beat_other_shape_share", "1", "Share of beats whose QRS complex has not the commonest shape.", AHA_II,
        _other_shape_share,
    ),
    Measurement("beat_shape_count", "1", "Number of different shapes of QRS complex.", AHA_II, _shape_count),
    Measurement("beat_count", "1", "Number of beats.", AHA_II, _beat_count),
    Measurement(
        "p_present_probability", "1", "Probability that beats have a P wave, from its size, constancy and the rhythm.",
        ESC_AF, _p_probability,
    ),
    Measurement(
        "p_resemblance_ratio", "1", "Median correlation of single P waves with the median P wave.", ESC_AF,
        _p_resemblance,
    ),
    Measurement("f_wave_amplitude_mv", "mV", "Root mean square of 4–9 Hz between T and P or QRS.", BOLLMANN, _f_wave),
    Measurement(
        "f_wave_power_share", "1", "Share of 4–9 Hz in the power between T and P or QRS.", BOLLMANN, _f_wave_share
    ),
    Measurement(
        "af_evidence_probability", "1", "Absence of P times irregularity of RR, each from 0 to 1.", ESC_AF, _af
    ),
    Measurement("pacing_spike_count", "1", "Number of pacemaker spikes.", AHA_I, _spikes),
    Measurement(
        "pacing_beat_share", "1", "Share of beats with a spike in the 100 ms up to their middle.", AHA_I, _paced_share
    ),
)  # fmt: skip
