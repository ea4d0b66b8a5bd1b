"""What would lower the risk of a release, in plain words, and what would not."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from twelvelead.privacy.audit import Audited
from twelvelead.privacy.what_if import AS_IT_IS

_USEFUL = 0.6  # kappa from which agreement is commonly called substantial
_SHOWN = 6  # what-ifs in one sentence


def say_what_lowers(audited: Audited, *, found: bool | None) -> tuple[str, ...]:
    """Say which what-ifs lowered the risk, by how much, and at what price; `found`: whether there was any."""
    table = audited.tables["what_ifs"]
    tried = table.filter((pl.col("what_if") != AS_IT_IS) & pl.col("risk").is_not_null())
    if tried.is_empty():
        return ("Nothing that could be done to the release was judged.",)
    if not found:
        return ("There was no risk that could be lowered.",)
    before = table.filter(pl.col("what_if") == AS_IT_IS)["risk"].item()
    lowered = tried.filter(pl.col("change_upper") < 0).sort("risk", maintain_order=True)
    halved = lowered.filter(pl.col("risk") <= before / 2)
    useful = halved.filter(pl.col("kept") >= _USEFUL)
    costly = halved.filter((pl.col("kept") < _USEFUL) | pl.col("kept").is_null())
    little = lowered.filter(pl.col("risk") > before / 2)
    rest = tried.filter((pl.col("change_upper") >= 0) | pl.col("change_upper").is_null())
    return (
        f"Halved the risk and kept most findings (κ {_USEFUL:g} or more): {_list(useful, _describe) or 'nothing'}.",
        f"Halved it at the price of findings: {_list(costly, _describe) or 'nothing'}.",
        f"Lowered it by less than half: {_list(little, _describe) or 'nothing'}.",
        f"Not shown to lower it: {_list(rest, lambda row: str(row['title'])) or 'nothing'}.",
        *_beware(tried),
        _at_chance(tried),
    )


def _list(table: pl.DataFrame, describe: Callable[[Mapping[str, Any]], str]) -> str:
    said = "; ".join(describe(row) for row in table.head(_SHOWN).iter_rows(named=True))
    return said + (f"; and {table.height - _SHOWN} more" if table.height > _SHOWN else "")


def _beware(tried: pl.DataFrame) -> list[str]:
    """Name the what-if by which an unprepared attacker is fooled most."""
    fooled = tried.filter(pl.col("unprepared_upper") < pl.col("refitted_lower")).with_columns(
        by=pl.col("refitted") - pl.col("unprepared")
    )
    if fooled.is_empty():
        return []
    row = fooled.sort("by", descending=True, maintain_order=True).row(0, named=True)
    return [
        f"Beware of tests with an unprepared attacker. After “{row['title']}” such a one picks out "
        f"{100 * row['unprepared']:.0f} %; one who has learnt from a release like it, {100 * row['refitted']:.0f} %."
    ]


def _at_chance(tried: pl.DataFrame) -> str:
    reached = tried.filter(pl.col("risk_lower") <= 1 / pl.col("gallery").clip(lower_bound=1) + 1e-9)
    if reached.is_empty():
        return "Nothing that was tried brought the risk down to chance."
    return f"Down to chance, as far as so many people can show: {_list(reached, lambda row: str(row['title']))}."


def _describe(row: Mapping[str, Any]) -> str:
    kept = "–" if row["kept"] is None else f"{row['kept']:.2f}".replace("-", "−")
    return f"{row['title']} ({100 * row['risk']:.0f} % picked out, κ {kept})"
