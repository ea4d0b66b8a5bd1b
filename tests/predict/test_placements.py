import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from twelvelead.predict.placements import error_between, place
from twelvelead.validate.discrimination import auroc_covariance


@pytest.fixture
def two_scores():
    rng = np.random.default_rng(0)
    patients = rng.integers(0, 80, 300)
    y = (rng.uniform(size=300) < 0.3).astype(np.int8)
    one = np.round(y + rng.normal(size=300), 1)  # ties
    other = np.round(0.5 * y + rng.normal(size=300), 1)
    return y, one, other, np.unique(patients, return_inverse=True)[1]


def sides(y, patients):
    return len(np.unique(patients[y == 1])), len(np.unique(patients[y == 0]))


def test_auroc_and_error_are_those_of_the_judge(two_scores):
    y, one, other, patients = two_scores
    aucs, covariance = auroc_covariance(y, [one, other], patients=patients)
    placed = [place(y, score, patients) for score in (one, other)]
    assert [p.auroc for p in placed] == pytest.approx(aucs, abs=1e-12)
    assert placed[0].auroc == pytest.approx(roc_auc_score(y, one), abs=1e-12)
    expected = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert error_between(*placed, sides(y, patients)) == pytest.approx(expected, abs=1e-12)
    assert error_between(placed[0], placed[0], sides(y, patients)) == 0


def test_patients_count_not_recordings(two_scores):
    y, one, other, patients = two_scores
    thrice = [np.tile(a, 3) for a in (y, one, other)]
    by_patient = [place(thrice[0], s, np.tile(patients, 3)) for s in thrice[1:]]
    once = [place(y, s, patients) for s in (one, other)]
    both = sides(y, patients)
    assert error_between(*by_patient, both) == pytest.approx(error_between(*once, both), abs=1e-12)


def test_too_few_patients_and_one_class():
    y = np.array([0, 0, 1, 1], dtype=np.int8)
    placed = place(y, np.arange(4.0), np.array([0, 1, 2, 2]))
    assert error_between(placed, placed, (1, 2)) == np.inf
    assert np.isnan(place(np.zeros(3, dtype=np.int8), np.arange(3.0)).auroc)
