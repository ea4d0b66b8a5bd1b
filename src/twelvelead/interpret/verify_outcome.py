"""What may become of a claim."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from twelvelead.interpret.narrate_words import say_value
from twelvelead.interpret.verify_readings import Reading


class Standing(StrEnum):
    """How a claim stands to the recording."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNVERIFIABLE = "unverifiable"
    UNMEASURED = "unmeasured"


SUPPORTED, CONTRADICTED = Standing.SUPPORTED, Standing.CONTRADICTED
UNVERIFIABLE, UNMEASURED = Standing.UNVERIFIABLE, Standing.UNMEASURED


class Outcome(NamedTuple):
    """A standing with its reasons, as in `Checked`."""

    standing: Standing
    why: str = ""
    measured: str = ""
    tolerance: str = ""
    names: tuple[str, ...] = ()


def outcome_of(standing: Standing, why: str, readings: Sequence[Reading]) -> Outcome:
    """Put an outcome together with what it rests on."""
    measured = ", ".join(say_value(r.value, r.unit) + (f" in {r.lead}" if r.lead else "") for r in readings)
    tolerances = dict.fromkeys(f"{say_value(r.tolerance, r.unit)} ({r.why})" for r in readings)
    return Outcome(standing, why, measured, "; ".join(tolerances), unique(n for r in readings for n in r.names))


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Give each name once, in order."""
    return tuple(dict.fromkeys(names))
