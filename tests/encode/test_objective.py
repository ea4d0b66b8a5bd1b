import copy
from dataclasses import replace

import pytest
import torch
from tests.encode import plain_encoder as plain
from tests.encode.models import SMALL, encoder_of, predictor_of, recordings

from twelvelead.encode import PRESETS, RECIPES, draw_masks, ema_update, latent_loss, make_teacher, new_model

VISIBLE = torch.tensor([[0, 3, 4], [1, 2, 8]])
MASKED = torch.tensor([[1, 2, 5, 9], [0, 3, 4, 7]])


def parts():
    (encoder, encoder_state), (teacher, teacher_state) = (encoder_of(SMALL, seed=seed) for seed in (1, 2))
    predictor, predictor_state = predictor_of(SMALL, seed=3)
    states = {"encoder": encoder_state, "teacher": teacher_state, "predictor": predictor_state}
    return {"encoder": encoder, "teacher": make_teacher(teacher), "predictor": predictor}, states


@pytest.mark.parametrize("recipe", ["paper", "sound"])
def test_loss_and_gradients_equal_the_plain_ones(recipe):
    modules, states = parts()
    x = recordings(SMALL, n=2, seed=4)
    loss = latent_loss(x, **modules, visible=VISIBLE, masked=MASKED, recipe=RECIPES[recipe])
    loss.backward()
    for name in ("encoder", "predictor"):
        for weight, tensor in states[name].items():
            tensor.requires_grad_(weight != "pos_embed")
    want = plain.loss(x.double(), states, SMALL, visible=VISIBLE, masked=MASKED, recipe=RECIPES[recipe])
    want.backward()
    assert float(loss.detach()) == pytest.approx(float(want.detach()), abs=1e-5)
    for name in ("encoder", "predictor"):
        got = {n: p.grad for n, p in modules[name].named_parameters() if p.requires_grad}
        assert got.keys() == states[name].keys() - {"pos_embed"}
        scale = max(float(states[name][n].grad.abs().max()) for n in got)
        worst = max(float((g - states[name][n].grad).abs().max()) for n, g in got.items())
        assert worst < 1e-5 * max(scale, 1)
        assert scale > 1e-3  # there is something to compare
    assert all(p.grad is None for p in modules["teacher"].parameters())


def test_loss_is_zero_for_a_guess_that_equals_the_target():
    modules, _ = parts()
    x = recordings(SMALL, n=2, seed=4)
    tokens = modules["teacher"](x).view(2, 8, 10, -1)
    for recipe in RECIPES.values():
        whole = plain.norm(tokens) if recipe.target == "token" else plain.centre(tokens)
        target = torch.stack([t[:, m] for t, m in zip(whole, MASKED, strict=True)])
        modules["predictor"].forward = lambda tokens, *, visible, masked, target=target: target
        assert float(latent_loss(x, **modules, visible=VISIBLE, masked=MASKED, recipe=recipe).detach()) < 1e-5


def test_what_a_place_alone_tells_is_no_part_of_a_centred_target():
    """Equal recordings differ in nothing: a guess of 0 is right, wherever it is asked for."""
    modules, _ = parts()
    modules["predictor"].forward = lambda tokens, *, visible, masked: torch.zeros(2, 8, masked.shape[1], 24)
    x = recordings(SMALL, n=1, seed=4)
    losses = [
        float(latent_loss(both, **modules, visible=VISIBLE, masked=MASKED, recipe=RECIPES["sound"]))
        for both in (x.expand(2, -1, -1), torch.cat([x, -x]))
    ]
    assert losses[0] < 0.01
    assert losses[1] > 0.5


def test_several_masks_share_the_teacher_and_are_averaged():
    modules, _ = parts()
    x = recordings(SMALL, n=2, seed=5)
    recipe = replace(RECIPES["sound"], views=2)
    other = VISIBLE.flip(0), MASKED.flip(0)
    calls = []
    modules["teacher"].register_forward_hook(lambda *_: calls.append(1))
    both = latent_loss(
        x,
        **modules,
        visible=torch.cat([VISIBLE, other[0]]),
        masked=torch.cat([MASKED, other[1]]),
        recipe=recipe,
    )
    assert len(calls) == 1
    one = latent_loss(x, **modules, visible=VISIBLE, masked=MASKED, recipe=recipe)
    two = latent_loss(x, **modules, visible=other[0], masked=other[1], recipe=recipe)
    assert float(both.detach()) == pytest.approx(float((one + two).detach()) / 2, abs=1e-6)


@pytest.mark.parametrize(("recipe", "steady"), [("sound", True), ("paper", False)])
def test_teacher_leaves_nothing_out_in_sound_and_does_in_paper(recipe, steady):
    config = replace(PRESETS["tiny"], drop_path=0.5)
    encoder, predictor = new_model(config, seed=0)
    teacher = make_teacher(encoder)
    teacher.train()  # as the released loop's model.train() did
    said = []
    teacher.register_forward_hook(lambda _module, _x, tokens: said.append(tokens))
    torch.manual_seed(0)
    x = recordings(config, n=8, seed=1)
    visible, masked = draw_masks(RECIPES[recipe], batch=8, n_patches=50, generator=torch.Generator().manual_seed(0))
    modules = {"encoder": encoder, "teacher": teacher, "predictor": predictor}
    for _ in range(2):
        latent_loss(x, **modules, visible=visible, masked=masked, recipe=RECIPES[recipe])
    assert torch.equal(said[0], said[1]) is steady
    assert teacher.training is not steady
    encoder.eval()  # measuring the loss on recordings left out
    latent_loss(x, **modules, visible=visible, masked=masked, recipe=RECIPES[recipe])
    assert not teacher.training


def test_teacher_moves_by_the_momentum():
    encoder, _ = new_model(PRESETS["tiny"], seed=0)
    teacher = make_teacher(new_model(PRESETS["tiny"], seed=1)[0])
    before = copy.deepcopy(teacher.state_dict())
    ema_update(teacher, encoder, 0.9)
    for name, tensor in teacher.state_dict().items():
        want = 0.9 * before[name].double() + 0.1 * encoder.state_dict()[name].double()
        assert (tensor - want).abs().max() < 1e-7
    assert torch.equal(teacher.pos_embed, encoder.pos_embed)
    before = copy.deepcopy(teacher.state_dict())
    ema_update(teacher, encoder, 1.0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in teacher.state_dict().items())


def test_a_few_steps_lower_the_loss_and_repeat_byte_for_byte():
    def train():
        encoder, predictor = new_model(SMALL, seed=0)
        teacher, recipe = make_teacher(encoder), RECIPES["sound"]
        generator = torch.Generator().manual_seed(0)
        torch.manual_seed(0)
        optimiser = torch.optim.AdamW([*encoder.parameters(), *predictor.parameters()], lr=3e-3)
        x, losses = recordings(SMALL, n=4, seed=0).cumsum(2), []
        for _ in range(80):
            visible, masked = draw_masks(recipe, batch=4, n_patches=10, generator=generator)
            loss = latent_loss(
                x, encoder=encoder, teacher=teacher, predictor=predictor, visible=visible, masked=masked, recipe=recipe
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            ema_update(teacher, encoder, 0.996)
            losses.append(float(loss.detach()))
        return losses, encoder.state_dict()

    (losses, first), (_, second) = train(), train()
    assert losses[-1] < 0.8 * losses[0]
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())
