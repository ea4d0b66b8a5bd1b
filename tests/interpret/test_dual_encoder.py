"""The model of GEM's shape learns by heart what eight ECGs are said to be, from the ECGs; nothing more is claimed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from twelvelead.encode import PRESETS, new_model, to_input
from twelvelead.interpret.dual_decoder import ByteDecoder, NamedDecoder, load_named
from twelvelead.interpret.dual_encoder import TINY, DualEncoder, Seen, Sight, new_dual, shrink
from twelvelead.interpret.dual_training import Lesson, Turn, generate, surprise, train
from twelvelead.signal import Recording
from twelvelead.terms import LEADS, InputError, MissingExtra


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small products: threads would wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


SMALL = replace(TINY, image=(64, 64), width=64, depth=2, context=256)
QUESTION = "<image>\nInterpret the ECG."


def sight(seed, config=SMALL):
    """A sine whose rate and heights are drawn, and a picture with a line at a drawn height."""
    rng = np.random.default_rng(seed)
    time = np.arange(5000) / 500
    signal = rng.uniform(0.2, 1.5, (12, 1)) * np.sin(2 * np.pi * rng.uniform(0.8, 3.0) * time)
    x = torch.from_numpy(to_input(Recording(signal, LEADS, 500), config=config.signal))[None]
    pixels = torch.ones(128, 128, 3)
    pixels[int(rng.integers(10, 118))] = 0.0
    return Sight(x, shrink(pixels, config)[None])


def seen_of(model, seeds):
    return [model.see(sight(seed)) for seed in seeds]


def test_it_learns_eight_texts_by_heart_and_tells_them_apart_by_the_ecg():
    torch.manual_seed(0)
    model = new_dual(SMALL, seed=1)
    texts = [f"Heart rate {50 + 9 * k} bpm, QTc {390 + 7 * k} ms." for k in range(8)]
    seen = seen_of(model, range(8))
    lessons = [Lesson(s, (Turn(QUESTION, text),)) for s, text in zip(seen, texts, strict=True)]
    losses = train(model, lessons, steps=150, batch=8, lr=3e-3, seed=0)
    assert losses[0] > 4.0  # 258 tokens know nothing: ln 258 = 5.6
    assert losses[-1] < 0.05
    said = [generate(model, s, QUESTION, most=100) for s in seen]
    assert said == texts
    moved = [generate(model, s, QUESTION, most=100) for s in [*seen[1:], seen[0]]]
    assert moved == [*texts[1:], texts[0]], "what is said depends on the ECG, not on the order"


def test_each_side_reaches_the_decoder():
    model = new_dual(SMALL, seed=1)
    a, b = seen_of(model, (0, 1))
    for mixed in (Seen(b.signal, a.image), Seen(a.signal, b.image)):
        assert not torch.allclose(model.project(mixed), model.project(a))


def test_only_the_projectors_and_the_decoder_are_trained():
    model = new_dual(SMALL, seed=1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    train(model, [Lesson(model.see(sight(0)), (Turn("q", "a"),))], steps=2, batch=1, lr=1e-2, seed=0)
    changed = {
        name.split(".")[0] for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])
    }
    assert changed == {"signal_projector", "projector", "decoder"}


def test_the_same_seed_gives_the_same_model():
    a, b = new_dual(SMALL, seed=3), new_dual(SMALL, seed=3)
    for model in (a, b):
        train(model, [Lesson(model.see(sight(0)), (Turn("q", "a"),))], steps=3, batch=1, lr=1e-2, seed=0)
    assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_surprise_is_that_of_the_answers_alone():
    """By hand: the mean of −ln p of the answer's tokens and the end, in a row without batch-mates or padding."""
    model = new_dual(SMALL, seed=1).eval()
    seen = model.see(sight(0))
    short, long = Lesson(seen, (Turn(QUESTION, "ab"),)), Lesson(seen, (Turn(QUESTION, "abcdef"), Turn("More?", "xy")))
    ecg = model.project(seen)
    words = model.decoder.embed(torch.tensor([list(b"\nInterpret the ECG.\nab")]))
    scores, _ = model.decoder(torch.cat([ecg, words], dim=1))
    log_p = scores[0, -3:].log_softmax(dim=1)
    by_hand = -(log_p[0, ord("a")] + log_p[1, ord("b")] + log_p[2, 257]) / 3
    assert surprise(model, [short]).item() == pytest.approx(by_hand.item(), abs=1e-5)
    together = surprise(model, [short, long]).item()
    alone = surprise(model, [long]).item()
    assert together == pytest.approx((3 * by_hand.item() + 10 * alone) / 13, abs=1e-5), "padding counts for nothing"


def test_the_decoder_sees_nothing_of_what_comes_after():
    decoder = ByteDecoder(32, 2, 4, context=64).eval()
    tokens = torch.tensor([list(b"sinus rhythm")])
    other = tokens.clone()
    other[0, 8:] = ord("z")
    a, b = (decoder(decoder.embed(t))[0] for t in (tokens, other))
    assert torch.allclose(a[:, :8], b[:, :8], atol=1e-6)
    assert not torch.allclose(a[:, 8:], b[:, 8:])


def test_what_is_remembered_changes_no_score():
    decoder = ByteDecoder(32, 2, 4, context=64).eval()
    vectors = decoder.embed(torch.tensor([list(b"QRS 98 ms")]))
    whole, _ = decoder(vectors)
    cache, scores = None, []
    for k in range(vectors.shape[1]):
        score, cache = decoder(vectors[:, k : k + 1], cache)
        scores.append(score)
    assert torch.allclose(torch.cat(scores, dim=1), whole, atol=1e-5)


def test_a_text_beyond_the_context_is_refused():
    model = new_dual(SMALL, seed=0)
    with pytest.raises(InputError, match="at most 256 tokens"):
        surprise(model, [Lesson(model.see(sight(0)), (Turn("q", "x" * 300),))])
    assert len(generate(model, model.see(sight(0)), "q", most=10_000).encode(errors="replace")) <= 3 * 256


def test_a_pre_trained_encoder_is_taken_as_it_is():
    encoder, _ = new_model(PRESETS["tiny"], seed=5)
    model = new_dual(SMALL, seed=0, encoder=encoder)
    x = sight(0)
    assert torch.equal(model.see(x).signal.mean(dim=1), encoder.eval().represent(x.signal)) or torch.allclose(
        model.see(x).signal.mean(dim=1), encoder.represent(x.signal), atol=1e-6
    )
    with pytest.raises(InputError, match="must have the shape"):
        DualEncoder(replace(SMALL, signal=PRESETS["small"]), encoder=encoder)


def test_shrinking_keeps_the_whole_page():
    pixels = torch.ones(128, 256)
    pixels[:, :64] = 0.0
    small = shrink(pixels, replace(TINY, image=(32, 64)))
    assert small[:, :16].max() == 0
    assert small[:, 16:].min() == 1


def test_a_model_by_name_needs_a_gpu_and_the_package(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="needs a GPU; got device 'cpu' and no GPU"):
        NamedDecoder("vicuna", device="cpu")
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingExtra, match="twelvelead\\[language\\]"):
        load_named("vicuna", device="cpu")
