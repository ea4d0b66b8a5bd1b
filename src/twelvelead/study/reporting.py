"""Gather what the report needs, and write it."""

from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.io import read, read_model
from twelvelead.io.tables import write_text
from twelvelead.predict import base_value, from_parts
from twelvelead.report import study_report
from twelvelead.study.declaration import Study
from twelvelead.study.fitting import FINAL, FULL, make_estimator
from twelvelead.study.sample import Sample
from twelvelead.study.versions import versions


def write_report(
    study: Study,
    path: Path,
    *,
    samples: dict[str, Sample],
    run: Path,
    tables: dict[str, pl.DataFrame],
    refusals: list[dict[str, str]],
    notes: list[str],
) -> None:
    """Write the study's report as one self-contained HTML file.

    Parameters
    ----------
    study : Study
        The declaration.
    path : Path
        The HTML file.
    samples : dict of str to Sample
        The databases as the study used them: internal, and perhaps external.
    run : Path
        Folder of this run's fits.
    tables : dict of str to DataFrame
        The study's tables by name: performance, predictions, selection, shap, failures, folds.
    refusals : list of dict
        Targets that were not modelled: target, message.
    notes : list of str
        What a methods reviewer would object to.
    """
    external, folds = samples.get("external"), tables["folds"]
    optimum = {name: s.database.optimum for name, s in samples.items() if s.database.optimum}
    html = study_report(
        declaration=study.model_dump(mode="json"),
        flow=samples["internal"].flow,
        external_flow=external.flow if external is not None else None,
        cohort=pl.concat([_people(name, s, _held_out(study, folds)) for name, s in samples.items()]),
        features=tables["features"],
        outcomes=pl.concat([s.outcomes for s in samples.values()]),
        predictions=tables["predictions"],
        performance=tables["performance"],
        selection=tables["selection"],
        shap=tables["shap"],
        refusals=refusals,
        failures=tables["failures"],
        transport={name: tables[name] for name in ("shift", "traps", "codes")} if "shift" in tables else None,
        example=_example(study, samples, tables=tables, run=run),
        simulated=any(s.database.simulated for s in samples.values()),
        optimum=optimum or None,
        versions=versions(),
        notes=notes,
        hyperparameters=make_estimator(study).get_params(),
    )
    write_text(html, path)


def _held_out(study: Study, folds: pl.DataFrame) -> pl.DataFrame:
    """Find the recordings that were held out: all in turn, or those of the first fold."""
    return folds if study.split.method == "cross_fit" else folds.filter(pl.col("fold") == 0)


def _people(name: str, sample: Sample, held_out: pl.DataFrame) -> pl.DataFrame:
    """Who was in which part: development, internal (held out) or external."""
    part = pl.lit(name)
    if name == "internal":
        part = pl.when(pl.col("recording_id").is_in(held_out["recording_id"].implode())).then(part)
        part = part.otherwise(pl.lit("development"))
    return sample.cohort.select("recording_id", "patient_id", "age_years", "sex", part.alias("set"))


def _example(
    study: Study, samples: dict[str, Sample], *, tables: dict[str, pl.DataFrame], run: Path
) -> dict[str, Any] | None:
    """Pick the held-out recording with the event whose risk was put highest, for the first target that has one."""
    predictions = tables["predictions"].filter((pl.col("model") == FULL) & (pl.col("y") == 1))
    if predictions.is_empty():
        return None
    there = set(predictions["target"])
    first = next(target.name for target in study.targets if target.name in there)
    candidates = predictions.filter(pl.col("target") == first).sort("p", "recording_id", descending=[True, False])
    chosen = candidates.row(0, named=True)
    sample = samples[chosen["set"]]
    recording_id = chosen["recording_id"]
    row = sample.cohort.row(by_predicate=pl.col("recording_id") == recording_id, named=True)
    if row["path"] is None or sample.fiducials.is_empty():  # measurements without waveforms
        return None
    ecg = row.get("ecg_id") or recording_id  # several X-rays may share one
    mine = (pl.col("recording_id") == recording_id) & (pl.col("target") == first) & (pl.col("set") == chosen["set"])
    return {
        "recording": read(sample.database.folder / row["path"], recording_id=recording_id, entry=row.get("entry")),
        "fiducials": sample.fiducials.filter(pl.col("recording_id") == ecg),
        "target": first,
        "set": chosen["set"],
        "p": chosen["p"],
        "base": base_value(from_parts(*read_model(_model_of(chosen, tables["folds"], run / first / FULL)))),
        "reasons": tables["shap"].filter(mine & (pl.col("model") == FULL)),
    }


def _model_of(chosen: dict[str, Any], folds: pl.DataFrame, fits: Path) -> Path:
    """Find the model that made a prediction: that of the recording's fold, or for another database the kept one."""
    if chosen["set"] == "internal":
        fold = folds.filter(pl.col("recording_id") == chosen["recording_id"])["fold"][0]
        return fits / f"fold-{fold}" / "model"
    kept = fits / FINAL
    return (kept if kept.is_dir() else fits / "fold-0") / "model"
