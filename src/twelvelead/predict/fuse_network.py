"""The network of ECG-DiaNet: a branch per block of predictors, joined in the middle.

Trained with PyTorch (extra `torch`); what it has learnt is a set of arrays, and predicting needs numpy alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelead.predict.calibrate import Calibrator, calibrate
from twelvelead.predict.penalised import moments, standardise
from twelvelead.terms import MissingExtra

Floats = NDArray[np.float64]
Weights = dict[str, NDArray[np.float32]]

BRANCHES = ((32, 16), (16, 16))
"""Widths of the layers of the ECG's branch and of the clinical one; ours, since the paper's can't be had."""

WIDE = 10
"""Blocks of more columns than that get the first of `BRANCHES`."""


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Parameters
    ----------
    joined : int
        Width of the layer after the branches are joined.
    dropout : float
        Share of a layer's outputs that are dropped at a time.
    block_dropout : float
        Share of patients in a batch whose block is dropped, for each of the blocks if there are two; never both.
    learning_rate, weight_decay : float
        Of AdamW.
    batch, epochs, patience : int
        Patients a step; most passes; passes without a better loss on the fold left out after which it stops.
    """

    joined: int = 16
    dropout: float = 0.2
    block_dropout: float = 0.15
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    batch: int = 128
    epochs: int = 200
    patience: int = 20


@dataclass(frozen=True, eq=False)
class Network:
    """A few trained networks whose log-odds are averaged, and the curve that makes a risk of them.

    Parameters
    ----------
    centre, scale : tuple of ndarray
        Of each block: mean and standard deviation of its columns; a missing cell counts as the mean.
    members : tuple of dict of str to ndarray
        Weights of each member: `branch_0_0.weight`, `branch_0_0.bias`, …, `joined`, `out`.
    calibrators : dict of tuple of bool to Calibrator
        From the mean log-odds to the risk, for each set of blocks that may be there.
    """

    centre: tuple[Floats, ...]
    scale: tuple[Floats, ...]
    members: tuple[Weights, ...]
    calibrators: dict[tuple[bool, ...], Calibrator]

    def margin(self, blocks: Sequence[Floats]) -> Floats:
        """Return the log-odds of the risk, shape (n_recordings,).

        Parameters
        ----------
        blocks : sequence of ndarray of shape (n_recordings, n_columns)
            NaN where missing; a block that is missing altogether is left out of the sum that joins the branches.
        """
        held = [standardise(b, c, s) for b, c, s in zip(blocks, self.centre, self.scale, strict=True)]
        there = _there(blocks)
        mean: Floats = np.mean([_forward(weights, held, there) for weights in self.members], axis=0)
        for present, curve in self.calibrators.items():
            rows = (there == present).all(axis=1)
            mean[rows] = curve.intercept + curve.slope * mean[rows]
        return mean


def fit_network(
    blocks: Sequence[Floats], y: NDArray[np.int8], *, folds: NDArray[np.int32], seed: int, plan: Training
) -> Network:
    """Train one network per fold, each stopped by the fold that it leaves out.

    Parameters
    ----------
    blocks : sequence of ndarray of shape (n_recordings, n_columns)
        NaN where missing.
    y : ndarray of shape (n_recordings,)
        1 event, 0 none.
    folds : ndarray of int, shape (n_recordings,)
        Fold of each recording's patient.
    seed : int
        Of the weights, batches and dropping; one thread, so that the same seed gives the same network.
    plan : Training
        How.

    Returns
    -------
    Network

    Raises
    ------
    MissingExtra
        If torch is not installed.

    Notes
    -----
    Each branch has two layers, the joined branches one more; rectified, with dropout. Every pass ends with the loss on
    the fold left out, whose best weights are kept. The curve is fitted on log-odds of the folds left out; that they
    also said when to stop makes it surer by little. Each set of blocks has its own curve, fitted with the others taken
    away: a branch that is left out would move the log-odds of everybody.
    """
    torch = _torch()
    centre, scale = zip(*(moments(block) for block in blocks), strict=True)
    held = [standardise(b, c, s) for b, c, s in zip(blocks, centre, scale, strict=True)]
    there = _there(blocks)
    members, left_out = [], {p: np.zeros(len(y)) for p in _sets(len(blocks))}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for fold in np.unique(folds):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(int(np.random.SeedSequence((seed, int(fold))).generate_state(1)[0]))
                members.append(_train((held, there, y), folds == fold, plan))
            outside = folds == fold
            for present, margin in left_out.items():
                margin[outside] = _forward(members[-1], [h[outside] for h in held], there[outside] & present)
    finally:
        torch.set_num_threads(threads)
    curves = {}
    for present, margin in left_out.items():
        rows = there[:, list(present)].all(axis=1)
        if len(np.unique(y[rows])) == 2:
            curves[present] = calibrate(margin[rows], y[rows], method="logistic").rounded()
    return Network(centre, scale, tuple(members), curves)


def _torch() -> Any:  # noqa: ANN401 (a module)
    try:
        import torch
    except ImportError as error:
        msg = "a network needs PyTorch, which is not installed. Install it: pip install 'twelvelead[torch]'"
        raise MissingExtra(msg) from error
    return torch


def _train(
    data: tuple[list[Floats], NDArray[np.bool_], NDArray[np.int8]], left_out: NDArray[np.bool_], plan: Training
) -> Weights:
    """Train one member; return its weights where the loss on the fold left out was least."""
    torch = _torch()
    held, there, y = data
    tensors = [torch.tensor(h[~left_out], dtype=torch.float32) for h in held]
    outcome, present = torch.tensor(y[~left_out], dtype=torch.float32), torch.tensor(there[~left_out])
    layers = _layers([h.shape[1] for h in held], plan)
    optimiser = torch.optim.AdamW(layers.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    best, kept, waited = np.inf, _weights(layers), 0
    outside = [h[left_out] for h in held], there[left_out], y[left_out]
    for _ in range(plan.epochs):
        for rows in torch.randperm(len(outcome)).split(plan.batch):
            dropped = _drop_blocks(present[rows], plan.block_dropout)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                _run(layers, [t[rows] for t in tensors], dropped, dropout=plan.dropout), outcome[rows]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        weights = _weights(layers)
        loss_outside = _log_loss(_forward(weights, *outside[:2]), outside[2])
        if loss_outside < best - 1e-6:
            best, kept, waited = loss_outside, weights, 0
        else:
            waited += 1
        if waited > plan.patience:
            break
    return kept


def _layers(widths: list[int], plan: Training) -> Any:  # noqa: ANN401 (a module)
    torch = _torch()
    layers, ends = {}, 0
    for i, width in enumerate(widths):
        first, second = BRANCHES[0 if width > WIDE else 1]
        layers[f"branch_{i}_0"] = torch.nn.Linear(width, first)
        layers[f"branch_{i}_1"] = torch.nn.Linear(first, second)
        ends += second
    layers["joined"] = torch.nn.Linear(ends, plan.joined)
    layers["out"] = torch.nn.Linear(plan.joined, 1)
    return torch.nn.ModuleDict(layers)


def _run(layers: Any, blocks: list[Any], there: Any, *, dropout: float) -> Any:  # noqa: ANN401 (tensors)
    """Return the log-odds while training, shape (n_recordings,)."""
    torch = _torch()
    branches = []
    for i, x in enumerate(blocks):
        for j in (0, 1):
            x = torch.nn.functional.dropout(torch.relu(layers[f"branch_{i}_{j}"](x)), dropout)  # noqa: PLW2901
        branches.append(x * there[:, i : i + 1])
    joined = torch.nn.functional.dropout(torch.relu(layers["joined"](torch.cat(branches, dim=1))), dropout)
    return layers["out"](joined)[:, 0]


def _drop_blocks(there: Any, share: float) -> Any:  # noqa: ANN401 (tensors)
    """Take a block away from some patients who have another one as well."""
    torch = _torch()
    if there.shape[1] != 2 or not share:
        return there
    chance = torch.rand(len(there))
    both = there.all(dim=1)
    dropped = there.clone()
    dropped[:, 0] &= ~(both & (chance < share))
    dropped[:, 1] &= ~(both & (chance > 1 - share))
    return dropped


def _weights(layers: Any) -> Weights:  # noqa: ANN401 (a module)
    return {name: value.detach().numpy().copy() for name, value in layers.state_dict().items()}


def _forward(weights: Weights, blocks: Sequence[Floats], there: NDArray[np.bool_]) -> Floats:
    """Return the log-odds without dropout, shape (n_recordings,)."""
    branches = []
    for i, block in enumerate(blocks):
        inner = _layer(weights, f"branch_{i}_1", _layer(weights, f"branch_{i}_0", block))
        branches.append(inner * there[:, i : i + 1])
    joined = _layer(weights, "joined", np.concatenate(branches, axis=1))
    out: Floats = joined @ weights["out.weight"][0].astype(float) + float(weights["out.bias"][0])
    return out


def _layer(weights: Weights, name: str, x: Floats) -> Floats:
    out: Floats = np.maximum(x @ weights[f"{name}.weight"].T.astype(float) + weights[f"{name}.bias"], 0.0)
    return out


def _log_loss(margin: Floats, y: NDArray[np.int8]) -> float:
    return float(np.mean(np.logaddexp(0.0, margin) - y * margin))


def _sets(n_blocks: int) -> list[tuple[bool, ...]]:
    """List every set of blocks, one block or more, by which of them are there."""
    return [present for present in product((False, True), repeat=n_blocks) if any(present)]


def _there(blocks: Sequence[Floats]) -> NDArray[np.bool_]:
    return np.array([np.isfinite(block).any(axis=1) for block in blocks]).T
