"""What an attack loses with a segment, and what it can do with that segment alone."""

from collections.abc import Mapping
from dataclasses import dataclass

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
from twelvelead.privacy.estimate import Estimate, Figure
from twelvelead.privacy.identification import rank_share
from twelvelead.privacy.segments import SEGMENTS, WHOLES
from twelvelead.privacy.verification import eer
from twelvelead.validate import Bootstrap, interval

FIGURES: Mapping[str, Figure] = {
    "impostors_beaten": impostors_beaten,
    "genuine_margin": genuine_margin,
    "rank_1": rank_share(1),
    "eer": eer,
}
"""What is asked of an attack."""

NAMED = {**{name: (name,) for name in SEGMENTS}, **WHOLES}
"""Segments, and what has a name and is made of several."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What segments mean to an attack.

    Parameters
    ----------
    whole : dict of str to Estimate
        Each of `FIGURES` of whole beats.
    lost : dict of str to Drawn
        By how much each figure falls when the segment is that of the mean beat; of `eer` by how much it rises. What is
        above 0 helps the attacker.
    alone : dict of str to Drawn
        Each figure when all other segments are those of the mean beat.
    """

    whole: dict[str, Estimate]
    lost: dict[str, Drawn]
    alone: dict[str, Drawn]


def occlude(game: Game, *, bootstrap: Bootstrap) -> Occlusion:
    """Take segments away one by one, and leave them one by one.

    Parameters
    ----------
    game : Game
        An attack.
    bootstrap : Bootstrap
        How people are drawn.

    Returns
    -------
    Occlusion
        Of `SEGMENTS`, and of QRS as a whole.
    """
    everything = game.play(members(SEGMENTS))
    weights = weights_of(everything, bootstrap)
    n = n_sought(everything)
    masked = {name: game.play(~members(parts)) for name, parts in NAMED.items()}
    single = {name: game.play(members(parts)) for name, parts in NAMED.items()}
    whole, lost, alone = {}, {}, {}
    for key, figure in FIGURES.items():
        before = figures_of(figure, everything, weights)
        found = interval(before[1:], level=bootstrap.level)
        whole[key] = Estimate(float(before[0]), found.lower, found.upper, n, bootstrap.n_resamples)
        sign = -1 if key == "eer" else 1
        losses = [sign * (before - figures_of(figure, masked[name], weights)) for name in NAMED]
        lost[key] = make_drawn(tuple(NAMED), losses, n_people=n, level=bootstrap.level)
        figures = [figures_of(figure, single[name], weights) for name in NAMED]
        alone[key] = make_drawn(tuple(NAMED), figures, n_people=n, level=bootstrap.level)
    return Occlusion(whole, lost, alone)
