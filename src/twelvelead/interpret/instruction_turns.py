"""Questions that lead to a diagnosis step by step, with measured answers, in ECG-Reasoning-Benchmark's form."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from twelvelead.interpret.case import Case
from twelvelead.interpret.engine import small
from twelvelead.interpret.narrate_findings import telling
from twelvelead.interpret.narrate_words import name_of
from twelvelead.interpret.packs.erb import PACK, STEPS
from twelvelead.interpret.proof import Evidence, Interpretation, Proof, Span, Verdict
from twelvelead.interpret.reasoning_benchmark import FURTHER
from twelvelead.interpret.reasoning_benchmark_steps import Step
from twelvelead.measure import Mark
from twelvelead.terms import LEADS

N_OPTIONS = 5
N_WINDOWS = 4
_BINS = {"ms": (20.0, "ms"), "mV": (0.5, "mV"), "1/min": (10.0, " bpm"), "deg": (30.0, " degrees")}
"""Width of the bins that a number is asked for in, and how its unit is written."""
_WAVES = {
    "P": (Mark.P_ONSET, Mark.P_OFFSET), "PR": (Mark.P_ONSET, Mark.QRS_ONSET), "QRS": (Mark.QRS_ONSET, Mark.QRS_OFFSET),
    "ST": (Mark.QRS_OFFSET, Mark.T_ONSET), "T": (Mark.T_ONSET, Mark.T_OFFSET), "QT": (Mark.QRS_ONSET, Mark.T_OFFSET),
}  # fmt: skip
_CALLED = {"QRS": "complex", "ST": "segment", "PR": "interval", "QT": "interval"}
_STEP_S = 0.02

Json = dict[str, Any]


def make_turns(case: Case, found: Interpretation, *, seed: int) -> Iterator[Json]:
    """Make a sample for each diagnosis whose every step could be decided.

    Parameters
    ----------
    case : Case
        The recording.
    found : Interpretation
        What the pack `erb` came to.
    seed : int
        Of the wrong options and the order of all.

    Yields
    ------
    dict
        `metadata` and `data`, as the benchmark has them; each step says beside whether it is borderline.

    Notes
    -----
    The questions' words are ours, the criteria's the pack's. A wrong criterion is one of another diagnosis that this
    one does not ask for; a wrong stretch overlaps no wave of the kind asked for; of leads, those that were looked at
    without the finding are the wrong ones. A diagnosis is left out where a step on its way is indeterminate.
    """
    for k, (key, first) in enumerate(STEPS.items()):
        proof = found.findings[key]
        rng = np.random.default_rng([seed, k])
        if proof.verdict is Verdict.INDETERMINATE:
            continue
        loops = _loops(first, proof, case, rng)
        if loops is None:
            continue
        made = proof.verdict is Verdict.MET
        label = small(proof.text)
        yield {
            "metadata": {"ecg_id": found.recording_id, "target_dx": key, "dx_label": made, "path_idx": 0},
            "data": {
                "initial_diagnostic_question": _yes_no(
                    f"Does this ECG suggest {label}?", "initial_diagnostic_question", holds=made
                ),
                "reasoning": loops,
            },
        }


def _loops(first: Step, proof: Proof, case: Case, rng: np.random.Generator) -> list[Json] | None:
    """Go along the steps as the criteria were decided; None where one of them was not."""
    proofs = {part.key: part for part in proof.walk() if part.key}
    own = {step.criterion.text for step in first.walk()}
    label = small(proof.text)
    loops: list[Json] = []
    state: Step | bool = first
    while isinstance(state, Step):
        part = proofs.get(state.criterion.key)
        if part is None or part.verdict is Verdict.INDETERMINATE:
            return None
        holds = part.verdict is Verdict.MET
        following = state.after(holds=holds)
        loops.append({
            "criterion_selection": _criterion(state.criterion.text, own, label, rng),
            "finding_identification": _yes_no(
                f"Does this ECG fulfil this: {_asked(state)}?", "finding_identification",
                holds=holds != state.asked_opposite,
            ),
            "ecg_grounding": _ground(part, case, rng) if holds else [],
            "diagnostic_decision": _decision(following, label),
            "borderline": part.borderline,
        })  # fmt: skip
        state = following
    return loops


def _asked(step: Step) -> str:
    text = small(step.criterion.text)
    return text.replace("absence of", "presence of", 1) if step.asked_opposite else text


def _yes_no(question: str, kind: str, *, holds: bool) -> Json:
    return _choice(question, kind, ["Yes", "No"], 0 if holds else 1)


def _choice(question: str, kind: str, options: Sequence[str], right: int) -> Json:
    return {
        "question": question, "options": list(options), "answer": options[right], "answer_idx": right,
        "question_type": kind,
    }  # fmt: skip


def _decision(following: Step | bool, label: str) -> Json:  # noqa: FBT001 - a leaf of the tree
    options = ["Yes", "No", FURTHER]
    right = 2 if isinstance(following, Step) else 0 if following else 1
    return _choice(f"From what was found so far, does this ECG suggest {label}?", "diagnostic_decision", options, right)


def _criterion(text: str, own: set[str], label: str, rng: np.random.Generator) -> Json:
    others = sorted({step.criterion.text for first in STEPS.values() for step in first.walk()} - own)
    wrong = [others[k] for k in rng.choice(len(others), N_OPTIONS - 1, replace=False)]
    return _mixed(f"Which criterion should be looked at next for {label}?", "criterion_selection", (text, wrong), rng)


def _mixed(question: str, kind: str, options: tuple[str, Sequence[str]], rng: np.random.Generator) -> Json:
    right, wrong = options
    place = int(rng.integers(len(wrong) + 1))
    return _choice(question, kind, [*wrong[:place], right, *wrong[place:]], place)


def _ground(part: Proof, case: Case, rng: np.random.Generator) -> list[Json]:
    """Ask in which leads, where and how much."""
    asked = [_leads(part, rng), _window(part, case, rng), _measurement(part, rng)]
    return [question for question in asked if question is not None]


def _leads(part: Proof, rng: np.random.Generator) -> Json | None:
    shown = [p for p in part.walk() if p.text.startswith("lead ") and p.text.removeprefix("lead ") in LEADS]
    right = {p.text.removeprefix("lead ") for p in shown if p.verdict is Verdict.MET}
    wrong = {p.text.removeprefix("lead ") for p in shown if p.verdict is Verdict.NOT_MET} - right
    if not right or not wrong:
        return None
    order = [lead for lead in LEADS if lead in right | wrong]
    options = [f"Lead {order[k]}" for k in sorted(rng.choice(len(order), min(len(order), 6), replace=False))]
    places = [k for k, option in enumerate(options) if option.removeprefix("Lead ") in right]
    if not places:
        return None
    return {
        "question": f"In which of these leads is it so: {small(part.text)}? Choose all.", "options": options,
        "answer": [options[k] for k in places], "answer_idx": places, "question_type": "lead_grounding",
    }  # fmt: skip


def _window(part: Proof, case: Case, rng: np.random.Generator) -> Json | None:
    span = next((s for e in telling(part) for s in e.spans if s.wave in _WAVES and s.beat is not None), None)
    wrong = _elsewhere(span, case, rng) if span is not None else []
    if span is None or len(wrong) < N_WINDOWS - 1:
        return None
    where = f" in lead {span.lead}" if span.lead else ""
    name = _CALLED.get(span.wave, "wave")
    question = f"In which of these stretches of the ECG, in seconds, lies a whole {span.wave} {name}{where}?"
    return _mixed(question, "wave_grounding", (_say(span.start_s, span.end_s), wrong), rng)


def _elsewhere(span: Span, case: Case, rng: np.random.Generator) -> list[str]:
    """Choose stretches of the same length that overlap no wave of the kind; none where there is no room for three."""
    first, last = _WAVES[span.wave]
    marks = case.heartbeat.beat_marks_s
    ends = np.stack([np.fmin.reduce(marks[:, first], axis=1), np.fmax.reduce(marks[:, last], axis=1)], axis=1)
    ends = np.concatenate([case.heartbeat.global_marks_s[:, [first, last]], ends])
    ends = ends[np.isfinite(ends).all(axis=1)]
    length = span.end_s - span.start_s
    starts = np.arange(0.0, max(0.0, case.recording.duration - length), _STEP_S)
    free = [float(s) for s in starts if not ((ends[:, 0] < s + length) & (ends[:, 1] > s)).any()]
    if len(free) < N_WINDOWS - 1:
        return []
    chosen = [free[k] for k in rng.choice(len(free), N_WINDOWS - 1, replace=False)]
    return [_say(start, start + length) for start in chosen]


def _say(start_s: float, end_s: float) -> str:
    return f"[{start_s:.2f}s - {end_s:.2f}s]"


def _measurement(part: Proof, rng: np.random.Generator) -> Json | None:
    numbers = [e for e in telling(part) if e.unit in _BINS]
    if not numbers:
        return None
    evidence = numbers[0]
    options, right = bins(evidence, rng)
    where = f" in lead {evidence.lead}" if evidence.lead else ""
    question = f"In which range does the measured {name_of(evidence.name, evidence.lead)}{where} lie?"
    return _choice(question, "measurement_grounding", options, right)


def bins(evidence: Evidence, rng: np.random.Generator) -> tuple[list[str], int]:
    """Make ranges of which one holds a number.

    Parameters
    ----------
    evidence : Evidence
        The number, in ms, mV, 1/min or deg.
    rng : Generator
        Draws the place of the right one.

    Returns
    -------
    options : list of str
        Neighbouring ranges of one width, their lower end included.
    right : int
        Which holds the number.

    Examples
    --------
    >>> number = Evidence("pr_interval_ms", 167.0, "ms", None, None, ())
    >>> options, right = bins(number, np.random.default_rng(0))
    >>> len(options), options[right]
    (5, '[160ms - 180ms]')
    """
    width, unit = _BINS[evidence.unit]
    right = int(rng.integers(N_OPTIONS))
    low = float(np.floor(evidence.value / width)) * width - right * width
    edges = [low + k * width for k in range(N_OPTIONS + 1)]
    options = [f"[{a:g}{unit} - {b:g}{unit}]" for a, b in pairwise(edges)]
    return options, right


__all__ = ["PACK", "bins", "make_turns"]
