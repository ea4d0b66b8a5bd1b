"""The files of a WFDB record: where they lie, and their bytes."""

import re
import stat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.terms import FormatError

FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")  # neither a path nor a link, on any system


def header_path(path: Path) -> Path:
    """Find the header of a record that is named without suffix, or by a signal file of the same stem."""
    plain = path.with_name(path.name + ".hea")
    return path.with_suffix(".hea") if path.is_file() and not plain.is_file() else plain


def is_there(header: Path, file: str) -> bool:
    """Whether a file that a header names is in its folder; a name that none may have is left to `inside` to refuse."""
    if not FILE_NAME.fullmatch(file):
        return True
    try:
        (header.parent / file).lstat()
    except FileNotFoundError:
        return False
    return True


def inside(header: Path, file: str) -> tuple[Path, int]:
    """Path and size in bytes of a file that a header names, which must lie in the header's folder.

    Raises
    ------
    FormatError
        If it lies elsewhere, is a link that leads elsewhere, or is absent.
    """
    folder = header.parent
    path = folder / file
    if not FILE_NAME.fullmatch(file):
        msg = f"a header must name files of its own folder; got {file!r} in {header.name}. Mend the header."
        raise FormatError(msg)
    try:
        found = path.lstat()
        if linked := stat.S_ISLNK(found.st_mode):
            found = path.stat()
    except FileNotFoundError:
        found = None
    if found is None or not stat.S_ISREG(found.st_mode):
        msg = f"{file!r} must lie beside its header; got none for {header.name}. Copy it there."
        raise FormatError(msg)
    if linked and not path.resolve().is_relative_to(folder.resolve()):
        msg = f"a file must lie in its header's folder; got a link out of it for {file!r} in {header.name}. "
        msg += "Copy the file there."
        raise FormatError(msg)
    return path, found.st_size


def read_bytes(path: Path, offset: int, count: int) -> NDArray[np.uint8]:
    """Read bytes that are known to be there."""
    raw = np.empty(count, dtype=np.uint8)
    view = memoryview(raw.data)
    with path.open("rb", buffering=0) as file:
        file.seek(offset)
        while view.nbytes:  # the system may give less at a time
            n = file.readinto(view)
            if not n:
                msg = f"{path.name} must not change while it is read; got its end {view.nbytes} bytes early. Try again."
                raise FormatError(msg)
            view = view[n:]
    return raw
