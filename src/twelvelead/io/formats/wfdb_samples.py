"""WFDB signal formats 16, 24, 32, 80 and 212: from the bytes of a signal file to samples in physical units."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.signal.kernel import kernel

Samples = NDArray[np.signedinteger]

_TOGETHER = 32  # frames that are scaled in one go, so that all lanes of a vector register are used


@dataclass(frozen=True)
class Coding:
    """How a signal format writes a sample.

    Parameters
    ----------
    bits : int
        Bits per sample.
    whole : int
        Samples after which a sample begins with a new byte, whatever came before.
    missing : int
        The value that stands for "no sample".
    decode : callable
        From bytes and the number of samples to that many samples.
    """

    bits: int
    whole: int
    missing: int
    decode: Callable[[NDArray[np.uint8], int], Samples]

    def n_bytes(self, n: int) -> int:
        """Bytes that n samples take."""
        return (n * self.bits + 7) // 8


def to_physical(
    steps: Samples, *, scale: NDArray[np.float64], baseline: NDArray[np.float64], missing: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scale samples, and add them up.

    Parameters
    ----------
    steps : ndarray of int, shape (n_samples, n_signals)
        As the converter gave them.
    scale : ndarray, shape (n_signals,)
        Physical units per step.
    baseline : ndarray, shape (n_signals,)
        Step that stands for 0.
    missing : int
        Step that stands for "no sample".

    Returns
    -------
    physical : ndarray of float32, shape (n_samples, n_signals)
        NaN where there is no sample.
    sums : ndarray of int64, shape (n_signals,)
        Sum of the steps of each signal, modulo 65536.
    """
    if steps.dtype == np.int16:
        lanes = np.ascontiguousarray(np.tile(scale, _TOGETHER), dtype=np.float32)
        zeros = np.ascontiguousarray(np.tile(baseline, _TOGETHER), dtype=np.float32)
        return _scale(steps.reshape(-1), lanes, zeros, missing=missing, width=len(scale))
    # 24 and 32 bits don't fit into float32 before the baseline is taken off.
    physical = ((steps - baseline) * scale).astype(np.float32)
    physical[steps == missing] = np.nan
    return physical, steps.sum(axis=0, dtype=np.int64) & 0xFFFF


@kernel
def _scale(
    steps: NDArray[np.int16], scale: NDArray[np.float32], baseline: NDArray[np.float32], *, missing: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scale interleaved samples; `scale` and `baseline` are repeated for several frames."""
    lanes = len(scale)
    out = np.empty(len(steps), dtype=np.float32)
    sums = np.zeros(lanes, dtype=np.int32)
    nothing, lost = np.float32(np.nan), np.int16(missing)
    for start in range(0, len(steps), lanes):
        some, made = steps[start : start + lanes], out[start : start + lanes]  # slices let one instruction serve many
        for j in range(len(some)):
            sums[j] += np.int32(some[j])  # wraps around at 32 bits, which the lower 16 don't notice
            value = (np.float32(some[j]) - baseline[j]) * scale[j]
            made[j] = nothing if some[j] == lost else value
    total = np.zeros(width, dtype=np.int64)
    for j in range(lanes):
        total[j % width] += sums[j]
    return out.reshape(-1, width), total & 0xFFFF


def _decode_16(raw: NDArray[np.uint8], _n: int) -> Samples:
    return raw.view("<i2")


def _decode_24(raw: NDArray[np.uint8], _n: int) -> Samples:
    low, middle, high = (raw[k::3].astype(np.int32) for k in range(3))
    return (low | middle << 8 | high << 16) - ((high & 0x80) << 17)


def _decode_32(raw: NDArray[np.uint8], _n: int) -> Samples:
    return raw.view("<i4")


def _decode_80(raw: NDArray[np.uint8], _n: int) -> Samples:
    return raw.astype(np.int16) - np.int16(128)


def _decode_212(raw: NDArray[np.uint8], n: int) -> Samples:
    """Two 12-bit samples in three bytes; an odd last sample takes two bytes."""
    padded = np.zeros((n + 1) // 2 * 3, dtype=np.int16)
    padded[: raw.size] = raw
    low, middle, high = padded[0::3], padded[1::3], padded[2::3]
    out = np.empty((n + 1) // 2 * 2, dtype=np.int16)
    out[0::2] = low | (middle & 0x0F) << 8
    out[1::2] = high | (middle & 0xF0) << 4
    out[out > 2047] -= 4096
    return out[:n]


CODINGS = {
    16: Coding(16, 1, -(2**15), _decode_16),
    24: Coding(24, 1, -(2**23), _decode_24),
    32: Coding(32, 1, -(2**31), _decode_32),
    80: Coding(8, 1, -128, _decode_80),
    212: Coding(12, 2, -2048, _decode_212),
}
"""The signal formats that are read here, by number."""
