"""Whether those of whom a first recording is known can be found by a second one: the one trial that what-ifs share."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from twelvelead.privacy.protocols import LEAST_PEOPLE, NotEstimable, Trial, Trials, deal, rank_in_person
from twelvelead.privacy.units import Units

N_FOLDS = 5


@dataclass(frozen=True)
class Pairing:
    """Which recordings are known and which are looked for, whatever is done to them.

    Parameters
    ----------
    subject_ids : tuple of str
        Everybody.
    first, second : frozenset of str
        Recordings: everybody's first, and the second of each person who has two.
    """

    subject_ids: tuple[str, ...]
    first: frozenset[str]
    second: frozenset[str]


def pair(units: Units) -> Pairing | NotEstimable:
    """Choose everybody's first recording in which units were found, and the second of those who have one."""
    number = rank_in_person(units, units.order)
    twice = np.intersect1d(units.subject[number == 0], units.subject[number == 1])
    if len(twice) < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} people must have two recordings, and {len(twice)} have")
    chosen = [frozenset(units.recording_ids[k] for k in np.unique(units.recording[number == n])) for n in (0, 1)]
    return Pairing(units.subject_ids, *chosen)


def look_up(known: Units, released: Units, pairing: Pairing, *, seed: int) -> Trials:
    """Enrol first recordings as they are known, and look for second ones as they are released.

    Parameters
    ----------
    known : Units
        What the attacker has: the same as `released` for one who expects what was done, the release as recorded for
        one who does not.
    released : Units
        What is given away.
    pairing : Pairing
        From `pair`.
    seed : int
        Of the folds of people.

    Returns
    -------
    tuple of Trial, or NotEstimable
        One per fold of people. Everybody is enrolled in each; what tells people apart is learnt from all that is known
        of the people who are not looked for in it.
    """
    ids = {name: k for k, name in enumerate(pairing.subject_ids)}
    known, released = _renumber(known, ids), _renumber(released, ids)
    gallery, probe = _of(known, pairing.first), _of(released, pairing.second)
    people = np.intersect1d(gallery.subject, probe.subject)
    if len(people) < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} people must be found in both recordings, and {len(people)} are")
    fold_of = deal(people, N_FOLDS, seed=seed)
    trials = []
    for fold in range(N_FOLDS):
        sought = people[fold_of == fold]
        background = known.take(~np.isin(known.subject, sought))
        if _n_with_two(background) < 2:
            return NotEstimable("there must be people of whom more than one row is known, to learn from")
        trials.append(Trial(background, gallery, probe.of(sought)))
    return tuple(trials)


def _renumber(units: Units, ids: dict[str, int]) -> Units:
    """Give people the numbers of another table; leave out those who are not in it."""
    place = np.array([ids.get(name, -1) for name in units.subject_ids])[units.subject]
    moved = replace(units, subject=place, subject_ids=tuple(ids))
    return moved.take(place >= 0)


def _of(units: Units, recordings: Collection[str]) -> Units:
    names = np.array([name in recordings for name in units.recording_ids])
    return units.take(names[units.recording])


def _n_with_two(units: Units) -> int:
    return int((np.unique(units.subject, return_counts=True)[1] > 1).sum())
