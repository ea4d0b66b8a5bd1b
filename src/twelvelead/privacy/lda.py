"""The attacker who has learnt, from other people, which differences tell people apart."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from twelvelead.privacy.attacker import Attacker, cosine, mean_of
from twelvelead.privacy.template import medians_of, standardise
from twelvelead.privacy.units import Units

Floats = NDArray[np.float64]

N_COMPONENTS = 60
"""Principal components that are kept before people are told apart: those of a beat of one lead, and more, hold 99 %."""
_BEATS_TOGETHER = 4
_SMALLEST_SHARE = 1e-9  # of the largest variance: less is rounding
_MOST_SPREADS = 10.0  # from the middle, beyond which a measurement is cut off
_LEAST_KNOWN = 0.5  # share of rows that must have a measurement


def attack_beats(background: Units, gallery: Units, probe: Units, *, seed: int) -> Floats:
    """Compare beats in the directions in which people of the background differ; see `Attack`."""
    learnt = average(background, _BEATS_TOGETHER)
    see = fit_directions(standardise(learnt.x).reshape(len(learnt), -1), learnt.subject)
    shown = (see(standardise(units.x).reshape(len(units), -1)) for units in (gallery, probe))
    return _compare(gallery, probe, *shown)


def attack_features(background: Units, gallery: Units, probe: Units, *, seed: int) -> Floats:
    """Compare measurements in the directions in which people of the background differ; see `Attack`."""
    scale = fit_scale(background.x)
    see = fit_directions(scale(background.x), background.subject)
    return _compare(gallery, probe, see(scale(gallery.x)), see(scale(probe.x)))


def _compare(gallery: Units, probe: Units, known: Floats, looked_for: Floats) -> Floats:
    """Take the cosine between the middles of each recording's units, a person's recordings counting equally."""
    pairs, of_pair = np.unique(np.stack([gallery.subject, gallery.group]), axis=1, return_inverse=True)
    _, of_probe = np.unique(probe.group, return_inverse=True)
    return cosine(medians_of(looked_for, of_probe), mean_of(medians_of(known, of_pair.ravel()), pairs[0]))


def average(units: Units, n: int) -> Units:
    """Put `n` successive units of a recording together as their mean, so that noise counts for less in what is learnt.

    What is left over joins the others; a recording of fewer gives one.
    """
    parts = [
        part
        for recording in np.unique(units.recording)
        for own in [np.flatnonzero(units.recording == recording)]
        for part in np.array_split(own, max(1, len(own) // n))
    ]
    means = np.stack([units.x[part].mean(axis=0) for part in parts])
    return replace(units.take(np.array([part[0] for part in parts])), x=means)


@dataclass(frozen=True, eq=False)
class Directions:
    """What `fit_directions` has learnt: subtract `middle`, then multiply by `axes`, shape (n, n_directions)."""

    middle: Floats
    axes: Floats

    def __call__(self, x: Floats) -> Floats:
        """Return units as the directions show them; shape (n_units, n_directions)."""
        shown: Floats = (x - self.middle) @ self.axes
        return shown


def fit_directions(x: Floats, person: NDArray[np.intp]) -> Directions:
    """Learn the directions in which the means of people differ most, for what the units of one person differ.

    Parameters
    ----------
    x : ndarray, shape (n_units, n)
        Without gaps.
    person : ndarray of int, shape (n_units,)
        Whose they are; two people or more.

    Returns
    -------
    Directions
        One fewer than there are people, or as many as there are components; none that tells anything, where all units
        are the same.

    Notes
    -----
    Principal components, then linear discriminant analysis. The covariance within people is that of all units about
    the mean of their person, shrunk by Ledoit and Wolf's rule [1]_, as beats of one person are more alike than many.

    References
    ----------
    .. [1] Ledoit O, Wolf M. A well-conditioned estimator for large-dimensional covariance matrices.
       doi:10.1016/S0047-259X(03)00096-4
    """
    from sklearn.covariance import ledoit_wolf

    middle = x.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(x.T).reshape(x.shape[1], -1))
    kept = np.flatnonzero(values > values[-1] * _SMALLEST_SHARE)[-N_COMPONENTS:]
    if not kept.size:  # all units are the same: nothing tells anybody from anybody
        return Directions(middle, np.zeros((x.shape[1], 1)))
    components = (x - middle) @ vectors[:, kept]
    means = mean_of(components, person)
    _, place = np.unique(person, return_inverse=True)
    within = ledoit_wolf(components - means[place], assume_centered=True)[0]
    between = np.cov(means.T).reshape(len(kept), -1)
    # Where one person's units do not differ at all, all directions of the means are as good as each other.
    least = max(np.trace(within), np.trace(between) * _SMALLEST_SHARE) * _SMALLEST_SHARE
    _, found = linalg.eigh(between, within + np.eye(len(kept)) * least)
    return Directions(middle, vectors[:, kept] @ found[:, ::-1][:, : len(means) - 1])


@dataclass(frozen=True, eq=False)
class Scale:
    """What `fit_scale` has learnt: the measurements kept, and the middle and spread of each."""

    kept: NDArray[np.intp]
    middle: Floats
    spread: Floats

    def __call__(self, x: NDArray[np.float32]) -> Floats:
        """Return the kept measurements in spreads from the middle, cut off at ±10; 0 where there is none."""
        scaled = (x[:, self.kept].astype(float) - self.middle) / self.spread
        return np.nan_to_num(np.clip(scaled, -_MOST_SPREADS, _MOST_SPREADS))


def fit_scale(x: NDArray[np.float32]) -> Scale:
    """Learn which measurements vary, and how far.

    Parameters
    ----------
    x : ndarray, shape (n_rows, n_measurements)
        NaN where there is none.

    Returns
    -------
    Scale
        Of the measurements that half of the rows have, and that are not the same in nearly all of them. The middle is
        the median, the spread the standard deviation of what lies within the outer 1 %.
    """
    known = np.isfinite(x).mean(axis=0) >= _LEAST_KNOWN
    at = np.flatnonzero(known)
    values = x[:, at].astype(float)
    middle = np.nanmedian(values, axis=0)
    low, high = np.nanquantile(values, [0.01, 0.99], axis=0)
    spread = np.nanstd(np.clip(values, low, high), axis=0)
    varies = spread > 1e-6 * np.maximum(np.abs(middle), 1e-3)
    return Scale(at[varies], middle[varies], spread[varies])


LDA_BEATS = Attacker("lda_beats", "Linear discriminants of beats", "beats", "background", attack_beats)
LDA_FEATURES = Attacker(
    "lda_features", "Linear discriminants of measurements", "features", "background", attack_features
)
