"""A study at MIMIC's scale: 160,000 patients with five ECGs each, 50 measurements, 200 diagnoses, on one machine.

    python bench/study.py [--patients 160000] [--targets 200] [--kills 0] [--workers 2] [--folder FOLDER] [--seed 0]

Makes a hospital of our own tables: 50 measurements that patients differ in and ECGs vary in, a stay for every ECG, and
ICD-10 codes of the stay. Half of the codes are planted (their log-odds depend on four measurements each), half are
null; all depend on something of the patient's own that no measurement shows, so that a split by ECG would find it.
Then runs `twelvelead study` as one types it, prints the time of every stage and the peak of memory (resident, all
processes added up, so that what they share counts twice), and holds the AUROCs against the best that is possible.

With --kills the run is repeated and killed (SIGKILL) so many times, at random moments, and gone on with; its tables
must have the SHA-256 of those of the run that nobody disturbed.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import psutil
from scipy.special import expit

from twelvelead.io.databases import Database
from twelvelead.io.databases import tables as own_tables
from twelvelead.terms import COHORT, EVENTS
from twelvelead.validate import auroc

ECGS_EACH, FEATURES, SIGNS = 5, 50, 4
T0 = datetime(2150, 1, 1)
STUDY = """
name = "scale"
title = "Diagnoses in a simulated hospital of MIMIC's size"
question = "Does it finish, and find what was planted?"
seed = 0

[database]
kind = "tables"
folder = "hospital"

[predictors]
source = "database"

[split]
method = "holdout"
n_folds = 5

[model]
n_members = 1

[validation]
thresholds = [0.01, 0.03, 0.1]

[[families]]
characters = [3]
min_recordings = 50
rule = {{ system = "icd10", match = "prefix", link = "stay", min_events = {least} }}
"""


def main():
    """Make the hospital, run the study, and run it again with kills."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=160_000)
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the data are made (a temporary folder below it)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        began = time.perf_counter()
        truth = make_hospital(folder / "hospital", arguments)
        print(f"{'making the hospital':<24} {time.perf_counter() - began:8.1f} s", flush=True)
        (folder / "scale.toml").write_text(STUDY.format(least=min(200, arguments.patients // 100)))
        spent = run(folder, "whole", arguments.workers)
        check(folder / "whole", truth)
        if arguments.kills:
            compare_killed(folder, spent, arguments)


def compare_killed(folder, spent, arguments):
    """Run again, killed at random moments, and compare every table."""
    rng = random.Random(arguments.seed)  # noqa: S311 - moments, not secrets
    # What is done stays done: so that every kill finds work under way, they share the time of one run.
    moments = [rng.uniform(0.05, 1.6) * spent / arguments.kills for _ in range(arguments.kills)]
    for number, seconds in enumerate(moments, 1):
        print(
            f"kill {number} after {seconds:.0f} s: {run_until(folder, 'killed', arguments.workers, seconds)}",
            flush=True,
        )
    run(folder, "killed", arguments.workers)
    whole, killed = (json.loads((folder / name / "manifest.json").read_text()) for name in ("whole", "killed"))
    differing = [name for name in whole["outputs"] if whole["outputs"][name] != killed["outputs"].get(name)]
    left = [str(path) for path in (folder / "killed").rglob(".*.unfinished")]
    print(f"{len(whole['outputs'])} files: {'identical' if not differing and whole == killed else differing[:5]}")
    print(f"half-written files left: {left or 'none'}")
    if differing or left:
        raise SystemExit(1)


def start(folder, out, workers, *, stderr):
    """Start the command as a newcomer types it."""
    code = "import sys; from twelvelead.app.cli import main; sys.exit(main())"
    what = ["study", str(folder / "scale.toml"), "--data", str(folder), "--out", str(folder / out)]
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", code, *what, "--workers", str(workers)], stderr=stderr, stdout=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip


def run(folder, out, workers):
    """Run the study to its end; print when each stage ended and the peak of memory; return seconds."""
    began = time.perf_counter()
    child = start(folder, out, workers, stderr=subprocess.PIPE)
    peaks = {}
    watcher = threading.Thread(target=watch, args=(child.pid, peaks), daemon=True)
    watcher.start()
    last = began
    for line in child.stderr:
        now = time.perf_counter()
        print(f"  {now - last:8.1f} s  {line.rstrip()[:140]}", flush=True)
        last = now
    status = child.wait()
    spent = time.perf_counter() - began
    if status not in (0, 4):
        raise SystemExit(f"the study ended with status {status}")
    page = (folder / out / "report.html").stat().st_size / 2**20
    all_, main_ = peaks["all"] / 2**30, peaks["main"] / 2**30
    print(f"{'study':<24} {spent:8.1f} s")
    print(f"{'memory, all processes':<24} {all_:8.2f} GB at its peak ({main_:.2f} in the one that was started)")
    print(f"{'report':<24} {page:8.1f} MB", flush=True)
    return spent


def run_until(folder, out, workers, seconds):
    """Kill the study after so many seconds, and see that its workers end with it."""
    child = start(folder, out, workers, stderr=subprocess.DEVNULL)
    try:
        child.wait(seconds)
        return "had finished"
    except subprocess.TimeoutExpired:
        workers = psutil.Process(child.pid).children(recursive=True)
        child.kill()
        child.wait()
        _, alive = psutil.wait_procs(workers, timeout=30)
        return f"killed, {len(workers)} processes below it" + (f", {len(alive)} of them still alive" if alive else "")


def watch(pid, peaks):
    """Note the highest sum of resident memory, four times a second."""
    peaks |= {"all": 0, "main": 0}
    try:
        process = psutil.Process(pid)
        while True:
            sizes = [resident(p) for p in (process, *process.children(recursive=True))]
            peaks["all"], peaks["main"] = max(peaks["all"], sum(sizes)), max(peaks["main"], sizes[0])
            time.sleep(0.25)
    except psutil.NoSuchProcess:
        return


def resident(process):
    """Bytes in memory; 0 once it is gone."""
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def make_hospital(folder, arguments):
    """Write cohort, measurements and codes; return what is true of each target."""
    rng = np.random.default_rng(arguments.seed)
    n = arguments.patients * ECGS_EACH
    patient = np.repeat(np.arange(arguments.patients), ECGS_EACH)
    x = (rng.normal(size=(arguments.patients, FEATURES))[patient] + rng.normal(size=(n, FEATURES))) / np.sqrt(2)
    x = x.astype(np.float32)
    age, male = rng.uniform(20, 90, arguments.patients)[patient], (rng.uniform(size=arguments.patients) < 0.5)[patient]
    ids = pl.Series([f"e{k:07d}" for k in range(n)])
    cohort = pl.DataFrame({
        "recording_id": ids, "patient_id": [f"p{k:06d}" for k in patient], "age_years": age,
        "sex": np.where(male, "male", "female"), "recorded_at": pl.Series([T0]).repeat_by(n).explode(),
        "stay_id": "s" + ids, "path": pl.Series([None] * n, dtype=pl.String),
    })  # fmt: skip
    features = pl.DataFrame({"recording_id": ids} | {f"measure_{k:02d}_ms": x[:, k] for k in range(FEATURES)})
    absent = rng.uniform(size=n) < 0.1
    features = features.with_columns(measure_00_ms=pl.when(pl.Series(~absent)).then("measure_00_ms"))
    truth, coded = [], [np.zeros(n, dtype=np.int16)]  # every stay has some code, or nothing would be known of it
    owners = [np.arange(n)]
    for k in range(arguments.targets):
        planted = k % 2 == 0
        chosen = rng.choice(np.arange(1, FEATURES), SIGNS, replace=False)
        weights = rng.choice([-1, 1], SIGNS) * rng.uniform(0.2, 0.5, SIGNS) * planted
        risk = x[:, chosen] @ weights + 0.02 * (age - 55)
        own = rng.normal(size=arguments.patients)[patient]
        p = expit(np.log(rng.uniform(0.005, 0.05)) + risk + own)
        y = rng.uniform(size=n) < p
        owners.append(np.flatnonzero(y))
        coded.append(np.full(y.sum(), k + 1, dtype=np.int16))
        age_only = auroc(y.astype(float), age)
        truth.append({"target": code(k + 1), "planted": planted, "best": auroc(y.astype(float), risk), "age": age_only})
    owner, place = np.concatenate(owners), np.concatenate(coded)
    names = pl.Series([code(k) for k in range(arguments.targets + 1)])
    happened = pl.DataFrame({
        "patient_id": cohort["patient_id"].gather(owner), "stay_id": cohort["stay_id"].gather(owner),
        "code": names.gather(place.astype(np.int64)), "system": pl.Series(["icd10"]).repeat_by(len(owner)).explode(),
    })  # fmt: skip
    blank = [pl.lit(None, dtype).alias(name) for name, dtype in EVENTS.schema.items() if name not in happened.columns]
    folder.mkdir(parents=True)
    happened = happened.with_columns(blank).select(list(EVENTS.schema))
    cohort = COHORT.select(cohort)
    own_tables.write(Database("scale", folder, cohort, happened.lazy(), (), features=features.lazy(), simulated=True))
    return pl.DataFrame(truth)


def code(k):
    """Name the k-th code: Z00 is that of every stay, the others are spread over the chapters."""
    return "Z00" if k == 0 else f"{'ABCDEFGHIJKLMNOPQRST'[k % 20]}{k // 20:02d}"


def check(out, truth):
    """Hold the AUROCs against the best that is possible, and the gain over age and sex against what was planted."""
    table = pl.read_parquet(out / "performance.parquet").filter(stratum="all", set="internal", model="ecg_age_sex")
    found = table.filter(metric="auroc").select("target", "estimate", "lower", "upper")
    gain = table.filter(metric="delta_auroc").select("target", gain="estimate", gain_lower="lower", gain_upper="upper")
    both = found.join(gain, on="target").join(truth, on="target", how="left")
    planted, null = both.filter("planted"), both.filter(~pl.col("planted"))
    reached = planted.filter((pl.col("lower") - 0.02 <= pl.col("best")) & (pl.col("best") <= pl.col("upper") + 0.02))
    gap = (planted["best"] - planted["estimate"]).mean()
    more, less = pl.col("gain_lower") > 0, pl.col("gain_upper") < 0
    n_more, n_false, n_less = planted.filter(more).height, null.filter(more).height, null.filter(less).height
    print(f"planted: {planted.height} modelled, the best AUROC within the interval ± .02 in {reached.height};")
    print(f"  the estimate {gap:.4f} below it on average; the ECG adds to age and sex in {n_more}")
    print(f"null: {null.height} modelled; the ECG adds in {n_false}, harms in {n_less}")


if __name__ == "__main__":
    main()
