"""Damage files, and see whether each reader refuses them in words, in time and in little memory.

    python bench/fuzz.py FILE... [--mutations 5000] [--seed 0]

FILE is a good recording of any format. Files of the same stem beside it (the signals of a WFDB header, the sidecar of
a table; all of a folder of shards) are damaged in turn.
Every mutant has flipped bytes, is cut, has a piece moved or repeated, or one of its numbers (binary or written out)
made far too large, too small or negative. Each must be read or refused by an error of `twelvelead.terms` within 2 s of
processor time and 512 MB. Exits with 1 where one is not.
"""

import argparse
import faulthandler
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from importlib import import_module
from pathlib import Path

import numpy as np

SLOW_S, LARGE_MB, HANG_S = 2.0, 512, 30
SPECIAL = (0, 1, 2, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
NUMBER = re.compile(rb"\d+")
WRITTEN = (b"0", b"-1", b"1e9", b"99999999999", b"4294967295", b"nan", b"x", b"")


def mutate(rng, data):
    """Return a damaged copy of some bytes, and how it was damaged."""
    kind = str(rng.choice(list(DAMAGES)))
    out = bytearray(data or b"\0")
    limit = min(len(out), 512) if rng.random() < 0.3 else len(out)  # headers are small, and matter most
    DAMAGES[kind](rng, out, int(rng.integers(0, limit)))
    return bytes(out), kind


def _flip(rng, out, at):
    for place in (at, *rng.integers(0, len(out), size=int(rng.integers(0, 12)))):
        out[int(place)] ^= 1 << int(rng.integers(0, 8))


def _cut(rng, out, at):
    del out[at:]


def _move(rng, out, at):
    piece = bytes(out[at : at + int(rng.integers(1, 4096))])
    del out[at : at + len(piece)]
    to = int(rng.integers(0, len(out) + 1))
    out[to:to] = piece


def _repeat(rng, out, at):
    to = int(rng.integers(0, len(out)))
    out[to:to] = bytes(out[at : at + int(rng.integers(1, 4096))])


def _length(rng, out, at):
    width, order = int(rng.choice([2, 4])), str(rng.choice(["little", "big"]))
    out[at : at + width] = (int(rng.choice(SPECIAL)) % 2 ** (8 * width)).to_bytes(width, order)


def _number(rng, out, at):
    found = list(NUMBER.finditer(bytes(out[:65536])))
    if found:
        one = found[int(rng.integers(0, len(found)))]
        out[one.start() : one.end()] = WRITTEN[int(rng.integers(0, len(WRITTEN)))]


def _swap(rng, out, at):
    other = int(rng.integers(0, len(out)))
    a, b = bytes(out[at : at + 4]), bytes(out[other : other + 4])
    out[at : at + len(b)], out[other : other + len(a)] = b, a


DAMAGES = {
    "flip": _flip, "cut": _cut, "move": _move, "repeat": _repeat, "length": _length, "number": _number, "swap": _swap,
}  # fmt: skip


def damage(file, n_mutants, seed, declared):
    """Read mutants of one file in this process; returns what came of them."""
    from twelvelead.io import open_recording
    from twelvelead.terms import Error

    faulthandler.enable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for package in ("wfdb", "pydicom", "edfio", "sierraecg", "h5py"):  # an import is not what is timed
            import_module(package)
    rng = np.random.default_rng(seed)
    outcomes, unforeseen, slowest = Counter(), [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        beside = [p for p in sorted(file.parent.iterdir()) if p.is_file()]
        parts = beside if file.name == "index.parquet" else [p for p in beside if p.stem == file.stem]
        for part in parts:
            shutil.copy(part, folder)
        mutant = Path(folder) / file.name
        open_recording(mutant, **declared).read()  # nor is the compiling of loops
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        originals = {part.name: part.read_bytes() for part in parts}
        for number in range(n_mutants):
            name = parts[int(rng.integers(0, len(parts)))].name if number % 2 else file.name
            data, kind = mutate(rng, originals[name])
            (Path(folder) / name).write_bytes(data)
            faulthandler.dump_traceback_later(HANG_S, exit=True)
            since = time.process_time()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    open_recording(mutant, **declared).read()
                outcomes["read"] += 1
            except Error as error:
                outcomes[type(error).__name__] += 1
            except BaseException as error:  # noqa: BLE001 - any other is what is looked for
                outcomes["UNFORESEEN"] += 1
                where = traceback.extract_tb(error.__traceback__)[-1]
                unforeseen.append(
                    f"{number} {kind} of {name}: {type(error).__name__}: {error} ({where.filename}, {where.lineno})"
                )
            spent = time.process_time() - since
            faulthandler.cancel_dump_traceback_later()
            if spent > SLOW_S:
                unforeseen.append(f"{number} {kind} of {name}: took {spent:.1f} s")
            slowest = max(slowest, spent)
            (Path(folder) / name).write_bytes(originals[name])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    if grown > LARGE_MB:
        unforeseen.append(f"memory grew by {grown:.0f} MB")
    return {
        "outcomes": outcomes,
        "slowest_s": round(slowest, 3),
        "grown_mb": round(grown),
        "unforeseen": unforeseen[:10],
    }


def main():
    """Damage each file in a process of its own, which may crash without taking the others along."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="good recordings")
    parser.add_argument("--mutations", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fs", type=float, default=500.0, help="declared for files that don't say it")
    parser.add_argument("--leads", default=None)
    parser.add_argument("--units", default="mV")
    parser.add_argument("--entry", default=None)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        leads = arguments.leads.split(",") if arguments.leads else None
        declared = {"fs": arguments.fs, "leads": leads, "units": arguments.units, "entry": arguments.entry}
        print(json.dumps(damage(arguments.files[0].absolute(), arguments.mutations, arguments.seed, declared)))
        return 0
    bad = 0
    options = [a for a in sys.argv[1:] if a not in map(str, arguments.files)]
    for file in arguments.files:
        child = subprocess.run(  # noqa: S603 - this script itself
            [sys.executable, __file__, str(file), "--here", *options], capture_output=True, text=True, check=False
        )
        if child.returncode:
            bad += 1
            print(f"{file.name}: the process ended with {child.returncode}\n{child.stderr[-2000:]}")
            continue
        result = json.loads(child.stdout)
        said = ", ".join(f"{n} {name}" for name, n in sorted(result["outcomes"].items()))
        print(f"{file.name}: {said}; slowest {1000 * result['slowest_s']:.0f} ms; memory +{result['grown_mb']} MB")
        for line in result["unforeseen"]:
            print(f"    {line}")
        bad += bool(result["unforeseen"])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
