"""The patient-clustered bootstrap of figures that are made of counts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from twelvelead.validate.resample import interval, resamples

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Bootstrap:
    """How often patients are drawn, from which seed, and how wide an interval is made of it.

    Parameters
    ----------
    n_resamples : int
        1000 or more for a report.
    seed : int
        The same seed draws the same patients for every model, outcome and figure.
    level : float
        Confidence level of the percentile interval, in (0, 1).
    """

    n_resamples: int
    seed: int
    level: float


def resampled_counts(unit: Places, column: Places, *, n_columns: int, bootstrap: Bootstrap) -> Floats:
    """Count, in each resample of patients, the entries of each column.

    Parameters
    ----------
    unit, column : ndarray of int, shape (n_entries,)
        Patient and column of each entry, from 0. A recording makes an entry in every column that counts it.
    n_columns : int
        Number of columns.
    bootstrap : Bootstrap
        Its `level` plays no part here.

    Returns
    -------
    ndarray of shape (n_resamples, n_columns)

    Examples
    --------
    Two patients of two entries each: whoever is drawn, there are four.

    >>> unit, column = np.array([0, 0, 1, 1]), np.zeros(4, dtype=int)
    >>> resampled_counts(unit, column, n_columns=1, bootstrap=Bootstrap(2, 0, 0.95)).ravel().tolist()
    [4.0, 4.0]
    """
    n_units = int(unit.max()) + 1
    of_patient = csr_array((np.ones(len(unit)), (column, unit)), shape=(n_columns, n_units))
    every = np.arange(n_units)
    drawn = resamples(every, n_resamples=bootstrap.n_resamples, seed=bootstrap.seed)
    out: Floats = np.concatenate([(of_patient @ counts.T).T for counts in drawn])
    return out


def limits(values: Floats | None, columns: tuple[str, str], *, level: float) -> dict[str, object]:
    """Return the percentile limits of each column of replicates, as columns of a table.

    Parameters
    ----------
    values : ndarray of shape (n_resamples, n_rows) or None
        Replicates; None where too few patients have the event: then all limits are null.
    columns : (str, str)
        What to call the limits.
    level : float
        Confidence level.

    Returns
    -------
    dict of str to list of shape (n_rows,)
        The limits and n_discarded.
    """
    if values is None:
        return {columns[0]: None, columns[1]: None, "n_discarded": None}
    found = [interval(replicates, level=level) for replicates in values.T]
    return {
        columns[0]: [i.lower for i in found],
        columns[1]: [i.upper for i in found],
        "n_discarded": [i.n_discarded for i in found],
    }
