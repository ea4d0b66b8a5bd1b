"""NumPy arrays: one 2-D array of samples, with fs, leads and units declared."""

import warnings
from pathlib import Path

import numpy as np

from twelvelead.io.formats.scale import Declaration, by_time, declared, to_source
from twelvelead.io.formats.source import Source
from twelvelead.terms import FormatError

MAGIC = b"\x93NUMPY"


def recognise_npy(head: bytes, path: Path) -> bool:
    """Whether a file is a NumPy array."""
    return head.startswith(MAGIC)


def open_npy(path: Path, declaration: Declaration) -> Source:
    """Open a recording that is a 2-D array, leads along the side that `by_time` finds.

    The array stays on disk but for the span that is read. One step of whole numbers is one unit.

    Raises
    ------
    FormatError
        If the file is cut short, or holds something else than a 2-D array of numbers.
    InputError
        If fs, leads or units is not declared.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that an old Python wrote
            samples = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy parses the header as Python, which fails in a dozen ways
        msg = f"{path.name} must be a whole NumPy array of numbers; got {error}. Save it again."
        raise FormatError(msg) from error
    if samples.ndim != 2 or samples.dtype.kind not in "fiu":
        msg = f"{path.name} must hold a 2-D array of numbers; got shape {samples.shape} of {samples.dtype}. Save it so."
        raise FormatError(msg)
    said = declared(path, declaration)
    return to_source(by_time(samples, said), said, path=path)
