"""Gather what the report needs, and write it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from twelvelead.io import read, read_model
from twelvelead.io.tables import write_text
from twelvelead.predict import base_value, from_parts
from twelvelead.report import study_report
from twelvelead.report.probast import checked_codes
from twelvelead.study.closer import CLOSER
from twelvelead.study.declaration import Study
from twelvelead.study.fitting import FINAL, FULL, make_estimator
from twelvelead.study.judging import CHECKED
from twelvelead.study.sample import Sample
from twelvelead.study.versions import versions
from twelvelead.validate import Objection

TRANSPORTED = ("shift", "traps", "codes", "domain", "transport")
"""Tables on what differs between two databases."""


def write_report(  # noqa: PLR0913 (a report quotes a whole study)
    study: Study,
    out: Path,
    *,
    samples: dict[str, Sample],
    run: Path,
    tables: dict[str, pl.DataFrame],
    first: Sequence[str],
    refusals: list[dict[str, str]],
    objections: Sequence[Objection],
    notes: list[str],
) -> None:
    """Write the study's report as one self-contained HTML file.

    Parameters
    ----------
    study : Study
        The declaration.
    out : Path
        The study's folder, with the tables that may be larger than memory: predictions, shap and features. It gets
        report.html.
    samples : dict of str to Sample
        The databases as the study used them: internal, and perhaps external.
    run : Path
        Folder of this run's fits.
    tables : dict of str to DataFrame
        The study's other tables by name: performance, selection, failures, folds.
    first : sequence of str
        Targets that were declared one by one; they come before those of families where not all can be shown in full.
    refusals : list of dict
        Targets that were not modelled: target, message.
    objections : sequence of Objection
        All that a methods reviewer would object to.
    notes : list of str
        The same in words, of each kind the first few.
    """
    external, folds = samples.get("external"), tables["folds"]
    optimum = {name: s.database.optimum for name, s in samples.items() if s.database.optimum}
    large = {name: pl.scan_parquet(out / f"{name}.parquet") for name in ("predictions", "shap", "features")}
    people = {name: _people(name, s, _held_out(study, folds)) for name, s in samples.items()}
    html = study_report(
        declaration=study.model_dump(mode="json"),
        flow=samples["internal"].flow,
        external_flow=external.flow if external is not None else None,
        cohort=pl.concat(list(people.values())),
        outcomes=pl.concat([_count_outcomes(s, people[name]["set"]) for name, s in samples.items()]),
        predictions=large["predictions"],
        shap=large["shap"],
        features=large["features"],
        performance=tables["performance"],
        hypotheses=tables.get("hypotheses"),
        closer={table.name: tables[table.name] for table in CLOSER},
        objections=objections,
        checked=checked_codes(CHECKED),
        selection=tables["selection"],
        first=first,
        refusals=refusals,
        failures=tables["failures"],
        transport={name: tables[name] for name in TRANSPORTED} if "shift" in tables else None,
        example=_example(study, samples, tables={**tables, **large}, run=run),
        simulated=any(s.database.simulated for s in samples.values()),
        optimum=optimum or None,
        versions=versions(),
        notes=notes,
        hyperparameters=make_estimator(study, n_recordings=_count_fitted(study, folds)).get_params(),
    )
    write_text(html, out / "report.html")


def _count_outcomes(sample: Sample, part: pl.Series) -> pl.DataFrame:
    """Count what each outcome is in each part of a database: set, target, n_events, n_known."""
    inside = {name: (part == name).to_numpy() for name in part.unique(maintain_order=True)}
    rows = []
    for place, rule in enumerate(sample.answers.rules):
        y = sample.answers.of(place)
        for name, mask in inside.items():
            rows.append((name, rule.name, int(np.count_nonzero(y[mask] == 1)), int(np.count_nonzero(y[mask] >= 0))))
    schema = {"set": pl.String, "target": pl.String, "n_events": pl.Int64, "n_known": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _held_out(study: Study, folds: pl.DataFrame) -> pl.DataFrame:
    """Find the recordings that were held out: all in turn, or those of the first fold."""
    return folds if study.split.method == "cross_fit" else folds.filter(pl.col("fold") == 0)


def _count_fitted(study: Study, folds: pl.DataFrame) -> int:
    """Count the recordings that the models that are kept are fitted on, at most."""
    return folds.height if study.split.method == "cross_fit" else folds.filter(pl.col("fold") != 0).height


def _people(name: str, sample: Sample, held_out: pl.DataFrame) -> pl.DataFrame:
    """Who was in which part: development, internal (held out) or external."""
    part = pl.lit(name)
    if name == "internal":
        part = pl.when(pl.col("recording_id").is_in(held_out["recording_id"].implode())).then(part)
        part = part.otherwise(pl.lit("development"))
    return sample.cohort.select("recording_id", "patient_id", "age_years", "sex", part.alias("set"))


def _example(study: Study, samples: dict[str, Sample], *, tables: dict[str, Any], run: Path) -> dict[str, Any] | None:
    """Pick the explained recording with the event whose risk was put highest, for the first target that has one."""
    there = set(tables["performance"]["target"])
    for first in (target.name for target in study.targets if target.name in there):
        mine = (pl.col("target") == first) & (pl.col("model") == FULL)
        shap = tables["shap"].filter(mine).collect(engine="streaming")
        predictions = tables["predictions"].filter(mine & (pl.col("y") == 1)).collect(engine="streaming")
        candidates = predictions.join(shap, on=["recording_id", "set"], how="semi")
        if not candidates.is_empty():
            break
    else:
        return None
    chosen = candidates.sort("p", "recording_id", descending=[True, False]).row(0, named=True)
    sample = samples[chosen["set"]]
    recording_id = chosen["recording_id"]
    row = sample.cohort.row(by_predicate=pl.col("recording_id") == recording_id, named=True)
    if row["path"] is None:
        return None
    ecg = row.get("ecg_id") or recording_id  # several X-rays may share one
    fiducials = sample.fiducials.filter(pl.col("recording_id") == ecg).collect(engine="streaming")
    if fiducials.is_empty():  # measurements without waveforms
        return None
    return {
        "recording": read(sample.database.folder / row["path"], recording_id=recording_id, entry=row.get("entry")),
        "fiducials": fiducials,
        "target": first,
        "set": chosen["set"],
        "p": chosen["p"],
        "base": base_value(from_parts(*read_model(_model_of(chosen, tables["folds"], run / first / FULL)))),
        "reasons": shap.filter((pl.col("recording_id") == recording_id) & (pl.col("set") == chosen["set"])),
    }


def _model_of(chosen: dict[str, Any], folds: pl.DataFrame, fits: Path) -> Path:
    """Find the model that made a prediction: that of the recording's fold, or for another database the kept one."""
    if chosen["set"] == "internal":
        fold = folds.filter(pl.col("recording_id") == chosen["recording_id"])["fold"][0]
        return fits / f"fold-{fold}" / "model"
    kept = fits / FINAL
    return (kept if kept.is_dir() else fits / "fold-0") / "model"
