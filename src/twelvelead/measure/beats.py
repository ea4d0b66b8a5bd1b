"""Where the beats are: the QRS complexes of all leads together, and the rhythm that fits them best."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.measure.qrs_choice import choose_beats
from twelvelead.measure.qrs_envelope import clear_peaks, qrs_band, qrs_envelope
from twelvelead.measure.qrs_match import match_shapes

Floats = NDArray[np.float64]
Signal = NDArray[np.float32]

_LOW_PASS_S = 0.0078  # SD of a Gaussian: half the amplitude is left at 24 Hz
_HIGH_PASS_S = 0.104  # two means over ±104 ms / 2 leave half the amplitude at 4 Hz
_ENVELOPE_S = 0.040
_HALF_TEMPLATE_S = 0.064
_SHORTEST_S = 1.0
_CHUNK_S = 2.0
"""Background and height of the complexes are known for each piece of this length, leaning on its neighbours."""
_REFRACTORY_S = 0.20
_T_WAVE_S = 0.36


def find_beats(signal: Signal, *, fs: float) -> Floats:
    """Find the QRS complexes of a recording.

    Parameters
    ----------
    signal : ndarray of float32, shape (n_samples, n_leads)
        The independent leads in mV, time by time; wander removed, no NaN, and little above 50 Hz.
    fs : float
        Sampling frequency in Hz, about 250.

    Returns
    -------
    ndarray of float, shape (n_beats,)
        Time in s of the middle of each QRS complex; empty where the recording holds no complexes that stand out from
        their surroundings.

    Notes
    -----
    1. The QRS band, 4–24 Hz at half the rate.
    2. An envelope: the speed of each lead over 80 ms, in units of its own usual complex, weighted by how far those
       stand out of the background here. A lead counts for no more than a complex, so that a burst in one of two leads
       is no more than half a complex.
    3. The median of the clear complexes, aligned with the one that resembles the others most, is the template of a
       matched filter over all leads. Noise that differs between leads cancels there, as it doesn't in a sum of
       energies. Clear complexes unlike it give a second template, and a third.
    4. Each candidate has a worth, in units of log-odds: how clearly it holds a template, how like one it is, how fast
       it is, and how it compares with the tallest within 300 ms, since a P or T wave has a complex beside it.
    5. Of all ways to choose among the candidates, the one of greatest worth, less a cost for each interval that is
       unlike the usual one; whatever usual interval fits best. A premature beat costs little beside its worth; a bump
       in mid-interval costs more than it is worth, and one that fills a pause less.

    Steps 1 and 2 follow Pan and Tompkins [1]_.

    References
    ----------
    .. [1] Pan J, Tompkins WJ. A real-time QRS detection algorithm. doi:10.1109/TBME.1985.325532
    """
    rate = fs / 2
    if len(signal) < _SHORTEST_S * fs:
        return np.empty(0)
    chunk = round(_CHUNK_S * rate)
    q = qrs_band(signal, _LOW_PASS_S * fs, round(_HIGH_PASS_S * rate))
    envelope, background = qrs_envelope(q, chunk, round(_ENVELOPE_S * rate))
    clear = clear_peaks(envelope, round(_REFRACTORY_S * rate), round(_T_WAVE_S * rate))
    if not clear.size:
        return np.empty(0)
    match = match_shapes(q, clear, chunk=chunk, half=round(_HALF_TEMPLATE_S * rate))
    return choose_beats(envelope, background, match, rate)
