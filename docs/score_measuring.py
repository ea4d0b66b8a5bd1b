"""Find the figures of docs/how-we-measure.md, and write them into its tables.

    python docs/score_measuring.py LUDB_FOLDER PTBXL_FOLDER MITDB_FOLDER FORMATS_FOLDER [--only PART …]

Writes docs/measuring/accuracy.json, then the page's tables from it. NeuroKit2 is scored where it is installed; its
figures stay as they were otherwise. Needs `wfdb`. Minutes. Without folders: only the tables, from the file as it is.
"""

import argparse
import importlib.util
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead import io
from twelvelead.io import find_recordings, open_recording
from twelvelead.measure import measure
from twelvelead.measure.refine import MODEL
from twelvelead.measure.windows import OVERLAP_S, PIECE_S, measure_windows
from twelvelead.terms import Error, Unmeasurable

HERE = Path(__file__).parent
PAGE = HERE / "how-we-measure.md"
FIGURES = HERE / "measuring" / "accuracy.json"

Figures = dict[str, Any]

POINTS = {
    "p_onset": "P onset", "p_peak": "P peak", "p_offset": "P offset", "qrs_onset": "QRS onset", "r_peak": "R peak",
    "qrs_offset": "QRS offset", "t_onset": "T onset", "t_peak": "T peak", "t_offset": "T offset",
}  # fmt: skip
INTERVALS = {"pr_interval_ms": "PR", "qrs_duration_ms": "QRS", "qt_interval_ms": "QT", "p_duration_ms": "P"}
LONGEST_QRS_S = 0.3
BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
WITHIN_S = 0.150

# Two standard deviations of the referees of the Common Standards for Electrocardiography study, and what IEC
# 60601-2-25 allows on its recordings: mean and standard deviation. All from memory: see the page.
CSE_MS = {"p_onset": 10.2, "p_offset": 12.7, "qrs_onset": 6.5, "qrs_offset": 11.6, "t_offset": 30.6}
IEC_MS = {
    "p_duration_ms": (10, 15),
    "pr_interval_ms": (10, 10),
    "qrs_duration_ms": (10, 10),
    "qt_interval_ms": (25, 30),
}


class Folders(NamedTuple):
    """Where the recordings lie."""

    ludb: Path
    ptbxl: Path
    mitdb: Path
    formats: Path


def bench(name: str) -> ModuleType:
    """Load a script of bench/."""
    path = HERE.parent / "bench" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"bench_{name}", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def records(folder: Path) -> list[Path]:
    """Stems of the numbered WFDB records of a folder."""
    return sorted((p.with_suffix("") for p in folder.glob("*.hea")), key=lambda p: int(p.name))


def score_lobachevsky(ludb: Path) -> Figures:
    """Score the tool as it is shipped, and the rules alone, on the Lobachevsky database."""
    accuracy = bench("accuracy")
    tools = {"shipped": _score(accuracy, accuracy.mark_ours, ludb)}
    with patch.object(accuracy, "measure", partial(measure, refine=False)):
        tools["rules"] = _score(accuracy, accuracy.mark_ours, ludb)
    return tools


def score_neurokit(ludb: Path) -> Figures:
    """Score NeuroKit2 on the same recordings: marks, and beats in noise."""
    accuracy, noise = bench("accuracy"), bench("noise")
    return {
        "ludb": _score(accuracy, accuracy.mark_neurokit, ludb),
        "noise": _find_in_noise(noise, {"NeuroKit2, lead II": noise.neurokit}, ludb),
    }


def _score(accuracy: ModuleType, mark: Callable[..., Any], ludb: Path) -> Figures:
    """Sensitivity, precision and error of each point, and the error of each recording's intervals."""
    tally, apart, _ = accuracy.score(mark, records(ludb))
    points = {}
    for point, (errors, (n, extra)) in tally.items():
        found = len(errors)
        points[point] = {
            "n": n, "se": 100 * found / n, "ppv": 100 * found / max(found + extra, 1), "mean": float(np.mean(errors)),
            "sd": float(np.std(errors, ddof=1)), "percentiles": np.percentile(errors, [2.5, 25, 50, 75, 97.5]).tolist(),
        }  # fmt: skip
    intervals = {name: _spread_of(apart[name]) for name in INTERVALS}
    return {"points": points, "intervals": intervals}


def _spread_of(errors: list[float]) -> Figures:
    known = np.array(errors)[np.isfinite(errors)]
    return {
        "n": known.size, "mean": float(known.mean()), "sd": float(known.std(ddof=1)),
        "mae": float(np.abs(known).mean()), "within_20": 100 * float((np.abs(known) <= 20).mean()),
    }  # fmt: skip


def read_card() -> Figures:
    """Read from the refiner's card what records gave that it had not seen: mean and SD of each point, and intervals."""
    card = MODEL.with_suffix(".md").read_text(encoding="utf-8")
    points = {}
    for point in POINTS:
        cells = re.search(rf"^\| {point} \| (\d+) \| .* ± .* \| ([-+][\d.]+) ± ([\d.]+) \|", card, re.MULTILINE)
        row = re.search(rf"^\| {point} \|.*$", card, re.MULTILINE)
        if cells is None or row is None:
            continue
        refined = row[0].split("|")[4].split("±")
        points[point] = {"n": int(cells[1]), "mean": float(refined[0]), "sd": float(refined[1])}
    said = re.findall(r"(PR|QRS|QT) ([\d.]+) ms \(bias ([-+][\d.]+), n = (\d+)\)", card)
    names = {short: name for name, short in INTERVALS.items()}
    intervals = {names[s]: {"mae": float(mae), "mean": float(bias), "n": int(n)} for s, mae, bias, n in said}
    return {"points": points, "intervals": intervals}


def spread_of_annotations(ludb: Path) -> Figures:
    """Find how far the marks of the leads lie apart in one beat: SD about their median, and what that adds to QRS."""
    accuracy = bench("accuracy")
    away: dict[str, list[float]] = {point: [] for point in POINTS}
    wider = []
    for stem in records(ludb):
        recording = accuracy.read_recording(stem)
        leads = [accuracy.read_marks(stem, lead, recording.fs) for lead in recording.leads]
        beats = {point: _beats_of(np.sort(np.concatenate([marks[point] for marks in leads]))) for point in POINTS}
        for point, groups in beats.items():
            away[point] += [float(1000 * (t - np.median(group))) for group in groups for t in group]
        for onsets in beats["qrs_onset"]:
            for offsets in beats["qrs_offset"]:
                if 0 < np.median(offsets) - np.median(onsets) < LONGEST_QRS_S:
                    extra = (offsets.max() - np.median(offsets)) + (np.median(onsets) - onsets.min())
                    wider.append(float(1000 * extra))
    return {"sd": {point: float(np.std(d)) for point, d in away.items()}, "wider": float(np.mean(wider))}


def _beats_of(times: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Split the marks of all leads into those of one beat each; beats that less than eight leads show are left out."""
    return [group for group in np.split(times, np.flatnonzero(np.diff(times) > 0.1) + 1) if len(group) >= 8]


def score_beats(mitdb: Path) -> Figures:
    """Score the beats of the MIT-BIH recordings, in windows as a long recording is measured."""
    import wfdb

    noise = bench("noise")
    rows = {}
    for stem in records(mitdb):
        source = io.open_recording(stem.with_suffix(".hea"))
        table = measure_windows(source.windows(PIECE_S, overlap=OVERLAP_S), recording_id=stem.name).fiducials
        found = table.filter(lead="global")["r_peak_s"].drop_nulls().unique().sort().to_numpy()
        annotation = wfdb.rdann(str(stem), "atr")
        at, symbols = annotation.sample / source.fs, np.array(annotation.symbol)
        reference = at[np.isin(symbols, list(BEATS))]
        for a, b in zip(at[symbols == "["], at[symbols == "]"], strict=True):  # ventricular flutter has no beats
            reference = reference[(reference < a) | (reference > b)]
            found = found[(found < a - WITHIN_S) | (found > b + WITHIN_S)]
        hits, misses, extra = (int(n) for n in noise.count(reference, found, (0, np.inf)))
        rows[stem.name] = {"n": hits + misses, "missed": misses, "false": extra}
    return rows


def score_noise(ludb: Path) -> Figures:
    """Find beats in the Lobachevsky database with noise added, as bench/noise.py does."""
    noise = bench("noise")
    ii = noise.INDEPENDENT.index("ii")
    finders = {"eight leads": noise.ours, "lead II": lambda signal, fs: noise.ours(signal[ii : ii + 1], fs)}
    return _find_in_noise(noise, finders, ludb)


def _find_in_noise(noise: ModuleType, finders: dict[str, Callable[..., Any]], ludb: Path) -> Figures:
    counts = {name: {str(r): np.zeros(3, dtype=int) for r in noise.RATIOS_DB} for name in finders}
    for stem in records(ludb):
        signal, fs, beats, span = noise.read(stem)
        for ratio in noise.RATIOS_DB:
            rng = np.random.default_rng([0, int(stem.name)])
            noisy = signal if ratio is None else noise.add_noise(signal, fs, ratio, rng)
            for name, find in finders.items():
                counts[name][str(ratio)] += noise.count(beats, find(noisy, fs), span)
    return {
        name: {ratio: 100 * h / (h + (m + e) / 2) for ratio, (h, m, e) in of_ratios.items()}
        for name, of_ratios in counts.items()
    }


def score_ptb_xl(ptbxl: Path) -> Figures:
    """Measure all of PTB-XL that is there: refusals, P waves in atrial fibrillation, spikes without a pacemaker."""
    labels = pl.read_csv(ptbxl / "ptbxl_database.csv", columns=["ecg_id", "scp_codes", "pacemaker"])
    codes = {row[0]: row[1] + str(row[2] or "") for row in labels.iter_rows()}
    out: Figures = {
        "measured": 0,
        "refused": 0,
        "fibrillation": [],
        "flutter": [0, 0],
        "sinus": [0, 0],
        "spikes": [0, 0],
    }
    for path in sorted(ptbxl.rglob("*_hr.hea")):
        code = codes[int(path.name[:5])]
        try:
            _, fiducials = measure(io.read(path))
        except Unmeasurable:
            out["refused"] += 1
            continue
        out["measured"] += 1
        beats = fiducials.filter(lead="global")
        with_p = beats["p_onset_s"].drop_nulls().len()
        if "'AFIB'" in code:
            out["fibrillation"].append([int(path.name[:5]), beats.height, with_p])
        for key, mine, found in (
            ("flutter", "'AFLT'" in code and "'AFIB'" not in code, with_p > 0),
            ("sinus", "'SR'" in code or "'SARRH'" in code, with_p == 0),
            ("spikes", "PACE" not in code and "pacemaker" not in code, bool((beats["kind"] == "paced").any())),
        ):
            out[key] = [out[key][0] + mine, out[key][1] + (mine and found)]
    return out


def compare_devices(formats: Path) -> Figures:
    """Put our measurements beside the devices': {recording: {"format": …, measurement: [ours, the device's]}}."""
    script = bench("machine")
    out: Figures = {}
    for found in find_recordings([formats]):
        try:
            source = open_recording(found.file, recording_id=found.recording_id)
            if source.machine.measurements:
                out[found.recording_id] = {"format": source.provenance.format, **script.differences(source)}
        except Error:  # refused files are the business of the tests
            continue
    return out


def worst(ludb: Path) -> Figures:
    """List, of each point, the leads of recordings that are furthest off in the mean: [record, lead, mean error, n]."""
    accuracy = bench("accuracy")
    errors: dict[str, list[tuple[int, str, float, int]]] = {point: [] for point in POINTS}
    for stem in records(ludb):
        recording = accuracy.read_recording(stem)
        marks, _ = accuracy.mark_ours(recording)
        for lead in recording.leads:
            theirs = accuracy.read_marks(stem, lead, recording.fs)
            for point in POINTS:
                off, _ = accuracy.match(theirs[point], marks.get(lead, {}).get(point, np.empty(0)))
                if off:
                    errors[point].append((int(stem.name), lead, round(1000 * float(np.mean(off)), 1), len(off)))
    return {point: sorted(found, key=lambda e: -abs(e[2]))[:12] for point, found in errors.items()}


PARTS: dict[str, Callable[[Folders], Figures]] = {
    "ludb": lambda folders: score_lobachevsky(folders.ludb),
    "unseen": lambda _: read_card(),
    "neurokit2": lambda folders: score_neurokit(folders.ludb),
    "annotations": lambda folders: spread_of_annotations(folders.ludb),
    "mitdb": lambda folders: score_beats(folders.mitdb),
    "noise": lambda folders: score_noise(folders.ludb),
    "ptbxl": lambda folders: score_ptb_xl(folders.ptbxl),
    "devices": lambda folders: compare_devices(folders.formats),
    "worst": lambda folders: worst(folders.ludb),
}


def main() -> None:
    """Score, keep the figures, fill in the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="*", help="LUDB_FOLDER PTBXL_FOLDER MITDB_FOLDER FORMATS_FOLDER")
    usual = [part for part in PARTS if part != "neurokit2" or importlib.util.find_spec(part)]
    parser.add_argument("--only", nargs="+", choices=PARTS, default=usual, help="some parts; others stay")
    arguments = parser.parse_args()
    if arguments.folders:
        folders = Folders(*arguments.folders)
        figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.is_file() else {}
        for part in arguments.only:
            figures[part] = PARTS[part](folders)
        FIGURES.write_text(json.dumps(_rounded(figures), indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), read_figures()), encoding="utf-8")


def _rounded(value: Any) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """Round all numbers to a hundredth."""
    if isinstance(value, dict):
        return {key: _rounded(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    return round(float(value), 2) if isinstance(value, float) else value


def read_figures() -> Figures:
    """Read what was found last."""
    figures: Figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    return figures


def fill(page: str, figures: Figures) -> str:
    """Write each table between its marks, `<!-- name -->` and `<!-- end -->`."""
    for name, table in TABLES.items():
        found = table(figures)
        space = "\n\n" if "\n" in found else ""
        text = f"<!-- {name} -->{space}{found}{space}<!-- end -->"
        page = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _, text=text: text, page, flags=re.DOTALL)
    return page


def marks_table(figures: Figures) -> str:
    """Each point: unseen records, as shipped, rules alone, NeuroKit2."""
    shipped, rules, unseen = figures["ludb"]["shipped"], figures["ludb"]["rules"], figures["unseen"]
    peer, apart = figures["neurokit2"]["ludb"], figures["annotations"]["sd"]
    lines = [
        "| point | marks | between leads | Se / PPV %, as shipped | error, record not seen | "
        "error, as shipped | error, rules alone | NeuroKit2: Se / PPV % | error |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for point, title in POINTS.items():
        ours, theirs = shipped["points"][point], peer["points"][point]
        held = unseen["points"].get(point)
        cells = (
            title, str(ours["n"]), f"{apart[point]:.1f}", f"{ours['se']:.2f} / {ours['ppv']:.2f}",
            f"**{_error(held)}**" if held else "",
            _error(ours), _error(rules["points"][point]),
            f"{theirs['se']:.1f} / {theirs['ppv']:.1f}", _error(theirs),
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _error(figures: Figures) -> str:
    return (
        f"{figures['mean']:+.1f} ± {figures['sd']:.1f}".replace("-", "−").replace("+0.0", "0.0").replace("−0.0", "0.0")
    )


def intervals_table(figures: Figures) -> str:
    """One value per recording: mean absolute error, bias and SD."""
    shipped, peer = figures["ludb"]["shipped"]["intervals"], figures["neurokit2"]["ludb"]["intervals"]
    unseen = figures["unseen"]["intervals"]
    lines = [
        "| interval | recordings | mean absolute error, record not seen | as shipped | bias ± SD | within 20 ms | "
        "NeuroKit2: mean absolute error | bias ± SD | within 20 ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, title in INTERVALS.items():
        ours = shipped[name]
        held = f"**{unseen[name]['mae']:.1f} ms**" if name in unseen else ""
        other = peer[name]
        beside = (f"{other['mae']:.1f} ms", _error(other), f"{other['within_20']:.0f} %")
        cells = (
            title,
            str(ours["n"]),
            held,
            f"{ours['mae']:.1f} ms",
            _error(ours),
            f"{ours['within_20']:.0f} %",
            *beside,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def beats_table(figures: Figures) -> str:
    """Beats of the MIT-BIH recordings."""
    rows = figures["mitdb"]
    lines = ["| recording | beats | missed | false | Se % | PPV % |", "|---|---|---|---|---|---|"]
    total = {key: sum(row[key] for row in rows.values()) for key in ("n", "missed", "false")}
    for name, row in (rows | {"**all**": total}).items():
        hits = row["n"] - row["missed"]
        se, ppv = 100 * hits / row["n"], 100 * hits / (hits + row["false"])
        lines.append(f"| {name} | {row['n']} | {row['missed']} | {row['false']} | {se:.2f} | {ppv:.2f} |")
    return "\n".join(lines)


def noise_table(figures: Figures) -> str:
    """F1 of finding beats in noise."""
    rows = figures["noise"] | figures["neurokit2"]["noise"]
    ratios = list(next(iter(rows.values())))
    heads = ["clean" if r == "None" else f"{float(r):.0f} dB" for r in ratios]
    lines = [f"| F1, % | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    names = {"eight leads": "twelvelead, eight leads", "lead II": "twelvelead, lead II alone"}
    lines += [
        f"| {names.get(name, name)} | {' | '.join(f'{row[r]:.2f}' for r in ratios)} |" for name, row in rows.items()
    ]
    return "\n".join(lines)


def limits_table(figures: Figures) -> str:
    """Our scatter beside CSE's tolerances and IEC's limits."""
    unseen, shipped = figures["unseen"]["points"], figures["ludb"]["shipped"]
    lines = ["| what | limit | ours | inside |", "|---|---|---|---|"]
    for point, limit in CSE_MS.items():
        sd = unseen[point]["sd"]
        what = f"{POINTS[point]}, SD in each lead, record not seen"
        lines.append(f"| {what} | CSE 2σ: {limit} ms | {sd:.1f} ms | {_met(sd <= limit)} |")
    for name, (mean, sd) in IEC_MS.items():
        ours = shipped["intervals"][name]
        met = _met(abs(ours["mean"]) <= mean and ours["sd"] <= sd)
        allowed = f"IEC: mean ±{mean}, SD {sd} ms"
        lines.append(
            f"| {INTERVALS[name]}, one value per recording, as shipped | {allowed} | {_error(ours)} ms | {met} |"
        )
    return "\n".join(lines)


def _met(inside: bool) -> str:  # noqa: FBT001
    return "yes" if inside else "no"


def ptb_xl_table(figures: Figures) -> str:
    """Say what came of PTB-XL."""
    found = figures["ptbxl"]
    fibrillation = found["fibrillation"]
    n, with_p = (sum(row[k] for row in fibrillation) for k in (1, 2))
    free = sum(row[2] == 0 for row in fibrillation)
    (flutter, taken), (sinus, denied), (unpaced, called) = (found[key] for key in ("flutter", "sinus", "spikes"))
    return "\n".join([
        "| PTB-XL 1–350 | |", "|---|---|",
        f"| measured / refused | {found['measured']} / {found['refused']} |",
        f"| labelled atrial fibrillation: recordings, of these without any P | {len(fibrillation)}, {free} |",
        f"| … their beats, of these with a P | {n}, {with_p} ({100 * with_p / n:.1f} %) |",
        f"| labelled flutter without fibrillation: recordings, of these with a P | {flutter}, {taken} |",
        f"| labelled sinus rhythm or arrhythmia: recordings, of these without any P | {sinus}, {denied} |",
        f"| no pacemaker in the label: recordings, of these with a beat called paced | {unpaced}, {called} |",
    ])  # fmt: skip


def devices_table(figures: Figures) -> str:
    """Ours and the device's, recording by recording."""
    shown = {"heart_rate_bpm": "rate, 1/min", "p_duration_ms": "P, ms", "pr_interval_ms": "PR, ms",
             "qrs_duration_ms": "QRS, ms", "qt_interval_ms": "QT, ms", "p_axis_deg": "P axis, °",
             "qrs_axis_deg": "QRS axis, °", "t_axis_deg": "T axis, °"}  # fmt: skip
    lines = [f"| recording | format | {' | '.join(shown.values())} |", f"|---|---|{'---|' * len(shown)}"]
    for name, row in figures["devices"].items():
        cells = [_beside(row[key]) if key in row else "" for key in shown]
        lines.append(f"| `{name}` | {row['format']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _beside(pair: list[float]) -> str:
    """Ours / the device's (the difference)."""
    ours, theirs = pair
    difference = f"{round(ours) - round(theirs):+d}".replace("-", "−").replace("+0", "0")
    return f"{ours:.0f} / {theirs:.0f} ({difference})".replace("-", "−")


TABLES: dict[str, Callable[[Figures], str]] = {
    "marks": marks_table, "intervals": intervals_table, "beats": beats_table, "noise": noise_table,
    "limits": limits_table, "ptbxl": ptb_xl_table, "devices": devices_table,
    "wider": lambda figures: f"{figures['annotations']['wider']:.0f}",
}  # fmt: skip


if __name__ == "__main__":
    main()
