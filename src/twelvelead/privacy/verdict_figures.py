"""Figures of an audit looked up and written for its verdict."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from twelvelead.privacy.audit import Audited


def pick(audited: Audited, protocol: str, figure: str, attacker: str | None = None) -> dict[str, Any] | None:
    """Return the row of a figure: of an attacker, or of whoever has most of it; None where there is none."""
    rows = audited.tables["attacks"].filter(
        (pl.col("protocol") == protocol) & (pl.col("figure") == figure) & pl.col("estimate").is_not_null()
    )
    if attacker is not None:
        rows = rows.filter(pl.col("attacker") == attacker)
    return None if rows.is_empty() else rows.sort("estimate", descending=True, maintain_order=True).row(0, named=True)


def title_of(audited: Audited, key: str) -> str:
    """Return an attacker's title, quoted."""
    title = dict(audited.facts.attackers)[key]
    return f"“{title[:1].lower()}{title[1:]}”"


def write_share(row: Mapping[str, Any]) -> str:
    """Write a share and its limits in per cent."""
    if row["lower"] is None or row["upper"] is None:
        return f"{100 * row['estimate']:.0f} %"
    return f"{100 * row['estimate']:.0f} % ({100 * row['lower']:.0f} to {100 * row['upper']:.0f})"


def write_figure(row: Mapping[str, Any], digits: int = 2) -> str:
    """Write a figure and its limits."""
    if row["lower"] is None or row["upper"] is None:
        return f"{row['estimate']:.{digits}f}"
    return f"{row['estimate']:.{digits}f} ({row['lower']:.{digits}f} to {row['upper']:.{digits}f})"
