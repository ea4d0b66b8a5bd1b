"""Numbers as a publication prints them: what they were before they were rounded."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from twelvelead.terms import InputError


@dataclass(frozen=True)
class Printed:
    """A printed number, and between what limits the unrounded one lies.

    Parameters
    ----------
    text : str
        As it was printed.
    value, lower, upper : float
        The number; half a unit of its last digit below and above it. For `<0.001` the value is the upper limit, and
        the lower one 0.
    """

    text: str
    value: float
    lower: float
    upper: float


def printed(number: str | float, name: str) -> Printed:
    """Read a number as it was printed.

    Parameters
    ----------
    number : str or float
        A string keeps its trailing zeros, which say how finely it was rounded: `0.820`, `82.0%`, `<0.001`.
    name : str
        What it is, for the message.

    Returns
    -------
    Printed

    Raises
    ------
    InputError
        If it is no number.

    Examples
    --------
    >>> printed("82.0%", "sensitivity")
    Printed(text='82.0%', value=0.82, lower=0.8195, upper=0.8205)
    >>> printed("<0.001", "p").upper
    0.001
    """
    text = str(number).strip().replace("−", "-")
    below = text.startswith("<")
    percent = text.endswith("%")
    try:
        value = Decimal(text.lstrip("<").rstrip("%").strip())
        exponent = value.as_tuple().exponent
        half = Decimal(5).scaleb(int(exponent) - 1)
    except (InvalidOperation, ValueError):
        msg = f"{name} must be a number as printed, like 0.82, 82.0% or <0.001; got {number!r}. Mend it."
        raise InputError(msg) from None
    scale = Decimal("0.01") if percent else Decimal(1)
    lower, upper = (Decimal(0), value) if below else (value - half, value + half)
    return Printed(text, float(value * scale), float(lower * scale), float(upper * scale))
