"""Why a risk is what it is: exact Shapley values on the log-odds scale."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted, validate_data

from twelvelead.predict.forest import Forest, expected_margins, plant, root_model, single
from twelvelead.predict.risk_model import RiskClassifier
from twelvelead.predict.shapley import shapley_values
from twelvelead.predict.trees import Floats, Ints, Singles
from twelvelead.terms import Error, InputError

ADDS_UP_TO = 2e-5
"""Most that a recording's values may be off the margin, which XGBoost sums in float32; 5e-6 is what is seen."""

N_REASONS = 3


def explain(model: RiskClassifier, X: ArrayLike, recording_ids: Sequence[str]) -> pl.DataFrame:
    """Say how much each measurement raised or lowered each recording's log-odds.

    Parameters
    ----------
    model : RiskClassifier
        Fitted.
    X : array or DataFrame of shape (n_recordings, n_features)
        Predictors, as the model was fitted on.
    recording_ids : sequence of str
        One per row of `X`.

    Returns
    -------
    DataFrame with columns recording_id, feature, value, shap
        One row per recording and predictor that any member of the model takes; `value` is null where missing, `shap` in
        log-odds. Recordings in the order given, predictors in the order of the table. With `base_value` a recording's
        values add up to the model's margin.

    Raises
    ------
    InputError
        If there is not one id per recording, or an id repeats.
    Error
        If the values don't add up to the margin, which would be a fault of ours.

    Notes
    -----
    TreeSHAP [1]_, path-dependent: what is expected with a predictor unknown comes from the share of training recordings
    that went either way in each tree, so no background sample is needed and the values are exact for that expectation.
    Correlated predictors share the credit as the trees happened to. The model's margin is the mean of its
    members', and Shapley values are linear, so the model's are the mean of theirs. Calibration is a curve upon the
    margin and keeps the order of the reasons. The arithmetic is in `shapley_values` and agrees with XGBoost's own to
    1e-5, which is the error of its single precision.

    A study that explains thousands of recordings stores `shap_values` instead, one column per predictor: this long
    table repeats every id and name in each of its rows.

    References
    ----------
    .. [1] Lundberg SM et al. From local explanations to global understanding with explainable AI for trees.
       doi:10.1038/s42256-019-0138-9
    """
    table, shap, used = _contributions(model, X)
    ids = list(recording_ids)
    if len(ids) != len(table) or len(set(ids)) != len(ids):
        msg = (
            f"recording_ids must name each of the {len(table)} recordings once; "
            f"got {len(ids)} of which {len(set(ids))} differ. Pass one per row."
        )
        raise InputError(msg)
    names = [model.feature_names_[i] for i in used]
    return pl.DataFrame(
        {
            "recording_id": np.repeat(np.array(ids, dtype=object), len(used)).tolist(),
            "feature": names * len(ids),
            "value": pl.Series(table[:, used].ravel()).fill_nan(None),
            "shap": shap.ravel(),
        },
        schema={"recording_id": pl.String, "feature": pl.String, "value": pl.Float64, "shap": pl.Float64},
    )


def shap_values(model: RiskClassifier, X: ArrayLike, *, n_jobs: int = 1) -> tuple[Singles, tuple[str, ...]]:
    """Say the same as `explain` in a wide array, as a study stores it.

    Parameters
    ----------
    model : RiskClassifier
        Fitted.
    X : array or DataFrame of shape (n_recordings, n_features)
        Predictors, as the model was fitted on.
    n_jobs : int
        Threads; the result doesn't depend on it.

    Returns
    -------
    ndarray of float32, shape (n_recordings, n_used)
        Shapley values, log-odds.
    tuple of str, length n_used
        The predictors that any member takes, in the order of the table.

    Raises
    ------
    Error
        If the values don't add up to the margin, which would be a fault of ours.
    """
    _, shap, used = _contributions(model, X, n_jobs=n_jobs)
    return shap.astype(np.float32), tuple(model.feature_names_[i] for i in used)


def base_value(model: RiskClassifier) -> float:
    """Return the log-odds with every predictor unknown, from which the Shapley values start."""
    return float(expected_margins(_plant_alone(model))[0])


def strongest(shap: Floats, names: Sequence[str]) -> Ints:
    """Return the three strongest reasons of each recording as columns of a wide array.

    Parameters
    ----------
    shap : ndarray, shape (n_recordings, n_used)
        Shapley values, log-odds.
    names : sequence of str
        Their predictors.

    Returns
    -------
    ndarray of int64, shape (n_recordings, 3)
        By falling |shap|, equals by the predictor's name; −1 where there are fewer reasons other than 0.

    Examples
    --------
    >>> strongest(np.array([[-0.4, 0.7, 0.0]]), ["qrs_duration_ms", "age_years", "heart_rate_bpm"]).tolist()
    [[1, 0, -1]]
    """
    by_name = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    strength = np.abs(shap[:, by_name])
    order = np.argsort(-strength, axis=1, kind="stable")[:, :N_REASONS]
    out = np.full((len(shap), N_REASONS), -1, dtype=np.int64)
    out[:, : order.shape[1]] = np.where(np.take_along_axis(strength, order, axis=1) > 0, by_name[order], -1)
    return out


def top_reasons(explanation: pl.DataFrame) -> pl.DataFrame:
    """Return the three strongest reasons of each recording, side by side, as `terms.RISKS` has them.

    Parameters
    ----------
    explanation : DataFrame with columns recording_id, feature, value, shap
        As `explain` returns it.

    Returns
    -------
    DataFrame with columns recording_id, and reason_k, reason_k_value, reason_k_shap for k = 1, 2, 3
        By falling |shap|, equals by the predictor's name; null where there are fewer reasons other than 0. Recordings
        in the order of `explanation`.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "recording_id": ["r", "r", "r"], "feature": ["qrs_duration_ms", "age_years", "heart_rate_bpm"],
    ...     "value": [120.0, 70.0, None], "shap": [-0.4, 0.7, 0.0],
    ... })
    >>> top_reasons(table).select("reason_1", "reason_2", "reason_2_shap", "reason_3").row(0)
    ('age_years', 'qrs_duration_ms', -0.4, None)
    """
    ranked = (
        explanation.filter(pl.col("shap") != 0)
        .with_columns(strength=pl.col("shap").abs())
        .sort("strength", "feature", descending=[True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1).over("recording_id"))
    )
    out = explanation.select(pl.col("recording_id").unique(maintain_order=True))
    for k in range(1, N_REASONS + 1):
        kth = ranked.filter(rank=k).select(
            "recording_id",
            pl.col("feature").alias(f"reason_{k}"),
            pl.col("value").alias(f"reason_{k}_value"),
            pl.col("shap").alias(f"reason_{k}_shap"),
        )
        out = out.join(kth, on="recording_id", how="left", validate="1:1", maintain_order="left")
    return out


def _contributions(model: RiskClassifier, X: ArrayLike, *, n_jobs: int = 1) -> tuple[Floats, Floats, Ints]:
    """Predictors, Shapley values of those that any member takes, and which these are."""
    check_is_fitted(model)
    margin = model.margin(X)
    table: Floats = validate_data(model, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
    forest = _plant_alone(model)
    values, asked = shapley_values(forest, single(forest, table), n_jobs=n_jobs)
    used = np.unique(np.concatenate([member.columns for member in model.members_]))
    shap = np.zeros((len(table), len(used)))
    shap[:, np.searchsorted(used, asked)] = values
    off = float(np.max(np.abs(shap.sum(axis=1) + expected_margins(forest)[0] - margin), initial=0.0))
    if not off <= ADDS_UP_TO:
        msg = f"Shapley values must add up to the margin within {ADDS_UP_TO}; got {off:.3g} off. Report this as a bug."
        raise Error(msg)
    return table, shap, used


def _plant_alone(model: RiskClassifier) -> Forest:
    return plant([root_model(model)], model.feature_names_)
