"""Which part of the heartbeat gives people away: several answers side by side, and how far they agree."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.privacy.coalitions import Game, members
from twelvelead.privacy.drawn import Drawn, kendall, make_drawn, mean_per_person, n_sought, weights_of
from twelvelead.privacy.estimate import Estimate
from twelvelead.privacy.occlusion import NAMED, Occlusion, occlude
from twelvelead.privacy.protocols import NotEstimable
from twelvelead.privacy.segments import RR, SEGMENTS, WHOLES, Segmented
from twelvelead.privacy.shapley_segments import share_among_segments
from twelvelead.terms import InputError
from twelvelead.validate import Bootstrap

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Attention:
    """How much a transformer attends to each segment, never without how long that lasts and what it is worth.

    Parameters
    ----------
    kind : str
        Which attention: one of `transecg.ATTENTION`.
    share : Drawn
        Of the attention to all segments; sums to 1 over them.
    duration : Drawn
        Share of the beat that the segment lasts: what attention that is spread evenly would come to.
    occlusion : Drawn
        What the same attacker loses of its genuine score without the segment.

    Raises
    ------
    InputError
        If one of the three is missing, or is of other segments or other draws of people.
    """

    kind: str
    share: Drawn
    duration: Drawn
    occlusion: Drawn

    def __post_init__(self) -> None:
        for name in ("share", "duration", "occlusion"):
            got = getattr(self, name)
            if not isinstance(got, Drawn) or (got.names, got.draws.shape) != (self.share.names, self.share.draws.shape):
                what = got.names if isinstance(got, Drawn) else got
                msg = f"attention must come with duration and occlusion of the same segments; got {what} as {name}. "
                msg += "Make all of them from one attack."
                raise InputError(msg)

    @property
    def lift(self) -> Drawn:
        """Attention over duration: 1 where a segment gets what its length alone would bring it."""
        s, d = self.share, self.duration
        with np.errstate(invalid="ignore", divide="ignore"):
            return Drawn(s.names, s.value / d.value, s.draws / d.draws, s.n_people, s.level)


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each segment means to one attacker.

    Parameters
    ----------
    attacker : str
        Its key.
    refitted : bool
        See `Game`.
    delineator : str
        What set the limits of the segments.
    duration : Drawn
        Share of the beat that each lasts.
    occlusion : Occlusion
        What is lost without a segment, and what it is worth alone.
    shapley : dict of str to Drawn
        How each of `shapley_segments.FIGURES` is to be shared among the segments; empty where it was not asked for.
    attention : tuple of Attention
        Of a transformer; else empty.
    rhythm : NotEstimable
        Why RR is not among the segments.
    """

    attacker: str
    refitted: bool
    delineator: str
    duration: Drawn
    occlusion: Occlusion
    shapley: dict[str, Drawn]
    attention: tuple[Attention, ...] = ()
    rhythm: NotEstimable = RR

    def rankings(self) -> dict[str, Drawn]:
        """Return all methods that rank the segments; attention only as lift.

        Where a segment is worth little because others tell the same, `impostors_beaten` is near 1 without it and
        changes by chance alone; the margin still tells. Alone no segment is so good.
        """
        found = {"occlusion": _main(self.occlusion), "alone": self.occlusion.alone["impostors_beaten"]}
        found |= {f"shapley, {key}": drawn for key, drawn in self.shapley.items()}
        return found | {f"lift, {a.kind}": a.lift for a in self.attention}

    def agreement(self) -> pl.DataFrame:
        """Return Kendall's τ between each two methods.

        Returns
        -------
        DataFrame with columns first, second, tau, lower, upper
        """
        pairs = combinations(self.rankings().items(), 2)
        rows = [(a, b, *_limits(kendall(x, y))) for (a, x), (b, y) in pairs]
        schema = {"first": pl.String, "second": pl.String, "tau": pl.Float64, "lower": pl.Float64, "upper": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def table(self) -> pl.DataFrame:
        """Return everything, one row per segment and figure.

        Returns
        -------
        DataFrame with columns attacker, segment, figure, value, lower, upper
            `duration_share`; `lost_…` and `alone_…` of each of `occlusion.FIGURES`; `shapley_…`; and of each attention
            `share, …` and `lift, …`.
        """
        columns = {"duration_share": self.duration}
        columns |= {f"lost_{key}": drawn for key, drawn in self.occlusion.lost.items()}
        columns |= {f"alone_{key}": drawn for key, drawn in self.occlusion.alone.items()}
        columns |= {f"shapley_{key}": drawn for key, drawn in self.shapley.items()}
        for a in self.attention:
            columns |= {f"share, {a.kind}": a.share, f"lift, {a.kind}": a.lift}
        rows = [
            (self.attacker, segment, figure, *_limits(drawn.of(segment)))
            for figure, drawn in columns.items()
            for segment in drawn.names
        ]
        names = ("attacker", "segment", "figure", "value", "lower", "upper")
        kinds = (pl.String, pl.String, pl.String, pl.Float64, pl.Float64, pl.Float64)
        return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def attribute(
    game: Game,
    *,
    bootstrap: Bootstrap,
    shapley: bool,
    attended: tuple[Segmented, dict[str, Floats]] | None = None,
) -> Attribution:
    """Say what each segment means to an attack.

    Parameters
    ----------
    game : Game
        From `coalitions`.
    bootstrap : Bootstrap
        How people are drawn; the same for all that is compared.
    shapley : bool
        Whether to make the attack 256 times for exact Shapley values.
    attended : (Segmented, dict of str to ndarray of shape (n_beats, n_patches)) or None
        Beats, and how much each patch of them is attended to, by kind: `transecg.look`.

    Returns
    -------
    Attribution
    """
    occlusion = occlude(game, bootstrap=bootstrap)
    everything = game.play(members(SEGMENTS))
    weights = weights_of(everything, bootstrap)
    segmented, maps = attended if attended is not None else (game.segmented, {})
    person = segmented.units.subject

    def spread(mass: Floats) -> Drawn:
        return by_segment(mass, segmented, person, weights=weights, n=n_sought(everything), level=bootstrap.level)

    duration = spread(np.ones((len(person), 1)))
    attention = tuple(Attention(kind, spread(mass), duration, _main(occlusion)) for kind, mass in maps.items())
    return Attribution(
        attacker=game.attacker,
        refitted=game.refitted,
        delineator=segmented.delineator,
        duration=duration,
        occlusion=occlusion,
        shapley=share_among_segments(game, bootstrap=bootstrap) if shapley else {},
        attention=attention,
    )


def to_segments(mass: Floats, segmented: Segmented) -> Floats:
    """Share out what patches have among the segments that they overlap.

    Parameters
    ----------
    mass : ndarray, shape (n_beats, n_patches)
        Attention, 0 or more.
    segmented : Segmented
        The beats.

    Returns
    -------
    ndarray, shape (n_beats, n_segments)
        Sums to 1; NaN for a beat whose patches all have 0. A patch that lies half in each of two segments gives half to
        each.
    """
    width = segmented.of_sample.shape[1] // mass.shape[1]
    held = np.einsum("bp,bps->bs", mass, segmented.shares(width))
    with np.errstate(invalid="ignore"):
        out: Floats = held / held.sum(axis=1, keepdims=True)
    return out


def by_segment(
    mass: Floats, segmented: Segmented, person: NDArray[np.intp], *, weights: Floats, n: int, level: float
) -> Drawn:
    """Return the mean share of each segment in what patches have.

    Parameters
    ----------
    mass : ndarray, shape (n_beats, n_patches)
        Attention; or all 1, of one patch, for durations.
    segmented : Segmented
        The beats.
    person : ndarray of int, shape (n_beats,)
        Column of `weights` of each beat.
    weights : ndarray, shape (1 + n_draws, n_people)
        How often each person counts, first everybody once.
    n, level
        People, and level of the intervals.

    Returns
    -------
    Drawn
    """
    shares = mean_per_person(to_segments(mass, segmented), person, weights)
    columns = [shares[:, members(parts)].sum(axis=1) for parts in NAMED.values()]
    return make_drawn((*SEGMENTS, *WHOLES), columns, n_people=n, level=level)


def _main(occlusion: Occlusion) -> Drawn:
    """Return what stands beside attention: the loss of the genuine score."""
    return occlusion.lost["genuine_margin"]


def _limits(e: Estimate) -> tuple[float, float | None, float | None]:
    return e.value, e.lower, e.upper
