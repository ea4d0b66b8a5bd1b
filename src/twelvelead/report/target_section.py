"""Everything that the report shows of one target."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from twelvelead.report.curves import draw_calibration, draw_decision, draw_roc
from twelvelead.report.performance_table import full_model, order_models, order_sets, tabulate_target, write_estimate
from twelvelead.report.reasons import describe_concepts, draw_concepts, tabulate_ranks
from twelvelead.report.swarm import draw_beeswarm, draw_dependence, rank_features
from twelvelead.report.wording import name_feature, name_model, name_set, write_number
from twelvelead.validate import calibration_curve, decision_curve, roc_curve

Tables = Mapping[str, pl.DataFrame]
Large = Mapping[str, pl.LazyFrame]
Section = dict[str, Any]

_N_DEPENDENCE = 3
_N_SELECTED = 15
_N_RECORDINGS = 3000
_EMBEDDING = "embedding_"


def describe_target(tables: Large, *, target: str, title: str) -> Section:
    """Gather curves, selected predictors and explanations of one target.

    Parameters
    ----------
    tables : mapping of name to LazyFrame, with predictions, performance, selection, shap, reasons and concepts
        The study's tables, each keeping its contract; the target's rows are read.
    target : str
        Which one.
    title : str
        What it is called.

    Returns
    -------
    dict
        target, title, anchor, sets (one dict per set with its drawings), models, metrics, selected, n_fits, beeswarm,
        dependence, concepts and what they say, ranks.
    """
    chosen = pl.col("target") == target
    mine = {name: table.filter(chosen).collect(engine="streaming") for name, table in tables.items()}
    model = full_model(mine["performance"]["model"])
    selected, n_fits = count_selected(mine["selection"].filter(pl.col("model") == model))
    sets = order_sets(mine["predictions"]["set"])
    return {
        "target": target,
        "title": title,
        "anchor": f"target-{target}",
        "sets": [_draw_set(mine, set_, title=title) for set_ in sets],
        "models": [name_model(m) for m in order_models(mine["performance"]["model"])],
        "metrics": tabulate_target(mine["performance"], target),
        "selected": selected,
        "n_fits": n_fits,
        **_explain(mine["shap"].filter(pl.col("model") == model), _count_predicted(mine, model), title=title),
        **_rank(mine["reasons"], mine["concepts"], title=title),
    }


def _rank(reasons: pl.DataFrame, concepts: pl.DataFrame, *, title: str) -> Section:
    """Draw the concepts, and write the ranks of predictors, if anything was explained."""
    if reasons.is_empty() or concepts.is_empty():
        return {"concepts": "", "moved": "", "ranks": None}
    return {
        "concepts": draw_concepts(concepts, subject=title),
        "moved": describe_concepts(concepts),
        "ranks": tabulate_ranks(reasons),
    }


def count_selected(selection: pl.DataFrame) -> tuple[list[dict[str, str]], int]:
    """Count in how many fits each predictor was chosen.

    Returns
    -------
    list of dict
        feature (in words), chosen ("3 of 5"); the 15 most often chosen, ties by name. Of an embedding it is one row,
        with how many of its numbers.
    int
        Number of fits.

    Examples
    --------
    >>> steps = pl.DataFrame({"fit": ["a", "a", "b"], "chosen": [True, False, True],
    ...                       "features": [["age_years", "pr_interval_ms"], ["age_years"], ["age_years"]]})
    >>> count_selected(steps)[0][0]
    {'feature': 'age (years)', 'chosen': '2 of 2'}
    """
    chosen = selection.filter(pl.col("chosen"))
    n_fits, per_fit = chosen.height, chosen["features"].to_list()
    alone = Counter(name for names in per_fit for name in names if not name.startswith(_EMBEDDING))
    ranked = sorted(alone.items(), key=lambda item: (-item[1], item[0]))[:_N_SELECTED]
    rows = [{"feature": name_feature(name), "chosen": f"{n} of {n_fits}"} for name, n in ranked]
    return [*_count_numbers(per_fit), *rows], n_fits


def _count_numbers(per_fit: list[list[str]]) -> list[dict[str, str]]:
    """Say in how many fits an embedding was left, and how many of its numbers; nothing where there never was one.

    Examples
    --------
    >>> _count_numbers([["embedding_0", "embedding_1"], ["embedding_1"], ["age_years"]])
    [{'feature': 'embedding (0 to 2 of its numbers in a fit, 2 in any)', 'chosen': '2 of 3'}]
    """
    left = [sum(name.startswith(_EMBEDDING) for name in names) for names in per_fit]
    if not any(left):
        return []
    in_any = len({name for names in per_fit for name in names if name.startswith(_EMBEDDING)})
    numbers = f"embedding ({min(left)} to {max(left)} of its numbers in a fit, {in_any} in any)"
    return [{"feature": numbers, "chosen": f"{sum(n > 0 for n in left)} of {len(left)}"}]


def _draw_set(mine: Tables, set_: str, *, title: str) -> Section:
    """Draw ROC, calibration and decision curves of one set; nothing where only one class occurs."""
    predictions = mine["predictions"].filter(pl.col("set") == set_)
    found = mine["performance"].filter((pl.col("set") == set_) & (pl.col("stratum") == "all"))
    estimates = {(r["model"], r["metric"]): r for r in found.iter_rows(named=True)}
    subject = f"{title}, {name_set(set_)}"
    arrays = {}
    for model in order_models(predictions["model"]):
        rows = predictions.filter(pl.col("model") == model).sort("recording_id")
        arrays[model] = rows["y"].to_numpy().astype(float), rows["p"].to_numpy()
        patients = rows["patient_id"].to_numpy()  # of the same recordings for every model
    section: Section = {"set": set_, "name": name_set(set_), "figures": []}
    if not arrays or any(y.min() == y.max() for y, _ in arrays.values()):
        return section
    aurocs = {m: write_estimate(estimates.get((m, "auroc"))) for m in arrays}
    model = full_model(arrays)
    y, p = arrays[model]
    summary = [
        f"{label} {write_estimate(estimates[model, metric])}"
        for label, metric in (("intercept", "calibration_intercept"), ("slope", "calibration_slope"))
        if (model, metric) in estimates
    ]
    highest = decide_limit([p for _, p in arrays.values()])
    thresholds = np.linspace(0, highest, 61)[:-1].tolist()
    section["figures"] = [
        draw_roc({m: roc_curve(y, p) for m, (y, p) in arrays.items()}, aurocs=aurocs, subject=subject),
        draw_calibration(
            calibration_curve(y, p, patients=patients), risks=p.tolist(), model=model, summary=summary, subject=subject
        ),
        draw_decision({m: decision_curve(y, p, thresholds) for m, (y, p) in arrays.items()}, subject=subject),
    ]
    return section


def decide_limit(risks: list[Any]) -> float:
    """Choose the highest threshold of the decision curves: the next tenth above 99 % of the risks.

    Examples
    --------
    >>> decide_limit([[0.02] * 50, [0.31] * 50])
    0.4
    """
    highest = max(float(np.quantile(p, 0.99)) for p in risks)
    return min(1.0, max(0.1, math.ceil(highest * 10) / 10))


def _count_predicted(mine: Tables, model: str) -> dict[str, int]:
    predicted = mine["predictions"].filter(pl.col("model") == model)
    return dict(predicted.group_by("set").len().iter_rows())


def _explain(shap: pl.DataFrame, predicted: Mapping[str, int], *, title: str) -> Section:
    """Draw the beeswarm and the dependence on the strongest predictors, on the first set that has SHAP values."""
    if shap.is_empty():
        return {"beeswarm": "", "dependence": [], "explained": ""}
    set_ = order_sets(shap["set"])[0]
    rows = shap.filter(pl.col("set") == set_)
    n_recordings = rows["recording_id"].n_unique()
    # A large set is drawn from every k-th recording, so that the page's size does not grow with the database.
    ids = rows["recording_id"].unique().sort().gather_every(max(1, -(-n_recordings // _N_RECORDINGS)))
    drawn = rows.filter(pl.col("recording_id").is_in(ids.implode()))
    subject = f"{title}, {name_set(set_)}"
    of = f" drawn by lot from {write_number(predicted[set_], 0)}" if predicted.get(set_, 0) > n_recordings else ""
    valued = drawn.filter(pl.col("value").is_not_null().any().over("feature"))  # an embedding has no value to show
    strongest = rank_features(valued).head(_N_DEPENDENCE)["feature"]
    return {
        "beeswarm": draw_beeswarm(drawn, subject=subject),
        "dependence": [draw_dependence(drawn, feature=f, subject=subject) for f in strongest],
        "explained": f"{write_number(n_recordings, 0)} recordings{of}, {name_set(set_)}",
    }
