"""Interpret recordings for the command line: files in, reports out, each with its evidence."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from twelvelead.interpret.case import examine
from twelvelead.interpret.criteria import Pack, Sex
from twelvelead.interpret.packs import DEFAULT, PACKS, combine
from twelvelead.io import Found, find_recordings
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.tables import write_json, write_table, write_text
from twelvelead.report.interpretation import DPI, Reading, as_json, as_text, interpret_case
from twelvelead.report.interpretation_page import interpretation_page
from twelvelead.study.fingerprint import fingerprint
from twelvelead.study.instructing import read_beginning
from twelvelead.study.kernels import compile_kernels
from twelvelead.study.lock import hold
from twelvelead.study.people import Person, people_of
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.refusal import refusing, take_unique
from twelvelead.terms import FAILURES, InputError, Reason

PART = 16
"""Recordings: about a second of work, and all that a killed run has lost of each worker."""
SUFFIXES = {"text": ".txt", "json": ".json", "html": ".html"}
_VERDICTS = {
    "recording_id": pl.String, "pack": pl.String, "finding": pl.String, "label": pl.String, "group": pl.String,
    "verdict": pl.String, "borderline": pl.Boolean, "why": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What is wanted of recordings.

    Parameters
    ----------
    format : {"text", "json", "html"}
        Of the reports.
    packs : tuple of str
        Keys of packs, judged as one; none: those that an ECG is usually interpreted by.
    boxes : bool
        Whether JSON has the boxes of each stretch on the drawing.
    dpi : float
        Pixels per inch of it.
    declared : Declaration
        What signal tables don't say of themselves.

    Raises
    ------
    InputError
        If a format or a pack is unknown, or two packs contradict one another.
    """

    format: str = "text"
    packs: tuple[str, ...] = ()
    boxes: bool = False
    dpi: float = DPI
    declared: Declaration = UNDECLARED

    def __post_init__(self) -> None:
        if self.format not in SUFFIXES:
            msg = f"format must be one of {', '.join(SUFFIXES)}; got {self.format!r}. Choose one."
            raise InputError(msg)
        if not 20 <= self.dpi <= 600:
            msg = f"dpi must be from 20 to 600; got {self.dpi:g}. Choose one of these."
            raise InputError(msg)
        choose_pack(self.packs)


@dataclass(frozen=True)
class Whose:
    """What is known of the persons.

    Parameters
    ----------
    subjects : Path or None
        Age and sex by recording, as `people_of` takes them.
    age_years : float or None
        Of all of them, instead of what any table or file says.
    sex : {"female", "male"} or None
        The same.
    """

    subjects: Path | None = None
    age_years: float | None = None
    sex: Sex | None = None


@dataclass(frozen=True)
class InterpretPart:
    """Recordings that are done in one go, whose they are, and where what comes of them goes."""

    recordings: tuple[Found, ...]
    people: tuple[Person, ...]
    request: Request
    out: Path
    outcome: Path


@dataclass(frozen=True)
class Interpreted:
    """What came of it.

    Parameters
    ----------
    n_interpreted : int
        Recordings that there are reports of.
    failures : DataFrame keeping `terms.FAILURES`
        The others.
    """

    n_interpreted: int
    failures: pl.DataFrame


def choose_pack(keys: Sequence[str]) -> Pack:
    """Take the packs of these names as one; without any, the usual ones.

    Raises
    ------
    InputError
        If there is no such pack, or two mean different things by one name.

    Examples
    --------
    >>> choose_pack(()).key, choose_pack(("erb",)).key
    ('aha_accf_hrs_2009+udmi4', 'erb')
    """
    for key in keys:
        if key not in PACKS:
            msg = f"a pack must be one of {', '.join(PACKS)}; got {key!r}. Choose one."
            raise InputError(msg)
    return combine(*(PACKS[key] for key in dict.fromkeys(keys))) if keys else DEFAULT


def interpret_found(found: Found, person: Person, request: Request) -> Reading:
    """Interpret one recording; of one longer than a minute the first 10 s.

    Raises
    ------
    InputError, FormatError, MissingExtra
        If it can't be read.
    Unmeasurable
        If it can't be measured.
    """
    recording = read_beginning(found, request.declared)
    case = examine(recording, age_years=person.age_years, sex=person.sex)
    return interpret_case(case, choose_pack(request.packs))


def write_reading(reading: Reading, request: Request) -> str:
    """Write an interpretation in the format that is wanted."""
    if request.format == "html":
        return interpretation_page(reading)
    if request.format == "text":
        return as_text(reading)
    content = as_json(reading, boxes=request.boxes, dpi=request.dpi)
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"


def interpret_files(
    paths: Sequence[Path],
    *,
    out: Path,
    request: Request,
    whose: Whose = Whose(),
    workers: int | str = 1,
    progress: Progress = silent,
) -> Interpreted:
    """Interpret all recordings found under `paths`.

    Parameters
    ----------
    paths : sequence of Path
        Recordings, and folders that are searched.
    out : Path
        Folder for a report of each recording, named by its id, `findings.csv` with all verdicts, and `failures.csv`.
    request : Request
        What is wanted.
    whose : Whose
        What is known of the persons.
    workers : int or str
        Processes of this machine, or `dask=ADDRESS` of a Dask cluster. The files don't depend on it.
    progress : Progress
        Told how far it has come.

    Raises
    ------
    InputError
        If a path is not there, no recording is found, or another process works in `out`.

    Notes
    -----
    A killed run leaves what it has done in `out`; the same command takes it up.
    """
    unique, repeated = take_unique(find_recordings(paths))
    people = [_override(person, whose) for person in people_of(unique, paths, whose.subjects, request.declared)]
    with hold(out):
        parts = _plan(unique, people, request, out=out.absolute())
        todo = [part for part in parts if not part.outcome.is_file()]
        if todo and isinstance(workers, int):
            compile_kernels(progress)
        run_tasks(
            interpret_part, todo, workers=workers, stage="interpreting", progress=progress,
            size=lambda part: len(part.recordings), needs=_needs,
        )  # fmt: skip
        done = _assemble(parts, repeated, out)
        shutil.rmtree(out / "unfinished")
    return done


def print_files(
    paths: Sequence[Path],
    *,
    write: Callable[[str], object],
    request: Request,
    whose: Whose = Whose(),
    workers: int = 1,
    progress: Progress = silent,
) -> Interpreted:
    """Interpret all recordings found under `paths`, and write the reports one after the other.

    Parameters
    ----------
    paths, request, whose, workers, progress
        As `interpret_files` takes them.
    write : callable
        Takes a report. JSON is one line for each recording.
    """
    with TemporaryDirectory() as folder:
        out = Path(folder) / "reports"
        done = interpret_files(paths, out=out, request=request, whose=whose, workers=workers, progress=progress)
        files = sorted(path for path in out.rglob(f"*{SUFFIXES[request.format]}"))
        for k, path in enumerate(files):
            text = path.read_text(encoding="utf-8")
            write("\n" + text if k and request.format == "text" else text)
    return done


def interpret_part(part: InterpretPart) -> None:
    """Write the reports of a part, and last what came of each recording."""
    verdicts: list[dict[str, Any]] = []
    refused: list[dict[str, str]] = []
    for found, person in zip(part.recordings, part.people, strict=True):
        text = None
        with refusing(found, refused, doing="interpret"):
            reading = interpret_found(found, person, part.request)
            text = write_reading(reading, part.request)
        if text is not None:
            write_text(text, report_path(part.out, found.recording_id, part.request.format))
            verdicts += _verdicts(reading)
    write_json({"verdicts": verdicts, "refused": refused}, part.outcome)


def report_path(out: Path, recording_id: str, form: str) -> Path:
    """Name the file of a report: the recording's id, in the folders that it names."""
    steps = [step for step in recording_id.replace("\\", "/").split("/") if step not in {"", ".", ".."}]
    return out.joinpath(*steps[:-1], f"{steps[-1] if steps else 'recording'}{SUFFIXES[form]}")


def _override(person: Person, whose: Whose) -> Person:
    age = person.age_years if whose.age_years is None else whose.age_years
    return Person(person.patient, age, whose.sex or person.sex, known=person.known)


def _plan(unique: Sequence[Found], people: Sequence[Person], request: Request, *, out: Path) -> list[InterpretPart]:
    """Deal recordings out to parts, named by all that they depend on."""
    parts = []
    for start in range(0, len(unique), PART):
        part, whose = tuple(unique[start : start + PART]), tuple(people[start : start + PART])
        name = f"{start // PART:06d}-{fingerprint(part, (request, whose))[:16]}.json"
        parts.append(InterpretPart(part, whose, request, out, out / "unfinished" / name))
    (out / "unfinished").mkdir(parents=True, exist_ok=True)
    return parts


def _needs(part: InterpretPart) -> list[str]:
    """Find the files that are there to see for whoever does a part."""
    files = [str(found.path) for found in part.recordings]
    return [str(part.out), *(file for file in files if Path(file).is_file())]


def _verdicts(reading: Reading) -> list[dict[str, Any]]:
    """Give a row for each finding of a recording."""
    rows = []
    for finding in reading.pack.findings:
        proof = reading.found.findings[finding.key]
        rows.append(
            {"recording_id": reading.case.recording.id, "pack": reading.pack.key, "finding": finding.key,
             "label": finding.label, "group": finding.group, "verdict": proof.verdict.value,
             "borderline": proof.borderline, "why": proof.why}
        )  # fmt: skip
    return rows


def _assemble(parts: Sequence[InterpretPart], repeated: dict[str, str], out: Path) -> Interpreted:
    """Write the tables of all recordings."""
    outcomes = [json.loads(part.outcome.read_text(encoding="utf-8")) for part in parts]
    refused = [row for outcome in outcomes for row in outcome["refused"]]
    n_interpreted = sum(len(part.recordings) for part in parts) - len(refused)
    refused += [{"recording_id": n, "reason": Reason.DUPLICATE.value, "message": m} for n, m in repeated.items()]
    failures = FAILURES.check(FAILURES.select(refused).sort("recording_id", "reason"))
    verdicts = pl.DataFrame([row for outcome in outcomes for row in outcome["verdicts"]], schema=_VERDICTS)
    write_table(verdicts, out / "findings.csv")
    write_table(failures, out / "failures.csv")
    return Interpreted(n_interpreted, failures)
