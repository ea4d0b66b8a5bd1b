"""By how much a new model tells events and non-events further apart: the integrated discrimination improvement."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.validate.bootstrap import Bootstrap
from twelvelead.validate.paired import (
    TOO_FEW,
    WARNING,
    Figure,
    Pair,
    arrays,
    figures,
    patient_sums,
    standard_errors,
)
from twelvelead.validate.resample import enough_patients

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Idi:
    """Integrated discrimination improvement: the gain in the discrimination slope.

    Parameters
    ----------
    events : Figure
        Mean change of risk of events.
    nonevents : Figure
        Mean change of risk of non-events, its sign turned.
    total : Figure
        Their sum, which is `slope_new` − `slope_base`.
    relative : Figure
        `slope_new` / `slope_base` − 1, without a test.
    slope_new, slope_base : float
        Discrimination slopes: mean risk of events less mean risk of non-events.
    level, n_resamples, n_discarded, note, warning
        As for `Nri`.
    """

    events: Figure
    nonevents: Figure
    total: Figure
    relative: Figure
    slope_new: float
    slope_base: float
    level: float
    n_resamples: int
    n_discarded: int
    note: str | None
    warning: str = WARNING


def idi(pair: Pair, *, level: float, n_resamples: int, seed: int) -> Idi:
    """Return by how much the new model tells the mean risks of events and non-events further apart.

    Parameters
    ----------
    pair : Pair
        Outcome and risks.
    level : float
        Confidence level of the intervals.
    n_resamples, seed : int
        Bootstrap resamples of patients, and their seed.

    Returns
    -------
    Idi

    Raises
    ------
    StudyError
        If a class of outcome is absent, or a choice can't be carried out.

    Notes
    -----
    The variance is that of the mean paired change in events plus that in non-events, with n − 1; where patients have
    several recordings the changes are summed by patient, and a patient's events and non-events are correlated.

    References
    ----------
    Pencina MJ et al. Evaluating the added predictive ability of a new marker. doi:10.1002/sim.2929
    Hilden J, Gerds TA. A note on the evaluation of novel biomarkers. doi:10.1002/sim.5804

    Examples
    --------
    >>> pair = Pair([1, 1, 0, 0], new=[0.7, 0.9, 0.1, 0.3], base=[0.6, 0.6, 0.3, 0.3])
    >>> found = idi(pair, level=0.95, n_resamples=10, seed=0)
    >>> round(found.slope_new, 6), round(found.slope_base, 6), round(found.relative.estimate, 6)
    (0.6, 0.3, 1.0)
    """
    y, new, base, unit = arrays(pair)
    enough = enough_patients(y, unit)
    sums = patient_sums(unit, y, y * new, y * base, 1 - y, (1 - y) * new, (1 - y) * base)
    # The slopes themselves have no test; the improvement of one over the other has.
    errors = [*standard_errors(y, new - base, unit, form="sample"), None]
    (events, nonevents, total, relative), discarded = figures(
        _parts, sums, errors, enough=enough, choices=Bootstrap(n_resamples, seed, level)
    )
    slope_new, slope_base = _slopes(sums.sum(axis=1))
    return Idi(
        events=events,
        nonevents=nonevents,
        total=total,
        relative=relative,
        slope_new=float(slope_new),
        slope_base=float(slope_base),
        level=level,
        n_resamples=n_resamples,
        n_discarded=discarded,
        note=None if enough else TOO_FEW,
    )


def _slopes(sums: Floats) -> tuple[Floats, Floats]:
    """Return both discrimination slopes from events, their new and base risks, non-events, and theirs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[1] / sums[0] - sums[4] / sums[3], sums[2] / sums[0] - sums[5] / sums[3]


def _parts(sums: Floats) -> Floats:
    slope_new, slope_base = _slopes(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        up, down = (sums[1] - sums[2]) / sums[0], (sums[5] - sums[4]) / sums[3]
        return np.array([up, down, up + down, slope_new / slope_base - 1])
