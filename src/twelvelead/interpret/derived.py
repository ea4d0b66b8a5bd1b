"""Numbers that criteria need beside the CATALOGUE: made of its measurements, or of the marks of single beats."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from twelvelead.interpret.proof import Span
from twelvelead.measure import Heartbeat


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
        Takes the heartbeat and the values of the CATALOGUE by name; returns the number, NaN where there is none.
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


DERIVED: tuple[Derived, ...] = ()
