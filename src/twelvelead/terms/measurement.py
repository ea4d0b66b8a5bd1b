"""What a measurement is: name, unit, definition, source, function."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measurement:
    """What one number means: its name, unit, definition and source, and the function that computes it.

    Parameters
    ----------
    name : str
        Column name, `<wave>_<property>[_<lead>]_<unit>`.
    unit : str
        A house unit, a key of `UCUM`.
    definition : str
        One sentence that a cardiologist can check.
    source : str
        `doi:…` of the definition.
    function : callable
        Takes what the measuring room knows about n recordings (`measure.Heartbeats`) and returns their numbers, shape
        (n,); NaN where there is none.
    level : {"recording", "lead"}
        Whether the number belongs to the whole recording or to one lead.
    lead : str or None
        The lead, for level "lead".
    reference : (float, float) or None
        Lower and upper reference limit for adults, in `unit`.
    reference_source : str
        `doi:…` of the reference range; two, with a blank between them, where the limits come from two papers.
    loinc, mdc : str
        LOINC code and ISO/IEEE 11073-10102 reference id, where they exist.
    pooled : {"median", "sum", "max", "min", "mean"}
        What the windows of a long recording make together.
    error : (float, float) or None
        Mean and standard deviation of this tool's own error against annotated recordings, in `unit`; None if unknown.
    """

    name: str
    unit: str
    definition: str
    source: str
    function: Callable[[Any], NDArray[np.float64]] = field(repr=False)
    level: str = "recording"
    lead: str | None = None
    reference: tuple[float, float] | None = None
    reference_source: str = ""
    loinc: str = ""
    mdc: str = ""
    pooled: str = "median"
    error: tuple[float, float] | None = None
