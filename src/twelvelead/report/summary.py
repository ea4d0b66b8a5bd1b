"""What a study found, in sentences that follow from its table: who gains from the ECG, and who does not."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from twelvelead.report.performance_table import full_model, order_sets, write_estimate
from twelvelead.report.wording import join_words, name_set, write_number

GAIN, LOSS = "gain", "loss"
EMBEDDING_GAIN = "delta_auroc_embedding"

Gains = dict[str, Any]


def tabulate_gains(performance: pl.DataFrame, *, titles: Mapping[str, str], metric: str = "delta_auroc") -> Gains:
    """Tabulate per target and set what the ECG added to age and sex, and what can be said of it.

    Parameters
    ----------
    performance : DataFrame keeping `terms.PERFORMANCE`
        The study's performance.
    titles : mapping of target to str
        Targets in order, in words.
    metric : str
        delta_auroc; or delta_auroc_embedding, what the embedding added to all else.

    Returns
    -------
    dict
        sets; names: the sets in words; rows: (title, one (text, verdict) per set). The verdict is "gain" where the
        interval of the difference lies wholly above 0, "loss" where below, else empty.
    """
    model = full_model(performance["model"])
    chosen = (pl.col("metric") == metric) & (pl.col("stratum") == "all") & (pl.col("model") == model)
    found = {(r["target"], r["set"]): r for r in performance.filter(chosen).iter_rows(named=True)}
    sets = order_sets(set_ for _, set_ in found)
    rows = [
        (title, [_judge(found.get((target, set_))) for set_ in sets])
        for target, title in titles.items()
        if any((target, set_) in found for set_ in sets)
    ]
    return {"sets": sets, "names": [name_set(s) for s in sets], "rows": rows}


def summarize(performance: pl.DataFrame, *, titles: Mapping[str, str]) -> str:
    """Say in one sentence for how many targets the ECG added to age and sex.

    Parameters
    ----------
    performance : DataFrame keeping `terms.PERFORMANCE`
        The study's performance.
    titles : mapping of target to str
        Targets in order, in words.

    Examples
    --------
    >>> row = {"target": "MI", "model": "ecg_age_sex", "set": "internal", "metric": "delta_auroc", "stratum": "all",
    ...        "estimate": 0.1, "lower": 0.04, "upper": 0.15, "level": 0.95, "n": 90, "n_patients": 80, "n_events": 30}
    >>> summarize(pl.DataFrame([row]), titles={"MI": "Infarction"})
    'The ECG measurably added to age and sex for 1 of 1 target in held-out (internal) recordings.'
    """
    counted = _count_gains(tabulate_gains(performance, titles=titles))
    if not counted:
        return "No comparison with age and sex could be made."
    return f"The ECG measurably added to age and sex for {counted}."


def summarize_embedding(performance: pl.DataFrame, *, titles: Mapping[str, str]) -> str:
    """Say in one sentence for how many targets the embedding added to the measurements; nothing where there is none.

    Parameters
    ----------
    performance : DataFrame keeping `terms.PERFORMANCE`
        The study's performance.
    titles : mapping of target to str
        Targets in order, in words.

    Examples
    --------
    >>> row = {"target": "MI", "model": "ecg_age_sex", "set": "internal", "metric": "delta_auroc_embedding",
    ...        "stratum": "all", "estimate": 0.01, "lower": -0.02, "upper": 0.04}
    >>> summarize_embedding(pl.DataFrame([row]), titles={"MI": "Infarction"})
    'The embedding measurably added to measurements, age and sex for 0 of 1 target in held-out (internal) recordings.'
    """
    counted = _count_gains(tabulate_gains(performance, titles=titles, metric=EMBEDDING_GAIN))
    return f"The embedding measurably added to measurements, age and sex for {counted}." if counted else ""


def _count_gains(gains: Gains) -> str:
    """Count the targets with a gain in each set, in words."""
    counts = []
    for i, name in enumerate(gains["names"]):
        judged = [cells[i] for _, cells in gains["rows"] if cells[i][0]]
        won = sum(verdict == GAIN for _, verdict in judged)
        lost = sum(verdict == LOSS for _, verdict in judged)
        words = f"{won} of {len(judged)} target{'s' if len(judged) > 1 else ''} in {name} recordings"
        counts.append(words + (f" (and made the prediction worse for {lost})" if lost else ""))
    return join_words(counts) if counts else ""


def _judge(row: Mapping[str, Any] | None) -> tuple[str, str]:
    if row is None:
        return "", ""
    lower, upper = row["lower"], row["upper"]
    verdict = GAIN if lower is not None and lower > 0 else LOSS if upper is not None and upper < 0 else ""
    return write_estimate(row), verdict


def describe_gap(performance: pl.DataFrame, optimum: Mapping[str, Mapping[str, float]]) -> str:
    """Say how far the models stay behind the best reachable AUROC, which is known for simulated patients only."""
    model = full_model(performance["model"])
    rows = performance.filter((pl.col("metric") == "auroc") & (pl.col("stratum") == "all") & (pl.col("model") == model))
    gaps = [
        optimum[r["set"]][r["target"]] - r["estimate"]
        for r in rows.iter_rows(named=True)
        if r["estimate"] is not None and r["target"] in optimum.get(r["set"], {})
    ]
    if not gaps:
        return ""
    return (
        "The patients are simulated, so the best reachable AUROC is known (triangle and dotted line in the forest "
        f"plot): what was reached stays behind it by {write_number(min(gaps))} to {write_number(max(gaps))}."
    )
