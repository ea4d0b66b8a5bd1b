import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.terms import StudyError
from twelvelead.validate import Pair, categorical_nri, continuous_nri, idi, reclassification_table, resamples, units

EXACT = 1e-10
"""R printed 15 digits."""

HOW = {"level": 0.95, "n_resamples": 50, "seed": 0}


@pytest.fixture(scope="module")
def predictabel(gold_table):
    table = gold_table("PredictABEL_example_risks.csv")
    return Pair(table["y"], new=table["p_new"], base=table["p_old"])


@pytest.fixture(scope="module")
def improveprob(gold_table):
    table = gold_table("Hmisc_improveProb_example.csv")
    return Pair(table["y"], new=table["p_new"], base=table["p_old"])


def test_categorical_nri_is_that_of_predictabel(predictabel, gold_values):
    want, got = gold_values["PredictABEL"], categorical_nri(predictabel, cuts=[0.1, 0.3], **HOW)
    assert got.total.estimate == pytest.approx(want["NRI_cat"], abs=EXACT)
    assert got.total.standard_error == pytest.approx(want["se"], abs=EXACT)
    assert got.total.p_value == pytest.approx(want["p"], rel=1e-9)
    for name, outcome in (("table_present", "events"), ("table_absent", "nonevents")):
        table = np.array(want[name])
        assert got.moved[f"{outcome}_up"] == np.triu(table, 1).sum()
        assert got.moved[f"{outcome}_down"] == np.tril(table, -1).sum()


def test_reclassification_tables_are_those_of_predictabel(predictabel, gold_values):
    table = reclassification_table(predictabel, cuts=[0.1, 0.3])
    for y, name in enumerate(("table_absent", "table_present")):
        assert table.filter(y=y)["n"].to_numpy().reshape(3, 3).tolist() == gold_values["PredictABEL"][name]
    assert table["base"].unique(maintain_order=True).to_list() == ["[0, 0.1)", "[0.1, 0.3)", "[0.3, 1]"]


def test_continuous_nri_and_idi_are_those_of_predictabel(predictabel, gold_values):
    want = gold_values["PredictABEL"]
    nri, gain = continuous_nri(predictabel, **HOW), idi(predictabel, **HOW)
    assert nri.total.estimate == pytest.approx(want["NRI_cont"], abs=EXACT)
    assert nri.total.standard_error == pytest.approx(want["se_cont"], abs=EXACT)
    assert gain.total.estimate == pytest.approx(want["IDI"], abs=EXACT)
    assert gain.total.standard_error == pytest.approx(want["se_idi"], abs=EXACT)


def test_parts_and_errors_are_those_of_hmisc(improveprob, gold_values):
    want = gold_values["Hmisc_improveProb_doc"]
    nri, gain = continuous_nri(improveprob, **HOW), idi(improveprob, **HOW)
    for figure, suffix in ((nri.total, ""), (nri.events, ".ev"), (nri.nonevents, ".ne")):
        assert figure.estimate == pytest.approx(want[f"nri{suffix}"], abs=EXACT)
        assert figure.standard_error == pytest.approx(want[f"se.nri{suffix}"], abs=EXACT)
        assert figure.z == pytest.approx(want[f"z.nri{suffix}"], abs=EXACT)
    # Hmisc counts those without the event first.
    n_events, n_rest = want["na"], want["nb"]
    assert nri.moved["events_up"] == round(want["pup.ev"] * n_events)
    assert nri.moved["nonevents_down"] == round(want["pdown.ne"] * n_rest)
    for figure, name in ((gain.events, "improveSens"), (gain.nonevents, "improveSpec"), (gain.total, "idi")):
        assert figure.estimate == pytest.approx(want[name], abs=EXACT)
    assert gain.total.standard_error == pytest.approx(want["se.idi"], abs=EXACT)
    assert gain.total.z == pytest.approx(want["z.idi"], abs=EXACT)


def moves(up, down, n, *, better):
    """Risks under and over 0.5 of n people, so that `up` go up and `down` go down."""
    base = np.where(np.arange(n) < up, 0.2, 0.8)
    new = base.copy()
    new[:up], new[up : up + down] = 0.8, 0.2
    return np.full(n, int(better)), new, base


def test_pooled_error_gives_the_published_z_of_framingham():
    """Pencina 2008: 183 events, 29 up and 7 down; 3081 others, 173 up and 174 down; NRI 0.121, z 3.616."""
    events, rest = moves(29, 7, 183, better=True), moves(173, 174, 3081, better=False)
    pair = Pair(*(np.concatenate(both) for both in zip(events, rest, strict=True)))
    found = categorical_nri(pair, cuts=[0.5], error="pooled", **HOW)
    assert round(found.total.estimate, 3) == 0.121
    assert round(found.total.z, 3) == 3.616
    assert found.moved == {"events_up": 29, "events_down": 7, "nonevents_up": 173, "nonevents_down": 174}
    unpooled = categorical_nri(pair, cuts=[0.5], **HOW)
    by_hand = 36 / 183**2 - 22**2 / 183**3 + 347 / 3081**2 - 1 / 3081**3
    assert unpooled.total.standard_error == pytest.approx(by_hand**0.5, abs=1e-14)


def test_a_risk_equal_to_a_cut_is_of_the_upper_class():
    pair = Pair([1, 1, 0, 0], new=[0.2, 0.1999, 0.2, 0.3], base=[0.1999, 0.2, 0.3, 0.2])
    assert categorical_nri(pair, cuts=[0.2], **HOW).moved == {
        "events_up": 1, "events_down": 1, "nonevents_up": 0, "nonevents_down": 0,
    }  # fmt: skip


def test_a_change_counts_if_it_is_larger_than_declared():
    pair = Pair([1, 1, 0, 0], new=[0.25, 0.5, 0.125, 0.5], base=[0.125, 0.25, 0.5, 0.5])
    assert continuous_nri(pair, beyond=0.125, **HOW).moved["events_up"] == 1
    assert continuous_nri(pair, **HOW).moved["events_up"] == 2


@st.composite
def pairs(draw):
    n = draw(st.integers(4, 25))
    y = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    y[:2] = 0, 1
    risks = [np.array(draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))) / 8 for _ in range(2)]
    ids = draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))
    return Pair(y, risks[0], risks[1], ids)


@given(pairs())
def test_agrees_with_counting_one_by_one(pair):
    cuts = [0.25, 0.5]

    def place(p):
        return sum(p >= cut for cut in cuts)

    up = dict.fromkeys((0, 1), 0)
    for y, new, base in zip(pair.y, pair.new, pair.base, strict=True):
        up[int(y)] += int(np.sign(place(new) - place(base)))
    n = {side: int(np.sum(pair.y == side)) for side in (0, 1)}
    found = categorical_nri(pair, cuts=cuts, level=0.95, n_resamples=2, seed=0)
    assert found.total.estimate == pytest.approx(up[1] / n[1] - up[0] / n[0], abs=1e-14)
    table = reclassification_table(pair, cuts=cuts)
    assert table["n"].sum() == len(pair.y)
    mean = {(m, s): getattr(pair, m)[pair.y == s].mean() for m in ("new", "base") for s in (0, 1)}
    gain = idi(pair, **HOW)
    assert gain.slope_new == pytest.approx(mean["new", 1] - mean["new", 0], abs=1e-14)
    assert gain.total.estimate == pytest.approx(gain.slope_new - gain.slope_base, abs=1e-14)


def test_a_table_counts_patients_once():
    pair = Pair([1, 1, 0], new=[0.6, 0.6, 0.1], base=[0.4, 0.4, 0.1], patients=["a", "a", "b"])
    row = reclassification_table(pair, cuts=[0.5]).filter((pl.col("y") == 1) & (pl.col("n") > 0)).row(0)
    assert row == (1, "[0, 0.5)", "[0.5, 1]", 2, 1)


def simulated(n=300, k=3, seed=0):
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.arange(n), k)
    y = (rng.uniform(size=n) < 0.4)[ids].astype(int)
    base = np.clip(0.4 + 0.1 * rng.normal(size=n)[ids], 0, 1)
    new = np.clip(base + 0.05 * (rng.normal(size=n)[ids] + y), 0, 1)
    return Pair(y, new, base, ids)


def test_repeated_recordings_tell_nothing_new():
    thrice = simulated()
    once = Pair(*(np.asarray(a)[::3] for a in (thrice.y, thrice.new, thrice.base, thrice.patients)))
    as_if_many = Pair(thrice.y, thrice.new, thrice.base)
    for figure in (categorical_nri, continuous_nri, idi):
        more = {"cuts": [0.3, 0.5]} if figure is categorical_nri else {}
        one, three, naive = (figure(pair, **more, **HOW) for pair in (once, thrice, as_if_many))
        assert three.total.estimate == pytest.approx(one.total.estimate, abs=1e-12)
        assert three.total.standard_error == pytest.approx(one.total.standard_error, abs=1e-12)
        assert (three.total.lower, three.total.upper) == pytest.approx((one.total.lower, one.total.upper), abs=1e-12)
        assert naive.total.standard_error == pytest.approx(one.total.standard_error / 3**0.5, rel=0.01)


def test_intervals_are_percentiles_over_resampled_patients():
    pair = simulated()
    found = continuous_nri(pair, level=0.9, n_resamples=200, seed=3)
    move = np.sign(pair.new - pair.base)
    values = [
        np.average(move[pair.y == 1], weights=w[pair.y == 1]) - np.average(move[pair.y == 0], weights=w[pair.y == 0])
        for chunk in resamples(units(pair.patients), n_resamples=200, seed=3)
        for w in chunk
    ]
    assert (found.total.lower, found.total.upper) == pytest.approx(np.quantile(values, [0.05, 0.95]), abs=1e-12)
    # 200 resamples tell a standard error to 5 %; three of these are let pass.
    assert np.std(values) == pytest.approx(found.total.standard_error, rel=0.15)
    again = continuous_nri(
        Pair(*(np.asarray(a)[::-1] for a in vars(pair).values())), level=0.9, n_resamples=200, seed=3
    )
    assert again.total.lower == pytest.approx(found.total.lower, abs=1e-14)


def test_a_model_does_not_improve_on_itself():
    pair = simulated()
    same = Pair(pair.y, pair.base, pair.base, pair.patients)
    for found in (categorical_nri(same, cuts=[0.3], **HOW), continuous_nri(same, **HOW), idi(same, **HOW)):
        assert (found.total.estimate, found.total.z, found.total.p_value) == (0.0, 0.0, 1.0)


def test_few_patients_get_no_interval_and_no_test():
    ids = np.repeat(np.arange(12), 2)
    y = (ids < 6).astype(int)
    found = continuous_nri(Pair(y, y / 2, y / 3, ids), **HOW)
    assert (found.total.lower, found.total.p_value, found.total.standard_error) == (None, None, None)
    assert "not estimable" in found.note
    assert found.total.estimate == 1.0


def test_the_warning_goes_with_the_figures():
    pair = simulated()
    for found in (categorical_nri(pair, cuts=[0.3], **HOW), idi(pair, **HOW)):
        for doi in ("10.1007/s12561-014-9118-0", "10.1002/sim.5804", "10.1097/EDE.0000000000000018"):
            assert doi in found.warning


@pytest.mark.parametrize(
    ("change", "more", "message"),
    [
        ({"new": [0.1, 1.2]}, {}, r"risks must be in \[0, 1\]; got 1.2"),
        ({"y": [1, 1]}, {}, "both classes must occur; got only 1"),
        ({"patients": ["a"]}, {}, "patients must be one per recording; got 1 for 2"),
        ({}, {"cuts": []}, "cuts must be ascending"),
        ({}, {"cuts": [0.3, 0.2]}, "cuts must be ascending"),
        ({}, {"cuts": [0, 0.2]}, "cuts must be ascending"),
        ({}, {"error": "hmisc"}, "error must be one of unpooled, pooled; got 'hmisc'"),
    ],
)
def test_refuses_what_can_not_be_reclassified(change, more, message):
    given = {"y": [0, 1], "new": [0.1, 0.2], "base": [0.1, 0.2], **change}
    with pytest.raises(StudyError, match=message):
        categorical_nri(Pair(**given), **{"cuts": [0.15], **HOW, **more})


def test_refuses_a_negative_change():
    with pytest.raises(StudyError, match="beyond must be 0 or more; got -1"):
        continuous_nri(simulated(), beyond=-1, **HOW)
