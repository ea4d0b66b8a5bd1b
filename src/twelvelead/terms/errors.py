"""What can go wrong, as one tree; and why a recording is refused."""

from enum import StrEnum


class Error(ValueError):
    """Anything that is wrong with what the caller passed in, or with what a file holds.

    Every message reads: what must hold; what was got, and where. What to do next.

    ::

        Error
        ├── InputError        a file, a folder or an argument                      exit status 3
        │   ├── FormatError   a recording file that can't be decoded
        │   └── ContractError a table that lacks a column, or whose key repeats
        ├── StudyError        a declared study that can't be carried out as said   exit status 3
        ├── Unmeasurable      a recording that reads, but can't be measured; carries a `Reason`
        └── MissingExtra      an optional dependency that is not installed         exit status 5
    """


class InputError(Error):
    """A file, a folder or an argument is not what it must be."""


class FormatError(InputError):
    """A recording file can't be decoded."""


class ContractError(InputError):
    """A table breaks its contract."""


class StudyError(Error):
    """A declared study can't be carried out as it is declared."""


class Reason(StrEnum):
    """Why a recording, or one lead of it, is refused or flagged."""

    UNREADABLE = "unreadable"  # the file can't be decoded
    DUPLICATE = "duplicate"  # two recordings with one id
    TOO_SHORT = "too_short"
    MISSING_LEAD = "missing_lead"  # a lead that is absent, or that holds no sample
    FLAT = "flat"
    CLIPPED = "clipped"  # the peaks are cut off at a level
    SATURATED = "saturated"  # much of the lead stands at a rail
    NOISE = "noise"
    WRONG_UNITS = "wrong_units"  # amplitudes that no heart gives in mV
    EINTHOVEN = "einthoven"  # the limb leads contradict one another
    NO_BEATS = "no_beats"
    FILE = "file"  # the file contradicts itself, or lacks a part
    NOT_EMBEDDED = "not_embedded"  # the table of embeddings has no row of it
    UNWRITABLE = "unwritable"  # what was read does not fit into the format it is converted to
    FAULT = "fault"  # of this software: an error that nobody foresaw


class Unmeasurable(Error):
    """A recording that can be read, but not measured.

    Parameters
    ----------
    reason : Reason
        The typed reason, which the failures table lists.
    message : str
        The sentence for people.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class MissingExtra(Error):
    """An optional dependency is not installed; the message is the command that installs it."""
