"""A recording to one vector, by an encoder that was trained before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from twelvelead.encode.cut import Input, Samples, cut_input
from twelvelead.signal import Recording
from twelvelead.terms import InputError

Pool = Literal["mean", "leads"]

DIGITS = 3
"""Of the numbers in columns' names; more where an embedding is wider."""


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
        Any that `cut.cut_input` takes.
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
        As `cut.cut_input` does; and if an encoder that mixes the leads is to pool by leads.

    Notes
    -----
    Recordings go through the encoder one by one. Matrix products add up in another order when there are more rows, and
    an embedding must not depend, not even in its last bit, on which other recordings are in the batch. On a processor
    that costs nothing: the tokens of one recording are rows enough.
    """
    require_pool(embedder, pool)
    samples, there = cut_input(recording, embedder.takes, only=only)
    x = torch.from_numpy(embedder.takes.normalise(samples, embedder.takes.fs))[None].to(device)
    module: Any = embedder.module  # of one of several classes, which the registry vouches for
    with torch.inference_mode():
        if pool == "leads":
            rows = module.represent_leads(x, leads=there)[0].cpu().numpy()
            out = np.full((len(embedder.takes.leads), embedder.width), np.nan, dtype=np.float32)
            out[[embedder.takes.leads.index(lead) for lead in there]] = rows
            return out.reshape(-1)
        vector = module.represent(x, leads=there) if embedder.takes.some_leads else module.represent(x)
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
