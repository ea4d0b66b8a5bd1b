"""What a waveform file says besides its samples: of the device, of its findings, and of the patient."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

OLDEST = 90.0  # ages above 89 years are told together, as no other age of so few people


@dataclass(frozen=True)
class Machine:
    """What the device itself measured and said.

    Parameters
    ----------
    measurements : mapping of str to float
        By the names of the CATALOGUE, in their units, such as `pr_interval_ms`; `qtc_ms` and `atrial_rate_bpm` are the
        device's own, the first where the file does not say by whose formula.
    statements : tuple of str
        The device's interpretation, and whoever confirmed it, statement by statement.
    """

    measurements: Mapping[str, float] = field(default_factory=dict)
    statements: tuple[str, ...] = ()


@dataclass(frozen=True)
class Provenance:
    """Where a recording comes from.

    Parameters
    ----------
    format : str
        Name of the waveform format, a `Format.name`.
    version : str
        What the file says of its version.
    device : str
        Manufacturer and model.
    software : str
        Software of the device, and its version.
    recorded_at : datetime or None
        When the first sample was recorded.
    high_pass_hz, low_pass_hz, notch_hz : float or None
        Filters that the device had applied, or was set to, in Hz.
    """

    format: str = ""
    version: str = ""
    device: str = ""
    software: str = ""
    recorded_at: datetime | None = None
    high_pass_hz: float | None = None
    low_pass_hz: float | None = None
    notch_hz: float | None = None


@dataclass(frozen=True)
class Patient:
    """Whom a recording is of.

    Parameters
    ----------
    sex : str or None
        female or male.
    age_years : float or None
        Age when the ECG was recorded, in years.
    id, name : str
        As the file has them; empty unless asked for.
    born : date or None
        None unless asked for.
    """

    sex: str | None = None
    age_years: float | None = None
    id: str = ""
    name: str = ""
    born: date | None = None

    def without_identity(self) -> "Patient":
        """Leave out who it is; ages above 89 years are told as 90.

        Examples
        --------
        >>> Patient("female", 93.0, id="4711", name="Doe, Jane").without_identity()
        Patient(sex='female', age_years=90.0, id='', name='', born=None)
        """
        age = OLDEST if self.age_years is not None and self.age_years >= OLDEST else self.age_years
        return Patient(self.sex, age)


def sex_of(text: str | None) -> str | None:
    """Read the sex from what files write: M, F, male, FEMALE, and the numbers 1 and 2 of HL7, SCP-ECG and ISHNE.

    Examples
    --------
    >>> [sex_of(t) for t in ("M", "Female", "2", "unknown", None)]
    ['male', 'female', 'female', None, None]
    """
    known = {"m": "male", "male": "male", "1": "male", "f": "female", "female": "female", "2": "female"}
    return known.get((text or "").strip().lower())


def age_at(born: date | None, when: datetime | None) -> float | None:
    """Compute the age in whole years at a time; None where one of both is unknown, or birth comes later.

    Examples
    --------
    >>> age_at(date(1980, 6, 10), datetime(2020, 6, 9))
    39.0
    """
    if born is None or when is None or when.date() < born:
        return None
    return float(when.year - born.year - ((when.month, when.day) < (born.month, born.day)))
