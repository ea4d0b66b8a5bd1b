import pytest
import torch
from tests.encode import plain_encoder as plain
from tests.encode.models import SMALL, encoder_of, predictor_of, recordings

from twelvelead.encode import PRESETS, Encoder, EncoderConfig, Predictor, attention, new_model
from twelvelead.terms import InputError

WIDE = EncoderConfig(768, 1, 16, predictor_width=384, predictor_depth=1, predictor_heads=12)


def shapes(module):
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


@pytest.mark.parametrize("preset", ["tiny", "small", "base"])
def test_names_and_shapes_are_the_published_ones(preset):
    config = PRESETS[preset]
    encoder, predictor = new_model(config, seed=0)
    assert shapes(encoder) == plain.encoder_shapes(config)
    assert shapes(predictor) == plain.predictor_shapes(config)
    if preset == "base":
        assert sum(t.numel() for t in encoder.state_dict().values()) == 85_374_720
        assert sum(t.numel() for t in predictor.state_dict().values()) == 11_251_200
        assert (len(encoder.state_dict()), len(predictor.state_dict())) == (137, 74)


@pytest.mark.parametrize("config", [SMALL, PRESETS["tiny"], WIDE], ids=["small", "tiny", "wide"])
def test_tokens_equal_plain_attention(config):
    encoder, state = encoder_of(config, seed=1)
    x = recordings(config, n=2, seed=2)[:1] if config is WIDE else recordings(config, n=2, seed=2)
    with torch.no_grad():
        got = encoder(x)
    for record, tokens in zip(x.double(), got, strict=True):
        want = plain.encode(record, state, config, rows=range(8), visible=range(config.n_patches))
        assert (tokens - want).abs().max() < 1e-5


@pytest.mark.parametrize("leads", [["II"], ["II", "V1"], ["I", "II", "V1", "V2"], ["V5", "I"]])
def test_fewer_leads_equal_plain_attention(leads):
    encoder, state = encoder_of(SMALL, seed=3)
    rows = [SMALL.leads.index(lead) for lead in leads]
    x = recordings(SMALL, n=2, seed=4)[:, rows]
    with torch.no_grad():
        got = encoder(x, leads=leads)
        pooled, by_lead = encoder.represent(x, leads=leads), encoder.represent_leads(x, leads=leads)
    for i, record in enumerate(x.double()):
        want = plain.encode(record, state, SMALL, rows=rows, visible=range(10))
        assert (got[i] - want).abs().max() < 1e-5
        assert (pooled[i] - want.mean(0)).abs().max() < 1e-5
        assert (by_lead[i] - want.reshape(len(rows), 10, -1).mean(1)).abs().max() < 1e-5


def test_lead_order_does_not_matter_if_it_is_named():
    encoder, _ = encoder_of(SMALL, seed=3)
    x = recordings(SMALL, n=2, seed=5)
    order = [4, 2, 7, 0, 1, 6, 5, 3]
    with torch.no_grad():
        again = encoder.represent(x[:, order], leads=[SMALL.leads[i] for i in order])
        assert (encoder.represent(x) - again).abs().max() < 1e-5
        assert (encoder.represent(x) - encoder.represent(x[:, order])).abs().max() > 1e-2


VISIBLE = torch.tensor([[0, 3, 4, 9], [1, 2, 7, 8], [5, 6, 8, 9]])


def test_gathered_tokens_equal_plain_attention_on_those_patches():
    encoder, state = encoder_of(SMALL, seed=6)
    x = recordings(SMALL, n=3, seed=7)
    with torch.no_grad():
        got = encoder(x, visible=VISIBLE)
        same_for_all = encoder(x, visible=VISIBLE[1:2])
    for i, record in enumerate(x.double()):
        want = plain.encode(record, state, SMALL, rows=range(8), visible=VISIBLE[i].tolist())
        assert (got[i] - want).abs().max() < 1e-5
        want = plain.encode(record, state, SMALL, rows=range(8), visible=VISIBLE[1].tolist())
        assert (same_for_all[i] - want).abs().max() < 1e-5


def test_hidden_samples_can_not_reach_the_context():
    encoder, _ = encoder_of(SMALL, seed=6)
    x = recordings(SMALL, n=3, seed=7)
    hidden = torch.ones(3, 10, dtype=torch.bool).scatter_(1, VISIBLE, value=False).repeat_interleave(6, dim=1)
    changed = torch.where(hidden[:, None], torch.full_like(x, torch.nan), x)
    with torch.no_grad():
        assert torch.equal(encoder(x, visible=VISIBLE), encoder(changed, visible=VISIBLE))
    x.requires_grad_()
    encoder(x, visible=VISIBLE).square().sum().backward()
    assert (x.grad[hidden[:, None].expand_as(x)] == 0).all()
    assert (x.grad[~hidden[:, None].expand_as(x)] != 0).all()


def test_guesses_equal_plain_attention_lead_by_lead():
    predictor, state = predictor_of(SMALL, seed=8)
    masked = torch.tensor([[1, 2, 5], [0, 3, 4], [0, 1, 7]])
    tokens = torch.randn(3, 8 * 4, SMALL.width, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        got = predictor(tokens, visible=VISIBLE, masked=masked)
        one_mask = predictor(tokens, visible=VISIBLE[:1], masked=masked[:1])
    assert got.shape == (3, 8, 3, SMALL.width)
    for i in range(3):
        seen, hidden = VISIBLE[i].tolist(), masked[i].tolist()
        want = plain.predict(tokens[i].double(), state, SMALL, visible=seen, masked=hidden)
        assert (got[i] - want).abs().max() < 1e-5
        seen, hidden = VISIBLE[0].tolist(), masked[0].tolist()
        want = plain.predict(tokens[i].double(), state, SMALL, visible=seen, masked=hidden)
        assert (one_mask[i] - want).abs().max() < 1e-5


def test_off_the_cpu_the_masked_form_is_used(monkeypatch):
    def no(*_, **__):
        raise AssertionError

    monkeypatch.setattr(attention, "attend_axial", no)
    encoder, _ = encoder_of(SMALL, seed=0)
    x = torch.zeros(3, 8, 60, device="meta")  # a device without numbers: shapes alone
    assert encoder.to("meta")(x, visible=VISIBLE.to("meta")).shape == (3, 32, SMALL.width)


def test_same_seed_same_weights_and_the_callers_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two, other = (new_model(PRESETS["tiny"], seed=seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    for a, b in zip(one, two, strict=True):
        assert all(torch.equal(a.state_dict()[name], b.state_dict()[name]) for name in a.state_dict())
    assert not torch.equal(one[0].W_P.weight, other[0].W_P.weight)


def test_first_weights_are_small_and_smaller_where_deeper():
    encoder, predictor = new_model(PRESETS["small"], seed=0)
    state = encoder.state_dict()
    for i in (0, 3, 11):
        name = f"encoder_blocks.blocks.{i}"
        assert float(state[f"{name}.attn.qkv.weight"].std()) == pytest.approx(0.02, rel=0.02)
        for last in ("attn.proj", "mlp.fc2"):
            assert float(state[f"{name}.{last}.weight"].std()) == pytest.approx(0.02 / (2 * (i + 1)) ** 0.5, rel=0.02)
            assert not state[f"{name}.{last}.bias"].any()
    last = predictor.state_dict()["predictor_blocks.blocks.5.mlp.fc2.weight"]
    assert float(last.std()) == pytest.approx(0.02 / 12**0.5, rel=0.02)
    assert float(predictor.mask_token.detach().std()) == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize(("start", "least", "most"), [("balanced", 0.9, 1.1), ("released", 0.03, 0.05)])
def test_what_an_ecg_weighs_beside_its_position_at_the_start(start, least, most):
    encoder, _ = new_model(PRESETS["small"], seed=0, start=start)
    patches = 0.2 * torch.randn(400, 50, generator=torch.Generator().manual_seed(1))  # 0.2 mV
    ratio = encoder.W_P(patches).square().mean().sqrt() / encoder.pos_embed.square().mean().sqrt()
    assert least < float(ratio.detach()) < most


def test_positions_are_not_trained():
    for module in (Encoder(PRESETS["tiny"]), Predictor(PRESETS["tiny"])):
        assert [name for name, p in module.named_parameters() if not p.requires_grad] == ["pos_embed"]


@pytest.mark.parametrize(
    ("shape", "leads", "said"),
    [
        ((1, 7, 60), None, r"shape \(batch, 8, 60\); got \(1, 7, 60\)"),
        ((1, 8, 61), None, r"got \(1, 8, 61\)"),
        ((8, 60), None, r"got \(8, 60\)"),
        ((1, 1, 60), ["aVF"], "got aVF"),
        ((1, 2, 60), ["I", "I"], "got I, I"),
        ((1, 0, 60), [], "got none"),
        ((1, 8, 60), ["II"], r"shape \(batch, 1, 60\)"),
    ],
)
def test_other_inputs_are_refused(shape, leads, said):
    encoder, _ = encoder_of(SMALL, seed=0)
    with pytest.raises(InputError, match=said):
        encoder(torch.zeros(shape), leads=leads)
