"""Table 1: who was studied, by set."""

from collections.abc import Mapping

import polars as pl

from twelvelead.report.wording import first_capital, name_feature, name_set, write_number, write_share

KEY_MEASUREMENTS = ("heart_rate_bpm", "pr_interval_ms", "qrs_duration_ms", "qtc_fridericia_ms", "qrs_axis_deg")


def table_one(
    cohort: pl.DataFrame,
    *,
    features: pl.DataFrame,
    outcomes: pl.DataFrame,
    titles: Mapping[str, str],
    measurements: tuple[str, ...] = KEY_MEASUREMENTS,
) -> pl.DataFrame:
    """Describe the recordings of a study: number, age, sex, key measurements, events and what is missing.

    Parameters
    ----------
    cohort : DataFrame with columns recording_id, patient_id, age_years, sex, set
        The recordings that were analysed.
    features : DataFrame keeping `terms.FEATURES`
        Measurements, joined by recording_id.
    outcomes : DataFrame with columns set, target, n_events, n_known
        Recordings with each outcome, and those of which it is known, per set of `cohort`.
    titles : mapping of target to str
        Targets in the order of the table, in words.
    measurements : tuple of str
        Which measurements; those that `features` lacks are left out.

    Returns
    -------
    DataFrame
        Column characteristic, then one column of text per set, named by the set; "all" last where there is more than
        one.

    Notes
    -----
    Percentages of outcomes are of the recordings whose outcome is known. The SD has the divisor n − 1; quartiles
    interpolate linearly.

    Examples
    --------
    >>> cohort = pl.DataFrame({"recording_id": ["a", "b"], "patient_id": ["1", "1"], "age_years": [40.0, 60.0],
    ...                        "sex": ["female", "male"], "set": ["development", "development"]})
    >>> rates = pl.DataFrame({"recording_id": ["a", "b"], "heart_rate_bpm": [60.0, 80.0]})
    >>> mi = pl.DataFrame({"set": ["development"], "target": ["MI"], "n_events": [1], "n_known": [2]})
    >>> table = table_one(cohort, features=rates, outcomes=mi, titles={"MI": "Infarction"})
    >>> dict(table.iter_rows())["Age, years, mean (SD)"]
    '50.0 (14.1)'
    """
    known = [m for m in measurements if m in features.columns]
    joined = cohort.join(features.select("recording_id", *known), on="recording_id", how="left", validate="1:1")
    sets = [s for s in ("development", "internal", "external") if s in cohort["set"]]
    sets += sorted(set(cohort["set"].drop_nulls()) - set(sets))
    groups = {s: joined.filter(pl.col("set") == s) for s in sets}
    if len(groups) > 1:
        groups["all"] = joined
    counted = outcomes.group_by("set", "target").agg(pl.col("n_events", "n_known").sum())
    together = counted.group_by("target").agg(pl.col("n_events", "n_known").sum())
    counts = {s: together if s == "all" else counted.filter(pl.col("set") == s) for s in groups}
    columns = {s: _describe(group, known, counts=counts[s], titles=titles) for s, group in groups.items()}
    labels = next(iter(columns.values()), {})
    return pl.DataFrame(
        {"characteristic": list(labels), **{s: list(column.values()) for s, column in columns.items()}},
        schema_overrides={"characteristic": pl.String},
    )


def name_group(column: str) -> str:
    """Write a column of Table 1 in words."""
    return "All" if column == "all" else first_capital(name_set(column))


def _describe(
    group: pl.DataFrame, measurements: list[str], *, counts: pl.DataFrame, titles: Mapping[str, str]
) -> dict[str, str]:
    """Describe one set: label to text, in the order of the table."""
    n = group.height
    sex = group["sex"].drop_nulls()
    column = {
        "Recordings, n": write_number(n, 0),
        "Patients, n": write_number(group["patient_id"].n_unique(), 0),
        "Age, years, mean (SD)": _mean_sd(group["age_years"]),
        "Female sex, n (%)": write_share(int((sex == "female").sum()), sex.len()) + _missing(group["sex"]),
    }
    for name in measurements:
        column[f"{first_capital(name_feature(name))}, median [IQR]"] = _median_iqr(group[name])
    known = {target: (events, of) for target, events, of in counts.select("target", "n_events", "n_known").iter_rows()}
    for target, title in titles.items():
        events, of = known.get(target, (0, 0))
        unknown = f"; {write_number(n - of, 0)} unknown" if of < n else ""
        column[f"{title} ({target}), n (%)" if title != target else f"{title}, n (%)"] = (
            write_share(events, of) + unknown
        )
    return column


def _mean_sd(values: pl.Series) -> str:
    present = values.drop_nulls().drop_nans()
    mean, sd = present.cast(pl.Float64).mean(), present.cast(pl.Float64).std()
    return f"{_one(mean)} ({_one(sd)})" + _missing(values)


def _median_iqr(values: pl.Series) -> str:
    present = values.cast(pl.Float64).drop_nulls().drop_nans()
    quartiles = [present.quantile(q, interpolation="linear") for q in (0.25, 0.5, 0.75)]
    low, middle, high = (_whole(q) for q in quartiles)
    return f"{middle} [{low} to {high}]" + _missing(values)


def _one(value: object) -> str:
    return write_number(value, 1) if isinstance(value, float) else "–"


def _whole(value: float | None) -> str:
    return write_number(value, 0)


def _missing(values: pl.Series) -> str:
    """Say what share is missing, if any; NaN counts as missing."""
    missing = values.null_count() + (int(values.is_nan().sum()) if values.dtype.is_float() else 0)
    return f"; {100 * missing / values.len():.1f} % missing" if missing else ""
