"""Sex and age: what can be read off people never seen, beside what a split of single beats pretends."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.estimate import Estimate, shares_of
from twelvelead.privacy.lda import fit_scale
from twelvelead.privacy.protocols import LEAST_PEOPLE, NotEstimable, deal
from twelvelead.privacy.template import standardise
from twelvelead.privacy.units import UNKNOWN, Places, Units
from twelvelead.validate import Bootstrap, draw_counts, interval
from twelvelead.validate.discrimination import weighted_auroc

Floats = NDArray[np.float64]

Predict = Callable[[Floats, Floats, Floats], Floats]
"""From rows to learn from, their answers (1 or 0, or years) and rows to judge, to the predicted probability or age."""

_N_FOLDS = 5
_N_COMPONENTS = 60


@dataclass(frozen=True)
class SoftFigure:
    """One trait, one model: beside each other what leaks and what does not.

    Parameters
    ----------
    figure : str
        `auroc` of sex, `mae` or `r2` of age in years.
    leaky : Estimate
        Units of one person on both sides of the split. Not a risk of the release.
    sound : Estimate
        People on one side only.
    sound_person : Estimate
        The same of one answer per person, the mean over the units.
    baseline : float
        Of who knows no ECG: the same probability, or the mean age of the people learnt from, for everybody.
    leakage : Estimate
        Leaky less sound.
    """

    figure: str
    leaky: Estimate
    sound: Estimate
    sound_person: Estimate
    baseline: float
    leakage: Estimate


def read_sex(units: Units, predict: Predict, *, bootstrap: Bootstrap) -> SoftFigure | NotEstimable:
    """Tell women from men, by AUROC.

    Parameters
    ----------
    units : Units
        Beats or measurements of people whose sex is known; others are left out.
    predict : Predict
        `nearest`, `linear` or another model, refitted in each fold.
    bootstrap : Bootstrap
        How people are drawn.

    Returns
    -------
    SoftFigure or NotEstimable
        Each person counts once.
    """
    known = units.take(units.female != UNKNOWN)
    n = [len(np.unique(known.subject[known.female == sex])) for sex in (0, 1)]
    if min(n) < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} women and as many men are needed, and there are {n[1]} and {n[0]}")

    def auroc(y: Floats, p: Floats, weights: Floats) -> Floats:
        return weighted_auroc(y, p, weights=weights)

    return _read(known, known.female.astype(float), predict, figures={"auroc": auroc}, bootstrap=bootstrap)[0]


def read_age(units: Units, predict: Predict, *, bootstrap: Bootstrap) -> tuple[SoftFigure, ...] | NotEstimable:
    """Tell the age, by the mean absolute error in years and by R².

    Parameters
    ----------
    units, predict, bootstrap
        As for `read_sex`; people whose age is not known are left out.

    Returns
    -------
    tuple of two SoftFigure, or NotEstimable
    """
    known = units.take(np.isfinite(units.age_years))
    n = len(np.unique(known.subject))
    if n < 2 * LEAST_PEOPLE:
        return NotEstimable(f"{2 * LEAST_PEOPLE} people of known age are needed, and there are {n}")

    def mae(y: Floats, p: Floats, weights: Floats) -> Floats:
        out: Floats = weights @ np.abs(y - p) / weights.sum(axis=1)
        return out

    def r2(y: Floats, p: Floats, weights: Floats) -> Floats:
        share = weights / weights.sum(axis=1, keepdims=True)
        out: Floats = 1 - share @ (y - p) ** 2 / (share @ y**2 - (share @ y) ** 2)
        return out

    return _read(known, known.age_years, predict, figures={"mae": mae, "r2": r2}, bootstrap=bootstrap)


def nearest(learn: Floats, y: Floats, judge: Floats) -> Floats:
    """Answer as the most similar row does: whoever has seen another beat of the person knows everything of them.

    Parameters
    ----------
    learn, y, judge : ndarray
        See `Predict`.
    """
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(learn).kneighbors(judge, return_distance=False)
    answers: Floats = y[found[:, 0]]
    return answers


def linear(learn: Floats, y: Floats, judge: Floats) -> Floats:
    """Answer by a penalised line: logistic regression of sex, ridge regression of age, on 60 principal components.

    Parameters
    ----------
    learn, y, judge : ndarray
        See `Predict`.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    reduce = (StandardScaler(), PCA(min(_N_COMPONENTS, *learn.shape), svd_solver="full"), StandardScaler())
    if set(np.unique(y)) <= {0.0, 1.0}:
        model = make_pipeline(*reduce, LogisticRegression(C=0.1, max_iter=1000)).fit(learn, y)
        p: Floats = model.predict_proba(judge)[:, 1]
        return p
    fitted: Floats = make_pipeline(*reduce, RidgeCV(np.logspace(0, 5, 11))).fit(learn, y).predict(judge)
    return fitted


def _read(
    units: Units,
    y: Floats,
    predict: Predict,
    *,
    figures: dict[str, Callable[[Floats, Floats, Floats], Floats]],
    bootstrap: Bootstrap,
) -> tuple[SoftFigure, ...]:
    people, place = np.unique(units.subject, return_inverse=True)
    of_people = _deal_evenly(people, place, y, seed=bootstrap.seed)
    by_unit = deal(np.arange(len(units)), _N_FOLDS, seed=bootstrap.seed)
    leaky, sound = (_predict_folds(units, y, predict, fold) for fold in (by_unit, of_people[place]))
    plain = _predict_folds(units, y, _mean, of_people[place])
    drawn = draw_counts(len(people), first=0, size=bootstrap.n_resamples, seed=bootstrap.seed).T.astype(float)
    share = shares_of(units.subject)
    person_p, person_y = (np.bincount(place, weights=share * values).astype(float) for values in (sound, y))
    out = []
    for name, figure in figures.items():

        def of(p: Floats, weights: Floats, figure: Callable[..., Floats] = figure) -> Floats:
            return figure(y, p, weights[:, place] * share)

        once = np.ones((1, len(people)))
        values = {key: (of(p, once)[0], of(p, drawn)) for key, p in (("leaky", leaky), ("sound", sound))}
        values["person"] = figure(person_y, person_p, once)[0], figure(person_y, person_p, drawn)
        values["leakage"] = tuple(a - b for a, b in zip(values["leaky"], values["sound"], strict=True))
        estimates = {key: _estimate(*pair, n=len(people), bootstrap=bootstrap) for key, pair in values.items()}
        baseline = 0.5 if name == "auroc" else float(of(plain, once)[0])
        out.append(
            SoftFigure(
                name, estimates["leaky"], estimates["sound"], estimates["person"], baseline, estimates["leakage"]
            )
        )
    return tuple(out)


def _estimate(value: float, values: Floats, *, n: int, bootstrap: Bootstrap) -> Estimate:
    found = interval(values, level=bootstrap.level)
    return Estimate(float(value), found.lower, found.upper, n, bootstrap.n_resamples)


def _deal_evenly(people: Places, place: Places, y: Floats, *, seed: int) -> Places:
    """Deal people to folds so that each fold has as many of each sex, or the same spread of ages."""
    answer = np.bincount(place, weights=y) / np.bincount(place)
    shuffled = np.random.default_rng(seed).permutation(len(people))
    fold = np.empty(len(people), dtype=np.intp)
    fold[shuffled[np.argsort(answer[shuffled], kind="stable")]] = np.arange(len(people)) % _N_FOLDS
    return fold


def _predict_folds(units: Units, y: Floats, predict: Predict, fold: Places) -> Floats:
    """Predict each fold from the others."""
    out = np.empty(len(units))
    for k in range(_N_FOLDS):
        learn, judge = units.take(fold != k), units.take(fold == k)
        if units.view == "beats":
            rows = [standardise(part.x).reshape(len(part), -1) for part in (learn, judge)]
        else:
            scale = fit_scale(learn.x)
            rows = [scale(part.x) for part in (learn, judge)]
        out[fold == k] = predict(rows[0], y[fold != k], rows[1])
    return out


def _mean(learn: Floats, y: Floats, judge: Floats) -> Floats:
    return np.full(len(judge), y.mean())
