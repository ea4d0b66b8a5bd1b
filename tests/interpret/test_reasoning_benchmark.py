"""Questions, answers and scores of ECG-Reasoning-Benchmark, on a chain written by hand."""

import math

import numpy as np
import pytest

from twelvelead.interpret.engine import judge
from twelvelead.interpret.packs.erb import PACK
from twelvelead.interpret.proof import Interpretation, Proof, Verdict
from twelvelead.interpret.reasoning_benchmark import FURTHER, Answer, Question, read_sample
from twelvelead.interpret.reasoning_benchmark_answer import Blind, Measured, answer, closest
from twelvelead.interpret.reasoning_benchmark_grounding import choose_bin, choose_window, overlap
from twelvelead.interpret.reasoning_benchmark_score import count, figures, together
from twelvelead.terms import InputError

DECISIONS = ["Yes", "No", FURTHER]
PR_BINS = ["Below 120ms", "[120ms - 140ms]", "[140ms - 160ms]", "[160ms - 180ms]", "[180ms - 200ms]"]


def ask(kind, question, options, right):
    return {"question_type": kind, "question": question, "options": options, "answer": right}


def sample(**names):
    """Write a chain about first-degree AV block in a beat of PR 150 ms, in the words of a release."""
    finding, grounding, decision = (
        names.get(name, name) for name in ("finding_identification", "ecg_grounding", "diagnostic_decision")
    )
    first = {
        "criterion_selection": ask("criterion_selection", "Which?", [
            "Presence of atrial fibrillation", "Evidence of consistent 1:1 atrioventricular conduction",
        ], "Evidence of consistent 1:1 atrioventricular conduction"),
        finding: ask("finding_identification", "Is every P wave followed by a QRS?", ["Yes", "No"], "Yes"),
        grounding: [],
        decision: ask("diagnostic_decision", "So?", DECISIONS, FURTHER),
    }  # fmt: skip
    second = {
        "criterion_selection": ask("criterion_selection", "Which?", [
            "Prolongation of the PR interval", "Prolongation of the QRS duration",
        ], "Prolongation of the PR interval"),
        finding: ask("finding_identification", "Is PR above 200 ms?", ["Yes", "No"], "No"),
        grounding: [
            ask("wave_grounding", "In which segment is the P wave?",
                ["[0.50s - 0.60s]", "[1.20s - 1.24s]"], ["[1.20s - 1.24s]"]),
            ask("measurement_grounding", "Which range does the measured PR interval fall into?", PR_BINS,
                ["[140ms - 160ms]"]),
        ],
        decision: ask("diagnostic_decision", "So?", DECISIONS, "No"),
    }  # fmt: skip
    return {
        "metadata": {"ecg_id": "7", "target_dx": "first_degree_av_block", "dx_label": False, "path_idx": 1},
        "data": {
            "initial_diagnostic_question": {"question": "First-degree AV block?", "options": ["Yes", "No"]},
            names.get("reasoning", "reasoning"): [first, second],
        },
    }


OLD = {"reasoning": "path_1", "ecg_grounding": "grounding", "diagnostic_decision": "decision",
       "finding_identification": "finding"}  # fmt: skip
VALUES = {"p_present_probability": 0.9, "af_evidence_probability": 0.0, "p_unconducted_in_pause_count": 0.0}


def reader(case_of, pr_ms=150.0):
    case = case_of({**VALUES, "pr_extent_ms": pr_ms})
    return Measured(case, judge(case, PACK))


def test_a_chain_that_is_right_throughout(case_of):
    answers = answer(read_sample(sample()), reader(case_of))
    assert [a.question.stage for a in answers] == [
        "initial", "criterion", "finding", "decision", "criterion", "finding", "wave", "measurement", "decision",
    ]  # fmt: skip
    assert all(a.right for a in answers)
    assert {e.name for a in answers if a.question.stage == "measurement" for e in a.evidence} == {"pr_extent_ms"}
    assert {e.name for a in answers[5:6] for e in a.evidence} == {"pr_extent_ms"}
    assert figures(count(answers, "strict"))["completion"] == 1


def test_older_names_are_the_same_sample():
    assert read_sample(sample(**OLD)) == read_sample(sample())


def test_wrong_measurements_give_wrong_answers(case_of):
    answers = answer(read_sample(sample()), reader(case_of, pr_ms=240.0))
    assert [a.question.stage for a in answers if not a.right] == ["initial", "finding", "measurement"]


def test_what_was_not_measured_is_not_affirmed_nor_put_into_a_bin(case_of):
    answers = answer(read_sample(sample()), reader(case_of, pr_ms=math.nan))
    (bin_answer,) = (a for a in answers if a.question.stage == "measurement")
    assert bin_answer.given == ()
    assert answers[5].given == ("No",)
    assert "pr_extent_ms could not be measured" in answers[5].why


@pytest.mark.parametrize("key", ["metadata", "data"])
def test_a_file_of_something_else_is_refused(key):
    raw = sample()
    del raw[key]
    with pytest.raises(InputError, match="keys of ECG-Reasoning-Benchmark"):
        read_sample(raw)


def test_an_answer_that_is_no_option_is_refused():
    raw = sample()
    raw["data"]["reasoning"][1]["ecg_grounding"][0]["answer"] = ["[9.0s - 9.1s]"]
    with pytest.raises(InputError, match="one of its options"):
        read_sample(raw)


# ---- scores, counted by hand -----------------------------------------------------------------------------------------


def scored(wrong=(), rules="strict", given=None):
    """Count a chain of nine answers, those numbered in `wrong` wrong."""
    asked = read_sample(sample())
    questions = [(-1, asked.initial), *((k, q) for k, loop in enumerate(asked.loops) for q in loop.questions)]
    answers = [
        Answer(loop, q, ("something else",) if k in wrong else (given or {}).get(k, q.answer))
        for k, (loop, q) in enumerate(questions)
    ]
    return count(answers, rules)


def test_a_mistake_ends_the_chain():
    found = figures(scored(wrong=(5,)))
    assert (found["initial"], found["completion"]) == (1, 0)
    assert found["finding"] == 0.5
    assert found["finding_chain"] == 0.5
    assert found["decision"] == found["decision_last"] == 1
    assert "wave_chain" not in found
    assert found["wave"] == 1


def test_the_initial_answer_is_not_part_of_the_chain():
    found = figures(scored(wrong=(0,)))
    assert (found["initial"], found["completion"], found["completion_whole"]) == (0, 1, 0)


def test_soft_completion_forgives_a_decision_that_came_too_early():
    found = figures(scored(wrong=(3,)))
    assert (found["completion"], found["completion_soft"]) == (0, 1)
    assert figures(scored(wrong=(8,)))["completion_soft"] == 0


@pytest.mark.parametrize(
    ("wrong", "compat", "strict"),
    [((), 4.0, 4.0), ((4,), 0.0, 2.0), ((6,), 2.0, 3.0), ((7,), 2.5, 3.25), ((8,), 3.0, 3.5), ((2,), 4.0, 8 / 3)],
)
def test_depth_by_hand(wrong, compat, strict):
    """The first loop has three stages and no grounding: the evaluator leaves it out, we count its share times four."""
    assert figures(scored(wrong, "compat"))["depth"] == pytest.approx(compat)
    assert figures(scored(wrong, "strict"))["depth"] == pytest.approx(strict)


def test_the_evaluator_takes_any_answer_that_begins_with_no_for_no():
    odd = {5: ("nothing can be said",)}
    assert figures(scored(rules="compat", given=odd))["completion"] == 1
    assert figures(scored(rules="strict", given=odd))["completion"] == 0


def test_a_sample_without_answers_counts_unless_the_evaluator_leaves_it_out():
    asked = read_sample(sample())
    nothing = [Answer(-1, asked.initial, ()), *(Answer(0, q, ()) for q in asked.loops[0].questions)]
    assert count(nothing, "compat", measurable=False) == {}
    assert figures(count(nothing, "strict", measurable=False))["completion"] == 0


def test_counts_add_up():
    found = figures(together([scored(), scored(wrong=(5,))]))
    assert found["completion"] == 0.5
    assert found["finding"] == 0.75


# ---- parts -----------------------------------------------------------------------------------------------------------


def test_blind_answers_use_no_case():
    answers = answer(read_sample(sample()), Blind())
    given = [a.given for a in answers]
    assert given[0] == given[2] == ("No",)
    assert given[6:8] == [("[0.50s - 0.60s]",), ("[140ms - 160ms]",)]
    assert all(a.right for a in answers if a.question.stage in {"criterion", "decision"})


def test_reworded_criteria_are_recognised():
    options = ["Left bundle branch block", "Right bundle branch block", "Atrial fibrillation"]
    assert closest("Presence of left bundle branch block", options) == options[0]


def test_windows_without_a_wave_and_overlaps():
    assert choose_window(["[0.1s - 0.2s]", "[0.3s - 0.4s]"], []) == (0, None)
    assert overlap((0.0, 0.1), (0.2, 0.3)) == 0
    assert overlap((0.0, 0.2), (0.0, 0.2)) == 1


@pytest.mark.parametrize("value", np.arange(100.0, 220.0, 7.0))
def test_bins_hold_what_falls_into_them(value):
    k = choose_bin(PR_BINS, value)
    assert k == min(max(int((value - 100) // 20), 0), 4)


def test_lead_grounding_names_the_leads_of_the_criterion(case_of):
    case = case_of({})
    parts = tuple(
        Proof(f"lead {lead}", verdict, verdict)
        for lead, verdict in (("V5", Verdict.MET), ("V6", Verdict.NOT_MET), ("I", Verdict.MET))
    )
    proof = Proof("ST", Verdict.MET, Verdict.MET, parts=parts)
    question = Question("lead", "Which leads show it?", ("Lead V2", "Lead V5", "Lead V6"), ("Lead V5",))
    from twelvelead.interpret.reasoning_benchmark_answer import Memory

    assert Measured(case, Interpretation("r", "erb", {})).ground(question, proof, Memory()).right
