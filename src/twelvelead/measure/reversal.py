"""Signs of exchanged electrodes: limb leads that turn their back to V6, a flat limb lead, chest leads out of order."""

from functools import partial
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.heartbeat import Heartbeats, add
from twelvelead.measure.voltage import peak_to_peak
from twelvelead.terms import CHEST_LEADS, Measurement

Floats = NDArray[np.float64]

BATCHVAROV = "doi:10.1093/europace/eum198"  # incorrect electrode cable connection during recording
PROFILE = ("r_amplitude_mv", "s_amplitude_mv", "q_amplitude_mv", "t_amplitude_mv")
"""What changes little by little from one chest lead to the next."""


def turned_away(lead: str, heartbeats: Heartbeats) -> Floats:
    """Share of signs that a limb lead is upside down: P negative in it, QRS and T opposite to those in V6; shape (n,).

    Parameters
    ----------
    lead : str
        I, which exchanged arms turn; or II, which exchanged right arm and left leg turn.
    heartbeats : Heartbeats

    Returns
    -------
    ndarray, shape (n,)
        0, 1/3, 2/3 or 1, without P 0, 1/2 or 1; NaN where the lead or V6 is missing.
    """
    p = heartbeats.lead("p_area_mvms", lead)
    opposite = [heartbeats.lead(name, lead) * heartbeats.lead(name, "V6") for name in ("qrs_area_mvms", "t_area_mvms")]
    no_p = np.isnan(p)
    met = (p < 0) + add(np.array([1.0 * (product < 0) for product in opposite]))
    return np.where(np.isnan(opposite[0] + opposite[1]), np.nan, met / np.where(no_p, 2, 3))


def flattest_limb_lead(heartbeats: Heartbeats) -> Floats:
    """Smallest peak-to-peak QRS complex of I, II and III, in mV: nearly nothing between an arm and the right leg."""
    smallest: Floats = np.min([peak_to_peak(heartbeats, lead) for lead in ("I", "II", "III")], axis=0)
    return smallest


def chest_order(heartbeats: Heartbeats) -> Floats:
    """Return how much smoother V1 to V6 would follow one another if two of them were exchanged; shape (n,).

    Returns
    -------
    ndarray, shape (n,)
        Length of the way from V1 to V6 through the space of R, S, Q and T amplitudes, with those two exchanged that
        shorten it most, over its length as recorded: 1 or more where the order is right.
    """
    at = np.stack([heartbeats.leads(name, CHEST_LEADS) for name in PROFILE])
    recorded = _way(at, tuple(range(len(CHEST_LEADS))))
    exchanged = np.full_like(recorded, np.inf)
    for a, b in combinations(range(len(CHEST_LEADS)), 2):
        order = list(range(len(CHEST_LEADS)))
        order[a], order[b] = b, a
        exchanged = np.minimum(exchanged, _way(at, tuple(order)))
    return exchanged / np.where(recorded > 0, recorded, np.nan)


def _way(at: Floats, order: tuple[int, ...]) -> Floats:
    """Length of the way through the leads in some order; `at` has shape (n_amplitudes, 6, n)."""
    steps = [np.sqrt(add((at[:, b] - at[:, a]) ** 2)) for a, b in pairwise(order)]
    return add(np.array(steps))


MEASUREMENTS = (
    Measurement(
        "lead_arm_reversal_ratio", "1", "Share of signs of exchanged arms: P negative in I, QRS and T opposite to V6.",
        BATCHVAROV, partial(turned_away, "I"),
    ),
    Measurement(
        "lead_leg_reversal_ratio", "1",
        "Share of signs of exchanged right arm and left leg: P negative in II, QRS and T opposite to V6.", BATCHVAROV,
        partial(turned_away, "II"),
    ),
    Measurement(
        "lead_limb_flattest_mv", "mV",
        "Smallest peak-to-peak QRS of I, II, III; below 0.05 mV with the right leg's electrode exchanged.", BATCHVAROV,
        flattest_limb_lead,
    ),
    Measurement(
        "lead_chest_order_ratio", "1",
        "Length of the way from V1 to V6 (R, S, Q, T) after the best exchange of two over that recorded.", BATCHVAROV,
        chest_order,
    ),
)  # fmt: skip
