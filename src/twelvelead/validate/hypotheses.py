"""Which targets a model predicts at all, well, and better than age and sex do, tested for all targets together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import logit, ndtr, stdtr
from scipy.stats import rankdata

from twelvelead.terms import HYPOTHESES, PREDICTIONS, StudyError
from twelvelead.validate.chance import z_of_ranks
from twelvelead.validate.discrimination import as_outcome_and_risk, auroc_covariance
from twelvelead.validate.multiplicity import adjust, families, parents
from twelvelead.validate.resample import LEAST_PATIENTS

Floats = NDArray[np.float64]

CHANCE, USEFUL, BETTER = "auroc > 0.5", "auroc > 0.7", "delta_auroc > 0"
"""The hypotheses, each one-sided, each a family of its own."""

GOOD = 0.7
TOO_FEW = "fewer than 10 patients with, or without, the event: not estimable; counts as tested"
ABSENT = "declared, but without predictions; counts as tested"
NO_BASE = "no predictions of the base model; counts as tested"
CONSTANT = "separates the outcomes, or all risks are equal: no standard error; counts as tested"

Found = tuple[float | None, float | None, float | None, str | None]
"""Estimate, z, p value, note."""


@dataclass(frozen=True)
class _Rows:
    """Recordings of one target and set, sorted by id; `base` is None where the base model has none."""

    y: Floats
    unit: NDArray[np.intp]
    new: Floats
    base: Floats | None


def hypotheses(
    predictions: pl.DataFrame | Iterable[pl.DataFrame],
    *,
    model: str,
    base: str | None,
    rate: float,
    declared: Sequence[str] | None = None,
    parent_of: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Test of every target whether its AUROC is above 0.5, above 0.7, and above that of the base model.

    Parameters
    ----------
    predictions : DataFrame keeping `terms.PREDICTIONS`, or an iterable of such
        An iterable holds all rows of a target and set in one table; so a thousand targets need the memory of one.
    model, base : str
        The model in question, and the one that it is compared with: `age_sex`. None: no comparison.
    rate : float
        False discovery rate, e.g. 0.05.
    declared : sequence of str or None
        All targets that were to be tested, those too which later had too few events. None: those of the table.
    parent_of : mapping of str to str, or None
        Which target contains which. None: as the ICD codes that are their names tell; see `parents`.

    Returns
    -------
    DataFrame keeping `terms.HYPOTHESES`
        One row per declared target, set and hypothesis.

    Raises
    ------
    ContractError
        If a table breaks its contract.
    StudyError
        If models of one target have different recordings, a target comes in two tables, or the model is nowhere.

    Notes
    -----
    Above 0.5: the null variance of `chance_z`. Above 0.7: the log-odds of the AUROC with the patient-clustered DeLong
    error, referred to a t distribution with the patients with the event (or without, if fewer) less one; the plain
    scale with a normal one rejects 10 % for 5 % with ten such patients. Better than the base: the paired
    patient-clustered DeLong difference, referred to the same t; for a model that contains the base and adds nothing
    it rejects too seldom rather than too often.

    Each hypothesis on each set is one family; targets that could not be tested count with p = 1. Nested codes are all
    counted as tests: a parent and its child err together, for which the Benjamini-Hochberg procedure is valid.
    `n_families` says how many tests there would be if a child counted with its parent.

    References
    ----------
    Benjamini Y, Hochberg Y. Controlling the false discovery rate. doi:10.1111/j.2517-6161.1995.tb02031.x
    Obuchowski NA. Nonparametric analysis of clustered ROC curve data. doi:10.2307/2533958

    Examples
    --------
    >>> n = 40
    >>> table = pl.DataFrame({
    ...     "recording_id": [f"r{i:02d}" for i in range(n)], "patient_id": [f"p{i:02d}" for i in range(n)],
    ...     "target": "I48", "model": "ecg", "set": "internal",
    ...     "y": pl.Series([i % 2 for i in range(n)], dtype=pl.Int8), "p": [i / 100 + 0.1 * (i % 2) for i in range(n)],
    ... })
    >>> found = hypotheses(table, model="ecg", base=None, rate=0.05, declared=["I48", "E11"])
    >>> found.filter(hypothesis="auroc > 0.5").select("target", "n_tested", "estimate", "rejected").rows()
    [('E11', 2, None, False), ('I48', 2, 0.7375, True)]
    """
    if not 0 < rate < 1:
        msg = f"rate must be in (0, 1); got {rate}. Use 0.05."
        raise StudyError(msg)
    tests = [CHANCE, USEFUL, *([] if base is None else [BETTER])]
    found: dict[tuple[str, str], dict[str, Found]] = {}
    for target, where, part in _parts(predictions):
        rows = _rows(part, model, base, where=f"{target}, {where}")
        if rows is None:
            continue
        if (target, where) in found:
            msg = f"a target and set must come in one table; got {target}, {where} in two. Join them."
            raise StudyError(msg)
        found[target, where] = _tests(rows, tests)
    if not found:
        msg = f"the predictions must have the model; got none of {model!r}. Name one that is there."
        raise StudyError(msg)
    targets = sorted({target for target, _ in found} | set(declared or ()))
    if declared is not None and len(targets) > len(set(declared)):
        extra = sorted({target for target, _ in found} - set(declared))
        msg = f"every target must be declared; got {len(extra)} that are not, first {extra[0]!r}. Declare them."
        raise StudyError(msg)
    nested = parents(targets) if parent_of is None else parent_of
    out = []
    for where in sorted({where for _, where in found}):
        for test in tests:
            results = {
                target: found.get((target, where), {}).get(test, (None, None, None, ABSENT)) for target in targets
            }
            out.append(_family(results, nested, rate=rate).with_columns(set=pl.lit(where), hypothesis=pl.lit(test)))
    return HYPOTHESES.select(pl.concat(out).with_columns(model=pl.lit(model)))


def discoveries(tested: pl.DataFrame) -> pl.DataFrame:
    """Count what was found, once by target and once by family of nested codes.

    Parameters
    ----------
    tested : DataFrame keeping `terms.HYPOTHESES`
        See `hypotheses`.

    Returns
    -------
    DataFrame with columns set, hypothesis, n_tested, n_families, n_rejected, n_families_rejected, n_leaves_rejected
        One row per family of hypotheses. A leaf is a target that contains no other tested one.
    """
    return (
        tested.with_columns(leaf=~pl.col("target").is_in(tested["parent"].drop_nulls().unique().implode()))
        .group_by("set", "hypothesis")
        .agg(
            pl.col("n_tested").first(),
            pl.col("n_families").first(),
            n_rejected=pl.col("rejected").sum().cast(pl.Int64),
            n_families_rejected=pl.col("family").filter("rejected").n_unique().cast(pl.Int64),
            n_leaves_rejected=(pl.col("rejected") & pl.col("leaf")).sum().cast(pl.Int64),
        )
        .sort("set", "hypothesis")
    )


def _family(results: Mapping[str, Found], nested: Mapping[str, str], *, rate: float) -> pl.DataFrame:
    targets = list(results)
    p = np.array([np.nan if found[2] is None else found[2] for found in results.values()])
    top = families(targets, nested)
    p_bh, p_by = (adjust(p, method=method, n_tests=len(p)) for method in ("bh", "by"))
    estimate, z, p_value, note = zip(*results.values(), strict=True)
    return pl.DataFrame(
        {
            "target": targets,
            "parent": pl.Series([nested.get(target) for target in targets], dtype=pl.String),
            "family": [top[target] for target in targets],
            "n_tested": len(targets),
            "n_families": len(set(top.values())),
            "estimate": pl.Series(estimate, dtype=pl.Float64),
            "z": pl.Series(z, dtype=pl.Float64),
            "p_value": pl.Series(p_value, dtype=pl.Float64),
            "p_bh": pl.Series(p_bh).fill_nan(None),
            "p_by": pl.Series(p_by).fill_nan(None),
            "rejected": p_bh <= rate,
            "note": pl.Series(note, dtype=pl.String),
        }
    )


# --- the tests of one target ------------------------------------------------------------------------------------------


def _tests(rows: _Rows, tests: Sequence[str]) -> dict[str, Found]:
    """Return every test of one target, or why there is none."""
    by_side = [int(np.count_nonzero(np.bincount(rows.unit, weights=rows.y == side))) for side in (0, 1)]
    if min(by_side) < LEAST_PATIENTS:
        return dict.fromkeys(tests, (None, None, None, TOO_FEW))
    scores = [rows.new] if rows.base is None else [rows.new, rows.base]
    auc, covariance = auroc_covariance(rows.y, scores, patients=rows.unit)
    z = z_of_ranks(rows.y, rankdata(rows.new) - (len(rows.new) + 1) / 2, rows.unit)
    found: dict[str, Found] = {
        CHANCE: (float(auc[0]), z, float(ndtr(-z)), None),
        USEFUL: _above_good(float(auc[0]), float(covariance[0, 0]), freedom=min(by_side) - 1),
        BETTER: (None, None, None, NO_BASE),
    }
    if rows.base is not None:
        variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        found[BETTER] = _above_base(float(auc[0] - auc[1]), variance, freedom=min(by_side) - 1)
    return {test: found[test] for test in tests}


def _above_good(estimate: float, variance: float, *, freedom: int) -> Found:
    error = float(np.sqrt(max(variance, 0.0)))
    if error < 1e-9 or not 0 < estimate < 1:
        return estimate, None, None, CONSTANT
    z = float((logit(estimate) - logit(GOOD)) * estimate * (1 - estimate) / error)
    return estimate, z, float(stdtr(freedom, -z)), None


def _above_base(estimate: float, variance: float, *, freedom: int) -> Found:
    error = float(np.sqrt(max(variance, 0.0)))
    # Rounding leaves some 1e-17 of variance where both rank alike: that is no improvement.
    z = estimate / error if error > 1e-9 else 0.0
    return estimate, z, float(stdtr(freedom, -z)), None


# --- the rows of one target -------------------------------------------------------------------------------------------


def _parts(predictions: pl.DataFrame | Iterable[pl.DataFrame]) -> Iterator[tuple[str, str, pl.DataFrame]]:
    for table in [predictions] if isinstance(predictions, pl.DataFrame) else predictions:
        PREDICTIONS.check_schema(table.lazy())
        for (target, where), part in table.partition_by("target", "set", as_dict=True).items():
            yield str(target), str(where), part


def _rows(part: pl.DataFrame, model: str, base: str | None, *, where: str) -> _Rows | None:
    new = _of(part, model, where)
    if not new.height:
        return None
    y, p = as_outcome_and_risk(new["y"], new["p"])
    unit = (new["patient_id"].rank("dense") - 1).to_numpy().astype(np.intp)
    other = _of(part, base, where) if base is not None else new.clear()
    if not other.height:
        return _Rows(y, unit, p, None)
    keys = ["recording_id", "patient_id", "y"]
    if not other.select(keys).equals(new.select(keys)):
        msg = (
            f"both models must have the same recordings, patients and outcomes; got {new.height} of {model} and "
            f"{other.height} of {base} in {where}. Predict every recording with both."
        )
        raise StudyError(msg)
    return _Rows(y, unit, p, as_outcome_and_risk(other["y"], other["p"])[1])


def _of(part: pl.DataFrame, model: str, where: str) -> pl.DataFrame:
    chosen = part.filter(model=model).sort("recording_id")
    ids = chosen["recording_id"]
    if chosen.select(c.name for c in PREDICTIONS.columns).null_count().transpose().to_series().sum():
        msg = f"predictions must not be null; got some of {model} in {where}. Fill or drop them."
        raise StudyError(msg)
    if chosen.height > 1 and bool((ids == ids.shift()).any()):
        msg = (
            f"a recording must have one prediction of a model; got one twice of {model} in {where}. Remove duplicates."
        )
        raise StudyError(msg)
    return chosen
