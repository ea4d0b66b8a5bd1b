"""How an attack's success is to be shared among the segments: exact Shapley values over all their coalitions."""

from collections.abc import Mapping
from math import factorial

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.coalitions import Game, members
from twelvelead.privacy.drawn import (
    Drawn,
    figures_of,
    genuine_margin,
    impostors_beaten,
    make_drawn,
    n_sought,
    weights_of,
)
from twelvelead.privacy.estimate import Figure
from twelvelead.privacy.segments import SEGMENTS, WHOLES
from twelvelead.validate import Bootstrap

Floats = NDArray[np.float64]

FIGURES: Mapping[str, Figure] = {"impostors_beaten": impostors_beaten, "genuine_margin": genuine_margin}
"""What is shared out."""


def share_among_segments(
    game: Game, *, bootstrap: Bootstrap, figures: Mapping[str, Figure] = FIGURES
) -> dict[str, Drawn]:
    """Return the Shapley value of each segment, from all 256 coalitions.

    Parameters
    ----------
    game : Game
        An attack; it is made 256 times.
    bootstrap : Bootstrap
        How people are drawn.
    figures : mapping of str to Figure
        Of what the shares are. They sum to what it is of whole beats, less what it is where all beats are the mean
        beat: 0.5 of `impostors_beaten`, 0 of `genuine_margin`.

    Returns
    -------
    dict of str to Drawn
        Of each figure; QRS has the sum of its parts.

    References
    ----------
    .. [1] Covert I, Lundberg S, Lee SI. Explaining by removing: a unified framework for model explanation.
       doi:10.48550/arXiv.2011.14878
    """
    n = len(SEGMENTS)
    coalitions = (np.arange(2**n)[:, None] >> np.arange(n)) & 1 == 1
    everything = game.play(coalitions[-1])
    weights = weights_of(everything, bootstrap)
    played = [*(game.play(kept) for kept in coalitions[:-1]), everything]
    found = {}
    for key, figure in figures.items():
        shares = shapley_values(np.stack([figures_of(figure, compared, weights) for compared in played]))
        wholes = [shares[members(parts)].sum(axis=0) for parts in WHOLES.values()]
        found[key] = make_drawn(
            (*SEGMENTS, *WHOLES), [*shares, *wholes], n_people=n_sought(everything), level=bootstrap.level
        )
    return found


def shapley_values(worth: Floats) -> Floats:
    """Return what each player adds, over all orders in which they may come.

    Parameters
    ----------
    worth : ndarray, shape (2 ** n_players, n)
        Of each coalition, for n games at once; player k belongs to coalition c where bit k of c is set.

    Returns
    -------
    ndarray, shape (n_players, n)
        Σ over coalitions S without the player of |S|! (n − |S| − 1)! / n! times what the player adds to S.

    Examples
    --------
    Two players, worth 1 and 2 alone and 5 together: each gets, beyond that, half of the 2 that they make together.

    >>> shapley_values(np.array([[0.0], [1.0], [2.0], [5.0]])).ravel().tolist()
    [2.0, 3.0]
    """
    n = len(worth).bit_length() - 1
    numbers = np.arange(len(worth))
    size = sum((numbers >> k) & 1 for k in range(n))
    factor = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
    values = np.empty((n, *worth.shape[1:]))
    for k in range(n):
        without = numbers[(numbers >> k) & 1 == 0]
        values[k] = factor[np.asarray(size)[without]] @ (worth[without | 1 << k] - worth[without])
    return values
