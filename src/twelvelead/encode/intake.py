"""A recording as an encoder takes it: its leads, its rate, its ten seconds, in mV."""

import numpy as np
from numpy.typing import NDArray

from twelvelead.encode.config import FS, EncoderConfig
from twelvelead.encode.cut import Input, cut_input
from twelvelead.signal import Recording


def to_input(recording: Recording, *, config: EncoderConfig) -> NDArray[np.float32]:
    """Bring a recording to an encoder's leads, rate and length.

    Parameters
    ----------
    recording : Recording
        With any leads, at any rate, of the encoder's length (10 s) or longer.
    config : EncoderConfig
        The encoder's shape.

    Returns
    -------
    ndarray of float32, shape (n_leads, n_samples)
        mV at 250 Hz, the beginning of the recording.

    Raises
    ------
    Unmeasurable
        If the recording is too short, a lead is absent and does not follow from two others, samples are missing, or
        all leads are flat.
    InputError
        If no simple ratio leads from its rate to 250 Hz.

    Notes
    -----
    The time base is the true one. The released code squeezes the 10.24 s of a recording of CODE-15 % into 10 s, as if
    it had been sampled at 244 Hz [1]_. Amplitudes are neither filtered nor scaled: voltage is a finding, the published
    encoders were trained so, and what is done here has to be done to whatever is embedded later.

    References
    ----------
    .. [1] Kim (2024), doi:10.48550/arXiv.2410.08559.

    Examples
    --------
    10.24 s at 400 Hz; 10 s of it are kept.

    >>> from twelvelead.encode import PRESETS
    >>> signal = np.sin(np.arange(4096) / 100) * np.ones((8, 1))
    >>> recording = Recording(signal, ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"), 400)
    >>> to_input(recording, config=PRESETS["tiny"]).shape
    (8, 2500)
    """
    takes = Input(config.leads, FS, config.n_samples / FS, some_leads=False, normalise=lambda x, _: x)
    return cut_input(recording, takes, most_missing=0.0)[0]
