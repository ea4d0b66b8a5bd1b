"""The demonstration must find what was planted, and nothing where nothing was."""

import polars as pl
import pytest

from twelvelead.app.cli import main
from twelvelead.io import read_json
from twelvelead.simulate import OUTCOMES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def auroc(demo):
    table = pl.read_parquet(demo / "performance.parquet")
    return table.filter((pl.col("metric") == "auroc") & (pl.col("stratum") == "all"))


@pytest.mark.parametrize("outcome", [o for o in OUTCOMES if o.planted], ids=lambda o: o.name)
@pytest.mark.parametrize(("set_", "hospital"), [("internal", "hospital_a"), ("external", "hospital_b")])
def test_planted_outcomes_come_near_the_best_that_is_possible(demo, auroc, outcome, set_, hospital):
    optimum = read_json(demo / "data" / hospital / "database.json")["optimum"][outcome.name]
    row = auroc.filter(target=outcome.name, set=set_, model="ecg_age_sex").row(0, named=True)
    assert row["lower"] - 0.02 <= optimum <= row["upper"] + 0.02


@pytest.mark.parametrize("outcome", [o for o in OUTCOMES if not o.planted], ids=lambda o: o.name)
@pytest.mark.parametrize("set_", ["internal", "external"])
def test_null_outcomes_stay_null(auroc, outcome, set_):
    for row in auroc.filter(target=outcome.name, set=set_).iter_rows(named=True):
        if row["lower"] is None:  # one risk for everybody: all pairs are tied, and there is no interval
            assert row["estimate"] == 0.5, row["model"]
        else:
            assert row["lower"] <= 0.5 <= row["upper"], row["model"]


def test_the_report_says_that_it_is_simulated_and_needs_nothing_from_outside(demo):
    html = (demo / "report.html").read_text()
    assert "SIMULATED" in html
    assert "<script" not in html
    assert 'src="http' not in html
