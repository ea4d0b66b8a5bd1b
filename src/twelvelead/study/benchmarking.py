"""Run ECG-Reasoning-Benchmark: read its samples, measure their recordings, answer, score, and compare with controls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.interpret.case import Case, examine
from twelvelead.interpret.engine import judge
from twelvelead.interpret.packs.erb import PACK
from twelvelead.interpret.reasoning_benchmark import Answer, Sample, read_sample
from twelvelead.interpret.reasoning_benchmark_answer import Blind, Measured, answer
from twelvelead.interpret.reasoning_benchmark_score import Counts, Rules, count, figures, together
from twelvelead.io import read
from twelvelead.io.databases.ptbxl import TABLE, demographics
from twelvelead.io.tables import read_table, write_json, write_table
from twelvelead.study.progress import Progress, silent
from twelvelead.terms import Error, InputError, Unmeasurable
from twelvelead.validate import draw_counts, units

READERS = ("measured", "no_ecg", "shuffled_ecg")
"""Who answers: our measurements; a fixed rule without ECG; our measurements of another sample's recording."""
LEVEL = 0.95
_NOT_FOUND = "not_found"


@dataclass(frozen=True)
class Benchmarked:
    """What a run found.

    Parameters
    ----------
    figures : DataFrame
        reader, rules, figure, value, lower, upper, n (of what it is a share), n_patients.
    steps : DataFrame
        One row per reader, sample and question: what was given, what is expected, and what it rests on.
    samples : DataFrame
        One row per reader and sample.
    failures : DataFrame
        recording_id, reason, message of the recordings that could not be read or measured.
    """

    figures: pl.DataFrame
    steps: pl.DataFrame
    samples: pl.DataFrame
    failures: pl.DataFrame


@dataclass(frozen=True)
class _Recordings:
    cases: dict[str, Case]
    patients: dict[str, str]
    failures: dict[str, tuple[str, str]]


def run_benchmark(
    samples: Path,
    recordings: Path,
    *,
    out: Path,
    rules: Rules = "strict",
    seed: int = 0,
    n_resamples: int = 2000,
    progress: Progress = silent,
) -> Benchmarked:
    """Answer and score all samples, and write what was found.

    Parameters
    ----------
    samples : Path
        A JSON list of samples, one sample, a file of one sample per line (.jsonl), or a folder of any of these.
    recordings : Path
        Folder of PTB-XL.
    out : Path
        Folder for steps, samples, figures and failures (.parquet) and figures.csv and benchmark.json.
    rules : {"strict", "compat"}
        By what is scored and decided what counts; `twelvelead.interpret.reasoning_benchmark_score.count` says how they
        differ.
    seed : int
        Of the resamples, and of which recording stands for which in the shuffled control.
    n_resamples : int
        Bootstrap resamples of patients.
    progress : Progress
        Told how many recordings are measured.

    Raises
    ------
    InputError
        If no sample or no recording is there.
    """
    asked = read_samples(samples)
    known = _measure(sorted({s.ecg_id for s in asked}, key=_in_order), recordings, progress)
    swapped = _swap(sorted(known.cases, key=_in_order), seed)
    steps, rows, tables = [], [], []
    for reader in READERS:
        counts = []
        for sample in asked:
            answers = _answer(sample, reader, known.cases, swapped)
            steps += [_step_row(reader, sample, a) for a in answers]
            counts.append(count(answers, rules, measurable=sample.ecg_id in known.cases or reader == "no_ecg"))
            rows.append(_sample_row(reader, sample, counts[-1]))
        patients = [known.patients.get(s.ecg_id, s.ecg_id) for s in asked]
        tables.append(_figures(reader, rules, counts, patients, seed=seed, n_resamples=n_resamples))
    failures = pl.DataFrame(
        [(ecg_id, reason, message) for ecg_id, (reason, message) in known.failures.items()],
        schema={"recording_id": pl.String, "reason": pl.String, "message": pl.String}, orient="row",
    )  # fmt: skip
    done = Benchmarked(pl.concat(tables), pl.DataFrame(steps), pl.DataFrame(rows), failures)
    _write(done, out, rules=rules, seed=seed, n_resamples=n_resamples)
    return done


def read_samples(path: Path) -> list[Sample]:
    """Read samples of the benchmark, in the order of the files' names and of their places in them.

    Raises
    ------
    InputError
        If there is none, or one has not the published form.
    """
    files = sorted(p for p in path.rglob("*") if p.suffix in {".json", ".jsonl"}) if path.is_dir() else [path]
    found = [read_sample(raw) for file in files for raw in _raw(file)]
    if not found:
        msg = f"there must be samples of ECG-Reasoning-Benchmark; got none in {path}. Give its JSON files."
        raise InputError(msg)
    return found


def _raw(file: Path) -> list[dict[str, object]]:
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        content = json.loads(text)
    except (OSError, ValueError) as error:
        msg = f"samples must be JSON; got {error} in {file}. Take the file as published."
        raise InputError(msg) from error
    return content if isinstance(content, list) else [content]


def _in_order(ecg_id: str) -> tuple[int, str]:
    return (int(ecg_id) if ecg_id.isdigit() else 0, ecg_id)


def _measure(ecg_ids: Sequence[str], folder: Path, progress: Progress) -> _Recordings:
    """Measure each recording once; one that can't be is a failure with its reason."""
    table = demographics(read_table(folder / TABLE)).with_columns(pl.col("ecg_id").cast(pl.Float64).cast(pl.Int64))
    of_id = {str(row["ecg_id"]): row for row in table.iter_rows(named=True)}
    known = _Recordings({}, {}, {})
    for k, ecg_id in enumerate(ecg_ids):
        row = of_id.get(ecg_id)
        try:
            if row is None:
                known.failures[ecg_id] = (_NOT_FOUND, f"recording {ecg_id} is not in {TABLE}.")
            else:
                known.patients[ecg_id] = row["patient_id"]
                recording = read(folder / f"{row['recording_id']}.hea")
                known.cases[ecg_id] = examine(recording, age_years=row["age_years"], sex=row["sex"])
        except Unmeasurable as error:
            known.failures[ecg_id] = (error.reason, str(error))
        except (Error, OSError) as error:
            known.failures[ecg_id] = ("unreadable", str(error))
        progress("measured", k + 1, len(ecg_ids))
    return known


def _swap(ecg_ids: Sequence[str], seed: int) -> dict[str, str]:
    """Give each recording another one, all in one circle; none if there is only one."""
    order = [ecg_ids[k] for k in np.random.default_rng(seed).permutation(len(ecg_ids))]
    return dict(zip(order, [*order[1:], *order[:1]], strict=True)) if len(order) > 1 else {}


def _answer(sample: Sample, reader: str, cases: Mapping[str, Case], swapped: Mapping[str, str]) -> list[Answer]:
    if reader == "no_ecg":
        return answer(sample, Blind())
    ecg_id = sample.ecg_id if reader == "measured" else swapped.get(sample.ecg_id, "")
    if ecg_id not in cases:
        numbered = [(k, question) for k, loop in enumerate(sample.loops) for question in loop.questions]
        return [Answer(k, question, ()) for k, question in [(-1, sample.initial), *numbered]]
    case = cases[ecg_id]
    return answer(sample, Measured(case, judge(case, PACK)))


def _step_row(reader: str, sample: Sample, a: Answer) -> dict[str, object]:
    return {
        "reader": reader, "sample": sample.id, "recording_id": sample.ecg_id, "diagnosis": sample.diagnosis,
        "loop": a.loop, "stage": a.question.stage, "question": a.question.text, "given": " | ".join(a.given),
        "expected": " | ".join(a.question.answer), "right": a.right, "why": a.why,
        "evidence": "; ".join(f"{e.name} {e.value:.4g} {e.unit}" for e in a.evidence),
        "spans": "; ".join(
            f"{s.lead or 'all leads'} {s.wave} {s.start_s:.3f}–{s.end_s:.3f} s" for e in a.evidence for s in e.spans[:1]
        ),
    }  # fmt: skip


def _sample_row(reader: str, sample: Sample, counts: Counts) -> dict[str, object]:
    return {
        "reader": reader, "sample": sample.id, "recording_id": sample.ecg_id, "diagnosis": sample.diagnosis,
        "initial": counts.get("initial"), "completion": counts.get("completion"),
        "depth": figures(counts).get("depth"), "loops": len(sample.loops),
    }  # fmt: skip


def _figures(
    reader: str, rules: Rules, counts: Sequence[Counts], patients: Sequence[str], *, seed: int, n_resamples: int
) -> pl.DataFrame:
    """Compute each figure, with a percentile interval from resampling patients."""
    names = list(figures(together(counts)))
    of_patient = units(np.array(patients))
    n = int(of_patient.max()) + 1
    above, below = (_per_patient(counts, of_patient, [f"{name}{end}" for name in names], n) for end in ("", "_of"))
    weights = draw_counts(n, first=0, size=n_resamples, seed=seed).T.astype(float)
    with np.errstate(invalid="ignore"):
        drawn = (weights @ above) / (weights @ below)
    lower, upper = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return pl.DataFrame({
        "reader": reader, "rules": rules, "figure": names, "value": above.sum(axis=0) / below.sum(axis=0),
        "lower": lower, "upper": upper, "n": below.sum(axis=0).astype(int), "n_patients": n,
    })  # fmt: skip


def _per_patient(
    counts: Sequence[Counts], patient: NDArray[np.intp], names: Sequence[str], n: int
) -> NDArray[np.float64]:
    out = np.zeros((n, len(names)))
    for row, of_sample in zip(patient, counts, strict=True):
        out[row] += [of_sample.get(name, 0.0) for name in names]
    return out


def _write(done: Benchmarked, out: Path, **settings: object) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in ("figures", "steps", "samples", "failures"):
        write_table(getattr(done, name), out / f"{name}.parquet")
    write_table(done.figures, out / "figures.csv")
    write_table(done.steps, out / "steps.csv")
    summary = {
        "benchmark": PACK.source,
        "settings": {**settings, "interval": f"percentile, {LEVEL:g}, patients resampled"},
        "figures": {
            reader: {r["figure"]: r["value"] for r in rows.iter_rows(named=True)}
            for (reader,), rows in done.figures.group_by("reader", maintain_order=True)
        },
        "failures": done.failures.to_dicts(),
    }
    write_json(summary, out / "benchmark.json")
