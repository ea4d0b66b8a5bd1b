"""What can be done to every sample of a recording: a narrower band, a coarser converter, fewer leads."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from twelvelead.privacy.people import Transform
from twelvelead.privacy.transforms import each_recording
from twelvelead.signal import Recording, band_pass
from twelvelead.terms import InputError


def low_pass(hz: float) -> Transform:
    """Return the transform that keeps what is slower than `hz`, where the amplitude is halved.

    Raises
    ------
    InputError
        If `hz` is not above 0.
    """
    if not hz > 0:
        msg = f"a low-pass must keep frequencies up to more than 0 Hz; got {hz}. Use 15, say."
        raise InputError(msg)

    def change(recording: Recording) -> Recording:
        return band_pass(recording, low_hz=0.0, high_hz=hz)

    return lambda release: each_recording(release, change, label=f"low-pass {hz:g} Hz")


def quantise(mv: float) -> Transform:
    """Return the transform that rounds every sample to whole steps of `mv`, halves to even.

    Raises
    ------
    InputError
        If `mv` is not above 0.

    Examples
    --------
    >>> from twelvelead.privacy.people import Release, Sample
    >>> release = Release((Sample(Recording(np.array([[0.04, 0.06, -0.26]]), ("I",), 500, id="r"), "anna"),))
    >>> quantise(0.1)(release).samples[0].recording.signal.round(3).tolist()
    [[0.0, 0.10000000149011612, -0.30000001192092896]]
    """
    if not mv > 0:
        msg = f"a step of amplitude must be above 0 mV; got {mv}. Use 0.05, say."
        raise InputError(msg)

    def change(recording: Recording) -> Recording:
        return replace(recording, signal=np.rint(recording.signal / mv) * np.float32(mv))

    return lambda release: each_recording(release, change, label=f"steps of {mv:g} mV")


def keep_leads(leads: Sequence[str]) -> Transform:
    """Return the transform that gives away some leads only.

    Parameters
    ----------
    leads : sequence of str
        Those that are kept; each recording must have them all.

    Raises
    ------
    InputError
        When applied, if a recording lacks one; at once, if there is none.
    """
    wanted = tuple(leads)
    if not wanted:
        msg = "at least one lead must be kept; got none. Name one."
        raise InputError(msg)

    def change(recording: Recording) -> Recording:
        absent = [lead for lead in wanted if lead not in recording.leads]
        if absent:
            msg = f"recordings must have the leads that are kept; got none named {', '.join(absent)} in "
            msg += f"{recording.id!r}. Keep others."
            raise InputError(msg)
        return replace(recording, signal=np.stack([recording[lead] for lead in wanted]), leads=wanted)

    return lambda release: each_recording(release, change, label=f"leads {', '.join(wanted)}")
