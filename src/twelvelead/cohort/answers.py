"""Outcomes of a cohort: every rule's answer for every recording, found together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.cohort.event_class import UNKNOWN, window
from twelvelead.cohort.matching import (
    about_codes,
    assign_targets,
    coded_stays,
    match_events,
    number_people,
    of_recordings,
    of_stays,
    of_window,
    within,
)
from twelvelead.cohort.outcome import Outcome
from twelvelead.terms import COHORT, EVENTS, OUTCOMES

_NOT_OF_THE_QUESTION = {"name", "title", "codes", "sex", "min_events"}


@dataclass(frozen=True, eq=False)
class Answers:
    """What each of m rules says of each of n recordings, kept without the many that are "no event".

    A thousand diagnoses of 800,000 ECGs are 800 million rows as `terms.OUTCOMES`, and some ten million here.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        The n recordings.
    rules : tuple of Outcome
        The m rules.
    found : DataFrame with columns target (UInt32, place in `rules`), recording (UInt32, row of `cohort`), state (Int8)
        What events say: 1 event, 0 none, −1 unknown; sorted by target.
    observed : tuple of array, shape (n,), bool
        For each rule, the recordings for which no event means "none".
    """

    cohort: pl.DataFrame
    rules: tuple[Outcome, ...]
    found: pl.DataFrame
    observed: tuple[NDArray[np.bool_], ...]
    _starts: NDArray[np.intp] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        starts = np.searchsorted(self.found["target"].to_numpy(), np.arange(len(self.rules) + 1))
        object.__setattr__(self, "_starts", starts)

    def of(self, target: int) -> NDArray[np.int8]:
        """Return one rule's answers.

        Parameters
        ----------
        target : int
            Place of the rule in `rules`.

        Returns
        -------
        array, shape (n,), int8
            1 event, 0 none, −1 unknown, in the order of `cohort`.
        """
        answers = np.where(self.observed[target], 0, UNKNOWN).astype(np.int8)
        recording, state = self._found(target)
        answers[recording] = state
        return answers

    def _found(self, target: int) -> tuple[NDArray[np.uint32], NDArray[np.int8]]:
        rows = self.found[int(self._starts[target]) : int(self._starts[target + 1])]
        return rows["recording"].to_numpy(), rows["state"].to_numpy()

    def table(self, targets: Iterable[int] | None = None) -> pl.DataFrame:
        """Return the answers of some rules, or of all, as `terms.OUTCOMES`."""
        places = range(len(self.rules)) if targets is None else targets
        ids = self.cohort["recording_id"]
        parts = []
        for place in places:
            y = pl.Series("y", self.of(place))
            name = pl.lit(self.rules[place].name, pl.String).alias("target")
            parts.append(pl.DataFrame([ids, y.set(y == UNKNOWN, None)]).select("recording_id", name, "y"))
        return pl.concat(parts) if parts else OUTCOMES.empty()

    def counts(self) -> pl.DataFrame:
        """Count each outcome.

        Returns
        -------
        DataFrame with columns target, n_events, n_without, n_unknown, n_patients_with_event
            One row per rule, in their order.
        """
        patient = self.cohort["patient_id"].rank("dense").to_numpy()
        n_observed = {id(seen): int(np.count_nonzero(seen)) for seen in self.observed}
        rows = []
        for place, rule in enumerate(self.rules):
            recording, state = self._found(place)
            seen = self.observed[place]
            n_events, n_unknown = (int(np.count_nonzero(state == says)) for says in (1, UNKNOWN))
            # Whoever was observed has none, but for those of whom an event says otherwise, and those it says so of.
            n_without = (
                n_observed[id(seen)] + len(state) - n_events - n_unknown - int(np.count_nonzero(seen[recording]))
            )
            with_event = len(np.unique(patient[recording[state == 1]]))
            rows.append((rule.name, n_events, n_without, self.cohort.height - n_events - n_without, with_event))
        columns = ("n_events", "n_without", "n_unknown", "n_patients_with_event")
        return pl.DataFrame(rows, schema={"target": pl.String, **dict.fromkeys(columns, pl.Int64)}, orient="row")

    def strata(self) -> pl.DataFrame:
        """Return recording_id and stratum (the target) of every event, for `assign_folds`."""
        names = pl.Series("stratum", [r.name for r in self.rules], dtype=pl.String)
        rows = self.found.filter(pl.col("state") == 1)
        return pl.DataFrame(
            {
                "recording_id": self.cohort["recording_id"].gather(rows["recording"]),
                "stratum": names.gather(rows["target"]),
            }
        )


def find_outcome(cohort: pl.DataFrame, events: pl.DataFrame | pl.LazyFrame, rule: Outcome) -> pl.DataFrame:
    """Say for every recording whether its patient had the outcome.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        The index recordings.
    events : DataFrame or LazyFrame keeping `terms.EVENTS`
        Everything that happened.
    rule : Outcome
        The outcome's definition.

    Returns
    -------
    DataFrame keeping `terms.OUTCOMES`
        One row per recording: y is 1, 0 or null (unknown).
    """
    return find_outcomes(cohort, events, (rule,))


def find_outcomes(cohort: pl.DataFrame, events: pl.DataFrame | pl.LazyFrame, rules: Sequence[Outcome]) -> pl.DataFrame:
    """Say for every recording and every rule whether the patient had the outcome; as `find_outcome` for each.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        The index recordings.
    events : DataFrame or LazyFrame keeping `terms.EVENTS`
        Everything that happened.
    rules : sequence of Outcome
        The outcomes' definitions.

    Returns
    -------
    DataFrame keeping `terms.OUTCOMES`
        One row per recording and rule, rule by rule. For many rules and recordings use `find_answers`.
    """
    return OUTCOMES.check(find_answers(cohort, events, rules).table())


def find_answers(cohort: pl.DataFrame, events: pl.DataFrame | pl.LazyFrame, rules: Sequence[Outcome]) -> Answers:
    """Find what all rules say of all recordings.

    Parameters
    ----------
    cohort : DataFrame keeping `terms.COHORT`
        The index recordings; with the columns of `link_stays`, both the hospital and the emergency stay count.
    events : DataFrame or LazyFrame keeping `terms.EVENTS`
        Everything that happened. A LazyFrame is never held whole.
    rules : sequence of Outcome
        The outcomes' definitions.

    Notes
    -----
    Rules that differ in nothing but their codes, such as a thousand diagnoses, are one question: the events are read
    once for all of them.
    """
    COHORT.check(cohort)
    lazy = EVENTS.check_schema(events.lazy())
    people = number_people(cohort)
    questions: dict[str, list[tuple[int, Outcome]]] = {}
    for place, rule in enumerate(rules):
        questions.setdefault(rule.model_dump_json(exclude=_NOT_OF_THE_QUESTION), []).append((place, rule))
    found: list[pl.DataFrame] = []
    observed: dict[int, NDArray[np.bool_]] = {}
    for question in questions.values():
        rule = question[0][1]
        coded = coded_stays(people, lazy, rule.system) if rule.link == "stay" else None
        found.append(_ask(people, lazy, question, coded))
        seen = _observed(people, lazy, rule, coded)
        of_sex = {sex: seen & _of_sex(cohort, sex) for sex in {r.sex for _, r in question}}
        observed |= {place: of_sex[r.sex] for place, r in question}  # one array for a thousand diagnoses
    together = pl.concat(found) if found else pl.DataFrame(schema=_FOUND)
    return Answers(
        cohort=cohort,
        rules=tuple(rules),
        found=_of_those_who_can(together, cohort, rules).sort("target", "recording"),
        observed=tuple(observed[place] for place in range(len(rules))),
    )


_FOUND = {"target": pl.UInt32, "recording": pl.UInt32, "state": pl.Int8}


def _ask(
    people: pl.DataFrame, events: pl.LazyFrame, question: Sequence[tuple[int, Outcome]], coded: pl.DataFrame | None
) -> pl.DataFrame:
    """Answer one question from the events."""
    rule, said = question[0][1], match_events(people, events, question)
    matched = assign_targets(said, question)
    if rule.link == "recording":
        found = of_recordings(people, matched)
    elif coded is not None:
        found = of_stays(said, question, coded)
    else:
        found = of_window(people, matched, rule)
        if rule.washout_h is not None:
            earlier = within(people, matched.filter(pl.col("state") == 1), (-rule.washout_h, 0.0))
            excluded = earlier.select("recording", "target", state=pl.lit(UNKNOWN, pl.Int8)).unique()
            had = excluded.collect(engine="streaming")
            found = pl.concat([found.join(had, on=["recording", "target"], how="anti"), had])
    return found.select(list(_FOUND))


def _observed(
    people: pl.DataFrame, events: pl.LazyFrame, rule: Outcome, coded: pl.DataFrame | None
) -> NDArray[np.bool_]:
    """Find the recordings for which the absence of an event says something."""
    seen = np.zeros(people.height, dtype=bool)
    of_system = events.filter(pl.col("system") == rule.system)
    if rule.absent == "unknown":
        return seen
    if coded is not None:
        seen[coded["recording"].to_numpy()] = True
        return seen
    if rule.link == "recording":
        annotated = of_system.select("recording_id").drop_nulls().unique().collect(engine="streaming")
        return people.select(pl.col("recording_id").is_in(annotated["recording_id"].implode()))[
            "recording_id"
        ].to_numpy()
    if rule.absent == "no_if_observed" and rule.window_h is not None:
        moments = of_system.select("patient_id", "time")
        around = within(people, moments, rule.window_h).select("recording").unique().collect(engine="streaming")
        seen[around["recording"].to_numpy()] = True
    else:
        seen[:] = True
    return seen & _followed(people, of_system, rule)


def _followed(people: pl.DataFrame, of_system: pl.LazyFrame, rule: Outcome) -> NDArray[np.bool_]:
    """Find the recordings whose patient has an event of the system at the end of the follow-up, or later."""
    if rule.follow_up_h is None:
        return np.ones(people.height, dtype=bool)
    last = of_system.group_by("patient_id").agg(last=pl.col("time").max()).collect(engine="streaming")
    until = people.select("patient_id", "recorded_at").join(last, on="patient_id", how="left", maintain_order="left")
    length = window((0.0, rule.follow_up_h))[1]
    reached = until.select(followed=(pl.col("last") - pl.col("recorded_at") >= length).fill_null(value=False))
    return reached["followed"].to_numpy()


def _of_sex(cohort: pl.DataFrame, sex: str | None) -> NDArray[np.bool_]:
    if sex is None:
        return np.ones(cohort.height, dtype=bool)
    return cohort.select((pl.col("sex") == sex).fill_null(value=False))["sex"].to_numpy()


def _of_those_who_can(found: pl.DataFrame, cohort: pl.DataFrame, rules: Sequence[Outcome]) -> pl.DataFrame:
    """Drop what events say of people whom the outcome can't befall."""
    restricted = [(place, rule.sex) for place, rule in enumerate(rules) if rule.sex is not None]
    if not restricted:
        return found
    asked = pl.DataFrame(restricted, schema={"target": pl.UInt32, "asked": pl.String}, orient="row")
    sexes = cohort.select("sex").with_row_index("recording")
    known = found.join(asked, on="target", how="left").join(sexes, on="recording", how="left")
    fits = pl.col("asked").is_null() | (pl.col("asked") == pl.col("sex")).fill_null(value=False)
    return known.filter(fits).select(list(_FOUND))


def relevant_events(events: pl.LazyFrame, rules: Sequence[Outcome]) -> pl.DataFrame:
    """Read, once, the events that any of the rules can ask for.

    Parameters
    ----------
    events : LazyFrame keeping `terms.EVENTS`
        A table that is slow to read again, such as a compressed text file.
    rules : sequence of Outcome
        The outcomes' definitions.

    Returns
    -------
    DataFrame keeping `terms.EVENTS`
        What `find_outcomes` needs to come to the same result as from all events: the events of the rules' systems and
        codes; all of a system where it also counts whether there was any.
    """
    EVENTS.check_schema(events)
    wanted = []
    for rule in rules:
        of_system = pl.col("system") == rule.system
        # Whether a stay or a recording has any code of the system, or a patient any event later, counts as well.
        at_all = rule.absent == "no_if_observed" or rule.follow_up_h is not None
        whole = rule.link == "stay" or at_all or (rule.link == "recording" and rule.absent == "no")
        wanted.append(of_system if whole else of_system & about_codes([rule]))
    if not wanted:
        return EVENTS.empty()
    return events.filter(pl.any_horizontal(wanted)).collect(engine="streaming")
