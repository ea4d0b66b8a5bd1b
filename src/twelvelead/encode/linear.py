"""A linear layer that uses the fastest product of matrices there is on a processor."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Linear(nn.Linear):
    """torch's linear layer: the same names, shapes and start, and the same numbers up to rounding.

    Notes
    -----
    In float32 on a processor, torch multiplies by MKL, which keeps from other makers' processors than Intel's half of
    what they can do. oneDNN, which torch brings along as well and uses for bfloat16, does not: on a Zen 5 it is twice
    as fast, in full float32 (`bench/encode.py`). Where it is not there, and on a GPU, this is torch's own layer.

    Examples
    --------
    >>> layer = Linear(2, 1)
    >>> with torch.no_grad():
    ...     _ = layer.weight.copy_(torch.tensor([[2.0, 3.0]])), layer.bias.fill_(1.0)
    >>> layer(torch.tensor([[10.0, 100.0]])).tolist()
    [[321.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return x @ weightᵀ + bias, over the last dimension."""
        if not _served(x, self.weight):
            return F.linear(x, self.weight, self.bias)
        if not torch.is_grad_enabled():
            return _product(x, self.weight, self.bias)
        out: Tensor = _Linear.apply(x, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return out


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN205 - torch has no types for it
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN205
        x, weight = ctx.saved_tensors
        wants_x, wants_weight, wants_bias = ctx.needs_input_grad
        rows = grad.flatten(0, -2)
        of_x = _product(grad, weight.t()) if wants_x else None
        of_weight = _product(rows.t(), x.flatten(0, -2).t()) if wants_weight else None
        return of_x, of_weight, rows.sum(0) if wants_bias else None


def _product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply by oneDNN; weight is of shape (out, in), as a layer's is."""
    out: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return out


def _served(x: Tensor, weight: Tensor) -> bool:
    """Whether oneDNN is there for these."""
    return (
        x.device.type == "cpu"
        and x.dtype == weight.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and not torch.compiler.is_compiling()  # which chooses for itself
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )
