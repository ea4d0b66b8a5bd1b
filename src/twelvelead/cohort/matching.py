"""Which events answer which outcome, and to which recording they belong: joins that never hold the whole table."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from twelvelead.cohort.event_class import UNKNOWN, opposite, state, window
from twelvelead.cohort.linkage import LINKS
from twelvelead.cohort.outcome import Outcome

_SHORTEST_BUCKET = timedelta(hours=1)


def number_people(cohort: pl.DataFrame) -> pl.DataFrame:
    """Give the recordings and the patients of a cohort numbers, which join faster than names.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        n recordings.

    Returns
    -------
    DataFrame of n rows
        `cohort` with recording (its row) and patient, both UInt32.
    """
    patients = cohort.select("patient_id").unique(maintain_order=True).with_row_index("patient")
    people = cohort.with_row_index("recording")
    return people.join(patients, on="patient_id", how="left", validate="m:1", maintain_order="left")


def about_codes(rules: Sequence[Outcome]) -> pl.Expr:
    """Whether an event has a code that one of the rules, which match alike, asks for."""
    code, lengths = pl.col("code"), _by_length(rules)
    if rules[0].match == "exact":
        return code.is_in(sorted(set().union(*lengths.values())))
    return pl.any_horizontal(code.str.slice(0, n).is_in(sorted(keys)) for n, keys in lengths.items())


def _by_length(rules: Sequence[Outcome]) -> dict[int, set[str]]:
    lengths: dict[int, set[str]] = {}
    for rule in rules:
        for code in rule.codes:
            lengths.setdefault(len(code), set()).add(code)
    return lengths


def match_events(people: pl.DataFrame, events: pl.LazyFrame, rules: Sequence[tuple[int, Outcome]]) -> pl.LazyFrame:
    """Find the events that say something of the outcomes, and what they say.

    Parameters
    ----------
    people : DataFrame
        `number_people`.
    events : LazyFrame keeping `terms.EVENTS`
        Everything that happened.
    rules : sequence of (int, Outcome)
        Targets and their rules, which differ in their codes only.

    Returns
    -------
    LazyFrame with columns patient_id, time, stay_id, recording_id, code, state (Int8), opposite (Boolean)
        See `event_class`.
    """
    rule = rules[0][1]
    asked = events.filter((pl.col("system") == rule.system) & about_codes([r for _, r in rules]))
    if rule.reference == "median":  # of all rows, not only of this cohort's: as published
        middle = asked.group_by("code").agg(
            median_lower=pl.col("reference_lower").median(), median_upper=pl.col("reference_upper").median()
        )
        asked = asked.join(middle, on="code")
    if rule.reference == "declared":
        sexes = people.lazy().select("patient_id", "sex").unique("patient_id", keep="first", maintain_order=True)
        asked = asked.join(sexes, on="patient_id")
    said = asked.select(
        "patient_id", "time", "stay_id", "recording_id", "code", state=state(rule), opposite=opposite(rule)
    )
    return said.filter(pl.col("state").is_not_null())


def assign_targets(said: pl.LazyFrame, rules: Sequence[tuple[int, Outcome]]) -> pl.LazyFrame:
    """Add the target (UInt32) that a code belongs to; a row of two targets, or of one by two codes, comes twice."""
    pairs = [(code, target) for target, rule in rules for code in rule.codes]
    wanted = pl.LazyFrame(pairs, schema={"key": pl.String, "target": pl.UInt32}, orient="row")
    if rules[0][1].match == "exact":
        return said.join(wanted, left_on="code", right_on="key")
    beginnings = pl.concat_list(pl.col("code").str.slice(0, n) for n in _by_length([r for _, r in rules]))
    return said.with_columns(key=beginnings).explode("key").join(wanted, on="key").drop("key")


def of_recordings(people: pl.DataFrame, matched: pl.LazyFrame) -> pl.DataFrame:
    """Combine the events that annotate each recording, with their targets; the outcome if any of them is.

    Returns
    -------
    DataFrame with columns recording, target, state
        One row per pair for which there is an event.
    """
    ids = people.lazy().select("recording", "recording_id")
    joined = matched.drop_nulls("recording_id").join(ids, on="recording_id")
    return joined.group_by("recording", "target").agg(pl.col("state").max()).collect(engine="streaming")


def of_stays(said: pl.LazyFrame, rules: Sequence[tuple[int, Outcome]], coded: pl.DataFrame) -> pl.DataFrame:
    """Combine the events of each recording's stay or stays; the outcome if any of them is.

    Parameters
    ----------
    said : LazyFrame
        `match_events`.
    rules : sequence of (int, Outcome)
        As there.
    coded : DataFrame with columns recording, stay_id
        `coded_stays`.

    Returns
    -------
    DataFrame with columns recording, target, state
        One row per pair for which there is an event.
    """
    numbers = coded.select("stay_id").unique().with_row_index("stay")
    per_code = said.join(numbers.lazy(), on="stay_id").group_by("stay", "code").agg(pl.col("state").max())
    codes = per_code.collect(engine="streaming")
    # A few thousand codes are looked at, instead of some million events.
    targets = assign_targets(codes.lazy().select("code").unique(), rules).select("code", "target").unique().collect()
    per_stay = codes.join(targets, on="code").group_by("stay", "target").agg(pl.col("state").max())
    stays = coded.join(numbers, on="stay_id").select("recording", "stay")
    joined = stays.join(per_stay, on="stay").select("recording", "target", "state")
    if stays["recording"].is_unique().all():
        return joined
    return joined.group_by("recording", "target").agg(pl.col("state").max())


def coded_stays(people: pl.DataFrame, events: pl.LazyFrame, system: str) -> pl.DataFrame:
    """Find the stays of each recording that have any code of a system, and that speak for it.

    Returns
    -------
    DataFrame with columns recording, stay_id
        Hospital stays where one is coded, else the emergency stay; nothing for a recording without a coded stay.
    """
    first = [c for c in ("stay_id", *LINKS[:2]) if c in people.columns]
    sources = [people.select("recording", stay_id=c, last=pl.lit(value=False)) for c in first]
    if LINKS[2] in people.columns:
        # stay_id is the emergency stay where there is no other: one row of each is enough, and it comes last.
        last = people.select("recording", stay_id=LINKS[2], last=pl.lit(value=True))
        sources = [s.join(last, on=["recording", "stay_id"], how="anti") for s in sources] + [last]
    stays = pl.concat(sources).drop_nulls("stay_id").unique()
    # One pass over the table, whose stays are far fewer than its rows.
    of_system = events.filter(pl.col("system") == system).select("stay_id").drop_nulls().unique()
    coded = stays.join(of_system.collect(engine="streaming"), on="stay_id", how="semi")
    return coded.filter(pl.col("last") == pl.col("last").min().over("recording")).drop("last")


def within(people: pl.DataFrame, events: pl.LazyFrame, hours: tuple[float, float]) -> pl.LazyFrame:
    """Pair each recording with its patient's events in a window around it.

    Parameters
    ----------
    people : DataFrame
        `number_people`.
    events : LazyFrame with columns patient_id, time
        Events, and whatever else they carry.
    hours : (float, float)
        From and to after the recording, both included; may be endless.

    Returns
    -------
    LazyFrame
        The columns of `events` with recording and delay (microseconds from the recording to the event).

    Notes
    -----
    Time is cut into buckets as long as the window, so that a window touches two of them. Recordings are joined to
    events by patient and bucket, and what lies outside the window is dropped: the events stream past, unsorted, and the
    pairs that are looked at are at most about twice those that are kept, however many events a patient has.
    """
    start, end = window(hours)
    bucket = max(end - start, _SHORTEST_BUCKET) // timedelta(microseconds=1)
    at = pl.col("recorded_at").dt.epoch("us")
    first = (at + start // timedelta(microseconds=1)) // bucket
    last = (at + end // timedelta(microseconds=1)) // bucket
    windows = people.lazy().select("recording", "patient_id", "recorded_at").drop_nulls("recorded_at")
    windows = windows.with_columns(bucket=pl.concat_list(first, last).list.unique()).explode("bucket")
    timed = events.drop_nulls("time").with_columns(bucket=pl.col("time").dt.epoch("us") // bucket)
    delay = (pl.col("time") - pl.col("recorded_at")).dt.total_microseconds()
    joined = timed.join(windows, on=["patient_id", "bucket"]).with_columns(delay=delay)
    inside = pl.col("delay").is_between(start // timedelta(microseconds=1), end // timedelta(microseconds=1))
    return joined.filter(inside).drop("bucket", "recorded_at")


def of_window(people: pl.DataFrame, matched: pl.LazyFrame, rule: Outcome) -> pl.DataFrame:
    """Let the nearest event of the window decide, or any of them; `matched` has targets.

    Returns
    -------
    DataFrame with columns recording, target, state
        One row per pair for which there is an event in the window.
    """
    hours = rule.window_h or (0.0, 0.0)
    pairs = within(people, matched, hours).group_by("recording", "target")
    if rule.choose == "nearest":
        # The least of one number per event: how far, then whether it is later, then what it says (1 before 0 and -1).
        delay = pl.col("delay")
        place = (delay.abs() * 2 + (delay > 0).cast(pl.Int64)) * 4 + (1 - pl.col("state").cast(pl.Int64))
        says = (1 - pl.col("place") % 4).cast(pl.Int8)
        nearest = pairs.agg(place=place.min()).select("recording", "target", state=says)
        return nearest.collect(engine="streaming")
    event, other = (pl.col("state") == 1).any(), pl.col("opposite").any()
    confused = other if rule.opposite == "unknown" else other & event
    combined = pairs.agg(pl.col("state").max(), confused=confused)
    says = pl.when("confused").then(pl.lit(UNKNOWN, pl.Int8)).otherwise("state")
    return combined.select("recording", "target", state=says).collect(engine="streaming")
