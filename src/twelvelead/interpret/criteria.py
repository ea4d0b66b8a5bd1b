"""The language that criteria are written in: comparisons of measurements, and how they are joined."""

from dataclasses import dataclass
from typing import Literal

Comparator = Literal[">", ">=", "<", "<="]
Sex = Literal["female", "male"]


@dataclass(frozen=True)
class ByPerson:
    """A limit that depends on sex and age.

    Parameters
    ----------
    rows : tuple of (sex or None, from_years, to_years, limit)
        The first row that fits counts: None is either sex, the age is `from_years` or more and under `to_years`. Of a
        person whose sex or age is unknown, every row that may fit is tried; the criterion is decided if they agree.
    """

    rows: tuple[tuple[Sex | None, float, float, float], ...]


@dataclass(frozen=True)
class Share:
    """A limit that is so many times another measurement of the same recording (and lead)."""

    name: str
    times: float = 1.0


Limit = float | ByPerson | Share


@dataclass(frozen=True)
class Is:
    """A measurement compared with a limit.

    Parameters
    ----------
    name : str
        Of the CATALOGUE or `DERIVED`; `{lead}` in it stands for the lead of the `InLeads` around it.
    comparator : {">", ">=", "<", "<="}
        Value to the left, limit to the right.
    limit : float, ByPerson or Share
        In the measurement's unit.
    beats : float
        Share of the usual beats in which it must hold beside, of an interval; 0: the median beat is enough.
    """

    name: str
    comparator: Comparator
    limit: Limit
    beats: float = 0.0


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple["Test", ...]

    def __init__(self, *parts: "Test") -> None:
        object.__setattr__(self, "parts", parts)


@dataclass(frozen=True)
class AtLeast:
    """So many of the parts hold."""

    count: int
    parts: tuple["Test", ...]

    def __init__(self, count: int, *parts: "Test") -> None:
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "parts", parts)


def any_of(*parts: "Test") -> AtLeast:
    """Say that one part holds or more."""
    return AtLeast(1, *parts)


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Test"


@dataclass(frozen=True)
class InLeads:
    """A test holds in so many leads.

    Parameters
    ----------
    leads : tuple of str
        Which are looked at, in anatomical order.
    test : Test
        With `{lead}` in the names of measurements.
    at_least : int
        In how many it must hold.
    contiguous : bool
        Whether they must be neighbours in `leads`.
    """

    leads: tuple[str, ...]
    test: "Test"
    at_least: int = 1
    contiguous: bool = False


@dataclass(frozen=True)
class Has:
    """Another finding of the same pack holds."""

    finding: str


@dataclass(frozen=True)
class Criterion:
    """A test with a name, in words, from a source.

    Parameters
    ----------
    key : str
        Its name, unique in the finding.
    text : str
        What it says, as a cardiologist would put it.
    test : Test
        What must hold.
    source : str
        `doi:…` it is taken from.
    """

    key: str
    text: str
    test: "Test"
    source: str


Test = Is | All | AtLeast | Not | InLeads | Has | Criterion


@dataclass(frozen=True)
class Finding:
    """What may be said of an ECG, and when.

    Parameters
    ----------
    key : str
        Unique in the pack.
    label : str
        The statement, as it stands in a report.
    group : str
        Rhythm, conduction, axis, chambers, ischaemia, infarction, repolarisation, QT, ectopy, pacing, voltage, leads.
    test : Test
        What must hold.
    source : str
        `doi:…`.
    unless : tuple of str
        Findings of the pack that make this one meaningless: where one of them holds, this is indeterminate.
    """

    key: str
    label: str
    group: str
    test: Test
    source: str
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pack:
    """Findings of one source.

    Parameters
    ----------
    key : str
        Its name.
    title : str
        What it is.
    source : str
        `doi:…`.
    findings : tuple of Finding
        A finding stands after those that it refers to.
    """

    key: str
    title: str
    source: str
    findings: tuple[Finding, ...]
