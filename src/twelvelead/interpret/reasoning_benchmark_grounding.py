"""Where on the signal, and how much: the benchmark's windows, bins and numbered intervals against our own marks."""

import math
import re
from collections.abc import Sequence

from twelvelead.interpret.case import Case
from twelvelead.interpret.qrs_extent import atrial_onset_s, extent_s
from twelvelead.interpret.sequences import long_intervals, premature_beats, qrs_extent_ms
from twelvelead.measure import Mark

Window = tuple[float, float]

_SECONDS = re.compile(r"(-?\d+(?:\.\d+)?)\s*s\b")
_NUMBER = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)\s+QRS")


def windows(case: Case, question: str) -> list[tuple[int, Window]]:
    """List the stretches of the signal that a question about a wave may mean.

    Parameters
    ----------
    case : Case
        The measured recording.
    question : str
        It names the wave: QRS, P, T, or ST segment and T wave, and whether it is a premature beat's.

    Returns
    -------
    list of (beat, (start_s, end_s))
    """
    text = question.lower()
    beats = tuple(range(case.heartbeat.times_s.size))
    if "premature" in text and "excluding" not in text:
        beats = premature_beats(case.heartbeat) or beats
    found = ((beat, _window(case, beat, text)) for beat in beats)
    return [(beat, window) for beat, window in found if window[0] < window[1]]


def _window(case: Case, beat: int, text: str) -> Window:
    marks = case.heartbeat.global_marks_s[beat]
    if "strain" in text or "st segment and t wave" in text:
        return float(marks[Mark.QRS_OFFSET]), float(marks[Mark.T_OFFSET])
    if "qrs" not in text and "t wave" in text:
        return float(marks[Mark.T_ONSET]), float(marks[Mark.T_OFFSET])
    if "qrs" not in text and "p wave" in text:
        return atrial_onset_s(case.heartbeat, beat), float(marks[Mark.P_OFFSET])
    return extent_s(case.heartbeat, beat)


def overlap(first: Window, second: Window) -> float:
    """Give the length that two stretches share, over the length of both together.

    Examples
    --------
    >>> overlap((0.0, 2.0), (1.0, 3.0))
    0.3333333333333333
    """
    shared = min(first[1], second[1]) - max(first[0], second[0])
    both = max(first[1], second[1]) - min(first[0], second[0])
    return max(shared, 0.0) / both if both > 0 else 0.0


def choose_window(options: Sequence[str], found: Sequence[tuple[int, Window]]) -> tuple[int, int | None]:
    """Choose the window that one of our waves fills best.

    Parameters
    ----------
    options : sequence of str
        `[1.97s - 2.08s]`.
    found : sequence of (beat, (start_s, end_s))
        Our waves.

    Returns
    -------
    tuple of (option, beat)
        Both from 0; the first option and no beat where there is no wave.

    Examples
    --------
    >>> choose_window(["[0.10s - 0.20s]", "[0.95s - 1.06s]"], [(0, (0.3, 0.4)), (1, (0.96, 1.05))])
    (1, 1)
    """
    scored = [
        (overlap(window, wave), -k, beat)
        for k, window in enumerate(map(seconds, options)) if window is not None
        for beat, wave in found
    ]  # fmt: skip
    if not scored:
        return 0, None
    _, k, beat = max(scored)
    return -k, beat


def seconds(text: str) -> Window | None:
    """Read a stretch of time; None if there is none.

    Examples
    --------
    >>> seconds("the QRS wave located at [0.14s - 0.27s]")
    (0.14, 0.27)
    """
    found = _SECONDS.findall(text)
    return (float(found[0]), float(found[1])) if len(found) >= 2 else None


def choose_interval(case: Case, question: str, options: Sequence[str]) -> int:
    """Choose the RR interval that is longest for what precedes it, where the options number the QRS complexes.

    The question says where the first of them lies; without it, the first is ours.
    """
    start = seconds(question)
    first = 0
    if start is not None:
        middle = sum(start) / 2
        first = int(abs(case.heartbeat.times_s - middle).argmin())
    ratios = long_intervals(case.heartbeat.times_s)
    best, score = 0, -math.inf
    for k, option in enumerate(options):
        ordinals = _ORDINAL.findall(option)
        at = first + int(ordinals[0]) - 1 if ordinals else -1
        ratio = float(ratios[at]) if 0 <= at < ratios.size and math.isfinite(ratios[at]) else -math.inf
        if ratio > score:
            best, score = k, ratio
    return best


def choose_bin(options: Sequence[str], value: float) -> int:
    """Choose the bin that a value falls into, or the nearest.

    Parameters
    ----------
    options : sequence of str
        `Below 90ms`, `[90ms - 100ms]`, `Above 160ms`.
    value : float
        In their unit.

    Examples
    --------
    >>> bins = ["Below 0.3mV", "[0.3mV - 0.6mV]", "Above 0.6mV"]
    >>> [choose_bin(bins, value) for value in (0.1, 0.3, 2.0)]
    [0, 1, 2]
    >>> choose_bin(["[-180 degrees - -90 degrees]", "[-90 degrees - -30 degrees]"], -40.0)
    1
    """
    limits = [_limits(option) for option in options]
    inside = [k for k, (low, high) in enumerate(limits) if low <= value < high]
    if inside:
        return inside[0]
    return min(range(len(options)), key=lambda k: min(abs(value - limits[k][0]), abs(value - limits[k][1])))


def _limits(option: str) -> tuple[float, float]:
    numbers = [float(n) for n in _NUMBER.findall(option)]
    text = option.lower()
    if "below" in text or "less" in text or "under" in text:
        return -math.inf, numbers[0]
    if "above" in text or "greater" in text or "over" in text:
        return numbers[0], math.inf
    return numbers[0], numbers[1]


def quantity(case: Case, question: str, *, lead: str | None, beat: int | None) -> tuple[str, float]:
    """Give the measurement that a question asks for.

    Parameters
    ----------
    case : Case
        The measured recording.
    question : str
        It names the quantity.
    lead : str or None
        The lead last spoken of.
    beat : int or None
        The beat last pointed at: a beat of another shape has its own QRS duration.

    Returns
    -------
    tuple of (name, value)
        NaN if it is not known which is meant, or it could not be measured.
    """
    text = question.lower()
    name = next((name for words, name in _QUANTITIES if words in text), "")
    if "{lead}" in name:
        name = name.replace("{lead}", lead.lower()) if lead is not None else ""
    if name == "qrs_extent_ms" and beat is not None and case.heartbeat.shape_class[beat] > 0:
        own = qrs_extent_ms(case.heartbeat, beat)
        return name, own if math.isfinite(own) else case.values[name]
    return name, case.values.get(name, math.nan)


_QUANTITIES = (
    ("heart rate", "heart_rate_bpm"),
    ("pr interval", "pr_extent_ms"),
    ("qrs duration", "qrs_extent_ms"),
    ("axis", "qrs_axis_deg"),
    ("r amplitude", "qrs_height_{lead}_mv"),
    ("s amplitude", "qrs_depth_{lead}_mv"),
)
"""Words of a question, and what they mean."""
