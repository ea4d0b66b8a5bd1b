"""XLI, the compression of Philips electrocardiographs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twelvelead.terms import FormatError, MissingExtra

MOST_SAMPLES = 1 << 19
"""In all leads together: unpacking them takes 1 s. A resting ECG has 66 000."""

_HEADER, _CODE_BITS = 8, 10


def decode_xli(content: bytes, leads: Sequence[str], n_samples: int, path: Path) -> NDArray[np.int32]:
    """Unpack samples.

    Parameters
    ----------
    content : bytes
        A chunk per lead: its size in bytes (4 bytes), 2 bytes of unknown use, the first prediction (2 bytes), and the
        samples' differences of second order, packed by LZW. There may be more chunks than leads, for unused channels.
    leads : sequence of str
        Names.
    n_samples : int
        Samples per lead.
    path : Path
        The file, for messages.

    Returns
    -------
    ndarray, shape (n_leads, n_samples)
        In steps; of III, aVR, aVL and aVF what `undo_prediction` needs.

    Raises
    ------
    FormatError
        If a chunk is cut short, or unpacks to another number of samples.
    MissingExtra
        If the sierraecg package is not there.
    """
    steps = np.empty((len(leads), n_samples), dtype=np.int32)
    at = 0
    for row, lead in zip(steps, leads, strict=True):
        size = int.from_bytes(content[at : at + 4], "little", signed=True)
        first = int.from_bytes(content[at + 6 : at + _HEADER], "little", signed=True)
        left = len(content) - at - _HEADER
        if left < 0 or not 0 <= size <= left:
            msg = f"lead {lead} must have a header of {_HEADER} bytes and the bytes it says; got {size} of "
            msg += f"{max(left, 0)} left at byte {at} of parsedwaveforms in {path.name}. Export the file again."
            raise FormatError(msg)
        row[:] = _unpack(content[at + _HEADER : at + _HEADER + size], first, n_samples, f"lead {lead} in {path.name}")
        at += _HEADER + size
    return steps


def _unpack(chunk: bytes, first: int, n_samples: int, where: str) -> NDArray[np.int16]:
    """Unpack one lead, no further than to the samples that it may have."""
    try:
        from sierraecg.lzw import LzwDecoder
        from sierraecg.xli import xli_decode_deltas
    except ImportError:
        msg = f"unpacking {where} needs the sierraecg package; got none. Run: pip install 'twelvelead[formats]'"
        raise MissingExtra(msg) from None
    packed: list[int] = []
    try:
        decoder = LzwDecoder(chunk, bits=_CODE_BITS)
        while len(packed) <= 2 * n_samples and (byte := decoder.read()) != -1:
            packed.append(byte)
        if len(packed) % 2:
            packed.append(0)
        steps: NDArray[np.int16] = xli_decode_deltas(packed, first)
    except Exception as error:  # that package trusts its input, and raises whatever it trips over
        msg = f"{where} must be packed by XLI; got {type(error).__name__}: {error} from the sierraecg package. "
        msg += "Export the file again."
        raise FormatError(msg) from error
    if len(steps) != n_samples:
        more = "more" if len(steps) > n_samples else f"{len(steps)}"
        msg = f"{where} must have {n_samples} samples, by samplingrate and durationperchannel; got {more}. "
        msg += "The file is cut short or damaged: export it again."
        raise FormatError(msg)
    return steps


def undo_prediction(steps: NDArray[np.int32], leads: Sequence[str]) -> NDArray[np.int32]:
    """Give III, aVR, aVL and aVF back what they have been predicted to be from leads I and II.

    Parameters
    ----------
    steps : ndarray, shape (n_leads, n_samples)
        Of these four leads, prediction minus sample. Unchanged unless all six limb leads are there.
    leads : sequence of str
        Names.

    Returns
    -------
    ndarray, shape (n_leads, n_samples)
        Predicted are III = II − I, aVR = −⌊(I + II)/2⌋, aVL = ⌊(I − III)/2⌋ and aVF = ⌊(II + III)/2⌋; but of aVR, it is
        the negative of the sum that is kept.
    """
    rows = [leads.index(lead) if lead in leads else -1 for lead in ("I", "II", "III", "aVR", "aVL", "aVF")]
    if min(rows) < 0:
        return steps
    one, two, three, right, left, foot = rows
    whole = steps.copy()
    whole[three] = whole[two] - whole[one] - steps[three]
    whole[right] = -steps[right] - ((whole[one] + whole[two]) >> 1)
    whole[left] = ((whole[one] - whole[three]) >> 1) - steps[left]
    whole[foot] = ((whole[two] + whole[three]) >> 1) - steps[foot]
    return whole
