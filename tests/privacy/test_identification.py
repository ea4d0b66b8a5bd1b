"""Ranks, the CMC curve and other galleries: by hand, and against counting all cases."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.privacy.making import comparison, random_comparison

from twelvelead.privacy import NotEstimable, cmc, estimate, gallery_curve, rank_share, subject_risk
from twelvelead.privacy.identification import of_smaller_gallery, places
from twelvelead.validate import Bootstrap

FEW = Bootstrap(200, 0, 0.95)


def at(figure, comparisons):
    return figure(comparisons)(np.ones((1, len(comparisons[0].subject_ids))))[0]


def test_ranks_by_hand():
    # s0 first; s1 second; s2 ties with both others at the top.
    c = comparison([[0.9, 0.1, 0.2], [0.8, 0.5, 0.1], [0.4, 0.4, 0.4]], [0, 1, 2], [0, 1, 2])
    assert at(rank_share(1), [c]) == pytest.approx((1 + 0 + 1 / 3) / 3)
    assert at(rank_share(2), [c]) == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert cmc([c])["share"].to_list() == pytest.approx([4 / 9, 8 / 9, 1.0])
    risk = subject_risk([c])
    assert risk["subject_id"].to_list() == ["s00", "s01", "s02"]
    assert risk["beaten"].to_list() == pytest.approx([1, 0.5, 0.5])


def test_who_has_many_probes_counts_once():
    # s0 is looked for three times and found each time; s1 once, and not found.
    c = comparison([[1, 0], [1, 0], [1, 0], [1, 0]], [0, 0, 0, 1], [0, 1])
    assert at(rank_share(1), [c]) == pytest.approx(0.5)


def test_several_trials_are_put_together():
    right = comparison([[1, 0], [0, 1]], [0, 1], [0, 1])
    wrong = comparison([[0, 1], [1, 0]], [0, 1], [0, 1])
    assert at(rank_share(1), [right, wrong]) == pytest.approx(0.5)


def test_who_is_not_enrolled_has_no_rank():
    c = comparison([[1, 0], [0, 1]], [2, 3], [0, 1])
    assert isinstance(rank_share(1)([c]), NotEstimable)
    people, *_ = places([comparison([[1, 0], [0, 1]], [0, 3], [0, 1])])
    assert people.tolist() == [0]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=6), st.integers(0, 3), st.data())
def test_a_smaller_gallery_is_the_mean_over_all_of_them(impostors, own, data):
    size = data.draw(st.integers(1, len(impostors) + 1))
    chances = []
    for drawn in combinations(impostors, size - 1):
        best = max((own, *drawn))
        chances.append(1 / (1 + drawn.count(own)) if best == own else 0.0)
    better, tied = (sum(s > own for s in impostors), sum(s == own for s in impostors))
    found = of_smaller_gallery(np.array([better]), np.array([tied]), np.array([len(impostors)]), size=size)
    assert found[0] == pytest.approx(np.mean(chances), abs=1e-9)


def test_the_curve_falls_and_says_where_it_guesses():
    c = random_comparison(np.random.default_rng(0), 40, shift=2.0)
    curve = gallery_curve([c], sizes=[1, 10, 40, 400, 10**9])
    assert curve["extrapolated"].to_list() == [False, False, False, True, True]
    assert curve["share"][0] == pytest.approx(1)
    assert curve["share"][2] == pytest.approx(at(rank_share(1), [c]))
    assert curve["share"].is_sorted(descending=True)
    assert curve["share"][4] >= 0


def test_the_interval_holds_the_figure_and_no_probe_agrees_by_accident():
    c = random_comparison(np.random.default_rng(1), 40)
    found = estimate(rank_share(1), [c], bootstrap=FEW)
    assert found.lower < found.value < found.upper
    assert found.n_people == 40
    perfect = comparison(np.eye(40), range(40), range(40))
    found = estimate(rank_share(1), [perfect], bootstrap=FEW)
    assert (found.value, found.upper) == (1.0, 1.0)
    assert found.lower == pytest.approx(0.025 ** (1 / 40))  # Clopper and Pearson: not 1 to 1


def test_few_people_have_no_figure():
    few = comparison(np.eye(9), range(9), range(9))
    found = estimate(rank_share(1), [few], bootstrap=FEW)
    assert isinstance(found, NotEstimable)
    assert "9 are" in str(found)
    assert estimate(rank_share(1), found, bootstrap=FEW) is found
