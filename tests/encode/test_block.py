import pytest
import torch

from twelvelead.encode.block import Blocks, DropPath


def test_a_left_out_branch_is_made_up_for():
    drop = DropPath(0.25).train()
    torch.manual_seed(0)
    out = drop(torch.ones(20000, 2, 3))
    kept = out[:, 0, 0]
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert (out == kept[:, None, None]).all()  # whole rows
    assert float((kept == 0).float().mean()) == pytest.approx(0.25, abs=0.01)  # standard error 0.003
    assert torch.equal(drop.eval()(torch.ones(5, 2, 3)), torch.ones(5, 2, 3))


def test_leaving_out_grows_from_nothing_at_the_first_block():
    blocks = Blocks(8, 5, 2, drop_path=0.1).blocks
    assert [block.drop_path.probability for block in blocks] == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])


def test_positions_are_added_before_every_block():
    blocks = Blocks(8, 3, 2, drop_path=0.0)
    for block in blocks.blocks:
        for layer in (block.attn.proj, block.mlp.fc2):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    x, positions = torch.ones(2, 4, 8), torch.full((1, 4, 8), 0.5)
    assert torch.equal(blocks(x, positions), torch.full((2, 4, 8), 2.5))  # branches add nothing: 1 + 3 · 0.5
