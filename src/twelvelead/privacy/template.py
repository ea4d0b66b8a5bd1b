"""The attacker who has learnt nothing: the median beat of each person, laid over that of whoever is looked for."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.attacker import Attacker, cosine, mean_of
from twelvelead.privacy.units import Units

Floats = NDArray[np.float64]


def attack(background: Units, gallery: Units, probe: Units, *, seed: int) -> Floats:
    """Correlate median beats; see `Attack`.

    Each lead of each beat is first brought to mean 0 and standard deviation 1, so that gain and level play no part. A
    person's template is the mean of the medians of the recordings, however many beats each has.
    """
    return cosine(templates(probe, probe.group), templates(gallery, gallery.subject))


def templates(units: Units, label: NDArray[np.intp]) -> Floats:
    """Return the standardised beat of each label, leads one after the other; shape (n_labels, n)."""
    beats = standardise(units.x).reshape(len(units), -1)
    pairs, of_pair = np.unique(np.stack([label, units.group]), axis=1, return_inverse=True)
    return mean_of(medians_of(beats, of_pair.ravel()), pairs[0])


def medians_of(values: Floats, place: NDArray[np.intp]) -> Floats:
    """Return the median of the rows of each place, from 0, none of them empty.

    Examples
    --------
    >>> medians_of(np.array([[1.0], [2.0], [9.0], [4.0]]), np.array([0, 0, 0, 1])).ravel().tolist()
    [2.0, 4.0]
    """
    by_place = np.argsort(place, kind="stable")
    parts = np.split(values[by_place], np.cumsum(np.bincount(place))[:-1])
    return np.stack([np.median(part, axis=0) for part in parts])


def standardise(beats: NDArray[np.float32]) -> Floats:
    """Bring each lead of each beat to mean 0 and standard deviation 1; a level one becomes 0.

    Examples
    --------
    >>> standardise(np.array([[[1.0, 3.0], [2.0, 2.0]]], dtype=np.float32)).tolist()
    [[[-1.0, 1.0], [0.0, 0.0]]]
    """
    centred = beats - beats.mean(axis=-1, keepdims=True, dtype=float)
    spread = centred.std(axis=-1, keepdims=True)
    out: Floats = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-9)
    return out


TEMPLATE = Attacker("template", "Median beat, no training", "beats", "nothing", attack)
