"""Samples as whole numbers of steps, as converters gave them: for formats that keep integers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal import Recording
from twelvelead.terms import InputError

STEP_MV = 1e-3  # where no step is known: 1 µV, finer than any electrocardiograph's noise
SMALLEST_STEP_MV, LARGEST_MV = 1e-12, 1e9  # beyond any converter and any amplifier
FARTHEST_ZERO = 2**23  # steps, where integers are no wider; beyond, float32 would not tell neighbours apart


@dataclass(frozen=True, eq=False)
class Steps:
    """A recording in whole steps.

    Parameters
    ----------
    samples : ndarray of int, shape (n_samples, n_leads)
        The lead's amplitude is (sample + zero) × step_mv; the least value of the type stands for a missing sample.
    step_mv : tuple of float
        mV per step of each lead.
    zero : tuple of int
        Steps from 0 mV to sample 0 of each lead; other than 0 only where the samples would not fit otherwise.
    exact : bool
        Whether every sample is a whole number of steps, so that nothing was rounded.
    """

    samples: NDArray[np.signedinteger]
    step_mv: tuple[float, ...]
    zero: tuple[int, ...]
    exact: bool


def to_steps(recording: Recording, step_mv: Sequence[float], *, bits: int) -> Steps:
    """Write a recording in whole steps.

    Parameters
    ----------
    recording : Recording
        In mV.
    step_mv : sequence of float
        A step of the analogue-to-digital conversion in mV, per lead; empty where unknown, 0 for a lead of unknown step.
    bits : {16, 32}
        Of an integer.

    Returns
    -------
    Steps
        In the steps given, or in halves of them where the lead lies between steps, as a mean of two leads does. Where
        the step is unknown it is 1 µV. Where the lead's range does not fit, it is the least multiple of 1 µV with which
        it does. No sample is off by more than half of the step used.

    Raises
    ------
    InputError
        If an amplitude is one that no amplifier gives, or there is a step for some leads only.

    Examples
    --------
    >>> steps = to_steps(Recording(np.array([[0.005, np.nan, -0.01]]), ("I",), 500), (0.005,), bits=16)
    >>> steps.samples[:, 0].tolist(), steps.exact
    ([1, -32768, -2], True)
    """
    if len(step_mv) not in (0, len(recording.leads)):
        msg = f"a step must be known for every lead or for none; got {len(step_mv)} for {len(recording.leads)} leads "
        msg += f"in recording {recording.id!r}. Mend the reader."
        raise InputError(msg)
    dtype = np.dtype(f"i{bits // 8}")
    samples = np.empty((recording.n_samples, len(recording.leads)), dtype)
    used, zeros, exact = [], [], True
    highest = max(np.abs(_range(recording.signal)).tolist())
    for n, lead in enumerate(recording.leads):
        amplitude = recording.signal[n].astype(np.float64)
        least, most = _range(amplitude)
        if max(-least, most) > LARGEST_MV:
            msg = f"amplitudes must be below {LARGEST_MV:g} mV; got {max(-least, most):g} in lead {lead} of "
            msg += f"{recording.id!r}. Check the file and its units."
            raise InputError(msg)
        known = step_mv[n] if step_mv else 0.0
        step, zero = _choose(amplitude, known, limit=2 ** (bits - 1) - 1, highest=highest)
        whole, is_exact = _round(amplitude / step, highest / step)
        exact &= is_exact
        whole -= zero
        whole[np.isnan(whole)] = np.iinfo(dtype).min
        samples[:, n] = whole
        used.append(step)
        zeros.append(zero)
    return Steps(samples, tuple(used), tuple(zeros), exact)


def _choose(amplitude: NDArray[np.float64], known: float, *, limit: int, highest: float) -> tuple[float, int]:
    """Choose step and zero of a lead, shape (n_samples,)."""
    least, most = _range(amplitude)
    is_known = math.isfinite(known) and SMALLEST_STEP_MV <= known <= LARGEST_MV
    given = [known, known / 2] if is_known else [STEP_MV]
    fitting = [(step, zero) for step in given if (zero := _zero(least / step, most / step, limit)) is not None]
    halved = [_round(amplitude / step, highest / step)[1] for step, _ in fitting]
    if halved == [False, True]:
        return fitting[1]
    if fitting:
        return fitting[0]
    # As many µV as both the range and the distance of its middle from 0 mV need; one more, since both are rounded.
    range_uv, middle_uv = (most - least) / STEP_MV, abs(most + least) / 2 / STEP_MV
    step = STEP_MV * (max(math.ceil(range_uv / (2 * limit)), math.ceil(middle_uv / max(limit, FARTHEST_ZERO))) + 1)
    return step, _zero(least / step, most / step, limit) or 0


def _zero(least: float, most: float, limit: int) -> int | None:
    """Place the zero of a lead whose steps lie in a range; None where they don't fit wherever it is."""
    if max(abs(round(least)), abs(round(most))) <= limit:
        return 0
    zero = round((least + most) / 2)
    fits = abs(zero) <= max(limit, FARTHEST_ZERO) and round(most) - zero <= limit and zero - round(least) <= limit
    return zero if fits else None


def _range(amplitude: NDArray[np.floating]) -> tuple[float, float]:
    """Lowest and highest amplitude; 0 where there is no sample."""
    there = amplitude[~np.isnan(amplitude)]
    return (float(there.min()), float(there.max())) if there.size else (0.0, 0.0)


def _round(steps: NDArray[np.float64], highest: float) -> tuple[NDArray[np.float64], bool]:
    """Round steps, and say whether they were whole but for what float32 can't hold of amplitude and step.

    A lead that follows from two others has their rounding, not its own: `highest` is the most steps of any lead.
    """
    whole = np.rint(steps)
    within = min(1e-6 + 2e-7 * highest, 0.25)
    return whole, not bool(np.any(np.abs(steps - whole) > within))  # a missing sample is not off
