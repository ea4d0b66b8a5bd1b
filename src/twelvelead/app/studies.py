"""Commands for studies: run, list and apply them, and simulate hospitals for them."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from twelvelead.app.shell import BAD_INPUT, OK, PARTLY, PROCESSES, Out, Workers, app
from twelvelead.app.show import Display


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
def study(  # noqa: PLR0913 - one for each flag
    name_or_toml: str,
    *,
    data: Annotated[Path, Parameter(help="Folder of the database.")],
    out: Out,
    seed: int | None = None,
    mode: Literal["sound", "paper", "both"] = "sound",
    features: Literal["measured", "embedded", "measured + embedded"] | None = None,
    embeddings: Path | None = None,
    workers: Workers = PROCESSES,
    scheduler: str | None = None,
) -> int:
    """Run a study end to end, and write its report, tables and models.

    Parameters
    ----------
    name_or_toml
        A built-in study, or the path of a declaration.
    seed
        Instead of the declared seed.
    mode
        `paper` repeats the published method with its faults, each of which the report names; `both` adds a table of
        what they change.
    features
        What the models may know of an ECG, instead of what is declared. With both, what the embedding adds is reported.
    embeddings
        Table of `twelvelead embed` of the development database's recordings; by default embeddings.parquet in its
        folder, or as declared. Given, a study of measurements becomes one of both.
    scheduler
        A Dask cluster that measures and fits instead of processes here, as in dask=tcp://10.0.0.1:8786; its workers
        must see the same folders.
    """
    from twelvelead.study import declare, run_both, start_study

    where, embedded = scheduler or workers, embeddings is not None
    if mode == "both":
        with Display() as display:
            two = run_both(
                declare(name_or_toml, seed=seed, features=features, embedded=embedded),
                declare(name_or_toml, seed=seed, mode="paper", features=features, embedded=embedded),
                data=data, out=out, embeddings=embeddings, workers=where, progress=display.progress,
            )  # fmt: skip
        display.comparison(two.comparison)
        display.note(f"What the published method changes is in {out / 'comparison.html'}.")
        return PARTLY if two.sound.refusals or two.paper.refusals else OK
    with Display() as display:
        declared = declare(name_or_toml, seed=seed, mode=mode, features=features, embedded=embedded)
        results = start_study(
            declared, data=data, out=out, embeddings=embeddings, workers=where, progress=display.progress
        )
    display.performance(results.performance)
    for refusal in results.refusals:
        display.note(refusal.message)
    display.note(f"The report is {out / 'report.html'}.")
    return PARTLY if results.refusals else display.failures(results.failures, partly=PARTLY)


@app.command
def studies() -> int:
    """List the built-in studies: their question, their publication, and the databases they need."""
    from twelvelead.study import builtin_studies, load_study

    for name in builtin_studies():
        known = load_study(name)
        uses = [known.database, *([known.external] if known.external else [])]
        databases = ", ".join(f"{use.kind}{' (optional)' if use.optional else ''}" for use in uses)
        lines = [name, f"  {known.question}", f"  needs: {databases}"]
        lines += [f"  {known.publication}"] if known.publication else []
        sys.stdout.write("\n".join(lines) + "\n")
    return OK


@app.command
def predict(
    study_dir: Path,
    *paths: Path,
    out: Out,
    demographics: Path | None = None,
    embeddings: Path | None = None,
    checkpoint: Path | None = None,
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
    embeddings
        Where the study's models know embeddings: the table of these recordings', by the same encoder.
    checkpoint
        The encoder itself, instead of a table.
    failures
        Table of the recordings that could not be measured or embedded, and why.
    """
    from twelvelead.study import predict_files

    with Display() as display:
        applied = predict_files(
            study_dir, paths, out=out, demographics=demographics, embeddings=embeddings, checkpoint=checkpoint,
            failures=failures, workers=workers, progress=display.progress,
        )  # fmt: skip
    n = applied.risks["recording_id"].n_unique()
    display.note(f"{n} recording(s) predicted by the models of {applied.model}: {out}")
    if applied.model != "ecg" and applied.n_without_demographics:
        display.note(f"{applied.n_without_demographics} of them have neither age nor sex in {demographics}.")
    return display.failures(applied.failures, partly=PARTLY if n else BAD_INPUT)


@app.command
def simulate(
    folder: Path,
    *,
    patients: int = 1000,
    layout: Literal["own", "mimic-iv", "ecg-view-ii", "diabetes", "diabetes-null"] = "own",
    waveforms: bool = False,
    seed: int = 0,
    workers: Workers = PROCESSES,
) -> int:
    """Write simulated hospitals and the truth they were made from: two of our own, or one as databases are published.

    Parameters
    ----------
    folder
        Gets `hospital_a` and `hospital_b`; of a published layout, its files under their published names.
    patients
        Patients of the hospital; of our own, the second has half as many.
    layout
        own: waveforms (WFDB) and linked tables. mimic-iv: the files of MIMIC-IV, -ED, -ECG, -Ext-ICD, MIMIC-CXR-JPG
        and CXR-LT. ecg-view-ii: those of ECG-ViEW II, with the same effects and another case mix. diabetes: a
        five-year cohort, three ECGs each, as tables; diabetes-null: the same, in which the ECG foretells nothing.
    waveforms
        Whether the layout of MIMIC-IV gets its waveforms too; our own always does.
    """
    from twelvelead.study.simulated_layouts import simulate_layout

    with Display() as display:
        simulate_layout(
            folder, layout=layout, n_patients=patients, seed=seed, waveforms=waveforms, workers=workers,
            progress=display.progress,
        )  # fmt: skip
    display.note(f"The simulated hospitals are in {folder}. Nobody in them is real.")
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
