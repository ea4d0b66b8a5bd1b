"""Time to read a 12-lead WFDB record, ours against the wfdb package, side by side on the same files.

Run: python bench/read.py [FOLDER]. Without a folder 100 made-up ten-second records of format 16 are written and read.
Reads alternate record by record, so that both see the same machine; files are in the page cache.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import wfdb

from twelvelead.io import find_recordings, read
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.signal import Recording
from twelvelead.terms import LEADS

N_RECORDS = 100
ROUNDS = 5


def main(folder):
    """Read the records of a folder with both, compare the values, and print the medians."""
    paths = [found.path for found in find_recordings([folder])][:N_RECORDS]
    ours, theirs = [], []
    for _ in range(ROUNDS):
        for path in paths:
            mine, seconds = timed(read, path)
            ours.append(seconds)
            reference, seconds = timed(wfdb.rdrecord, str(path.with_suffix("")))
            theirs.append(seconds)
            # float32 keeps 24 bits: 1e-6 mV on amplitudes of up to about 10 mV.
            assert np.allclose(mine.signal, reference.p_signal.T, rtol=0, atol=1e-6, equal_nan=True)
    print(f"{len(paths)} records, {mine.n_samples} samples x {len(mine.leads)} leads, {ROUNDS} rounds, values equal")
    print(f"twelvelead.io.read  median {1000 * median(ours):6.3f} ms")
    print(f"wfdb.rdrecord       median {1000 * median(theirs):6.3f} ms")
    print(f"ratio               {median(theirs) / median(ours):6.1f}")


def timed(function, argument):
    """Call a function; return its result and the seconds it took."""
    start = time.perf_counter()
    result = function(argument)
    return result, time.perf_counter() - start


def write_random_walks(folder):
    """Write random walks as twelve-lead records."""
    rng = np.random.default_rng(0)
    for number in range(N_RECORDS):
        walk = np.cumsum(rng.normal(0, 0.01, (12, 5000)), axis=1)
        name = f"{number:05d}"
        write_wfdb(Recording(walk, LEADS, 500, name), folder / f"{name}.hea")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            write_random_walks(Path(scratch))
            main(Path(scratch))
