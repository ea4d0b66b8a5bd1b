"""Train a dual encoder on instruction data, and have it speak of a recording: folders in, a model or a text out."""

import twelvelead.encode  # noqa: F401 - first, since it says which extra is missing

# isort: split
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch

from twelvelead.encode import EncoderConfig, load_encoder, to_input
from twelvelead.encode.checkpoint import check_file, check_tensors
from twelvelead.interpret.dialects import QUESTION, conversation
from twelvelead.interpret.dual_encoder import TINY, DualConfig, DualEncoder, Sight, new_dual, shrink
from twelvelead.interpret.dual_training import Lesson, Turn, generate, train
from twelvelead.io import Found, find_recordings, read_json
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.tables import write_bytes, write_json
from twelvelead.report import Paper, draw_ecg, print_drawing
from twelvelead.signal import Recording
from twelvelead.study.instructing import read_beginning
from twelvelead.terms import InputError, MissingExtra

FORMAT = "twelvelead dual encoder 1"
DPI = 100.0


def read_examples(folder: Path, part: str) -> list[dict[str, Any]]:
    """Read examples that `twelvelead instruct` made.

    Parameters
    ----------
    folder : Path
        Its folder.
    part : {"train", "validation", "test"}
        Which.

    Raises
    ------
    InputError
        If it is not there, or holds no example.
    """
    lines, whole = folder / f"{part}.jsonl", folder / f"{part}.json"
    if lines.is_file():
        examples = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    else:
        examples = read_json(whole)
    if not isinstance(examples, list) or not examples or not all(isinstance(one, dict) for one in examples):
        msg = f"there must be examples to {part} with; got none in {str(folder)!r}. Make some by `twelvelead instruct`."
        raise InputError(msg)
    return examples


def train_dual(  # noqa: PLR0913 - one for each flag of the command
    data: Path,
    archive: Path,
    *,
    out: Path,
    steps: int,
    batch: int,
    lr: float,
    seed: int,
    encoder: Path | None = None,
    config: DualConfig = TINY,
    tell: Callable[[int, float], None] | None = None,
) -> list[float]:
    """Train a small dual encoder on a processor, and write it.

    Parameters
    ----------
    data : Path
        Folder that `twelvelead instruct` made.
    archive : Path
        Folder of the recordings that it was made of.
    out : Path
        The model, *.safetensors; its card is written beside it.
    steps, batch, lr, seed
        As in `interpret.dual_training.train`.
    encoder : Path or None
        An encoder that `twelvelead pretrain` wrote; else one that was never trained.
    config : DualConfig
        Its shape, but for the encoder's, which is the file's.
    tell : callable, optional
        Told each step and its loss.

    Returns
    -------
    list of float
        Loss of each step.

    Raises
    ------
    InputError
        If an example's recording or picture is not there, or its text is too long.
    """
    if out.suffix != ".safetensors":
        msg = f"a model's file must be named *.safetensors; got {out.name!r}. Rename it."
        raise InputError(msg)
    known = load_encoder(encoder) if encoder is not None else None
    if known is not None:
        config = replace(config, signal=known.config)
    model = new_dual(config, seed=seed, encoder=known)
    examples = read_examples(data, "train")
    there = {found.recording_id: found for found in find_recordings([archive])}
    lessons = [_lesson(model, one, data, there) for one in examples]
    losses = train(model, lessons, steps=steps, batch=batch, lr=lr, seed=seed, tell=tell)
    about = {"n_examples": len(examples), "steps": steps, "batch": batch, "lr": lr, "seed": seed, "loss": losses[-1]}
    save_dual(model, out, about=about)
    return losses


def _lesson(model: DualEncoder, example: Mapping[str, Any], data: Path, there: Mapping[str, Found]) -> Lesson:
    name = example["recording_id"]
    if name not in there:
        msg = f"an example's recording must be in the archive; got none named {name!r}. Give the folder that the data "
        msg += "were made of."
        raise InputError(msg)
    recording = read_beginning(there[name], UNDECLARED)
    images = example.get("images") or [example.get("image")]
    pixels = read_picture(data / images[0]) if images[0] else draw_pixels(recording)
    turns = tuple(Turn(question, answer) for question, answer in conversation(dict(example)))
    return Lesson(model.see(look(recording, pixels, model.config)), turns)


def look(recording: Recording, pixels: torch.Tensor, config: DualConfig) -> Sight:
    """Bring a recording and its picture to what a model is shown.

    Parameters
    ----------
    recording : Recording
        10 s or more.
    pixels : Tensor, shape (height, width, channels)
        Its picture, 0 to 1.
    config : DualConfig
        The model's shape.
    """
    return Sight(torch.from_numpy(to_input(recording, config=config.signal))[None], shrink(pixels, config)[None])


def draw_pixels(recording: Recording, *, layout: str = "12x1") -> torch.Tensor:
    """Draw a recording as instruction data have it, shape (height, width, 4), 0 to 1."""
    svg = draw_ecg(replace(recording, id=""), paper=Paper(layout=layout))
    return _pixels(print_drawing(svg, ".png", dpi=DPI))


def read_picture(path: Path) -> torch.Tensor:
    """Read a PNG, shape (height, width, channels), 0 to 1.

    Raises
    ------
    InputError
        If it is not there.
    """
    if not path.is_file():
        msg = f"an example's picture must be there; got none at {str(path)!r}. Make the data again."
        raise InputError(msg)
    return _pixels(path.read_bytes())


def _pixels(png: bytes) -> torch.Tensor:
    try:
        from matplotlib.image import imread
    except ImportError as error:
        msg = "a PNG needs matplotlib. Run: pip install 'twelvelead[plot]'"
        raise MissingExtra(msg) from error
    return torch.from_numpy(np.asarray(imread(io.BytesIO(png), format="png"), dtype=np.float32))


def save_dual(model: DualEncoder, path: Path, *, about: Mapping[str, Any]) -> None:
    """Write a model with the small decoder as safetensors, and beside it its card in JSON.

    Parameters
    ----------
    model : DualEncoder
        Any.
    path : Path
        *.safetensors.
    about : mapping
        How it was made.
    """
    content = safetensors.torch.save({name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()})
    write_bytes(content, path)
    card = {
        "format": FORMAT, "sha256": hashlib.sha256(content).hexdigest(), "config": asdict(model.config),
        "about": dict(about), "notice": "It shows that everything fits together, and has learnt no medicine.",
    }  # fmt: skip
    write_json(card, path.with_suffix(".json"))


def load_dual(path: Path) -> DualEncoder:
    """Read a model that `save_dual` wrote.

    Parameters
    ----------
    path : Path
        *.safetensors, its card beside it.

    Raises
    ------
    InputError
        If a file is missing or not what the card says.
    """
    card = read_json(path.with_suffix(".json"))
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        msg = f"a model's card must be of format {FORMAT!r}; got another beside {str(path)!r}. Train it again."
        raise InputError(msg)
    check_file(path, card["sha256"], next_step="Copy both files again")
    try:
        shape = {**card["config"], "signal": EncoderConfig(**card["config"]["signal"])}
        config = DualConfig(**{**shape, "image": tuple(shape["image"])})
        tensors = safetensors.torch.load_file(path)
    except (TypeError, KeyError, safetensors.SafetensorError) as error:
        msg = f"a model's file and card must be of this version; got {error} in {str(path)!r}. Train it again."
        raise InputError(msg) from error
    model = new_dual(config, seed=0)
    check_tensors(model, tensors, path=path, next_step="Give the file and the card that belong together")
    model.load_state_dict(tensors, strict=True)
    return model.eval()


def speak_of(
    model: Path, paths: Sequence[Path], *, most: int = 2000, declared: Declaration = UNDECLARED
) -> dict[str, str]:
    """Have a trained dual encoder speak of recordings.

    Parameters
    ----------
    model : Path
        That `train_dual` wrote.
    paths : sequence of Path
        Recordings, and folders that are searched.
    most : int
        Tokens of a text.
    declared : Declaration
        What signal tables don't say of themselves.

    Returns
    -------
    dict of str to str
        By recording; nothing in it is checked.

    Raises
    ------
    InputError, Unmeasurable
        If the model or a recording can't be read, or is too short.
    """
    loaded = load_dual(model)
    texts = {}
    for found in find_recordings(paths):
        recording = read_beginning(found, declared)
        seen = loaded.see(look(recording, draw_pixels(recording), loaded.config))
        texts[found.recording_id] = generate(loaded, seen, f"<image>\n{QUESTION}", most=most)
    return texts
