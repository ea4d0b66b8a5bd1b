"""What a derived number is: made of measurements of the CATALOGUE, of the marks of single beats, or of the signal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from twelvelead.interpret.proof import Span
from twelvelead.measure import Heartbeat
from twelvelead.signal.recording import Recording


def _everywhere(_: Heartbeat) -> tuple[Span, ...]:
    return ()


@dataclass(frozen=True)
class Derived:
    """A number that follows from others.

    Parameters
    ----------
    name : str
        As in the CATALOGUE.
    unit : str
        A house unit.
    definition : str
        One sentence that a cardiologist can check.
    source : str
        `doi:…`.
    function : callable
        Takes the heartbeat and the values by name, of the CATALOGUE and of what is derived before; returns the number,
        NaN where there is none.
    locate : callable
        Takes the heartbeat; says where the number was made, nothing for the whole recording.
    lead : str or None
        The lead, if it is one lead's.
    """

    name: str
    unit: str
    definition: str
    source: str
    function: Callable[[Heartbeat, Mapping[str, float]], float] = field(repr=False)
    locate: Callable[[Heartbeat], tuple[Span, ...]] = field(repr=False, default=_everywhere)
    lead: str | None = None


@dataclass(frozen=True)
class Searched:
    """Several numbers that one look at the signal itself gives.

    Parameters
    ----------
    names : tuple of str
        Of the numbers, each of which is a `Derived` too that repeats it.
    search : callable
        Takes the recording and its heartbeat; returns the numbers by name, NaN where there is none.
    """

    names: tuple[str, ...]
    search: Callable[[Recording, Heartbeat], dict[str, float]] = field(repr=False)
