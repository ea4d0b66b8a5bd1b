"""What an attacker sees of a release: single beats, or rows of measurements, and whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.people import Sample
from twelvelead.terms import InputError

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
Flags = NDArray[np.bool_]

UNKNOWN = -1
"""For a whole number that is not known, or not to be seen."""


@dataclass(frozen=True, eq=False)
class Units:
    """Beats or rows of measurements, one per unit, and what is known of each.

    Parameters
    ----------
    x : ndarray of float32, shape (n_units, n_leads, n_samples) or (n_units, n_features)
        Beats in mV, R-aligned; or measurements in their own units, NaN where there is none.
    names : tuple of str
        The leads, or the measurements.
    recording, subject : ndarray of int, shape (n_units,)
        Places in `recording_ids` and `subject_ids`. The tables are those of the whole release, so that parts of one
        release share the numbers.
    group : ndarray of int, shape (n_units,)
        What is looked up as one: the recording, unless a protocol says otherwise.
    at_s : ndarray, shape (n_units,)
        Where in the recording the unit stands, s from the start.
    order : ndarray of int, shape (n_units,)
        Number of the recording among those of the person, in time, from 0.
    day : ndarray of int, shape (n_units,)
        Proleptic ordinal of the day; -1 where unknown.
    device : ndarray of int, shape (n_units,)
        Place in `devices`; -1 where unknown.
    female : ndarray of int, shape (n_units,)
        1 female, 0 male, -1 unknown.
    age_years : ndarray, shape (n_units,)
        NaN where unknown.
    recording_ids, subject_ids, devices : tuple of str
        What the numbers stand for.
    fs : float
        Samples of a beat per second; NaN for measurements.
    at_r_s : float
        Where in a beat the R wave stands, s from its start; NaN for measurements.
    unmeasured : tuple of (str, str)
        Recordings of which there is no unit, and why.
    """

    x: NDArray[np.float32]
    names: tuple[str, ...]
    recording: Places
    subject: Places
    group: Places
    at_s: Floats
    order: Places
    day: Places
    device: Places
    female: Places
    age_years: Floats
    recording_ids: tuple[str, ...]
    subject_ids: tuple[str, ...]
    devices: tuple[str, ...]
    fs: float = float("nan")
    at_r_s: float = float("nan")
    unmeasured: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    @property
    def view(self) -> str:
        """`beats` or `features`."""
        return "beats" if self.x.ndim == 3 else "features"

    def take(self, where: Flags | Places) -> "Units":
        """Return some of the units, with the same tables."""
        return replace(self, **{name: getattr(self, name)[where] for name in PER_UNIT})

    def of(self, subjects: Places) -> "Units":
        """Return the units of some people."""
        return self.take(np.isin(self.subject, subjects))

    def blind(self) -> "Units":
        """Return the same units without anything that tells whose they are, but for what is looked up as one."""
        nothing = np.full(len(self), UNKNOWN)
        return replace(
            self,
            recording=nothing,
            subject=nothing,
            order=nothing,
            day=nothing,
            device=nothing,
            female=nothing,
            age_years=np.full(len(self), np.nan),
        )


PER_UNIT = tuple(
    f.name
    for f in fields(Units)
    if f.name not in {"names", "recording_ids", "subject_ids", "devices", "fs", "at_r_s", "unmeasured"}
)
"""Fields that have one entry per unit."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What was found in one recording: `x` of its units and where they stand, or why there is none."""

    x: NDArray[np.float32] | None
    at_s: Floats
    why_not: str = ""


def assemble(
    samples: Sequence[Sample],
    seen: Sequence[Seen],
    *,
    names: tuple[str, ...],
    fs: float = float("nan"),
    at_r_s: float = float("nan"),
) -> Units:
    """Put what was found in each recording together.

    Parameters
    ----------
    samples : sequence of Sample
        The release.
    seen : sequence of Seen
        One for each sample.
    names : tuple of str
        See `Units`.
    fs, at_r_s : float
        See `Units`.

    Returns
    -------
    Units

    Raises
    ------
    InputError
        If no recording has any.
    """
    blocks = [found.x for found in seen if found.x is not None]
    if not blocks:
        msg = f"at least one recording must be measurable; got none of {len(seen)}"
        msg += f" ({seen[0].why_not}). Look at the recordings." if seen else ". Give at least one."
        raise InputError(msg)
    kept = [k for k, found in enumerate(seen) if found.x is not None]
    at = np.repeat(kept, [len(x) for x in blocks])
    subject_ids, subject = np.unique([s.subject_id for s in samples], return_inverse=True)
    devices = tuple(sorted({s.device for s in samples if s.device is not None}))
    of_samples = {
        "subject": subject,
        "order": _number_in_time(samples, subject),
        "day": np.array([UNKNOWN if s.day is None else s.day.toordinal() for s in samples]),
        "device": np.array([UNKNOWN if s.device is None else devices.index(s.device) for s in samples]),
        "female": np.array([UNKNOWN if s.sex is None else int(s.sex == "female") for s in samples]),
        "age_years": np.array([np.nan if s.age_years is None else s.age_years for s in samples], dtype=float),
    }
    return Units(
        x=np.concatenate(blocks),
        names=names,
        recording=at,
        group=at,
        at_s=np.concatenate([found.at_s for found in seen if found.x is not None]),
        recording_ids=tuple(s.recording.id for s in samples),
        subject_ids=tuple(subject_ids.tolist()),
        devices=devices,
        fs=fs,
        at_r_s=at_r_s,
        unmeasured=tuple((s.recording.id, f.why_not) for s, f in zip(samples, seen, strict=True) if f.x is None),
        **{name: values[at] for name, values in of_samples.items()},
    )


def _number_in_time(samples: Sequence[Sample], subject: Places) -> Places:
    """Count each person's recordings in time, from 0; those of one time, or of none, as they stand in the release."""
    when = ["" if s.recorded_at is None else s.recorded_at.isoformat() for s in samples]
    number = np.zeros(len(samples), dtype=np.intp)
    for person in np.unique(subject):
        own = np.flatnonzero(subject == person)
        number[sorted(own, key=lambda k: when[k])] = np.arange(len(own))
    return number
