"""The pack of ECG-Reasoning-Benchmark: its tests and its order of steps say the same; QRS patterns by hand."""

import json
import math
from itertools import product
from pathlib import Path

import pytest

from twelvelead.interpret.criteria import All, AtLeast, Criterion, Finding, Not, Pack
from twelvelead.interpret.engine import judge
from twelvelead.interpret.packs.erb import PACK, STEPS
from twelvelead.interpret.proof import Verdict
from twelvelead.interpret.reasoning_benchmark_steps import Step
from twelvelead.interpret.seen_waves import NOTHING, Complex, Wave, see

CRITERIA = Path(__file__).parents[2].parent / "shared" / "data" / "ecg-reasoning" / "criteria.json"


def follow(state, holds):
    """Go down the steps with the criteria's truth, by key."""
    while isinstance(state, Step):
        state = state.after(holds=holds[state.criterion.key])
    return state


def truth(test, holds):
    match test:
        case Criterion():
            return holds[test.key]
        case All(parts):
            return all(truth(p, holds) for p in parts)
        case AtLeast(n, parts):
            return sum(truth(p, holds) for p in parts) >= n
        case Not(part):
            return not truth(part, holds)
    raise AssertionError


@pytest.mark.parametrize("finding", PACK.findings, ids=lambda f: f.key)
def test_steps_and_test_agree_whatever_the_criteria(finding):
    keys = sorted({step.criterion.key for step in STEPS[finding.key].walk()})
    outcomes = set()
    for values in product([True, False], repeat=len(keys)):
        holds = dict(zip(keys, values, strict=True))
        assert truth(finding.test, holds) == follow(STEPS[finding.key], holds)
        outcomes.add(follow(STEPS[finding.key], holds))
    assert outcomes == {True, False}


@pytest.mark.parametrize("key", STEPS)
def test_a_criterion_has_one_meaning_in_a_diagnosis(key):
    criteria = {}
    for step in STEPS[key].walk():
        assert criteria.setdefault(step.criterion.key, step.criterion) == step.criterion


def test_hypertrophy_by_hand():
    asks = STEPS["left_ventricular_hypertrophy"]
    for r, s, c, strain, made in ((1, 1, 0, 0, True), (0, 0, 0, 1, False), (0, 1, 0, 1, True), (0, 0, 1, 0, False)):
        assert follow(asks, {"r_avl": r, "sokolow": s, "cornell": c, "strain": strain}) is made


@pytest.mark.skipif(not CRITERIA.is_file(), reason="../shared/data/ecg-reasoning is absent")
def test_every_published_criterion_is_there_in_its_own_words():
    published = json.loads(CRITERIA.read_text())
    assert {key: set(of) for key, of in published.items()} == {
        key: {step.criterion.text for step in step.walk()} for key, step in STEPS.items()
    }


# ---- patterns -------------------------------------------------------------------------------------------------------


def pattern(finding, key, lead, case_of, **waves):
    """Decide one criterion in one lead with the waves given as amplitude, duration; without others."""
    values = {}
    for wave in Complex._fields:
        mv, ms = waves.get(wave, (0.0, 0.0))
        values |= {f"{wave}_amplitude_{lead}_mv": mv, f"{wave}_duration_{lead}_ms": ms}
    measured = Complex(*(Wave(*waves.get(wave, (0.0, 0.0))) for wave in Complex._fields))
    for wave, seen in see(measured, waves.get("j", 0.0))._asdict().items():
        values |= {f"{wave}_seen_amplitude_{lead}_mv": seen.mv, f"{wave}_seen_duration_{lead}_ms": seen.ms}
    criterion = next(s.criterion for s in STEPS[finding].walk() if s.criterion.key == key)
    one = Finding("f", "F", "g", criterion, "doi:10.0/0")
    proof = judge(case_of(values), Pack("p", "P", "doi:10.0/0", (one,))).findings["f"]
    return next(p.parts[0].verdict for p in proof.walk() if p.text.lower() == f"lead {lead}") is Verdict.MET


LAFB, LBBB, RBBB, IMI = (
    "left_anterior_fascicular_block", "complete_left_bundle_branch_block", "complete_right_bundle_branch_block",
    "inferior_myocardial_infarction",
)  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "key", "lead", "waves", "verdict"),
    [
        (LAFB, "qr_pattern", "avl", {"q": (-0.04, 10), "r": (0.9, 60)}, True),
        (LAFB, "qr_pattern", "avl", {"r": (0.9, 60)}, False),
        (LAFB, "qr_pattern", "avl", {"q": (-0.1, 20), "r": (0.9, 60), "s": (-0.4, 30)}, False),
        (LAFB, "rs_pattern", "iii", {"r": (0.1, 20), "s": (-0.9, 60)}, True),
        (LAFB, "rs_pattern", "iii", {"r": (0.9, 20), "s": (-0.1, 60)}, False),
        (LAFB, "rs_pattern", "iii", {"q": (-0.9, 80)}, False),
        (LBBB, "r_alone", "v6", {"r": (1.0, 130), "s": (-0.18, 14), "j": -0.17}, True),
        (LBBB, "r_alone", "v6", {"r": (0.6, 40), "s": (-0.14, 36), "j": 0.0}, False),
        (LBBB, "r_alone", "v6", {"q": (-0.1, 20), "r": (1.0, 130)}, False),
        (RBBB, "rsr", "v1", {"r": (0.2, 30), "s": (-0.5, 40), "r_prime": (0.7, 60)}, True),
        (RBBB, "rsr", "v1", {"r": (0.2, 30), "s": (-0.5, 40), "r_prime": (0.07, 10), "j": 0.05}, False),
        (RBBB, "s_slurred", "v6", {"r": (1.0, 40), "s": (-0.3, 44), "j": 0.0}, True),
        (RBBB, "s_slurred", "v6", {"r": (1.0, 50), "s": (-0.3, 30), "j": 0.0}, False),
        (IMI, "q_waves", "iii", {"q": (-0.9, 80)}, True),
        (IMI, "q_waves", "iii", {"q": (-0.3, 35), "r": (1.0, 50)}, True),
        (IMI, "q_waves", "iii", {"q": (-0.3, 25), "r": (1.0, 50)}, False),
        (IMI, "q_waves", "iii", {"q": (-0.1, 35), "r": (1.0, 50)}, False),
        (IMI, "q_waves", "iii", {"r": (0.06, 10), "s": (-0.8, 70)}, True),
        (IMI, "q_waves", "iii", {"r": (0.3, 30), "s": (-0.8, 50)}, False),
    ],
)  # fmt: skip
def test_patterns(finding, key, lead, waves, verdict, case_of):
    assert pattern(finding, key, lead, case_of, **waves) is verdict


def test_no_wave_is_seen_where_none_is_measured():
    assert see(Complex(NOTHING, NOTHING, NOTHING, NOTHING), math.nan) == Complex(NOTHING, NOTHING, NOTHING, NOTHING)
