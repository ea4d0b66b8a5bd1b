"""From a recording to named numbers, each with a unit, a definition and a source."""

from twelvelead.measure.beats import find_beats
from twelvelead.measure.catalogue import CATALOGUE, evaluate, features_contract, pool, tabulate
from twelvelead.measure.condense import condense, gather
from twelvelead.measure.delineate import Mark, delineate
from twelvelead.measure.fiducials import tabulate_fiducials
from twelvelead.measure.heartbeat import Heartbeat, Heartbeats
from twelvelead.measure.observe import observe
from twelvelead.measure.row import measure, measure_many
from twelvelead.measure.shapes import median_beat

__all__ = [
    "CATALOGUE",
    "Heartbeat",
    "Heartbeats",
    "Mark",
    "condense",
    "delineate",
    "evaluate",
    "features_contract",
    "find_beats",
    "gather",
    "measure",
    "measure_many",
    "median_beat",
    "observe",
    "pool",
    "tabulate",
    "tabulate_fiducials",
]
