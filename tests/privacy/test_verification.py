"""EER, TAR, paired differences and the weights of a resample: by hand and against independent tools."""

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve
from tests.privacy.making import comparison, random_comparison

from twelvelead.privacy import NotEstimable, difference, eer, estimate, match_devices, rank_share, tar_at_far
from twelvelead.privacy.verification import pairs_of, rates
from twelvelead.validate import Bootstrap

FEW = Bootstrap(300, 0, 0.95)


def at(figure, comparisons, drawn=None):
    n = len(comparisons[0].subject_ids)
    return figure(comparisons)(np.ones((1, n)) if drawn is None else np.asarray(drawn, dtype=float)[None])[0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("step", [None, 0.5])
def test_eer_is_where_the_roc_curve_of_scikit_learn_says(seed, step):
    c = random_comparison(np.random.default_rng(seed), 30, step=step)
    fpr, tpr, _ = roc_curve(c.genuine.ravel(), c.scores.ravel(), drop_intermediate=False)
    oracle = brentq(lambda x: 1 - x - interp1d(fpr, tpr)(x), 0, 1)
    assert at(eer, [c]) == pytest.approx(oracle, abs=0.02)  # interp1d is not single-valued on the curve's steps
    far, tar = rates(pairs_of([c]), np.ones((1, 30)))
    np.testing.assert_allclose(far[0], fpr)
    np.testing.assert_allclose(tar[0], tpr)


def test_eer_by_hand():
    # Genuine 4, 2; impostors 3, 1: at threshold 3 half of either is wrong.
    assert at(eer, [comparison([[4, 3], [1, 2]], [0, 1], [0, 1])]) == pytest.approx(0.5)
    assert at(eer, [comparison([[4, 1], [1, 4]], [0, 1], [0, 1])]) == 0
    assert at(eer, [comparison([[1, 4], [4, 1]], [0, 1], [0, 1])]) == 1
    assert at(eer, [comparison([[1, 1], [1, 1]], [0, 1], [0, 1])]) == pytest.approx(0.5)


def test_a_person_drawn_twice_is_an_impostor_twice_and_never_of_themself():
    scores = np.random.default_rng(2).standard_normal((4, 4)) + 0.7 * np.eye(4)
    c = comparison(scores, range(4), range(4))
    drawn = [2, 0, 1, 1]
    who = np.repeat(np.arange(4), drawn)
    far, tar = [], []
    thresholds = np.sort(np.unique(scores))[::-1]
    genuine = np.array([scores[k, k] for k in who])
    impostor = np.array([scores[i, j] for i in who for j in who if i != j])
    for t in thresholds:
        far.append((impostor >= t).mean())
        tar.append((genuine >= t).mean())
    found = rates(pairs_of([c]), np.array([drawn], dtype=float))
    np.testing.assert_allclose(found[0][0, 1:], far)
    np.testing.assert_allclose(found[1][0, 1:], tar)


def test_tar_is_given_only_where_impostors_suffice():
    c = random_comparison(np.random.default_rng(3), 60, shift=3.0)  # 3540 impostor pairs
    value = at(tar_at_far(0.01), [c])
    impostor, genuine = np.sort(c.scores[~c.genuine])[::-1], c.scores[c.genuine]
    threshold = impostor[int(0.01 * len(impostor))]  # one more would be accepted
    assert value == pytest.approx((genuine > threshold).mean())
    refused = tar_at_far(0.001)([c])
    assert isinstance(refused, NotEstimable)
    assert "30000" in str(refused)
    assert "3540" in str(refused)


def test_tied_pairs_are_accepted_together():
    c = comparison(np.ones((60, 60)), range(60), range(60))
    assert at(tar_at_far(0.01), [c]) == 0


def test_only_impostors_of_the_same_device_are_left():
    n = 24
    device = np.arange(n) % 2
    scores = np.where(device[:, None] == device, 0.5, 0.0) + 0.1 * np.eye(n)
    c = comparison(scores, range(n), range(n), probe_device=device, person_device=device)
    (matched,) = match_devices([c])
    assert matched.fair.sum() == n * n / 2
    wide, narrow = (pairs_of([found]) for found in (c, matched))
    assert (~wide.genuine).sum() == n * (n - 1)
    assert (~narrow.genuine).sum() == n * (n / 2 - 1)
    unknown = match_devices([random_comparison(np.random.default_rng(0))])
    assert isinstance(unknown, NotEstimable)
    assert match_devices(unknown) is unknown


def test_a_difference_is_paired():
    rng = np.random.default_rng(4)
    first = random_comparison(rng, 40, shift=2)
    same = difference(eer, [first], [first], bootstrap=FEW)
    assert (same.value, same.lower, same.upper) == (0, 0, 0)
    better = comparison(first.scores + 3 * np.eye(40), range(40), range(40))
    found = difference(eer, [first], [better], bootstrap=FEW)
    assert found.upper < 0
    assert found.value == pytest.approx(at(eer, [better]) - at(eer, [first]))


def test_a_difference_is_of_those_who_are_in_both():
    rng = np.random.default_rng(5)
    scores = rng.standard_normal((30, 30)) + np.eye(30)
    whole = comparison(scores, range(30), range(30))
    part = comparison(scores[:20, :20], range(20), range(20))
    found = difference(rank_share(1), [whole], [part], bootstrap=FEW)
    assert (found.value, found.n_people) == (0, 20)
    few = comparison(scores[:5, :5], range(5), range(5))
    assert isinstance(difference(eer, [whole], [few], bootstrap=FEW), NotEstimable)


def test_intervals_of_eer_cover_the_truth():
    truth = 0.30854  # two normal distributions one standard deviation apart: Phi(-1/2)
    covered = 0
    for seed in range(40):
        c = random_comparison(np.random.default_rng(seed), 40)
        found = estimate(eer, [c], bootstrap=Bootstrap(150, seed, 0.95))
        covered += found.lower <= truth <= found.upper
    assert covered >= 33  # of 40: one time in 200 it would be fewer, if it covers 95 %
