"""From a heartbeat to its numbers: what is left of a recording before the formulas are evaluated."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.amplitudes import measure_leads
from twelvelead.measure.heartbeat import Fact, Heartbeat, Heartbeats, Quantity
from twelvelead.measure.kinds import classify_kinds, count_kinds
from twelvelead.measure.loops import find_loops
from twelvelead.measure.rhythm import find_rhythm
from twelvelead.measure.u_wave import measure_u
from twelvelead.terms import LEADS

Floats = NDArray[np.float64]

KORS_LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
FOUND_ON_THE_WAY = tuple((fact.name.lower(), fact) for fact in Fact if fact >= Fact.P_PROBABILITY)


def condense(heartbeat: Heartbeat) -> tuple[Floats, Floats]:
    """Reduce one recording to its numbers.

    Parameters
    ----------
    heartbeat : Heartbeat
        From `observe`.

    Returns
    -------
    facts : ndarray, shape (n_facts,)
        In the order of `Fact`; NaN where a number can't be measured.
    by_lead : ndarray, shape (n_quantities, 12)
        In the order of `Quantity` and of `terms.LEADS`; leads of other names are left out.
    """
    h = heartbeat
    facts = np.full(len(Fact), np.nan)
    for name, fact in FOUND_ON_THE_WAY:
        facts[fact] = h.facts.get(name, np.nan)
    facts[Fact.USABLE_COUNT], facts[Fact.SPIKE_COUNT] = h.usable.sum(), len(h.spikes_s)
    find_rhythm(h.times_s, h.shape_class, facts)
    count_kinds(classify_kinds(h.times_s, h.shape_class, h.global_marks_s, h.spikes_s), facts)
    standard, kors = _places(h.leads)
    find_loops(h, kors, facts)
    of_leads = measure_leads(h.beat, h.marks, fs=h.fs)
    of_leads[Quantity.NOISE_MV] = h.by_lead["noise_mv"]
    measure_u(h.beat, h.marks, facts[Fact.RR_MEDIAN_MS], h.fs, of_leads)
    by_lead = np.where(standard >= 0, of_leads[:, standard], np.nan)
    return facts, by_lead


def gather(numbers: Sequence[tuple[Floats, Floats]]) -> Heartbeats:
    """Put the numbers of several recordings side by side, one column each.

    Parameters
    ----------
    numbers : sequence of (facts, by_lead)
        From `condense`.

    Returns
    -------
    Heartbeats
    """
    facts, by_lead = np.empty((len(Fact), len(numbers))), np.empty((len(Quantity), len(LEADS), len(numbers)))
    for k, (of_recording, of_leads) in enumerate(numbers):
        facts[:, k], by_lead[:, :, k] = of_recording, of_leads
    return Heartbeats(facts, by_lead)


@lru_cache(maxsize=256)
def _places(leads: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where the twelve standard leads, and the eight of the heart vector, are among `leads`; −1 for a missing one."""
    at = {lead: k for k, lead in enumerate(leads)}
    standard, kors = (np.array([at.get(lead, -1) for lead in names], dtype=np.intp) for names in (LEADS, KORS_LEADS))
    return standard, kors
