"""A recording to one vector: the leads that an encoder knows, at its rate, over its seconds."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from twelvelead.encode.intake import MARGIN_S
from twelvelead.signal import Recording
from twelvelead.signal.filter import bridge_gaps
from twelvelead.signal.leads import derive_limb_leads
from twelvelead.signal.resample import resample
from twelvelead.terms import InputError, Reason, Unmeasurable

Samples = NDArray[np.float32]
Pool = Literal["mean", "leads"]

MOST_MISSING = 0.1
"""A lead that lacks a larger part of its samples is taken to be absent: to bridge that would be to make it up."""

DIGITS = 3
"""Of the numbers in columns' names; more where an embedding is wider."""


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


@dataclass(frozen=True)
class Embedder:
    """An encoder, ready to be given recordings.

    Parameters
    ----------
    name : str
        Of `ENCODERS`.
    module : nn.Module
        With a method `represent`, in evaluation mode; where some leads suffice, with `represent_leads` too.
    takes : Input
        What it wants to be given.
    width : int
        Numbers per vector.
    """

    name: str
    module: nn.Module
    takes: Input
    width: int


def cut_input(recording: Recording, takes: Input, *, only: Sequence[str] | None = None) -> tuple[Samples, list[str]]:
    """Cut out of a recording what an encoder takes.

    Parameters
    ----------
    recording : Recording
        Of any rate, with any leads in any order. Limb leads that two others determine are derived.
    takes : Input
        What the encoder wants.
    only : sequence of str or None
        Leads to be used, of those the encoder knows; all that are there unless given.

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
        If the recording is too short (`Reason.TOO_SHORT`), a lead that is needed is absent or lacks more than a tenth
        of its samples (`Reason.MISSING_LEAD`), or all are flat (`Reason.FLAT`).
    """
    wanted = choose_leads(takes, only)
    if recording.n_samples < math.floor(takes.seconds * recording.fs):
        msg = f"an encoder needs {takes.seconds:g} s; got {recording.duration:g} s in recording {recording.id!r}. "
        msg += "Leave it out."
        raise Unmeasurable(Reason.TOO_SHORT, msg)
    enough = math.ceil((takes.seconds + MARGIN_S) * recording.fs)
    whole = derive_limb_leads(replace(recording, signal=recording.signal[:, :enough]))
    missing = np.isnan(whole.signal).mean(axis=1)
    there = [lead for lead in wanted if lead in whole.leads and missing[whole.leads.index(lead)] <= MOST_MISSING]
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


def embed(
    recording: Recording,
    embedder: Embedder,
    *,
    pool: Pool = "mean",
    only: Sequence[str] | None = None,
    device: str = "cpu",
) -> Samples:
    """Turn a recording into one vector.

    Parameters
    ----------
    recording : Recording
        Any that `cut_input` takes.
    embedder : Embedder
        The encoder; on `device` already.
    pool : {"mean", "leads"}
        The mean over all that the encoder sees, or over each lead by itself, which keeps apart what leads show.
    only : sequence of str or None
        Leads to be used.
    device : str
        Where it is computed.

    Returns
    -------
    ndarray of float32, shape (n_columns,)
        As `columns` names them; NaN for leads that are absent.

    Raises
    ------
    InputError, Unmeasurable
        As `cut_input` does; and if an encoder that mixes the leads is to pool by leads.

    Notes
    -----
    Recordings go through the encoder one by one. Matrix products add up in another order when there are more rows, and
    an embedding must not depend, not even in its last bit, on which other recordings are in the batch. On a processor
    that costs nothing: the tokens of one recording are rows enough.
    """
    require_pool(embedder, pool)
    samples, there = cut_input(recording, embedder.takes, only=only)
    x = torch.from_numpy(embedder.takes.normalise(samples, embedder.takes.fs))[None].to(device)
    with torch.inference_mode():
        if pool == "leads":
            rows = embedder.module.represent_leads(x, leads=there)[0].cpu().numpy()  # type: ignore[operator]
            out = np.full((len(embedder.takes.leads), embedder.width), np.nan, dtype=np.float32)
            out[[embedder.takes.leads.index(lead) for lead in there]] = rows
            return out.reshape(-1)
        if embedder.takes.some_leads:
            vector = embedder.module.represent(x, leads=there)  # type: ignore[operator]
        else:
            vector = embedder.module.represent(x)  # type: ignore[operator]
    found: Samples = vector[0].cpu().numpy()
    return found


def columns(embedder: Embedder, *, pool: Pool = "mean") -> list[str]:
    """Name the columns of embeddings: `embedding_000`, …; by leads `embedding_v1_000`, ….

    Examples
    --------
    >>> takes = Input(("I", "V1"), 250, 10, some_leads=True, normalise=lambda x, fs: x)
    >>> columns(Embedder("any", nn.Identity(), takes, width=2), pool="leads")
    ['embedding_i_000', 'embedding_i_001', 'embedding_v1_000', 'embedding_v1_001']
    """
    digits = max(DIGITS, len(str(embedder.width - 1)))
    numbers = [f"{n:0{digits}d}" for n in range(embedder.width)]
    stems = [f"embedding_{lead.lower()}" for lead in embedder.takes.leads] if pool == "leads" else ["embedding"]
    return [f"{stem}_{number}" for stem in stems for number in numbers]


def require_pool(embedder: Embedder, pool: Pool) -> None:
    """Refuse to pool by leads where an encoder mixes them in its first layer.

    Raises
    ------
    InputError
        If so.
    """
    if pool == "leads" and not hasattr(embedder.module, "represent_leads"):
        msg = f"an encoder that is pooled by leads must keep them apart; got {embedder.name}, which mixes them. "
        msg += "Pool by the mean."
        raise InputError(msg)


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
