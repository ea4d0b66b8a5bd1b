"""The matrices of MATLAB files of version 4 and 5, every size checked against the bytes that are there.

Read directly, since the reader of scipy takes types and sizes on trust: a type beyond its table ends the process.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from twelvelead.terms import FormatError

LARGEST_INFLATED = 2**22  # bytes that a file may inflate to however small it is
INFLATION = 20  # and how many per byte of it beyond; ECGs take a fifth of their size at best

_HEADER_5 = 128  # bytes
_MATRIX, _COMPRESSED, _DIMENSIONS = 14, 15, 5  # types of elements of version 5
_NUMBERS_5 = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_CLASSES_5 = range(6, 16)  # of arrays of numbers; the others are text, cells, structures, objects and sparse matrices
_COMPLEX_5 = 0x800
_NUMBERS_4 = {0: "f8", 1: "f4", 2: "i4", 3: "i2", 4: "u2", 5: "u1"}
_NAME_4 = re.compile(rb"[A-Za-z]\w{0,62}\0+")

Matrices = dict[str, NDArray[np.number]]


def order_4(content: bytes) -> str:
    """Give the byte order of a version 4 file, `<` or `>`, by its beginning; empty if it is none."""
    for order in "<>":
        found = _header_4(content, 0, order)
        if found is not None and _NAME_4.fullmatch(content[20 : 20 + found[4]]):
            return order
    return ""


def matrices_4(content: bytes, order: str, *, where: str) -> Matrices:
    """Read the real matrices of a version 4 file.

    Parameters
    ----------
    content : bytes
        The whole file.
    order : str
        Byte order.
    where : str
        The file's name, for messages.

    Raises
    ------
    FormatError
        If a variable reaches beyond the file.
    """
    out: Matrices = {}
    at = 0
    while at < len(content):
        found = _header_4(content, at, order)
        dtype, rows, columns, is_complex, length = found or ("f8", 0, 0, 0, 0)
        start = at + 20 + length
        size = np.dtype(dtype).itemsize * rows * columns
        stop = start + size * (1 + is_complex)
        if found is None or stop > len(content):
            msg = f"a variable must be a matrix or text within its MATLAB file; got another at byte {at} of {where}. "
            msg += "The file is broken: save it again."
            raise FormatError(msg)
        if not is_complex:
            name = content[at + 20 : start].partition(b"\0")[0].decode("latin-1")
            numbers = np.frombuffer(content, dtype=order + dtype, count=rows * columns, offset=start)
            out[name] = numbers.reshape(rows, columns, order="F")
        at = stop
    return out


def _header_4(content: bytes, at: int, order: str) -> tuple[str, int, int, int, int] | None:
    """Read type, rows, columns, whether there is an imaginary part, and length of the name; None if it is none."""
    if at + 20 > len(content):
        return None
    kind, rows, columns, is_complex, length = struct.unpack_from(f"{order}5i", content, at)
    number, matrix = divmod(kind - (1000 if order == ">" else 0), 10)
    good = number in _NUMBERS_4 and matrix in (0, 1) and is_complex in (0, 1) and min(rows, columns) >= 0 < length
    return (_NUMBERS_4[number], rows, columns, is_complex, length) if good else None


def matrices_5(content: bytes, *, where: str) -> Matrices:
    """Read the real matrices of a version 5 file; what else it holds is passed over.

    Parameters
    ----------
    content : bytes
        The whole file.
    where : str
        The file's name, for messages.

    Raises
    ------
    FormatError
        If an element reaches beyond the file or its variable, or inflates to more than it may.
    """
    order = ">" if content[126:128] == b"MI" else "<"
    left = max(LARGEST_INFLATED, INFLATION * len(content))
    out: Matrices = {}
    at = _HEADER_5
    while at + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}2I", content, at)
        place = f"byte {at} of {where}"
        if at + 8 + size > len(content):
            msg = f"an element must be within its MATLAB file; got {size} bytes at {place}, which has {len(content)}. "
            msg += "The file is cut short: copy it again."
            raise FormatError(msg)
        element = content[at + 8 : at + 8 + size]
        if kind == _COMPRESSED:
            kind, element = _inflate(element, left, order, place=place)
            left -= len(element)
        if kind == _MATRIX:
            out |= _matrix_5(element, order, place)
        at += 8 + size
    return out


def _inflate(element: bytes, most: int, order: str, *, place: str) -> tuple[int, bytes]:
    """Inflate an element to the type and the content of the one that it holds."""
    try:
        inflated = zlib.decompressobj().decompress(element, max(most, 0) + 8)
    except zlib.error as error:
        msg = f"a compressed element must be a zlib stream; got {error} at {place}. Save the file again."
        raise FormatError(msg) from error
    kind, size = struct.unpack_from(f"{order}2I", inflated) if len(inflated) >= 8 else (0, 0)
    if size > most or 8 + size > len(inflated):
        msg = f"a compressed element must hold a whole one, inflated to at most {INFLATION} times the file; got {size} "
        msg += f"bytes, of which {max(len(inflated) - 8, 0)} are there, at {place}. Save it with the option -v6."
        raise FormatError(msg)
    return kind, inflated[8 : 8 + size]


def _matrix_5(variable: bytes, order: str, place: str) -> Matrices:
    """Read a variable if it is a real matrix: its flags, dimensions, name and numbers."""
    elements = _elements_5(variable, order, place)
    _, flags = next(elements, (0, b""))
    kind, sides = next(elements, (0, b""))
    _, name = next(elements, (0, b""))
    if len(flags) < 4 or kind != _DIMENSIONS or len(sides) % 4:
        msg = f"a variable must begin with flags, dimensions and name; got others at {place}. Save the file again."
        raise FormatError(msg)
    flag = struct.unpack_from(f"{order}I", flags)[0]
    shape = struct.unpack(f"{order}{len(sides) // 4}i", sides)
    if flag & 0xFF not in _CLASSES_5 or flag & _COMPLEX_5 or len(shape) != 2:
        return {}
    kind, numbers = next(elements, (0, b""))
    dtype = np.dtype(order + _NUMBERS_5.get(kind, "u1"))
    if kind not in _NUMBERS_5 or min(shape) < 0 or prod(shape) * dtype.itemsize != len(numbers):
        msg = f"a matrix must have as many numbers as its sides say; got {len(numbers)} bytes of type {kind} for "
        msg += f"{shape} at {place}. Save the file again."
        raise FormatError(msg)
    return {name.decode("latin-1"): np.frombuffer(numbers, dtype=dtype).reshape(shape, order="F")}


def _elements_5(variable: bytes, order: str, place: str) -> Iterator[tuple[int, bytes]]:
    """Give the elements of a variable one by one: type and content."""
    at = 0
    while at + 8 <= len(variable):
        kind, size = struct.unpack_from(f"{order}2I", variable, at)
        start = at + 8
        if kind >> 16:  # up to four bytes may stand in the tag itself
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
        if start + size > len(variable) or (start == at + 4 and size > 4):
            msg = f"an element must be within its variable of {len(variable)} bytes; got {size} from byte {start} of "
            msg += f"that at {place}. Save the file again."
            raise FormatError(msg)
        yield kind, variable[start : start + size]
        at = at + 8 if start == at + 4 else start + (size + 7) // 8 * 8
