import numpy as np
import polars as pl
import pytest

from twelvelead.measure import CATALOGUE
from twelvelead.predict.concepts import CONCEPTS, OTHER, by_concept, concept_importance, concept_of, sum_by_concept
from twelvelead.terms import InputError


@pytest.mark.parametrize("measurement", CATALOGUE, ids=lambda m: m.name)
def test_every_measurement_is_about_something(measurement):
    assert concept_of(measurement.name) in set(CONCEPTS) - {"demographics", "embedding", "clinical"}


@pytest.mark.parametrize(
    ("predictor", "concept"),
    [
        ("heart_rate_bpm", "rate"), ("p_terminal_force_v1_mvms", "atrial"), ("p_axis_deg", "axis"),
        ("pr_interval_ms", "conduction"), ("qrs_duration_ms", "conduction"), ("qt_interval_ms", "repolarisation"),
        ("t_amplitude_v5_mv", "repolarisation"), ("qrs_t_angle_spatial_deg", "axis"),
        ("cornell_product_mvms", "voltage"),
        ("st_elevation_count", "morphology"), ("q_duration_iii_ms", "morphology"), ("noise_v1_mv", "quality"),
        ("age_years", "demographics"), ("sex_male", "demographics"), ("bmi_kgm2", "clinical"), ("za_htn", "clinical"),
        ("za_st_depression", "morphology"), ("uci_weight_kg", "clinical"), ("uci_qrst_axis_deg", "axis"),
        ("embedding_017", "embedding"), ("delay_h", OTHER),
    ],
)  # fmt: skip
def test_what_a_cardiologist_would_say(predictor, concept):
    assert concept_of(predictor) == concept


def example():
    rng = np.random.default_rng(0)
    names = [m.name for m in CATALOGUE[::9]] + ["age_years", "delay_h"]
    return rng.normal(size=(6, len(names))), names


def test_sums_add_up_and_the_long_form_says_the_same():
    shap, names = example()
    sums, concepts = sum_by_concept(shap, names)
    assert sums.sum(axis=1) == pytest.approx(shap.sum(axis=1), abs=1e-12)
    long = pl.DataFrame(
        {
            "recording_id": np.repeat([f"r{k}" for k in range(6)], len(names)), "target": "t",
            "feature": names * 6, "value": 1.0, "shap": shap.ravel(),
        }
    )  # fmt: skip
    got = by_concept(long)
    assert got.columns == ["recording_id", "target", "concept", "shap"]
    for k, row in enumerate(sums):
        mine = dict(got.filter(recording_id=f"r{k}").select("concept", "shap").rows())
        assert mine == pytest.approx(dict(zip(concepts, row, strict=True)), abs=1e-12)
    by_hand = shap[:, names.index("age_years")]
    assert sums[:, concepts.index("demographics")].tolist() == by_hand.tolist()


def test_importance_is_the_mean_of_the_sums_not_the_sum_of_the_means():
    shap, names = np.array([[1.0, -1.0, 0.5], [-2.0, 2.0, 0.5]]), ["qt_interval_ms", "jt_interval_ms", "delay_h"]
    assert concept_importance(shap, names).rows() == [("other", 1, 0.5), ("repolarisation", 2, 0.0)]


def test_a_mapping_comes_first():
    shap, names = np.array([[1.0, 2.0]]), ["delay_h", "qt_interval_ms"]
    concepts = {"delay_h": "timing", "qt_interval_ms": "timing"}
    sums, there = sum_by_concept(shap, names, concepts=concepts)
    assert (sums.tolist(), there) == ([[3.0]], ("timing",))
    long = pl.DataFrame({"recording_id": ["r", "r"], "feature": names, "shap": [1.0, 2.0]})
    assert by_concept(long, concepts=concepts).rows() == [("r", "timing", 3.0)]


def test_a_column_without_a_name_is_refused():
    with pytest.raises(InputError, match=r"got 1 for shape \(1, 2\)"):
        sum_by_concept(np.zeros((1, 2)), ["qt_interval_ms"])
    assert sum_by_concept(np.zeros((3, 0)), [])[0].shape == (3, 0)
