"""All that criteria are judged on: the measurements of one recording, and whose they are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from twelvelead.interpret.criteria import Sex
from twelvelead.interpret.derived import DERIVED, derive
from twelvelead.interpret.proof import Evidence, Span
from twelvelead.interpret.where import locate
from twelvelead.measure import CATALOGUE, Heartbeat, Mark, condense, evaluate, gather, observe
from twelvelead.signal import Quality, assess
from twelvelead.signal.recording import Recording
from twelvelead.terms import Unmeasurable

Floats = NDArray[np.float64]

Z95 = 1.96
_KNOWN = {m.name: m for m in CATALOGUE}
_DERIVED = {m.name: m for m in DERIVED}
_INTERVALS = {
    "pr_interval_ms": (Mark.P_ONSET, Mark.QRS_ONSET),
    "qrs_duration_ms": (Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "qt_interval_ms": (Mark.QRS_ONSET, Mark.T_OFFSET),
    "p_duration_ms": (Mark.P_ONSET, Mark.P_OFFSET),
}
"""What is measured beat by beat."""
_SAME_ERROR = {
    "qrs_extent_ms": "qrs_duration_ms",
    "pr_extent_ms": "pr_interval_ms",
    "premature_qrs_widest_ms": "qrs_duration_ms",
    "premature_qrs_narrowest_ms": "qrs_duration_ms",
}
"""Derived numbers whose marks are those of a measurement whose error is known."""


@dataclass(frozen=True, eq=False)
class Case:
    """One recording, measured.

    Parameters
    ----------
    recording : Recording
        The ECG.
    heartbeat : Heartbeat
        Its beats and marks.
    quality : Quality
        What is wrong with it.
    values : mapping of str to float
        Every measurement of the CATALOGUE and of `DERIVED` by its name; NaN where there is none.
    age_years : float or None
        Of the person at the time.
    sex : {"female", "male"} or None
        Of the person.
    """

    recording: Recording
    heartbeat: Heartbeat
    quality: Quality
    values: Mapping[str, float]
    age_years: float | None = None
    sex: Sex | None = None
    _seen: dict[str, Evidence | None] = field(default_factory=dict, init=False, repr=False)

    def evidence(self, name: str) -> Evidence | None:
        """Give a measurement with its unit, its error and where it was made; None where there is no number."""
        if name not in self._seen:  # packs ask for the same numbers again and again
            self._seen[name] = self._evidence(name)
        return self._seen[name]

    def _evidence(self, name: str) -> Evidence | None:
        value = self.values[name]
        if not math.isfinite(value):
            return None
        if name in _DERIVED:
            derived = _DERIVED[name]
            spans = derived.locate(self.heartbeat) or locate("rr", derived.lead, self.heartbeat)
            return Evidence(name, value, derived.unit, derived.lead, self.error(name), self._inside(spans))
        known = _KNOWN[name]
        spans = locate(name, known.lead, self.heartbeat)
        return Evidence(name, value, known.unit, known.lead, self.error(name), self._inside(spans))

    def _inside(self, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        """Cut stretches at the recording's ends: a wave may be marked beyond them."""
        end = self.recording.duration
        return tuple(
            span
            if span.start_s >= 0.0 and span.end_s <= end
            else replace(span, start_s=min(max(span.start_s, 0.0), end), end_s=min(max(span.end_s, 0.0), end))
            for span in spans
        )

    def error(self, name: str) -> float | None:
        """Give half the width of the 95 % limits of a measurement's error, in its unit; None where it is not known.

        Of intervals, what annotated databases showed (`Measurement.error`). Of an amplitude in one lead, the scatter
        of the beats about the median beat, as the standard error of the median's mean.
        """
        if name in _SAME_ERROR:
            return self.error(_SAME_ERROR[name])
        if name in _DERIVED:
            derived = _DERIVED[name]
            return self._scatter(derived.lead) if derived.lead is not None and derived.unit == "mV" else None
        known = _KNOWN.get(name)
        if known is None:
            return None
        if known.error is not None:
            return Z95 * known.error[1]
        return self._scatter(known.lead) if known.lead is not None and known.unit == "mV" else None

    def _scatter(self, lead: str) -> float | None:
        """Give half the width of the 95 % limits of a level in the median beat of one lead, mV."""
        if lead not in self.heartbeat.leads:
            return None
        n = max(1, int((self.heartbeat.shape_class == 0).sum()))
        scatter = float(self.heartbeat.scatter_mv[self.heartbeat.leads.index(lead)])
        return Z95 * scatter / math.sqrt(n) if math.isfinite(scatter) else None

    def by_beat(self, name: str) -> Floats:
        """Give an interval of each usual beat, ms, shape (n_beats,), NaN where there is none; else an empty array."""
        if name not in _INTERVALS:
            return np.empty(0)
        first, last = _INTERVALS[name]
        marks = self.heartbeat.global_marks_s[self.heartbeat.shape_class == 0]
        intervals: Floats = 1000.0 * (marks[:, last] - marks[:, first])
        return intervals


def examine(recording: Recording, *, age_years: float | None = None, sex: Sex | None = None) -> Case:
    """Measure a recording for its interpretation.

    Parameters
    ----------
    recording : Recording
        One ECG.
    age_years : float or None
        Of the person; limits that depend on it are decided without it where they agree.
    sex : {"female", "male"} or None
        The same.

    Returns
    -------
    Case

    Raises
    ------
    Unmeasurable
        If the recording's quality forbids measuring it, or no beat is found.
    """
    quality = assess(recording)
    if quality.refusal is not None:
        raise Unmeasurable(quality.refusal.reason, quality.refusal.message)
    heartbeat = observe(recording, quality.usable)
    row = evaluate(gather([condense(heartbeat)]))[:, 0].tolist()
    values = dict(zip(_KNOWN, row, strict=True))
    return Case(recording, heartbeat, quality, derive(recording, heartbeat, values), age_years, sex)


def in_lead(name: str, lead: str) -> str:
    """Put a lead into a measurement's name, as the CATALOGUE writes it.

    Examples
    --------
    >>> in_lead("st_j_amplitude_{lead}_mv", "aVL")
    'st_j_amplitude_avl_mv'
    """
    return name.replace("{lead}", lead.lower())
