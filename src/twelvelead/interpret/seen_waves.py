"""The waves of the QRS complex as an eye finds them: from half a millimetre on, and only where the trace returns."""

import math
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from twelvelead.interpret.derivation import Derived
from twelvelead.interpret.proof import Span
from twelvelead.interpret.where import locate
from twelvelead.measure import Heartbeat
from twelvelead.terms import LEADS

AHA_II = "doi:10.1161/CIRCULATIONAHA.106.180201"

SEEN_MV = 0.05
"""Half a millimetre on paper: what is smaller is not read as a wave."""


class Wave(NamedTuple):
    """A wave's height in mV, negative downwards, and its duration in ms; both 0 if there is none."""

    mv: float = 0.0
    ms: float = 0.0


class Complex(NamedTuple):
    """The waves of one lead's QRS complex."""

    q: Wave
    r: Wave
    s: Wave
    r_prime: Wave


NOTHING = Wave()


def see(measured: Complex, j_mv: float) -> Complex:
    """Leave out what an eye would not call a wave, and name the others by their order again.

    Parameters
    ----------
    measured : Complex
        The waves from 20 µV and 6 ms on; a complex without R is a Q.
    j_mv : float
        Level of the J point, mV.

    Returns
    -------
    Complex

    Notes
    -----
    The last wave below or above the baseline is one only if the trace comes back from it: an S that ends where a
    depressed ST segment begins, or an R′ that ends in a raised one, is the ST segment's.

    Examples
    --------
    The R wave of left bundle branch block, whose foot runs into a depressed ST segment, has no S:

    >>> foot = Complex(NOTHING, Wave(1.1, 138), Wave(-0.18, 14), NOTHING)
    >>> see(foot, j_mv=-0.17).s
    Wave(mv=0.0, ms=0.0)
    >>> see(foot, j_mv=0.0).s
    Wave(mv=-0.18, ms=14)

    Without the first 20 µV of an R, what follows is a Q and an R:

    >>> see(Complex(NOTHING, Wave(0.02, 6), Wave(-0.46, 56), Wave(0.86, 32)), j_mv=-0.1)[:2]
    (Wave(mv=-0.46, ms=56.0), Wave(mv=0.86, ms=32))
    """
    q, r, s, again = measured
    q, r, s, again = (w if abs(w.mv) >= SEEN_MV else NOTHING for w in (q, r, s, again))
    if again.mv - max(j_mv, 0.0) < SEEN_MV:
        again = NOTHING
    if not again.ms and min(j_mv, 0.0) - s.mv < SEEN_MV:
        s = NOTHING
    if not r.ms and s.ms:
        deeper = min(q, s)
        return Complex(Wave(deeper.mv, q.ms + s.ms), again, NOTHING, NOTHING)
    return Complex(q, r, s, again)


def _wave(values: Mapping[str, float], wave: str, lead: str) -> Wave:
    return Wave(values[f"{wave}_amplitude_{lead}_mv"], values[f"{wave}_duration_{lead}_ms"])


def _seen(wave: str, dimension: str, lead: str, values: Mapping[str, float]) -> float:
    of_lead = lead.lower()
    measured = Complex(*(_wave(values, name, of_lead) for name in Complex._fields))
    if math.isnan(measured.r.mv):
        return math.nan
    seen: Wave = getattr(see(measured, values[f"st_j_amplitude_{of_lead}_mv"]), wave)
    return float(getattr(seen, dimension))


def _depth(lead: str, values: Mapping[str, float]) -> float:
    """Depth of the lowest point of the QRS complex, whichever wave it belongs to."""
    return -min(values[f"q_amplitude_{lead}_mv"], values[f"s_amplitude_{lead}_mv"])


def _height(lead: str, values: Mapping[str, float]) -> float:
    return max(values[f"r_amplitude_{lead}_mv"], values[f"r_prime_amplitude_{lead}_mv"])


def _of(function: partial[float]) -> partial[float]:
    return partial(_skip_heartbeat, function)


def _skip_heartbeat(function: partial[float], _: Heartbeat, values: Mapping[str, float]) -> float:
    return function(values)


def _span(lead: str, heartbeat: Heartbeat) -> tuple[Span, ...]:
    return locate(f"qrs_lead_duration_{lead.lower()}_ms", lead, heartbeat)


_WORDS = {"q": "Q", "r": "R", "s": "S", "r_prime": "R′"}

DERIVED: tuple[Derived, ...] = (
    *(
        Derived(f"{wave}_seen_{what}_{lead.lower()}_{unit.lower()}", unit, f"{what.capitalize()} of {_WORDS[wave]} in "
                f"{lead}, 0 if it has under {SEEN_MV:g} mV or the trace does not come back from it.", AHA_II,
                _of(partial(_seen, wave, unit.lower(), lead)), partial(_span, lead), lead)
        for lead in LEADS for wave in Complex._fields for what, unit in (("amplitude", "mV"), ("duration", "ms"))
    ),
    *(
        Derived(f"qrs_{what}_{lead.lower()}_mv", "mV", f"{words} of the QRS complex in {lead}.", AHA_II,
                _of(partial(function, lead.lower())), partial(_span, lead), lead)
        for lead in LEADS for what, words, function in (
            ("depth", "Depth of the lowest point, positive,", _depth), ("height", "Highest point", _height)
        )
    ),
)  # fmt: skip
