"""One small hospital of each kind, simulated once."""

import pytest

from twelvelead.simulate import SITE_A, SITE_B, hospital


@pytest.fixture(scope="session")
def hospital_a():
    return hospital(1500, site=SITE_A, seed=7)


@pytest.fixture(scope="session")
def hospital_b():
    return hospital(400, site=SITE_B, seed=7)
