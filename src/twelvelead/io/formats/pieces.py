"""Leads that a file holds piece by piece, put together into one recording."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal import Recording
from twelvelead.terms import FormatError

MOST_LEADS = 64
FASTEST = 100_000.0
"""Sampling frequency in Hz that no electrocardiograph reaches."""
LARGEST_STEP_MV = 1000.0
"""Step of a conversion in mV that no electrocardiograph has."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Samples of one lead that follow one another.

    Parameters
    ----------
    lead : str
        Name.
    samples : ndarray of float, shape (n,)
        In mV.
    step_mv : float
        mV per step of the conversion.
    first : int
        Number of its first sample in the recording.
    """

    lead: str
    samples: NDArray[np.float32]
    step_mv: float
    first: int = 0

    @property
    def stop(self) -> int:
        """Number of the sample after its last one."""
        return self.first + len(self.samples)


def assemble(
    pieces: Sequence[Piece], fs: float, path: Path, *, start: datetime | None = None
) -> tuple[Recording, dict[str, float]]:
    """Put pieces together.

    Parameters
    ----------
    pieces : sequence of Piece
        In any order. Those of one lead that don't overlap become one lead; what overlaps becomes another one, whose
        name has a number behind it.
    fs : float
        Sampling frequency in Hz.
    path : Path
        The file, whose stem becomes the id.
    start : datetime or None
        When sample 0 was recorded.

    Returns
    -------
    recording : Recording
        NaN where a lead has no piece.
    steps : dict of str to float
        mV per step, by lead.

    Raises
    ------
    FormatError
        If there is no sample, there are more leads than `MOST_LEADS`, the sampling frequency can't be one, or a piece
        begins later than all the others together could last: a file of a few bytes could claim any length so.
    """
    total = sum(len(piece.samples) for piece in pieces)
    if not total:
        msg = (
            f"a recording must hold samples of a lead in a unit of voltage; got none in {path.name}. Check the export."
        )
        raise FormatError(msg)
    if not 0 < fs <= FASTEST:
        msg = f"the sampling frequency must lie between 0 and {FASTEST:.0f} Hz; got {fs:g} in {path.name}. "
        msg += "Export the file again."
        raise FormatError(msg)
    for piece in pieces:
        if not 0 <= piece.first <= total:
            msg = (
                f"lead {piece.lead} must begin within the recording; got sample {piece.first:g} of at most {total} in "
            )
            msg += f"{path.name}. Export the file again."
            raise FormatError(msg)
    rows: dict[str, list[Piece]] = {}
    for piece in pieces:
        _place(piece, rows)
    if len(rows) > MOST_LEADS:
        msg = (
            f"a recording must have at most {MOST_LEADS} leads; got {len(rows)} in {path.name}. Export the file again."
        )
        raise FormatError(msg)
    signal = np.full((len(rows), max(piece.stop for piece in pieces)), np.nan, dtype=np.float32)
    for row, parts in zip(signal, rows.values(), strict=True):
        for part in parts:
            row[part.first : part.stop] = part.samples
    steps = {lead: parts[0].step_mv for lead, parts in rows.items()}
    return Recording(signal, tuple(rows), fs, id=path.stem, start=start), steps


def _place(piece: Piece, rows: dict[str, list[Piece]]) -> None:
    """Add a piece to the first lead of its name where it finds room; more than can be kept need no room."""
    for number in range(1, MOST_LEADS + 2):
        name = piece.lead if number == 1 else f"{piece.lead} {number}"
        others = rows.setdefault(name, [])
        if all(other.stop <= piece.first or piece.stop <= other.first for other in others):
            others.append(piece)
            return
