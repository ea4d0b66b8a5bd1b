import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twelvelead.cohort import assign_folds, check_disjoint, published_folds
from twelvelead.terms import StudyError


def people(n_patients, *, seed, prevalence=(0.3, 0.05)):
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), rng.integers(1, 5, n_patients))
    strata = {f"y{k}": (rng.uniform(size=patient.size) < p).astype(np.int8) for k, p in enumerate(prevalence)}
    ids = [f"r{i:05d}" for i in range(patient.size)]
    return pl.DataFrame({"recording_id": ids, "patient_id": [f"p{p:04d}" for p in patient], **strata})


@settings(max_examples=40, deadline=None)
@given(st.integers(10, 200), st.integers(2, 8), st.integers(0, 10_000))
def test_no_patient_is_in_two_folds_and_none_is_lost(n_patients, n_folds, seed):
    table = people(n_patients, seed=seed)
    folds = assign_folds(table, n_folds=n_folds, seed=seed)
    assert folds["recording_id"].to_list() == sorted(table["recording_id"])
    assert folds.group_by("patient_id").agg(pl.col("fold").n_unique())["fold"].max() == 1
    assert set(folds["fold"]) <= set(range(n_folds))


def test_each_fold_has_its_share_of_every_stratum():
    table = people(1000, seed=1)
    folds = assign_folds(table, n_folds=5, seed=0).join(table, on="recording_id")
    shares = folds.group_by("fold").agg(pl.len(), pl.col("y0", "y1").sum())
    # A fold can miss its share by less than one patient's recordings (at most 4) in the rare stratum.
    for column in ("len", "y0", "y1"):
        counts = shares[column].to_numpy()
        assert np.ptp(counts) <= 8, (column, counts)


def test_balanced_beats_chance():
    table = people(300, seed=3, prevalence=(0.06, 0.06, 0.06))
    strata = ["y0", "y1", "y2"]

    def spread(fold):
        counts = table.select(strata).with_columns(fold=fold).group_by("fold").sum().select(strata).to_numpy()
        return counts.std(axis=0).mean()

    balanced = assign_folds(table, n_folds=5, seed=0)["fold"]
    rng = np.random.default_rng(0)
    chance = [spread(pl.Series(rng.integers(0, 5, table.height))) for _ in range(50)]
    assert spread(balanced) < min(chance)


def test_sechidis_by_hand():
    # Six recordings of five patients (d has two), two folds: each wants 3 recordings, 1.5 of y0 and 0.5 of y1.
    table = pl.DataFrame(
        {
            "recording_id": ["a", "b", "c", "d1", "d2", "e"],
            "patient_id": ["a", "b", "c", "d", "d", "e"],
            "y0": [1, 1, 0, 1, 0, 0],
            "y1": [0, 0, 0, 1, 0, 0],
        }
    )
    fold = dict(assign_folds(table, n_folds=2, seed=0).select("patient_id", "fold").iter_rows())
    # y1 is rarest, so d is placed first; its fold then wants 1 recording and 0.5 of y0. One of a, b goes to the other
    # fold, which wants 1.5 of y0, and is left wanting 2 recordings and 0.5 of y0. For the second the folds tie in
    # y0, and the other one wants more recordings. Of c and e, in no stratum, each fold gets one.
    assert fold["a"] == fold["b"] != fold["d"]
    assert fold["c"] != fold["e"]


def test_row_order_does_not_matter():
    table = people(80, seed=5)
    assert assign_folds(table, n_folds=4, seed=1).equals(assign_folds(table.reverse(), n_folds=4, seed=1))


def test_more_folds_than_patients_is_refused():
    with pytest.raises(StudyError, match="got 9 for 3"):
        assign_folds(people(3, seed=0), n_folds=9, seed=0)


def test_a_patient_on_both_sides_is_refused_by_name():
    table = pl.DataFrame({"patient_id": ["b", "a", "b"], "set": ["x", "x", "y"]})
    with pytest.raises(StudyError, match="got 1 on both, first 'b'"):
        check_disjoint(table, "set")
    assert check_disjoint(table.head(2), "set").height == 2


def sechidis(table, strata, *, n_folds, seed):
    """The rule in so many words: everything is counted again after each patient."""
    rng = np.random.default_rng(seed)
    of_patient = {p: rows.to_dicts() for (p,), rows in table.sort("recording_id").group_by("patient_id")}
    ids = sorted(of_patient)
    size = np.array([len(of_patient[p]) for p in ids], dtype=float)
    has = np.array([[sum(r[s] for r in of_patient[p]) for s in strata] for p in ids], dtype=float)
    has = has.reshape(len(ids), len(strata))
    order = np.lexsort((rng.permutation(len(ids)), -size))
    fold = np.full(len(ids), -1)

    def place(unit, stratum):
        def wants(load, k):
            return load.sum() / n_folds - load[fold == k].sum()

        needs = [
            (round(wants(size if stratum is None else has[:, stratum], k), 6), round(wants(size, k), 6))
            for k in range(n_folds)
        ]
        best = [k for k in range(n_folds) if needs[k] == max(needs)]
        fold[unit] = best[0] if len(best) == 1 else rng.choice(best)

    done = set()
    while len(done) < len(strata):
        remaining = {s: has[fold < 0, s].sum() for s in range(len(strata)) if s not in done}
        rarest = min(remaining, key=lambda s: (remaining[s], s))
        done.add(rarest)
        members = [u for u in order if fold[u] < 0 and has[u, rarest] > 0]
        for unit in sorted(members, key=lambda u: -has[u, rarest]):
            place(unit, rarest)
    for unit in order:
        if fold[unit] < 0:
            place(unit, None)
    return dict(zip(ids, fold.tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(st.integers(6, 60), st.integers(2, 6), st.integers(0, 10_000), st.lists(st.floats(0.02, 0.6), max_size=5))
def test_folds_equal_the_rule_recomputed(n_patients, n_folds, seed, prevalence):
    table = people(n_patients, seed=seed, prevalence=prevalence)
    strata = [c for c in table.columns if c.startswith("y")]
    fold = assign_folds(table, n_folds=n_folds, seed=seed).select("patient_id", "fold").unique()
    assert dict(fold.rows()) == sechidis(table, strata, n_folds=n_folds, seed=seed)


def test_strata_can_be_a_list_of_their_members():
    table = people(200, seed=7, prevalence=(0.3, 0.05, 0.1))
    names = ["y0", "y1", "y2"]
    members = pl.concat([table.filter(pl.col(n) == 1).select("recording_id", stratum=pl.lit(n)) for n in names])
    wide = assign_folds(table, n_folds=5, seed=3)
    assert assign_folds(table.drop(names), n_folds=5, seed=3, strata=members.reverse()).equals(wide)
    half = assign_folds(table.drop("y1", "y2"), n_folds=5, seed=3, strata=members.filter(pl.col("stratum") != "y0"))
    assert half.equals(wide)
    twice = pl.concat([members, members.filter(pl.col("stratum") == "y1")])
    assert assign_folds(table.drop(names), n_folds=5, seed=3, strata=twice).equals(wide)


def test_published_folds_are_taken_as_they_are():
    table = pl.DataFrame({"recording_id": ["b", "a", "c"], "patient_id": ["p", "p", "q"], "strat_fold": [19, 19, 0]})
    assert published_folds(table, "strat_fold").rows() == [("a", "p", 19), ("b", "p", 19), ("c", "q", 0)]


def test_published_folds_that_share_a_patient_are_refused():
    table = pl.DataFrame({"recording_id": ["a", "b"], "patient_id": ["p", "p"], "fold": [1, 2]})
    with pytest.raises(StudyError, match="got 1 on both, first 'p'"):
        published_folds(table, "fold")
    with pytest.raises(StudyError, match="no such column"):
        published_folds(table, "strat_fold")
    with pytest.raises(StudyError, match="got 1 without"):
        published_folds(table.with_columns(fold=pl.Series([1, None])), "fold")
