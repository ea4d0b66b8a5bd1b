"""The structured report: a section for each thing a cardiologist looks at, every sentence with its evidence."""

from collections.abc import Sequence

from twelvelead.interpret.case import Case, in_lead
from twelvelead.interpret.criteria import Pack
from twelvelead.interpret.engine import small
from twelvelead.interpret.narrate import Statement, evidence_id, listed, sentence
from twelvelead.interpret.narrate_findings import told
from twelvelead.interpret.proof import Evidence, Interpretation
from twelvelead.terms import LEADS, RESEARCH_ONLY

SECTIONS = (
    ("Rate", (), ("heart_rate_bpm", "rr_mean_ms", "rr_min_ms", "rr_max_ms")),
    ("Rhythm", ("rhythm", "ectopy", "pacing"), ()),
    ("Axis", ("axis",), ("qrs_axis_deg", "p_axis_deg", "t_axis_deg")),
    ("Intervals", (), ("p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms")),
    ("Conduction", ("conduction",), ()),
    (
        "Chambers and voltage",
        ("chambers", "voltage"),
        ("sokolow_lyon_mv", "cornell_voltage_mv", "peguero_lo_presti_mv"),
    ),
    ("Ischaemia and infarction", ("ischaemia", "infarction"), ()),
    ("Repolarisation", ("repolarisation",), ()),
    ("QT", ("QT",), ("qtc_fridericia_ms", "qtc_bazett_ms", "qtc_framingham_ms", "qtc_hodges_ms")),
    ("Leads", ("leads",), ()),
)
"""Heading, groups of findings, and measurements that are told whatever is found."""
_BY_LEAD = {
    "Chambers and voltage": ("r_amplitude_{lead}_mv", "s_amplitude_{lead}_mv"),
    "Repolarisation": ("st_j_amplitude_{lead}_mv", "t_amplitude_{lead}_mv"),
}
_MAY_BE_ABSENT = _BY_LEAD["Chambers and voltage"]
"""A wave that is not there measures 0; it is not told."""
_SAID_BY = {
    "sinus_origin": ("sinus_rhythm", "sinus_bradycardia", "sinus_tachycardia"),
    "pr_220": ("first_degree_av_block",),
    "abnormal_q": ("prior_mi_inferior", "prior_mi_anteroseptal", "prior_mi_anterior", "prior_mi_lateral"),
    "st_elevation": ("st_elevation_inferior", "st_elevation_anterior", "st_elevation_lateral"),
    "st_depression": ("ischaemic_st_depression",),
    "t_inversion": ("deep_t_inversion", "ischaemic_t_inversion"),
}
"""Findings that go without saying in a summary where one of the others is there."""
_RHYTHMS = {
    "sinus_rhythm", "sinus_bradycardia", "sinus_tachycardia", "atrial_fibrillation", "atrial_flutter", "paced_rhythm",
}  # fmt: skip
_NO_RHYTHM = "the rhythm could not be told"
_NO_SUMMARY = ("short_qt", "prolonged_p", "lvh_peguero_lo_presti")
"""Findings that a normal ECG often has by these criteria: they are told in their section, with their number."""
IMPRESSION, UNJUDGED = "Impression", "Not judged"


def report(case: Case, pack: Pack, found: Interpretation) -> tuple[Statement, ...]:
    """Tell all that was measured and found, section by section.

    Parameters
    ----------
    case : Case
        The recording.
    pack : Pack
        The criteria.
    found : Interpretation
        What they came to (`judge(case, pack)`).

    Returns
    -------
    tuple of Statement
        In the order of `SECTIONS`, then the impression and what could not be judged; each with its section.
    """
    findings = told(case, pack, found)
    statements: list[Statement] = []
    for heading, groups, names in SECTIONS:
        own = [_under(s, heading) for s in findings if s.section in groups and s.polarity != "indeterminate"]
        own.sort(key=lambda s: s.polarity != "present")
        statements += [*numbers(case, names, heading), *_leads(case, heading), *own]
    statements += impression(findings)
    return (*statements, *(_under(s, UNJUDGED) for s in findings if s.polarity == "indeterminate"))


def numbers(case: Case, names: Sequence[str], section: str) -> list[Statement]:
    """Tell measurements, one sentence each; nothing of those that have no number."""
    found = [case.evidence(name) for name in names]
    return [_one(evidence, section) for evidence in found if evidence is not None]


def _one(evidence: Evidence, section: str) -> Statement:
    text, facts = sentence(*listed([evidence]), ".")
    return Statement(text[0].upper() + text[1:], (evidence_id(evidence.name),), section=section, facts=facts)


def _leads(case: Case, section: str) -> list[Statement]:
    """Tell a wave's amplitude in each lead."""
    statements = []
    for measure in _BY_LEAD.get(section, ()):
        found = [case.evidence(in_lead(measure, lead)) for lead in LEADS]
        known = [e for e in found if e is not None and not (e.value == 0.0 and measure in _MAY_BE_ABSENT)]
        if known:
            statements.append(by_lead(known, section))
    return statements


def by_lead(known: Sequence[Evidence], section: str) -> Statement:
    """Tell one measurement of several leads in one sentence.

    Examples
    --------
    >>> two = [Evidence(f"t_amplitude_{x}_mv", 0.2, "mV", x.upper(), None, ()) for x in ("v1", "v2")]
    >>> by_lead(two, "").text
    'T-wave amplitude 0.20 mV in V1, 0.20 mV in V2.'
    """
    first, *others = known
    parts = listed([first])
    for other in others:
        parts += [", ", other, f" in {other.lead}"]
    text, facts = sentence(*parts, ".")
    return Statement(text, tuple(evidence_id(e.name) for e in known), section=section, facts=facts)


def impression(findings: Sequence[Statement]) -> list[Statement]:
    """List the findings that are there, in a sentence."""
    present = {s.finding for s in findings if s.polarity == "present"}
    there = [s for s in findings if s.polarity == "present" and _is_news(s.finding, present)]
    labels = [small(s.text.split(" (")[0].split(", borderline")[0].rstrip(".")) for s in there]
    ids = tuple(dict.fromkeys(identity for s in there for identity in s.evidence)) or ("m:beat_count",)
    unknown = [] if present & _RHYTHMS or not _RHYTHMS & {s.finding for s in findings} else [_NO_RHYTHM]
    if not labels and not unknown:
        return [Statement("None of the findings that are judged here is present.", ids, section=IMPRESSION)]
    return [Statement(f"In summary: {', '.join([*unknown, *labels])}.", ids, section=IMPRESSION)]


def _is_news(finding: str, present: set[str]) -> bool:
    """Say whether a finding belongs into the summary, beside the others that are there."""
    return finding not in _NO_SUMMARY and present.isdisjoint(_SAID_BY.get(finding, ()))


def _under(statement: Statement, section: str) -> Statement:
    s = statement
    return Statement(s.text, s.evidence, s.polarity, s.finding, section, s.facts)


def print_report(statements: Sequence[Statement], *, markers: bool = False) -> str:
    """Write a report with its headings, one sentence to a line, and what it is not."""
    lines: list[str] = []
    section = None
    for s in statements:
        if s.section != section:
            lines += [*([""] if lines else []), f"{s.section}:"]
            section = s.section
        lines.append("  " + s.text + ("".join(f" [[{identity}]]" for identity in s.evidence) if markers else ""))
    return "\n".join([*lines, "", RESEARCH_ONLY]) + "\n"
