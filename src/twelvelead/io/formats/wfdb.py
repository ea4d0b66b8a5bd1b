"""WFDB, the format of PhysioNet: a header (`.hea`) and the signal files, or further records, that it names."""

from pathlib import Path

from twelvelead.io.formats.scale import UNDECLARED, Declaration
from twelvelead.io.formats.source import Source
from twelvelead.io.formats.wfdb_files import header_path
from twelvelead.io.formats.wfdb_header import read_header
from twelvelead.io.formats.wfdb_record import open_record
from twelvelead.io.formats.wfdb_segments import open_segments
from twelvelead.signal import Recording


def recognise_wfdb(head: bytes, path: Path) -> bool:
    """Whether a path is a WFDB record: its header, or a signal file that has one beside it."""
    del head  # a header is text without a mark
    return path.suffix == ".hea" or header_path(path).is_file()


def read_wfdb(path: Path) -> Recording:
    """Read a WFDB record; see `open_wfdb`."""
    return open_wfdb(path).read()


def open_wfdb(path: Path, declaration: Declaration = UNDECLARED) -> Source:
    """Open a WFDB record: read its header.

    Parameters
    ----------
    path : Path
        The header, one of the signal files, or the record's path without suffix.
    declaration : Declaration
        Not needed: the header says all.

    Returns
    -------
    Source
        Of a recording in mV, leads by the names that the header gives; the id is the file's stem. Signals in other
        units than a voltage, such as a pulse wave, are left out, and so are those whose file is absent while another
        is there. Spans are read by themselves; what only the wfdb package can read is read whole. Age, sex and
        diagnoses come from the header's comments.

    Raises
    ------
    FormatError
        If the header is broken, names a file outside its folder or claims more samples than there are. What is wrong
        with the signal files shows when a span is read.
    MissingExtra
        If the record needs the wfdb package: other signal formats, several samples per frame, or skew.

    Warns
    -----
    UserWarning
        When all is read at once, if the samples don't have the checksum of the header.

    References
    ----------
    WFDB signal formats: doi:10.13026/gjvw-1m31
    """
    del declaration
    path = path if path.suffix == ".hea" else header_path(path)
    header = read_header(path)
    return open_segments(path, header) if header.segments else open_record(path, header)
