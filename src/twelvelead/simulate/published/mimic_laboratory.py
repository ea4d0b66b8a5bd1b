"""Blood samples and their results: `labevents` and `d_labitems` of MIMIC-IV."""

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.published.analytes import OPPOSITE, OTHER_ITEMS, TESTS, Test
from twelvelead.simulate.published.identifiers import PER_BLOCK, subject_ids
from twelvelead.simulate.published.outcomes import Fate
from twelvelead.simulate.published.population import Block

Floats = NDArray[np.float64]

_HOUR, _DAY = 60, 1440  # in minutes
_DRAWN = {"index": 0.75, "before": 0.5, "after": 0.5}
_OTHERWISE_ABNORMAL = 0.3  # share of the results far from any ECG
_NO_STAY, _HIDDEN = 0.1, 0.05
_CHANGED = 2018  # year of the later reference limits
_PER_BLOCK = 1_000_000  # most rows of a block


class _Draw(NamedTuple):
    """Blood samples: of which recordings (rows of the block), and when."""

    name: str
    recording: NDArray[np.int64]
    time: pl.Series


def draw_blood(block: Block, visits: pl.DataFrame) -> list[_Draw]:
    """Draw when blood was taken.

    Notes
    -----
    Around three in four ECGs of a stay within 59 min ("index"): these results are what the truth says. Half of the
    visits have a sample 3 h to 3 days before their first ECG, and half one 3 h to 7 days after their last, which say
    nothing about it.
    """
    truth = block.recordings
    stay = (visits["kind"] != "none").to_numpy()[truth["visit"].to_numpy()]
    draws = []
    for name, start, end, of in (
        ("index", -59, 60, np.ones(truth.height, dtype=bool)),
        ("before", -3 * _DAY, -3 * _HOUR, truth["is_first"].to_numpy()),
        ("after", 3 * _HOUR, 7 * _DAY, truth["is_last"].to_numpy()),
    ):
        chance, place = block.uniform(f"blood/{name}", truth.height, 2).T
        rows = np.flatnonzero(stay & of & (chance < _DRAWN[name]))
        minutes = np.floor(start + (end - start) * place[rows]).astype(np.int64)
        draws.append(_Draw(name, rows, truth["recorded_at"][rows] + _minutes(minutes)))
    return draws


def _minutes(minutes: NDArray[np.int64]) -> pl.Series:
    return pl.Series(minutes * 60_000_000).cast(pl.Duration("us"))


def labevents(block: Block, visits: pl.DataFrame, fate: Fate) -> pl.DataFrame:
    """Return `labevents.csv.gz`.

    Notes
    -----
    One sample in ten bears no stay, and none outside hospital stays does. Results come 20 to 200 min after the sample.
    Among the abnormal results, one in twenty is hidden in `value` and legible in `valuenum`.
    """
    draws = draw_blood(block, visits)
    tables = [_results(block, test, draw, fate) for draw in draws for test in TESTS]
    tables += [_urine(block, draw) for draw in draws] + [_blood_gas(block, draw) for draw in draws]
    rows = pl.concat(tables)
    subject = subject_ids(block)[block.recordings["patient"].to_numpy()]
    stays = visits.select("visit", "hadm_id", "admittime", "dischtime")
    visit = block.recordings["visit"].to_numpy()
    keys = pl.DataFrame({"recording": np.arange(visit.size), "subject_id": subject, "visit": visit})
    joined = rows.join(keys, on="recording", maintain_order="left").join(stays, on="visit", maintain_order="left")
    return _as_published(block, joined).sort("subject_id", "charttime", "specimen_id", "itemid")


def _as_published(block: Block, rows: pl.DataFrame) -> pl.DataFrame:
    n = rows.height
    lose, delay, hide, urgent = block.uniform("labevents", n, 4).T
    inside = pl.col("charttime").is_between("admittime", "dischtime") & pl.Series(lose >= _NO_STAY)
    lower, upper, value = pl.col("ref_range_lower"), pl.col("ref_range_upper"), pl.col("valuenum")
    abnormal = ((value < lower) | (value > upper)) & ((lower != 0) | (upper != 0))
    wait = _minutes(np.floor(20 + 180 * delay).astype(np.int64))
    specimen = block.number * PER_BLOCK * 10 + pl.col("specimen")
    whole = pl.col("valuenum") == pl.col("valuenum").floor()
    text = pl.when(whole).then(value.cast(pl.Int64).cast(pl.String)).otherwise(value.cast(pl.String))
    return rows.select(
        labevent_id=pl.int_range(n) + 1 + block.number * _PER_BLOCK,
        subject_id="subject_id",
        hadm_id=pl.when(inside).then("hadm_id"),
        specimen_id=specimen,
        itemid="itemid",
        order_provider_id=pl.lit(None, pl.String),
        charttime="charttime",
        storetime=pl.col("charttime") + wait,
        value=pl.when(abnormal & pl.Series(hide < _HIDDEN)).then(pl.lit("___")).otherwise(text),
        valuenum="valuenum",
        valueuom="valueuom",
        ref_range_lower="ref_range_lower",
        ref_range_upper="ref_range_upper",
        flag=pl.when(abnormal).then(pl.lit("abnormal")),
        priority=pl.when(pl.Series(urgent < 0.5)).then(pl.lit("STAT")).otherwise(pl.lit("ROUTINE")),
        comments=pl.lit(None, pl.String),
    )


def result_steps(
    test: Test, *, decides: Floats, risk: Floats, place: Floats, female: NDArray[np.bool_], later: NDArray[np.bool_]
) -> dict[str, Floats]:
    """Return results and their limits, in the smallest steps that are reported.

    Parameters
    ----------
    test : Test
        What is measured.
    decides, risk : ndarray of float
        Abnormal where `decides` lies below `risk`; abnormal in the other direction in its highest part, whatever the
        risk (not where the lower limit is 0: nothing lies below).
    place : ndarray of float
        Where in the normal range, or how far beyond it; uniform on [0, 1).
    female, later : ndarray of bool
        Whose limits, and whether those since 2018.
    """
    lower = np.where(female, test.lower[0], test.lower[1])
    upper = np.where(female, test.upper[0], test.upper[1])
    if test.later is not None:
        lower, upper = np.where(later, test.later[0], lower), np.where(later, test.later[1], upper)
    abnormal = decides < risk
    opposite = (decides >= 1 - OPPOSITE) & (lower > 0)
    high, low = (abnormal, opposite) if test.outcome_is_high else (opposite, abnormal)
    far = np.minimum(-np.log1p(-place), 2.0)
    above = 1 + np.floor(far * test.spread * (upper - lower))
    below = 1 + np.floor(far * 0.12 * lower)
    normal = lower + np.floor(place * (upper - lower + 1))
    value = np.where(high, upper + above, np.where(low, np.maximum(lower - below, 0), normal))
    return {"valuenum": value, "ref_range_lower": lower.astype(float), "ref_range_upper": upper.astype(float)}


def sampled(block: Block, test: Test, draw: _Draw, fate: Fate) -> tuple[NDArray[np.int64], dict[str, Floats]]:
    """Return which of a draw's samples a test was made of, and results with limits, in steps."""
    n = block.recordings.height
    chance, place = block.uniform(f"test/{draw.name}/{test.label}", n, 2).T
    which = np.flatnonzero(chance[draw.recording] < test.share)
    rows = draw.recording[which]
    if draw.name == "index":
        decides, risk = fate.results[test.outcome.name], fate.risks[test.outcome.name]
    else:
        decides = block.uniform(f"result/{draw.name}/{test.outcome.name}", n)
        risk = np.full(n, _OTHERWISE_ABNORMAL)
    real_year = block.plan.calendar[0].year + block.recordings["real_day"].to_numpy()[rows] / 365.25
    steps = result_steps(
        test,
        decides=decides[rows],
        risk=risk[rows],
        place=place[rows],
        female=block.recordings["female"].to_numpy()[rows],
        later=real_year >= _CHANGED,
    )
    return which, steps


def _results(block: Block, test: Test, draw: _Draw, fate: Fate) -> pl.DataFrame:
    which, steps = sampled(block, test, draw, fate)
    values = {name: column / test.per_unit for name, column in steps.items()}
    return _rows(draw, which, itemid=test.itemid, unit=test.unit, values=values, fluid=0)


_KINDS = {"index": 0, "before": 1, "after": 2}


def _rows(
    draw: _Draw, which: NDArray[np.int64], *, itemid: int, unit: str, values: dict[str, Floats], fluid: int
) -> pl.DataFrame:
    recording = draw.recording[which]
    return pl.DataFrame(
        {
            "recording": recording,
            "specimen": (recording * 3 + _KINDS[draw.name]) * 3 + fluid,
            "itemid": np.full(which.size, itemid),
            "charttime": draw.time[which],
            **values,
            "valueuom": np.full(which.size, unit),
        }
    )


def _urine(block: Block, draw: _Draw) -> pl.DataFrame:
    """Return urine glucose, which shares its label with blood glucose and has a reference range from 0 to 0."""
    which, place = _some(block, draw, "urine", share=0.15)
    values = {"valuenum": np.floor(place * 10) * 100, "ref_range_lower": place * 0, "ref_range_upper": place * 0}
    return _rows(draw, which, itemid=51478, unit="mg/dL", values=values, fluid=1)


def _blood_gas(block: Block, draw: _Draw) -> pl.DataFrame:
    """Return potassium of whole blood, another item than potassium, and null."""
    which, place = _some(block, draw, "blood_gas", share=0.15)
    values = {
        "valuenum": np.rint(30 + 25 * place) / 10,
        "ref_range_lower": np.full(place.size, 3.3),
        "ref_range_upper": np.full(place.size, 5.1),
    }
    return _rows(draw, which, itemid=50822, unit="mEq/L", values=values, fluid=2)


def _some(block: Block, draw: _Draw, name: str, *, share: float) -> tuple[NDArray[np.int64], Floats]:
    chance, place = block.uniform(f"{name}/{draw.name}", block.recordings.height, 2).T
    which = np.flatnonzero(chance[draw.recording] < share)
    return which, place[draw.recording[which]]


def d_labitems() -> pl.DataFrame:
    """Return `d_labitems.csv.gz`."""
    rows = [(t.itemid, t.label, "Blood", t.category) for t in TESTS] + list(OTHER_ITEMS)
    return pl.DataFrame(rows, schema=["itemid", "label", "fluid", "category"], orient="row").sort("itemid")
