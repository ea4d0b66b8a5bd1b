"""What a release is still good for: how wrong its measurements are, and which findings can still be made."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.interpret.case import Case, examine
from twelvelead.interpret.criteria import Sex
from twelvelead.interpret.engine import judge
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.proof import Verdict
from twelvelead.measure import CATALOGUE
from twelvelead.privacy.estimate import Estimate
from twelvelead.privacy.people import Sample
from twelvelead.privacy.protocols import LEAST_PEOPLE, NotEstimable
from twelvelead.privacy.units import Units
from twelvelead.terms import LEADS, Unmeasurable
from twelvelead.validate import Bootstrap, draw_counts, interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FINDINGS = tuple(finding.key for finding in DEFAULT.findings)
"""What is judged, in this order."""

_KNOWN = {m.name: m for m in CATALOGUE}

QUANTITIES: dict[str, tuple[str, ...]] = {
    name: (name,)
    for name in (
        "heart_rate_bpm", "rr_sd_ms", "rr_rmssd_ms", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms",
        "qt_interval_ms", "qrs_axis_deg",
    )
} | {
    f"{wave}_amplitude_mv": tuple(f"{wave}_amplitude_{lead.lower()}_mv" for lead in LEADS)
    for wave in ("p", "q", "r", "s", "st_j", "t")
}  # fmt: skip
"""Measurements whose error is told; amplitudes of all leads together."""


@dataclass(frozen=True, eq=False)
class Reading:
    """What can be read off recordings, or off the numbers that are given away instead.

    Parameters
    ----------
    values : mapping of recording id to mapping of str to float
        Measurements of each recording that can be measured; NaN where there is none.
    found : mapping of recording id to ndarray of bool, shape (n_findings,)
        Which of `FINDINGS` are made.
    cases : mapping of recording id to Case
        What they were judged on.
    """

    values: Mapping[str, Mapping[str, float]]
    found: Mapping[str, Flags]
    cases: Mapping[str, Case]


def read_signals(samples: Sequence[Sample]) -> Reading:
    """Measure recordings and judge them by the criteria of `interpret.packs.DEFAULT`; the unmeasurable are left out."""
    cases = {}
    for sample in samples:
        try:
            cases[sample.recording.id] = examine(sample.recording, age_years=sample.age_years, sex=_sex(sample))
        except Unmeasurable:
            continue
    return _judge(cases)


def read_numbers(original: Reading, units: Units) -> Reading:
    """Judge the numbers that are given away; a criterion that needs any other is not met.

    Parameters
    ----------
    original : Reading
        Of the signals.
    units : Units
        One row per recording.
    """
    rows = {units.recording_ids[k]: x for k, x in zip(units.recording, units.x, strict=True)}
    cases = {}
    for name, case in original.cases.items():
        if name in rows:
            nothing = dict.fromkeys(case.values, math.nan)
            cases[name] = replace(case, values=nothing | dict(zip(units.names, rows[name].tolist(), strict=True)))
    return _judge(cases)


def _judge(cases: Mapping[str, Case]) -> Reading:
    found = {}
    for name, case in cases.items():
        proofs = judge(case, DEFAULT).findings
        found[name] = np.array([proofs[key].verdict is Verdict.MET for key in FINDINGS])
    return Reading({name: case.values for name, case in cases.items()}, found, cases)


def findings_kept(original: Reading, released: Reading, *, bootstrap: Bootstrap) -> Estimate | NotEstimable:
    """Return Cohen's κ of the findings made of what was recorded with those made of what is given away.

    Parameters
    ----------
    original, released : Reading
        Of one recording per person. A recording that can't be read any more has no finding.
    bootstrap : Bootstrap
        How people are drawn.

    Notes
    -----
    All findings of all recordings are one 2 × 2 table [1]_. A finding that can't be decided is one that is not made.

    References
    ----------
    .. [1] Cohen J. A coefficient of agreement for nominal scales. doi:10.1177/001316446002000104
    """
    names = sorted(original.found)
    if len(names) < LEAST_PEOPLE:
        return NotEstimable(f"{LEAST_PEOPLE} recordings must be measurable, and {len(names)} are")
    nothing = np.zeros(len(FINDINGS), dtype=bool)
    before = np.stack([original.found[name] for name in names])
    after = np.stack([released.found.get(name, nothing) for name in names])
    counts = np.stack([(before & after).sum(1), (before & ~after).sum(1), (~before & after).sum(1),
                       (~before & ~after).sum(1)], axis=1).astype(float)  # fmt: skip
    drawn = draw_counts(len(names), first=0, size=bootstrap.n_resamples, seed=bootstrap.seed).T
    limits = interval(kappa(drawn @ counts), level=bootstrap.level)
    value = float(kappa(counts.sum(axis=0, keepdims=True))[0])
    if not math.isfinite(value):
        return NotEstimable("no finding is made, before or after")
    return Estimate(value, limits.lower, limits.upper, len(names), bootstrap.n_resamples)


def kappa(counts: Floats) -> Floats:
    """Return Cohen's κ of 2 × 2 tables.

    Parameters
    ----------
    counts : ndarray, shape (n, 4)
        Both, first only, second only, neither.

    Returns
    -------
    ndarray, shape (n,)
        NaN where both always say the same one thing.

    Examples
    --------
    Agreement in 35 of 50, where 25 would be chance:

    >>> kappa(np.array([[20.0, 5.0, 10.0, 15.0]])).round(3).tolist()
    [0.4]
    """
    both, first, second, neither = counts.T
    n = counts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = (both + neither) / n
        chance = ((both + first) * (both + second) + (second + neither) * (first + neither)) / n**2
        out: Floats = np.where(chance < 1, (seen - chance) / (1 - chance), np.nan)
    return out


def measurement_errors(original: Reading, released: Reading) -> pl.DataFrame:
    """Return how far measurements of what is given away lie from those of what was recorded.

    Returns
    -------
    DataFrame with columns quantity, unit, n, lost, median_error, high_error, own_error
        One row per entry of `QUANTITIES` that was measured at all: values in both; the share of those recorded that
        are lost; the median and the 95th percentile of the absolute difference; the standard deviation of the
        measurement's own error where that is known.
    """
    rows = []
    for quantity, names in QUANTITIES.items():
        before = _column(original, names, original.values)
        after = _column(released, names, original.values)
        had = np.isfinite(before)
        if not had.any():
            continue
        apart = np.abs(after - before)[had & np.isfinite(after)]
        if _KNOWN[names[0]].unit == "deg":
            apart = np.minimum(apart, 360 - apart)
        own = _KNOWN[names[0]].error
        rows.append(
            {
                "quantity": quantity,
                "unit": _KNOWN[names[0]].unit,
                "n": len(apart),
                "lost": float(1 - len(apart) / had.sum()),
                "median_error": float(np.median(apart)) if len(apart) else None,
                "high_error": float(np.quantile(apart, 0.95)) if len(apart) else None,
                "own_error": None if own is None else own[1],
            }
        )
    schema = {"quantity": pl.String, "unit": pl.String, "n": pl.Int64} | dict.fromkeys(
        ("lost", "median_error", "high_error", "own_error"), pl.Float64
    )
    return pl.DataFrame(rows, schema=schema)


def _column(reading: Reading, names: Sequence[str], recordings: Mapping[str, object]) -> Floats:
    """Return the values of some measurements of all recordings, one after the other; NaN where there is none."""
    return np.array(
        [
            reading.values[r].get(name, math.nan) if r in reading.values else math.nan
            for r in recordings
            for name in names
        ]
    )


def _sex(sample: Sample) -> Sex | None:
    if sample.sex is None:
        return None
    return "female" if sample.sex == "female" else "male"
