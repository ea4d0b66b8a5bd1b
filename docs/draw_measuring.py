"""Draw the pictures of docs/how-we-measure.md from real recordings.

    python docs/draw_measuring.py LUDB_FOLDER PTBXL_FOLDER MITDB_FOLDER [--only NAME …] [--png FOLDER]

Writes docs/measuring/*.svg; with --png also the same as PNG, to look at. Needs matplotlib and `wfdb`.
"""

import argparse
import importlib.util
import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest.mock import patch

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray

from twelvelead import io, signal
from twelvelead.measure import Heartbeat, Mark, beats, measure, observe
from twelvelead.measure.condition import STEP, Conditioned, condition
from twelvelead.measure.fiducials import KINDS
from twelvelead.measure.kinds import classify_kinds
from twelvelead.measure.loops import KORS_MATRIX
from twelvelead.measure.shapes import PRE_S, median_beat
from twelvelead.measure.windows import PIECE_S
from twelvelead.signal import Recording

Floats = NDArray[np.float64]

HERE = Path(__file__).parent
OUT = HERE / "measuring"

# Okabe and Ito's colours, told apart by the colour-blind.
BLUE, RED, GREEN, ORANGE, PINK, GREY, INK = "#0072B2", "#D55E00", "#009E73", "#B87A00", "#CC79A7", "#8A8A8A", "#1E1E1E"
WAVE = {"P": BLUE, "QRS": RED, "T": GREEN}
OF_WAVE = [BLUE] * 3 + [RED] * 3 + [GREEN] * 3
OF_KIND = {"dominant": INK, "premature": BLUE, "wide": RED, "paced": GREEN, "aberrant": PINK}

STYLE: dict[str, Any] = {
    "font.family": ["DejaVu Sans", "sans-serif"], "font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "twelvelead",
    "axes.titlesize": 9.5, "axes.titlelocation": "left", "axes.edgecolor": "#B9B2AE", "axes.linewidth": 0.7,
    "axes.labelcolor": "#444444", "xtick.color": "#444444", "ytick.color": "#444444", "xtick.labelsize": 8,
    "ytick.labelsize": 8, "legend.fontsize": 8, "legend.frameon": False, "figure.dpi": 100, "lines.linewidth": 1.0,
}  # fmt: skip


class Folders(NamedTuple):
    """Where the recordings lie."""

    ludb: Path
    ptbxl: Path
    mitdb: Path


def main() -> None:
    """Draw what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ludb", type=Path, help="Lobachevsky database: .hea, .dat and .i … .v6")
    parser.add_argument("ptbxl", type=Path, help="PTB-XL: holds records500/")
    parser.add_argument("mitdb", type=Path, help="MIT-BIH arrhythmia database: .hea, .dat, .atr")
    parser.add_argument("--only", nargs="+", choices=PICTURES, default=list(PICTURES), help="some pictures")
    parser.add_argument("--png", type=Path, default=None, help="also as PNG, in this folder")
    arguments = parser.parse_args()
    folders = Folders(arguments.ludb, arguments.ptbxl, arguments.mitdb)
    mpl.use("svg")
    plt.rcParams.update(STYLE)
    OUT.mkdir(exist_ok=True)
    for name in arguments.only:
        figure = PICTURES[name](folders)
        for ax in figure.axes:
            if ax.get_label() == FINE:
                rule_finely(ax)
        path = OUT / f"{name}.svg"
        figure.savefig(path, metadata={"Date": None, "Creator": None})
        path.write_text(shorten(path.read_text(encoding="utf-8")), encoding="utf-8")
        if arguments.png is not None:
            figure.savefig(arguments.png / f"{name}.png", dpi=100)
        plt.close(figure)


def shorten(svg: str) -> str:
    """Round the coordinates of paths to a tenth of a point, and leave out what is said for every line alike."""

    def rounded(match: re.Match[str]) -> str:
        points = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), match[0])
        return re.sub(r"\s+", " ", points)

    return re.sub(r"^\s+", "", re.sub(r' d="[^"]*"', rounded, svg), flags=re.MULTILINE)


def lobachevsky(folders: Folders, number: int) -> Recording:
    """Read a record of the Lobachevsky database."""
    return io.read(folders.ludb / f"{number}.hea")


def ptb_xl(folders: Folders, number: int) -> Recording:
    """Read a recording of PTB-XL at 500 Hz."""
    return io.read(folders.ptbxl / "records500" / f"{number // 1000 * 1000:05d}" / f"{number:05d}_hr.hea")


@cache
def accuracy() -> ModuleType:
    """Load bench/accuracy.py."""
    path = HERE.parent / "bench" / "accuracy.py"
    spec = importlib.util.spec_from_file_location("accuracy", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def annotated(folders: Folders, number: int, lead: str, *, fs: float) -> list[Floats]:
    """Read a cardiologist's marks of one lead, s, in the order of `Mark`."""
    return list(accuracy().read_marks(folders.ludb / str(number), lead, fs).values())


def paper(ax: Axes, *, title: str = "", time_s: float = 0.2, fine: bool = True) -> None:
    """Rule the axes like ECG paper: 0.2 s and 0.5 mV, finely 0.04 s and 0.1 mV."""
    ax.xaxis.set_major_locator(MultipleLocator(time_s))
    ax.yaxis.set_major_locator(MultipleLocator(0.5))
    ax.grid(which="major", color="#EBD8D0", linewidth=0.7)
    ax.set_label(FINE if fine else "")
    ax.tick_params(length=0)
    ax.set_axisbelow(True)
    if title:
        ax.set_title(title)


def rule_finely(ax: Axes) -> None:
    """Draw the fine lines, 40 ms and 0.1 mV, as one path."""
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    x = np.arange(np.ceil(left / 0.04), right / 0.04) * 0.04
    y = np.arange(np.ceil(low / 0.1), high / 0.1) * 0.1
    gap = np.nan
    along = np.concatenate([[[t, t, gap] for t in x], [[left, right, gap] for _ in y]]).ravel()
    across = np.concatenate([[[low, high, gap] for _ in x], [[v, v, gap] for v in y]]).ravel()
    ax.plot(along, across, color="#F5EAE5", linewidth=0.4, zorder=0)
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)


FINE = "paper"


def label(ax: Axes, x: str = "time, s", y: str = "mV") -> None:
    """Name the axes."""
    ax.set_xlabel(x)
    ax.set_ylabel(y)


def trace(ax: Axes, recording: Recording, lead: str, span: tuple[float, float], **style: Any) -> None:  # noqa: ANN401
    """Draw a piece of one lead."""
    a, b = (round(t * recording.fs) for t in span)
    ax.plot(np.arange(a, b) / recording.fs, recording[lead][a:b], **({"color": INK, "linewidth": 0.9} | style))
    ax.set_xlim(*span)


# 1 quality


def draw_quality(folders: Folders) -> Figure:
    """Draw what the checks of the samples find: cut peaks, noise, contradicting limb leads, exchanged arms."""
    figure, axes = plt.subplots(2, 2, figsize=(8, 5.4), layout="constrained")
    found = {number: signal.assess(lobachevsky(folders, number)).findings for number in (111, 169, 41)}
    clipped, noisy, contrary = (lobachevsky(folders, number) for number in (111, 169, 41))
    panel(axes[0, 0], clipped, "V4", (6.3, 8.3), f"Cut-off peaks: {_said(found[111], 'clipped')}")
    panel(axes[0, 1], noisy, "aVL", (2.0, 4.0), f"Noise: {_said(found[169], 'noise')}")
    ax = axes[1, 0]
    t = np.arange(contrary.n_samples) / contrary.fs
    ax.plot(t, contrary["II"], color=INK, linewidth=0.9, label="II, as recorded")
    ax.plot(t, contrary["I"] + contrary["III"], color=RED, linewidth=0.9, label="I + III")
    ax.set_xlim(2.0, 4.0)
    ax.legend(loc="upper right", ncols=2)
    paper(ax, title=f"Contradiction: {_said(found[41], 'einthoven')}")
    label(ax)
    _draw_exchanged(axes[1, 1], ptb_xl(folders, EXCHANGED))
    return figure


EXCHANGED = 3


def _said(findings: tuple[signal.Finding, ...], reason: str) -> str:
    """Name the leads that have a fault, or say how large it is."""
    mine = [f for f in findings if f.reason.value == reason]
    size = re.search(r"got (?:noise of )?(.* mV)\.", mine[0].message)
    return f"{size[1] if size else ', '.join(str(f.lead) for f in mine)} (LUDB {NUMBER[reason]})"


NUMBER = {"clipped": 111, "noise": 169, "einthoven": 41}


def panel(ax: Axes, recording: Recording, lead: str, span: tuple[float, float], title: str) -> None:
    """One lead on paper."""
    trace(ax, recording, lead, span)
    paper(ax, title=title)
    label(ax, y=f"{lead}, mV")


def _draw_exchanged(ax: Axes, right: Recording) -> None:
    """Exchange the arms of a sound recording, and show which signs turn."""
    index = {lead: k for k, lead in enumerate(right.leads)}
    order = [index[{"II": "III", "III": "II", "aVR": "aVL", "aVL": "aVR"}.get(lead, lead)] for lead in right.leads]
    swapped = np.array(right.signal)[order]
    swapped[index["I"]] *= -1
    wrong = Recording(swapped, right.leads, right.fs, id=right.id)
    ratios = [measure(r)[0]["lead_arm_reversal_ratio"] for r in (right, wrong)]
    trace(ax, right, "V6", (2.0, 4.0))
    trace(ax, replace(right, signal=np.array(right.signal) - 1.6), "I", (2.0, 4.0), color=GREEN)
    trace(ax, replace(wrong, signal=swapped - 2.6), "I", (2.0, 4.0), color=RED)
    for y, text, colour in ((0, "V6", INK), (-1.6, "I", GREEN), (-2.6, "I, arms exchanged", RED)):
        ax.annotate(text, (2.55, y + 0.15), color=colour, fontsize=8)
    paper(ax, title=f"Exchanged arms: signs met {ratios[0]:.0f} → {ratios[1]:.0f} (PTB-XL {int(right.id[:5])})")
    label(ax)


# 2 conditioning


WANDERING = 200


def draw_conditioning(folders: Folders) -> Figure:
    """Draw wander and spikes, before and after."""
    figure, axes = plt.subplots(3, 1, figsize=(8, 6.6), layout="constrained", height_ratios=[3, 2, 2.6])
    recording = ptb_xl(folders, WANDERING)
    ready = condition(recording, recording.leads)
    k = int(ready.wander_mv.argmax())
    lead = recording.leads[k]
    wander = recording[lead] - ready.whole[:, k]
    t = np.arange(recording.n_samples) / recording.fs
    axes[0].plot(t, recording[lead], color=INK, linewidth=0.8, label="as recorded")
    axes[0].plot(t, wander, color=ORANGE, linewidth=1.4, label="wander, below 0.4 Hz")
    axes[0].legend(loc="lower left", ncols=2)
    axes[0].set_xlim(0, 10)
    paper(axes[0], title=f"Wander: {lead} of PTB-XL {WANDERING}", time_s=1, fine=False)
    axes[0].yaxis.set_major_locator(MultipleLocator(2))
    axes[0].margins(y=0.12)
    label(axes[0], x="")
    axes[1].plot(t, ready.whole[:, k], color=INK, linewidth=0.8)
    axes[1].set_xlim(0, 10)
    paper(axes[1], title="… and without it", time_s=1, fine=False)
    axes[1].yaxis.set_major_locator(MultipleLocator(1))
    label(axes[1])
    _draw_spikes(axes[2], lobachevsky(folders, 95))
    return figure


def _draw_spikes(ax: Axes, recording: Recording) -> None:
    """Draw a paced stretch with its spikes bridged."""
    ready = condition(recording, recording.leads)
    lead, span = "I", (4.2, 6.2)
    k = recording.leads.index(lead)
    level = float(np.median(recording[lead] - ready.whole[:, k]))
    trace(ax, recording, lead, span, color=RED, linewidth=1.0, label="as recorded")
    cleaned = replace(recording, signal=ready.whole.T + level, fs=ready.fs)
    trace(ax, cleaned, lead, span, label="measured")
    for spike in ready.spikes_s[(ready.spikes_s > span[0]) & (ready.spikes_s < span[1])]:
        ax.annotate("spike", (spike - 0.01, -0.3), ha="right", color=RED, fontsize=8)
    ax.legend(loc="upper left", ncols=2)
    paper(ax, title="Pacemaker spikes: lead I of LUDB 95; each is bridged by a straight line")
    label(ax)


# 3 beats


def draw_beats(folders: Folders) -> Figure:
    """Draw how beats are found: leads, envelope, template, what is chosen."""
    recording = ptb_xl(folders, 128)
    ready = condition(recording, recording.leads)
    heartbeat = observe(recording, recording.leads)
    fs = ready.fs / STEP
    independent = [k for k, lead in enumerate(recording.leads) if lead not in {"III", "aVR", "aVL", "aVF"}]
    rate, envelope, likeness = look_for_beats(np.ascontiguousarray(ready.smooth[:, independent]), fs=fs)
    figure, axes = plt.subplots(3, 1, figsize=(8, 6.6), layout="constrained", height_ratios=[5, 2, 2], sharex=True)
    _draw_leads(axes[0], recording, heartbeat, ("I", "V1", "V4"))
    axes[0].set_title("Three of eight independent leads, PTB-XL 128; the beats found")
    t = np.arange(len(envelope)) / rate
    for ax, row, title in (
        (axes[1], envelope, "Speed of all leads, each weighted by how far its complexes stand out"),
        (axes[2], likeness, "Correlation with the template of the clear complexes, all leads at once"),
    ):
        ax.plot(t, row, color=INK, linewidth=0.8)
        at = np.interp(heartbeat.times_s, t, row)
        ax.plot(heartbeat.times_s, at, "o", color=RED, markersize=4)
        ax.set_title(title)
        ax.grid(color="#EEEEEE")
        ax.tick_params(length=0)
    axes[2].set_xlabel("time, s")
    return figure


def look_for_beats(leads: NDArray[np.float32], *, fs: float) -> tuple[float, Floats, Floats]:
    """Overhear what `find_beats` chooses by: its rate, the envelope, and the likeness to the best template."""
    with patch.object(beats, "choose_beats", wraps=beats.choose_beats) as choose:
        beats.find_beats(leads, fs=fs)
    envelope, _, match, rate = choose.call_args.args
    return rate, envelope, match[1]


def _draw_leads(ax: Axes, recording: Recording, heartbeat: Heartbeat, leads: tuple[str, ...]) -> None:
    """Draw leads above one another, with the beats."""
    t = np.arange(recording.n_samples) / recording.fs
    for row, lead in enumerate(leads):
        ax.plot(t, recording[lead] - np.median(recording[lead]) - 1.8 * row, color=INK, linewidth=0.7)
        ax.annotate(lead, (0.05, -1.8 * row + 0.35), fontsize=8, weight="bold")
    for time in heartbeat.times_s:
        ax.axvline(time, color=GREY, linewidth=0.8, alpha=0.8, zorder=0)
    ax.set_xlim(0, recording.duration)
    paper(ax, time_s=1, fine=False)
    label(ax, x="")


def kinds_of(heartbeat: Heartbeat) -> list[str]:
    """Name the kind of each beat."""
    kinds = classify_kinds(heartbeat.times_s, heartbeat.shape_class, heartbeat.global_marks_s, heartbeat.spikes_s)
    return [KINDS[kind] for kind in kinds]


# 4 classes


def draw_classes(folders: Folders) -> Figure:
    """Draw a rhythm strip by kinds of beat, and the median of each shape among its beats."""
    recording = ptb_xl(folders, 266)
    lead = "V2"
    ready = condition(recording, recording.leads)
    heartbeat = observe(recording, recording.leads)
    shown = range(min(int(heartbeat.shape_class.max()) + 1, 3))
    figure = plt.figure(figsize=(8, 5.4), layout="constrained")
    grid = figure.add_gridspec(2, len(shown), height_ratios=[1, 1.3])
    strip = figure.add_subplot(grid[0, :])
    k = recording.leads.index(lead)
    t = np.arange(len(ready.whole)) / ready.fs
    strip.plot(t, ready.whole[:, k], color=INK, linewidth=0.7)
    for time, kind in zip(heartbeat.times_s, kinds_of(heartbeat), strict=True):
        a, b = (round((time + d) * ready.fs) for d in (-0.12, 0.45))
        strip.plot(t[max(a, 0) : b], ready.whole[max(a, 0) : b, k], color=OF_KIND[kind], linewidth=1.0)
        if kind != "dominant":
            strip.annotate(kind, (time, strip.get_ylim()[1]), color=OF_KIND[kind], ha="center", fontsize=8, va="bottom")
    strip.set_xlim(0, 10)
    paper(strip, time_s=1, fine=False)
    strip.set_title(f"Kinds of beat: {lead} of PTB-XL 266", pad=16)
    label(strip, x="time, s")
    for column, shape in enumerate(shown):
        _draw_class(figure.add_subplot(grid[1, column]), ready, heartbeat, shape, k)
    return figure


def _draw_class(ax: Axes, ready: Conditioned, heartbeat: Heartbeat, shape: int, k: int) -> None:
    """Draw the beats of one shape on one another, and their median."""
    centres = heartbeat.times_s[heartbeat.shape_class == shape] * ready.fs
    median, _ = median_beat(ready.whole, centres, fs=ready.fs)
    t = np.arange(median.shape[1]) / ready.fs - PRE_S
    for centre in centres:
        at = np.clip(centre + t * ready.fs, 0, len(ready.whole) - 1)
        beat = np.interp(at, np.arange(len(ready.whole)), ready.whole[:, k])
        beat[(centre + t * ready.fs < 0) | (centre + t * ready.fs > len(ready.whole) - 1)] = np.nan
        ax.plot(t, beat - np.nanmean(beat), color=GREY, linewidth=0.5)
    ax.plot(t, median[k] - median[k].mean(), color=RED if shape else INK, linewidth=1.3)
    ax.set_xlim(t[0], t[-1])
    n = len(centres)
    paper(ax, title=f"shape {shape + 1}: {n} beat{'s' * (n > 1)}, median in bold")
    ax.yaxis.set_minor_locator(MultipleLocator(0.25))
    label(ax, x="time from the QRS's middle, s")


# 5 marks


MARKED = 151


def draw_marks(folders: Folders) -> Figure:
    """Draw a median beat's marks in some leads: rules, refined, cardiologist; and all leads with the global marks."""
    recording = lobachevsky(folders, MARKED)
    heartbeat = observe(recording, recording.leads)
    ruled = observe(recording, recording.leads, refine=False).marks
    figure, axes = plt.subplots(4, 1, figsize=(8, 8.6), layout="constrained", sharex=True, height_ratios=[1, 1, 1, 1.3])
    for ax, lead in zip(axes, ("II", "V2", "V5"), strict=False):
        _draw_marked_lead(ax, folders, recording, heartbeat, lead, ruled)
    axes[0].set_title(f"The median beat of LUDB {MARKED}, lead by lead", pad=14)
    ax = axes[3]
    t = times_of(heartbeat)
    for row in heartbeat.beat:
        ax.plot(t, row, color=INK, linewidth=0.6, alpha=0.6)
    for m, at in enumerate(heartbeat.global_marks):
        if m % 3 != 1 and np.isfinite(at):
            ax.axvline(at / heartbeat.fs - PRE_S, color=OF_WAVE[m], linewidth=1.4)
    paper(ax, title="All leads on one another, with the global onsets and offsets")
    ax.set_xlim(-0.3, 0.5)
    label(ax, x="time from the QRS's middle, s")
    return figure


def times_of(heartbeat: Heartbeat) -> Floats:
    """Time of each sample of the median beat from the middle of its QRS complex, s."""
    return np.arange(heartbeat.beat.shape[1]) / heartbeat.fs - PRE_S


def _draw_marked_lead(
    ax: Axes, folders: Folders, recording: Recording, heartbeat: Heartbeat, lead: str, ruled: Floats
) -> None:
    """Draw one lead of the median beat, its marks above, the rules' and the cardiologist's below."""
    k = recording.leads.index(lead)
    beat = heartbeat.beat[k]
    t = times_of(heartbeat)
    ax.plot(t, beat, color=INK, linewidth=1.1)
    low, high = float(beat.min()), float(beat.max())
    room = max(0.3 * (high - low), 0.25)
    ax.set_ylim(low - 1.1 * room, high + 0.5 * room)
    theirs = relative_marks(annotated(folders, int(recording.id), lead, fs=recording.fs), heartbeat)
    confidence = heartbeat.confidence
    for m in range(len(Mark)):
        at = heartbeat.marks[m, k] / heartbeat.fs - PRE_S
        if np.isfinite(at):
            ax.plot([at, at], [low - 0.1 * room, high + 0.15 * room], color=OF_WAVE[m], linewidth=1.2)
            if confidence is not None and np.isfinite(confidence[m, k]):
                ax.annotate(f"{100 * confidence[m, k]:.0f}", (at, high + 0.18 * room), color=OF_WAVE[m], fontsize=7,
                            ha="right" if m % 3 == 0 else "left" if m % 3 == 2 else "center")  # fmt: skip
        ax.plot(
            ruled[m, k] / heartbeat.fs - PRE_S, low - 0.4 * room, "|", color=GREY, markersize=9, markeredgewidth=1.3
        )
        ax.plot(theirs[m], np.full(len(theirs[m]), low - 0.8 * room), "|", color=INK, markersize=7, markeredgewidth=0.6)
    ax.annotate("rules alone", (0.36, low - 0.4 * room), color=GREY, fontsize=7.5, va="center")
    ax.annotate("cardiologist, each beat", (0.36, low - 0.8 * room), color=INK, fontsize=7.5, va="center")
    paper(ax)
    ax.set_xlim(-0.3, 0.5)
    ax.set_ylabel(f"{lead}, mV")


def relative_marks(marks: list[Floats], heartbeat: Heartbeat) -> list[Floats]:
    """Take marks of single beats as times from the middle of the QRS complex they belong to."""
    out = []
    for m, times in enumerate(marks):
        reach = (0.45, 0.0) if m < Mark.QRS_ONSET else (0.15, 0.15) if m < Mark.T_ONSET else (0.0, 0.62)
        away = times[:, None] - heartbeat.times_s[None, heartbeat.shape_class == 0]
        out.append(away[(away > -reach[0]) & (away < reach[1])])
    return out


# 6 every beat


def draw_every_beat(folders: Folders) -> Figure:
    """Draw the marks carried to every beat: in sinus rhythm, and in atrial fibrillation, where P is absent."""
    figure, axes = plt.subplots(2, 1, figsize=(8, 4.8), layout="constrained")
    for ax, number, lead, what in (
        (axes[0], MARKED, "II", "sinus rhythm"),
        (axes[1], 129, "II", "atrial fibrillation"),
    ):
        recording = lobachevsky(folders, number)
        heartbeat = observe(recording, recording.leads)
        draw_strip(ax, recording, heartbeat, lead, (1.5, 6.5), annotated(folders, number, lead, fs=recording.fs))
        probability = heartbeat.facts["p_probability"]
        ax.set_title(f"LUDB {number}, {lead}: {what}; probability of a P wave {probability:.2f}")
    legend(axes[1])
    return figure


def draw_strip(
    ax: Axes, recording: Recording, heartbeat: Heartbeat, lead: str, span: tuple[float, float], theirs: list[Floats]
) -> None:
    """Draw a strip with our waves as coloured stretches, and the cardiologist's below, where there are some."""
    k = recording.leads.index(lead)
    ready = condition(recording, recording.leads)
    a, b = (round(s * ready.fs) for s in span)
    t, y = np.arange(a, b) / ready.fs, ready.whole[a:b, k]
    ax.plot(t, y, color=INK, linewidth=0.8)
    low, high = float(y.min()), float(y.max())
    room = 0.16 * max(high - low, 0.5)
    ax.set_ylim(low - (3.2 if theirs else 2) * room, high + room)
    for first, colour in zip((0, 3, 6), WAVE.values(), strict=True):
        for onset, _, offset in heartbeat.beat_marks_s[:, first : first + 3, k]:
            inside = (t >= onset) & (t <= offset)
            ax.plot(t[inside], y[inside], color=colour, linewidth=1.8)
            ax.plot([onset, offset], [low - room] * 2, color=colour, linewidth=3, solid_capstyle="butt")
        for peak in theirs[first + 1] if theirs else ():
            onset = nearest(theirs[first], peak, before=True)
            offset = nearest(theirs[first + 2], peak, before=False)
            ax.plot(
                [onset, offset], [low - 2.2 * room] * 2, color=colour, linewidth=3, alpha=0.55, solid_capstyle="butt"
            )
    for y_at, text in ((low - room, "ours"), (low - 2.2 * room, "cardiologist"))[: 2 if theirs else 1]:
        ax.annotate(text, (span[0] + 0.02, y_at + 0.25 * room), fontsize=7, color="#555555")
    ax.set_xlim(*span)
    paper(ax, time_s=0.2 if span[1] - span[0] < 3 else 1, fine=span[1] - span[0] < 3)
    label(ax)


def nearest(times: Floats, peak: float, *, before: bool) -> float:
    """Find the mark of a wave next to its peak, on one side; the peak itself where there is none."""
    sided = times[(times <= peak) & (times > peak - 0.3)] if before else times[(times >= peak) & (times < peak + 0.3)]
    if not sided.size:
        return peak
    return float(sided.max() if before else sided.min())


def legend(ax: Axes) -> None:
    """Say which colour is which wave."""
    for wave, colour in WAVE.items():
        ax.plot([], [], color=colour, linewidth=3, label=wave)
    ax.legend(loc="upper right", ncols=3)


# 7 numbers


NUMBERED = 3


def draw_numbers(folders: Folders) -> Figure:
    """Draw what is measured on the median beat: waves and ST of a lead, axes, the loop of the heart vector."""
    recording = ptb_xl(folders, NUMBERED)
    heartbeat = observe(recording, recording.leads)
    row, _ = measure(recording)
    figure = plt.figure(figsize=(8, 6.4), layout="constrained")
    grid = figure.add_gridspec(2, 3, height_ratios=[1.25, 1])
    _draw_amplitudes(figure.add_subplot(grid[0, :]), heartbeat, row, "V5")
    _draw_axes(figure.add_subplot(grid[1, 0], projection="polar"), row)
    usable = [heartbeat.leads.index(lead) for lead in ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")]
    vector = KORS_MATRIX @ heartbeat.beat[usable]
    for column, (a, b, name) in enumerate(((0, 1, "frontal"), (0, 2, "horizontal")), start=1):
        _draw_loop(figure.add_subplot(grid[1, column]), vector[[a, b]], heartbeat.global_marks, name)
    return figure


def _draw_amplitudes(ax: Axes, heartbeat: Heartbeat, row: dict[str, Any], lead: str) -> None:
    """Draw one lead with the heights that are measured from the level at QRS onset."""
    k = heartbeat.leads.index(lead)
    beat, t, marks = heartbeat.beat[k], times_of(heartbeat), heartbeat.marks[:, k] / heartbeat.fs - PRE_S
    ax.plot(t, beat, color=INK, linewidth=1.2)
    ax.axhline(0, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)))
    j = marks[Mark.QRS_OFFSET]
    within = (t > marks[Mark.QRS_ONSET]) & (t < j)
    r_at, s_at = (float(t[within][find(beat[within])]) for find in (np.argmax, np.argmin))
    for name, at, value, colour, side in (
        ("P", marks[Mark.P_PEAK], row[f"p_amplitude_{lead.lower()}_mv"], BLUE, "left"),
        ("R", r_at, row[f"r_amplitude_{lead.lower()}_mv"], RED, "right"),
        ("S", s_at, row[f"s_amplitude_{lead.lower()}_mv"], RED, "right"),
        ("J", j, row[f"st_j_amplitude_{lead.lower()}_mv"], PINK, "left"),
        ("J + 60 ms", j + 0.06, row[f"st_j60_amplitude_{lead.lower()}_mv"], PINK, "left"),
        ("T", marks[Mark.T_PEAK], row[f"t_amplitude_{lead.lower()}_mv"], GREEN, "left"),
    ):
        height = float(np.interp(at, t, beat))
        ax.plot([at, at], [0, height], color=colour, linewidth=1.4)
        ax.plot(at, height, "o", color=colour, markersize=4)
        offset = (-6 if side == "right" else 5, {"S": -13, "J": -11, "J + 60 ms": 14}.get(name, 6))
        said = f"{name} {value:.2f} mV".replace("-", "−")
        ax.annotate(said, (at, height), xytext=offset, textcoords="offset points", fontsize=8, color=colour, ha=side)
    intervals = ("pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "qtc_fridericia_ms")
    said = ", ".join(f"{name.split('_')[0].upper().replace('QTC', 'QTcF')} {row[name]:.0f} ms" for name in intervals)
    paper(ax, title=f"{lead} of PTB-XL {NUMBERED}; {said}")
    ax.set_xlim(-0.3, 0.5)
    low, high = beat.min(), beat.max()
    ax.set_ylim(low - 0.15 * (high - low), high + 0.12 * (high - low))
    label(ax, x="time from the QRS's middle, s")


def _draw_axes(ax: Axes, row: dict[str, Any]) -> None:
    """Draw the frontal axes of P, QRS and T."""
    polar: Any = ax
    polar.set_theta_direction(-1)
    polar.set_yticks([])
    polar.set_xticks(np.radians([0, 60, 120, 180, 240, 300]), ["0°", "60°", "120°", "180°", "−120°", "−60°"])
    polar.grid(color="#EBD8D0")
    for (wave, colour), reach in zip(WAVE.items(), (0.6, 1.0, 0.8), strict=True):
        angle = row[f"{wave.lower()}_axis_deg"]
        if angle is None:
            continue
        polar.annotate(
            "",
            xy=(np.radians(angle), reach),
            xytext=(0, 0),
            arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.8},
        )
        polar.plot([], [], color=colour, label=f"{wave} {angle:.0f}°".replace("-", "−"))
    polar.set_ylim(0, 1)
    polar.set_title("frontal axes", pad=12)
    polar.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=3, handlelength=0.8, columnspacing=1.0)


def _draw_loop(ax: Axes, vector: Floats, marks: Floats, name: str) -> None:
    """Draw one view of the heart vector's way."""
    for (wave, colour), first in zip(WAVE.items(), (0, 3, 6), strict=True):
        a, b = marks[first], marks[first + 2]
        if np.isfinite(a + b):
            part = vector[:, int(a) : int(b) + 1]
            ax.plot(*part, color=colour, linewidth=1.2, label=wave)
    ax.axhline(0, color="#CCCCCC", linewidth=0.6)
    ax.axvline(0, color="#CCCCCC", linewidth=0.6)
    ax.invert_yaxis() if name == "frontal" else None
    ax.set_aspect("equal", adjustable="datalim")
    ax.grid(color="#F2E6E1")
    ax.tick_params(length=0)
    ax.set_title(f"heart vector, {name} plane")
    ax.set_xlabel("x, mV (to the left)")
    ax.set_ylabel("y, mV (down)" if name == "frontal" else "z, mV (to the back)")


# 8 long recordings


LONG, BIGEMINY = "119", "106"


def draw_long(folders: Folders, name: str = LONG) -> Figure:
    """Draw half an hour, measured window by window, and the wide beats beside those that were annotated."""
    import wfdb

    source = io.open_recording(folders.mitdb / f"{name}.hea")
    n = round(PIECE_S * source.fs)
    starts = np.arange(0, source.n_samples - n + 1, n)
    rows = []
    for start in starts:
        row, fiducials = measure(source.span(int(start), int(start) + n))
        rr = np.diff(fiducials.filter(lead="global")["r_peak_s"].drop_nulls().to_numpy())
        rows.append(
            (*(1000 * np.percentile(rr, [50, 10, 90])), row["qt_interval_ms"], row["beat_ventricular_premature_count"])
        )
    rr_ms, low, high, qt, wide = np.array(rows, dtype=float).T
    annotation = wfdb.rdann(str(folders.mitdb / name), "atr")
    ventricular = annotation.sample[np.array(annotation.symbol) == "V"]
    theirs = np.histogram(ventricular, bins=[*starts, starts[-1] + n])[0]
    minutes = (starts + n / 2) / source.fs / 60
    figure, axes = plt.subplots(3, 1, figsize=(8, 5.6), layout="constrained", sharex=True)
    axes[0].fill_between(minutes, low, high, color="#DCE8F2", label="10th to 90th percentile")
    axes[0].plot(minutes, rr_ms, color=BLUE, label="median")
    axes[0].set_title(f"RR interval in each 30 s of MIT-BIH {name}")
    axes[1].plot(minutes, qt, ".-", color=GREEN)
    axes[1].set_title("QT interval of the commonest beat")
    axes[2].bar(minutes, theirs, width=0.45, color="#D9D2CE", label="annotated as ventricular")
    axes[2].plot(minutes, wide, ".-", color=RED, label="found wide and early")
    axes[2].set_title("Ventricular beats in each 30 s")
    for ax, unit in zip(axes, ("ms", "ms", "beats"), strict=True):
        ax.set_ylabel(unit)
        ax.grid(color="#EEEEEE")
        ax.tick_params(length=0)
    for ax in (axes[0], axes[2]):
        ax.set_ylim(top=1.25 * ax.get_ylim()[1])
        ax.legend(loc="upper right", ncols=2)
    axes[2].set_xlabel("time, min")
    return figure


# How far off, and where it goes wrong


def draw_errors(_folders: Folders) -> Figure:
    """Draw the errors of each point: middle half and 95 % of the marks, by tool."""
    figures = json.loads((OUT / "accuracy.json").read_text(encoding="utf-8"))
    tools = figures["ludb"] | {"neurokit2": figures["neurokit2"]["ludb"]}
    shown = [("shipped", "as shipped (has seen these records)", BLUE), ("rules", "rules alone", GREY)]
    shown += [("neurokit2", "NeuroKit2, default", ORANGE)]
    figure, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
    names = list(tools["shipped"]["points"])
    for row, (tool, name, colour) in enumerate(shown):
        for place, point in enumerate(names):
            low, first, middle, third, high = tools[tool]["points"][point]["percentiles"]
            y = place + 0.24 * (row - 1)
            ax.plot([low, high], [y, y], color=colour, linewidth=1.2)
            ax.plot(
                [first, third], [y, y], color=colour, linewidth=5, solid_capstyle="butt", label=None if place else name
            )
            ax.plot(middle, y, "|", color="white", markersize=5, markeredgewidth=1.5)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.set_yticks(
        range(len(names)),
        [
            name.replace("_", " ")
            .replace("qrs", "QRS")
            .replace("p ", "P ", 1)
            .replace("t ", "T ", 1)
            .replace("r p", "R p")
            for name in names
        ],
    )
    ax.invert_yaxis()
    ax.set_xlim(-110, 110)
    ax.set_xlabel("found − annotated, ms; thick: the middle half, thin: 95 % of the marks that were matched")
    ax.set_title("Errors of single marks in all leads, 100 records of LUDB", pad=22)
    ax.grid(axis="x", color="#EEEEEE")
    ax.tick_params(length=0)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=3)
    return figure


def draw_wrong_waves(folders: Folders) -> Figure:
    """Draw marks that are far off in the Lobachevsky database."""
    cases = (
        (111, "aVL", Mark.QRS_ONSET, "ours begins where the spike ends, the cardiologist's later"),
        (61, "I", Mark.T_OFFSET, "the cardiologist's T includes the slow hump behind"),
        (69, "V2", Mark.T_PEAK, "of a biphasic T the other phase is taken"),
        (121, "V6", Mark.P_PEAK, "P is flat and notched"),
    )
    figure, axes = plt.subplots(len(cases), 1, figsize=(8, 9.6), layout="constrained")
    for ax, (number, lead, mark, why) in zip(axes, cases, strict=True):
        recording = lobachevsky(folders, number)
        heartbeat = observe(recording, recording.leads)
        theirs = annotated(folders, number, lead, fs=recording.fs)
        ours = heartbeat.beat_marks_s[:, mark, recording.leads.index(lead)]
        errors, _ = accuracy().match(theirs[mark], ours[np.isfinite(ours)])
        draw_strip(ax, recording, heartbeat, lead, (2.4, 4.6), theirs)
        name = mark.name.split("_")
        error = f"{1000 * np.mean(errors):+.0f} ms".replace("-", "−")
        ax.set_title(f"LUDB {number}, {lead}: {name[0]} {name[1].lower()} {error}; {why}")
    legend(axes[0])
    return figure


def draw_wrong_p(folders: Folders) -> Figure:
    """Draw where flutter waves are taken for P, and where P is denied because the rhythm is irregular."""
    cases = (
        (336, "II", "labelled flutter; a wave of it is taken for P"),
        (176, "II", "sinus rhythm with early atrial beats; P is denied"),
    )
    figure, axes = plt.subplots(len(cases), 1, figsize=(8, 4.6), layout="constrained")
    for ax, (number, lead, why) in zip(axes, cases, strict=True):
        recording = ptb_xl(folders, number)
        heartbeat = observe(recording, recording.leads)
        draw_strip(ax, recording, heartbeat, lead, (1.0, 5.0), [])
        ax.set_title(f"PTB-XL {number}, {lead}: {why} (probability {heartbeat.facts['p_probability']:.2f})")
    legend(axes[0])
    return figure


PICTURES: dict[str, Callable[[Folders], Figure]] = {
    "quality": draw_quality,
    "conditioning": draw_conditioning,
    "beats": draw_beats,
    "classes": draw_classes,
    "marks": draw_marks,
    "every_beat": draw_every_beat,
    "numbers": draw_numbers,
    "long": draw_long,
    "errors": draw_errors,
    "wrong_waves": draw_wrong_waves,
    "wrong_p": draw_wrong_p,
    "wrong_bigeminy": lambda folders: draw_long(folders, BIGEMINY),
}


if __name__ == "__main__":
    main()
