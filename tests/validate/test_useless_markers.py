"""Markers that say nothing, added to a fitted model and judged on new patients: which figures are taken in."""

import numpy as np
import pytest
from scipy.special import expit

from twelvelead.validate import Pair, continuous_nri, delta_auroc
from twelvelead.validate.logistic import fit_logistic

N_SIMULATIONS = 120
RATE = 0.05 + 2 * (0.05 * 0.95 / N_SIMULATIONS) ** 0.5
"""5 % and two standard errors."""


@pytest.fixture(scope="module")
def found():
    """One-sided decisions at 5 % for ΔAUROC and for the continuous NRI: 420 patients to fit to, 1,680 new ones."""
    out = []
    for seed in range(N_SIMULATIONS):
        rng = np.random.default_rng([14, seed])
        x = rng.normal(size=(2100, 17))
        y = (rng.uniform(size=2100) < expit(-2.55 + 0.9 * x[:, 0] + 0.5 * x[:, 1])).astype(float)
        old, new = slice(0, 420), slice(420, None)
        designs = [np.column_stack([np.ones(2100), x[:, :k]]) for k in (2, 17)]
        base, more = (expit(d[new] @ fit_logistic(d[old], y[old])) for d in designs)
        difference = delta_auroc(y[new], more, base, level=0.95)
        nri = continuous_nri(Pair(y[new], new=more, base=base), level=0.95, n_resamples=2, seed=0).total
        out.append((difference.z > 1.6449, nri.z > 1.6449, nri.estimate))
    return np.array(out, dtype=float).mean(axis=0)


def test_the_difference_of_auroc_is_not_taken_in(found):
    assert found[0] <= RATE


def test_the_continuous_nri_is(found):
    assert found[2] > 0.03
    assert 0.12 < found[1] < 0.35
