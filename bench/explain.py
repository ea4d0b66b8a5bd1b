"""Time exact Shapley values and one ECG against a thousand targets, beside XGBoost and, where it is installed, shap.

    python bench/explain.py [--rows 100000] [--trees 100] [--targets 1000] [--peer-rows 100000]

Simulated predictors (20, a tenth missing). First: seconds for all rows, by depth and threads; how far the values are
off the margin, and from XGBoost's. Peers may be given fewer rows; their time is then scaled up, and says so. Then: the
models of a thousand targets read from their folders, one ECG's log-odds in all of them, and its reasons. Each way runs
in a process of its own, so that its memory is its own. Wall time, best of three.
"""

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import xgboost as xgb

from twelvelead.io import write_model
from twelvelead.predict import Calibrator, RiskClassifier, expected_margins, margins, plant, shapley_values, to_parts
from twelvelead.predict.forest import Rooted
from twelvelead.predict.trees import read_trees
from twelvelead.study.application import load_forest, predict_risks

N_FEATURES = 20
FEATURES = tuple(f"x{i}" for i in range(N_FEATURES))
DISTINCT = 10


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--peer-rows", type=int, default=100_000)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--targets", type=int, default=1_000)
    parser.add_argument("--depths", type=int, nargs="+", default=[3, 4, 6])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(PARTS[arguments.part](arguments.folder)))
        return
    print(f"XGBoost {xgb.__version__}; {arguments.rows} rows, {N_FEATURES} predictors, {arguments.trees} trees")
    if not importlib.util.find_spec("shap"):
        print("shap is not installed: it is left out (for XGBoost's models it calls pred_contribs)")
    for depth in arguments.depths:
        explain_rows(arguments, depth)
    apply_models(arguments)


def simulate(n, seed):
    """Predictors and an outcome that a few of them, and two together, raise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    y = (X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * X[:, 3] + rng.normal(size=n) > 2.0).astype(int)
    X[rng.uniform(size=X.shape) < 0.1] = np.nan
    return X, y


def best(function, repeats=3):
    """Seconds of the quickest of several runs, and its result."""
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        spent.append(time.perf_counter() - start)
    return min(spent), result


def explain_rows(arguments, depth):
    """Print the seconds of every way to explain all rows."""
    X, y = simulate(arguments.rows, arguments.seed)
    params = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "nthread": 1, "seed": arguments.seed}
    booster = xgb.train(params, xgb.DMatrix(X, y), arguments.trees)
    trees = read_trees(bytes(booster.save_raw("ubj")), n_features=N_FEATURES, n_trees=arguments.trees)
    forest = plant([Rooted(((trees, FEATURES),), Calibrator())], FEATURES)
    shapley_values(forest, X[:2])  # compiled, or read from disk
    ours = {}
    for threads in (1, 2):
        ours[threads], (shap, used) = best(lambda n=threads: shapley_values(forest, X, n_jobs=n))
    n = min(arguments.peer_rows, arguments.rows)
    theirs = {}
    for threads in (1, 2):
        booster.set_param({"nthread": threads})
        table = xgb.DMatrix(X[:n], nthread=threads)
        seconds, contributions = best(lambda t=table: booster.predict(t, pred_contribs=True), repeats=1)
        theirs[threads] = seconds * arguments.rows / n
    margin = booster.predict(xgb.DMatrix(X), output_margin=True)
    off = np.abs(shap.sum(axis=1) + expected_margins(forest)[0] - margin).max()
    single = np.abs(shap.astype(np.float32).sum(axis=1) + expected_margins(forest)[0] - margin).max()
    wide = np.zeros((n, N_FEATURES))
    wide[:, used] = shap[:n]
    apart = np.abs(wide - contributions[:, :-1]).max()
    print(
        f"depth {depth}: ours {ours[1]:.3f} s on 1 thread, {ours[2]:.3f} s on 2; XGBoost {theirs[1]:.2f} s, "
        f"{theirs[2]:.2f} s ({n} rows, scaled): {theirs[1] / ours[1]:.0f} and {theirs[2] / ours[2]:.0f} times; "
        f"off the margin by {off:.1e} (in float32 {single:.1e}), from XGBoost's by {apart:.1e}"
    )


def apply_models(arguments):
    """Print time and memory of each way to hold a thousand models and ask them about one ECG."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_models(folder, n_targets=arguments.targets, n_trees=arguments.trees, seed=arguments.seed)
        for part in PARTS:
            command = [sys.executable, __file__, "--part", part, "--folder", str(folder)]
            out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603
            print(f"{part}: {json.loads(out.splitlines()[-1])}")


def make_models(folder, *, n_targets, n_trees, seed):
    """Fit a few models of depth 4, and store them in turn under every target's name."""
    stored = []
    for k in range(DISTINCT):
        X, y = simulate(5_000, seed + k)
        frame = pl.DataFrame(X, schema=list(FEATURES))
        model = RiskClassifier(n_members=1, elimination=0, rounds=n_trees, early_stopping=n_trees, max_depth=4)
        stored.append(to_parts(model.fit(frame, y)))
    for k in range(n_targets):
        parts, card = stored[k % DISTINCT]
        write_model(folder / f"target_{k:04d}", parts, {**card, "target": f"target_{k:04d}"})
    np.save(folder / "row.npy", simulate(1, seed + 99)[0])


def memory():
    """Megabytes that the process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def flat_forest(folder):
    """Ours: folders to one forest, one ECG's log-odds, then risks and reasons."""
    folders, row = sorted(folder.glob("target_*")), np.load(folder / "row.npy")
    margins(load_forest(folders[:1], FEATURES), row)  # compiled, or read from disk
    before = memory()
    start = time.perf_counter()
    forest = load_forest(folders, FEATURES, workers=2)
    spent = {"load s": time.perf_counter() - start, "load MB": memory() - before, "process MB": memory()}
    for threads in (1, 2):
        spent[f"margins ms, {threads} thread"] = 1e3 * best(lambda n=threads: margins(forest, row, n_jobs=n), 20)[0]
    table = pl.DataFrame(row, schema=list(FEATURES)).insert_column(0, pl.Series("recording_id", ["r"]))
    names = [path.name for path in folders]
    for threads in (1, 2):
        give = best(lambda n=threads: predict_risks(forest, table, targets=names, workers=n))
        spent[f"risks and reasons ms, {threads} thread"] = 1e3 * give[0]
    return rounded(spent)


def boosters(folder):
    """XGBoost: a booster per target."""
    row = np.load(folder / "row.npy")
    paths = sorted(folder.glob("target_*/member_0.ubj"))
    before = memory()
    start = time.perf_counter()
    loaded = [xgb.Booster({"nthread": 1}, model_file=str(path)) for path in paths]
    spent = {"load s": time.perf_counter() - start, "load MB": memory() - before, "process MB": memory()}
    for booster in loaded:
        booster.inplace_predict(row, predict_type="margin")
    loop = best(lambda: [b.inplace_predict(row, predict_type="margin") for b in loaded])
    table = xgb.DMatrix(row, nthread=1)
    shared = best(lambda: [b.predict(table, output_margin=True) for b in loaded])
    shap = best(lambda: [b.predict(table, pred_contribs=True) for b in loaded])
    ours = margins(load_forest([path.parent for path in paths], FEATURES), row)[0]
    spent |= {"margins ms, loop": 1e3 * loop[0], "margins ms, shared DMatrix": 1e3 * shared[0]}
    spent |= {"SHAP ms, shared DMatrix": 1e3 * shap[0]}
    return rounded(spent) | {"largest difference": float(np.abs(np.concatenate(loop[1]) - ours).max())}


def rounded(spent):
    """Figures as they are printed."""
    return {name: round(value, 2) for name, value in spent.items()}


PARTS = {"flat_forest": flat_forest, "boosters": boosters}


if __name__ == "__main__":
    main()
