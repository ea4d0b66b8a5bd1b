"""The layer beside torch's own, forwards and backwards, on the ways that are there."""

import pytest
import torch
from torch import nn

from twelvelead.encode.linear import Linear


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7,), (3, 5, 7), (2, 1, 4, 7)])
def test_it_is_a_linear_layer_and_so_are_its_gradients(bias, shape):
    torch.manual_seed(0)
    ours, plain = Linear(7, 11, bias=bias), nn.Linear(7, 11, bias=bias, dtype=torch.float64)
    plain.load_state_dict(ours.state_dict())
    x = torch.randn(shape).transpose(0, -2) if len(shape) > 2 else torch.randn(1, *shape)
    given, same = x.clone().requires_grad_(), x.double().requires_grad_()
    out, want = ours(given), plain(same)
    weights = torch.randn(out.shape)
    (out * weights).sum().backward()
    (want * weights.double()).sum().backward()
    torch.testing.assert_close(out, want.float(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(given.grad, same.grad.float(), rtol=1e-5, atol=1e-5)
    for got, wanted in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(got.grad, wanted.grad.float(), rtol=1e-5, atol=1e-5)


def test_a_sum_of_small_and_large_keeps_float32():
    """In bfloat16, which has 8 bits, 256 + 1 would be 256."""
    layer = Linear(2, 16, bias=False)
    nn.init.ones_(layer.weight)
    out = layer(torch.tensor([[256.0, 1.0]]).expand(16, -1))
    assert torch.equal(out, torch.full((16, 16), 257.0))


def test_without_gradients_it_is_the_same():
    layer, x = Linear(6, 5), torch.randn(4, 6)
    with torch.inference_mode():
        quick = layer(x)
    assert torch.equal(quick, layer(x))


def test_what_it_does_not_serve_torch_does():
    layer, x = Linear(4, 3), torch.randn(5, 4)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    assert layer.double()(x.double()).dtype == torch.float64
