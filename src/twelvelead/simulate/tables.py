"""A simulated hospital's tables: what a study may find out about the outcomes, with the traps of real tables.

Whether something is recorded never depends on the outcome, and what lies in a recording's window says exactly what
became of it. Around that stands what must not be used: draws hours or weeks away, X-rays taken before the ECG or days
after it, diagnoses of another stay; and abnormalities in the other direction, which are not the event.
"""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.draws import stream
from twelvelead.simulate.outcomes import OUTCOMES, SimulatedOutcome
from twelvelead.simulate.site import Site
from twelvelead.terms import EVENTS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_OTHER_CODES = ("I10", "E119", "Z8719", "K219", "J449", "N390", "M545", "E785")
_HOUR, _DAY = 60, 1440  # in minutes


class Analyte(NamedTuple):
    """A laboratory test: unit, reference limits (women, men) and which side of them the outcome lies on.

    Limits are whole numbers of the smallest step that the laboratory reports, `per_unit` of which make one unit.
    """

    unit: str
    per_unit: int
    lower: tuple[int, int]
    upper: tuple[int, int]
    outcome_is_high: bool


def analyte(code: str, *, site: Site) -> Analyte:
    """Return how a site's laboratory reports an analyte; only haemoglobin has other limits for women and men.

    Examples
    --------
    >>> from twelvelead.simulate import SITE_A, SITE_B
    >>> analyte("Hemoglobin", site=SITE_A).lower, analyte("Hemoglobin", site=SITE_B).unit
    ((120, 135), 'g/L')
    """
    per_unit = 10 if site.haemoglobin_unit == "g/dL" else 1
    return {
        "Potassium": Analyte("mmol/L", 10, (35, 35), (51, 51), outcome_is_high=True),
        "Hemoglobin": Analyte(site.haemoglobin_unit, per_unit, (120, 135), (160, 175), outcome_is_high=False),
        "Chloride": Analyte("mmol/L", 1, (98, 98), (107, 107), outcome_is_high=True),
    }[code]


def events_of(truth: pl.DataFrame, *, site: Site, seed: int) -> pl.DataFrame:
    """Return what the hospital's tables say about the patients of these recordings.

    Parameters
    ----------
    truth : polars.DataFrame
        With identifiers, times, sex and `y_<outcome>`.
    site : Site
        Whose laboratory.
    seed : int
        Of the hospital.

    Returns
    -------
    polars.DataFrame
        Keeps `terms.EVENTS`, in order of patient and time.

    Notes
    -----
    *X-ray*: 85 % of the recordings have one 1 to 20 h later; every finding is 1 or 0. Others, which say nothing, lie
    before the ECG or 26 h to 8 days after it. *Diagnosis*: 93 % of the stays are coded, at discharge, and a coded stay
    has at least one code; a third of the patients have an earlier stay. *Laboratory*: 88 % of the recordings have one
    draw within 59 min; others lie 3 h to 20 days away.
    """
    tables = [*_xrays(truth, site=site, seed=seed), *_diagnoses(truth, site=site, seed=seed)]
    for outcome in OUTCOMES:
        if outcome.kind == "laboratory":
            tables += _draws(truth, outcome, site=site, seed=seed)
    events = pl.concat([EVENTS.select(_with_every_column(table)) for table in tables])
    return events.sort("patient_id", "time", "system", "code", "value", "stay_id", nulls_last=True)


def _with_every_column(table: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in EVENTS.schema.items() if name not in table.columns]
    return table.with_columns(absent)


def _at(truth: pl.DataFrame, minutes: Floats) -> pl.Series:
    """Return the time a whole number of minutes after each recording."""
    shift = pl.Series(np.floor(minutes).astype(np.int64)) * 60_000_000
    return truth["recorded_at"] + shift.cast(pl.Duration("us"))


def _rows(truth: pl.DataFrame, kept: Flags, *, minutes: Floats) -> pl.DataFrame:
    """Return patient, time and stay of one event per recording, for those recordings that have it."""
    return truth.select("patient_id", "stay_id", time=_at(truth, minutes)).filter(pl.Series(kept))


def _xrays(truth: pl.DataFrame, *, site: Site, seed: int) -> list[pl.DataFrame]:
    n = truth.height
    tables = []
    # share of recordings that have it, from and to (minutes after the ECG), whether it shows the outcome
    for when, share, start, end in (
        ("index", 0.85, _HOUR, 20 * _HOUR),
        ("before", 0.3, -30 * _HOUR, -_HOUR),
        ("later", 0.4, 26 * _HOUR, 8 * _DAY),
    ):
        rng = stream(f"{site.code}/xray_{when}", seed=seed)
        kept, minutes = rng.random((n, 2)).T
        rows = _rows(truth, kept < share, minutes=start + (end - start) * minutes)
        for outcome in (o for o in OUTCOMES if o.kind == "chest_xray"):
            chance = stream(f"{site.code}/xray_{when}_{outcome.name}", seed=seed).random(n) < 0.5
            present = truth[f"y_{outcome.name}"].to_numpy() if when == "index" else chance
            value = pl.Series("value", present[kept < share].astype(float))
            tables.append(rows.with_columns(value, system=pl.lit("chest_xray"), code=pl.lit(outcome.codes[0])))
    return tables


def _diagnoses(truth: pl.DataFrame, *, site: Site, seed: int) -> list[pl.DataFrame]:
    n = truth.height
    coded, days = stream(f"{site.code}/coding", seed=seed).random((n, 2)).T
    stays = truth.select("patient_id", "stay_id", time=_at(truth, (1 + 8 * days) * _DAY))
    tables = _codes(stays, coded < 0.93, outcomes_from=truth, name=f"{site.code}/stay", seed=seed)
    earlier, days = stream(f"{site.code}/earlier_stay", seed=seed).random((n, 2)).T
    first = truth["recording_id"].str.ends_with("-r1").to_numpy()
    stays = truth.select("patient_id", stay_id=pl.col("patient_id") + "-s0", time=_at(truth, -(60 + 300 * days) * _DAY))
    return tables + _codes(stays, first & (earlier < 0.33), outcomes_from=None, name=f"{site.code}/earlier", seed=seed)


def _codes(
    stays: pl.DataFrame, coded: Flags, *, outcomes_from: pl.DataFrame | None, name: str, seed: int
) -> list[pl.DataFrame]:
    """Return the diagnosis codes of the coded stays; those of an earlier stay are drawn without regard to any ECG."""
    n = stays.height
    stays = stays.with_columns(system=pl.lit("icd10"))
    # One code that every coded stay has, and up to three more.
    chance = stream(f"{name}/others", seed=seed).random((n, len(_OTHER_CODES)))
    given = chance < 0.25
    given[np.arange(n), chance.argmin(axis=1)] = True
    tables = [
        stays.filter(pl.Series(coded & given[:, j])).with_columns(code=pl.lit(code))
        for j, code in enumerate(_OTHER_CODES)
    ]
    for outcome in (o for o in OUTCOMES if o.kind == "diagnosis"):
        chance, spelling = stream(f"{name}/{outcome.name}", seed=seed).random((n, 2)).T
        present = chance < 0.4 if outcomes_from is None else outcomes_from[f"y_{outcome.name}"].to_numpy() == 1
        codes = np.array(outcome.codes)[np.floor(spelling * len(outcome.codes)).astype(int)]
        tables.append(stays.with_columns(code=pl.Series(codes)).filter(pl.Series(coded & present)))
    return tables


def _draws(truth: pl.DataFrame, outcome: SimulatedOutcome, *, site: Site, seed: int) -> list[pl.DataFrame]:
    n, code = truth.height, outcome.codes[0]
    female = (truth["sex"] == "female").to_numpy()
    test = analyte(code, site=site)
    lower, upper = np.where(female, test.lower[0], test.lower[1]), np.where(female, test.upper[0], test.upper[1])
    tables = []
    for when, share, start, end in (
        ("index", 0.88, -59, 60),
        ("before", 0.7, -3 * _DAY, -3 * _HOUR),
        ("after", 0.7, 3 * _HOUR, 20 * _DAY),
    ):
        # One blood sample serves all analytes: whether and when do not depend on which.
        kept, minutes = stream(f"{site.code}/blood_{when}", seed=seed).random((n, 2)).T
        rng = stream(f"{site.code}/blood_{when}_{outcome.name}", seed=seed)
        chance, place, distance = rng.random((n, 3)).T
        abnormal = truth[f"y_{outcome.name}"].to_numpy() == 1 if when == "index" else chance < 0.4
        opposite = ~abnormal & (place < 0.08)
        beyond = 1 + np.floor(np.minimum(-np.log1p(-distance), 4.0) * 0.35 * (upper - lower)).astype(int)
        high = abnormal if test.outcome_is_high else opposite
        low = opposite if test.outcome_is_high else abnormal
        normal = lower + np.floor(distance * (upper - lower + 1)).astype(int)
        steps = np.where(high, upper + beyond, np.where(low, lower - beyond, normal))
        rows = _rows(truth, kept < share, minutes=start + (end - start) * minutes)
        numbers = {"value": steps, "reference_lower": lower, "reference_upper": upper}
        tables.append(
            rows.with_columns(
                *(pl.Series(name, values[kept < share] / test.per_unit) for name, values in numbers.items()),
                system=pl.lit("laboratory"),
                code=pl.lit(code),
                unit=pl.lit(test.unit),
            )
        )
    return tables
