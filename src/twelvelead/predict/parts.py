"""A model as plain parts, bytes per booster and a card that people can read, and back; nothing is ever unpickled."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from twelvelead.predict.calibrate import Calibrator
from twelvelead.predict.risk_model import Member, RiskClassifier
from twelvelead.predict.ubjson import decode
from twelvelead.terms import InputError

FORMAT = "twelvelead risk model 1"

_NODES = (
    "left_children", "right_children", "parents", "split_indices", "split_conditions", "default_left", "split_type",
    "base_weights", "loss_changes", "sum_hessian",
)  # fmt: skip
_NO_PARENT = 2**31 - 1


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
    if card.get("format") != FORMAT:
        msg = f"a model card must be of format {FORMAT!r}; got {card.get('format')!r}. Use the version that wrote it."
        raise InputError(msg)
    try:
        return _assemble(parts, card)
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        msg = f"a model card must hold all that the model needs; got {type(error).__name__}: {error}. Write it anew."
        raise InputError(msg) from error


def _assemble(parts: Mapping[str, bytes], card: Mapping[str, Any]) -> RiskClassifier:
    names = tuple(card["features"])
    place = {name: i for i, name in enumerate(names)}
    members = []
    for entry in card["members"]:
        data = parts[entry["part"]]
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            msg = f"{entry['part']} must have the card's SHA-256; got another. It was changed or cut off: copy it anew."
            raise InputError(msg)
        check_booster(data, n_features=len(entry["features"]), n_trees=entry["n_trees"])
        columns = np.array([place[name] for name in entry["features"]], dtype=np.intp)
        members.append(
            Member(columns, tuple(entry["features"]), xgb.Booster({"nthread": 1}, model_file=bytearray(data)))
        )
    if not members:
        msg = "a model must have at least one member; got none. Write it anew."
        raise InputError(msg)
    curve = card["calibrator"]
    model = RiskClassifier(**card["parameters"])
    model.members_ = tuple(members)
    model.calibrator_ = Calibrator(
        float(curve["slope"]), float(curve["intercept"]), tuple((float(x), float(p)) for x, p in curve["knots"])
    )
    model.classes_ = np.array(card["classes"])
    model.feature_names_ = names
    model.n_features_in_ = len(names)
    if card["named"]:
        model.feature_names_in_ = np.array(names, dtype=object)
    model.selection_ = []
    return model


def check_booster(data: bytes, *, n_features: int, n_trees: int) -> None:
    """Refuse stored trees that are not whole, or that lead out of bounds when followed.

    Parameters
    ----------
    data : bytes
        A booster as XGBoost writes it, UBJSON.
    n_features, n_trees : int
        Predictors and trees that it must have.

    Raises
    ------
    InputError
        If it is not such a booster of binary risk, or a tree is not a tree: a child outside it or before its parent,
        two parents, a predictor that doesn't exist, a leaf that is not finite, a category split.

    Notes
    -----
    XGBoost follows such trees into memory that is not theirs, or round in circles.
    """
    learner = _get(decode(data), "learner")
    model = _get(learner, "gradient_booster", "model")
    trees = _get(model, "trees")
    size = _get(learner, "learner_model_param")
    facts = {
        "name gbtree": _get(learner, "gradient_booster", "name") == "gbtree",
        "objective binary:logistic": _get(learner, "objective", "name") == "binary:logistic",
        f"{n_features} predictors": _get(size, "num_feature") == str(n_features),
        "one output": (_get(size, "num_class"), _get(size, "num_target")) == ("0", "1"),
        "a finite base score": _is_share(_get(size, "base_score")),
        f"{n_trees} trees": isinstance(trees, list) and len(trees) == n_trees,
        "as many trees as it says": _get(model, "gbtree_model_param", "num_trees") == str(n_trees),
        "rounds of equally many trees": _has_even_rounds(model, n_trees),
        "trees for one output": list(_get(model, "tree_info")) == [0] * n_trees,
    }
    for what, holds in facts.items():
        _demand(holds, what)
    for i, tree in enumerate(trees):
        _check_tree(tree, n_features=n_features, where=f"in tree {i}")


def _has_even_rounds(model: Any, n_trees: int) -> bool:  # noqa: ANN401 (whatever the file says)
    """Whether the rounds' borders are 0, k, 2k, … for the k trees per round that the model names."""
    said = _get(model, "gbtree_model_param", "num_parallel_tree")
    if not (isinstance(said, str) and said.isdecimal() and 0 < int(said) <= max(n_trees, 1)):
        return False
    return list(_get(model, "iteration_indptr")) == list(range(0, n_trees + 1, int(said)))


def _check_tree(tree: Any, *, n_features: int, where: str) -> None:  # noqa: ANN401 (whatever the file says)
    node = {name: np.asarray(_get(tree, name)) for name in _NODES}
    n = len(node["parents"]) if node["parents"].ndim == 1 else 0
    told = _get(tree, "tree_param")
    _demand(n > 0 and all(a.shape == (n,) and a.dtype.kind in "iuf" for a in node.values()), f"whole nodes {where}")
    facts = {"num_nodes": str(n), "num_feature": str(n_features), "num_deleted": "0", "size_leaf_vector": "1"}
    _demand(all(_get(told, name) == value for name, value in facts.items()), f"consistent sizes {where}")
    left, right, parents = (node[k].astype(np.int64) for k in ("left_children", "right_children", "parents"))
    inner = left != -1
    _demand(bool(np.array_equal(inner, right != -1)), f"two children or none {where}")
    children = np.concatenate([left[inner], right[inner]])
    of = np.tile(np.flatnonzero(inner), 2)
    _demand(bool(np.all((children > of) & (children < n))), f"children after their parent, within the tree, {where}")
    _demand(bool(np.array_equal(np.sort(children), np.arange(1, n))), f"one parent per node {where}")
    _demand(bool(parents[0] == _NO_PARENT and np.all(parents[children] == of)), f"parents that own their nodes {where}")
    _demand(_within(node["split_indices"], n_features), f"predictors that exist {where}")
    _demand(not node["split_type"].any() and len(_get(tree, "categories")) == 0, f"no category splits {where}")
    _demand(_within(node["default_left"], 2), f"a way for missing values {where}")
    numbers = ("split_conditions", "base_weights", "sum_hessian")
    _demand(all(bool(np.isfinite(node[k]).all()) for k in numbers), f"finite numbers {where}")


def _within(values: NDArray[Any], stop: int) -> bool:
    return bool(np.all((values >= 0) & (values < stop)))


def _is_share(text: Any) -> bool:  # noqa: ANN401
    try:
        return 0 < float(str(text).strip("[]")) < 1
    except ValueError:
        return False


def _get(value: Any, *path: str) -> Any:  # noqa: ANN401
    for key in path:
        _demand(isinstance(value, dict) and key in value, f"an entry {key!r}")
        value = value[key]
    return value


def _demand(holds: bool, what: str) -> None:  # noqa: FBT001
    if not holds:
        msg = f"a booster must have {what}; got one without. Write the model anew from its study."
        raise InputError(msg)
