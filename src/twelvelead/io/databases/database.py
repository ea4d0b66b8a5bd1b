"""What every database gives, whatever it looks like on disk."""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from twelvelead.terms import COHORT, EVENTS


@dataclass(frozen=True)
class Database:
    """A hospital's recordings and tables, as they lie in a folder.

    Parameters
    ----------
    name : str
        What reports call it.
    folder : Path
        Where it lies; `cohort.path` is relative to it.
    cohort : DataFrame keeping `terms.COHORT`
        One row per recording.
    events : DataFrame keeping `terms.EVENTS`
        Everything that happened to the patients.
    tables : tuple of Path
        The files that the two tables were read from, for the manifest.
    simulated : bool
        Whether it is made up.
    optimum : dict of str to float
        For a simulated database: the best reachable AUROC of each target.

    Raises
    ------
    ContractError
        If a table breaks its contract, for instance by two rows for one recording.
    """

    name: str
    folder: Path
    cohort: pl.DataFrame
    events: pl.DataFrame
    tables: tuple[Path, ...]
    simulated: bool = False
    optimum: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        COHORT.check(self.cohort)
        EVENTS.check(self.events)
