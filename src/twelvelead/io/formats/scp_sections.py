"""SCP-ECG records (EN 1064): their sections, found through the pointers of section 0, with their checksums."""

import struct
from binascii import crc_hqx
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twelvelead.terms import FormatError

_MOST_BYTES = 64 << 20  # 255 leads of at most 65,535 bytes each are 16 MiB
_HEADER = 16  # bytes of a section before its data
_POINTERS = 22  # where those of section 0 begin: after the record's checksum and length, and the section's header
_POINTER = struct.Struct("<HII")
_SAMPLES = range(2, 7)  # the sections that are decoded to samples
_KNOWN = range(1, 12)
_NEWER = 30  # protocol 3.0


@dataclass(frozen=True)
class Section:
    """The data of one section, without its header.

    Parameters
    ----------
    number : int
        1 header, 2 Huffman tables, 3 leads, 4 beats, 5 reference beat, 6 rhythm, 7 measurements, 8 and 11 statements.
    start : int
        Where the data begins in the file, in bytes.
    data : bytes
        What it holds.
    file : str
        Name of the file, for messages.
    """

    number: int
    start: int
    data: bytes
    file: str

    def unpack(self, layout: str, at: int) -> tuple[Any, ...]:
        """Read little-endian numbers at a byte of the data.

        Raises
        ------
        FormatError
            If the section ends before.
        """
        numbers: tuple[Any, ...] = struct.unpack(f"<{layout}", self.take(at, struct.calcsize(f"<{layout}")))
        return numbers

    def take(self, at: int, count: int) -> bytes:
        """Give some bytes of the data.

        Raises
        ------
        FormatError
            If the section ends before.
        """
        if at + count > len(self.data):
            msg = f"{self.where(at)} must hold {count} bytes; got {max(len(self.data) - at, 0)}. Export the file again."
            raise FormatError(msg)
        return self.data[at : at + count]

    def where(self, at: int) -> str:
        """Say which byte of the file a byte of the data is."""
        return f"section {self.number} of {self.file} at byte {self.start + at}"


@dataclass(frozen=True)
class Record:
    """A whole record.

    Parameters
    ----------
    version : str
        Of the protocol, such as 2.0.
    sections : dict of int to Section
        Those that hold data and have their checksum.
    notes : tuple of str
        What is amiss, although the samples can be read.
    """

    version: str
    sections: dict[int, Section]
    notes: tuple[str, ...]

    def require(self, number: int, *, why: str, file: str) -> Section:
        """Give a section that can't be done without.

        Raises
        ------
        FormatError
            If it is not there.
        """
        if number not in self.sections:
            there = ", ".join(map(str, self.sections)) or "none"
            msg = f"an SCP-ECG record must have section {number} ({why}); got sections {there} in {file}. "
            msg += "Export it again."
            raise FormatError(msg)
        return self.sections[number]


def is_record(head: bytes) -> bool:
    """Whether bytes begin an SCP-ECG record: section 0 says so, or begins where and as long as it must."""
    if len(head) < _POINTERS + _POINTER.size:
        return False
    number, length = struct.unpack_from("<HI", head, 8)
    regular = (length - _HEADER) % _POINTER.size == 0 and length >= _HEADER + len(_KNOWN) * _POINTER.size
    named = head[16:22] == b"SCPECG"
    return number == 0 and (named or (regular and _POINTER.unpack_from(head, _POINTERS) == (0, length, 7)))


def read_record(path: Path) -> Record:
    """Read a record: find its sections and compare their checksums.

    Raises
    ------
    FormatError
        If it is cut short, or the pointers or a section that samples are decoded from have another checksum, another
        header than the pointer says, or lie outside the file.

    Notes
    -----
    A record begins with its CRC-CCITT (polynomial 0x1021, start 0xFFFF, over all that follows it) and its length;
    each section with its CRC, number, length, and versions. Pointers count bytes from 1. What fails its checksum is
    not used: an error where samples depend on it, a note otherwise.
    """
    content = _read(path)
    (said,) = struct.unpack_from("<I", content, 2)
    if said > len(content):
        msg = f"{path.name} must have the {said} bytes that its header says; got {len(content)}. "
        msg += "It is cut short: copy it again."
        raise FormatError(msg)
    notes = [f"{len(content) - said} bytes follow the record"] if 0 < said < len(content) else []
    whole = content[: max(said, _POINTERS) if said else len(content)]
    if (crc := struct.unpack_from("<H", whole)[0]) != crc_hqx(whole[2:], 0xFFFF):
        notes.append(f"the record's checksum is {crc_hqx(whole[2:], 0xFFFF):#06x}, not {crc:#06x} as it says")
    sections: dict[int, Section] = {}
    for number, length, index in _pointers(content, path):
        if number not in _KNOWN or length <= _HEADER or number in sections:
            continue
        problem = _problem(content, number, length, index)
        if not problem:
            start = index - 1 + _HEADER
            sections[number] = Section(number, start, content[start : index - 1 + length], path.name)
        elif number in _SAMPLES:
            msg = f"section {number} of {path.name} at byte {max(index - 1, 0)} {problem}. Copy the file again."
            raise FormatError(msg)
        else:
            notes.append(f"section {number} is left out: it {problem}")
    version = f"{content[15] // 10}.{content[15] % 10}"
    if content[15] >= _NEWER:
        notes.append(f"protocol {version} is read as 2: compare the samples with another reader's")
    return Record(version, sections, tuple(notes))


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if not _POINTERS + _POINTER.size <= size <= _MOST_BYTES:
        msg = f"an SCP-ECG record must have {_POINTERS + _POINTER.size} to {_MOST_BYTES} bytes; got {size} in "
        msg += f"{path.name}. Copy it again."
        raise FormatError(msg)
    return path.read_bytes()


def _pointers(content: bytes, path: Path) -> list[tuple[int, int, int]]:
    """Read the pointers of section 0: number, length and index of each section."""
    (length,) = struct.unpack_from("<I", content, 10)
    if not _HEADER < length <= len(content) - 6:
        msg = f"section 0 of {path.name} at byte 6 must lie within the file; got a length of {length} bytes for "
        msg += f"{len(content) - 6}. Copy it again."
        raise FormatError(msg)
    if problem := _problem(content[: 6 + length], 0, length, 7):
        msg = f"section 0 of {path.name} at byte 6 {problem}. Copy the file again."
        raise FormatError(msg)
    count = (length - _HEADER) // _POINTER.size
    return list(_POINTER.iter_unpack(content[_POINTERS : _POINTERS + count * _POINTER.size]))


def _problem(content: bytes, number: int, length: int, index: int) -> str:
    """Say why a section can't be used; empty if it can."""
    start = index - 1
    if start < 0 or start + length > len(content):
        return f"must lie within the file; got {length} bytes from byte {start} of {len(content)}"
    crc, own_number, own_length = struct.unpack_from("<HHI", content, start)
    if (own_number, own_length) != (number, length):
        said = f"{number} and {length} bytes as its pointer says; got {own_number} and {own_length}"
        return f"must have the number and length {said}"
    if (actual := crc_hqx(content[start + 2 : start + length], 0xFFFF)) != crc:
        return f"must have the checksum {crc:#06x}; got {actual:#06x}"
    return ""
