"""Who is enrolled, who is looked for, and what an attacker may have learnt from: one protocol per question."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from twelvelead.privacy.units import UNKNOWN, Places, Units

LEAST_PEOPLE = 10
"""With fewer people no figure is given."""


@dataclass(frozen=True)
class NotEstimable:
    """A figure that can't be had, and why.

    Parameters
    ----------
    why : str
        To be read after "not estimable, because".
    """

    why: str

    def __str__(self) -> str:
        return f"not estimable, because {self.why}"


@dataclass(frozen=True, eq=False)
class Trial:
    """One attack: who is known from where, and who is looked for.

    Parameters
    ----------
    background, gallery, probe : Units
        See `Attack`. `probe` still has its labels here; `compare` takes them off before the attacker sees it.
    """

    background: Units
    gallery: Units
    probe: Units


Trials = tuple[Trial, ...] | NotEstimable


@dataclass(frozen=True)
class Protocol:
    """One way to put a release to the test.

    Parameters
    ----------
    key : str
        As in tables.
    title : str
        As in a report.
    says : str
        What a figure under it tells, and what leaks.
    leaks : bool
        Whether enrolment and probe share what no two recordings of a person would share.
    trials : callable
        (units, *, seed) -> trials.
    """

    key: str
    title: str
    says: str
    leaks: bool
    trials: Callable[..., Trials]


def within_record(units: Units, *, seed: int, n_probes: int = 10) -> Trials:
    """Enrol a random half of all units; of the other half up to `n_probes` per person are looked for, each alone."""
    order = np.random.default_rng(seed).permutation(len(units))
    half = np.zeros(len(units), dtype=bool)
    half[order[::2]] = True
    others = order[1::2]
    n_before = np.array([(units.subject[others[:k]] == units.subject[i]).sum() for k, i in enumerate(others)])
    rest = units.take(np.sort(others[n_before < n_probes]))
    return _closed(units.take(half), replace(rest, group=np.arange(len(rest))), "units of their own in both halves")


def within_record_blocked(units: Units, *, seed: int, guard_s: float = 1.0) -> Trials:
    """Enrol the first half of each recording, and look for the second, with a gap between."""
    middle = np.zeros(len(units))
    for recording in np.unique(units.recording):
        own = units.recording == recording
        middle[own] = (units.at_s[own].min() + units.at_s[own].max()) / 2
    before, after = units.at_s < middle - guard_s / 2, units.at_s > middle + guard_s / 2
    return _closed(units.take(before), units.take(after), f"units on both sides of a gap of {guard_s:g} s")


def cross_record(units: Units, *, seed: int) -> Trials:
    """Enrol the first recording of each person, and look for the second."""
    number = rank_in_person(units, units.order)
    return _closed(units.take(number == 0), units.take(number == 1), "two recordings")


def cross_record_all(units: Units, *, seed: int) -> Trials:
    """Enrol the first recording of each person, and look for every later one."""
    number = rank_in_person(units, units.order)
    return _closed(units.take(number == 0), units.take(number > 0), "two recordings")


def cross_day(units: Units, *, seed: int) -> Trials:
    """Enrol each person's first day, and look for the recordings of later days, among people who have both."""
    day = _number_of_day(units)
    return _closed(units.take(day == 0), units.take(day > 0), "recordings of two days")


def cross_day_everyone(units: Units, *, seed: int) -> Trials:
    """Enrol everyone's first day, also of people who never come again, and look for the recordings of later days."""
    day = _number_of_day(units)
    probe = units.take(day > 0)
    n_people = len(np.unique(probe.subject))
    if n_people < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} people must have recordings of two days, and {n_people} have")
    gallery = units.take(day == 0)
    return (Trial(gallery, gallery, probe),)


def subject_disjoint(
    units: Units, *, seed: int, n_folds: int = 5, within: Callable[..., Trials] = cross_record_all
) -> Trials:
    """Learn from some people, and verify others, fold by fold, by the protocol `within`."""
    whole = within(units, seed=seed)
    if isinstance(whole, NotEstimable):
        return whole
    people = np.unique(whole[0].probe.subject)
    if len(people) < 2 * n_folds:
        return NotEstimable(f"{n_folds} folds need {2 * n_folds} people with two recordings, not {len(people)}")
    fold_of = deal(people, n_folds, seed=seed)
    return tuple(
        Trial(
            units.take(~np.isin(units.subject, people[fold_of == fold])),
            whole[0].gallery.of(people[fold_of == fold]),
            whole[0].probe.of(people[fold_of == fold]),
        )
        for fold in range(n_folds)
    )


def open_set(units: Units, *, seed: int, n_repeats: int = 10, unknown_share: float = 0.5) -> Trials:
    """Leave some people out of enrolment, and look for all: whoever is unknown must not be taken for anybody."""
    whole = cross_record(units, seed=seed)
    if isinstance(whole, NotEstimable):
        return whole
    people = np.unique(whole[0].probe.subject)
    n_unknown = round(unknown_share * len(people))
    if min(n_unknown, len(people) - n_unknown) < LEAST_PEOPLE:
        return NotEstimable(
            f"{LEAST_PEOPLE} people must be enrolled and as many not; {len(people)} have two recordings"
        )
    rng = np.random.default_rng(seed)
    enrolled = [whole[0].gallery.of(rng.permutation(people)[n_unknown:]) for _ in range(n_repeats)]
    return tuple(Trial(gallery, gallery, whole[0].probe) for gallery in enrolled)


def linkage(known: Units, released: Units) -> Trials:
    """Look for the people of one release in another, whose labels the attacker has.

    Parameters
    ----------
    known : Units
        A release whose people are named.
    released : Units
        Another one; people of both have the same `subject_id` in both. Who is in one only stays: a name that is not
        looked for, or a person who has none.

    Returns
    -------
    tuple of one Trial, or NotEstimable
    """
    ids = tuple(sorted({*known.subject_ids, *released.subject_ids}))
    place = {name: k for k, name in enumerate(ids)}
    moved = [
        replace(units, subject=np.array([place[name] for name in units.subject_ids])[units.subject], subject_ids=ids)
        for units in (known, released)
    ]
    n_people = len(np.intersect1d(moved[0].subject, moved[1].subject))
    if n_people < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} people must be in both releases, and {n_people} are")
    return (Trial(moved[0], moved[0], moved[1]),)


def _closed(gallery: Units, probe: Units, what: str) -> Trials:
    """Make a trial of the people who are in both."""
    people = np.intersect1d(gallery.subject, probe.subject)
    if len(people) < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} people must have {what}, and {len(people)} have")
    gallery = gallery.of(people)
    return (Trial(gallery, gallery, probe.of(people)),)


def _number_of_day(units: Units) -> Places:
    """Count each person's days from 0; UNKNOWN where the day is not known."""
    known = units.day != UNKNOWN
    number = np.full(len(units), UNKNOWN)
    number[known] = rank_in_person(units.take(known), units.day[known])
    return number


def rank_in_person(units: Units, value: Places) -> Places:
    """Count up the different values of each person in ascending order, from 0.

    Recordings that can't be measured leave gaps in `Units.order`; here there is none.
    """
    number = np.zeros(len(units), dtype=np.intp)
    for person in np.unique(units.subject):
        own = units.subject == person
        number[own] = np.unique(value[own], return_inverse=True)[1]
    return number


def deal(people: Places, n_folds: int, *, seed: int) -> Places:
    """Return the fold of each person, from 0; folds differ by at most one in size."""
    fold: Places = np.random.default_rng(seed).permutation(np.arange(len(people)) % n_folds)
    return fold


PROTOCOLS: dict[str, Protocol] = {
    p.key: p
    for p in (
        Protocol(
            "within_record",
            "Beats at random",
            "Leaks: beats of one recording share electrodes, posture and minute. No risk of a release.",
            leaks=True,
            trials=within_record,
        ),
        Protocol(
            "within_record_blocked",
            "Halves of one recording",
            "Leaks: both halves share electrodes and posture. An upper bound.",
            leaks=True,
            trials=within_record_blocked,
        ),
        Protocol(
            "cross_record",
            "First recording against second",
            "Another recording, which may be of the same day and the same electrodes.",
            leaks=False,
            trials=cross_record,
        ),
        Protocol(
            "cross_record_all",
            "First recording against all later",
            "As before; people with many recordings count for more in a mean of probes, not in an interval.",
            leaks=False,
            trials=cross_record_all,
        ),
        Protocol(
            "cross_day",
            "First day against later days",
            "Another day; only those are enrolled who come again.",
            leaks=False,
            trials=cross_day,
        ),
        Protocol(
            "cross_day_everyone",
            "First day of everybody against later days",
            "Another day, among everybody's first day.",
            leaks=False,
            trials=cross_day_everyone,
        ),
        Protocol(
            "subject_disjoint",
            "Verification of people never learnt from",
            "What tells people apart is learnt from others. Each fold is a gallery of its own.",
            leaks=False,
            trials=subject_disjoint,
        ),
        Protocol(
            "open_set",
            "Half of the people not enrolled",
            "Whoever is unknown must not be taken for anybody.",
            leaks=False,
            trials=open_set,
        ),
    )
}
"""By their key. `linkage` takes two releases, and is called by itself."""
