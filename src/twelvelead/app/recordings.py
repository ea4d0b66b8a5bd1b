"""Commands for recordings: look into files, draw, measure and convert them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from twelvelead.app.shell import BAD_INPUT, OK, PARTLY, PROCESSES, Fs, Leads, Out, Units, Workers, app
from twelvelead.app.show import Display

if TYPE_CHECKING:
    from twelvelead.io.formats import Declaration


def declare(fs: float | None, leads: str | None, units: str | None, entry: str | None = None) -> "Declaration":
    """Put together what a file doesn't say of itself."""
    from twelvelead.io.formats import Declaration

    return Declaration(fs=fs, leads=tuple(leads.split(",")) if leads else None, units=units, entry=entry)


@app.command
def inspect(
    path: Path,
    *,
    format: Literal["text", "json"] = "text",  # noqa: A002 - the flag's name
    entry: str | None = None,
    identify: bool = False,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Say what is in a waveform file, what is missing, how good it is, and whether its device and we agree.

    Parameters
    ----------
    path
        A recording; of a folder, or of a file with several recordings, it is said what it holds.
    format
        For people or for programs.
    entry
        Which recording of a file that holds several.
    identify
        Show the patient's name, number and date of birth, where the file has them.
    """
    from twelvelead.app.inspection import as_json, as_text
    from twelvelead.study import inspect_path

    declared = declare(fs, leads, units, entry)
    with Display() as display:
        found = inspect_path(path, declared=declared, identify=identify, progress=display.progress)
    sys.stdout.write(as_json(found) if format == "json" else as_text(found))
    return PARTLY if getattr(found, "failures", ()) else OK


@app.command
def plot(  # noqa: PLR0913 - one for each flag
    path: Path,
    *,
    out: Annotated[Path, Parameter(name=("--out", "-o"), help="The picture: .svg, .pdf or .png.")],
    layout: Literal["auto", "3x4+1", "3x4", "6x2", "12x1", "rows"] = "auto",
    cabrera: bool = False,
    speed: Literal[25, 50] = 25,
    gain: Literal[5, 10, 20] = 10,
    start: float = 0.0,
    marks: bool = True,
    median: bool = False,
    dpi: float = 200,
    identify: bool = False,
    entry: str | None = None,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Draw an ECG on millimetre paper at true scale, with what was measured.

    Parameters
    ----------
    path
        The recording.
    layout
        Rows × columns, "+1" with a rhythm strip; "rows" has one for each lead that is there; "auto" chooses.
    cabrera
        Limb leads in the order aVL, I, −aVR, II, aVF, III.
    speed
        mm/s.
    gain
        mm/mV.
    start
        First second drawn, of 10 s.
    marks
        Mark onset and offset of the waves, and PR, QRS and QT of one beat.
    median
        Draw the median beat: the device's where the file has one, otherwise ours.
    dpi
        Pixels per inch of a PNG.
    identify
        Print the patient's name, number and date of birth, where the file has them.
    entry
        Which recording of a file that holds several.
    """
    from twelvelead.report.ecg_sheet import Paper
    from twelvelead.study import plot_file

    declared = declare(fs, leads, units, entry)
    paper = Paper(layout=layout, cabrera=cabrera, speed=speed, gain=gain, start_s=start)
    plot_file(path, out=out, paper=paper, marks=marks, median=median, dpi=dpi, declared=declared, identify=identify)
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
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
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
    refine
        Whether what was learnt from cardiologists' marks corrects the marks that the rules set.
    scheduler
        A Dask cluster that measures instead of processes here, as in dask=tcp://10.0.0.1:8786; its workers must see
        the same folders.
    """
    from twelvelead.study import measure_files

    declared = declare(fs, leads, units)
    with Display() as display:
        measured = measure_files(
            paths, out=out, fiducials=fiducials, failures=failures, findings=findings, machine=machine,
            identify=identify, workers=scheduler or workers, declared=declared, refine=refine,
            progress=display.progress,
        )  # fmt: skip
    display.note(f"{measured.n_measured} recording(s) measured, {measured.failures.height} refused: {out}")
    return display.failures(measured.failures, partly=PARTLY if measured.n_measured else BAD_INPUT)


@app.command
def convert(  # noqa: PLR0913 - one for each flag
    source: Path,
    out: Path,
    *,
    to: Literal["wfdb", "dicom", "shards"] | None = None,
    deidentify: bool = False,
    identify: bool = False,
    key: Path | None = None,
    crosswalk: Path | None = None,
    failures: Path | None = None,
    workers: Workers = PROCESSES,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Convert recordings to WFDB, to DICOM, or to shards for training and repeated reading.

    Parameters
    ----------
    source
        A recording, or a folder that is searched for readable ones.
    out
        Folder to be made: a file per recording, in the folders it was found in, or shards. Of a single recording also
        the file that it becomes, in .hea (WFDB) or .dcm (DICOM).
    to
        The format; by default that of the file named, and WFDB for a folder.
    deidentify
        Leave out whom the recordings are of: pseudonyms for ids, no names, dates shifted per patient, statements only
        in words that describe ECGs. What is left can't be guaranteed to tell nobody.
    identify
        Keep the patient's id, name and date of birth where the format has a place for them.
    key
        File of the secret from which pseudonyms are made, so that a later batch gets the same; made if it is not there.
        Without it the secret is destroyed at the end.
    crosswalk
        Table of old ids beside new ones, which tells whom de-identified recordings are of.
    failures
        Table of the recordings that were not converted, and why.
    """
    from twelvelead.study import convert_files

    declared = declare(fs, leads, units)
    form = to or ("dicom" if out.suffix.lower() == ".dcm" else "wfdb")
    with Display() as display:
        converted = convert_files(
            [source], out=out, to=form, deidentify=deidentify, identify=identify, key=key, failures=failures,
            crosswalk=crosswalk, workers=workers, declared=declared, progress=display.progress,
        )  # fmt: skip
    display.note(f"{converted.n_written} recording(s) converted, {converted.failures.height} refused: {out}")
    if converted.n_rounded:
        display.note(f"{converted.n_rounded} of them lie between steps of 1 uV or their own, and are rounded to these.")
    if deidentify:
        display.note(f"{converted.n_dropped} statement(s) left out, as they may tell somebody.")
    return display.failures(converted.failures, partly=PARTLY if converted.n_written else BAD_INPUT)
