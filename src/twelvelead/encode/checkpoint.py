"""An encoder as a file: the published ones are read, our own written as safetensors beside a card."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError  # the error alone: nothing here reads a pickle freely
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from twelvelead.encode.config import FS, PRESETS, SECONDS, EncoderConfig
from twelvelead.encode.encoder import Encoder
from twelvelead.terms import InputError

FORMAT = "twelvelead encoder 1"


def load_published(path: Path, *, sha256: str | None = None, config: EncoderConfig = PRESETS["base"]) -> Encoder:
    """Read a checkpoint that the authors of ECG-JEPA published, or one of the same layout.

    Parameters
    ----------
    path : Path
        The file, as torch saves it: `encoder` (names and tensors) and `epoch`. Nothing in it is run.
    sha256 : str, optional
        What the file's SHA-256 must be, in hexadecimal.
    config : EncoderConfig
        Its shape. The number of heads can't be seen from the tensors.

    Returns
    -------
    Encoder
        In evaluation mode, on the CPU.

    Raises
    ------
    InputError
        If the file is missing, is another, or holds anything but this encoder's tensors, all finite, with the fixed
        sine and cosine positions (another order of leads or times would show there).
    """
    check_file(path, sha256, next_step="Download it again")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        msg = f"a published checkpoint must be a torch file of tensors only; got {type(error).__name__} in "
        msg += f"{str(path)!r}. Download it again."
        raise InputError(msg) from error
    tensors = content.get("encoder") if isinstance(content, dict) else None
    if not isinstance(tensors, dict) or not isinstance(content.get("epoch"), int):
        msg = f"a published checkpoint must hold `encoder` and `epoch`; got neither or one in {str(path)!r}. "
        msg += "Give the pre-trained encoder, not a fine-tuned model."
        raise InputError(msg)
    return _filled(config, tensors, path)


def to_published(encoder: Encoder, *, epoch: int = 0) -> dict[str, Any]:
    """Give an encoder in the published layout, for `torch.save`.

    Parameters
    ----------
    encoder : Encoder
        Any.
    epoch : int
        Passes it was trained for, counted from 0.

    Returns
    -------
    dict
        `encoder`: its tensors by name, on the CPU; `epoch`.
    """
    return {"encoder": _tensors(encoder), "epoch": epoch}


def save_encoder(encoder: Encoder, path: Path, *, about: Mapping[str, Any] | None = None) -> None:
    """Write an encoder as safetensors, and beside it a card in JSON.

    Parameters
    ----------
    encoder : Encoder
        Any.
    path : Path
        The file, named *.safetensors; the card gets the same name with .json. Their folder must be there.
    about : mapping, optional
        What else the card should say, in what JSON can hold: the data, the recipe, the steps.

    Raises
    ------
    InputError
        If the name ends otherwise.
    """
    if path.suffix != ".safetensors":
        msg = f"an encoder's file must be named *.safetensors; got {path.name!r}. Rename it."
        raise InputError(msg)
    tensors = _tensors(encoder)
    content = safetensors.torch.save(tensors)
    card = {
        "format": FORMAT,
        "sha256": hashlib.sha256(content).hexdigest(),
        "n_elements": sum(t.numel() for t in tensors.values()),
        "config": asdict(encoder.config),
        "input": {"leads": encoder.config.leads, "fs_hz": FS, "seconds": SECONDS, "unit": "mV"},
        "about": dict(about or {}),
    }
    # The card comes last: weights whose writing was interrupted don't match the old one.
    _replace(path, content)
    _replace(path.with_suffix(".json"), (json.dumps(card, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())


def load_encoder(path: Path) -> Encoder:
    """Read an encoder that `save_encoder` wrote.

    Parameters
    ----------
    path : Path
        The *.safetensors file; its card must lie beside it.

    Returns
    -------
    Encoder
        In evaluation mode, on the CPU.

    Raises
    ------
    InputError
        If a file is missing or not what the card says.
    """
    card = read_card(path)
    check_file(path, card["sha256"], next_step="Copy both files again")
    try:
        config = EncoderConfig(**card["config"])
        tensors = safetensors.torch.load_file(path)
    except (TypeError, safetensors.SafetensorError) as error:
        msg = f"an encoder's file and card must be of this version; got {error} in {str(path)!r}. Train it again."
        raise InputError(msg) from error
    return _filled(config, tensors, path)


def read_card(path: Path) -> dict[str, Any]:
    """Read the card beside an encoder's file.

    Parameters
    ----------
    path : Path
        The *.safetensors file.

    Returns
    -------
    dict
        `format`, `sha256`, `n_elements`, `config`, `input` and `about`.

    Raises
    ------
    InputError
        If it is missing or no such card.
    """
    place = path.with_suffix(".json")
    try:
        with place.open(encoding="utf-8") as file:
            card = json.load(file)
    except (OSError, ValueError) as error:
        msg = f"an encoder must have its card beside it; got {type(error).__name__} for {str(place)!r}. "
        msg += "Copy both files."
        raise InputError(msg) from error
    if not isinstance(card, dict) or card.get("format") != FORMAT or not {"sha256", "config"} <= card.keys():
        msg = f"an encoder's card must be of format {FORMAT!r}; got another in {str(place)!r}. Train it again."
        raise InputError(msg)
    return card


def _tensors(encoder: Encoder) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in encoder.state_dict().items()}


def _filled(config: EncoderConfig, tensors: Mapping[str, Any], path: Path) -> Encoder:
    """Make an encoder of tensors that fit it exactly."""
    with torch.random.fork_rng(devices=[]):
        encoder = Encoder(config)
    check_tensors(encoder, tensors, path=path, next_step="Give the file and the shape that belong together")
    if not torch.allclose(tensors["pos_embed"].float(), encoder.pos_embed, rtol=0, atol=1e-6):
        msg = f"pos_embed must be the table of sines and cosines; got another in {str(path)!r}. "
        msg += "Give a checkpoint with fixed positions and leads in the order " + ", ".join(config.leads) + "."
        raise InputError(msg)
    encoder.load_state_dict(dict(tensors), strict=True)
    return encoder.eval()


def check_tensors(module: nn.Module, tensors: Mapping[str, Any], *, path: Path, next_step: str) -> None:
    """Refuse tensors that are not those of a network, by name and shape, or that are not finite.

    Parameters
    ----------
    module : Module
        The network that they are for.
    tensors : mapping of str to Tensor
        As they were read.
    path : Path
        Where from, for the message.
    next_step : str
        What to do about other names or shapes.

    Raises
    ------
    InputError
        As said.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    got = {name: tuple(tensor.shape) if isinstance(tensor, Tensor) else () for name, tensor in tensors.items()}
    wrong = [name for name in sorted(wanted.keys() | got.keys()) if wanted.get(name) != got.get(name)]
    if wrong:
        msg = f"an encoder must have {len(wanted)} tensors of its names and shapes; got {len(wrong)} otherwise, first "
        msg += f"{wrong[0]} {got.get(wrong[0], 'missing')} for {wanted.get(wrong[0], 'none')}, in {str(path)!r}. "
        msg += f"{next_step}."
        raise InputError(msg)
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        msg = f"an encoder's weights must be finite; got others in {str(path)!r}. Take an earlier checkpoint."
        raise InputError(msg)


def check_file(path: Path, sha256: str | None, *, next_step: str) -> None:
    """Refuse a file that is not there or has another digest."""
    if not path.is_file():
        msg = f"an encoder's file must be there; got none at {str(path)!r}. Check the path."
        raise InputError(msg)
    if sha256 is None:
        return
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256.lower():
        msg = f"the file must have SHA-256 {sha256}; got {digest} in {str(path)!r}. {next_step}."
        raise InputError(msg)


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(f".{path.name}.partial")
    with temporary.open("wb") as file:
        file.write(content)
    temporary.replace(path)
