import numpy as np
import pytest
import torch
from tests.encode.models import SMALL

from twelvelead.encode import LEADS_8, PRESETS, new_model, to_input
from twelvelead.encode.cut import Input, cut_input
from twelvelead.encode.embed import columns, embed
from twelvelead.encode.registry import as_embedder
from twelvelead.signal import Recording
from twelvelead.terms import LEADS, InputError, Reason, Unmeasurable

EIGHT = Input(LEADS_8, 250.0, 10.0, some_leads=True, normalise=lambda x, fs: x)
TWELVE = Input(LEADS, 500.0, 10.0, some_leads=False, normalise=lambda x, fs: x)


def noise(leads=LEADS_8, *, fs=250.0, seconds=10.0, seed=0):
    signal = np.random.default_rng(seed).normal(0, 0.3, (len(leads), round(seconds * fs)))
    return Recording(signal, tuple(leads), fs, id="r")


def embedder():
    return as_embedder(new_model(SMALL, seed=0)[0])


def test_at_the_encoder_s_rate_the_input_is_the_recording():
    recording = noise(("V6", "II", "V1", "I", "V2", "V3", "V4", "V5"), seconds=12)
    samples, leads = cut_input(recording, EIGHT)
    assert leads == list(LEADS_8)
    for row, lead in zip(samples, leads, strict=True):
        np.testing.assert_array_equal(row, recording[lead][:2500])


def test_what_is_embedded_is_what_was_trained_on():
    """The two ways in, of a whole recording at another rate, longer than wanted, with lead II to be derived."""
    recording = noise(("I", "III", *LEADS[6:]), fs=400, seconds=11.3)
    np.testing.assert_array_equal(cut_input(recording, EIGHT)[0], to_input(recording, config=PRESETS["tiny"]))


def test_leads_that_follow_from_others_are_derived_and_gaps_bridged():
    recording = noise(("II", "III", *LEADS[6:]))
    signal = np.array(recording.signal)
    signal[2, 100:103] = np.nan
    samples, leads = cut_input(Recording(signal, recording.leads, 250), EIGHT)
    assert leads == list(LEADS_8)
    np.testing.assert_allclose(samples[0], recording["II"] - recording["III"], atol=1e-6)
    v1 = recording["V1"]
    np.testing.assert_allclose(samples[2, 100:103], v1[99] + (v1[103] - v1[99]) * np.array([1, 2, 3]) / 4, atol=1e-6)


def test_a_lead_that_lacks_more_than_a_tenth_is_absent():
    signal = np.array(noise().signal)
    signal[3, :251], signal[4, :250] = np.nan, np.nan
    leads = cut_input(Recording(signal, LEADS_8, 250), EIGHT)[1]
    assert leads == [lead for lead in LEADS_8 if lead != "V2"]


def test_refusals_are_typed():
    with pytest.raises(Unmeasurable, match="needs 10 s") as error:
        cut_input(noise(seconds=9.9), EIGHT)
    assert error.value.reason is Reason.TOO_SHORT
    with pytest.raises(Unmeasurable, match="got none of V6") as error:
        cut_input(noise(LEADS[:11], fs=500), TWELVE)
    assert error.value.reason is Reason.MISSING_LEAD
    with pytest.raises(Unmeasurable, match="not flat") as error:
        cut_input(Recording(np.ones((8, 2500)), LEADS_8, 250), EIGHT)
    assert error.value.reason is Reason.FLAT
    with pytest.raises(Unmeasurable, match="one of the leads"):
        cut_input(noise(("V7", "V8")), EIGHT)
    with pytest.raises(InputError, match="some of"):
        cut_input(noise(), EIGHT, only=["aVF"])
    with pytest.raises(InputError, match="all of"):
        cut_input(noise(LEADS), TWELVE, only=["I", "II"])


def short(leads=LEADS_8, seed=0):
    """Of `SMALL`'s 60 samples."""
    return noise(leads, seconds=0.24, seed=seed)


def test_the_mean_pool_is_the_mean_of_the_tokens():
    given, recording = embedder(), short()
    with torch.inference_mode():
        tokens = given.module(torch.from_numpy(np.array(recording.signal))[None])[0]
    np.testing.assert_allclose(embed(recording, given), tokens.mean(dim=0), atol=1e-6)
    by_lead = embed(recording, given, pool="leads").reshape(8, -1)
    np.testing.assert_allclose(by_lead, tokens.reshape(8, 10, -1).mean(dim=1), atol=1e-6)


def test_reduced_leads_are_those_named_and_those_there():
    given, recording = embedder(), short()
    few = embed(short(("I", "II", "V1")), given)
    rows = np.array([recording[lead] for lead in ("I", "II", "V1")])
    there = embed(Recording(rows, ("I", "II", "V1"), 250), given)
    named = embed(recording, given, only=["V1", "I", "II"])
    np.testing.assert_array_equal(named, there)
    assert not np.array_equal(named, embed(recording, given))
    assert few.shape == named.shape
    by_lead = embed(recording, given, only=["V1"], pool="leads").reshape(8, -1)
    assert np.isnan(np.delete(by_lead, LEADS_8.index("V1"), axis=0)).all()
    np.testing.assert_allclose(by_lead[2], embed(recording, given, only=["V1"]), atol=1e-6)


def test_columns_sort_as_they_count():
    given = embedder()
    names = columns(given)
    assert names[:2] == ["embedding_000", "embedding_001"]
    assert len(names) == 24
    by_lead = columns(given, pool="leads")
    assert by_lead[24] == "embedding_ii_000"
    assert len(set(by_lead)) == 8 * 24


def test_an_encoder_that_mixes_leads_can_t_be_pooled_by_them():
    mixing = type("Mixing", (torch.nn.Module,), {"represent": lambda self, x: x.mean(dim=2)})()
    given = embedder()
    with pytest.raises(InputError, match="keep them apart"):
        embed(noise(LEADS, fs=500), type(given)("mixing", mixing, TWELVE, 12), pool="leads")
