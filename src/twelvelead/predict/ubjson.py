"""Read Universal Binary JSON, the form in which XGBoost stores trees, without trusting a byte of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel
from twelvelead.terms import InputError

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

DEEPEST = 32
"""Containers within containers; XGBoost uses 7."""
MOST_ENTRIES = 100
"""Entries of one object; XGBoost uses 15. Each is compared with those before it, so there must be an end."""

MARKER, KEY_AT, KEY_SIZE, AT, COUNT, ITEM, NEXT = range(7)
"""What is noted of a value: its marker; where its key lies in the bytes; where its content begins; bytes of a text,
items of a container; marker of all items of a typed array, else 0; the value that follows it and all that it holds."""

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_CONSTANTS = {"Z": None, "T": True, "F": False}
_WIDTHS = np.zeros(256, dtype=np.int64)
_WIDTHS[[ord(marker) for marker in "iUIlLdDZTF"]] = [1, 1, 2, 4, 8, 4, 8, 0, 0, 0]
_IS_NUMBER = np.isin(np.arange(256), [ord(marker) for marker in _NUMBERS])
_IS_WHOLE = np.isin(np.arange(256), [ord(marker) for marker in "iUIlL"])
_IS_VALUE = np.isin(np.arange(256), [ord(marker) for marker in "iUIlLdDZTFS[{"])
_LIST, _LIST_END, _OBJECT, _OBJECT_END, _TEXT, _COUNTED, _TYPED = (ord(marker) for marker in "[]{}S#$")

_PROBLEMS = (
    "", "an end where more was promised", "an unknown marker", "a length that is no whole number", "a negative length",
    "an array of a type without a count", "one key twice in one object",
    f"more than {DEEPEST} containers in one another",
    f"more than {MOST_ENTRIES} entries in one object", "bytes after the end", "text that is not ASCII",
)  # fmt: skip
_SHORT, _MARKER, _NO_LENGTH, _NEGATIVE, _NO_COUNT, _TWICE, _DEEP, _MANY, _AFTER, _NOT_ASCII = range(1, len(_PROBLEMS))


@dataclass(frozen=True, eq=False)
class Index:
    """Bytes that are whole UBJSON, and where in them each value lies.

    Parameters
    ----------
    data : bytes
        One UBJSON value.
    raw : ndarray of uint8
        The same bytes.
    values : ndarray of int64, shape (n_values, 7)
        A row per value in the order of the bytes, a container before what it holds; columns `MARKER` to `NEXT`.
    """

    data: bytes
    raw: Bytes
    values: Ints

    def text(self, value: int) -> bytes:
        """Return a text as it stands, undecoded; nothing for values of other kinds."""
        _, _, _, at, count, _, _ = self.values[value].tolist()
        return self.data[at : at + count] if self.values[value, MARKER] == _TEXT else b""

    def entries(self, objects: Ints, *keys: str) -> Ints:
        """Return what each of several objects has under each key, shape (n_keys, n_objects); −1 nothing."""
        texts = [key.encode() for key in keys]
        ends = np.cumsum([len(text) for text in texts])
        return _entries(self.raw, self.values, objects, np.frombuffer(b"".join(texts), dtype=np.uint8), ends)

    def decimals(self, texts: Ints) -> Ints:
        """Return the numbers that texts spell, shape (n_texts,); −1 for anything else than up to 18 digits."""
        return _spell(self.raw, self.values, texts)

    def wholes(self, value: int) -> Ints:
        """Return the whole numbers of a list, shape (n_items,), −1 for items that are none; nothing of other values."""
        if self.values[value, MARKER] != _LIST:
            return np.empty(0, dtype=np.int64)
        if self.values[value, ITEM]:
            return np.asarray(self.read(value)).astype(np.int64)
        return _wholes(self.raw, self.values, self.items(value))

    def items(self, value: int) -> Ints:
        """Return the values that a list or an object holds; none for values of other kinds and typed arrays."""
        return _items(self.values, value)

    def read(self, value: int) -> Any:  # noqa: ANN401 (whatever the bytes say)
        """Return a value and what it holds, as `decode` does."""
        code, _, _, at, count, item, _ = self.values[value].tolist()
        marker = chr(code)
        if marker in _NUMBERS:
            return np.frombuffer(self.data, _NUMBERS[marker], 1, at)[0].item()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if item:
            dtype = np.dtype(_NUMBERS[chr(item)])
            return np.frombuffer(self.data, dtype, count, at).astype(dtype.newbyteorder("="))
        if marker == "S":
            return self.text(value).decode("ascii")
        if marker == "[":
            return [self.read(int(one)) for one in self.items(value)]
        return {self._key(int(one)): self.read(int(one)) for one in self.items(value)}

    def _key(self, value: int) -> str:
        at, size = self.values[value, KEY_AT], self.values[value, KEY_SIZE]
        return self.data[at : at + size].decode("ascii")


def index(data: bytes) -> Index:
    """Find every value of the bytes, in one pass of compiled code.

    Parameters
    ----------
    data : bytes
        One UBJSON value and nothing after it.

    Raises
    ------
    InputError
        If the bytes are not UBJSON, promise more than they hold, have a text that is not ASCII (XGBoost's own words
        are; predictors' names stand in the card), a key twice in one object, more than `MOST_ENTRIES` in one object, or
        nest deeper than `DEEPEST`.

    References
    ----------
    Universal Binary JSON Specification, draft 12. https://ubjson.org
    """
    raw = np.frombuffer(data, dtype=np.uint8)
    values, problem, at = _scan(raw)
    if problem:
        raise _broken(_PROBLEMS[problem], at)
    return Index(data, raw, values)


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
        As `index`.

    Examples
    --------
    >>> decode(b"{i\x01ai\x02}")
    {'a': 2}
    """
    return index(data).read(0)


def _broken(what: str, at: int) -> InputError:
    return InputError(f"a booster must be whole UBJSON; got {what}, at byte {at}. Write the model anew from its study.")


@kernel
def _scan(data: Bytes) -> tuple[Ints, int, int]:
    """Values, number of the problem (0 none) and where it is."""
    values = np.zeros((64 + data.size // 64, 7), dtype=np.int64)
    held = np.zeros(DEEPEST + 1, dtype=np.int64)  # the open containers
    left = np.zeros(DEEPEST + 1, dtype=np.int64)  # items that they still promise; −1 if up to their end marker
    depth, n, at, problem = 0, 0, 0, 0
    while not problem and (n == 0 or depth > 0):
        parent = held[depth - 1] if depth else -1
        if depth and (left[depth - 1] == 0 or (left[depth - 1] < 0 and _ends(data, at, values[parent, MARKER]))):
            at += left[depth - 1] < 0
            depth -= 1
            values[parent, NEXT] = n
            continue
        if n == len(values):
            values = np.concatenate((values, np.zeros_like(values)))
        if depth:
            left[depth - 1] -= left[depth - 1] > 0
            values[parent, COUNT] += 1
            if values[parent, MARKER] == _OBJECT:
                at, problem = _read_key(data, at, values, parent=parent, n=n)
        if not problem:
            at, promised, problem = _read_value(data, at, values, n=n)
        if not problem and promised != 0:
            held[depth], left[depth] = n, max(promised, -1)
            values[n, COUNT] = 0
            depth += 1
            problem = _DEEP * (depth > DEEPEST)
        n += 1
    if not problem and at < data.size:
        problem = _AFTER
    return values[:n], problem, at


@kernel
def _ends(data: Bytes, at: int, marker: int) -> bool:
    """Whether the container that is open ends here."""
    return at < data.size and data[at] == (_OBJECT_END if marker == _OBJECT else _LIST_END)


@kernel
def _read_key(data: Bytes, at: int, values: Ints, parent: int, n: int) -> tuple[int, int]:
    """Note the key of value `n`, and return where it ends, and a problem."""
    size, at, problem = _read_length(data, at)
    if problem:
        return at, problem
    if size > data.size - at:
        return at, _SHORT
    if values[parent, COUNT] > MOST_ENTRIES:
        return at, _MANY
    one = parent + 1
    while one < n:
        if values[one, KEY_SIZE] == size and _is_same(data, values[one, KEY_AT], data, at, size):
            return at, _TWICE
        one = values[one, NEXT]
    values[n, KEY_AT], values[n, KEY_SIZE] = at, size
    return at + size, _check_ascii(data, at, size)


@kernel
def _read_value(data: Bytes, at: int, values: Ints, n: int) -> tuple[int, int, int]:
    """Note value `n`, and return where its content ends, items that it promises (−1 unknown), and a problem."""
    if at >= data.size:
        return at, 0, _SHORT
    marker = np.int64(data[at])
    values[n, MARKER], values[n, NEXT] = marker, n + 1
    if not _IS_VALUE[marker]:
        return at, 0, _MARKER
    at += 1
    if marker == _OBJECT:
        values[n, AT] = at
        return at, -1, 0
    if marker == _LIST:
        return _read_list_head(data, at, values, n=n)
    size, problem = int(_WIDTHS[marker]), 0
    if marker == _TEXT:
        size, at, problem = _read_length(data, at)
        values[n, COUNT] = size
    values[n, AT] = at
    if problem or size > data.size - at:
        return at, 0, problem or _SHORT
    if marker == _TEXT:
        problem = _check_ascii(data, at, size)
    return at + size, 0, problem


@kernel
def _read_list_head(data: Bytes, at: int, values: Ints, n: int) -> tuple[int, int, int]:
    """Note a list, and all of it if its items are numbers of one type."""
    promised, problem = -1, 0
    if at + 1 < data.size and data[at] == _TYPED:
        values[n, ITEM] = data[at + 1]
        at += 2
        if not _IS_NUMBER[values[n, ITEM]] or at >= data.size or data[at] != _COUNTED:
            return at, 0, _NO_COUNT
    if at < data.size and data[at] == _COUNTED:
        promised, at, problem = _read_length(data, at + 1)
    values[n, AT] = at
    if problem or promised < 0:
        return at, promised, problem
    size = int(_WIDTHS[values[n, ITEM]]) if values[n, ITEM] else 1  # a value takes a byte at least
    if promised > (data.size - at) // size:
        return at, 0, _SHORT
    values[n, COUNT] = promised
    if values[n, ITEM]:
        return at + size * promised, 0, 0
    return at, promised, 0


@kernel
def _check_ascii(data: Bytes, at: int, size: int) -> int:
    """Return a problem if a text has other signs."""
    for k in range(at, at + size):
        if data[k] >= 128:
            return _NOT_ASCII
    return 0


@kernel
def _read_length(data: Bytes, at: int) -> tuple[int, int, int]:
    """Whole number that a marker announces, where it ends, and a problem."""
    if at >= data.size:
        return 0, at, _SHORT
    marker = data[at]
    if not _IS_WHOLE[marker]:
        return 0, at, _NO_LENGTH
    width = _WIDTHS[marker]
    if width > data.size - at - 1:
        return 0, at, _SHORT
    number = _read_whole(data, at + 1, marker)
    return number, at + 1 + int(width), _NEGATIVE * (number < 0)


@kernel
def _read_whole(data: Bytes, at: int, marker: int) -> int:
    """Signed whole number, its first byte the highest; `U` is unsigned."""
    width, number = int(_WIDTHS[marker]), 0
    for k in range(width):
        number = (number << 8) | int(data[at + k])
    if marker != ord("U") and width < 8 and data[at] >= 128:
        number -= 1 << (8 * width)
    return number


@kernel
def _is_same(a: Bytes, a_at: int, b: Bytes, b_at: int, size: int) -> bool:
    """Whether two texts of one size are the same."""
    for k in range(size):  # noqa: SIM110 (compiled)
        if a[a_at + k] != b[b_at + k]:
            return False
    return True


@kernel
def _entries(data: Bytes, values: Ints, objects: Ints, keys: Bytes, ends: Ints) -> Ints:
    """Find what each object has under each of the keys, which stand one after the other; −1 nothing."""
    out = np.full((ends.size, objects.size), -1, dtype=np.int64)
    for k in range(objects.size):
        if objects[k] < 0 or values[objects[k], MARKER] != _OBJECT:
            continue
        one = objects[k] + 1
        while one < values[objects[k], NEXT]:
            start = 0
            for j in range(ends.size):
                size = ends[j] - start
                if values[one, KEY_SIZE] == size and _is_same(data, values[one, KEY_AT], keys, start, size):
                    out[j, k] = one
                start = ends[j]
            one = values[one, NEXT]
    return out


@kernel
def _items(values: Ints, value: int) -> Ints:
    """Values that a list or an object holds."""
    if values[value, NEXT] == value + 1:
        return np.empty(0, dtype=np.int64)
    out = np.empty(values[value, COUNT], dtype=np.int64)
    one = value + 1
    for k in range(out.size):
        out[k] = one
        one = values[one, NEXT]
    return out


@kernel
def _wholes(data: Bytes, values: Ints, places: Ints) -> Ints:
    """Whole numbers; −1 where there is something else."""
    out = np.full(places.size, -1, dtype=np.int64)
    for k in range(places.size):
        marker = values[places[k], MARKER]
        if _IS_WHOLE[marker]:
            out[k] = _read_whole(data, values[places[k], AT], marker)
    return out


@kernel
def _spell(data: Bytes, values: Ints, texts: Ints) -> Ints:
    """Numbers that texts spell; −1 where they don't, or with a zero in front."""
    out = np.full(texts.size, -1, dtype=np.int64)
    for k in range(texts.size):
        if texts[k] < 0 or values[texts[k], MARKER] != _TEXT:
            continue
        at, size, number = values[texts[k], AT], values[texts[k], COUNT], 0
        if not 1 <= size <= 18 or (size > 1 and data[at] == ord("0")):
            continue
        for sign in data[at : at + size]:
            number = 10 * number + int(sign) - ord("0") if number >= 0 and ord("0") <= sign <= ord("9") else -1
        out[k] = number
    return out
