import pytest
import torch
from tests.encode import plain_encoder as plain

from twelvelead.encode import sin_cos_table


@pytest.mark.parametrize(("width", "n_leads", "n_patches"), [(768, 8, 50), (384, 1, 50), (64, 3, 7)])
def test_table_is_that_of_scalar_arithmetic(width, n_leads, n_patches):
    got = sin_cos_table(width, n_leads=n_leads, n_patches=n_patches)
    assert got.dtype == torch.float32
    # float64 rounded to float32: half a unit in the last place of values up to 1
    assert (got.double() - plain.table(width, n_leads, n_patches)).abs().max() <= 2**-25


def test_first_half_tells_the_time_and_second_the_lead():
    table = sin_cos_table(16, n_leads=3, n_patches=5).view(3, 5, 16)
    assert torch.equal(table[0, :, :8], table[2, :, :8])
    assert torch.equal(table[:, 0, 8:], table[:, 4, 8:])
    assert len({tuple(row.tolist()) for row in table.view(15, 16)}) == 15
