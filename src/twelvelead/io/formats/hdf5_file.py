"""Datasets in HDF5 files, with bounds on what a file may claim and nothing that reaches outside it."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelead.terms import Error, FormatError, MissingExtra

MOST_VALUES = 2**24  # that are read at once; 128 MB as float64
LARGEST_CHUNK = 2**26  # bytes
MOST_CHUNKS = 10_000  # that one recording may lie in

_DEFLATE = 1
_FILTERS = {_DEFLATE, 2, 3}  # with shuffle and checksum; what other filters make of broken bytes is not known


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file; whatever the h5py package raises meanwhile becomes one of our errors.

    Raises
    ------
    FormatError
        If it is broken.
    MissingExtra
        If the h5py package is not installed.
    """
    try:
        import h5py
    except ImportError:
        msg = f"reading {path.name} needs the h5py package; got none. Run: pip install 'twelvelead[formats]'"
        raise MissingExtra(msg) from None
    try:
        with h5py.File(path, "r") as file:
            yield file
    except Error:
        raise
    except Exception as error:  # that package raises whatever the HDF5 library trips over
        msg = f"{path.name} must be readable by the h5py package; got {type(error).__name__}: {error}. Copy it again."
        raise FormatError(msg) from error


def dataset(file: Any, name: str) -> Any:  # noqa: ANN401 - an h5py.Dataset
    """Give a dataset of numbers that lies in the file itself.

    Raises
    ------
    FormatError
        If it is no such dataset: links, virtual datasets and external storage lead into other files.
    """
    import h5py

    found: Any = file[name] if isinstance(file.get(name, getlink=True), h5py.HardLink) else None
    inside = isinstance(found, h5py.Dataset) and not found.is_virtual and found.external is None
    if not inside or found.dtype.kind not in "fiu" or found.dtype.itemsize > 8:
        msg = f"{name!r} must be a dataset of numbers within {Path(file.filename).name}; got {found!r}. Copy it there."
        raise FormatError(msg)
    settings = found.id.get_create_plist()
    filters = {settings.get_filter(n)[0] for n in range(settings.get_nfilters())}
    chunk = prod(found.chunks or (0,)) * found.dtype.itemsize
    if not filters <= _FILTERS or chunk > LARGEST_CHUNK:
        msg = f"{name!r} must be stored plainly or deflated, in chunks of at most {LARGEST_CHUNK} bytes; got filters "
        msg += f"{sorted(filters)} and {chunk} bytes in {Path(file.filename).name}. Repack it."
        raise FormatError(msg)
    return found


def read_rows(found: Any, first: int, stop: int) -> NDArray[np.number]:  # noqa: ANN401 - an h5py.Dataset
    """Read some rows of a dataset, along its first side.

    Raises
    ------
    FormatError
        If they hold more values than may be read, or inflate to more than they should.
    """
    values = (stop - first) * prod(found.shape[1:])
    if values > MOST_VALUES:
        msg = f"a recording must have at most {MOST_VALUES} values; got {values} in {found.name!r}. Split it."
        raise FormatError(msg)
    if found.chunks is not None and found.compression == "gzip":
        _check_chunks(found, first, stop)
    rows: NDArray[np.number] = found[first:stop]
    return rows


def _check_chunks(found: Any, first: int, stop: int) -> None:  # noqa: ANN401 - an h5py.Dataset
    """Inflate the chunks that rows lie in as far as they may: the HDF5 library would inflate to any end."""
    sides = [(first, stop), *((0, size) for size in found.shape[1:])]
    places = [range(a // step * step, b, step) for (a, b), step in zip(sides, found.chunks, strict=True)]
    if (count := prod(ceil((p.stop - p.start) / p.step) for p in places)) > MOST_CHUNKS:
        msg = f"a recording must lie in at most {MOST_CHUNKS} chunks; got {count} in {found.name!r}. Repack it."
        raise FormatError(msg)
    most = prod(found.chunks) * found.dtype.itemsize
    present = Path(found.file.filename).stat().st_size
    for place in product(*places):
        stored = found.id.get_chunk_info_by_coord(place)
        if stored.byte_offset is None:
            continue
        if stored.byte_offset + stored.size > present:
            msg = (
                f"a chunk must be within its file of {present} bytes; got {stored.size} from byte {stored.byte_offset} "
            )
            msg += f"in {found.name!r}. The file is cut short: copy it again."
            raise FormatError(msg)
        inflated = zlib.decompressobj().decompress(found.id.read_direct_chunk(place)[1], most + 1)
        if len(inflated) > most:
            msg = f"a chunk must inflate to {most} bytes; got more from byte {stored.byte_offset} in {found.name!r}. "
            msg += "Repack the file."
            raise FormatError(msg)
