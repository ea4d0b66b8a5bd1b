"""Cross-pattern attention: a token attends to its own lead at all times, and to all leads at its own time."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from twelvelead.encode.linear import Linear


def cross_pattern(n_leads: int, n_times: int, *, device: torch.device | None = None) -> Tensor:
    """Say which token may attend to which.

    Parameters
    ----------
    n_leads, n_times : int
        Tokens are numbered lead after lead. Where only some times are seen, n_times is how many: tokens of one time
        still stand at one place of each lead, whichever times were drawn for which recording.
    device : torch.device, optional
        Where it is needed.

    Returns
    -------
    Tensor of bool, shape (n_leads * n_times, n_leads * n_times)
        True where both tokens are of one lead or of one time: n_times + n_leads - 1 in each row.

    References
    ----------
    Kim (2024), doi:10.48550/arXiv.2410.08559.

    Examples
    --------
    Of two leads at two times, a token does not see the other lead at the other time.

    >>> cross_pattern(2, 2).int().tolist()
    [[1, 1, 1, 0], [1, 1, 0, 1], [1, 0, 1, 1], [0, 1, 1, 1]]
    """
    token = torch.arange(n_leads * n_times, device=device)
    lead, time = token // n_times, token % n_times
    return (lead[:, None] == lead) | (time[:, None] == time)


def attend_masked(q: Tensor, k: Tensor, v: Tensor, *, n_leads: int) -> Tensor:
    """Attend along the cross pattern: all scores, of which those outside are struck out.

    Parameters
    ----------
    q, k, v : Tensor, shape (batch, heads, n_leads * n_times, channels)
        Queries, keys and values, lead after lead.
    n_leads : int
        Leads.

    Returns
    -------
    Tensor, shape (batch, heads, n_leads * n_times, channels)
    """
    allowed = cross_pattern(n_leads, q.shape[2] // n_leads, device=q.device)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)


def attend_axial(q: Tensor, k: Tensor, v: Tensor, *, n_leads: int) -> Tensor:
    """Attend along the cross pattern: only the scores inside it, those of the own lead and those of the own time.

    The same as `attend_masked` up to rounding, with 58 scores for each of 400 tokens instead of 400.

    Parameters
    ----------
    q, k, v : Tensor, shape (batch, heads, n_leads * n_times, channels)
        Queries, keys and values, lead after lead.
    n_leads : int
        Leads.

    Returns
    -------
    Tensor, shape (batch, heads, n_leads * n_times, channels)

    Notes
    -----
    Both sets of scores share one softmax. A token meets itself in both and is counted in the first.
    """
    q_row, k_row, v_row = (t.unflatten(2, (n_leads, -1)) for t in (q * q.shape[-1] ** -0.5, k, v))
    q_column, k_column, v_column = (t.transpose(2, 3) for t in (q_row, k_row, v_row))
    itself = torch.eye(n_leads, dtype=torch.bool, device=q.device)
    row = q_row @ k_row.mT
    column = (q_column @ k_column.mT).masked_fill(itself, -math.inf)
    most = torch.maximum(row.amax(-1), column.amax(-1).mT).detach().unsqueeze(-1)
    row, column = (row - most).exp(), (column - most.transpose(2, 3)).exp()
    total = row.sum(-1, keepdim=True) + column.sum(-1, keepdim=True).transpose(2, 3)
    out: Tensor = (row @ v_row + (column @ v_column).transpose(2, 3)) / total
    return out.flatten(2, 3)


class Attention(nn.Module):
    """Self-attention of several heads.

    Parameters
    ----------
    width : int
        Channels per token.
    heads : int
        They share the channels; scores are divided by the square root of a head's channels.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Linear(width, 3 * width, bias=False)
        self.proj = Linear(width, width)

    def forward(self, x: Tensor, n_leads: int | None = None) -> Tensor:
        """Mix tokens.

        Parameters
        ----------
        x : Tensor, shape (batch, n_tokens, width)
            Tokens, lead after lead.
        n_leads : int, optional
            Attend along the cross pattern of so many leads; all to all unless given.

        Returns
        -------
        Tensor, shape (batch, n_tokens, width)
        """
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if n_leads is None:
            mixed = F.scaled_dot_product_attention(q, k, v)
        elif x.device.type == "cpu":  # the axial form is the faster there; a GPU has a kernel for the other
            mixed = attend_axial(q, k, v, n_leads=n_leads)
        else:
            mixed = attend_masked(q, k, v, n_leads=n_leads)
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out
