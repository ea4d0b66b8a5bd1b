"""Identifiers as the originals have them: of eight digits, each once, in no order that tells anything."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.published.population import BLOCK, Block

_PRIME = 9_999_991  # the largest of seven digits
_MULTIPLIER = 6_364_137
PER_BLOCK = 20_000
"""Most things of one kind that a block can number."""

_APART = 24  # between the numbers of two patients; so 400,000 of them have eight digits


def subject_ids(block: Block) -> NDArray[np.int64]:
    """Return the patients' numbers, rising from 10,000,032."""
    number = block.number * BLOCK + np.arange(block.patients.height)
    beside = np.floor(block.uniform("subject", BLOCK)[: number.size] * _APART).astype(np.int64)
    ids: NDArray[np.int64] = 10_000_032 + number * _APART + beside
    return ids


def scattered_ids(block: Block, first: int, n: int) -> NDArray[np.int64]:
    """Return n numbers from `first` (such as 40,000,000) on, which no other block has under the same `first`.

    Raises
    ------
    OverflowError
        If there are more than `PER_BLOCK`.
    """
    if n > PER_BLOCK:
        msg = f"a block must have at most {PER_BLOCK} numbers of a kind; got {n}. Make blocks smaller."
        raise OverflowError(msg)
    count = block.number * PER_BLOCK + np.arange(n, dtype=np.int64)
    # Multiplication by a number prime to the modulus repeats nothing; things of another kind begin elsewhere.
    ids: NDArray[np.int64] = first + (count * _MULTIPLIER + first // 7) % _PRIME
    return ids


def hexadecimal_ids(block: Block, name: str, n: int) -> pl.Series:
    """Return n image names of five groups of eight hexadecimal digits."""
    digits = block.generator(name).bytes(20 * n).hex()
    groups = np.frombuffer(digits.encode(), dtype="S8").reshape(n, 5).astype(str)
    columns = [pl.Series(str(j), groups[:, j]) for j in range(5)]
    return pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator="-")).to_series()
