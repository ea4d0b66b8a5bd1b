"""An attack on beats of which only some segments are left: all others are those of the population's mean beat."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.attacker import Attacker
from twelvelead.privacy.comparison import Comparison, compare
from twelvelead.privacy.protocols import NotEstimable, Trials
from twelvelead.privacy.segments import SEGMENTS, Segmented, mean_beat
from twelvelead.privacy.units import Flags, Units
from twelvelead.terms import InputError

Floats = NDArray[np.float64]

Trialled = Callable[..., Trials]
"""(units, *, seed) -> trials, as `Protocol.trials`."""


@dataclass(frozen=True, eq=False)
class Game:
    """What an attack comes to when only some segments are left.

    Parameters
    ----------
    attacker : str
        Key of who attacks.
    refitted : bool
        Whether the attacker learns anew from what is left, in enrolment and probe alike: then the question is what the
        segments tell. Otherwise it stays as it was fitted to whole beats, and only probes change: then the question is
        what the attacker makes use of.
    segmented : Segmented
        The beats.
    play : callable
        From which of `SEGMENTS` are left, shape (n_segments,), to comparisons of the same probes and people.
    """

    attacker: str
    refitted: bool
    segmented: Segmented
    play: Callable[[Flags], tuple[Comparison, ...]]


def keep_only(segmented: Segmented, kept: Flags, *, stand_in: Floats) -> Units:
    """Replace segments by what the stand-in has at the same time.

    Parameters
    ----------
    segmented : Segmented
        Beats.
    kept : ndarray of bool, shape (n_segments,)
        Which of `SEGMENTS` stay.
    stand_in : ndarray, shape (n_leads, n_samples)
        A beat: `mean_beat`.

    Returns
    -------
    Units
        Where no segment is kept all beats are the same, so that nobody can be told from anybody. Where two
        segments meet shows as long as one of the two is kept.
    """
    own = kept[segmented.of_sample][:, None]
    return replace(segmented.units, x=np.where(own, segmented.units.x, stand_in).astype(np.float32))


def refitted(attacker: Attacker, trials_of: Trialled, segmented: Segmented, *, seed: int) -> Game | NotEstimable:
    """Let the attacker learn anew from what is left.

    Parameters
    ----------
    attacker : Attacker
        Who sees beats.
    trials_of : callable
        A protocol's `trials`.
    segmented : Segmented
        Beats.
    seed : int
        Of the protocol and the attacker.

    Returns
    -------
    Game or NotEstimable
        The latter where the protocol can't be had.
    """
    stand_in = mean_beat(segmented)
    whole = trials_of(segmented.units, seed=seed)
    if isinstance(whole, NotEstimable):
        return whole

    def play(kept: Flags) -> tuple[Comparison, ...]:
        if not kept.any():
            return _done(compare(_BLIND, whole, seed=seed))
        return _done(compare(attacker, trials_of(keep_only(segmented, kept, stand_in=stand_in), seed=seed), seed=seed))

    return Game(attacker.key, refitted=True, segmented=segmented, play=play)


def as_fitted(
    key: str,
    read: Callable[[Units], Floats],
    trials_of: Trialled,
    *,
    segmented: Segmented,
    seed: int,
) -> Game | NotEstimable:
    """Let an attacker that is fitted already read probes of which only some segments are left.

    Parameters
    ----------
    key : str
        The attacker's.
    read : callable
        From blind units to scores, shape (n_groups, n_people), of the protocol's gallery.
    trials_of : callable
        The protocol's `trials`; of one trial.
    segmented : Segmented
        Beats.
    seed : int
        Of the protocol.

    Returns
    -------
    Game or NotEstimable
        The latter where the protocol can't be had.

    Raises
    ------
    InputError
        If the protocol has several trials, for each of which there would be another attacker.
    """
    stand_in = mean_beat(segmented)
    whole = trials_of(segmented.units, seed=seed)
    if isinstance(whole, NotEstimable):
        return whole
    if len(whole) != 1:
        msg = f"a fitted attacker belongs to one trial; got a protocol of {len(whole)}. Refit it instead."
        raise InputError(msg)

    def attack(background: Units, gallery: Units, probe: Units, *, seed: int) -> Floats:
        return read(probe)

    attacker = Attacker(key, key, "beats", "nothing", attack)

    def play(kept: Flags) -> tuple[Comparison, ...]:
        left = trials_of(keep_only(segmented, kept, stand_in=stand_in), seed=seed)
        return _done(compare(attacker, left, seed=seed))

    return Game(key, refitted=False, segmented=segmented, play=play)


def members(names: tuple[str, ...]) -> Flags:
    """Return which of `SEGMENTS` are named; shape (n_segments,).

    Examples
    --------
    >>> members(("P", "TP")).tolist()
    [True, False, False, False, False, False, False, True]
    """
    return np.isin(SEGMENTS, names)


def thin(units: Units, n: int) -> Units:
    """Keep the first `n` beats of each recording."""
    order = np.zeros(len(units), dtype=np.intp)
    for recording in np.unique(units.recording):
        own = np.flatnonzero(units.recording == recording)
        order[own] = np.arange(len(own))
    return units.take(order < n)


def _attack_blindly(background: Units, gallery: Units, probe: Units, *, seed: int) -> Floats:
    return np.zeros((len(np.unique(probe.group)), len(np.unique(gallery.subject))))


_BLIND = Attacker("blind", "Nothing to see", "beats", "nothing", _attack_blindly)


def _done(compared: tuple[Comparison, ...] | NotEstimable) -> tuple[Comparison, ...]:
    """Tell the type checker that a protocol that could be had once can be had again."""
    if isinstance(compared, NotEstimable):
        msg = f"a protocol must give the same trials for the same labels; got one {compared}. Mend the protocol."
        raise InputError(msg)
    return compared
