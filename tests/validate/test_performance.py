import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from twelvelead import validate
from twelvelead.terms import PERFORMANCE, ContractError, StudyError
from twelvelead.validate import performance, resamples, units
from twelvelead.validate.discrimination import weighted_auprc, weighted_auroc
from twelvelead.validate.proportions import shares
from twelvelead.validate.utility import weighted_at_threshold

DECLARED = {"n_resamples": 100, "level": 0.95, "seed": 0}


def predictions(n=400, targets=("mi",), each=2, seed=0, sets=("internal",)):
    rng = np.random.default_rng(seed)
    rows = []
    for where in sets:
        for target in targets:
            z = rng.normal(size=n)
            y = (rng.uniform(size=n) < expit(z - 1)).astype(np.int8)
            for model, noise in (("age_sex", 2.0), ("ecg", 0.7), ("ecg_age_sex", 0.4)):
                rows.append(
                    pl.DataFrame(
                        {
                            "recording_id": [f"{where}{i:05d}" for i in range(n)],
                            "patient_id": [f"{where}p{i // each}" for i in range(n)],
                            "target": target,
                            "model": model,
                            "set": where,
                            "y": y,
                            "p": expit(z - 1 + noise * rng.normal(size=n)),
                        }
                    )
                )
    return pl.concat(rows)


@pytest.fixture(scope="module")
def table():
    return predictions()


@pytest.fixture(scope="module")
def found(table):
    return performance(table, **DECLARED)


def value(found, metric, model="ecg", stratum="all"):
    return found.filter(metric=metric, model=model, stratum=stratum).row(0, named=True)


def test_keeps_the_contract_and_says_how_many_resamples(found):
    assert PERFORMANCE.select(found).columns == list(PERFORMANCE.schema)
    by_bootstrap = found.filter(pl.col("interval") != "Wilson")
    assert set(by_bootstrap["n_resamples"]) == {100}
    assert set(by_bootstrap["n_discarded"]) == {0}
    assert set(found.filter(interval="Wilson")["n_resamples"]) == {None}
    assert found.filter(pl.col("estimate").is_null()).is_empty()
    assert found.filter((pl.col("lower") > pl.col("estimate")) | (pl.col("upper") < pl.col("estimate"))).height <= 3
    assert set(found["n_patients"]) == {200}


@pytest.mark.parametrize(
    "metric",
    ["auroc", "auprc", "brier", "scaled_brier", "oe_ratio", "calibration_intercept", "calibration_slope", "ici"],
)
def test_estimates_are_those_of_the_single_functions(table, found, metric):
    rows = table.filter(model="ecg")
    want = getattr(validate, metric)(rows["y"], rows["p"])
    assert value(found, metric)["estimate"] == pytest.approx(want, abs=1e-12)


def test_thresholds(table, found):
    rows = table.filter(model="ecg")
    want = validate.net_benefit(rows["y"], rows["p"], threshold=0.1)
    assert value(found, "net_benefit@0.1")["estimate"] == pytest.approx(want, abs=1e-12)
    assert {m.split("@")[0] for m in found["metric"].unique() if "@" in m} == {
        "net_benefit", "sensitivity", "specificity", "ppv", "npv", "number_needed_to_screen",
    }  # fmt: skip
    ppv, screened = (value(found, f"{name}@0.1") for name in ("ppv", "number_needed_to_screen"))
    assert [screened[k] for k in ("estimate", "lower", "upper")] == pytest.approx(
        [1 / ppv[k] for k in ("estimate", "upper", "lower")], abs=1e-12
    )


def test_shares_at_thresholds_are_wilsons_of_whom_they_are_shares_of(table, found):
    rows = table.filter(model="ecg").with_columns(
        unit=pl.col("patient_id").rank("dense").cast(pl.Int64) - 1, right=(pl.col("p") >= 0.2) == (pl.col("y") == 1)
    )
    for name, of in (
        ("sensitivity", pl.col("y") == 1),
        ("specificity", pl.col("y") == 0),
        ("ppv", pl.col("p") >= 0.2),
        ("npv", pl.col("p") < 0.2),
    ):
        part = rows.filter(of)
        unit = np.unique(part["unit"], return_inverse=True)[1]
        want = shares(part["right"].to_numpy().astype(float), np.zeros(part.height, int), unit, level=0.95).row(0)
        got = value(found, f"{name}@0.2")
        assert (got["estimate"], got["lower"], got["upper"]) == pytest.approx(want[4:7], abs=1e-12)
        assert got["interval"] == "Wilson"


def test_aurocs_are_studentised_with_delong_beside_them(table, found):
    of = {name: table.filter(model=name)["p"].to_numpy() for name in ("age_sex", "ecg")}
    first = table.filter(model="ecg")
    choices = {"patients": first["patient_id"], "level": 0.95, "n_resamples": 100, "seed": 0}
    for metric, want in (
        ("auroc", validate.auroc_interval(first["y"], of["ecg"], **choices)),
        ("delta_auroc", validate.delta_auroc_interval(first["y"], of["ecg"], of["age_sex"], **choices)),
    ):
        got = value(found, metric)
        assert got["interval"] == "studentised bootstrap"
        for name in ("estimate", "lower", "upper", "delong_lower", "delong_upper", "n_resamples", "n_discarded"):
            assert got[name] == pytest.approx(getattr(want, name), abs=1e-12), name
    others = found.filter(~pl.col("metric").is_in(["auroc", "delta_auroc"]))
    assert others["delong_lower"].is_null().all()
    assert set(others["interval"]) == {"percentile bootstrap", "Wilson"}


def test_percentile_method_leaves_everything_to_the_resamples(table):
    found = performance(table, **DECLARED, method="percentile")
    assert set(found["interval"]) == {"percentile bootstrap"}
    rows = table.filter(model="ecg")
    weights = np.concatenate(list(resamples(units(rows["patient_id"]), n_resamples=100, seed=0)))
    y, p = rows["y"].to_numpy().astype(float), rows["p"].to_numpy()
    at = weighted_at_threshold(y, p, threshold=0.2, weights=weights)
    for metric, values in {
        "auroc": weighted_auroc(y, p, weights=weights),
        "auprc": weighted_auprc(y, p, weights=weights),
        "brier": weights @ (y - p) ** 2 / weights.sum(axis=1),
        "oe_ratio": weights @ y / (weights @ p),
        "sensitivity@0.2": at["sensitivity"],
        "net_benefit@0.2": at["net_benefit"],
        "number_needed_to_screen@0.2": 1 / at["ppv"],
    }.items():
        got = value(found, metric)
        assert (got["lower"], got["upper"]) == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=1e-12), metric


def test_difference_is_paired(table, found):
    delta = value(found, "delta_auroc", "ecg_age_sex")
    aurocs = [value(found, "auroc", m) for m in ("ecg_age_sex", "age_sex")]
    assert delta["estimate"] == pytest.approx(aurocs[0]["estimate"] - aurocs[1]["estimate"], abs=1e-15)
    assert delta["lower"] > 0
    assert found.filter(metric="delta_auroc", model="age_sex").is_empty()
    same = pl.concat([table.filter(model="ecg"), table.filter(model="ecg").with_columns(model=pl.lit("age_sex"))])
    none = value(performance(same, **DECLARED), "delta_auroc")
    assert (none["estimate"], none["lower"], none["upper"]) == (0, 0, 0)


def test_percentile_interval_agrees_with_delong(table):
    rows = table.filter(model="ecg")
    found = value(performance(rows, n_resamples=2000, level=0.95, seed=1, method="percentile"), "auroc")
    _, cov = validate.auroc_covariance(rows["y"], [rows["p"]], patients=rows["patient_id"])
    # Monte Carlo error of the two quantiles at 2000 resamples: about 2 % each of the width.
    assert found["upper"] - found["lower"] == pytest.approx(2 * 1.96 * np.sqrt(cov[0, 0]), rel=0.1)


def test_order_of_rows_and_other_targets_change_nothing(table, found):
    shuffled = table.sample(fraction=1, shuffle=True, seed=5)
    more = pl.concat([shuffled, predictions(targets=("af",), n=100, seed=9)])
    again = performance(more, **DECLARED).filter(target="mi")
    assert again.equals(found)


def test_seed_changes_limits_but_no_estimate(table, found):
    other = performance(table, **{**DECLARED, "seed": 1})
    assert other["estimate"].equals(found["estimate"])
    assert not other["lower"].equals(found["lower"])


def test_recordings_as_units_are_narrower_where_patients_repeat():
    rows = predictions(n=200, each=1)
    rows = pl.concat([rows.with_columns(pl.col("recording_id") + f"_{k}") for k in range(4)])
    widths = {}
    for unit in ("patient", "recording"):
        found = performance(rows, **DECLARED, unit=unit)
        v = value(found, "auroc")
        assert set(found["n_patients"]) == {200}
        widths[unit] = v["upper"] - v["lower"]
    # Four copies of one recording: half the width.
    assert widths["recording"] == pytest.approx(widths["patient"] / 2, rel=0.35)


def test_few_event_patients_give_no_number(table):
    few = table.filter((pl.col("y") == 0) | pl.col("patient_id").is_in([f"internalp{i}" for i in range(12)]))
    assert 0 < few.filter(y=1)["patient_id"].n_unique() < 10
    found = performance(few, **DECLARED)
    for column in ("estimate", "lower", "upper", "delong_lower", "delong_upper", "interval", "n_resamples"):
        assert found[column].is_null().all(), column
    assert set(found["note"]) == {"not estimable: fewer than 10 patients with, or without, the event"}
    assert set(found["n_events"]) == {few.filter(model="ecg")["y"].sum()}


def test_one_class_and_one_risk(table):
    none = value(performance(table.filter(y=0), **DECLARED), "auroc")
    assert (none["estimate"], none["lower"]) == (None, None)
    assert none["note"] == "not defined for these recordings"
    flat = performance(table.with_columns(p=pl.lit(0.25)), **DECLARED)
    assert value(flat, "auroc")["estimate"] == 0.5
    assert value(flat, "calibration_slope")["estimate"] is None
    assert value(flat, "ici")["estimate"] is None
    assert value(flat, "ppv@0.2")["estimate"] == pytest.approx(table.filter(model="ecg")["y"].mean(), abs=1e-12)


def test_what_some_resamples_lack_is_counted():
    # 20 positives called by a single recording at the threshold: many resamples have none.
    rows = predictions(n=200, each=1).filter(model="ecg").with_columns(p=pl.col("p") * 0.05)
    top = pl.when(pl.int_range(pl.len()) == 0).then(0.9).otherwise(pl.col("p"))
    got = value(performance(rows.with_columns(p=top), **DECLARED, method="percentile"), "ppv@0.2")
    assert got["n_discarded"] > 20
    assert (got["lower"], got["upper"]) == (None, None)
    assert "more than 5 %" in got["note"]


def test_strata(table):
    ids = table["recording_id"].unique().sort()
    strata = pl.DataFrame({"recording_id": ids, "sex": ["female", "male", None, "female"] * 100})
    found = performance(table, **DECLARED, strata=strata)
    assert set(found["stratum"]) == {"all", "sex=female", "sex=male"}
    women = found.filter(stratum="sex=female")
    assert set(women["n"]) == {200}
    assert set(women["metric"]) == {"auroc", "brier", "oe_ratio", "calibration_intercept", "calibration_slope"}
    rows = table.filter(model="ecg").join(strata.filter(sex="female"), on="recording_id", how="semi")
    want = validate.auroc(rows["y"], rows["p"])
    assert value(found, "auroc", stratum="sex=female")["estimate"] == pytest.approx(want, abs=1e-12)
    elsewhere = pl.DataFrame({"recording_id": ["elsewhere"], "sex": ["female"]})
    assert set(performance(table, **DECLARED, strata=elsewhere)["stratum"]) == {"all"}


def test_sets_are_judged_apart():
    found = performance(predictions(n=100, sets=("internal", "external")), **DECLARED)
    assert set(found["set"]) == {"internal", "external"}
    assert set(found["n"]) == {100}


def test_grouping_neighbouring_risks_moves_no_limit_that_matters(monkeypatch):
    rows = predictions(n=2500).filter(model="ecg")
    wanted = ["calibration_intercept", "calibration_slope", "ici"]
    grouped = performance(rows, **DECLARED).filter(pl.col("metric").is_in(wanted))
    monkeypatch.setattr("twelvelead.validate.figures.MOST_GROUPS", 10**9)
    exact = performance(rows, **DECLARED).filter(pl.col("metric").is_in(wanted))
    width = (exact["upper"] - exact["lower"]).to_numpy()
    for limit in ("lower", "upper"):
        # Under 1 % of the interval; the Monte Carlo error of 1000 resamples is about 3 %.
        assert (np.abs((grouped[limit] - exact[limit]).to_numpy()) < 0.01 * width).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.with_columns(p=pl.col("p") * 2), r"p must be a risk in \[0, 1\]"),
        (lambda t: t.with_columns(p=pl.lit(float("nan"))), r"p must be a risk in \[0, 1\] and y 0 or 1; got p = nan"),
        (lambda t: t.filter((pl.col("model") != "ecg") | (pl.col("p") < 0.5)), "judged on the same recordings"),
        (
            lambda t: t.with_columns(y=pl.when(model="ecg").then(1 - pl.col("y")).otherwise("y").cast(pl.Int8)),
            "the same for every model",
        ),
    ],
)
def test_refuses(table, change, message):
    with pytest.raises(StudyError, match=message):
        performance(change(table), **DECLARED)


def test_refuses_broken_contract_and_unknown_unit(table):
    with pytest.raises(ContractError, match="must have column"):
        performance(table.drop("p"), **DECLARED)
    with pytest.raises(ContractError, match="must name one row"):
        performance(pl.concat([table, table]), **DECLARED)
    with pytest.raises(StudyError, match="unit must be one of patient, recording; got 'ecg'"):
        performance(table, **DECLARED, unit="ecg")
    with pytest.raises(StudyError, match="method must be one of studentised, percentile; got 'bca'"):
        performance(table, **DECLARED, method="bca")
