"""Who the simulated patients are, and what is true of each of their recordings."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, ndtr, ndtri

from twelvelead.simulate.draws import normals, stream, uniforms
from twelvelead.simulate.site import Site

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]
Draw = Callable[[str], Floats]

CONDITIONS = (
    ("atrial_fibrillation", 0.13, 0.6),
    ("ventricular_hypertrophy", 0.18, 0.3),
    ("left_bundle_branch_block", 0.06, 0.5),
    ("right_bundle_branch_block", 0.07, 0.5),
    ("left_axis", 0.12, 0.4),
    ("low_voltage", 0.14, 0.2),
    ("ischaemia", 0.12, 0.4),
    ("potassium_excess", 0.16, 0.1),
    ("tachycardia", 0.18, 0.0),
)
"""Latent conditions: name, prevalence at age 62, log-odds for every 15 years of age."""

_LONGEST_GAP_DAYS = 500


def draw_patients(n_patients: int, *, site: Site, seed: int) -> Columns:
    """Draw age at the first recording, sex and latent conditions.

    Parameters
    ----------
    n_patients : int
        How many.
    site : Site
        Case mix.
    seed : int
        Of the hospital.

    Returns
    -------
    dict of str to ndarray, shape (n_patients,)
        `age` (years, 18 to 98), `female` (bool) and one bool for each of `CONDITIONS`.
    """
    shape = (n_patients,)
    low, high = (ndtr((limit - site.age_mean) / site.age_sd) for limit in (18.0, 98.0))
    age = site.age_mean + site.age_sd * ndtri(low + (high - low) * uniforms(f"{site.code}/age", shape, seed=seed))
    columns: Columns = {"age": age, "female": uniforms(f"{site.code}/sex", shape, seed=seed) < site.female_share}
    shifts = dict(site.condition_shifts)
    for name, prevalence, slope in CONDITIONS:
        risk = expit(logit(prevalence) + shifts.get(name, 0.0) + slope * (age - 62) / 15)
        columns[name] = uniforms(f"{site.code}/{name}", shape, seed=seed) < risk
    # The beat model has one late ventricle, not two.
    columns["right_bundle_branch_block"] &= ~columns["left_bundle_branch_block"]
    return columns


def draw_recordings(n_patients: int, *, n_recordings: int, site: Site, seed: int) -> Columns:
    """Draw what is true of each recording: rhythm, intervals, wave vectors and noise.

    Parameters
    ----------
    n_patients, n_recordings : int
        Patients, and recordings of each.
    site : Site
        Case mix and machine.
    seed : int
        Of the hospital.

    Returns
    -------
    dict of str to ndarray, shape (n_patients * n_recordings,)
        A patient's recordings follow one another in time. PR interval and P duration are NaN in atrial fibrillation,
        which has no P wave.
    """
    shape = (n_patients, n_recordings)

    def uniform(name: str) -> Floats:
        return uniforms(f"{site.code}/{name}", shape, seed=seed)

    def varied(name: str) -> Floats:
        """Draw standard normals that a patient's recordings share in part (correlation 0.6)."""
        person = normals(f"{site.code}/{name}/patient", (n_patients, 1), seed=seed)
        mixed: Floats = np.sqrt(0.6) * person + np.sqrt(0.4) * normals(f"{site.code}/{name}", shape, seed=seed)
        return mixed

    patients = {
        name: np.broadcast_to(column[:, None], shape)
        for name, column in draw_patients(n_patients, site=site, seed=seed).items()
    }
    first_day = uniforms(f"{site.code}/first_day", (n_patients, 1), seed=seed) * 3000
    gaps = 30 + (_LONGEST_GAP_DAYS - 30) * uniform("gap")
    gaps[:, 0] = 0.0
    days = np.cumsum(gaps, axis=1)
    truth: Columns = {
        "patient": np.broadcast_to(np.arange(n_patients)[:, None], shape),
        "occasion": np.broadcast_to(np.arange(n_recordings), shape),
        "minute": np.floor((first_day + days) * 1440).astype(np.int64),
        "seed": stream(f"{site.code}/recording", seed=seed).integers(0, 2**63, size=shape),
        # Whole years, and 90 for everybody above 89, as in the databases that protect their oldest patients.
        "age_years": np.where((age := np.floor(patients["age"] + days / 365.25)) > 89, 90.0, age),
        **patients,
    }
    truth = describe_recordings(truth, uniform=uniform, varied=varied)
    return {name: np.ascontiguousarray(column).reshape(-1) for name, column in truth.items() if name != "age"}


def describe_recordings(people: Columns, *, uniform: Draw, varied: Draw) -> Columns:
    """Add rhythm, intervals, wave vectors and noise to what is known of the people recorded.

    Parameters
    ----------
    people : dict of str to ndarray
        `age_years`, `female` and one bool for each of `CONDITIONS`, all of one shape: an element per recording.
    uniform, varied : callable
        Name of a quantity to its random numbers in that shape: uniform on [0, 1), and standard normals that a patient's
        recordings share in part.

    Returns
    -------
    dict of str to ndarray
        `people` and the new columns, in that shape.
    """
    truth = people | _rhythm(people, uniform=uniform)
    truth |= _intervals(truth, varied=varied)
    truth |= _vectors(truth, varied=varied)
    return truth | _noise(uniform=uniform)


def _rhythm(truth: Columns, *, uniform: Draw) -> Columns:
    """Rhythm of each recording; fibrillation comes and goes, premature beats occur in sinus rhythm only."""
    fibrillates = truth["atrial_fibrillation"] & (uniform("paroxysm") < 0.85)
    ectopy = uniform("ectopy")
    premature = np.where(fibrillates, 0, (ectopy < 0.08).astype(int) + (ectopy < 0.03).astype(int))
    block = np.where(
        truth["left_bundle_branch_block"], "left", np.where(truth["right_bundle_branch_block"], "right", "none")
    )
    return {
        "rhythm": np.where(fibrillates, "af", "sinus"),
        "premature_beat_count": premature,
        "bundle_branch_block": block,
    }


def _intervals(truth: Columns, *, varied: Draw) -> Columns:
    """RR, PR, QRS and QT in ms: physiological ranges, and P never begins before the last T has ended."""
    age = (truth["age_years"] - 62) / 15
    fibrillates, block = truth["rhythm"] == "af", truth["bundle_branch_block"]
    potassium = truth["potassium_excess"]
    rate = np.where(fibrillates, 90.0, 70.0) * np.exp(0.17 * varied("rate")) * np.where(truth["tachycardia"], 1.28, 1.0)
    rate = np.clip(rate, 46.0, 128.0)
    p = np.clip(108 + 3 * age + 9 * varied("p_duration"), 84, 140)
    pr = 160 + 5 * age + 17 * varied("pr") + 16 * potassium + 12 * (block != "none") - 0.35 * (rate - 70)
    pr = np.clip(pr, np.maximum(120, p + 14), 220)
    qrs = 91 - 5 * truth["female"] + 7.5 * varied("qrs") + 10 * potassium + 7 * truth["ventricular_hypertrophy"]
    qrs = np.clip(np.where(block == "none", qrs, 137 + 8 * varied("qrs")), 72, 160)
    qtc = 412 + 8 * truth["female"] + 3 * age + 19 * varied("qtc") + 0.45 * (qrs - 91) + 14 * truth["ischaemia"]
    qtc = np.clip(qtc, 375, 500)
    before_t_end = np.where(fibrillates, 0.0, pr)
    rr = 60_000 / rate
    for _ in range(8):  # a contraction (factor about 0.3): RR = QT(RR) + PR + 60 ms where the rate asked for less
        rr = np.maximum(rr, qtc * np.cbrt(rr / 1000) + before_t_end + 60)
    qt = qtc * np.cbrt(rr / 1000)
    spare = (rr - qt - before_t_end - 25) / 2.2
    irregular = np.where(fibrillates, 0.19 + 0.03 * varied("rr_sd"), np.exp(-3.6 - 0.25 * age + 0.4 * varied("rr_sd")))
    return {
        "heart_rate_bpm": 60_000 / rr,
        "rr_sd_ms": np.minimum(irregular * rr, spare),
        "p_duration_ms": np.where(fibrillates, np.nan, p),
        "pr_interval_ms": np.where(fibrillates, np.nan, pr),
        "qrs_duration_ms": qrs,
        "qt_interval_ms": qt,
        "qtc_fridericia_ms": qtc,
    }


def _vectors(truth: Columns, *, varied: Draw) -> Columns:
    """Size and direction of the P, QRS and T vectors."""
    age = (truth["age_years"] - 62) / 15
    thick, left = truth["ventricular_hypertrophy"], truth["bundle_branch_block"] == "left"
    size = 1.25 * np.exp(0.19 * varied("qrs_size") - 0.03 * age) * np.where(thick, 1.5, 1.0)
    size *= np.where(truth["low_voltage"] & ~thick, 0.55, 1.0)
    rotation = 31 - 8 * age - 6 * thick - 48 * truth["left_axis"] - 15 * left + 13 * varied("qrs_rotation")
    # T points against QRS in left bundle-branch block and away from the ischaemic or the strained lateral wall.
    turn = np.where(left, 150.0, np.where(truth["ischaemia"], 95.0, np.where(thick, 45.0, 0.0)))
    t_size = 0.25 * np.exp(0.22 * varied("t_size")) * np.where(truth["potassium_excess"], 1.75, 1.0)
    return {
        "qrs_size_mv": np.clip(size, 0.35, 2.6),
        "qrs_rotation_deg": np.clip(rotation, -55, 90),
        "qrs_posterior": np.clip(0.25 + 0.08 * varied("qrs_posterior"), 0.0, 0.55),
        "t_size_mv": np.clip(t_size * np.where(truth["low_voltage"], 0.8, 1.0), 0.1, 0.8),
        "t_rotation_deg": 31 - 4 * age + 10 * varied("t_rotation") + turn,
        "t_anterior": np.clip(0.6 + 0.15 * varied("t_anterior"), 0.15, 1.0) * np.where(truth["ischaemia"], 0.5, 1.0),
        "p_size_mv": np.clip(0.10 * np.exp(0.2 * varied("p_size")), 0.06, 0.2),
        "p_rotation_deg": 45 + 12 * varied("p_rotation"),
        "fibrillation_mv": np.clip(0.05 * np.exp(0.3 * varied("f")), 0.02, 0.11) * (truth["rhythm"] == "af"),
    }


def _noise(*, uniform: Draw) -> Columns:
    """How much noisier a recording is than its site's average; most are better, a few much worse."""
    return {"noise_ratio": 0.4 * np.exp(1.5 * uniform("noise") ** 2)}
