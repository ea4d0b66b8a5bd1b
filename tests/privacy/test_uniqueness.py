"""Rows that are the only ones of their kind, against counting pairs."""

import numpy as np
import pytest
from tests.privacy.making import feature_rows

from twelvelead.privacy import NotEstimable, beat_units, simulated_people, uniqueness
from twelvelead.privacy.uniqueness import round_rows
from twelvelead.terms import InputError

PEOPLE = np.repeat(np.arange(30), 2)


@pytest.fixture(scope="module")
def units():
    x = np.random.default_rng(0).normal(size=(60, 2)).round(4)
    x[5, 1] = np.nan
    x[4] = x[6] = (0.5, np.nan)  # the first recordings of two people have the same gap
    x[3] = x[2]  # one person has the same row twice
    return feature_rows(x, PEOPLE)


@pytest.mark.parametrize("step", [0.001, 0.3, 2.0, 100.0])
def test_as_counting_says(units, step):
    steps = {"m0": step, "m1": step}
    rows = np.nan_to_num(np.rint(units.x.astype(float) / step), nan=1e9)[::2]
    sharing = [(rows == row).all(axis=1).sum() for row in rows]
    found = uniqueness(units, steps=steps, level=0.95)
    assert found.unique.value == pytest.approx(np.mean(np.array(sharing) == 1))
    assert found.smallest == min(sharing)
    assert found.classes["n_people"].sum() == 30
    later = np.nan_to_num(np.rint(units.x.astype(float) / step), nan=1e9)[1::2]
    again = [bool((a == b).all()) and n == 1 for a, b, n in zip(rows, later, sharing, strict=True)]
    assert found.linked.value == pytest.approx(np.mean(again))


def test_coarser_steps_hide(units):
    fine, coarse = (uniqueness(units, steps={"m0": s, "m1": s}, level=0.95) for s in (0.001, 1000.0))
    assert fine.linked.value == pytest.approx(1 / 30)
    assert coarse.unique.value <= 1 / 30  # all but those with a gap share one row
    assert coarse.classes["k"].max() >= 27


def test_minus_nothing_is_nothing():
    rows = round_rows(feature_rows([[-0.1], [0.1]], [0, 1]), {"m0": 1.0})
    assert rows.tobytes() == np.zeros((2, 1)).tobytes()


def test_what_is_asked_is_checked(units):
    for steps in ({}, {"m9": 1.0}, {"m0": 0.0}):
        with pytest.raises(InputError, match="each with a step above 0"):
            uniqueness(units, steps=steps, level=0.95)
    few = units.take(np.arange(10))
    assert isinstance(uniqueness(few, steps={"m0": 1.0}, level=0.95).unique, NotEstimable)
    beats = beat_units(simulated_people(2, 1, seed=0), leads=("I",))
    with pytest.raises(InputError, match="beats"):
        uniqueness(beats, steps={"I": 1.0}, level=0.95)
