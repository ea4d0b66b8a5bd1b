"""From a recording to named numbers, each with a unit, a definition and a source."""

from twelvelead.measure.beats import find_beats
from twelvelead.measure.catalogue import CATALOGUE, features_contract
from twelvelead.measure.delineate import Mark, delineate
from twelvelead.measure.heartbeat import Heartbeat
from twelvelead.measure.observe import observe
from twelvelead.measure.row import measure, tabulate_fiducials
from twelvelead.measure.template import median_beat

__all__ = [
    "CATALOGUE",
    "Heartbeat",
    "Mark",
    "delineate",
    "features_contract",
    "find_beats",
    "measure",
    "median_beat",
    "observe",
    "tabulate_fiducials",
]
