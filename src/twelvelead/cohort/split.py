"""Patient-disjoint folds, balanced in every outcome, age band and sex at once."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.terms import StudyError


def assign_folds(table: pl.DataFrame, *, n_folds: int, seed: int) -> pl.DataFrame:
    """Assign every patient to one fold so that each fold has its share of each stratum.

    Parameters
    ----------
    table : DataFrame with columns recording_id, patient_id and any number of boolean or 0/1 columns
        The other columns are the strata: outcomes, age bands, sex. Null counts as not in the stratum.
    n_folds : int
        Number of folds, at least 2.
    seed : int
        Breaks ties, and nothing else.

    Returns
    -------
    DataFrame with columns recording_id, patient_id, fold (Int32)
        Sorted by recording_id.

    Raises
    ------
    StudyError
        If there are fewer patients than folds.

    Notes
    -----
    Iterative stratification [1]_ with the patient as the unit: a patient brings all recordings at once. The stratum
    with the fewest recordings still to place goes first; each of its patients, largest first, goes to the fold that
    wants most of that stratum, then to the one that wants most recordings, then to a random one. Counters are updated
    rather than recomputed, so the time grows linearly with the number of patients times strata.

    References
    ----------
    .. [1] Sechidis K, Tsoumakas G, Vlahavas I. On the stratification of multi-label data.
       doi:10.1007/978-3-642-23808-6_10
    """
    strata = [c for c in table.columns if c not in {"recording_id", "patient_id"}]
    patients = (
        table.group_by("patient_id")
        .agg(pl.len().alias("_n"), *(pl.col(c).cast(pl.Float64).fill_null(0).sum() for c in strata))
        .sort("patient_id")
    )
    if not 2 <= n_folds <= patients.height:
        msg = f"n_folds must be 2 to the number of patients; got {n_folds} for {patients.height}. Use fewer folds."
        raise StudyError(msg)
    load = patients.select("_n", *strata).to_numpy().astype(float)
    fold = _stratify(load, n_folds=n_folds, rng=np.random.default_rng(seed))
    assigned = patients.select("patient_id").with_columns(fold=pl.Series(fold, dtype=pl.Int32))
    out = table.select("recording_id", "patient_id").join(assigned, on="patient_id", how="left", validate="m:1")
    return check_disjoint(out.sort("recording_id"), "fold")


def _stratify(load: NDArray[np.float64], *, n_folds: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Stratify units iteratively; `load` has one row per unit: its size, then its count in each stratum."""
    wanted = np.tile(load.sum(axis=0) / n_folds, (n_folds, 1))
    left = load.sum(axis=0)
    free = np.ones(len(load), dtype=bool)
    fold = np.full(len(load), -1, dtype=np.int32)
    order = np.lexsort((rng.permutation(len(load)), -load[:, 0]))
    members = {s: order[load[order, s] > 0] for s in range(1, load.shape[1])}
    while members:
        rarest = min(members, key=lambda s: (left[s], s))
        units = [u for u in members.pop(rarest) if free[u]]
        for unit in sorted(units, key=lambda u: -load[u, rarest]):
            chosen = _neediest(wanted, rarest, rng)
            fold[unit] = chosen
            free[unit] = False
            wanted[chosen] -= load[unit]
            left -= load[unit]
    for unit in order[free[order]]:
        chosen = _neediest(wanted, 0, rng)
        fold[unit] = chosen
        wanted[chosen] -= load[unit]
    return fold


def _neediest(wanted: NDArray[np.float64], stratum: int, rng: np.random.Generator) -> int:
    best = np.flatnonzero(wanted[:, stratum] >= wanted[:, stratum].max() - 1e-9)
    best = best[wanted[best, 0] >= wanted[best, 0].max() - 1e-9]
    return int(best[0] if len(best) == 1 else rng.choice(best))


def check_disjoint(table: pl.DataFrame, side: str) -> pl.DataFrame:
    """Refuse a split that has a patient on both sides.

    Parameters
    ----------
    table : DataFrame with columns patient_id and `side`
        One row per recording.
    side : str
        The column that says where a recording went.

    Returns
    -------
    DataFrame
        `table`, unchanged.

    Raises
    ------
    StudyError
        If a patient is found in more than one part.

    Examples
    --------
    >>> check_disjoint(pl.DataFrame({"patient_id": ["a", "a"], "set": ["train", "held_out"]}), "set")
    Traceback (most recent call last):
    twelvelead.terms.StudyError: a patient must be on one side of the split; got 1 on both, first 'a'. Split by patient.
    """
    both = table.group_by("patient_id").agg(n=pl.col(side).n_unique()).filter(pl.col("n") > 1).sort("patient_id")
    if both.height:
        first = both["patient_id"][0]
        msg = (
            f"a patient must be on one side of the split; got {both.height} on both, first {first!r}. Split by patient."
        )
        raise StudyError(msg)
    return table
