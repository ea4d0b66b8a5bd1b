"""What differs between the development database and another one, before any model is asked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.cohort import map_codes
from twelvelead.cohort.codes import DIAGNOSES
from twelvelead.study.declaration import Study
from twelvelead.study.sample import Sample
from twelvelead.terms import CODES_USED, SHIFT, TRAPS

TRAP = 0.05
"""From this much, in AUROC, the mere absence of a measurement means something else in the other database."""

WORTH_ASKING = 0.01
"""Share of missing values from which a predictor's absence is looked at."""


@dataclass(frozen=True)
class Side:
    """What the comparison of two databases asks of one.

    Parameters
    ----------
    predictors : DataFrame
        recording_id and one Float32 column per predictor.
    patients : Series of str
        The patient of each row.
    outcome : callable
        Name of a target to an array of int8, shape (n_recordings,): 1 event, 0 none, −1 unknown.
    """

    predictors: pl.DataFrame
    patients: pl.Series
    outcome: Callable[[str], NDArray[np.int8]]

    @property
    def names(self) -> list[str]:
        """Names of the predictors."""
        return [name for name in self.predictors.columns if name != "recording_id"]


def side_of(sample: Sample) -> Side:
    """Give the side of a database that was made ready."""
    place = {rule.name: n for n, rule in enumerate(sample.declared)}
    return Side(sample.predictors, sample.cohort["patient_id"], lambda target: sample.answers.of(place[target]))


def compare_predictors(internal: Side, external: Side) -> pl.DataFrame:
    """Compare every predictor's missingness, range and mean.

    Parameters
    ----------
    internal, external : Side
        The two databases, by the same study.

    Returns
    -------
    DataFrame keeping `terms.SHIFT`
        One row per predictor. The standardised difference is external minus internal, in standard deviations pooled
        over both. Where measurements were left as published (mode "paper"), an axis that is counted from −89 to 270
        degrees in one and from −180 to 180 in the other shows in the range.
    """
    rows = []
    for name in internal.names:
        row: dict[str, object] = {"predictor": name}
        moments = []
        for side, of in (("internal", internal), ("external", external)):
            values = of.predictors[name].cast(pl.Float64).to_numpy()
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


def audit_missingness(internal: Side, external: Side, *, targets: Sequence[str]) -> pl.DataFrame:
    """Ask how much the mere absence of a measurement tells about each outcome, in both databases.

    Parameters
    ----------
    internal, external : Side
        The two databases, by the same study.
    targets : sequence of str
        The outcomes.

    Returns
    -------
    DataFrame keeping `terms.TRAPS`
        One row per target and predictor that at least 1 % lack in either database. `trap` says that the AUROC of "is
        missing" differs by 0.05 or more between the two, or can be had in one only: trees send missing values down one
        branch, and take its meaning along. So a P wave that is missing because of atrial fibrillation in one hospital,
        and because old records were not digitised in another.
    """
    sides = {"internal": internal, "external": external}
    missing = {name: {place: _missing(side, place) for place in internal.names} for name, side in sides.items()}
    lacking = [name for name in internal.names if any(of[name].mean() >= WORTH_ASKING for of in missing.values())]
    rows = []
    for target in targets if lacking else ():
        y = {name: side.outcome(target) for name, side in sides.items()}
        for predictor in lacking:
            found = {name: _auroc(y[name], missing[name][predictor]) for name in sides}
            both = [value for value in found.values() if value is not None]
            trap = abs(both[0] - both[1]) >= TRAP if len(both) == 2 else False
            rows.append({"target": target, "predictor": predictor, **found, "trap": trap})
    return TRAPS.select(pl.DataFrame(rows, schema=TRAPS.schema, orient="row"))


def _missing(side: Side, name: str) -> NDArray[np.bool_]:
    """Say where a predictor is missing, shape (n_recordings,)."""
    column = side.predictors[name]
    missing: NDArray[np.bool_] = (column.is_null() | column.is_nan().fill_null(value=True)).to_numpy()
    return missing


def _auroc(y: NDArray[np.int8], missing: NDArray[np.bool_]) -> float | None:
    """Give the AUROC of "is missing": with two values it is half of one, and of how much oftener it is with the event.

    Examples
    --------
    >>> _auroc(np.array([1, 1, 0, 0, -1], dtype=np.int8), np.array([True, False, False, False, True]))
    0.75
    """
    event, none = y == 1, y == 0
    n_event, n_none = np.count_nonzero(event), np.count_nonzero(none)
    if not n_event or not n_none:
        return None
    share = np.count_nonzero(missing & event) / n_event - np.count_nonzero(missing & none) / n_none
    return float(0.5 + share / 2)


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
