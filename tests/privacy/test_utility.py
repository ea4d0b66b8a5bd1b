"""What a release is still good for."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from twelvelead.measure import CATALOGUE
from twelvelead.privacy import NotEstimable, add_noise, feature_units, simulated_people
from twelvelead.privacy.transforms_numbers import PRINTED, keep_measurements
from twelvelead.privacy.utility import (
    FINDINGS,
    Reading,
    findings_kept,
    kappa,
    measurement_errors,
    read_numbers,
    read_signals,
)
from twelvelead.validate import Bootstrap

DRAWS = Bootstrap(200, 0, 0.95)


@pytest.fixture(scope="module")
def release():
    return simulated_people(12, 1, seed=2)


@pytest.fixture(scope="module")
def original(release):
    return read_signals(release.samples)


def test_kappa_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    a, b = rng.random((2, 300)) < [[0.3], [0.4]]
    b = np.where(rng.random(300) < 0.6, a, b)
    counts = np.array([[(a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()]], dtype=float)
    assert kappa(counts)[0] == pytest.approx(cohen_kappa_score(a, b))
    assert np.isnan(kappa(np.array([[0.0, 0.0, 0.0, 9.0]])))[0]


def test_the_same_signals_keep_everything(original):
    kept = findings_kept(original, original, bootstrap=DRAWS)
    assert (kept.value, kept.lower, kept.upper) == (1.0, 1.0, 1.0)
    errors = measurement_errors(original, original)
    assert errors["median_error"].max() == 0
    assert errors["lost"].max() == 0
    assert "qrs_duration_ms" in errors["quantity"].to_list()


def test_findings_kept_are_one_table_over_people_and_findings(original):
    names = sorted(original.found)
    swapped = dict(zip(names, [original.found[n] for n in names[1:] + names[:1]], strict=True))
    shuffled = replace(original, found=swapped)
    kept = findings_kept(original, shuffled, bootstrap=DRAWS)
    before, after = (np.concatenate([r.found[n] for n in names]) for r in (original, shuffled))
    assert kept.value == pytest.approx(cohen_kappa_score(before, after))
    assert kept.lower <= kept.value <= kept.upper


def test_what_can_not_be_read_any_more_is_lost(original):
    nothing = Reading({}, {}, {})
    assert findings_kept(original, nothing, bootstrap=DRAWS).value == pytest.approx(0.0)
    errors = measurement_errors(original, nothing)
    assert errors["lost"].to_list() == [1.0] * errors.height
    assert errors["median_error"].null_count() == errors.height
    few = replace(original, found=dict(list(original.found.items())[:3]))
    assert isinstance(findings_kept(few, few, bootstrap=DRAWS), NotEstimable)


def test_noise_costs_findings(release, original):
    loud = read_signals(add_noise(0.5, seed=0)(release).samples)
    quiet = read_signals(add_noise(0.01, seed=0)(release).samples)
    kept = [findings_kept(original, reading, bootstrap=DRAWS).value for reading in (quiet, loud)]
    assert kept[0] > kept[1]
    errors = [
        dict(measurement_errors(original, r).select("quantity", "median_error").iter_rows()) for r in (quiet, loud)
    ]
    assert errors[0]["r_amplitude_mv"] < errors[1]["r_amplitude_mv"]


def test_numbers_are_judged_without_the_signal(release, original):
    rows = feature_units(release)
    everything = read_numbers(original, rows)
    printed = read_numbers(original, keep_measurements(PRINTED)(rows))
    assert measurement_errors(original, everything)["median_error"].max() < 1e-4
    kept = [findings_kept(original, reading, bootstrap=DRAWS).value for reading in (everything, printed)]
    assert kept[0] > kept[1]
    assert all(found.shape == (len(FINDINGS),) for found in printed.found.values())
    given = {m.name for m in CATALOGUE} & {
        name for name, v in next(iter(printed.values.values())).items() if np.isfinite(v)
    }
    assert given <= set(PRINTED)
