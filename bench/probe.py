"""Whether an encoder learns from real recordings: linear probes before and after pre-training, on patients left out.

    python bench/probe.py PTBXL [FOLDER ...] [--preset tiny] [--steps N] [--folds 5] [--threads 1]

PTBXL is a folder of PTB-XL; its recordings are probed for heart rate, as `twelvelead measure` finds it, and for NORM.
For each fold of its patients an encoder is pre-trained from the start on the recordings of the other folds and of the
further folders, without labels; a linear model is learnt from the other folds' frozen embeddings and labels, and
predicts the fold. So whatever is predicted, neither the encoder nor the probe has seen its patient. Recordings of the
challenge's part of PTB-XL (HR...) are left out of the further folders: their patients may be among those probed.

Beside it the same probe on the same encoder as it was before its first step, on one that starts as the released code
does, and for heart rate the mean. All have the same three readouts: the mean over all tokens (`twelvelead embed`), the
mean over each lead's tokens, and that with their standard deviation over time, which was declared beforehand to be
the one that counts, as an untrained encoder does best by it. Differences are paired, over resampled patients.
"""

import argparse
import copy
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import torch

from twelvelead.encode import PRESETS, batch_rows, new_model, start_training, train_step
from twelvelead.io import find_recordings
from twelvelead.io.databases import load_database
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.study.archive import measure_archive
from twelvelead.study.feed import feed
from twelvelead.study.pretraining import Wish, make_plan
from twelvelead.study.probe_figures import Predicted, figures
from twelvelead.study.probing import People, Task, predict_linear, print_rows
from twelvelead.study.progress import silent
from twelvelead.study.training_data import open_data, prepare_data

CPU = torch.device("cpu")
READOUTS = ("leads, mean and deviation", "leads, mean", "mean")


def read_folder(folder, work, config):
    """Give recordings as an encoder takes them, in mV, and their names."""
    prepare_data(
        folder, work / folder.name, config=config, held_out=0.1, workers=1, declared=UNDECLARED, progress=silent
    )  # fmt: skip
    data = open_data(work / folder.name, config=config)
    names = pl.read_parquet(work / folder.name / "index.parquet")["recording_id"].to_list()
    return feed(data, CPU)(np.arange(len(names))), names


def read_labels(folder, names, work, n_folds):
    """Give the tasks, and whose the recordings are."""
    database = load_database("ptbxl", folder)
    cohort = pl.DataFrame({"recording_id": names}).join(
        database.cohort, on="recording_id", how="left", validate="1:1", maintain_order="left"
    )
    events = database.select_events(["ptbxl_superclass"]).select("recording_id", "code").collect()
    has = {name: set(part["code"]) for (name,), part in events.group_by("recording_id")}
    norm = [float("NORM" in has[i]) if i in has else np.nan for i in cohort["recording_id"]]
    found = measure_archive(find_recordings([folder]), work=work / "measured")
    measured = dict(found.features.select("recording_id", "heart_rate_bpm").iter_rows())
    rate = [measured.get(name) for name in names]
    fold = (cohort["strat_fold"].to_numpy() - 1) * n_folds // 10
    tasks = (Task("heart_rate_bpm", "number", np.array(rate, float)), Task("NORM", "event", np.array(norm, float)))
    return tasks, People(cohort["patient_id"].cast(pl.String).to_numpy(), fold, ())


@torch.inference_mode()
def read_out(encoder, x):
    """Turn recordings into rows, by each readout."""
    encoder.eval()
    rows = []
    for part in x.split(16):
        tokens = encoder(part).unflatten(1, (part.shape[1], -1))
        mean, deviation = tokens.mean(2), tokens.std(2)
        rows.append((torch.cat([mean, deviation], -1).flatten(1), mean.flatten(1), mean.mean(1)))
    return {name: torch.cat(each).numpy() for name, each in zip(READOUTS, zip(*rows, strict=True), strict=True)}


def pretrain(x, plan):
    """Give an encoder before and after, the loss of its first and last twentieth, and the seconds it took."""
    training, begun = start_training(plan, device=CPU), time.process_time()
    before = copy.deepcopy(training.objective.encoder)
    losses = []
    for step in range(plan.n_steps):
        rows = batch_rows(step, n=len(x), batch=plan.recipe.batch, seed=plan.seed)
        losses.append(float(train_step(training, x[rows])))
    few = max(1, plan.n_steps // 20)
    return before, training.objective.encoder, losses[:few], losses[-few:], time.process_time() - begun


def probe_fold(fold, x, others, tasks, people, arguments):
    """Pre-train without a fold, and predict it; by readout and task."""
    held = people.fold == fold
    seen = torch.cat([x[~held], others])
    wish = Wish(arguments.preset, steps=arguments.steps, seed=arguments.seed)
    plan = make_plan(wish, n_train=len(seen), device=CPU)
    before, after, first, last, seconds = pretrain(seen, plan)
    print(
        f"fold {fold}: {len(seen)} recordings pre-trained on, {held.sum()} predicted; {plan.n_steps} steps of "
        f"{plan.recipe.batch}, {seconds:.0f} CPU-s; loss {np.mean(first):.3f} to {np.mean(last):.3f}",
        flush=True,
    )
    released, _ = new_model(plan.config, seed=plan.seed, start="released")
    read = {
        "pretrained": read_out(after, x), "untrained": read_out(before, x), "untrained, released": read_out(released, x)
    }  # fmt: skip
    people = replace(people, held_out=(fold,))
    return {
        readout: predict_linear({n: r[readout] for n, r in read.items()}, tasks, people, way="linear", seed=0)
        for readout in READOUTS
    }


def join(parts):
    """Put the folds' predictions of one task together."""
    scores = {}
    for name in parts[0].scores:
        columns = np.stack([part.scores[name] for part in parts])
        scores[name] = np.where(np.isnan(columns).all(0), np.nan, np.nansum(columns, axis=0))
    one = parts[0]
    return Predicted(one.task, one.kind, one.way, one.draw, one.y, scores)


def main():
    """Print the figures of each readout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ptbxl", type=Path)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--preset", choices=list(PRESETS), default="tiny")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--folds", type=int, choices=(2, 5, 10), default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    config = PRESETS[arguments.preset]
    with tempfile.TemporaryDirectory() as work:
        x, names = read_folder(arguments.ptbxl, Path(work), config)
        others = [x[:0]]
        for folder in arguments.folders:
            more, whose = read_folder(folder, Path(work), config)
            others.append(more[[not re.match(r"HR\d", Path(name).name) for name in whose]])
        tasks, people = read_labels(arguments.ptbxl, names, Path(work), arguments.folds)
    folds = [
        probe_fold(fold, x, torch.cat(others), tasks, people, arguments) for fold in np.unique(people.fold).tolist()
    ]
    for readout in READOUTS:
        predicted = [join(parts) for parts in zip(*(fold[readout] for fold in folds), strict=True)]
        print(f"\nreadout: {readout}")
        for line in print_rows(figures(predicted, people.patients, n_resamples=2000, seed=0)):
            print(f"{line[0]:15} {line[3]:34} {line[4]:7} {line[5]:>8}  {line[6]:18} {line[7]}")


if __name__ == "__main__":
    main()
