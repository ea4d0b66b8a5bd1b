"""Several processes that train one encoder, as torchrun starts them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed

from twelvelead.terms import InputError

PATIENCE = timedelta(days=1)  # the first process makes the recordings ready while the others wait


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is, and where it computes.

    Parameters
    ----------
    rank, n_ranks : int
        This one's number, from 0, and how many there are.
    device : torch.device
        Where it computes.
    """

    rank: int
    n_ranks: int
    device: torch.device

    def wait(self) -> None:
        """Wait until all processes have come so far."""
        if self.n_ranks > 1:
            distributed.barrier()

    def mean(self, value: Tensor) -> Tensor:
        """Give the mean of a value over all processes."""
        if self.n_ranks > 1:
            distributed.all_reduce(value)
            value = value / self.n_ranks
        return value


@contextmanager
def join_ranks(device: str) -> Iterator[Ranks]:
    """Join the other processes, if torchrun started this one; else there is this one alone.

    Parameters
    ----------
    device : str
        auto, cpu, cuda, or as torch names it; with torchrun on GPUs, each process takes its own.

    Yields
    ------
    Ranks

    Raises
    ------
    InputError
        If there is no such device.
    """
    n_ranks, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    place = _find(device, local_rank=int(os.environ.get("LOCAL_RANK", "0")))
    if n_ranks == 1:
        yield Ranks(0, 1, place)
        return
    if place.type == "cuda":
        torch.cuda.set_device(place)
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield Ranks(rank, n_ranks, place)
    finally:
        distributed.destroy_process_group()


def _find(device: str, *, local_rank: int) -> torch.device:
    name = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        place = torch.device("cuda", local_rank) if name == "cuda" else torch.device(name)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        msg = f"device must be one that torch can use here, such as cpu; got {device!r}. Name another."
        raise InputError(msg) from error
    return place
