import numpy as np
import pytest

from twelvelead.predict.deal import deal, number_patients
from twelvelead.predict.thin import MANY
from twelvelead.terms import StudyError


def hospital(n=30_000, seed=0):
    rng = np.random.default_rng(seed)
    patients = rng.integers(0, n // 4, n)
    ill = rng.uniform(size=n // 4) < 0.05
    return (ill[patients] & (rng.uniform(size=n) < 0.6)).astype(np.int8), patients


def test_many_recordings_are_dealt_evenly_and_by_patient():
    y, patients = hospital()
    assert len(y) > MANY
    numbers = number_patients([f"p{i}" for i in patients], len(y))
    folds = deal(y, numbers, n_folds=7, seed=0)
    assert all(len(set(folds[numbers == k])) == 1 for k in range(500))
    events, sizes = (np.bincount(folds, weights=w) for w in (y, np.ones(len(y))))
    # No more than the largest patient's apart.
    assert np.ptp(events) <= np.bincount(numbers, weights=y).max()
    assert np.ptp(sizes) <= 2 * np.bincount(numbers).max()


def test_order_of_rows_does_not_matter_but_the_seed_does():
    y, patients = hospital()
    numbers = number_patients(patients, len(y))
    folds = deal(y, numbers, n_folds=5, seed=0)
    order = np.random.default_rng(1).permutation(len(y))
    shuffled = deal(y[order], number_patients(patients[order], len(y)), n_folds=5, seed=0)
    assert np.array_equal(shuffled, folds[order])
    assert not np.array_equal(deal(y, numbers, n_folds=5, seed=1), folds)


def test_patients_are_numbered_by_name():
    assert number_patients(None, 3).tolist() == [0, 1, 2]
    assert number_patients([10, 9, 10], 3).tolist() == [0, 1, 0]  # as text
    with pytest.raises(StudyError, match="groups must name the patient of each of the 2 recordings; got 3"):
        number_patients(["a", "b", "c"], 2)


def test_many_recordings_of_one_ill_patient_are_refused():
    y = np.zeros(MANY + 5, dtype=np.int8)
    y[:100] = 1
    with pytest.raises(StudyError, match="too few patients"):
        deal(y, np.where(y == 1, 0, np.arange(len(y))), n_folds=5, seed=0)
