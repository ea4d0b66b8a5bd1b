"""Recordings that a batch can't take, or that it fell over: which ones, and what to say of them."""

import os
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twelvelead.io import Found
from twelvelead.terms import Error, Reason, Unmeasurable


def take_unique(recordings: Iterable[Found]) -> tuple[list[Found], dict[str, str]]:
    """Tell the recordings whose ids are unique from the others.

    Parameters
    ----------
    recordings : iterable of Found
        What was found.

    Returns
    -------
    unique : list of Found
        By id; their files absolute, for workers elsewhere.
    repeated : dict of str to str
        Each id that repeats, and the message that says so.
    """
    given = list(recordings)
    times = Counter(found.recording_id for found in given)
    unique = [
        Found(found.recording_id, os.path.abspath(found.file), found.entry)  # noqa: PTH100 - a million of them
        for found in sorted(given, key=lambda found: found.recording_id)
        if times[found.recording_id] == 1
    ]
    return unique, {
        name: f"recording_id must name one recording; got {n} named {name!r}. Rename or move the others."
        for name, n in times.items()
        if n > 1
    }


@contextmanager
def refusing(found: Found, refused: list[dict[str, str]], *, doing: str) -> Iterator[None]:
    """Turn what goes wrong with one recording into a row of `terms.FAILURES`: it must not cost the batch.

    Parameters
    ----------
    found : Found
        The recording.
    refused : list of dict
        Where the row goes.
    doing : str
        What is tried, for a fault of ours: measure, convert.
    """
    try:
        yield
    except Unmeasurable as error:
        reason, message = error.reason, str(error)
    except (Error, OSError) as error:
        reason, message = Reason.UNREADABLE, str(error)
    except Exception as error:  # noqa: BLE001 - a fault of ours, which must not cost the batch
        reason, message = Reason.FAULT, describe_fault(error, doing)
    else:
        return
    refused.append({"recording_id": found.recording_id, "reason": reason.value, "message": message})


def describe_fault(error: Exception, doing: str) -> str:
    """Say of an error that nobody foresaw what is needed to mend it; `doing` is what was tried: measure, convert."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    text = f"twelvelead must {doing} or refuse a recording; got {type(error).__name__}: {error} "
    return text + f"({Path(where.filename).name}, line {where.lineno}). Please report it with the recording."
