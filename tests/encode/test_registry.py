import numpy as np
import pytest
import torch
from tests.encode import plain_encoder as plain
from tests.encode.published import drawn, net1d_shapes, resnet18_shapes
from torch.nn import functional as F

from twelvelead.encode import LEADS_8, PRESETS, new_model, save_encoder
from twelvelead.encode.embed import embed
from twelvelead.encode.registry import ENCODERS, NOT_INCLUDED, load_embedder, save_untrained
from twelvelead.signal import Recording
from twelvelead.terms import LEADS, InputError

EPS = 1e-5  # batch normalisation's


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A file of each encoder, laid out as it was published; of ECG-JEPA a smaller one of ours, which is quicker."""
    folder = tmp_path_factory.mktemp("published")
    encoder, _ = new_model(PRESETS["tiny"], seed=0)
    paths = {"ecg-jepa": folder / "ours.safetensors"}
    save_encoder(encoder, paths["ecg-jepa"])
    contents = {
        "merl-resnet18": drawn(resnet18_shapes(), seed=1),
        "ecgfounder": {"state_dict": drawn(net1d_shapes(), seed=2), "step": 3},
    }
    for name, content in contents.items():
        paths[name] = folder / f"{name}.pth"
        torch.save(content, paths[name])
    return paths


@pytest.fixture(scope="module")
def embedders(files):
    return {name: load_embedder(path) for name, path in files.items()}


def ecg(*, fs=500.0, leads=LEADS, seconds=10.0):
    """Waves below 15 Hz, another mixture in each lead; the same at every rate. Limb leads keep Einthoven's law."""
    t = np.arange(round(seconds * fs)) / fs
    rows = {}
    for n, lead in enumerate(("I", "II", *LEADS[6:])):
        beats = np.exp(-(((t * 1.2 + 0.05) % 1 - 0.5) ** 2) / (2 * 0.03**2))
        rows[lead] = (0.5 + 0.1 * n) * beats + 0.1 * np.sin(2 * np.pi * (0.8 + 0.7 * n) * t + n)
    i, ii = rows["I"], rows["II"]
    rows |= {"III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}
    return Recording(np.stack([rows[lead] for lead in leads]), tuple(leads), fs, id="r")


def test_each_file_is_recognised_and_loads_strictly(embedders):
    assert {name: e.name for name, e in embedders.items()} == {name: name for name in ENCODERS}
    assert {name: e.width for name, e in embedders.items()} == {
        "ecg-jepa": 64, "merl-resnet18": 512, "ecgfounder": 1024,
    }  # fmt: skip
    n = sum(p.numel() for p in embedders["ecgfounder"].module.parameters())
    assert n == 30_665_264  # the published 30.7 million, without the classes


def test_the_published_ecg_jepa_is_recognised_in_its_own_layout(tmp_path):
    base = PRESETS["base"]
    shapes = plain.encoder_shapes(base)
    # One number per tensor, seen as a whole tensor: 341 MB in a small file.
    state = {name: torch.tensor(i / 1000).expand(shape) for i, (name, shape) in enumerate(shapes.items())}
    state["pos_embed"] = plain.table(base.width, base.n_leads, base.n_patches).float()
    torch.save({"encoder": state, "epoch": 99}, tmp_path / "epoch100.pth")
    embedder = load_embedder(tmp_path / "epoch100.pth")
    assert (embedder.name, embedder.width) == ("ecg-jepa", ENCODERS["ecg-jepa"].width)
    assert embedder.takes == ENCODERS["ecg-jepa"].takes


@pytest.mark.parametrize(
    ("name", "change"),
    [*(("merl-resnet18", change) for change in ("absent", "extra", "shape", "infinite")), ("ecgfounder", "absent")],
)
def test_no_tensor_may_be_absent_extra_or_of_another_shape(name, change, tmp_path):
    shapes, victim = (
        (resnet18_shapes(), "bn1.weight") if name == "merl-resnet18" else (net1d_shapes(), "first_bn.weight")
    )
    tensors = {tensor: torch.zeros(()).expand(shape) for tensor, shape in shapes.items()}  # a small file
    if change == "absent":
        del tensors[victim]
    elif change == "extra":
        tensors["another.weight"] = torch.zeros(2)
    else:
        tensors[victim] = torch.zeros(65) if change == "shape" else torch.full((64,), torch.inf)
    path = tmp_path / "changed.pth"
    torch.save(tensors if ENCODERS[name].container is None else {"state_dict": tensors}, path)
    says = {"absent": f"{victim} missing", "extra": "another.weight", "shape": r"\(65,\)", "infinite": "finite"}
    with pytest.raises(InputError, match=says[change]):
        load_embedder(path)


def test_other_files_are_refused(tmp_path, files):
    with pytest.raises(InputError, match="must be there"):
        load_embedder(tmp_path / "none.pth")
    torch.save({"model": {"w": torch.zeros(1)}}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="must be of one of"):
        load_embedder(tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("no tensors")
    with pytest.raises(InputError, match="tensors only"):
        load_embedder(tmp_path / "text.pth")
    with pytest.raises(InputError, match="SHA-256"):
        load_embedder(files["merl-resnet18"], sha256="0" * 64)


@pytest.mark.parametrize("name", list(ENCODERS))
def test_law_of_all_encoders(name, embedders):
    """Finite; the same whatever the order of leads, and derived leads are as good; nearly the same at other rates."""
    embedder = embedders[name]
    whole = embed(ecg(), embedder)
    assert whole.shape == (embedder.width,)
    assert whole.dtype == np.float32
    assert np.isfinite(whole).all()
    assert whole.std() > 0
    np.testing.assert_array_equal(whole, embed(ecg(leads=LEADS[::-1]), embedder))
    scale = np.abs(whole - embed(other_ecg(), embedder)).max()
    assert scale > 0
    eight = embed(ecg(leads=LEADS_8), embedder)
    assert np.abs(eight - whole).max() < 1e-2 * scale
    for fs in (250.0, 400.0, 1000.0):
        assert np.abs(embed(ecg(fs=fs), embedder) - whole).max() < 0.1 * scale, fs


def other_ecg():
    one = ecg()
    return Recording(one.signal[:, ::-1] * np.linspace(0.5, 1.5, 12)[:, None], one.leads, one.fs, id="other")


@pytest.mark.parametrize("name", list(ENCODERS))
def test_batch_mates_don_t_matter(name, embedders):
    """Within rounding even when they share a batch; `embed` has no batch, so there the bytes are equal."""
    embedder = embedders[name]
    x = torch.randn(2, len(embedder.takes.leads), embedder.takes.n_samples, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        together, alone = embedder.module.represent(x)[:1], embedder.module.represent(x[:1])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    first = embed(ecg(), embedder)
    embed(other_ecg(), embedder)
    assert embed(ecg(), embedder).tobytes() == first.tobytes()


def test_every_encoder_has_a_licence_that_allows_it():
    assert {known.licence for known in ENCODERS.values()} == {"MIT"}
    assert all(known.source.startswith("doi:") for known in ENCODERS.values())
    assert not set(NOT_INCLUDED) & set(ENCODERS)


def test_leads_are_mapped_by_name():
    """MERL was trained on rows as MIMIC-IV-ECG has them."""
    assert ENCODERS["merl-resnet18"].takes.leads[3:6] == ("aVR", "aVF", "aVL")
    assert ENCODERS["ecgfounder"].takes.leads == LEADS


def _norm(x, state, name):
    shape = (1, -1, 1)
    mean, var = state[f"{name}.running_mean"].view(shape), state[f"{name}.running_var"].view(shape)
    return (x - mean) / (var + EPS).sqrt() * state[f"{name}.weight"].view(shape) + state[f"{name}.bias"].view(shape)


def test_resnet_is_what_was_published(embedders):
    """By tensors' names alone, in float64."""
    state = {n: t.double() for n, t in drawn(resnet18_shapes(), seed=1).items()}
    x = torch.randn(1, 12, 500, generator=torch.Generator().manual_seed(3))
    h = F.relu(_norm(F.conv1d(x.double(), state["conv1.weight"], stride=2, padding=3), state, "bn1"))
    for layer in (1, 2, 3, 4):
        for block in (0, 1):
            stem, stride = f"layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
            inner = F.conv1d(h, state[f"{stem}.conv1.weight"], stride=stride, padding=1)
            inner = F.conv1d(F.relu(_norm(inner, state, f"{stem}.bn1")), state[f"{stem}.conv2.weight"], padding=1)
            inner = _norm(inner, state, f"{stem}.bn2")
            if stride == 2:
                h = _norm(F.conv1d(h, state[f"{stem}.shortcut.0.weight"], stride=2), state, f"{stem}.shortcut.1")
            h = F.relu(inner + h)
    with torch.inference_mode():
        got = embedders["merl-resnet18"].module.represent(x)
    torch.testing.assert_close(got.double(), h.mean(dim=2), rtol=1e-4, atol=1e-4)


def _same(x, state, name, *, stride=1, groups=1):
    """Convolution whose output has ceil(n / stride) samples, as TensorFlow pads."""
    kernel = state[f"{name}.conv.weight"].shape[2]
    n = x.shape[2]
    n_out = (n + stride - 1) // stride
    need = max(0, (n_out - 1) * stride + kernel - n)
    padded = torch.cat([x.new_zeros(1, x.shape[1], need // 2), x, x.new_zeros(1, x.shape[1], need - need // 2)], dim=2)
    return F.conv1d(padded, state[f"{name}.conv.weight"], state[f"{name}.conv.bias"], stride=stride, groups=groups)


def _swish(x):
    return x / (1 + (-x).exp())


def test_net1d_is_what_was_published(embedders):
    state = {n: t.double() for n, t in drawn(net1d_shapes(), seed=2).items()}
    x = torch.randn(1, 12, 600, generator=torch.Generator().manual_seed(4))
    h = _swish(_same(x.double(), state, "first_conv", stride=2))
    for stage, n_blocks in enumerate((2, 2, 2, 3, 3, 4, 4)):
        for block in range(n_blocks):
            stem, stride = f"stage_list.{stage}.block_list.{block}", 2 if block == 0 else 1
            n_out = state[f"{stem}.conv3.conv.bias"].shape[0]
            inner = h if stage == block == 0 else _swish(h)
            inner = _swish(_same(inner, state, f"{stem}.conv1"))
            inner = _swish(_same(inner, state, f"{stem}.conv2", stride=stride, groups=n_out // 16))
            inner = _same(inner, state, f"{stem}.conv3")
            gate = _swish(inner.mean(dim=2) @ state[f"{stem}.se_fc1.weight"].T + state[f"{stem}.se_fc1.bias"])
            gate = 1 / (1 + (-(gate @ state[f"{stem}.se_fc2.weight"].T + state[f"{stem}.se_fc2.bias"])).exp())
            if stride == 2:
                padded = torch.cat([h, h.new_zeros(1, h.shape[1], 1)], dim=2)
                half = padded.shape[2] // 2
                h = torch.maximum(padded[:, :, 0 : 2 * half : 2], padded[:, :, 1 : 2 * half : 2])
            more = n_out - h.shape[1]
            sides = (h.new_zeros(1, more // 2, h.shape[2]), h.new_zeros(1, more - more // 2, h.shape[2]))
            h = inner * gate[:, :, None] + torch.cat([sides[0], h, sides[1]], dim=1)
    with torch.inference_mode():
        got = embedders["ecgfounder"].module.represent(x)
    torch.testing.assert_close(got.double(), h.mean(dim=2), rtol=1e-4, atol=1e-4)


def test_untrained_encoders_have_the_shape_and_come_back_from_the_file(embedders, tmp_path):
    for embedder in (embedders["ecg-jepa"], embedders["merl-resnet18"]):
        one, two, again = (
            load_embedder(save_untrained(embedder, tmp_path / f"{embedder.name}-{n}", seed=seed))
            for n, seed in enumerate((1, 2, 1))
        )
        assert one.name == embedder.name
        assert one.width == embedder.width
        a, b, c = (embed(ecg(), e) for e in (one, two, again))
        np.testing.assert_array_equal(a, c)
        assert not np.array_equal(a, b)
