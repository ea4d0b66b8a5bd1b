"""Accuracy of the marks on the Lobachevsky database, beside NeuroKit2 where that is installed.

    python bench/accuracy.py LUDB_FOLDER [--every N] [--limit N] [--write]

Each lead on its own; one-to-one matching, nearest first, within 150 ms; false marks count only inside the annotated
span; error = found − annotated, in ms, over all matched marks. Then one value per recording: what a tool reports
against the median over the leads of what is annotated in each. With --write the mean and SD of the latter become
`measure/errors.json`, the error that the CATALOGUE declares. Needs numpy, polars and `wfdb`.
"""

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np
import wfdb

from twelvelead.measure import CATALOGUE, intervals, measure
from twelvelead.signal import Recording
from twelvelead.terms import FIDUCIAL_TIMES, Unmeasurable

POINTS = tuple(name.removesuffix("_s") for name in FIDUCIAL_TIMES)
WAVES = {"p": POINTS[0:3], "N": POINTS[3:6], "t": POINTS[6:9]}
LEAD_NAMES = {"AVR": "aVR", "AVL": "aVL", "AVF": "aVF"}
TOLERANCE_S = 0.150
ERRORS = Path(intervals.__file__).with_name("errors.json")
SPANS = {"p_duration_ms": ("p_onset", "p_offset"), "pr_interval_ms": ("p_onset", "qrs_onset"),
         "pr_segment_ms": ("p_offset", "qrs_onset"), "qrs_duration_ms": ("qrs_onset", "qrs_offset"),
         "qt_interval_ms": ("qrs_onset", "t_offset"), "jt_interval_ms": ("qrs_offset", "t_offset"),
         "t_duration_ms": ("t_onset", "t_offset"), "tpeak_tend_ms": ("t_peak", "t_offset")}  # fmt: skip
CORRECTED = {"qtc_bazett_ms": intervals.qtc_bazett, "qtc_fridericia_ms": intervals.qtc_fridericia,
             "qtc_framingham_ms": intervals.qtc_framingham, "qtc_hodges_ms": intervals.qtc_hodges}  # fmt: skip
LONGEST_S = 0.7


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


def reduce_marks(marks):
    """Reduce the marks of several leads to one value per recording: the median over leads of the median over beats."""
    values = {}
    for name, (first, last) in SPANS.items():
        of_leads = [np.median(spans) for points in marks.values() if len(spans := pair(points[first], points[last]))]
        values[name] = 1000 * np.median(of_leads) if of_leads else np.nan
    rates = [60 / np.mean(np.diff(points["r_peak"])) for points in marks.values() if len(points["r_peak"]) > 1]
    return values | {"heart_rate_bpm": np.median(rates) if rates else np.nan}


def pair(first, last):
    """Time in s from each first mark to the next last mark, where no other first mark lies between them."""
    if not len(first) or not len(last):
        return np.empty(0)
    at = np.searchsorted(last, first, side="right")
    span = np.where(at < len(last), last[np.minimum(at, len(last) - 1)], np.inf) - first
    return span[(span < LONGEST_S) & (span < np.append(np.diff(first), np.inf))]


def mark_ours(recording):
    """Mark with twelvelead; {lead: {point: times in s}}, and the row of features."""
    try:
        row, table = measure(recording)
    except Unmeasurable:
        return {}, {}
    marks = {
        lead: {p: np.unique(rows[f"{p}_s"].drop_nulls().to_numpy()) for p in POINTS}
        for (lead,), rows in table.partition_by("lead", as_dict=True).items()
    }
    return marks, row


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
    return out, reduce_marks(out)


def score(mark, stems):
    """Count and time one tool over all recordings; one row per point, and the errors of each recording's values."""
    tally = {point: ([], [0, 0]) for point in POINTS}
    apart = {name: [] for name in (*SPANS, *CORRECTED, "heart_rate_bpm")}
    spent = 0.0
    for stem in stems:
        recording = read_recording(stem)
        start = time.process_time()
        found, row = mark(recording)
        spent += time.process_time() - start
        annotated = {lead: read_marks(stem, lead, recording.fs) for lead in recording.leads}
        for name, error in compare(annotated, found, row).items():
            apart[name].append(error)
        for lead, marks in annotated.items():
            every = np.concatenate(list(marks.values()))
            if not every.size:
                continue
            for point in POINTS:
                errors, left = match(marks[point], found.get(lead, {}).get(point, np.empty(0)))
                tally[point][0].extend(1000 * e for e in errors)
                tally[point][1][0] += len(marks[point])
                tally[point][1][1] += int(((left >= every.min()) & (left <= every.max())).sum())
    return tally, apart, 1000 * spent / max(len(stems), 1)


def compare(annotated, found, row):
    """Subtract the annotated values from those that a tool reports for a recording; NaN where either has none."""
    truth = reduce_marks(annotated)
    out = {name: (np.nan if row.get(name) is None else row[name]) - truth[name] for name in SPANS}
    # The rate, over the beats that are annotated alone; the corrected QT, at the tool's own rate.
    peaks = [points["r_peak"] for points in annotated.values() if len(points["r_peak"])]
    first, last = min(map(np.min, peaks)) - TOLERANCE_S, max(map(np.max, peaks)) + TOLERANCE_S
    within = {
        lead: {p: times[(times >= first) & (times <= last)] for p, times in points.items()}
        for lead, points in found.items()
    }
    out["heart_rate_bpm"] = reduce_marks(within)["heart_rate_bpm"] - truth["heart_rate_bpm"]
    rr, qt = row.get("rr_mean_ms"), row.get("qt_interval_ms")
    for name, correct in CORRECTED.items():
        known = rr is not None and qt is not None
        out[name] = correct(qt, rr) - correct(truth["qt_interval_ms"], rr) if known else np.nan
    return out


def show(name, tally, apart, spent_ms):
    """Print one tool's tables."""
    print(f"\n{name}: {spent_ms:.1f} ms of processor time per recording")
    print(f"{'':12s}{'n':>7s}{'Se %':>8s}{'PPV %':>8s}{'mean ms':>9s}{'SD ms':>8s}")
    for point, (errors, (n, extra)) in tally.items():
        found = len(errors)
        se, ppv = 100 * found / max(n, 1), 100 * found / max(found + extra, 1)
        print(
            f"{point:12s}{n:7d}{se:8.2f}{ppv:8.2f}{np.mean(errors or [np.nan]):9.2f}{np.std(errors or [np.nan]):8.2f}"
        )
    print(f"{'one value per recording':24s}{'n':>5s}{'mean':>8s}{'SD':>8s}{'mean absolute':>15s}")
    for value, errors in apart.items():
        known = np.array(errors)[np.isfinite(errors)]
        if known.size:
            print(f"{value:24s}{known.size:5d}{known.mean():8.2f}{known.std():8.2f}{np.abs(known).mean():15.2f}")


def write_errors(apart):
    """Write the mean and SD of the errors of each value for the CATALOGUE."""
    names = {m.name for m in CATALOGUE}
    table = {}
    for name, errors in apart.items():
        known = np.array(errors)[np.isfinite(errors)]
        if name in names and known.size:
            table[name] = {"bias": round(float(known.mean()), 2), "sd": round(float(known.std()), 2)}
    ERRORS.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")


def main():
    """Score twelvelead and, if it is there, NeuroKit2 on the same recordings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with the .hea, .dat and .i … .v6 files")
    parser.add_argument("--every", type=int, default=1, help="take every n-th recording")
    parser.add_argument("--limit", type=int, default=None, help="of these take the first so many")
    parser.add_argument("--write", action="store_true", help="write measure/errors.json")
    arguments = parser.parse_args()
    stems = sorted((p.with_suffix("") for p in arguments.folder.glob("*.hea")), key=lambda p: int(p.name))
    stems = stems[:: arguments.every][: arguments.limit]
    if not stems:
        sys.exit(f"LUDB_FOLDER must hold .hea files; got none in {arguments.folder}.")
    ours = score(mark_ours, stems)
    show("twelvelead", *ours)
    if arguments.write:
        write_errors(ours[1])
    if importlib.util.find_spec("neurokit2"):
        show("NeuroKit2", *score(mark_neurokit, stems))
    else:
        print("\nNeuroKit2 is not installed here; `pip install neurokit2` shows its figures beside these.")


if __name__ == "__main__":
    main()
