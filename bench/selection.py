"""Elimination of predictors from 20 to 1, beside scikit-learn's RFECV, in one run on the same rows.

    python bench/selection.py [--rows 200000] [--targets 10] [--peer-targets 10] [--recovery 50] [--seed 0]

Simulates measurements like an ECG's (20 predictors, correlated in groups, rounded, some missing; five recordings per
patient) and outcomes that 5 to 9 of them raise or lower, 5 % of recordings. A fifth of the patients are the test. Then,
target by target, both cores busy in all three:

RFECV     XGBClassifier, 100 trees of depth 4, one predictor at a time, 5 folds of patients, n_jobs=2
5 folds   `eliminate_by_folds`, the same protocol
1 split   `eliminate` with one fold to judge by, two targets at a time

The predictors that each chooses are given to one and the same final fit, whose AUROC is of the test patients. Wall time
and processor time (children included); where others use the machine, the second is to be trusted. With --recovery,
outcomes of 5 predictors each, and how often all five are chosen. With --scale, one target of MIMIC's size instead:
640,000 development rows of 50 predictors, 1.5 % events, binned before; what each part of the fit takes, on one thread.
"""

import argparse
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from joblib.externals.loky import get_reusable_executor
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.feature_selection import RFECV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from xgboost import XGBClassifier

from twelvelead.predict import Growth, RiskClassifier, bin_once, eliminate, eliminate_by_folds, risk_model, suited
from twelvelead.predict.deal import deal
from twelvelead.predict.grow import Rows

P, N_FOLDS, PER_PATIENT, PREVALENCE = 20, 5, 5, 0.05
SCALE = {"n": 640_000, "p": 50}
SCALE_PREVALENCE = 0.015
NAMES = tuple(f"x{j:02d}" for j in range(P))
HOW = {"names": NAMES, "growth": Growth(rounds=25, learning_rate=0.3, max_depth=3), "step": 1, "smallest": 1}
HOW |= {"importance": "total_gain", "rule": "near_best"}


@dataclass(frozen=True)
class Sample:
    """Measurements, whose they are, and whose are tested."""

    X: np.ndarray
    patients: np.ndarray
    test: np.ndarray


def measure_many(n, seed, p=P):
    """Make measurements in groups of four that share a cause, of patients who keep to themselves."""
    rng = np.random.default_rng(seed)
    patients = np.arange(n) // PER_PATIENT
    groups = -(-p // 4)
    cause = rng.normal(size=(patients[-1] + 1, groups))[patients] + 0.7 * rng.normal(size=(n, groups))
    own = rng.normal(size=(patients[-1] + 1, p))[patients] + 0.7 * rng.normal(size=(n, p))
    X = np.round(0.6 * np.repeat(cause, 4, axis=1)[:, :p] + 0.8 * own, 2).astype(np.float32)
    X[rng.uniform(size=n) < 0.08, :2] = np.nan  # no P wave
    return Sample(X, patients, patients % 5 == 0)


def ask(sample, seed, n_planted=None, prevalence=PREVALENCE):
    """Let some predictors raise or lower the odds of an outcome, one of them by its distance from the middle."""
    rng = np.random.default_rng(seed)
    planted = rng.choice(sample.X.shape[1], n_planted or rng.integers(5, 10), replace=False)
    known = np.nan_to_num(sample.X[:, planted])
    slope = rng.uniform(0.25, 0.5, len(planted)) * rng.choice([-1, 1], len(planted))
    parts = known * slope
    parts[:, 0] = np.abs(known[:, 0]) * 1.2 * np.abs(slope[0])
    odds = parts.sum(axis=1) + 0.5 * rng.normal(size=sample.patients[-1] + 1)[sample.patients]
    base = brentq(lambda b: expit(odds + b).mean() - prevalence, -30, 10)
    return (rng.uniform(size=len(odds)) < expit(odds + base)).astype(np.int8), planted


def spent(work):
    """Return what a call returns, its wall time and its processor time."""
    get_reusable_executor().shutdown(wait=True)
    users = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    before = [resource.getrusage(who) for who in users]
    start = time.perf_counter()
    out = work()
    wall = time.perf_counter() - start
    get_reusable_executor().shutdown(wait=True)  # a child's time counts once it has ended
    after = [resource.getrusage(who) for who in users]
    cpu = sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after, strict=True))
    return out, wall, cpu


def peer(X, y, patients):
    """Return what RFECV keeps."""
    trees = XGBClassifier(n_estimators=100, max_depth=4, n_jobs=1)
    search = RFECV(trees, step=1, cv=GroupKFold(N_FOLDS), scoring="roc_auc", n_jobs=2)
    return np.flatnonzero(search.fit(X, y, groups=patients).support_)


def judge(sample, y, columns):
    """Return the test AUROC of one and the same model of the predictors chosen."""
    keep = ~sample.test
    model = RiskClassifier(n_members=1, elimination=0, **suited(int(keep.sum())))
    model.fit(sample.X[keep][:, columns], y[keep], groups=sample.patients[keep])
    return roc_auc_score(y[sample.test], model.margin(sample.X[sample.test][:, columns]))


def chosen(path):
    """Return the positions of the predictors that an elimination chose."""
    return np.array([NAMES.index(name) for name in path.chosen.features])


def compare(options):
    """Print a line per target, and the ratios of the sums."""
    sample = measure_many(options.rows, options.seed)
    keep = ~sample.test
    outcomes = [ask(sample, options.seed + k) for k in range(options.targets)]
    bins, wall, cpu = spent(lambda: bin_once(sample.X[keep]))
    print(f"{len(bins.table):,} development rows x {P}; binned once: {wall:.2f} s wall, {cpu:.2f} s CPU")
    patients = sample.patients[keep]

    def rows(y):
        return Rows(bins.table, y[keep], patients, edges=bins.edges)

    def one_split(y):
        folds = deal(y[keep], patients, n_folds=N_FOLDS, seed=0)
        return chosen(eliminate(rows(y).take(folds != 0), rows(y).take(folds == 0), **HOW))

    def five_folds(y):
        folds = deal(y[keep], patients, n_folds=N_FOLDS, seed=0)
        return chosen(eliminate_by_folds(rows(y), folds, n_jobs=2, **HOW))

    with ThreadPoolExecutor(2) as pool:
        split = spent(lambda: list(pool.map(one_split, [y for y, _ in outcomes])))
    folded = [spent(lambda y=y: five_folds(y)) for y, _ in outcomes]
    n = options.targets
    ours = {"1 split": (split[1] / n, split[2] / n), "5 folds": tuple(np.mean([f[1:] for f in folded], axis=0))}
    for name, times in ours.items():
        print_ratios(name, times, [])
    theirs = []
    for k, (y, planted) in enumerate(outcomes):
        choices = {"1 split": split[0][k], "5 folds": folded[k][0]}
        if k < options.peer_targets:
            theirs.append(spent(lambda y=y: peer(bins.table, y[keep], patients)))
            choices["RFECV"] = theirs[-1][0]
            print_ratios(f"target {k}, RFECV", theirs[-1][1:], [])
        choices["all 20"] = np.arange(P)
        told = [f"{who} {len(c):>2} ({judge(sample, y, c):.4f})" for who, c in choices.items()]
        lost = ", ".join(f"{who} {len(set(planted) - set(c))}" for who, c in choices.items())
        print(f"target {k}: {len(planted)} planted; kept (test AUROC): {'; '.join(told)}; lost: {lost}", flush=True)
    print_ratios("1 split", ours["1 split"], theirs)
    print_ratios("5 folds", ours["5 folds"], theirs)


def print_ratios(name, ours, theirs):
    """Print seconds per target, and how many times as many RFECV takes."""
    line = f"{name}: {ours[0]:.2f} s wall, {ours[1]:.2f} s CPU per target"
    if theirs:
        wall, cpu = (float(np.mean([t[place] for t in theirs])) for place in (1, 2))
        line += f"; RFECV {wall:.1f} s wall, {cpu:.1f} s CPU: {wall / ours[0]:.0f} x, {cpu / ours[1]:.0f} x"
    print(line, flush=True)


def recover(options):
    """Print how often all five planted predictors are chosen, and how many others with them."""
    found, others, last = [], [], []
    for seed in range(options.recovery):
        sample = measure_many(options.recovery_rows, 1000 + seed)
        y, planted = ask(sample, 1000 + seed, 5)
        folds = deal(y, sample.patients, n_folds=N_FOLDS, seed=0)
        rows = Rows(sample.X, y, sample.patients)
        path = eliminate(rows.take(folds != 0), rows.take(folds == 0), **HOW)
        kept = set(chosen(path).tolist())
        five = next({NAMES.index(f) for f in s.features} for s in path.steps if s.n_features == 5)
        found.append(set(planted.tolist()) <= kept)
        last.append(set(planted.tolist()) == five)
        others.append(len(kept - set(planted.tolist())))
    n = options.recovery_rows
    print(f"recovery, {len(found)} simulations of {n:,} rows: all five chosen in {np.mean(found):.0%}, with")
    print(f"{np.mean(others):.1f} others on average; the five left at size 5 are the planted in {np.mean(last):.0%}")


def fit_at_scale(options):
    """Print what one target of MIMIC's size takes, part by part."""
    sample = measure_many(seed=options.seed, **SCALE)
    y, planted = ask(sample, options.seed, prevalence=SCALE_PREVALENCE)
    patients = np.array([f"patient {i:07d}" for i in sample.patients])
    bins, wall, cpu = spent(lambda: bin_once(sample.X))
    print(f"{len(y):,} x {sample.X.shape[1]}, {int(y.sum()):,} events; binned once: {wall:.2f} s wall, {cpu:.2f} s CPU")
    part_of = {"number_patients": "patients", "deal": "folds", "eliminate": "elimination", "grow": "final trees"}
    part_of |= {"calibrate": "calibration curve", "thin": "thinning"}
    parts = {}

    def timed(name, function):
        def call(*args, **kwargs):
            start = time.process_time()
            out = function(*args, **kwargs)
            parts[part_of[name]] = parts.get(part_of[name], 0) + time.process_time() - start
            return out

        return call

    for name in part_of:
        setattr(risk_model, name, timed(name, getattr(risk_model, name)))
    model = RiskClassifier(n_members=1, **suited(len(y)))
    _, wall, cpu = spent(lambda: model.fit(bins, y, groups=patients))
    parts["rest"] = cpu - sum(parts.values())
    print(f"fit: {wall:.2f} s wall, {cpu:.2f} s CPU; " + ", ".join(f"{k} {v:.2f}" for k, v in parts.items()))
    kept = model.members_[0].features
    lost = len({f"x{j}" for j in planted} - set(kept))
    trees = model.members_[0].booster.num_boosted_rounds()
    print(f"{len(kept)} predictors kept, {lost} of {len(planted)} planted lost, {trees} rounds; ", end="")
    print(f"peak memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def main():
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--targets", type=int, default=10)
    parser.add_argument("--peer-targets", type=int, default=10, help="targets for RFECV, some 90 s each")
    parser.add_argument("--recovery", type=int, default=0, help="simulations with five planted predictors")
    parser.add_argument("--recovery-rows", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", action="store_true", help="one target of MIMIC's size, and nothing else")
    options = parser.parse_args()
    if options.scale:
        fit_at_scale(options)
        return
    if options.targets:
        compare(options)
    if options.recovery:
        recover(options)


if __name__ == "__main__":
    main()
