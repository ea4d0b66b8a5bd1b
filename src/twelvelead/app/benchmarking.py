"""Commands for published benchmarks of interpretation."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from twelvelead.app.shell import BAD_INPUT, PARTLY, Out, app
from twelvelead.app.show import Display

if TYPE_CHECKING:
    import polars as pl

benchmark = App(name="benchmark", help="Answer a published benchmark of ECG interpretation from our measurements.")
app.command(benchmark)

_NAMED = {
    "initial": "Initial accuracy", "completion": "Completion", "completion_soft": "Completion, soft",
    "completion_whole": "Completion and initial", "depth": "Depth (of 4)", "finding": "Finding",
    "lead": "Grounding: lead", "wave": "Grounding: wave", "measurement": "Grounding: measurement",
    "criterion": "Criterion selection (knowledge)", "decision": "Decision (knowledge)",
}  # fmt: skip
"""What is printed, in this order."""


@benchmark.command(name="ecg-reasoning")
def ecg_reasoning(
    samples: Path,
    *,
    recordings: Annotated[Path, Parameter(help="Folder of PTB-XL.")],
    out: Out,
    compat: Annotated[bool, Parameter(negative="--strict", help="Score as the published evaluator does.")] = False,
    resamples: int = 2000,
    seed: int = 0,
) -> int:
    """ECG-Reasoning-Benchmark: each question answered with its evidence, scored, beside controls without the ECG.

    Parameters
    ----------
    samples
        A JSON list of samples, a .jsonl file, or a folder of them.
    resamples
        Bootstrap resamples of patients.
    seed
        Of the resamples and of the shuffled control.
    """
    from twelvelead.study.benchmarking import run_benchmark

    with Display() as display:
        done = run_benchmark(
            samples, recordings, out=out, rules="compat" if compat else "strict", seed=seed, n_resamples=resamples,
            progress=display.progress,
        )  # fmt: skip
    sys.stdout.write(_summary(done.figures))
    display.note(
        f"Every answer with what it rests on is in {out}. Intervals: 95 %, patients resampled {resamples} times."
    )
    display.note("Research software, not a medical device.")
    measured = done.samples["recording_id"].n_unique() - done.failures.height
    return display.failures(done.failures, partly=PARTLY if measured else BAD_INPUT)


def _summary(figures: "pl.DataFrame") -> str:
    """Write one line per figure: measured with its interval, and the two controls."""
    rows = {(row["reader"], row["figure"]): row for row in figures.iter_rows(named=True)}
    lines = []
    for figure, name in _NAMED.items():
        if ("measured", figure) not in rows:
            continue
        ours = rows["measured", figure]
        controls = [
            f"{words} {_say(figure, rows[reader, figure]['value'])}"
            for reader, words in (("no_ecg", "no ECG"), ("shuffled_ecg", "shuffled ECG")) if (reader, figure) in rows
        ]  # fmt: skip
        limits = f"({_say(figure, ours['lower'])} to {_say(figure, ours['upper'])})"
        lines.append(f"{name} {_say(figure, ours['value'])} {limits} of {ours['n']}; {'; '.join(controls)}\n")
    return "".join(lines)


def _say(figure: str, value: float) -> str:
    return f"{value:.2f}" if figure == "depth" else f"{100 * value:.1f} %"
