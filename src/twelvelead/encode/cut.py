"""What an encoder takes of a recording: its leads, at its rate, over its seconds. For training and for use alike."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal import Recording
from twelvelead.signal.filter import bridge_gaps
from twelvelead.signal.leads import derive_limb_leads
from twelvelead.signal.resample import resample
from twelvelead.terms import InputError, Reason, Unmeasurable

Samples = NDArray[np.float32]

MARGIN_S = 0.5
"""How much more than its window is worth reading of a long recording, s: the resampling filter's reach and to spare."""

MOST_MISSING = 0.1
"""A lead that lacks a larger part of its samples is taken to be absent: to bridge that would be to make it up."""


@dataclass(frozen=True)
class Input:
    """What an encoder wants to be given.

    Parameters
    ----------
    leads : tuple of str
        Its leads, in the order of its rows.
    fs : float
        Hz.
    seconds : float
        s, from the start of a recording.
    some_leads : bool
        Whether some of the leads suffice.
    normalise : callable
        From mV, shape (n_leads, n_samples), and the rate in Hz to what its first layer takes, of the same shape.
    """

    leads: tuple[str, ...]
    fs: float
    seconds: float
    some_leads: bool
    normalise: Callable[[Samples, float], Samples]

    @property
    def n_samples(self) -> int:
        """Samples per lead."""
        return round(self.fs * self.seconds)


def cut_input(
    recording: Recording, takes: Input, *, only: Sequence[str] | None = None, most_missing: float = MOST_MISSING
) -> tuple[Samples, list[str]]:
    """Cut out of a recording what an encoder takes.

    Parameters
    ----------
    recording : Recording
        Of any rate, with any leads in any order. Limb leads that two others determine are derived.
    takes : Input
        What the encoder wants.
    only : sequence of str or None
        Leads to be used, of those the encoder knows; all that are there unless given.
    most_missing : float
        Share of its samples that a lead may lack; 0 where nothing is to be bridged, as in training.

    Returns
    -------
    samples : ndarray of float32, shape (n_leads_there, n_samples)
        The first seconds; gaps bridged by straight lines.
    leads : list of str
        Their names, in the encoder's order.

    Raises
    ------
    InputError
        If a lead of `only` is unknown to the encoder, or it wants all leads.
    Unmeasurable
        If the recording is too short (`Reason.TOO_SHORT`), a lead that is needed is absent or lacks more than that
        share of its samples (`Reason.MISSING_LEAD`), or all are flat (`Reason.FLAT`).
    """
    wanted = choose_leads(takes, only)
    if recording.n_samples < math.floor(takes.seconds * recording.fs):
        msg = f"an encoder needs {takes.seconds:g} s; got {recording.duration:g} s in recording {recording.id!r}. "
        msg += "Leave it out."
        raise Unmeasurable(Reason.TOO_SHORT, msg)
    enough = math.ceil((takes.seconds + MARGIN_S) * recording.fs)
    whole = derive_limb_leads(replace(recording, signal=recording.signal[:, :enough]))
    missing = np.isnan(whole.signal).mean(axis=1)
    there = [lead for lead in wanted if lead in whole.leads and missing[whole.leads.index(lead)] <= most_missing]
    absent = [lead for lead in wanted if lead not in there]
    if not there or (absent and not takes.some_leads):
        msg = f"an encoder needs {'one' if takes.some_leads else 'all'} of the leads {', '.join(wanted)}; got none of "
        msg += f"{', '.join(absent)} in recording {recording.id!r}. Leave it out, or use an encoder of other leads."
        raise Unmeasurable(Reason.MISSING_LEAD, msg)
    rows = bridge_gaps(whole.signal[[whole.leads.index(lead) for lead in there]])
    at_rate = resample(Recording(rows, tuple(there), whole.fs, id=recording.id), fs=takes.fs)
    samples = at_rate.signal[:, : takes.n_samples]
    if np.ptp(samples, axis=1).max() == 0:
        msg = f"an encoder needs a lead that is not flat; got none in recording {recording.id!r}. Leave it out."
        raise Unmeasurable(Reason.FLAT, msg)
    return np.array(samples, order="C"), there  # a recording's own samples can't be written to


def choose_leads(takes: Input, only: Sequence[str] | None) -> tuple[str, ...]:
    """Give the leads to be used, in the encoder's order.

    Parameters
    ----------
    takes : Input
        What the encoder wants.
    only : sequence of str or None
        Leads to be used; all of the encoder's unless given.

    Raises
    ------
    InputError
        If a lead is unknown to the encoder, none is left, or it wants all.

    Examples
    --------
    >>> choose_leads(Input(("I", "II", "V1"), 250, 10, some_leads=True, normalise=lambda x, fs: x), ["V1", "I"])
    ('I', 'V1')
    """
    if only is None:
        return takes.leads
    unknown = [lead for lead in only if lead not in takes.leads]
    if unknown or not only or (not takes.some_leads and set(only) != set(takes.leads)):
        needs = "some" if takes.some_leads else "all"
        msg = f"leads to be used must be {needs} of {', '.join(takes.leads)}; got {', '.join(only) or 'none'}. "
        msg += "Leave out the others." if takes.some_leads else "Use an encoder that takes some leads."
        raise InputError(msg)
    return tuple(lead for lead in takes.leads if lead in only)
