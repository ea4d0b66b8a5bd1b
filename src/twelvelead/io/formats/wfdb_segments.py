"""WFDB records made of segments: each is a record of its own, read only where a span needs it."""

import re
from bisect import bisect_right
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import accumulate
from pathlib import Path

import numpy as np

from twelvelead.io.formats.metadata import Machine, Provenance
from twelvelead.io.formats.source import Source, later
from twelvelead.io.formats.wfdb_comments import read_comments
from twelvelead.io.formats.wfdb_files import inside
from twelvelead.io.formats.wfdb_header import Header, read_header
from twelvelead.io.formats.wfdb_record import open_record, plan_of
from twelvelead.signal import Recording
from twelvelead.terms import Error, FormatError, InputError

NULL = "~"  # a segment in which nothing was recorded
MOST_MISSING = 2**25  # missing samples that one span may hold, of all leads together: 128 MB that no file backs
_LOOKS_LIKE_ONE = re.compile(r"(.+)_(?:\d{4}|layout)")


@dataclass(frozen=True, eq=False)
class _Segments:
    """A record that is made of segments: where each of them stops, and what all have in common."""

    path: Path
    header: Header
    stops: list[int]
    leads: tuple[str, ...]
    start: datetime | None
    variable: bool


def open_segments(path: Path, header: Header) -> Source:
    """Open a record that is made of segments.

    Parameters
    ----------
    path : Path
        Its header.
    header : Header
        What that says: the segments' names and lengths.

    Returns
    -------
    Source
        Of the leads of the first segment, which all others must have, too (fixed layout); or, where that is of length
        0, of the leads it names, NaN where a segment lacks them (variable layout). NaN in null segments.

    Raises
    ------
    FormatError
        If the lengths contradict one another, a segment is named twice or the first one is not there. What is wrong
        with the others shows when a span is read.

    References
    ----------
    WFDB header format: doi:10.13026/gjvw-1m31
    """
    stops = list(accumulate(length for _, length in header.segments))
    names = [name for name, _ in header.segments if name != NULL]
    if header.n_samples not in (None, stops[-1]):
        msg = f"segments must have {header.n_samples} samples together; got {stops[-1]} in {path.name}. Restore it."
        raise FormatError(msg)
    if len(set(names)) < len(names) or not names:
        msg = f"a record must name each segment once, and one at least; got {len(names)} names of {len(set(names))} "
        msg += f"segments in {path.name}. Restore it."
        raise FormatError(msg)
    variable = header.segments[0][1] == 0
    first = _segment_header(path, names[0], header)
    plan = plan_of(first.layout)
    if not plan.kept:
        msg = f"a record must hold a signal in mV, uV or V; got none in {path.name}. Check {names[0]}.hea."
        raise FormatError(msg)
    comments = read_comments(header.comments or first.comments)
    start = header.start or first.start or comments.recorded_on
    record = _Segments(path, header, stops, plan.leads, start, variable)
    return Source(
        header.fs,
        stops[-1],
        partial(_read_span, record),
        machine=Machine(statements=comments.statements),
        provenance=Provenance(recorded_at=start),
        patient=comments.patient,
        step_mv=() if variable else plan.steps,  # what a layout says of gains need not hold in its segments
    )


def segments_among(records: Set[str], folder: str) -> set[str]:
    """Name the records of a folder that are segments of another one there.

    Headers are opened only where a name looks like that of a segment: `_` and four digits, or `_layout`.
    """
    stems = {found[1] for name in records if (found := _LOOKS_LIKE_ONE.fullmatch(name))}
    if not stems:
        return set()
    segments: set[str] = set()
    for name in records:
        if name in stems or not _LOOKS_LIKE_ONE.fullmatch(name):
            segments.update(_segments_of(Path(folder, f"{name}.hea")))
    return segments & records


def _segments_of(path: Path) -> list[str]:
    """Name the segments of a record; none of one that has none, or can't be read."""
    try:
        with path.open("rb", buffering=0) as file:
            lines = (file.read(4096) or b"").splitlines()
        record = next((line for line in lines if line.strip() and not line.lstrip().startswith(b"#")), b"")
        return [name for name, _ in read_header(path).segments] if b"/" in record.partition(b" ")[0] else []
    except (OSError, Error):
        return []


def _segment_header(path: Path, name: str, header: Header) -> Header:
    """Read the header of a segment, which must lie beside the record's and be in one piece."""
    segment = read_header(inside(path, f"{name}.hea")[0])
    if segment.segments or segment.fs != header.fs:
        got = f"{len(segment.segments)} segments" if segment.segments else f"{segment.fs:g} Hz"
        msg = f"a segment must be in one piece, at {header.fs:g} Hz as its record; got {got} in {name}.hea. Restore it."
        raise FormatError(msg)
    return segment


def _read_span(record: _Segments, first: int, stop: int) -> Recording:
    """Read the samples from `first` up to `stop`."""
    blocks, leads = _read_blocks(record, first, stop), record.leads
    missing = (stop - first) * len(leads) - sum(block.signal.size for _, block in blocks)
    if missing > MOST_MISSING:
        msg = f"a span must lack at most {MOST_MISSING} samples; got {missing} in {record.path.name}. "
        msg += "Read it window by window."
        raise InputError(msg)
    signal = np.full((stop - first, len(leads)), np.nan, dtype=np.float32)
    for begin, block in blocks:
        for lead in block.leads:
            if lead in leads:
                signal[begin : begin + block.n_samples, leads.index(lead)] = block[lead]
    signal.setflags(write=False)
    return Recording(signal.T, leads, record.header.fs, record.path.stem, later(record.start, first / record.header.fs))


def _read_blocks(record: _Segments, first: int, stop: int) -> list[tuple[int, Recording]]:
    """Read what the segments have of a span, each with its place in that."""
    path, header, stops, leads = record.path, record.header, record.stops, record.leads
    blocks: list[tuple[int, Recording]] = []
    for n in range(bisect_right(stops, first), len(stops)):
        name, length = header.segments[n]
        begin = stops[n] - length
        if begin >= stop:
            break
        if name == NULL or not length:
            continue
        segment = open_record(path.with_name(f"{name}.hea"), _segment_header(path, name, header))
        if segment.n_samples != length:
            msg = f"segment {name} must have {length} samples; got {segment.n_samples} in its header. Restore it."
            raise FormatError(msg)
        block = segment.span(max(first - begin, 0), min(stop - begin, length))
        if block.leads != leads and not record.variable:
            msg = f"all segments must have the leads {', '.join(leads)}; got {', '.join(block.leads)} in {name}. "
            msg += "Restore its header."
            raise FormatError(msg)
        blocks.append((max(begin - first, 0), block))
    return blocks
