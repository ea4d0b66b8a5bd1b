"""The convolutional attacker: at chance where nothing tells people apart, sure where something does."""

import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from tests.privacy.planted import planted

from twelvelead.privacy import compare, estimate
from twelvelead.privacy.drawn import impostors_beaten
from twelvelead.privacy.protocols import cross_record, subject_disjoint
from twelvelead.privacy.torch_attackers import CNN, TORCH_ATTACKERS
from twelvelead.terms import InputError, MissingExtra
from twelvelead.validate import Bootstrap

torch = pytest.importorskip("torch", reason="the extra torch is not installed")

from twelvelead.privacy import cnn  # noqa: E402 (needs torch)
from twelvelead.privacy.torch_training import Course, alone, to_tensor, train  # noqa: E402

BOOTSTRAP = Bootstrap(300, 0, 0.95)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(cnn, "COURSE", Course(steps=60, batch=64, rate=3e-3))


def beaten(units, trials_of):
    compared = compare(CNN, trials_of(units, seed=0), seed=0)
    return estimate(impostors_beaten, compared, bootstrap=BOOTSTRAP)


def test_people_with_a_signature_are_found_also_by_who_never_saw_them():
    units = planted("T", n_people=24, varied=0.1).units
    assert beaten(units, cross_record).lower > 0.75
    assert beaten(units, partial(subject_disjoint, n_folds=2)).lower > 0.65


def test_people_without_are_not():
    found = beaten(planted(None, n_people=30, seed=1).units, cross_record)
    assert found.lower < 0.5 < found.upper


def test_same_seed_same_scores_whatever_stands_in_the_batch():
    trial = cross_record(planted("T", n_people=12).units, seed=0)[0]
    first, again, other = (CNN.attack(*parts(trial), seed=seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert not np.allclose(first, other)
    net = cnn.fit(trial.background, seed=1, device="cpu", course=Course(steps=20))
    whole = cnn.embed(net, trial.probe.x, device="cpu")
    np.testing.assert_allclose(cnn.embed(net, trial.probe.x[3:4], device="cpu"), whole[3:4], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1.0, atol=1e-6)


def parts(trial):
    return trial.background, trial.gallery, trial.probe.blind()


def test_threads_and_random_numbers_of_others_are_as_before():
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    trial = cross_record(planted("T", n_people=10).units, seed=0)[0]
    CNN.attack(*parts(trial), seed=0)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(ZeroDivisionError), alone(seed=0, device="cpu"):
        _ = torch.rand(3)[0].item() / 0
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_gain_and_level_play_no_part():
    units = planted("T", n_people=12).units
    trial, louder = (cross_record(u, seed=0)[0] for u in (units, replace(units, x=units.x * 3 + 1)))
    np.testing.assert_allclose(CNN.attack(*parts(trial), seed=0), CNN.attack(*parts(louder), seed=0), atol=1e-3)


def test_training_follows_the_loss():
    """A single weight that is to be as small as can be: AdamW takes it down."""
    model = torch.nn.Linear(1, 1, bias=False)
    x = torch.ones(8, 1, 4)
    before = float(model.weight.detach().abs())
    train(model, x, lambda shown, rows: model.weight.square().sum() + 0 * shown.sum(), course=Course(steps=50))
    assert float(model.weight.detach().abs()) < before
    assert not model.training
    with pytest.raises(InputError, match="20 steps or more"):
        Course(steps=3)
    assert to_tensor(np.ones((2, 1, 4), dtype=np.float32), device="cpu").tolist() == [[[0.0] * 4]] * 2


@pytest.mark.parametrize("key", TORCH_ATTACKERS)
def test_without_torch_the_command_that_installs_it_is_named(key, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    trial = cross_record(planted("T", n_people=10).units, seed=0)[0]
    assert TORCH_ATTACKERS[key].extra == "torch"
    with pytest.raises(MissingExtra, match=r"pip install 'twelvelead\[torch\]'"):
        TORCH_ATTACKERS[key].attack(*parts(trial), seed=0)
