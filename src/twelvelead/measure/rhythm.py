"""Rate, regularity, ectopic beats, pacemaker spikes and the evidence for atrial fibrillation."""

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.flutter import FLUTTER_SHARE
from twelvelead.measure.heartbeat import Fact, Heartbeats
from twelvelead.measure.rules import median_of
from twelvelead.signal.kernel import kernel
from twelvelead.terms import Measurement

Floats = NDArray[np.float64]

TASK_FORCE = "doi:10.1161/01.CIR.93.5.1043"
AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"
AHA_II = "doi:10.1161/CIRCULATIONAHA.106.180201"
ESC_AF = "doi:10.1093/eurheartj/ehaa612"
BOLLMANN = "doi:10.1093/europace/eul113"  # the surface ECG in atrial fibrillation
# Sinus bradycardia is a rate below 50, sinus tachycardia one above 100.
RATE_LIMITS = "doi:10.1161/CIR.0000000000000628 doi:10.1161/CIR.0000000000000311"


@kernel
def rr_intervals(times_s: Floats) -> Floats:
    """RR intervals in ms, shape (n_beats − 1,).

    Examples
    --------
    >>> rr_intervals(np.array([0.5, 1.5, 2.25])).tolist()
    [1000.0, 750.0]
    """
    rr = np.empty(max(times_s.size - 1, 0))
    for k in range(rr.size):
        rr[k] = (times_s[k + 1] - times_s[k]) * 1000
    return rr


@kernel
def usual_rr(times_s: Floats, shape_class: NDArray[np.intp]) -> Floats:
    """RR intervals in ms between two beats of the commonest shape; all intervals if there are fewer than two such."""
    rr = rr_intervals(times_s)
    usual, n = np.empty(rr.size), 0
    for k in range(rr.size):
        if shape_class[k] == 0 and shape_class[k + 1] == 0:
            usual[n] = rr[k]
            n += 1
    return usual[:n] if n >= 2 else rr


@kernel
def rmssd(rr: Floats) -> float:
    """Root mean square of successive RR differences in ms; `rr` in ms.

    Examples
    --------
    >>> rmssd(np.array([800.0, 900.0, 800.0]))
    100.0
    """
    if rr.size < 2:
        return np.nan
    total = 0.0
    for k in range(1, rr.size):
        total += (rr[k] - rr[k - 1]) ** 2
    return math.sqrt(total / (rr.size - 1))


@kernel
def pnn50(rr: Floats) -> float:
    """Share of successive RR differences above 50 ms; `rr` in ms.

    Examples
    --------
    >>> pnn50(np.array([800.0, 900.0, 910.0, 850.0, 840.0]))
    0.5
    """
    if rr.size < 2:
        return np.nan
    above = 0
    for k in range(1, rr.size):
        above += abs(rr[k] - rr[k - 1]) > 50
    return above / (rr.size - 1)


@kernel
def premature(rr: Floats) -> NDArray[np.bool_]:
    """Whether each RR interval is at least a fifth shorter than the median of those around it; shape of `rr`.

    Parameters
    ----------
    rr : ndarray, shape (n_beats − 1,)

    Notes
    -----
    Nine intervals around; at the ends of the recording those inside are mirrored, or if there are fewer than five the
    last one is repeated.

    Examples
    --------
    >>> premature(np.array([800.0, 800.0, 500.0, 1100.0, 800.0])).tolist()
    [False, False, True, False, False]
    """
    n = rr.size
    early = np.zeros(n, dtype=np.bool_)
    around = np.empty(9)
    for k in range(n):
        for j in range(9):
            at = k + j - 4
            if n > 4:
                at = abs(at)
                at = 2 * (n - 1) - at if at >= n else at
            around[j] = rr[min(max(at, 0), n - 1)]
        early[k] = rr[k] < 0.8 * np.sort(around)[4]
    return early


@kernel
def variation(rr: Floats) -> float:
    """Sample standard deviation over mean; NaN of fewer than two."""
    if rr.size < 2:
        return np.nan
    total, squares = 0.0, 0.0
    for value in rr:
        total += value
    for value in rr:
        squares += (value - total / rr.size) ** 2
    return math.sqrt(squares / (rr.size - 1)) / (total / rr.size)


@kernel
def find_rhythm(times_s: Floats, shape_class: NDArray[np.intp], facts: Floats) -> None:
    """Write the statistics of the beats' times and shapes into `facts`.

    Parameters
    ----------
    times_s : ndarray, shape (n_beats,)
        s from the start of the recording, at least one.
    shape_class : ndarray of int, shape (n_beats,)
        0 for the commonest shape of QRS complex.
    facts : ndarray, shape (n_facts,)
        Written in place; what too few beats can't tell is left as it is.
    """
    others, last_class = 0, 0
    for label in shape_class:
        others += label > 0
        last_class = max(last_class, label)
    facts[Fact.BEAT_COUNT], facts[Fact.SHAPE_COUNT] = times_s.size, last_class + 1
    facts[Fact.OTHER_SHAPE_SHARE] = others / times_s.size
    rr = rr_intervals(times_s)
    if not rr.size:
        return
    shortest, longest, early = rr[0], rr[0], 0
    for k, is_early in enumerate(premature(rr)):
        shortest, longest = min(shortest, rr[k]), max(longest, rr[k])
        early += is_early
    mean = (times_s[-1] - times_s[0]) * 1000 / rr.size
    facts[Fact.RR_MEAN_MS], facts[Fact.RR_MIN_MS], facts[Fact.RR_MAX_MS] = mean, shortest, longest
    facts[Fact.PREMATURE_SHARE] = early / rr.size
    facts[Fact.RR_USUAL_VARIATION] = variation(usual_rr(times_s, shape_class))
    facts[Fact.RR_MEDIAN_MS], facts[Fact.RR_RMSSD_MS], facts[Fact.RR_PNN50] = median_of(rr), rmssd(rr), pnn50(rr)
    if rr.size > 1:
        facts[Fact.RR_SD_MS] = variation(rr) * mean
        steps = np.empty(rr.size - 1)
        for k in range(rr.size - 1):
            steps[k] = abs(rr[k + 1] - rr[k])
        facts[Fact.RR_IRREGULARITY] = median_of(steps) / facts[Fact.RR_MEDIAN_MS]


def fact(name: str, heartbeats: Heartbeats) -> Floats:
    """Return a number that is reported as it was found; shape (n,)."""
    return heartbeats.fact(name)


def rr_mean(heartbeats: Heartbeats) -> Floats:
    """Mean RR interval in ms, shape (n,)."""
    return heartbeats.fact("rr_mean_ms")


def heart_rate(heartbeats: Heartbeats) -> Floats:
    """60 s over the mean RR interval, 1/min, shape (n,)."""
    return 60000 / rr_mean(heartbeats)


def _rr_variation(heartbeats: Heartbeats) -> Floats:
    return heartbeats.fact("rr_sd_ms") / rr_mean(heartbeats)


def _pause(heartbeats: Heartbeats) -> Floats:
    return heartbeats.fact("rr_max_ms") / heartbeats.fact("rr_median_ms")


def _share(heartbeats: Heartbeats, *, kind: str) -> Floats:
    return heartbeats.fact(f"{kind}_count") / heartbeats.fact("beat_count")


def af_evidence(heartbeats: Heartbeats) -> Floats:
    """Absence of P times irregularity of RR, 0 to 1, shape (n,)."""
    irregular = 1 / (1 + np.exp(-60 * (heartbeats.fact("rr_usual_variation") - 0.08)))
    return (1 - heartbeats.fact("p_probability")) * irregular


def flutter_evidence(heartbeats: Heartbeats) -> Floats:
    """Share of one frequency near 300 per minute as evidence, 0 to 1; one half at `FLUTTER_SHARE`; shape (n,)."""
    return 1 / (1 + np.exp(-20 * (heartbeats.fact("flutter_share") - FLUTTER_SHARE)))


def flutter_rate(heartbeats: Heartbeats) -> Floats:
    """Rate of the flutter waves, 1/min, shape (n,); NaN without evidence of them."""
    return np.where(flutter_evidence(heartbeats) >= 0.5, 60 * heartbeats.fact("flutter_hz"), np.nan)


MEASUREMENTS = (
    Measurement(
        "heart_rate_bpm", "1/min", "60 s over the mean RR interval.", AHA_II, heart_rate,
        reference=(50.0, 100.0), reference_source=RATE_LIMITS,
        loinc="8867-4", mdc="MDC_ECG_HEART_RATE",
    ),
    Measurement(
        "rr_mean_ms", "ms", "Mean RR interval.", TASK_FORCE, rr_mean, loinc="8637-1", mdc="MDC_ECG_TIME_PD_RR_GL"
    ),
    Measurement("rr_sd_ms", "ms", "Standard deviation of the RR intervals.", TASK_FORCE, partial(fact, "rr_sd_ms")),
    Measurement(
        "rr_rmssd_ms", "ms", "Root mean square of successive RR differences.", TASK_FORCE, partial(fact, "rr_rmssd_ms")
    ),
    Measurement("rr_variation_ratio", "1", "Standard deviation of RR over its mean.", TASK_FORCE, _rr_variation),
    Measurement(
        "rr_pnn50_share", "1", "Share of successive RR differences above 50 ms.", TASK_FORCE, partial(fact, "rr_pnn50")
    ),
    Measurement("rr_min_ms", "ms", "Shortest RR interval.", AHA_II, partial(fact, "rr_min_ms"), pooled="min"),
    Measurement("rr_max_ms", "ms", "Longest RR interval.", AHA_II, partial(fact, "rr_max_ms"), pooled="max"),
    Measurement("rr_pause_ratio", "1", "Longest over median RR interval.", AHA_II, _pause, pooled="max"),
    Measurement(
        "rr_usual_variation_ratio", "1", "Standard deviation over mean of RR between beats of the commonest shape.",
        TASK_FORCE, partial(fact, "rr_usual_variation"),
    ),
    Measurement(
        "rr_irregularity_ratio", "1", "Median absolute successive RR difference over median RR.", ESC_AF,
        partial(fact, "rr_irregularity"),
    ),
    Measurement(
        "beat_premature_share", "1", "Share of RR intervals under 0.8 of the median of nine around.", AHA_II,
        partial(fact, "premature_share"), pooled="mean",
    ),
    Measurement(
        "beat_other_shape_share", "1", "Share of beats whose QRS complex has not the commonest shape.", AHA_II,
        partial(fact, "other_shape_share"), pooled="mean",
    ),
    Measurement(
        "beat_shape_count", "1", "Number of different shapes of QRS complex.", AHA_II, partial(fact, "shape_count"),
        pooled="max",
    ),
    Measurement("beat_count", "1", "Number of beats.", AHA_II, partial(fact, "beat_count"), pooled="sum"),
    Measurement(
        "beat_ventricular_premature_count", "1", "Beats that are early, at least 120 ms wide and of another shape.",
        AHA_II, partial(fact, "wide_count"), pooled="sum",
    ),
    Measurement(
        "beat_ventricular_premature_share", "1", "The same as a share of all beats.", AHA_II,
        partial(_share, kind="wide"), pooled="mean",
    ),
    Measurement(
        "beat_supraventricular_premature_count", "1",
        "Beats that are early and narrow, or of the commonest shape, in a rhythm that is regular otherwise.", AHA_II,
        partial(fact, "premature_count"), pooled="sum",
    ),
    Measurement(
        "beat_supraventricular_premature_share", "1", "The same as a share of all beats.", AHA_II,
        partial(_share, kind="premature"), pooled="mean",
    ),
    Measurement(
        "beat_aberrant_count", "1", "Beats of another shape that are not early, or not early and wide.", AHA_II,
        partial(fact, "aberrant_count"), pooled="sum",
    ),
    Measurement(
        "beat_bigeminy_share", "1", "Share of beats in a run of six or more of which every second is premature.",
        AHA_II, partial(fact, "bigeminy_share"), pooled="mean",
    ),
    Measurement(
        "p_present_probability", "1", "Probability that beats have a P wave, from its size, constancy and the rhythm.",
        ESC_AF, partial(fact, "p_probability"),
    ),
    Measurement(
        "p_resemblance_ratio", "1", "Median correlation of single P waves with the median P wave.", ESC_AF,
        partial(fact, "p_resemblance"),
    ),
    Measurement(
        "f_wave_amplitude_mv", "mV", "Root mean square of 4–9 Hz between T and P or QRS.", BOLLMANN,
        partial(fact, "f_wave_mv"),
    ),
    Measurement(
        "f_wave_power_share", "1", "Share of 4–9 Hz in the power from 2 Hz between T and P or QRS.", BOLLMANN,
        partial(fact, "f_wave_share"),
    ),
    Measurement(
        "af_evidence_probability", "1", "Absence of P times irregularity of RR, each from 0 to 1.", ESC_AF, af_evidence
    ),
    Measurement(
        "flutter_evidence_probability", "1",
        "Whether one frequency from 3.7 to 6.2 Hz has most of the power of II or V1, QRS bridged: 0.5 at 48 %.",
        BOLLMANN, flutter_evidence,
    ),
    Measurement(
        "flutter_rate_bpm", "1/min", "Rate of the flutter waves, where there is evidence of them.", AHA_II, flutter_rate
    ),
    Measurement(
        "pacing_spike_count", "1", "Number of pacemaker spikes.", AHA_I, partial(fact, "spike_count"), pooled="sum"
    ),
    Measurement(
        "pacing_beat_share", "1", "Share of beats with a spike in the 100 ms up to their middle.", AHA_I,
        partial(_share, kind="paced"), pooled="mean",
    ),
)  # fmt: skip
