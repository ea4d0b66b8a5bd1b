"""In which order ECG-Reasoning-Benchmark asks for the criteria of a diagnosis, and when it decides."""

from collections.abc import Iterator
from dataclasses import dataclass

from twelvelead.interpret.criteria import All, Criterion, Not, Test, any_of

MADE, OUT = True, False
"""The diagnosis is made, or it is ruled out."""


@dataclass(frozen=True)
class Step:
    """One criterion, and what follows from it.

    Parameters
    ----------
    criterion : Criterion
        What is asked for; its text is the benchmark's.
    yes, no : Step or bool
        What comes next where it holds and where it does not: another step, or whether the diagnosis is made.
    asked_opposite : bool
        Whether the question about the ECG is the criterion's opposite: of *absence of prolongation* it is asked
        whether there is prolongation.
    """

    criterion: Criterion
    yes: "Step | bool"
    no: "Step | bool"
    asked_opposite: bool = False

    def after(self, *, holds: bool) -> "Step | bool":
        """Give what comes next."""
        return self.yes if holds else self.no

    def walk(self) -> Iterator["Step"]:
        """Go through this and all steps that may follow; one that is reached by two ways comes twice."""
        yield self
        for following in (self.yes, self.no):
            if isinstance(following, Step):
                yield from following.walk()


def as_test(step: Step | bool) -> Test:  # noqa: FBT001 - a leaf of the tree
    """Write a tree of steps as one test, with no criterion twice where that can be.

    Examples
    --------
    >>> from twelvelead.interpret.criteria import Has
    >>> elevation, q = (Criterion(key, key, Has(key), "doi:10.0/0") for key in ("elevation", "q"))
    >>> as_test(Step(elevation, MADE, Step(q, MADE, OUT))) == any_of(elevation, q)
    True
    """
    if isinstance(step, bool):
        return All() if step else any_of()
    holds, yes, no = step.criterion, step.yes, step.no
    if yes is True:
        return holds if no is False else any_of(holds, as_test(no))
    if yes is False:
        return Not(holds) if no is True else All(Not(holds), as_test(no))
    if no is False:
        return All(holds, as_test(yes))
    return any_of(All(holds, as_test(yes)), All(Not(holds), as_test(no)))
