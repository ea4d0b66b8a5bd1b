"""How the attackers that need PyTorch are trained: one thread, a seed of their own, and nothing left changed behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twelvelead.encode import batch_rows
from twelvelead.privacy.template import standardise
from twelvelead.terms import InputError

_LEAST_STEPS = 20
_SHIFT = 2  # samples that a beat may be moved by either way
_NOISE = 0.05  # standard deviations of the beat
_AT_ONCE = 512  # beats


@dataclass(frozen=True)
class Course:
    """How long a network is trained, and how fast.

    Parameters
    ----------
    steps, batch : int
        Changes of the weights, and beats for each. No step leaves the weights as drawn.
    rate : float
        Highest learning rate of AdamW; it rises over the first tenth, and falls along half a cosine to 0.
    weight_decay : float
        Of AdamW.

    Raises
    ------
    InputError
        If there are some steps, but too few for the rate to rise and fall.
    """

    steps: int
    batch: int = 64
    rate: float = 2e-3
    weight_decay: float = 0.02

    def __post_init__(self) -> None:
        if self.steps and self.steps < _LEAST_STEPS:
            msg = f"a network must be trained for {_LEAST_STEPS} steps or more, or not at all; got {self.steps}. "
            msg += "Take more, or 0."
            raise InputError(msg)


@contextmanager
def alone(*, seed: int, device: str) -> Iterator[None]:
    """Run on one thread from a seed of its own; the threads and random numbers of others are as before afterwards.

    Parameters
    ----------
    seed : int
        Of weights, batches and dropping. The same gives the same network on one kind of processor.
    device : str
        Where the network is: `cpu`, `cuda`, …
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[] if device == "cpu" else [torch.device(device)]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def to_tensor(beats: NDArray[np.float32], *, device: str) -> Tensor:
    """Bring beats to mean 0 and standard deviation 1, as a tensor."""
    return torch.from_numpy(standardise(beats).astype(np.float32)).to(device)


def parts_of(x: Tensor) -> list[Tensor]:
    """Cut beats into parts small enough to be asked at once."""
    return [x[k : k + _AT_ONCE] for k in range(0, len(x), _AT_ONCE)]


def train(model: nn.Module, x: Tensor, loss_of: Callable[[Tensor, Tensor], Tensor], *, course: Course) -> None:
    """Train a network in place.

    Parameters
    ----------
    model : Module
        Left ready to be asked.
    x : Tensor, shape (n_beats, n_leads, n_samples)
        Standardised beats. Each time one is shown it is moved by up to 8 ms at 250 Hz, and has a little noise added.
    loss_of : callable
        From beats as shown and their rows in `x` to what shall become small.
    course : Course
        How.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=course.rate, weight_decay=course.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, course.rate, total_steps=course.steps, pct_start=0.1)
    order_seed = int(torch.randint(2**31, ()))
    model.train()
    for step in range(course.steps):
        drawn = batch_rows(step, n=len(x), batch=min(course.batch, len(x)), seed=order_seed)
        rows = torch.as_tensor(np.asarray(drawn), device=x.device)
        shift = int(torch.randint(-_SHIFT, _SHIFT + 1, ()))
        shown = torch.roll(x[rows], shift, dims=-1)
        loss = loss_of(shown + _NOISE * torch.randn_like(shown), rows)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    model.eval()
