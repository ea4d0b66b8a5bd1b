"""Random numbers, one stream per quantity, so that no patient depends on how many others are drawn."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray


def stream(name: str, *, seed: int) -> np.random.Generator:
    """Return the generator of one named quantity.

    Every quantity has its own stream, drawn in order of patients: the first hundred patients of a hospital of a
    thousand are those of a hospital of a hundred, and a quantity added later changes no other.

    Parameters
    ----------
    name : str
        The quantity, with the site's code in front.
    seed : int
        The hospital's seed, not negative.

    Examples
    --------
    >>> few, many = (stream("a/age", seed=1).random(n) for n in (3, 5))
    >>> bool((few == many[:3]).all())
    True
    """
    return np.random.default_rng([seed, crc32(name.encode())])


def normals(name: str, shape: tuple[int, ...], *, seed: int) -> NDArray[np.float64]:
    """Draw standard normal numbers from the stream of `name`."""
    return stream(name, seed=seed).standard_normal(shape)


def uniforms(name: str, shape: tuple[int, ...], *, seed: int) -> NDArray[np.float64]:
    """Draw numbers uniform on [0, 1) from the stream of `name`."""
    return stream(name, seed=seed).random(shape)
