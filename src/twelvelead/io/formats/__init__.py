"""One file per waveform format; each is recognised by its content and gives a `Source`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twelvelead.io.formats.aecg import open_aecg, recognise_aecg
from twelvelead.io.formats.dicom import open_dicom, recognise_dicom
from twelvelead.io.formats.edf import open_edf, recognise_edf
from twelvelead.io.formats.hdf5 import hdf5_entries, open_hdf5, recognise_hdf5
from twelvelead.io.formats.ishne import open_ishne, recognise_ishne
from twelvelead.io.formats.mat import open_mat, recognise_mat
from twelvelead.io.formats.metadata import Machine, Patient, Provenance
from twelvelead.io.formats.muse import open_muse, recognise_muse
from twelvelead.io.formats.npy import open_npy, recognise_npy
from twelvelead.io.formats.scale import Declaration
from twelvelead.io.formats.scp import open_scp, recognise_scp
from twelvelead.io.formats.shards import open_shards, recognise_shards, shard_entries
from twelvelead.io.formats.sierra import open_sierra, recognise_sierra
from twelvelead.io.formats.signal_table import open_signal_table, recognise_csv, recognise_parquet
from twelvelead.io.formats.source import Source
from twelvelead.io.formats.wfdb import open_wfdb, recognise_wfdb

HEAD = 4096
"""Bytes from the beginning of a file by which its format is recognised."""


@dataclass(frozen=True)
class Format:
    """A waveform format: what it is, how a file of it is recognised, and how it is opened.

    Parameters
    ----------
    name, meaning : str
        What messages and tables call it, and what it is.
    suffixes : tuple of str
        In lower case, with their dot. They name nothing that is read, but are left out of a recording's id; and a file
        with one of them that can't be recognised is broken.
    recognise : callable
        Takes the first `HEAD` bytes of a file and its path; raises nothing.
    open : callable
        Takes the path and what the caller declares, which formats with a header of their own don't need.
    entries : callable or None
        Of a format whose files hold several recordings: takes the path and lists their names, each of which
        `Declaration.entry` can ask for.
    """

    name: str
    meaning: str
    suffixes: tuple[str, ...]
    recognise: Callable[[bytes, Path], bool]
    open: Callable[[Path, Declaration], Source]
    entries: Callable[[Path], list[str]] | None = None


FORMATS = (
    Format("wfdb", "WFDB record", (".hea",), recognise_wfdb, open_wfdb),
    Format("shards", "Shards of this project", (), recognise_shards, open_shards, shard_entries),
    Format("dicom", "DICOM ECG waveform", (".dcm",), recognise_dicom, open_dicom),
    Format("scp", "SCP-ECG record", (".scp",), recognise_scp, open_scp),
    Format("ishne", "ISHNE Holter recording", (".ecg",), recognise_ishne, open_ishne),
    Format("muse", "GE MUSE XML", (".xml",), recognise_muse, open_muse),
    Format("aecg", "HL7 annotated ECG", (".xml", ".aecg"), recognise_aecg, open_aecg),
    Format("sierra", "Philips Sierra XML", (".xml",), recognise_sierra, open_sierra),
    Format("edf", "EDF or BDF, also EDF+ and BDF+", (".edf", ".bdf"), recognise_edf, open_edf),
    Format("mat", "MATLAB matrix, with fs, leads and units declared", (".mat",), recognise_mat, open_mat),
    Format("hdf5", "HDF5 of the CODE datasets", (".hdf5", ".h5"), recognise_hdf5, open_hdf5, hdf5_entries),
    Format("npy", "NumPy array, with fs, leads and units declared", (".npy",), recognise_npy, open_npy),
    Format("parquet", "Parquet table with a column per lead", (".parquet",), recognise_parquet, open_signal_table),
    Format("csv", "CSV table with a column per lead", (".csv", ".tsv"), recognise_csv, open_signal_table),
)
"""The waveform formats that can be read, in the order in which a file is tried; those without a mark come last."""

__all__ = ["FORMATS", "HEAD", "Declaration", "Format", "Machine", "Patient", "Provenance", "Source"]
