"""Make a true text false in one place, and know from the values, not from the checker, that it is false."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from twelvelead.interpret.case import Case, in_lead
from twelvelead.interpret.corrupt_inventions import INVENTIONS, MEASURED_INVENTIONS, Values
from twelvelead.interpret.criteria import Pack
from twelvelead.interpret.engine import small
from twelvelead.interpret.lexicon_diagnoses import narrower
from twelvelead.interpret.narrate import Fact, Statement
from twelvelead.interpret.narrate_words import say_value
from twelvelead.interpret.proof import Interpretation, Verdict
from twelvelead.interpret.tolerance import lead_of_measurement, tolerance
from twelvelead.interpret.verify_diagnoses import meaning
from twelvelead.terms import LEADS

Kind = Literal["value", "unit", "lead", "negation", "invented"]
KINDS: tuple[Kind, ...] = ("value", "unit", "lead", "negation", "invented")
_SWAPS = {"ms": ("s", 1000.0), "mV": ("mm", 0.1), "bpm": ("Hz", 60.0)}
"""Another unit for the same number, and by what it multiplies."""


@dataclass(frozen=True)
class Corruption:
    """A text with one change.

    Parameters
    ----------
    kind : str
        Of `KINDS`.
    text : str
        The changed text.
    start, end : int
        Where the changed sentence stands in it.
    false : bool
        Whether what it says now is false, by more than the tolerance of what was measured.
    changed : bool
        Whether a reader sees another text at all.
    """

    kind: Kind
    text: str
    start: int
    end: int
    false: bool
    changed: bool = True


class Scene(NamedTuple):
    """A true text with all that it was made of."""

    case: Case
    pack: Pack
    found: Interpretation
    statements: Sequence[Statement]


def corrupt(scene: Scene, kind: Kind, rng: np.random.Generator) -> Corruption | None:
    """Change a text in one place.

    Parameters
    ----------
    scene : Scene
        The statements, and what they are true of.
    kind : {"value", "unit", "lead", "negation", "invented"}
        A number 20 % up or down; another unit after the number; another lead; a finding denied or a denial turned
        round; a sentence about a finding that is not there.
    rng : Generator
        What is chosen.

    Returns
    -------
    Corruption or None
        None where the text has no place for it.
    """
    return _MAKERS[kind](scene, rng)


def _replace(scene: Scene, index: int, words: str) -> tuple[str, int, int]:
    texts = [statement.text for statement in scene.statements]
    texts[index] = words
    start = sum(len(text) + 1 for text in texts[:index])
    return " ".join(texts), start, start + len(words)


def _facts(scene: Scene) -> list[tuple[int, Statement, Fact]]:
    return [(k, s, fact) for k, s in enumerate(scene.statements) for fact in s.facts]


def _pick(rng: np.random.Generator, items: Sequence[object]) -> int:
    return int(rng.integers(len(items)))


def _value(scene: Scene, rng: np.random.Generator) -> Corruption | None:
    facts = _facts(scene)
    if not facts:
        return None
    k, statement, fact = facts[_pick(rng, facts)]
    evidence = scene.case.evidence(fact.name)
    assert evidence is not None  # noqa: S101 - it was told
    words = say_value(evidence.value * (0.8, 1.2)[int(rng.integers(2))], evidence.unit)
    said = float(words.split(" ")[0].rstrip("°"))
    text = statement.text[: fact.start] + words + statement.text[fact.end :]
    false = _differs(scene.case, fact.name, said, _step(words))
    return Corruption("value", *_replace(scene, k, text), false, words != statement.text[fact.start : fact.end])


def _differs(case: Case, name: str, said: float, step: float) -> bool:
    """Say whether a number differs from the measured one by more than the tolerance and its own rounding."""
    distance = abs(said - case.values[name])
    if name.endswith("_deg"):
        distance = min(distance, 360.0 - distance)
    return bool(distance > tolerance(case, name).half + step / 2)


def _step(words: str) -> float:
    number = words.split(" ", maxsplit=1)[0].rstrip("°")
    return float(10.0 ** -len(number.partition(".")[2])) if "." in number else 1.0


def _unit(scene: Scene, rng: np.random.Generator) -> Corruption | None:
    facts = [(k, s, f) for k, s, f in _facts(scene) if s.text[f.start : f.end].split(" ")[-1] in _SWAPS]
    if not facts:
        return None
    k, statement, fact = facts[_pick(rng, facts)]
    number, unit = statement.text[fact.start : fact.end].split(" ")
    other, times = _SWAPS[unit]
    text = f"{statement.text[: fact.start]}{number} {other}{statement.text[fact.end :]}"
    false = _differs(scene.case, fact.name, float(number) * times, times * _step(number))
    return Corruption("unit", *_replace(scene, k, text), false)


def _lead(scene: Scene, rng: np.random.Generator) -> Corruption | None:
    facts = [
        (k, s, f, lead) for k, s, f in _facts(scene)
        if (lead := lead_of_measurement(f.name)) is not None and s.text[f.end :].startswith(f" in {lead}")
    ]  # fmt: skip
    if not facts:
        return None
    k, statement, fact, lead = facts[_pick(rng, facts)]
    other = [name for name in LEADS if name != lead][int(rng.integers(len(LEADS) - 1))]
    start = fact.end + len(" in ")
    text = statement.text[:start] + other + statement.text[start + len(lead) :]
    name = in_lead(fact.name.replace(f"_{lead.lower()}_", "_{lead}_"), other)
    words = statement.text[fact.start : fact.end]
    known = bool(np.isfinite(scene.case.values.get(name, np.nan)))
    said = float(words.split(" ")[0])
    return Corruption("lead", *_replace(scene, k, text), known and _differs(scene.case, name, said, _step(words)))


def _negation(scene: Scene, rng: np.random.Generator) -> Corruption | None:
    told = [(k, s) for k, s in enumerate(scene.statements) if s.finding and s.polarity in ("present", "absent")]
    if not told:
        return None
    k, statement = told[_pick(rng, told)]
    proof = scene.found.findings[statement.finding]
    label = proof.text
    if statement.polarity == "absent":
        forms = (f"{label}.", f"There is {small(label)}.", f"The recording shows {small(label)}.")
    else:
        forms = (f"No {small(label)}.", f"There is no evidence of {small(label)}.", f"{label} is absent.")
    text = forms[_pick(rng, forms)]
    return Corruption("negation", *_replace(scene, k, text), proof.firm is proof.verdict)


def _invented(scene: Scene, rng: np.random.Generator) -> Corruption | None:
    choices: list[tuple[str | Callable[[Values], bool], str]] = [*INVENTIONS, *MEASURED_INVENTIONS]
    what, words = choices[_pick(rng, choices)]
    false = _is_absent(scene, what) if isinstance(what, str) else what(scene.case.values)
    k = _pick(rng, scene.statements)
    text, _, end = _replace(scene, k, f"{scene.statements[k].text} {words}")
    return Corruption("invented", text, end - len(words), end, false)


def _is_absent(scene: Scene, concept: str) -> bool:
    """Say whether every finding that means a diagnosis or a kind of it is firmly absent, and there is one."""
    proofs = [
        scene.found.findings[finding.key] for finding in scene.pack.findings
        if meaning(finding.label)[1] in narrower(concept)
    ]  # fmt: skip
    return bool(proofs) and all(p.verdict is Verdict.NOT_MET and p.firm is Verdict.NOT_MET for p in proofs)


_MAKERS: dict[Kind, Callable[[Scene, np.random.Generator], Corruption | None]] = {
    "value": _value, "unit": _unit, "lead": _lead, "negation": _negation, "invented": _invented,
}  # fmt: skip
