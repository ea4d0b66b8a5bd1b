"""Pre-training, step by step: what is trained, one step of it, and its state as plain tensors."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from twelvelead.encode.config import EncoderConfig, Recipe
from twelvelead.encode.encoder import new_model
from twelvelead.encode.mask import draw_masks
from twelvelead.encode.monitor import Spread, measure_spread
from twelvelead.encode.objective import ema_update, latent_loss, make_teacher
from twelvelead.encode.schedule import learning_rate, teacher_momentum
from twelvelead.terms import InputError

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class Plan:
    """All that a training's result depends on, but for the recordings.

    Parameters
    ----------
    config : EncoderConfig
        Shape of the encoder.
    recipe : Recipe
        How it is trained.
    n_steps : int
        How often it is changed.
    seed : int
        Of the first weights, the masks, the branches left out and the order of recordings.
    precision : {"float32", "bfloat16"}
        Of products of matrices; weights and sums are float32 in both.
    """

    config: EncoderConfig
    recipe: Recipe
    n_steps: int
    seed: int
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        if self.n_steps < 1 or self.seed < 0:
            msg = f"steps must be 1 or more and the seed 0 or more; got {self.n_steps} and {self.seed}. Change that."
            raise InputError(msg)


class Objective(nn.Module):
    """What is trained, and the teacher, as one module that returns the loss."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.recipe = plan.recipe
        self.encoder, self.predictor = new_model(plan.config, seed=plan.seed, start=plan.recipe.start)
        self.teacher = make_teacher(self.encoder)

    def forward(self, x: Tensor, visible: Tensor, masked: Tensor) -> Tensor:
        """Return `latent_loss`."""
        return latent_loss(
            x, encoder=self.encoder, teacher=self.teacher, predictor=self.predictor, visible=visible, masked=masked,
            recipe=self.recipe,
        )  # fmt: skip


@dataclass
class Training:
    """A training under way.

    Parameters
    ----------
    plan : Plan
        What it depends on.
    objective : Objective
        The modules.
    loss : callable
        The same, or wrapped: compiled, or shared among processes.
    optimiser : Optimizer
        AdamW.
    device : torch.device
        Where all of it is.
    rank, n_ranks : int
        Which of how many processes this is; each has its part of every batch.
    step : int
        Steps done.
    """

    plan: Plan
    objective: Objective
    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    optimiser: torch.optim.Optimizer
    device: torch.device
    rank: int = 0
    n_ranks: int = 1
    step: int = 0


def start_training(
    plan: Plan, *, device: torch.device, rank: int = 0, n_ranks: int = 1, compiled: bool = False
) -> Training:
    """Begin a training.

    Parameters
    ----------
    plan : Plan
        What it depends on.
    device : torch.device
        Where to train.
    rank, n_ranks : int
        Which of how many processes this is. With several, torch.distributed must be initialised.
    compiled : bool
        Whether torch compiles the modules, once for each number of visible patches.

    Returns
    -------
    Training
        At step 0.

    Notes
    -----
    Weights of two and more dimensions decay, others do not.
    """
    objective = Objective(plan).to(device)
    trained = [p for p in objective.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": plan.recipe.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=plan.recipe.lr, betas=plan.recipe.betas, fused=True)
    loss: Callable[[Tensor, Tensor, Tensor], Tensor] = objective
    if n_ranks > 1:
        loss = DistributedDataParallel(objective)
    if compiled:
        loss = torch.compile(loss)
    return Training(plan, objective, loss, optimiser, device, rank, n_ranks)


def train_step(training: Training, x: Tensor) -> Tensor:
    """Change the encoder once.

    Parameters
    ----------
    training : Training
        Changed in place.
    x : Tensor, shape (batch, n_leads, n_samples)
        mV; this process's part of the batch.

    Returns
    -------
    Tensor, shape ()
        The loss before the change, of this process's part; still on the device, so that nobody waits for it.

    Notes
    -----
    What is random is drawn anew from the seed and the number of the step. So nothing but the step has to be kept for a
    training to go on as if it had never stopped, and the masks do not depend on how many processes share a batch.
    """
    plan, recipe = training.plan, training.plan.recipe
    visible, masked = _draw(training, len(x))
    for group in training.optimiser.param_groups:
        group["lr"] = learning_rate(training.step, n_steps=plan.n_steps, recipe=recipe)
    with _random(training, "branches", training.rank), _precision(training):
        loss = training.loss(x, visible, masked)
    loss.backward()  # type: ignore[no-untyped-call]
    if recipe.clip_norm is not None:
        nn.utils.clip_grad_norm_(training.objective.parameters(), recipe.clip_norm)
    training.optimiser.step()
    training.optimiser.zero_grad(set_to_none=True)
    momentum = teacher_momentum(training.step, n_steps=plan.n_steps, recipe=recipe)
    ema_update(training.objective.teacher, training.objective.encoder, momentum)
    training.step += 1
    return loss.detach()


@torch.no_grad()
def check_training(training: Training, batches: Iterable[Tensor]) -> tuple[float, Spread]:
    """Measure loss and spread on recordings that are not trained on.

    Parameters
    ----------
    training : Training
        Not changed.
    batches : iterable of Tensor, each of shape (batch, n_leads, n_samples)
        mV; two recordings or more together.

    Returns
    -------
    loss : float
        Mean over recordings. The masks are the same at all steps, so that losses of two steps can be compared.
    spread : Spread
        Of the embeddings of whole recordings.
    """
    objective, generator = training.objective, torch.Generator().manual_seed(_number(training.plan.seed, "check"))
    objective.encoder.eval()
    objective.predictor.eval()
    losses, sizes, embeddings = [], [], []
    try:
        with _precision(training):
            for x in batches:
                visible, masked = draw_masks(
                    training.plan.recipe, batch=len(x), n_patches=training.plan.config.n_patches, generator=generator
                )
                losses.append(objective(x, visible.to(x.device), masked.to(x.device)))
                sizes.append(len(x))
                embeddings.append(objective.encoder.represent(x))
    finally:
        objective.encoder.train()
        objective.predictor.train()
    weights = torch.tensor(sizes, dtype=torch.float64)
    loss = (torch.stack(losses).double().cpu() * weights).sum() / weights.sum()
    return float(loss), measure_spread(torch.cat(embeddings))


def snapshot(training: Training) -> dict[str, Tensor]:
    """Give the whole state as tensors by name, on the CPU: encoder, predictor, teacher, optimiser and step."""
    state = {f"model.{name}": tensor for name, tensor in training.objective.state_dict().items()}
    for number, kept in training.optimiser.state_dict()["state"].items():
        state |= {f"optimiser.{number}.{name}": tensor for name, tensor in kept.items()}
    state["step"] = torch.tensor(training.step)
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in state.items()}


def restore(training: Training, state: Mapping[str, Tensor]) -> None:
    """Go on from a snapshot of a training of the same plan.

    Parameters
    ----------
    training : Training
        Changed in place.
    state : mapping of str to Tensor
        What `snapshot` gave.

    Raises
    ------
    InputError
        If it is of another shape.
    """
    try:
        training.objective.load_state_dict(
            {name.removeprefix("model."): tensor for name, tensor in state.items() if name.startswith("model.")}
        )
        training.step = int(state["step"])
    except (RuntimeError, KeyError) as error:
        msg = f"a checkpoint must be of the shape that is trained; got {str(error).splitlines()[0]}. "
        msg += "Train in another folder."
        raise InputError(msg) from error
    kept: dict[int, dict[str, Tensor]] = {}
    for name, tensor in state.items():
        if name.startswith("optimiser."):
            _, number, what = name.split(".")
            kept.setdefault(int(number), {})[what] = tensor
    whole = training.optimiser.state_dict()
    training.optimiser.load_state_dict({**whole, "state": kept})


def _draw(training: Training, n: int) -> tuple[Tensor, Tensor]:
    """Draw the masks of a whole batch, and take this process's part of them."""
    recipe, whole = training.plan.recipe, n * training.n_ranks
    generator = torch.Generator().manual_seed(_number(training.plan.seed, "masks", training.step))
    drawn = draw_masks(recipe, batch=whole, n_patches=training.plan.config.n_patches, generator=generator)
    mine = slice(training.rank * n, (training.rank + 1) * n)
    visible, masked = (part.view(recipe.views, whole, -1)[:, mine].flatten(0, 1) for part in drawn)
    return visible.to(training.device, non_blocking=True), masked.to(training.device, non_blocking=True)


@contextmanager
def _random(training: Training, what: str, rank: int) -> Iterator[None]:
    """Let torch's own generator begin where the step says, and leave the caller's as it was."""
    device = training.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(_number(training.plan.seed, what, training.step, rank))
        yield


def _precision(training: Training) -> torch.autocast:
    wanted = training.plan.precision == "bfloat16"
    return torch.autocast(training.device.type, dtype=torch.bfloat16, enabled=wanted)


def _number(*parts: object) -> int:
    """Make a seed of its own for each purpose, step and process."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], "big") >> 1
