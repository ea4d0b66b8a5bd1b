"""An audit of re-identification as one page of HTML that needs nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from twelvelead.privacy.audit import LOOK_UP, Facts
from twelvelead.privacy.protocols import PROTOCOLS
from twelvelead.privacy.verdict import Verdict
from twelvelead.report.audit_drawing import draw_cmc, draw_frontier, draw_gallery
from twelvelead.report.pages import render
from twelvelead.report.wording import first_capital, name_feature, write_interval, write_number
from twelvelead.terms import RESEARCH_ONLY

SHOWN = ("rank_1", "rank_5", "eer")
EXTRA = {
    "tar_at_far_0.01": "Genuine pairs accepted where 1 % of impostors are",
    "tar_at_far_0.001": "Genuine pairs accepted where 0.1 % of impostors are",
    "cllr": "Cllr, bits",
    "min_cllr": "Least Cllr, bits",
    "linkability": "Linkability D_sys",
    "same_device_rank_1": "Picked out among people of the same device",
    "same_device_eer": "Equal error rate, impostors of the same device",
}
STRANGERS = {
    "unknown_accepted": "Strangers taken for somebody",
    "known_rejected": "Known people missed",
    "known_mistaken": "Known people taken for somebody else",
    "dir_at_fpir_0.1": "Known people named rightly where 10 % of strangers are named",
    "dir_at_fpir_0.01": "The same where 1 % are",
}
TRAITS = {"sex_auroc": "Sex, AUROC", "age_mae": "Age, mean error in years", "age_r2": "Age, R²"}
SEGMENT_FIGURES = ("duration", "alone_rank_1", "lost_rank_1", "shapley")
SPLITS = ("leaky", "sound", "person", "baseline", "leakage")

READING = (
    ("Picked out (rank 1)", "An attacker has one recording of each of some people, under their names, and looks for "
     "the owner of another one: how often the first name is right. Who ties with others counts in part."),
    ("Equal error rate (EER)", "Are two recordings of one person? At the threshold where as many genuine pairs are "
     "refused as impostors accepted, that share. 0.5 is a coin."),
    ("Cllr and D_sys", "What the scores are worth as evidence. Cllr: 0 is perfect, 1 useless. D_sys: 1 if every score "
     "tells, 0 if none does; with few people above 0 even by chance."),
    ("Refitted and unprepared", "A refitted attacker expects what was done and learns from a release to which the same "
     "was done; an unprepared one has the release as recorded. The risk is what the stronger of them reaches."),
    ("κ of findings", "Cohen’s kappa of the findings that published criteria make of the release as recorded, and of "
     "what is given away: 1 all kept, 0 no better than chance. What can’t be decided any more is lost."),
    ("Intervals", "Limits are percentiles over resamples of people, never of beats or pairs; where all resamples agree "
     "on none or all, exact binomial ones."),
    ("Leaks", "Enrolment and probe share minute and electrodes. Such a figure tells how alike the beats of one "
     "recording are, not what a release risks."),
    ("ε of differential privacy", "Of one recording as a whole. Of whom m are given away, m times as much is spent. "
     "Only values of a few units promise much."),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Audit:
    """What the page is made of.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Those of `terms.audits` by name.
    facts : Facts
        What they are about.
    strongest : str
        Key of the attacker of the verdict.
    verdict : Verdict
        In words.
    failures : DataFrame keeping `terms.FAILURES`
        Recordings that took no part, or not in everything.
    provenance : sequence of (str, str)
        Name and value.
    notes : sequence of str
        What has to be said once.
    simulated : bool
        Whether the people are made up.
    """

    tables: Mapping[str, pl.DataFrame]
    facts: Facts
    strongest: str
    verdict: Verdict
    failures: pl.DataFrame
    provenance: Sequence[tuple[str, str]]
    notes: Sequence[str] = ()
    simulated: bool = False


def audit_report(audit: Audit) -> str:
    """Write the page.

    Parameters
    ----------
    audit : Audit
        What was found.

    Returns
    -------
    str
        One HTML document: style and drawings inline, no script, nothing fetched.
    """
    tables, facts = audit.tables, audit.facts
    titles = dict(facts.attackers)
    tried = tables["what_ifs"]
    numbers = {name: k for k, name in enumerate(tried["what_if"], 1)}
    gallery = tables["gallery"]
    return render(
        "audit.html",
        title="Who is this? Audit of a release of ECGs",
        research_only=RESEARCH_ONLY,
        simulated=audit.simulated,
        verdict=audit.verdict,
        facts=[(write_number(facts.n_people, 0), "people"), (write_number(facts.n_recordings, 0), "recordings"),
               (write_number(facts.n_twice, 0), "people with two recordings"),
               (write_number(facts.n_days, 0), "people with two days"), (str(len(titles)), "attackers")],
        frontier=draw_frontier(tried, numbers=numbers) if tried["risk"].is_not_null().any() else "",
        what_ifs=[_what_if(row, numbers, titles) for row in tried.iter_rows(named=True)],
        errors=_errors(tables["what_if_errors"], tried),
        attacks=_attacks(tables["attacks"], titles),
        extra=_rows(tables["attacks"], EXTRA, protocol=LOOK_UP.key, attacker=audit.strongest),
        strangers=_rows(tables["attacks"], STRANGERS, protocol="open_set", attacker=audit.strongest),
        strongest=titles.get(audit.strongest, ""),
        drawings=[] if gallery.is_empty() else [draw_gallery(gallery), draw_cmc(tables["cmc"])],
        traits=_traits(tables["traits"]),
        segments=_segments(tables["segments"]),
        uniqueness=[(first_capital(row["rounded_to"]), row["share"], _estimate(row), row["smallest"])
                    for row in tables["uniqueness"].iter_rows(named=True)],
        subjects=tables["subjects"].sort("rank_1", "beaten", descending=True, maintain_order=True).to_dicts(),
        failures=audit.failures.rows(),
        reading=READING,
        provenance=audit.provenance,
        notes=audit.notes,
        number=write_number,
    )  # fmt: skip


def _estimate(row: Mapping[str, Any], digits: int = 2) -> str:
    if row["estimate"] is None and row["why_not"]:
        return f"not estimable: {row['why_not']}"
    if row["lower"] is None and row["estimate"] is not None:
        return write_number(row["estimate"], digits)
    return write_interval(row, digits)


def _cell(row: Mapping[str, Any], name: str) -> str:
    if row[name] is None:
        return "–"
    return write_interval({"estimate": row[name], "lower": row[f"{name}_lower"], "upper": row[f"{name}_upper"]})


def _what_if(row: Mapping[str, Any], numbers: Mapping[str, int], titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "number": numbers[row["what_if"]],
        "title": first_capital(row["title"]),
        "gives": row["gives"],
        "cells": [_cell(row, name) for name in ("refitted", "unprepared", "change", "kept")],
        "attacker": titles.get(row["attacker"], "–"),
        "n": f"{row['n_people']} among {row['gallery']}" if row["n_people"] else "–",
        "pareto": row["pareto"],
        "why_not": row["why_not"] or "",
    }


def _attacks(table: pl.DataFrame, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """Write a row per protocol and attacker: those that leak last."""
    protocols = sorted((LOOK_UP, *PROTOCOLS.values()), key=lambda protocol: protocol.leaks)
    rows = []
    for protocol in protocols:
        mine = table.filter((pl.col("protocol") == protocol.key) & pl.col("figure").is_in(SHOWN))
        attackers = list(dict.fromkeys(mine["attacker"]))
        for k, attacker in enumerate(attackers):
            of = {row["figure"]: row for row in mine.filter(pl.col("attacker") == attacker).iter_rows(named=True)}
            why = of["rank_1"]["why_not"]
            rows.append(
                {
                    "first": k == 0,
                    "span": len(attackers),
                    "title": protocol.title,
                    "says": protocol.says,
                    "leaks": protocol.leaks,
                    "attacker": titles[attacker],
                    "cells": [] if why else [_estimate(of[figure]) for figure in SHOWN],
                    "why": why,
                    "n": f"{of['rank_1']['n_people']} among {of['rank_1']['gallery']}",
                }
            )
    return rows


def _rows(table: pl.DataFrame, names: Mapping[str, str], *, protocol: str, attacker: str) -> list[tuple[str, str]]:
    mine = table.filter((pl.col("protocol") == protocol) & (pl.col("attacker") == attacker))
    found = {row["figure"]: row for row in mine.iter_rows(named=True)}
    return [(words, _estimate(found[name])) for name, words in names.items() if name in found]


def _traits(table: pl.DataFrame) -> list[tuple[str, str, list[str]]]:
    rows = []
    for (trait, model), part in table.group_by("trait", "model", maintain_order=True):
        of = {row["split"]: row for row in part.iter_rows(named=True)}
        cells = [_estimate(of[split]) if split in of else "–" for split in SPLITS]
        rows.append((TRAITS[str(trait)], str(model), cells))
    return rows


def _segments(table: pl.DataFrame) -> list[tuple[str, list[str]]]:
    """Write a row per segment."""
    rows = []
    for (segment,), part in table.group_by("segment", maintain_order=True):
        of = {row["figure"]: row for row in part.iter_rows(named=True)}
        cells = [write_interval(of[figure]) if figure in of else "–" for figure in SEGMENT_FIGURES]
        rows.append((str(segment), cells))
    return rows


def _errors(table: pl.DataFrame, tried: pl.DataFrame) -> list[dict[str, Any]]:
    """Write a row per what-if: the median error of each quantity, and the share lost where it is more than none."""
    names = list(dict.fromkeys(table["quantity"]))
    titles = dict(tried.select("what_if", "title").iter_rows())
    rows: list[dict[str, Any]] = [{"title": "What was done", "cells": [name_feature(name) for name in names]}]
    for (what_if,), part in table.group_by("what_if", maintain_order=True):
        of = {row["quantity"]: row for row in part.iter_rows(named=True)}
        rows.append({"title": first_capital(titles[what_if]), "cells": [_error(of.get(name)) for name in names]})
    own = {row["quantity"]: row["own_error"] for row in table.iter_rows(named=True)}
    rows.append({"title": "For comparison: own error, SD", "cells": [write_number(own[name], 1) for name in names]})
    return rows if names else []


def _error(row: Mapping[str, Any] | None) -> str:
    if row is None or row["median_error"] is None:
        return "lost"
    digits = 3 if row["unit"] == "mV" else 1
    lost = f"; {100 * row['lost']:.0f} % lost" if row["lost"] >= 0.005 else ""
    return f"{write_number(row['median_error'], digits)}{lost}"
