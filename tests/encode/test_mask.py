from dataclasses import replace

import pytest
import torch

from twelvelead.encode import RECIPES, draw_masks
from twelvelead.terms import InputError

N = 50


def many(recipe, *, draws, batch=1, seed=0):
    """Masks as rows of 0 and 1, shape (draws * batch, 50)."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for _ in range(draws):
        visible, masked = draw_masks(recipe, batch=batch, n_patches=N, generator=generator)
        rows.append(torch.zeros(len(masked), N).scatter_(1, masked, 1.0))
        assert torch.equal(torch.cat([visible, masked], 1).sort(1).values, torch.arange(N).expand(len(visible), N))
        assert (visible.diff(dim=1) > 0).all()
        assert (masked.diff(dim=1) > 0).all()
    return torch.cat(rows)


def test_random_mask_of_the_paper():
    hidden = many(RECIPES["paper-random"], draws=4000)
    counts = hidden.sum(1)
    assert set(counts.tolist()) == {30, 31, 32, 33, 34}
    assert counts.mean() == pytest.approx(32.0, abs=0.1)  # standard error 0.022
    assert hidden.mean(0).sub(0.64).abs().max() < 0.035  # standard error 0.0076; 50 patches


def test_block_mask_of_the_paper_and_its_fault_at_the_edges():
    hidden = many(RECIPES["paper"], draws=8000)
    counts, share = hidden.sum(1), hidden.mean(0)
    # Each block of k = 8 … 11 patches starts at one of 50 - k places; k = int(50 U), U uniform on [0.175, 0.225).
    chance = {8: 0.1, 9: 0.4, 10: 0.4, 11: 0.1}  # 8.75 ≤ 50 U < 11.25, so 8 in 0.25 of 2.5, 9 and 10 in 1 of 2.5 each
    missed = sum(p * (1 - 1 / (N - k)) for k, p in chance.items()) ** 4
    assert share[0] == pytest.approx(1 - missed, abs=0.012)  # 9.6 %; standard error 0.0033
    assert share[0] == pytest.approx(0.096, abs=0.012)
    assert share[49] == 0
    inside = 1 - sum(p * (1 - k / (N - k)) for k, p in chance.items()) ** 4
    assert share[25] == pytest.approx(inside, abs=0.015)  # 65 %
    assert counts.mean() == pytest.approx(27.4, abs=0.2)  # of 50; standard error 0.06
    assert 8 <= counts.min() <= 12
    assert 40 <= counts.max() <= 44


def test_paper_has_one_mask_for_the_batch():
    for name in ("paper", "paper-random"):
        visible, masked = draw_masks(RECIPES[name], batch=5, n_patches=N, generator=torch.Generator().manual_seed(1))
        assert len(visible) == len(masked) == 5
        assert (visible == visible[0]).all()
        assert (masked == masked[0]).all()


def test_sound_mask_hides_every_patch_equally_often_with_few_counts():
    hidden = many(RECIPES["sound"], draws=300, batch=100)
    assert set(hidden.sum(1).tolist()) == {35, 38, 40}  # 70, 75 and 80 % of 50
    # Given the count, patches are alike by symmetry; masks of a batch differ, so 30,000 independent ones.
    expected = float(hidden.mean())
    spread = (expected * (1 - expected) / len(hidden)) ** 0.5
    assert hidden.mean(0).sub(expected).abs().max() < 4.5 * spread


def test_sound_mask_differs_within_a_batch_and_hides_runs():
    visible, masked = draw_masks(RECIPES["sound"], batch=64, n_patches=N, generator=torch.Generator().manual_seed(2))
    assert len({tuple(row) for row in masked.tolist()}) > 60
    hidden = torch.zeros(64, N).scatter_(1, masked, 1.0)
    runs = (hidden != hidden.roll(1, 1)).sum(1) / 2  # on the circle
    assert (runs <= 4).all()
    assert runs.mean() > 2.5  # of the four pieces some touch
    assert len(visible) == 64


def test_same_seed_same_masks_and_views_multiply_rows():
    recipe = replace(RECIPES["sound"], views=3)
    one, two = (draw_masks(recipe, batch=4, n_patches=N, generator=torch.Generator().manual_seed(7)) for _ in "ab")
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert len(one[0]) == 12


def test_random_masks_may_differ_within_a_batch():
    recipe = replace(RECIPES["paper-random"], per_sample=True)
    _, masked = draw_masks(recipe, batch=32, n_patches=N, generator=torch.Generator().manual_seed(2))
    assert len({tuple(row) for row in masked.tolist()}) == 32


def test_too_few_patches_are_refused():
    with pytest.raises(InputError, match="must hide some patches and show some; got 0 hidden of 4"):
        draw_masks(RECIPES["paper"], batch=1, n_patches=4, generator=torch.Generator().manual_seed(0))
