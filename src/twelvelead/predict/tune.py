"""Hyper-parameters of the trees, searched under a budget on development patients alone."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from twelvelead.predict.deal import deal, number_patients
from twelvelead.predict.events import as_events
from twelvelead.predict.grow import Growth, Rows, grow, margin
from twelvelead.predict.thin import thin
from twelvelead.terms import MissingExtra, StudyError

N_FOLDS = 5
PATIENCE = 20
PER_EVENT = 10
"""Recordings without the event for each with it where there are many; each then counts for as many as it stands for."""

START = {
    "learning_rate": 0.05,
    "max_depth": 3,
    "min_child_weight": 0.5,
    "reg_lambda": 0.3,
    "subsample": 0.7,
    "colsample": 0.3,
}
"""The defaults of `RiskClassifier`, always the first trial: what is found is never worse on these folds."""


@dataclass(frozen=True, eq=False)
class Tuning:
    """What was tried, and what did best.

    Parameters
    ----------
    chosen : dict
        Arguments for `RiskClassifier`.
    trials : DataFrame with columns trial, log_loss, and one per hyper-parameter
        In the order tried; `log_loss` is per recording, the mean over folds.
    """

    chosen: dict[str, Any]
    trials: pl.DataFrame


def tune(
    X: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    seed: int,
    n_trials: int | None = None,
    budget_s: float | None = None,
    rounds: int = 400,
) -> Tuning:
    """Search for the hyper-parameters with the lowest log loss on patients that a model was not trained on.

    Parameters
    ----------
    X : array or DataFrame of shape (n_recordings, n_features)
        Predictors of development recordings; NaN or null where missing. Never of those that the model is tested on.
    y : array of shape (n_recordings,)
        Outcome, two classes; the one that sorts last is the event.
    groups : array of shape (n_recordings,) or None
        The patient of each recording. None: every recording is a patient of its own.
    seed : int
        Of the folds, the trees and the search.
    n_trials : int or None
        Most trials. With it alone the same input and seed choose the same.
    budget_s : float or None
        Seconds after which no further trial begins; the first always does. How many there were then depends on the
        machine.
    rounds : int
        Most rounds of a model; it stops early as `RiskClassifier` does.

    Returns
    -------
    Tuning

    Raises
    ------
    StudyError
        If there is neither a number of trials nor a budget, or the outcome is too rare for the folds.
    MissingExtra
        If optuna is not installed.

    Notes
    -----
    Tree-structured Parzen estimators [1]_. In each of five folds of patients a model trains on three, stops early on
    the next and is judged on the last, so that what is judged had no part in it. Nothing here corrects the optimism of
    having chosen the best of many: validate the model on other patients.

    References
    ----------
    .. [1] Akiba T et al. Optuna: a next-generation hyperparameter optimization framework. doi:10.1145/3292500.3330701
    """
    if (n_trials is None and budget_s is None) or (n_trials is not None and n_trials < 1):
        msg = f"a search needs n_trials of 1 or more, or budget_s; got {n_trials} and {budget_s}. Give one or both."
        raise StudyError(msg)
    optuna = _optuna()
    table = check_array(X, dtype=np.float32, ensure_all_finite="allow-nan")
    outcome = column_or_1d(y)
    check_consistent_length(table, outcome)
    _, event = as_events(outcome)
    patients = number_patients(groups, len(event))
    folds = deal(event, patients, n_folds=N_FOLDS, seed=seed)
    rows = Rows(table, event)

    def judge(trial: Any) -> float:  # noqa: ANN401 (optuna has no types)
        growth = Growth(rounds=rounds, seed=seed, **_suggest(trial))
        return float(np.mean([_loss(rows, folds, fold, growth) for fold in range(N_FOLDS)]))

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        search = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        search.enqueue_trial(START)
        started = time.monotonic()
        search.optimize(judge, n_trials=1)
        left = None if budget_s is None else budget_s - (time.monotonic() - started)
        if n_trials != 1 and (left is None or left > 0):
            search.optimize(judge, n_trials=None if n_trials is None else n_trials - 1, timeout=left)
    finally:
        optuna.logging.set_verbosity(before)
    trials = pl.DataFrame([{"trial": t.number, "log_loss": t.value, **t.params} for t in search.trials])
    return Tuning({"rounds": rounds, "early_stopping": PATIENCE, **search.best_params}, trials)


def _suggest(trial: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.3, log=True),
        "max_depth": trial.suggest_int("max_depth", 1, 6),
        "min_child_weight": trial.suggest_float("min_child_weight", 0.1, 30.0, log=True),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.1, 30.0, log=True),
        "subsample": trial.suggest_float("subsample", 0.5, 1.0),
        "colsample": trial.suggest_float("colsample", 0.2, 1.0),
    }


def _loss(rows: Rows, folds: NDArray[np.int32], fold: int, growth: Growth) -> float:
    """Log loss per recording of one fold, by a model that stopped on the next and trained on the others."""
    stop = (fold + 1) % N_FOLDS
    parts = [np.flatnonzero(which) for which in ((folds != fold) & (folds != stop), folds == stop, folds == fold)]
    train, watched, judged = (_thinned(rows, part, growth.seed) for part in parts)
    trees = grow(train, growth, tune=watched, patience=PATIENCE)
    odds = margin(trees, judged.X)
    return float(np.average(np.logaddexp(0.0, odds) - judged.y * odds, weights=judged.weights))


def _thinned(rows: Rows, part: NDArray[np.intp], seed: int) -> Rows:
    kept, weights = thin(rows.y[part], per_event=PER_EVENT, seed=seed)
    return rows.take(part[kept])._replace(weights=weights)


def _optuna() -> Any:  # noqa: ANN401
    try:
        import optuna
    except ImportError as error:
        msg = "a search for hyper-parameters needs optuna. Run: pip install 'twelvelead[tune]'"
        raise MissingExtra(msg) from error
    return optuna
