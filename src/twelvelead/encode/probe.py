"""What can be read off embeddings: a linear model on frozen ones, or the encoder trained on along with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits
from torch import nn
from torch.nn import functional as F

from twelvelead.encode.embed import Embedder
from twelvelead.terms import StudyError

Floats = NDArray[np.float64]
Kind = Literal["event", "number"]

PENALTIES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
"""Per recording, on standardised columns: the same penalty means the same whatever the number of recordings."""

INNER_FOLDS = 3


@dataclass(frozen=True)
class Linear:
    """A linear model of embeddings.

    Parameters
    ----------
    centre, scale, weights : ndarray of shape (width,)
        Of the standardised columns.
    bias : float
        Added.
    penalty : float
        The one of `PENALTIES` that was chosen.
    """

    centre: Floats
    scale: Floats
    weights: Floats
    bias: float
    penalty: float

    def predict(self, x: NDArray[np.floating]) -> Floats:
        """Give the number, or the log-odds of the event, of each embedding; shape (n_recordings,)."""
        out: Floats = ((x - self.centre) / self.scale) @ self.weights + self.bias
        return out


def fit_linear(x: NDArray[np.floating], y: ArrayLike, *, patients: ArrayLike, kind: Kind, seed: int) -> Linear:
    """Fit ridge regression, or logistic regression with that penalty, to frozen embeddings.

    Parameters
    ----------
    x : ndarray, shape (n_recordings, width)
        Embeddings.
    y : array of shape (n_recordings,)
        Numbers; or events, 1 or 0.
    patients : array of shape (n_recordings,)
        Whose recordings they are.
    kind : {"event", "number"}
        What `y` is.
    seed : int
        Of the inner folds.

    Returns
    -------
    Linear
        With the penalty that does best where whole patients are left out of the recordings given here, and no others.

    Raises
    ------
    StudyError
        If there are fewer than two patients, or fewer than two with or without the event.

    Examples
    --------
    The second column is twice the first number, and that is found.

    >>> y = np.arange(20.0)
    >>> x = np.stack([np.zeros(20), 2 * y], axis=1)
    >>> model = fit_linear(x, y, patients=np.arange(20), kind="number", seed=0)
    >>> model.predict(np.array([[0.0, 10.0]])).round(1).tolist()
    [5.0]
    """
    y, patients = np.asarray(y, dtype=np.float64), np.asarray(patients)
    _require_enough(y, patients, kind)
    parts = list(_inner_folds(y, patients, kind=kind, seed=seed))
    best, least = PENALTIES[-1], np.inf
    with threadpool_limits(1):  # of so small products several threads only wait for one another
        for penalty in PENALTIES:
            loss = 0.0
            for held in parts:
                model = _fit(x[~held], y[~held], kind=kind, penalty=penalty)
                loss += float(_losses(y[held], model.predict(x[held]), kind).sum())
            if loss < least:
                best, least = penalty, loss
        return _fit(x, y, kind=kind, penalty=best)


def draw_patients(patients: ArrayLike, *, share: float, seed: int) -> NDArray[np.bool_]:
    """Draw a share of the patients, and take all their recordings.

    Parameters
    ----------
    patients : array of shape (n_recordings,)
        Whose recordings they are.
    share : float
        In (0, 1]; at least one patient is drawn.
    seed : int
        Seed.

    Returns
    -------
    ndarray of bool, shape (n_recordings,)

    Examples
    --------
    >>> int(draw_patients(np.arange(200), share=0.1, seed=0).sum())
    20
    """
    patients = np.asarray(patients)
    each = np.unique(patients)
    n = max(1, round(share * len(each)))
    return np.isin(patients, np.random.default_rng(seed).choice(each, n, replace=False))


@dataclass(frozen=True)
class FineTuning:
    """How an encoder is trained on along with a head. Fixed beforehand: nothing is chosen by the held-out recordings.

    Parameters
    ----------
    epochs, batch : int
        Passes over the recordings; recordings per step.
    lr, head_lr : float
        Highest learning rates of the encoder and of the head; both fall to 0 by a cosine.
    weight_decay : float
        AdamW's.
    """

    epochs: int = 10
    batch: int = 16
    lr: float = 1e-4
    head_lr: float = 1e-3
    weight_decay: float = 0.05


def fine_tune(
    embedder: Embedder,
    x: NDArray[np.float32],
    y: Floats,
    *,
    test: NDArray[np.float32],
    kind: Kind,
    choices: FineTuning,
    seed: int,
) -> Floats:
    """Train an encoder and a linear head on it, and predict other recordings by what stands at the last step.

    Parameters
    ----------
    embedder : Embedder
        The encoder; it is changed.
    x : ndarray of float32, shape (n_recordings, n_leads, n_samples)
        Its input, normalised.
    y : ndarray, shape (n_recordings, n_tasks)
        Numbers or events, all of one kind; NaN where unknown, which is left out of the loss.
    test : ndarray of float32, shape (n_others, n_leads, n_samples)
        What is to be predicted.
    kind : {"event", "number"}
        What `y` is.
    choices : FineTuning
        How.
    seed : int
        Of the order, the head and the branches left out.

    Returns
    -------
    ndarray of shape (n_others, n_tasks)
        Numbers, or log-odds.
    """
    known = ~np.isnan(y)
    centre, scale = (np.nanmean(y, axis=0), np.nanstd(y, axis=0) + 1e-12) if kind == "number" else (0.0, 1.0)
    targets = torch.from_numpy(np.where(known, (y - centre) / scale, 0.0).astype(np.float32))
    weights, inputs = torch.from_numpy(known.astype(np.float32)), torch.from_numpy(x)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Linear(embedder.width, y.shape[1])
        module = embedder.module.train()
        trained = [p for name, p in module.named_parameters() if name != "pos_embed"]
        for parameter in trained:
            parameter.requires_grad_()
        groups = [{"params": trained, "lr": choices.lr}, {"params": list(head.parameters()), "lr": choices.head_lr}]
        optimiser = torch.optim.AdamW(groups, weight_decay=choices.weight_decay)
        n_steps = choices.epochs * -(-len(x) // choices.batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n_steps)
        for _ in range(choices.epochs):
            for rows in torch.split(torch.randperm(len(x)), choices.batch):
                out = head(module.represent(inputs[rows]))  # type: ignore[operator]
                loss = _torch_losses(out, targets[rows], kind)
                torch.autograd.backward((loss * weights[rows]).sum() / weights[rows].sum().clamp(min=1))
                optimiser.step()
                optimiser.zero_grad()
                schedule.step()
    module.eval()
    with torch.inference_mode():
        each = [head(module.represent(torch.from_numpy(one[None])))[0] for one in test]  # type: ignore[operator]
    return np.stack([one.numpy() for one in each]).astype(np.float64) * scale + centre


def _torch_losses(out: torch.Tensor, targets: torch.Tensor, kind: Kind) -> torch.Tensor:
    if kind == "event":
        return F.binary_cross_entropy_with_logits(out, targets, reduction="none")
    return F.smooth_l1_loss(out, targets, reduction="none")


def _require_enough(y: Floats, patients: NDArray[np.generic], kind: Kind) -> None:
    sides = [y == 1, y == 0] if kind == "event" else [np.ones(len(y), dtype=bool)]
    least = min(len(np.unique(patients[side])) for side in sides)
    if least < 2:
        who = "with, and without, the event" if kind == "event" else "to learn from"
        msg = f"a probe needs two patients or more {who}; got {least}. Draw more."
        raise StudyError(msg)


def _inner_folds(y: Floats, patients: NDArray[np.generic], *, kind: Kind, seed: int) -> Iterator[NDArray[np.bool_]]:
    """Say which recordings each inner fold holds out: whole patients, those with the event dealt out evenly."""
    each, place = np.unique(patients, return_inverse=True)
    has = np.bincount(place, weights=y > 0.5) > 0 if kind == "event" else np.zeros(len(each), dtype=bool)
    order = np.random.default_rng(seed).permutation(len(each))
    order = order[np.argsort(has[order], kind="stable")]
    n_folds = min(INNER_FOLDS, len(each), *([int(has.sum()), int((~has).sum())] if kind == "event" else []))
    fold = np.empty(len(each), dtype=int)
    fold[order] = np.arange(len(each)) % max(n_folds, 2)
    for number in range(max(n_folds, 2)):
        yield fold[place] == number


def _fit(x: NDArray[np.floating], y: Floats, *, kind: Kind, penalty: float) -> Linear:
    centre, scale = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    scale = np.where(scale > 0, scale, 1.0)
    z = (x - centre) / scale
    if kind == "number":
        ridge = Ridge(alpha=penalty * len(y)).fit(z, y)
        return Linear(centre, scale, ridge.coef_, float(ridge.intercept_), penalty)
    if y.min() == y.max():  # of an inner fold: all or none have the event
        return Linear(centre, scale, np.zeros(x.shape[1]), float(np.where(y[0] > 0.5, 5.0, -5.0)), penalty)
    logistic = LogisticRegression(C=1 / (penalty * len(y)), solver="newton-cholesky", max_iter=200).fit(z, y)
    return Linear(centre, scale, logistic.coef_[0], float(logistic.intercept_[0]), penalty)


def _losses(y: Floats, predicted: Floats, kind: Kind) -> Floats:
    """Squared error; or minus the log-likelihood of events from log-odds."""
    if kind == "number":
        out: Floats = (y - predicted) ** 2
        return out
    return np.logaddexp(0.0, predicted) - y * predicted
