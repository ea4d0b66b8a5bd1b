"""A fusion model as plain parts, arrays and trees as bytes and a card that people can read, and back."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from twelvelead.predict.calibrate import Calibrator
from twelvelead.predict.fuse import FusionClassifier
from twelvelead.predict.fuse_learners import Learned, Stack
from twelvelead.predict.fuse_network import Network
from twelvelead.predict.parts import from_parts, to_parts
from twelvelead.predict.penalised import Penalised
from twelvelead.terms import InputError, MissingExtra

FORMAT = "twelvelead fusion model 1"
_NETWORK = "network.safetensors"


def fusion_to_parts(model: FusionClassifier) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Take a fitted fusion model apart.

    Parameters
    ----------
    model : FusionClassifier
        Fitted.

    Returns
    -------
    dict of str to bytes
        `network.safetensors`, or the trees of each model as XGBoost writes them; none for logistic regressions.
    dict
        The card, which JSON can hold: parameters, classes, blocks, and everything that is no tree and no network.

    Raises
    ------
    MissingExtra
        If the model is a network and safetensors is not installed.
    """
    parts: dict[str, bytes] = {}
    card: dict[str, Any] = {
        "format": FORMAT,
        "parameters": {**model.get_params(), "blocks": _plain(model.blocks), "learner_params": model.learner_params},
        "classes": model.classes_.tolist(),
        "n_features": model.n_features_in_,
        "features": list(getattr(model, "feature_names_in_", [])),
        "prior": model.prior_,
    }
    if model.fusion == "early":
        card["early"] = [{"blocks": list(s), **_take(m, parts, "-".join(s))} for s, m in model.early_.items()]
    elif model.fusion == "late":
        card["bases"] = {name: _take(m, parts, name) for name, m in model.late_.bases.items()}
        card["joins"] = [{"blocks": list(s), **join.card()} for s, join in model.late_.joins.items()]
    else:
        network = model.network_
        parts[_NETWORK] = _tensors().save(
            {
                **{f"centre.{i}": a for i, a in enumerate(network.centre)},
                **{f"scale.{i}": a for i, a in enumerate(network.scale)},
                **{f"member.{j}.{k}": a for j, weights in enumerate(network.members) for k, a in weights.items()},
            }
        )
        card["calibrators"] = [
            {"present": list(present), "slope": curve.slope, "intercept": curve.intercept}
            for present, curve in network.calibrators.items()
        ]
    card["sha256"] = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(parts.items())}
    return parts, card


def fusion_from_parts(parts: Mapping[str, bytes], card: Mapping[str, Any]) -> FusionClassifier:
    """Put a fusion model together that predicts exactly what the one that was taken apart predicts.

    Parameters
    ----------
    parts, card
        As `fusion_to_parts` returns them.

    Raises
    ------
    InputError
        If a part is missing or is not what its SHA-256 says, or the card is of another format or incomplete.
    MissingExtra
        If the model is a network and safetensors is not installed.
    """
    if card.get("format") != FORMAT:
        msg = f"a model card must be of format {FORMAT!r}; got {card.get('format')!r}. Use the version that wrote it."
        raise InputError(msg)
    for name, digest in card.get("sha256", {}).items():
        if hashlib.sha256(parts.get(name, b"")).hexdigest() != digest:
            msg = f"{name} must have the card's SHA-256; got another. It was changed or cut off: copy it anew."
            raise InputError(msg)
    try:
        return _assemble(parts, card)
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"a model card must hold all that the model needs; got {type(error).__name__}: {error}. Write it anew."
        raise InputError(msg) from error


def _assemble(parts: Mapping[str, bytes], card: Mapping[str, Any]) -> FusionClassifier:
    model = FusionClassifier(**card["parameters"])
    model.classes_, model.n_features_in_ = np.array(card["classes"]), int(card["n_features"])
    if card["features"]:
        model.feature_names_in_ = np.array(card["features"], dtype=object)
    model.blocks_ = model.find_blocks(model.n_features_in_)
    model.prior_ = float(card["prior"])
    if model.fusion == "early":
        model.early_ = {tuple(e["blocks"]): _give(e, parts) for e in card["early"]}
    elif model.fusion == "late":
        joins = {tuple(e["blocks"]): _penalised({k: e[k] for k in e if k != "blocks"}) for e in card["joins"]}
        model.late_ = Stack({name: _give(e, parts) for name, e in card["bases"].items()}, joins)
    else:
        model.network_ = _network(_tensors().load(parts[_NETWORK]), card["calibrators"])
    return model


def _network(arrays: Mapping[str, Any], curves: Sequence[Mapping[str, Any]]) -> Network:
    n_blocks = sum(name.startswith("centre.") for name in arrays)
    n_members = 1 + max(int(name.split(".")[1]) for name in arrays if name.startswith("member."))
    starts = [f"member.{j}." for j in range(n_members)]
    return Network(
        centre=tuple(arrays[f"centre.{i}"] for i in range(n_blocks)),
        scale=tuple(arrays[f"scale.{i}"] for i in range(n_blocks)),
        members=tuple({k.removeprefix(s): a for k, a in arrays.items() if k.startswith(s)} for s in starts),
        calibrators={
            tuple(c["present"]): Calibrator(slope=float(c["slope"]), intercept=float(c["intercept"])) for c in curves
        },
    )


def _take(model: Learned, parts: dict[str, bytes], name: str) -> dict[str, Any]:
    """Describe a model on the card; its trees go to the parts."""
    if isinstance(model, Penalised):
        return {"logistic": model.card()}
    trees, card = to_parts(model)
    parts.update({f"{name}.{part}": content for part, content in trees.items()})
    return {"trees": card, "at": name}


def _give(entry: Mapping[str, Any], parts: Mapping[str, bytes]) -> Learned:
    if "logistic" in entry:
        return _penalised(entry["logistic"])
    start = f"{entry['at']}."
    return from_parts({k.removeprefix(start): v for k, v in parts.items() if k.startswith(start)}, entry["trees"])


def _penalised(card: Mapping[str, Any]) -> Penalised:
    held: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in card.items()}
    return Penalised(**held)


def _plain(blocks: Any) -> Any:  # noqa: ANN401 - None, or a mapping
    return None if blocks is None else {name: list(columns) for name, columns in blocks.items()}


def _tensors() -> Any:  # noqa: ANN401 - a module
    try:
        import safetensors.numpy
    except ImportError as error:
        msg = "a network is kept as safetensors, which is not installed. Install it: pip install 'twelvelead[torch]'"
        raise MissingExtra(msg) from error
    return safetensors.numpy
