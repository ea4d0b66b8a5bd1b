"""Answer a chain of the benchmark's questions: knowledge from the pack, all about the ECG from a reader of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from twelvelead.interpret.case import Case
from twelvelead.interpret.engine import measured
from twelvelead.interpret.packs.erb import STEPS
from twelvelead.interpret.proof import Evidence, Interpretation, Proof, Verdict
from twelvelead.interpret.reasoning_benchmark import FURTHER, Answer, Question, Sample
from twelvelead.interpret.reasoning_benchmark_grounding import (
    choose_bin,
    choose_interval,
    choose_window,
    quantity,
    windows,
)
from twelvelead.interpret.reasoning_benchmark_steps import Step

_LEAD = re.compile(r"\b(III|II|I|aVR|aVL|aVF|V[1-6])\b")
_WORD = re.compile(r"[a-z0-9.+>']+")
_INTERVAL = "consecutive qrs"


@dataclass
class Memory:
    """What the chain has spoken of so far: the lead and the beat that later questions mean by *selected*."""

    lead: str | None = None
    beat: int | None = None


class Reader(Protocol):
    """What answers the questions about the ECG; the order of the criteria and the decisions are the pack's."""

    def diagnose(self, diagnosis: str) -> tuple[bool, Proof | None]:
        """Say whether there is a diagnosis."""
        ...

    def find(self, diagnosis: str, step: Step) -> tuple[bool, Proof | None]:
        """Say whether a criterion holds."""
        ...

    def ground(self, question: Question, proof: Proof | None, memory: Memory) -> Answer:
        """Choose leads, a window or a bin; what was chosen goes into the memory."""
        ...


@dataclass(frozen=True, eq=False)
class Measured:
    """Reads the measurements of a recording.

    Parameters
    ----------
    case : Case
        The recording, measured.
    interpretation : Interpretation
        By the pack `erb`.
    """

    case: Case
    interpretation: Interpretation

    def diagnose(self, diagnosis: str) -> tuple[bool, Proof | None]:
        """Say whether the finding is met; what is indeterminate can't be affirmed."""
        proof = self.interpretation.findings[diagnosis]
        return proof.verdict is Verdict.MET, proof

    def find(self, diagnosis: str, step: Step) -> tuple[bool, Proof | None]:
        """Say whether the criterion is met in the finding's proof."""
        whole = self.interpretation.findings[diagnosis]
        proof = next(part for part in whole.walk() if part.key == step.criterion.key)
        return proof.verdict is Verdict.MET, proof

    def ground(self, question: Question, proof: Proof | None, memory: Memory) -> Answer:
        """Choose what our own marks and measurements say."""
        match question.stage:
            case "lead":
                return self._leads(question, proof, memory)
            case "wave":
                return self._wave(question, memory)
            case _:
                return self._bin(question, memory)

    def _leads(self, question: Question, proof: Proof | None, memory: Memory) -> Answer:
        offered = {lead: option for option in question.options if (lead := _lead_in(option))}
        if "larger r amplitude" in question.text.lower():
            name = "qrs_height_{}_mv"
            heights = {lead: self.case.values[name.format(lead.lower())] for lead in offered}
            leads = [max(heights, key=lambda lead: heights[lead])]
            evidence = _known(self.case.evidence(name.format(lead.lower())) for lead in offered)
        else:
            parts = [p for p in proof.walk() if p.text.startswith("lead ")] if proof is not None else []
            met = [p for p in parts if p.verdict is Verdict.MET]
            leads = [lead for p in met if (lead := p.text.removeprefix("lead ")) in offered]
            evidence = _known(e for p in met for e in measured(p))
        memory.lead = leads[0] if leads else None
        why = f"it holds in {', '.join(leads)}" if leads else "it holds in none of them"
        return Answer(0, question, tuple(offered[lead] for lead in leads), why, evidence)

    def _wave(self, question: Question, memory: Memory) -> Answer:
        named = _lead_in(question.text.split("?")[0])
        memory.lead = named or memory.lead
        if _INTERVAL in question.text.lower():
            k = choose_interval(self.case, question.text, question.options)
            return Answer(0, question, (question.options[k],), "the RR interval that most exceeds those before it")
        k, memory.beat = choose_window(question.options, windows(self.case, question.text))
        why = f"our marks of beat {memory.beat + 1}" if memory.beat is not None else "no mark lies in any of them"
        return Answer(0, question, (question.options[k],), why)

    def _bin(self, question: Question, memory: Memory) -> Answer:
        name, value = quantity(self.case, question.text, lead=memory.lead, beat=memory.beat)
        evidence = _known([self.case.evidence(name)] if name else [])
        if value != value:  # noqa: PLR0124 - not a number
            return Answer(0, question, (), f"{name or 'this'} could not be measured")
        k = choose_bin(question.options, value)
        return Answer(0, question, (question.options[k],), f"{name} is {value:.4g}", evidence)


@dataclass(frozen=True)
class Blind:
    """Answers without an ECG: no finding, the first window, the middle bin, every lead that is offered."""

    def diagnose(self, diagnosis: str) -> tuple[bool, Proof | None]:
        """Say no."""
        return False, None

    def find(self, diagnosis: str, step: Step) -> tuple[bool, Proof | None]:
        """Say that the ECG does not show it."""
        return step.asked_opposite, None

    def ground(self, question: Question, proof: Proof | None, memory: Memory) -> Answer:
        """Choose by the place among the options."""
        if question.stage == "lead":
            return Answer(0, question, question.options)
        k = 0 if question.stage == "wave" else len(question.options) // 2
        return Answer(0, question, (question.options[k],))


def answer(sample: Sample, reader: Reader) -> list[Answer]:
    """Answer every question of a sample.

    Parameters
    ----------
    sample : Sample
        The questions.
    reader : Reader
        What is known of the ECG.

    Returns
    -------
    list of Answer
        One for each question, in order.

    Notes
    -----
    As the benchmark prescribes, each loop goes on from the benchmark's own answers in the loops before, right or wrong
    as ours may have been; the decision of a loop rests on that loop's published finding likewise.
    """
    made, proof = reader.diagnose(sample.diagnosis)
    answers = [_answer(-1, sample.initial, "Yes" if made else "No", proof)]
    memory, state = Memory(), STEPS.get(sample.diagnosis, False)
    for k, loop in enumerate(sample.loops):
        step = state if isinstance(state, Step) else _any_step(sample, loop.criterion.answer[0])
        text = step.criterion.text
        answers.append(Answer(k, loop.criterion, (closest(text, loop.criterion.options),), f"next comes: {text}"))
        holds, proof = reader.find(sample.diagnosis, step)
        answers.append(_answer(k, loop.finding, "Yes" if holds != step.asked_opposite else "No", proof))
        for grounding in loop.groundings:
            found = reader.ground(grounding, proof, memory)
            answers.append(Answer(k, grounding, found.given, found.why, found.evidence))
        truly = (loop.finding.answer[0] == "Yes") != step.asked_opposite
        state = step.after(holds=truly)
        answers.append(Answer(k, loop.decision, (decide(state),), f"{text}: {'yes' if truly else 'no'}"))
    return answers


def decide(state: Step | bool) -> str:  # noqa: FBT001 - a leaf of the tree
    """Say what follows from the steps so far."""
    if isinstance(state, Step):
        return FURTHER
    return "Yes" if state else "No"


def closest(text: str, options: Iterable[str]) -> str:
    """Choose the option that shares most words with a criterion's text: releases word some of them differently.

    Examples
    --------
    >>> closest("Presence of left bundle branch block", ["Left bundle branch block", "Right axis deviation"])
    'Left bundle branch block'
    """
    wanted = set(_WORD.findall(text.lower()))

    def likeness(option: str) -> float:
        words = set(_WORD.findall(option.lower()))
        return len(words & wanted) / max(len(words | wanted), 1)

    return max(options, key=likeness)


def _any_step(sample: Sample, text: str) -> Step:
    """Find the step that the benchmark goes on with where its own path has left the pack's."""
    steps = list(STEPS[sample.diagnosis].walk())
    texts = {step.criterion.text: step for step in steps}
    return texts[closest(text, texts)]


def _answer(loop: int, question: Question, given: str, proof: Proof | None) -> Answer:
    if proof is None:
        return Answer(loop, question, (given,))
    why = proof.why or f"{proof.text}: {proof.verdict}"
    return Answer(loop, question, (given,), why, measured(proof))


def _lead_in(text: str) -> str | None:
    """Give the one lead that a text names; None if it names none or several."""
    found = dict.fromkeys(_LEAD.findall(text))
    return next(iter(found)) if len(found) == 1 else None


def _known(evidence: Iterable[Evidence | None]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(e for e in evidence if e is not None))
