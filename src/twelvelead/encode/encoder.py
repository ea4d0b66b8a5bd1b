"""The encoder, which turns a recording into tokens, and the predictor, which guesses the tokens it was not shown."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from twelvelead.encode.block import INITIAL_STD, Blocks, init_weights
from twelvelead.encode.config import EncoderConfig
from twelvelead.encode.linear import Linear
from twelvelead.encode.positions import sin_cos_table
from twelvelead.terms import InputError

TYPICAL_MV = 0.2
"""Root mean square of a recording's samples, about."""


class Encoder(nn.Module):
    """A transformer over the patches of eight leads.

    Its parameters have the names and shapes of the published checkpoints [1]_.

    Parameters
    ----------
    config : EncoderConfig
        Its shape.

    References
    ----------
    .. [1] Kim (2024), doi:10.48550/arXiv.2410.08559.

    Examples
    --------
    >>> from twelvelead.encode import PRESETS
    >>> encoder, _ = new_model(PRESETS["tiny"], seed=0)
    >>> encoder.represent(torch.zeros(2, 8, 2500)).shape
    torch.Size([2, 64])
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        table = sin_cos_table(config.width, n_leads=config.n_leads, n_patches=config.n_patches)
        self.pos_embed = nn.Parameter(table, requires_grad=False)
        self.W_P = Linear(config.patch, config.width)
        self.encoder_blocks = Blocks(config.width, config.depth, config.heads, drop_path=config.drop_path)
        self.norm = nn.LayerNorm(config.width)
        init_weights(self)

    def forward(self, x: Tensor, *, visible: Tensor | None = None, leads: Sequence[str] | None = None) -> Tensor:
        """Turn recordings into tokens.

        Parameters
        ----------
        x : Tensor, shape (batch, n_leads, n_samples)
            mV, sampled at 250 Hz; rows in the order of `leads`.
        visible : Tensor of int64, shape (batch, n_visible) or (1, n_visible), optional
            The patches to look at, in all leads alike; all of them unless given.
        leads : sequence of str, optional
            The leads that are there, by name and in any order; all of the encoder's unless given.

        Returns
        -------
        Tensor, shape (batch, n_leads * n_visible, width)
            Lead after lead, in the order given.

        Raises
        ------
        InputError
            If a lead is unknown or repeated, or x has another shape.
        """
        positions, patches = self._positions(leads), self._patches(x, leads)
        if visible is not None:
            patches = patches.take_along_dim(visible[:, None, :, None], dim=2)
            positions = positions.take_along_dim(visible[:, None, :, None], dim=2)
        tokens = self.encoder_blocks(self.W_P(patches).flatten(1, 2), positions.flatten(1, 2), x.shape[1])
        out: Tensor = self.norm(tokens)
        return out

    def represent(self, x: Tensor, *, leads: Sequence[str] | None = None) -> Tensor:
        """Turn each recording into one vector, the mean of its tokens.

        Parameters
        ----------
        x, leads
            As `forward` takes them.

        Returns
        -------
        Tensor, shape (batch, width)
        """
        return self.forward(x, leads=leads).mean(dim=1)

    def represent_leads(self, x: Tensor, *, leads: Sequence[str] | None = None) -> Tensor:
        """Turn each lead of each recording into one vector, the mean of its tokens.

        Parameters
        ----------
        x, leads
            As `forward` takes them.

        Returns
        -------
        Tensor, shape (batch, n_leads, width)
        """
        tokens = self.forward(x, leads=leads)
        return tokens.reshape(*x.shape[:2], -1, self.config.width).mean(dim=2)

    def _patches(self, x: Tensor, leads: Sequence[str] | None) -> Tensor:
        """Cut x into patches, shape (batch, n_leads, n_patches, patch)."""
        wanted = (len(self.config.leads if leads is None else leads), self.config.n_samples)
        if x.ndim != 3 or x.shape[1:] != wanted:
            msg = f"an encoder's input must be of shape (batch, {wanted[0]}, {wanted[1]}); got {tuple(x.shape)}. "
            msg += f"Give these leads at 250 Hz: {', '.join(self.config.leads if leads is None else leads)}."
            raise InputError(msg)
        return x.reshape(*x.shape[:2], self.config.n_patches, self.config.patch)

    def _positions(self, leads: Sequence[str] | None) -> Tensor:
        """Positions of the leads there, shape (1, n_leads, n_patches, width)."""
        table = self.pos_embed.view(self.config.n_leads, self.config.n_patches, -1)
        if leads is None:
            return table[None]
        known = self.config.leads
        if not leads or len(set(leads)) < len(leads) or not set(leads) <= set(known):
            msg = f"leads must be some of {', '.join(known)}, each once; got {', '.join(leads) or 'none'}. "
            msg += "Leave out the others."
            raise InputError(msg)
        return table[[known.index(lead) for lead in leads]][None]


class Predictor(nn.Module):
    """A narrow transformer that guesses, lead by lead, the tokens at the times that were hidden.

    Parameters
    ----------
    config : EncoderConfig
        Its shape, and that of the encoder it is fed by.

    References
    ----------
    Kim (2024), doi:10.48550/arXiv.2410.08559.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        width = config.predictor_width
        self.config = config
        self.mask_token = nn.Parameter(torch.empty(1, 1, width).normal_(std=0.02))
        self.pos_embed = nn.Parameter(sin_cos_table(width, n_leads=1, n_patches=config.n_patches), requires_grad=False)
        self.predictor_embed = Linear(config.width, width)
        self.predictor_blocks = Blocks(
            width, config.predictor_depth, config.predictor_heads, drop_path=config.drop_path
        )
        self.predictor_norm = nn.LayerNorm(width)
        self.predictor_proj = Linear(width, config.width)
        init_weights(self)

    def forward(self, tokens: Tensor, *, visible: Tensor, masked: Tensor) -> Tensor:
        """Guess the hidden tokens.

        Parameters
        ----------
        tokens : Tensor, shape (batch, n_leads * n_visible, width)
            The encoder's, of the visible patches.
        visible : Tensor of int64, shape (batch, n_visible) or (1, n_visible)
            Which patches they are of.
        masked : Tensor of int64, shape (batch, n_masked) or (1, n_masked)
            Which are to be guessed.

        Returns
        -------
        Tensor, shape (batch, n_leads, n_masked, width)
        """
        batch, n_visible, n_masked = len(tokens), visible.shape[1], masked.shape[1]
        seen = self.predictor_embed(tokens).reshape(-1, n_visible, self.config.predictor_width)
        n_leads = len(seen) // batch
        rows = torch.cat([seen, self.mask_token.to(seen.dtype).expand(len(seen), n_masked, -1)], dim=1)
        positions = self.pos_embed[torch.cat([visible, masked], dim=1)]
        if len(positions) > 1:
            positions = positions.repeat_interleave(n_leads, dim=0)
        guessed = self.predictor_blocks(rows, positions)[:, n_visible:]
        out: Tensor = self.predictor_proj(self.predictor_norm(guessed))
        return out.view(batch, n_leads, n_masked, -1)


def new_model(
    config: EncoderConfig, *, seed: int, start: Literal["released", "balanced"] = "balanced"
) -> tuple[Encoder, Predictor]:
    """Draw an encoder and its predictor, as they are before any training.

    Parameters
    ----------
    config : EncoderConfig
        Their shape.
    seed : int
        Of the weights; the same seed gives the same bytes.
    start : {"released", "balanced"}
        "released": all weights are small, so that a token is hardly more than its position, which is added before
        every block, and an encoder must first learn to see the ECG. "balanced": the first layer's are as much larger
        as is needed for a patch of `TYPICAL_MV` to weigh as much as its position.

    Returns
    -------
    encoder : Encoder
        In training mode, on the CPU.
    predictor : Predictor
        The same.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder, predictor = Encoder(config), Predictor(config)
    if start == "balanced":
        # the mean square of sines and cosines is 1/2; that of a weighted sum, patch · (TYPICAL_MV · std)²
        encoder.W_P.weight.data.mul_((0.5 / config.patch) ** 0.5 / TYPICAL_MV / INITIAL_STD)
    return encoder, predictor
