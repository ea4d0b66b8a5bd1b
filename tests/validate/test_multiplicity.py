import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.terms import StudyError
from twelvelead.validate import adjust, families, parents


@pytest.mark.parametrize(("method", "column"), [("bh", "BH"), ("by", "BY"), ("holm", "holm")])
def test_agrees_with_r(gold_table, gold_values, method, column):
    table = gold_table("p_adjust.csv")
    got = adjust(table["p"], method=method)
    assert got == pytest.approx(table[column].to_numpy(), abs=1e-12)
    assert int(np.sum(got <= 0.05)) == gold_values["p_adjust"][f"{column}_le_.05"]


def naive(p, method):
    """Step by step as in the publications."""
    n = len(p)
    order = np.argsort(p)
    out = np.empty(n)
    if method == "holm":
        for rank, i in enumerate(order):
            out[i] = max(min(1, (n - k) * p[order[k]]) for k in range(rank + 1))
        return out
    factor = 1 if method == "bh" else sum(1 / k for k in range(1, n + 1))
    for rank, i in enumerate(order):
        out[i] = min(1, *(factor * n / (k + 1) * p[order[k]] for k in range(rank, n)))
    return out


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.sampled_from(["bh", "by", "holm"]), st.integers(0, 5))
def test_agrees_with_the_publications_and_counts_what_was_not_tested(p, method, more):
    assert adjust(p, method=method) == pytest.approx(naive(np.array(p), method), abs=1e-12)
    with_nan = adjust([np.nan, *p], method=method, n_tests=len(p) + more)
    assert np.isnan(with_nan[0])
    padded = naive(np.array([*p, *[1.0] * more]), method)[: len(p)]
    assert with_nan[1:] == pytest.approx(padded, abs=1e-12)


def test_without_a_number_of_tests_nan_is_no_test():
    """So does R's p.adjust."""
    assert adjust([np.nan, 0.02, 0.04], method="bh")[1:] == pytest.approx([0.04, 0.04])
    assert np.isnan(adjust([np.nan], method="holm")).all()


@pytest.mark.parametrize(
    ("p", "more", "message"),
    [([0.5, 1.5], {}, r"must be in \[0, 1\]"), ([0.1, 0.2], {"n_tests": 1}, "got 2 for 1"),
     ([0.1], {"method": "bonferroni"}, "method must be one of bh, by, holm; got 'bonferroni'")],
)  # fmt: skip
def test_refuses_what_is_no_family_of_tests(p, more, message):
    with pytest.raises(StudyError, match=message):
        adjust(p, **{"method": "bh", **more})


def test_nested_codes_are_told_by_their_beginning():
    tested = ["I48", "I48.0", "I4891", "I50", "e11.9", "E11", "E119x", "mi", "mitral"]
    found = parents(tested)
    assert found == {"I48.0": "I48", "I4891": "I48", "e11.9": "E11", "E119x": "e11.9"}
    assert len(set(families(tested, found).values())) == 5


def test_families_may_be_declared_but_not_circular():
    assert families(["a", "b"], {"a": "heart", "heart": "body"}) == {"a": "body", "b": "b"}
    with pytest.raises(StudyError, match="no target may be its own ancestor; got 'a'"):
        families(["a"], {"a": "b", "b": "a"})
