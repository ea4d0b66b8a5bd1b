import numpy as np
import polars as pl
import pytest

from twelvelead.predict import concept_of
from twelvelead.study.reasons import RESAMPLES, tabulate_reasons
from twelvelead.terms import REASON_AGREEMENT, REASON_CONCEPTS, REASONS, SELECTION, SHAP

BY_HAND = (
    # recording, set, predictor, SHAP; the second fold's model, of r2, does not take the QT interval
    ("r1", "internal", "qt_interval_ms", 0.5),
    ("r1", "internal", "jt_interval_ms", -0.25),
    ("r1", "internal", "age_years", 0.125),
    ("r2", "internal", "jt_interval_ms", -0.25),
    ("r2", "internal", "age_years", 0.25),
    ("r1", "external", "qt_interval_ms", 0.1),
    ("r1", "external", "jt_interval_ms", 0.2),
    ("r1", "external", "age_years", 0.9),
)


def explained(rows=BY_HAND):
    table = pl.DataFrame(rows, schema=["recording_id", "set", "feature", "shap"], orient="row")
    return SHAP.select(table.with_columns(target=pl.lit("mi"), model=pl.lit("ecg_age_sex"), value=pl.lit(1.0)))


def fits(*chosen):
    return SELECTION.select(
        [
            {"target": "mi", "model": "ecg_age_sex", "fit": f"fold {n}", "n_features": len(names), "auroc": 0.7,
             "chosen": True, "features": names}
            for n, names in enumerate(chosen)
        ]
    )  # fmt: skip


PEOPLE = pl.DataFrame(
    {
        "recording_id": ["r1", "r2", "r1"],
        "set": ["internal", "internal", "external"],
        "patient_id": ["a", "b", "z"],  # the same name in two databases is not the same recording
    }
)
FITS = fits(["qt_interval_ms", "jt_interval_ms", "age_years"], ["jt_interval_ms", "age_years"])


@pytest.fixture(scope="module")
def found():
    return tabulate_reasons(explained(), PEOPLE, selection=FITS, seed=0)


def test_a_predictor_that_a_fold_does_not_take_counts_as_zero_there(found):
    internal = REASONS.check(found["reasons"]).filter(set="internal")
    means = dict(internal.select("feature", "mean_abs_shap").iter_rows())
    assert means == pytest.approx({"qt_interval_ms": 0.25, "jt_interval_ms": 0.25, "age_years": 0.1875})
    assert dict(internal.select("feature", "rank").iter_rows())["age_years"] == 3
    external = found["reasons"].filter(set="external")
    assert external["feature"].to_list() == ["age_years", "jt_interval_ms", "qt_interval_ms"]
    assert external["rank"].to_list() == external["rank_upper"].to_list() == [1, 2, 3]  # of one patient


def test_within_a_concept_predictors_pull_against_each_other(found):
    concepts = REASON_CONCEPTS.check(found["concepts"])
    internal = {row["concept"]: row for row in concepts.filter(set="internal").to_dicts()}
    # r1: |0.5 − 0.25|, r2: |−0.25|
    assert internal["repolarisation"]["mean_abs_shap"] == pytest.approx(0.25)
    assert internal["demographics"]["mean_abs_shap"] == pytest.approx(0.1875)
    assert internal["repolarisation"]["n_predictors"] == 2
    external = concepts.filter(set="external").sort("rank")
    assert external["mean_abs_shap"].to_list() == pytest.approx([0.9, 0.3])
    assert set(concepts["concept"]) == set(found["reasons"]["concept"]) == {"repolarisation", "demographics"}


def test_the_share_of_fits_is_of_those_that_chose(found):
    shares = dict(found["reasons"].filter(set="internal").select("feature", "chosen_share").iter_rows())
    assert shares == {"qt_interval_ms": 0.5, "jt_interval_ms": 1.0, "age_years": 1.0}


def test_sets_agree_as_their_ranks_do(found):
    agreed = REASON_AGREEMENT.check(found["reason_agreement"])
    # internal ranks 1.5, 1.5, 3; external 3, 2, 1
    expected = np.corrcoef([1.5, 1.5, 3], [3, 2, 1])[0, 1]
    assert agreed.filter(measure="spearman")["estimate"][0] == pytest.approx(expected)
    assert agreed.filter(measure="top_overlap")["estimate"][0] == 1.0
    assert agreed["n_predictors"].to_list() == [3, 3, 3]


def test_the_order_of_rows_changes_nothing(found):
    again = tabulate_reasons(explained(BY_HAND[::-1]), PEOPLE[::-1], selection=FITS[::-1], seed=0)
    for name, table in found.items():
        assert again[name].equals(table), name


def test_limits_hold_the_share_of_resamples_by_naive_resampling():
    rng = np.random.default_rng(2)
    names = ("qt_interval_ms", "age_years", "heart_rate_bpm")
    values = rng.normal(size=(30, 3)) * [1.0, 0.95, 0.9]
    rows = [(f"r{i:02d}", "internal", name, values[i, k]) for i in range(30) for k, name in enumerate(names)]
    people = pl.DataFrame({"recording_id": [f"r{i:02d}" for i in range(30)], "set": "internal",
                           "patient_id": [f"p{i // 2:02d}" for i in range(30)]})  # fmt: skip
    table = tabulate_reasons(explained(rows), people, selection=fits(list(names)), seed=5)["reasons"]
    by_name = np.array(sorted(range(3), key=names.__getitem__))
    draws, ranks = np.random.default_rng(5), []
    for _ in range(RESAMPLES):
        patients = draws.integers(15, size=15)
        drawn = np.concatenate([[2 * p, 2 * p + 1] for p in patients])
        ranks.append(np.argsort(np.argsort(-np.abs(values[drawn][:, by_name]).mean(axis=0))) + 1)
    lower, upper = np.quantile(ranks, [0.025, 0.975], axis=0)
    mine = table.sort("feature")
    assert mine["rank_lower"].to_list() == lower.tolist()
    assert mine["rank_upper"].to_list() == upper.tolist()


def test_nothing_explained_gives_empty_tables_and_one_set_no_agreement():
    nothing = tabulate_reasons(SHAP.empty(), PEOPLE, selection=FITS, seed=0)
    assert [table.height for table in nothing.values()] == [0, 0, 0]
    alone = tabulate_reasons(explained(BY_HAND[:5]), PEOPLE, selection=FITS, seed=0)
    assert alone["reason_agreement"].is_empty()
    assert alone["reasons"].height == 3


def test_a_studys_tables_are_those_of_its_shapley_values(finished):
    out, _ = finished
    shap = pl.read_parquet(out / "shap.parquet").filter(set="external")
    n = shap["recording_id"].n_unique()
    reasons = pl.read_parquet(out / "reasons.parquet").filter(set="external")
    naive = dict(shap.group_by("feature").agg(pl.col("shap").abs().sum() / n).iter_rows())
    for feature, mean in reasons.select("feature", "mean_abs_shap").iter_rows():
        assert mean == pytest.approx(naive.get(feature, 0.0), abs=1e-9), feature
    concepts = dict(
        pl.read_parquet(out / "concepts.parquet").filter(set="external").select("concept", "mean_abs_shap").iter_rows()
    )
    summed: dict[tuple[str, str], float] = {}
    for recording, feature, value in shap.select("recording_id", "feature", "shap").iter_rows():
        summed[recording, concept_of(feature)] = summed.get((recording, concept_of(feature)), 0.0) + value
    for concept, mean in concepts.items():
        total = sum(abs(v) for (_, c), v in summed.items() if c == concept)
        assert mean == pytest.approx(total / n, abs=1e-9), concept
    assert ((reasons["rank_lower"] <= reasons["rank"]) & (reasons["rank"] <= reasons["rank_upper"])).mean() > 0.8
