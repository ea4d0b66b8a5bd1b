"""Huffman codes of SCP-ECG (EN 1064, section 2): the default table, tables of a file's own, and switches between them.

A code is a prefix, found bit by bit, which stands for a value, for a number of bits that hold the value, or for another
table to go on with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.scp_sections import Section
from twelvelead.signal.kernel import kernel
from twelvelead.terms import FormatError

DEFAULT = 19999
"""Number of tables that means: none of its own, the default one."""

_MOST_CODES = 4096  # of all tables; the default one has 19, and 16-bit samples need no more

Code = tuple[int, int, int, int, int]
"""Bits of the prefix, bits of all, 1 or 0 for a switch, value or table to switch to, prefix with its first bit last."""


@dataclass(frozen=True, eq=False)
class Codes:
    """Tables made ready for decoding.

    Parameters
    ----------
    child : ndarray of int32, shape (n_nodes, 2)
        Node after a bit of 0 and of 1; -1 where no code goes on. Node t is the root of table t.
    end : ndarray of int32, shape (n_nodes,)
        Code that ends at a node; -1 if none does.
    meaning : ndarray of int32, shape (n_codes, 3)
        Of each code: bits after the prefix that hold the value in two's complement; what the prefix alone stands for;
        1 for a switch to the table that it stands for.
    """

    child: NDArray[np.int32]
    end: NDArray[np.int32]
    meaning: NDArray[np.int32]

    def decode(self, data: bytes, count: int) -> tuple[NDArray[np.int16], int]:
        """Decode samples.

        Parameters
        ----------
        data : bytes
            The most significant bit of each byte comes first.
        count : int
            How many to decode; the caller makes sure that there can be so many.

        Returns
        -------
        samples : ndarray of int16, shape (n_decoded,)
            As many as could be decoded, at most `count`.
        bits : int
            How many bits were read.
        """
        out = np.zeros(count, dtype=np.int16)
        raw = np.frombuffer(data, dtype=np.uint8)
        n, bits = _decode(raw, self.child, self.end, self.meaning, out)
        return out[:n], int(bits)


@cache
def default_codes() -> Codes:
    """Give the default table: k ones, a zero and a sign are ±k up to 8; then follow 8 or 16 bits.

    Notes
    -----
    0 is the bit 0; nine ones and a zero go before a value of 8 bits, ten ones before one of 16 (EN 1064, annex C).
    """
    codes: list[Code] = [(1, 1, 1, 0, 0)]
    for size in range(1, 9):
        ones = (1 << size) - 1
        codes += [(size + 2, size + 2, 1, size, ones), (size + 2, size + 2, 1, -size, ones | 1 << (size + 1))]
    codes += [(10, 18, 1, 0, 0x1FF), (10, 26, 1, 0, 0x3FF)]
    return _ready([codes], where="the default table")


def read_codes(section: Section) -> Codes | None:
    """Read section 2; None where it says that there is no table, so that samples are plain.

    Raises
    ------
    FormatError
        If it is cut short, or a table has codes that can't be told apart.
    """
    (n_tables,) = section.unpack("H", 0)
    if n_tables == DEFAULT:
        return default_codes()
    tables: list[Sequence[Code]] = []
    at = 2
    for _ in range(n_tables):
        (n_codes,) = section.unpack("H", at)
        raw = section.take(at + 2, 9 * n_codes)
        tables.append(_codes_of(raw))
        at += 2 + len(raw)
        if sum(map(len, tables)) > _MOST_CODES or len(tables) > _MOST_CODES:
            msg = (
                f"{section.where(at)} must not go beyond {_MOST_CODES} Huffman codes; got more. Export the file again."
            )
            raise FormatError(msg)
    return _ready(tables, where=section.where(0)) if tables else None


def _codes_of(raw: bytes) -> list[Code]:
    layout = np.dtype([("prefix", "u1"), ("bits", "u1"), ("mode", "u1"), ("value", "<i2"), ("code", "<u4")])
    codes: list[Code] = np.frombuffer(raw, dtype=layout).tolist()
    return codes


def _ready(tables: Sequence[Sequence[Code]], *, where: str) -> Codes:
    codes = [code for table in tables for code in table]
    for prefix, bits, mode, value, _ in codes:
        sane = 1 <= prefix <= 32 and prefix <= bits <= prefix + 16
        if not sane or (mode == 0 and not 1 <= value <= len(tables)):
            msg = (
                f"a Huffman code must have a prefix of 1 to 32 bits, up to 16 more, and switch to one of {len(tables)} "
            )
            msg += f"tables; got {prefix}, {bits - prefix} and table {value} in {where}. Export the file again."
            raise FormatError(msg)
    columns = np.array(codes, dtype=np.int64).reshape(-1, 5)
    child = np.full((len(tables) + int(columns[:, 0].sum()), 2), -1, dtype=np.int32)
    end = np.full(len(child), -1, dtype=np.int32)
    table = np.repeat(np.arange(len(tables)), [len(t) for t in tables])
    clash = _plant(columns[:, 0].copy(), columns[:, 4].copy(), table, child, end, len(tables))
    if clash >= 0:
        msg = f"Huffman codes must differ from the beginnings of others; got one that does not, code {clash + 1} in "
        msg += f"{where}. Export the file again."
        raise FormatError(msg)
    switch = columns[:, 2] == 0
    meaning = np.stack([columns[:, 1] - columns[:, 0], columns[:, 3] - switch, switch], axis=1)
    return Codes(child, end, meaning.astype(np.int32))


@kernel
def _plant(
    prefix: NDArray[np.int64],
    path: NDArray[np.int64],
    table: NDArray[np.int64],
    child: NDArray[np.int32],
    end: NDArray[np.int32],
    n_tables: int,
) -> int:
    """Make a tree of each table; return the first code that another one hides, or -1."""
    used = n_tables
    for i in range(len(prefix)):
        node = table[i]
        for bit in range(prefix[i]):
            if end[node] >= 0:
                return i
            side = (path[i] >> bit) & 1
            if child[node, side] < 0:
                child[node, side] = used
                used += 1
            node = child[node, side]
        if end[node] >= 0 or child[node, 0] >= 0 or child[node, 1] >= 0:
            return i
        end[node] = i
    return -1


@kernel
def _decode(
    data: NDArray[np.uint8],
    child: NDArray[np.int32],
    end: NDArray[np.int32],
    meaning: NDArray[np.int32],
    out: NDArray[np.int16],
) -> tuple[int, int]:
    """Decode into `out`; return how many samples, and how many bits they took."""
    n_bits, at, root, n, done = 8 * len(data), 0, 0, 0, 0
    while n < len(out):
        node = root
        while node >= 0 and end[node] < 0:
            if at >= n_bits:
                return n, done
            node = child[node, (data[at >> 3] >> (7 - (at & 7))) & 1]
            at += 1
        if node < 0:
            return n, done
        extra, sample, switch = meaning[end[node]]
        if switch:
            root = sample
            continue
        if at + extra > n_bits:
            return n, done
        if extra > 0:
            sample = 0
            for _ in range(extra):
                sample = 2 * sample + ((data[at >> 3] >> (7 - (at & 7))) & 1)
                at += 1
            if sample >= 1 << (extra - 1):
                sample -= 1 << extra
        out[n] = sample
        n += 1
        done = at
    return n, done
