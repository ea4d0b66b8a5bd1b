"""Whether people who are not enrolled are taken for somebody, and what it costs to turn them away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.comparison import Comparison
from twelvelead.privacy.estimate import Figure, Weighted, in_chunks, shares_of
from twelvelead.privacy.identification import among_first, places, weighted_mean
from twelvelead.privacy.protocols import NotEstimable
from twelvelead.privacy.units import Flags, Places
from twelvelead.privacy.verification import accepted_at, equal_error

Floats = NDArray[np.float64]

RULE_OF_3 = 3
"""With this many unknown probes for each false positive that is allowed, seeing none bounds the rate at 95 %."""


@dataclass(frozen=True, eq=False)
class Tops:
    """The best score of each probe.

    Parameters
    ----------
    score : ndarray, shape (n_probes,)
        Of the person who is named.
    known : ndarray of bool, shape (n_probes,)
        Whether the probe's person is enrolled.
    right : ndarray, shape (n_probes,)
        Probability that the one named is the right one; 0 for the unknown.
    people : ndarray of int, shape (n_probes,)
        Whose the probes are.
    n_unknown : int
        Different recordings that are looked for while their person is not enrolled.
    """

    score: Floats
    known: Flags
    right: Floats
    people: Places
    n_unknown: int


def tops_of(comparisons: Sequence[Comparison]) -> Tops | NotEstimable:
    """Return the best score of each probe; NotEstimable where all are known, or none."""
    parts = []
    for c in comparisons:
        known: Flags = np.any(c.genuine & c.fair, axis=1)
        _, better, tied, _ = places([c])
        right = np.zeros(len(known))
        right[known] = among_first(better, tied, 1)
        parts.append((np.where(c.fair, c.scores, -np.inf).max(axis=1), known, right, c.probe, c.group))
    score, known, right, people, group = (np.concatenate(column) for column in zip(*parts, strict=True))
    if known.all() or not known.any():
        return NotEstimable("there must be probes of people who are enrolled, and of others who are not")
    return Tops(score, known, right, people, len(np.unique(group[~known])))


def dir_at_fpir(rate: float) -> Figure:
    """Return the figure "share of the enrolled who are named rightly where `rate` of the unknown are named at all".

    Given only where there are 3 / `rate` recordings of people who are not enrolled.
    """

    def figure(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
        tops = tops_of(comparisons)
        if isinstance(tops, NotEstimable):
            return tops
        needed = RULE_OF_3 / rate
        if tops.n_unknown < needed:
            why = f"a false positive rate of {rate:g} needs {needed:.0f} recordings of people not enrolled"
            return NotEstimable(f"{why}, and there are {tops.n_unknown}")

        def weighted(drawn: Floats) -> Floats:
            positive, detected, _ = named(tops, drawn)
            return accepted_at(positive, detected, rate=rate)

        return in_chunks(weighted, len(tops.score))

    return figure


def named(tops: Tops, drawn: Floats) -> tuple[Floats, Floats, Floats]:
    """Return who is named at each different best score as threshold, from above all downwards.

    Parameters
    ----------
    tops : Tops
        From `tops_of`.
    drawn : ndarray, shape (n_draws, n_people)
        How often each person is drawn.

    Returns
    -------
    positive, right, some : ndarray, shape (n_draws, n_scores + 1)
        Share of the unknown who are named (FPIR), of the known who are named rightly (DIR), and who are named at all.
    """
    order = np.argsort(-tops.score, kind="stable")
    score, known, right = tops.score[order], tops.known[order], tops.right[order]
    ends = np.flatnonzero(np.r_[score[1:] != score[:-1], True])
    share = np.empty(len(score))
    for role in (True, False):
        share[known == role] = shares_of(tops.people[order][known == role])
    weights = drawn[:, tops.people[order]] * share
    out = []
    for which, part in ((~known, 1.0), (known, right), (known, 1.0)):
        passed = np.cumsum(weights * which * part, axis=1)[:, ends]
        with np.errstate(invalid="ignore"):
            out.append(np.c_[np.zeros(len(drawn)), passed] / (weights * which).sum(axis=1)[:, None])
    return out[0], out[1], out[2]


def at_even_odds(what: Literal["unknown accepted", "known rejected", "known mistaken"]) -> Figure:
    """Return a figure of an attacker who picks the threshold where as many known are refused as unknown accepted.

    The threshold is found in one half of the people and used for the other, and the other way round.

    Parameters
    ----------
    what : str
        `unknown accepted`: share of the unknown who are taken for somebody. `known rejected`: share of the enrolled
        who are taken for nobody. `known mistaken`: share of the enrolled who are taken for somebody else.
    """

    def figure(comparisons: Sequence[Comparison]) -> Weighted | NotEstimable:
        tops = tops_of(comparisons)
        if isinstance(tops, NotEstimable):
            return tops
        half = np.argsort(np.argsort(np.unique(tops.people))) % 2
        side = half[np.searchsorted(np.unique(tops.people), tops.people)]
        passed = np.zeros(len(side), dtype=bool)
        for k in (0, 1):
            passed[side == k] = tops.score[side == k] >= _even_threshold(tops, side != k)
        values = {
            "unknown accepted": passed.astype(float),
            "known rejected": (~passed).astype(float),
            "known mistaken": passed * (1 - tops.right),
        }[what]
        which = tops.known == what.startswith("known")
        return weighted_mean(tops.people[which], values[which])

    return figure


def _even_threshold(tops: Tops, which: Flags) -> float:
    """Find the score at which as many known are refused as unknown accepted."""
    part = Tops(tops.score[which], tops.known[which], tops.right[which], tops.people[which], 0)
    positive, _, some = named(part, np.ones((1, int(tops.people.max()) + 1)))
    level = float(equal_error(positive, some)[0])
    thresholds = np.r_[np.inf, np.unique(part.score)[::-1]]
    return float(thresholds[int((positive[0] >= level).argmax())])
