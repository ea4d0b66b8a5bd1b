"""The words of ECG reports that have one meaning each: leads, waves, adjectives, units."""

import re
from typing import NamedTuple

from twelvelead.terms import LEADS

CHEST = LEADS[6:]
GROUPS: dict[str, tuple[str, ...]] = {
    r"inferolateral(?:ly)?": ("II", "III", "aVF", "V5", "V6"),
    r"antero-?lateral(?:ly)?": ("I", "aVL", "V3", "V4", "V5", "V6"),
    r"antero-?septal(?:ly)?": ("V1", "V2", "V3", "V4"),
    r"high[- ]lateral(?:ly)?": ("I", "aVL"),
    r"inferior(?:ly)?": ("II", "III", "aVF"),
    r"anterior(?:ly)?": ("V1", "V2", "V3", "V4"),
    r"septal(?:ly)?": ("V1", "V2"),
    r"lateral(?:ly)?": ("I", "aVL", "V5", "V6"),
    r"right(?:-sided)? (?:precordial|chest)": ("V1", "V2", "V3"),
    r"left(?:-sided)? (?:precordial|chest)": ("V4", "V5", "V6"),
    r"mid-?(?:precordial|chest)": ("V3", "V4"),
    r"(?:precordial|chest)": CHEST,
    r"limb": LEADS[:6],
    r"(?:all (?:the )?(?:12 |twelve )?leads|every lead|diffuse(?:ly)?|widespread|throughout|globally)": tuple(
        lead for lead in LEADS if lead != "aVR"
    ),
}
"""Groups of leads by what they are called; of a group a statement need not hold in every lead, but in two."""
_ONE = r"(?:(?i:av[rlf]|v[1-6])|III|II|I)(?![\w'’])"
_ITEM = rf"{_ONE}(?:\s*(?:[-–/]|to|through|thru)\s*(?:(?i:leads? )?{_ONE}|[1-6](?!\w|\.\d))){{0,5}}"
_JOIN = r"(?:\s*,\s*(?:and\s+|&\s*)?|\s+and\s+|\s*&\s*|\s+or\s+|\s+as well as\s+)(?:(?i:in )?(?i:leads? ))?"
LEAD_LIST = re.compile(rf"(?<![\w'’])(?:(?i:leads?)[:\s]+)?{_ITEM}(?:{_JOIN}{_ITEM})*")
LONE_I = re.compile(r"I")
LEAD_GROUP = re.compile(rf"(?i)\b(?:{'|'.join(GROUPS)})(?:\s+(?:leads?|wall|derivations|territory|region))?\b")
_SPAN = re.compile(rf"({_ONE})(?:\s*([-–/]|to|through|thru)\s*(?:(?i:leads? )?({_ONE})|([1-6])(?![\w.])))?")


def leads_in(words: str) -> tuple[str, ...]:
    """List the leads that an expression names.

    Examples
    --------
    >>> leads_in("leads I and aVL")
    ('I', 'aVL')
    >>> leads_in("V2–V4"), leads_in("V5/6"), leads_in("II to III")
    (('V2', 'V3', 'V4'), ('V5', 'V6'), ('II', 'III'))
    """
    named: list[str] = []
    for match in _SPAN.finditer(words):
        first = _spell(match[1])
        last = _spell(match[3]) if match[3] else (f"V{match[4]}" if match[4] else first)
        named += _stretch(first, last) if match[2] != "/" else (first, last)
    return tuple(dict.fromkeys(named))


def _spell(word: str) -> str:
    return next(lead for lead in LEADS if lead.lower() == word.lower())


def _stretch(first: str, last: str) -> tuple[str, ...]:
    start, end = LEADS.index(first), LEADS.index(last)
    return LEADS[start : end + 1] if start <= end else (first, last)


class Unit(NamedTuple):
    """A unit in words: what it measures, and how many of our unit it is."""

    dimension: str
    times: float


UNITS: dict[str, Unit] = {
    r"m(?:illi)?seconds?|msecs?|ms": Unit("ms", 1.0),
    r"seconds?|secs?|s": Unit("ms", 1000.0),
    r"(?:mv|mm)(?:·|\*|-)?(?:ms|msec)": Unit("mV*ms", 1.0),
    r"mv(?:·|\*)s": Unit("mV*ms", 1000.0),
    r"mv/s": Unit("mV/s", 1.0),
    r"millivolts?|mv": Unit("mV", 1.0),
    r"microvolts?|[uµμ]v": Unit("mV", 0.001),
    r"millimet(?:er|re)s?|mm": Unit("mV", 0.1),
    r"bpm|beats? ?(?:/|per) ?min(?:ute)?|(?:1)?/min(?:ute)?|min-1|per minute": Unit("1/min", 1.0),
    r"hz": Unit("1/min", 60.0),
    r"°|deg(?:rees?)?": Unit("deg", 1.0),
    r"%|percent": Unit("1", 0.01),
}
"""Units by their spelling: milliseconds, millivolts (10 mm to 1 mV), beats per minute, degrees."""
_NUMBER = r"\d+(?:\.\d+)?|\.\d+"
_CMP = (
    r"(?P<cmp>[<>≥≤=~≈]=?|(?:greater|more|longer|higher|larger|less|shorter|lower|smaller|wider) than|above"
    r"|exceed(?:s|ing)?"
    r"|over|under|below|at least|at most|up to|as (?:high|deep|much|long) as|max(?:imum|imal)?(?: of)?|reaching"
    r"|about|approximately|approx\.?|around|roughly|nearly|circa|ca\.)?\s*"
)
NUMBER = re.compile(
    rf"(?i)(?<![\w.]){_CMP}(?P<low>[-+±]?(?:{_NUMBER}))(?:\s*(?:–|-|to)\s*(?P<high>-?(?:{_NUMBER})))?"
    rf"(?:[ \t]*-?(?P<unit>{'|'.join(UNITS)})(?![\w/]))?(?![\w:]|\.\d)"
)
ABOUT = re.compile(r"(?i)~|≈|about|approx|around|roughly|nearly|circa|ca\.")
AT_MOST_ONE_OF = re.compile(r"(?i)up to|as (?:high|deep|much|long)|max|reaching")
GREATER = re.compile(r"(?i)>|≥|greater|more|longer|higher|larger|wider|above|exceed|over|at least")
LESS = re.compile(r"(?i)<|≤|less|shorter|lower|smaller|under|below|at most")


def unit_of(word: str) -> Unit:
    """Find a unit by its spelling.

    Examples
    --------
    >>> unit_of("mm"), unit_of("s").times
    (Unit(dimension='mV', times=0.1), 1000.0)
    """
    return next(unit for pattern, unit in UNITS.items() if re.fullmatch(pattern, word, re.IGNORECASE))


WAVES: dict[str, str] = {
    "transition": r"(?i:\bR(?:-| )wave progression|\bprecordial (?:r(?:-| )wave )?progression)",
    "r_peak_time": r"(?i:\bR(?:-| )?(?:wave )?peak time|\bintrinsicoid deflection"
    r"|\bventricular activation time)|\bRWPT\b",
    "p_terminal": r"(?i:\bP(?:-wave| wave)? terminal force)",
    "sokolow": r"(?i:\bsokolow(?:[-– ]lyon)?(?: index| voltage| criterion)?)",
    "cornell": r"(?i:\bcornell (?:voltage|index))",
    "cornell_product": r"(?i:\bcornell product)",
    "peguero": r"(?i:\bpeguero(?:[-– ]lo presti)?(?: voltage| index)?)",
    "p_axis": r"(?i:\bP(?:-wave|-| wave)?[ -]axis)",
    "t_axis": r"(?i:\bT(?:-wave|-| wave)?[ -]axis)",
    "axis": r"(?i:\b(?:(?:QRS|electrical|mean|cardiac|frontal(?:[- ]plane)?|heart) )*axis\b)",
    "flutter_rate": r"(?i:\b(?:atrial|flutter)(?:-wave| wave)? rate)",
    "rate": r"(?i:\b(?:ventricular |heart |pulse )?rate\b|\bventricular response)|\bHR\b",
    "qtc": r"(?i:\bQT ?c ?[BFH]?\b|\bcorrected QT(?: interval)?)",
    "qt": r"(?i:\bQT\b)",
    "jt": r"(?i:\bJT\b)",
    "rr": r"(?i:\bR[-–/ ]?R\b|\bR-to-R\b|\b(?:shorter|longer|beat-to-beat|cycle)(?= (?:intervals?|lengths?)))",
    "pause": r"(?i:\bpauses?\b)",
    "pr_segment": r"(?i:\bPR segment)",
    "pr": r"(?i:\b(?:PR|PQ|P-R|P-Q)\b)|(?i:\batrioventricular conduction time)",
    "rsr": r"(?i:\brsr['’′]*(?!\w))",
    "qs": r"(?i:\bQS\b)",
    "qrs": r"(?i:\bQRS(?:d\b|-T\b)?|\bventricular complex(?:es)?)",
    "st": r"(?i:\bST\b|\bST(?=-)|\bJ(?:-| )point)",
    "r_prime": r"\b[Rr]['’′](?!\w)|(?i:\bR(?:-| )prime\b)",
    "twi": r"\bTWIs?\b",
    "ste": r"\bSTE\b",
    "std": r"\bSTD\b",
    "p": r"(?i:\bP(?:-| )waves?\b)|\bP\b",
    "q": r"(?i:\bQ(?:-| )waves?\b)|\bQ\b|\bQs\b",
    "r": r"(?i:\bR(?:-| )waves?\b)|\bR\b",
    "s": r"(?i:\bS(?:-| )waves?\b)|\bS\b",
    "t": r"(?i:\bT(?:-| )waves?\b)|\bT\b",
    "u": r"(?i:\bU(?:-| )waves?\b)|\bU\b",
    "voltage": r"(?i:\bvoltages?\b)",
    "rhythm": r"(?i:\brhythm\b)",
}
"""What numbers and adjectives belong to, the longest names first."""
WAVE = re.compile("|".join(f"(?P<{key}>{pattern})" for key, pattern in WAVES.items()))
COMPACT = re.compile(r"(?<!\w)(?P<wave>[RST])(?:[- ]?(?:in )?)?(?P<lead>aV[LF]|V[1-6])(?!\w)")

ADJECTIVES: dict[str, str] = {
    "irregular": r"irregular(?:ly|ity)?(?:[- ]irregular)?",
    "regular": r"regular(?:ly|ity)?",
    "long": r"prolong(?:ed|ation|s)?|lengthen(?:ed|ing)|long|delayed",
    "short": r"short(?:ened|ening)?",
    "wide": r"wide(?:ned|ning)?|broad(?:ened)?",
    "narrow": r"narrow",
    "inverted": r"inver(?:ted|sions?)|negative",
    "flat": r"flat(?:tened|tening)?",
    "peaked": r"peaked|hyperacute",
    "upright": r"upright|positive",
    "biphasic": r"biphasic",
    "up": r"elevat(?:ed|ions?)|raised",
    "down": r"depress(?:ed|ions?)",
    "isoelectric": r"isoelectric|at (?:the )?baseline",
    "tall": r"tall|prominent|high[- ]amplitude|dominant",
    "deep": r"deep",
    "notched": r"notch(?:ed|ing|es)?|fragment(?:ed|ation)",
    "poor": r"poor|loss of|reduced",
    "pathological": r"pathologic(?:al|ally)?|abnormal|significant",
    "low": r"low",
    "fast": r"fast|rapid|high|elevated",
    "slow": r"slow",
    "normal": r"normal(?:ly)?|unremarkable|within (?:the )?(?:normal|reference) (?:limits?|range)|preserved",
    "present": r"present|visible|seen|precede[sd]?|discernible|identifiable|before (?:each|every)",
}
ADJECTIVE = re.compile(
    r"(?i)(?<![\w-])(?:non-?)?(?:" + "|".join(f"(?P<{key}>{p})" for key, p in ADJECTIVES.items()) + r")(?!\w)"
)
