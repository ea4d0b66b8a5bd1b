"""A recording that is opened but not read: how long it is, and any span of it on demand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from twelvelead.io.formats.metadata import Machine, Patient, Provenance
from twelvelead.signal import Recording
from twelvelead.terms import InputError


@dataclass(frozen=True)
class Source:
    """A recording in a file.

    Parameters
    ----------
    fs : float
        Sampling frequency in Hz.
    n_samples : int
        Samples per lead.
    span : callable
        Reads the samples from the first number up to, but without, the second.
    machine : Machine
        What the device measured and said.
    provenance : Provenance
        Format, device, filters and time.
    patient : Patient
        Whom it is of. Readers fill in what the file has; `io.open_recording` leaves out the identity unless asked for.
    median : Recording or None
        The device's median or reference beat, where the file has one.
    step_mv : tuple of float
        Amplitude of one step of the analogue-to-digital conversion, mV, per lead of the recording; empty if unknown.
    notes : tuple of str
        What is amiss with the file, although it can be read.
    """

    fs: float
    n_samples: int
    span: Callable[[int, int], Recording]
    machine: Machine = Machine()  # noqa: RUF009 - frozen
    provenance: Provenance = Provenance()  # noqa: RUF009 - frozen
    patient: Patient = Patient()  # noqa: RUF009 - frozen
    median: Recording | None = None
    step_mv: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Duration in s."""
        return self.n_samples / self.fs

    def read(self) -> Recording:
        """Read the whole recording."""
        return self.span(0, self.n_samples)

    def windows(self, seconds: float, *, overlap: float) -> Iterator[tuple[float, Recording]]:
        """Read the recording piece by piece.

        Parameters
        ----------
        seconds : float
            Length of a piece without its overlap, s. The last one is between half as long and half as long again.
        overlap : float
            How far each window reaches over its piece on either side, where the recording does, s.

        Yields
        ------
        offset : float
            When the window begins, s from the start of the recording. Pieces meet in the middle of where two windows
            overlap.
        window : Recording
            With the id of the recording.

        Raises
        ------
        InputError
            If `seconds` is not above 0 or `overlap` is below 0.
        """
        step, reach = round(seconds * self.fs), round(overlap * self.fs)
        if step < 1 or reach < 0:
            msg = f"windows must be longer than 0 s and overlap by 0 s or more; got {seconds} and {overlap}. Choose so."
            raise InputError(msg)
        edges = [*range(0, max(self.n_samples - step // 2, 1), step), self.n_samples]
        for first, stop in pairwise(edges):
            begin = max(first - reach, 0)
            yield begin / self.fs, self.span(begin, min(stop + reach, self.n_samples))


def source_of(recording: Recording, **said: Any) -> Source:  # noqa: ANN401 - the other fields of Source
    """Give the spans of a recording that had to be read whole; they share its samples.

    Parameters
    ----------
    recording : Recording
        The whole of it.
    **said
        The other fields of `Source`: machine, provenance, patient, median, step_mv, notes.
    """

    def span(first: int, stop: int) -> Recording:
        if (first, stop) == (0, recording.n_samples):
            return recording
        samples = recording.signal[:, first:stop]
        return replace(recording, signal=samples, start=later(recording.start, first / recording.fs))

    return Source(recording.fs, recording.n_samples, span, **said)


def later(start: datetime | None, seconds: float) -> datetime | None:
    """Give the start of a span that begins some seconds after the recording; None beyond what a calendar can hold.

    Examples
    --------
    >>> later(datetime(2020, 1, 1, 12), 90)
    datetime.datetime(2020, 1, 1, 12, 1, 30)
    >>> later(datetime(9999, 12, 31), 1e6)
    """
    try:
        return start + timedelta(seconds=seconds) if start is not None and seconds else start
    except OverflowError:  # a broken file may be dated anywhere
        return None
