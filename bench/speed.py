"""Processor time to read, judge and measure one 12-lead ECG, beside NeuroKit2 where that is installed.

    python bench/speed.py [FOLDER] [--limit N]

FOLDER holds WFDB records (.hea and .dat); without one, simulated ten-second records are written to a temporary folder.
Single thread; the median over the records of each one's best of three. NeuroKit2 runs `ecg_process` lead by lead with
its defaults, which cleans, finds R peaks and delineates, and so is the nearest it has to `measure`.
"""

import argparse
import importlib.util
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

from threadpoolctl import threadpool_limits

from twelvelead.io import find_recordings, read
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.measure import measure
from twelvelead.signal import assess
from twelvelead.simulate import SITE_A, hospital
from twelvelead.simulate import recording as simulate
from twelvelead.terms import Unmeasurable

ROUNDS = 3
N_SIMULATED = 20


def spend(function, argument, rounds=ROUNDS):
    """Return the result of a function and its least processor time in ms."""
    least = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        result = function(argument)
        least = min(least, 1000 * (time.process_time() - start))
    return result, least


def time_ours(paths):
    """Time each stage on each record; {stage: times in ms}. `measure` judges the recording too."""
    times = {"read": [], "assess": [], "measure (assess included)": []}
    for path in paths:
        recording, read_ms = spend(read, path)
        _, assess_ms = spend(assess, recording)
        try:
            _, measure_ms = spend(measure, recording)
        except Unmeasurable as refused:
            sys.stderr.write(f"not timed: {refused}\n")
            continue
        for stage, spent in zip(times, (read_ms, assess_ms, measure_ms), strict=True):
            times[stage].append(spent)
    return times


def time_neurokit(paths):
    """Time NeuroKit2's `ecg_process` over all leads of each record, in ms; records it fails on are left out."""
    import neurokit2

    def process(recording):
        for lead in recording.leads:
            neurokit2.ecg_process(recording[lead].astype(float), sampling_rate=int(recording.fs))

    times = []
    for path in paths:
        try:
            times.append(spend(process, read(path), rounds=1)[1])
        except (ValueError, IndexError, KeyError, ZeroDivisionError) as error:
            sys.stderr.write(f"NeuroKit2 failed on {path.name}: {error}\n")
    return times


def show(paths):
    """Print the medians, and the ratio where there is a peer to compare with."""
    print(f"{len(paths)} records, one thread, median processor time per record")
    ours = time_ours(paths)
    for stage, spent in ours.items():
        print(f"twelvelead {stage:28s}{median(spent):9.2f} ms")
    if not importlib.util.find_spec("neurokit2"):
        print("NeuroKit2 is not installed here; `pip install neurokit2` shows its time beside these.")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer's own
        theirs = time_neurokit(paths)
    if theirs:
        spent = median(theirs)
        print(f"NeuroKit2  {'ecg_process, each lead':28s}{spent:9.2f} ms  ({len(theirs)} records)")
        print(f"ratio      {spent / median(ours['measure (assess included)']):37.1f}")


def write_simulated(folder):
    """Write simulated records in WFDB format."""
    for row in hospital(N_SIMULATED, site=SITE_A, seed=0).truth.iter_rows(named=True):
        made = simulate(row, site=SITE_A)
        write_wfdb(made, folder / f"{made.id}.hea")


def main():
    """Time the records of a folder, or simulated ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="folder with .hea and .dat files")
    parser.add_argument("--limit", type=int, default=40, help="take the first so many records")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        if arguments.folder is None:
            write_simulated(folder)
        paths = [found.path for found in find_recordings([folder])][: arguments.limit]
        if not paths:
            sys.exit(f"FOLDER must hold recordings; got none in {folder}.")
        with threadpool_limits(limits=1):
            show(paths)


if __name__ == "__main__":
    main()
