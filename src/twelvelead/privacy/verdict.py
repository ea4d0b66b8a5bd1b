"""What an audit found, in plain words: who could be picked out, by whom, what would lower it, and what is not known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from scipy.stats import binom

from twelvelead.privacy.audit import LOOK_UP, Audited
from twelvelead.privacy.protocols import LEAST_PEOPLE, PROTOCOLS
from twelvelead.privacy.verdict_figures import pick, title_of, write_share
from twelvelead.privacy.verdict_limits import say_limits
from twelvelead.privacy.verdict_lower import say_what_lowers
from twelvelead.privacy.verdict_traits import say_rows, say_traits

CHANCE_LEVEL = 0.05
"""Probability of calling a release risky in which nobody can be told apart."""


@dataclass(frozen=True)
class Verdict:
    """Sentences for a reader who has to decide.

    Parameters
    ----------
    found : bool or None
        Whether people can be picked out better than by chance; None where nothing could be tried.
    headline : str
        The answer.
    more : tuple of str
        Other days, strangers, traits, rows of numbers.
    lower : tuple of str
        What would lower the risk, and what would not.
    not_to_quote : tuple of str
        Protocols whose figures leak, and what they give.
    limits : tuple of str
        What is not known.
    """

    found: bool | None
    headline: str
    more: tuple[str, ...]
    lower: tuple[str, ...]
    not_to_quote: tuple[str, ...]
    limits: tuple[str, ...]


def conclude(audited: Audited, *, other_attackers: Mapping[str, str]) -> Verdict:
    """Put an audit into words.

    Parameters
    ----------
    audited : Audited
        From `audit`.
    other_attackers : mapping of key to title
        Those who were not tried.
    """
    found = is_found(audited)
    return Verdict(
        found=found,
        headline=_headline(audited, found=found),
        more=tuple(filter(None, (_days(audited), _strangers(audited), _gallery(audited), *say_traits(audited),
                                 say_rows(audited)))),
        lower=say_what_lowers(audited, found=found),
        not_to_quote=_leaks(audited),
        limits=say_limits(audited, other_attackers),
    )  # fmt: skip


def is_found(audited: Audited) -> bool | None:
    """Say whether any attacker named more people rightly than chance would.

    Returns
    -------
    bool or None
        None where no attacker could be tried.

    Notes
    -----
    By chance each of n people is named rightly with a probability of one in g, the people enrolled: the binomial
    probability of as many or more, times the number of attackers, must be at most 0.05. Rightly named halves, of ties,
    are rounded down.
    """
    rows = audited.tables["attacks"].filter(
        (pl.col("protocol") == LOOK_UP.key) & (pl.col("figure") == "rank_1") & pl.col("estimate").is_not_null()
    )
    if rows.is_empty():
        return None
    p = [chance(row["estimate"], n=row["n_people"], gallery=row["gallery"]) for row in rows.iter_rows(named=True)]
    return min(p) * len(p) <= CHANCE_LEVEL


def chance(share: float, *, n: int, gallery: int) -> float:
    """Return how probable it is to name this share of `n` people, or more, by drawing names.

    Examples
    --------
    At least one of two, among two: 3 in 4.

    >>> chance(0.5, n=2, gallery=2)
    0.75
    """
    return float(binom.sf(int(share * n + 1e-9) - 1, n, 1 / gallery))


def _headline(audited: Audited, *, found: bool | None) -> str:
    row = pick(audited, LOOK_UP.key, "rank_1", audited.strongest) if audited.strongest else None
    if row is None:
        n = audited.facts.n_twice
        return (
            f"Nothing can be said of who could be picked out: {LEAST_PEOPLE} people must have two recordings that can "
            f"be read, and of {audited.facts.n_people} people {n} have two."
        )
    n, gallery = row["n_people"], row["gallery"]
    some = f"{round(row['estimate'] * n)}"
    limits = _limits_in_people(row)
    if not found:
        return (
            f"No attacker picked people out better than chance. The best of {len(audited.facts.attackers)}, "
            f"{title_of(audited, row['attacker'])}, named {some} of {n} people rightly{limits}; chance names about "
            f"{n / gallery:.1g}. That none of these found a signature does not show that there is none."
        )
    return (
        f"Of {n} people who were recorded twice, {some} could be picked out{limits}, each among {gallery} people whose "
        f"first recording an attacker has under a name. The attacker was {title_of(audited, row['attacker'])}; "
        f"chance would pick out {n / gallery:.1g}."
    )


def _limits_in_people(row: Mapping[str, Any]) -> str:
    if row["lower"] is None or row["upper"] is None:
        return ""
    low, high = (round(row[key] * row["n_people"]) for key in ("lower", "upper"))
    return f" ({100 * row['level']:g} % limits {low} to {high})"


def _days(audited: Audited) -> str:
    row = pick(audited, "cross_day_everyone", "rank_1")
    if row is None:
        n = audited.facts.n_days
        return f"Other days: not estimable, since {LEAST_PEOPLE} people must have been recorded on two days; {n} were."
    return (
        f"On a later day, {write_share(row)} of {row['n_people']} people were picked out by the best attacker, "
        f"{title_of(audited, row['attacker'])}, among {row['gallery']}."
    )


def _strangers(audited: Audited) -> str:
    row = pick(audited, "open_set", "unknown_accepted", audited.strongest)
    row = row or pick(audited, "open_set", "unknown_accepted")
    if row is None:
        return ""
    missed = pick(audited, "open_set", "known_rejected", row["attacker"])
    return (
        f"With half of the people unknown to the attacker, and a threshold at which both errors are as frequent, a "
        f"stranger was taken for somebody in {write_share(row)} of cases"
        + (f", and {write_share(missed)} of the known were missed." if missed else ".")
    )


def _gallery(audited: Audited) -> str:
    rows = audited.tables["gallery"].filter(pl.col("extrapolated"))
    if rows.is_empty():
        return ""
    size, share = rows.row(0)[:2]
    return (
        f"Among more people not more are picked out: a line through the galleries at hand leads to {100 * share:.0f} % "
        f"among {size}. That is extrapolated, and no measurement."
    )


def _leaks(audited: Audited) -> tuple[str, ...]:
    said = []
    for protocol in PROTOCOLS.values():
        row = pick(audited, protocol.key, "rank_1") if protocol.leaks else None
        if row is not None:
            said.append(
                f"“{protocol.title}” gives {write_share(row)} ({title_of(audited, row['attacker'])}). {protocol.says}"
            )
    return tuple(said)
