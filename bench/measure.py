"""From WFDB files to a Parquet table of features, beside NeuroKit2 and the floor of mere reading, in one run.

    python bench/measure.py FOLDER [--limit N] [--peers N] [--workers N] [--copies N] [--memory N]

One line each: processor time per record on one core, the median of the rounds, of the same records. Ours has everything
in it: finding the files, reading, measuring, writing. What is compiled once after an installation is done before and
not counted; peers that are not installed are left out, and said so. Then the wall time of one process and of several on
copies of the records, whose tables must be the same, and with --memory the memory while that many records are measured.
"""

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from twelvelead.io import find_recordings, read, sha256
from twelvelead.study import compile_kernels, measure_files, silent

ROUNDS = 5
CLEANED_IN = "II"  # the lead whose R waves the delineators share


def measure_ours(folder, scratch, *, workers=1, progress=silent):
    """Measure a folder as the command line does; return what came of it."""
    return measure_files([folder], out=scratch / f"features-{workers}.parquet", workers=workers, progress=progress)


def process_neurokit(recording):
    """Run NeuroKit2's `ecg_process` with its defaults on each lead."""
    import neurokit2

    for lead in recording.leads:
        neurokit2.ecg_process(recording[lead].astype(float), sampling_rate=int(recording.fs))


def delineate_neurokit(method):
    """Make NeuroKit2's delineator of each lead, with the R waves of one."""

    def delineate(recording):
        import neurokit2

        fs = int(recording.fs)
        shared = CLEANED_IN if CLEANED_IN in recording.leads else recording.leads[0]
        _, found = neurokit2.ecg_peaks(neurokit2.ecg_clean(recording[shared].astype(float), sampling_rate=fs), fs)
        for lead in recording.leads:
            clean = neurokit2.ecg_clean(recording[lead].astype(float), sampling_rate=fs)
            neurokit2.ecg_delineate(clean, found["ECG_R_Peaks"], sampling_rate=fs, method=method)

    return delineate


def read_wfdb(path):
    """Read a record with the wfdb package."""
    import wfdb

    wfdb.rdrecord(str(path.with_suffix("")))


def read_bytes(path):
    """Read nothing but the samples as they lie on the disk: the floor."""
    np.fromfile(path.with_suffix(".dat"), dtype="<i2")


def spend(function, *arguments):
    """Return the processor time in ms of a call, all threads together."""
    start = time.process_time()
    function(*arguments)
    return 1000 * (time.process_time() - start)


def spend_each(function, items):
    """Return the mean processor time in ms over items; those on which a peer fails are counted and left out."""
    times, failed = [], 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer's own
        for item in items:
            try:
                times.append(spend(function, item))
            except (ValueError, IndexError, KeyError, ZeroDivisionError, TypeError):
                failed += 1
    return sum(times) / max(len(times), 1), failed


def show(name, ms, ours, note=""):
    """Print one line."""
    print(f"{name:44s}{ms:10.3f} ms{1000 / ms:10.1f} records/s{ms / ours:9.2f} x ours  {note}")


def compare(folder, scratch, n_peers):
    """Print ours, the readers and the peers."""
    paths = [found.path for found in find_recordings([folder])]
    measure_ours(folder, scratch)  # every file once, so that all find them in the page cache
    rounds = [spend(measure_ours, folder, scratch) / len(paths) for _ in range(ROUNDS)]
    ours = median(rounds)
    print(f"{len(paths)} records, one core, processor time per record; first-time compilation not counted")
    show(
        "twelvelead, files to Parquet", ours, ours, f"median of {ROUNDS} rounds, {min(rounds):.2f} to {max(rounds):.2f}"
    )
    show("floor: np.fromfile of the samples", spend_each(read_bytes, paths)[0], ours)
    show("twelvelead.io.read", spend_each(read, paths)[0], ours)
    if importlib.util.find_spec("wfdb"):
        show("wfdb.rdrecord", spend_each(read_wfdb, paths)[0], ours)
    else:
        print("wfdb is not installed here: left out")
    if not importlib.util.find_spec("neurokit2"):
        print("NeuroKit2 is not installed here: left out")
        return
    recordings = [read(path) for path in paths[:n_peers]]
    for name, function in (
        ("NeuroKit2 prominence, R shared, each lead", delineate_neurokit("prominence")),
        ("NeuroKit2 dwt, R shared, each lead", delineate_neurokit("dwt")),
        ("NeuroKit2 ecg_process, each lead", process_neurokit),
    ):
        spend_each(function, recordings[:1])  # what it imports and compiles is not counted either
        ms, failed = spend_each(function, recordings)
        show(name, ms, ours, f"{len(recordings)} records, failed on {failed}, reading not counted")


def copy_records(paths, n, folder):
    """Make n records of a few, by hard links where the disk allows it."""
    for number in range(n):
        path, place = paths[number % len(paths)], folder / f"{number // 1000:03d}" / f"{number:06d}"
        place.mkdir(parents=True)
        for part in (path, path.with_suffix(".dat")):
            try:
                os.link(part, place / part.name)
            except OSError:
                shutil.copy(part, place / part.name)


def compare_workers(folder, scratch, workers):
    """Print the wall time of one process and of several, which are started before."""
    spent = {}
    for n in (1, workers):
        measure_ours(folder, scratch, workers=n)
        start = time.perf_counter()
        tally = measure_ours(folder, scratch, workers=n)
        spent[n] = time.perf_counter() - start
        total = tally.n_measured + tally.failures.height
        print(f"{total} records, {n} worker(s): {spent[n]:.2f} s, {total / spent[n]:.0f} records/s")
    assert sha256(scratch / "features-1.parquet") == sha256(scratch / f"features-{workers}.parquet")
    print(f"{workers} workers are {spent[1] / spent[workers]:.2f} x as fast as one; the same bytes")


def resident_mb(pid):
    """Memory of a process in MB, as Linux counts it."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def show_memory(folder, scratch, workers):
    """Print the memory of this process and of its workers at each quarter."""
    reached = set()

    def note(stage, done, total):
        quarter = 4 * done // max(total, 1)
        if stage != "measuring" or quarter in reached:
            return
        reached.add(quarter)
        mine = str(os.getpid())
        others = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if stat.read_text().rpartition(")")[2].split()[1] == mine:
                    others.append(resident_mb(stat.parent.name))
        print(
            f"{done:7d} of {total}: {resident_mb(mine):7.1f} MB here, workers {[round(o, 1) for o in sorted(others)]}"
        )

    measure_ours(folder, scratch, workers=workers, progress=note)
    print(f"   tables written: {resident_mb(os.getpid()):7.1f} MB here")


def main():
    """Compare speed, workers and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with .hea and .dat files")
    parser.add_argument("--limit", type=int, default=256, help="take the first so many records")
    parser.add_argument("--peers", type=int, default=10, help="give NeuroKit2 the first so many of them")
    parser.add_argument("--workers", type=int, default=2, help="processes to compare with one")
    parser.add_argument("--copies", type=int, default=2048, help="records that the processes share")
    parser.add_argument("--memory", type=int, default=0, help="watch the memory while so many records are measured")
    arguments = parser.parse_args()
    paths = [found.path for found in find_recordings([arguments.folder])][: arguments.limit]
    paths = [path for path in paths if path.with_suffix(".dat").is_file()]
    if not paths:
        sys.exit(f"FOLDER must hold WFDB records with .dat files; got none in {arguments.folder}.")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        copy_records(paths, len(paths), scratch / "once")
        paths = [found.path for found in find_recordings([scratch / "once"])]  # on one disk, so that links are possible
        for part, n in (("many", arguments.copies), ("all", arguments.memory)):
            copy_records(paths, n, scratch / part)
        with threadpool_limits(limits=1):
            compile_kernels(silent)
            compare(scratch / "once", scratch, arguments.peers)
        if arguments.copies:
            compare_workers(scratch / "many", scratch, arguments.workers)
        if arguments.memory:
            show_memory(scratch / "all", scratch, arguments.workers)


if __name__ == "__main__":
    main()
