"""What happened to the patient around an ECG: events to one outcome per recording."""

from datetime import timedelta
from typing import Literal, Self

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from twelvelead.terms import EVENTS, OUTCOMES


class Outcome(BaseModel):
    """The rule that says whether a recording's patient had the outcome.

    Parameters
    ----------
    name : str
        Short name, the `target` of every table.
    title : str
        The outcome in words, for the report.
    system : str
        Which events count: `icd10`, `laboratory`, `chest_xray`, `scp`, …
    codes : tuple of str
        Codes of the outcome.
    match : {"exact", "prefix"}
        Whether an event's code must equal one of `codes`, or begin with it (I50 holds I509).
    link : {"recording", "stay", "time"}
        How an event belongs to a recording: it annotates it, it is of the same stay, or it is the patient's event
        nearest in time within `window_h`.
    window_h : (float, float) or None
        For link "time": from and to, in hours after the recording (negative: before), both included.
    event : {"present", "value", "above_reference", "below_reference"}
        What makes an event the outcome: that it is there; that its value is at least 0.5; or that its value lies
        outside its own row's reference range on that side. The opposite abnormality counts as no event.
    absent : {"no", "unknown"}
        What a recording without such an event gets. "no" holds for stays that were coded at all; without any code of
        the system the outcome is unknown.
    min_events : int
        Fewest recordings with the event, and without it, for which a model may be fitted.

    Examples
    --------
    >>> Outcome(name="I50", title="Heart failure", system="icd10", codes=("I50",), match="prefix", link="stay").absent
    'no'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    title: str
    system: str
    codes: tuple[str, ...] = Field(min_length=1)
    match: Literal["exact", "prefix"] = "exact"
    link: Literal["recording", "stay", "time"]
    window_h: tuple[float, float] | None = None
    event: Literal["present", "value", "above_reference", "below_reference"] = "present"
    absent: Literal["no", "unknown"] = "no"
    min_events: int = Field(default=20, ge=2)

    @model_validator(mode="after")
    def _window_goes_with_time(self) -> Self:
        if (self.window_h is not None) != (self.link == "time"):
            msg = f"window_h must be given with link 'time' and only then; got {self.window_h} with {self.link!r}."
            raise ValueError(msg)
        if self.window_h is not None and self.window_h[0] > self.window_h[1]:
            msg = f"window_h must run from early to late; got {self.window_h}. Swap the two."
            raise ValueError(msg)
        return self


def find_outcome(cohort: pl.DataFrame, events: pl.DataFrame, rule: Outcome) -> pl.DataFrame:
    """Say for every recording whether its patient had the outcome.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        The index recordings.
    events : DataFrame keeping `terms.EVENTS`
        Everything that happened.
    rule : Outcome
        The outcome's definition.

    Returns
    -------
    DataFrame keeping `terms.OUTCOMES`
        One row per recording: y is 1, 0 or null (unknown).
    """
    of_system = EVENTS.check(events).filter(pl.col("system") == rule.system)
    code = pl.col("code")
    wanted = pl.any_horizontal([code.str.starts_with(c) if rule.match == "prefix" else code == c for c in rule.codes])
    matching = of_system.filter(wanted).with_columns(y=_is_event(rule))
    found = {"recording": _by_recording, "stay": _by_stay, "time": _by_time}[rule.link](cohort, matching, rule)
    table = cohort.select("recording_id").join(found, on="recording_id", how="left", validate="1:1")
    if rule.absent == "no":
        observed = _observed(cohort, of_system, rule)
        table = table.with_columns(
            y=pl.when(pl.col("y").is_null() & pl.col("recording_id").is_in(observed.implode()))
            .then(pl.lit(0, pl.Int8))
            .otherwise("y")
        )
    return OUTCOMES.check(table.select("recording_id", pl.lit(rule.name).alias("target"), pl.col("y").cast(pl.Int8)))


def _is_event(rule: Outcome) -> pl.Expr:
    """Whether one event is the outcome; null where its value or its limit is missing."""
    return {
        "present": pl.lit(value=True),
        "value": pl.col("value") >= 0.5,
        "above_reference": pl.col("value") > pl.col("reference_upper"),
        "below_reference": pl.col("value") < pl.col("reference_lower"),
    }[rule.event].cast(pl.Int8)


def _by_recording(_cohort: pl.DataFrame, matching: pl.DataFrame, _rule: Outcome) -> pl.DataFrame:
    return matching.drop_nulls("recording_id").group_by("recording_id").agg(pl.col("y").max())


def _by_stay(cohort: pl.DataFrame, matching: pl.DataFrame, _rule: Outcome) -> pl.DataFrame:
    of_stay = matching.drop_nulls("stay_id").group_by("stay_id").agg(pl.col("y").max())
    return cohort.select("recording_id", "stay_id").join(of_stay, on="stay_id", how="inner").drop("stay_id")


def _by_time(cohort: pl.DataFrame, matching: pl.DataFrame, rule: Outcome) -> pl.DataFrame:
    """Take the event nearest in time within the window: two sorted as-of joins, one forward and one backward."""
    if rule.window_h is None:  # the model's validator has refused this already; said again for the type checker
        return OUTCOMES.empty().select("recording_id", "y")
    start, end = (timedelta(hours=h) for h in rule.window_h)
    zero = timedelta(0)
    # Several results at one instant count once: as the outcome if any of them is.
    instants = matching.drop_nulls(["time", "y"]).group_by("patient_id", "time").agg(pl.col("y").max()).sort("time")
    instants = instants.with_columns(at=pl.col("time"))
    recordings = cohort.select("recording_id", "patient_id", "recorded_at").drop_nulls("recorded_at")
    sides = []
    strategies: tuple[tuple[Literal["forward", "backward"], timedelta], ...] = (
        ("forward", max(start, zero)),
        ("backward", min(end, zero)),
    )
    for strategy, anchor in strategies:
        if (strategy == "forward" and end < zero) or (strategy == "backward" and start > zero):
            continue
        joined = recordings.with_columns(anchor=pl.col("recorded_at") + anchor).sort("anchor").join_asof(
            instants, left_on="anchor", right_on="time", by="patient_id", strategy=strategy, check_sortedness=False
        )  # fmt: skip
        delay = pl.col("at") - pl.col("recorded_at")
        sides.append(joined.with_columns(delay=delay).filter((delay >= start) & (delay <= end)))
    nearest = pl.concat(sides).sort(pl.col("delay").abs(), "delay", "recording_id")
    return nearest.unique("recording_id", keep="first", maintain_order=True).select("recording_id", "y")


def _observed(cohort: pl.DataFrame, of_system: pl.DataFrame, rule: Outcome) -> pl.Series:
    """Find the recordings for which the absence of a code says something: those with any code of the system."""
    if rule.link == "recording":
        return of_system["recording_id"].drop_nulls().unique()
    if rule.link == "stay":
        coded = of_system.select("stay_id").drop_nulls().unique()
        return cohort.join(coded, on="stay_id", how="semi")["recording_id"]
    return cohort["recording_id"]
