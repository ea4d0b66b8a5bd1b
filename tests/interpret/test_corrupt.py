"""Corruptions are what they say they are; and the checker finds the false ones."""

import numpy as np
import pytest
from tests.interpret.test_narrate import cases

from twelvelead.interpret.corrupt import KINDS, Scene, corrupt
from twelvelead.interpret.corrupt_inventions import INVENTIONS, MEASURED_INVENTIONS
from twelvelead.interpret.engine import judge
from twelvelead.interpret.lexicon_diagnoses import CONCEPTS
from twelvelead.interpret.narrate import write
from twelvelead.interpret.narrate_paragraph import paragraph
from twelvelead.interpret.narrate_report import report
from twelvelead.interpret.packs import DEFAULT
from twelvelead.interpret.tolerance import tolerance
from twelvelead.interpret.verify import CONTRADICTED, verify


def scene(k=0, form=report):
    case = cases()[k]
    found = judge(case, DEFAULT)
    return Scene(case, DEFAULT, found, form(case, DEFAULT, found))


@pytest.mark.parametrize("kind", KINDS)
def test_one_sentence_changes_and_nothing_else(kind):
    made_of = scene()
    true = write(made_of.statements)
    for seed in range(10):
        made = corrupt(made_of, kind, np.random.default_rng(seed))
        rest = made.text[: made.start] + made.text[made.end :]
        longer = kind == "invented"
        assert made.text == true or not made.changed or true.startswith(made.text[: made.start])
        assert true.endswith(made.text[made.end :])
        assert len(rest) <= len(true) + longer


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_text(kind):
    first, second = (corrupt(scene(), kind, np.random.default_rng(3)) for _ in range(2))
    assert first == second


def test_a_changed_value_is_false_only_beyond_the_tolerance():
    made_of = scene()
    for seed in range(600):
        made = corrupt(made_of, "value", np.random.default_rng(seed))
        words = made.text[made.start : made.end]
        if words.startswith("PR interval "):
            off = abs(float(words.split()[2]) - made_of.case.values["pr_interval_ms"])
            assert made.false is (off > tolerance(made_of.case, "pr_interval_ms").half + 0.5)
            break
    else:
        pytest.fail("the PR interval was never changed")


@pytest.mark.parametrize("form", [report, paragraph])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_false_is_found(kind, form):
    rng = np.random.default_rng(1)
    false = found = 0
    for k in range(12):
        made_of = scene(k % 3, form)
        made = corrupt(made_of, kind, rng)
        if made is None or not (made.false and made.changed):
            continue
        false += 1
        wrong = [c for c in verify(made.text, made_of.case, made_of.found) if c.standing is CONTRADICTED]
        found += any(c.start < made.end and made.start < c.end for c in wrong)
    assert false >= 3
    assert found == false


def test_inventions_name_diagnoses_that_are_known_and_are_read_as_them():
    from twelvelead.interpret.claims import find_claims

    for concept, words in INVENTIONS:
        assert concept in CONCEPTS
        assert any(c.kind == "diagnosis" and not c.negated and not c.hedged for c in find_claims(words)), words
    for _, words in MEASURED_INVENTIONS:
        assert find_claims(words), words
