"""What a new model adds to a base model, as one page of HTML that needs nothing else."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from twelvelead.report.hypotheses_table import write_p
from twelvelead.report.pages import render
from twelvelead.report.performance_table import describe_intervals, name_metric, write_estimate
from twelvelead.report.validation_report import Given, count_facts, draw_figures, frame, tabulate_strata
from twelvelead.report.wording import name_model, name_set, write_interval, write_level, write_number
from twelvelead.terms import PERFORMANCE, PREDICTIONS
from twelvelead.validate import Objection
from twelvelead.validate.nested_comparison import Contrast, NestedComparison
from twelvelead.validate.paired import WARNING

BOTH = ("auroc", "auprc", "brier", "scaled_brier", "calibration_intercept", "calibration_slope", "oe_ratio", "ici")
"""Measures of each model that stand side by side."""

BELIEVED = ("delta_auroc", "delta_auroc_delong", "delta_brier", "delta_net_benefit")
"""Differences that may be judged by; IDI and NRI come after them, with a warning."""

WORDS = {
    "delta_auroc": "ΔAUROC (studentised bootstrap of patients)",
    "delta_auroc_delong": "ΔAUROC (patient-clustered DeLong)",
    "delta_brier": "Δ Brier score (below 0 is better)",
    "idi": "IDI: gain in the discrimination slope",
    "idi_events": "… mean rise of risk of events",
    "idi_nonevents": "… mean fall of risk of non-events",
    "nri": "NRI with the declared classes: sum of the parts, no share of anything",
    "nri_events": "… events moved up less moved down",
    "nri_nonevents": "… non-events moved down less moved up",
    "continuous_nri": "Continuous NRI: sum, between −2 and 2",
    "continuous_nri_events": "… events whose risk rose less fell",
    "continuous_nri_nonevents": "… non-events whose risk fell less rose",
}

READING = (
    ("ΔAUROC", "The figure to believe. If its interval contains 0, no gain in ranking was shown, whatever NRI and IDI "
     "say. It is conservative for a model and its own extension."),
    ("Δ net benefit", "True positives per recording gained by acting on the new model rather than the base model, from "
     "the given threshold. What matters where the model is to be used."),
    ("Calibration of both", "A model that is worse calibrated than the other makes NRI and IDI meaningless."),
    ("Permuted model", "The same procedure with the new predictors shuffled between patients: what is gained by having "
     "more predictors alone. Its ΔAUROC should have an interval that contains 0."),
    ("Strata and PPV", "What became of those called low, medium and high by cuts fixed beforehand."),
    ("Reclassification table", "Who goes from which class to which, events and non-events apart. The only form of "
     "reclassification that hides nothing."),
    ("IDI", "Change of the difference of mean risks. Rises with any stretch of the risks, also without new knowledge."),
    ("NRI", "To be believed rarely. In simulations of a useless marker on new patients the continuous one is positive "
     "in 20 % at the 5 % level. Never quote the sum alone, nor choose the classes afterwards."),
)  # fmt: skip


def nested_report(
    predictions: pl.DataFrame,
    comparison: NestedComparison,
    performance: pl.DataFrame,
    *,
    contrast: Contrast,
    objections: Sequence[Objection],
    given: Given,
    calibration: pl.DataFrame,
) -> str:
    """Write the page.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`
        Of the models compared.
    comparison : NestedComparison
        What `validate.nested_comparison.compare_nested` found.
    performance : DataFrame keeping `terms.PERFORMANCE`
        Of each model by itself.
    contrast : Contrast
        What was compared, and how.
    objections : sequence of Objection
        What a methods reviewer would object to.
    given : Given
        What was given to the judge.
    calibration : DataFrame with columns target, set, model, predicted, observed, lower, upper
        Smooth calibration curves.

    Returns
    -------
    str
        One HTML document: style and drawings inline, no script, nothing fetched.
    """
    PREDICTIONS.check(predictions)
    overall = PERFORMANCE.check(performance).filter(pl.col("stratum") == "all")
    declared = {"validation": {"level": given.level, "n_resamples": given.n_resamples, "unit": "patient"}}
    tables = {
        "performance": overall, "calibration": calibration, "differences": comparison.differences,
        "decision": comparison.decision, "strata": comparison.strata,
        "strata_differences": comparison.strata_differences, "reclassification": comparison.reclassification,
    }  # fmt: skip
    places = comparison.differences.select("target", "set").unique(maintain_order=True).rows()
    parts = [
        {"anchor": f"target-{n}", **_describe(tables, predictions, place, contrast)} for n, place in enumerate(places)
    ]
    names = {"new": name_model(contrast.new), "base": name_model(contrast.base)}
    return render(
        "nested.html",
        **frame(given, objections, contents=[("summary", "Summary"), ("targets", "Comparison")]),
        facts=count_facts(predictions),
        lead=f"What {names['new']} adds to {names['base']}, on the same recordings, which had no part in either.",
        verdicts=[part["verdict"] for part in parts],
        parts=parts,
        names=names,
        null=name_model(contrast.null) if contrast.null is not None else "",
        cuts=" and ".join(f"{cut:g}" for cut in contrast.cuts),
        level=write_level(given.level),
        intervals=describe_intervals(overall.filter(pl.col("metric").is_in(BOTH)), declared),
        warning=WARNING,
        reading=READING,
    )


def _describe(
    tables: Mapping[str, pl.DataFrame], predictions: pl.DataFrame, place: tuple[str, str], contrast: Contrast
) -> dict[str, Any]:
    """Gather what is shown of one target and set."""
    here = (pl.col("target") == place[0]) & (pl.col("set") == place[1])
    mine = {name: table.filter(here) if table.width else table for name, table in tables.items()}
    title = f"{place[0]}, {name_set(place[1])}"
    found = {(r["new"], r["measure"]): r for r in mine["differences"].iter_rows(named=True)}
    believed, warned = _difference_rows(found, contrast)
    return {
        "title": title,
        "verdict": _verdict(title, found, contrast),
        "estimable": bool(believed),
        "both": _both(mine["performance"], contrast),
        "believed": believed,
        "warned": warned,
        "figures": draw_figures(mine, predictions.filter(here), subject=title, models=_models(contrast)),
        "strata": tabulate_strata(mine["strata"], _models(contrast)),
        "strata_differences": _strata_differences(mine["strata_differences"]),
        "reclassification": _reclassification(mine["reclassification"]),
    }


def _models(contrast: Contrast) -> list[str]:
    return [m for m in (contrast.base, contrast.new, contrast.null) if m is not None]


def _verdict(title: str, found: Mapping[tuple[str, str], Mapping[str, Any]], contrast: Contrast) -> str:
    """Say in one sentence what can be said: by the difference of AUROC, and by the null model's."""
    row = found.get((contrast.new, "delta_auroc"))
    new, base = name_model(contrast.new), name_model(contrast.base)
    if row is None or row["estimate"] is None:
        return f"{title}: not estimable, fewer than 10 patients have the event, or a recording without it."
    words = f"ΔAUROC {write_interval(row, 3)}"
    if row["lower"] is None:
        said = "no interval, so no conclusion"
    elif row["lower"] > 0:
        said = f"{new} ranks better than {base}"
    elif row["upper"] < 0:
        said = f"{new} ranks worse than {base}"
    else:
        said = f"no difference between {new} and {base} could be shown"
    sentence = f"{title}: {said} ({words})."
    null = found.get((contrast.null or "", "delta_auroc"))
    if null is not None:
        sentence += f" With the new predictors permuted: {write_interval(null, 3)}."
    return sentence


def _both(performance: pl.DataFrame, contrast: Contrast) -> list[tuple[str, list[str]]]:
    """Put the measures of the models side by side."""
    models = _models(contrast)
    found = {(r["model"], r["metric"]): r for r in performance.iter_rows(named=True)}
    return [
        (name_metric(metric), [write_estimate(found.get((model, metric))) for model in models])
        for metric in BOTH
        if any((model, metric) in found for model in models)
    ]


def _difference_rows(
    found: Mapping[tuple[str, str], Mapping[str, Any]], contrast: Contrast
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Write the differences as rows of text: those to judge by, and those that need a warning."""
    believed: list[dict[str, Any]] = []
    warned: list[dict[str, Any]] = []
    for (model, measure), row in found.items():
        if model != contrast.new or measure is None:
            continue
        name, _, threshold = measure.partition("@")
        words = WORDS.get(measure, f"Δ net benefit, acting from a risk of {threshold}")
        null = found.get((contrast.null or "", measure))
        digits = 4 if name in {"delta_net_benefit", "delta_brier"} else 3
        cells = {
            "measure": words,
            "part": words.startswith("…"),
            "estimate": write_interval(row, digits),
            "p": write_p(row["p_value"]),
            "null": write_interval(null, digits) if null is not None else "",
            "null_p": write_p(null["p_value"]) if null is not None else "",
        }
        (believed if name in BELIEVED else warned).append(cells)
    order = [measure for measure in WORDS if measure not in BELIEVED]
    rank = {WORDS[measure]: k for k, measure in enumerate(order)}
    return believed, sorted(warned, key=lambda row: rank[row["measure"]])


def _strata_differences(table: pl.DataFrame) -> list[list[str]]:
    return [
        [
            row["stratum"],
            write_number(row["base"], 3),
            write_number(row["new"], 3),
            write_interval({**row, "estimate": row["difference"]}, 3),
        ]
        for row in table.iter_rows(named=True)
    ]


def _reclassification(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Lay out who goes from which class to which, events and non-events apart, with what moved."""
    if table.is_empty():
        return []
    classes = table["base"].unique(maintain_order=True).to_list()
    out = []
    for y, name in ((1, "with the event"), (0, "without the event")):
        cells = {(r["base"], r["new"]): r["n"] for r in table.filter(pl.col("y") == y).iter_rows(named=True)}
        total = sum(cells.values())
        up = sum(n for (a, b), n in cells.items() if classes.index(b) > classes.index(a))
        down = sum(n for (a, b), n in cells.items() if classes.index(b) < classes.index(a))
        rows = [(a, [(write_number(cells[a, b], 0), a == b) for b in classes]) for a in classes]
        moved = f"up {write_number(up, 0)}, down {write_number(down, 0)} of {write_number(total, 0)}"
        out.append({"name": name, "rows": rows, "classes": classes, "moved": moved})
    return out
