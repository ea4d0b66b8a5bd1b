"""Write a recording as WFDB: a header, and samples of 16, 24 or 32 bits."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.source import Source
from twelvelead.io.formats.steps import to_steps
from twelvelead.io.tables import write_bytes
from twelvelead.signal import Recording
from twelvelead.terms import InputError

MISSING = -32768  # format 16's value for "no sample"; those of formats 24 and 32 are their least ones, too
_BYTES = {16: 2, 24: 3, 32: 4}


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
    return _write(recording, header, samples=samples, gains=[_plain(adc_per_mv)] * len(recording.leads), number=16)


def write_wfdb_source(source: Source, header: Path) -> bool:
    """Write a recording as WFDB, each lead in the steps that its device converted it to.

    Parameters
    ----------
    source : Source
        What to write; it is read whole. Age, sex and statements become comments as the PhysioNet Challenges write them,
        the patient's id one line more; what else a source says of device and measurements WFDB has no place for.
    header : Path
        The `.hea` file; the samples go to the `.dat` file beside it, in format 16, or in format 24 or 32 where the
        range needs it.

    Returns
    -------
    bool
        Whether every sample is a whole number of steps, so that what is read back equals the source.

    Raises
    ------
    InputError
        If an amplitude is one that no format holds, or there is no lead.

    References
    ----------
    WFDB header and signal formats: doi:10.13026/gjvw-1m31
    """
    recording = source.read()
    if not recording.leads or not recording.n_samples:
        msg = f"a WFDB record must hold samples; got {len(recording.leads)} leads of {recording.n_samples} samples in "
        msg += f"{recording.id!r}. Leave it out."
        raise InputError(msg)
    if recording.start is None:
        recording = replace(recording, start=source.provenance.recorded_at)
    steps = to_steps(recording, source.step_mv, bits=32)
    samples, lost = steps.samples, steps.samples == np.iinfo(np.int32).min
    highest = int(np.abs(np.where(lost, 0, samples.astype(np.int64))).max())
    number = next(bits for bits in _BYTES if highest < 2 ** (bits - 1))
    narrow = np.where(lost, -(2 ** (number - 1)), samples)
    gains = [f"{_gain(step)}({-zero})" for step, zero in zip(steps.step_mv, steps.zero, strict=True)]
    _write(recording, header, samples=narrow, gains=gains, number=number, comments=_comments(source))
    return steps.exact


def _write(
    recording: Recording,
    header: Path,
    *,
    samples: NDArray[np.signedinteger],
    gains: Sequence[str],
    number: int,
    comments: Sequence[str] = (),
) -> Path:
    """Write samples, shape (n_samples, n_leads), in signal format `number`; gains are steps per mV, as text."""
    name, start = header.stem, recording.start
    when = ""
    if start is not None:
        second = f"{start:%H:%M:%S.%f}" if start.microsecond else f"{start:%H:%M:%S}"
        when = f" {second} {start:%d/%m}/{start.year:04d}"
    lines = [f"{name} {len(recording.leads)} {_plain(recording.fs)} {recording.n_samples}{when}"]
    for lead, gain, column in zip(recording.leads, gains, samples.T, strict=True):
        checksum = int(column.astype(np.int64).sum()) & 0xFFFF
        signed = checksum - 0x10000 if checksum > 0x7FFF else checksum
        first = int(column[0]) if column.size else 0
        scale = gain if "(" in gain else f"{gain}(0)"
        lines.append(f"{name}.dat {number} {scale}/mV {number} 0 {first} {signed} 0 {_one_line(lead)}")
    lines += [f"# {_one_line(comment)}" for comment in comments]
    header.parent.mkdir(parents=True, exist_ok=True)
    # Archives are many small files, so neither waits for the disk; the header comes last, and names a whole file.
    write_bytes(_encode(samples, number), header.with_suffix(".dat"), durable=False)
    write_bytes(("\n".join(lines) + "\n").encode(), header, durable=False)
    return header


def _encode(samples: NDArray[np.signedinteger], number: int) -> bytes:
    """Give samples as little-endian integers of 16, 24 or 32 bits."""
    if number == 24:
        return samples.astype("<i4").reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    return samples.astype(f"<i{_BYTES[number]}").tobytes()


def _comments(source: Source) -> list[str]:
    """Write what is known of the patient, in the words that `wfdb_comments.read_comments` knows."""
    patient = source.patient
    lines = [f"subject_id: {patient.id}"] if patient.id else []
    if patient.age_years is not None:
        lines.append(f"Age: {_plain(patient.age_years)}")
    if patient.sex is not None:
        lines.append(f"Sex: {patient.sex.capitalize()}")
    statements = [_untagged(line) for statement in source.machine.statements if (line := _one_line(statement))]
    if statements and all(statement.isdigit() for statement in statements):  # codes of SNOMED CT
        return [*lines, f"Dx: {','.join(statements)}"]
    return [*lines, *(["<diagnoses>:"] if statements else []), *statements]


def _untagged(statement: str) -> str:
    """Word what would read as a tag, such as `<diagnoses>`."""
    return statement.replace("<", "less than ") if re.search("<[^<>]*>", statement) else statement


def _gain(step_mv: float) -> str:
    """Write steps per mV with as few digits as say which step it is."""
    gain = 1 / step_mv
    return next((text for text in (f"{gain:.{n}g}" for n in (6, 9, 12, 15)) if 1 / float(text) == step_mv), repr(gain))


def _plain(number: float) -> str:
    """Write a number with all its digits, and no more."""
    short = f"{number:g}"
    return short if float(short) == number else repr(float(number))


def _one_line(text: str) -> str:
    """Keep text to its line, since the next one is another field's."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
