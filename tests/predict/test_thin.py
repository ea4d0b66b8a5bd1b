import numpy as np
import pytest

from twelvelead.predict.thin import MANY, thin


def outcome(n, n_events, seed=0):
    y = np.zeros(n, dtype=np.int8)
    y[np.random.default_rng(seed).choice(n, n_events, replace=False)] = 1
    return y


def test_up_to_twenty_thousand_all_are_kept():
    rows, weights = thin(outcome(MANY, 5), per_event=4, seed=0)
    assert np.array_equal(rows, np.arange(MANY))
    assert (weights == 1).all()


@pytest.mark.parametrize(
    ("n", "n_events", "kept_events", "kept_others"),
    [
        (100_000, 8_000, 8_000, 32_000),  # four each
        (100_000, 50, 50, MANY - 50),  # never fewer than 20,000 in all
        (200_000, 90_000, MANY, 4 * MANY),  # of 90,000 events a part
        (200_000, 100_000, MANY, 4 * MANY),
        (60_000, 59_000, 19_000, 1_000),  # here those without the event are the rarer
        (30_000, 0, 0, MANY),
    ],
)
def test_how_many_are_kept_and_what_they_stand_for(n, n_events, kept_events, kept_others):
    y = outcome(n, n_events)
    rows, weights = thin(y, per_event=4, seed=3)
    assert (np.diff(rows) > 0).all()
    events = y[rows] == 1
    assert (events.sum(), (~events).sum()) == (kept_events, kept_others)
    assert weights[events].sum() == pytest.approx(n_events, rel=1e-12)
    assert weights[~events].sum() == pytest.approx(n - n_events, rel=1e-12)


def test_the_seed_decides_who():
    y = outcome(50_000, 100)
    first, again, other = (thin(y, per_event=4, seed=seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    # 19,900 of 49,900: half of those drawn lie in the first half, with a standard error of 55.
    assert np.sum(first < 25_000) == pytest.approx(MANY / 2, abs=300)
