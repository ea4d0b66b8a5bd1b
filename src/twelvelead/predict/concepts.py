"""What a predictor is about: rate, atria, conduction, …; and what each of these contributes to a risk."""

import fnmatch
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.predict.trees import Floats
from twelvelead.terms import InputError

CONCEPTS: dict[str, tuple[str, ...]] = {
    "demographics": ("age_years", "sex_male"),
    "embedding": ("embedding", "embedding_*"),
    "quality": ("noise_*", "lead_*", "baseline_wander_mv", "beat_scatter_mv", "einthoven_residual_mv"),
    "axis": ("*_axis_*", "*_azimuth_deg", "qrs_elevation_deg", "t_elevation_deg", "qrs_t_angle_*", "qrs_t_peak_*"),
    "rate": ("heart_rate_bpm", "rr_*", "beat_*"),
    "atrial": ("p_*", "f_wave_*", "af_*", "flutter_*"),
    "conduction": (
        "pr_*", "qrs_duration_*", "qrs_lead_duration_*", "qrs_onset_slope_*", "r_peak_time_*", "r_prime_*", "s_prime_*",
        "r_duration_*", "s_duration_*", "s_lateral_duration_ms", "rsr_count", "pacing_*", "lbbb", "rbbb",
    ),
    "repolarisation": (
        "qt_*", "qtc_*", "jt_*", "t_*", "u_*", "tpeak_tend_ms", "tinversion", "qrs_t_concordance_ratio",
        "ventricular_gradient_mvms", "qrst_*",
    ),
    "voltage": (
        "sokolow_lyon_mv", "cornell_*", "peguero_*", "*_voltage_*", "r_amplitude_*", "s_amplitude_*", "qrs_area_*",
        "qrs_vector_magnitude_mv", "lvh",
    ),
    "morphology": (
        "q_*", "qs_count", "st_*", "r_share_*", "r_transition_ratio", "r_progression_mv", "r_anterior_minimum_mv",
        "qrs_complexity_ratio", "qrs_fragmented_count", "qrs_notch_*", "jj_amplitude_*", "deflection_*", "r_ragged_*",
        "r_diphasic_*", "poor_r_progression",
    ),
    "clinical": (
        "bmi_*", "height_*", "weight_*", "waist_*", "systolic_*", "diastolic_*", "sbp_*", "dbp_*", "*_mmhg", "za_*",
    ),
}  # fmt: skip
"""Names of the predictors of each concept, `*` standing for anything; the first concept that fits is it. Morphology
is what speaks of ischaemia, infarction and scar: Q waves, ST, R progression, notches."""
OTHER = "other"

_PUBLISHED = ("uci_", "za_")
"""How measurements begin that only one published database has."""


def concept_of(predictor: str) -> str:
    """Return what a predictor is about: a key of `CONCEPTS`, or `other`.

    Examples
    --------
    >>> [concept_of(name) for name in ("qtc_bazett_ms", "t_axis_deg", "r_prime_duration_v1_ms", "delay_h")]
    ['repolarisation', 'axis', 'conduction', 'other']
    """
    plain = predictor
    for prefix in _PUBLISHED:
        plain = plain.removeprefix(prefix)
    for name in (plain, predictor):
        for concept, patterns in CONCEPTS.items():
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                return concept
    return OTHER


def by_concept(explanation: pl.DataFrame, *, concepts: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Add each recording's Shapley values up by what the predictors are about.

    Parameters
    ----------
    explanation : DataFrame with columns feature, shap, and those that tell recordings (and targets, sets) apart
        As `explain` returns it, or keeping `terms.SHAP`.
    concepts : mapping of str to str, or None
        The concept of predictors that `concept_of` does not know, or that are to be counted elsewhere.

    Returns
    -------
    DataFrame
        The columns that tell recordings apart, concept, and shap in log-odds; in the order of first appearance.

    Notes
    -----
    Exact: Shapley values are additive, so with the base value the concepts' sums add up to the margin, too. Correlated
    predictors share credit as the trees happened to; within a concept that does not matter.

    Examples
    --------
    >>> table = pl.DataFrame({
    ...     "recording_id": ["r"] * 3, "feature": ["qt_interval_ms", "jt_interval_ms", "age_years"],
    ...     "value": [400.0, 300.0, 70.0], "shap": [0.5, -0.25, 0.125],
    ... })
    >>> by_concept(table).rows()
    [('r', 'repolarisation', 0.25), ('r', 'demographics', 0.125)]
    """
    names = explanation["feature"].unique().to_list()
    known = {name: (concepts or {}).get(name) or concept_of(name) for name in names}
    keys = [c for c in explanation.columns if c not in {"feature", "value", "shap"}]
    return (
        explanation.with_columns(concept=pl.col("feature").replace_strict(known, return_dtype=pl.String))
        .group_by(*keys, "concept", maintain_order=True)
        .agg("shap")
        .with_columns(pl.col("shap").list.sum())  # in the order of the rows, on any number of threads
    )


def sum_by_concept(
    shap: NDArray[np.floating], predictors: Sequence[str], *, concepts: Mapping[str, str] | None = None
) -> tuple[Floats, tuple[str, ...]]:
    """Do the same as `by_concept` for a wide array, as `shap_values` returns it.

    Parameters
    ----------
    shap : ndarray, shape (n_recordings, n_used)
        Shapley values, log-odds.
    predictors : sequence of str
        Their predictors.
    concepts : mapping of str to str, or None
        As in `by_concept`.

    Returns
    -------
    ndarray of float64, shape (n_recordings, n_concepts)
        Sums, log-odds.
    tuple of str
        The concepts that occur, in the order of `CONCEPTS`, then others by name.

    Raises
    ------
    InputError
        If there is not one predictor per column.
    """
    if shap.ndim != 2 or shap.shape[1] != len(predictors):
        msg = f"predictors must name each column; got {len(predictors)} for shape {shap.shape}. Pass one per column."
        raise InputError(msg)
    each = [(concepts or {}).get(name) or concept_of(name) for name in predictors]
    there = tuple(c for c in CONCEPTS if c in each) + tuple(sorted(set(each) - set(CONCEPTS)))
    belongs = np.array([[concept == c for c in there] for concept in each], dtype=np.float64)
    # Not a matrix product: its order of sums, and so the last bit, depends on the machine.
    sums = [np.sum(shap[:, column > 0], axis=1, dtype=np.float64) for column in belongs.T]
    return np.stack(sums, axis=1) if sums else np.empty((len(shap), 0)), there


def concept_importance(
    shap: NDArray[np.floating], predictors: Sequence[str], *, concepts: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Say how much each concept moves the log-odds of a recording, in the mean.

    Parameters
    ----------
    shap, predictors, concepts
        As in `sum_by_concept`.

    Returns
    -------
    DataFrame with columns concept, n_predictors, mean_abs_shap
        The mean over recordings of |sum of the concept's Shapley values|, log-odds; the strongest first. Smaller than
        the sum of the predictors' own means wherever they pull against each other.

    Examples
    --------
    >>> shap = np.array([[0.5, -0.25, 0.125], [-0.5, 0.25, 0.125]])
    >>> concept_importance(shap, ["qt_interval_ms", "jt_interval_ms", "age_years"]).rows()
    [('repolarisation', 2, 0.25), ('demographics', 1, 0.125)]
    """
    sums, there = sum_by_concept(shap, predictors, concepts=concepts)
    each = [(concepts or {}).get(name) or concept_of(name) for name in predictors]
    mean = np.abs(sums).sum(axis=0) / max(1, len(sums))
    return pl.DataFrame(
        {"concept": there, "n_predictors": [each.count(c) for c in there], "mean_abs_shap": mean},
        schema={"concept": pl.String, "n_predictors": pl.Int64, "mean_abs_shap": pl.Float64},
    ).sort("mean_abs_shap", "concept", descending=[True, False])
