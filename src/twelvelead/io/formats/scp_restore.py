"""What SCP-ECG leaves out of a signal to make it small (EN 1064, annex C), put back: decimated samples, and the beat.

Outside the protected areas, which hold the QRS complexes, as many samples as the decimation factor says were averaged
to one; what did not make a whole group at the end of a stretch was kept. And the reference beat was subtracted from
each beat of its type.
"""

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel


@kernel
def count_stored(kept: NDArray[np.bool_], factor: int) -> int:
    """Count the samples that are stored for a stretch of signal.

    Parameters
    ----------
    kept : ndarray of bool, shape (n_samples,)
        Samples that were not decimated.
    factor : int
        How many others were made one.
    """
    count, run = 0, 0
    for i in range(len(kept)):
        if kept[i]:
            count += 1 + run // factor + run % factor
            run = 0
        else:
            run += 1
    return count + run // factor + run % factor


@kernel
def restore(stored: NDArray[np.int16], kept: NDArray[np.bool_], factor: int) -> NDArray[np.float64]:
    """Put decimated samples back by straight lines.

    Parameters
    ----------
    stored : ndarray of int16, shape (count_stored(kept, factor),)
        Samples of the file.
    kept : ndarray of bool, shape (n_samples,)
        Samples that were not decimated.
    factor : int
        How many others were made one.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Half a group at the beginning and at the end of each decimated stretch is level.

    Notes
    -----
    The lines go from the middle of one group to that of the next, as two other readers draw them; a group of an even
    number has no middle sample, and the later of the two counts. The smoothing that may follow is left out: it
    would change what is stored.
    """
    out = np.empty(len(kept), dtype=np.float64)
    i, at = 0, 0
    while i < len(kept):
        if kept[i]:
            out[i] = stored[at]
            i += 1
            at += 1
            continue
        stop = i
        while stop < len(kept) and not kept[stop]:
            stop += 1
        groups = (stop - i) // factor
        for j in range(groups * factor):
            place = max(j - factor // 2, 0)
            group = min(place // factor, groups - 1)
            after = min(group + 1, groups - 1)
            rise = (stored[at + after] - stored[at + group]) / factor
            out[i + j] = stored[at + group] + rise * (place - group * factor)
        at += groups
        for j in range(i + groups * factor, stop):
            out[j] = stored[at]
            at += 1
        i = stop
    return out


@kernel
def add_beat(
    samples: NDArray[np.float64],
    beat: NDArray[np.float64],
    zones: NDArray[np.int64],
    fiducial: int,
    first: int,
) -> None:
    """Add the reference beat wherever it was subtracted.

    Parameters
    ----------
    samples : ndarray of float64, shape (n_samples,)
        Of one lead, mV; changed in place.
    beat : ndarray of float64, shape (n_beat_samples,)
        The reference beat of that lead, mV.
    zones : ndarray of int64, shape (n_beats, 4)
        Type, first sample, fiducial sample and last sample of each zone, counted from 1. Only beats of type 0 count.
    fiducial : int
        Sample of the reference beat that lies on those of the zones, counted from 1.
    first : int
        Number of the lead's first sample.
    """
    for k in range(len(zones)):
        if zones[k, 0] != 0:
            continue
        shift = fiducial - zones[k, 2] - 1  # from a sample's number to its place in the beat
        start = max(zones[k, 1], first, -shift)
        stop = min(zones[k, 3], first + len(samples) - 1, len(beat) - 1 - shift)
        for number in range(start, stop + 1):
            samples[number - first] += beat[number + shift]
