"""What must not help a prediction doesn't: the patient's other recordings, shuffled labels, a leak in the test set.

No waveforms: measurements, patients and outcomes are random numbers of which everything is known.
"""

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from twelvelead.cohort import assign_folds
from twelvelead.predict import RiskClassifier
from twelvelead.study import parse_study, run_study

DEEP = {"n_members": 1, "n_folds": 3, "elimination": 0, "max_depth": 6, "colsample": 1.0, "learning_rate": 0.1}


def people(n_patients, *, per_patient, seed):
    """Measurements by which a patient can be recognised but nothing predicted, and whose they are."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), per_patient)
    own = rng.normal(size=(n_patients, 6))
    return own[patient] + 0.1 * rng.normal(size=(len(patient), 6)), patient, rng


def score(X, y, held_out, *, patient):
    groups = None if patient is None else patient[~held_out].astype(str)
    model = RiskClassifier(**DEEP).fit(X[~held_out], y[~held_out], groups=groups)
    return roc_auc_score(y[held_out], model.predict_proba(X[held_out])[:, 1])


def test_without_signal_patients_apart_give_one_half_and_recordings_apart_do_not():
    apart, mixed = [], []
    for seed in range(8):
        X, patient, rng = people(700, per_patient=4, seed=seed)
        y = rng.integers(0, 2, size=700)[patient]
        ids = pl.DataFrame(
            {
                "recording_id": [f"{i:05d}" for i in range(len(y))],
                "patient_id": [f"{i:05d}" for i in patient],
                "y": y,
            }
        )
        held_out = assign_folds(ids, n_folds=3, seed=seed).sort("recording_id")["fold"].to_numpy() == 0
        apart.append(score(X, y, held_out, patient=patient))
        mixed.append(score(X, y, rng.random(len(y)) < 1 / 3, patient=None))
    assert np.mean(apart) == pytest.approx(0.5, abs=0.03)
    assert np.mean(mixed) > 0.7


# --- through the whole of a study -------------------------------------------------------------------------------------

N_PATIENTS, PER_PATIENT = 1600, 2

DECLARATION = """
name = "leaks"
title = "Leaks"
question = "Does anything help that must not?"
seed = 1

[database]
kind = "tables"

[predictors]
source = "database"

[split]
method = "holdout"
n_folds = 2

[model]
n_members = 1
elimination = 0.5

[validation]
n_resamples = 100
"""

TARGET = """
[[targets]]
name = "{name}"
title = "{name}"
system = "icd10"
codes = ["{name}"]
link = "recording"
event = "value"
"""


def write_hospital(folder, measurements, outcomes, patient):
    """Write a hospital as tables: a column per measurement, a code per outcome."""
    folder.mkdir()
    n = len(patient)
    recording = [f"r{i:05d}" for i in range(n)]
    rng = np.random.default_rng(9)
    age = rng.uniform(20, 90, patient.max() + 1)[patient]
    male = rng.integers(0, 2, patient.max() + 1)[patient]
    cohort = pl.DataFrame(
        {
            "recording_id": recording,
            "patient_id": [f"p{i:05d}" for i in patient],
            "recorded_at": [datetime(2020, 1, 1) + timedelta(hours=i) for i in range(n)],
            "age_years": age,
            "sex": np.where(male == 1, "male", "female").tolist(),
        }
    )
    cohort.write_parquet(folder / "cohort.parquet")
    rows = [
        {
            "patient_id": f"p{patient[i]:05d}",
            "system": "icd10",
            "code": name,
            "value": float(y[i]),
            "recording_id": recording[i],
        }
        for name, y in outcomes.items()
        for i in range(n)
    ]
    events = pl.DataFrame(rows).with_columns(time=pl.lit(None, pl.Datetime("us")))
    events.write_parquet(folder / "events.parquet")
    features = pl.DataFrame({"recording_id": recording, **measurements})
    features.write_parquet(folder / "features.parquet")
    (folder / "database.json").write_text(json.dumps({"name": "leaks", "simulated": True}))


def study(folder, out, names):
    declared = parse_study(DECLARATION + "".join(TARGET.format(name=name) for name in names), name="leaks")
    return run_study(declared, data=folder, out=out)


def aurocs(results):
    chosen = (pl.col("metric") == "auroc") & (pl.col("stratum") == "all") & (pl.col("model") == "ecg_age_sex")
    return results.performance.filter(chosen).sort("target")["estimate"].to_numpy()


def columns(X):
    return {f"x{i}": X[:, i] for i in range(X.shape[1])}


def test_shuffled_labels_through_the_whole_pipeline_predict_nothing(tmp_path):
    X, patient, rng = people(N_PATIENTS, per_patient=PER_PATIENT, seed=0)
    outcomes = {f"A{k:02d}": rng.integers(0, 2, size=N_PATIENTS)[patient] for k in range(20)}
    write_hospital(tmp_path / "data", columns(X), outcomes, patient)
    results = study(tmp_path / "data", tmp_path / "out", outcomes)
    found = aurocs(results)
    assert len(found) == 20
    assert 0.49 <= found.mean() <= 0.51
    covered = results.performance.filter(
        (pl.col("metric") == "auroc") & (pl.col("stratum") == "all") & (pl.col("lower") > 0.5)
    )
    assert covered.height <= 6  # 60 intervals, of which 2.5 % lie above 0.5: P(more than 6) < 0.001


def test_a_leak_in_the_held_out_part_alone_changes_nothing_and_who_a_patient_is_never_helps(tmp_path):
    X, patient, rng = people(N_PATIENTS, per_patient=PER_PATIENT, seed=3)
    risk = 1 / (1 + np.exp(-1.5 * X[::PER_PATIENT, 0]))
    y = (rng.random(N_PATIENTS) < risk).astype(int)[patient]
    noise = rng.normal(size=len(y))
    write_hospital(tmp_path / "plain", columns(X) | {"extra": noise}, {"B01": y}, patient)
    plain = aurocs(study(tmp_path / "plain", tmp_path / "plain_out", ["B01"]))[0]
    assert plain > 0.75
    folds = pl.read_parquet(tmp_path / "plain_out" / "folds.parquet").sort("recording_id")
    held_out = folds["fold"].to_numpy() == 0
    leak = np.where(held_out, y + 0.01 * noise, noise)
    write_hospital(tmp_path / "leak", columns(X) | {"extra": leak}, {"B01": y}, patient)
    leaky = study(tmp_path / "leak", tmp_path / "leak_out", ["B01"])
    assert pl.read_parquet(tmp_path / "leak_out" / "folds.parquet").sort("recording_id").equals(folds)
    assert aurocs(leaky)[0] == pytest.approx(plain, abs=0.01)
    name = np.random.default_rng(4).permutation(N_PATIENTS)[patient].astype(float)
    write_hospital(tmp_path / "named", columns(X) | {"extra": name}, {"B01": y}, patient)
    assert aurocs(study(tmp_path / "named", tmp_path / "named_out", ["B01"]))[0] < plain + 0.01
