"""A model as plain parts, bytes per booster and a card that people can read, and back; nothing is ever unpickled."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import xgboost as xgb

from twelvelead.predict.calibrate import Calibrator
from twelvelead.predict.forest import Rooted
from twelvelead.predict.risk_model import Member, RiskClassifier
from twelvelead.predict.trees import Trees, read_trees
from twelvelead.terms import InputError

FORMAT = "twelvelead risk model 1"


def to_parts(model: RiskClassifier) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Take a fitted model apart.

    Parameters
    ----------
    model : RiskClassifier
        Fitted.

    Returns
    -------
    dict of str to bytes
        `member_0.ubj`, …: each member's trees as XGBoost writes them.
    dict
        The card, which JSON can hold: format, versions, parameters, classes, predictors, calibration curve, and each
        member's predictors, number of trees and SHA-256.
    """
    parts = {f"member_{j}.ubj": bytes(m.booster.save_raw("ubj")) for j, m in enumerate(model.members_)}
    calibrator = model.calibrator_
    card = {
        "format": FORMAT,
        "xgboost": xgb.__version__,
        "parameters": model.get_params(),
        "classes": model.classes_.tolist(),
        "features": list(model.feature_names_),
        "named": hasattr(model, "feature_names_in_"),
        "calibrator": {
            "slope": calibrator.slope,
            "intercept": calibrator.intercept,
            "knots": [list(knot) for knot in calibrator.knots],
        },
        "members": [
            {
                "part": name,
                "features": list(member.features),
                "n_trees": member.booster.num_boosted_rounds() * model.trees_per_round,
                "sha256": hashlib.sha256(parts[name]).hexdigest(),
            }
            for name, member in zip(parts, model.members_, strict=True)
        ],
    }
    return parts, card


def from_parts(parts: Mapping[str, bytes], card: Mapping[str, Any]) -> RiskClassifier:
    """Put a model together that predicts exactly what the one that was taken apart predicts.

    Parameters
    ----------
    parts, card
        As `to_parts` returns them. The elimination's path (`selection_`) is a table of the study, not a part.

    Returns
    -------
    RiskClassifier

    Raises
    ------
    InputError
        If a part is missing, is not what its SHA-256 says, or holds trees that XGBoost would follow out of bounds; or
        if the card is of another format or doesn't fit the parts. XGBoost itself does not check what it loads.
    """
    with _whole(card):
        return _assemble(parts, card)


def trees_from_parts(parts: Mapping[str, bytes], card: Mapping[str, Any]) -> Rooted:
    """Read a model's trees, for a `Forest`, without XGBoost.

    Parameters
    ----------
    parts, card
        As `to_parts` returns them.

    Raises
    ------
    InputError
        As `from_parts`.
    """
    with _whole(card):
        members = [(_read_member(parts, entry)[1], tuple(map(str, entry["features"]))) for entry in card["members"]]
        return Rooted(tuple(members), _read_curve(card["calibrator"]))


@contextmanager
def _whole(card: Mapping[str, Any]) -> Iterator[None]:
    """Refuse a card of another format, and one that turns out not to hold what it must."""
    if card.get("format") != FORMAT:
        msg = f"a model card must be of format {FORMAT!r}; got {card.get('format')!r}. Use the version that wrote it."
        raise InputError(msg)
    try:
        if not card["members"]:
            msg = "a model must have at least one member; got none. Write it anew."
            raise InputError(msg)
        yield
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        msg = f"a model card must hold all that the model needs; got {type(error).__name__}: {error}. Write it anew."
        raise InputError(msg) from error


def _assemble(parts: Mapping[str, bytes], card: Mapping[str, Any]) -> RiskClassifier:
    names = tuple(card["features"])
    place = {name: i for i, name in enumerate(names)}
    members = []
    for entry in card["members"]:
        data, _ = _read_member(parts, entry)
        columns = np.array([place[name] for name in entry["features"]], dtype=np.intp)
        members.append(
            Member(columns, tuple(entry["features"]), xgb.Booster({"nthread": 1}, model_file=bytearray(data)))
        )
    model = RiskClassifier(**card["parameters"])
    model.members_ = tuple(members)
    model.calibrator_ = _read_curve(card["calibrator"])
    model.classes_ = np.array(card["classes"])
    model.feature_names_ = names
    model.n_features_in_ = len(names)
    if card["named"]:
        model.feature_names_in_ = np.array(names, dtype=object)
    model.selection_ = []
    return model


def _read_member(parts: Mapping[str, bytes], entry: Mapping[str, Any]) -> tuple[bytes, Trees]:
    """Bytes that are what the card says, and the trees in them, looked through."""
    data = parts[entry["part"]]
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        msg = f"{entry['part']} must have the card's SHA-256; got another. It was changed or cut off: copy it anew."
        raise InputError(msg)
    return data, read_trees(data, n_features=len(entry["features"]), n_trees=entry["n_trees"])


def _read_curve(curve: Mapping[str, Any]) -> Calibrator:
    knots = tuple((float(x), float(p)) for x, p in curve["knots"])
    return Calibrator(float(curve["slope"]), float(curve["intercept"]), knots)
