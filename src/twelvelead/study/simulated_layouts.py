"""Write a simulated hospital in the layout of MIMIC-IV or ECG-ViEW II, block by block, in bounded memory."""

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from twelvelead.io.databases.card import CARD
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.io.tables import sink_table, write_bytes, write_json, write_table, write_text
from twelvelead.simulate import recording
from twelvelead.simulate.published import (
    BLOCK,
    ECG_VIEW,
    MIMIC,
    MOST_PATIENTS,
    Block,
    Plan,
    describe_outcomes,
    describe_signs,
    draw_block,
    ecg_view_statics,
    ecg_view_tables,
    mimic_statics,
    mimic_tables,
    optimum_of,
)
from twelvelead.simulate.published.mimic import ECG
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.simulated import simulate_hospitals
from twelvelead.study.simulated_diabetes import LAYOUTS as DIABETES
from twelvelead.study.simulated_diabetes import simulate_diabetes
from twelvelead.terms import InputError

Tables = dict[str, pl.DataFrame]

OWN = "own"
_TIME = "%Y-%m-%d %H:%M:%S"
_GZIP_LEVEL = 4
_OPTIMUM_SEED = 0  # of the draw that the best reachable AUROCs come from, whatever the hospital's seed


@dataclass(frozen=True)
class Layout:
    """A published layout.

    Parameters
    ----------
    name : str
        What the command line calls it.
    kind : str
        The database of `io.databases` that reads it.
    plan : Plan
        Whose patients.
    tables : callable
        Block to its rows of every table, by path, and the truth.
    statics : callable
        The tables that no patient is in.
    encoding : str
        Of the files' text.
    waveforms : str or None
        Folder that the ECGs' paths are relative to; None where the original has no waveforms.
    """

    name: str
    kind: str
    plan: Plan
    tables: Callable[[Block], tuple[Tables, pl.DataFrame]]
    statics: Callable[[], Tables]
    encoding: str
    waveforms: str | None


LAYOUTS = (
    Layout("mimic-iv", "mimic_iv", MIMIC, mimic_tables, mimic_statics, "utf-8", ECG),
    Layout("ecg-view-ii", "ecg_view_ii", ECG_VIEW, ecg_view_tables, ecg_view_statics, "latin-1", None),
)


@dataclass(frozen=True)
class _Part:
    """A block to be written by one worker."""

    layout: str
    number: int
    n_patients: int
    seed: int
    folder: Path
    parts: Path
    waveforms: bool

    @property
    def place(self) -> Path:
        return self.parts / f"{self.number:05d}"


def simulate_layout(
    folder: Path,
    *,
    layout: str,
    n_patients: int,
    seed: int,
    waveforms: bool = False,
    workers: int = 1,
    progress: Progress = silent,
) -> None:
    """Write a simulated hospital in a published layout, or two in our own, with their truth beside them.

    Parameters
    ----------
    folder : Path
        Gets the published files, `README.txt`, `database.json` (says that all is simulated, and the best reachable
        AUROCs) and `truth`: what is true of every ECG, and every outcome's formula.
    layout : {"own", "mimic-iv", "ecg-view-ii", "diabetes", "diabetes-null"}
        Whose files; "own" is what `simulate_hospitals` writes, always with waveforms; "diabetes" and "diabetes-null"
        what `simulate_diabetes` writes, without.
    n_patients : int
        From 1 to `MOST_PATIENTS`. The patients and ECGs of a smaller hospital of the same seed are the first ones of a
        larger.
    seed : int
        Not negative. The same seed and number give the same files, whatever the number of workers.
    waveforms : bool
        Whether the ECGs themselves are written, as WFDB at the published paths: about 120 kB each.
    workers : int
        Processes.
    progress : Progress
        Told after each thousand patients.

    Raises
    ------
    InputError
        If an argument can't be right, or waveforms are asked for of a layout that has none.

    Notes
    -----
    A run that was broken off goes on where it was when it is started again with the same arguments.
    """
    if layout in DIABETES:
        simulate_diabetes(folder, n_patients=n_patients, seed=seed, null=layout != DIABETES[0])
        return
    if layout == OWN:
        simulate_hospitals(folder, n_patients=n_patients, seed=seed, workers=workers, progress=progress)
        return
    chosen = _find_layout(layout)
    _check(chosen, n_patients=n_patients, seed=seed, waveforms=waveforms)
    parts_folder = folder / f".parts-{layout}-{n_patients}-{seed}-{'w' if waveforms else 't'}"
    parts = [
        _Part(layout, number, min(BLOCK, n_patients - first), seed, folder, parts_folder, waveforms)
        for number, first in enumerate(range(0, n_patients, BLOCK))
    ]
    waiting = [part for part in parts if not part.place.is_dir()]
    run_tasks(_write_part, waiting, workers=workers, stage=f"simulating {layout}", progress=progress)
    _join(parts, folder)
    for path, table in chosen.statics().items():
        write_bytes(_encode(table, path, layout=chosen, header=True), folder / path)
    write_table(describe_outcomes(), folder / "truth" / "outcomes.csv")
    write_text(_readme(chosen, n_patients=n_patients, seed=seed), folder / "README.txt")
    # The card is written last: a folder that has it is complete.
    optimum = optimum_of(chosen.plan, seed=_OPTIMUM_SEED)
    write_json({"name": chosen.plan.site.name, "simulated": True, "optimum": optimum}, folder / CARD)
    shutil.rmtree(parts_folder)


def _find_layout(name: str) -> Layout:
    for layout in LAYOUTS:
        if layout.name == name:
            return layout
    known = ", ".join((OWN, *(layout.name for layout in LAYOUTS), *DIABETES))
    msg = f"layout must be one of {known}; got {name!r}. Choose one of them."
    raise InputError(msg)


def _check(layout: Layout, *, n_patients: int, seed: int, waveforms: bool) -> None:
    if not 1 <= n_patients <= MOST_PATIENTS:
        msg = f"patients must be from 1 to {MOST_PATIENTS}; got {n_patients}. Choose another number."
        raise InputError(msg)
    if seed < 0:
        msg = f"seed must not be negative; got {seed}. Choose another."
        raise InputError(msg)
    if waveforms and layout.waveforms is None:
        msg = f"waveforms must be of a layout that has them; got {layout.name}, which has none. Leave them out."
        raise InputError(msg)


def _write_part(part: _Part) -> None:
    """Write a block's rows, each table as a piece of its file, and its truth; the folder appears when it is whole."""
    layout = _find_layout(part.layout)
    block = draw_block(part.number, n_patients=part.n_patients, plan=layout.plan, seed=part.seed)
    tables, truth = layout.tables(block)
    scratch = part.place.with_suffix(".unfinished")
    shutil.rmtree(scratch, ignore_errors=True)
    for path, table in tables.items():
        piece = scratch / path
        piece.parent.mkdir(parents=True, exist_ok=True)
        piece.write_bytes(_encode(table, path, layout=layout, header=part.number == 0))
    sink_table(truth.lazy(), scratch / "truth.parquet", durable=False)
    if part.waveforms and layout.waveforms is not None:
        for row in truth.iter_rows(named=True):
            ecg = recording(row, site=layout.plan.site)
            header = part.folder / layout.waveforms / f"{row['path']}.hea"
            write_wfdb(replace(ecg, start=row["recorded_at"]), header, adc_per_mv=1 / layout.plan.site.adc_step_mv)
    scratch.rename(part.place)


def _encode(table: pl.DataFrame, path: str, *, layout: Layout, header: bool) -> bytes:
    """Write a table as CSV; pieces of compressed files can be put one behind the other."""
    text = table.write_csv(include_header=header, datetime_format=_TIME).encode(layout.encoding)
    return gzip.compress(text, compresslevel=_GZIP_LEVEL, mtime=0) if path.endswith(".gz") else text


def _join(parts: list[_Part], folder: Path) -> None:
    """Put the pieces of every file one behind the other, and the parts of the truth into its folder."""
    first = parts[0].place
    for piece in sorted(path.relative_to(first) for path in first.rglob("*.csv*")):
        target = folder / piece
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.with_name(f".{target.name}.unfinished")
        with scratch.open("wb") as file:
            for part in parts:
                with (part.place / piece).open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
        scratch.replace(target)
    truth = folder / "truth" / "recordings"
    shutil.rmtree(truth, ignore_errors=True)
    truth.mkdir(parents=True)
    for part in parts:
        shutil.copyfile(part.place / "truth.parquet", truth / f"{part.number:05d}.parquet")


def _readme(layout: Layout, *, n_patients: int, seed: int) -> str:
    signs = "\n".join(f"  {name}: {definition}" for name, definition in describe_signs().items())
    return (
        f"ALL DATA IN THIS FOLDER ARE SIMULATED. Nobody in them is real.\n\n"
        f"They have the layout of {layout.name}, and nothing else of it: {n_patients} patients, seed {seed}, made by\n"
        f"`twelvelead simulate DIR --layout {layout.name} --patients {n_patients} --seed {seed}`.\n\n"
        "truth/recordings/*.parquet: what is true of each ECG; risk_<name>, the true risk; y_<target>, what became of\n"
        "it. truth/outcomes.csv: every outcome, planted or null, and the formula of its log-odds, in terms of\n"
        f"{signs}\n"
        "database.json: the best AUROC that any model can reach for each target.\n\n"
        "Diseases are commoner here than in any hospital, so that a thousand patients make a study. What a stay is\n"
        "coded with follows the risk at its first ECG. Codes of other stays, X-rays before the ECG or more than a day\n"
        "after it, and blood samples hours or days away say nothing about it.\n"
    )
