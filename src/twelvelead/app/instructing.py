"""The command that makes instruction data for language models."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from twelvelead.app.recordings import declare
from twelvelead.app.shell import OK, PARTLY, PROCESSES, Fs, Leads, Out, Units, Workers, app
from twelvelead.app.show import Display


@app.command
def instruct(  # noqa: PLR0913 - one for each flag
    *paths: Path,
    out: Out,
    dialect: Literal["gem", "pulse", "ecg-r1", "erb"],
    features: Literal["measured", "featuredb-compat"] = "measured",
    layouts: Annotated[str, Parameter(help="Of the pictures, separated by commas, or none.")] = "12x1,3x4",
    dpi: float = 100,
    licence: str = "not stated",
    demographics: Path | None = None,
    seed: int = 0,
    workers: Workers = PROCESSES,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Make data to teach a language model ECGs with: pictures, features, texts whose every number was measured.

    Parameters
    ----------
    paths
        Recordings, or folders that are searched for readable ones.
    dialect
        Whose form: GEM's and LLaVA's, PULSE's, ECG-R1's, or ECG-Reasoning-Benchmark's questions.
    features
        GEM's fourteen sequences as they are measured, or with the faults of the published FeatureDB, to compare with
        what was made from it: QT without the QRS complex, T with the ST segment.
    dpi
        Pixels per inch of the pictures.
    licence
        Of the recordings, as every example is to say it.
    demographics
        Table with recording_id, age_years, sex and patient_id; PTB-XL's own is understood, and found by itself.
    seed
        Of the split by patient, and of the wrong options in questions.
    """
    from twelvelead.study.instructing import Order, instruct_files

    order = Order(
        dialect=dialect, form="measured" if features == "measured" else "featuredb",
        layouts=() if layouts == "none" else tuple(name.strip() for name in layouts.split(",")), dpi=dpi,
        licence=licence, seed=seed, declared=declare(fs, leads, units),
    )  # fmt: skip
    with Display() as display:
        done = instruct_files(
            paths, out=out, order=order, demographics=demographics, workers=workers, progress=display.progress
        )
    counts = ", ".join(f"{n} {name}" for name, n in done.n_examples.items())
    display.note(f"{counts} example(s) of {done.n_recordings} recording(s), {done.failures.height} refused: {out}")
    if not done.by_patient:
        display.note("It is not known of every recording whose it is: a patient may be on both sides.")
    return display.failures(done.failures, partly=PARTLY) or OK
