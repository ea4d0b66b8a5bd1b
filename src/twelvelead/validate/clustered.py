"""AUROCs of several models in thousands of resamples of patients, each with its own covariance."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.terms import StudyError
from twelvelead.validate.lanes import LANES, Ints, Walk, add_up, climb, new_walk, scatter, walk
from twelvelead.validate.ranking import Ranking
from twelvelead.validate.resample import Counts, draw_counts

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Replicates:
    """Figures of `n_models` models in `n_resamples` resamples; NaN where a resample has one class only.

    Parameters
    ----------
    auroc, auprc : ndarray of shape (n_resamples, n_models)
        Area under the receiver operating characteristic; average precision.
    covariance : ndarray of shape (n_resamples, n_models, n_models), or (0, n_models, n_models)
        Of the AUROCs, from the resample alone, by patient; see `auroc_covariance`. NaN too where a class comes from one
        patient only. Without rows where it was not asked for.
    at_cuts : tuple of ndarray of int64, shape (n_resamples, 2, n_cuts), one per model
        Recordings without the event, and events, whose risk is below each cut of the model's `Ranking`.
    sums : ndarray of shape (n_resamples, n_columns)
        What the drawn patients' sums come to. The first two columns are recordings without the event, and events.
    """

    auroc: Floats
    auprc: Floats
    covariance: Floats
    at_cuts: tuple[Ints, ...]
    sums: Floats


def replicate(
    rankings: Sequence[Ranking], sums: Floats, *, n_resamples: int, seed: int, with_covariance: bool, n_threads: int = 1
) -> Replicates:
    """Draw patients again and again, and rank the recordings of every model by the same draws.

    Parameters
    ----------
    rankings : sequence of Ranking
        Of the same recordings by each model; see `rank`.
    sums : ndarray of shape (n_units, n_columns)
        Sums over each patient's recordings; the first two columns are its recordings without the event, and with it.
    n_resamples, seed : int
        See `resamples`, whose draws these are.
    with_covariance : bool
        Whether each resample is to give the covariance of the AUROCs.
    n_threads : int
        Threads; the result is the same whatever their number.

    Returns
    -------
    Replicates

    Raises
    ------
    StudyError
        If `n_resamples` or `n_threads` is below 1.
    """
    if n_resamples < 1 or n_threads < 1:
        msg = f"n_resamples and n_threads must be at least 1; got {n_resamples} and {n_threads}. Use 1000 and 1."
        raise StudyError(msg)
    n_blocks = -(-n_resamples // LANES)
    shape = (n_blocks * LANES, len(rankings))
    found = Replicates(
        auroc=np.empty(shape),
        auprc=np.empty(shape),
        covariance=np.empty((shape[0] if with_covariance else 0, shape[1], shape[1])),
        at_cuts=tuple(np.empty((shape[0], 2, len(r.cuts)), dtype=np.int64) for r in rankings),
        sums=np.empty((shape[0], sums.shape[1])),
    )
    dtype = _smallest_type(sums)

    def work(blocks: range) -> None:
        kept = [np.zeros((2, len(r.middles) if with_covariance else 0, LANES), dtype=dtype) for r in rankings]
        walks = [new_walk(r, ladder=ladder) for r, ladder in zip(rankings, kept, strict=True)]
        room = np.zeros((len(rankings), 2, len(sums) if with_covariance else 0, LANES), dtype=dtype)
        for block in blocks:
            counts = draw_counts(len(sums), first=block * LANES, size=LANES, seed=seed)
            rows = slice(block * LANES, (block + 1) * LANES)
            _fill(found, rows, counts=counts, rankings=rankings, sums=sums, walks=walks)
            if with_covariance:
                for ranking, walked, above in zip(rankings, walks, room, strict=True):
                    climb(ranking.runs, sums, walked.ladder, above)
                found.covariance[rows] = _covariance(counts, sums, found.auroc[rows], room=room)

    parts = [range(k, n_blocks, n_threads) for k in range(min(n_threads, n_blocks))]
    if len(parts) == 1:
        work(parts[0])
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(work, parts))
    keep = slice(n_resamples)
    at_cuts = tuple(a[keep] for a in found.at_cuts)
    return Replicates(found.auroc[keep], found.auprc[keep], found.covariance[keep], at_cuts, found.sums[keep])


def patient_sums(y: Floats, *, unit: NDArray[np.intp], columns: Sequence[Floats] = ()) -> Floats:
    """Return each patient's recordings without the event, with it, and the sums of further columns over them all.

    Parameters
    ----------
    y : ndarray of shape (n_recordings,)
        1 event, 0 none.
    unit : ndarray of int, shape (n_recordings,)
        Number of each recording's patient, from 0.
    columns : sequence of ndarray of shape (n_recordings,)

    Returns
    -------
    ndarray of shape (n_units, 2 + n_columns)

    Examples
    --------
    >>> patient_sums(np.array([0.0, 1.0, 1.0]), unit=np.array([0, 0, 1])).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return np.column_stack([np.bincount(unit, weights=column) for column in (1 - y, y, *columns)])


def _smallest_type(sums: Floats) -> type[np.uint32] | type[np.int64]:
    """Return 32-bit integers if no walk's sums can exceed them, else 64-bit ones."""
    n_rest, n_events = sums[:, 0].sum(), sums[:, 1].sum()
    largest = max(sums[:, 1].max() * n_rest, sums[:, 0].max() * n_events, n_rest + n_events)
    # Sums are twice that; and a resample has at most 16 times as many: a patient drawn 17 times is one in 10¹⁵.
    return np.uint32 if 32 * largest < 2**32 else np.int64


def _fill(
    found: Replicates,
    rows: slice,
    *,
    counts: Counts,
    rankings: Sequence[Ranking],
    sums: Floats,
    walks: Sequence[Walk],
) -> None:
    """Fill in `LANES` resamples, but for their covariances."""
    totals = np.zeros((sums.shape[1], LANES))
    add_up(counts, sums, totals)
    found.sums[rows] = totals.T
    sizes = totals[:2].astype(np.int64)
    for m, (ranking, walked) in enumerate(zip(rankings, walks, strict=True)):
        walk(ranking, counts, sizes, walked)
        with np.errstate(invalid="ignore", divide="ignore"):
            found.auroc[rows, m] = walked.wins / (2 * totals[0] * totals[1])
            found.auprc[rows, m] = np.where(totals[0] > 0, walked.precision / totals[1], np.nan)
        found.at_cuts[m][rows] = walked.at_cuts.transpose(2, 0, 1)


def _covariance(counts: Counts, sums: Floats, auroc: Floats, *, room: Ints) -> Floats:
    """Return the covariances of `LANES` resamples, shape (LANES, n_models, n_models)."""
    n_units, n = len(sums), auroc.shape[1]
    products = np.zeros((3, n, n, LANES))
    sizes = np.zeros((4, LANES))
    add_up(counts, np.hstack([sums[:, :2], sums[:, :2] > 0]), sizes)
    with np.errstate(invalid="ignore", divide="ignore"):
        scatter(counts, sums, room, (np.ascontiguousarray(auroc.T), 0.5 / sizes), products)
        of_rest, of_events = sizes[2:] / (sizes[2:] - 1)
        own = of_rest * products[0] / sizes[0] ** 2 + of_events * products[1] / sizes[1] ** 2
        cross = products[2] / (sizes[0] * sizes[1])
        out: Floats = own + n_units / (n_units - 1) * (cross + cross.transpose(1, 0, 2))
    # The halves of a product that is the same either way were added up once.
    lower = np.tril(out.transpose(2, 0, 1))
    return lower + np.tril(lower, -1).transpose(0, 2, 1)
