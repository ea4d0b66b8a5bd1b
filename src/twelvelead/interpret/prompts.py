"""What a language model is asked: for an interpretation, with or without the measurements, and for a correction."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from twelvelead.interpret.case import Case, in_lead
from twelvelead.interpret.narrate_words import name_of, say_value
from twelvelead.interpret.verify import CONTRADICTED, Checked
from twelvelead.terms import LEADS


class Message(NamedTuple):
    """One turn of a conversation.

    Parameters
    ----------
    role : {"system", "user", "assistant"}
        Whose it is.
    text : str
        What is said.
    """

    role: Literal["system", "user", "assistant"]
    text: str


SYSTEM = (
    "You interpret 12-lead electrocardiograms for research. Say only what this ECG shows. Give every number with its "
    "unit and its lead. Where something can't be seen or was not measured, say so instead of guessing."
)
ASK = (
    "Interpret this ECG in one paragraph of at most 300 words: rate and rhythm, intervals, axis, what each group of "
    "leads shows, and then the conclusions that follow."
)
WHOLE = (
    "heart_rate_bpm", "rr_mean_ms", "rr_min_ms", "rr_max_ms", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms",
    "qt_interval_ms", "qtc_bazett_ms", "qtc_fridericia_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg",
)  # fmt: skip
"""Measurements of the whole recording that a prompt tells."""
BY_LEAD = (
    "p_amplitude_{lead}_mv", "q_amplitude_{lead}_mv", "r_amplitude_{lead}_mv", "s_amplitude_{lead}_mv",
    "st_j_amplitude_{lead}_mv", "t_amplitude_{lead}_mv",
)  # fmt: skip
"""And of each lead."""


def tabulate(case: Case) -> str:
    """Write the measurements as a table for a prompt.

    Parameters
    ----------
    case : Case
        The recording.

    Returns
    -------
    str
        A line for each of `WHOLE`; then a line for each lead, with the columns of `BY_LEAD`. What has no number is
        called not measured.
    """
    lines = [f"{name_of(name, None)}: {_say(case, name)}" for name in WHOLE]
    heads = ", ".join(name_of(name.replace("{lead}", "ii"), "II") for name in BY_LEAD)
    lines.append(f"In each lead: {heads}")
    lines += [f"{lead}: {', '.join(_say(case, in_lead(name, lead)) for name in BY_LEAD)}" for lead in LEADS]
    return "\n".join(lines)


def _say(case: Case, name: str) -> str:
    evidence = case.evidence(name)
    return "not measured" if evidence is None else say_value(evidence.value, evidence.unit)


def ask(case: Case, *, measured: bool, shown: bool) -> list[Message]:
    """Ask for an interpretation.

    Parameters
    ----------
    case : Case
        The recording.
    measured : bool
        Whether its measurements are told.
    shown : bool
        Whether its picture goes along.

    Returns
    -------
    list of Message
    """
    parts = [ASK]
    if shown:
        parts.append("The picture shows it at 25 mm/s and 10 mm/mV.")
    if measured:
        parts.append(f"What was measured on it; rely on these numbers rather than on the eye:\n{tabulate(case)}")
    return [Message("system", SYSTEM), Message("user", "\n\n".join(parts))]


def correct(checked: Sequence[Checked]) -> Message:
    """Tell what of a text the recording contradicts, and ask for a corrected one.

    Parameters
    ----------
    checked : sequence of Checked
        The text's claims.

    Returns
    -------
    Message
        Where nothing can be checked at all, it asks for numbers.
    """
    wrong = [one for one in checked if one.standing is CONTRADICTED]
    if not wrong:
        text = "That text says nothing of this ECG that could be checked. Say what it shows, with numbers and leads."
        return Message("user", text)
    lines = [f"- {one.said.strip()!r} is wrong: {_reason(one)}." for one in wrong]
    told = "\n".join(lines)
    return Message(
        "user",
        f"The measurements contradict this:\n{told}\nWrite the whole paragraph again without these errors; change "
        "nothing else, and add no new claim.",
    )


def _reason(one: Checked) -> str:
    parts = [one.why.rstrip("."), f"measured {one.measured}" if one.measured else ""]
    return "; ".join(part for part in parts if part) or "it contradicts what was measured"
