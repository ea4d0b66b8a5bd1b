"""What each way of adding the ECG reaches on the simulated five-year cohort, and how often intervals hold the truth.

    python bench/dianet.py [--seeds 100] [--slow 20] [--workers 2] [--resamples 500]

A seed draws a development cohort of 2,043 and fits every model; the first `--slow` seeds fit boosted trees and networks
as well. The expected AUROC of each fitted model is taken over 20,000 new people whose risks are known, without drawing
outcomes; beside it stands the best that any model can reach. Then 395 further people are drawn with their outcomes, and
the studentised interval of ΔAUROC is asked whether it holds (a) the expected difference of those two fitted models and
(b) 0: for the ECG as it is, for the ECG dealt out anew between people, and in the variant without effect. Shares are
of the seeds with an interval; `none` counts those without, in which the two models rank nearly everybody alike.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from twelvelead.predict.fuse import FusionClassifier
from twelvelead.predict.replicates import learn_replicates
from twelvelead.simulate.diabetes import CLINICAL, ECG, N_REPLICATES, best_aurocs, diabetes_cohort
from twelvelead.simulate.optimum import expected_auroc
from twelvelead.validate import delta_auroc_interval

MANY, TEST = 20_000, 395
HEAD = (
    f"{'model':<28} {'seeds':>5} {'AUROC':>7} {'sd':>6} {'delta':>7} {'sd':>6} "
    f"{'truth in':>8} {'0 in':>5} {'above 0':>7} {'none':>4} {'s':>6}"
)
CRF = list(range(6))
# name, blocks, fusion, learner, replicates, what it is compared with
QUICK = (
    ("crf logistic", "crf", "early", "logistic", "mean", ""),
    ("early logistic", "both", "early", "logistic", "mean", "crf logistic"),
    ("late logistic", "both", "late", "logistic", "mean", "crf logistic"),
    ("early logistic, 18 columns", "both", "early", "logistic", "concat", "crf logistic"),
    ("early logistic, permuted", "permuted", "early", "logistic", "mean", "crf logistic"),
)
SLOW = (
    ("crf xgboost", "crf", "early", "xgboost", "mean", ""),
    ("early xgboost", "both", "early", "xgboost", "mean", "crf xgboost"),
    ("late xgboost", "both", "late", "xgboost", "mean", "crf xgboost"),
    ("crf network", "crf", "intermediate", "logistic", "mean", ""),
    ("intermediate", "both", "intermediate", "logistic", "mean", "crf network"),
    ("intermediate, 18 columns", "both", "intermediate", "logistic", "concat", "crf network"),
    ("intermediate, permuted", "permuted", "intermediate", "logistic", "mean", "crf network"),
)
NULL = (QUICK[0], QUICK[1])


def main():
    """Run all seeds and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--slow", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--resamples", type=int, default=500)
    arguments = parser.parse_args()
    every = range(arguments.seeds)
    tasks = [(seed, seed < arguments.slow, null, arguments.resamples) for seed in every for null in (0, 1)]
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        rows = [row for found in pool.map(run_seed, tasks) for row in found]
    table = pl.DataFrame(rows, infer_schema_length=None)
    for null in (False, True):
        best = ", ".join(f"{name} {value:.4f}" for name, value in best_aurocs(seed=0, null=null).items())
        print(f"\n{'no effect of the ECG' if null else 'planted'}: best {best}")
        print(HEAD)
        for name in table.filter(null=null)["model"].unique(maintain_order=True):
            print(describe(name, table.filter(null=null, model=name)))


def describe(name, part):
    """Write one line of the table."""
    n, s = part.height, part["seconds"].median()
    line = f"{name:<28} {n:>5} {part['auroc'].mean():>7.4f} {part['auroc'].std() or 0:>6.4f}"
    known = part.drop_nulls("delta")
    if not known.height:
        return f"{line} {'':>7} {'':>6} {'':>8} {'':>5} {'':>7} {'':>4} {s:>6.2f}"
    shares = [known[c].mean() or 0.0 for c in ("holds_truth", "holds_zero", "above_zero")]
    words = " ".join(f"{share:>{width}.2f}" for share, width in zip(shares, (8, 5, 7), strict=True))
    delta, none = known["delta"], known["above_zero"].null_count()
    return f"{line} {delta.mean():>7.4f} {delta.std() or 0:>6.4f} {words} {none:>4} {s:>6.2f}"


def run_seed(task):
    """Fit and judge the models of one seed."""
    seed, slow, null, resamples = task
    with threadpool_limits(1):
        development = read(diabetes_cohort(2043, n_longitudinal=1, seed=1000 + seed, null=bool(null)), "development")
        many = read(
            diabetes_cohort(1, n_longitudinal=MANY + TEST, seed=500_000 + seed, null=bool(null)), "longitudinal"
        )
        models = NULL if null else (*QUICK, *(SLOW if slow else ()))
        fitted, rows = {}, []
        for name, blocks, fusion, learner, how, base in models:
            start = time.perf_counter()
            p = fit(development, many, blocks=blocks, fusion=fusion, learner=learner, how=how, seed=seed)
            seconds = time.perf_counter() - start
            fitted[name] = (p, expected_auroc(many["risk"][:MANY], p[:MANY]))
            row = {"seed": seed, "null": bool(null), "model": name, "auroc": fitted[name][1], "seconds": seconds}
            rows.append(row | {"delta": None, "holds_truth": None, "holds_zero": None, "above_zero": None})
            if base:
                rows[-1] |= compare(many, fitted[name], fitted[base], seed=seed, resamples=resamples)
        return rows


def compare(many, new, base, *, seed, resamples):
    """Ask the interval of ΔAUROC in 395 people what it holds."""
    truth = new[1] - base[1]
    rows = slice(MANY, MANY + TEST)
    found = delta_auroc_interval(
        many["y"][rows], new[0][rows], base[0][rows], patients=None, level=0.95, n_resamples=resamples, seed=seed
    )
    if found.lower is None:  # the two rank nearly everybody alike, so that a resample has no standard error
        return {"delta": truth}
    holds = {n: found.lower <= value <= found.upper for n, value in (("holds_truth", truth), ("holds_zero", 0.0))}
    return {"delta": truth, **holds, "above_zero": found.lower > 0}


def read(cohort, part):
    """Give the people of one part without diabetes at baseline: blocks, outcome and risk."""
    people = cohort.people.filter(part=part, prevalent=0).sort("patient_id")
    recordings = people.select("patient_id").join(cohort.recordings, on="patient_id").sort("patient_id", "recording_id")
    ecg = recordings.select(ECG).to_numpy().reshape(people.height, N_REPLICATES, len(ECG))
    return {"crf": people.select(CLINICAL).to_numpy(), "ecg": ecg, **{n: people[n].to_numpy() for n in ("y", "risk")}}


def fit(development, many, *, blocks, fusion, learner, how, seed):
    """Fit one model and give the risks of the new people."""
    sets, rng = [], np.random.default_rng([seed, 2])
    combine = learn_replicates(development["ecg"], how=how)
    for people in (development, many):
        ecg = combine(people["ecg"])
        ecg = ecg[rng.permutation(len(ecg))] if blocks == "permuted" else ecg
        sets.append(people["crf"] if blocks == "crf" else np.column_stack([people["crf"], ecg]))
    columns = {"crf": CRF} if blocks == "crf" else {"crf": CRF, "ecg": list(range(6, sets[0].shape[1]))}
    model = FusionClassifier(blocks=columns, fusion=fusion, learner=learner, random_state=seed)
    return model.fit(sets[0], development["y"]).predict_proba(sets[1])[:, 1]


if __name__ == "__main__":
    main()
