"""What an ECG, age and sex say about an outcome: few signs, each between about −1 and 1, with weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from twelvelead.simulate.site import Site

Floats = NDArray[np.float64]
Truth = Mapping[str, Any]

LARGEST_RISK = 0.94
"""No risk is larger, so that a laboratory result can be abnormal in the other direction with a fixed chance."""


def _column(truth: Truth, name: str) -> Floats:
    return np.asarray(truth[name], dtype=float)


def _step(truth: Truth, name: str, *, at: float, width: float) -> Floats:
    """Rise from −1 to 1 around a value; 0 where there is none, as with a PR interval in fibrillation."""
    stepped: Floats = np.nan_to_num(np.tanh((_column(truth, name) - at) / width))
    return stepped


def _turned(truth: Truth) -> Floats:
    apart = np.abs(_column(truth, "qrs_axis_deg") - _column(truth, "t_axis_deg")) % 360
    angle: Floats = np.tanh((np.minimum(apart, 360 - apart) - 60) / 40)
    return angle


SIGNS: dict[str, tuple[str, Callable[[Truth], Floats]]] = {
    "age": ("(age − 62) / 15", lambda t: (_column(t, "age_years") - 62) / 15),
    "female": ("1 in women", lambda t: np.asarray(t["female"], dtype=float)),
    "fast": ("tanh((heart rate − 84) / 13)", lambda t: _step(t, "heart_rate_bpm", at=84, width=13)),
    "long PR": ("tanh((PR − 170) / 20), 0 without P", lambda t: _step(t, "pr_interval_ms", at=170, width=20)),
    "wide QRS": ("tanh((QRS − 105) / 15)", lambda t: _step(t, "qrs_duration_ms", at=105, width=15)),
    "long QTc": ("tanh((QTc by Fridericia − 430) / 20)", lambda t: _step(t, "qtc_fridericia_ms", at=430, width=20)),
    "left axis": ("1 / (1 + exp((QRS axis + 10) / 10))", lambda t: expit(-(_column(t, "qrs_axis_deg") + 10) / 10)),
    "turned T": ("tanh((frontal angle of QRS and T − 60) / 40)", _turned),
    "fibrillation": ("1 in atrial fibrillation", lambda t: (np.asarray(t["rhythm"]) == "af").astype(float)),
    "left block": ("1 in left bundle-branch block", lambda t: (np.asarray(t["bundle_branch_block"]) == "left") * 1.0),
    "right block": (
        "1 in right bundle-branch block",
        lambda t: (np.asarray(t["bundle_branch_block"]) == "right") * 1.0,
    ),
}
"""What a machine's measurements, age and sex can tell: definition in words (ms, degrees, 1/min), and values."""


@dataclass(frozen=True)
class Planted:
    """Something that can befall a simulated patient, with a known risk.

    Parameters
    ----------
    name : str
        One word, the key of a site's `risk_shifts`.
    base : float
        Log-odds where all signs are 0.
    effects : dict of str to float
        Log-odds for each of `SIGNS`. None: a null outcome, the same for everybody whom it can befall.
    sex : {"female", "male"} or None
        Whom it can befall.

    Examples
    --------
    >>> Planted("dementia", -2.0, {"age": 1.0}).formula
    'log-odds −2.0 + 1.0 × age'
    """

    name: str
    base: float
    effects: Mapping[str, float] = field(default_factory=dict)
    sex: str | None = None

    @property
    def planted(self) -> bool:
        """Whether ECG, age or sex say something about it."""
        return bool(self.effects)

    @property
    def formula(self) -> str:
        """The log-odds in words."""
        terms = "".join(f" {'+' if w > 0 else '−'} {abs(w):.1f} × {sign}" for sign, w in self.effects.items())
        text = f"log-odds {f'{self.base:.1f}'.replace('-', '−')}{terms}"
        return text + (f"; {self.sex} patients only" if self.sex else "")


def read_signs(truth: Truth) -> dict[str, Floats]:
    """Return the value of every sign, one per recording."""
    return {name: value(truth) for name, (_, value) in SIGNS.items()}


def risk_of(outcome: Planted, signs: Mapping[str, Floats], *, site: Site) -> Floats:
    """Return the true probability of an outcome for every recording; 0 in the other sex."""
    log_odds = outcome.base + dict(site.risk_shifts).get(outcome.name, 0.0) + np.zeros_like(signs["age"])
    for name, weight in outcome.effects.items():
        log_odds = log_odds + weight * signs[name]
    risk: Floats = np.minimum(expit(log_odds), LARGEST_RISK)
    if outcome.sex is None:
        return risk
    return np.where((signs["female"] > 0) == (outcome.sex == "female"), risk, 0.0)
