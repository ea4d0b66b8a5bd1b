import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from twelvelead.encode import EncoderConfig, new_model
from twelvelead.encode.probe import FineTuning, draw_patients, fine_tune, fit_linear
from twelvelead.encode.registry import as_embedder
from twelvelead.terms import StudyError


def made(n, *, seed, noise=0.1, width=6):
    rng = np.random.default_rng(seed)
    x = rng.normal(3, [0.001, 1, 1, 1, 1, 100], (n, width)).astype(np.float32)
    score = 1000 * (x[:, 0] - 3) + x[:, 1] - 3
    return x, score + noise * rng.normal(size=n), np.arange(n) // 2


def test_a_number_is_read_off_by_the_normal_equations():
    x, y, patients = made(200, seed=0)
    model = fit_linear(x, y, patients=patients, kind="number", seed=0)
    z = (x - x.mean(axis=0, dtype=float)) / x.std(axis=0, dtype=float)
    centred = y - y.mean()
    expected = np.linalg.solve(z.T @ z + model.penalty * len(y) * np.eye(6), z.T @ centred)
    np.testing.assert_allclose(model.weights, expected, rtol=1e-6)
    np.testing.assert_allclose(model.bias, y.mean(), rtol=1e-9)
    new, truth, _ = made(100, seed=1)
    assert np.abs(model.predict(new) - truth).mean() < 0.1


def test_an_event_s_log_odds_satisfy_the_score_equations():
    """At the optimum, the gradient of the penalised log-likelihood is 0."""
    x, score, patients = made(300, seed=2)
    y = (score + np.random.default_rng(3).normal(size=300) > 0).astype(float)
    model = fit_linear(x, y, patients=patients, kind="event", seed=0)
    z = (x - model.centre) / model.scale
    residual = y - 1 / (1 + np.exp(-model.predict(x)))
    gradient = z.T @ residual - model.penalty * len(y) * model.weights
    assert np.abs(gradient).max() < 1e-3 * len(y)
    assert abs(residual.sum()) < 1e-3 * len(y)


def test_the_penalty_is_chosen_by_patients_left_out():
    """Twins: each patient has many recordings, alike but for noise, and x tells patients apart but means nothing."""
    rng = np.random.default_rng(4)
    patients = np.repeat(np.arange(40), 10)
    x = np.repeat(rng.normal(size=(40, 30)), 10, axis=0) + 0.01 * rng.normal(size=(400, 30))
    y = np.repeat(rng.normal(size=40), 10)
    assert fit_linear(x, y, patients=patients, kind="number", seed=0).penalty >= 10
    # Were recordings left out one by one, their twins would give them away.
    assert fit_linear(x, y, patients=np.arange(400), kind="number", seed=0).penalty < 0.1


def test_too_little_to_learn_from_is_said():
    x, score, _ = made(10, seed=5)
    y = (score > np.sort(score)[-2]).astype(float)
    with pytest.raises(StudyError, match="with, and without"):
        fit_linear(x, y, patients=np.arange(10), kind="event", seed=0)
    with pytest.raises(StudyError, match="to learn from"):
        fit_linear(x, score, patients=np.zeros(10), kind="number", seed=0)


def test_two_with_the_event_are_enough():
    x, score, _ = made(30, seed=6)
    y = (score > np.sort(score)[-3]).astype(float)
    model = fit_linear(x, y, patients=np.arange(30), kind="event", seed=0)
    free = LogisticRegression(C=1 / (model.penalty * 30), tol=1e-8, max_iter=5000)
    free.fit((x - model.centre) / model.scale, y)
    np.testing.assert_allclose(model.weights, free.coef_[0], atol=1e-3)


def test_whole_patients_are_drawn():
    patients = np.repeat(np.arange(50), 3)
    drawn = draw_patients(patients, share=0.1, seed=0)
    assert drawn.sum() == 15
    assert set(patients[drawn]).isdisjoint(patients[~drawn])
    assert not np.array_equal(drawn, draw_patients(patients, share=0.1, seed=1))
    assert draw_patients(patients, share=0.001, seed=0).sum() == 3


CONFIG = EncoderConfig(
    16, 1, 2, predictor_width=8, predictor_depth=1, predictor_heads=2, n_leads=2, n_patches=4, patch=5
)


def beats(n, *, seed):
    """A step in lead I, high or low; its height is the number, its side the event."""
    rng = np.random.default_rng(seed)
    height = rng.uniform(-2, 2, n)
    x = 0.1 * rng.normal(size=(n, 2, 20)).astype(np.float32)
    x[:, 0] += height[:, None]
    return x.astype(np.float32), height


@pytest.mark.parametrize("kind", ["number", "event"])
def test_fine_tuning_learns_and_repeats(kind):
    x, height = beats(120, seed=0)
    test, truth = beats(40, seed=1)
    y = np.stack([height if kind == "number" else (height > 0).astype(float)] * 2, axis=1)
    y[::3, 1] = np.nan  # unknown for a third
    choices = FineTuning(epochs=12, lr=3e-3, head_lr=1e-2)
    runs = [
        fine_tune(as_embedder(new_model(CONFIG, seed=2)[0]), x, y, test=test, kind=kind, choices=choices, seed=7)
        for _ in range(2)
    ]
    assert runs[0].tobytes() == runs[1].tobytes()
    for column in runs[0].T:
        assert np.corrcoef(column, truth)[0, 1] > 0.8  # log-odds bend
    if kind == "number":
        assert np.abs(runs[0][:, 0] - truth).mean() < 0.5
    else:
        assert ((runs[0][:, 0] > 0) == (truth > 0)).mean() > 0.9
