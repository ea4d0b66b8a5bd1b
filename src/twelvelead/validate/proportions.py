"""The interval of a share, where several recordings may be of one patient."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


def shares(y: Floats, group: Places, patient: Places, *, level: float) -> pl.DataFrame:
    """Return the share of events in each group, with Wilson's limits that know who the patients are.

    Parameters
    ----------
    y : ndarray of shape (n_recordings,)
        1 event, 0 none.
    group, patient : ndarray of int, shape (n_recordings,)
        Number of each recording's group, and of its patient, from 0.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame with columns group, n, n_patients, n_events, observed, lower, upper
        One row per group that occurs, ascending.

    Notes
    -----
    The limits are Wilson's [1]_, of as many independent recordings as tell the same: n over the design effect, the
    variance of the share between patients over that of independent recordings [2]_, and no less than 1. Where all
    recordings of a group agree, that variance can't be seen, and each patient counts once.

    References
    ----------
    .. [1] Wilson EB. Probable inference, the law of succession, and statistical inference.
       doi:10.1080/01621459.1927.10502953
    .. [2] Kish L. Survey Sampling. Wiley, 1965.

    Examples
    --------
    Five of ten: 0.5 ± 0.2634.

    >>> row = shares(np.tile([0.0, 1.0], 5), np.zeros(10, dtype=int), np.arange(10), level=0.95).row(0, named=True)
    >>> row["n"], row["n_events"], round(row["lower"], 4), round(row["upper"], 4)
    (10, 5, 0.2366, 0.7634)
    """
    cell, place = np.unique(group * (int(patient.max()) + 1) + patient, return_inverse=True)
    groups, of_group = np.unique(cell // (int(patient.max()) + 1), return_inverse=True)
    per_cell, events_per_cell = np.bincount(place), np.bincount(place, weights=y)
    n = np.bincount(of_group, weights=per_cell)
    events = np.bincount(of_group, weights=events_per_cell)
    patients = np.bincount(of_group)
    share = events / n
    residual = events_per_cell - per_cell * share[of_group]
    between = np.bincount(of_group, weights=residual**2) * patients / np.maximum(patients - 1, 1)
    within = n * share * (1 - share) * n / np.maximum(n - 1, 1)
    seen = (within > 0) & (patients > 1)
    effect = np.where(seen, np.divide(between, within, out=np.ones_like(n), where=seen), n / patients)
    lower, upper = wilson(share, n / np.maximum(effect, 1.0), level=level)
    return pl.DataFrame(
        {
            "group": groups,
            "n": n.astype(np.int64),
            "n_patients": patients.astype(np.int64),
            "n_events": events.astype(np.int64),
            "observed": share,
            "lower": lower,
            "upper": upper,
        }
    )


def wilson(share: Floats, n: Floats, *, level: float) -> tuple[Floats, Floats]:
    """Return Wilson's limits of a share among `n` independent recordings."""
    z = float(ndtri((1 + level) / 2))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return middle - half, middle + half
