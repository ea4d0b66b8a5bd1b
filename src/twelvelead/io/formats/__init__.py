"""One file per waveform format; each is recognised by its content and gives a `Source`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twelvelead.io.formats.npy import open_npy, recognise_npy
from twelvelead.io.formats.scale import Declaration
from twelvelead.io.formats.signal_table import open_signal_table, recognise_csv, recognise_parquet
from twelvelead.io.formats.source import Source
from twelvelead.io.formats.wfdb import open_wfdb, recognise_wfdb


@dataclass(frozen=True)
class Format:
    """A waveform format: what it is, how a file of it is recognised, and how it is opened.

    `open` takes the path and what the caller declares, which formats with a header of their own don't need.
    """

    name: str
    meaning: str
    recognise: Callable[[Path], bool]
    open: Callable[[Path, Declaration], Source]


FORMATS = (
    Format("wfdb", "WFDB record (.hea with .dat or .mat)", recognise_wfdb, lambda path, _: open_wfdb(path)),
    Format("npy", "NumPy array, with fs, leads and units declared", recognise_npy, open_npy),
    Format("csv", "CSV table with a column per lead", recognise_csv, open_signal_table),
    Format("parquet", "Parquet table with a column per lead", recognise_parquet, open_signal_table),
)
"""Every waveform format that can be read, in the order in which a file is tried."""

__all__ = ["FORMATS", "Declaration", "Format", "Source"]
