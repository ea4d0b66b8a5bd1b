"""Which predictors to keep: recursive feature elimination as one nested pass."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from twelvelead.predict.grow import Floats, Given, Growth, Rows, margin, matrix
from twelvelead.predict.placements import Placed, error_between, place
from twelvelead.predict.thin import thin
from twelvelead.terms import StudyError

IMPORTANCES = ("gain", "total_gain", "shap")
RULES = ("best", "one_se", "near_best")

NEAR = 0.002
"""An AUROC that is given up for fewer predictors under "near_best", at most."""

PER_EVENT = 4
"""Training recordings without the event for each with it, where there are many."""

JUDGED_PER_EVENT = 10
"""The same of the tuning recordings: they cost less."""

EXPLAINED = 1000
"""Training recordings whose Shapley values rank the predictors."""


@dataclass(frozen=True)
class Step:
    """The predictors that were left at one point of the elimination, and how well they did.

    Parameters
    ----------
    features : tuple of str
        Predictors kept, in the order of the table.
    auroc : float
        AUROC on the tuning recordings of a model that was trained on just these; of several folds the mean.
    allowance : float
        How far below the best AUROC it may be and still be chosen: see the rules of `eliminate`.
    """

    features: tuple[str, ...]
    auroc: float
    allowance: float = 0.0

    @property
    def n_features(self) -> int:
        """Number of predictors kept."""
        return len(self.features)


@dataclass(frozen=True)
class Elimination:
    """The whole elimination, most predictors first.

    Examples
    --------
    >>> Elimination((Step(("a", "b", "c"), 0.70), Step(("a", "b"), 0.72), Step(("a",), 0.72))).chosen.features
    ('a',)
    >>> Elimination((Step(("a", "b"), 0.72), Step(("a",), 0.71, allowance=0.02))).chosen.features
    ('a',)
    """

    steps: tuple[Step, ...]

    @property
    def chosen(self) -> Step:
        """The step with fewest predictors that is not farther below the highest tuning AUROC than it may be."""
        best = max(step.auroc for step in self.steps)
        return min((s for s in self.steps if s.auroc >= best - s.allowance), key=lambda s: s.n_features)


def eliminate(  # noqa: PLR0913 (every choice is an argument, as in scikit-learn)
    train: Given,
    tune: Given,
    *,
    names: Sequence[str],
    growth: Growth,
    step: float,
    smallest: int,
    importance: str = "gain",
    rule: str = "best",
) -> Elimination:
    """Drop the least important predictors, again and again, and note how well the rest predict.

    Parameters
    ----------
    train, tune : Rows, or (ndarray of shape (n_recordings, n_features), ndarray of shape (n_recordings,))
        Predictors and outcomes to train on, and to score each step on. No patient may be in both.
    names : sequence of str
        Names of the predictors, the columns of both tables.
    growth : Growth
        How the trees of every step are grown: all its rounds, none of them evaluated.
    step : float
        Predictors dropped at a time: an integer from 1, or a share of those left, in (0, 1).
    smallest : int
        Where to stop.
    importance : {"gain", "total_gain", "shap"}
        Mean fall of the loss per split on the predictor; the sum over its splits; or the mean |Shapley value| over a
        thousand of the training recordings.
    rule : {"best", "one_se", "near_best"}
        Which step is chosen: the highest AUROC; the fewest predictors whose AUROC is within one standard error of its
        difference from the highest; or the same, but not more than `NEAR` below. Of equals the one with fewest
        predictors.

    Returns
    -------
    Elimination
        One step per number of predictors tried.

    Raises
    ------
    StudyError
        If a choice can't be carried out.

    Notes
    -----
    Dropping one at a time and ranking by the same training recordings, the predictors left at size k don't depend on
    where the elimination is to stop. So one pass of p − k + 1 fits gives what a loop of `sklearn.feature_selection.RFE`
    [1]_ over every final size k gives with one elimination per size: for 22 predictors down to 4, 19 fits instead
    of 189. Predictors of equal importance go in the order of their names, last first, so that the order of the table's
    columns does not matter to which of them stays.

    Beyond 20,000 recordings, `PER_EVENT` training recordings of the commoner class are drawn for each of the rarer, and
    `JUDGED_PER_EVENT` tuning recordings (see `thin`): an AUROC does not depend on how many there are of either class.

    The standard error of a difference takes patients as the units of chance, and both AUROCs as of the same recordings
    (see `error_between`). The rule is that of classification trees [2]_, where the error is that of the best alone.
    With few events it takes for equal what it can't tell apart: with 88 among 50,000 recordings, and five to nine of
    twenty predictors planted, a test AUROC of 0.730 where the best step had 0.746. "near_best" does not.

    References
    ----------
    .. [1] Guyon I et al. Gene selection for cancer classification using support vector machines.
       doi:10.1023/A:1012487302797
    .. [2] Breiman L, Friedman JH, Olshen RA, Stone CJ. Classification and regression trees. Wadsworth, 1984.
    """
    how = _Descent(tuple(names), growth=growth, step=step, smallest=smallest, importance=importance)
    return _assemble([_descend(Rows(*train), how, Rows(*tune))], rule)


def eliminate_by_folds(  # noqa: PLR0913 (as `eliminate`)
    rows: Given,
    folds: NDArray[np.int32],
    *,
    names: Sequence[str],
    growth: Growth,
    step: float,
    smallest: int,
    importance: str = "gain",
    rule: str = "best",
    n_jobs: int = 1,
) -> Elimination:
    """Choose the number of predictors by cross-validation, and the predictors by all recordings.

    Parameters
    ----------
    rows : Rows, or (predictors, outcomes)
        Development recordings.
    folds : ndarray of int, shape (n_recordings,)
        The fold of each; no patient may be in two.
    names, growth, step, smallest, importance, rule
        As `eliminate` has them.
    n_jobs : int
        Passes at a time. Results don't depend on it.

    Returns
    -------
    Elimination
        The steps of a pass over all recordings; their AUROCs are the means of those of the folds' own passes at the
        same number of predictors, each on the fold that it was not trained on.

    Raises
    ------
    StudyError
        If a choice can't be carried out.

    Notes
    -----
    The protocol of `sklearn.feature_selection.RFECV`: elimination is inside the cross-validation, so that a fold judges
    predictors that it had no part in choosing.
    """
    how = _Descent(tuple(names), growth=growth, step=step, smallest=smallest, importance=importance)
    given = Rows(*rows)

    def descend(fold: int | None) -> _Path:
        if fold is None:
            return _descend(given, how)
        return _descend(given.take(folds != fold), how, given.take(folds == fold))

    passes: list[int | None] = [None, *np.unique(folds).tolist()]
    with ThreadPoolExecutor(max_workers=max(1, n_jobs)) as pool:
        whole, *parts = pool.map(descend, passes)
    return _assemble([replace(part, features=whole.features) for part in parts], rule)


@dataclass(frozen=True)
class _Descent:
    """How predictors are dropped."""

    names: tuple[str, ...]
    growth: Growth
    step: float
    smallest: int
    importance: str

    def __post_init__(self) -> None:
        step, names = self.step, self.names
        if not (0 < step < 1 or (step >= 1 and step == int(step))):
            msg = f"step must be a share in (0, 1) or a whole number from 1; got {step}. Use 1 to drop one at a time."
            raise StudyError(msg)
        if self.smallest < 1:
            msg = f"smallest must be at least 1 predictor; got {self.smallest}. Use 1 or more."
            raise StudyError(msg)
        _check_choice("importance", self.importance, IMPORTANCES)
        if len(set(names)) != len(names) or not names:
            apart = len(set(names))
            msg = f"names must be distinct, one per predictor; got {len(names)} of which {apart} differ. Rename."
            raise StudyError(msg)

    def count(self, n_left: int) -> int:
        """Return how many predictors are dropped where so many are left."""
        wanted = max(1, int(self.step * n_left)) if self.step < 1 else int(self.step)
        return max(0, min(wanted, n_left - self.smallest))


@dataclass(frozen=True)
class _Path:
    """The predictors left at each point; how each point ranks the tuning recordings; whose those are."""

    features: tuple[tuple[str, ...], ...]
    placed: tuple[Placed, ...] = ()
    sides: tuple[int, int] = (0, 0)


def _descend(train: Rows, how: _Descent, tune: Rows | None = None) -> _Path:
    training = _thinned(train, per_event=PER_EVENT, seed=how.growth.seed)
    tuning = None if tune is None else _thinned(tune, per_event=JUDGED_PER_EVENT, seed=how.growth.seed)
    kept = np.arange(len(how.names))
    table = _Cut.of(training, kept)
    features, placed = [], []
    while True:
        if not (how.growth.sees_everything and table.holds_not_twice(kept)):
            table = _Cut.of(training, kept)
        booster = table.grow(kept, how.growth)
        names = [how.names[int(i)] for i in kept]
        features.append(tuple(names))
        if tuning is not None:
            placed.append(place(tuning.y, margin(booster, tuning.X[:, table.columns]), tuning.patients))
        n_drop = how.count(len(kept))
        if not n_drop:
            return _Path(tuple(features), tuple(placed), (0, 0) if tuning is None else tuning.count_patients())
        by_name = np.argsort(np.argsort(names))
        importances = _importances(booster, table.rows, how)[np.isin(table.columns, kept)]
        kept = np.delete(kept, np.lexsort((-by_name, importances))[:n_drop])


@dataclass(frozen=True, eq=False)
class _Cut:
    """Some of the predictors of the training recordings, of which trees are grown with all or with few."""

    rows: Rows
    columns: NDArray[np.intp]
    matrix: xgb.DMatrix

    @classmethod
    def of(cls, training: Rows, columns: NDArray[np.intp]) -> "_Cut":
        rows = training.select(columns)
        return cls(rows, columns, rows.matrix())

    def holds_not_twice(self, kept: NDArray[np.intp]) -> bool:
        """Say whether at least half of what is here is wanted: more, and to cut out anew is quicker."""
        return 2 * len(kept) >= len(self.columns)

    def grow(self, kept: NDArray[np.intp], growth: Growth) -> xgb.Booster:
        """Grow trees of the predictors that are kept, which are the same trees as if the others were not there."""
        params = growth.params(len(kept))
        if len(kept) < len(self.columns):
            self.matrix.set_info(feature_weights=np.isin(self.columns, kept).astype(np.float32))
            params["colsample_bytree"] = (len(kept) + 0.5) / len(self.columns)  # rounded down to as many as are kept
        return xgb.train(params, self.matrix, num_boost_round=growth.rounds)


def _assemble(paths: Sequence[_Path], rule: str) -> Elimination:
    """Make one elimination of the passes that judged it: one, or one per fold."""
    _check_choice("rule", rule, RULES)
    aurocs = np.mean([[placed.auroc for placed in path.placed] for path in paths], axis=0)
    best = int(np.argmax(aurocs))
    variance = np.zeros(len(aurocs))
    for path in paths if rule != "best" else ():
        variance += [error_between(path.placed[best], placed, path.sides) ** 2 for placed in path.placed]
    allowances = np.sqrt(variance) / len(paths)
    if rule == "near_best":
        allowances = np.minimum(allowances, NEAR)
    steps = zip(paths[0].features, aurocs.tolist(), allowances.tolist(), strict=True)
    return Elimination(tuple(Step(features, auroc, allowance) for features, auroc, allowance in steps))


def _thinned(rows: Rows, *, per_event: int, seed: int) -> Rows:
    places, _ = thin(rows.y, per_event=per_event, seed=seed)
    return rows if len(places) == len(rows.y) else rows.take(places)


def _importances(booster: xgb.Booster, rows: Rows, how: _Descent) -> Floats:
    if how.importance == "shap":
        rng = np.random.default_rng(how.growth.seed)
        some = rng.choice(len(rows.y), min(EXPLAINED, len(rows.y)), replace=False, shuffle=False)
        values = booster.predict(matrix(rows.X[some]), pred_contribs=True)[:, :-1]
        out: Floats = np.mean(np.abs(values), axis=0, dtype=np.float64)
        return out
    gains = np.zeros(rows.X.shape[1])
    for name, gain in booster.get_score(importance_type=how.importance).items():
        gains[int(name.removeprefix("f"))] = gain
    return gains


def _check_choice(what: str, choice: str, choices: Sequence[str]) -> None:
    if choice not in choices:
        msg = f"{what} must be one of {', '.join(choices)}; got {choice!r}. Choose one of them."
        raise StudyError(msg)
