"""One runner at a time in a folder: two would sweep away what the other has half written."""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twelvelead.terms import InputError

LOCK = ".running.json"

UNREADABLE_S = 10.0
"""A lock is empty for an instant while it is made; one that stays so was left by a process killed just then."""

_held: set[Path] = set()
"""The locks of this process: a dead one's number may have come to us."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keep other runners out of a folder until the block is left.

    Parameters
    ----------
    folder : Path
        Made if it is not there, and gone again if nothing was written to it. It gets a file that names this process,
        which is gone at the end.

    Raises
    ------
    InputError
        If another process works there. The lock of one that died on this machine is taken over; whether one on another
        machine lives can't be known here.
    """
    new = not folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.resolve() / LOCK
    while not _take(path):
        said = _read(path)
        if said is not None and _lives(path, said):
            msg = (
                f"one run at a time may work in a folder; {str(folder)!r} is used by {_name(said)}. "
                f"Wait for its end, or choose another folder; if no run is there any more, remove {LOCK}."
            )
            raise InputError(msg)
        if said is not None:
            _remove(path, said)
    _held.add(path)
    try:
        yield
    finally:
        _held.discard(path)
        path.unlink(missing_ok=True)
        if new:
            with suppress(OSError):  # a run that wrote nothing leaves nothing; a folder that holds something stays
                folder.rmdir()


def _take(path: Path) -> bool:
    """Make the lock, unless it is there."""
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(file, "w", encoding="utf-8") as lock:
        json.dump({"host": socket.gethostname(), "pid": os.getpid()}, lock)
    return True


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:  # its owner has ended
        return None


def _lives(path: Path, said: str) -> bool:
    """Whether the process that a lock names may still be at work."""
    owner = _owner(said)
    if owner is None:
        try:
            return time.time() - path.stat().st_mtime < UNREADABLE_S
        except FileNotFoundError:
            return False
    host, pid = owner
    if host != socket.gethostname() or os.name != "posix":
        return True
    if pid == os.getpid():
        return path in _held
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, and is somebody else's
    return True


def _owner(said: str) -> tuple[str, int] | None:
    """Read host and number of the process that made a lock; None where it was killed before it had written them."""
    try:
        owner = json.loads(said)
        return str(owner["host"]), int(owner["pid"])
    except (ValueError, KeyError, TypeError):
        return None


def _remove(path: Path, said: str) -> None:
    """Remove a dead one's lock: aside first, lest it is the new one of somebody who was faster."""
    aside = path.with_name(f"{LOCK}.{os.getpid()}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return
    if _read(aside) == said:
        aside.unlink(missing_ok=True)
    else:
        aside.rename(path)


def _name(said: str) -> str:
    owner = _owner(said)
    return f"process {owner[1]} on {owner[0]}" if owner is not None else "a process that is just starting"
