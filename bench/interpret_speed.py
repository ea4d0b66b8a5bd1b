"""How long one interpretation takes, warm, on one thread: from a recording in memory to its report.

Run: python bench/interpret_speed.py PTBXL_FOLDER [--records N]

The parts: measuring (`examine`), judging every finding of the default packs (`judge`), the report in words. The page
and JSON with boxes are told beside; they are not part of the figure that is asked for (30 ms). Wall-clock and processor
time are both told: on a machine that others use as well the first is longer. There is no peer beside: no other tool
gives statements with their evidence.
"""

import argparse
import json
import statistics
import time
from itertools import pairwise
from pathlib import Path

from threadpoolctl import threadpool_limits

from twelvelead.interpret.case import examine
from twelvelead.interpret.engine import judge
from twelvelead.interpret.narrate_report import report
from twelvelead.interpret.packs import DEFAULT
from twelvelead.io import read
from twelvelead.report.interpretation import Reading, as_json
from twelvelead.report.interpretation_page import interpretation_page

ASKED_MS = 30.0
PARTS = ("measure", "judge", "report", "whole", "JSON with boxes", "page")


def interpret(recording):
    """Interpret one recording; return wall-clock and processor time of each part, ms."""
    marks = [(time.perf_counter(), time.process_time())]

    def lap(made):
        marks.append((time.perf_counter(), time.process_time()))
        return made

    case = lap(examine(recording, age_years=60.0, sex="female"))
    found = lap(judge(case, DEFAULT))
    reading = Reading(case, DEFAULT, found, lap(report(case, DEFAULT, found)))
    lap(json.dumps(as_json(reading, boxes=True)))
    lap(interpretation_page(reading))
    steps = [tuple(1000 * (b - a) for a, b in zip(*pair, strict=True)) for pair in pairwise(marks)]
    whole = tuple(sum(step[k] for step in steps[:3]) for k in (0, 1))
    return [*steps[:3], whole, *steps[3:]]


def main():
    """Time every recording once, after a first one that warms up, and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--records", type=int, default=100)
    chosen = parser.parse_args()
    files = sorted(chosen.folder.rglob("*_hr.hea"))[: chosen.records]
    with threadpool_limits(1):
        recordings = [read(file) for file in files]
        interpret(recordings[0])
        times = [interpret(recording) for recording in recordings]
    print(f"{len(times)} recordings, one thread, ms: median (95th percentile) of wall clock; of processor time")
    for k, name in enumerate(PARTS):
        wall, used = (sorted(row[k][which] for row in times) for which in (0, 1))
        high = [values[int(0.95 * (len(values) - 1))] for values in (wall, used)]
        asked = f"; asked: under {ASKED_MS:g}" if name == "whole" else ""
        clock, processor = (f"{statistics.median(v):6.1f} ({h:.1f})" for v, h in zip((wall, used), high, strict=True))
        print(f"{name:16} {clock}; {processor}{asked}")


if __name__ == "__main__":
    main()
