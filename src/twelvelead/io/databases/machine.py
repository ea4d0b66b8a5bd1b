"""What a machine measured, in house names and units: cleaned, and the numbers that follow from it.

The published studies (doi:10.1186/s40959-025-00370-1, doi:10.48550/arXiv.2509.17674) clean less than is sound; their
way is kept as `raw`.
"""

import math

import polars as pl

LONGEST = 5000.0  # ms; what is longer stands for "not found": 29999, 32767, 65535
WIDEST = 360.0  # deg
TIMES = ("rr_mean_ms", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "jt_interval_ms")
AXES = ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")

POSSIBLE = {
    "rr_mean_ms": (200.0, 3000.0),
    "p_duration_ms": (20.0, 300.0),
    "pr_interval_ms": (40.0, 600.0),
    "qrs_duration_ms": (30.0, 400.0),
    "qt_interval_ms": (150.0, 900.0),
    "jt_interval_ms": (50.0, 800.0),
}
"""What a heart can do, in ms; far beyond any reference range, since only measuring errors are to go."""


def clean(column: str, *, raw_limit: float, lowest: float = 0.0) -> pl.Expr:
    """Take away what stands for "not found": values outside [lowest, raw_limit]."""
    value = pl.col(column).cast(pl.Float64)
    return pl.when(value.is_between(lowest, raw_limit)).then(value)


def derive_features(rows: pl.LazyFrame, *, raw: bool) -> pl.LazyFrame:
    """Add to a machine's intervals and axes what follows from them.

    Parameters
    ----------
    rows : LazyFrame
        recording_id and some of `TIMES` (ms) and `AXES` (deg), without the values that stand for "not found".
    raw : bool
        As the publications have it: negative and zero intervals stay, and so do axes beyond ±180. Otherwise intervals
        outside `POSSIBLE` become null, and axes are wrapped to (−180, 180].

    Returns
    -------
    LazyFrame
        recording_id, and Float64 columns in the units that their names end in; those of the CATALOGUE mean the same.

    Notes
    -----
    Beyond the CATALOGUE: `pt_interval_ms` (P onset to T end), the ratios `p_rr_ratio`, `qrs_rr_ratio`, `qt_rr_ratio`,
    `pr_qt_ratio`, and the angles `p_qrs_angle_frontal_deg` and `p_t_angle_frontal_deg`, 0 to 180, which
    doi:10.48550/arXiv.2509.17674 uses.
    """
    held = rows.collect_schema()
    times = [c for c in TIMES if c in held]
    axes = [c for c in AXES if c in held]
    if not raw:
        rows = rows.with_columns(
            *(pl.when(pl.col(c).is_between(*POSSIBLE[c])).then(pl.col(c)).alias(c) for c in times),
            *((180.0 - (180.0 - pl.col(c)) % 360.0).alias(c) for c in axes),
        )
    numbers = rows.with_columns(*_corrected())
    if "p_duration_ms" in held:
        numbers = numbers.with_columns(p_rr_ratio=_ratio("p_duration_ms", "rr_mean_ms"))
    numbers = numbers.with_columns(
        heart_rate_bpm=60_000 / _positive("rr_mean_ms"),
        pt_interval_ms=pl.col("pr_interval_ms") + pl.col("qt_interval_ms"),
        qrs_rr_ratio=_ratio("qrs_duration_ms", "rr_mean_ms"),
        qt_rr_ratio=_ratio("qt_interval_ms", "rr_mean_ms"),
        pr_qt_ratio=_ratio("pr_interval_ms", "qt_interval_ms"),
        qrs_t_angle_frontal_deg=_angle("qrs_axis_deg", "t_axis_deg"),
        p_qrs_angle_frontal_deg=_angle("p_axis_deg", "qrs_axis_deg"),
        p_t_angle_frontal_deg=_angle("p_axis_deg", "t_axis_deg"),
        **{
            f"{wave}_axis_{name}_ratio": turn(pl.col(f"{wave}_axis_deg") * (math.pi / 180))
            for wave in ("qrs", "t")
            for name, turn in (("cosine", pl.Expr.cos), ("sine", pl.Expr.sin))
        },
    )
    if "jt_interval_ms" not in held:
        numbers = numbers.with_columns(jt_interval_ms=pl.col("qt_interval_ms") - pl.col("qrs_duration_ms"))
    return numbers


def _corrected() -> tuple[pl.Expr, ...]:
    """Correct QT for the heart rate by the formulas of the CATALOGUE (doi:10.1161/CIRCULATIONAHA.108.191096)."""
    qt, rr_s = pl.col("qt_interval_ms"), _positive("rr_mean_ms") / 1000
    return (
        (qt / rr_s.sqrt()).alias("qtc_bazett_ms"),
        (qt / rr_s.cbrt()).alias("qtc_fridericia_ms"),
        (qt + 154 * (1 - rr_s)).alias("qtc_framingham_ms"),
        (qt + 1.75 * (60 / rr_s - 60)).alias("qtc_hodges_ms"),
    )


def _positive(column: str) -> pl.Expr:
    return pl.when(pl.col(column) > 0).then(pl.col(column))


def _ratio(above: str, below: str) -> pl.Expr:
    """Divide; null, and no infinity, where there is nothing to divide by."""
    return pl.col(above) / pl.when(pl.col(below) != 0).then(pl.col(below))


def _angle(one: str, other: str) -> pl.Expr:
    apart = (pl.col(one) - pl.col(other)).abs() % 360.0
    return pl.min_horizontal(apart, 360.0 - apart)
