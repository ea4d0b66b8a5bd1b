"""Transformer blocks: attention, then a small network on each token, each added to what came in."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from twelvelead.encode.attention import Attention
from twelvelead.encode.linear import Linear

INITIAL_STD = 0.02


class DropPath(nn.Module):
    """Leave a branch out for some rows of a batch in training, and make up for it in the others.

    Parameters
    ----------
    probability : float
        Of leaving it out.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """Return what is left of a branch of shape (batch, n_tokens, width)."""
        if not self.training or self.probability == 0:
            return x
        kept = 1 - self.probability
        return x * x.new_empty(len(x), 1, 1).bernoulli_(kept).div_(kept)


class Mlp(nn.Module):
    """Two layers on each token by itself, four times as wide between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = Linear(width, 4 * width)
        self.fc2 = Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Return tokens of the same shape."""
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class Block(nn.Module):
    """Normalise and attend, normalise and think; both are added to the tokens."""

    def __init__(self, width: int, heads: int, *, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, n_leads: int | None = None) -> Tensor:
        """Return tokens of the same shape (batch, n_tokens, width); `n_leads` as in `Attention.forward`."""
        x = x + self.drop_path(self.attn(self.norm1(x), n_leads))
        out: Tensor = x + self.drop_path(self.mlp(self.norm2(x)))
        return out


class Blocks(nn.Module):
    """A stack of blocks before each of which the positions are added again.

    Parameters
    ----------
    width, depth, heads : int
        Channels per token, blocks, heads.
    drop_path : float
        Of the last block; it grows linearly from 0 at the first.
    """

    def __init__(self, width: int, depth: int, heads: int, *, drop_path: float) -> None:
        super().__init__()
        rates = torch.linspace(0, drop_path, depth).tolist()
        self.blocks = nn.ModuleList(Block(width, heads, drop_path=rate) for rate in rates)

    def forward(self, x: Tensor, positions: Tensor, n_leads: int | None = None) -> Tensor:
        """Return tokens of the same shape; positions are of it too, or of one row for all."""
        for block in self.blocks:
            x = block(x + positions, n_leads)
        return x


def init_weights(module: nn.Module) -> None:
    """Start small: normal weights of 0.02, no bias, and the deeper a block, the less it adds.

    Parameters
    ----------
    module : nn.Module
        All its linear layers are drawn anew, from torch's own generator; the last layers of both branches of block
        n = 1, 2, … of its stacks are divided by √(2n).
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=INITIAL_STD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for stack in module.modules():
        if isinstance(stack, Blocks):
            for number, block in enumerate(stack.blocks, start=1):
                for last in (block.get_submodule("attn.proj"), block.get_submodule("mlp.fc2")):
                    last.get_parameter("weight").data.div_(math.sqrt(2 * number))
