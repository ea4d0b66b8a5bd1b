"""A simulated five-year cohort in the shape of ECG-DiaNet's: who gets diabetes is known to follow a known risk.

Everything here is made up. The clinical factors carry most of the risk; the ECG adds a planted increment, or in the
null variant nothing. What the disease does to the ECG afterwards is another thing, and is planted in both: a model
that learns from people who have diabetes learns that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from twelvelead.simulate.draws import normals, uniforms
from twelvelead.simulate.optimum import expected_auroc
from twelvelead.terms import InputError

Floats = NDArray[np.float64]
People = dict[str, Floats]

HORIZON_Y = 5.0
N_REPLICATES = 3
DEVELOPMENT, LONGITUDINAL = 2043, 395
"""People of the two cohorts of the publication (doi:10.1038/s41598-025-12633-z)."""

CLINICAL = ("age_years", "sex_male", "bmi_kg_m2", "waist_cm", "sbp_mmhg", "dbp_mmhg")


@dataclass(frozen=True)
class Measure:
    """One measurement of the ECG.

    Parameters
    ----------
    name : str
        Column, in ms or degrees.
    mean : float
        At 40 years, BMI 29 kg/m², in women.
    per_year, per_bmi, if_male : float
        What age, BMI and sex add.
    between, within : float
        Standard deviations of the usual level between like people, and of one recording around it.
    log_odds : float
        What a person's usual level adds to the log-odds of diabetes, per standard deviation above like people's.
    of_disease : float
        What diabetes adds to the measurement.
    """

    name: str
    mean: float
    per_year: float
    per_bmi: float
    if_male: float
    between: float
    within: float
    log_odds: float
    of_disease: float

    def expected(self, people: Mapping[str, Floats]) -> Floats:
        """Return the mean usual level of people of that age, BMI and sex, shape (n,)."""
        years, bmi = people["age_years"] - 40, people["bmi_kg_m2"] - 29
        return self.mean + self.per_year * years + self.per_bmi * bmi + self.if_male * people["sex_male"]

    def reliability(self, n: int) -> float:
        """Return the share of the variance between like people in that of the mean of n recordings."""
        return self.between**2 / (self.between**2 + self.within**2 / n)


MEASURES = (
    Measure("rr_mean_ms", 880, 0.5, -4.0, 15, 105, 55, -0.38, -55),
    Measure("pr_interval_ms", 156, 0.25, 0.3, 4, 18, 6, 0.15, 2),
    Measure("qrs_duration_ms", 90, 0.05, 0.1, 8, 8, 3.5, 0.20, 1),
    Measure("qtc_bazett_ms", 418, 0.3, 0.4, -11, 15, 9, 0.42, 9),
    Measure("t_axis_deg", 42, -0.25, -0.3, -4, 17, 11, -0.30, -7),
)
"""What is drawn. The sixth measurement, the QT interval, follows from QTc and RR by Bazett's formula."""

ECG = ("qrs_duration_ms", "qt_interval_ms", "qtc_bazett_ms", "pr_interval_ms", "rr_mean_ms", "t_axis_deg")

_INTERCEPT, _PREVALENT = -2.5, -2.3
_SHARE_LOST = 0.06


@dataclass(frozen=True, eq=False)
class DiabetesCohort:
    """Simulated people, their recordings, and what became of them.

    Parameters
    ----------
    people : DataFrame
        One row per person: patient_id, part (`development` or `longitudinal`), the six clinical factors, baseline
        (time), prevalent (1 if diabetes is known at baseline); years since it is known (`known_for_y`), and until it is
        diagnosed, until death and until last seen (`onset_y`, `death_y`, `seen_until_y`), null where that did not
        happen; and the truth: `risk`, of diabetes within five years, and `y`, whether it comes.
    recordings : DataFrame
        Three rows per person: recording_id, patient_id, recorded_at, and the six measurements of the ECG.
    """

    people: pl.DataFrame
    recordings: pl.DataFrame


def diabetes_cohort(
    n_development: int = DEVELOPMENT, *, n_longitudinal: int = LONGITUDINAL, seed: int, null: bool = False
) -> DiabetesCohort:
    """Simulate the two cohorts.

    Parameters
    ----------
    n_development, n_longitudinal : int
        People of the development cohort, some of whom have diabetes already, and of the longitudinal one, none of whom
        has; at least 1 each.
    seed : int
        Not negative.
    null : bool
        Whether the ECG says nothing about who will get diabetes.

    Raises
    ------
    InputError
        If a number can't be right.

    Notes
    -----
    The log-odds of diabetes within five years are `clinical_log_odds` and, per measurement, `Measure.log_odds` times
    how many standard deviations a person's *usual* level lies from that of like people. Recordings are noisy around
    it. Deaths before the onset count as no diabetes; 6 in 100 are lost to follow-up at any time, whatever their risk.

    Examples
    --------
    >>> cohort = diabetes_cohort(200, n_longitudinal=40, seed=1)
    >>> cohort.people.height, cohort.recordings.height
    (240, 720)
    >>> bool(cohort.people.filter(part="longitudinal")["prevalent"].sum() > 0)
    False
    """
    if min(n_development, n_longitudinal) < 1 or seed < 0:
        msg = f"both cohorts need people and the seed must not be negative; got {n_development}, {n_longitudinal}, "
        msg += f"seed {seed}. Choose other numbers."
        raise InputError(msg)
    parts = [
        ("development", _draw(n_development, name="development", seed=seed, null=null)),
        ("longitudinal", _healthy(n_longitudinal, seed=seed, null=null)),
    ]
    people, recordings = zip(*(_tables(drawn, part) for part, drawn in parts), strict=True)
    return DiabetesCohort(pl.concat(people), pl.concat(recordings))


def clinical_log_odds(people: Mapping[str, Floats]) -> Floats:
    """Return what the clinical factors add to the log-odds, shape (n,): 0 at 40 years, BMI 29, waist 95, 118/74 mmHg.

    Examples
    --------
    >>> mean = {"age_years": 50.0, "sex_male": 0, "bmi_kg_m2": 29, "waist_cm": 95, "sbp_mmhg": 118, "dbp_mmhg": 74}
    >>> round(float(clinical_log_odds({name: np.array(value) for name, value in mean.items()})), 6)
    0.85
    """
    out: Floats = (
        0.085 * (people["age_years"] - 40)
        + 0.3 * people["sex_male"]
        + 0.09 * (people["bmi_kg_m2"] - 29)
        + 0.05 * (people["waist_cm"] - 95)
        + 0.02 * (people["sbp_mmhg"] - 118)
        + 0.01 * (people["dbp_mmhg"] - 74)
    )
    return out


def best_aurocs(*, n: int = 400_000, seed: int, null: bool = False) -> dict[str, float]:
    """Return the highest AUROCs that any model can reach among people without diabetes at baseline.

    Parameters
    ----------
    n : int
        People drawn; at 400,000 two seeds differ by about 0.001.
    seed : int
        Not negative.
    null : bool
        As for `diabetes_cohort`.

    Returns
    -------
    dict of str to float
        `crf`, from the clinical factors; `crf_ecg_1` and `crf_ecg_3`, and from the mean of one or three recordings,
        too; `crf_ecg_true`, from a person's true usual level.

    Notes
    -----
    The best score is the risk's mean given what is known, and that rises with the log-odds' mean: a person's level,
    given clinical factors and the mean of n recordings, is normal, lies `Measure.reliability` of the way from like
    people's to that mean, and is as uncertain in everybody. Outcomes are not drawn: see `expected_auroc`.
    """
    people = _draw(n, name="optimum", seed=seed, null=null)
    kept = people["prevalent"] == 0
    clinical = clinical_log_odds(people)
    scores = {"crf": clinical, "crf_ecg_true": clinical + _ecg_log_odds(people, null=null)}
    for replicates in (1, N_REPLICATES):
        noise = normals(f"optimum/noise_{replicates}", (len(MEASURES), n), seed=seed)
        score = clinical.copy()
        for measure, e in zip(MEASURES, noise, strict=True):
            seen = people[f"usual_{measure.name}"] + e * measure.within / measure.between / np.sqrt(replicates)
            score += (0.0 if null else measure.log_odds) * measure.reliability(replicates) * seen
        scores[f"crf_ecg_{replicates}"] = score
    return {name: expected_auroc(people["risk"][kept], score[kept]) for name, score in sorted(scores.items())}


def _draw(n: int, *, name: str, seed: int, null: bool) -> People:
    """Draw people at baseline, and the truth about them; the first of many are the first of few."""
    z = dict(zip(_DEVIATIONS, normals(f"{name}/clinical", (n, len(_DEVIATIONS)), seed=seed).T, strict=True))
    chances = uniforms(f"{name}/chance", (n, len(_CHANCES)), seed=seed).T
    people: People = {f"chance_{chance}": u for chance, u in zip(_CHANCES, chances, strict=True)}
    people |= _clinical(z, male=np.floor(2 * people["chance_sex"]))
    levels = normals(f"{name}/usual", (n, len(MEASURES)), seed=seed).T
    people |= {f"usual_{measure.name}": level for measure, level in zip(MEASURES, levels, strict=True)}
    clinical = clinical_log_odds(people)
    people["prevalent"] = (people["chance_prevalent"] < expit(_PREVALENT + clinical)).astype(float)
    people["risk"] = expit(_INTERCEPT + clinical + _ecg_log_odds(people, null=null))
    people["y"] = (people["chance_onset"] < people["risk"]).astype(float)
    people["noise"] = normals(f"{name}/noise", (n, N_REPLICATES * len(MEASURES)), seed=seed)
    return people


def _clinical(z: Mapping[str, Floats], *, male: Floats) -> People:
    """Return the six clinical factors, to the digits that are written down."""
    age = np.round(np.clip(40 + 12 * z["age"], 18, 75))
    bmi = np.round(np.clip(29 + 0.06 * (age - 40) + 5.5 * z["bmi"], 17, 55), 1)
    years, excess = age - 40, bmi - 29
    waist = 91 + 8 * male + 0.15 * years + 1.8 * excess + 6 * z["waist"]
    sbp = 116 + 4 * male + 0.4 * years + 0.5 * excess + 11 * z["sbp"]
    dbp = 72 + 3 * male + 0.1 * years + 0.3 * excess + 4 * z["sbp"] + 6 * z["dbp"]
    return dict(zip(CLINICAL, (age, male, bmi, np.round(waist), np.round(sbp), np.round(dbp)), strict=True))


def _ecg_log_odds(people: People, *, null: bool) -> Floats:
    out: Floats = np.zeros(len(people["age_years"]))
    for measure in () if null else MEASURES:
        out += measure.log_odds * people[f"usual_{measure.name}"]
    return out


def _healthy(n: int, *, seed: int, null: bool) -> People:
    """Draw people until n of them have no diabetes at baseline."""
    more = 2 * n
    while True:
        drawn = _draw(more, name="longitudinal", seed=seed, null=null)
        chosen = np.flatnonzero(drawn["prevalent"] == 0)[:n]
        if len(chosen) == n:
            return {name: values[chosen] for name, values in drawn.items()}
        more *= 2


def _tables(drawn: People, part: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the people and their recordings as tables."""
    ids = [f"sim-{part[:1]}{i:06d}" for i in range(len(drawn["y"]))]
    days = np.floor(_ENROLMENT_DAYS * drawn["chance_day"]).tolist()
    people = pl.DataFrame({"patient_id": ids, "part": part}).with_columns(
        *(pl.Series(name, drawn[name]) for name in (*CLINICAL, "prevalent", "risk", "y")),
        baseline=pl.Series([_BEGIN + timedelta(days=d) for d in days], dtype=pl.Datetime("us")),
        **{name: pl.Series(values).fill_nan(None) for name, values in _follow_up(drawn).items()},
    )
    people = people.with_columns(pl.col("prevalent", "y").cast(pl.Int8))
    return people, pl.concat([_recordings(drawn, people, replicate) for replicate in range(N_REPLICATES)])


def _follow_up(drawn: People) -> dict[str, Floats]:
    """Return, in years after baseline, when what happened; NaN where it did not."""
    sick, known = drawn["y"] == 1, drawn["prevalent"] == 1
    mortality = expit(-5.0 + 0.08 * (drawn["age_years"] - 40))
    dies = ~sick & (drawn["chance_death"] < mortality)
    lost = drawn["chance_lost"] < _SHARE_LOST
    visit = HORIZON_Y + 0.5 * drawn["chance_visit"]
    return {
        "known_for_y": np.where(known, 10 * drawn["chance_known"] + 0.1, np.nan),
        "onset_y": np.where(sick & ~known, HORIZON_Y * drawn["chance_when"], np.nan),
        "death_y": np.where(dies, HORIZON_Y * drawn["chance_death_when"], np.nan),
        "seen_until_y": np.where(lost, HORIZON_Y * drawn["chance_lost_when"], visit),
    }


def _recordings(drawn: People, people: pl.DataFrame, replicate: int) -> pl.DataFrame:
    """Return one recording of everybody, to the millisecond and the degree."""
    noise = drawn["noise"][:, replicate * len(MEASURES) : (replicate + 1) * len(MEASURES)].T
    seen = {}
    for measure, e in zip(MEASURES, noise, strict=True):
        usual = measure.expected(drawn) + measure.between * drawn[f"usual_{measure.name}"]
        seen[measure.name] = usual + measure.within * e + measure.of_disease * drawn["prevalent"]
    seen["rr_mean_ms"] = np.maximum(seen["rr_mean_ms"], 400.0)
    seen["qt_interval_ms"] = seen["qtc_bazett_ms"] * np.sqrt(seen["rr_mean_ms"] / 1000)
    return people.select(
        "patient_id",
        recording_id=pl.col("patient_id") + f"-r{replicate + 1}",
        recorded_at=pl.col("baseline") + pl.duration(minutes=10 * replicate),
        **{name: pl.Series(np.round(seen[name])) for name in ECG},
    )


_DEVIATIONS = ("age", "bmi", "waist", "sbp", "dbp")
_CHANCES = ("sex", "prevalent", "onset", "when", "death", "death_when", "lost", "lost_when", "visit", "day", "known")
_BEGIN = datetime(2013, 1, 1)
_ENROLMENT_DAYS = 1461
