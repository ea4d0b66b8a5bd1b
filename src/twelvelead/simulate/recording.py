"""One simulated recording from one row of the truth, and its true marks."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.signal import Recording
from twelvelead.simulate.beat import (
    INDEPENDENT_LEADS,
    LEAD_VECTORS,
    PREMATURE_QRS_S,
    Wave,
    bump,
    conducted_waves,
    derive_limb_leads,
    premature_waves,
)
from twelvelead.simulate.noise import convert, draw_noise, pass_band
from twelvelead.simulate.rhythm import RESPIRATION_HZ, Beats, draw_beats
from twelvelead.simulate.site import Site
from twelvelead.terms import FIDUCIAL_TIMES, FIDUCIALS, LEADS

Floats = NDArray[np.float64]

DURATION_S = 10.0
_PAD_S = 0.5  # simulated beyond both ends, so that the filter's edges fall outside the recording
_VISIBLE_MV = 0.01  # a wave can be seen in a lead from here on: 0.1 mm on paper
_SMALLEST_WAVE_MV = 0.02  # below this a lead has no wave

_ROWS = [LEADS.index(lead) for lead in INDEPENDENT_LEADS]


def recording(truth_row: Mapping[str, Any], *, site: Site) -> Recording:
    """Make the waveform of one recording from its row of the truth alone.

    The row carries its own seed: a recording is the same whichever others are made, in whatever order.

    Parameters
    ----------
    truth_row : mapping
        One row of `Hospital.truth`, as from `iter_rows(named=True)`.
    site : Site
        The hospital of that row.

    Returns
    -------
    Recording
        Ten seconds at the site's sampling frequency, in its order of leads, in whole steps of its converter.

    Examples
    --------
    >>> from twelvelead.simulate import SITE_B, hospital
    >>> row = hospital(2, site=SITE_B, seed=1).truth.row(0, named=True)
    >>> ecg = recording(row, site=SITE_B)
    >>> ecg.id, ecg.fs, ecg.signal.shape
    ('sim-b-p000000-r1', 250.0, (12, 2500))
    """
    rng = np.random.default_rng(truth_row["seed"])
    beats = draw_beats(truth_row, duration=DURATION_S, rng=rng)
    pad, n = round(_PAD_S * site.fs), round((DURATION_S + 2 * _PAD_S) * site.fs)
    clean = _clean(truth_row, beats, n=n, fs=site.fs, rng=rng)
    noisy = clean + draw_noise(n, site=site, level=float(truth_row["noise_ratio"]), rng=rng)
    counts = convert(pass_band(noisy, site=site)[:, pad : n - pad], site=site)
    # The limb leads follow from the converted I and II, so that Einthoven's equation holds to the last step.
    signal = derive_limb_leads(counts)[[LEADS.index(lead) for lead in site.leads]]
    return Recording(
        np.rint(signal) * np.float32(site.adc_step_mv),
        site.leads,
        site.fs,
        id=str(truth_row["recording_id"]),
        start=truth_row["recorded_at"],
    )


def _clean(row: Mapping[str, Any], beats: Beats, *, n: int, fs: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the eight independent leads before noise, in mV; sample 0 is `_PAD_S` before the recording."""
    phase = rng.random()
    gain = 1 + 0.03 * np.sin(2 * np.pi * (RESPIRATION_HZ * beats.onset + phase))
    gain += 0.01 * rng.standard_normal(beats.onset.size)
    vectors, courses = [], []
    for waves, which in _waves_by_kind(row, beats):
        for wave in waves:
            starts = beats.onset[which] + wave.start + _PAD_S
            courses.append(_course(wave, starts, gain[which], n=n, fs=fs))
            vectors.append(wave.vector)
    if row["rhythm"] == "af":
        courses.append(_fibrillation(n, fs=fs, rng=rng) * row["fibrillation_mv"])
        vectors.append(np.array([-0.3, 0.7, -0.6]))
    weights = LEAD_VECTORS[_ROWS] @ np.stack(vectors, axis=1)
    signal: NDArray[np.float32] = weights.astype(np.float32) @ np.stack(courses).astype(np.float32)
    return signal


def _waves_by_kind(row: Mapping[str, Any], beats: Beats) -> list[tuple[list[Wave], NDArray[np.bool_]]]:
    usual = ~beats.premature
    kinds = [(conducted_waves(row, beats.qt[usual]), usual)]
    if beats.premature.any():
        kinds.append((premature_waves(row, beats.qt[beats.premature]), beats.premature))
    return kinds


def _course(wave: Wave, starts: Floats, gain: Floats, *, n: int, fs: float) -> Floats:
    """Sample one wave of all beats at its exact, not rounded, times; shape (n,)."""
    first = np.ceil(starts * fs).astype(int)
    index = first[:, None] + np.arange(int(wave.duration.max() * fs) + 2)
    values = bump((index / fs - starts[:, None]) / wave.duration[:, None], wave.skew) * gain[:, None]
    inside = (index >= 0) & (index < n)
    course: Floats = np.bincount(index[inside], weights=values[inside], minlength=n).astype(float)
    return course


def _fibrillation(n: int, *, fs: float, rng: np.random.Generator) -> Floats:
    """Return f waves: 5 to 8 per second, waxing, waning and changing pace; amplitude about 1."""
    t = np.arange(n) / fs
    rate, drift, depth = rng.uniform(5.0, 8.0), rng.uniform(0.2, 0.5), rng.uniform(0.5, 1.5)
    phase = 2 * np.pi * (rate * t + rng.random()) + depth * np.sin(2 * np.pi * (drift * t + rng.random()))
    swell = 1 + 0.3 * np.sin(2 * np.pi * (0.7 * drift * t + rng.random()))
    waves: Floats = swell * (np.sin(phase) + 0.3 * np.sin(2 * phase + 1.0))
    return waves


def true_fiducials(truth_row: Mapping[str, Any], *, site: Site) -> pl.DataFrame:
    """Return where the waves of one recording truly begin, peak and end.

    Parameters
    ----------
    truth_row : mapping
        One row of `Hospital.truth`.
    site : Site
        The hospital of that row; gives the order of leads.

    Returns
    -------
    polars.DataFrame
        Keeps `terms.FIDUCIALS`. Beats whose QRS complex lies wholly in the recording.

    Notes
    -----
    `global` marks are the exact ends of the waves' support, and the peaks of the root mean square of all leads. A
    lead's own marks are where its noise-free wave first and last exceeds 0.01 mV, and its largest deflection; a lead
    in which the wave stays below 0.02 mV has none. The machine's filter, which has no phase, does not move them.
    """
    rng = np.random.default_rng(truth_row["seed"])
    beats = draw_beats(truth_row, duration=DURATION_S, rng=rng)
    qrs = np.where(beats.premature, PREMATURE_QRS_S, float(truth_row["qrs_duration_ms"]) / 1000)
    kept = np.flatnonzero((beats.onset >= 0) & (beats.onset + qrs <= DURATION_S))
    absent = dict.fromkeys((*FIDUCIAL_TIMES, "p_confidence", "qrs_confidence", "t_confidence"))
    rows: list[dict[str, Any]] = []
    for number, beat in enumerate(kept):
        make = premature_waves if beats.premature[beat] else conducted_waves
        marks = _marks(make(truth_row, beats.qt[[beat]]))
        for lead in ("global", *site.leads):
            times = {name: _inside(beats.onset[beat] + time) for name, time in marks[lead].items()}
            kind = "wide" if beats.premature[beat] else "dominant"
            key = {"recording_id": truth_row["recording_id"], "lead": lead, "beat": number, "kind": kind}
            rows.append(key | absent | times)
    return FIDUCIALS.select(rows)


def _inside(time: float) -> float | None:
    return float(time) if 0 <= time <= DURATION_S else None


def _marks(waves: list[Wave]) -> dict[str, dict[str, float]]:
    """Return every lead's and the global marks of one beat, in s from its QRS onset."""
    marks: dict[str, dict[str, float]] = {lead: {} for lead in ("global", *LEADS)}
    for kind in ("p", "qrs", "t"):
        group = [wave for wave in waves if wave.kind == kind]
        if not group:
            continue
        onset = min(float(wave.start[0]) for wave in group)
        offset = max(float(wave.start[0] + wave.duration[0]) for wave in group)
        t = np.linspace(onset, offset, round((offset - onset) * 2000) + 1)
        leads = sum(
            np.outer(LEAD_VECTORS @ wave.vector, bump((t - wave.start[0]) / wave.duration[0], wave.skew))
            for wave in group
        )
        peak = "r_peak_s" if kind == "qrs" else f"{kind}_peak_s"
        names = (f"{kind}_onset_s", peak, f"{kind}_offset_s")
        energy = np.square(leads).sum(axis=0)
        marks["global"] |= dict(zip(names, (onset, float(t[energy.argmax()]), offset), strict=True))
        for lead, course in zip(LEADS, np.abs(leads), strict=True):
            if course.max() >= _SMALLEST_WAVE_MV:
                seen = np.flatnonzero(course > _VISIBLE_MV)
                times = (float(t[seen[0]]), float(t[course.argmax()]), float(t[seen[-1]]))
                marks[lead] |= dict(zip(names, times, strict=True))
    return marks
