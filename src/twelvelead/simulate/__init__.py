"""A simulated hospital: recordings and tables whose truth is known. Always marked as simulated.

>>> sim = hospital(100, site=SITE_A, seed=1)
>>> ecg = recording(sim.truth.row(0, named=True), site=SITE_A)
>>> ecg.id
'sim-a-p000000-r1'
"""

from twelvelead.simulate.diabetes import DiabetesCohort, best_aurocs, diabetes_cohort
from twelvelead.simulate.hospital import Hospital, hospital
from twelvelead.simulate.optimum import best_auroc
from twelvelead.simulate.outcomes import OUTCOMES, SimulatedOutcome
from twelvelead.simulate.recording import recording, true_fiducials
from twelvelead.simulate.site import SITE_A, SITE_B, Site

__all__ = [
    "OUTCOMES",
    "SITE_A",
    "SITE_B",
    "DiabetesCohort",
    "Hospital",
    "SimulatedOutcome",
    "Site",
    "best_auroc",
    "best_aurocs",
    "diabetes_cohort",
    "hospital",
    "recording",
    "true_fiducials",
]
