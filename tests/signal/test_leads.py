import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twelvelead.signal import Recording, derive_limb_leads, einthoven_residual_mv, lead_name, standard_order
from twelvelead.terms import LEADS, LIMB_LEADS

RNG = np.random.default_rng(0)


def limb(n=200):
    i, ii = RNG.normal(0, 1, (2, n))
    rows = {"I": i, "II": ii, "III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}
    return Recording(np.stack(list(rows.values())), tuple(rows), 500, "r")


@pytest.mark.parametrize("a", LIMB_LEADS)
@pytest.mark.parametrize("b", LIMB_LEADS)
def test_any_two_limb_leads_give_all_six(a, b):
    whole = limb()
    if a == b:
        one = Recording(whole[a][None], (a,), 500, "r")
        assert derive_limb_leads(one) is one
        return
    derived = derive_limb_leads(Recording(np.stack([whole[a], whole[b]]), (a, b), 500, "r"))
    assert set(derived.leads) == set(LIMB_LEADS)
    for lead in LIMB_LEADS:  # float32 of amplitudes of a few mV, times at most 2: well below 10 nV
        np.testing.assert_allclose(derived[lead], whole[lead], rtol=0, atol=1e-5)


def test_a_recorded_lead_is_never_overwritten():
    wrong = Recording(np.array([[1.0, 1.0], [3.0, 3.0], [9.0, 9.0]]), ("I", "II", "III"), 500)
    assert derive_limb_leads(wrong)["III"].tolist() == [9.0, 9.0]


@given(st.permutations(LEADS))
def test_leads_are_put_in_order_with_their_samples(order):
    r = Recording(np.array([[float(LEADS.index(lead))] for lead in order]), tuple(order), 500)
    sorted_ = standard_order(r)
    assert sorted_.leads == LEADS
    assert sorted_.signal[:, 0].tolist() == list(range(12))


def test_other_leads_come_last():
    assert standard_order(Recording(np.zeros((3, 1)), ("MLII", "V1", "I"), 500)).leads == ("I", "V1", "MLII")


@pytest.mark.parametrize(
    ("text", "name"),
    [("AVR", "aVR"), (" v6 ", "V6"), ("iii", "III"), ("ECG I", "I"), ("Lead aVf", "aVF"), ("MLII", "MLII"),
     ("ECG I filtered", "ECG I filtered"), ("MDC_ECG_LEAD_V3", "V3"), ("", "")],
)  # fmt: skip
def test_lead_names(text, name):
    assert lead_name(text) == name


def test_the_residual_is_zero_where_the_laws_hold_and_sees_swapped_leads():
    good = limb(1000)
    assert einthoven_residual_mv(good) < 1e-6
    swapped = Recording(good.signal, ("I", "III", "II", "aVR", "aVL", "aVF"), 500)
    assert einthoven_residual_mv(swapped) > 0.5


def test_the_residual_ignores_offsets_and_gaps():
    r = limb(1000)
    signal = r.signal + np.arange(6)[:, None]
    signal[2, 100:200] = np.nan
    assert einthoven_residual_mv(Recording(signal, r.leads, 500)) < 1e-5


def test_the_residual_needs_three_limb_leads():
    assert np.isnan(einthoven_residual_mv(Recording(np.zeros((2, 5)), ("I", "II"), 500)))
    assert np.isnan(einthoven_residual_mv(Recording(np.full((3, 5), np.nan), ("I", "II", "III"), 500)))


def test_an_empty_lead_neither_derives_nor_contradicts():
    whole = limb()
    signal = whole.signal.copy()
    signal[0] = np.nan
    holed = Recording(signal, whole.leads, 500)
    assert einthoven_residual_mv(holed) < 1e-6
    three = Recording(signal[[0, 1, 2]], ("I", "II", "III"), 500)
    derived = derive_limb_leads(three)
    assert np.isnan(derived["I"]).all()
    np.testing.assert_allclose(derived["aVF"], whole["aVF"], rtol=0, atol=1e-5)
    one = Recording(signal[[0, 1]], ("I", "II"), 500)
    assert derive_limb_leads(one) is one


def test_leads_that_were_never_recorded_together_contradict_nothing():
    signal = limb(9).signal[:3].copy()
    for row in range(3):
        signal[row, row::3] = np.nan
    assert np.isnan(einthoven_residual_mv(Recording(signal, ("I", "II", "III"), 500)))
