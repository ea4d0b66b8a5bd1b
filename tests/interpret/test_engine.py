"""The engine against every completion of what is unknown, and against cases worked out by hand."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.interpret.criteria import (
    All,
    AtLeast,
    ByPerson,
    Criterion,
    Finding,
    Has,
    InLeads,
    Is,
    Not,
    Pack,
    Share,
    Test,
    any_of,
)
from twelvelead.interpret.engine import judge, measured
from twelvelead.interpret.proof import Proof, Verdict

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.INDETERMINATE
DOI = "doi:10.0/0"
NAMES = ("pr_interval_ms", "qrs_duration_ms", "qt_interval_ms", "heart_rate_bpm")
CHEST = ("V1", "V2", "V3", "V4")


def decide(test: Test, case) -> Proof:
    """Judge one test."""
    return judge(case, Pack("p", "P", DOI, (Finding("f", "F", "g", test, DOI),))).findings["f"]


# ---- Kleene's logic -------------------------------------------------------------------------------------------------

leaves = st.sampled_from(NAMES).map(lambda name: Is(name, ">", 0.0))
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: All(*parts)),
        st.tuples(st.integers(0, 3), st.lists(inner, min_size=1, max_size=3)).map(lambda a: AtLeast(a[0], *a[1])),
        inner.map(Not),
        inner.map(lambda part: Criterion("c", "C", part, DOI)),
    ),
    max_leaves=6,
)


def truth(test: Test, known: dict[str, bool]) -> bool:
    """Decide a test in two values, the plain way."""
    match test:
        case Is(name):
            return known[name]
        case All(parts):
            return all(truth(p, known) for p in parts)
        case AtLeast(n, parts):
            return sum(truth(p, known) for p in parts) >= n
        case Not(part):
            return not truth(part, known)
        case Criterion():
            return truth(test.test, known)
    raise AssertionError


def signs(test: Test, sign: bool = True) -> set[tuple[str, bool]]:
    """List the leaves with the sign under which they stand."""
    match test:
        case Is(name):
            return {(name, sign)}
        case All(parts) | AtLeast(_, parts):
            return set().union(*(signs(p, sign) for p in parts))
        case Not(part):
            return signs(part, not sign)
        case Criterion():
            return signs(test.test, sign)
    raise AssertionError


@given(trees, st.lists(st.sampled_from([True, False, None]), min_size=4, max_size=4))
def test_three_values_are_those_of_every_completion(case_of, test, values):
    """A decided verdict holds whatever the unknown is; and where no leaf has both signs, the converse holds too.

    Where a leaf stands with both signs Kleene's logic may leave open what every completion decides: a or not a.
    """
    known = dict(zip(NAMES, values, strict=True))
    unknown = [name for name in NAMES if known[name] is None]
    outcomes = {
        truth(test, known | dict(zip(unknown, filled, strict=True)))
        for filled in product([True, False], repeat=len(unknown))
    }
    given_values = {name: math.nan if v is None else (1.0 if v else -1.0) for name, v in known.items()}
    verdict = decide(test, case_of(given_values)).verdict
    if verdict is not UNKNOWN:
        assert outcomes == {verdict is MET}
    stood = signs(test)
    if not any((name, not sign) in stood for name, sign in stood):
        assert (verdict is UNKNOWN) == (len(outcomes) == 2)


def test_kleene_is_weaker_than_every_completion_where_a_leaf_repeats(case_of):
    leaf = Is("pr_interval_ms", ">", 200)
    assert decide(any_of(leaf, Not(leaf)), case_of({})).verdict is UNKNOWN


@given(trees, st.lists(st.sampled_from([1.0, -1.0, math.nan]), min_size=4, max_size=4))
def test_firm_is_the_verdict_or_unknown(case_of, test, values):
    proof = decide(test, case_of(dict(zip(NAMES, values, strict=True))))
    assert all(p.firm in {p.verdict, UNKNOWN} for p in proof.walk())
    assert all(bool(p.why) == (p.verdict is UNKNOWN) for p in proof.walk())


# ---- comparisons ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("comparator", "verdicts"),
    [(">", (NOT_MET, NOT_MET, MET)), (">=", (NOT_MET, MET, MET)), ("<", (MET, NOT_MET, NOT_MET)),
     ("<=", (MET, MET, NOT_MET))],
)  # fmt: skip
def test_comparators(comparator, verdicts, case_of):
    for value, verdict in zip((199.0, 200.0, 201.0), verdicts, strict=True):
        assert decide(Is("pr_interval_ms", comparator, 200), case_of({"pr_interval_ms": value})).verdict is verdict


def test_a_value_within_its_error_is_borderline(case_of):
    error = case_of({}).error("pr_interval_ms")
    assert error is not None
    for value, borderline in ((200 + 0.9 * error, True), (200 + 1.1 * error, False), (200 - 0.9 * error, True)):
        proof = decide(Is("pr_interval_ms", ">", 200), case_of({"pr_interval_ms": value}))
        assert proof.borderline is borderline
        assert proof.verdict is (MET if value > 200 else NOT_MET)


def test_the_error_of_a_measured_limit_counts_too(case_of):
    values = {"r_amplitude_v1_mv": 1.0, "s_amplitude_v1_mv": -0.55}
    test = Is("r_amplitude_v1_mv", ">", Share("s_amplitude_v1_mv", -1.0))
    own = 1.96 * 0.4 / math.sqrt(2)  # 0.554: of each; together 0.784
    assert decide(test, case_of({**values, "s_amplitude_v1_mv": -1.0 + 1.2 * own}, scatter_mv=0.4)).borderline
    assert not decide(test, case_of({**values, "s_amplitude_v1_mv": -1.0 + 1.5 * own}, scatter_mv=0.4)).borderline


def test_a_limit_that_was_not_measured_leaves_it_open(case_of):
    proof = decide(Is("r_amplitude_v1_mv", ">", Share("s_amplitude_v1_mv")), case_of({"r_amplitude_v1_mv": 1.0}))
    assert proof.verdict is UNKNOWN
    assert "s_amplitude_v1_mv could not be measured" in proof.why


ST_LIMITS = ByPerson((("male", 0, 40, 0.25), ("male", 40, math.inf, 0.2), ("female", 0, math.inf, 0.15)))


@pytest.mark.parametrize(
    ("age", "sex", "value", "verdict"),
    [
        (30, "male", 0.22, NOT_MET), (50, "male", 0.22, MET), (30, "female", 0.16, MET),
        (None, "male", 0.22, UNKNOWN), (None, "male", 0.26, MET), (None, "male", 0.19, NOT_MET),
        (50, None, 0.16, UNKNOWN), (50, None, 0.21, MET), (None, None, 0.14, NOT_MET), (None, "female", 0.16, MET),
    ],
)  # fmt: skip
def test_limits_by_person(age, sex, value, verdict, case_of):
    case = case_of({"st_j_amplitude_v2_mv": value}, age=age, sex=sex)
    assert decide(Is("st_j_amplitude_v2_mv", ">=", ST_LIMITS), case).verdict is verdict


def test_a_person_without_a_limit_is_left_open(case_of):
    adults = ByPerson(((None, 18, math.inf, 120.0),))
    proof = decide(Is("qrs_duration_ms", ">", adults), case_of({"qrs_duration_ms": 130.0}, age=5))
    assert proof.verdict is UNKNOWN
    assert "no limit for this sex and age" in proof.why


def test_beats_must_persist(case_of):
    case = case_of({"qrs_duration_ms": 200.0})  # each of the two beats has 80 ms
    assert decide(Is("qrs_duration_ms", ">", 100), case).verdict is MET
    assert decide(Is("qrs_duration_ms", ">", 100, beats=0.5), case).verdict is NOT_MET


# ---- leads and findings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "verdict"),
    [
        ((0.2, 0.2, 0, 0), MET), ((0.2, 0, 0.2, 0), NOT_MET), ((0.2, math.nan, 0.2, 0), UNKNOWN),
        ((0.2, math.nan, 0, 0.2), UNKNOWN), ((0, math.nan, 0, 0.2), NOT_MET), ((math.nan, 0.2, 0.2, 0), MET),
    ],
)  # fmt: skip
def test_contiguous_leads(levels, verdict, case_of):
    values = {f"st_j_amplitude_{lead.lower()}_mv": level for lead, level in zip(CHEST, levels, strict=True)}
    test = InLeads(CHEST, Is("st_j_amplitude_{lead}_mv", ">=", 0.1), at_least=2, contiguous=True)
    assert decide(test, case_of(values)).verdict is verdict


def test_more_leads_than_there_are_is_never_met(case_of):
    test = InLeads(("V1",), Is("st_j_amplitude_{lead}_mv", ">=", 0.1), at_least=2, contiguous=True)
    assert decide(test, case_of({"st_j_amplitude_v1_mv": 1.0})).verdict is NOT_MET


def _two(first: float, case_of) -> dict[str, Proof]:
    block = Finding("block", "Block", "conduction", Is("qrs_duration_ms", ">", 120), DOI)
    infarct = Finding("infarct", "Infarct", "infarction", Is("q_pathological_count", ">=", 2), DOI, unless=("block",))
    again = Finding("again", "Again", "infarction", Has("infarct"), DOI)
    case = case_of({"qrs_duration_ms": first, "q_pathological_count": 3.0})
    return judge(case, Pack("p", "P", DOI, (block, infarct, again))).findings


def test_what_makes_a_finding_meaningless_is_its_evidence(case_of):
    found = _two(200.0, case_of)
    assert found["infarct"].verdict is UNKNOWN
    assert "block" in found["infarct"].why
    assert "qrs_duration_ms" in {e.name for e in measured(found["infarct"])}
    assert found["again"].verdict is UNKNOWN
    assert found["again"].why


def test_what_may_make_a_finding_meaningless_makes_it_borderline(case_of):
    assert not _two(80.0, case_of)["infarct"].borderline
    assert _two(119.0, case_of)["infarct"].borderline
    assert _two(math.nan, case_of)["infarct"].borderline
    assert _two(math.nan, case_of)["infarct"].verdict is MET


def test_evidence_of_a_negation_is_not_lost(case_of):
    proof = decide(Not(Is("qrs_duration_ms", ">", 120)), case_of({"qrs_duration_ms": 90.0}))
    assert proof.verdict is MET
    assert [e.name for e in measured(proof)] == ["qrs_duration_ms"]


def test_a_verdict_rests_on_the_parts_that_share_it(case_of):
    test = any_of(Is("qrs_duration_ms", ">", 120), Is("pr_interval_ms", ">", 200))
    proof = decide(test, case_of({"qrs_duration_ms": 90.0, "pr_interval_ms": 240.0}))
    assert [e.name for e in measured(proof)] == ["pr_interval_ms"]
    assert {e.name for e in proof.all_evidence()} == {"qrs_duration_ms", "pr_interval_ms"}
