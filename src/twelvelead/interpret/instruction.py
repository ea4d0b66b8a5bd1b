"""One recording as material to teach a language model with: what it is to say of it, and on what grounds."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from twelvelead.interpret.case import Case
from twelvelead.interpret.criteria import Pack
from twelvelead.interpret.engine import judge
from twelvelead.interpret.gem_features import Form, gem_features
from twelvelead.interpret.instruction_turns import PACK as ERB
from twelvelead.interpret.instruction_turns import make_turns
from twelvelead.interpret.narrate import Statement, resolve, write
from twelvelead.interpret.narrate_findings import is_said_otherwise, tell
from twelvelead.interpret.narrate_paragraph import paragraph
from twelvelead.interpret.narrate_report import impression
from twelvelead.interpret.narrate_steps import steps
from twelvelead.interpret.proof import Evidence, Interpretation, Verdict

Json = dict[str, Any]


@dataclass(frozen=True)
class Material:
    """What is said of one recording, by measurement and criteria alone.

    Parameters
    ----------
    recording_id : str
        The recording.
    narrative : tuple of Statement
        One paragraph of at most 300 words.
    reasoning : tuple of Statement
        Criterion by criterion.
    answer : tuple of str
        Labels of the findings that are there.
    impression : str
        The same in a sentence.
    ruled_out : tuple of Statement
        Findings that are absent, and would be so within the measurements' errors.
    features : dict of str to dict of str to str
        GEM's fourteen sequences by lead.
    evidence : dict of str to dict
        Each id that the statements name: what was measured, with unit, error and where.
    turns : tuple of dict
        Questions in ECG-Reasoning-Benchmark's form.
    """

    recording_id: str
    narrative: tuple[Statement, ...]
    reasoning: tuple[Statement, ...]
    answer: tuple[str, ...]
    impression: str
    ruled_out: tuple[Statement, ...]
    features: dict[str, dict[str, str]]
    evidence: dict[str, Json]
    turns: tuple[Json, ...]


def make_material(case: Case, *, pack: Pack, form: Form, seed: int) -> Material:
    """Write down what a recording teaches.

    Parameters
    ----------
    case : Case
        The recording, measured.
    pack : Pack
        Criteria of the narrative.
    form : {"measured", "featuredb"}
        Of the sequences, as in `gem_features`; the narrative is the same.
    seed : int
        Of the wrong options in the questions.

    Returns
    -------
    Material
    """
    found = judge(case, pack)
    narrative, reasoning = paragraph(case, pack, found), steps(case, pack, found)
    there = tuple(found.findings[key].text for key in found.met)
    told = [tell(f, found.findings[f.key], case) for f in pack.findings if f.key in found.met]
    ruled_out = _ruled_out(case, pack, found)
    ids = dict.fromkeys(i for s in (*narrative, *reasoning, *ruled_out) for i in s.evidence)
    return Material(
        case.recording.id, narrative, reasoning, there, write(impression(told)), ruled_out,
        gem_features(case, form=form), {i: as_json(e) for i in ids if (e := _known(i, case)) is not None},
        tuple(make_turns(case, judge(case, ERB), seed=seed)),
    )  # fmt: skip


def _ruled_out(case: Case, pack: Pack, found: Interpretation) -> tuple[Statement, ...]:
    clear = [
        f
        for f in pack.findings
        if found.findings[f.key].verdict is found.findings[f.key].firm is Verdict.NOT_MET
        and not is_said_otherwise(f, pack, found)
    ]
    return tuple(tell(finding, found.findings[finding.key], case) for finding in clear)


def _known(identity: str, case: Case) -> Evidence | None:
    name = identity.removeprefix("m:")
    return resolve(identity, case) if name in case.values and case.evidence(name) is not None else None


def as_json(evidence: Evidence) -> Json:
    """Write down a measured number with its unit, its error and where it was made.

    Examples
    --------
    >>> as_json(Evidence("heart_rate_bpm", 61.23456, "1/min", None, None, ()))["value"]
    61.2346
    """
    return {
        "name": evidence.name, "value": round(evidence.value, 4), "unit": evidence.unit, "lead": evidence.lead,
        "error": None if evidence.error is None else round(evidence.error, 4),
        "spans": [
            {"lead": s.lead, "start_s": round(s.start_s, 4), "end_s": round(s.end_s, 4), "wave": s.wave, "beat": s.beat}
            for s in evidence.spans
        ],
    }  # fmt: skip


def statements_as_json(statements: tuple[Statement, ...]) -> list[Json]:
    """Write down sentences with the ids of their evidence.

    Examples
    --------
    >>> statements_as_json((Statement("No pause.", ("m:rr_max_ms",), "absent", "pause"),))[0]["finding"]
    'pause'
    """
    return [
        {"text": s.text, "evidence": list(s.evidence), "polarity": s.polarity, "finding": s.finding} for s in statements
    ]


def digest(content: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """Give the SHA-256 of what JSON can hold, the same for the same content.

    Examples
    --------
    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False).encode()).hexdigest()
