import numpy as np
import pytest
from scipy.special import expit

from twelvelead.terms import StudyError
from twelvelead.validate import calibration_error, ici, smooth_curve
from twelvelead.validate.local_regression import loess, lowess
from twelvelead.validate.smoothing import SMOOTHERS


@pytest.fixture(scope="module")
def readme(gold_table):
    table = gold_table("pmcalibration_readme.csv")
    return table["y"].to_numpy(), table["p"].to_numpy()


@pytest.mark.parametrize(
    ("smoother", "key"), [("spline", "rcs5_logit"), ("loess", "loess_default_austin"), ("lowess", "lowess_iter0")]
)
def test_errors_are_those_of_pmcalibration(readme, gold_values, smoother, key):
    want = gold_values["pmcalibration_readme"][key]
    got = calibration_error(*readme, smoother=smoother)
    for name in ("e50", "e90", "emax"):
        assert getattr(got, name) == pytest.approx(want[name.capitalize()], abs=1e-8), name
    assert got.ici == pytest.approx(want["Eavg"], abs=1e-8)
    assert got.eci == pytest.approx(want["ECI"], abs=1e-8)
    assert got.smoother == smoother


def test_lowess_is_that_of_val_prob(readme, gold_values):
    want = gold_values["pmcalibration_readme"]["val_prob"]
    got = calibration_error(*readme, smoother="lowess")
    assert (got.ici, got.e90, got.emax) == pytest.approx((want["Eavg"], want["E90"], want["Emax"]), abs=1e-8)


def test_order_of_recordings_changes_no_bit(readme):
    y, p = readme
    shuffled = np.random.default_rng(0).permutation(len(y))
    for smoother in SMOOTHERS:
        assert calibration_error(y[shuffled], p[shuffled], smoother=smoother) == calibration_error(
            y, p, smoother=smoother
        )
    assert smooth_curve(y[shuffled], p[shuffled], level=0.95).equals(smooth_curve(y, p, level=0.95))


def test_lowess_by_hand():
    # Nine points, span 6: at x = 0 the six nearest reach to 5, with tricube weights of distance / 5.
    x, y = np.arange(9.0), np.array([0.0, 1, 0, 1, 1, 0, 1, 1, 1])
    near = np.arange(5.0)  # the sixth is at the edge and weighs nothing
    weight = (1 - (near / 5) ** 3) ** 3
    slope, level = np.polyfit(near, y[:5], 1, w=np.sqrt(weight))
    assert lowess(x, y, at=np.array([0.0])) == pytest.approx([level], abs=1e-12)
    assert slope > 0


def test_smoothers_follow_ties_and_steps():
    x = np.repeat([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 20)
    y = np.tile([0.0, 1.0], 60)
    for smooth in (lowess, loess):
        assert smooth(x, y, at=np.array([0.15, 0.5])) == pytest.approx([0.5, 0.5], abs=1e-9)


@pytest.mark.parametrize("smoother", SMOOTHERS)
def test_not_defined_is_nan(smoother):
    assert np.isnan(ici([0, 1, 1], [0.2, 0.2, 0.2], smoother=smoother))
    assert np.isnan(ici(np.zeros(200), np.linspace(0.1, 0.9, 200), smoother=smoother))
    mostly_one = np.r_[np.full(180, 0.2), np.linspace(0.3, 0.9, 20)]
    assert np.isfinite(ici(np.arange(200) % 2, mostly_one, smoother="lowess"))
    assert np.isnan(ici(np.arange(200) % 2, mostly_one, smoother="loess"))


def test_refuses_an_unknown_smoother():
    with pytest.raises(StudyError, match="smoother must be one of spline, loess, lowess; got 'gam'"):
        ici([0, 1], [0.1, 0.2], smoother="gam")


@pytest.mark.parametrize(
    ("smoother", "n", "most"), [("spline", 100_000, 0.005), ("loess", 20_000, 0.01), ("lowess", 20_000, 0.01)]
)
def test_perfect_risks_have_little_error(smoother, n, most):
    rng = np.random.default_rng(1)
    p = expit(rng.normal(-1.5, 1.2, n))
    assert ici(rng.uniform(size=n) < p, p, smoother=smoother) < most


def test_curve_and_its_limits():
    rng = np.random.default_rng(2)
    p = expit(rng.normal(-1, 1, 3000))
    y = (rng.uniform(size=3000) < p).astype(int)
    curve = smooth_curve(y, p, level=0.95)
    assert curve.height == 101
    assert curve["predicted"].is_sorted()
    assert (curve["lower"] <= curve["observed"]).all()
    assert (curve["observed"] <= curve["upper"]).all()
    inside = curve.filter((curve["lower"] <= curve["predicted"]) & (curve["predicted"] <= curve["upper"]))
    assert inside.height >= 80  # pointwise limits of neighbours err together
    # Copies of a patient add nothing.
    at = [0.1, 0.3, 0.5]
    once = smooth_curve(y, p, level=0.95, at=at, patients=np.arange(3000))
    copies = smooth_curve(np.repeat(y, 3), np.repeat(p, 3), level=0.95, at=at, patients=np.repeat(np.arange(3000), 3))
    # Knots are quantiles, which copies move a little.
    assert copies["upper"].to_numpy() == pytest.approx(once["upper"].to_numpy(), abs=2e-4)
    naive = smooth_curve(np.repeat(y, 3), np.repeat(p, 3), level=0.95, at=at)
    assert ((naive["upper"] - naive["lower"]) < 0.7 * (copies["upper"] - copies["lower"])).all()


def test_curve_that_cannot_be_fitted_is_null():
    curve = smooth_curve([0, 1, 1], [0.2, 0.2, 0.2], level=0.95, at=[0.2])
    assert curve.row(0) == (0.2, None, None, None)
