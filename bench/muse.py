"""Our measurements beside those of the 12SL program, as MUSE files state them.

    python bench/muse.py MUSE_FOLDER

MUSE_FOLDER holds GE MUSE `.xml` files with the rhythm strip of eight leads and the device's measurements. A comparison
of a few recordings, not an accuracy: the device's numbers are not the truth either.
"""

import argparse
import base64
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from twelvelead.measure import measure
from twelvelead.signal import Recording, derive_limb_leads
from twelvelead.terms import Unmeasurable

PAIRS = (
    ("VentricularRate", "heart_rate_bpm"), ("PRInterval", "pr_interval_ms"), ("QRSDuration", "qrs_duration_ms"),
    ("QTInterval", "qt_interval_ms"), ("QTCorrected", "qtc_bazett_ms"), ("PAxis", "p_axis_deg"),
    ("RAxis", "qrs_axis_deg"), ("TAxis", "t_axis_deg"),
)  # fmt: skip


def read_muse(path):
    """Read the rhythm strip in mV with the derived limb leads, and the device's measurements by name."""
    root = ElementTree.parse(path).getroot()  # noqa: S314 - a file of one's own
    strip = next(w for w in root.iter("Waveform") if w.findtext("WaveformType") == "Rhythm")
    fs = float(strip.findtext("SampleBase")) * 10 ** float(strip.findtext("SampleExponent"))
    rows, names = [], []
    for lead in strip.iter("LeadData"):
        steps = np.frombuffer(base64.b64decode(lead.findtext("WaveFormData")), "<i2")
        rows.append(steps * float(lead.findtext("LeadAmplitudeUnitsPerBit")) / 1000)
        names.append(lead.findtext("LeadID"))
    found = root.find("RestingECGMeasurements")
    stated = {name: float(text) for name, _ in PAIRS if (text := found.findtext(name))}
    return derive_limb_leads(Recording(np.array(rows), tuple(names), fs, id=path.stem)), stated


def main():
    """Print ours, the device's and the difference for each file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with MUSE .xml files")
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.glob("*.xml"))
    if not paths:
        sys.exit(f"MUSE_FOLDER must hold .xml files; got none in {arguments.folder}.")
    for path in paths:
        recording, stated = read_muse(path)
        print(f"\n{path.name}: {len(recording.leads)} leads, {recording.fs:g} Hz, {recording.duration:g} s")
        try:
            ours, _ = measure(recording)
        except Unmeasurable as refused:
            print(f"refused: {refused}")
            continue
        print(f"{'':18s}{'ours':>8s}{'12SL':>8s}{'ours − 12SL':>13s}")
        for theirs, name in PAIRS:
            if theirs in stated:
                value = ours[name] if ours[name] is not None else float("nan")
                print(f"{name:18s}{value:8.0f}{stated[theirs]:8.0f}{value - stated[theirs]:+13.0f}")


if __name__ == "__main__":
    main()
