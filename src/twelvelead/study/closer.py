"""A closer look at a target's full model: why it predicts so, whether alike in all people, what mending would gain."""

import polars as pl

from twelvelead.study.declaration import Study
from twelvelead.study.fitting import FULL
from twelvelead.study.reasons import tabulate_reasons
from twelvelead.terms import REASON_AGREEMENT, REASON_CONCEPTS, REASONS, RECALIBRATION, SUBGROUPS
from twelvelead.validate import Bootstrap, recalibration_ladder, subgroup_differences
from twelvelead.validate.resample import LEAST_PATIENTS
from twelvelead.validate.studentised import TOO_FEW

CLOSER = (REASONS, REASON_CONCEPTS, REASON_AGREEMENT, SUBGROUPS, RECALIBRATION)
"""The tables that come of it."""

LADDER = ("none", "intercept", "logistic")
"""How risks are mended in the external database, to show what it would gain; the models that are kept are not."""


def look_closer(
    study: Study, predictions: pl.DataFrame, *, shap: pl.DataFrame, selection: pl.DataFrame, groupings: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Say more of one target's full model than its performance does.

    Parameters
    ----------
    study : Study
        Says how to resample. In mode "paper", which repeats what was published, people are not compared.
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Of the target by the full model, in all sets.
    shap, selection : DataFrame keeping `terms.SHAP`, `terms.SELECTION`
        Of the same model.
    groupings : DataFrame with recording_id and one column per grouping
        What divides the people.

    Returns
    -------
    dict of str to DataFrame
        The tables of `CLOSER` by name; interactions are adjusted within the target only.
    """
    people = predictions.join(shap, on=["recording_id", "set"], how="semi")
    tables = tabulate_reasons(shap, people, selection=selection, seed=study.seed)
    tables |= {"subgroups": SUBGROUPS.empty(), "recalibration": recalibrate_externally(predictions, seed=study.seed)}
    if study.mode == "sound":
        how = Bootstrap(n_resamples=study.validation.n_resamples, seed=study.seed, level=study.validation.level)
        tables["subgroups"] = subgroup_differences(predictions, groupings, model=FULL, bootstrap=how)
    return tables


def recalibrate_externally(predictions: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Judge a model's risks in the external database as they are and mended, on patients who did not help to mend them.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Of one target and model.
    seed : int
        Of the halves of the patients.

    Returns
    -------
    DataFrame keeping `terms.RECALIBRATION`
        Empty without external predictions; suppressed with fewer than 10 patients who have, or have not, the event.
    """
    rows = predictions.filter(set="external")
    if rows.is_empty():
        return RECALIBRATION.empty()
    place = {name: rows[name][0] for name in ("target", "model", "set")}
    counts = [rows.filter(y=side)["patient_id"].n_unique() for side in (0, 1)]
    if min(counts) < LEAST_PATIENTS:
        unknown: dict[str, object] = dict.fromkeys(RECALIBRATION.schema)
        return RECALIBRATION.select([{**unknown, **place, "method": method, "note": TOO_FEW} for method in LADDER])
    ladder = recalibration_ladder(rows["y"], rows["p"], rows["patient_id"], seed=seed, methods=LADDER)
    return RECALIBRATION.select(ladder.with_columns(pl.lit(value).alias(name) for name, value in place.items()))
