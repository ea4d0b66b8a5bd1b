"""One file per waveform format; each is recognised by its content and gives a `Recording`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twelvelead.io.formats.npy import read_npy, recognise_npy
from twelvelead.io.formats.scale import Declaration
from twelvelead.io.formats.signal_table import read_signal_table, recognise_csv, recognise_parquet
from twelvelead.io.formats.wfdb import read_wfdb, recognise_wfdb
from twelvelead.signal import Recording


@dataclass(frozen=True)
class Format:
    """A waveform format: what it is, how a file of it is recognised, and how it is read.

    `read` takes the path and what the caller declares, which formats with a header of their own don't need.
    """

    name: str
    meaning: str
    recognise: Callable[[Path], bool]
    read: Callable[[Path, Declaration], Recording]


FORMATS = (
    Format("wfdb", "WFDB record (.hea with .dat or .mat)", recognise_wfdb, lambda path, _: read_wfdb(path)),
    Format("npy", "NumPy array, with fs, leads and units declared", recognise_npy, read_npy),
    Format("csv", "CSV table with a column per lead", recognise_csv, read_signal_table),
    Format("parquet", "Parquet table with a column per lead", recognise_parquet, read_signal_table),
)
"""Every waveform format that can be read, in the order in which a file is tried."""

__all__ = ["FORMATS", "Declaration", "Format"]
