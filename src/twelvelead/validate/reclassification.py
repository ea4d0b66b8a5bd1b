"""How many a new model moves to a better or worse risk: the net reclassification index, with its warning."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.terms import StudyError
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

ERRORS = ("unpooled", "pooled")


@dataclass(frozen=True)
class Nri:
    """Net reclassification: those moved the right way less those moved the wrong way.

    Parameters
    ----------
    events : Figure
        Share of events moved up less share moved down.
    nonevents : Figure
        Share of non-events moved down less share moved up.
    total : Figure
        Their sum: no share of anything, as the two shares are of different people.
    moved : dict of str to int
        Recordings: events_up, events_down, nonevents_up, nonevents_down.
    level : float
        Confidence level of the intervals.
    n_resamples, n_discarded : int
        Resamples drawn, and those without events or without non-events.
    note : str or None
        Why there is no interval.
    warning : str
        What has to stand beside the figures.
    """

    events: Figure
    nonevents: Figure
    total: Figure
    moved: dict[str, int]
    level: float
    n_resamples: int
    n_discarded: int
    note: str | None
    warning: str = WARNING


def categorical_nri(
    pair: Pair, *, cuts: Sequence[float], level: float, n_resamples: int, seed: int, error: str = "unpooled"
) -> Nri:
    """Return who changes the class of risk, and whether for better or worse.

    Parameters
    ----------
    pair : Pair
        Outcome and risks.
    cuts : sequence of float
        Limits of the classes, ascending, pre-declared. A risk equal to a cut is of the upper class.
    level : float
        Confidence level of the intervals.
    n_resamples, seed : int
        Bootstrap resamples of patients, and their seed.
    error : {"unpooled", "pooled"}
        Form of the standard error; see Notes.

    Returns
    -------
    Nri

    Raises
    ------
    StudyError
        If a class of outcome is absent, or a choice can't be carried out.

    Notes
    -----
    With u moved up and d moved down of n events, the variance of (u − d)/n is (u + d)/n² under "no more go up than
    down" (pooled, Pencina 2008), and (u + d)/n² − (u − d)²/n³ as estimated (unpooled, Pencina 2011, what common
    packages print). Non-events likewise; the two add up. Where patients have several recordings, both are sums over
    patients of the squared sum of their recordings; with one recording each that is the same.

    References
    ----------
    Pencina MJ et al. Evaluating the added predictive ability of a new marker. doi:10.1002/sim.2929
    Pencina MJ et al. Extensions of net reclassification improvement calculations. doi:10.1002/sim.4085
    Pepe MS et al. The net reclassification index (NRI): a misleading measure. doi:10.1007/s12561-014-9118-0
    Kerr KF et al. Net reclassification indices: a critical review. doi:10.1097/EDE.0000000000000018

    Examples
    --------
    Of two events one moves up over 20 %; of two non-events one moves down, to 19 %, and none up.

    >>> pair = Pair([1, 1, 0, 0], new=[0.2, 0.6, 0.19, 0.1], base=[0.1, 0.5, 0.2, 0.1])
    >>> found = categorical_nri(pair, cuts=[0.2], level=0.95, n_resamples=10, seed=0)
    >>> found.events.estimate, found.nonevents.estimate, found.total.estimate
    (0.5, 0.5, 1.0)
    """
    y, new, base, unit = arrays(pair)
    limits = _as_cuts(cuts)
    move = np.sign(_classes(new, limits) - _classes(base, limits)).astype(float)
    return _nri(y, move, unit, error=error, choices=Bootstrap(n_resamples, seed, level))


def continuous_nri(
    pair: Pair, *, level: float, n_resamples: int, seed: int, beyond: float = 0.0, error: str = "unpooled"
) -> Nri:
    """Return whose risk rises and whose falls, by however little.

    Parameters
    ----------
    pair : Pair
        Outcome and risks.
    level : float
        Confidence level of the intervals.
    n_resamples, seed : int
        Bootstrap resamples of patients, and their seed.
    beyond : float
        A change of risk counts if it is larger than this; 0 counts every change.
    error : {"unpooled", "pooled"}
        Form of the standard error; see `categorical_nri`.

    Returns
    -------
    Nri
        Between −2 and 2. A marker that nobody would act on may well move every risk a little.

    Raises
    ------
    StudyError
        If a class of outcome is absent, or a choice can't be carried out.

    References
    ----------
    Pencina MJ et al. Extensions of net reclassification improvement calculations. doi:10.1002/sim.4085
    Hilden J, Gerds TA. A note on the evaluation of novel biomarkers. doi:10.1002/sim.5804

    Examples
    --------
    Both events go up; one non-event goes down, one up.

    >>> pair = Pair([1, 1, 0, 0], new=[0.2, 0.6, 0.1, 0.3], base=[0.1, 0.5, 0.2, 0.2])
    >>> continuous_nri(pair, level=0.95, n_resamples=10, seed=0).total.estimate
    1.0
    """
    if not beyond >= 0:
        msg = f"beyond must be 0 or more; got {beyond}. Use 0 to count every change."
        raise StudyError(msg)
    y, new, base, unit = arrays(pair)
    change = new - base
    move = np.where(np.abs(change) > beyond, np.sign(change), 0.0)
    return _nri(y, move, unit, error=error, choices=Bootstrap(n_resamples, seed, level))


def reclassification_table(pair: Pair, *, cuts: Sequence[float]) -> pl.DataFrame:
    """Return how many recordings go from each class of risk of the base model to each of the new one.

    Parameters
    ----------
    pair : Pair
        Outcome and risks.
    cuts : sequence of float
        Limits of the classes, ascending. A risk equal to a cut is of the upper class.

    Returns
    -------
    DataFrame with columns y, base, new, n, n_patients
        All cells, those with nobody too, non-events first; classes are written `[a, b)`.

    Raises
    ------
    StudyError
        If a class of outcome is absent, or the cuts are not ascending risks.

    Examples
    --------
    >>> pair = Pair([1, 0], new=[0.2, 0.1], base=[0.1, 0.1])
    >>> reclassification_table(pair, cuts=[0.2]).filter(pl.col("n") > 0).rows()
    [(0, '[0, 0.2)', '[0, 0.2)', 1, 1), (1, '[0, 0.2)', '[0.2, 1]', 1, 1)]
    """
    y, new, base, unit = arrays(pair)
    limits = _as_cuts(cuts)
    edges = [f"{cut:g}" for cut in (0, *limits, 1)]
    names = [f"[{low}, {high})" for low, high in pairwise(edges)]
    names[-1] = names[-1][:-1] + "]"
    rows = []
    from_class, to_class = _classes(base, limits), _classes(new, limits)
    for outcome in (0, 1):
        for i, old in enumerate(names):
            for j, now in enumerate(names):
                here = (y == outcome) & (from_class == i) & (to_class == j)
                rows.append((outcome, old, now, int(here.sum()), int(np.unique(unit[here]).size)))
    schema = {"y": pl.Int8, "base": pl.String, "new": pl.String, "n": pl.Int64, "n_patients": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _nri(y: Floats, move: Floats, unit: NDArray[np.intp], *, error: str, choices: Bootstrap) -> Nri:
    if error not in ERRORS:
        msg = f"error must be one of {', '.join(ERRORS)}; got {error!r}. Use unpooled."
        raise StudyError(msg)
    enough = enough_patients(y, unit)
    sums = patient_sums(unit, y, y * move, 1 - y, (1 - y) * move)
    (events, nonevents, total), discarded = figures(
        _net, sums, standard_errors(y, move, unit, form=error), enough=enough, choices=choices
    )
    moved = {
        f"{name}_{way}": int(np.sum((y == side) & (move == sign)))
        for name, side in (("events", 1), ("nonevents", 0))
        for way, sign in (("up", 1), ("down", -1))
    }
    return Nri(
        events=events,
        nonevents=nonevents,
        total=total,
        moved=moved,
        level=choices.level,
        n_resamples=choices.n_resamples,
        n_discarded=discarded,
        note=None if enough else TOO_FEW,
    )


def _net(sums: Floats) -> Floats:
    """Return the three figures from events, their net moves up, non-events, and theirs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        events, rest = sums[1] / sums[0], -sums[3] / sums[2]
    return np.array([events, rest, events + rest])


def _classes(p: Floats, cuts: Floats) -> NDArray[np.intp]:
    return np.searchsorted(cuts, p, side="right")


def _as_cuts(cuts: Sequence[float]) -> Floats:
    limits = np.asarray(cuts, dtype=float)
    if limits.ndim != 1 or not len(limits) or np.any(np.diff(limits) <= 0) or not np.all((limits > 0) & (limits < 1)):
        msg = f"cuts must be ascending risks between 0 and 1; got {list(cuts)}. Declare, say, 0.1 and 0.2."
        raise StudyError(msg)
    return limits
