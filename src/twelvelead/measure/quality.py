"""How good the recording was: noise, wander, usable leads, agreement of the limb leads."""

from functools import partial

from twelvelead.measure.amplitudes import of_lead
from twelvelead.measure.rhythm import fact
from twelvelead.terms import LEADS, Measurement

AHA_I = "doi:10.1161/CIRCULATIONAHA.106.180200"

MEASUREMENTS = (
    Measurement(
        "lead_usable_count", "1", "Leads fit to be measured.", AHA_I, partial(fact, "usable_count"), pooled="min"
    ),
    Measurement(
        "noise_mv", "mV", "Median over the leads of the noise above 40 Hz (1.4826 × median absolute value).", AHA_I,
        partial(fact, "noise_mv"),
    ),
    Measurement(
        "baseline_wander_mv", "mV", "Median over the leads of the standard deviation below 0.4 Hz.", AHA_I,
        partial(fact, "wander_mv"),
    ),
    Measurement(
        "beat_scatter_mv", "mV", "Median over the leads of the scatter of beats about the median beat.", AHA_I,
        partial(fact, "scatter_mv"),
    ),
    Measurement(
        "einthoven_residual_mv", "mV", "Root mean square of recorded minus derived limb leads.", AHA_I,
        partial(fact, "einthoven_mv"),
    ),
    *(
        Measurement(
            f"noise_{lead.lower()}_mv", "mV", f"Noise above 40 Hz (1.4826 × median absolute value), lead {lead}.",
            AHA_I, partial(of_lead, "noise_mv", lead), level="lead", lead=lead,
        )
        for lead in LEADS
    ),
)  # fmt: skip
