"""Sex and class of age as the transformer tells them: of beats whose person it has seen, and of people it has not.

Needs the extra torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.attribution import Attention, by_segment
from twelvelead.privacy.coalitions import keep_only, members
from twelvelead.privacy.drawn import make_drawn, mean_per_person
from twelvelead.privacy.estimate import Estimate
from twelvelead.privacy.occlusion import NAMED
from twelvelead.privacy.protocols import LEAST_PEOPLE, NotEstimable, deal
from twelvelead.privacy.segments import Segmented, mean_beat
from twelvelead.privacy.torch_training import Course
from twelvelead.privacy.transecg import AGE, ATTENTION, SEX, BeatReader, age_class, fit, look
from twelvelead.privacy.units import UNKNOWN, Places, Units
from twelvelead.validate import Bootstrap, draw_counts, interval

Floats = NDArray[np.float64]

_N_FOLDS = 5


@dataclass(frozen=True)
class Trait:
    """How often a class is told rightly; each person counts once.

    Parameters
    ----------
    head : str
        `sex` or `age`.
    leaky : Estimate
        Of single beats, whose person has other beats among those learnt from. Not a risk of the release.
    sound : Estimate
        Of single beats of people who were not learnt from.
    sound_person : Estimate
        Of people who were not learnt from, by the mean log-probability over all their beats.
    baseline : Estimate
        Of who knows no ECG, and always names the commonest class of the people learnt from.
    leakage : Estimate
        Leaky less sound.
    """

    head: str
    leaky: Estimate
    sound: Estimate
    sound_person: Estimate
    baseline: Estimate
    leakage: Estimate


def classes_of(units: Units) -> dict[str, Places]:
    """Return the class of each unit for the heads `sex` (1 female) and `age`; -1 where unknown."""
    return {SEX: units.female, AGE: age_class(units.age_years)}


def halves(units: Units, *, seed: int) -> tuple[Units, Units]:
    """Deal all beats at random to two halves: the split that leaks."""
    first = np.zeros(len(units), dtype=bool)
    first[np.random.default_rng(seed).permutation(len(units))[::2]] = True
    return units.take(first), units.take(~first)


def read_traits(
    units: Units, *, leaky: BeatReader, course: Course, bootstrap: Bootstrap, device: str = "cpu"
) -> tuple[Trait, ...] | NotEstimable:
    """Tell sex and age with and without the leak.

    Parameters
    ----------
    units : Units
        Beats.
    leaky : BeatReader
        Fitted to the first of `halves(units, seed=bootstrap.seed)`, with both heads.
    course : Course
        Of the five transformers that are fitted for the sound figures, each to four fifths of the people.
    bootstrap : Bootstrap
        How people are drawn; its seed also deals them to folds.
    device : str
        Where they are trained.

    Returns
    -------
    tuple of Trait, or NotEstimable
        Of sex and of age; units whose class is unknown are left out.
    """
    people, place = np.unique(units.subject, return_inverse=True)
    if len(people) < max(LEAST_PEOPLE, 2 * _N_FOLDS):
        return NotEstimable(f"{max(LEAST_PEOPLE, 2 * _N_FOLDS)} people are needed, and there are {len(people)}")
    classes = classes_of(units)
    known = {head: y != UNKNOWN for head, y in classes.items()}
    short = [head for head, k in known.items() if len(np.unique(units.subject[k])) < LEAST_PEOPLE]
    if short:
        return NotEstimable(f"the {short[0]} of {LEAST_PEOPLE} people must be known")
    fold = deal(people, _N_FOLDS, seed=bootstrap.seed)[place]
    sound, commonest = _unseen(
        units, classes, partial(fit, seed=bootstrap.seed, course=course, device=device), fold=fold
    )
    other = halves(units, seed=bootstrap.seed)[1]
    weights = _draw(len(people), bootstrap)
    out = []
    for head, y in classes.items():
        k = known[head]
        of_person = np.array([sound[head][place == p].sum(axis=0).argmax() for p in range(len(people))])[place]
        y_other = classes_of(other)[head]
        seen = y_other != UNKNOWN
        right = {
            "leaky": (leaky.answer(other.x[seen], head).argmax(axis=1) == y_other[seen], other.subject[seen]),
            "sound": (sound[head][k].argmax(axis=1) == y[k], units.subject[k]),
            "sound_person": (of_person[k] == y[k], units.subject[k]),
            "baseline": (commonest[head][k] == y[k], units.subject[k]),
        }
        columns = {
            name: mean_per_person(hit[:, None].astype(float), np.searchsorted(people, subject), weights)[:, 0]
            for name, (hit, subject) in right.items()
        }
        columns["leakage"] = columns["leaky"] - columns["sound"]
        n = len(np.unique(units.subject[k]))
        out.append(Trait(head, **{name: _enclose(column, n, bootstrap) for name, column in columns.items()}))
    return tuple(out)


def trait_attention(
    reader: BeatReader, segmented: Segmented, *, head: str, wanted: Places, bootstrap: Bootstrap
) -> tuple[Attention, ...]:
    """Say which segments the transformer attends to, and which it needs, to answer one question.

    Parameters
    ----------
    reader : BeatReader
        With that head.
    segmented : Segmented
        Beats it was not trained on.
    head : str
        The question.
    wanted : ndarray of int, shape (n_beats,)
        The right class of each beat.
    bootstrap : Bootstrap
        How people are drawn.

    Returns
    -------
    tuple of Attention
        One for each kind. Its occlusion is by how much the log-probability of the right class falls, in nats, when the
        segment is that of the mean beat.
    """
    units = segmented.units
    people, place = np.unique(units.subject, return_inverse=True)
    weights = _draw(len(people), bootstrap)
    spread = partial(
        by_segment, segmented=segmented, person=place, weights=weights, n=len(people), level=bootstrap.level
    )
    stand_in = mean_beat(segmented)

    def said(beats: NDArray[np.float32]) -> Floats:
        own = np.take_along_axis(reader.answer(beats, head), wanted[:, None], axis=1)
        return mean_per_person(own, place, weights)[:, 0]

    before = said(units.x)
    losses = [before - said(keep_only(segmented, ~members(p), stand_in=stand_in).x) for p in NAMED.values()]
    occlusion = make_drawn(tuple(NAMED), losses, n_people=len(people), level=bootstrap.level)
    duration = spread(np.ones((len(units), 1)))
    maps = look(reader, units.x, head=head, wanted=wanted)
    return tuple(Attention(kind, spread(mass), duration, occlusion) for kind, mass in zip(ATTENTION, maps, strict=True))


def _unseen(
    units: Units, classes: Mapping[str, Places], teach: Callable[..., BeatReader], *, fold: Places
) -> tuple[dict[str, Floats], dict[str, Places]]:
    """Answer for each fold of people from the others; also what is commonest among the others."""
    sound = {head: np.zeros((len(units), int(y.max()) + 1)) for head, y in classes.items()}
    commonest = {head: np.zeros(len(units), dtype=np.intp) for head in classes}
    for k in range(_N_FOLDS):
        learn, judge = units.take(fold != k), fold == k
        own = {head: y[fold != k] for head, y in classes.items()}
        reader = teach(learn, own)
        first = np.unique(learn.subject, return_index=True)[1]
        for head, y in own.items():
            sound[head][judge] = reader.answer(units.x[judge], head)[:, : sound[head].shape[1]]
            commonest[head][judge] = np.bincount(y[first][y[first] != UNKNOWN]).argmax()
    return sound, commonest


def _draw(n_people: int, bootstrap: Bootstrap) -> Floats:
    """Return how often each person counts; shape (1 + n_draws, n_people), first everybody once."""
    weights = np.ones((1 + bootstrap.n_resamples, n_people))
    weights[1:] = draw_counts(n_people, first=0, size=bootstrap.n_resamples, seed=bootstrap.seed).T
    return weights


def _enclose(column: Floats, n: int, bootstrap: Bootstrap) -> Estimate:
    found = interval(column[1:], level=bootstrap.level)
    return Estimate(float(column[0]), found.lower, found.upper, n, bootstrap.n_resamples)
