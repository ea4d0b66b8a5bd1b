"""Whether an encoder still tells recordings apart: a collapsed one gives all the same, and its loss looks excellent."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Spread:
    """How far embeddings lie apart.

    Parameters
    ----------
    std : float
        Standard deviation of a channel over recordings, mean over channels. An encoder's tokens are normalised, so
        that a value can be compared with those of other steps. 0: complete collapse.
    effective_rank : float
        In how many directions embeddings differ, from 1 to the least of width and recordings − 1; 0 if in none.

    Both are NaN where an embedding has an element that is no finite number.
    """

    std: float
    effective_rank: float


def measure_spread(embeddings: Tensor) -> Spread:
    """Measure how far embeddings lie apart.

    Parameters
    ----------
    embeddings : Tensor, shape (n, width)
        One row per recording, two or more.

    Returns
    -------
    Spread

    Notes
    -----
    The effective rank is exp(−Σ p ln p), p the singular values of the centred rows divided by their sum [1]_.

    References
    ----------
    .. [1] Garrido et al. (2022), RankMe, doi:10.48550/arXiv.2210.02885.

    Examples
    --------
    Four recordings at the corners of a square differ in two directions equally.

    >>> measure_spread(torch.tensor([[1.0, 1, 5], [1, -1, 5], [-1, 1, 5], [-1, -1, 5]])).effective_rank
    2.0
    """
    rows = embeddings.detach().double().cpu()
    if not bool(rows.isfinite().all()):
        return Spread(float("nan"), float("nan"))
    centred = rows - rows.mean(dim=0)
    # Rounding of equal rows is no difference between them.
    noise = torch.finfo(torch.float32).eps * float(rows.abs().max())
    values = torch.linalg.svdvals(centred)
    total = float(values.sum())
    if total <= noise * len(rows):
        return Spread(0.0, 0.0)
    share = values[values > 0] / total
    rank = float(torch.exp(-(share * share.log()).sum()))
    return Spread(float(centred.std(dim=0).mean()), round(rank, 9))
