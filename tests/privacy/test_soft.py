"""Sex and age: a leak is seen as one, and what is there is found."""

import numpy as np
import pytest
from tests.privacy.making import feature_rows

from twelvelead.privacy import NotEstimable, linear, nearest, read_age, read_sex
from twelvelead.validate import Bootstrap

FEW = Bootstrap(200, 1, 0.95)


def people(seed, *, shift, n=60, each=6):
    """Make n people of `each` rows; a row is its person's own place, moved by `shift` for women, and little noise."""
    rng = np.random.default_rng(seed)
    female = np.arange(n) % 2
    own = rng.normal(size=(n, 8))
    own[:, 0] += shift * female
    x = own.repeat(each, axis=0) + 0.05 * rng.normal(size=(n * each, 8))
    return feature_rows(x, np.repeat(np.arange(n), each), female=np.repeat(female, each))


def with_age(units, age):
    return type(units)(**{**vars(units), "age_years": np.asarray(age, dtype=float)})


def test_what_is_not_there_is_seen_only_by_who_leaks():
    found = read_sex(people(0, shift=0), nearest, bootstrap=FEW)
    assert found.leaky.value > 0.99
    assert found.sound.lower <= 0.5 <= found.sound.upper
    assert found.sound_person.lower <= 0.5 <= found.sound_person.upper
    assert found.leakage.lower > 0.3
    assert found.leakage.value == pytest.approx(found.leaky.value - found.sound.value)
    assert found.baseline == 0.5


def test_what_is_there_is_found():
    found = read_sex(people(0, shift=3), linear, bootstrap=FEW)
    assert found.sound.lower > 0.9
    assert found.sound.n_people == 60


def test_age_by_its_error():
    units = people(1, shift=0)
    own = units.x[:, 0].astype(float)
    age = np.array([own[units.subject == k].mean() for k in range(60)])[units.subject] * 10 + 50
    mae, r2 = read_age(with_age(units, age), linear, bootstrap=FEW)
    assert (mae.figure, r2.figure) == ("mae", "r2")
    assert mae.sound.value < 3 < mae.baseline
    assert r2.sound.value > 0.9
    lot = np.random.default_rng(5).uniform(20, 80, 60)[units.subject]
    mae, r2 = read_age(with_age(units, lot), nearest, bootstrap=FEW)
    assert mae.leaky.value < 2
    assert mae.sound.value > mae.baseline
    assert r2.sound.value < 0
    assert r2.leaky.value > 0.9
    spread = np.unique(lot)
    assert mae.baseline == pytest.approx(np.abs(spread - spread.mean()).mean(), abs=1.0)


def test_nobody_is_judged_by_one_who_knows_them():
    seen = []

    def spy(learn, y, judge):
        seen.append((learn[:, 0], judge[:, 0]))
        return np.zeros(len(judge))

    units = people(2, shift=0)
    x = np.repeat(np.arange(60.0), 6)[:, None] * np.ones(8)
    read_sex(type(units)(**{**vars(units), "x": x.astype(np.float32)}), spy, bootstrap=Bootstrap(20, 0, 0.95))
    leaky, sound = seen[:5], seen[5:10]
    assert all(np.intersect1d(learn.round(6), judge.round(6)).size for learn, judge in leaky)
    assert sum(len(judge) for _, judge in sound) == 360
    # Scales are refitted in each fold, so people are told apart by the number of different values.
    assert all(len(np.unique(learn.round(6))) == 48 for learn, _ in sound)
    assert all(len(np.unique(judge.round(6))) == 12 for _, judge in sound)


def test_few_people_have_no_figure():
    units = people(0, shift=0, n=18)
    assert isinstance(read_sex(units, nearest, bootstrap=FEW), NotEstimable)
    assert isinstance(read_age(units, nearest, bootstrap=FEW), NotEstimable)
