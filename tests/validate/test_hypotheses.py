from itertools import combinations

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit, stdtr
from scipy.stats import mannwhitneyu

from twelvelead.terms import HYPOTHESES, ContractError, StudyError
from twelvelead.validate import (
    adjust,
    auroc,
    auroc_covariance,
    chance_z,
    delta_auroc,
    discoveries,
    hypotheses,
)

# --- the test against chance ------------------------------------------------------------------------------------------


def test_with_one_recording_per_patient_it_is_wilcoxons_test():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    p = rng.integers(0, 8, 60) + y
    want = mannwhitneyu(p[y == 1], p[y == 0], use_continuity=False, alternative="greater", method="asymptotic").pvalue
    assert stdtr(1e9, -chance_z(y, p)) == pytest.approx(want, rel=1e-6)
    assert chance_z(y, -p) == pytest.approx(-chance_z(y, p), abs=1e-12)
    assert chance_z([0, 1], [0.5, 0.5]) == 0.0


def test_its_variance_is_that_of_exchanging_patients():
    """All ways of giving 3 of 7 patients, with two recordings each, the event."""
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(7), 2)
    p = rng.normal(size=14)
    excess = []
    for with_event in combinations(range(7), 3):
        y = np.isin(unit, with_event).astype(float)
        excess.append(auroc(y, p) - 0.5)
    assert np.mean(excess) == pytest.approx(0, abs=1e-14)
    # The last of them: its distance in permutation standard deviations.
    assert chance_z(y, p, patients=unit) == pytest.approx(excess[-1] / np.std(excess), abs=1e-12)


def test_repeated_recordings_are_no_evidence():
    rng = np.random.default_rng(2)
    y, p = (rng.uniform(size=80) < 0.3).astype(int), rng.normal(size=80)
    again, unit = np.repeat(np.arange(80), 3), np.repeat(np.arange(80), 3)
    assert chance_z(y[again], p[again], patients=unit) == pytest.approx(chance_z(y, p), abs=1e-12)
    assert abs(chance_z(y[again], p[again])) > 1.6 * abs(chance_z(y, p))


def clustered(rng, n_with_event, shift=0.0, n_patients=200, sizes="equal"):
    """Patients with a trait that all their recordings share; those with the event in all of them."""
    size = np.full(n_patients, 4) if sizes == "equal" else np.minimum(rng.geometric(0.35, n_patients), 20)
    chance = None if sizes == "equal" else size / size.sum()
    unit = np.repeat(np.arange(n_patients), size)
    sick = np.isin(np.arange(n_patients), rng.choice(n_patients, n_with_event, replace=False, p=chance))
    y = sick[unit].astype(float)
    return y, rng.normal(size=n_patients)[unit] + 0.7 * rng.normal(size=len(unit)) + shift * y, unit


@pytest.mark.parametrize("sizes", ["equal", "the sick have more"])
def test_its_size_holds_where_that_of_records_does_not(sizes):
    """600 true null hypotheses: a rate of 5 % has a standard error of 0.9 %."""
    rng = np.random.default_rng(3)
    drawn = [clustered(rng, 25, sizes=sizes) for _ in range(600)]
    by_patient = np.array([chance_z(y, p, patients=unit) for y, p, unit in drawn])
    by_recording = np.array([chance_z(y, p) for y, p, _ in drawn])
    assert abs(np.mean(by_patient > 1.6449) - 0.05) < 2.5 * 0.0089
    assert abs(np.mean(np.abs(by_patient) > 1.96) - 0.05) < 2.5 * 0.0089
    assert np.mean(np.abs(by_recording) > 1.96) > 0.2
    # 600 useless targets: the patient's test finds none, the recording's one many.
    assert not (adjust(stdtr(1e9, -by_patient), method="bh") <= 0.05).any()
    assert (adjust(stdtr(1e9, -by_recording), method="bh") <= 0.05).sum() > 20


# --- the table --------------------------------------------------------------------------------------------------------


def table_of(target, y, risks, unit, where="internal"):
    ids = [f"{target}-{i:05d}" for i in range(len(y))]
    return pl.concat(
        pl.DataFrame(
            {
                "recording_id": ids,
                "patient_id": [f"p{u:04d}" for u in unit],
                "target": target,
                "model": model,
                "set": where,
                "y": pl.Series(y, dtype=pl.Int8),
                "p": expit(p),
            }
        )
        for model, p in risks.items()
    )


def predicted(target, seed, shift, n_with_event=40, where="internal"):
    rng = np.random.default_rng(seed)
    y, p, unit = clustered(rng, n_with_event, shift)
    return table_of(target, y, {"ecg": p, "age_sex": p - 0.5 * shift * y + 0.5 * rng.normal(size=len(y))}, unit, where)


@pytest.fixture(scope="module")
def predictions():
    return pl.concat(
        [predicted("I48", 0, 2.0), predicted("I48.1", 1, 2.0), predicted("E11", 7, 0.0), predicted("N18", 8, 0.0),
         predicted("A41", 4, 2.0, n_with_event=9)]
    )  # fmt: skip


DECLARED = ("A41", "E11", "I48", "I48.1", "N18", "Z99")


@pytest.fixture(scope="module")
def tested(predictions):
    return hypotheses(predictions, model="ecg", base="age_sex", rate=0.05, declared=DECLARED)


def test_every_declared_target_is_counted(tested):
    HYPOTHESES.check(tested)
    assert tested.height == 3 * len(DECLARED)
    assert tested["n_tested"].unique().to_list() == [6]
    assert tested["n_families"].unique().to_list() == [5]
    notes = dict(tested.filter(hypothesis="auroc > 0.5").select("target", "note").rows())
    assert "fewer than 10 patients" in notes["A41"]
    assert "without predictions" in notes["Z99"]
    not_tested = tested.filter(pl.col("target").is_in(["A41", "Z99"]))
    assert not_tested.select("estimate", "z", "p_value", "p_bh", "p_by").null_count().row(0) == (6,) * 5
    assert not not_tested["rejected"].any()


def test_what_is_there_is_found_and_what_is_not_is_not(tested):
    found = {h: set(tested.filter("rejected", hypothesis=h)["target"]) for h in tested["hypothesis"].unique()}
    assert found == {
        "auroc > 0.5": {"I48", "I48.1"}, "auroc > 0.7": {"I48", "I48.1"}, "delta_auroc > 0": {"I48", "I48.1"},
    }  # fmt: skip
    assert dict(tested.filter(target="I48.1").select("parent", "family").rows()) == {"I48": "I48"}
    assert discoveries(tested).row(0, named=True) == {
        "set": "internal", "hypothesis": "auroc > 0.5", "n_tested": 6, "n_families": 5, "n_rejected": 2,
        "n_families_rejected": 1, "n_leaves_rejected": 1,
    }  # fmt: skip


def test_each_test_is_the_one_that_is_named(tested, predictions):
    part = predictions.filter(target="I48").sort("recording_id")
    new, base = (part.filter(model=m) for m in ("ecg", "age_sex"))
    y, ids = new["y"], new["patient_id"]
    rows = {r["hypothesis"]: r for r in tested.filter(target="I48").iter_rows(named=True)}
    assert rows["auroc > 0.5"]["z"] == pytest.approx(chance_z(y, new["p"], patients=ids), abs=1e-12)
    area = auroc(y, new["p"])
    assert rows["auroc > 0.5"]["estimate"] == rows["auroc > 0.7"]["estimate"] == pytest.approx(area, abs=1e-12)
    error = auroc_covariance(y, new["p"], patients=ids)[1].item() ** 0.5
    z = (logit(area) - logit(0.7)) * area * (1 - area) / error
    assert rows["auroc > 0.7"]["z"] == pytest.approx(z, abs=1e-9)
    # 40 patients have the event: 39 degrees of freedom.
    assert rows["auroc > 0.7"]["p_value"] == pytest.approx(stdtr(39, -z), rel=1e-9)
    paired = delta_auroc(y, new["p"], base["p"], patients=ids, level=0.95)
    assert rows["delta_auroc > 0"]["z"] == pytest.approx(paired.z, abs=1e-9)
    for method in ("bh", "by"):
        family = tested.filter(hypothesis="auroc > 0.5")
        want = adjust(family["p_value"].fill_null(np.nan), method=method, n_tests=6)
        assert family[f"p_{method}"].fill_null(np.nan).to_numpy() == pytest.approx(want, nan_ok=True)


def test_order_of_rows_and_one_table_or_several_make_no_difference(tested, predictions):
    choices = {"model": "ecg", "base": "age_sex", "rate": 0.05, "declared": DECLARED}
    shuffled = predictions.sample(fraction=1, shuffle=True, seed=0)
    assert hypotheses(shuffled, **choices).equals(tested)
    one_by_one = (part for _, part in shuffled.group_by("target"))
    assert hypotheses(one_by_one, **choices).equals(tested)


def test_sets_are_families_of_their_own(predictions):
    both = pl.concat([predictions, predicted("I48", 9, 0.0, where="external")])
    found = hypotheses(both, model="ecg", base=None, rate=0.05)
    assert found["set"].unique().sort().to_list() == ["external", "internal"]
    assert found.filter(set="external", hypothesis="auroc > 0.5")["p_bh"].null_count() == 4
    assert set(found["hypothesis"]) == {"auroc > 0.5", "auroc > 0.7"}


def test_a_model_that_ranks_alike_is_no_improvement(predictions):
    alike = predictions.with_columns(p=pl.col("p").first().over("recording_id", "target"))
    found = hypotheses(alike, model="ecg", base="age_sex", rate=0.05).filter(hypothesis="delta_auroc > 0")
    assert found.drop_nulls("p_value").select(pl.col("estimate", "z").abs().max()).row(0) == (0.0, 0.0)
    assert found["p_value"].drop_nulls().unique().to_list() == [0.5]


def test_a_separating_model_has_no_error(predictions):
    perfect = predictions.filter(target="I48").with_columns(p=(pl.col("y") * 0.5 + pl.col("p") / 4))
    row = hypotheses(perfect, model="ecg", base=None, rate=0.05).row(1, named=True)
    assert (row["hypothesis"], row["estimate"], row["p_value"]) == ("auroc > 0.7", 1.0, None)
    assert "no standard error" in row["note"]


def test_absent_base_is_said(predictions):
    found = hypotheses(predictions.filter(model="ecg"), model="ecg", base="age_sex", rate=0.05)
    notes = found.filter(target="I48", hypothesis="delta_auroc > 0")["note"]
    assert "no predictions of the base model" in notes[0]


def test_refuses_what_can_not_be_tested(predictions):
    choices = {"model": "ecg", "base": "age_sex", "rate": 0.05}
    with pytest.raises(StudyError, match=r"rate must be in \(0, 1\); got 5"):
        hypotheses(predictions, **{**choices, "rate": 5})
    with pytest.raises(StudyError, match="got none of 'cnn'"):
        hypotheses(predictions, **{**choices, "model": "cnn"})
    with pytest.raises(StudyError, match="every target must be declared; got 4 that are not, first 'A41'"):
        hypotheses(predictions, **choices, declared=["I48"])
    with pytest.raises(StudyError, match="must come in one table; got I48, internal in two"):
        hypotheses([predictions, predictions], **choices)
    with pytest.raises(StudyError, match="one prediction of a model; got one twice of ecg in I48, internal"):
        hypotheses(pl.concat([predictions.filter(target="I48")] * 2), **choices)
    base_off = (pl.col("model") == "age_sex") & (pl.col("recording_id") == "I48-00000")
    with pytest.raises(
        StudyError, match="must have the same recordings, patients and outcomes; got 800 of ecg and 799"
    ):
        hypotheses(predictions.filter(~base_off), **choices)
    with pytest.raises(StudyError, match="predictions must not be null"):
        hypotheses(predictions.with_columns(p=pl.when(target="I48").then(None).otherwise("p")), **choices)
    with pytest.raises(ContractError, match="must have column"):
        hypotheses(predictions.drop("p"), **choices)
