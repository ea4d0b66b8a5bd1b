"""Whether a row of rounded measurements is the only one of its kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.privacy.estimate import Estimate, binomial_limits
from twelvelead.privacy.protocols import LEAST_PEOPLE, NotEstimable
from twelvelead.privacy.units import Units
from twelvelead.terms import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Uniqueness:
    """How alone people are with their rounded rows.

    Parameters
    ----------
    unique : Estimate or NotEstimable
        Share of people whose row nobody else has. The interval is the exact binomial one for another sample of people
        among whom as many others are: a larger release has fewer unique rows.
    linked : Estimate or NotEstimable
        Share of those with a second recording whose row there is the same and nobody else's: who is unique *and* found
        again by looking the row up.
    smallest : int
        The k of k-anonymity: people who share the rarest row.
    classes : DataFrame with columns k, n_people
        People by the number of people who share their row.
    """

    unique: Estimate | NotEstimable
    linked: Estimate | NotEstimable
    smallest: int
    classes: pl.DataFrame


def uniqueness(units: Units, *, steps: Mapping[str, float], level: float) -> Uniqueness:
    """Count the people who share a rounded row.

    Parameters
    ----------
    units : Units
        Measurements, one row per recording. A person's first recording is what is released; the second, if any, what
        somebody knows of the person.
    steps : mapping of str to float
        Measurements that are released, and to what each is rounded, in its own unit. A gap counts as a value.
    level : float
        Confidence level.

    Returns
    -------
    Uniqueness

    Raises
    ------
    InputError
        If these are beats, or a measurement is not there or has no step above 0.

    References
    ----------
    Sweeney L. k-anonymity: a model for protecting privacy. doi:10.1142/S0218488502001648
    """
    rows = round_rows(units, steps)
    first, second = _nth_rows(units, rows, 0), _nth_rows(units, rows, 1)
    sharing: dict[bytes, int] = {}
    for row in first.values():
        sharing[row] = sharing.get(row, 0) + 1
    sizes = np.array([sharing[row] for row in first.values()])
    found = [row == first[person] and sharing[row] == 1 for person, row in second.items() if person in first]
    k, n_people = np.unique(sizes, return_counts=True)
    return Uniqueness(
        _share((sizes == 1).tolist(), level=level),
        _share(found, level=level),
        int(sizes.min()),
        pl.DataFrame({"k": k, "n_people": n_people}),
    )


def round_rows(units: Units, steps: Mapping[str, float]) -> Floats:
    """Return the chosen measurements in whole steps, shape (n_units, n_steps); NaN where there is none.

    Halves are rounded to even. See `uniqueness` for what is raised.
    """
    bad = [name for name, step in steps.items() if name not in units.names or not step > 0]
    if units.view != "features" or bad or not steps:
        msg = f"steps must name measurements of the units, each with a step above 0; got {bad or dict(steps)} for "
        msg += f"{units.view}. Measure them first."
        raise InputError(msg)
    at = [units.names.index(name) for name in steps]
    rounded: Floats = np.rint(units.x[:, at].astype(float) / np.array(list(steps.values()))) + 0.0  # no -0
    return rounded


def _nth_rows(units: Units, rows: Floats, n: int) -> dict[int, bytes]:
    """Return the row of each person's n-th recording, as bytes that are the same for the same row."""
    canonical = np.where(np.isnan(rows), np.nan, rows)
    out = {}
    for person in np.unique(units.subject).tolist():
        own = np.flatnonzero(units.subject == person)
        by_time = own[np.argsort(units.order[own], kind="stable")]
        if len(by_time) > n:
            out[person] = canonical[by_time[n]].tobytes()
    return out


def _share(yes: Sequence[bool], *, level: float) -> Estimate | NotEstimable:
    n = len(yes)
    if n < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} people are needed, and there are {n}")
    return Estimate(sum(yes) / n, *binomial_limits(sum(yes), n, level=level), n, 0)
