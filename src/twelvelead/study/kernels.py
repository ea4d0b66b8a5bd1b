"""Compile the kernels before they are needed by many."""

import tempfile
from pathlib import Path

import numpy as np

from twelvelead.io import read
from twelvelead.io.formats.wfdb_write import write_wfdb
from twelvelead.measure import measure_many
from twelvelead.signal import Recording
from twelvelead.study.progress import Progress
from twelvelead.terms import LEADS

STAGE = "compiling kernels (once)"
_WAVES = ((-0.16, 0.02, 0.15), (0.0, 0.015, 1.0), (0.3, 0.05, 0.3))  # P, R and T: place and width in s, height in mV
_done: list[bool] = []


def compile_kernels(progress: Progress) -> None:
    """Measure a made-up ECG from a file, so that the kernels are compiled and kept on disk before workers start.

    Parameters
    ----------
    progress : Progress
        Told, since it takes most of a minute after an installation, and less than a second ever after.
    """
    if _done:
        return
    progress(STAGE, 0, 1)
    with tempfile.TemporaryDirectory() as folder:
        header = write_wfdb(_make_up(), Path(folder) / "kernels.hea")
        measure_many([read(header)])
    _done.append(True)
    progress(STAGE, 1, 1)


def _make_up() -> Recording:
    """Ten seconds of one beat again and again, with a little noise: enough for every loop to run."""
    t = np.arange(5000) / 500
    since = (t + 0.4) % 0.8 - 0.4
    beat = sum(height * np.exp(-(((since - at) / width) ** 2)) for at, width, height in _WAVES)
    noise = np.random.default_rng(0).normal(0, 0.01, (len(LEADS), len(t)))
    return Recording((np.linspace(0.5, 1.5, len(LEADS))[:, None] * beat + noise).astype(np.float32), LEADS, 500)
