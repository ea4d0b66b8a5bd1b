"""A transformer over single beats that is asked who, which sex and what age, and where it looks. Needs the extra torch.

After TransECG, doi:10.48550/arXiv.2503.13495, of which only the abstract could be had: sizes, patches, age classes and
training are ours, and so is every split but the one that leaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from twelvelead.encode.vit import BeatConfig, BeatTransformer, gradient_rollout, rollout
from twelvelead.privacy.attacker import mean_of
from twelvelead.privacy.torch_training import Course, alone, parts_of, to_tensor, train
from twelvelead.privacy.units import UNKNOWN, Places, Units
from twelvelead.terms import InputError

Floats = NDArray[np.float64]

COURSE = Course(steps=1500, batch=64, rate=5e-3)
IDENTITY, SEX, AGE = "identity", "sex", "age"
AGE_CUTS_YEARS = (25.0, 40.0)
"""Where one class of age ends and the next begins; ours, as the paper's could not be had."""
ATTENTION = ("class token, last block", "rollout", "gradient rollout")
"""What `look` returns, in this order."""

_PATCHES = (7, 8, 6, 5, 10, 4, 1)
_WIDTH, _DEPTH, _HEADS = 32, 2, 4


@dataclass(frozen=True, eq=False)
class BeatReader:
    """A trained transformer.

    Parameters
    ----------
    model : BeatTransformer
        With one head for each question.
    people : ndarray of int, shape (n_people,)
        Places in `subject_ids` that the outputs of the head `identity` stand for, ascending; empty without that head.
    device : str
        Where it is.
    """

    model: BeatTransformer
    people: Places
    device: str

    @property
    def patch(self) -> int:
        """Samples per patch."""
        return self.model.config.patch

    def answer(self, beats: NDArray[np.float32], head: str) -> Floats:
        """Return the log-probability of each class for each beat; shape (n_beats, n_classes)."""
        x = to_tensor(beats, device=self.device)
        with alone(seed=0, device=self.device), torch.inference_mode():
            parts = [F.log_softmax(self.model(part)[head], dim=1) for part in parts_of(x)]
        log_p: Floats = torch.cat(parts).cpu().numpy().astype(float)
        return log_p

    def name(self, probe: Units) -> Floats:
        """Return the mean log-probability of each person for each group; shape (n_groups, n_people)."""
        return mean_of(self.answer(probe.x, IDENTITY), probe.group)


def attack(background: Units, gallery: Units, probe: Units, *, seed: int, device: str = "cpu") -> Floats:
    """Name the person of each beat by a transformer trained on the gallery; see `Attack`.

    Parameters
    ----------
    background, gallery, probe, seed
        See `Attack`. Of the background it makes no use: whoever is to be named must have been learnt.
    device : str
        Where the transformer is: `cpu`, `cuda`, …

    Returns
    -------
    ndarray, shape (n_probe_groups, n_gallery_subjects)
        Mean log-probability over the beats.
    """
    return fit(gallery, {IDENTITY: gallery.subject}, seed=seed, course=COURSE, device=device).name(probe)


def fit(units: Units, asked: Mapping[str, Places], *, seed: int, course: Course, device: str = "cpu") -> BeatReader:
    """Train a transformer, all heads together.

    Parameters
    ----------
    units : Units
        Beats to learn from.
    asked : mapping of str to ndarray of int, shape (n_beats,)
        The right class of each beat for each head; -1 where unknown. For `identity`, `units.subject` or whatever is to
        be learnt instead; for the others classes from 0.
    seed : int
        Of the weights, and the order of the beats.
    device : str
        Where it is trained.
    course : Course
        How long; of 0 steps the weights are as drawn.

    Returns
    -------
    BeatReader

    Raises
    ------
    InputError
        If the units are not beats.
    """
    if units.view != "beats":
        msg = f"the transformer must be shown beats; got {units.view}. Make those units."
        raise InputError(msg)
    people = np.unique(asked[IDENTITY]) if IDENTITY in asked else np.empty(0, dtype=np.intp)
    classes = {head: np.searchsorted(people, y) if head == IDENTITY else y for head, y in asked.items()}
    n_classes = {head: max(int(y.max()) + 1, 2) for head, y in classes.items()}
    with alone(seed=seed, device=device):
        model = BeatTransformer(shape_for(*units.x.shape[1:]), n_classes).to(device).eval()
        right = {head: torch.from_numpy(np.asarray(y, dtype=np.int64)).to(device) for head, y in classes.items()}

        def loss_of(shown: Tensor, rows: Tensor) -> Tensor:
            answers = model(shown)
            return torch.stack([_surprise(answers[head], y[rows]) for head, y in right.items()]).sum()

        if course.steps:
            train(model, to_tensor(units.x, device=device), loss_of, course=course)
    return BeatReader(model, people, device)


def look(reader: BeatReader, beats: NDArray[np.float32], *, head: str, wanted: Places) -> tuple[Floats, ...]:
    """Say how much each patch of each beat is attended to.

    Parameters
    ----------
    reader : BeatReader
        Trained or not.
    beats : ndarray, shape (n_beats, n_leads, n_samples)
        mV.
    head : str
        The question that the gradients are of; the first two of `ATTENTION` are the same for all heads.
    wanted : ndarray of int, shape (n_beats,)
        The class whose log-odds the gradients are of.

    Returns
    -------
    tuple of ndarray, shape (n_beats, n_patches)
        As `ATTENTION` names them; 0 or more. By themselves they say nothing of what is made use of: see `Attention`.
    """
    x, right = to_tensor(beats, device=reader.device), torch.from_numpy(np.asarray(wanted, dtype=np.int64))
    parts: list[tuple[Tensor, ...]] = []
    with alone(seed=0, device=reader.device):
        for part, y in zip(parts_of(x), parts_of(right.to(reader.device)), strict=True):
            answers, attention = reader.model.attend(part)
            raised = answers[head].gather(1, y[:, None]).sum()
            gradients = torch.autograd.grad(raised, attention)
            kept = [weights.detach() for weights in attention]
            last = kept[-1].mean(dim=1)
            parts.append((last[:, 0, 1:], rollout(kept)[:, 0, 1:], gradient_rollout(kept, gradients)[:, 0, 1:]))
    return tuple(torch.cat(kind).cpu().numpy().astype(float) for kind in zip(*parts, strict=True))


def shape_for(n_leads: int, n_samples: int) -> BeatConfig:
    """Return the shape for beats of a length: patches of about 30 ms at 250 Hz, a whole number of them.

    Examples
    --------
    >>> shape_for(1, 175).patch, shape_for(1, 128).patch
    (7, 8)
    """
    patch = next(n for n in _PATCHES if n_samples % n == 0)
    return BeatConfig(n_leads, n_samples, patch, width=_WIDTH, depth=_DEPTH, heads=_HEADS)


def age_class(age_years: Floats) -> Places:
    """Return the class of each age, from 0; -1 where unknown.

    Examples
    --------
    >>> age_class(np.array([24.9, 25.0, 70.0, np.nan])).tolist()
    [0, 1, 2, -1]
    """
    return np.where(np.isnan(age_years), UNKNOWN, np.searchsorted(AGE_CUTS_YEARS, age_years, side="right"))


def _surprise(answers: Tensor, right: Tensor) -> Tensor:
    """Give the mean cross-entropy of those whose class is known; 0 where there are none."""
    known = right != UNKNOWN
    total = F.cross_entropy(answers, right, ignore_index=UNKNOWN, reduction="sum")
    return total / known.sum().clamp(min=1)
