"""Two processes that share every batch train the encoder that one would have trained."""

import socket
from dataclasses import replace

import pytest
import torch
from tests.encode.models import SMALL, recordings
from torch import distributed

from twelvelead.encode import RECIPES, Plan, snapshot, start_training, train_step

PLAN = Plan(SMALL, replace(RECIPES["sound"], lr=1e-3, batch=4, views=2), 3, 1)


def share(rank, port, folder):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    training = start_training(PLAN, device=torch.device("cpu"), rank=rank, n_ranks=2)
    for seed in range(3):
        train_step(training, recordings(SMALL, n=4, seed=seed)[2 * rank : 2 * rank + 2])
    torch.save(snapshot(training), f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.skipif(not distributed.is_gloo_available(), reason="this torch has no gloo")
def test_two_processes_come_to_the_parameters_of_one(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(share, (port, str(tmp_path)), nprocs=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    alone = start_training(PLAN, device=torch.device("cpu"))
    for seed in range(3):
        train_step(alone, recordings(SMALL, n=4, seed=seed))
    one = snapshot(alone)
    for name in one:
        if name.startswith("model."):
            # AdamW's first steps are ± the rate: where a gradient is 0 but for rounding, its sign is anybody's guess
            off = (one[name] - first[name]).abs()
            assert off.max() <= 3 * 2e-3, name
            assert (off > 1e-5).float().mean() < 0.01, name
