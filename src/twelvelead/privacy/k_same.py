"""k people, one beat: everybody is given away as the mean of the k who resemble each other most."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample as resample_periodic

from twelvelead.privacy.beats import shared_leads
from twelvelead.privacy.people import AS_RECORDED, Release, Transform
from twelvelead.privacy.transforms_average import median_cycle, repeat_cycle
from twelvelead.privacy.transforms_signal import keep_leads
from twelvelead.signal import resample
from twelvelead.terms import InputError

Floats = NDArray[np.float64]

FS = 500.0
_PHASES = 400  # at which beats of different length are compared


def k_same(k: int) -> Transform:
    """Return the transform that replaces all recordings of k people by one beat, the mean of theirs [1]_.

    Parameters
    ----------
    k : int
        2 or more. Who has nobody left to share with joins the last group, which then has up to 2k − 1 people.

    Returns
    -------
    Transform
        Each person's beat is the mean of the median beats of the recordings. Its rate is the mean of the group's, too,
        and all recordings have the same length, leads and rate: those of one group can't be told apart, and where all
        k are enrolled no attack on the signals names more than one in k rightly on average. An attacker who looks for
        one of them only has no such doubt. Recordings without beats are not given away.

    Raises
    ------
    InputError
        If k is below 2; when applied, if there are fewer than k people with beats.

    References
    ----------
    .. [1] Newton EM, Sweeney L, Malin B. Preserving privacy by de-identifying face images.
       doi:10.1109/TKDE.2005.32
    """
    if k < 2:
        msg = f"a group must have 2 people or more; got {k}. Use 5, say."
        raise InputError(msg)

    def change(release: Release) -> Release:
        cycles = _cycles_of_people(keep_leads(shared_leads(release.samples))(release))
        if len(cycles) < k:
            msg = f"there must be k people with beats; got {len(cycles)} for k = {k}. Take a smaller k."
            raise InputError(msg)
        names = sorted(cycles)
        shapes = np.stack([_stretch(cycles[name], _PHASES).ravel() for name in names])
        shared: dict[str, NDArray[np.float32]] = {}
        for group in group_nearest(shapes, k):
            own = [cycles[names[i]] for i in group]
            n = round(np.mean([cycle.shape[1] for cycle in own]))
            mean = repeat_cycle(np.mean([_stretch(cycle, n) for cycle in own], axis=0), fs=FS)
            shared |= {names[i]: mean for i in group}
        leads = shared_leads(release.samples)
        samples = tuple(
            replace(s, recording=replace(s.recording, signal=shared[s.subject_id], leads=leads, fs=FS))
            for s in release.samples
            if s.subject_id in shared
        )
        label = f"beats shared by {k}"
        return Release(samples, label if release.label == AS_RECORDED else f"{release.label}, {label}")

    return change


def _cycles_of_people(release: Release) -> dict[str, Floats]:
    """Return each person's beat: the mean of the recordings' median beats, as long as these are on average."""
    found: dict[str, list[Floats]] = {}
    for sample in release.samples:
        cycle = median_cycle(resample(sample.recording, fs=FS))
        if cycle is not None:
            found.setdefault(sample.subject_id, []).append(cycle)
    out = {}
    for person, cycles in found.items():
        n = round(np.mean([cycle.shape[1] for cycle in cycles]))
        out[person] = np.mean([_stretch(cycle, n) for cycle in cycles], axis=0)
    return out


def _stretch(cycle: Floats, n: int) -> Floats:
    """Write a beat that begins and ends at 0 in n samples."""
    stretched: Floats = resample_periodic(cycle, n, axis=1)
    return stretched


def group_nearest(x: Floats, k: int) -> list[list[int]]:
    """Put rows into groups of k: again and again whoever is farthest from the middle, with the k − 1 nearest.

    Parameters
    ----------
    x : ndarray, shape (n, n_values)
        k rows or more.
    k : int
        Size of a group; the last one takes who is left over.

    Examples
    --------
    >>> group_nearest(np.array([[0.0], [9.0], [0.2], [9.1], [5.0]]), 2)
    [[0, 2], [1, 3, 4]]
    """
    left = list(range(len(x)))
    middle = x.mean(axis=0)
    groups: list[list[int]] = []
    while len(left) >= k:
        first = max(left, key=lambda i: float(np.linalg.norm(x[i] - middle)))
        near = sorted(left, key=lambda i: (float(np.linalg.norm(x[i] - x[first])), i))[:k]
        groups.append(sorted(near))
        left = [i for i in left if i not in near]
    groups[-1] = sorted(groups[-1] + left)
    return groups
