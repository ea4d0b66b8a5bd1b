"""Units of voltage, and what a signal table must declare of itself."""

import math
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
    said = read_json(sidecar)
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


def to_source(columns: NDArray[np.number], declaration: Declaration, *, path: Path) -> Source:
    """Make a source of columns of samples, shape (n_samples, n_leads), and a complete declaration.

    Raises
    ------
    InputError
        If fs, leads or the unit is not declared, or the number of leads is another.
    """
    where = f"in {path.name}. Give --fs, --leads and --units, or a sidecar {path.stem}.json with these keys."
    for key in ("fs", "leads", "units"):
        if getattr(declaration, key) is None:
            msg = f"a signal table must declare {key}; got none {where}"
            raise InputError(msg)
    leads, units, fs = declaration.leads or (), str(declaration.units), float(declaration.fs or 0)
    if units.lower() not in MV_PER:
        msg = f"units must be one of mV, uV, V; got {units!r} {where}"
        raise InputError(msg)
    if columns.shape[1] != len(leads):
        msg = f"leads must name every column; got {len(leads)} names for {columns.shape[1]} columns {where}"
        raise InputError(msg)
    if not (math.isfinite(fs) and fs > 0):
        msg = f"fs must be a positive number of Hz; got {fs!r} {where}"
        raise InputError(msg)
    names, factor = tuple(lead_name(lead) for lead in leads), MV_PER[units.lower()]

    def span(first: int, stop: int) -> Recording:
        some: NDArray[np.floating] = np.asarray(columns[first:stop], dtype=np.float64)
        return Recording(some.T * factor, names, fs, id=path.stem)

    return Source(fs, len(columns), span)
