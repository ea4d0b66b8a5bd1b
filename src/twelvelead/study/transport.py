"""What differs between the development database and another one, before any model is asked."""

from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.cohort import map_codes
from twelvelead.cohort.codes import DIAGNOSES
from twelvelead.study.declaration import Study
from twelvelead.study.sample import Sample
from twelvelead.terms import CODES_USED, SHIFT, TRAPS
from twelvelead.validate import auroc

TRAP = 0.05
"""From this much, in AUROC, the mere absence of a measurement means something else in the other database."""

WORTH_ASKING = 0.01
"""Share of missing values from which a predictor's absence is looked at."""


def compare_predictors(internal: Sample, external: Sample) -> pl.DataFrame:
    """Compare every predictor's missingness, range and mean.

    Parameters
    ----------
    internal, external : Sample
        The two databases, by the same study.

    Returns
    -------
    DataFrame keeping `terms.SHIFT`
        One row per predictor. The standardised difference is external minus internal, in standard deviations pooled
        over both. Where measurements were left as published (mode "paper"), an axis that is counted from −89 to 270
        degrees in one and from −180 to 180 in the other shows in the range.
    """
    names = [name for name in internal.predictors.columns if name != "recording_id"]
    rows = []
    for name in names:
        row: dict[str, object] = {"predictor": name}
        moments = []
        for side, sample in (("internal", internal), ("external", external)):
            values = sample.predictors[name].cast(pl.Float64).to_numpy()
            there = values[np.isfinite(values)]
            row[f"{side}_missing"] = 1 - len(there) / max(len(values), 1)
            if len(there):
                row |= {f"{side}_lowest": there.min(), f"{side}_highest": there.max(), f"{side}_mean": there.mean()}
            moments.append((there.mean(), there.var(ddof=1)) if len(there) > 1 else (np.nan, np.nan))
        (here, variance), (elsewhere, other) = moments
        pooled = np.sqrt((variance + other) / 2)
        row["standardised_difference"] = (elsewhere - here) / pooled if pooled > 0 else None
        rows.append(row)
    return SHIFT.select(pl.DataFrame(rows, schema=SHIFT.schema))


def audit_missingness(internal: Sample, external: Sample) -> pl.DataFrame:
    """Ask how much the mere absence of a measurement tells about each outcome, in both databases.

    Parameters
    ----------
    internal, external : Sample
        The two databases, by the same study.

    Returns
    -------
    DataFrame keeping `terms.TRAPS`
        One row per target and predictor that at least 1 % lack in either database. `trap` says that the AUROC of "is
        missing" differs by 0.05 or more between the two, or can be had in one only: trees send missing values down one
        branch, and take its meaning along. So a P wave that is missing because of atrial fibrillation in one hospital,
        and because old records were not digitised in another.
    """
    samples = {"internal": internal, "external": external}
    lacking = [
        name
        for name in internal.predictors.columns
        if name != "recording_id" and any(_missing(s, name).mean() >= WORTH_ASKING for s in samples.values())
    ]
    rows = []
    for rule in internal.declared:
        y = {side: _outcome(sample, rule.name) for side, sample in samples.items()}
        for name in lacking:
            found = {side: _auroc(y[side], _missing(sample, name)) for side, sample in samples.items()}
            both = [value for value in found.values() if value is not None]
            trap = abs(both[0] - both[1]) >= TRAP if len(both) == 2 else False
            rows.append({"target": rule.name, "predictor": name, **found, "trap": trap})
    return TRAPS.select(pl.DataFrame(rows, schema=TRAPS.schema, orient="row"))


def _missing(sample: Sample, name: str) -> NDArray[np.float64]:
    """Return 1.0 where a predictor is missing, shape (n_recordings,)."""
    missing: NDArray[np.float64] = np.isnan(sample.predictors[name].cast(pl.Float64).to_numpy()).astype(np.float64)
    return missing


def _outcome(sample: Sample, target: str) -> NDArray[np.float64]:
    """Return a target's outcomes in the order of the predictors, NaN where unknown."""
    of_target = sample.outcomes.filter(pl.col("target") == target).select("recording_id", "y")
    joined = sample.predictors.select("recording_id").join(
        of_target, on="recording_id", how="left", maintain_order="left", validate="1:1"
    )
    return joined["y"].cast(pl.Float64).to_numpy()


def _auroc(y: NDArray[np.float64], score: NDArray[np.float64]) -> float | None:
    known = ~np.isnan(y)
    if not 0 < y[known].sum() < known.sum():
        return None
    return auroc(y[known], score[known])


def list_codes(study: Study, samples: Iterable[tuple[str, Sample]]) -> pl.DataFrame:
    """List the published codes that stand behind each diagnosis, in each database.

    Parameters
    ----------
    study : Study
        The declaration.
    samples : iterable of (str, Sample)
        internal, and perhaps external.

    Returns
    -------
    DataFrame keeping `terms.CODES_USED`
        One row per target, set and published code, the commonest first: what one country calls K70.3 may be coded
        otherwise, or not at all, in another.
    """
    tables = [CODES_USED.empty()]
    for side, sample in samples:
        rules = [rule for rule in sample.targets if rule.system == "icd10"]
        if not rules:
            continue
        diagnoses = sample.database.select_events(DIAGNOSES)
        counts = (
            diagnoses.join(sample.cohort.select("patient_id").unique().lazy(), on="patient_id", how="semi")
            .group_by("system", "code")
            .agg(n_events=pl.len().cast(pl.Int64), n_patients=pl.col("patient_id").n_unique().cast(pl.Int64))
            .collect(engine="streaming")
        )
        icd10 = map_codes(counts.select("system", "code"), study.codes, dictionary=sample.database.dictionary)
        mapped = counts.join(icd10, on=["system", "code"], how="left", validate="1:1")
        became = pl.col("icd10")
        for rule in rules:
            fits = [became.str.starts_with(code) if rule.match == "prefix" else became == code for code in rule.codes]
            found = mapped.filter(pl.any_horizontal(fits)).sort("n_events", "code", descending=[True, False])
            tables.append(
                found.with_columns(target=pl.lit(rule.name), set=pl.lit(side)).select(list(CODES_USED.schema))
            )
    return CODES_USED.check(pl.concat(tables))
