"""Units of voltage, and what a signal table must declare of itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.io.formats.source import Source
from twelvelead.io.tables import read_json
from twelvelead.signal import Recording, lead_name
from twelvelead.terms import InputError

MV_PER = {"mv": 1.0, "uv": 1e-3, "µv": 1e-3, "μv": 1e-3, "microvolt": 1e-3, "v": 1e3, "nv": 1e-6}
"""mV per unit, by the unit's name in lower case."""
SECONDS_PER = {"time_s": 1.0, "time": 1.0, "t": 1.0, "t_s": 1.0, "seconds": 1.0, "time_ms": 1e-3, "t_ms": 1e-3}
"""Names of a column that holds the time, and how many s its unit is."""
NO_SIGNALS = {*SECONDS_PER, "sample", "index", ""}
"""Names in lower case of columns that hold no signal: those of time, and mere numbers of samples."""
FASTEST = 1e6  # Hz; no electrocardiograph samples as fast


@dataclass(frozen=True)
class Declaration:
    """What a file without a header can't say of itself.

    Parameters
    ----------
    fs : float or None
        Sampling frequency in Hz.
    leads : tuple of str or None
        One name per column.
    units : str or None
        Unit of the samples: mV, uV or V.
    entry : str or None
        Which recording is meant, of a file that holds several.
    """

    fs: float | None = None
    leads: tuple[str, ...] | None = None
    units: str | None = None
    entry: str | None = None


UNDECLARED = Declaration()


def declared(path: Path, arguments: Declaration) -> Declaration:
    """Complete what the caller declares by the file's sidecar, `<stem>.json` with the keys fs, leads and units.

    Raises
    ------
    InputError
        If the sidecar holds something else.
    """
    said = read_sidecar(path)
    return Declaration(
        fs=said.fs if arguments.fs is None else arguments.fs,
        leads=said.leads if arguments.leads is None else arguments.leads,
        units=said.units if arguments.units is None else arguments.units,
    )


def read_sidecar(path: Path) -> Declaration:
    """Read what `<stem>.json` declares of a file; nothing where there is none.

    Raises
    ------
    InputError
        If the sidecar holds something else.
    """
    sidecar = path.with_suffix(".json")
    if not sidecar.is_file():
        return Declaration()
    try:
        said = read_json(sidecar)
    except RecursionError:
        said = "brackets without end"
    if not isinstance(said, dict) or not set(said) <= {"fs", "leads", "units"}:
        msg = f"a sidecar must hold only fs, leads and units; got {str(said)[:80]} in {sidecar.name}. Mend it."
        raise InputError(msg)
    fs, leads, units = said.get("fs"), said.get("leads"), said.get("units")
    if fs is not None and (isinstance(fs, bool) or not isinstance(fs, int | float)):
        msg = f"fs must be a number of Hz; got {fs!r} in {sidecar.name}. Mend it."
        raise InputError(msg)
    if leads is not None and not (isinstance(leads, list) and all(isinstance(lead, str) for lead in leads)):
        msg = f"leads must be a list of names; got {str(leads)[:80]!r} in {sidecar.name}. Mend it."
        raise InputError(msg)
    if units is not None and not isinstance(units, str):
        msg = f"units must be one of mV, uV, V; got {units!r} in {sidecar.name}. Mend it."
        raise InputError(msg)
    return Declaration(fs=fs, leads=None if leads is None else tuple(leads), units=units)


def is_declared(path: Path) -> bool:
    """Whether a sidecar names the leads of a file; a file of the same stem that is no sidecar does not."""
    try:
        return read_sidecar(path).leads is not None
    except InputError:
        return False


def by_time(samples: NDArray[np.number], declaration: Declaration) -> NDArray[np.number]:
    """Turn a 2-D array so that its columns are leads, shape (n_samples, n_leads).

    Leads lie along the side that has as many places as leads are declared; where both sides or neither have, along the
    shorter one.
    """
    along = [side == len(declaration.leads or ()) for side in samples.shape]
    leads_first = along[0] if along[0] != along[1] else samples.shape[0] < samples.shape[1]
    return samples.T if leads_first else samples


def to_source(
    columns: NDArray[np.number], declaration: Declaration, *, path: Path, entry: str = "", units: Sequence[str] = ()
) -> Source:
    """Make a source of columns of samples and a complete declaration.

    Parameters
    ----------
    columns : ndarray, shape (n_samples, n_leads)
        Samples. A column of a name that is one of `NO_SIGNALS` is left out.
    declaration : Declaration
        fs, leads and, but for the next, units.
    path : Path
        Where they come from.
    entry : str
        The recording's id, instead of the file's stem.
    units : sequence of str
        The unit of each column, where the file says it.

    Raises
    ------
    InputError
        If something is not declared, or makes no sense.
    """
    where = f"for {path.name}. Give it as an argument, or in a sidecar {path.stem}.json with the keys fs, leads, units."
    for key in ("fs", "leads", "units"):
        if getattr(declaration, key) is None and not (key == "units" and units):
            msg = f"a signal table must declare {key}; got none {where}"
            raise InputError(msg)
    leads, fs = declaration.leads or (), declaration.fs or 0
    units = units or [str(declaration.units)] * len(leads)
    unknown = [unit for unit in units if unit.lower() not in MV_PER]
    if unknown:
        msg = f"units must be one of mV, uV, V; got {unknown[0]!r} {where}"
        raise InputError(msg)
    if columns.shape[1] != len(leads):
        msg = f"leads must name every column; got {len(leads)} names for {columns.shape[1]} columns {where}"
        raise InputError(msg)
    if not 0 < fs < FASTEST:
        msg = f"fs must be a positive number of Hz; got {fs!r} {where}"
        raise InputError(msg)
    kept = [n for n, lead in enumerate(leads) if lead.strip().lower() not in NO_SIGNALS]
    if len(kept) < len(leads):
        columns = columns[:, kept]
    names = tuple(lead_name(leads[n]) for n in kept)
    factors = np.array([MV_PER[units[n].lower()] for n in kept])

    def span(first: int, stop: int) -> Recording:
        some: NDArray[np.floating] = np.asarray(columns[first:stop], dtype=np.float64)
        return Recording((some * factors).T, names, float(fs), id=entry or path.stem)

    steps = tuple(factors.tolist()) if columns.dtype.kind in "iu" else ()  # whole numbers are those of a converter
    return Source(float(fs), len(columns), span, step_mv=steps)
