"""Spread against sums by hand; what collapses is seen to."""

import math

import numpy as np
import pytest
import torch

from twelvelead.encode import measure_spread


def test_spread_by_hand():
    # Centred, the columns are (±3) and (±1): singular values 6 and 2, so p = 3/4 and 1/4.
    rows = torch.tensor([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]]) + 7
    found = measure_spread(rows)
    assert found.effective_rank == pytest.approx(math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25))), abs=1e-8)
    assert found.std == pytest.approx((math.sqrt(36 / 3) + math.sqrt(4 / 3)) / 2, abs=1e-12)


def test_along_one_direction_the_rank_is_1():
    rows = torch.outer(torch.arange(20.0), torch.linspace(-1, 1, 8)) + torch.arange(8)
    assert measure_spread(rows).effective_rank == pytest.approx(1, abs=1e-4)


def test_unrelated_channels_nearly_reach_their_number():
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(4000, 12)))
    assert 11.9 < measure_spread(rows).effective_rank <= 12


def test_rows_that_are_equal_but_for_rounding_have_collapsed():
    rows = torch.full((30, 16), 0.7) * (1 + 1e-8 * torch.randn(30, 16, generator=torch.Generator().manual_seed(0)))
    assert (measure_spread(rows).std, measure_spread(rows).effective_rank) == (0, 0)


def test_what_is_no_number_has_no_spread():
    rows = torch.ones(4, 3)
    rows[2, 1] = torch.inf
    assert math.isnan(measure_spread(rows).std)
    assert math.isnan(measure_spread(rows).effective_rank)
