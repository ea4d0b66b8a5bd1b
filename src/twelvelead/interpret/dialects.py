"""The same material in the forms that four projects train their models with."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from twelvelead.interpret.instruction import Material, digest, statements_as_json
from twelvelead.interpret.narrate import write

Dialect = Literal["gem", "pulse", "ecg-r1", "erb"]
Json = dict[str, Any]

QUESTION = "Interpret this ECG: name what each group of leads shows, and give the diagnosis that the evidence supports."
REPORT = "Write a report of this ECG."


def to_dialect(material: Material, *, dialect: Dialect, ecg: str, images: Sequence[str], licence: str) -> list[Json]:
    """Write material down in a project's form.

    Parameters
    ----------
    material : Material
        What is said of a recording.
    dialect : {"gem", "pulse", "ecg-r1", "erb"}
        GEM's and LLaVA's conversations; PULSE's; ECG-R1's messages, as ms-swift takes them; ECG-Reasoning-Benchmark's.
    ecg : str
        Where the recording is, from the archive's folder.
    images : sequence of str
        Where its pictures are, from the data's folder. An example shows one; the text is the same for each.
    licence : str
        Under which the recording may be used.

    Returns
    -------
    list of dict
        One for each picture; of erb, one for each diagnosis. Beside the project's own keys each has `provenance`, with
        the licence and a hash of all else.

    Notes
    -----
    In GEM's data a conversation's first value begins with ``<image>`` and a line's end, in ECG-R1's with
    ``<ecg><image>``. Only two of GEM's keys for measurements are published, see `gem_features.SEQUENCES`.

    References
    ----------
    .. [1] Lan X, et al. GEM. doi:10.48550/arXiv.2503.06073.
    """
    written = _WRITERS[dialect](material, ecg, images)
    return [_sign(one, licence) for one in written]


def _sign(content: Json, licence: str) -> Json:
    provenance = {"licence": licence, "recording": content["recording_id"], "sha256": digest(content)}
    return {**content, "provenance": provenance}


def is_signed_rightly(content: Json) -> bool:
    """Say whether an example is what it was when it was made.

    Parameters
    ----------
    content : dict
        An example of `to_dialect`.
    """
    own = {key: value for key, value in content.items() if key != "provenance"}
    return bool(content["provenance"]["sha256"] == digest(own))


def _grounds(material: Material) -> Json:
    return {
        "recording_id": material.recording_id,
        "evidence": material.evidence,
        "rule_outs": statements_as_json(material.ruled_out),
    }


def _gem(material: Material, ecg: str, images: Sequence[str]) -> list[Json]:
    return [
        {
            **_grounds(material),
            "id": _name(material, k), "ecg": ecg, "image": image,
            "conversations": [
                {"from": "human", "value": f"<image>\n{QUESTION}"},
                {"from": "gpt", "value": write(material.narrative)},
            ],
            "machine_measurements": material.features, "report": material.impression,
            "statements": statements_as_json(material.narrative),
        }
        for k, image in enumerate(images)
    ]  # fmt: skip


def _pulse(material: Material, ecg: str, images: Sequence[str]) -> list[Json]:
    return [
        {
            **_grounds(material),
            "id": _name(material, k), "ecg": ecg, "image": image,
            "conversations": [
                {"from": "human", "value": f"<image>\n{REPORT}"},
                {"from": "gpt", "value": write(material.narrative)},
            ],
            "metadata": {"subtask": "report generation", "type": "open-ended", "source": "twelvelead"},
        }
        for k, image in enumerate(images)
    ]  # fmt: skip


def _ecg_r1(material: Material, ecg: str, images: Sequence[str]) -> list[Json]:
    answer = "; ".join(material.answer) or "none of the findings that are judged"
    said = f"<think>{write(material.reasoning)}</think>\n<answer>{answer}</answer>"
    return [
        {
            **_grounds(material),
            "id": _name(material, k),
            "messages": [
                {"role": "user", "content": f"<ecg><image>{QUESTION}"},
                {"role": "assistant", "content": said},
            ],
            "images": [image], "objects": {"ecg": [ecg]},
        }
        for k, image in enumerate(images)
    ]  # fmt: skip


def _erb(material: Material, ecg: str, images: Sequence[str]) -> list[Json]:
    return [
        {"recording_id": material.recording_id, "ecg": ecg, "images": list(images), **sample}
        for sample in material.turns
    ]


def _name(material: Material, k: int) -> str:
    return f"{material.recording_id}#{k}"


_WRITERS: dict[str, Callable[[Material, str, Sequence[str]], list[Json]]] = {
    "gem": _gem, "pulse": _pulse, "ecg-r1": _ecg_r1, "erb": _erb,
}  # fmt: skip
DIALECTS = tuple(_WRITERS)


def conversation(content: Json) -> list[tuple[str, str]]:
    r"""Read the questions and answers of an example, of any of the four forms.

    Parameters
    ----------
    content : dict
        An example of `to_dialect`.

    Returns
    -------
    list of (question, answer)
        Of erb, each step's questions with their options, and the answers.

    Examples
    --------
    >>> said = [{"from": "human", "value": "<image>\nRate?"}, {"from": "gpt", "value": "60 bpm"}]
    >>> conversation({"conversations": said})
    [('<image>\nRate?', '60 bpm')]
    """
    if "conversations" in content:
        values = [turn["value"] for turn in content["conversations"]]
        return list(zip(values[::2], values[1::2], strict=True))
    if "messages" in content:
        values = [turn["content"].replace("<ecg>", "") for turn in content["messages"]]
        return list(zip(values[::2], values[1::2], strict=True))
    data = content["data"]
    asked = [data["initial_diagnostic_question"]]
    for loop in data["reasoning"]:
        asked += [loop["criterion_selection"], loop["finding_identification"], *loop["ecg_grounding"]]
        asked.append(loop["diagnostic_decision"])
    return [_turn(question) for question in asked]


def _turn(question: Json) -> tuple[str, str]:
    answer = question["answer"]
    said = answer if isinstance(answer, str) else ", ".join(answer)
    return f"{question['question']} Options: {'; '.join(question['options'])}.", said
