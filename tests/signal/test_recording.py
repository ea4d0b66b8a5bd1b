import numpy as np
import pytest

from twelvelead.signal import Recording
from twelvelead.terms import InputError


def test_samples_are_read_only_and_our_own():
    samples = np.zeros((1, 3), dtype=np.float32)
    r = Recording(samples, ("I",), 500)
    samples[0, 0] = 7
    assert r.signal[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        r.signal[0, 0] = 1


@pytest.mark.parametrize(
    ("signal", "leads", "fs", "message"),
    [
        (np.zeros((5000, 2)), ("I", "II"), 500, r"n_leads = 2 \(I, II\); got \(5000, 2\)"),
        (np.zeros(5), ("I",), 500, r"got \(5,\)"),
        (np.zeros((2, 5)), ("I", "I"), 500, "got I twice"),
        (np.array([[0.0], [np.inf]]), ("I", "II"), 500, "finite, or NaN where missing; got infinity in lead II"),
        (np.array([[-1e300]]), ("I",), 500, "got infinity in lead I"),
        (np.zeros((1, 5)), ("I",), 0, "positive number of Hz; got 0"),
        (np.zeros((1, 5)), ("I",), float("nan"), "positive number of Hz; got nan"),
    ],
)
def test_what_can_not_be_right_is_refused(signal, leads, fs, message):
    with pytest.raises(InputError, match=message):
        Recording(signal, leads, fs, id="x")


def test_an_unknown_lead_is_named_with_those_there():
    with pytest.raises(InputError, match="must be one of I, II; got 'V1' in recording 'x'"):
        Recording(np.zeros((2, 5)), ("I", "II"), 500, id="x")["V1"]
