"""Whether intervals hold what they promise, and tests reject as often as they say: simulations with a known truth.

    python bench/coverage.py [intervals null planted markers] [--cohorts 2000] [--resamples 1000] [--workers 2]

intervals   95 % intervals of an AUROC by five methods, in cohorts of patients with one, two or four ECGs each; nine
            tenths of the score's variance are the patient's own. The share of cohorts in which they hold the truth.
null        1,000 targets that nothing predicts, four ECGs per patient: how often a test at 5 % rejects, and whether
            Benjamini and Hochberg's procedure discovers anything; beside DeLong's test that takes ECGs for patients.
planted     50 of 1,000 targets with AUROC 0.60 and 300 patients with the event: false discoveries, and those missed.
markers     15 useless markers beside 3 good ones, fitted on 420 and judged on 1,680 others: how often a ΔAUROC test
            and the continuous net reclassification improvement take them for an improvement.

The same seeds give the same figures. 2,000 cohorts put ±1 percentage point (two standard errors) around 95 %.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from twelvelead.validate import auroc, auroc_interval, delta_auroc
from twelvelead.validate.chance import chance_z
from twelvelead.validate.discrimination import auroc_covariance
from twelvelead.validate.multiplicity import adjust

OWN = 0.9
"""Share of the score's variance that is the patient's."""

# Patients, ECGs of each, patients with the event, AUROC, and the least coverage that is asked (None: not asked).
CELLS = (
    (1000, 1, 100, 0.80, 0.94), (200, 1, 20, 0.80, 0.93), (500, 4, 50, 0.80, 0.94), (2000, 4, 200, 0.80, 0.94),
    (500, 4, 50, 0.90, 0.94), (500, 4, 50, 0.954, 0.91), (1000, 2, 20, 0.80, 0.93), (1000, 2, 20, 0.954, 0.91),
    (100, 4, 10, 0.80, 0.91), (100, 4, 10, 0.954, 0.91), (2000, 1, 10, 0.80, 0.91), (2000, 1, 10, 0.954, 0.91),
)  # fmt: skip
METHODS = ("DeLong, ECGs", "percentile, ECGs", "DeLong, patients", "percentile, patients", "studentised, patients")


def main():
    """Run what is asked, and print a table each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=list(PARTS), choices=[*PARTS, []])
    parser.add_argument("--cohorts", type=int, default=2000, help="cohorts for each line of `intervals` and `markers`")
    parser.add_argument("--replicates", type=int, default=60, help="sets of 1,000 targets")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    with ProcessPoolExecutor(chosen.workers, mp_context=get_context("spawn")) as pool:
        for part in chosen.parts:
            start = time.perf_counter()
            PARTS[part](chosen, pool)
            print(f"({time.perf_counter() - start:.0f} s)\n", flush=True)


# --- intervals --------------------------------------------------------------------------------------------------------


def draw_cohort(seed, n_patients, per, n_events, truth):
    """Draw outcome, score and patient of each ECG; the AUROC of two ECGs of different patients is `truth`."""
    rng = np.random.default_rng(seed)
    with_event = rng.permutation(n_patients) < n_events
    patient = np.repeat(np.arange(n_patients), per)
    score = np.sqrt(OWN) * rng.normal(size=n_patients)[patient] + np.sqrt(1 - OWN) * rng.normal(size=len(patient))
    y = with_event[patient].astype(float)
    return y, score + np.sqrt(2) * ndtri(truth) * y, patient


def cover(seed, cell, n_resamples):
    """Whether each method's interval holds the truth, in one cohort."""
    n_patients, per, n_events, truth, _ = cell
    y, score, patient = draw_cohort(seed, n_patients, per, n_events, truth)
    choices = {"level": 0.95, "n_resamples": n_resamples, "seed": seed}
    ecgs = auroc_interval(y, score, patients=None, method="percentile", **choices)
    percentile = auroc_interval(y, score, patients=patient, method="percentile", **choices)
    studentised = auroc_interval(y, score, patients=patient, **choices)

    def plain(patients):
        estimate, covariance = auroc_covariance(y, [score], patients=patients)
        reach = norm.ppf(0.975) * np.sqrt(covariance[0, 0])
        return estimate[0] - reach, estimate[0] + reach

    intervals = [
        plain(None), (ecgs.lower, ecgs.upper), plain(patient), (percentile.lower, percentile.upper),
        (studentised.lower, studentised.upper),
    ]  # fmt: skip
    return [lower is not None and lower <= truth <= upper for lower, upper in intervals]


def intervals(chosen, pool):
    """Print the coverage of each method in each cell."""
    print(f"95 % intervals: share of {chosen.cohorts} cohorts whose interval holds the truth")
    print(f"{'patients × ECGs':>16} {'events':>7} {'AUROC':>6}  " + "  ".join(f"{m:>21}" for m in METHODS) + "   asked")
    for number, cell in enumerate(CELLS):
        seeds = [10_000_000 * (number + 1) + k for k in range(chosen.cohorts)]
        held = pool.map(partial(cover, cell=cell, n_resamples=chosen.resamples), seeds, chunksize=20)
        shares = np.mean(list(held), axis=0)
        n_patients, per, n_events, truth, asked = cell
        line = f"{n_patients:>10} × {per:<3} {n_events:>7} {truth:>6.3f}  " + "  ".join(f"{s:>21.3f}" for s in shares)
        print(f"{line}   ≥ {asked}", flush=True)


# --- many targets -----------------------------------------------------------------------------------------------------


def z_of_targets(seed, *, n_planted):
    """Return z of our test and of the naive one for 1,000 targets of one hospital, the planted ones first."""
    rng = np.random.default_rng(seed)
    n_patients, per = 3000, 4
    patient = np.repeat(np.arange(n_patients), per)
    n = len(patient)
    found = np.empty((1000, 2))
    for k in range(1000):
        planted = k < n_planted
        n_events = 300 if planted else int(rng.integers(30, 600))
        y = (rng.permutation(n_patients) < n_events)[patient].astype(float)
        own = np.sqrt(OWN) * rng.normal(size=n_patients)[patient] + np.sqrt(1 - OWN) * rng.normal(size=n)
        score = own + (np.sqrt(2) * ndtri(0.60) * y if planted else 0.0)
        estimate, covariance = auroc_covariance(y, [score])
        found[k] = chance_z(y, score, patients=patient), (estimate[0] - 0.5) / np.sqrt(covariance[0, 0])
    return found


def null(chosen, pool):
    """Print how often nothing is taken for something."""
    z = np.array(list(pool.map(partial(z_of_targets, n_planted=0), range(chosen.replicates))))
    p = norm.sf(z)
    discovered = np.array([[np.sum(adjust(one[:, j], method="bh") < 0.05) for j in (0, 1)] for one in p])
    print(f"{chosen.replicates} hospitals of 1,000 targets that nothing predicts, 3,000 patients × 4 ECGs")
    for j, name in enumerate(("patients", "ECGs taken for patients")):
        size = np.mean(p[:, :, j] < 0.05)
        print(
            f"  {name}: one-sided 5 % test rejects {size:.2%}; any discovery in {np.mean(discovered[:, j] > 0):.1%} "
            f"of the hospitals; discoveries on average {np.mean(discovered[:, j]):.1f}"
        )


def planted(chosen, pool):
    """Print how much of what is there is found, and how much is found that is not there."""
    n = max(10, chosen.replicates // 4)
    z = np.array(list(pool.map(partial(z_of_targets, n_planted=50), range(1_000_000, 1_000_000 + n))))
    print(f"{n} hospitals, 50 of 1,000 targets with AUROC 0.60 and 300 patients with the event")
    for j, name in enumerate(("patients", "ECGs taken for patients")):
        rejected = np.array([adjust(norm.sf(one[:, j]), method="bh") < 0.05 for one in z])
        power = np.mean(rejected[:, :50])
        false = np.mean(rejected[:, 50:].sum(axis=1) / np.maximum(rejected.sum(axis=1), 1))
        print(f"  {name}: power {power:.1%}, false discovery rate {false:.1%}")


# --- useless markers --------------------------------------------------------------------------------------------------


def judge_markers(seed):
    """Return ΔAUROC's p value and z of the continuous net reclassification improvement for useless markers."""
    rng = np.random.default_rng(seed)
    good, useless = rng.normal(size=(2100, 3)), rng.normal(size=(2100, 15))
    y = (rng.random(2100) < 1 / (1 + np.exp(2.6 - good @ [0.8, 0.5, 0.3]))).astype(int)
    train, test = np.arange(2100) < 420, np.arange(2100) >= 420
    both = np.column_stack([good, useless])
    base, new = (
        LogisticRegression(C=np.inf, max_iter=1000).fit(X[train], y[train]).predict_proba(X[test])[:, 1]
        for X in (good, both)
    )
    y = y[test]
    better = delta_auroc(y, new, base, level=0.95)
    up = np.sign(new - base)
    net = [up[y == side].mean() for side in (1, 0)]
    error = np.sqrt(sum((1 - move**2) / np.sum(y == side) for move, side in zip(net, (1, 0), strict=True)))
    return better.z, (net[0] - net[1]) / error, auroc(y, new) - auroc(y, base)


def markers(chosen, pool):
    """Print how often useless markers seem to help."""
    found = np.array(list(pool.map(judge_markers, range(2_000_000, 2_000_000 + chosen.cohorts), chunksize=20)))
    delta, nri, change = found.T
    print(
        f"15 useless markers beside 3 good ones, {chosen.cohorts} cohorts of 420 + 1,680, ΔAUROC {change.mean():+.4f}"
    )
    print(f"  ΔAUROC > 0 at one-sided 5 %: {np.mean(norm.sf(delta) < 0.05):.1%}")
    print(f"  continuous NRI > 0 at one-sided 5 %: {np.mean(norm.sf(nri) < 0.05):.1%}")


PARTS = {"intervals": intervals, "null": null, "planted": planted, "markers": markers}

if __name__ == "__main__":
    main()
