"""Who the patients of the published layouts are: one ECG or many, in visits, over years; and what is true of each.

The hospital is drawn in blocks of patients. A block has random numbers of its own, so that one process, or several, can
make blocks one by one in bounded memory, and a smaller hospital's patients are the first ones of a larger.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from twelvelead.simulate.beat import true_axes
from twelvelead.simulate.draws import normals, stream, uniforms
from twelvelead.simulate.patients import CONDITIONS, describe_recordings, draw_patients
from twelvelead.simulate.site import Site

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]

BLOCK = 1000
"""Patients drawn together."""

MOST_PATIENTS = 400_000
_DAY, _HOUR = 1440, 60  # in minutes
_LEAST_APART_H, _MEAN_APART_H = 2.5, 14.0  # between the ECGs of a visit: more than two windows of an hour
_PERSON_SHARE = 0.4  # of what decides an outcome beyond its risk, the share that stays with the patient


@dataclass(frozen=True)
class Plan:
    """How a layout's patients come to their ECGs.

    Parameters
    ----------
    site : Site
        Case mix and equipment.
    single : float
        Share of the patients with one ECG.
    tail : float
        Scale of the Lomax distribution (exponent 2.5) of the number of ECGs beyond two, of those with more.
    most : int
        Most ECGs of a patient.
    same_visit : float
        Chance that a patient's next ECG is of the same visit.
    apart_days : (float, float)
        Shortest, and mean further, time from one visit to the next.
    calendar : (date, date)
        First and last day of the data.
    shift_days : (int, int)
        From and to how many days a patient's dates are shifted as a whole; (0, 0): they are not.
    """

    site: Site
    single: float
    tail: float
    most: int
    same_visit: float
    apart_days: tuple[float, float]
    calendar: tuple[date, date]
    shift_days: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Block:
    """A block of patients.

    Parameters
    ----------
    number : int
        Which block; identifiers follow from it.
    plan : Plan
        Whose patients they are.
    seed : int
        Of the hospital.
    patients : polars.DataFrame
        One row per patient: `patient` (its number in the block, the row), `female`, `anchor_age`, `anchor_year`
        (shifted), `real_year` (of the anchor) and `shift_days`.
    recordings : polars.DataFrame
        One row per ECG in order of patient and time: `patient`, `visit` (number in the block), `recorded_at`,
        `real_day` (before the shift), `is_first`, `is_last` (of the visit), `minutes_to_next` (the patient's next ECG),
        and all that is true of the ECG.
    """

    number: int
    plan: Plan
    seed: int
    patients: pl.DataFrame
    recordings: pl.DataFrame

    @property
    def site(self) -> Site:
        """Whose case mix and equipment."""
        return self.plan.site

    def uniform(self, name: str, *shape: int) -> Floats:
        """Draw numbers uniform on [0, 1) from the block's stream of a quantity."""
        return uniforms(self._stream(name), shape, seed=self.seed)

    def normal(self, name: str, *shape: int) -> Floats:
        """Draw standard normals from the block's stream of a quantity."""
        return normals(self._stream(name), shape, seed=self.seed)

    def generator(self, name: str) -> np.random.Generator:
        """Return the generator of the block's stream of a quantity."""
        return stream(self._stream(name), seed=self.seed)

    def chance(self, name: str, patient: NDArray[np.int64]) -> Floats:
        """Draw what decides an outcome, uniform on (0, 1); a patient's own numbers resemble one another.

        Notes
        -----
        The event is that the number lies below the risk. The numbers come from a Gaussian copula, so that risks hold
        exactly, and still a patient who had the event once has it again more often than another of the same risk.
        """
        person = self.normal(f"{name}/patient", self.patients.height)[patient]
        own = self.normal(name, patient.size)
        decided: Floats = ndtr(np.sqrt(_PERSON_SHARE) * person + np.sqrt(1 - _PERSON_SHARE) * own)
        return decided

    def _stream(self, name: str) -> str:
        return f"{self.plan.site.code}/{self.number}/{name}"


def draw_block(number: int, *, n_patients: int, plan: Plan, seed: int) -> Block:
    """Draw a block of patients and their ECGs.

    Parameters
    ----------
    number : int
        Which block, from 0.
    n_patients : int
        At most `BLOCK`. All of them are drawn, whatever the number kept.
    plan : Plan
        The layout's.
    seed : int
        Of the hospital, not negative.
    """
    empty = pl.DataFrame({"patient": np.arange(BLOCK)})
    block = Block(number, plan, seed, empty, empty)
    # A site of that name has streams of its own.
    site = Site(**{**vars(plan.site), "code": f"{plan.site.code}/{number}"})
    people = draw_patients(BLOCK, site=site, seed=seed)
    times = _draw_times(block)
    patients = _anchor(block, people, times)
    recordings = _describe(block, people, times | _shift(times, patients))
    kept = recordings.filter(pl.col("patient") < n_patients)
    return Block(number, plan, seed, patients.head(n_patients), kept)


def _draw_times(block: Block) -> Columns:
    """Draw how many ECGs each patient has, in which visits, and in which minute since the calendar's first day."""
    plan, n = block.plan, BLOCK
    chance = block.uniform("n_recordings", n)
    beyond = np.clip((chance - plan.single) / (1 - plan.single), 0, 1 - 1e-9)
    many = np.minimum(2 + np.floor(plan.tail * ((1 - beyond) ** -0.4 - 1)).astype(int), plan.most)
    count = np.where(chance < plan.single, 1, many)
    patient = np.repeat(np.arange(n), count)
    start = np.repeat(np.cumsum(count) - count, count)
    first = np.arange(patient.size) == start
    new_visit = first | (block.uniform("same_visit", patient.size) >= plan.same_visit)
    days = (plan.calendar[1] - plan.calendar[0]).days
    visits = np.bincount(patient, weights=new_visit)[patient]
    spare = -np.log1p(-block.uniform("gap", patient.size))
    least = np.minimum(plan.apart_days[0], days / visits)
    apart = least + np.minimum(plan.apart_days[1], 0.7 * days / visits) * spare
    within = _LEAST_APART_H * _HOUR + np.minimum(spare, 5.0) * _MEAN_APART_H * _HOUR
    elapsed = np.cumsum(np.where(first, 0.0, np.where(new_visit, apart * _DAY, within)))
    elapsed -= elapsed[start]
    longest = np.maximum.reduceat(elapsed, np.flatnonzero(first))
    begin = block.uniform("first_day", n) * np.maximum(days * _DAY - longest, 0)
    minute = np.floor(begin[patient] + elapsed).astype(np.int64)
    kept = (minute < days * _DAY) | first  # what lies after the last day of the data is not in them
    times = {"patient": patient, "minute": minute, "visit": np.cumsum(new_visit) - 1}
    times = {name: column[kept] for name, column in times.items()}
    times["visit"] = np.unique(times["visit"], return_inverse=True)[1]
    return times


def _anchor(block: Block, people: Columns, times: Columns) -> pl.DataFrame:
    """Give every patient a year at which the age is known, and a shift of all dates."""
    low, high = block.plan.shift_days
    shift = np.floor(low + (high - low) * block.uniform("shift", BLOCK)).astype(np.int64)
    begin = times["minute"][np.unique(times["patient"], return_index=True)[1]]
    return pl.DataFrame(
        {
            "patient": np.arange(BLOCK),
            "female": people["female"],
            "anchor_age": np.floor(people["age"]).astype(np.int64),
            "anchor_year": _years(block, begin + shift * _DAY),
            "real_year": _years(block, begin),
            "shift_days": shift,
        }
    )


def _years(block: Block, minute: NDArray[np.int64]) -> NDArray[np.int64]:
    days = np.datetime64(block.plan.calendar[0], "D") + minute // _DAY
    years: NDArray[np.int64] = days.astype("datetime64[Y]").astype(np.int64) + 1970
    return years


def _shift(times: Columns, patients: pl.DataFrame) -> Columns:
    real = times["minute"]
    return {"minute": real + patients["shift_days"].to_numpy()[times["patient"]] * _DAY, "real_day": real // _DAY}


def _describe(block: Block, people: Columns, times: Columns) -> pl.DataFrame:
    """Draw what is true of each ECG."""
    patient, minute = times["patient"], times["minute"]
    n = patient.size

    def varied(name: str) -> Floats:
        person = block.normal(f"{name}/patient", BLOCK)[patient]
        mixed: Floats = np.sqrt(0.6) * person + np.sqrt(0.4) * block.normal(name, n)
        return mixed

    anchor = _years(block, minute[np.unique(patient, return_index=True)[1]])
    # Only years are subtracted, as the published ages are; everybody above 89 is 90.
    age = np.floor(people["age"])[patient] + _years(block, minute) - anchor[patient]
    truth: Columns = {"age_years": np.where(age > 89, 90.0, age), "seed": block.generator("ecg").integers(0, 2**63, n)}
    truth |= {name: people[name][patient] for name in ("female", *(name for name, _, _ in CONDITIONS))}
    truth = describe_recordings(truth, uniform=lambda name: block.uniform(name, n), varied=varied)
    truth |= true_axes(truth)
    truth["p_axis_deg"] = np.where(truth["rhythm"] == "af", np.nan, truth["p_axis_deg"])
    same_visit = np.diff(times["visit"], prepend=-1, append=-1) == 0
    to_next = np.where(patient == np.append(patient[1:], -1), np.append(minute[1:], 0) - minute, 10_000 * _DAY)
    frame = pl.DataFrame(
        times | truth | {"is_first": ~same_visit[:-1], "is_last": ~same_visit[1:], "minutes_to_next": to_next}
    )
    at = (pl.lit(block.plan.calendar[0]).cast(pl.Datetime("us")) + pl.duration(minutes="minute")).cast(
        pl.Datetime("us")
    )
    return frame.with_columns(recorded_at=at).drop("minute")
