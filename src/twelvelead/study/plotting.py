"""One recording drawn for the command line: a file in, a picture out."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from twelvelead.io import Source, open_declared
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.tables import write_bytes
from twelvelead.measure import measure, observe
from twelvelead.measure.windows import LONG_S
from twelvelead.report import Paper, caption_source, draw_ecg, print_drawing, require_picture_name
from twelvelead.report.ecg_sheet import PAGE_S
from twelvelead.signal import Quality, Recording, assess
from twelvelead.terms import FIDUCIAL_TIMES, FIDUCIALS, LEADS, InputError, Unmeasurable


def plot_file(  # noqa: PLR0913 - one for each flag of the command
    path: Path,
    *,
    out: Path,
    paper: Paper = Paper(),  # noqa: B008 - frozen
    marks: bool = True,
    median: bool = False,
    dpi: float = 200,
    declared: Declaration = UNDECLARED,
    identify: bool = False,
) -> None:
    """Draw one recording as an ECG on paper, with what was measured.

    Parameters
    ----------
    path : Path
        The recording.
    out : Path
        The picture, .svg, .pdf or .png.
    paper : Paper
        Layout, speed, gain and the first second.
    marks : bool
        Whether waves and intervals are marked.
    median : bool
        Whether the median beat is drawn: the device's where the file has one, otherwise ours.
    dpi : float
        Of a PNG.
    declared : Declaration
        What the file does not say of itself, and which of several recordings is meant.
    identify : bool
        Whether the patient's name and number are printed.

    Raises
    ------
    InputError
        If the file can't be read, the picture's name has another suffix, or the sheet begins outside the recording.
    Unmeasurable
        If the median beat is wanted, and neither the file has one nor can it be found.
    MissingExtra
        If an optional package is needed to read or to draw it.

    Notes
    -----
    A recording of up to a minute is measured whole. Of a longer one only what is drawn is read and measured.
    """
    require_picture_name(out)
    source = open_declared(path, declared, identify=identify)
    svg = draw_source(source, paper=paper, marks=marks, median=median)
    write_bytes(print_drawing(svg, out.suffix.lower(), dpi=dpi), out)


def draw_source(source: Source, *, paper: Paper, marks: bool = True, median: bool = False) -> str:
    """Draw an opened recording.

    Parameters
    ----------
    source : Source
        Its patient's name and number are printed, so it should have them only where they were asked for.
    paper, marks, median
        As for `plot_file`.

    Returns
    -------
    str
        One SVG document, see `report.draw_ecg`.

    Raises
    ------
    InputError, Unmeasurable
        As for `plot_file`.
    """
    recording, paper, remarks = _read(source, paper)
    quality = assess(recording)
    values: dict[str, Any] = {}
    fiducials: pl.DataFrame | None = None
    try:
        values, fiducials = measure(recording)
    except Unmeasurable as error:
        remarks.append(f"not measured: {error.reason.value.replace('_', ' ')}")
    if median:
        recording, fiducials, whose = _median_beat(source, recording, quality)
        remarks.append(whose)
        paper = replace(paper, start_s=0.0)
        if paper.layout == "auto" and set(LEADS) <= set(recording.leads):
            paper = replace(paper, layout="3x4")  # a rhythm strip has no rhythm to show
    return draw_ecg(
        recording,
        paper=paper,
        caption=caption_source(source, quality=quality, remarks=remarks),
        fiducials=fiducials if marks else None,
        measurements=values,
        machine=source.machine.measurements,
    )


def _read(source: Source, paper: Paper) -> tuple[Recording, Paper, list[str]]:
    """Read the recording; of a long one what is drawn, which then begins at 0 s."""
    if source.duration <= LONG_S:
        return source.read(), paper, []
    if not 0 <= paper.start_s < source.duration:
        msg = f"the sheet must begin within the recording; got {paper.start_s:g} s of {source.duration:g} s. "
        msg += "Start earlier."
        raise InputError(msg)
    first = round(paper.start_s * source.fs)
    recording = source.span(first, min(first + round(PAGE_S * source.fs), source.n_samples))
    said = f"drawn and measured: {recording.duration:.4g} s from {paper.start_s:g} s of {source.duration:.6g} s"
    return recording, replace(paper, start_s=0.0), [said]


def _median_beat(source: Source, recording: Recording, quality: Quality) -> tuple[Recording, pl.DataFrame | None, str]:
    """Take the device's median beat, or make our own with its marks."""
    if source.median is not None:
        return replace(source.median, id=recording.id), None, "median beat of the device"
    if quality.refusal is not None:
        raise Unmeasurable(quality.refusal.reason, quality.refusal.message)
    heartbeat = observe(recording, quality.usable)
    beat = Recording(heartbeat.beat.astype(np.float32), heartbeat.leads, heartbeat.fs, recording.id)
    times = dict(zip(FIDUCIAL_TIMES, heartbeat.global_marks / heartbeat.fs, strict=True))
    row = {name: float(time) if np.isfinite(time) else None for name, time in times.items()}
    said = {"recording_id": recording.id, "lead": "global", "beat": 0, "kind": "dominant"}
    unknown = dict.fromkeys(("p_confidence", "qrs_confidence", "t_confidence"))
    return beat, FIDUCIALS.select([said | row | unknown]), f"median of {len(heartbeat.times_s)} beats"
