"""SCP-ECG, the European standard protocol of electrocardiography (EN 1064, ISO 11073-91064)."""

from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.scale import Declaration
from twelvelead.io.formats.scp_findings import read_findings
from twelvelead.io.formats.scp_header import read_header
from twelvelead.io.formats.scp_sections import is_record, read_record
from twelvelead.io.formats.scp_signal import read_rhythm
from twelvelead.io.formats.source import Source, source_of
from twelvelead.signal import Recording, derive_limb_leads, distinct_names, lead_name
from twelvelead.terms import CHEST_LEADS

_STORED = {"I", "II", *CHEST_LEADS}


def recognise_scp(head: bytes, path: Path) -> bool:
    """Whether a file is an SCP-ECG record."""
    del path
    return is_record(head)


def open_scp(path: Path, declaration: Declaration) -> Source:
    """Open an SCP-ECG record of version 1 or 2, or of version 3 as far as it is alike.

    Parameters
    ----------
    path : Path
        The file.
    declaration : Declaration
        Not needed: the record says all.

    Returns
    -------
    Source
        The rhythm in mV, restored where it was decimated or the reference beat was subtracted; the reference beat as
        its median. Of the leads I, II and V1 to V6 the other four follow, by the standard. Free text of section 1 and
        the names of people in statements are left out.

    Raises
    ------
    FormatError
        If the record is cut short, the checksum of a section that samples are decoded from is another, or sections
        contradict one another.

    References
    ----------
    EN 1064:2005+A1:2007, ISO 11073-91064:2009.
    """
    del declaration
    record = read_record(path)
    rhythm = read_rhythm(record, file=path.name)
    header = read_header(record.sections.get(1), version=record.version)
    machine, amiss = read_findings(record, header)
    names = distinct_names(lead_name(lead or f"lead {n}") for n, lead in enumerate(rhythm.leads, start=1))
    start = header.provenance.recorded_at
    recording = _recording(rhythm.signal, names, rhythm.fs, path.stem, start)
    median = None
    if rhythm.beat is not None:
        samples = rhythm.beat.samples.astype(np.float32)
        median = _recording(samples, names, 1e6 / rhythm.beat.interval_us, path.stem, None)
    return source_of(
        recording,
        machine=machine,
        provenance=header.provenance,
        patient=header.patient,
        median=median,
        step_mv=(rhythm.step_mv,) * len(recording.leads),
        notes=(*record.notes, *header.notes, *rhythm.notes, *amiss),
    )


def _recording(
    signal: NDArray[np.float32], names: tuple[str, ...], fs: float, stem: str, start: datetime | None
) -> Recording:
    """Make a recording of samples, shape (n_samples, n_leads); derive the leads that the standard leaves out."""
    recording = Recording(signal.T, names, fs, stem, start)
    return derive_limb_leads(recording) if set(names) >= _STORED else recording
