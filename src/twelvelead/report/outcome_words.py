"""The rule of an outcome in words that a reviewer can check against the data."""

import math
from collections.abc import Mapping
from typing import Any

from twelvelead.report.wording import join_words

_REFERENCE = {
    "row": "the reference range given with that result",
    "median": "the median of all results' reference ranges",
    "declared": "the declared range",
}
_EVENT = {
    "present": "it was recorded",
    "value": "its value is 0.5 or more",
    "uncertain": "it was left open (−1)",
    "above_reference": "its result lies above the upper limit of {range}",
    "below_reference": "its result lies below the lower limit of {range}",
    "outside_reference": "its result lies outside {range}",
}
_UNCERTAIN = {
    "yes": "A finding left open counts as present.",
    "ignore": "A finding left open is not taken into account.",
    "unknown": "A finding left open leaves the outcome unknown.",
}
_ABSENT = {
    "no": "Without such an entry the outcome is absent",
    "no_if_observed": "Without such an entry the outcome is absent where the patient has any entry of that system in "
    "the same time, and unknown elsewhere",
    "unknown": "Without such an entry the outcome is unknown and the recording is left out for this target",
}


def describe_outcome(target: Mapping[str, Any]) -> str:
    """Define one outcome.

    Parameters
    ----------
    target : mapping
        The declared rule, as `Outcome.model_dump()` gives it; what differs from the usual may be left out.

    Examples
    --------
    >>> describe_outcome({"name": "K", "title": "Hyperkalaemia", "system": "laboratory", "codes": ["potassium"],
    ...     "match": "exact", "link": "time", "window_h": [-1, 24], "event": "above_reference", "absent": "unknown",
    ... })[:97]
    'K, Hyperkalaemia: a laboratory entry coded potassium, nearest in time to the ECG between 1 h befo'
    """
    coded = "coded " if target["match"] == "exact" else "whose code begins with "
    what = f"a {target['system']} entry {coded}{' or '.join(target['codes'])}"
    event = _EVENT[target["event"]].format(range=_REFERENCE[target.get("reference", "row")])
    name = target["name"] if target["name"] == target["title"] else f"{target['name']}, {target['title']}"
    sentences = [
        f"{name}: {what}{_where(target)} counts as the outcome if {event}.",
        f"{_absent(target)}.",
        *_further(target),
    ]
    return " ".join(sentences)


def _absent(target: Mapping[str, Any]) -> str:
    words = _ABSENT[target["absent"]]
    if target["absent"] == "no" and target["link"] != "time":
        words += ", provided that the system was coded there at all"
    return words


def _where(target: Mapping[str, Any]) -> str:
    if target["link"] != "time":
        return {"recording": " that annotates the recording", "stay": " of the same stay"}[target["link"]]
    start, end = (float(h) for h in target["window_h"])
    between = f"between {_hours(start)} and {_hours(end)}" if math.isfinite(start + end) else _endless(start, end)
    chosen = "at any time" if target.get("choose") == "any" else "nearest in time to the ECG"
    return f", {chosen} {between},"


def _endless(start: float, end: float) -> str:
    if math.isinf(start) and math.isinf(end):
        return "whenever that was"
    return f"up to {_hours(end)}" if math.isinf(start) else f"from {_hours(start)} on"


def _hours(hours: float) -> str:
    side = "before" if hours < 0 else "after"
    return f"{abs(hours):g} h {side} it" if hours else "the ECG itself"


def _range(low: float, high: float) -> str:
    if math.isinf(low):
        return f"up to {high:g}"
    return f"from {low:g} on" if math.isinf(high) else f"{low:g} to {high:g}"


def _further(target: Mapping[str, Any]) -> list[str]:
    """Say what few outcomes have."""
    sentences = []
    if target.get("limits"):
        ranges = [f"{sex} {_range(float(low), float(high))}" for sex, (low, high) in sorted(target["limits"].items())]
        sentences.append(f"The declared range is: {join_words(ranges)}.")
    if target["event"] == "value" and target.get("uncertain", "no") != "no":
        sentences.append(_UNCERTAIN[target["uncertain"]])
    if target.get("opposite") == "unknown":
        sentences.append("The abnormality on the other side of the range leaves it unknown.")
    if target.get("sex"):
        sentences.append(f"Only {target['sex']} patients were asked about.")
    if target.get("choose") == "any" and target["event"] in {"above_reference", "below_reference"}:
        sentences.append("Results on both sides of the range in that time leave it unknown.")
    if target["event"] == "outside_reference":
        sentences.append("The laboratory's flag decides where a result has no range.")
    if target.get("washout_h") is not None:
        within = float(target["washout_h"])
        before = "ever before" if math.isinf(within) else f"within {within:g} h before"
        sentences.append(f"Who had it {before} the ECG, or at it, is left out: the outcome is incident.")
    if target.get("follow_up_h"):
        sentences.append(f"Absence counts only for who was seen {target['follow_up_h']:g} h after the ECG or later.")
    return sentences
