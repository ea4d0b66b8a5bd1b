"""Time 1,000 resampled AUROCs against a loop over scikit-learn, and say how far the two are apart.

    python bench/validate.py [--sizes 10000 100000 800000] [--rounds 5] [--replicates 12]

Patients have five recordings, 3 % have the event. Ours: sorting, an exact multinomial draw of patients, and the AUROC
(and the average precision, which comes along) of all 1,000 resamples, on one thread and on two. Theirs: the draw, and
`sklearn.metrics.roc_auc_score` of the drawn recordings, either as repeated rows or as weights, whichever is faster; in
one process, and in two at a time. Theirs is measured for few resamples and multiplied. Each round times all of them
after one another; medians over the rounds are printed, and the ratios of the medians. "Largest difference" is over
resamples that both are given, as weights. Last, the studentised interval with its 1,000 standard errors, and the
closed form. Set OPENBLAS_NUM_THREADS=1 to keep libraries from using more processors than are stated.
"""

import argparse
import sys
import time
from multiprocessing import get_context

import numpy as np
from sklearn.metrics import roc_auc_score

from twelvelead.validate import auroc_covariance, auroc_interval, draw_counts
from twelvelead.validate.clustered import patient_sums, replicate
from twelvelead.validate.ranking import rank

N_RESAMPLES, EACH, EVENTS = 1000, 5, 0.03
GIVEN = 20


def simulate(n):
    """Return patients, outcomes and scores of `n` recordings."""
    rng = np.random.default_rng(n)
    unit = np.arange(n) // EACH
    y = (rng.uniform(size=n // EACH) < EVENTS)[unit].astype(float)
    return unit, y, rng.normal(size=n) + y


def loop(n, k, how):
    """Return the seconds that `k` resamples by scikit-learn take."""
    unit, y, p = simulate(n)
    rng = np.random.default_rng(0)
    n_units = unit[-1] + 1
    start = time.perf_counter()
    for _ in range(k):
        counts = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)[unit]
        if how == "weights":
            roc_auc_score(y, p, sample_weight=counts)
        else:
            rows = np.repeat(np.arange(n), counts)
            roc_auc_score(y[rows], p[rows])
    return time.perf_counter() - start


def ours(n, n_threads):
    """Return the seconds that 1,000 resamples take, sorting included."""
    unit, y, p = simulate(n)
    start = time.perf_counter()
    sums = patient_sums(y, unit=unit)
    ranking = rank(y, p, unit=unit)
    replicate([ranking], sums, n_resamples=N_RESAMPLES, seed=0, with_covariance=False, n_threads=n_threads)
    return time.perf_counter() - start


def largest_difference(n):
    """Return the largest difference from scikit-learn over resamples given to both."""
    unit, y, p = simulate(n)
    sums = patient_sums(y, unit=unit)
    found = replicate([rank(y, p, unit=unit)], sums, n_resamples=GIVEN, seed=1, with_covariance=False)
    counts = draw_counts(len(sums), first=0, size=GIVEN, seed=1)
    theirs = [roc_auc_score(y, p, sample_weight=column[unit]) for column in counts.T]
    return float(np.abs(found.auroc[:, 0] - theirs).max())


def once(function, *arguments, **choices):
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function(*arguments, **choices)
    return time.perf_counter() - start


def time_all(n, k, pool):
    """Return the seconds of one round by name, for 1,000 resamples."""
    unit, y, p = simulate(n)
    how = min(("rows", "weights"), key=lambda name: loop(n, 2, name))
    both = max(pool.starmap(loop, [(n, k, how)] * 2, chunksize=1))
    interval = {"patients": unit, "level": 0.95, "n_resamples": N_RESAMPLES, "seed": 0}
    return {
        "scikit-learn, 1 process": loop(n, k, how) * N_RESAMPLES / k,
        "scikit-learn, 2 processes": both * N_RESAMPLES / k / 2,
        "ours, 1 thread": ours(n, 1),
        "ours, 2 threads": ours(n, 2),
        "studentised, 1 thread": once(auroc_interval, y, p, **interval),
        "studentised, 2 threads": once(auroc_interval, y, p, **interval, n_threads=2),
        "closed form": once(auroc_covariance, y, [p], patients=unit),
    }


def main():
    """Print a table per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 800_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--replicates", type=int, default=12, help="of scikit-learn in a round, at 100,000 recordings")
    arguments = parser.parse_args()
    with get_context("spawn").Pool(2) as pool:
        pool.starmap(loop, [(1000, 2, "rows")] * 2)
        time_all(1000, 2, pool)  # compiles
        for n in arguments.sizes:
            k = int(np.clip(arguments.replicates * 100_000 / n, 3, 200))
            rounds = []
            for number in range(arguments.rounds):
                rounds.append(time_all(n, k, pool))
                print(f"{n}: round {number + 1} of {arguments.rounds}", file=sys.stderr)
            medians = {name: float(np.median([r[name] for r in rounds])) for name in rounds[0]}
            print(f"\n{n} recordings; {k} resamples of scikit-learn a round, times {N_RESAMPLES / k:.0f}")
            for name, seconds in medians.items():
                print(f"  {name:28}{seconds:10.4f} s")
            one, two = medians["ours, 1 thread"], medians["ours, 2 threads"]
            print(f"  2 threads against 2 processes {medians['scikit-learn, 2 processes'] / two:8.0f} x (asked 80)")
            print(f"  2 threads against 1 process   {medians['scikit-learn, 1 process'] / two:8.0f} x (asked 160)")
            print(f"  1 thread against 1 process    {medians['scikit-learn, 1 process'] / one:8.0f} x")
            print(f"  largest difference {largest_difference(n):.1e} (asked 1e-12)")


if __name__ == "__main__":
    main()
