"""The command that interprets recordings."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from twelvelead.app.recordings import declare
from twelvelead.app.shell import BAD_INPUT, OK, PARTLY, PROCESSES, Fs, Leads, Units, Workers, app
from twelvelead.app.show import Display


@app.command
def interpret(  # noqa: PLR0913 - one for each flag
    *paths: Path,
    format: Literal["text", "json", "html"] = "text",  # noqa: A002 - the flag's name
    out: Annotated[Path | None, Parameter(help="Folder for the reports and tables, instead of stdout.")] = None,
    pack: Annotated[str, Parameter(help="Criteria, separated by commas: aha_accf_hrs_2009, udmi4, erb.")] = "",
    age: float | None = None,
    sex: Literal["female", "male"] | None = None,
    subjects: Path | None = None,
    boxes: bool = False,
    dpi: float = 200,
    workers: Workers = PROCESSES,
    scheduler: str | None = None,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Interpret ECGs by published criteria: every statement with the numbers, and the stretches, it rests on.

    Of a recording longer than a minute the first 10 s are interpreted. A killed run with --out goes on where it was.

    Parameters
    ----------
    paths
        Recordings, or folders that are searched for readable ones.
    format
        For people; for programs, with the proofs; or pages that show the evidence on the drawn ECG.
    age
        Of the person, in years; some limits depend on it. By default what --subjects, a database's own table or the
        file says.
    sex
        Of the person; the same.
    subjects
        Table with recording_id, age_years and sex; PTB-XL's own is understood, and found by itself.
    boxes
        Say in JSON where each stretch lies on the drawing, in pixels.
    dpi
        Pixels per inch of it.
    scheduler
        A Dask cluster that interprets instead of processes here, as in dask=tcp://10.0.0.1:8786; its workers must see
        the same folders. Needs --out.
    """
    from twelvelead.study.interpreting import Request, Whose, interpret_files, print_files
    from twelvelead.terms import InputError

    packs = tuple(name.strip() for name in pack.split(",") if name.strip())
    request = Request(format, packs, boxes, dpi, declare(fs, leads, units))
    if not paths or (scheduler and out is None):
        missing = "a recording or a folder" if not paths else "--out, as a cluster writes files"
        msg = f"interpret needs {missing}; got none. Name it."
        raise InputError(msg)
    whose = Whose(subjects, age, sex)
    with Display() as display:
        if out is None:
            done = print_files(
                paths, write=sys.stdout.write, request=request, whose=whose, workers=workers, progress=display.progress
            )
        else:
            done = interpret_files(
                paths, out=out, request=request, whose=whose, workers=scheduler or workers, progress=display.progress
            )
    where = f": {out}" if out is not None else ""
    display.note(f"{done.n_interpreted} recording(s) interpreted, {done.failures.height} refused{where}")
    return display.failures(done.failures, partly=PARTLY if done.n_interpreted else BAD_INPUT) or OK
