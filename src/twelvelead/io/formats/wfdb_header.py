"""WFDB headers: what a `.hea` file says of the signals, and nothing that it does not."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from twelvelead.terms import FormatError, InputError

DEFAULT_GAIN = 200.0  # steps per unit where a header gives none, or 0: the specification's rule
DEFAULT_FS = 250.0
MOST_SIGNALS = 512  # more than any electrocardiograph has; a bound for what a broken header may claim
MOST_SEGMENTS = 10_000  # a week that is interrupted every minute
LONGEST_HEADER = 1_000_000  # bytes
LARGEST = 2**53  # of any whole number in a header: beyond, it is no longer exact as a float
SMALLEST_GAIN, LARGEST_GAIN = 1e-6, 1e12  # steps per unit, far beyond any converter; what is outside is a broken header

_FORMAT = re.compile(r"^(?P<format>\d+)(?:x(?P<per_frame>\d+))?(?::(?P<skew>\d+))?(?:\+(?P<offset>\d+))?$")
_GAIN = re.compile(r"^(?P<gain>[-+]?[\d.]+(?:[eE][-+]?\d+)?)(?:\((?P<baseline>[-+]?\d+)\))?(?:/(?P<units>\S+))?$")


@dataclass(frozen=True)
class Signal:
    """What a line of a header says of its signal, but for the record: how samples become physical units."""

    format: int
    samples_per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    units: str
    description: str


@dataclass(frozen=True, eq=False)
class Layout:
    """What the headers of an archive's records have in common; one object for all of them.

    Parameters
    ----------
    signals : tuple of Signal
        In the order of the file.
    """

    signals: tuple[Signal, ...]


@dataclass(frozen=True)
class Header:
    """A WFDB header.

    Parameters
    ----------
    name : str
        Record name.
    fs : float
        Sampling frequency in Hz.
    n_samples : int or None
        Samples per signal; None where the header does not say.
    start : datetime or None
        Start of the recording, where date and time are given and make sense.
    layout : Layout
        The signals.
    files : tuple of str
        The file of each signal.
    checksums : tuple of int or None
        The checksum of each signal, where it is given.
    comments : tuple of str
        Comment lines without `#`: diagnoses, age and sex in many archives.
    segments : tuple of (str, int)
        Name and samples per signal of each segment, in their order; none in an ordinary record.
    """

    name: str
    fs: float
    n_samples: int | None
    start: datetime | None
    layout: Layout
    files: tuple[str, ...]
    checksums: tuple[int | None, ...]
    comments: tuple[str, ...]
    segments: tuple[tuple[str, int], ...] = ()

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The signals, in the order of the file."""
        return self.layout.signals


def read_header(path: Path) -> Header:
    """Read a WFDB header.

    Parameters
    ----------
    path : Path
        The `.hea` file.

    Raises
    ------
    InputError
        If the file is not there.
    FormatError
        If a line is not what the format says; the message has its number.

    References
    ----------
    WFDB header format: doi:10.13026/gjvw-1m31
    """
    try:
        with path.open("rb", buffering=0) as file:
            content = file.read(LONGEST_HEADER + 1) or b""
    except (FileNotFoundError, IsADirectoryError) as error:
        msg = f"a WFDB record must have its header; got none at {str(path)!r}. Check the path."
        raise InputError(msg) from error
    if len(content) > LONGEST_HEADER:
        msg = f"a WFDB header must be shorter than {LONGEST_HEADER} bytes; got {path.stat().st_size} in {path.name}. "
        msg += "Check that it is one."
        raise FormatError(msg)
    try:
        return parse_header(content.decode(), where=path.name)
    except UnicodeDecodeError:  # comments of older archives
        return parse_header(content.decode("latin-1"), where=path.name)


def parse_header(text: str, *, where: str) -> Header:
    """Parse the text of a WFDB header; `where` names it in messages."""
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), start=1)]
    comments = tuple(line.lstrip("#").strip() for _, line in lines if line.startswith("#"))
    content = [(n, line) for n, line in lines if line and line[0] != "#"]
    if not content:
        msg = f"a WFDB header must have a record line; got none in {where}. Check that it is a header."
        raise FormatError(msg)
    number, first = content[0]
    fields = first.split()
    if len(fields) < 2:
        raise _bad_line(where, number, got=first, rule="a record line must name the record and count its signals")
    name, divided, segments = fields[0].partition("/")  # even "/1" makes it a record of segments
    n_signals = _whole(fields[1], where, number)
    if not 0 <= n_signals <= MOST_SIGNALS:
        raise _bad_line(where, number, got=first, rule=f"a record must have 0 to {MOST_SIGNALS} signals")
    fs = _fs(fields[2], where, number) if len(fields) > 2 else DEFAULT_FS
    n_samples = _whole(fields[3], where, number) if len(fields) > 3 else 0
    if n_samples < 0:
        raise _bad_line(where, number, got=first, rule="the number of samples must not be negative")
    rows = [] if divided else [(n, line.split(maxsplit=8)) for n, line in content[1 : 1 + n_signals]]
    if len(rows) < n_signals and not divided:
        msg = f"a header must have a line per signal; got {len(rows)} of {n_signals} in {where}. Restore the header."
        raise FormatError(msg)
    return Header(
        name=name,
        fs=fs,
        n_samples=n_samples or None,
        start=_start(fields[4:6]),
        layout=_layout(rows, where),
        files=tuple([row[0] for _, row in rows]),
        checksums=tuple([_whole(row[6], where, n) if len(row) > 6 else None for n, row in rows]),
        comments=comments,
        segments=_segments(segments, content, where) if divided else (),
    )


_LAYOUTS: dict[tuple[tuple[str, ...], ...], Layout] = {}
_MOST_LAYOUTS = 256  # an archive has a handful


def _layout(rows: list[tuple[int, list[str]]], where: str) -> Layout:
    """Parse what signal lines say but for the record's own file name, first sample and checksum; each layout once."""
    key = tuple([(*row[1:5], *row[8:]) for _, row in rows])
    layout = _LAYOUTS.get(key)
    if layout is None:
        layout = Layout(tuple([_signal(row, where, n) for n, row in rows]))
        if len(_LAYOUTS) >= _MOST_LAYOUTS:
            _LAYOUTS.clear()
        _LAYOUTS[key] = layout
    return layout


def _signal(fields: list[str], where: str, number: int) -> Signal:
    line = " ".join(fields)
    if len(fields) < 2:
        raise _bad_line(where, number, got=line, rule="a signal line must name a file and a format")
    shape = _FORMAT.match(fields[1])
    if shape is None:
        raise _bad_line(where, number, got=line, rule="a signal's format must be a number, as in 16 or 16x1+24")
    per_frame = _whole(shape["per_frame"] or "1", where, number)
    if per_frame < 1:
        raise _bad_line(where, number, got=line, rule="a frame must have at least one sample of each signal")
    gain, baseline, units = DEFAULT_GAIN, None, "mV"
    if len(fields) > 2:
        scale = _GAIN.match(fields[2])
        if scale is None:
            raise _bad_line(where, number, got=line, rule="a gain must be a number, as in 1000 or 1000(0)/mV")
        gain = _number(scale["gain"], where, number) or DEFAULT_GAIN
        if not SMALLEST_GAIN <= abs(gain) <= LARGEST_GAIN:
            rule = f"a gain must lie between {SMALLEST_GAIN:g} and {LARGEST_GAIN:g} steps per unit"
            raise _bad_line(where, number, got=line, rule=rule)
        baseline = _whole(scale["baseline"], where, number) if scale["baseline"] else None
        units = scale["units"] or "mV"
    zero = _whole(fields[4], where, number) if len(fields) > 4 else 0
    return Signal(
        format=_whole(shape["format"], where, number),
        samples_per_frame=per_frame,
        skew=_whole(shape["skew"] or "0", where, number),
        offset=_whole(shape["offset"] or "0", where, number),
        gain=gain,
        baseline=zero if baseline is None else baseline,
        units=units,
        description=fields[8] if len(fields) > 8 else "",
    )


def _segments(count: str, content: list[tuple[int, str]], where: str) -> tuple[tuple[str, int], ...]:
    """Parse the lines of a record's segments: name and samples of each."""
    number, first = content[0]
    n_segments = _whole(count, where, number)
    if not 1 <= n_segments <= MOST_SEGMENTS:
        raise _bad_line(where, number, got=first, rule=f"a record must have 1 to {MOST_SEGMENTS} segments")
    lines = content[1 : 1 + n_segments]
    if len(lines) < n_segments:
        msg = f"a header must have a line per segment; got {len(lines)} of {n_segments} in {where}. Restore the header."
        raise FormatError(msg)
    segments = []
    for n, line in lines:
        fields = line.split()
        length = _whole(fields[1], where, n) if len(fields) > 1 else -1
        if length < 0:
            raise _bad_line(where, n, got=line, rule="a segment's line must give its name and its number of samples")
        segments.append((fields[0], length))
    return tuple(segments)


def _fs(text: str, where: str, number: int) -> float:
    fs = _number(re.split(r"[/(]", text, maxsplit=1)[0], where, number)
    if not 0 < fs < 1e6:
        raise _bad_line(where, number, got=text, rule="a sampling frequency must lie between 0 and 1e6 Hz")
    return fs


def _number(text: str, where: str, number: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise _bad_line(where, number, got=text, rule="a number must stand here") from None


def _whole(text: str, where: str, number: int) -> int:
    try:
        value = int(text)
    except ValueError:
        raise _bad_line(where, number, got=text, rule="a whole number must stand here") from None
    if abs(value) > LARGEST:
        raise _bad_line(where, number, got=text, rule=f"a whole number must be at most {LARGEST}")
    return value


def _start(fields: list[str]) -> datetime | None:
    """Start of the recording, or None where date or time is absent or odd, as in some archives: it is no signal."""
    try:
        clock = [float(part) for part in fields[0].split(":")]
        day, month, year = (int(part) for part in fields[1].replace("-", "/").split("/"))
        hour, minute, second = [0.0] * (3 - len(clock)) + clock
        at = time(int(hour), int(minute), int(second), round(second % 1 * 1e6) % 1_000_000)
        return datetime.combine(date(year, month, day), at)
    except (ValueError, IndexError, OverflowError):
        return None


def _bad_line(where: str, number: int, *, got: str, rule: str) -> FormatError:
    return FormatError(f"{rule}; got {got[:80]!r} in {where}, line {number}. Restore the header.")
