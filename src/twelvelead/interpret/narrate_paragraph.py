"""One paragraph of at most 300 words: evidence group of leads by group, then what follows from it."""

from twelvelead.interpret.case import Case, in_lead
from twelvelead.interpret.criteria import Pack
from twelvelead.interpret.narrate import Statement, evidence_id, listed, sentence
from twelvelead.interpret.narrate_findings import told
from twelvelead.interpret.narrate_report import impression
from twelvelead.interpret.proof import Evidence, Interpretation

WORDS = 300
GROUPS = (("II", "III", "aVF"), ("I", "aVL", "V5", "V6"), ("V1", "V2"), ("V3", "V4"))
"""Inferior, lateral, septal and anterior leads."""
_OPENING = (
    ("heart_rate_bpm", "rr_mean_ms"), ("pr_interval_ms", "qrs_duration_ms", "qt_interval_ms"),
    ("qtc_fridericia_ms", "qrs_axis_deg"),
)  # fmt: skip
_OF_LEADS = ("st_j_amplitude_{lead}_mv", "t_amplitude_{lead}_mv")


def paragraph(case: Case, pack: Pack, found: Interpretation) -> tuple[Statement, ...]:
    """Tell the ECG in one paragraph.

    Parameters
    ----------
    case : Case
        The recording.
    pack : Pack
        The criteria.
    found : Interpretation
        What they came to.

    Returns
    -------
    tuple of Statement
        Rate, intervals and axis; ST and T in each group of leads; the findings with their evidence; what could not be
        judged and what is absent, as far as 300 words go; the conclusion.
    """
    findings = told(case, pack, found)
    opening = [s for names in _OPENING if (s := _numbers(case, names)) is not None]
    leads = [s for group in GROUPS for measure in _OF_LEADS if (s := _group(case, measure, group)) is not None]
    there = [s for s in findings if s.polarity == "present"]
    room = WORDS - _count([*opening, *leads, *there, *impression(findings)])
    while room < 0 and there:  # many findings with many numbers: the conclusion names them all
        room += _count([there.pop()])
    rest = []
    for s in sorted((s for s in findings if s.polarity != "present"), key=lambda s: s.polarity == "absent"):
        if _count([s]) <= room:
            rest.append(s)
            room -= _count([s])
    return (*opening, *leads, *there, *rest, *impression(findings))


def _count(statements: list[Statement]) -> int:
    return sum(len(s.text.split()) for s in statements)


def _numbers(case: Case, names: tuple[str, ...]) -> Statement | None:
    found = [e for name in names if (e := case.evidence(name)) is not None]
    if not found:
        return None
    text, facts = sentence(*listed(found), ".")
    return Statement(text[0].upper() + text[1:], tuple(evidence_id(e.name) for e in found), facts=facts)


def _group(case: Case, measure: str, group: tuple[str, ...]) -> Statement | None:
    """Tell one wave in a group of leads: the leads, then the numbers in their order."""
    found = [e for lead in group if (e := case.evidence(in_lead(measure, lead))) is not None]
    if not found:
        return None
    wave = "ST level at J" if measure.startswith("st") else "T-wave amplitude"
    text, facts = sentence(f"{wave} in {_series([e.lead or '' for e in found])}: ", *_values(found), ".")
    return Statement(text, tuple(evidence_id(e.name) for e in found), facts=facts)


def _values(found: list[Evidence]) -> list[str | Evidence]:
    parts: list[str | Evidence] = []
    for k, evidence in enumerate(found):
        parts += [("" if k == 0 else " and " if k == len(found) - 1 else ", "), evidence]
    return parts


def _series(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
