"""A small simulated hospital on disk, measured and studied once for all tests of this folder."""

import pytest

from twelvelead.study import parse_study, run_study, simulate_hospitals

DECLARATION = """
name = "small"
title = "A small study"
question = "Does it run?"
seed = 3

[database]
kind = "tables"
folder = "hospital_a"

[external]
kind = "tables"
folder = "hospital_b"

[predictors]
include = ["*_interval_ms", "*_duration_ms", "heart_rate_bpm", "r_amplitude_v5_mv", "t_amplitude_v?_mv"]
exclude = ["t_duration_ms"]

[split]
method = "cross_fit"
n_folds = 3

[model]
n_members = 3

[validation]
n_resamples = 100

[[targets]]
name = "heart_failure"
title = "Heart failure"
system = "icd10"
codes = ["I50"]
match = "prefix"
link = "stay"
min_events = 10

[[targets]]
name = "nothing"
title = "A code that nobody has"
system = "icd10"
codes = ["Q99"]
link = "stay"
"""


@pytest.fixture(scope="session")
def hospitals(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospitals")
    simulate_hospitals(folder, n_patients=90, seed=1)
    return folder


@pytest.fixture(scope="session")
def small():
    return parse_study(DECLARATION, name="small")


@pytest.fixture(scope="session")
def finished(hospitals, small, tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    return out, run_study(small, data=hospitals, out=out)
