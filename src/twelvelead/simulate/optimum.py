"""The best that anybody could do: the AUROC of the true risk in a site's population."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twelvelead.simulate.hospital import check_size, draw_truth
from twelvelead.simulate.outcomes import OUTCOMES, find_outcome
from twelvelead.simulate.site import Site
from twelvelead.terms import InputError

Floats = NDArray[np.float64]

_LEADS = ("II", "V1", "V3", "V5")  # those whose amplitudes occur in a risk


def best_auroc(target: str, *, site: Site, n: int = 200_000, seed: int, given: str = "everything") -> float:
    """Return the highest AUROC that any model can reach for an outcome in a site's population.

    Parameters
    ----------
    target : str
        Name of one of `OUTCOMES`.
    site : Site
        Whose population.
    n : int
        Recordings drawn, one per patient. At 200,000 two seeds differ by about 0.001.
    seed : int
        Not negative.
    given : {"everything", "age_sex"}
        What the model may know: all that is true of the recording, age and sex; or age and sex only.

    Returns
    -------
    float
        AUROC; exactly 0.5 for a null outcome.

    Raises
    ------
    InputError
        If there is no such target, `given` is unknown, or n or seed can't be right.

    Notes
    -----
    No model ranks better than the true risk (Neyman-Pearson). The outcome is not drawn: each recording counts as an
    event with weight p and as a non-event with weight 1 − p, which is the expectation over all outcomes. With age and
    sex alone the best score is the mean risk of that age (whole years) and sex.

    Examples
    --------
    >>> from twelvelead.simulate import SITE_A
    >>> best_auroc("rib_fracture", site=SITE_A, n=100, seed=1)
    0.5
    """
    check_size(n, seed=seed)
    chosen = find_outcome(target)
    if given not in {"everything", "age_sex"}:
        msg = f"given must be 'everything' or 'age_sex'; got {given!r}. Choose one of the two."
        raise InputError(msg)
    risks, cell = _population(n, site=site, seed=seed)
    risk = risks[chosen.name]
    return expected_auroc(risk, risk if given == "everything" else _mean_within(cell, risk))


def expected_auroc(risk: ArrayLike, score: ArrayLike) -> float:
    """Return the AUROC of a score, expected over outcomes drawn with the given risks.

    Parameters
    ----------
    risk, score : array_like of float, shape (n,)
        Probability of the event, and what ranks the recordings.

    Examples
    --------
    Two recordings, risks 0.2 and 0.8. Of all pairs of an event and a non-event, weighted by how often they occur, 0.64
    are ranked rightly, 0.04 wrongly, and 0.32 are of one recording with itself, a tie: 0.64 + 0.16.

    >>> round(expected_auroc([0.2, 0.8], [0.2, 0.8]), 3)
    0.8
    """
    p = np.asarray(risk, dtype=float)
    _, group = np.unique(np.asarray(score, dtype=float), return_inverse=True)
    events, others = np.bincount(group, weights=p), np.bincount(group, weights=1 - p)
    below = np.cumsum(others) - others
    beaten = (below + others / 2) / others.sum()
    return float(events @ beaten / events.sum())


@lru_cache(maxsize=2)  # one draw serves all outcomes of a site
def _population(n: int, *, site: Site, seed: int) -> tuple[dict[str, Floats], NDArray[np.int64]]:
    """Return every outcome's risk, and which age and sex each recording is of."""
    truth = draw_truth(n, n_recordings=1, site=site, seed=seed, leads=_LEADS)
    cell = 2 * truth["age_years"].astype(np.int64) + (truth["sex"] == "female")
    return {outcome.name: truth[f"risk_{outcome.name}"] for outcome in OUTCOMES}, cell


def _mean_within(cell: NDArray[np.int64], risk: Floats) -> Floats:
    """Return the mean risk of each recording's cell; rounded, so that equal risks have equal means to the last bit."""
    mean: Floats = np.bincount(cell, weights=risk) / np.maximum(np.bincount(cell), 1)
    return np.round(mean, 12)[cell]
