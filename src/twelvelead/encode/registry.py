"""The encoders that can be used: what each takes, what its published file holds, under which licence, how it loads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError  # the error alone: nothing here reads a pickle freely
from typing import Any

import torch
from torch import nn

from twelvelead.encode.checkpoint import check_file, check_tensors, load_encoder, load_published, save_encoder
from twelvelead.encode.config import FS, LEADS_8, SECONDS
from twelvelead.encode.cut import Input
from twelvelead.encode.embed import Embedder
from twelvelead.encode.encoder import Encoder, new_model
from twelvelead.encode.net1d import Net1D
from twelvelead.encode.normalise import as_recorded, filter_and_standardise, to_unit_range
from twelvelead.encode.resnet import ResNet18
from twelvelead.terms import LEADS, InputError

MIMIC_ORDER = ("I", "II", "III", "aVR", "aVF", "aVL", *LEADS[6:])
"""Leads as MIMIC-IV-ECG stores them: aVF before aVL. What was trained on its rows as they are wants them so."""


@dataclass(frozen=True)
class KnownEncoder:
    """An encoder that somebody published, or that is ours.

    Parameters
    ----------
    name : str
        Short.
    title : str
        In words.
    takes : Input
        Leads by name, rate, seconds and normalisation of its input; samples are in mV before that.
    licence : str
        Of the published weights and code. Neither is part of this package.
    source : str
        Where it is described.
    width : int
        Numbers per embedding; of our own encoders, whose shapes differ, that of the published one.
    container : str or None
        Under which name the file holds the tensors; None: they are the file.
    telling : str
        A tensor by which its file is told from the others'.
    heads : tuple of str
        Beginnings of names of tensors that belong to a task, and are left out.
    build : callable or None
        Makes the network, with random weights; None: by its own loader, from files of several shapes.
    """

    name: str
    title: str
    takes: Input
    licence: str
    source: str
    width: int
    container: str | None
    telling: str
    heads: tuple[str, ...] = ()
    build: Callable[[], nn.Module] | None = None


ENCODERS: dict[str, KnownEncoder] = {
    known.name: known
    for known in (
        KnownEncoder(
            name="ecg-jepa",
            title="ECG-JEPA, ours and as published",
            takes=Input(LEADS_8, FS, SECONDS, some_leads=True, normalise=as_recorded),
            licence="MIT",
            source="doi:10.48550/arXiv.2410.08559",
            width=768,
            container="encoder",
            telling="W_P.weight",
        ),
        KnownEncoder(
            name="merl-resnet18",
            title="MERL, one-dimensional ResNet-18",
            takes=Input(MIMIC_ORDER, 500.0, 10.0, some_leads=False, normalise=to_unit_range),
            licence="MIT",
            source="doi:10.48550/arXiv.2403.06659",
            width=512,
            container=None,
            telling="layer4.1.conv2.weight",
            heads=("linear.",),
            build=ResNet18,
        ),
        KnownEncoder(
            name="ecgfounder",
            title="ECGFounder, 12 leads",
            takes=Input(LEADS, 500.0, 10.0, some_leads=False, normalise=filter_and_standardise),
            licence="MIT",
            source="doi:10.48550/arXiv.2410.04133",
            width=1024,
            container="state_dict",
            telling="stage_list.6.block_list.3.se_fc2.weight",
            heads=("dense.",),
            build=Net1D,
        ),
    )
}
"""Encoders by name."""

NOT_INCLUDED: Mapping[str, str] = {
    "ST-MEM": "CC BY-NC 4.0 with a further restriction: not for every use that this package's licence allows",
    "HuBERT-ECG": "CC BY-NC 4.0",
    "ECGFM-KED": "no licence is stated",
    "ECG-CPC": "no licence of the code is stated; its checkpoint is CC BY 4.0, but a pickle of more than tensors",
    "ECG-FM": "MIT, but its layers are those of a whole framework for speech; not rebuilt here",
    "xECG": "MIT, but its recurrent cells come with a library of their own; not rebuilt here",
    "CLEF": "a single lead; use it where there is no other",
}
"""Published encoders that are not here, and why."""


def load_embedder(path: Path, *, sha256: str | None = None, device: str = "cpu") -> Embedder:
    """Read an encoder from a file, and recognise by its tensors which it is.

    Parameters
    ----------
    path : Path
        Ours (*.safetensors, its card beside), or a file published for one of `ENCODERS`. Nothing in it is run.
    sha256 : str or None
        What the file's SHA-256 must be.
    device : str
        Where it is to be used.

    Returns
    -------
    Embedder
        In evaluation mode, without gradients.

    Raises
    ------
    InputError
        If the file is missing or another, is of no known encoder, or does not hold exactly its tensors.
    """
    check_file(path, sha256, next_step="Copy it again")
    if path.suffix == ".safetensors":
        return _ready("ecg-jepa", load_encoder(path), device)
    tensors = _read(path)
    for known in ENCODERS.values():
        inner = tensors.get(known.container) if known.container else tensors
        if not isinstance(inner, Mapping) or known.telling not in inner:
            continue
        if known.build is None:
            return _ready(known.name, load_published(path), device)
        with torch.random.fork_rng(devices=[]):
            module = known.build()
        return _ready(known.name, _fill(module, inner, known=known, path=path), device)
    msg = f"a checkpoint must be of one of {', '.join(ENCODERS)}; got other tensors in {str(path)!r}. "
    msg += "Give the pre-trained encoder as it was published."
    raise InputError(msg)


def as_embedder(encoder: Encoder) -> Embedder:
    """Make an encoder of ours ready to be given recordings: in evaluation mode, without gradients."""
    return _ready("ecg-jepa", encoder, "cpu")


def save_untrained(embedder: Embedder, stem: Path, *, seed: int) -> Path:
    """Write an encoder of the same shape as it is before any training, as a file that `load_embedder` takes.

    Parameters
    ----------
    embedder : Embedder
        Whose shape it has.
    stem : Path
        The file's path without suffix; its folder must be there.
    seed : int
        Of its weights.

    Returns
    -------
    Path
        The file.
    """
    known = ENCODERS[embedder.name]
    if isinstance(embedder.module, Encoder) or known.build is None:
        path = stem.with_suffix(".safetensors")
        save_encoder(new_model(embedder.module.config, seed=seed)[0], path, about={"untrained": True})  # type: ignore[arg-type]
        return path
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tensors = known.build().state_dict()
    path = stem.with_suffix(".pth")
    torch.save({known.container: tensors} if known.container else tensors, path)
    return path


def _ready(name: str, module: nn.Module, device: str) -> Embedder:
    known = ENCODERS[name]
    takes, width = known.takes, known.width
    if isinstance(module, Encoder):
        config = module.config
        takes = replace(takes, leads=config.leads, seconds=config.n_samples / FS)
        width = config.width
    module = module.eval()
    module.requires_grad_(requires_grad=False)
    return Embedder(name, module.to(device), takes, width)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        msg = f"a checkpoint must be a torch file of tensors only; got {type(error).__name__} in {str(path)!r}. "
        msg += "Download it again."
        raise InputError(msg) from error
    return content if isinstance(content, Mapping) else {}


def _fill(module: nn.Module, tensors: Mapping[str, Any], *, known: KnownEncoder, path: Path) -> nn.Module:
    """Fill the network with tensors that fit it exactly, but for those of a task."""
    body = {name: tensor for name, tensor in tensors.items() if not name.startswith(known.heads)}
    check_tensors(module, body, path=path, next_step=f"Give the file of {known.title} as it was published")
    module.load_state_dict(body, strict=True)
    return module
