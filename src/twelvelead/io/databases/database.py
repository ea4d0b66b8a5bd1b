"""What every database gives, whatever it looks like on disk."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from twelvelead.io.databases.events import EventTable, select_systems
from twelvelead.terms import COHORT, EVENTS, PATIENTS, STAYS


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
    events : LazyFrame keeping `terms.EVENTS`
        Everything that happened to the patients; read when collected, since it need not fit into memory.
    tables : tuple of Path
        The files that the tables were read from, for the manifest.
    features : LazyFrame or None
        Measurements that the database itself has, such as a machine's: recording_id, and columns called as in the
        CATALOGUE. None where the waveforms have to be measured.
    stays : DataFrame keeping `terms.STAYS`, or None
        When patients were in the hospital, where the database says so.
    patients : DataFrame keeping `terms.PATIENTS`, or None
        What holds for a patient at all times, where the database says so.
    simulated : bool
        Whether it is made up.
    optimum : dict of str to float
        For a simulated database: the best reachable AUROC of each target.
    event_tables : tuple of EventTable
        The same events, table by table, where they come from several: whoever wants one system need not read them all.
    dictionary : tuple of str
        The ICD-10 codes that the database lists, used or not. Only to repeat a published fault are they of use: see
        `cohort.map_codes`.
    age_precision_years : float
        Ages are right to so much either way, where a database publishes them in groups; 0 where they are exact.

    Raises
    ------
    ContractError
        If a table breaks its contract, for instance by two rows for one recording.
    """

    name: str
    folder: Path
    cohort: pl.DataFrame
    events: pl.LazyFrame
    tables: tuple[Path, ...]
    features: pl.LazyFrame | None = None
    stays: pl.DataFrame | None = None
    patients: pl.DataFrame | None = None
    simulated: bool = False
    optimum: dict[str, float] = field(default_factory=dict)
    event_tables: tuple[EventTable, ...] = ()
    dictionary: tuple[str, ...] = ()
    age_precision_years: float = 0.0

    def __post_init__(self) -> None:
        COHORT.check(self.cohort)
        EVENTS.check_schema(self.events)
        if self.stays is not None:
            STAYS.check(self.stays)
        if self.patients is not None:
            PATIENTS.check(self.patients)

    def select_events(self, systems: Collection[str]) -> pl.LazyFrame:
        """Give the events of some systems (`icd10`, `laboratory`, …), reading no more tables than have them."""
        if self.event_tables:
            return select_systems(self.event_tables, systems)
        return self.events.filter(pl.col("system").is_in(list(systems)))
