"""The transformer over beats: who, sex and age with and without the leak, and where it looks."""

import numpy as np
import pytest
from tests.privacy.making import feature_rows
from tests.privacy.planted import planted

from twelvelead.privacy import NotEstimable, compare
from twelvelead.privacy.attribution import attribute
from twelvelead.privacy.coalitions import as_fitted
from twelvelead.privacy.protocols import cross_record
from twelvelead.privacy.segments import SEGMENTS
from twelvelead.privacy.torch_attackers import TRANSECG
from twelvelead.terms import InputError
from twelvelead.validate import Bootstrap

torch = pytest.importorskip("torch", reason="the extra torch is not installed")

from twelvelead.encode.vit import explain_beats  # noqa: E402 (needs torch)
from twelvelead.privacy import transecg  # noqa: E402
from twelvelead.privacy.torch_training import Course, to_tensor  # noqa: E402
from twelvelead.privacy.traits import classes_of, halves, read_traits, trait_attention  # noqa: E402
from twelvelead.privacy.transecg import ATTENTION, IDENTITY  # noqa: E402

BOOTSTRAP = Bootstrap(300, 0, 0.95)
SHORT = Course(steps=200, batch=48, rate=6e-3)
NOTHING = Course(steps=0)


@pytest.fixture(scope="module")
def learnt():
    """People with a signature in T, and a transformer that has learnt their first recordings."""
    segmented = planted("T", n_people=16, n_beats=6, varied=0.1)
    trial = cross_record(segmented.units, seed=0)[0]
    return segmented, trial, transecg.fit(trial.gallery, {IDENTITY: trial.gallery.subject}, seed=0, course=SHORT)


def explain(segmented, trial, reader):
    wanted = np.searchsorted(reader.people, trial.probe.subject)
    shown = type(segmented)(trial.probe, segmented.of_sample[: len(trial.probe)], segmented.delineator)
    maps = transecg.look(reader, shown.units.x, head=IDENTITY, wanted=wanted)
    game = as_fitted("transecg", reader.name, cross_record, segmented=segmented, seed=0)
    maps = dict(zip(ATTENTION, maps, strict=True))
    return attribute(game, bootstrap=BOOTSTRAP, shapley=False, attended=(shown, maps))


def test_it_needs_what_was_planted_and_attention_never_comes_alone(learnt):
    found = explain(*learnt)
    assert found.occlusion.whole["impostors_beaten"].lower > 0.6
    assert found.occlusion.lost["genuine_margin"].top() == "T"
    assert found.occlusion.lost["impostors_beaten"].top() == "T"
    assert found.occlusion.lost["impostors_beaten"].of("T").value > 0.25
    assert [a.kind for a in found.attention] == list(ATTENTION)
    for a in found.attention:
        assert a.share.parts()[0].sum() == pytest.approx(1)
        np.testing.assert_allclose(a.lift.value * a.duration.value, a.share.value)
        assert a.occlusion is found.occlusion.lost["genuine_margin"]


def test_who_has_learnt_nothing_or_wrong_names_needs_nothing(learnt):
    segmented, trial, _ = learnt
    names = trial.gallery.subject
    wrong = np.random.default_rng(0).permutation(names)
    for taught, course in ((names, NOTHING), (wrong, SHORT)):
        reader = transecg.fit(trial.gallery, {IDENTITY: taught}, seed=0, course=course)
        found = explain(segmented, trial, reader)
        whole = found.occlusion.whole["impostors_beaten"]
        assert whole.lower < 0.5 < whole.upper
        assert np.abs(found.occlusion.lost["impostors_beaten"].value).max() < 0.15
        if course is NOTHING:  # attention as even as it can be
            lift = found.attention[0].lift.parts()[0]
            assert np.abs(lift - 1).max() < 0.5


def test_the_attack_is_the_transformer_of_the_gallery(learnt, monkeypatch):
    _, trial, _ = learnt
    course = Course(steps=20)
    monkeypatch.setattr(transecg, "COURSE", course)
    state = torch.get_rng_state()
    compared = compare(TRANSECG, (trial,), seed=4)[0]
    assert torch.equal(torch.get_rng_state(), state)
    reader = transecg.fit(trial.gallery, {IDENTITY: trial.gallery.subject}, seed=4, course=course)
    log_p = reader.answer(trial.probe.x, IDENTITY)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1.0, atol=1e-5)
    own = trial.probe.group == compared.group[0]
    np.testing.assert_allclose(compared.scores[0], log_p[own].mean(axis=0), atol=1e-6)
    assert reader.people.tolist() == compared.person.tolist()


def test_look_is_what_the_encoder_explains(learnt):
    _, trial, reader = learnt
    x = trial.probe.x[:5]
    _, followed, raising = transecg.look(reader, x, head=IDENTITY, wanted=np.full(5, 3))
    wanted = explain_beats(reader.model, to_tensor(x, device="cpu"), head=IDENTITY, output=3)
    np.testing.assert_allclose(followed, wanted[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(raising, wanted[1].numpy(), atol=1e-5)


def test_only_beats_can_be_read():
    rows = feature_rows(np.zeros((4, 3)), [0, 0, 1, 1])
    with pytest.raises(InputError, match="must be shown beats"):
        transecg.fit(rows, {IDENTITY: rows.subject}, seed=0, course=NOTHING)


def test_beats_of_an_awkward_length_are_single_samples():
    assert transecg.shape_for(2, 173).patch == 1
    assert transecg.shape_for(2, 140).patch == 7


# --- sex and age ---


def with_traits(segmented, *, seed):
    """Give people sex and age by lot: their beats know nothing of it."""
    rng = np.random.default_rng(seed)
    n = int(segmented.units.subject.max()) + 1
    units = segmented.units
    object.__setattr__(units, "female", rng.permutation(np.arange(n) % 2)[units.subject])
    object.__setattr__(units, "age_years", rng.permutation(np.linspace(18, 60, n))[units.subject])
    return units


def test_sex_and_age_by_lot_are_told_only_through_the_person():
    segmented = planted("T", n_people=20, n_beats=8, n_recordings=1, varied=0.3)
    units = with_traits(segmented, seed=1)
    first = halves(units, seed=0)[0]
    leaky = transecg.fit(first, {IDENTITY: first.subject, **classes_of(first)}, seed=0, course=SHORT)
    short = Course(steps=30, batch=48, rate=6e-3)
    found = {t.head: t for t in read_traits(units, leaky=leaky, course=short, bootstrap=BOOTSTRAP)}
    assert set(found) == {"sex", "age"}
    for t in found.values():
        assert t.leaky.value > 0.8
        assert t.leakage.lower > 0.1
        assert t.leakage.value == pytest.approx(t.leaky.value - t.sound.value)
    assert found["sex"].sound.lower < 0.5 < found["sex"].sound.upper
    wanted = classes_of(units)["sex"]
    attention = trait_attention(leaky, segmented, head="sex", wanted=wanted, bootstrap=BOOTSTRAP)
    assert [a.kind for a in attention] == list(ATTENTION)
    assert set(attention[0].occlusion.names) == {*SEGMENTS, "QRS"}


def test_the_two_halves_share_no_beat():
    units = planted(None, n_people=10).units
    first, second = halves(units, seed=0)
    seen = [{tuple(x) for x in part.x[:, 0].tolist()} for part in (first, second)]
    assert not seen[0] & seen[1]
    assert len(first) + len(second) == len(units)


def test_without_sex_nothing_is_told_of_it():
    units = planted(None, n_people=12).units
    leaky = transecg.fit(units, {"sex": units.female}, seed=0, course=NOTHING)
    found = read_traits(units, leaky=leaky, course=NOTHING, bootstrap=BOOTSTRAP)
    assert isinstance(found, NotEstimable)
    assert "sex" in str(found)
