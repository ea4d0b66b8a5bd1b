"""What a training step is given: its learning rate, the teacher's momentum, and which recordings."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twelvelead.encode.config import Recipe


def learning_rate(step: int, *, n_steps: int, recipe: Recipe) -> float:
    """Give the learning rate of a step: a straight rise, then half a cosine.

    Parameters
    ----------
    step : int
        From 0.
    n_steps : int
        Of the whole training.
    recipe : Recipe
        Its `lr`, `lr_warm_up`, `lr_end`, `warm_up` and `cosine_after_warm_up`.

    Notes
    -----
    Without `cosine_after_warm_up` the cosine runs over all steps and is only hidden by the rise, as in the released
    code [1]_.

    References
    ----------
    .. [1] Kim (2024), doi:10.48550/arXiv.2410.08559.

    Examples
    --------
    >>> from twelvelead.encode import RECIPES
    >>> [f"{learning_rate(s, n_steps=100, recipe=RECIPES['sound']):.2e}" for s in (0, 5, 100)]
    ['1.00e-06', '1.00e-03', '1.00e-06']
    """
    rise = recipe.warm_up * n_steps
    if step < rise:
        return recipe.lr_warm_up + (recipe.lr - recipe.lr_warm_up) * step / rise
    skipped = rise if recipe.cosine_after_warm_up else 0.0
    part = min(1.0, (step - skipped) / (n_steps - skipped))
    return recipe.lr_end + (recipe.lr - recipe.lr_end) * (1 + math.cos(math.pi * part)) / 2


def teacher_momentum(step: int, *, n_steps: int, recipe: Recipe) -> float:
    """Give the part of the teacher that stays at a step; a straight line.

    Parameters
    ----------
    step, n_steps : int
        The step, and how many there are.
    recipe : Recipe
        Whose `ema` are the parts at the beginning and at the end.

    Examples
    --------
    >>> from twelvelead.encode import RECIPES
    >>> round(teacher_momentum(50, n_steps=100, recipe=RECIPES["paper"]), 6)
    0.998
    """
    first, last = recipe.ema
    return first + (last - first) * step / n_steps


def batch_rows(step: int, *, n: int, batch: int, seed: int) -> NDArray[np.int64]:
    """Say which recordings a step is given.

    Parameters
    ----------
    step : int
        From 0.
    n : int
        Recordings there are.
    batch : int
        Recordings per step.
    seed : int
        Of the order.

    Returns
    -------
    ndarray of int, shape (batch,)
        Numbers of recordings. One shuffled pass over all follows another; a batch may span two, so none is left over.
        It depends on nothing but the arguments, so a training that was killed goes on with the same ones.

    Examples
    --------
    Ten recordings in batches of five: two steps see each once.

    >>> seen = [*batch_rows(0, n=10, batch=5, seed=1), *batch_rows(1, n=10, batch=5, seed=1)]
    >>> sorted(int(row) for row in seen) == list(range(10))
    True
    """
    place = np.arange(step * batch, (step + 1) * batch)
    passes = {int(p): _order(int(p), n, seed) for p in np.unique(place // n)}
    return np.array([passes[p][k] for p, k in zip((place // n).tolist(), (place % n).tolist(), strict=True)])


@lru_cache(maxsize=4)
def _order(number: int, n: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, number]).permutation(n)
