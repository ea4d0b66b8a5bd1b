"""The one signal type."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel
from twelvelead.terms import InputError


@dataclass(frozen=True, eq=False)
class Recording:
    """One ECG recording.

    Parameters
    ----------
    signal : ndarray of float, shape (n_leads, n_samples)
        Amplitude in mV, NaN where no sample was recorded. Kept as read-only float32, sample by sample as files have
        it: `signal.T`, shape (n_samples, n_leads), is C-contiguous. What is so already, and read-only, is not copied.
    leads : tuple of str
        One name per row, spelt as in `terms.LEADS` where the lead is a standard one.
    fs : float
        Sampling frequency in Hz.
    id : str
        Recording identifier, the key of every table made from it.
    start : datetime or None
        When the first sample was recorded.

    Raises
    ------
    InputError
        If the shape, the lead names, a sample or the sampling frequency can't be right.

    Examples
    --------
    >>> r = Recording(np.zeros((2, 1000)), ("I", "II"), 500, id="r1")
    >>> r.duration
    2.0
    >>> r["II"].shape
    (1000,)
    """

    signal: NDArray[np.float32]
    leads: tuple[str, ...]
    fs: float
    id: str = ""
    start: datetime | None = None

    def __post_init__(self) -> None:
        signal = _keep(self.signal)
        leads = tuple(self.leads)
        if signal.ndim != 2 or signal.shape[0] != len(leads):
            msg = (
                f"signal must have shape (n_leads, n_samples) with n_leads = {len(leads)} ({', '.join(leads)}); "
                f"got {signal.shape} in recording {self.id!r}. Transpose it or name every lead."
            )
            raise InputError(msg)
        if len(set(leads)) != len(leads):
            twice = sorted({lead for lead in leads if leads.count(lead) > 1})
            msg = f"lead names must differ; got {', '.join(twice)} twice in recording {self.id!r}. Rename one."
            raise InputError(msg)
        if _count_infinite(signal.T.reshape(-1)):
            row = int(np.flatnonzero(np.isinf(signal).any(axis=1))[0])
            msg = f"samples must be finite, or NaN where missing; got infinity in lead {leads[row]} of {self.id!r}. "
            msg += "Check the file."
            raise InputError(msg)
        if not (np.isfinite(self.fs) and self.fs > 0):
            msg = f"fs must be a positive number of Hz; got {self.fs!r} in recording {self.id!r}. State the rate."
            raise InputError(msg)
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "leads", leads)
        object.__setattr__(self, "fs", float(self.fs))

    def __getitem__(self, lead: str) -> NDArray[np.float32]:
        if lead not in self.leads:
            msg = f"lead must be one of {', '.join(self.leads)}; got {lead!r} in recording {self.id!r}."
            raise InputError(msg)
        samples: NDArray[np.float32] = self.signal[self.leads.index(lead)]
        return samples

    @property
    def n_samples(self) -> int:
        """Number of samples per lead."""
        return int(self.signal.shape[1])

    @property
    def duration(self) -> float:
        """Duration in s."""
        return self.n_samples / self.fs


def _keep(samples: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return samples as a recording keeps them: themselves if nobody can change them, else a copy."""
    given = np.asarray(samples)
    if given.dtype == np.float32 and given.T.flags.c_contiguous and not given.flags.writeable:
        return given
    with np.errstate(over="ignore"):  # what does not fit into float32 becomes infinite, and is refused
        by_time = np.array(given.T, dtype=np.float32, order="C")
    by_time.setflags(write=False)
    return by_time.T


@kernel
def _count_infinite(samples: NDArray[np.float32]) -> int:
    """Count by the bits, several times faster than by value: of infinity those of the exponent are set and no other."""
    bits = samples.view(np.int32)
    count = np.int32(0)
    for i in range(len(bits)):
        count += np.int32((bits[i] & 0x7FFFFFFF) == 0x7F800000)
    return int(count)
