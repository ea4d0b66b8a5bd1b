"""Write a recording as WFDB: a header and 16-bit samples."""

from pathlib import Path

import numpy as np

from twelvelead.io.tables import write_bytes
from twelvelead.signal import Recording
from twelvelead.terms import InputError

MISSING = -32768  # the format's value for "no sample"


def write_wfdb(recording: Recording, header: Path, *, adc_per_mv: float = 1000.0) -> Path:
    """Write a recording in WFDB format 16.

    Parameters
    ----------
    recording : Recording
        What to write; NaN becomes the format's missing sample.
    header : Path
        The `.hea` file; the samples go to the `.dat` file beside it.
    adc_per_mv : float
        Analogue-to-digital steps per mV; samples are rounded to the nearest step.

    Returns
    -------
    Path
        The header.

    Raises
    ------
    InputError
        If a sample does not fit into 16 bits at that gain.

    References
    ----------
    WFDB header and signal formats: doi:10.13026/gjvw-1m31
    """
    steps = np.rint(recording.signal.astype(np.float64) * adc_per_mv)
    highest = np.nanmax(np.abs(steps), initial=0.0)
    if highest > 32767:
        msg = (
            f"samples must fit into 16 bits; got {highest:.0f} steps in recording {recording.id!r}. "
            f"Lower adc_per_mv below {adc_per_mv * 32767 / highest:.0f}."
        )
        raise InputError(msg)
    samples = np.where(np.isnan(steps), MISSING, steps).astype("<i2").T
    name, start = header.stem, recording.start
    when = f" {start:%H:%M:%S} {start:%d/%m/%Y}" if start is not None else ""
    lines = [f"{name} {len(recording.leads)} {recording.fs:g} {recording.n_samples}{when}"]
    for lead, column in zip(recording.leads, samples.T, strict=True):
        checksum = int(column.astype(np.int64).sum()) & 0xFFFF
        signed = checksum - 0x10000 if checksum > 0x7FFF else checksum
        first = int(column[0]) if column.size else 0
        lines.append(f"{name}.dat 16 {adc_per_mv:g}(0)/mV 16 0 {first} {signed} 0 {lead}")
    header.parent.mkdir(parents=True, exist_ok=True)
    # Archives are many small files, so neither waits for the disk; the header comes last, and names a whole file.
    write_bytes(samples.tobytes(), header.with_suffix(".dat"), durable=False)
    write_bytes(("\n".join(lines) + "\n").encode(), header, durable=False)
    return header
