"""The command line's frame: its name, its exit statuses, and the flags that many commands share."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from twelvelead import __version__

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

# What signal tables (CSV, NPY, Parquet, …) don't say of themselves.
Fs = Annotated[float | None, Parameter(help="Sampling frequency in Hz, of signal tables that don't say it.")]
Leads = Annotated[str | None, Parameter(help="Lead names, separated by commas, of signal tables that don't say them.")]
Units = Annotated[str | None, Parameter(help="Unit of signal tables that don't say it: mV, uV or V.")]
