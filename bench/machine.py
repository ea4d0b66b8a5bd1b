"""Compare our measurements with the device's own, as the files state them.

    python bench/machine.py FILE_OR_FOLDER...

Any format that carries a device's measurements will do: GE MUSE, DICOM, HL7 aECG, SCP-ECG, Philips. A comparison, not
an accuracy: the device's numbers are not the truth either. Prints a table in Markdown, a row per recording and
measurement pair as `ours / device (difference)`, and the median and the largest difference of each column.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from twelvelead.io import find_recordings, open_recording
from twelvelead.measure import measure
from twelvelead.terms import Error

PAIRS = (
    ("heart_rate_bpm", "rate"), ("p_duration_ms", "P"), ("pr_interval_ms", "PR"), ("qrs_duration_ms", "QRS"),
    ("qt_interval_ms", "QT"), ("p_axis_deg", "P axis"), ("qrs_axis_deg", "QRS axis"), ("t_axis_deg", "T axis"),
)  # fmt: skip


def differences(source):
    """Return ours and the device's by name, for what both have."""
    ours, _ = measure(source.read())
    said = source.machine.measurements
    return {
        name: (ours[name], said[name]) for name, _ in PAIRS if ours.get(name) is not None and said.get(name) is not None
    }


def turn(degrees):
    """Fold a difference of angles into -180 to 180 degrees."""
    return (degrees + 180) % 360 - 180


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="+")
    arguments = parser.parse_args()
    print(f"| recording | format | {' | '.join(label for _, label in PAIRS)} |\n|{'---|' * (2 + len(PAIRS))}")
    gaps = {name: [] for name, _ in PAIRS}
    for found in find_recordings(arguments.paths):
        try:
            source = open_recording(found.file, recording_id=found.recording_id, entry=found.entry)
            if not source.machine.measurements:
                continue
            both = differences(source)
        except Error as refused:
            print(f"{found.recording_id}: {refused}", file=sys.stderr)
            continue
        cells = []
        for name, _ in PAIRS:
            if name not in both:
                cells.append("")
                continue
            mine, theirs = both[name]
            gap = turn(mine - theirs) if name.endswith("_deg") else mine - theirs
            gaps[name].append(gap)
            cells.append(f"{mine:.0f} / {theirs:.0f} ({gap:+.0f})")
        print(f"| {found.recording_id} | {source.provenance.format} | {' | '.join(cells)} |")
    middle = [f"{np.median(gaps[name]):+.0f}" if gaps[name] else "" for name, _ in PAIRS]
    worst = [f"{max(gaps[name], key=abs):+.0f}" if gaps[name] else "" for name, _ in PAIRS]
    print(f"| median difference |  | {' | '.join(middle)} |\n| largest difference |  | {' | '.join(worst)} |")


if __name__ == "__main__":
    main()
