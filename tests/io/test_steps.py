import numpy as np

from twelvelead.io.formats.steps import to_steps
from twelvelead.signal import Recording, derive_limb_leads

STEP = 0.00488  # of GE MUSE, mV


def test_derived_leads_are_exact_in_halves_of_the_step():
    """Where I and II are large and nearly opposite, aVR is small, but carries their rounding to float32."""
    rng = np.random.default_rng(0)
    one = rng.integers(-3000, 3000, 4000)
    two = -one + rng.integers(-3, 4, 4000)
    eight = derive_limb_leads(Recording(np.array([one, two]) * STEP, ("I", "II"), 500))
    steps = to_steps(eight, (STEP,) * 6, bits=16)
    assert steps.exact
    np.testing.assert_array_equal(steps.samples[:, 0], one)
    np.testing.assert_array_equal(steps.samples[:, eight.leads.index("aVR")], -(one + two))
    assert steps.step_mv[eight.leads.index("aVR")] == STEP / 2


def test_samples_between_steps_are_said_to_be_rounded():
    between = Recording(np.array([[0.1, 0.2, 0.3]]) * STEP, ("I",), 500)
    assert not to_steps(between, (STEP,), bits=16).exact
