"""What this installation can do, and what a folder of data is."""

import os
import platform
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from twelvelead.io import find_recordings, recognise_database
from twelvelead.io.databases import DATABASES
from twelvelead.study.declaration import builtin_studies, load_study
from twelvelead.study.versions import versions
from twelvelead.terms import RESEARCH_ONLY, InputError

EXTRAS = {"wfdb": "rarer WFDB formats", "pydicom": "DICOM", "edfio": "EDF", "sierraecg": "Philips XML", "h5py": "HDF5"}


def examine(data: Path | None) -> list[tuple[str, str]]:
    """Describe the installation, and a data folder where one is given, as named lines.

    Raises
    ------
    InputError
        If the folder is not there.
    """
    lines = [*versions().items(), ("platform", platform.platform()), ("processors", str(os.cpu_count()))]
    for module, use in EXTRAS.items():
        state = "installed" if find_spec(module) else f"not installed (pip install 'twelvelead[{module}]')"
        lines.append((f"extra {module}", f"{state}: {use}"))
    lines.append(("studies", ", ".join(builtin_studies())))
    lines.append(("notice", RESEARCH_ONLY))
    if data is not None:
        lines += _examine_folder(data)
    return lines


def _examine_folder(folder: Path) -> list[tuple[str, str]]:
    if not folder.is_dir():
        msg = f"--data must be a folder; got {str(folder)!r}, which is not there. Check the path."
        raise InputError(msg)
    lines = [("data", str(folder))]
    kind = recognise_database(folder)
    if kind is None:
        known = "; ".join(f"{k.name}: {k.meaning}" for k in DATABASES)
        lines.append(("database", f"none that is known here ({known})"))
    else:
        database = kind.load(folder)
        absent = sum(not _is_there(folder / path) for path in database.cohort["path"].drop_nulls())
        can = [name for name in builtin_studies() if load_study(name).database.kind == kind.name]
        lines += [
            ("database", f"{kind.name}: {kind.meaning}" + (" (simulated)" if database.simulated else "")),
            ("recordings", f"{database.cohort.height} in the tables, {absent} of them without waveform file"),
            ("patients", str(database.cohort["patient_id"].n_unique())),
            ("events", str(database.events.select(pl.len()).collect().item())),
            ("can be studied by", ", ".join(can) or "a declaration of your own"),
        ]
    lines.append(("waveform files", str(len(find_recordings([folder])))))
    return lines


def _is_there(path: Path) -> bool:
    return path.is_file() or path.with_name(path.name + ".hea").is_file()
