"""Make instruction data of an archive: pictures, features, narratives with their evidence, split by patient."""

import hashlib
import json
import re
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl

from twelvelead.cohort.split import assign_folds
from twelvelead.interpret.case import examine
from twelvelead.interpret.dialects import DIALECTS, Dialect, to_dialect
from twelvelead.interpret.gem_features import Form
from twelvelead.interpret.instruction import digest, make_material
from twelvelead.interpret.packs import DEFAULT
from twelvelead.io import Found, find_recordings, open_found, sha256
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.tables import write_bytes, write_json, write_table, write_text
from twelvelead.measure.windows import LONG_S
from twelvelead.report import Paper, draw_ecg, print_drawing
from twelvelead.report.ecg_sheet import PAGE_S
from twelvelead.signal import Recording
from twelvelead.study.fingerprint import fingerprint
from twelvelead.study.lock import hold
from twelvelead.study.people import Person, people_of
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.refusal import refusing, take_unique
from twelvelead.study.versions import versions
from twelvelead.terms import FAILURES, RESEARCH_ONLY, InputError, MissingExtra, Reason

PART = 16
SPLITS = ("train", "validation", "test")
FOLDS = 10
"""Of ten folds of patients one is for validation and one for testing."""
UNSTATED = "not stated"


@dataclass(frozen=True)
class Order:
    """What is wanted of recordings.

    Parameters
    ----------
    dialect : {"gem", "pulse", "ecg-r1", "erb"}
        As in `to_dialect`.
    form : {"measured", "featuredb"}
        As in `gem_features`.
    layouts : tuple of str
        Of the pictures, as `Paper` has them; none of them: no pictures.
    dpi : float
        Of the pictures.
    licence : str
        Under which the recordings may be used.
    seed : int
        Of the split and of wrong options.
    declared : Declaration
        What signal tables don't say of themselves.

    Raises
    ------
    InputError
        If a dialect or a layout is unknown, or a form that shows a picture is to have none.
    """

    dialect: Dialect
    form: Form = "measured"
    layouts: tuple[str, ...] = ("12x1", "3x4")
    dpi: float = 100.0
    licence: str = UNSTATED
    seed: int = 0
    declared: Declaration = UNDECLARED

    def __post_init__(self) -> None:
        if self.dialect not in DIALECTS:
            msg = f"dialect must be one of {', '.join(DIALECTS)}; got {self.dialect!r}. Choose one."
            raise InputError(msg)
        for layout in self.layouts:
            Paper(layout=layout)
        if not self.layouts and self.dialect != "erb":
            msg = f"an example in the form {self.dialect} shows a picture; got no layout. Name one, such as 12x1."
            raise InputError(msg)


@dataclass(frozen=True)
class InstructionPart:
    """Recordings that are done in one go, whose they are, and where what comes of them goes."""

    recordings: tuple[Found, ...]
    people: tuple[Person, ...]
    order: Order
    work: Path
    name: str

    def path(self, kind: str) -> Path:
        """File of the examples or of the table of failures."""
        return self.work / f"{self.name}.{kind}"

    @property
    def is_done(self) -> bool:
        """Whether it was done: the examples are written last."""
        return self.path("jsonl").is_file()


@dataclass(frozen=True)
class Instructed:
    """What came of it.

    Parameters
    ----------
    n_examples : dict of str to int
        By the part of the split.
    n_recordings : int
        That there are examples of.
    failures : DataFrame keeping `terms.FAILURES`
        The other recordings.
    by_patient : bool
        Whether it was known of all recordings whose they are.
    """

    n_examples: dict[str, int]
    n_recordings: int
    failures: pl.DataFrame
    by_patient: bool


def instruct_files(
    paths: Sequence[Path],
    *,
    out: Path,
    order: Order,
    demographics: Path | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> Instructed:
    """Make instruction data of all recordings found under `paths`.

    Parameters
    ----------
    paths : sequence of Path
        Recordings, and folders that are searched.
    out : Path
        Folder to be made: `train.json`, `validation.json` and `test.json` (of ecg-r1 in lines: `.jsonl`), `images/`,
        `failures.csv` and `manifest.json`, which has the hash of every file and of all examples.
    order : Order
        What is wanted.
    demographics : Path or None
        Age, sex and patient by recording, as `people_of` takes them.
    workers : int
        Processes. The files don't depend on it.
    progress : Progress
        Told how far it has come.

    Returns
    -------
    Instructed

    Raises
    ------
    InputError
        If a path is not there, no recording is found, or none of them could be measured.
    MissingExtra
        If a picture is wanted and matplotlib is not installed.

    Notes
    -----
    A killed run leaves what it has done in `out`; the same command takes it up. Of a recording longer than a minute the
    first 10 s count. A picture has nothing but the traces, the leads' names and the scale: no number that was measured,
    which a model could copy, and no id.
    """
    if order.layouts and find_spec("matplotlib") is None:
        msg = "a picture as PNG needs matplotlib. Run: pip install 'twelvelead[plot]'"
        raise MissingExtra(msg)
    found = find_recordings(paths)
    unique, repeated = take_unique(found)
    with hold(out):
        parts = _plan(unique, people_of(unique, paths, demographics, order.declared), order, work=out / "unfinished")
        todo = [part for part in parts if not part.is_done]
        run_tasks(instruct_part, todo, workers=workers, stage="instructing", progress=progress, size=_size)
        done = _assemble(parts, repeated, out=out, order=order)
        shutil.rmtree(out / "unfinished")
    return done


def _size(part: InstructionPart) -> int:
    return len(part.recordings)


def _plan(unique: Sequence[Found], people: Sequence[Person], order: Order, *, work: Path) -> list[InstructionPart]:
    """Deal recordings out to parts, named by all that they depend on."""
    parts = []
    for start in range(0, len(unique), PART):
        part, whose = tuple(unique[start : start + PART]), tuple(people[start : start + PART])
        name = f"{start // PART:06d}-{fingerprint(part, (order, whose))[:16]}"
        parts.append(InstructionPart(part, whose, order, work.absolute(), name))
    return parts


def instruct_part(part: InstructionPart) -> None:
    """Make the examples and pictures of a part; a recording that has none is a row that says why."""
    lines: list[str] = []
    refused: list[dict[str, str]] = []
    for found, person in zip(part.recordings, part.people, strict=True):
        made: list[dict[str, Any]] = []
        with refusing(found, refused, doing="interpret"):
            made = _examples(found, person, part)
        lines += [json.dumps(one, ensure_ascii=False, allow_nan=False) for one in made]
    write_json(refused, part.path("failures.json"))
    write_text("".join(f"{line}\n" for line in lines), part.path("jsonl"))


def _examples(found: Found, person: Person, part: InstructionPart) -> list[dict[str, Any]]:
    order = part.order
    recording = read_beginning(found, order.declared)
    case = examine(recording, age_years=person.age_years, sex=person.sex)
    material = make_material(case, pack=DEFAULT, form=order.form, seed=_seed(order.seed, found.recording_id))
    images = []
    for layout in order.layouts:
        name = f"images/{_file_name(found.recording_id)}-{layout}.png"
        svg = draw_ecg(replace(recording, id=""), paper=Paper(layout=layout))
        write_bytes(print_drawing(svg, ".png", dpi=order.dpi), part.work.parent / name, durable=False)
        images.append(name)
    return to_dialect(material, dialect=order.dialect, ecg=found.recording_id, images=images, licence=order.licence)


def read_beginning(found: Found, declared: Declaration) -> Recording:
    """Read a recording; of one longer than a minute the first 10 s.

    Parameters
    ----------
    found : Found
        Which one.
    declared : Declaration
        What its file doesn't say.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a checksum and the like, which `twelvelead inspect` shows
        source = open_found(found, declared)
        recording = source.read() if source.duration <= LONG_S else source.span(0, round(PAGE_S * source.fs))
    return replace(recording, id=found.recording_id)


def _seed(seed: int, recording_id: str) -> int:
    """Draw anew for each recording, whichever others there are."""
    return int.from_bytes(hashlib.sha256(f"{seed} {recording_id}".encode(errors="surrogateescape")).digest()[:6])


def _file_name(recording_id: str) -> str:
    """Name a file after a recording, in letters that every system takes, and unlike any other's."""
    known = hashlib.sha256(recording_id.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '_', recording_id)[-80:]}-{known}"


def _assemble(parts: Sequence[InstructionPart], repeated: dict[str, str], *, out: Path, order: Order) -> Instructed:
    """Split what was made by patient, and write it."""
    whose = {f.recording_id: p for part in parts for f, p in zip(part.recordings, part.people, strict=True)}
    made = dict.fromkeys(one["recording_id"] for one in _read(parts))
    if not made:
        msg = "there must be a recording that can be measured; got none. Look at the reasons with `twelvelead measure`."
        raise InputError(msg)
    split = split_people({name: whose[name] for name in made}, seed=order.seed)
    lines = order.dialect == "ecg-r1"
    files, counts, hashes = {}, {}, []
    for name in SPLITS:
        chosen = (one for one in _read(parts) if split[one["recording_id"]] == name)
        path = out / f"{name}.{'jsonl' if lines else 'json'}"
        signs = _write_examples(chosen, path, lines=lines)
        files[path.name], counts[name] = sha256(path), len(signs)
        hashes += signs
    refused = list(chain.from_iterable(json.loads(part.path("failures.json").read_text()) for part in parts))
    refused += [{"recording_id": n, "reason": Reason.DUPLICATE.value, "message": m} for n, m in repeated.items()]
    failures = FAILURES.check(FAILURES.select(refused).sort("recording_id", "reason"))
    write_table(failures, out / "failures.csv")
    by_patient = all(whose[name].known for name in made)
    write_json(
        {
            "dialect": order.dialect, "features": order.form, "layouts": list(order.layouts), "dpi": order.dpi,
            "licence": order.licence, "seed": order.seed, "pack": DEFAULT.key, "n_examples": counts,
            "n_recordings": {name: sum(side == name for side in split.values()) for name in SPLITS},
            "split_by_patient": by_patient, "files": files, "sha256": digest(sorted(hashes)), "versions": versions(),
            "notice": RESEARCH_ONLY,
        },
        out / "manifest.json",
    )  # fmt: skip
    return Instructed(counts, len(made), failures, by_patient)


def _read(parts: Sequence[InstructionPart]) -> Iterator[dict[str, Any]]:
    for part in parts:
        with part.path("jsonl").open(encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)


def _write_examples(examples: Iterator[dict[str, Any]], path: Path, *, lines: bool) -> list[str]:
    """Write examples one after the other, as lines or as one list; return their hashes."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    signs: list[str] = []
    with unfinished.open("w", encoding="utf-8") as file:
        file.write("" if lines else "[")
        for one in examples:
            file.write("" if lines or not signs else ",")
            file.write("" if lines else "\n")
            file.write(json.dumps(one, ensure_ascii=False, allow_nan=False) + ("\n" if lines else ""))
            signs.append(one["provenance"]["sha256"])
        file.write("" if lines else "\n]\n")
    unfinished.replace(path)
    return signs


def split_people(people: dict[str, Person], *, seed: int) -> dict[str, str]:
    """Say of each recording on which side its patient is.

    Parameters
    ----------
    people : dict of str to Person
        By recording.
    seed : int
        Breaks ties.

    Returns
    -------
    dict of str to {"train", "validation", "test"}
        Of ten folds of patients the last two are for validation and testing; of fewer patients than ten there are as
        many folds; fewer than three are all to train with.

    Examples
    --------
    >>> whose = {f"r{k}": Person(f"p{k // 2}", known=True) for k in range(20)}
    >>> sides = split_people(whose, seed=0)
    >>> [sum(side == name for side in sides.values()) for name in SPLITS]
    [16, 2, 2]
    >>> all(sides[f"r{k}"] == sides[f"r{k + 1}"] for k in range(0, 20, 2))
    True
    """
    n = len({person.patient for person in people.values()})
    if n < len(SPLITS):
        return dict.fromkeys(people, SPLITS[0])
    n_folds = min(FOLDS, n)
    table = pl.DataFrame({"recording_id": list(people), "patient_id": [p.patient for p in people.values()]})
    folds = assign_folds(table, n_folds=n_folds, seed=seed)
    sides = {n_folds - 1: SPLITS[2], n_folds - 2: SPLITS[1]}
    return {name: sides.get(fold, SPLITS[0]) for name, fold in folds.select("recording_id", "fold").iter_rows()}
