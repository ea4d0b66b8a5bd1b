"""A small transformer over a heartbeat, whose attention can be followed to its answer, also weighed by gradients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from twelvelead.encode.positions import sin_cos_table
from twelvelead.terms import InputError


@dataclass(frozen=True)
class BeatConfig:
    """The shape of a `BeatTransformer`.

    Parameters
    ----------
    n_leads, n_samples : int
        Rows of the input, and samples of each.
    patch : int
        Samples per patch; all leads of a patch are one token.
    width, depth, heads : int
        Channels per token, blocks, and heads that share the channels.

    Raises
    ------
    InputError
        If the samples are not whole patches, or the width is no multiple of 4 and of the heads.
    """

    n_leads: int
    n_samples: int
    patch: int
    width: int = 64
    depth: int = 4
    heads: int = 4

    def __post_init__(self) -> None:
        if min(self.n_leads, self.n_samples, self.patch, self.depth, self.heads) < 1 or self.n_samples % self.patch:
            msg = f"sizes must be 1 or more, and the samples whole patches; got {self}. Change that."
            raise InputError(msg)
        if self.width < 4 or self.width % 4 or self.width % self.heads:
            msg = f"width must be a multiple of 4 and of the heads; got {self.width} with {self.heads}. Change one."
            raise InputError(msg)

    @property
    def n_patches(self) -> int:
        """Patches of a beat."""
        return self.n_samples // self.patch


class _Block(nn.Module):
    """Attention whose weights are returned, then two layers on each token; both are added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        batch, n, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        weights = (q @ k.mT * (width // self.heads) ** -0.5).softmax(dim=-1)
        x = x + self.proj((weights @ v).transpose(1, 2).reshape(batch, n, width))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x)))), weights


class BeatTransformer(nn.Module):
    """A vision transformer over beats that are aligned at their R peak, with one head for each question.

    Parameters
    ----------
    config : BeatConfig
        Its shape.
    heads : mapping of str to int
        Outputs of each head: as many as persons for identity, 1 for sex (log-odds), 1 for age (years, standardised) or
        as many as its classes.

    Notes
    -----
    TransECG puts such a transformer to the questions of identity, sex and age, and says which part of the beat it
    attends to [1]_. Of its architecture only the abstract could be had: patches, a class token, and this one's sizes
    are ours. Fixed positions, so that only what a beat looks like is learnt.

    References
    ----------
    .. [1] doi:10.48550/arXiv.2503.13495

    Examples
    --------
    >>> beats = torch.zeros(3, 1, 200)
    >>> model = BeatTransformer(BeatConfig(1, 200, 10), {"identity": 7, "sex": 1})
    >>> {name: tuple(out.shape) for name, out in model(beats).items()}
    {'identity': (3, 7), 'sex': (3, 1)}
    """

    def __init__(self, config: BeatConfig, heads: Mapping[str, int]) -> None:
        super().__init__()
        self.config = config
        self.patches = nn.Linear(config.n_leads * config.patch, config.width)
        self.cls = nn.Parameter(torch.empty(1, 1, config.width).normal_(std=0.02))
        self.register_buffer("positions", sin_cos_table(config.width, n_leads=1, n_patches=config.n_patches))
        self.blocks = nn.ModuleList(_Block(config.width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(config.width)
        self.heads = nn.ModuleDict({name: nn.Linear(config.width, n) for name, n in heads.items()})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Answer each question of each beat.

        Parameters
        ----------
        x : Tensor, shape (batch, n_leads, n_samples)
            Beats, aligned.

        Returns
        -------
        dict of str to Tensor of shape (batch, n_outputs)
        """
        return self.attend(x)[0]

    def represent(self, x: Tensor) -> Tensor:
        """Turn each beat into one vector, its class token; shape (batch, width)."""
        return self._tokens(x)[0][:, 0]

    def attend(self, x: Tensor) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Answer, and give with it the attention of each block.

        Parameters
        ----------
        x : Tensor, shape (batch, n_leads, n_samples)
            Beats, aligned.

        Returns
        -------
        answers : dict of str to Tensor of shape (batch, n_outputs)
        attention : list of Tensor of shape (batch, heads, 1 + n_patches, 1 + n_patches)
            Rows sum to 1. Token 0 is the class token. In the graph, so that a gradient by them can be had.
        """
        tokens, attention = self._tokens(x)
        return {name: head(tokens[:, 0]) for name, head in self.heads.items()}, attention

    def _tokens(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        wanted = (self.config.n_leads, self.config.n_samples)
        if x.ndim != 3 or tuple(x.shape[1:]) != wanted:
            msg = f"beats must be of shape (batch, {wanted[0]}, {wanted[1]}); got {tuple(x.shape)}. Cut them so."
            raise InputError(msg)
        cut = x.view(len(x), wanted[0], -1, self.config.patch).transpose(1, 2).flatten(2)
        tokens = self.patches(cut) + self.get_buffer("positions")
        tokens = torch.cat([self.cls.expand(len(x), -1, -1), tokens], dim=1)
        attention = []
        for block in self.blocks:
            tokens, weights = block(tokens)
            attention.append(weights)
        return self.norm(tokens), attention


def rollout(attention: Sequence[Tensor]) -> Tensor:
    """Follow attention through all blocks: how much of each token has reached each, were values left unchanged.

    Parameters
    ----------
    attention : sequence of Tensor of shape (batch, heads, n, n)
        Of each block, the first first; rows sum to 1.

    Returns
    -------
    Tensor, shape (batch, n, n)
        Rows sum to 1.

    Raises
    ------
    InputError
        If there is no block.

    Notes
    -----
    The product over blocks of half the mean attention over heads and half the identity, for the way around a block
    [1]_. It says what could have been used, not what was, and nothing of which answer; see `gradient_rollout`, and
    compare either with what is left out when a part of the beat is replaced.

    References
    ----------
    .. [1] Abnar S, Zuidema W. Quantifying attention flow in transformers. doi:10.48550/arXiv.2005.00928

    Examples
    --------
    >>> rollout([torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])]).tolist()
    [[[0.5, 0.5], [0.0, 1.0]]]
    """
    joined = _start(attention)
    eye = joined
    for weights in attention:
        joined = (0.5 * weights.mean(dim=1) + 0.5 * eye) @ joined
    return joined


def gradient_rollout(attention: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    """Follow, through all blocks, only the attention that raises an answer.

    Parameters
    ----------
    attention, gradients : sequence of Tensor of shape (batch, heads, n, n)
        Of each block, the first first: its attention, and the gradient of the answer by it.

    Returns
    -------
    Tensor, shape (batch, n, n)
        Relevance of each token (column) to each (row), 0 or more; row 0 is what the answer came from. All 0 where the
        gradients are 0 or less.

    Raises
    ------
    InputError
        If there is no block, or not a gradient for each.

    Notes
    -----
    R becomes R + Ā R at each block, beginning with the identity, Ā being the mean over heads of the positive parts of
    gradient times attention [1]_; the identity, a token's relevance to itself, is taken away at the end.

    References
    ----------
    .. [1] Chefer H, Gur S, Wolf L. Generic attention-model explainability for interpreting bi-modal and
       encoder-decoder transformers. doi:10.48550/arXiv.2103.15679
    """
    relevance = eye = _start(attention)
    if len(gradients) != len(attention):
        msg = f"each block must have a gradient; got {len(gradients)} for {len(attention)}. Ask for all of them."
        raise InputError(msg)
    for weights, gradient in zip(attention, gradients, strict=True):
        relevance = relevance + (gradient * weights).clamp(min=0).mean(dim=1) @ relevance
    return relevance - eye


def explain_beats(model: BeatTransformer, x: Tensor, *, head: str, output: int) -> tuple[Tensor, Tensor]:
    """Say, for each beat, how much each patch is attended to, and how much of that raises an answer.

    Parameters
    ----------
    model : BeatTransformer
        Any.
    x : Tensor, shape (batch, n_leads, n_samples)
        Beats, aligned.
    head : str
        The question.
    output : int
        Which of its outputs.

    Returns
    -------
    attended : Tensor, shape (batch, n_patches)
        Row of the class token in `rollout`; the rest of 1 is the class token's own.
    raising : Tensor, shape (batch, n_patches)
        The same of `gradient_rollout`.
    """
    with torch.enable_grad():
        answers, attention = model.attend(x)
        gradients = torch.autograd.grad(answers[head][:, output].sum(), attention)
    kept = [weights.detach() for weights in attention]
    return rollout(kept)[:, 0, 1:], gradient_rollout(kept, gradients)[:, 0, 1:]


def _start(attention: Sequence[Tensor]) -> Tensor:
    """Give the identity for each beat, shape (batch, n, n)."""
    if not attention:
        msg = "rollout needs the attention of a block or more; got none. Give that of all blocks."
        raise InputError(msg)
    batch, _, n, _ = attention[0].shape
    return torch.eye(n, dtype=attention[0].dtype, device=attention[0].device).expand(batch, n, n)
