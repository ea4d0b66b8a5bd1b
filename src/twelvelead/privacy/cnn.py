"""The attacker who has learnt, by convolutions, a map of beats on which people lie apart. Needs the extra torch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from twelvelead.privacy.attacker import cosine, mean_of
from twelvelead.privacy.template import medians_of
from twelvelead.privacy.torch_training import Course, alone, parts_of, to_tensor, train
from twelvelead.privacy.units import Units

Floats = NDArray[np.float64]

COURSE = Course(steps=600, batch=64, rate=3e-3)
_SCALE, _MARGIN = 16.0, 0.2
_CHANNELS = (16, 32, 48)
_WIDTH = 64  # of the embedding


class BeatNet(nn.Module):
    """Three convolutions, each of which halves the rate, and a line to a unit vector; shape (n_beats, 64).

    Where in the beat something stands is kept: beats are aligned.
    """

    def __init__(self, n_leads: int, n_samples: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = (n_leads, *_CHANNELS)
        for before, after, kernel in zip(channels, _CHANNELS, (15, 9, 7), strict=False):
            layers += [
                nn.Conv1d(before, after, kernel, stride=2, padding=kernel // 2),
                nn.GroupNorm(4, after),
                nn.GELU(),
            ]
            n_samples = (n_samples + 1) // 2
        self.layers = nn.Sequential(
            *layers, nn.Flatten(), nn.Dropout(0.2), nn.Linear(_CHANNELS[-1] * n_samples, _WIDTH)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map beats, shape (n_beats, n_leads, n_samples)."""
        return F.normalize(self.layers(x), dim=1)


def attack(background: Units, gallery: Units, probe: Units, *, seed: int, device: str = "cpu") -> Floats:
    """Compare beats on a map learnt from the people of the background; see `Attack`.

    Parameters
    ----------
    background, gallery, probe, seed
        See `Attack`.
    device : str
        Where the network is: `cpu`, `cuda`, …

    Returns
    -------
    ndarray, shape (n_probe_groups, n_gallery_subjects)
        Cosine between the middles of the unit vectors of each recording.

    Notes
    -----
    The network learns to name the people of the background: cross-entropy of 16 times the cosine to one vector for each
    of them, less 0.2 for the right one [1]_. The names are then forgotten.

    References
    ----------
    .. [1] Wang H, et al. CosFace: large margin cosine loss for deep face recognition. doi:10.48550/arXiv.1801.09414
    """
    net = fit(background, seed=seed, device=device, course=COURSE)
    return compare_on_map(net, gallery, probe, device=device)


def compare_on_map(net: BeatNet, gallery: Units, probe: Units, *, device: str) -> Floats:
    """Return the scores of a network that is trained already; see `attack`."""
    shown = [embed(net, units.x, device=device) for units in (gallery, probe)]
    pairs, of_pair = np.unique(np.stack([gallery.subject, gallery.group]), axis=1, return_inverse=True)
    _, of_probe = np.unique(probe.group, return_inverse=True)
    return cosine(medians_of(shown[1], of_probe), mean_of(medians_of(shown[0], of_pair.ravel()), pairs[0]))


def fit(background: Units, *, seed: int, device: str, course: Course) -> BeatNet:
    """Train the network to tell the people of the background apart; see `attack`."""
    people, name = np.unique(background.subject, return_inverse=True)
    with alone(seed=seed, device=device):
        net = BeatNet(*background.x.shape[1:]).to(device)
        centres = nn.Linear(_WIDTH, len(people), bias=False).to(device)
        names = torch.from_numpy(name).to(device)

        def loss_of(shown: Tensor, rows: Tensor) -> Tensor:
            angles = F.linear(net(shown), F.normalize(centres.weight, dim=1))
            less = _MARGIN * F.one_hot(names[rows], len(people))
            return F.cross_entropy(_SCALE * (angles - less), names[rows])

        train(nn.ModuleList([net, centres]), to_tensor(background.x, device=device), loss_of, course=course)
    return net


def embed(net: BeatNet, beats: NDArray[np.float32], *, device: str) -> Floats:
    """Return the unit vector of each beat; shape (n_beats, 64)."""
    x = to_tensor(beats, device=device)
    with alone(seed=0, device=device), torch.inference_mode():
        parts = [net(part) for part in parts_of(x)]
    vectors: Floats = torch.cat(parts).cpu().numpy().astype(float)
    return vectors
