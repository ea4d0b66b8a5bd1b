"""The benchmark's metrics, as its evaluator computes them, and as their definitions read."""

from collections.abc import Sequence
from typing import Literal

from twelvelead.interpret.reasoning_benchmark import FURTHER, Answer

Rules = Literal["strict", "compat"]

STAGES = ("criterion", "finding", "lead", "wave", "measurement", "decision")
GROUNDING = frozenset({"lead", "wave", "measurement"})

Counts = dict[str, float]
"""Numerators and denominators by figure, `<figure>` and `<figure>_of`: of samples together, they add up."""


def count(answers: Sequence[Answer], rules: Rules, *, measurable: bool = True) -> Counts:
    """Count what one sample adds to each figure.

    Parameters
    ----------
    answers : sequence of Answer
        Of one sample, in order, the initial one first.
    rules : {"strict", "compat"}
        `compat` is the published evaluator (release 0.0.2, string matching), bug for bug: a sample that got no answers
        is left out of everything; an answer that begins or ends with yes or no counts as that; Depth knows only loops
        that have a grounding question. `strict`: a sample without answers is wrong throughout; an answer is right if
        exactly the benchmark's options were given; Depth is taken over all loops, as a share of the stages there are,
        times four.
    measurable : bool
        Whether the recording could be read and measured.

    Returns
    -------
    dict of str to float
        initial (initial diagnosis right), completion (no wrong answer in the chain; the initial one is not part of
        it), completion_soft (where a decision that came too early is forgiven), completion_whole (the initial one
        too), depth, decision_last (the final decision, given the benchmark's own findings), one of each stage, and of
        each stage `<stage>_chain`, while no answer before it in the chain was wrong.
    """
    if rules == "compat" and not measurable:
        return {}
    first, *chain = [(a, _right(a, rules)) for a in answers]
    out = {"initial": float(first[1])}
    out["completion"] = float(all(right for _, right in chain))
    out["completion_soft"] = float(all(right or a.question.answer == (FURTHER,) for a, right in chain))
    out["completion_whole"] = out["initial"] * out["completion"]
    out["decision_last"] = float(chain[-1][1])
    counted = {name: value for key, value in out.items() for name, value in ((key, value), (f"{key}_of", 1.0))}
    unbroken = True
    for a, right in chain:
        for figure, counts in ((a.question.stage, True), (f"{a.question.stage}_chain", unbroken)):
            if counts:
                counted[figure] = counted.get(figure, 0.0) + right
                counted[f"{figure}_of"] = counted.get(f"{figure}_of", 0.0) + 1
        unbroken = unbroken and right
    depths = [depth for loop in _loops(chain) if (depth := _depth(loop, rules)) is not None]
    return counted | {"depth": float(sum(depths)), "depth_of": float(len(depths))}


def _right(answer: Answer, rules: Rules) -> bool:
    if rules == "strict" or answer.question.stage not in {"initial", "finding", "decision"}:
        return answer.right
    given = (answer.given[0] if answer.given else "").strip().strip(".").lower()
    return _yes_no(given) == answer.question.answer[0].strip().lower()


def _yes_no(given: str) -> str:
    """Take what begins or ends with yes or no for that, as the evaluator does: `nothing can be said` is a no.

    Examples
    --------
    >>> _yes_no("nothing can be said"), _yes_no("i should say yes"), _yes_no("further findings are required")
    ('no', 'yes', 'further findings are required')
    """
    for word in ("yes", "no"):
        if given.startswith((word, f"**{word}**")) or given.endswith((word, f"**{word}**")):
            return word
    return given


def _loops(chain: Sequence[tuple[Answer, bool]]) -> list[list[tuple[Answer, bool]]]:
    loops: dict[int, list[tuple[Answer, bool]]] = {}
    for a, right in chain:
        loops.setdefault(a.loop, []).append((a, right))
    return list(loops.values())


def _depth(loop: Sequence[tuple[Answer, bool]], rules: Rules) -> float | None:
    """Count the stages of one loop that were passed before the first mistake in it; a grounding counts by its share."""
    n_groundings = sum(a.question.stage in GROUNDING for a, _ in loop)
    if rules == "compat" and not n_groundings:
        return None
    passed = 0.0
    for a, right in loop:
        if not right:
            break
        passed += 1 / n_groundings if a.question.stage in GROUNDING else 1.0
    return 4 * passed / (4 if n_groundings else 3)


def figures(counts: Counts) -> dict[str, float]:
    """Divide; figures of which nothing was asked are left out.

    Examples
    --------
    >>> figures({"initial": 3.0, "initial_of": 4.0})
    {'initial': 0.75}
    """
    return {key: value / counts[f"{key}_of"] for key, value in counts.items() if counts.get(f"{key}_of")}


def together(samples: Sequence[Counts]) -> Counts:
    """Add up the counts of samples."""
    total: Counts = {}
    for counts in samples:
        for key, value in counts.items():
            total[key] = total.get(key, 0.0) + value
    return total
