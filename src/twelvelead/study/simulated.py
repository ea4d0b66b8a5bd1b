"""Write simulated hospitals to disk, and run the demonstration study on them."""

from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import polars as pl

from twelvelead.io.databases import Database
from twelvelead.io.databases import tables as own_tables
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.io.tables import write_table
from twelvelead.simulate import SITE_A, SITE_B, Site, best_auroc, hospital, recording
from twelvelead.study.kernels import compile_kernels
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.run import Results, run_study
from twelvelead.study.studies import load_study
from twelvelead.terms import InputError

FOLDERS = {"hospital_a": SITE_A, "hospital_b": SITE_B}
WAVEFORMS = "waveforms"
PART = 100  # recordings per task


@dataclass(frozen=True)
class _Part:
    """Recordings to be written by one worker."""

    truth: Path
    first: int
    site: Site
    folder: Path


def simulate_hospitals(
    folder: Path, *, n_patients: int, seed: int, workers: int = 1, progress: Progress = silent
) -> None:
    """Write two simulated hospitals: waveforms, linked tables and the truth.

    Parameters
    ----------
    folder : Path
        Gets `hospital_a` with `n_patients` patients, and `hospital_b` with half as many, another case mix and another
        ECG machine.
    n_patients : int
        At least 2.
    seed : int
        The same seed and number give the same files.
    workers : int
        Processes.
    progress : Progress
        Told after each part.

    Raises
    ------
    InputError
        If there are fewer than 2 patients, or the seed is negative.
    """
    if n_patients < 2:
        msg = f"patients must be at least 2; got {n_patients}. Simulate more."
        raise InputError(msg)
    for name, site in FOLDERS.items():
        n = n_patients if site is SITE_A else n_patients // 2
        sim = hospital(n, site=site, seed=seed)
        place = folder / name
        write_table(sim.truth, place / "truth.parquet")
        parts = [
            _Part(place / "truth.parquet", first, site, place / WAVEFORMS) for first in range(0, sim.truth.height, PART)
        ]
        run_tasks(_write_part, parts, workers=workers, stage=f"simulating {sim.name}", progress=progress)
        # The tables are written last: a folder that has them is complete.
        own_tables.write(
            Database(
                name=sim.name,
                folder=place,
                cohort=sim.cohort.with_columns(path=pl.format(f"{WAVEFORMS}/{{}}.hea", "recording_id")),
                events=sim.events.lazy(),
                tables=(),
                simulated=True,
                optimum={o.name: best_auroc(o.name, site=site, seed=seed) for o in sim.outcomes},
            )
        )


def _write_part(part: _Part) -> None:
    rows = pl.read_parquet(part.truth).slice(part.first, PART)
    for row in rows.iter_rows(named=True):
        ecg = recording(row, site=part.site)
        write_wfdb(replace(ecg, start=row["recorded_at"]), part.folder / f"{ecg.id}.hea")


def run_demo(out: Path, *, n_patients: int, seed: int, workers: int = 1, progress: Progress = silent) -> Results:
    """Simulate two hospitals, measure their ECGs, develop on the first and validate on the second.

    Parameters
    ----------
    out : Path
        Gets the study's folder; the simulated data go to `data` within it.
    n_patients : int
        Patients of the first hospital.
    seed : int
        Of the simulation; the study keeps its own.
    workers : int
        Processes.
    progress : Progress
        Told how far each stage has come.
    """
    compiling = get_context("spawn").Process(target=compile_kernels, args=(silent,))  # meanwhile, after an installation
    compiling.start()
    simulate_hospitals(out / "data", n_patients=n_patients, seed=seed, workers=workers, progress=progress)
    compiling.join()
    return run_study(load_study("simulated"), data=out / "data", out=out, workers=workers, progress=progress)
