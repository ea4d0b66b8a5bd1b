"""Train the refiner of the marks on the Lobachevsky database, and report it cross-validated by record.

    python training/marks.py LUDB_FOLDER [--variants N]

Writes src/twelvelead/measure/refiner.npz and its card, refiner.md. Seeded: the same folder gives the same files.
Needs `wfdb` to read the annotations. Minutes on two cores.

The rules mark the median beat of each shape of QRS complex; a cardiologist's marks of the single beats, moved by as
much as the pipeline moves the median beat's marks, are what the refiner learns. Each median beat comes with variants:
medians of some of its beats, fewer leads, other gains and signs, another pace. A record is in one fold with all its
variants.
"""

import argparse
import importlib
import json
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import wfdb
import xgboost as xgb
from scipy.signal import butter, sosfiltfilt
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from twelvelead.measure import refine as refining
from twelvelead.measure.delineate import TOLERANCE_MS, delineate
from twelvelead.measure.observe import observe
from twelvelead.measure.rules import follow_rules
from twelvelead.signal import Recording
from twelvelead.terms import FIDUCIAL_TIMES, LEADS

POINTS = tuple(name.removesuffix("_s") for name in FIDUCIAL_TIMES)
WAVES = {"p": POINTS[0:3], "N": POINTS[3:6], "t": POINTS[6:9]}
NEAR = 75  # samples: 150 ms
N_FOLDS = 10
SEED = 20
TAILS = (0.02, 0.02, 0.02, 0.005, 0.02, 0.02, 0.02, 0.02, 0.02)
N_NETS, N_UNITS = 3, 24
TREES = {"n_estimators": 100, "max_depth": 4, "learning_rate": 0.1, "subsample": 0.5, "colsample_bytree": 0.3,
         "min_child_weight": 50, "reg_lambda": 20, "base_score": 0.0}  # fmt: skip
SURE_TREES = {"n_estimators": 40, "max_depth": 3, "learning_rate": 0.1, "subsample": 0.5, "colsample_bytree": 0.3,
              "min_child_weight": 50, "reg_lambda": 20, "base_score": 0.5}  # fmt: skip


class Shape(NamedTuple):
    """One shape of QRS complex of one record: its median beat, and where the cardiologist marks its single beats."""

    record: int
    beat: np.ndarray  # (12, n_window), mV
    origin: int
    rr_s: float
    beats: np.ndarray  # (n_beats, 12, n_window), mV
    marks: np.ndarray  # (n, 4): mark, lead, beat, sample of the median beat's window


def read_marks(stem, lead):
    """Read the annotated samples of each point of one lead."""
    annotation = wfdb.rdann(str(stem), lead.lower())
    symbols, at = annotation.symbol, annotation.sample
    marks = [[] for _ in POINTS]
    for k, symbol in enumerate(symbols):
        if symbol not in WAVES:
            continue
        onset, peak, offset = (POINTS.index(p) for p in WAVES[symbol])
        marks[peak].append(at[k])
        if k and symbols[k - 1] == "(":
            marks[onset].append(at[k - 1])
        if symbols[k + 1 : k + 2] == [")"]:
            marks[offset].append(at[k + 1])
        elif symbol == "t" and symbols[k + 1 : k + 3] == ["t", ")"]:  # a biphasic T: one offset for both
            marks[offset].append(at[k + 2])
    return marks


def read_shapes(stem, number):
    """Run the pipeline with the rules alone on one record, and overhear what it marks."""
    record = wfdb.rdrecord(str(stem))
    names = {lead.lower(): lead for lead in LEADS}
    recording = Recording(record.p_signal.T, tuple(names[n.lower()] for n in record.sig_name), record.fs, id=stem.name)
    marking = importlib.import_module("twelvelead.measure.marking")
    heard = []

    def overhear(beat, *, fs, origin, rr_s, refine):
        marks = delineate(beat, fs=fs, origin=origin, rr_s=rr_s, refine=refine)
        heard.append((np.array(beat, dtype=float), origin, rr_s, marks.at.copy()))
        return marks

    usual, marking.delineate = marking.delineate, overhear
    try:
        heartbeat = observe(recording, recording.leads, refine=False)
    finally:
        marking.delineate = usual
    smooth = sosfiltfilt(butter(2, (0.5, 40), "bandpass", fs=record.fs, output="sos"), record.p_signal.T, axis=1)
    annotated = [read_marks(stem, lead) for lead in recording.leads]
    centres = heartbeat.times_s * heartbeat.fs
    shapes = []
    for label, (beat, origin, rr_s, marks) in enumerate(heard):
        mine = np.flatnonzero(heartbeat.shape_class == label)
        shift = wave_shifts(heartbeat.beat_marks_s[mine] * heartbeat.fs, marks, centres[mine] - origin)
        shapes.append(
            Shape(
                number, beat, origin, rr_s, cut_beats(smooth, centres[mine], origin, beat.shape[1]),
                bring_home(annotated, marks, shift, with_p=label == 0),
            )
        )  # fmt: skip
    return shapes


def wave_shifts(placed, marks, otherwise):
    """By how much the median beat's marks of each wave were moved onto each beat, samples; shape (n_beats, 9)."""
    shift = np.repeat(otherwise[:, None], len(POINTS), axis=1)
    for first in (0, 3, 6):
        moved = (placed - marks)[:, first : first + 3].reshape(len(placed), -1)
        known = np.isfinite(moved).any(axis=1)
        shift[known, first : first + 3] = np.nanmedian(moved[known], axis=1)[:, None]
    return shift


def bring_home(annotated, marks, shift, *, with_p):
    """Bring the annotated marks of the single beats to the median beat; shape (n, 4)."""
    rows = []
    for lead, points in enumerate(annotated):
        for m in range(0 if with_p else 3, len(POINTS)):
            for at in points[m]:
                away = at - shift[:, m] - marks[m, lead]
                nearest = int(np.abs(away).argmin())
                if abs(away[nearest]) <= NEAR:
                    rows.append((m, lead, nearest, at - shift[nearest, m]))
    return np.array(rows).reshape(-1, 4)


def cut_beats(smooth, centres, origin, length):
    """Cut out single beats between samples; shape (n_beats, n_leads, length)."""
    at = centres[:, None] - origin + np.arange(length)
    grid = np.arange(smooth.shape[1])
    return np.stack([np.interp(at, grid, lead) for lead in smooth], axis=1)


class Cases(NamedTuple):
    """Rows to learn from: each mark of each lead of each variant of each shape."""

    features: np.ndarray  # (9, n, N_FEATURES)
    ruled: np.ndarray  # (9, n) samples
    wanted: np.ndarray  # (9, n) mean correction, ms; NaN where the cardiologist marks nothing
    count: np.ndarray  # (9, n) annotated beats
    pace: np.ndarray  # (n,) of the variant
    shape: np.ndarray  # (n,) index
    lead: np.ndarray  # (n,)
    n_leads: np.ndarray  # (n,) in the variant
    kind: np.ndarray  # (n,) 0 the median beat itself, 1 with two leads, 2 with one, 3 other variants
    record: np.ndarray  # (n,)


def vary(shape, kind, rng):
    """Return a variant of a shape's median beat, its leads and its pace."""
    beat, leads, pace = shape.beat, np.arange(12), 1.0
    if kind in (1, 2):
        leads = np.sort(rng.choice(12, size=3 - kind, replace=False))
    if kind == 3:
        n = len(shape.beats)
        size = rng.integers(min(2, n), n + 1) if rng.random() < 0.8 else 1
        beat = np.median(shape.beats[rng.choice(n, size=size, replace=False)], axis=0)
        pace = np.exp(rng.normal(0, 0.06))
        x = np.arange(beat.shape[1])
        beat = np.array([np.interp(shape.origin + (x - shape.origin) / pace, x, lead) for lead in beat])
        beat *= np.exp(rng.normal(0, 0.3, (12, 1)))
        if rng.random() < 0.3:
            beat *= rng.choice([-1, 1], (12, 1))
        if rng.random() < 0.5:
            leads = np.sort(rng.choice(12, size=rng.integers(1, 10), replace=False))
    return np.ascontiguousarray(beat[leads]), leads, pace


def gather(shapes, n_variants):
    """Describe all variants of all shapes."""
    rng = np.random.default_rng(SEED)
    parts = []
    for number, shape in enumerate(shapes):
        mean, count = mean_marks(shape)
        for kind in [0, 1, 2] + [3] * n_variants:
            beat, leads, pace = vary(shape, kind, rng)
            rr_s = shape.rr_s * pace
            ruled = follow_rules(beat, 500.0, shape.origin, rr_s)
            wanted = 2 * (shape.origin + (mean[:, leads] - shape.origin) * pace - ruled)
            same = np.full(len(leads), 1)
            parts.append((
                refining.describe(beat, ruled, 500.0, rr_s), ruled, wanted, count[:, leads], same * pace,
                same * number, leads, same * len(leads), same * kind, same * shape.record,
            ))  # fmt: skip
    return Cases(*(np.concatenate(part, axis=1 if part[0].ndim > 1 else 0) for part in zip(*parts, strict=True)))


def mean_marks(shape):
    """Mean of the annotated marks brought home, samples, and their number; shape (9, 12) each."""
    cell = (shape.marks[:, 0] * 12 + shape.marks[:, 1]).astype(int)
    count = np.bincount(cell, minlength=108)
    total = np.bincount(cell, shape.marks[:, 3], minlength=108)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean.reshape(9, 12), count.reshape(9, 12)


class Learnt(NamedTuple):
    """Models of one mark."""

    mean: np.ndarray
    scale: np.ndarray
    nets: list
    unit: float
    trees: xgb.XGBRegressor
    most: tuple[float, float]

    def predict(self, features):
        """Correction in ms of each row."""
        z = np.clip((features - self.mean) * self.scale, -refining.MOST, refining.MOST)
        nets = np.mean([net.predict(z) for net in self.nets], axis=0) * self.unit
        return np.clip(0.5 * (nets + self.trees.predict(features)), *self.most)


def learn(features, wanted, count, tail):
    """Fit nets and trees to the corrections of one mark."""
    most = np.quantile(wanted, [tail, 1 - tail])
    wanted = np.clip(wanted, *most)
    weight = np.sqrt(count) / np.sqrt(count).mean()
    mean, scale = features.mean(axis=0), 1 / np.maximum(features.std(axis=0), 1e-4)
    z = np.clip((features - mean) * scale, -refining.MOST, refining.MOST)
    unit = float(wanted.std())
    nets = [
        MLPRegressor(
            hidden_layer_sizes=(N_UNITS,), alpha=2.0, max_iter=10, tol=0.0, n_iter_no_change=99,
            learning_rate_init=2e-3, batch_size=128, random_state=seed,
        ).fit(z, wanted / unit, sample_weight=weight)
        for seed in range(N_NETS)
    ]  # fmt: skip
    trees = xgb.XGBRegressor(n_jobs=1, random_state=SEED, **TREES).fit(features, wanted, sample_weight=weight)
    return Learnt(mean, scale, nets, unit, trees, tuple(most))


def cross_validate(cases, n_records):
    """Correct every row by models that have not seen its record; ms, shape (9, n)."""
    fold = (np.random.default_rng(SEED).permutation(n_records) % N_FOLDS)[cases.record]
    shift = np.zeros_like(cases.ruled)
    for m in range(len(POINTS)):
        known = cases.count[m] > 0
        for f in range(N_FOLDS):
            seen, kept = known & (fold != f), fold == f
            learnt = learn(cases.features[m, seen], cases.wanted[m, seen], cases.count[m, seen], TAILS[m])
            shift[m, kept] = learnt.predict(cases.features[m, kept])
    return shift


def settle(cases, shapes, shift):
    """Return the corrected marks, as `refine` settles them, as corrections in ms; shape (9, n)."""
    out = shift.copy()
    starts = np.flatnonzero(np.diff(cases.shape * 100 + cases.kind, prepend=-1))
    for a, b in zip(starts, np.append(starts[1:], len(cases.shape)), strict=True):
        if cases.kind[a] != 3:
            beat = np.ascontiguousarray(shapes[cases.shape[a]].beat[cases.lead[a:b]])
            at = cases.ruled[:, a:b] + shift[:, a:b] / 2
            out[:, a:b] = 2 * (refining._settle(beat, cases.ruled[:, a:b].copy(), at) - cases.ruled[:, a:b])
    return out


def spread_of(shapes):
    """Deviation in ms of each annotated mark from its cell's mean; {(shape, mark, lead): array}."""
    spread = {}
    for number, shape in enumerate(shapes):
        mean, _ = mean_marks(shape)
        for m, lead in {(int(m), int(k)) for m, k in shape.marks[:, :2]}:
            rows = (shape.marks[:, 0] == m) & (shape.marks[:, 1] == lead)
            spread[number, m, lead] = 2 * (shape.marks[rows, 3] - mean[m, lead])
    return spread


def errors_of(cases, shift, spread, kind):
    """Errors in ms of all annotated marks; a list of nine arrays."""
    out = []
    for m in range(len(POINTS)):
        rows = np.flatnonzero((cases.kind == kind) & (cases.count[m] > 0))
        away = shift[m] - cases.wanted[m]
        out.append(np.concatenate([away[k] - spread[cases.shape[k], m, cases.lead[k]] for k in rows]))
    return out


def table(cases, shift, spread):
    """Mean and SD of the errors: rules, refined, and refined with two leads and with one; Markdown."""
    columns = [
        errors_of(cases, np.zeros_like(shift), spread, 0),
        *(errors_of(cases, shift, spread, kind) for kind in (0, 1, 2)),
    ]
    lines = ["| point | n | rules | refined | two leads | one lead |", "|---|---|---|---|---|---|"]
    for m, point in enumerate(POINTS):
        cells = " | ".join(f"{c[m].mean():+.1f} ± {c[m].std(ddof=1):.1f}" for c in columns)
        lines.append(f"| {point} | {len(columns[0][m])} | {cells} |")
    return "\n".join(lines)


def intervals(cases, shapes, shift):
    """Mean absolute error of PR, QRS and QT of a record: median over leads, then over beats; ms."""
    errors = {"PR": [], "QRS": [], "QT": []}
    ends = {"PR": (0, 3), "QRS": (3, 5), "QT": (3, 8)}
    done = set()
    for number, shape in enumerate(shapes):
        if shape.record in done:
            continue
        done.add(shape.record)
        rows = (cases.shape == number) & (cases.kind == 0)
        ours = np.median(cases.ruled[:, rows] + shift[:, rows] / 2, axis=1)
        for name, (a, b) in ends.items():
            theirs = []
            for beat in np.unique(shape.marks[:, 2]):
                of_beat = shape.marks[shape.marks[:, 2] == beat]
                first, last = of_beat[of_beat[:, 0] == a, 3], of_beat[of_beat[:, 0] == b, 3]
                if len(first) and len(last):
                    theirs.append(np.median(last) - np.median(first))
            if theirs:
                errors[name].append(2 * (ours[b] - ours[a] - np.median(theirs)))
    return {name: (float(np.mean(e)), float(np.mean(np.abs(e))), len(e)) for name, e in errors.items()}


def within_tolerance(cases, shift, spread, m):
    """Rows of one mark that were annotated, and the share of their beats within tolerance."""
    rows = np.flatnonzero(cases.count[m] > 0)
    away = shift[m] - cases.wanted[m]
    limit = TOLERANCE_MS[m]
    share = [np.mean(np.abs(away[k] - spread[cases.shape[k], m, cases.lead[k]]) <= limit) for k in rows]
    return rows, np.array(share)


def learn_to_be_sure(cases, shift, spread, n_records):
    """Fit the probability of being within tolerance; models, and a table of how it holds in other records."""
    fold = (np.random.default_rng(SEED).permutation(n_records) % N_FOLDS)[cases.record]
    models, lines = [], ["| point | within | said | least sure quarter | surest quarter |", "|---|---|---|---|---|"]
    for m, point in enumerate(POINTS):
        rows, share = within_tolerance(cases, shift, spread, m)
        said = np.zeros(len(rows))
        for f in range(N_FOLDS):
            seen, kept = fold[rows] != f, fold[rows] == f
            model = fit_sure(cases.features[m, rows[seen]], share[seen])
            said[kept] = model.predict_proba(cases.features[m, rows[kept]])[:, 1]
        own = cases.kind[rows] == 0
        said, true = said[own], share[own]
        order = np.argsort(said)
        low, high = np.array_split(order, 4)[0], np.array_split(order, 4)[-1]
        lines.append(
            f"| {point} (≤ {TOLERANCE_MS[m]:.0f} ms) | {true.mean():.2f} | {said.mean():.2f} "
            f"| said {said[low].mean():.2f}, is {true[low].mean():.2f} "
            f"| said {said[high].mean():.2f}, is {true[high].mean():.2f} |"
        )
        models.append(fit_sure(cases.features[m, rows], share))
    return models, "\n".join(lines)


def fit_sure(features, share):
    """Fit a probability to shares: each row counts once as within, once as without, by its share."""
    return xgb.XGBClassifier(n_jobs=1, random_state=SEED, **SURE_TREES).fit(
        np.concatenate([features, features]),
        np.repeat([1, 0], len(share)),
        sample_weight=np.maximum(np.concatenate([share, 1 - share]), 1e-6),
    )


def flatten(model, depth):
    """Turn boosted trees into arrays of complete trees: feature, cut and leaf."""
    dump = [json.loads(tree) for tree in model.get_booster().get_dump(dump_format="json")]
    n = 2**depth - 1
    split, cut = np.zeros((len(dump), n), np.uint8), np.zeros((len(dump), n), np.float32)
    leaf = np.zeros((len(dump), n + 1), np.float32)

    def fill(t, at, node):
        if at >= n:
            leaf[t, at - n] = node["leaf"]
            return
        children = {child["nodeid"]: child for child in node.get("children", ())}
        if children:
            split[t, at], cut[t, at] = int(node["split"].removeprefix("f")), node["split_condition"]
        fill(t, 2 * at + 1, children[node["yes"]] if children else node)
        fill(t, 2 * at + 2, children[node["no"]] if children else node)

    for t, tree in enumerate(dump):
        fill(t, 0, tree)
    return split, cut, leaf


def pack(learnt, sure):
    """Lay all models side by side, as `Refiner` wants them."""
    trees = [flatten(one.trees, TREES["max_depth"]) for one in learnt]
    sure_trees = [flatten(one, SURE_TREES["max_depth"]) for one in sure]
    nets = [one.nets for one in learnt]
    values = {
        "mean": [one.mean for one in learnt],
        "scale": [one.scale for one in learnt],
        "inner": [np.concatenate([net.coefs_[0] for net in group], axis=1) for group in nets],
        "bias": [np.concatenate([net.intercepts_[0] for net in group]) for group in nets],
        "outer": [
            np.concatenate([net.coefs_[1][:, 0] for net in one.nets]) * one.unit / N_NETS for one in learnt
        ],
        "split": [tree[0] for tree in trees],
        "cut": [tree[1] for tree in trees],
        "leaf": [tree[2] for tree in trees],
        "start": [(np.mean([net.intercepts_[1][0] for net in one.nets]) * one.unit, 0.0) for one in learnt],
        "sure_split": [tree[0] for tree in sure_trees],
        "sure_cut": [tree[1] for tree in sure_trees],
        "sure_leaf": [tree[2] for tree in sure_trees],
        "sure_start": [0.0] * len(sure),
        "most": [one.most for one in learnt],
    }  # fmt: skip
    kinds = {"split": np.uint8, "sure_split": np.uint8}
    return refining.Refiner(**{name: np.array(v, dtype=kinds.get(name, np.float32)) for name, v in values.items()})


CARD = """# The refiner of the marks

What it is: for each of the nine marks, {n_nets} neural nets of one layer of {n_units} units and {n_trees} boosted trees
of depth {depth}, whose mean is the correction of the rules' mark in ms; and {n_sure} trees of depth {sure_depth} for
the probability that the mark of a single beat is within tolerance of a cardiologist's.
Made by `training/marks.py`; used by `measure/refine.py`; switched off by `delineate(..., refine=False)`.

Data: Lobachevsky University Database 1.0.1 (doi:10.13026/eegm-h675), the {n_records} odd-numbered records of 200;
{n_marks} annotated marks in 12 leads; {n_shapes} median beats, {n_cases} rows with {n_variants} variants of each.
One site, one device, 10 s, 500 Hz: it learns the habit of those who annotated there.

Split: {n_folds} folds of whole records, all variants with their record. All figures below are of records that the
models had not seen. The form of the features, the number and size of models and the clipping of the tails were chosen
on the same recordings, so that the figures are a little too good. The mean error left by the clipping of the tails, of
unseen records and at most 2 ms, is subtracted; R is then put back on a turning point, which leaves a mean.

Error of the marks, found − annotated, mean ± SD in ms:

{table}

Mean absolute error of a record's intervals (median over leads and beats): {intervals}.

Confidence: share of beats within tolerance and the mean of what was said; the quarters by what was said:

{sure}
"""


def main():
    """Train, cross-validate, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with the .hea, .dat and .i … .v6 files")
    parser.add_argument("--variants", type=int, default=12, help="of each median beat")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # the nets are stopped early on purpose
    stems = sorted((p.with_suffix("") for p in arguments.folder.glob("*.hea")), key=lambda p: int(p.name))
    shapes = [shape for number, stem in enumerate(stems) for shape in read_shapes(stem, number)]
    cases = gather(shapes, arguments.variants)
    spread = spread_of(shapes)
    shift = cross_validate(cases, len(stems))
    bias = np.array([error.mean() for error in errors_of(cases, shift, spread, 0)])
    shift -= bias[:, None]
    settled = settle(cases, shapes, shift)
    errors = table(cases, settled, spread)
    print(errors)
    found = intervals(cases, shapes, settled)
    said = "; ".join(f"{name} {mae:.1f} ms (bias {bias:+.1f}, n = {n})" for name, (bias, mae, n) in found.items())
    print(said)
    sure, calibration = learn_to_be_sure(cases, shift, spread, len(stems))
    print(calibration)
    learnt = []
    for m in range(len(POINTS)):
        known = cases.count[m] > 0
        learnt.append(learn(cases.features[m, known], cases.wanted[m, known], cases.count[m, known], TAILS[m]))
    refiner = pack(learnt, sure)
    refiner.start[:, 0] -= 2 * bias  # half of it counts
    np.savez_compressed(refining.MODEL, **refiner._asdict())
    card = CARD.format(
        n_nets=N_NETS, n_units=N_UNITS, n_trees=TREES["n_estimators"], depth=TREES["max_depth"],
        n_sure=SURE_TREES["n_estimators"], sure_depth=SURE_TREES["max_depth"], n_records=len(stems),
        n_marks=sum(len(shape.marks) for shape in shapes), n_shapes=len(shapes), n_cases=len(cases.record),
        n_variants=arguments.variants, n_folds=N_FOLDS, table=errors, intervals=said, sure=calibration,
    )  # fmt: skip
    refining.MODEL.with_suffix(".md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    main()
