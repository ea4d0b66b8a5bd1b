"""How far a long run has come."""

from typing import Protocol


class Progress(Protocol):
    """Told how far a stage has come; the shell draws it."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note that `done` of `total` are done."""


def silent(stage: str, done: int, total: int) -> None:
    """Take no note of how far a `stage` has come: `done` of `total`.

    Parameters
    ----------
    stage : str
        What is done.
    done, total : int
        How many are done, and of how many.
    """
