"""One step against AdamW by hand; a training that goes on as if it had never stopped; processes that share a batch."""

import copy
from dataclasses import replace

import pytest
import torch
from tests.encode.models import SMALL, recordings

from twelvelead.encode import (
    RECIPES,
    Plan,
    check_training,
    draw_masks,
    latent_loss,
    restore,
    snapshot,
    start_training,
    train_step,
)
from twelvelead.encode.pretrain import _draw, _number
from twelvelead.terms import InputError

CPU = torch.device("cpu")
NOISY = replace(SMALL, drop_path=0.4)
SOUND = replace(RECIPES["sound"], lr=1e-2, warm_up=0.0, batch=4)


def begin(config=SMALL, recipe=SOUND, *, n_steps=8, seed=1):
    return start_training(Plan(config, recipe, n_steps, seed), device=CPU)


def same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("clip", [None, 1e-3])
def test_a_step_is_adamw_and_the_teacher_follows(clip):
    recipe = replace(SOUND, clip_norm=clip, weight_decay=0.1, ema=(0.996, 1.0))
    training, x = begin(recipe=recipe), recordings(SMALL, n=4, seed=2)
    before = copy.deepcopy(training.objective)
    visible, masked = _draw(training, 4)
    parts = {name: getattr(before, name) for name in ("encoder", "predictor", "teacher")}
    wanted = latent_loss(x, **parts, visible=visible, masked=masked, recipe=recipe)
    wanted.backward()
    named = {name: p for name, p in before.named_parameters() if p.requires_grad}
    norm = sum(float((p.grad.double() ** 2).sum()) for p in named.values()) ** 0.5
    assert train_step(training, x).item() == pytest.approx(wanted.item(), abs=1e-6)
    for name, after in training.objective.named_parameters():
        if name not in named:
            continue
        p = named[name].detach().double()
        g = named[name].grad.double() * (1 if clip is None else clip / (norm + 1e-6))
        decay = 0.1 if p.ndim > 1 else 0.0
        expected = p * (1 - 1e-2 * decay) - 1e-2 * g / (g.abs() + 1e-8)  # of the first step the moments are g and g²
        far = g.abs() > 1e-6  # where g is as small as AdamW's ε, its rounding shows
        torch.testing.assert_close(after.double()[far], expected[far], rtol=0, atol=2e-5)
    teacher = dict(training.objective.teacher.named_parameters())
    for name, after in training.objective.encoder.named_parameters():
        old = before.teacher.get_parameter(name)
        torch.testing.assert_close(teacher[name], 0.996 * old + 0.004 * after.detach(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("recipe", ["sound", "paper", "paper-random"])
def test_stopped_and_gone_on_is_the_same_bytes(recipe):
    recipe = replace(RECIPES[recipe], lr=1e-3, batch=4)
    batches = [recordings(NOISY, n=4, seed=seed) for seed in range(6)]
    straight = begin(NOISY, recipe)
    for x in batches:
        train_step(straight, x)
    first = begin(NOISY, recipe)
    for x in batches[:3]:
        train_step(first, x)
    kept = snapshot(first)
    train_step(first, batches[5])  # what is done after the snapshot is lost
    torch.rand(3)  # and others draw numbers, too
    second = begin(NOISY, recipe, seed=1)
    restore(second, kept)
    assert second.step == 3
    for x in batches[3:]:
        train_step(second, x)
    same(snapshot(straight), snapshot(second))


def test_the_seed_matters_and_nothing_else_does():
    x = recordings(NOISY, n=4, seed=0)
    states = []
    for seed in (1, 1, 2):
        torch.rand(seed)
        training = begin(NOISY, seed=seed)
        train_step(training, x)
        states.append(snapshot(training))
    same(states[0], states[1])
    assert not torch.equal(states[0]["model.encoder.W_P.weight"], states[2]["model.encoder.W_P.weight"])


def test_a_step_leaves_the_callers_random_numbers_alone():
    training, before = begin(NOISY), torch.get_rng_state()
    train_step(training, recordings(NOISY, n=4, seed=0))
    assert torch.equal(torch.get_rng_state(), before)


def test_masks_differ_from_step_to_step_and_are_dealt_out_to_processes():
    one = begin(recipe=replace(SOUND, views=2))
    whole = _draw(one, 4)
    parts = []
    for rank in range(2):
        mine = begin(recipe=replace(SOUND, views=2))
        mine.rank, mine.n_ranks = rank, 2
        parts.append(_draw(mine, 2))
    for drawn, left, right in zip(whole, *parts, strict=True):
        views = torch.stack([left.view(2, 2, -1), right.view(2, 2, -1)], dim=1)  # view, process, recording
        assert torch.equal(drawn, views.view(8, -1))
    one.step = 1
    assert any(a.shape != b.shape or not torch.equal(a, b) for a, b in zip(whole, _draw(one, 4), strict=True))


def test_several_views_are_trained_on_together():
    training = begin(recipe=replace(SOUND, views=3))
    assert torch.isfinite(train_step(training, recordings(SMALL, n=4, seed=0)))
    assert training.step == 1


def test_a_check_changes_nothing_and_repeats():
    training, x = begin(NOISY), recordings(NOISY, n=4, seed=0)
    train_step(training, x)
    before = snapshot(training)
    one, other = (check_training(training, [x[:2], x[2:]]) for _ in range(2))
    assert one == other
    same(before, snapshot(training))
    assert training.objective.encoder.training
    assert training.objective.predictor.training


def test_a_check_is_the_mean_over_recordings_with_every_branch_there():
    training, x = begin(NOISY, replace(RECIPES["paper-random"], mask_ratio=(0.5, 0.5))), recordings(NOISY, n=5, seed=0)
    loss, spread = check_training(training, [x[:4], x[4:]])
    kept = copy.deepcopy(training.objective).eval()
    parts = {"encoder": kept.encoder, "predictor": kept.predictor, "teacher": kept.teacher}
    generator, wanted = torch.Generator().manual_seed(_number(1, "check")), 0.0
    for piece in (x[:4], x[4:]):
        recipe = training.plan.recipe
        visible, masked = draw_masks(recipe, batch=len(piece), n_patches=NOISY.n_patches, generator=generator)
        with torch.no_grad():
            wanted += len(piece) / 5 * latent_loss(piece, **parts, visible=visible, masked=masked, recipe=recipe).item()
    assert loss == pytest.approx(wanted, abs=1e-6)
    tokens = kept.encoder(x).detach().mean(dim=1)
    assert spread.std == pytest.approx(tokens.double().std(dim=0).mean().item(), rel=1e-5)


def test_bfloat16_products_come_near_and_weights_stay_float32():
    x, losses = recordings(SMALL, n=4, seed=0), []
    for precision in ("float32", "bfloat16"):
        training = start_training(Plan(SMALL, SOUND, 8, 1, precision), device=CPU)
        losses.append(train_step(training, x).item())
        assert {p.dtype for p in training.objective.parameters()} == {torch.float32}
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1] != losses[0]


def test_a_snapshot_of_another_shape_is_refused():
    other = begin(replace(SMALL, depth=2))
    with pytest.raises(InputError, match="another folder"):
        restore(begin(), snapshot(other))


@pytest.mark.parametrize("wrong", [{"n_steps": 0}, {"seed": -1}])
def test_a_plan_that_can_not_be(wrong):
    with pytest.raises(InputError, match="steps must be 1 or more"):
        Plan(**{"config": SMALL, "recipe": SOUND, "n_steps": 1, "seed": 0, **wrong})


def test_learning_lowers_the_loss_of_recordings_not_trained_on_and_keeps_them_apart():
    """Of waves that differ in rate and height."""
    t, generator = torch.arange(SMALL.n_samples), torch.Generator().manual_seed(0)
    rate, height = (torch.rand(24, 1, 1, generator=generator) for _ in range(2))
    x = (0.5 + height) * torch.sin((0.3 + 0.1 * rate) * t) * torch.linspace(0.5, 1.5, SMALL.n_leads)[:, None]
    training = begin(recipe=replace(SOUND, lr=1e-2, warm_up=0.1), n_steps=80)
    before, _ = check_training(training, [x[16:]])
    for _ in range(80):
        train_step(training, x[:16])
    after, spread = check_training(training, [x[16:]])
    assert after < 0.98 * before
    assert spread.effective_rank > 1.5
