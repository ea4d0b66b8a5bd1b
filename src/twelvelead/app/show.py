"""What people see: progress and notes on stderr, results on stdout."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import polars as pl

SHOWN_FAILURES = 20
SHOWN_METRICS = ("auroc", "delta_auroc", "delta_auroc_embedding")

EVERY_S = 60.0
"""How often a long stage says how far it has come where stderr is no terminal."""


def complain(message: str) -> None:
    """Say on stderr what went wrong."""
    sys.stderr.write(f"twelvelead: {message}\n")


class Display:
    """A progress bar on stderr while a command runs; where that is no terminal, a line a minute and for each stage."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._stages: dict[str, Any] = {}
        self._since: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
            )  # fmt: skip
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage has come, and how many are done per second."""
        now = time.monotonic()
        spent = now - self._since.setdefault(stage, now)
        rate = f"{done / spent:.0f}/s" if total > 1 and spent > 0 else ""
        if self._bar is None:
            if done == total:
                self.note(f"{stage}: {done} of {total} done{f', {rate}' if rate else ''}")
            elif now - self._said.setdefault(stage, now) >= EVERY_S:
                self._said[stage] = now
                self.note(f"{stage}: {done} of {total}{say_left(spent, done, total)}")
            return
        if stage not in self._stages:
            self._stages[stage] = self._bar.add_task(stage, total=total, rate=rate)
        self._bar.update(self._stages[stage], completed=done, total=total, rate=rate)

    def note(self, text: str) -> None:
        """Say something on stderr."""
        sys.stderr.write(f"{text}\n")

    def failures(self, failures: "pl.DataFrame", *, partly: int) -> int:
        """List the recordings that failed, and return the exit status: 0 if there are none, else `partly`."""
        for recording_id, reason, message in failures.head(SHOWN_FAILURES).iter_rows():
            self.note(f"  {recording_id}: {reason}: {message}")
        if failures.height > SHOWN_FAILURES:
            self.note(f"  … and {failures.height - SHOWN_FAILURES} more")
        return partly if failures.height else 0

    def comparison(self, comparison: "pl.DataFrame") -> None:
        """Print AUROC in both modes, a line per target and set, on stdout."""
        lines = [("target", "set", "sound", "as published", "width ratio")]
        for row in comparison.iter_rows(named=True):
            sound, paper = (
                "not modelled" if row[f"{mode}_n"] is None else
                "not estimable" if row[f"{mode}_lower"] is None else
                f"{row[f'{mode}_estimate']:.3f} ({row[f'{mode}_lower']:.4f} to {row[f'{mode}_upper']:.4f})"
                for mode in ("sound", "paper")
            )  # fmt: skip
            ratio = "" if row["width_ratio"] is None else f"{row['width_ratio']:.0f}"
            lines.append((row["target"], row["set"], sound, paper, ratio))
        sys.stdout.write(align(lines))

    def performance(self, performance: "pl.DataFrame") -> None:
        """Print AUROC and its gains, a line per target, model and set, on stdout."""
        import polars as pl

        table = performance.filter((pl.col("stratum") == "all") & pl.col("metric").is_in(SHOWN_METRICS))
        lines = [("target", "model", "set", "metric", "estimate", "interval", "events/n")]
        for row in table.sort("set", "target", "metric", "model", descending=[True, False, False, False]).to_dicts():
            interval = "not estimable" if row["lower"] is None else f"{row['lower']:.3f} to {row['upper']:.3f}"
            estimate = "" if row["estimate"] is None else f"{row['estimate']:.3f}"
            n = f"{row['n_events']}/{row['n']}"
            lines.append((row["target"], row["model"], row["set"], row["metric"], estimate, interval, n))
        sys.stdout.write(align(lines))


def say_left(spent_s: float, done: int, total: int) -> str:
    """Say how long a stage will take yet, if it goes on as it went; nothing before the first is done.

    Examples
    --------
    >>> say_left(600.0, 10, 40), say_left(90.0, 3, 4), say_left(5.0, 0, 4)
    (', ETA 30 min', ', ETA 1 min', '')
    >>> say_left(36000.0, 10, 20)
    ', ETA 10 h 00 min'
    """
    if not done:
        return ""
    minutes = max(1, round(spent_s * (total - done) / done / 60))
    return f", ETA {minutes} min" if minutes < 120 else f", ETA {minutes // 60} h {minutes % 60:02d} min"


def align(lines: Sequence[Sequence[str]]) -> str:
    r"""Write lines of cells as columns.

    Examples
    --------
    >>> align([("a", "b"), ("ccc", "d")])
    'a    b\nccc  d\n'
    """
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "".join(f"{row.rstrip()}\n" for row in rows)
