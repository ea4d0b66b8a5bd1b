"""Patient-disjoint folds, balanced in every outcome, age band and sex at once."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from twelvelead.terms import StudyError


def assign_folds(table: pl.DataFrame, *, n_folds: int, seed: int, strata: pl.DataFrame | None = None) -> pl.DataFrame:
    """Assign every patient to one fold so that each fold has its share of each stratum.

    Parameters
    ----------
    table : DataFrame with columns recording_id, patient_id and any number of boolean or 0/1 columns
        The other columns are the strata: outcomes, age bands, sex. Null counts as not in the stratum.
    n_folds : int
        Number of folds, at least 2.
    seed : int
        Breaks ties, and nothing else.
    strata : DataFrame with columns recording_id, stratum, or None
        Further strata by the recordings in them, such as `Answers.strata`: a thousand diagnoses fit into memory so.

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
    rather than recomputed, and a patient knows only the strata that he or she is in, so the time grows with the number
    of patients' memberships. Patients in no stratum are spread by size; the publications' program leaves them in the
    first fold.

    References
    ----------
    .. [1] Sechidis K, Tsoumakas G, Vlahavas I. On the stratification of multi-label data.
       doi:10.1007/978-3-642-23808-6_10
    """
    patients = table.group_by("patient_id").agg(n=pl.len()).sort("patient_id").with_row_index("unit")
    if not 2 <= n_folds <= patients.height:
        msg = f"n_folds must be 2 to the number of patients; got {n_folds} for {patients.height}. Use fewer folds."
        raise StudyError(msg)
    fold = _stratify(
        patients["n"].to_numpy().astype(float),
        _count_memberships(table, patients, strata),
        n_folds=n_folds,
        rng=np.random.default_rng(seed),
    )
    assigned = patients.select("patient_id").with_columns(fold=pl.Series(fold, dtype=pl.Int32))
    out = table.select("recording_id", "patient_id").join(assigned, on="patient_id", how="left", validate="m:1")
    return check_disjoint(out.sort("recording_id"), "fold")


def _count_memberships(table: pl.DataFrame, patients: pl.DataFrame, strata: pl.DataFrame | None) -> csr_array:
    """Count the recordings of each patient (row) in each stratum (column), without the zeros."""
    of_patient = table.select("recording_id", "patient_id").join(
        patients.select("patient_id", "unit"), on="patient_id", maintain_order="left"
    )
    rows, columns, counts = [], [], []
    wide = [c for c in table.columns if c not in {"recording_id", "patient_id"}]
    for place, name in enumerate(wide):
        load = table[name].cast(pl.Float64).fill_null(0).to_numpy()
        inside = np.flatnonzero(load)
        rows.append(of_patient["unit"].to_numpy()[inside])
        columns.append(np.full(len(inside), place))
        counts.append(load[inside])
    n_strata = len(wide)
    if strata is not None:
        long = strata.unique().join(of_patient, on="recording_id")
        of_name = long["stratum"].rank("dense").to_numpy() - 1
        rows.append(long["unit"].to_numpy())
        columns.append(n_strata + of_name.astype(np.intp))
        counts.append(np.ones(long.height))
        n_strata += long["stratum"].n_unique()
    if not rows:
        return csr_array((patients.height, 0))
    entries = (np.concatenate(counts), (np.concatenate(rows), np.concatenate(columns)))
    return csr_array(entries, shape=(patients.height, n_strata))  # entries at one place are added up


def _stratify(
    size: NDArray[np.float64], load: csr_array, *, n_folds: int, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Stratify units iteratively: `size` recordings each, `load` of them in each stratum."""
    wanted_of = np.tile(np.asarray(load.sum(axis=0)).ravel() / n_folds, (n_folds, 1))
    wanted = np.full(n_folds, size.sum() / n_folds)
    left = np.asarray(load.sum(axis=0)).ravel()
    fold = np.full(len(size), -1, dtype=np.int32)
    order = np.lexsort((rng.permutation(len(size)), -size))
    members = load[order].tocsc()
    to_place = np.ones(load.shape[1], dtype=bool)
    for _ in range(load.shape[1]):
        rarest = int(np.argmin(np.where(to_place, left, np.inf)))
        to_place[rarest] = False
        own = slice(members.indptr[rarest], members.indptr[rarest + 1])
        places, counts = members.indices[own], members.data[own]
        largest_first = np.lexsort((places, -counts))
        for unit in order[places[largest_first]]:
            if fold[unit] >= 0:
                continue
            chosen = _neediest(wanted_of[:, rarest], wanted, rng)
            entries = slice(load.indptr[unit], load.indptr[unit + 1])
            mine, many = load.indices[entries], load.data[entries]
            fold[unit] = chosen
            wanted[chosen] -= size[unit]
            wanted_of[chosen, mine] -= many
            left[mine] -= many
    for unit in order[fold[order] < 0]:
        chosen = _neediest(wanted, wanted, rng)
        fold[unit] = chosen
        wanted[chosen] -= size[unit]
    return fold


def _neediest(of_stratum: NDArray[np.float64], wanted: NDArray[np.float64], rng: np.random.Generator) -> int:
    """Choose the fold that wants most of a stratum, then most recordings, then any."""
    best = np.flatnonzero(of_stratum >= of_stratum.max() - 1e-9)
    if len(best) > 1:
        best = best[wanted[best] >= wanted[best].max() - 1e-9]
    return int(best[0] if len(best) == 1 else rng.choice(best))


def published_folds(table: pl.DataFrame, column: str) -> pl.DataFrame:
    """Take the folds that come with a database, after making sure that no patient is in two.

    Parameters
    ----------
    table : DataFrame with columns recording_id, patient_id and `column`
        One row per recording.
    column : str
        The published folds, such as strat_fold or fold.

    Returns
    -------
    DataFrame with columns recording_id, patient_id, fold (Int32)
        Sorted by recording_id.

    Raises
    ------
    StudyError
        If the column is not there, a recording has no fold, or a patient is in more than one.
    """
    if column not in table.columns or table[column].null_count():
        lacking = "no such column" if column not in table.columns else f"{table[column].null_count()} without"
        msg = f"every recording must have a published fold in {column!r}; got {lacking}. Let the study split by itself."
        raise StudyError(msg)
    folds = table.select("recording_id", "patient_id", fold=pl.col(column).cast(pl.Int32))
    return check_disjoint(folds.sort("recording_id"), "fold")


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
    twelvelead.terms.errors.StudyError: a patient must be on one side; got 1 on both, first 'a'. Split by patient.
    """
    both = table.group_by("patient_id").agg(n=pl.col(side).n_unique()).filter(pl.col("n") > 1).sort("patient_id")
    if both.height:
        first = both["patient_id"][0]
        msg = f"a patient must be on one side; got {both.height} on both, first {first!r}. Split by patient."
        raise StudyError(msg)
    return table
