"""One study as one page of HTML that needs nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from twelvelead.report.closer_look import describe_closer
from twelvelead.report.ecg import draw_ecg
from twelvelead.report.flow_diagram import draw_flow
from twelvelead.report.methods import describe_methods
from twelvelead.report.overview import arrange, show_hypotheses, show_performance
from twelvelead.report.pages import render
from twelvelead.report.predictor_words import count_embedded, count_offered
from twelvelead.report.probast import answer_questions
from twelvelead.report.table_one import KEY_MEASUREMENTS, name_group, table_one
from twelvelead.report.target_section import describe_target
from twelvelead.report.transport_section import describe_transport
from twelvelead.report.tripod import map_items
from twelvelead.report.waterfall import draw_waterfall
from twelvelead.report.wording import name_set, write_number
from twelvelead.terms import (
    FAILURES,
    FEATURES,
    PERFORMANCE,
    PREDICTIONS,
    REASON_CONCEPTS,
    REASONS,
    RESEARCH_ONLY,
    SELECTION,
    SHAP,
    InputError,
)
from twelvelead.validate import Objection

DETAILED = 30
"""Targets that are shown in full: with some 100 kB for each, a page of 15 MB still opens."""


_KNOWN = {"measured": "measured", "embedded": "embedded", "measured + embedded": "measured and embedded"}
"""What a recording had to be, by the features that are declared."""


def study_report(  # noqa: PLR0913 (a report quotes a whole study)
    *,
    declaration: Mapping[str, Any],
    flow: pl.DataFrame,
    external_flow: pl.DataFrame | None,
    cohort: pl.DataFrame,
    features: pl.DataFrame | pl.LazyFrame,
    outcomes: pl.DataFrame,
    predictions: pl.DataFrame | pl.LazyFrame,
    performance: pl.DataFrame,
    selection: pl.DataFrame,
    shap: pl.DataFrame | pl.LazyFrame,
    refusals: Sequence[Mapping[str, str]],
    failures: pl.DataFrame,
    example: Mapping[str, Any] | None,
    simulated: bool,
    optimum: Mapping[str, Mapping[str, float]] | None,
    versions: Mapping[str, str],
    notes: Sequence[str],
    hyperparameters: Mapping[str, Any] | None = None,
    transport: Mapping[str, pl.DataFrame] | None = None,
    hypotheses: pl.DataFrame | None = None,
    closer: Mapping[str, pl.DataFrame] | None = None,
    objections: Sequence[Objection] = (),
    checked: Sequence[str] = (),
    first: Sequence[str] = (),
    detailed: int = DETAILED,
) -> str:
    """Write the report of a study: who was studied, how well the ECG predicts, why, and how it was done.

    Parameters
    ----------
    declaration : mapping
        The declared study, as `model_dump()` gives it.
    flow, external_flow : DataFrame keeping `terms.FLOW`
        Participant flow of the development database, and of the external one if there is one.
    cohort : DataFrame with columns recording_id, patient_id, age_years, sex, set
        The recordings that were analysed.
    features, predictions, shap : DataFrame or LazyFrame keeping their contracts
        The study's large tables, of which the page reads what it shows.
    performance, selection, failures : DataFrame keeping their contracts
        The study's other tables. `performance` may also have n_discarded.
    outcomes : DataFrame with columns set, target, n_events, n_known
        Recordings with each outcome, and those of which it is known, per set of `cohort`.
    refusals : sequence of mappings with keys target, message
        Targets that were not modelled, and why.
    example : mapping or None
        One prediction to explain: recording (Recording), fiducials, target, set, p, base (log-odds), reasons (DataFrame
        with columns feature, value, shap).
    simulated : bool
        Whether the patients are simulated, which the report then says wherever it can't be missed.
    optimum : mapping of set to target to float, or None
        Best reachable AUROC, known for simulated patients.
    versions : mapping of software to version
        What the study ran on.
    notes : sequence of str
        What a methods reviewer would object to.
    hyperparameters : mapping, optional
        `get_params()` of the unfitted model, which the methods state.
    transport : mapping of name to DataFrame, optional
        What differs between the two databases: shift, traps and codes, each keeping its contract.
    hypotheses : DataFrame keeping `terms.HYPOTHESES`, optional
        What was tested over all targets.
    closer : mapping of name to DataFrame, optional
        What else was said of the full models: reasons, concepts, reason_agreement, subgroups and recalibration, each
        keeping its contract.
    objections : sequence of Objection
        All that a methods reviewer would object to; `notes` says of each kind the first few.
    checked : sequence of str
        Codes of the rules for which enough was known.
    first : sequence of str
        Targets that are shown in full before others, where there are more than `detailed`.
    detailed : int
        Most targets that are shown in full: curves, Shapley values, subgroups.

    Returns
    -------
    str
        One HTML document: style and drawings inline, no script, nothing fetched.

    Raises
    ------
    ContractError
        If a table breaks its contract.
    InputError
        If `optimum` is not given per set.
    """
    measured, given = FEATURES.check_schema(features.lazy()), closer or {}
    tables = {
        "predictions": PREDICTIONS.check_schema(predictions.lazy()),
        "performance": PERFORMANCE.check(performance).lazy(),
        "selection": SELECTION.check(selection).lazy(),
        "shap": SHAP.check_schema(shap.lazy()),
        "reasons": REASONS.check_schema(given.get("reasons", REASONS.empty()).lazy()),
        "concepts": REASON_CONCEPTS.check_schema(given.get("concepts", REASON_CONCEPTS.empty()).lazy()),
    }
    titles = {t["name"]: t["title"] for t in declaration["targets"]}
    arranged = arrange(performance, declaration, first=first, detailed=detailed)
    names = measured.collect_schema().names()
    offered = count_offered(declaration["predictors"], names[1:])
    context = {
        "declaration": declaration,
        "research_only": RESEARCH_ONLY,
        "simulated": simulated,
        "facts": _count_facts(cohort, modelled=arranged.ranked, refusals=refusals),
        "flows": _draw_flows(flow, external_flow, declaration=declaration),
        "table_one": _tabulate_people(cohort, features=_read_key(measured), outcomes=outcomes, declaration=declaration),
        "known": _KNOWN[declaration["predictors"].get("features", "measured")],
        "failures": _count_failures(FAILURES.check(failures)),
        "refusals": refusals,
        **show_performance(performance, arranged, declaration=declaration, optimum=_per_set(optimum)),
        "hypotheses": show_hypotheses(hypotheses, arranged),
        **describe_closer(given, arranged, rate=declaration["validation"]["false_discovery_rate"]),
        "targets": [describe_target(tables, target=name, title=title) for name, title in arranged.detailed.items()],
        "transport": describe_transport(**transport) if transport is not None else None,
        "example": _draw_example(example, features=measured, titles=titles),
        "methods": describe_methods(
            declaration,
            n_predictors=offered,
            n_embedded=count_embedded(declaration["predictors"], names[1:]),
            versions=versions,
            simulated=simulated,
            hyperparameters=hyperparameters,
        ),
        "limits": describe_limits(declaration, simulated=simulated),
        "notes": notes,
        "probast": answer_questions(objections, checked=checked),
        "versions": versions,
    }
    return render("study.html", **context, tripod=map_items(_anchors(context)))


def describe_limits(declaration: Mapping[str, Any], *, simulated: bool) -> list[str]:
    """Name what the study cannot show, as far as the software can know it."""
    limits = [
        "Associations are predictive, not causal; what raises a predicted risk need not raise the risk.",
        "Intervals hold the fitted models fixed: another training sample would give other models.",
        "Outcomes are what a database recorded. Who was tested, coded or imaged was not chosen at random.",
        "Measurements are made by software; this report does not show how accurate they are (see the benchmarks).",
    ]
    if declaration["external"] is None:
        limits.append("There is no external validation: how the models do in other hospitals is unknown.")
    if declaration["split"]["method"] == "cross_fit":
        limits.append(
            "By cross-fitting, the figures describe the procedure, averaged over several models, rather than one model."
        )
    if declaration["mode"] == "paper":
        limits.append("Mode “paper” repeats a published method with its faults; its figures must not be relied upon.")
    if simulated:
        limits.insert(0, "All patients are simulated. Nothing here says anything about real patients.")
    return limits


def _per_set(optimum: Mapping[str, Mapping[str, float]] | None) -> Mapping[str, Mapping[str, float]]:
    given: Mapping[str, object] = optimum or {}
    for set_, values in given.items():
        if not isinstance(values, Mapping):
            msg = (
                f"optimum must give the best AUROC per set and target; got {values!r} for {set_!r}. "
                "Pass {'internal': {target: AUROC}}."
            )
            raise InputError(msg)
    return optimum or {}


def _count_facts(
    cohort: pl.DataFrame, *, modelled: Mapping[str, str], refusals: Sequence[Mapping[str, str]]
) -> list[tuple[str, str]]:
    """Count what the first screen says: number and what of."""
    facts = [
        (write_number(cohort.height, 0), "ECG recordings analysed"),
        (write_number(cohort["patient_id"].n_unique(), 0), "patients"),
        (str(len(modelled)), "target predicted" if len(modelled) == 1 else "targets predicted"),
    ]
    if refusals:
        facts.append((str(len(refusals)), "not modelled, see participants"))
    return facts


def _draw_flows(
    flow: pl.DataFrame, external: pl.DataFrame | None, *, declaration: Mapping[str, Any]
) -> list[tuple[str, str]]:
    name = f"Development database ({declaration['database']['kind']})"
    drawn = [(name, draw_flow(flow, subject=name))]
    if external is not None:
        kind = (declaration["external"] or {}).get("kind", "external")
        name = f"External database ({kind})"
        drawn.append((name, draw_flow(external, subject=name)))
    return drawn


def _tabulate_people(
    cohort: pl.DataFrame, *, features: pl.DataFrame, outcomes: pl.DataFrame, declaration: Mapping[str, Any]
) -> dict[str, Any]:
    titles = {t["name"]: t["title"] for t in declaration["targets"]}
    table = table_one(cohort, features=features, outcomes=outcomes, titles=titles)
    names = [name_group(c) for c in table.columns[1:]]
    if declaration["split"]["method"] == "cross_fit":
        names = [
            "Development (cross-fitted)" if c == "internal" else n
            for c, n in zip(table.columns[1:], names, strict=True)
        ]
    # A percentage must not be parted from its sign at the end of a line.
    return {"names": names, "rows": [tuple(cell.replace(" %", "\u00a0%") for cell in row) for row in table.rows()]}


def _read_key(features: pl.LazyFrame) -> pl.DataFrame:
    """Read the few measurements that Table 1 describes."""
    there = features.collect_schema().names()
    return features.select("recording_id", *(m for m in KEY_MEASUREMENTS if m in there)).collect(engine="streaming")


def _count_failures(failures: pl.DataFrame) -> list[tuple[str, int, str]]:
    """Count the recordings that could not be measured by reason, with one message as an example."""
    counted = failures.sort("recording_id").group_by("reason").agg(n=pl.len(), example=pl.col("message").first())
    return [(str(r), int(n), str(m)) for r, n, m in counted.sort(["n", "reason"], descending=[True, False]).iter_rows()]


def _draw_example(
    example: Mapping[str, Any] | None, *, features: pl.LazyFrame, titles: Mapping[str, str]
) -> dict[str, Any] | None:
    """Draw one recording and the reasons for its predicted risk."""
    if example is None:
        return None
    recording, title = example["recording"], titles.get(example["target"], example["target"])
    row = features.filter(pl.col("recording_id") == recording.id).collect(engine="streaming")
    measured = row.row(0, named=True) if row.height else {}
    reasons = example["reasons"]
    rows = reasons.to_dicts() if isinstance(reasons, pl.DataFrame) else list(reasons)
    subject = f"{title}, recording {recording.id}"
    waterfall = draw_waterfall(rows, base=example["base"], risk=example["p"], subject=subject)
    ecg = draw_ecg(recording, fiducials=example.get("fiducials"), measurements=measured)
    return {
        "title": title,
        "recording_id": recording.id,
        "set": name_set(example["set"]) if "set" in example else "",
        "risk": write_number(example["p"]),
        "n_reasons": len(rows),
        "waterfall": waterfall,
        "ecg": ecg,
    }


def _anchors(context: Mapping[str, Any]) -> set[str]:
    anchors = {"summary", "participants", "performance", "methods", "limits", "tripod", "provenance"}
    return anchors | {name for name in ("targets", "subgroups", "agreement", "recalibration") if context[name]}
