"""People who are not enrolled: by hand, and by counting."""

import numpy as np
import pytest
from tests.privacy.making import comparison

from twelvelead.privacy import NotEstimable, at_even_odds, dir_at_fpir
from twelvelead.privacy.open_set import tops_of


def at(figure, comparisons, drawn=None):
    n = len(comparisons[0].subject_ids)
    return figure(comparisons)(np.ones((1, n)) if drawn is None else np.asarray(drawn, dtype=float)[None])[0]


def many(seed, n=60):
    """Make people 0 to n−1 enrolled and known, and n to 2n−1 unknown; each is looked for once."""
    scores = np.random.default_rng(seed).standard_normal((2 * n, n)) + 2.0 * np.eye(2 * n, n)
    return comparison(scores, range(2 * n), range(n))


def test_dir_is_what_counting_gives():
    c = many(0)
    top, first = c.scores.max(axis=1), c.scores.argmax(axis=1)
    best = 0.0
    for t in np.r_[np.inf, top]:
        if (top[60:] >= t).mean() <= 0.1:
            best = max(best, ((top[:60] >= t) & (first[:60] == np.arange(60))).mean())
    assert at(dir_at_fpir(0.1), [c]) == pytest.approx(best)
    assert 0 < best < 1


def test_dir_needs_enough_who_are_unknown():
    refused = dir_at_fpir(0.01)([many(0)])
    assert isinstance(refused, NotEstimable)
    assert "300" in str(refused)
    assert "60" in str(refused)


def test_the_same_recording_in_two_repeats_is_no_more_evidence():
    c = many(0)
    assert tops_of([c, c]).n_unknown == 60


def test_all_known_or_all_unknown_is_no_open_set():
    closed = comparison(np.eye(3), range(3), range(3))
    assert isinstance(dir_at_fpir(0.1)([closed]), NotEstimable)
    assert isinstance(at_even_odds("unknown accepted")([closed]), NotEstimable)


def test_even_odds_are_even_where_both_halves_are_alike():
    # The scores of both halves (even and odd people) are the same, so each has the threshold of the other.
    known, unknown = np.linspace(1, 2, 20).repeat(2), np.linspace(0.4, 1.4, 20).repeat(2)
    scores = np.zeros((80, 40))
    scores[np.arange(40), np.arange(40)] = known
    scores[np.arange(40, 80), np.arange(40)] = unknown
    c = comparison(scores, range(80), range(40))
    accepted, rejected = (at(at_even_odds(what), [c]) for what in ("unknown accepted", "known rejected"))
    assert accepted == pytest.approx(rejected, abs=0.051)  # one of 20
    assert accepted == pytest.approx(0.2, abs=0.051)
    assert at(at_even_odds("known mistaken"), [c]) == 0


def test_a_stranger_drawn_thrice_counts_thrice():
    scores = np.zeros((60, 30))
    scores[np.arange(30), np.arange(30)] = 1.0
    scores[30, 0] = 2.0  # the one stranger who is taken for somebody, whatever the threshold
    c = comparison(scores, range(60), range(30))
    assert at(dir_at_fpir(0.1), [c]) == 1
    drawn = np.ones(60)
    drawn[30] = 5  # 5 of 34 strangers are above: more than one in ten
    assert at(dir_at_fpir(0.1), [c], drawn) == 0
