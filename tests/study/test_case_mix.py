"""Another mix of patients is told from another effect."""

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead.study.case_mix import compare_domains, part_by_case_mix
from twelvelead.study.transport import Side
from twelvelead.terms import DOMAIN, TRANSPORT
from twelvelead.validate import Bootstrap

QUICK = Bootstrap(200, 0, 0.95)
N = 5000


def risk(x):
    return expit(-1 + 1.5 * x[:, 0] + 0.5 * x[:, 1])


def hospital(seed, *, spread=1.0, mean=0.0, truth=risk, set_="internal", n=N):
    """Patients whose risk is put as the first hospital's model does, whatever is true of them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) * [spread, 1, 1] + [mean, 0, 0]
    y = (rng.random(n) < truth(x)).astype(np.int8)
    ids = [f"{set_}-{i:05d}" for i in range(n)]
    predictors = pl.DataFrame({"recording_id": ids, **dict(zip("abc", x.T, strict=True))})
    side = Side(predictors.with_columns(pl.col("a", "b", "c").cast(pl.Float32)), pl.Series(ids), lambda _: y)
    named = {"target": "t", "model": "ecg_age_sex", "set": set_, "patient_id": ids}
    return side, pl.DataFrame({"recording_id": ids, **named, "y": y, "p": risk(x)})


def part(here, there):
    domain = compare_domains(here[0], there[0], bootstrap=QUICK)
    table = part_by_case_mix([pl.concat([here[1], there[1]])], domain, bootstrap=QUICK)
    return domain, {row["quantity"]: row for row in table.iter_rows(named=True)}


@pytest.fixture(scope="module")
def here():
    return hospital(1)


def test_a_narrower_mix_of_patients_explains_the_whole_fall(here):
    domain, found = part(here, hospital(2, spread=0.5, set_="external"))
    assert found["internal"]["estimate"] - found["external"]["estimate"] > 0.08
    assert abs(found["rest"]["estimate"]) < 0.02
    assert found["rest"]["lower"] < 0 < found["rest"]["upper"]
    assert found["case_mix"]["upper"] < -0.05
    assert domain.table["estimate"][0] > 0.6


def test_shifted_patients_are_weighed_too(here):
    _, found = part(here, hospital(3, mean=1.0, spread=0.6, set_="external"))
    assert abs(found["rest"]["estimate"]) < 0.03
    assert found["reweighted"]["effective_n"] < N / 2


def test_a_changed_effect_is_not_put_down_to_the_mix(here):
    domain, found = part(here, hospital(4, truth=lambda x: expit(-1 + 0.4 * x[:, 0] + 0.5 * x[:, 1]), set_="external"))
    assert abs(found["case_mix"]["estimate"]) < 0.01
    assert found["rest"]["upper"] < -0.08
    assert domain.table["estimate"][0] == pytest.approx(0.5, abs=0.03)


def test_both_at_once_are_parted(here):
    other = hospital(5, spread=0.5, truth=lambda x: expit(-1 - 0.5 * x[:, 0] + 0.5 * x[:, 1]), set_="external")
    _, found = part(here, other)
    assert found["case_mix"]["upper"] < -0.05
    assert found["rest"]["upper"] < -0.05


def test_a_predictor_that_one_database_lacks_is_left_out_and_named(here):
    side, rows = hospital(6, set_="external")
    lacking = Side(side.predictors.with_columns(c=pl.lit(None, pl.Float32)), side.patients, side.outcome)
    domain, _ = part(here, (lacking, rows))
    row = DOMAIN.check(domain.table).row(0, named=True)
    assert (row["predictors"], row["absent"]) == (["a", "b"], ["c"])
    assert row["estimate"] == pytest.approx(0.5, abs=0.03)


def test_with_two_patients_there_is_nothing_to_tell_apart_by(here):
    domain, found = part(here, hospital(7, n=2, set_="external"))
    assert domain.table["estimate"][0] is None
    assert domain.weights.is_empty()
    assert found["reweighted"]["estimate"] is None
    assert found["internal"]["estimate"] is not None


def test_the_order_of_rows_changes_nothing(here):
    there = hospital(8, spread=0.7, set_="external", n=1500)
    order = np.random.default_rng(0).permutation(N)
    mixed = Side(here[0].predictors[order], here[0].patients.gather(order), here[0].outcome)
    one, two = (compare_domains(side, there[0], bootstrap=QUICK) for side in (here[0], mixed))
    assert one.table.equals(two.table)
    assert one.weights.equals(two.weights)


def test_targets_that_one_database_does_not_know_are_left_out(here):
    domain = compare_domains(here[0], hospital(9, set_="external", n=500)[0], bootstrap=QUICK)
    assert TRANSPORT.check(part_by_case_mix([here[1]], domain, bootstrap=QUICK)).is_empty()
