"""Rates by the formula, at steps where the cosine is known; every recording once in a pass."""

from dataclasses import replace

import numpy as np
import pytest

from twelvelead.encode import RECIPES, batch_rows, learning_rate, teacher_momentum

PLAIN = replace(RECIPES["sound"], lr=1.0, lr_warm_up=0.2, lr_end=0.0, warm_up=0.2)


@pytest.mark.parametrize(("step", "rate"), [(0, 0.2), (10, 0.6), (20, 1.0), (60, 0.5), (100, 0.0)])
def test_a_cosine_after_the_warm_up_begins_at_its_end(step, rate):
    assert learning_rate(step, n_steps=100, recipe=PLAIN) == pytest.approx(rate, abs=1e-12)


# cos(π/5) = (1 + √5)/4, so the rate falls from 1 to 0.905 at the joint
@pytest.mark.parametrize(("step", "rate"), [(10, 0.6), (20, 0.5 + (1 + 5**0.5) / 8), (50, 0.5), (100, 0.0)])
def test_the_released_cosine_begins_at_step_0(step, rate):
    released = replace(PLAIN, cosine_after_warm_up=False)
    assert learning_rate(step, n_steps=100, recipe=released) == pytest.approx(rate, abs=1e-12)


def test_without_warm_up_the_first_rate_is_the_highest():
    assert learning_rate(0, n_steps=10, recipe=replace(PLAIN, warm_up=0.0)) == 1.0


def test_momentum_is_a_line():
    recipe = replace(PLAIN, ema=(0.9, 1.0))
    assert [round(teacher_momentum(s, n_steps=4, recipe=recipe), 12) for s in range(5)] == [0.9, 0.925, 0.95, 0.975, 1]


def test_each_pass_has_each_recording_once_and_in_another_order():
    rows = np.concatenate([batch_rows(step, n=10, batch=4, seed=3) for step in range(5)])
    first, second = rows[:10], rows[10:]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first.tolist() != second.tolist()


def test_a_batch_may_span_several_passes():
    rows = batch_rows(0, n=3, batch=7, seed=0)
    assert sorted(rows[:3]) == sorted(rows[3:6]) == [0, 1, 2]


def test_another_seed_is_another_order():
    orders = {tuple(batch_rows(0, n=20, batch=20, seed=seed).tolist()) for seed in range(5)}
    assert len(orders) == 5
