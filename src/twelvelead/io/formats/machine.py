"""What a device says: numbers that can be, and statements that name nobody."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice

from twelvelead.io.formats.metadata import Machine

# What a number can be, by the end of its name. Devices write 0, -1, 999 or 32767 for what they could not measure.
_LIMITS = {"_bpm": (1.0, 998.0), "_ms": (1.0, 9998.0), "_deg": (-180.0, 360.0)}
_CONFIRMED = re.compile(
    r"\b((?:electronically )?(?:confirmed|signed|reviewed|over-?read|read|interpreted|edited|verified|referred|ordered|"
    r"acquired|performed|reported))(?:\s+by\b|\s*:).*",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST, _MOST = 500, 200


def machine_of(
    values: Mapping[str, float | None], statements: Iterable[str] = (), *, people: Iterable[str] = ()
) -> Machine:
    """Keep what a device measured and said.

    Parameters
    ----------
    values : mapping of str to float or None
        By the names of the CATALOGUE, in their units. Those that no measurement can be, such as an interval of 0 ms or
        an axis of 999°, stand for none in some device and are left out.
    statements : iterable of str
        In their order. Empty ones are left out; of `Confirmed by …` no more than `Confirmed` is kept.
    people : iterable of str
        Names and numbers of the patient and of staff that the file has elsewhere. Where a statement has one as a word,
        `…` takes its place.

    Examples
    --------
    >>> machine_of({"pr_interval_ms": 0.0, "p_axis_deg": 270.0}, ["Sinus rhythm", "Confirmed by Doe, Jane"])
    Machine(measurements={'p_axis_deg': -90.0}, statements=('Sinus rhythm', 'Confirmed'))
    >>> machine_of({}, ["Called Dr. Doe"], people=["Doe"]).statements
    ('Called Dr. …',)
    """
    measured = {
        name: _degrees(name, value) for name, value in values.items() if value is not None and _can_be(name, value)
    }
    parts = (word for given in people for word in (given[:60], *given[:60].split()) if len(word) > 2)
    words = sorted(dict.fromkeys(islice(parts, _MOST)), key=len, reverse=True)
    named = re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + r")\b", re.IGNORECASE) if words else None
    said = []
    for text in islice(statements, _MOST):
        kept = " ".join(_CONFIRMED.sub(r"\1", text[:_LONGEST]).split())
        kept = named.sub("…", kept) if named else kept
        if kept:
            said.append(kept)
    return Machine(measured, tuple(said))


def _can_be(name: str, value: float) -> bool:
    low, high = next((limits for end, limits in _LIMITS.items() if name.endswith(end)), (float("-inf"), float("inf")))
    return low <= value <= high


def _degrees(name: str, value: float) -> float:
    """Count angles from −180 to 180°."""
    return value - 360 if name.endswith("_deg") and value > 180 else value
