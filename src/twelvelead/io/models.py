"""A fitted model on disk: XGBoost's UBJ files and a JSON card. Nothing that could run code when it is read."""

import hashlib
from pathlib import Path
from typing import Any

from twelvelead.io.tables import read_json, write_bytes, write_json
from twelvelead.terms import FormatError

CARD = "card.json"


def write_model(folder: Path, parts: dict[str, bytes], card: dict[str, Any]) -> None:
    """Write a model's parts and its card.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    parts : dict of str to bytes
        File name to content, as `predict.to_parts` gives them.
    card : dict
        What can be said of the model in JSON. The files' SHA-256 are added under `files`; the card is written last, so
        that a model whose writing was interrupted has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in sorted(parts.items()):
        write_bytes(content, folder / name)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in parts.items()}
    write_json({**card, "files": digests}, folder / CARD)


def read_model(folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Read a model's parts and its card, for `predict.from_parts`.

    Raises
    ------
    FormatError
        If the card or a file is missing, names a file outside the folder, or a file is not what the card says.
    """
    if not (folder / CARD).is_file():
        msg = f"a model folder must hold {CARD}; got none in {str(folder)!r}. Give the study's folder, or run it again."
        raise FormatError(msg)
    card = read_json(folder / CARD)
    parts = {}
    for name, digest in sorted(card.get("files", {}).items()):
        path = folder / name
        if Path(name).name != name or not path.is_file():
            msg = f"model file must lie beside its card; got {name!r} in {str(folder)!r}. Run the study again."
            raise FormatError(msg)
        parts[name] = path.read_bytes()
        if hashlib.sha256(parts[name]).hexdigest() != digest:
            msg = f"model file must have the SHA-256 of its card; got another in {str(path)!r}. Run the study again."
            raise FormatError(msg)
    return parts, card
