"""One ECG in three formats: example.dcm, example.scp and example.xml (aECG) hold the same samples.

All three were made of one recording of an electrocardiograph with steps of 2.5 µV, which stored twelve leads: III is
II − I to the step, the augmented leads are rounded to the step below or above. So nothing was filtered, shifted, scaled
or derived anew between them, and they agree to the step in every lead of the rhythm and of the reference beat. What is
left is the rounding of float32, of less than 0.001 µV. The reference beat has 599 samples; the DICOM file fills up a
600th with the mark of a missing one.
"""

from pathlib import Path

import numpy as np
import pytest

from twelvelead.io import open_recording, read
from twelvelead.terms import LEADS

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "formats"
FILES = {
    "dicom": DATA / "dicom" / "example.dcm",
    "scp": DATA / "scp" / "example.scp",
    "aecg": DATA / "aecg" / "example.xml",
}
STEP = 0.0025  # mV

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/formats is absent: no files to compare")


def in_steps(recording):
    """Count steps, which must be whole ones, in standard order of leads."""
    steps = np.array([recording[lead] for lead in LEADS], dtype=np.float64) / STEP
    there = np.isfinite(steps)
    np.testing.assert_allclose(steps[there], np.round(steps[there]), rtol=0, atol=0.0004)  # 0.001 µV
    return np.where(there, np.round(steps), np.nan)


@pytest.mark.parametrize("other", ["scp", "aecg"])
def test_the_rhythm_is_the_same_to_the_step(other):
    one, two = read(FILES["dicom"]), read(FILES[other])
    assert (one.fs, one.n_samples) == (two.fs, two.n_samples) == (500, 5000)
    assert set(one.leads) == set(two.leads) == set(LEADS)
    np.testing.assert_array_equal(in_steps(one), in_steps(two))


def test_the_comparison_can_fail():
    one = in_steps(read(FILES["dicom"]))
    assert np.ptp(one, axis=1).min() > 50
    assert np.abs(one[:, 1:] - one[:, :-1]).max() > 50  # a shift by one sample would show
    residual = 2 * one[LEADS.index("aVF")] - 2 * one[LEADS.index("II")] + one[LEADS.index("I")]
    assert set(np.unique(residual)) == {-1, 0, 1}  # and so would leads that are derived anew, unrounded
    assert (one[LEADS.index("III")] == one[LEADS.index("II")] - one[LEADS.index("I")]).all()


@pytest.mark.parametrize("other", ["scp", "aecg"])
def test_the_reference_beat_is_the_same_to_the_step(other):
    one, two = open_recording(FILES["dicom"]).median, open_recording(FILES[other]).median
    assert one is not None
    assert two is not None
    assert one.fs == two.fs == 500
    assert two.n_samples == 599
    np.testing.assert_array_equal(in_steps(one)[:, :599], in_steps(two))


def test_the_three_were_recorded_at_one_time():
    times = {name: open_recording(path).provenance.recorded_at for name, path in FILES.items()}
    assert len(set(times.values())) == 1, times
