"""Read Universal Binary JSON, the form in which XGBoost stores trees, without trusting a byte of it."""

import struct
from typing import Any

import numpy as np

from twelvelead.terms import InputError

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_INTEGERS = "iUIlL"
_CONSTANTS = {"Z": None, "T": True, "F": False}

DEEPEST = 32
"""Containers within containers; XGBoost uses 7."""


def decode(data: bytes) -> Any:  # noqa: ANN401 (whatever the bytes say)
    r"""Return what the bytes say, as dicts, lists, strings and numbers; arrays of one type of number as ndarray.

    Parameters
    ----------
    data : bytes
        One UBJSON value and nothing after it.

    Returns
    -------
    object

    Raises
    ------
    InputError
        If the bytes are not UBJSON, promise more than they hold, or nest deeper than `DEEPEST`.

    References
    ----------
    Universal Binary JSON Specification, draft 12. https://ubjson.org

    Examples
    --------
    >>> decode(b"{i\x01ai\x02}")
    {'a': 2}
    """
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise _broken(f"{len(data) - reader.at} bytes after the end")
    return value


class _Reader:
    """A place in the bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def value(self, depth: int) -> Any:  # noqa: ANN401
        return self.typed(self.marker(), depth)

    def typed(self, marker: str, depth: int) -> Any:  # noqa: ANN401
        if depth > DEEPEST:
            raise _broken(f"more than {DEEPEST} containers in one another")
        if marker in _NUMBERS:
            return self.numbers(marker, 1)[0].item()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker == "S":
            return self.text()
        if marker == "[":
            return self.array(depth)
        if marker == "{":
            return self.object(depth)
        raise _broken(f"marker {marker!r} at byte {self.at - 1}")

    def array(self, depth: int) -> Any:  # noqa: ANN401
        kind = None
        if self.peek() == "$":
            self.marker()
            kind = self.marker()
            if kind not in _NUMBERS or self.peek() != "#":
                raise _broken(f"an array of {kind!r} without a count")
        if self.peek() == "#":
            self.marker()
            count = self.count()
            if kind:
                return self.numbers(kind, count)
            if count > len(self.data) - self.at:
                raise _broken(f"{count} values in {len(self.data) - self.at} bytes")
            return [self.value(depth + 1) for _ in range(count)]
        out = []
        while self.peek() != "]":
            out.append(self.value(depth + 1))
        self.marker()
        return out

    def object(self, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        while self.peek() != "}":
            key = self.text()
            if key in out:
                raise _broken(f"{key!r} twice in one object")
            out[key] = self.value(depth + 1)
        self.marker()
        return out

    def text(self) -> str:
        try:
            return self.take(self.count()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _broken("text that is not UTF-8") from error

    def count(self) -> int:
        marker = self.marker()
        if marker not in _INTEGERS:
            raise _broken(f"a length of type {marker!r}")
        count = int(self.numbers(marker, 1)[0])
        if count < 0:
            raise _broken(f"a length of {count}")
        return count

    def numbers(self, marker: str, count: int) -> Any:  # noqa: ANN401
        dtype = np.dtype(_NUMBERS[marker])
        return np.frombuffer(self.take(count * dtype.itemsize), dtype).astype(dtype.newbyteorder("="))

    def marker(self) -> str:
        return str(struct.unpack("c", self.take(1))[0].decode("latin-1"))

    def peek(self) -> str:
        if self.at >= len(self.data):
            raise _broken("an end where a value should be")
        return chr(self.data[self.at])

    def take(self, n: int) -> bytes:
        if n > len(self.data) - self.at:
            raise _broken(f"{n} bytes promised, {len(self.data) - self.at} left")
        out = self.data[self.at : self.at + n]
        self.at += n
        return out


def _broken(what: str) -> InputError:
    return InputError(f"a booster must be whole UBJSON; got {what}. Write the model anew from its study.")
