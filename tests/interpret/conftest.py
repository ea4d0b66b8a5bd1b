"""Cases made by hand."""

import math

import numpy as np
import pytest

from twelvelead.interpret.case import Case
from twelvelead.interpret.derived import DERIVED
from twelvelead.measure import CATALOGUE, Heartbeat
from twelvelead.signal import Quality
from twelvelead.signal.recording import Recording
from twelvelead.terms import LEADS


def _case_of(values: dict[str, float], *, age: float | None = None, sex=None, scatter_mv: float = 0.0) -> Case:
    """Make a case of two beats with the given measurements and no others."""
    at = np.array([100.0, 110, 120, 150, 170, 190, 250, 280, 310])
    marks = np.repeat(at[:, None], 12, axis=1)
    marks_s = np.stack([marks, marks + 500]) / 500
    heartbeat = Heartbeat(
        "hand made", LEADS, np.ones(12, dtype=bool), 500.0, np.array([0.34, 1.34]), np.zeros(2, dtype=np.intp),
        np.zeros((12, 400)), marks, at, marks_s, marks_s[:, :, 0], np.full(12, scatter_mv), {}, {},
    )  # fmt: skip
    recording = Recording(np.zeros((12, 1000)), LEADS, 500.0, id="hand made")
    everything = {m.name: math.nan for m in (*CATALOGUE, *DERIVED)} | values
    return Case(recording, heartbeat, Quality(usable=LEADS, findings=(), refusal=None), everything, age, sex)


@pytest.fixture(scope="session")
def case_of():
    """Make a case of given measurements."""
    return _case_of
