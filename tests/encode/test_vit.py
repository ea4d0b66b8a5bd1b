from functools import partial

import pytest
import torch

from twelvelead.encode.vit import BeatConfig, BeatTransformer, explain_beats, gradient_rollout, rollout
from twelvelead.terms import InputError

CONFIG = BeatConfig(n_leads=2, n_samples=60, patch=10, width=16, depth=3, heads=2)


def model_of(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return BeatTransformer(CONFIG, {"identity": 5, "sex": 1, "age": 1}).eval()


def beats(n, *, seed):
    return torch.randn(n, 2, 60, generator=torch.Generator().manual_seed(seed))


def attention(*, blocks, n, seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(2, 3, n, n, generator=generator, dtype=torch.float64).softmax(dim=-1) for _ in range(blocks)]


def test_rollout_of_identity_is_identity():
    eye = torch.eye(4).expand(2, 3, 4, 4)
    assert torch.equal(rollout([eye, eye, eye]), torch.eye(4).expand(2, 4, 4))


def test_rollout_by_hand():
    """Two blocks of one head: block 1 swaps, block 2 looks at token 0 alone."""
    swap = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    first = torch.tensor([[[[1.0, 0.0], [1.0, 0.0]]]])
    # (I + first)/2 = [[1, 0], [.5, .5]]; (I + swap)/2 = [[.5, .5], [.5, .5]]; their product has .5 everywhere.
    assert rollout([swap, first]).tolist() == [[[0.5, 0.5], [0.5, 0.5]]]
    # The other way round: [[.5, .5], [.5, .5]] times [[1, 0], [.5, .5]].
    assert rollout([first, swap]).tolist() == [[[0.75, 0.25], [0.75, 0.25]]]


def test_rows_of_rollout_sum_to_one():
    out = rollout(attention(blocks=4, n=7, seed=0))
    torch.testing.assert_close(out.sum(dim=-1), torch.ones(2, 7, dtype=torch.float64))
    assert (out >= 0).all()


def test_gradient_rollout_is_zero_where_gradients_are_zero_or_less():
    given = attention(blocks=3, n=5, seed=1)
    assert torch.equal(gradient_rollout(given, [torch.zeros_like(a) for a in given]), torch.zeros(2, 5, 5).double())
    assert torch.equal(gradient_rollout(given, [-torch.ones_like(a) for a in given]), torch.zeros(2, 5, 5).double())


def test_gradient_rollout_by_hand():
    """One head, two blocks, by the recurrence R ← R + Ā R written out."""
    a, b = torch.tensor([[0.5, 0.5], [0.25, 0.75]]), torch.tensor([[1.0, 0.0], [0.5, 0.5]])
    ga, gb = torch.tensor([[2.0, -1.0], [0.0, 4.0]]), torch.tensor([[1.0, 1.0], [2.0, -2.0]])
    # Ā₁ = [[1, 0], [0, 3]]; R = diag(2, 4). Ā₂ = [[1, 0], [1, 0]]; R = [[2 + 2, 0], [0 + 2, 4]]; less the identity.
    got = gradient_rollout([a[None, None], b[None, None]], [ga[None, None], gb[None, None]])
    assert got.tolist() == [[[3.0, 0.0], [2.0, 3.0]]]


def test_attention_of_the_model_sums_to_one_and_explains_each_patch():
    model, x = model_of(0), beats(3, seed=1)
    answers, attended = model.attend(x)
    assert {name: tuple(out.shape) for name, out in answers.items()} == {
        "identity": (3, 5),
        "sex": (3, 1),
        "age": (3, 1),
    }
    assert [tuple(a.shape) for a in attended] == [(3, 2, 7, 7)] * 3
    for weights in attended:
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, 2, 7))
    mass, raising = explain_beats(model, x, head="identity", output=2)
    assert mass.shape == raising.shape == (3, 6)
    assert ((mass >= 0) & (mass.sum(dim=1, keepdim=True) <= 1)).all()
    assert (raising >= 0).all()
    assert raising.max() > 0


def test_a_head_without_weights_has_no_reason():
    """Where nothing depends on the beat, no patch raises the answer; attention alone would still point at some."""
    model = model_of(1)
    torch.nn.init.zeros_(model.heads["sex"].weight)
    mass, raising = explain_beats(model, beats(2, seed=2), head="sex", output=0)
    assert torch.equal(raising, torch.zeros(2, 6))
    assert mass.max() > 0


def test_gradients_are_those_of_the_answer():
    """By finite differences: what is added to one weight of attention moves the answer as the gradient says."""
    model = model_of(2).double()
    x = beats(1, seed=3).double()
    with torch.enable_grad():
        answers, attended = model.attend(x)
        gradient = torch.autograd.grad(answers["age"][0, 0], attended[-1])[0][0, 1, 0]
    block = model.blocks[-1]
    plain = block.forward

    def nudged(tokens, by):
        weights = plain(tokens)[1].clone()
        weights[0, 1, 0, 4] += by
        v = block.qkv(block.norm1(tokens)).view(1, 7, 3, 2, -1).permute(2, 0, 3, 1, 4)[2]
        mixed = tokens + block.proj((weights @ v).transpose(1, 2).reshape(1, 7, 16))
        return mixed + block.fc2(torch.nn.functional.gelu(block.fc1(block.norm2(mixed)))), weights

    values = {}
    for by in (1e-5, -1e-5):
        block.forward = partial(nudged, by=by)
        values[by] = model(x)["age"][0, 0].item()
    assert (values[1e-5] - values[-1e-5]) / 2e-5 == pytest.approx(gradient[4].item(), rel=1e-4)


def test_beats_of_another_shape_are_refused():
    with pytest.raises(InputError, match="must be of shape"):
        model_of(0)(torch.zeros(1, 2, 50))
    with pytest.raises(InputError, match="whole patches"):
        BeatConfig(1, 105, 10)
    with pytest.raises(InputError, match="multiple of 4"):
        BeatConfig(1, 100, 10, width=18, heads=3)
    with pytest.raises(InputError, match="or more"):
        rollout([])
    with pytest.raises(InputError, match="a gradient"):
        gradient_rollout(attention(blocks=2, n=3, seed=0), [])
