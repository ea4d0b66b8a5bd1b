"""How good the recording was: noise, wander, usable leads, agreement of the limb leads."""

from functools import partial

from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.terms import LEADS, Measurement

AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"


def _usable(heartbeat: Heartbeat) -> float:
    return float(heartbeat.usable.sum())


def _fact(heartbeat: Heartbeat, *, name: str) -> float:
    return heartbeat.facts[name]


def _noise(heartbeat: Heartbeat, *, lead: str) -> float:
    return heartbeat.lead("noise_mv", lead)


MEASUREMENTS = (
    Measurement("lead_usable_count", "1", "Leads fit to be measured.", AHA_I, _usable),
    Measurement(
        "noise_mv", "mV", "Median over the leads of the noise above 40 Hz (1.4826 × median absolute value).", AHA_I,
        partial(_fact, name="noise_mv"),
    ),
    Measurement(
        "baseline_wander_mv", "mV", "Median over the leads of the standard deviation below 0.4 Hz.", AHA_I,
        partial(_fact, name="wander_mv"),
    ),
    Measurement(
        "beat_scatter_mv", "mV", "Median over the leads of the scatter of beats about the median beat.", AHA_I,
        partial(_fact, name="scatter_mv"),
    ),
    Measurement(
        "einthoven_residual_mv", "mV", "Root mean square of recorded minus derived limb leads.", AHA_I,
        partial(_fact, name="einthoven_mv"),
    ),
    *(
        Measurement(
            f"noise_{lead.lower()}_mv", "mV", f"Noise above 40 Hz (1.4826 × median absolute value), lead {lead}.",
            AHA_I, partial(_noise, lead=lead), level="lead", lead=lead,
        )
        for lead in LEADS
    ),
)  # fmt: skip
