"""What an attacker is: one function, and what it needs."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.units import Units

Floats = NDArray[np.float64]


class Attack(Protocol):
    """Compare who is looked for with who is known."""

    def __call__(self, background: Units, gallery: Units, probe: Units, *, seed: int) -> Floats:
        """Score every probe against every person of the gallery.

        Parameters
        ----------
        background : Units
            Labelled units from which the attacker may learn what tells people apart. A protocol decides whose: other
            people's, or the gallery itself.
        gallery : Units
            Enrolment: labelled units of the people among whom the attacker looks.
        probe : Units
            `Units.blind`; what has one `group` is of one person.
        seed : int
            Of whatever is drawn.

        Returns
        -------
        ndarray, shape (n_probe_groups, n_gallery_subjects)
            Larger is more alike. Rows in ascending order of `probe.group`, columns of `gallery.subject`.
        """


@dataclass(frozen=True)
class Attacker:
    """One attacker.

    Parameters
    ----------
    key : str
        As in tables.
    title : str
        As in a report.
    view : str
        Whether it sees `beats` or `features`.
    trains_on : str
        `nothing`, `background` or `gallery`.
    attack : Attack
        What it does.
    extra : str or None
        The optional dependency that it needs.
    """

    key: str
    title: str
    view: Literal["beats", "features"]
    trains_on: Literal["nothing", "background", "gallery"]
    attack: Attack
    extra: str | None = None


def mean_of(values: Floats, label: NDArray[np.intp]) -> Floats:
    """Return the mean of the rows of each label, labels ascending.

    Examples
    --------
    >>> mean_of(np.array([[1.0], [3.0], [5.0]]), np.array([7, 7, 9])).ravel().tolist()
    [2.0, 5.0]
    """
    labels, place = np.unique(label, return_inverse=True)
    sums = np.zeros((len(labels), *values.shape[1:]))
    np.add.at(sums, place, values)
    means: Floats = sums / np.bincount(place).reshape(-1, *[1] * (values.ndim - 1))
    return means


def cosine(rows: Floats, columns: Floats) -> Floats:
    """Return the cosine of the angle between each row of one and each row of the other; 0 where one is all zero.

    Examples
    --------
    >>> cosine(np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 2.0]])).round(3).tolist()
    [[0.0], [0.707]]
    """
    norms = np.linalg.norm(rows, axis=1)[:, None] * np.linalg.norm(columns, axis=1)
    products = rows @ columns.T
    angles: Floats = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
    return angles
