"""Instruction data: every number in a text was measured, and the forms are those of the four projects."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from twelvelead.interpret.case import examine
from twelvelead.interpret.dialects import DIALECTS, conversation, is_signed_rightly, to_dialect
from twelvelead.interpret.engine import judge
from twelvelead.interpret.gem_features import SEQUENCES, BeatMarks, describe_beat, gem_features
from twelvelead.interpret.instruction import make_material
from twelvelead.interpret.instruction_turns import make_turns
from twelvelead.interpret.narrate import write
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.packs.erb import PACK, STEPS
from twelvelead.interpret.proof import Verdict
from twelvelead.interpret.verify import CONTRADICTED, SUPPORTED, verify
from twelvelead.io import read
from twelvelead.measure import Mark
from twelvelead.simulate import SITE_A, hospital, recording
from twelvelead.terms import LEADS

PTBXL = Path(__file__).parents[3] / "shared" / "data" / "ptbxl" / "records500"


@pytest.fixture(scope="module")
def case():
    sim = hospital(1, site=SITE_A, seed=1)
    return examine(recording(sim.truth.row(0, named=True), site=SITE_A), age_years=50, sex="female")


@pytest.fixture(scope="module")
def material(case):
    return make_material(case, pack=DEFAULT, form="measured", seed=0)


@pytest.fixture(scope="module")
def real():
    files = sorted(PTBXL.rglob("*.hea"))[::29]
    if not files:
        pytest.skip("needs PTB-XL's recordings in ../shared/data/ptbxl")
    return [examine(read(file)) for file in files]


def examples(material, dialect):
    return to_dialect(material, dialect=dialect, ecg="r/1", images=["a.png", "b.png"], licence="CC BY 4.0")


def test_every_number_in_a_text_is_supported(real):
    """The law of this module; what is said for a reason beside numbers must at least not be wrong."""
    assert len(real) > 10
    for case in real:
        made = make_material(case, pack=DEFAULT, form="measured", seed=0)
        found = judge(case, DEFAULT)
        checked = verify(write(made.narrative), case, found)
        numbers = [one for one in checked if one.kind == "number"]
        assert len(numbers) > 10
        assert [one.said for one in numbers if one.standing is not SUPPORTED] == [], case.recording.id
        said = verify(" ".join(write(part) for part in (made.narrative, made.reasoning, made.ruled_out)), case, found)
        assert [(one.said, one.why) for one in said if one.standing is CONTRADICTED] == [], case.recording.id


def test_every_sentence_has_evidence_that_is_listed(real):
    for case in real[:5]:
        made = make_material(case, pack=DEFAULT, form="measured", seed=0)
        for statement in (*made.narrative, *made.reasoning, *made.ruled_out):
            assert statement.evidence, statement.text
        for fact in (fact for s in made.narrative for fact in s.facts):
            assert made.evidence[f"m:{fact.name}"]["unit"]
        for listed in made.evidence.values():
            assert listed["spans"]
            assert all(0 <= s["start_s"] <= s["end_s"] <= case.recording.duration for s in listed["spans"])


def test_what_is_ruled_out_is_absent_beyond_doubt(real):
    for case in real[:5]:
        found = judge(case, DEFAULT)
        for statement in make_material(case, pack=DEFAULT, form="measured", seed=0).ruled_out:
            proof = found.findings[statement.finding]
            assert proof.verdict is proof.firm is Verdict.NOT_MET


def test_gems_form(material):
    first, second = examples(material, "gem")
    assert {"id", "ecg", "image", "conversations", "machine_measurements", "report"} <= first.keys()
    assert (first["image"], second["image"]) == ("a.png", "b.png")
    human, gpt = first["conversations"]
    assert human["from"] == "human"
    assert human["value"].startswith("<image>\n")
    assert gpt == {"from": "gpt", "value": write(material.narrative)}
    assert len(gpt["value"].split()) <= 300
    assert list(first["machine_measurements"]) == [f"Lead {lead}" for lead in LEADS]


def test_the_other_forms(material):
    pulse = examples(material, "pulse")[0]
    assert set(pulse["metadata"]) == {"subtask", "type", "source"}
    r1 = examples(material, "ecg-r1")[0]
    user, assistant = r1["messages"]
    assert (r1["images"], r1["objects"]) == (["a.png"], {"ecg": ["r/1"]})
    assert user["content"].startswith("<ecg><image>")
    assert re.fullmatch(r"<think>.+</think>\n<answer>.+</answer>", assistant["content"], re.DOTALL)
    for sample in examples(material, "erb"):
        assert set(sample["metadata"]) == {"ecg_id", "target_dx", "dx_label", "path_idx"}
        assert set(sample["data"]) == {"initial_diagnostic_question", "reasoning"}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_example_says_its_licence_and_shows_when_it_was_changed(material, dialect):
    for one in examples(material, dialect):
        assert one["provenance"]["licence"] == "CC BY 4.0"
        assert is_signed_rightly(json.loads(json.dumps(one, allow_nan=False)))
        assert not is_signed_rightly({**one, "ecg": "another"})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_form_can_be_read_as_a_conversation(material, dialect):
    for one in examples(material, dialect):
        turns = conversation(one)
        assert turns
        assert all(question and answer for question, answer in turns)
        assert sum("<image>" in question for question, _ in turns) <= 1


def beat(signal, *at, before=1.0, after=1.0):
    return BeatMarks(signal, 1000.0, np.array(at), before, after)


AT = (0.10, 0.15, 0.20, 0.30, 0.34, 0.38, 0.50, 0.60, 0.66)


def test_the_sequences_by_hand():
    """P 0.2 mV, QRS from −0.1 to 1.0, ST at 0.3 and flat, T 0.5 mV, on a level of 0.05."""
    y = np.full(1000, 0.05)
    y[100:201] = 0.25
    y[310], y[350] = 1.05, -0.05
    y[381:500] = 0.35
    y[500:661] = 0.55
    values = dict(zip(SEQUENCES, describe_beat(beat(y, *AT, before=0.81), form="measured"), strict=True))
    assert values["Heart_Rates"] == pytest.approx(60 / 0.81)
    assert (values["RR1_intervals"], values["RR2_intervals"]) == (810.0, 1000.0)
    assert values["P_amplitudes"] == pytest.approx(0.2)
    assert (values["P_durations"], values["PR_intervals"]) == (100.0, 200.0)
    assert values["QRS_amplitudes"] == pytest.approx(1.1)
    assert (values["QRS_durations"], values["ST_durations"]) == (80.0, 120.0)
    assert values["T_amplitudes"] == pytest.approx(0.5)
    assert (values["T_durations"], values["QT_intervals"]) == (160.0, 360.0)
    assert values["QTc_intervals"] == pytest.approx(360 / 0.9)


def test_featuredb_takes_jt_for_qt_and_st_for_t():
    """The published example: JT 282 ms and QRS 80 ms at 142/min make a QT of 362 ms and a QTc of 557 ms, not 434."""
    rr = 60 / 142
    at = (0.10, 0.15, 0.20, 0.300, 0.34, 0.380, 0.50, 0.60, 0.662)
    y = np.zeros(1000)
    y[385] = -0.9  # in the ST segment: for FeatureDB it is the T wave's
    right, wrong = (
        dict(zip(SEQUENCES, describe_beat(beat(y, *at, before=rr), form=form), strict=True))
        for form in ("measured", "featuredb")
    )
    assert (right["QT_intervals"], wrong["QT_intervals"]) == (362.0, 282.0)
    assert round(right["QTc_intervals"]) == 557
    assert round(wrong["QTc_intervals"]) == 434
    assert (right["T_durations"], wrong["T_durations"]) == (162.0, 282.0)
    assert (right["T_amplitudes"], wrong["T_amplitudes"]) == (0.0, -0.9)
    same = set(SEQUENCES) - {"QT_intervals", "QTc_intervals", "T_durations", "T_amplitudes"}
    assert all(right[name] == wrong[name] for name in same)


def test_sequences_have_a_value_for_each_beat_and_nan_where_there_is_none(case):
    n = len(case.heartbeat.times_s)
    for form in ("measured", "featuredb"):
        features = gem_features(case, form=form)
        for lead in LEADS:
            assert list(features[f"Lead {lead}"]) == list(SEQUENCES)
            assert all(len(values.split(", ")) == n for values in features[f"Lead {lead}"].values())
            assert features[f"Lead {lead}"]["RR1_intervals"].startswith("nan, ")
    missing = np.array(AT)
    missing[[Mark.P_ONSET, Mark.P_OFFSET]] = np.nan
    values = describe_beat(beat(np.zeros(1000), *missing), form="measured")
    assert [name for name, v in zip(SEQUENCES, values, strict=True) if isinstance(v, float) and np.isnan(v)] == [
        "P_amplitudes", "P_durations", "PR_intervals",
    ]  # fmt: skip


def replay(sample):
    """Follow the benchmark's steps by the answers alone."""
    state = STEPS[sample["metadata"]["target_dx"]]
    for loop in sample["data"]["reasoning"]:
        assert loop["criterion_selection"]["answer"] == state.criterion.text
        holds = (loop["finding_identification"]["answer"] == "Yes") != state.asked_opposite
        state = state.after(holds=holds)
        decided = loop["diagnostic_decision"]["answer"]
        assert decided == ("Yes" if state is True else "No" if state is False else decided)
        assert (decided in ("Yes", "No")) == isinstance(state, bool)
    return state


def test_turns_follow_the_steps_and_come_to_the_diagnosis(real):
    n = 0
    for case in real:
        found = judge(case, PACK)
        for sample in make_turns(case, found, seed=3):
            key = sample["metadata"]["target_dx"]
            assert replay(sample) is sample["metadata"]["dx_label"], (case.recording.id, key)
            assert sample["metadata"]["dx_label"] == (found.findings[key].verdict is Verdict.MET)
            n += 1
    assert n > 100


def test_the_right_options_are_right_and_the_wrong_ones_wrong(real):
    n = {"wave_grounding": 0, "measurement_grounding": 0, "lead_grounding": 0}
    for case in real:
        for sample in make_turns(case, judge(case, PACK), seed=3):
            own = {step.criterion.text for step in STEPS[sample["metadata"]["target_dx"]].walk()}
            for loop in sample["data"]["reasoning"]:
                asked = loop["criterion_selection"]
                assert len(set(asked["options"])) == 5
                assert set(asked["options"]) & own == {asked["answer"]}
                for question in loop["ecg_grounding"]:
                    n[question["question_type"]] += 1
                    check_grounding(question, case)
    assert min(n.values()) > 0, n


def check_grounding(question, case):
    places = question["answer_idx"] if isinstance(question["answer_idx"], list) else [question["answer_idx"]]
    answers = question["answer"] if isinstance(question["answer"], list) else [question["answer"]]
    assert [question["options"][k] for k in places] == answers
    assert len(set(question["options"])) == len(question["options"])
    if question["question_type"] != "wave_grounding":
        return
    windows = [tuple(float(x) for x in re.findall(r"-?\d+\.\d+", option)) for option in question["options"]]
    wave = re.search(r"whole (\w+) ", question["question"])[1]
    first, last = {"QRS": (3, 5), "P": (0, 2), "T": (6, 8), "PR": (0, 3), "ST": (5, 6), "QT": (3, 8)}[wave]
    marks = case.heartbeat.global_marks_s
    for k, (start, end) in enumerate(windows):
        assert 0 <= start < end <= case.recording.duration + 0.01
        whole = ((marks[:, first] < end) & (marks[:, last] > start)).any()
        assert whole == (k == question["answer_idx"]), (question, case.recording.id)


def test_the_same_seed_gives_the_same_turns(case):
    found = judge(case, PACK)
    assert list(make_turns(case, found, seed=1)) == list(make_turns(case, found, seed=1))
    assert list(make_turns(case, found, seed=1)) != list(make_turns(case, found, seed=2))
