"""The sheet of paper under an ECG: which lead stands where, and how many millimetres a second and a millivolt have."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from twelvelead.signal.recording import Recording
from twelvelead.terms import CHEST_LEADS, LEADS, LIMB_LEADS, InputError

PAGE_S = 10.0
SPEEDS, GAINS = (25, 50), (5, 10, 20)
LAYOUTS = ("auto", "3x4+1", "3x4", "6x2", "12x1", "rows")
"""Rows × columns of the twelve leads; "+1" is a rhythm strip below; "rows" has a row for each lead that is there.
"auto" is the first for a 12-lead ECG, and rows for any other recording."""

CABRERA = ("aVL", "I", "−aVR", "II", "aVF", "III")
_TWELVE = 8  # a recording with so many of the twelve leads is a 12-lead ECG, as `signal.assess` has it, too
_RHYTHM = ("II", "V1", "V5", "I")
_SHORT_S, _COLUMN_S = 2.0, 2.5  # columns that would be shorter than the first overlap in time, and have the second


@dataclass(frozen=True)
class Paper:
    """How an ECG is laid out.

    Parameters
    ----------
    layout : {"auto", "3x4+1", "3x4", "6x2", "12x1", "rows"}
        See `LAYOUTS`. Leads beyond the twelve get a row each in all of them.
    cabrera : bool
        Limb leads in Cabrera's order aVL, I, −aVR, II, aVF, III, from the left shoulder round to the right foot.
    speed : {25, 50}
        mm/s.
    gain : {5, 10, 20}
        mm/mV.
    start_s : float
        First second drawn; there are 10 s on a sheet, or what there is.

    Raises
    ------
    InputError
        If one of them is another.
    """

    layout: str = "auto"
    cabrera: bool = False
    speed: float = 25
    gain: float = 10
    start_s: float = 0.0

    def __post_init__(self) -> None:
        for name, known in (("layout", LAYOUTS), ("speed", SPEEDS), ("gain", GAINS)):
            value = getattr(self, name)
            if value not in known:
                msg = f"{name} must be one of {', '.join(map(str, known))}; got {value!r}. Choose one."
                raise InputError(msg)

    @property
    def left_mm(self) -> float:
        """Margin in which the calibration pulse of 0.2 s stands."""
        return 10 + 0.2 * self.speed

    @property
    def scale(self) -> str:
        """Speed and gain, as every sheet must say them."""
        return f"{self.speed:g} mm/s · {self.gain:g} mm/mV"


class Cell(NamedTuple):
    """One lead's stretch on the sheet: `length_s` from `begin_s` of the recording, drawn from `left_mm` on."""

    label: str
    lead: str
    sign: int
    begin_s: float
    left_mm: float
    length_s: float


def choose_layout(recording: Recording, paper: Paper) -> Paper:
    """Choose the usual sheet for a 12-lead ECG, and a row per lead for a recording that does not claim to be one.

    Examples
    --------
    >>> choose_layout(Recording(np.zeros((2, 9)), ("MLII", "V5"), 360), Paper()).layout
    'rows'
    """
    if paper.layout != "auto":
        return paper
    standard = sum(lead in LEADS for lead in recording.leads)
    return replace(paper, layout="3x4+1" if standard >= _TWELVE else "rows")


def shown_s(recording: Recording, paper: Paper) -> float:
    """Say how much of a recording is drawn, in s.

    Raises
    ------
    InputError
        If the sheet begins outside the recording.
    """
    if not 0 <= paper.start_s < max(recording.duration, 1e-9):
        msg = (
            f"start_s must lie within the recording; got {paper.start_s:g} s of {recording.duration:g} s in recording "
            f"{recording.id!r}. Start earlier."
        )
        raise InputError(msg)
    return min(PAGE_S, recording.duration - paper.start_s)


def arrange(recording: Recording, paper: Paper) -> list[list[Cell]]:
    """Place the leads on the sheet, row by row.

    Parameters
    ----------
    recording : Recording
        With any leads.
    paper : Paper
        How they are wanted.

    Returns
    -------
    list of list of Cell
        Columns follow one another in time, as on a cart's print. Of a recording so short that they would last less
        than 2 s each they overlap, evenly; of one that is no longer than a column they show the same.

    Raises
    ------
    InputError
        If the sheet begins outside the recording, or there is no lead.

    Examples
    --------
    >>> rows = arrange(Recording(np.zeros((12, 5000)), LEADS, 500), Paper("3x4"))
    >>> [(cell.label, cell.begin_s) for cell in rows[0]]
    [('I', 0.0), ('aVR', 2.5), ('V1', 5.0), ('V4', 7.5)]
    """
    shown = shown_s(recording, paper)
    if not recording.leads:
        msg = f"a recording must have a lead to be drawn; got none in {recording.id!r}. Check the file."
        raise InputError(msg)
    return [_place(row, paper, shown=shown) for row in _choose_rows(recording, paper)]


def find_rhythm_lead(recording: Recording) -> str:
    """Choose the lead of the rhythm strip: II, or where it has no signal the first that has one of V1, V5, I and all.

    Examples
    --------
    >>> find_rhythm_lead(Recording(np.zeros((1, 9)), ("V5",), 500))
    'V5'
    """
    return next((lead for lead in (*_RHYTHM, *recording.leads) if has_signal(recording, lead)), "II")


def has_signal(recording: Recording, lead: str) -> bool:
    """Whether a lead is there and has a sample."""
    return lead in recording.leads and bool(np.isfinite(recording[lead]).any())


def up_to_five(mm: float) -> float:
    """Round up to the next thick line of the grid.

    Examples
    --------
    >>> up_to_five(12.1), up_to_five(15)
    (15.0, 15.0)
    """
    return 5.0 * math.ceil(mm / 5.0 - 1e-9)


def _choose_rows(recording: Recording, paper: Paper) -> list[tuple[str, ...]]:
    limb = CABRERA if paper.cabrera else LIMB_LEADS
    extra: list[tuple[str, ...]] = [(lead,) for lead in recording.leads if lead not in LEADS]
    names: tuple[str, ...] = (*limb, *CHEST_LEADS)
    if paper.layout == "rows":
        names = tuple(name for name in names if name.removeprefix("−") in recording.leads)
    height = {"6x2": 6, "12x1": 12, "rows": max(len(names), 1)}.get(paper.layout, 3)
    rows = [tuple(names[k::height]) for k in range(height) if names]
    return rows + extra + ([(find_rhythm_lead(recording),)] if paper.layout == "3x4+1" else [])


def _place(row: Sequence[str], paper: Paper, *, shown: float) -> list[Cell]:
    n = len(row)
    length = shown / n
    if n > 1 and length < _SHORT_S:
        length = min(_COLUMN_S, shown)
    step = (shown - length) / (n - 1) if n > 1 else 0.0
    return [
        Cell(
            label=name,
            lead=name.removeprefix("−"),
            sign=-1 if name.startswith("−") else 1,
            begin_s=paper.start_s + k * step,
            left_mm=paper.left_mm + k * length * paper.speed,
            length_s=length,
        )
        for k, name in enumerate(row)
    ]
