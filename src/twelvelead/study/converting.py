"""Convert an archive for the command line: files in, files of another format out."""

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twelvelead.io import Found, find_recordings
from twelvelead.io.deidentify import KEY_BYTES
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.formats.shards_write import write_index
from twelvelead.io.tables import require_table_name, write_table, write_text
from twelvelead.study.conversion import OUTCOME, SUFFIXES, Batch, Conversion, convert_batch, convert_one, write_file
from twelvelead.study.fingerprint import fingerprint
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.refusal import take_unique
from twelvelead.terms import FAILURES, InputError, Reason

BATCH = 256  # recordings: a signal file of some 30 MB, and all that a killed run has lost of each worker


@dataclass(frozen=True)
class Converted:
    """What came of a batch whose files are written.

    Parameters
    ----------
    n_written : int
        Recordings that were converted.
    n_rounded : int
        Of these, those with samples between the steps in which they are written, which are off by half a step at most.
    n_dropped : int
        Statements that de-identification left out.
    failures : DataFrame keeping `terms.FAILURES`
        The recordings that were not converted.
    """

    n_written: int
    n_rounded: int
    n_dropped: int
    failures: pl.DataFrame


def convert_files(  # noqa: PLR0913 - one for each flag of the command
    paths: Sequence[Path],
    *,
    out: Path,
    to: str,
    deidentify: bool = False,
    identify: bool = False,
    key: Path | None = None,
    failures: Path | None = None,
    crosswalk: Path | None = None,
    workers: int = 1,
    declared: Declaration = UNDECLARED,
    progress: Progress = silent,
) -> Converted:
    """Convert all recordings found under `paths`.

    A killed run leaves its finished batches beside `out`; the same command takes them up. `out` is there when all is
    done, and not before. The files don't depend on the number of workers.

    Parameters
    ----------
    paths : sequence of Path
        Recordings, and folders that are searched.
    out : Path
        Folder to be made: a file per recording, named by its id, in the folders it was found in; or shards. With a
        suffix of the format, the file that a single recording becomes.
    to : {"wfdb", "dicom", "shards"}
        The format.
    deidentify : bool
        Whether it is left out whom the recordings are of; see `io.deidentify`.
    identify : bool
        Whether the patient's id, name and date of birth are kept where the format has a place for them.
    key : Path or None
        File of the secret from which pseudonyms and shifts of dates are made, in hexadecimal; made if it is not there.
        A later batch that is converted with the same key gives a patient the same pseudonym. Without it the secret is
        destroyed at the end.
    failures : Path or None
        Table of the recordings that were not converted, and why.
    crosswalk : Path or None
        Table of the old ids beside the new ones. Who has it knows whom the recordings are of.
    workers : int
        Processes.
    declared : Declaration
        What signal tables don't say of themselves.
    progress : Progress
        Told how far the converting has come.

    Raises
    ------
    InputError
        If a path is not there, no recording is found, arguments contradict one another, or `out` is not empty.
    """
    out = out.absolute()
    _check_choice(out, to=to, deidentify=deidentify, identify=identify, extras=(key, crosswalk))
    _check_places(out, paths, beside=[path for path in (key, failures, crosswalk) if path is not None])
    for table in (failures, crosswalk):
        if table is not None:
            require_table_name(table)
    found = find_recordings(paths)
    if _is_file(out):
        secret = read_key(key) if deidentify and key else secrets.token_bytes(KEY_BYTES) if deidentify else None
        outcomes = _convert_single(found, out, Conversion(to, declared, identify, secret, crosswalk is not None))
        return _report(outcomes, failures, crosswalk)
    work = out.with_name(f".{out.name}.unfinished")
    work.mkdir(parents=True, exist_ok=True)
    secret = read_key(key or work / "key") if deidentify else None
    wanted = Conversion(to, declared, identify, secret, crosswalk is not None)
    unique, repeated = take_unique(found)
    batches = _plan(unique, wanted, work)
    run_tasks(
        convert_batch, [batch for batch in batches if not batch.outcome.is_file()], workers=workers, stage="converting",
        progress=progress, size=lambda batch: len(batch.recordings),
    )  # fmt: skip
    done = [pl.read_parquet(batch.outcome) for batch in batches]
    converted = _report(pl.concat([*done, _duplicates(repeated, wanted)]), failures, crosswalk)
    if converted.n_written:
        for left in (work / "files").rglob(".*.unfinished"):  # half a file, whose writer was killed
            left.unlink()
        if to == "shards":
            write_index(pl.scan_parquet([batch.index for batch in batches]), work / "files")
        (work / "key").unlink(missing_ok=True)
        (work / "files").replace(out)
    shutil.rmtree(work)
    return converted


def read_key(path: Path) -> bytes:
    """Read a secret from its file, which is made if it is not there and can be read by its owner alone.

    Raises
    ------
    InputError
        If the file holds something else.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        msg = f"a key must have {2 * KEY_BYTES} hexadecimal digits; got another content in {path.name}. "
        msg += "Restore the file, or remove it to have one made, with other pseudonyms."
        raise InputError(msg)
    return key


def _is_file(out: Path) -> bool:
    """Whether a single file is to be written, by its name."""
    return out.suffix.lower() in set(SUFFIXES.values()) - {""}


def _check_choice(out: Path, *, to: str, deidentify: bool, identify: bool, extras: Sequence[Path | None]) -> None:
    """Refuse arguments that contradict one another."""
    if to not in SUFFIXES:
        msg = f"recordings can be converted to {', '.join(SUFFIXES)}; got {to!r}. Choose one of these."
        raise InputError(msg)
    if _is_file(out) and out.suffix.lower() != SUFFIXES[to]:
        msg = f"what becomes {to} must have a name that fits; got {out.name!r}. Rename it, or name a folder."
        raise InputError(msg)
    if not deidentify and any(path is not None for path in extras):
        msg = "a key and a crosswalk belong to de-identified recordings; got them without. Add --deidentify."
        raise InputError(msg)
    if deidentify and identify:
        msg = "a patient's identity must be kept or left out; got both. Choose --identify or --deidentify."
        raise InputError(msg)


def _check_places(out: Path, paths: Sequence[Path], *, beside: Sequence[Path]) -> None:
    """Refuse places where one result would be in the way of another, or of what is converted."""
    if not _is_file(out) and out.exists() and (not out.is_dir() or any(out.iterdir())):
        msg = f"out must be a new or empty folder; got {str(out)!r}, which is not. Choose another, or remove it."
        raise InputError(msg)
    if inside := [path for path in paths if path.is_dir() and out.resolve().is_relative_to(path.resolve())]:
        msg = f"out must lie outside of what is converted; got {str(out)!r} in {str(inside[0])!r}. Choose another."
        raise InputError(msg)
    if inside := [path for path in beside if path.absolute().is_relative_to(out)]:
        msg = f"tables and key must lie outside of out, which may be given away; got {str(inside[0])!r}. Move it."
        raise InputError(msg)


def _convert_single(found: Sequence[Found], out: Path, wanted: Conversion) -> pl.DataFrame:
    """Convert a single recording to a file of a given name."""
    if len(found) != 1:
        msg = f"a single recording can become {out.name}; got {len(found)}. Give the name of a folder."
        raise InputError(msg)
    outcome = convert_one(found[0], wanted, lambda source, _: write_file(source, out, wanted))
    return pl.DataFrame([outcome], schema=OUTCOME)


def _plan(unique: Sequence[Found], wanted: Conversion, work: Path) -> list[Batch]:
    """Deal recordings out to batches; what an earlier run did of another plan is removed."""
    digest, plan = fingerprint(unique, (wanted, wanted.new_id(""))), work / "plan"
    if not plan.is_file() or plan.read_text() != digest:
        for folder in ("files", "batches"):
            shutil.rmtree(work / folder, ignore_errors=True)
        write_text(digest, plan)
    for folder in ("files", "batches"):
        (work / folder).mkdir(exist_ok=True)
    return [
        Batch(n, tuple(unique[start : start + BATCH]), wanted, work / "files", work / "batches")
        for n, start in enumerate(range(0, len(unique), BATCH))
    ]


def _duplicates(repeated: dict[str, str], wanted: Conversion) -> pl.DataFrame:
    rows = [wanted.refusal(name, Reason.DUPLICATE.value, message) for name, message in repeated.items()]
    return pl.DataFrame(rows, schema=OUTCOME)


def _report(outcomes: pl.DataFrame, failures: Path | None, crosswalk: Path | None) -> Converted:
    """Write the tables that are asked for, and sum up what came of all."""
    failed = pl.col("reason").is_not_null()
    refused = FAILURES.select(
        outcomes.filter(failed).select(recording_id="new_id", reason="reason", message="message").sort("recording_id")
    )
    if failures is not None:
        write_table(refused, failures)
    if crosswalk is not None:
        write_table(outcomes.select("recording_id", "new_id", "patient_id", "new_patient_id"), crosswalk)
        crosswalk.chmod(0o600)
    written = outcomes.filter(~failed)
    rounded, dropped = written.filter(~pl.col("exact")).height, written["dropped"].sum()
    return Converted(written.height, rounded, int(dropped), refused)
