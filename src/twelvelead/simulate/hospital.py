"""A simulated hospital: its patients, their recordings, and the tables that link them to what happened."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.beat import true_amplitudes, true_axes
from twelvelead.simulate.draws import uniforms
from twelvelead.simulate.outcomes import OUTCOMES, SimulatedOutcome
from twelvelead.simulate.patients import CONDITIONS, draw_recordings
from twelvelead.simulate.site import Site
from twelvelead.simulate.tables import events_of
from twelvelead.terms import COHORT, LEADS, InputError

_MOST_RECORDINGS = 3
_CALENDAR_START = datetime(2150, 1, 1)  # a century in which no real patient has lived


@dataclass(frozen=True, eq=False)
class Hospital:
    """A simulated hospital.

    Parameters
    ----------
    name : str
        What to call it; says that it is simulated.
    cohort : polars.DataFrame
        One row per recording; keeps `terms.COHORT`. `path` is null until the recordings are written somewhere.
    events : polars.DataFrame
        Diagnoses, laboratory results and chest X-ray findings; keeps `terms.EVENTS`.
    truth : polars.DataFrame
        One row per recording, in the order of `cohort`: rhythm, intervals, axes, amplitudes, latent conditions, noise,
        `risk_<outcome>` (the true probability) and `y_<outcome>` (what became of it). A row is all that `recording`
        needs.
    outcomes : tuple of SimulatedOutcome
        What can be predicted.
    """

    name: str
    cohort: pl.DataFrame
    events: pl.DataFrame
    truth: pl.DataFrame
    outcomes: tuple[SimulatedOutcome, ...]


def hospital(n_patients: int, *, site: Site, seed: int) -> Hospital:
    """Simulate a hospital.

    Parameters
    ----------
    n_patients : int
        At least 1; each has one to three recordings. The patients of a smaller hospital with the same seed are the
        first ones of a larger.
    site : Site
        Case mix and equipment, `SITE_A` or `SITE_B`.
    seed : int
        Not negative.

    Returns
    -------
    Hospital
        Tables only; `recording` makes the waveforms.

    Raises
    ------
    InputError
        If the number of patients or the seed can't be right.

    Examples
    --------
    >>> from twelvelead.simulate import SITE_A
    >>> sim = hospital(3, site=SITE_A, seed=1)
    >>> sim.cohort["recording_id"][0], sim.cohort["patient_id"].n_unique()
    ('sim-a-p000000-r1', 3)
    """
    check_size(n_patients, seed=seed)
    truth = draw_truth(n_patients, n_recordings=_MOST_RECORDINGS, site=site, seed=seed)
    chance = np.repeat(uniforms(f"{site.code}/n_recordings", (n_patients,), seed=seed), _MOST_RECORDINGS)
    # Half of the patients have one recording, three tenths two, two tenths three; it depends on nothing else.
    count = 1 + (chance >= 0.5).astype(int) + (chance >= 0.8).astype(int)
    kept = truth["occasion"] < count
    frame = _frame({name: column[kept] for name, column in truth.items()}, site=site)
    return Hospital(
        name=site.name,
        cohort=COHORT.select(frame.with_columns(path=pl.lit(None, pl.String))),
        events=events_of(frame, site=site, seed=seed),
        truth=frame,
        outcomes=OUTCOMES,
    )


def check_size(n: int, *, seed: int) -> None:
    """Raise `InputError` unless there is at least one patient and the seed is not negative."""
    for name, value, smallest in (("number of patients", n, 1), ("seed", seed, 0)):
        if value < smallest:
            msg = f"{name} must be at least {smallest}; got {value}. Choose a larger one."
            raise InputError(msg)


def draw_truth(
    n_patients: int, *, n_recordings: int, site: Site, seed: int, leads: tuple[str, ...] = LEADS
) -> dict[str, NDArray[Any]]:
    """Draw the truth of every patient's recordings, with amplitudes, axes, risks and outcomes, as arrays by name."""
    truth = draw_recordings(n_patients, n_recordings=n_recordings, site=site, seed=seed)
    truth["sex"] = np.where(truth.pop("female"), "female", "male")
    truth |= true_axes(truth) | true_amplitudes(truth, leads)
    fibrillates = truth["rhythm"] == "af"
    truth["p_axis_deg"] = np.where(fibrillates, np.nan, truth["p_axis_deg"])
    for outcome in OUTCOMES:
        risk = outcome.risk(truth, site=site)
        chance = uniforms(f"{site.code}/y_{outcome.name}", (n_patients, n_recordings), seed=seed).reshape(-1)
        truth[f"risk_{outcome.name}"] = risk
        truth[f"y_{outcome.name}"] = (chance < risk).astype(np.int8)
    return truth


def _frame(truth: dict[str, NDArray[Any]], *, site: Site) -> pl.DataFrame:
    """Return the truth as a table with identifiers, times and nulls for what there is not."""
    patient = pl.format(f"sim-{site.code}-p{{}}", pl.col("patient").cast(pl.String).str.zfill(6))
    occasion = (pl.col("occasion") + 1).cast(pl.String)
    ids = (
        pl.format("{}-r{}", patient, occasion).alias("recording_id"),
        patient.alias("patient_id"),
        pl.format("{}-s{}", patient, occasion).alias("stay_id"),
        (pl.lit(_CALENDAR_START) + pl.duration(minutes=pl.col("minute"))).cast(pl.Datetime("us")).alias("recorded_at"),
        pl.lit(site.code).alias("site"),
    )
    conditions = [name for name, _, _ in CONDITIONS]
    described = [n for n in truth if n not in {"patient", "occasion", "minute", *conditions}]
    frame = pl.DataFrame(truth).select(*ids, *described, *(pl.col(n).alias(f"has_{n}") for n in conditions))
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
