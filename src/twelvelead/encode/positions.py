"""Where a token stands, in time and among the leads, as fixed waves of many lengths."""

import numpy as np
import torch
from torch import Tensor


def sin_cos_table(width: int, *, n_leads: int, n_patches: int) -> Tensor:
    """Give each token the position that is added to it.

    Parameters
    ----------
    width : int
        Channels per token, a multiple of 4.
    n_leads, n_patches : int
        Tokens are numbered lead after lead: `token = lead * n_patches + patch`.

    Returns
    -------
    Tensor of float32, shape (n_leads * n_patches, width)
        The first half of the channels tells the patch, the second the lead.

    Notes
    -----
    A half of h channels tells position p by sin(p/10000^(2j/h)), j = 0 … h/2 - 1, then by cos of the same [1]_.
    Computed in float64, then rounded, as published.

    References
    ----------
    .. [1] Kim (2024), doi:10.48550/arXiv.2410.08559.

    Examples
    --------
    Two leads of one patch: every patch is number 0, leads are 0 and 1, and sin 1 = 0.84, cos 1 = 0.54.

    >>> [[round(v, 2) for v in row] for row in sin_cos_table(4, n_leads=2, n_patches=1).tolist()]
    [[0.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.84, 0.54]]
    """
    token = np.arange(n_leads * n_patches)
    frequency = 1 / 10000 ** (np.arange(width // 4) / (width / 4))
    halves = []
    for place in (token % n_patches, token // n_patches):
        angle = np.outer(place, frequency)
        halves += [np.sin(angle), np.cos(angle)]
    return torch.from_numpy(np.concatenate(halves, axis=1)).float()
