"""Loops over samples, compiled: one decorator for all of them."""

from collections.abc import Callable
from typing import TypeVar

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

    Examples
    --------
    >>> @kernel
    ... def add_up(values):
    ...     total = 0.0
    ...     for value in values:
    ...         total += value
    ...     return total
    >>> import numpy as np
    >>> add_up(np.array([1.0, 2.0, 4.0]))
    7.0
    """
    compiled: F = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})(
        function
    )
    return compiled
