"""Elements of a DICOM data set: a file parsed within bounds, and values that are there or a typed error."""

import io
import math
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twelvelead.terms import FormatError, MissingExtra

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_INFLATED = 64  # times the deflated size; a flat line inflates further, and may up to the next number of bytes
_INFLATED_BYTES = 16 * 1024 * 1024
UNKNOWN_TIME = datetime(1900, 1, 1)
"""What this package writes where DICOM demands a time and none is known."""

_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
_DEFLATED = "1.2.840.10008.1.2.1.99"
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?(?:[+-]\d{4})?")


def parse(path: Path) -> "Dataset":
    """Parse a DICOM file; values are decoded when they are asked for.

    Parameters
    ----------
    path : Path
        With or without the preamble of a DICOM file.

    Raises
    ------
    FormatError
        If pydicom can't find the elements, the transfer syntax is none of a waveform's, or a deflated data set is
        larger than any ECG's.
    MissingExtra
        If pydicom is not installed.
    """
    try:
        from pydicom import dcmread
        from pydicom.filereader import read_dataset, read_file_meta_info
    except ImportError:
        msg = f"reading {path.name} needs the pydicom package; got none. Run: pip install 'twelvelead[formats]'"
        raise MissingExtra(msg) from None
    content = path.read_bytes()  # at once: from a file, memory for a claimed length would be taken before it is read
    syntax, begin = "", 0
    try:
        if content[128:132] == b"DICM":
            meta = read_file_meta_info(path)
            syntax = str(meta.get("TransferSyntaxUID") or "")
            begin = 144 + int(meta.get("FileMetaInformationGroupLength") or 0)  # preamble, mark and the length itself
        if syntax == _DEFLATED:
            return read_dataset(io.BytesIO(_inflate(content[begin:], path)), False, True)  # noqa: FBT003
        if syntax and syntax not in _NATIVE:
            msg = (
                f"a waveform's transfer syntax must be explicit or implicit VR; got {syntax[:64]!r} in (0002,0010) of "
            )
            msg += f"{path.name}. Convert it to explicit VR little endian."
            raise FormatError(msg)
        return dcmread(io.BytesIO(content), force=True)
    except FormatError:
        raise
    except Exception as error:  # that package raises whatever its parser trips over
        msg = f"{path.name} must hold DICOM elements; got {type(error).__name__}: {str(error)[:120]}. Copy it again."
        raise FormatError(msg) from error


def _inflate(deflated: bytes, path: Path) -> bytes:
    """Decompress a data set, but no further than an ECG would go."""
    most = max(_INFLATED_BYTES, _INFLATED * len(deflated))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(deflated, most)
    except zlib.error as error:
        msg = f"{path.name} must be deflated as its (0002,0010) says; got {error}. Copy it again."
        raise FormatError(msg) from error
    if inflater.unconsumed_tail or not inflater.eof:
        msg = f"a deflated data set must end within {most} bytes; got {len(inflated)} without an end in "
        msg += f"{path.name}. Inflate or copy it again."
        raise FormatError(msg)
    return inflated


@contextmanager
def quiet(notes: list[str]) -> Iterator[None]:
    """Turn pydicom's warnings into notes, which name the kind of value but not the value: it may be a name.

    Parameters
    ----------
    notes : list of str
        Where they go, each once.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        kind = re.match(r"Invalid value for VR (\w\w)", str(warning.message))
        said = f"values that DICOM does not allow for VR {kind[1]}" if kind else "elements that pydicom warns of"
        if said not in notes:
            notes.append(said)


def value(item: "Dataset", keyword: str) -> Any:  # noqa: ANN401 - as pydicom gives it
    """Decode the value of an element; None where it is absent or empty.

    Raises
    ------
    FormatError
        If it can't be decoded. Its text is not told, since it may be the patient's.
    """
    try:
        found = item.get(keyword)
        return None if found is None or (isinstance(found, str) and not found.strip()) else found
    except Exception as error:  # pydicom decodes late, and raises whatever it trips over
        msg = f"DICOM element {keyword} must be readable; got {type(error).__name__}. Write the file again."
        raise FormatError(msg) from error


def items(item: "Dataset", keyword: str) -> list["Dataset"]:
    """List the items of a sequence; none where it is absent.

    Raises
    ------
    FormatError
        If it can't be decoded, or is no sequence.
    """
    from pydicom.sequence import Sequence

    found = value(item, keyword)
    if found is None:
        return []
    if not isinstance(found, Sequence):
        msg = f"DICOM element {keyword} must be a sequence; got {type(found).__name__}. Write the file again."
        raise FormatError(msg)
    try:
        return list(found)
    except Exception as error:  # items, too, are decoded late
        msg = f"DICOM sequence {keyword} must be readable; got {type(error).__name__}. Write the file again."
        raise FormatError(msg) from error


def number(item: "Dataset", keyword: str) -> float | None:
    """Decode a single number; None where it is absent.

    Raises
    ------
    FormatError
        If it is no single finite number.
    """
    found = value(item, keyword)
    if found is None:
        return None
    try:
        decoded = float(str(found))
    except ValueError:
        decoded = math.nan
    if not math.isfinite(decoded):
        msg = f"DICOM element {keyword} must be a finite number; got {str(found)[:40]!r}. Write the file again."
        raise FormatError(msg)
    return decoded


def number_if_any(item: "Dataset", keyword: str) -> float | None:
    """Decode a number that a recording can do without; None where it is absent or none."""
    try:
        return number(item, keyword)
    except FormatError:
        return None


def count(item: "Dataset", keyword: str, *, where: str) -> int:
    """Decode a number of things that must be 1 or more.

    Raises
    ------
    FormatError
        If it is absent or no such number.
    """
    found = number(item, keyword)
    if found is None or found < 1 or found != int(found):
        msg = f"DICOM element {keyword} must be a whole number above 0; got {found} in {where}. Write the file again."
        raise FormatError(msg)
    return int(found)


def text(item: "Dataset", keyword: str) -> str:
    """Decode a text, several values joined by a space; empty where it is absent or can't be decoded."""
    from pydicom.multival import MultiValue

    try:
        found = value(item, keyword)
        parts = [] if found is None else list(found) if isinstance(found, MultiValue) else [found]
        return " ".join(" ".join(str(part).replace("\0", " ").split()) for part in parts).strip()
    except Exception:  # noqa: BLE001 - names are decoded as late as here; a text that can't be read is as good as none
        return ""


def code(item: "Dataset", keyword: str) -> tuple[str, str, str]:
    """Decode the first code of a sequence: its value, scheme and meaning; empty where there is none.

    Raises
    ------
    FormatError
        If the sequence can't be decoded.
    """
    found = items(item, keyword)
    if not found:
        return "", "", ""
    first = found[0]
    return (
        text(first, "CodeValue") or text(first, "LongCodeValue"),
        text(first, "CodingSchemeDesignator"),
        text(first, "CodeMeaning"),
    )


def date_of(written: str) -> date | None:
    """Read a date; None for one that can't be.

    Examples
    --------
    >>> date_of("19530508"), date_of("19531308")
    (datetime.date(1953, 5, 8), None)
    """
    found = _DATE.match(written)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def time_of(day: str, clock: str) -> datetime | None:
    """Read a date and a time of day, without the time zone; None where one of them can't be.

    Examples
    --------
    >>> time_of("20130125", "105919.25")
    datetime.datetime(2013, 1, 25, 10, 59, 19, 250000)
    """
    on, at = date_of(day), _TIME.match(clock)
    if on is None or at is None:
        return None
    hour, minute, second = (int(part or 0) for part in at.groups()[:3])
    try:
        begin = datetime(on.year, on.month, on.day, hour, minute)
        when = begin + timedelta(seconds=second, microseconds=int((at[4] or "0").ljust(6, "0")))
    except (ValueError, OverflowError):
        return None
    return None if when == UNKNOWN_TIME else when
