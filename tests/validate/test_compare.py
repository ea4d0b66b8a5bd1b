import numpy as np
import pytest

from twelvelead.terms import StudyError
from twelvelead.validate import Sample, auroc, auroc_covariance, unpaired_delta_auroc

EXACT = 1e-10
"""R printed 15 digits."""


@pytest.mark.parametrize(("first", "second"), [("wfns", "s100b"), ("wfns", "ndka"), ("ndka", "s100b")])
def test_unpaired_test_is_that_of_proc(gold_table, gold_values, first, second):
    table, want = gold_table("aSAH.csv"), gold_values["pROC_aSAH"][f"{first}_vs_{second}"]
    got = unpaired_delta_auroc(
        Sample(table["outcome"], table[first]), Sample(table["outcome"], table[second]), level=0.95
    )
    assert got.z == pytest.approx(want["unpaired_D"], abs=EXACT)
    assert got.p_value == pytest.approx(want["unpaired_p"], abs=EXACT)
    assert got.degrees_of_freedom == pytest.approx(want["unpaired_df"], abs=1e-9)


def drawn(seed, n=120, k=3):
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.arange(n), k)
    y = (rng.uniform(size=n) < 0.3)[ids].astype(int)
    p = rng.normal(size=n)[ids] + 0.5 * rng.normal(size=n * k) + y
    return y, p, [f"{seed}-{i}" for i in ids]


def test_variances_of_patients_add_up_and_the_interval_is_that_of_the_test():
    one, two = Sample(*drawn(1)), Sample(*drawn(2))
    got = unpaired_delta_auroc(one, two, level=0.95)
    variance = sum(auroc_covariance(s.y, s.p, patients=s.patients)[1].item() for s in (one, two))
    assert got.estimate == pytest.approx(auroc(one.y, one.p) - auroc(two.y, two.p), abs=1e-14)
    assert (got.estimate / got.z) ** 2 == pytest.approx(variance, rel=1e-12)
    assert (got.lower + got.upper) / 2 == pytest.approx(got.estimate, abs=1e-14)
    at_the_p_value = unpaired_delta_auroc(one, two, level=1 - got.p_value)
    assert min(abs(at_the_p_value.lower), abs(at_the_p_value.upper)) < 1e-12
    swapped = unpaired_delta_auroc(two, one, level=0.95)
    assert (swapped.estimate, swapped.p_value) == (-got.estimate, got.p_value)


def test_refuses_samples_that_share_patients_or_do_not_vary():
    y, p, ids = drawn(1)
    with pytest.raises(StudyError, match="no patient in common; got 120, first '1-0'"):
        unpaired_delta_auroc(Sample(y, p, ids), Sample(y, p, ids), level=0.95)
    perfect = Sample([0, 0, 1, 1], [0, 0.1, 0.8, 0.9])
    with pytest.raises(StudyError, match="AUROCs that vary; got 1 and 1"):
        unpaired_delta_auroc(perfect, perfect, level=0.95)
    with pytest.raises(StudyError, match=r"level must be in \(0, 1\); got 95"):
        unpaired_delta_auroc(Sample(y, p), Sample(y, p), level=95)
