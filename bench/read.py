"""Time to read a recording, ours against the independent reader of its format, side by side on the same files.

Run: python bench/read.py [FOLDER [OTHERS]] [--by-file]. FOLDER holds WFDB records; without it 100 made-up ten-second
records of format 16 are written and read. OTHERS is searched for files of the formats that pydicom, sierraecg and edfio
read. The readers take turns, round by round, each reading all files as it would read an archive; files are in the page
cache. Values are compared in a pass of its own. (Taking turns file by file, with the comparison in between, both find
the processor's caches full of the other's; ours, which has less to do, loses more by it: `--by-file`.)
"""

import argparse
import tempfile
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import wfdb

from twelvelead.io import find_recordings, open_recording, read
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.signal import Recording
from twelvelead.terms import LEADS, Error

N_RECORDS = 100
ROUNDS = 5


def main(folder, *, by_file):
    """Read the WFDB records of a folder with both, compare the values, and print the medians."""
    paths = [found.path for found in find_recordings([folder])][:N_RECORDS]
    for path in paths:
        mine, reference = read(path), wfdb.rdrecord(str(path.with_suffix("")))
        # float32 keeps 24 bits: 1e-6 mV on amplitudes of up to about 10 mV.
        assert np.allclose(mine.signal, reference.p_signal.T, rtol=0, atol=1e-6, equal_nan=True)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        for part in [[path] for path in paths] if by_file else [paths]:
            ours += [timed(read, path)[1] for path in part]
            theirs += [timed(wfdb.rdrecord, str(path.with_suffix("")))[1] for path in part]
    print(f"{len(paths)} records, {mine.n_samples} samples x {len(mine.leads)} leads, {ROUNDS} rounds, values equal")
    tell("wfdb.rdrecord", ours, theirs)


def compare(folder):
    """Read the other files of a folder with both, and print the medians by format."""
    times = {name: ([], []) for name in READERS}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            known = open_recording(path).provenance.format
        except Error:
            continue
        if known in READERS and find_spec(READERS[known][0]):
            for _ in range(1 + ROUNDS):  # the first imports
                ours, theirs = timed(read, path)[1], timed(READERS[known][1], path)[1]
                times[known][0].append(ours)
                times[known][1].append(theirs)
            del times[known][0][-1 - ROUNDS], times[known][1][-1 - ROUNDS]
    for name, (ours, theirs) in times.items():
        if ours:
            print(f"{name}: {len(ours) // ROUNDS} files, {ROUNDS} rounds")
            tell(READERS[name][0], ours, theirs)


def by_pydicom(path):
    """Decode every multiplex group of a DICOM waveform."""
    import pydicom

    dataset = pydicom.dcmread(path)
    return [dataset.waveform_array(n) for n in range(len(dataset.WaveformSequence))]


def by_sierraecg(path):
    """Decode a Philips XML."""
    import sierraecg

    return sierraecg.read_file(str(path))


def by_edfio(path):
    """Decode every signal of an EDF or BDF."""
    import edfio

    return [signal.data for signal in (edfio.read_bdf if path.suffix == ".bdf" else edfio.read_edf)(path).signals]


READERS = {"dicom": ("pydicom", by_pydicom), "sierra": ("sierraecg", by_sierraecg), "edf": ("edfio", by_edfio)}


def tell(peer, ours, theirs):
    """Print the medians of both, and how many times as long the peer takes."""
    print(f"twelvelead.io.read  median {1000 * median(ours):8.3f} ms")
    print(f"{peer:19} median {1000 * median(theirs):8.3f} ms")
    print(f"ratio               {median(theirs) / median(ours):8.1f}")


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
    warnings.simplefilter("ignore")  # what the readers warn of is no matter of time
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="WFDB records; made up without it")
    parser.add_argument("others", type=Path, nargs="?", help="files of other formats")
    parser.add_argument("--by-file", action="store_true", help="take turns file by file")
    arguments = parser.parse_args()
    if arguments.folder:
        main(arguments.folder, by_file=arguments.by_file)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            write_random_walks(Path(scratch))
            main(Path(scratch), by_file=arguments.by_file)
    if arguments.others:
        compare(arguments.others)
