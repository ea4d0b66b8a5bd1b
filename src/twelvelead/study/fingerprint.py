"""Name work by what it is made of, so that what a killed run has finished is taken up, and nothing else."""

import hashlib
import os
from collections.abc import Iterable

from twelvelead.io import Found
from twelvelead.study.versions import code_digest

SIDE_FILES = (".hea", ".dat", ".mat", ".json")  # that may belong to the one that names a recording; likeliest first


def fingerprint(recordings: Iterable[Found], wanted: object) -> str:
    """Give the SHA-256 of the code, of what is wanted, and of each file's name, size and time of change.

    Parameters
    ----------
    recordings : iterable of Found
        What is worked on.
    wanted : object
        What of it; its `repr` says all.
    """
    hashed = hashlib.sha256(f"{code_digest()} {wanted}".encode())
    for found in recordings:
        file = os.fspath(found.file)
        named = f"\n{found.recording_id}\0{file}\0{found.entry or ''}"
        hashed.update(named.encode(errors="surrogateescape"))  # names that are no text in the system's encoding
        stem, own = os.path.splitext(file)  # noqa: PTH122
        for suffix in dict.fromkeys((own, *SIDE_FILES)):
            try:
                stat = os.stat(stem + suffix)  # noqa: PTH116
            except OSError:
                continue
            hashed.update(f"\0{suffix} {stat.st_size} {stat.st_mtime_ns}".encode())
            if suffix == ".dat":  # what else there is would be no part of the record
                break
    return hashed.hexdigest()
