"""Every beat marked: the median beat of each shape delineated, its marks carried over to the beats of that shape."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure import presence
from twelvelead.measure.condition import STEP, Conditioned, low_pass
from twelvelead.measure.delineate import Mark, Marks, delineate, global_marks
from twelvelead.measure.registration import place, register_wave
from twelvelead.measure.rhythm import usual_rr, variation
from twelvelead.measure.rules import median_of
from twelvelead.measure.shapes import PRE_S, median_beat
from twelvelead.signal.kernel import kernel

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]

MARK_HZ = 40.0
"""Marks are set on a median beat smoothed to this frequency, amplitudes measured on it as it is."""
USUAL_RR_S = 0.8
"""Taken for the RR interval where there is one beat."""

_P_SLACK_S = 0.028
_T_SLACK_S = 0.040
_LIKE_OWN_P, _LIKE_OTHERS_P = 0.25, 0.85
"""How like the usual P wave something before a beat of the commonest shape, or of another, must be to be its P wave."""


@dataclass(frozen=True, eq=False)
class Marked:
    """The marks of a recording, in samples of `Conditioned.whole`.

    Parameters
    ----------
    beat : ndarray of float32, shape (n_leads, n_window)
        Median beat of the commonest shape, mV.
    scatter : ndarray, shape (n_leads,)
        Scatter of single beats about it, mV.
    marks : Marks
        Its marks and their confidence; NaN where a wave is absent.
    p_probability, p_resemblance, t_probability : float
        Whether there are P and T waves, and how like one another the P waves are.
    of_beats : ndarray, shape (n_beats, 9, n_leads)
        The marks of every beat.
    of_all_leads : ndarray, shape (n_beats, 9)
        The same for all leads together.
    """

    beat: Signal
    scatter: Floats
    marks: Marks
    p_probability: float
    p_resemblance: float
    t_probability: float
    of_beats: Floats
    of_all_leads: Floats


def mark_beats(ready: Conditioned, centres: Floats, shape_class: NDArray[np.intp], *, refine: bool = True) -> Marked:
    """Mark every beat.

    Parameters
    ----------
    ready : Conditioned
        The signal.
    centres : ndarray, shape (n_beats,)
        Middle of each QRS complex in samples of `ready.whole`, in order; at least one.
    shape_class : ndarray of int, shape (n_beats,)
        Its shape, 0 for the commonest.
    refine : bool
        As for `delineate`.

    Returns
    -------
    Marked

    Notes
    -----
    Whether there are P waves is decided once, on the commonest shape; a beat of another shape has one only where the
    signal before it resembles the usual P wave.
    """
    rr_s = float(median_of(np.diff(centres))) / ready.fs if len(centres) > 1 else USUAL_RR_S
    usual = _delineate_shape(ready, centres[shape_class == 0], rr_s=rr_s, refine=refine)
    at, sure = usual.marks
    p_span = _span(at, Mark.P_ONSET)
    p_shift, p_like = _register(ready, usual.centres, usual.smooth, span=p_span, slack_s=_P_SLACK_S)
    irregularity = variation(usual_rr(centres, shape_class))
    p_probability, p_resemblance = _judge_p(usual, irregularity, shift_ms=p_shift * 1000 / ready.fs, alike=p_like)
    t_heights = presence.wave_heights(usual.beat, at[Mark.T_ONSET], at[Mark.T_OFFSET])
    t_probability = presence.t_probability(t_heights, usual.scatter)
    t_span = _span(at, Mark.T_ONSET)
    if p_probability < presence.LEAST_PROBABILITY:
        at[: Mark.QRS_ONSET], sure[: Mark.QRS_ONSET] = np.nan, np.nan
    if t_probability < presence.LEAST_T_PROBABILITY:
        at[Mark.T_ONSET :], sure[Mark.T_ONSET :] = np.nan, np.nan
    of_beats = np.empty((len(centres), len(Mark), at.shape[1]))
    of_all_leads = np.empty((len(centres), len(Mark)))
    shape = usual
    for label in range(int(shape_class.max()) + 1):
        mine = shape_class == label
        if label > 0:
            shape = _delineate_shape(ready, centres[mine], rr_s=rr_s, refine=refine)
            t_span = _span(shape.marks.at, Mark.T_ONSET)
            shape.marks.at[: Mark.QRS_ONSET] = at[: Mark.QRS_ONSET]
            p_shift, p_like = _register(ready, shape.centres, usual.smooth, span=p_span, slack_s=_P_SLACK_S)
        t_shift, _ = _register(ready, shape.centres, shape.smooth, span=t_span, slack_s=_T_SLACK_S)
        shifts = np.where(p_like >= (_LIKE_OWN_P if label == 0 else _LIKE_OTHERS_P), p_shift, np.nan), t_shift
        origin, n = round(PRE_S * ready.fs), len(ready.whole)
        together = global_marks(*shape.marks)[:, None]
        of_beats[mine] = place(shape.marks.at, shape.centres, origin, *shifts, n)
        of_all_leads[mine] = place(together, shape.centres, origin, *shifts, n)[:, :, 0]
    return Marked(
        usual.median, usual.scatter, usual.marks, p_probability, p_resemblance, t_probability, of_beats, of_all_leads
    )


def without_p(marked: Marked) -> Marked:
    """Take the P waves away again: what looks like them are flutter waves."""
    at, confidence = (row.copy() for row in marked.marks)
    of_beats, of_all_leads = marked.of_beats.copy(), marked.of_all_leads.copy()
    for array in (at, confidence):
        array[: Mark.QRS_ONSET] = np.nan
    for array in (of_beats, of_all_leads):
        array[:, : Mark.QRS_ONSET] = np.nan
    return replace(marked, marks=Marks(at, confidence), of_beats=of_beats, of_all_leads=of_all_leads, p_probability=0.0)


class _Shape(NamedTuple):
    """Beats of one shape, their median, the same smoothed (float32, and float64 in one piece), and its marks."""

    centres: Floats
    median: Signal
    scatter: Floats
    smooth: Signal
    beat: Floats
    marks: Marks


def _delineate_shape(ready: Conditioned, centres: Floats, *, rr_s: float, refine: bool) -> _Shape:
    median, scatter = median_beat(ready.whole, centres, fs=ready.fs)
    smooth = low_pass(np.ascontiguousarray(median.T), fs=ready.fs, high_hz=MARK_HZ).T
    beat = smooth.astype(float, order="C")
    marks = delineate(beat, fs=ready.fs, origin=round(PRE_S * ready.fs), rr_s=rr_s, refine=refine)
    return _Shape(centres, median, scatter, smooth, beat, marks)


def _span(at: Floats, onset: Mark) -> tuple[int, int]:
    """First and last sample of a wave: the medians of the leads."""
    a, b = int(median_of(at[onset])), int(median_of(at[onset + 2]))
    return a, max(b, a + 8)


def _register(
    ready: Conditioned, centres: Floats, wave: Signal, *, span: tuple[int, int], slack_s: float
) -> tuple[Floats, Floats]:
    """Find how many samples later a wave comes in each beat, and how like it is; in the smooth copy."""
    origin = round(PRE_S * ready.fs)
    shift, alike = register_wave(
        ready.guide,
        centres / STEP,
        beat=np.ascontiguousarray(wave[ready.independent, origin % STEP :: STEP]),
        origin=origin // STEP,
        span=(span[0] // STEP, span[1] // STEP),
        slack=round(slack_s * ready.fs / STEP),
    )
    return shift * STEP, alike


def _judge_p(usual: _Shape, irregularity: float, *, shift_ms: Floats, alike: Floats) -> tuple[float, float]:
    """Tell the probability that there are P waves, and the usual resemblance of single ones to the median one."""
    known, resemblance, spread_ms = _steadiness(shift_ms, alike)
    noise = float(np.sqrt((usual.scatter**2).sum()))
    if known < 2 or not noise > 0:
        noise = max(noise, 1e-9) if noise > 0 else 0.02 * float(np.sqrt((np.ptp(usual.beat, axis=1) ** 2).sum()))
    probability = presence.p_probability(
        resemblance=resemblance,
        signal_to_noise=presence.wave_size(usual.beat, usual.marks.at) / max(noise, 1e-9),
        rr_variation=irregularity if np.isfinite(irregularity) else 0.0,
        spread_ms=spread_ms,
    )
    return probability, resemblance


@kernel
def _steadiness(shift: Floats, alike: Floats) -> tuple[int, float, float]:
    """Count the waves inside the recording; their median resemblance, and the standard deviation of their place."""
    known = ~np.isnan(alike)
    n = known.sum()
    if n == 0:
        return 0, 0.0, 0.0
    return n, median_of(alike[known]), shift[known].std()
