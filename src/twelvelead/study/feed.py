"""Batches for training: from the memory map, or from a GPU's own memory where all recordings fit into it."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twelvelead.study.training_data import TrainingData

Read = Callable[[NDArray[np.int64]], Tensor]
MOST_OF_GPU = 0.4  # of what is free; the rest is for the model and what its backward pass keeps


def feed(data: TrainingData, device: torch.device) -> Read:
    """Give what turns numbers of recordings into a batch in mV.

    Parameters
    ----------
    data : TrainingData
        The recordings, as 16-bit integers.
    device : torch.device
        Where batches are wanted.

    Returns
    -------
    callable
        Numbers of n recordings to a Tensor of float32, shape (n, n_leads, n_samples). Integers travel, and become mV
        where they are wanted.
    """
    step, zero = (torch.from_numpy(part).to(device)[:, None, :] for part in (data.step_mv, data.zero))

    def scale(samples: Tensor, rows: Tensor) -> Tensor:
        return samples.float().add_(zero[rows]).mul_(step[rows]).transpose(1, 2).contiguous()

    if device.type == "cuda" and _fits(data, device):
        whole = torch.from_numpy(data.read(np.arange(len(data.place)))).to(device)

        def read_there(rows: NDArray[np.int64]) -> Tensor:
            at = torch.from_numpy(rows).to(device, non_blocking=True)
            return scale(whole[at], at)

        return read_there

    def read_here(rows: NDArray[np.int64]) -> Tensor:
        samples = torch.from_numpy(data.read(rows))
        if device.type == "cuda":
            samples = samples.pin_memory()
        return scale(samples.to(device, non_blocking=True), torch.from_numpy(rows).to(device))

    return read_here


def _fits(data: TrainingData, device: torch.device) -> bool:
    free, _ = torch.cuda.mem_get_info(device)
    return sum(part.nbytes for part in data.maps) <= MOST_OF_GPU * free
