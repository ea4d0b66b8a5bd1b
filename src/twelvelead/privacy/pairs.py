"""The attacker who has learnt, from pairs of other people's recordings, how far two rows of one person may differ."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.privacy.attacker import Attacker, mean_of
from twelvelead.privacy.lda import fit_scale
from twelvelead.privacy.units import Units

Floats = NDArray[np.float64]

_IMPOSTORS_PER_GENUINE = 4
_MOST_GENUINE = 2000
_TREES = {"n_estimators": 150, "max_depth": 4, "learning_rate": 0.1, "subsample": 0.8, "colsample_bytree": 0.5}


def attack(background: Units, gallery: Units, probe: Units, *, seed: int) -> Floats:
    """Judge each pair of rows by boosted trees on the absolute differences of their measurements; see `Attack`.

    The trees learn from pairs of the background: all pairs of units of one person, of two recordings where there are
    such, and four pairs of two people for each. The score is the log-odds of one person.
    """
    from xgboost import XGBClassifier

    scale = fit_scale(background.x)
    rows = scale(background.x)
    first, second, same = draw_pairs(background, np.random.default_rng(seed))
    model = XGBClassifier(**_TREES, tree_method="hist", n_jobs=1, random_state=seed, verbosity=0)
    model.fit(np.abs(rows[first] - rows[second]).astype(np.float32), same)
    known, looked_for = mean_of(scale(gallery.x), gallery.subject), mean_of(scale(probe.x), probe.group)
    apart = np.abs(looked_for[:, None] - known).astype(np.float32)
    log_odds = model.predict(apart.reshape(-1, apart.shape[-1]), output_margin=True)
    scores: Floats = log_odds.reshape(apart.shape[:2]).astype(float)
    return scores


def draw_pairs(units: Units, rng: np.random.Generator) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Draw pairs of units to learn from.

    Parameters
    ----------
    units : Units
        Labelled.
    rng : Generator
        Of what is drawn.

    Returns
    -------
    first, second : ndarray of int, shape (n_pairs,)
        Places in `units`.
    same : ndarray of int, shape (n_pairs,)
        1 where both are of one person.
    """
    first, second = np.triu_indices(len(units), k=1)
    same = units.subject[first] == units.subject[second]
    genuine = np.flatnonzero(same)
    apart = units.group[first[genuine]] != units.group[second[genuine]]
    genuine = genuine[apart] if apart.any() else genuine
    impostor = np.flatnonzero(~same)
    genuine = rng.choice(genuine, min(len(genuine), _MOST_GENUINE), replace=False)
    n_impostors = min(len(impostor), _IMPOSTORS_PER_GENUINE * len(genuine))
    kept = np.concatenate([genuine, rng.choice(impostor, n_impostors, replace=False)])
    return first[kept], second[kept], same[kept].astype(np.intp)


XGB_FEATURES = Attacker("xgb_features", "Boosted trees on pairs of measurements", "features", "background", attack)
