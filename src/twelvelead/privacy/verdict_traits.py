"""Sex, age and rows of numbers, in plain words."""

import polars as pl

from twelvelead.privacy.audit import Audited
from twelvelead.privacy.verdict_figures import write_figure


def say_traits(audited: Audited) -> list[str]:
    """Say what can be read off people never seen, and what a leak would claim."""
    said = []
    rows = audited.tables["traits"].filter(pl.col("estimate").is_not_null())
    sound = rows.filter((pl.col("trait") == "sex_auroc") & (pl.col("split") == "person"))
    if not sound.is_empty():
        best = sound.sort("estimate", descending=True, maintain_order=True).row(0, named=True)
        leaky = max(rows.filter((pl.col("trait") == "sex_auroc") & (pl.col("split") == "leaky"))["estimate"].to_list())
        clear = best["lower"] is not None and best["lower"] > 0.5
        said.append(
            f"Sex of people never seen: AUROC {write_figure(best)} ({best['model']}), "
            + ("better than chance. " if clear else "not distinguishable from chance, 0.5. ")
            + f"A split of single beats or windows, which leaks, would claim {leaky:.2f}."
        )
    ages = rows.filter((pl.col("trait") == "age_mae") & (pl.col("split") == "sound"))
    if not ages.is_empty():
        best = ages.sort("estimate", maintain_order=True).row(0, named=True)
        of_age = rows.filter(pl.col("trait") == "age_mae")
        mean = of_age.filter((pl.col("model") == best["model"]) & (pl.col("split") == "baseline"))["estimate"].item()
        leaky = min(of_age.filter(pl.col("split") == "leaky")["estimate"].to_list())
        clear = best["upper"] is not None and best["upper"] < mean
        said.append(
            f"Age of people never seen: wrong by {write_figure(best, 1)} years on average ({best['model']}); "
            f"guessing the mean age is wrong by {mean:.1f}{'' if clear else ', which is not clearly worse'}. "
            f"The leak would claim {leaky:.1f}."
        )
    return said


def say_rows(audited: Audited) -> str:
    """Say how many rows of printed numbers are the only ones of their kind; empty where it is not known."""
    rows = audited.tables["uniqueness"].filter(pl.col("estimate").is_not_null())
    found = {(r["rounded_to"], r["share"]): r for r in rows.iter_rows(named=True)}
    fine, linked, coarse = (
        found.get(key) for key in (("resolution", "unique"), ("resolution", "linked"), ("error", "unique"))
    )
    if fine is None or coarse is None:
        return ""
    again = "" if linked is None else f"; {100 * linked['estimate']:.0f} % had the very same row in a second recording"
    return (
        f"Of rows of printed numbers, {100 * fine['estimate']:.0f} % were the only ones of their kind{again}. Rounded "
        f"to their error, {100 * coarse['estimate']:.0f} % still were."
    )
