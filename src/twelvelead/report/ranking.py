"""Which of many targets come first on a page, and which are shown in full."""

from collections.abc import Mapping, Sequence

import polars as pl

from twelvelead.report.performance_table import full_model, order_sets


def rank_targets(performance: pl.DataFrame, titles: Mapping[str, str]) -> list[str]:
    """Order targets by the lower limit of the full model's AUROC, highest first.

    Parameters
    ----------
    performance : DataFrame keeping `terms.PERFORMANCE`
        The study's performance; its first set decides.
    titles : mapping of target to str
        Which targets, in the order in which they were declared.

    Returns
    -------
    list of str
        Targets without a lower limit come last; equals stay in the order of `titles`.

    Examples
    --------
    >>> rows = {"model": "ecg", "set": "internal", "metric": "auroc", "stratum": "all"}
    >>> table = pl.DataFrame([{"target": t, "lower": v, **rows} for t, v in (("a", 0.6), ("b", None), ("c", 0.7))])
    >>> rank_targets(table, {"a": "A", "b": "B", "c": "C"})
    ['c', 'a', 'b']
    """
    model, sets = full_model(performance["model"]), order_sets(performance["set"])
    chosen = (pl.col("metric") == "auroc") & (pl.col("stratum") == "all") & (pl.col("model") == model)
    rows = performance.filter(chosen & (pl.col("set") == (sets[0] if sets else "")))
    lower = {target: value for target, value in rows.select("target", "lower").iter_rows() if value is not None}
    return sorted(titles, key=lambda target: -lower.get(target, float("-inf")))


def choose_detailed(ranked: Sequence[str], first: Sequence[str], most: int) -> list[str]:
    """Choose the targets that are shown in full: those of `first`, then the best of the others.

    Examples
    --------
    >>> choose_detailed(["c", "a", "b"], ["b"], 2)
    ['b', 'c']
    """
    preferred = set(first)
    return sorted(ranked, key=lambda target: target not in preferred)[:most]
