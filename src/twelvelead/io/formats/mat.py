"""MATLAB files (`.mat`) of version 4 to 7: one matrix of samples, with fs, leads and units declared."""

from pathlib import Path

from twelvelead.io.formats.mat_variables import matrices_4, matrices_5, order_4
from twelvelead.io.formats.scale import Declaration, by_time, declared, to_source
from twelvelead.io.formats.source import Source
from twelvelead.terms import FormatError

LARGEST = 2**30  # bytes of a file
CHALLENGE = "val"  # what PhysioNet calls the matrix


def recognise_mat(head: bytes, path: Path) -> bool:
    """Whether a file is a MATLAB file, of any version."""
    del path
    return (head.startswith(b"MATLAB ") and head[126:128] in (b"IM", b"MI")) or order_4(head) != ""


def open_mat(path: Path, declaration: Declaration) -> Source:
    """Open a recording that is a matrix in a MATLAB file, `val` or else the largest; it is read whole.

    Leads lie along the side that `by_time` finds. One step of whole numbers is one unit.

    Raises
    ------
    FormatError
        If the file is broken, is of version 7.3, inflates to more than it may, or holds no matrix of real numbers.
    InputError
        If fs, leads or units is not declared.

    References
    ----------
    MATLAB MAT-File Format, The MathWorks: level 4 and level 5 MAT-files.
    """
    if path.stat().st_size > LARGEST:
        msg = f"a MATLAB file must be smaller than {LARGEST} bytes; got {path.stat().st_size} in {path.name}. Split it."
        raise FormatError(msg)
    content = path.read_bytes()
    if content.startswith(b"MATLAB 7.3"):
        msg = f"a MATLAB file must be of version 4 to 7; got 7.3 in {path.name}. Save it with the option -v7."
        raise FormatError(msg)
    order = order_4(content)
    found = matrices_4(content, order, where=path.name) if order else matrices_5(content, where=path.name)
    sizes = {name: (name == CHALLENGE, matrix.size) for name, matrix in found.items() if matrix.size}
    if not sizes:
        msg = f"{path.name} must hold a matrix of real numbers; got none in {len(content)} bytes. "
        msg += "Save the samples as one."
        raise FormatError(msg)
    samples = found[max(sizes, key=lambda name: sizes[name])]
    said = declared(path, declaration)
    return to_source(by_time(samples, said), said, path=path)
