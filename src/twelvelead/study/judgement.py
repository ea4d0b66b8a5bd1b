"""Judge anyone's table of predictions: read it, call the judge, write the folder."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.io.tables import sha256, write_json, write_table, write_text
from twelvelead.report.performance_table import full_model
from twelvelead.report.validation_report import Given, validation_report
from twelvelead.study.prediction_table import Columns, read_predictions
from twelvelead.study.progress import Progress, silent
from twelvelead.study.review import NOTHING, Beside, review
from twelvelead.study.versions import versions
from twelvelead.terms import StudyError
from twelvelead.validate import (
    Bootstrap,
    Objection,
    decision_curves,
    hypotheses,
    performance,
    recalibration_ladder,
    refuse,
    risk_strata,
    smooth_curve,
    subgroup_differences,
    units,
)
from twelvelead.validate.checks import table as tabulate
from twelvelead.validate.nested_comparison import decision_grid
from twelvelead.validate.performance import BASELINE
from twelvelead.validate.resample import enough_patients

Floats = NDArray[np.float64]

FALSE_DISCOVERIES = 0.05
"""The rate that the adjustment for several targets holds."""

DECIMALS = 10
"""The last bits of a sum depend on the machine; the same input and seed must give the same bytes."""


@dataclass(frozen=True)
class Choices:
    """What is to be declared before the outcomes are looked at.

    Parameters
    ----------
    thresholds : tuple of float
        Risks from which one would act.
    cuts : tuple of float
        Limits of low, medium and high risk.
    level : float
        Confidence level.
    n_resamples, seed : int
        Of the bootstrap of patients.
    """

    thresholds: tuple[float, ...]
    cuts: tuple[float, ...]
    level: float
    n_resamples: int
    seed: int

    @property
    def bootstrap(self) -> Bootstrap:
        """The bootstrap of all figures, so that they are paired."""
        return Bootstrap(n_resamples=self.n_resamples, seed=self.seed, level=self.level)


@dataclass(frozen=True)
class Judgement:
    """What came of a judgement.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        What was written, by name.
    objections : tuple of Objection
        What a methods reviewer would object to.
    not_estimable : tuple of str
        Targets, with their sets, that have too few patients with the event, or without it.
    n_unknown : int
        Rows left out because their outcome is unknown.
    """

    tables: Mapping[str, pl.DataFrame]
    objections: tuple[Objection, ...]
    not_estimable: tuple[str, ...]
    n_unknown: int


def validate_predictions(
    path: Path,
    *,
    out: Path,
    columns: Columns,
    choices: Choices,
    beside: Beside = NOTHING,
    progress: Progress = silent,
) -> Judgement:
    """Judge a table of predictions, and write tables and report.

    Parameters
    ----------
    path : Path
        CSV, TSV or Parquet.
    out : Path
        Folder of the results: performance (also as Parquet), hypotheses, subgroups, calibration, recalibration,
        decision, strata and objections as CSV; judgement.json and report.html.
    columns : Columns
        What the table's columns are called.
    choices : Choices
        Thresholds, cuts and the bootstrap.
    beside : Beside
        What else is known.
    progress : Progress
        Told after each target.

    Returns
    -------
    Judgement

    Raises
    ------
    InputError
        If a column is absent or holds what it can't.
    StudyError
        If the figures would be wrong: patients on both sides, risks outside [0, 1], repeated rows.
    """
    given = read_predictions(path, columns, baseline=beside.baseline)
    objections, known = review(given, beside, thresholds=choices.thresholds, level=choices.level)
    refuse(objections)
    judged = performance(
        given.predictions,
        n_resamples=choices.n_resamples,
        level=choices.level,
        seed=choices.seed,
        thresholds=choices.thresholds,
        strata=given.strata,
    )
    parts: dict[str, list[pl.DataFrame]] = {}
    places = part_by_place(given.predictions)
    for done, (place, rows) in enumerate(places, 1):
        if is_estimable(rows):
            for name, table in judge_place(rows, choices).items():
                parts.setdefault(name, []).append(_at(place, table))
        progress("judging", done, len(places))
    lost = tuple(", ".join(place) for place, rows in places if not is_estimable(rows))
    tables = {"performance": judged, "calibration": smooth_curves(places, level=choices.level)}
    tables |= {name: pl.concat(found) for name, found in parts.items()}
    tables["hypotheses"] = _hypotheses(given.predictions)
    if given.strata is not None:
        model = full_model(given.predictions["model"])
        tables["subgroups"] = subgroup_differences(
            given.predictions, given.strata, model=model, bootstrap=choices.bootstrap
        )
    page = validation_report(
        given.predictions,
        tables,
        objections,
        given=Given(
            title=f"Judgement of {path.name}",
            n_resamples=choices.n_resamples,
            level=choices.level,
            cuts=choices.cuts,
            known=known,
            notes=say_unknown(given.n_unknown),
            provenance=provenance(path, choices),
            simulated=beside.simulated,
        ),
    )
    write_folder(out, tables | {"objections": tabulate(objections)}, page=page, record=record(path, columns, choices))
    return Judgement(tables, objections, lost, given.n_unknown)


def _hypotheses(predictions: pl.DataFrame) -> pl.DataFrame:
    """Test every model but the baseline over all targets, against the baseline where it is there."""
    models = predictions["model"].unique().sort().to_list()
    base = BASELINE if BASELINE in models and len(models) > 1 else None
    return pl.concat(hypotheses(predictions, model=m, base=base, rate=FALSE_DISCOVERIES) for m in models if m != base)


def judge_place(rows: pl.DataFrame, choices: Choices) -> dict[str, pl.DataFrame]:
    """Return what is judged beside the performance, for one target and set, by name.

    Parameters
    ----------
    rows : DataFrame keeping `terms.PREDICTIONS`
        Of one target and set, with enough patients.
    choices : Choices
        Cuts and the bootstrap.
    """
    y, p, patients = _arrays(rows)
    models = list(p)
    tables = {
        "strata": [
            _of(m, risk_strata(y, p[m], cuts=choices.cuts, level=choices.level, patients=patients)) for m in models
        ],
        "decision": [decision_curves(y, p, decision_grid(p), patients=patients, bootstrap=choices.bootstrap)],
    }
    for model in models:
        try:
            ladder = recalibration_ladder(y, p[model], patients, seed=choices.seed)
        except StudyError:  # a half without enough different risks, or whose risks separate: there is nothing to mend
            continue
        tables.setdefault("recalibration", []).append(_of(model, ladder))
    return {name: pl.concat(found) for name, found in tables.items()}


def _arrays(rows: pl.DataFrame) -> tuple[Floats, dict[str, Floats], NDArray[np.object_]]:
    """Return outcome, risks by model and patient of the recordings of one target and set, sorted by their id."""
    parts = {str(m): part.sort("recording_id") for (m,), part in rows.partition_by("model", as_dict=True).items()}
    first = next(iter(parts.values()))
    p = {model: parts[model]["p"].to_numpy() for model in sorted(parts)}
    return first["y"].to_numpy().astype(float), p, first["patient_id"].to_numpy()


def smooth_curves(places: Sequence[tuple[tuple[str, str], pl.DataFrame]], *, level: float) -> pl.DataFrame:
    """Return the smooth calibration curves of all models, with columns target, set, model before its own."""
    found = []
    for place, rows in places:
        if is_estimable(rows):
            y, risks, patients = _arrays(rows)
            curves = [_of(m, smooth_curve(y, p, level=level, patients=patients)) for m, p in risks.items()]
            found.append(_at(place, pl.concat(curves)))
    empty = pl.DataFrame(schema=dict.fromkeys(("target", "set", "model"), pl.String))
    return pl.concat(found) if found else empty


def part_by_place(predictions: pl.DataFrame) -> list[tuple[tuple[str, str], pl.DataFrame]]:
    """Part predictions by target and set, in this order."""
    parts = predictions.partition_by("target", "set", as_dict=True).items()
    return sorted((((str(target), str(where)), rows) for (target, where), rows in parts), key=lambda part: part[0])


def is_estimable(rows: pl.DataFrame) -> bool:
    """Whether at least 10 patients have the event, and 10 a recording without it."""
    return enough_patients(rows["y"].to_numpy().astype(float), units(rows["patient_id"].to_numpy()))


def say_unknown(n_unknown: int) -> tuple[str, ...]:
    """Say how many rows had no outcome."""
    rows = "row was" if n_unknown == 1 else "rows were"
    return (f"{n_unknown} {rows} left out: the outcome is unknown.",) if n_unknown else ()


def provenance(path: Path, choices: Choices) -> list[tuple[str, str]]:
    """List what a reader needs to do the same again."""
    given = [("predictions", path.name), ("SHA-256 of the file", sha256(path))]
    given += [(name, ", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
              for name, value in asdict(choices).items()]  # fmt: skip
    return [(name.replace("_", " "), value) for name, value in given] + [*versions().items()]


def record(path: Path, columns: Columns, choices: Choices) -> dict[str, Any]:
    """Give what judgement.json holds."""
    return {
        "input": {"name": path.name, "sha256": sha256(path)},
        "columns": asdict(columns),
        "choices": asdict(choices),
        "versions": versions(),
    }


def write_folder(out: Path, tables: Mapping[str, pl.DataFrame], *, page: str, record: Mapping[str, Any]) -> None:
    """Write every table as CSV, the performance as Parquet too, the record, and last the page."""
    for name, table in tables.items():
        rounded = table.with_columns(pl.selectors.float().round(DECIMALS))
        write_table(rounded, out / f"{name}.csv")
        if name == "performance":
            write_table(rounded, out / "performance.parquet")
    write_json(record, out / "judgement.json")
    write_text(page, out / "report.html")


def _at(place: Sequence[str], table: pl.DataFrame) -> pl.DataFrame:
    return table.select(pl.lit(place[0]).alias("target"), pl.lit(place[1]).alias("set"), pl.all())


def _of(model: str, table: pl.DataFrame) -> pl.DataFrame:
    return table.select(pl.lit(model).alias("model"), pl.all())
