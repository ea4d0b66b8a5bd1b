"""The command line: parse, call, print. Rooms are imported when a command needs them, so that `--help` is quick."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import cyclopts
from cyclopts import App, Parameter

from twelvelead import __version__
from twelvelead.app.show import Display

OK, USAGE, BAD_INPUT, PARTLY, MISSING_EXTRA, INTERRUPTED = 0, 2, 3, 4, 5, 130

app = App(
    name="twelvelead",
    version=__version__,
    suppress_keyboard_interrupt=False,  # main says how to go on
    help=(
        "Measure 12-lead ECGs and find out, honestly, what the measurements predict. "
        "Research software, not a medical device."
    ),
    help_epilogue=(
        "Exit status: 0 done, 2 usage, 3 bad input, 4 partly done (failures listed), 5 missing extra, "
        "130 interrupted (run again to resume)."
    ),
)

Workers = Annotated[int, Parameter(help="Processes. The results don't depend on it.")]
Out = Annotated[Path, Parameter(help="Where the result goes.")]
PROCESSES = os.cpu_count() or 1


@app.command
def demo(*, out: Out = Path("out/demo"), patients: int = 1000, seed: int = 0, workers: Workers = PROCESSES) -> int:
    """Simulate two hospitals, measure their ECGs, and study them end to end.

    Parameters
    ----------
    patients
        Patients of the first hospital; the second has half as many.
    seed
        Seed of the simulation.
    """
    from twelvelead.study import run_demo

    with Display() as display:
        results = run_demo(out, n_patients=patients, seed=seed, workers=workers, progress=display.progress)
    display.performance(results.performance)
    display.note(f"The report is {out / 'report.html'}. All data are simulated.")
    return OK


@app.command
def measure(  # noqa: PLR0913 - one for each flag
    *paths: Path,
    out: Out,
    fiducials: Path | None = None,
    failures: Path | None = None,
    findings: Path | None = None,
    machine: Path | None = None,
    identify: bool = False,
    workers: Workers = PROCESSES,
    fs: float | None = None,
    leads: str | None = None,
    units: str | None = None,
    refine: bool = True,
    scheduler: str | None = None,
) -> int:
    """Measure recordings: one row of named measurements each.

    Parameters
    ----------
    paths
        Recordings, or folders that are searched for readable ones.
    out
        The features table (.parquet or .csv).
    fiducials
        Table of wave onsets, peaks and offsets, one row per beat and lead.
    failures
        Table of the recordings that could not be measured, and why.
    findings
        Table of what is wrong with those that could: absent, flat, clipped, noisy or contradictory leads.
    machine
        Table of what the files say besides their samples: device, filters, time, age and sex, and the device's own
        measurements and statements.
    identify
        Whether that table may hold the patients' ids.
    fs
        Sampling frequency in Hz of signal tables (CSV, NPY, Parquet) that don't say it.
    leads
        Lead names of signal tables that don't say them, separated by commas.
    units
        Unit of signal tables that don't say it: mV, uV or V.
    refine
        Whether what was learnt from cardiologists' marks corrects the marks that the rules set.
    scheduler
        A Dask cluster that measures instead of processes here, as in dask=tcp://10.0.0.1:8786; its workers must see
        the same folders.
    """
    from twelvelead.io.formats import Declaration
    from twelvelead.study import measure_files

    declared = Declaration(fs=fs, leads=tuple(leads.split(",")) if leads else None, units=units)
    with Display() as display:
        measured = measure_files(
            paths, out=out, fiducials=fiducials, failures=failures, findings=findings, machine=machine,
            identify=identify, workers=scheduler or workers, declared=declared, refine=refine,
            progress=display.progress,
        )  # fmt: skip
    display.note(f"{measured.n_measured} recording(s) measured, {measured.failures.height} refused: {out}")
    return display.failures(measured.failures, partly=PARTLY if measured.n_measured else BAD_INPUT)


@app.command
def study(
    name_or_toml: str,
    *,
    data: Annotated[Path, Parameter(help="Folder of the database.")],
    out: Out,
    seed: int | None = None,
    mode: Literal["sound", "paper"] = "sound",
    workers: Workers = PROCESSES,
) -> int:
    """Run a study end to end, and write its report, tables and models.

    Parameters
    ----------
    name_or_toml
        A built-in study, or the path of a declaration.
    seed
        Instead of the declared seed.
    mode
        `paper` repeats the published method with its faults, each of which the report names.
    """
    from twelvelead.study import declare, run_study

    with Display() as display:
        declared = declare(name_or_toml, seed=seed, mode=mode)
        results = run_study(declared, data=data, out=out, workers=workers, progress=display.progress)
    display.performance(results.performance)
    for refusal in results.refusals:
        display.note(refusal.message)
    display.note(f"The report is {out / 'report.html'}.")
    return PARTLY if results.refusals else display.failures(results.failures, partly=PARTLY)


@app.command
def predict(
    study_dir: Path,
    *paths: Path,
    out: Out,
    demographics: Path | None = None,
    failures: Path | None = None,
    workers: Workers = PROCESSES,
) -> int:
    """Predict a finished study's outcomes for new recordings, each with its three strongest reasons.

    Parameters
    ----------
    study_dir
        Folder of the study.
    paths
        Recordings, or folders that are searched for readable ones.
    demographics
        Age and sex by recording_id (columns recording_id, age_years, sex), or the database's own table. Without it
        the study's ECG-only models are used.
    failures
        Table of the recordings that could not be measured, and why.
    """
    from twelvelead.study import predict_files

    with Display() as display:
        applied = predict_files(
            study_dir, paths, out=out, demographics=demographics, failures=failures, workers=workers,
            progress=display.progress,
        )  # fmt: skip
    n = applied.risks["recording_id"].n_unique()
    display.note(f"{n} recording(s) predicted by the models of {applied.model}: {out}")
    if applied.model != "ecg" and applied.n_without_demographics:
        display.note(f"{applied.n_without_demographics} of them have neither age nor sex in {demographics}.")
    return display.failures(applied.failures, partly=PARTLY if n else BAD_INPUT)


@app.command
def simulate(folder: Path, *, patients: int = 1000, seed: int = 0, workers: Workers = PROCESSES) -> int:
    """Write two simulated hospitals: waveforms (WFDB), linked tables, and the truth they were made from.

    Parameters
    ----------
    folder
        Gets `hospital_a` and `hospital_b`.
    patients
        Patients of the first hospital; the second has half as many.
    """
    from twelvelead.study import simulate_hospitals

    with Display() as display:
        simulate_hospitals(folder, n_patients=patients, seed=seed, workers=workers, progress=display.progress)
    display.note(f"Two simulated hospitals are in {folder}. Nobody in them is real.")
    return OK


@app.command
def doctor(*, data: Path | None = None) -> int:
    """Say what this installation can do, and with --data which database a folder is.

    Parameters
    ----------
    data
        A folder to examine.
    """
    from twelvelead.study import examine

    sys.stdout.write("\n".join(f"{name}: {value}" for name, value in examine(data)) + "\n")
    return OK


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    from twelvelead.app.show import complain

    try:
        return int(app(argv, exit_on_error=False, result_action="return_value") or OK)
    except cyclopts.CycloptsError:
        return USAGE
    except KeyboardInterrupt:
        complain("interrupted; run the same command again to go on from there.")
        return INTERRUPTED
    except (ValueError, OSError) as error:
        from twelvelead.terms import Error, MissingExtra

        if not isinstance(error, Error | OSError):
            raise
        complain(str(error))
        return MISSING_EXTRA if isinstance(error, MissingExtra) else BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
