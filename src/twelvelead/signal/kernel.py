"""Loops over samples, compiled: one decorator for all of them."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile a function of arrays and numbers to machine code, kept on disk between runs.

    Parameters
    ----------
    function : callable
        Plain loops over NumPy arrays and numbers, calling nothing but NumPy's own and other kernels.

    Returns
    -------
    callable
        The same function, compiled at its first call with arguments of each kind. It gives the same numbers for the
        same input, whatever else is computed; sums may be grouped otherwise than they are written.
    """
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
