"""A small made-up study: two targets, two sets, three models."""

import math

import numpy as np
import polars as pl
import pytest

from twelvelead.signal.recording import Recording
from twelvelead.terms import (
    FAILURES,
    FEATURES,
    FIDUCIALS,
    FLOW,
    LEADS,
    PERFORMANCE,
    PREDICTIONS,
    SELECTION,
    SHAP,
)

MODELS = ("age_sex", "ecg", "ecg_age_sex")


@pytest.fixture
def declaration():
    target = {
        "system": "scp", "codes": ["MI"], "match": "exact", "link": "recording", "window_h": None, "event": "present",
        "absent": "no", "min_events": 20,
    }  # fmt: skip
    return {
        "name": "toy",
        "title": "A toy study",
        "question": "Does it work?",
        "database": {"kind": "ptbxl", "folder": "."},
        "external": {"kind": "tables", "folder": "b"},
        "eligibility": {"min_age_years": 18, "max_age_years": None, "index": "first_per_patient"},
        "predictors": {"include": ["*"], "exclude": ["qtc_*"], "demographics": ["age_years", "sex_male"]},
        "targets": [{**target, "name": "MI", "title": "Infarction"}, {**target, "name": "HYP", "title": "Hypertrophy"}],
        "split": {"method": "holdout", "n_folds": 4, "age_bands_years": [40, 55, 70]},
        "model": {"n_members": 5, "elimination": 0.3, "smallest": 4, "calibration": "logistic"},
        "validation": {
            "n_resamples": 1000,
            "level": 0.95,
            "unit": "patient",
            "thresholds": [0.1, 0.2],
            "method": "studentised",
            "false_discovery_rate": 0.05,
        },
        "seed": 7,
        "mode": "sound",
    }


def performance_row(target, model, set_, metric, estimate, *, stratum="all", width=0.04):
    return {
        "target": target, "model": model, "set": set_, "metric": metric, "stratum": stratum, "estimate": estimate,
        "lower": estimate - width, "upper": estimate + width, "level": 0.95, "n": 60, "n_patients": 55, "n_events": 20,
        "delong_lower": None, "delong_upper": None, "interval": "percentile bootstrap",
    }  # fmt: skip


@pytest.fixture
def recording():
    """Ten seconds of a wave that crosses 0, in all leads but V3."""
    t = np.arange(5000) / 500
    wave = 0.5 * np.sin(2 * np.pi * t) + 0.02 * np.sin(2 * np.pi * 37 * t)
    leads = tuple(lead for lead in LEADS if lead != "V3")
    return Recording(np.vstack([wave * (0.5 + 0.1 * k) for k in range(len(leads))]), leads, 500, id="rec-1")


@pytest.fixture
def fiducials():
    row = {
        "recording_id": "rec-1", "lead": "global", "beat": 0, "p_onset_s": 1.0, "p_peak_s": 1.05, "p_offset_s": 1.1,
        "qrs_onset_s": 1.16, "r_peak_s": 1.2, "qrs_offset_s": 1.26, "t_onset_s": 1.4, "t_peak_s": 1.5,
        "t_offset_s": 1.6, "kind": "dominant", "p_confidence": None, "qrs_confidence": 0.9, "t_confidence": None,
    }  # fmt: skip
    return FIDUCIALS.select([row, {**row, "beat": 1, "p_onset_s": None, "p_offset_s": None}, {**row, "lead": "II"}])


@pytest.fixture
def study(declaration, recording, fiducials):
    """All arguments of `study_report`."""
    rng = np.random.default_rng(0)
    sets = ["internal"] * 60 + ["external"] * 60
    ids = [f"rec-{i}" for i in range(120)]
    people = {"recording_id": ids, "patient_id": [f"p{i}" for i in range(120)]}
    predictions, shap, outcomes, rows = [], [], [], []
    for target, auroc in (("MI", 0.83), ("HYP", 0.71)):
        y = (np.arange(120) % 3 == 0).astype(int)
        outcomes += [
            {"set": set_, "target": target, "n_events": int(part.sum()), "n_known": 60}
            for set_, part in (("internal", y[:60]), ("external", y[60:]))
        ]
        for k, model in enumerate(MODELS):
            p = 1 / (1 + np.exp(-(k * y + rng.normal(-1, 1, 120))))
            predictions.append(pl.DataFrame({**people, "target": target, "model": model, "set": sets, "y": y, "p": p}))
            for set_ in ("internal", "external"):
                value = auroc + 0.01 * k - (0.05 if set_ == "external" else 0)
                rows.append(performance_row(target, model, set_, "auroc", value))
                rows.append(performance_row(target, model, set_, "brier", 0.2 - 0.01 * k, width=0.013))
                rows.append(performance_row(target, model, set_, "net_benefit@0.1", 0.11 + 0.01 * k))
                if k:
                    rows.append(performance_row(target, model, set_, "delta_auroc", 0.051 if target == "MI" else 0.01))
        women = {"metric": "auroc", "estimate": 0.777, "stratum": "sex=female"}
        rows += [performance_row(target, "ecg_age_sex", set_, **women) for set_ in ("internal", "external")]
        values = rng.normal(400, 20, 120)
        for feature, weight in (("qtc_fridericia_ms", 0.02), ("pr_interval_ms", -0.01)):
            table = {"recording_id": ids, "target": target, "model": "ecg_age_sex", "set": sets, "feature": feature}
            shap.append(pl.DataFrame({**table, "value": values, "shap": weight * (values - 400)}))
    steps = [
        {"target": "MI", "model": "ecg_age_sex", "fit": fit, "n_features": 2, "auroc": 0.8, "chosen": True,
         "features": ["qtc_fridericia_ms", "age_years"]}
        for fit in ("fold 0 member 0", "fold 0 member 1")
    ]  # fmt: skip
    flow = FLOW.select(
        [
            {"step": "in the database", "n_recordings": 70, "n_patients": 66, "excluded": 0},
            {"step": "aged 18 years or more", "n_recordings": 60, "n_patients": 60, "excluded": 10},
        ]
    )
    return {
        "declaration": declaration,
        "flow": flow,
        "external_flow": flow,
        "cohort": pl.DataFrame({**people, "age_years": [50.0] * 120, "sex": ["female", "male"] * 60, "set": sets}),
        "features": FEATURES.check(
            pl.DataFrame({"recording_id": ids, "heart_rate_bpm": [60.0, 80.0] * 60, "qtc_bazett_ms": [400.0] * 120})
        ),
        "outcomes": pl.DataFrame(outcomes),
        "predictions": PREDICTIONS.select(pl.concat(predictions)),
        "performance": PERFORMANCE.select(rows),
        "selection": SELECTION.select(steps),
        "shap": SHAP.select(pl.concat(shap)),
        "refusals": [{"target": "CD", "message": "at least 20 events; got 3."}],
        "failures": FAILURES.select([{"recording_id": "x", "reason": "flat", "message": "12 leads are flat."}]),
        "example": {
            "recording": recording, "fiducials": fiducials, "target": "MI", "set": "internal", "p": 0.42, "base": -1.0,
            "reasons": pl.DataFrame({"feature": ["qtc_fridericia_ms"], "value": [450.0], "shap": [math.log(2)]}),
        },
        "simulated": False,
        "optimum": None,
        "versions": {"twelvelead": "0.1.0", "numpy": "2.4"},
        "notes": ["Few events per predictor."],
    }  # fmt: skip
