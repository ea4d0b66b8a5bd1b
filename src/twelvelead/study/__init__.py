"""One declared study, run end to end and resumable."""

from twelvelead.study.application import Applied, apply_study, read_demographics
from twelvelead.study.archive import Measured, measure_archive
from twelvelead.study.declaration import Study, builtin_studies, declare, load_study, parse_study
from twelvelead.study.examination import examine
from twelvelead.study.files import measure_files, predict_files
from twelvelead.study.pool import Progress, silent
from twelvelead.study.run import Refusal, Results, run_study
from twelvelead.study.simulated import run_demo, simulate_hospitals

__all__ = [
    "Applied",
    "Measured",
    "Progress",
    "Refusal",
    "Results",
    "Study",
    "apply_study",
    "builtin_studies",
    "declare",
    "examine",
    "load_study",
    "measure_archive",
    "measure_files",
    "parse_study",
    "predict_files",
    "read_demographics",
    "run_demo",
    "run_study",
    "silent",
    "simulate_hospitals",
]
