"""Why a target's full model says what it says: by predictor and concept, how firmly ranked, and whether elsewhere."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.predict import (
    EMBEDDING,
    block_of,
    concept_importance,
    concept_of,
    rank_agreement,
    reason_stability,
    sum_by_concept,
)
from twelvelead.terms import REASON_AGREEMENT, REASON_CONCEPTS, REASONS

TOP = 10
"""How many ranks count as being among the first."""

RESAMPLES = 500
"""Of patients: ranks are whole numbers, whose limits hardly move after that."""

RESAMPLES_OF_TWO = 200
"""The same for the agreement of two sets, each of whose resamples takes milliseconds."""

TABLES = {table.name: table for table in (REASONS, REASON_CONCEPTS, REASON_AGREEMENT)}

_Explained = tuple[NDArray[np.float64], list[str]]


def tabulate_reasons(
    shap: pl.DataFrame, people: pl.DataFrame, *, selection: pl.DataFrame, seed: int
) -> dict[str, pl.DataFrame]:
    """Rank what moved the risks of one target: predictors and concepts, in each set, and whether the sets agree.

    Parameters
    ----------
    shap : DataFrame keeping `terms.SHAP`
        Of one target and model: all its fits and sets.
    people : DataFrame with columns recording_id, set, patient_id
        The explained recordings are among these.
    selection : DataFrame keeping `terms.SELECTION`
        Of the same model's fits.
    seed : int
        Of the resamples of patients.

    Returns
    -------
    dict with the tables reasons, concepts and reason_agreement
        Each keeping its contract; empty where nothing is explained, and the last where there is one set only.

    Notes
    -----
    A predictor that a fold's model does not take counts as 0 in the recordings of that fold. In a cross-fitted study
    the internal reasons are those of the folds' models together, the external ones those of the model that is kept.
    An embedding counts as one predictor, chosen where any of its numbers is.
    """
    predictors = sorted(shap["feature"].unique())
    sets = {str(name): _widen(part, people, predictors) for (name,), part in shap.group_by("set")}
    chosen, n_numbers = _share_of_fits(selection), _count_numbers(selection)
    found: dict[str, list[pl.DataFrame]] = {name: [table.empty()] for name, table in TABLES.items()}
    for name, explained in sorted(sets.items()):
        place = {"target": shap["target"][0], "model": shap["model"][0], "set": name}
        found["reasons"].append(_rank_predictors(explained, predictors, chosen=chosen, place=place, seed=seed))
        found["concepts"].append(_rank_concepts(explained, predictors, n_numbers=n_numbers, place=place, seed=seed))
    if {"internal", "external"} <= sets.keys() and len(predictors) > 1:
        agreed = rank_agreement(
            sets["internal"], sets["external"], predictors=predictors, top=TOP, n_resamples=RESAMPLES_OF_TWO, seed=seed
        )
        place = {"target": shap["target"][0], "model": shap["model"][0]}
        found["reason_agreement"].append(
            REASON_AGREEMENT.select(_at(agreed, place).with_columns(n_predictors=pl.lit(len(predictors))))
        )
    return {name: TABLES[name].check(pl.concat(parts)) for name, parts in found.items()}


def _rank_predictors(
    explained: _Explained,
    predictors: Sequence[str],
    *,
    chosen: Mapping[str, float],
    place: Mapping[str, str],
    seed: int,
) -> pl.DataFrame:
    ranked = reason_stability(*explained, predictors=predictors, top=TOP, n_resamples=RESAMPLES, seed=seed)
    names = ranked["feature"].to_list()
    about = {"concept": [concept_of(name) for name in names], "chosen_share": [chosen.get(name, 0.0) for name in names]}
    return REASONS.select(_at(ranked.with_columns(pl.DataFrame(about)), place))


def _rank_concepts(
    explained: _Explained, predictors: Sequence[str], *, n_numbers: int, place: Mapping[str, str], seed: int
) -> pl.DataFrame:
    shap, patients = explained
    sums, concepts = sum_by_concept(shap, predictors)
    ranked = reason_stability(sums, patients, predictors=concepts, top=TOP, n_resamples=RESAMPLES, seed=seed)
    limits = ranked.select("rank", "rank_lower", "rank_upper", concept="feature")
    each = concept_importance(shap, predictors).join(limits, on="concept", how="left", maintain_order="left")
    counted = pl.when(pl.col("concept") == EMBEDDING).then(n_numbers).otherwise("n_predictors")
    return REASON_CONCEPTS.select(_at(each.with_columns(n_predictors=counted), place))


def _at(table: pl.DataFrame, place: Mapping[str, str]) -> pl.DataFrame:
    """Say of which target, model and set the rows are."""
    return table.with_columns(pl.lit(value).alias(name) for name, value in place.items())


def _widen(part: pl.DataFrame, people: pl.DataFrame, predictors: Sequence[str]) -> _Explained:
    """Return one row per recording, one column per predictor, 0 where the model of that recording does not take it."""
    wide = part.pivot(on="feature", index="recording_id", values="shap").sort("recording_id")
    absent = [pl.lit(0.0).alias(name) for name in predictors if name not in wide.columns]
    values = wide.with_columns(absent).select(pl.col(predictors).fill_null(0.0))
    of_set = people.filter(pl.col("set") == part["set"][0]).select("recording_id", "patient_id").unique()
    patients = wide.select("recording_id").join(of_set, on="recording_id", how="left", maintain_order="left")
    return values.to_numpy(), patients["patient_id"].to_list()


def _share_of_fits(selection: pl.DataFrame) -> dict[str, float]:
    """Return the share of the fits that chose each predictor, or any of a block."""
    chosen = selection.filter(pl.col("chosen"))
    counts = Counter(name for features in chosen["features"] for name in {block_of(feature) for feature in features})
    return {name: n / chosen.height for name, n in counts.items()}


def _count_numbers(selection: pl.DataFrame) -> int:
    """Count the numbers of the embedding that any fit chose."""
    every = selection.filter(pl.col("chosen"))["features"].explode().drop_nulls().unique()
    return sum(block_of(name) == EMBEDDING for name in every)
