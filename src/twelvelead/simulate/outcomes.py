"""What can happen to simulated patients, and the exact risk of it, given what is true of their ECG, age and sex."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from twelvelead.simulate.site import Site
from twelvelead.terms import InputError

Floats = NDArray[np.float64]
Truth = Mapping[str, Any]


@dataclass(frozen=True)
class SimulatedOutcome:
    """One outcome with a known risk.

    Parameters
    ----------
    name : str
        Name of the outcome; its true risk is the truth's column `risk_<name>`.
    kind : {"chest_xray", "diagnosis", "laboratory"}
        Where it is found.
    system : str
        `system` of its events, as in `terms.EVENTS`.
    codes : tuple of str
        `code` of its events: the X-ray finding, the diagnosis codes, the analyte.
    formula : str
        The log-odds in words.
    log_odds : callable
        Takes the truth (columns by name, one value per recording) and returns the log-odds before the site's shift.
    planted : bool
        True where ECG, age and sex say something about it; False where they say nothing.
    """

    name: str
    kind: str
    system: str
    codes: tuple[str, ...]
    formula: str
    log_odds: Callable[[Truth], Floats] = field(repr=False)
    planted: bool

    def risk(self, truth: Truth, *, site: Site) -> Floats:
        """Return the true probability of the outcome for every recording."""
        shift = dict(site.risk_shifts).get(self.name, 0.0)
        probability: Floats = expit(self.log_odds(truth) + shift)
        return probability


def find_outcome(name: str) -> SimulatedOutcome:
    """Return the simulated outcome of that name.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> find_outcome("heart_failure").codes[0]
    'I50'
    """
    for candidate in OUTCOMES:
        if candidate.name == name:
            return candidate
    msg = f"target must be one of {', '.join(o.name for o in OUTCOMES)}; got {name!r}. Choose one of them."
    raise InputError(msg)


def _values(truth: Truth, name: str) -> Floats:
    return np.asarray(truth[name], dtype=float)


def _age(truth: Truth) -> Floats:
    scaled: Floats = (_values(truth, "age_years") - 62) / 15
    return scaled


def _fibrillates(truth: Truth) -> Floats:
    flags: Floats = (np.asarray(truth["rhythm"]) == "af").astype(float)
    return flags


def _excess(value: Floats, *, above: float, scale: float) -> Floats:
    """Return how far a value lies above a limit, in units of `scale`; smooth, near 0 below it."""
    smooth: Floats = np.logaddexp(0.0, 4 * (value - above) / scale) / 4
    return smooth


def _cardiomegaly(truth: Truth) -> Floats:
    voltage = _values(truth, "r_amplitude_v5_mv") - _values(truth, "qrs_nadir_v1_mv")
    wide = np.tanh((_values(truth, "qrs_duration_ms") - 105) / 20)
    left = expit(-(_values(truth, "qrs_axis_deg") + 20) / 10)
    log_odds: Floats = -1.0 + 2.4 * np.tanh((voltage - 2.9) / 0.8) + 1.6 * wide + 0.7 * left + 0.3 * _age(truth)
    return log_odds


def _pleural_effusion(truth: Truth) -> Floats:
    voltage = _values(truth, "r_amplitude_ii_mv") - _values(truth, "qrs_nadir_ii_mv")
    low = np.tanh((0.75 - voltage) / 0.3)
    fast = np.tanh((_values(truth, "heart_rate_bpm") - 84) / 12)
    log_odds: Floats = -0.9 + 2.2 * low + 1.6 * fast + 0.3 * _age(truth)
    return log_odds


def _heart_failure(truth: Truth) -> Floats:
    wide = np.tanh((_values(truth, "qrs_duration_ms") - 108) / 12)
    long = np.tanh((_values(truth, "qtc_fridericia_ms") - 435) / 25)
    fast = np.tanh((_values(truth, "heart_rate_bpm") - 84) / 13)
    log_odds: Floats = -0.8 + 1.9 * wide + 0.4 * long + 1.5 * fast + 0.4 * _fibrillates(truth) + 0.4 * _age(truth)
    return log_odds


def _atrial_fibrillation(truth: Truth) -> Floats:
    log_odds: Floats = -3.2 + 4.4 * _fibrillates(truth) + 0.6 * _age(truth)
    return log_odds


def _hyperkalaemia(truth: Truth) -> Floats:
    peaked = _excess(_values(truth, "t_amplitude_v3_mv"), above=0.40, scale=0.15)
    pr = np.nan_to_num(np.tanh((_values(truth, "pr_interval_ms") - 172) / 20))
    wide = np.tanh((_values(truth, "qrs_duration_ms") - 100) / 20)
    log_odds: Floats = -2.7 + 2.6 * np.minimum(peaked, 3.0) + 0.8 * pr + 0.5 * wide
    return log_odds


def _anaemia(truth: Truth) -> Floats:
    fast = _excess(_values(truth, "heart_rate_bpm"), above=72.0, scale=10.0)
    flat = np.tanh((0.20 - _values(truth, "t_amplitude_v5_mv")) / 0.08)
    female = (np.asarray(truth["sex"]) == "female").astype(float)
    log_odds: Floats = -3.2 + 1.7 * np.minimum(fast, 3.0) + 1.0 * flat + 0.3 * _age(truth) + 0.3 * female
    return log_odds


def _constant(log_odds: float) -> Callable[[Truth], Floats]:
    def same_for_all(truth: Truth) -> Floats:
        return np.full(np.shape(truth["age_years"]), log_odds)

    return same_for_all


OUTCOMES: tuple[SimulatedOutcome, ...] = (
    SimulatedOutcome(
        name="cardiomegaly",
        kind="chest_xray",
        system="chest_xray",
        codes=("Cardiomegaly",),
        formula="rises with the voltage R(V5) + S(V1), with QRS duration, with left axis deviation and, a little, age",
        log_odds=_cardiomegaly,
        planted=True,
    ),
    SimulatedOutcome(
        name="pleural_effusion",
        kind="chest_xray",
        system="chest_xray",
        codes=("Pleural Effusion",),
        formula="rises with low QRS voltage in lead II, with heart rate and, a little, age",
        log_odds=_pleural_effusion,
        planted=True,
    ),
    SimulatedOutcome(
        name="rib_fracture",
        kind="chest_xray",
        system="chest_xray",
        codes=("Rib Fracture",),
        formula="the same for everybody: a null outcome",
        log_odds=_constant(-1.5),
        planted=False,
    ),
    SimulatedOutcome(
        name="heart_failure",
        kind="diagnosis",
        system="icd10",
        codes=("I50", "I509", "I5022", "I5033"),
        formula="rises with QRS duration, QTc, heart rate, atrial fibrillation and age",
        log_odds=_heart_failure,
        planted=True,
    ),
    SimulatedOutcome(
        name="atrial_fibrillation",
        kind="diagnosis",
        system="icd10",
        codes=("I48", "I480", "I4891"),
        formula="four in five while it shows; else rises with age",
        log_odds=_atrial_fibrillation,
        planted=True,
    ),
    SimulatedOutcome(
        name="dental_examination",
        kind="diagnosis",
        system="icd10",
        codes=("Z012", "Z0120"),
        formula="the same for everybody: a null outcome",
        log_odds=_constant(-1.5),
        planted=False,
    ),
    SimulatedOutcome(
        name="hyperkalaemia",
        kind="laboratory",
        system="laboratory",
        codes=("Potassium",),
        formula="rises steeply with a T wave above 0.4 mV in V3, and with PR interval and QRS duration",
        log_odds=_hyperkalaemia,
        planted=True,
    ),
    SimulatedOutcome(
        name="anaemia",
        kind="laboratory",
        system="laboratory",
        codes=("Hemoglobin",),
        formula="rises with a heart rate above 72/min, with a flat T wave in V5 and, a little, age and female sex",
        log_odds=_anaemia,
        planted=True,
    ),
    SimulatedOutcome(
        name="hyperchloraemia",
        kind="laboratory",
        system="laboratory",
        codes=("Chloride",),
        formula="the same for everybody: a null outcome",
        log_odds=_constant(-1.5),
        planted=False,
    ),
)
"""Every simulated outcome; at least one planted and one null outcome of each kind."""
