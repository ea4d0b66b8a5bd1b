"""ECG-Reasoning-Benchmark (doi:10.48550/arXiv.2603.14326): its samples, and what is answered to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from twelvelead.interpret.proof import Evidence
from twelvelead.terms import InputError

Stage = Literal["initial", "criterion", "finding", "lead", "wave", "measurement", "decision"]

FURTHER = "Further findings are required to confirm the diagnosis"

_STAGES: dict[str, Stage] = {
    "criterion_selection": "criterion",
    "finding_identification": "finding",
    "finding": "finding",
    "lead_grounding": "lead",
    "wave_grounding": "wave",
    "measurement_grounding": "measurement",
    "diagnostic_decision": "decision",
    "decision": "decision",
}
"""Stages by `question_type`; the published data and the published evaluator do not name all of them alike."""


@dataclass(frozen=True)
class Question:
    """One question.

    Parameters
    ----------
    stage : str
        What is asked for.
    text : str
        The question.
    options : tuple of str
        What may be answered.
    answer : tuple of str
        The benchmark's answer: one of the options, of leads one or more.
    """

    stage: Stage
    text: str
    options: tuple[str, ...]
    answer: tuple[str, ...]


@dataclass(frozen=True)
class Loop:
    """One criterion: which to look at, whether it holds, where that is seen, and whether it is enough."""

    criterion: Question
    finding: Question
    groundings: tuple[Question, ...]
    decision: Question

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions in the order in which they are asked."""
        return (self.criterion, self.finding, *self.groundings, self.decision)


@dataclass(frozen=True)
class Sample:
    """One chain of questions about one recording and one diagnosis.

    Parameters
    ----------
    id : str
        The recording, the diagnosis, and the number of the path.
    source, ecg_id : str
        Database and recording.
    diagnosis : str
        One of the 17.
    initial : Question
        Whether there is this diagnosis.
    loops : tuple of Loop
        The reasoning.
    """

    id: str
    source: str
    ecg_id: str
    diagnosis: str
    initial: Question
    loops: tuple[Loop, ...]


@dataclass(frozen=True)
class Answer:
    """What was answered to one question.

    Parameters
    ----------
    loop : int
        In which loop, from 0; −1 for the initial question.
    question : Question
        What was asked.
    given : tuple of str
        Of its options; none if nothing could be answered.
    why : str
        What it was concluded from, in words.
    evidence : tuple of Evidence
        The measurements behind it.
    """

    loop: int
    question: Question
    given: tuple[str, ...]
    why: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def right(self) -> bool:
        """Whether exactly the benchmark's options were given."""
        return sorted(self.given) == sorted(self.question.answer)


def read_sample(raw: Mapping[str, Any]) -> Sample:
    """Read one sample of the published JSON.

    Parameters
    ----------
    raw : mapping
        With `metadata` and `data`; in `data` the keys of the published samples (`reasoning`, `ecg_grounding`,
        `diagnostic_decision`) or those of the first published evaluator (`path_1`, `grounding`, `decision`).

    Returns
    -------
    Sample

    Raises
    ------
    InputError
        If a key is missing, or an answer is not among its options.
    """
    try:
        metadata, data = raw["metadata"], raw["data"]
        name = f"{metadata['ecg_id']}/{metadata['target_dx']}/{metadata.get('path_idx', 0)}"
        loops = data["reasoning"] if "reasoning" in data else data["path_1"]
        label = "Yes" if metadata["dx_label"] else "No"
        asked = data["initial_diagnostic_question"]
        return Sample(
            name, str(metadata.get("data_source", "ptbxl")), str(metadata["ecg_id"]), str(metadata["target_dx"]),
            Question("initial", str(asked["question"]), ("Yes", "No"), (label,)),
            tuple(_loop(loop, name) for loop in loops),
        )  # fmt: skip
    except (KeyError, TypeError, AssertionError) as error:
        msg = (
            f"a sample must have the keys of ECG-Reasoning-Benchmark; got none that fits {error}. Take it as published."
        )
        raise InputError(msg) from error


def _loop(raw: Mapping[str, Any], name: str) -> Loop:
    finding = raw["finding_identification"] if "finding_identification" in raw else raw["finding"]
    decision = raw["diagnostic_decision"] if "diagnostic_decision" in raw else raw["decision"]
    groundings = raw.get("ecg_grounding", raw.get("grounding", ()))
    return Loop(
        _question(raw["criterion_selection"], "criterion", name),
        _question(finding, "finding", name),
        tuple(_question(grounding, None, name) for grounding in groundings),
        _question(decision, "decision", name),
    )


def _question(raw: Mapping[str, Any], stage: Stage | None, name: str) -> Question:
    answer = raw["answer"] if isinstance(raw["answer"], list) else [raw["answer"]]
    options = tuple(str(option) for option in raw["options"])
    if not {str(a) for a in answer} <= set(options):
        msg = f"an answer must be one of its options; got {answer} in {name}. Take the sample as published."
        raise InputError(msg)
    known = stage or _STAGES[raw["question_type"]]
    return Question(known, str(raw["question"]), options, tuple(str(a) for a in answer))
