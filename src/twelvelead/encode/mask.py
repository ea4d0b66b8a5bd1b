"""What of a recording is hidden in training: the same patches of every lead."""

import torch
from torch import Tensor

from twelvelead.encode.config import Recipe
from twelvelead.terms import InputError

BLOCKS = 4
LEVELS = 3


def draw_masks(recipe: Recipe, *, batch: int, n_patches: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw which patches are seen and which are to be guessed.

    Parameters
    ----------
    recipe : Recipe
        Its `mask`, `mask_ratio`, `per_sample` and `views`.
    batch : int
        Recordings.
    n_patches : int
        Patches per lead.
    generator : torch.Generator
        On the CPU, so that the masks are the same wherever the model runs.

    Returns
    -------
    visible : Tensor of int64, shape (batch * views, n_visible)
        Ascending. Rows of one view follow another; row r is of recording r % batch.
    masked : Tensor of int64, shape (batch * views, n_masked)
        The other patches, ascending. The counts are the same in all rows.

    Raises
    ------
    InputError
        If nothing would be hidden, or nothing seen.

    Notes
    -----
    "random": the number is n·U, U uniform between the ratios and rounded down; any patches. "blocks": four blocks of so
    many patches each, which may overlap. As in the released code [1]_ a block never reaches the last patch and seldom
    the first, so those are seldom or never learnt. "circle": what is seen are four pieces, which begin anywhere on a
    circle of patches and grow, each at its own speed (1 to 1.5), until the number hidden is one of three, evenly
    spaced between the ratios. A circle has no edge, so all patches are hidden equally often; what is hidden comes in
    runs of about two beats, too long to be filled in from both ends; few numbers mean few compiled shapes.

    References
    ----------
    .. [1] Kim (2024), doi:10.48550/arXiv.2410.08559.
    """
    rows = batch * recipe.views
    drawn = rows if recipe.per_sample else 1
    hidden = _DRAW[recipe.mask](recipe.mask_ratio, (drawn, n_patches), generator)
    n_masked = int(hidden[0].sum())
    if not 0 < n_masked < n_patches:
        msg = f"a mask must hide some patches and show some; got {n_masked} hidden of {n_patches}. Use more patches."
        raise InputError(msg)
    order = hidden.to(torch.int8).argsort(dim=1, stable=True)
    return order[:, :-n_masked].expand(rows, -1), order[:, -n_masked:].expand(rows, -1)


def _between(ratio: tuple[float, float], generator: torch.Generator) -> float:
    return ratio[0] + (ratio[1] - ratio[0]) * float(torch.rand(1, generator=generator))


def _random(ratio: tuple[float, float], shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    count = int(shape[1] * _between(ratio, generator))
    return _lowest(torch.rand(shape, generator=generator), count)


def _blocks(ratio: tuple[float, float], shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    hidden = torch.zeros(shape, dtype=torch.bool)
    for _ in range(BLOCKS):
        length = int(shape[1] * _between(ratio, generator))
        start = int(torch.randint(shape[1] - length, (1,), generator=generator))
        hidden[:, start : start + length] = True
    return hidden


def _circle(ratio: tuple[float, float], shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    rows, n_patches = shape
    level = int(torch.randint(LEVELS, (1,), generator=generator)) / (LEVELS - 1)
    count = round(n_patches * (ratio[0] + (ratio[1] - ratio[0]) * level))
    start = n_patches * torch.rand((rows, BLOCKS, 1), generator=generator)
    speed = 1 + 0.5 * torch.rand((rows, BLOCKS, 1), generator=generator)
    reached = ((torch.arange(n_patches) - start) % n_patches / speed).amin(dim=1)
    return ~_lowest(reached, n_patches - count)


def _lowest(score: Tensor, count: int) -> Tensor:
    """Mark so many of each row's lowest scores."""
    chosen = score.argsort(dim=1)[:, :count]
    return torch.zeros(score.shape, dtype=torch.bool).scatter_(1, chosen, value=True)


_DRAW = {"random": _random, "blocks": _blocks, "circle": _circle}
