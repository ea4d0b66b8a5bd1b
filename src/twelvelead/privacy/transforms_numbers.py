"""What can be given away instead of signals: some measurements, rounded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from twelvelead.measure import CATALOGUE, amplitudes, axes, intervals, morphology, rhythm, voltage
from twelvelead.privacy.units import Units
from twelvelead.terms import InputError, Measurement

NumbersTransform = Callable[[Units], Units]
"""What can be done to a table of measurements, one row per recording, before it is given away."""

PRINTED = (
    "heart_rate_bpm", "p_duration_ms", "pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "qtc_fridericia_ms",
    "p_axis_deg", "qrs_axis_deg", "t_axis_deg",
)  # fmt: skip
"""What an electrocardiograph prints above the curves."""

GROUPS: dict[str, tuple[str, ...]] = {
    "all": tuple(m.name for m in CATALOGUE),
    "printed": PRINTED,
    "rhythm": tuple(m.name for m in rhythm.MEASUREMENTS),
    "intervals": tuple(m.name for m in intervals.MEASUREMENTS),
    "amplitudes": tuple(m.name for m in (*amplitudes.MEASUREMENTS, *voltage.MEASUREMENTS)),
    "axes and shapes": tuple(m.name for m in (*axes.MEASUREMENTS, *morphology.MEASUREMENTS)),
}
"""Groups of the CATALOGUE by their names."""

RESOLUTION = {"1/min": 1.0, "ms": 2.0, "mV": 0.01, "deg": 1.0, "mV*ms": 1.0, "mV/s": 0.1, "1": 0.01}
"""To what numbers of each unit are commonly written: one sample at 500 Hz, 10 µV, 1°."""

_COARSE = {"1/min": 5.0, "ms": 20.0, "mV": 0.1, "deg": 15.0, "mV*ms": 10.0, "mV/s": 1.0, "1": 0.1}
"""The step where the measurement's own error is not known: half a small square of ECG paper, 1 mm, 15°."""

_LIMITS = 2 * 1.96  # width of the 95 % limits, in standard deviations


def keep_measurements(names: Sequence[str]) -> NumbersTransform:
    """Return the transform that gives away some measurements only.

    Raises
    ------
    InputError
        If there is none; when applied, if the table lacks one.
    """
    wanted = tuple(names)
    if not wanted:
        msg = "at least one measurement must be given away; got none. Name one of the CATALOGUE."
        raise InputError(msg)

    def change(units: Units) -> Units:
        place = {name: k for k, name in enumerate(units.names)}
        absent = [name for name in wanted if name not in place]
        if absent:
            msg = f"the measurements that are given away must be in the table; got none named {absent[0]!r}. "
            msg += "Measure it, or leave it out."
            raise InputError(msg)
        return replace(units, x=units.x[:, [place[name] for name in wanted]], names=wanted)

    return change


def round_measurements(steps: Mapping[str, float]) -> NumbersTransform:
    """Return the transform that rounds each measurement to whole steps, halves to even; see `steps_of`."""

    def change(units: Units) -> Units:
        step = np.array([steps[name] for name in units.names], dtype=np.float32)
        return replace(units, x=np.rint(units.x / step) * step)

    return change


def steps_of(names: Sequence[str], *, to: str) -> dict[str, float]:
    """Return the step to which each measurement is rounded.

    Parameters
    ----------
    names : sequence of str
        Of the CATALOGUE.
    to : str
        `resolution`: `RESOLUTION` of the unit. `error`: the width of the 95 % limits of the measurement's own error
        where that is known, otherwise half a small square, 0.1 mV, 15°; never finer than the resolution.

    Examples
    --------
    >>> steps_of(["qrs_axis_deg", "heart_rate_bpm"], to="error")
    {'qrs_axis_deg': 15.0, 'heart_rate_bpm': 1.0}
    """
    known = {m.name: m for m in CATALOGUE}
    return {name: _step(known[name], to) for name in names}


def _step(m: Measurement, to: str) -> float:
    if to == "resolution":
        return RESOLUTION[m.unit]
    return _COARSE[m.unit] if m.error is None else max(RESOLUTION[m.unit], _LIMITS * m.error[1])
