"""Accuracy of the marks on the Lobachevsky database, beside NeuroKit2 where that is installed.

    python bench/accuracy.py LUDB_FOLDER [--every N] [--limit N]

Each lead on its own; one-to-one matching, nearest first, within 150 ms; false marks count only inside the annotated
span; error = found − annotated, in ms, over all matched marks. Needs numpy, polars and `wfdb`. The constants
`delineate.BIAS_MS` are the means that this prints when they are all zero.
"""

import argparse
import importlib.util
import sys
import time
from pathlib import Path

import numpy as np
import wfdb

from twelvelead.measure import measure
from twelvelead.signal import Recording
from twelvelead.terms import FIDUCIAL_TIMES, Unmeasurable

POINTS = tuple(name.removesuffix("_s") for name in FIDUCIAL_TIMES)
WAVES = {"p": POINTS[0:3], "N": POINTS[3:6], "t": POINTS[6:9]}
LEAD_NAMES = {"AVR": "aVR", "AVL": "aVL", "AVF": "aVF"}
TOLERANCE_S = 0.150


def read_recording(stem):
    """Read one WFDB record as a Recording with standard lead names."""
    record = wfdb.rdrecord(str(stem))
    leads = tuple(LEAD_NAMES.get(name.upper(), name.upper()) for name in record.sig_name)
    return Recording(record.p_signal.T, leads, record.fs, id=stem.name)


def read_marks(stem, lead, fs):
    """Read the annotated times in s of each point of one lead."""
    annotation = wfdb.rdann(str(stem), lead.lower())
    marks = {point: [] for point in POINTS}
    symbols, at = annotation.symbol, annotation.sample / fs
    for k, symbol in enumerate(symbols):
        if symbol not in WAVES:
            continue
        onset, peak, offset = WAVES[symbol]
        marks[peak].append(at[k])
        if k and symbols[k - 1] == "(":
            marks[onset].append(at[k - 1])
        if k + 1 < len(symbols) and symbols[k + 1] == ")":
            marks[offset].append(at[k + 1])
    return {point: np.unique(times) for point, times in marks.items()}


def match(reference, found):
    """Match one to one, nearest first; return errors in s and the marks left over."""
    gap = np.abs(found[None, :] - reference[:, None])
    free_r, free_f, errors = set(range(len(reference))), set(range(len(found))), []
    for k in np.argsort(gap, axis=None, kind="stable"):
        i, j = divmod(int(k), len(found))
        if gap[i, j] > TOLERANCE_S:
            break
        if i in free_r and j in free_f:
            free_r.remove(i)
            free_f.remove(j)
            errors.append(found[j] - reference[i])
    return errors, found[sorted(free_f)]


def mark_ours(recording):
    """Mark with twelvelead; {lead: {point: times in s}}."""
    try:
        table = measure(recording)[1]
    except Unmeasurable:
        return {}
    return {
        lead: {p: np.unique(rows[f"{p}_s"].drop_nulls().to_numpy()) for p in POINTS}
        for (lead,), rows in table.partition_by("lead", as_dict=True).items()
    }


def mark_neurokit(recording):
    """Mark each lead with NeuroKit2: clean, find R, delineate with its default wavelet method."""
    import neurokit2 as nk

    names = {"p_onset": "ECG_P_Onsets", "p_peak": "ECG_P_Peaks", "p_offset": "ECG_P_Offsets",
             "qrs_onset": "ECG_R_Onsets", "qrs_offset": "ECG_R_Offsets", "t_onset": "ECG_T_Onsets",
             "t_peak": "ECG_T_Peaks", "t_offset": "ECG_T_Offsets"}  # fmt: skip
    out = {}
    for lead in recording.leads:
        try:
            clean = nk.ecg_clean(recording[lead].astype(float), sampling_rate=int(recording.fs))
            _, found = nk.ecg_peaks(clean, sampling_rate=int(recording.fs))
            _, waves = nk.ecg_delineate(clean, found["ECG_R_Peaks"], sampling_rate=int(recording.fs))
        except (ValueError, IndexError, KeyError, ZeroDivisionError) as error:
            sys.stderr.write(f"NeuroKit2 failed on {recording.id} {lead}: {error}\n")
            continue
        marks = {p: np.asarray(waves[name], float) / recording.fs for p, name in names.items()}
        marks["r_peak"] = np.asarray(found["ECG_R_Peaks"], float) / recording.fs
        out[lead] = {p: np.unique(times[np.isfinite(times)]) for p, times in marks.items()}
    return out


def score(mark, stems):
    """Count and time one tool over all recordings; one row per point."""
    tally = {point: ([], [0, 0]) for point in POINTS}
    spent = 0.0
    for stem in stems:
        recording = read_recording(stem)
        start = time.process_time()
        found = mark(recording)
        spent += time.process_time() - start
        for lead in recording.leads:
            marks = read_marks(stem, lead, recording.fs)
            every = np.concatenate(list(marks.values()))
            if not every.size:
                continue
            for point in POINTS:
                errors, left = match(marks[point], found.get(lead, {}).get(point, np.empty(0)))
                tally[point][0].extend(1000 * e for e in errors)
                tally[point][1][0] += len(marks[point])
                tally[point][1][1] += int(((left >= every.min()) & (left <= every.max())).sum())
    return tally, 1000 * spent / max(len(stems), 1)


def show(name, tally, spent_ms):
    """Print one tool's table."""
    print(f"\n{name}: {spent_ms:.1f} ms of processor time per recording")
    print(f"{'':12s}{'n':>7s}{'Se %':>8s}{'PPV %':>8s}{'mean ms':>9s}{'SD ms':>8s}")
    for point, (errors, (n, extra)) in tally.items():
        found = len(errors)
        se, ppv = 100 * found / max(n, 1), 100 * found / max(found + extra, 1)
        print(
            f"{point:12s}{n:7d}{se:8.2f}{ppv:8.2f}{np.mean(errors or [np.nan]):9.2f}{np.std(errors or [np.nan]):8.2f}"
        )


def main():
    """Score twelvelead and, if it is there, NeuroKit2 on the same recordings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with the .hea, .dat and .i … .v6 files")
    parser.add_argument("--every", type=int, default=1, help="take every n-th recording")
    parser.add_argument("--limit", type=int, default=None, help="of these take the first so many")
    arguments = parser.parse_args()
    stems = sorted((p.with_suffix("") for p in arguments.folder.glob("*.hea")), key=lambda p: int(p.name))
    stems = stems[:: arguments.every][: arguments.limit]
    if not stems:
        sys.exit(f"LUDB_FOLDER must hold .hea files; got none in {arguments.folder}.")
    show("twelvelead", *score(mark_ours, stems))
    if importlib.util.find_spec("neurokit2"):
        show("NeuroKit2", *score(mark_neurokit, stems))
    else:
        print("\nNeuroKit2 is not installed here; `pip install neurokit2` shows its figures beside these.")


if __name__ == "__main__":
    main()
