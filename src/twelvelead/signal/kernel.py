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
        The same function, compiled at its first call with arguments of each kind.

    Notes
    -----
    Arithmetic is done in the order in which it is written. Freer rules would make sums faster, but a process that
    compiles and one that finds the result on disk then differ in the last bit. To be fast nevertheless, a loop adds to
    many sums at once: over leads, shifts or units inside, over what is summed outside.
    """
    return cast("F", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
