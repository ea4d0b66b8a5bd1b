"""What becomes of the patients, drawn from the true risks; and the best that any model could do."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.optimum import expected_auroc
from twelvelead.simulate.published.analytes import TESTS, target_of
from twelvelead.simulate.published.diseases import DISEASES, Disease
from twelvelead.simulate.published.effects import SIGNS, Planted, read_signs, risk_of
from twelvelead.simulate.published.findings import FINDINGS, NORMAL
from twelvelead.simulate.published.population import BLOCK, Block, Plan, draw_block

Floats = NDArray[np.float64]

_OPTIMUM_BLOCKS = 10
_SIGNS_FROM = ("age_years", "female", "heart_rate_bpm", "pr_interval_ms", "qrs_duration_ms", "qtc_fridericia_ms",
               "qrs_axis_deg", "t_axis_deg", "rhythm", "bundle_branch_block")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Fate:
    """What befalls a block's patients.

    Parameters
    ----------
    risks : dict of str to ndarray, shape (n_recordings,)
        True risk of each disease, finding and abnormal result, given ECG, age and sex.
    findings : dict of str to ndarray of bool, shape (n_recordings,)
        What an X-ray after the ECG shows.
    results : dict of str to ndarray of float, shape (n_recordings,)
        Name of a test's outcome to what decides its result: abnormal below the risk, abnormal in the other direction
        above `1 − OPPOSITE`.
    diseases : dict of str to ndarray of bool, shape (n_visits,)
        What the stay of a visit is coded with. It follows the risk at the first ECG of the visit.
    spelling : dict of str to ndarray of int, shape (n_visits,)
        Which of the disease's spellings.
    version : ndarray of int, shape (n_visits,)
        ICD version of the visit, 9 before October 2015.
    """

    risks: dict[str, Floats]
    findings: dict[str, NDArray[np.bool_]]
    results: dict[str, Floats]
    diseases: dict[str, NDArray[np.bool_]]
    spelling: dict[str, NDArray[np.int64]]
    version: NDArray[np.int64]


def draw_fate(block: Block, *, since_icd10: int) -> Fate:
    """Draw what befalls a block's patients.

    Parameters
    ----------
    block : Block
        Patients and ECGs.
    since_icd10 : int
        Day of the calendar from which stays are coded by ICD-10.
    """
    truth = {name: block.recordings[name].to_numpy() for name in block.recordings.columns if name != "recorded_at"}
    signs, patient = read_signs(truth), truth["patient"]
    planted: tuple[Planted, ...] = (*DISEASES, *FINDINGS, *(test.outcome for test in TESTS))
    risks = {o.name: risk_of(o, signs, site=block.site) for o in planted}
    findings = {f.name: block.chance(f"finding/{f.name}", patient) < risks[f.name] for f in FINDINGS}
    findings[NORMAL] = ~np.any(list(findings.values()), axis=0)
    risks[NORMAL] = np.prod([1 - risks[f.name] for f in FINDINGS], axis=0)
    results = {t.outcome.name: block.chance(f"result/{t.outcome.name}", patient) for t in TESTS}
    first = truth["is_first"]
    version = np.where(truth["real_day"][first] < since_icd10, 9, 10)
    diseases, spelling = {}, {}
    for d in DISEASES:
        befalls = block.chance(f"disease/{d.name}", patient[first]) < risks[d.name][first]
        diseases[d.name] = befalls if d.in_icd9 else befalls & (version == 10)
        place = block.uniform(f"spelling/{d.name}", version.size)
        spelling[d.name] = np.where((version == 9) & d.in_icd9, _choose(d, 9, place), _choose(d, 10, place))
    return Fate(risks, findings, results, diseases, spelling, version)


def _choose(disease: Disease, version: int, place: Floats) -> NDArray[np.int64]:
    """Return which spelling each stay gets."""
    if version == 9 and not disease.in_icd9:
        return np.zeros(place.size, dtype=np.int64)
    return np.searchsorted(np.cumsum(disease.shares(version))[:-1], place, side="right")


def truth_table(block: Block, fate: Fate) -> pl.DataFrame:
    """Return the truth of a block: one row per ECG.

    Returns
    -------
    polars.DataFrame
        The block's recordings; `risk_<name>` of each disease, finding and test; `y_<name>` of findings and tests (what
        an X-ray after the ECG or a blood sample at its time shows, whether or not one was taken), and of each code that
        can be predicted (what the stay of the visit is coded with, if it is). A stay's codes follow the risk at its
        first ECG (`is_first`).
    """
    visit = block.recordings["visit"].to_numpy()
    columns: dict[str, NDArray[Any]] = {f"risk_{n}": risk.astype(np.float32) for n, risk in fate.risks.items()}
    columns |= {f"y_{_word(name)}": shown.astype(np.int8) for name, shown in fate.findings.items()}
    for test in TESTS:
        name = test.outcome.name
        columns[f"y_{target_of(test)}"] = (fate.results[name] < fate.risks[name]).astype(np.int8)
    for d in DISEASES:
        for target in d.targets:
            is_target = np.array([s.icd10.startswith(target) for s in d.spellings])
            columns[f"y_{target}"] = (fate.diseases[d.name] & is_target[fate.spelling[d.name]])[visit].astype(np.int8)
    return (
        block.recordings.with_columns(
            pl.col(pl.Float64).cast(pl.Float32), icd_version=pl.Series(fate.version)[visit].cast(pl.Int8)
        )
        .with_columns(pl.col(pl.Float32).fill_nan(None))
        .hstack(pl.DataFrame(columns))
    )


def describe_outcomes() -> pl.DataFrame:
    """Return every outcome that is planted or null, one row per target.

    Returns
    -------
    polars.DataFrame
        `target`, `name` (its risk is the truth's `risk_<name>`), `kind` (diagnosis, chest_xray or laboratory), `codes`,
        `planted`, `sex`, `formula`.
    """
    rows: list[tuple[str, Planted, str, str]] = [(t, d, "diagnosis", t) for d in DISEASES for t in d.targets]
    rows += [(_word(f.name), f, "chest_xray", f.name) for f in FINDINGS]
    rows += [(target_of(t), t.outcome, "laboratory", t.label) for t in TESTS]
    return pl.DataFrame(
        [
            {"target": target, "name": o.name, "kind": kind, "code": code, "planted": o.planted, "sex": o.sex,
             "formula": o.formula}
            for target, o, kind, code in rows
        ]
    )  # fmt: skip


def describe_signs() -> dict[str, str]:
    """Return the definition of every sign that a formula names."""
    return {name: definition for name, (definition, _) in SIGNS.items()}


def _word(name: str) -> str:
    """Write a finding as the name of a target: `Round(ed) Atelectasis` is `Rounded_Atelectasis`."""
    return name.replace("(", "").replace(")", "").replace(" ", "_")


@lru_cache(maxsize=2)
def optimum_of(plan: Plan, *, seed: int) -> dict[str, float]:
    """Return the highest AUROC that any model can reach for each target in a layout's population.

    Parameters
    ----------
    plan : Plan
        The layout's.
    seed : int
        Of the draw, which is the same whatever the hospital's size.

    Returns
    -------
    dict of str to float
        0.5 for null outcomes. All ECGs count, of the one sex that an outcome can befall.

    Notes
    -----
    As `simulate.best_auroc`: the true risk ranks best, and outcomes are not drawn but weighted. The model is given what
    is true of the ECG, which a machine measures with errors of some milliseconds and degrees: it can come close. Codes
    are weighted by their shares in ICD-10.
    """
    risks: dict[str, list[Floats]] = {}
    diseases = [(target, d, d.share_of(target)) for d in DISEASES for target in d.targets]
    targets = [
        *diseases,
        *((_word(f.name), f, 1.0) for f in FINDINGS),
        *((target_of(t), t.outcome, 1.0) for t in TESTS),
    ]
    for number in range(_OPTIMUM_BLOCKS):
        block = draw_block(number, n_patients=BLOCK, plan=plan, seed=seed)
        signs = read_signs({name: block.recordings[name].to_numpy() for name in _SIGNS_FROM})
        for target, outcome, share in targets:
            risk = risk_of(outcome, signs, site=plan.site) * share
            risks.setdefault(target, []).append(risk[risk > 0])
    return {target: _auroc(np.concatenate(parts)) for target, parts in risks.items()}


def _auroc(risk: Floats) -> float:
    return round(expected_auroc(risk, np.round(risk, 12)), 4)
