import hashlib
import json
from dataclasses import replace

import pytest
import torch
from tests.encode import plain_encoder as plain
from tests.encode.models import SMALL, encoder_of, recordings

from twelvelead.encode import (
    PRESETS,
    load_encoder,
    load_published,
    read_card,
    save_encoder,
    to_published,
)
from twelvelead.terms import InputError


def published(config, *, seed=0):
    """A file's content as the notes' table has it."""
    positions = plain.table(config.width, config.n_leads, config.n_patches)
    return {"encoder": plain.drawn(plain.encoder_shapes(config), seed=seed, positions=positions), "epoch": 99}


def saved(content, tmp_path):
    path = tmp_path / "epoch100.pth"
    torch.save(content, path)
    return path


def test_base_layout_loads_strictly(tmp_path):
    # One number per tensor, seen as a whole tensor: the layout of 341 MB in a file of 1.3 MB.
    shapes = plain.encoder_shapes(PRESETS["base"])
    state = {name: torch.tensor(i / 1000).expand(shape) for i, (name, shape) in enumerate(shapes.items())}
    state["pos_embed"] = plain.table(768, 8, 50).float()
    assert sum(t.numel() for t in state.values()) == 85_374_720
    encoder = load_published(saved({"encoder": state, "epoch": 99}, tmp_path))
    assert sum(t.numel() for t in encoder.state_dict().values()) == 85_374_720
    assert encoder.config == PRESETS["base"]
    assert not encoder.training
    for i, name in enumerate(shapes):
        tensor = encoder.state_dict()[name]
        assert name == "pos_embed" or (tensor == torch.tensor(i / 1000)).all()


def test_loaded_encoder_gives_the_plain_tokens(tmp_path):
    content = published(SMALL)
    path = saved(content, tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    encoder = load_published(path, sha256=digest.upper(), config=SMALL)
    x = recordings(SMALL, n=1, seed=1)
    state = {name: tensor.double() for name, tensor in content["encoder"].items()}
    want = plain.encode(x[0].double(), state, SMALL, rows=range(8), visible=range(10))
    with torch.no_grad():
        assert (encoder(x)[0] - want).abs().max() < 1e-5


def test_published_layout_goes_round(tmp_path):
    encoder, _ = encoder_of(SMALL, seed=1)
    again = load_published(saved(to_published(encoder, epoch=4), tmp_path), config=SMALL)
    assert all(torch.equal(t, again.state_dict()[n]) for n, t in encoder.state_dict().items())


def swapped(state):
    """Positions of an encoder whose tokens go time after time."""
    table = state["pos_embed"].view(8, 10, -1).transpose(0, 1).reshape(80, -1)
    return state | {"pos_embed": table}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: {n: t for n, t in s.items() if n != "norm.bias"}, r"first norm.bias missing for \(24,\)"),
        (lambda s: s | {"rope.periods": torch.ones(2)}, r"first rope.periods \(2,\) for none"),
        (lambda s: s | {"W_P.weight": s["W_P.weight"].T}, r"first W_P.weight \(6, 24\) for \(24, 6\)"),
        (lambda s: s | {"W_P.bias": 3}, r"first W_P.bias \(\) for \(24,\)"),
        (lambda s: s | {"norm.bias": s["norm.bias"] / 0}, "must be finite"),
        (swapped, "pos_embed must be the table"),
    ],
)
def test_other_tensors_are_refused(change, said, tmp_path):
    content = published(SMALL)
    path = saved(content | {"encoder": change(content["encoder"])}, tmp_path)
    with pytest.raises(InputError, match=said):
        load_published(path, config=SMALL)


@pytest.mark.parametrize("content", [{"epoch": 1}, {"encoder": {}}, [1], {"encoder": [1], "epoch": 1}])
def test_other_contents_are_refused(content, tmp_path):
    with pytest.raises(InputError, match="must hold `encoder` and `epoch`"):
        load_published(saved(content, tmp_path), config=SMALL)


RAN = []


class Trap:
    def __reduce__(self):
        return (RAN.append, (1,))


def test_a_file_that_would_run_something_is_refused_unrun(tmp_path):
    path = saved(published(SMALL) | {"extra": Trap()}, tmp_path)
    with pytest.raises(InputError, match="torch file of tensors only"):
        load_published(path, config=SMALL)
    assert not RAN


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 half an archive"])
def test_other_files_are_refused(content, tmp_path):
    path = tmp_path / "epoch100.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match="torch file of tensors only"):
        load_published(path)
    with pytest.raises(InputError, match="SHA-256"):
        load_published(path, sha256="0" * 64)
    with pytest.raises(InputError, match="must be there"):
        load_published(tmp_path / "other.pth")


def test_own_file_goes_round_with_its_card(tmp_path):
    config = replace(SMALL, drop_path=0.2)
    encoder, _ = encoder_of(config, seed=2)
    path = tmp_path / "encoder.safetensors"
    save_encoder(encoder, path, about={"recipe": "sound", "steps": 12})
    again = load_encoder(path)
    assert again.config == config
    assert not again.training
    assert all(torch.equal(t, again.state_dict()[n]) for n, t in encoder.state_dict().items())
    card = read_card(path)
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert card["n_elements"] == sum(t.numel() for t in encoder.state_dict().values())
    assert card["about"] == {"recipe": "sound", "steps": 12}
    assert card["input"]["leads"] == ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]
    assert card["input"]["fs_hz"] == 250.0
    first = path.read_bytes()
    save_encoder(encoder, path, about={"recipe": "sound", "steps": 12})
    assert path.read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["encoder.json", "encoder.safetensors"]


def test_own_file_that_is_not_its_cards_is_refused(tmp_path):
    encoder, _ = encoder_of(SMALL, seed=2)
    path, card = tmp_path / "encoder.safetensors", tmp_path / "encoder.json"
    save_encoder(encoder, path)
    good = path.read_bytes(), card.read_text()
    path.write_bytes(good[0][:-1] + bytes([good[0][-1] ^ 1]))
    with pytest.raises(InputError, match="must have SHA-256"):
        load_encoder(path)
    path.write_bytes(good[0])
    content = json.loads(good[1])
    for wrong in (
        content | {"format": "another"},
        content | {"config": content["config"] | {"width": 48}},
        content | {"config": content["config"] | {"colour": 1}},
        [content],
    ):
        card.write_text(json.dumps(wrong))
        with pytest.raises(InputError):
            load_encoder(path)
    card.write_text("{")
    with pytest.raises(InputError, match="card beside it; got JSONDecodeError"):
        load_encoder(path)
    card.unlink()
    with pytest.raises(InputError, match="card beside it; got FileNotFoundError"):
        load_encoder(path)
    with pytest.raises(InputError, match="must be named"):
        save_encoder(encoder, tmp_path / "encoder.pth")


def test_a_file_that_is_no_safetensors_is_refused_even_if_its_card_agrees(tmp_path):
    encoder, _ = encoder_of(SMALL, seed=2)
    path = tmp_path / "encoder.safetensors"
    save_encoder(encoder, path)
    path.write_bytes(b"junk")
    card = read_card(path) | {"sha256": hashlib.sha256(b"junk").hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(card))
    with pytest.raises(InputError, match="file and card must be of this version"):
        load_encoder(path)
