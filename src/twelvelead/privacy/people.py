"""Who was recorded, and what was done to the recordings before they were given away."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from twelvelead.signal import Recording
from twelvelead.terms import InputError

AS_RECORDED = "as recorded"
"""What was done to a release to which nothing was done."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One recording of one person.

    Parameters
    ----------
    recording : Recording
        The signal; its id is the key.
    subject_id : str
        The person.
    recorded_at : date, datetime or None
        When; None where unknown.
    device : str or None
        What recorded it. Recordings of two devices differ for reasons that are no person's.
    age_years : float or None
        Age then.
    sex : str or None
        `female` or `male`.

    Raises
    ------
    InputError
        If the person or the recording has no name, or the sex is written otherwise.
    """

    recording: Recording
    subject_id: str
    recorded_at: date | None = None
    device: str | None = None
    age_years: float | None = None
    sex: str | None = None

    def __post_init__(self) -> None:
        if not self.subject_id or not self.recording.id:
            msg = f"a sample must name its person and its recording; got {self.subject_id!r} and "
            msg += f"{self.recording.id!r}. Give both an identifier."
            raise InputError(msg)
        if self.sex not in {"female", "male", None}:
            msg = f"sex must be female, male or None; got {self.sex!r} in recording {self.recording.id!r}. "
            msg += "Translate it."
            raise InputError(msg)

    @property
    def day(self) -> date | None:
        """The day of the recording, without the time."""
        return self.recorded_at.date() if isinstance(self.recorded_at, datetime) else self.recorded_at


@dataclass(frozen=True, eq=False)
class Release:
    """Recordings of several people as somebody may get hold of them.

    Parameters
    ----------
    samples : tuple of Sample
        Those of one person and one time stand in the order in which they were recorded.
    label : str
        What was done to them.

    Raises
    ------
    InputError
        If a recording comes twice.

    Examples
    --------
    >>> import numpy as np
    >>> of = lambda name: Recording(np.zeros((1, 500)), ("I",), 500, id=name)
    >>> release = Release((Sample(of("r1"), "anna"), Sample(of("r2"), "anna"), Sample(of("r3"), "ben")))
    >>> release.subject_ids, release.label
    (('anna', 'ben'), 'as recorded')
    """

    samples: tuple[Sample, ...]
    label: str = AS_RECORDED

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for sample in self.samples:
            if sample.recording.id in seen:
                msg = f"recordings must differ in their id; got {sample.recording.id!r} twice. Rename one."
                raise InputError(msg)
            seen.add(sample.recording.id)

    @property
    def subject_ids(self) -> tuple[str, ...]:
        """The people, in ascending order."""
        return tuple(sorted({sample.subject_id for sample in self.samples}))


Transform = Callable[[Release], Release]
"""What can be done to a release before it is given away."""
