"""Stored trees as flat arrays, looked through before anything follows them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twelvelead.predict.ubjson import AT, COUNT, ITEM, MARKER, Index, index
from twelvelead.signal.kernel import kernel
from twelvelead.terms import InputError

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Truths = NDArray[np.bool_]

NODE = np.dtype([("threshold", "f4"), ("left", "i4"), ("right", "i4"), ("question", "i4")])
"""A node in 16 bytes. A question: goes left if the predictor is below `threshold`; `question` is twice the predictor's
position, and one more if a missing value goes left. A leaf: `left` is −1 and `threshold` its value."""

_WHOLE = ("left_children", "right_children", "parents", "split_indices", "default_left", "split_type")
_REAL = ("split_conditions", "base_weights", "loss_changes", "sum_hessian")
_FINITE = ("split_conditions", "base_weights", "sum_hessian")
_NO_PARENT = 2**31 - 1
_TYPES = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}


@dataclass(frozen=True, eq=False)
class Trees:
    """The trees of one booster.

    Parameters
    ----------
    nodes : ndarray of `NODE`, shape (n_nodes,)
        All trees' nodes, one tree after the other; children are positions in this array, behind their parent.
    cover : ndarray of float32, shape (n_nodes,)
        How much of the training data came to each node: the sum of p(1 − p).
    roots : ndarray of int64, shape (n_trees + 1,)
        Where each tree begins, and the end.
    base : float
        Log-odds to which the leaves are added, a float32.
    """

    nodes: NDArray[np.void]
    cover: NDArray[np.float32]
    roots: Ints
    base: float


def read_trees(data: bytes, *, n_features: int, n_trees: int) -> Trees:
    """Read a booster's trees, or refuse them if they are not whole or lead out of bounds when followed.

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
    XGBoost follows such trees into memory that is not theirs, or round in circles. That the trees are followed from
    here on needs no further check.
    """
    found = index(data)
    trees, base = _check_learner(found, n_features=n_features, n_trees=n_trees)
    columns, sizes = _read_columns(found, trees)
    tree = np.repeat(np.arange(n_trees), sizes)
    _check_sizes(found, trees, sizes=sizes, n_features=n_features)
    roots = np.concatenate([[0], np.cumsum(sizes)])
    left, right = _check_shape(columns, tree, roots=roots)
    _check_numbers(columns, tree, n_features=n_features)
    nodes = np.empty(len(tree), dtype=NODE)
    nodes["threshold"], nodes["left"], nodes["right"] = columns["split_conditions"], left, right
    nodes["question"] = np.where(left < 0, -1, 2 * columns["split_indices"] + columns["default_left"])
    return Trees(nodes, columns["sum_hessian"], roots, base)


def _check_learner(found: Index, *, n_features: int, n_trees: int) -> tuple[Ints, float]:
    """Places of the trees, and the log-odds to which they are added."""
    (learner,) = _under(found, 0, "learner")
    booster, size, objective = _under(found, learner, "gradient_booster", "learner_model_param", "objective")
    model, name = _under(found, booster, "model", "name")
    told, trees, rounds, info = _under(found, model, "gbtree_model_param", "trees", "iteration_indptr", "tree_info")
    width, n_classes, n_outputs, share = _words(found, size, "num_feature", "num_class", "num_target", "base_score")
    count, step = _words(found, told, "num_trees", "num_parallel_tree")
    info_ = found.wholes(info)
    facts = {
        "name gbtree": found.text(name) == b"gbtree",
        "objective binary:logistic": _words(found, objective, "name") == [b"binary:logistic"],
        f"{n_features} predictors": width == b"%d" % n_features,
        "one output": (n_classes, n_outputs) == (b"0", b"1"),
        "a finite base score": 0 < _share(share) < 1,
        f"{n_trees} trees": found.values[trees, MARKER] == ord("[") and found.values[trees, COUNT] == n_trees,
        "as many trees as it says": count == b"%d" % n_trees,
        "rounds of equally many trees": _are_even(found.wholes(rounds), step, n_trees=n_trees),
        "trees for one output": len(info_) == n_trees and not info_.any(),
    }
    for what, holds in facts.items():
        _demand(bool(holds), what)
    # In single precision, as XGBoost does it: the sum of the leaves begins here.
    odds = np.float32(1) / np.float32(_share(share)) - np.float32(1)
    return found.items(trees), float(np.float32(-math.log(odds)))


def _are_even(rounds: Ints, step: bytes, *, n_trees: int) -> bool:
    """Whether the rounds' borders are 0, k, 2k, … for the k trees per round that the model names."""
    if not (step.isdigit() and 0 < int(step) <= max(n_trees, 1)):
        return False
    return np.array_equal(rounds, np.arange(0, n_trees + 1, int(step)))


def _read_columns(found: Index, trees: Ints) -> tuple[dict[str, NDArray[Any]], Ints]:
    """Numbers of every node, all trees in a row, by name; and the number of nodes of each tree."""
    names = (*_WHOLE, *_REAL, "categories")
    places = found.entries(trees, *names)
    for name, row in zip(names, places, strict=True):
        _demand(bool((row >= 0).all()), f"an entry {name!r} in each tree")
    rows = found.values[places]
    sizes = rows[0, :, COUNT]
    listed = (rows[:, :, MARKER] == ord("[")) & (rows[:, :, COUNT] == [*[sizes] * len(names[:-1]), 0 * sizes])
    _demand(bool(listed[-1].all()), "no category splits in each tree")
    _demand(bool(listed.all()), "whole nodes in each tree")
    columns = {name: _column(found, places[k], rows[k], name=name) for k, name in enumerate(names[:-1])}
    return columns, sizes


def _column(found: Index, places: Ints, rows: Ints, *, name: str) -> NDArray[Any]:
    """One number of every node; whole numbers as int64, others as float32."""
    kind = int(rows[0, ITEM]) if len(rows) else 0
    if kind and (rows[:, ITEM] == kind).all():
        dtype = np.dtype(_TYPES[chr(kind)])
        packed = np.empty(int(rows[:, COUNT].sum()) * dtype.itemsize, dtype=np.uint8)
        _pack(found.raw, rows, dtype.itemsize, packed)
        values = packed.view(dtype)
    else:
        values = np.concatenate([np.empty(0, dtype=np.int64), *(np.asarray(found.read(int(p))) for p in places)])
    _demand(values.dtype.kind in ("iu" if name in _WHOLE else "iuf"), "whole nodes in each tree")
    if name in _WHOLE:
        return values.astype(np.int64)
    with np.errstate(over="ignore"):
        return values.astype(np.float32)


def _check_sizes(found: Index, trees: Ints, *, sizes: Ints, n_features: int) -> None:
    told = {"num_nodes": sizes, "num_feature": n_features, "num_deleted": 0, "size_leaf_vector": 1}
    params = found.entries(trees, "tree_param")[0]
    for places, number in zip(found.entries(params, *told), told.values(), strict=True):
        _demand(bool((found.decimals(places) == number).all()), "consistent sizes in each tree")


def _check_shape(columns: dict[str, NDArray[Any]], tree: Ints, *, roots: Ints) -> tuple[Ints, Ints]:
    """Children as positions among all nodes, −1 where a node is a leaf."""
    first, end = roots[:-1][tree], roots[1:][tree]
    left, right, parents = (columns[k].astype(np.int64) for k in ("left_children", "right_children", "parents"))
    _demand(bool(np.all(np.diff(roots) > 0)), "whole nodes in each tree")
    inner = left != -1
    _demand_all(inner == (right != -1), tree, "two children or none")
    own = np.arange(len(tree))
    for child in (left, right):
        np.add(child, first, out=child, where=inner)
        _demand_all(~inner | ((child > own) & (child < end)), tree, "children after their parent, within the tree,")
    children = np.concatenate([left[inner], right[inner]])
    times = np.bincount(children, minlength=len(tree))
    is_root = own == first
    _demand_all(times == ~is_root, tree, "one parent per node")
    owner = np.empty(len(tree), dtype=np.int64)
    owner[children] = np.tile(own[inner] - first[inner], 2)
    owner[is_root] = _NO_PARENT
    _demand_all(parents == owner, tree, "parents that own their nodes")
    return left, right


def _check_numbers(columns: dict[str, NDArray[Any]], tree: Ints, *, n_features: int) -> None:
    _demand_all(_within(columns["split_indices"], n_features), tree, "predictors that exist")
    _demand_all(columns["split_type"] == 0, tree, "no category splits")
    _demand_all(_within(columns["default_left"], 2), tree, "a way for missing values")
    for name in _FINITE:
        _demand_all(np.isfinite(columns[name]), tree, "finite numbers")
    inner = columns["left_children"] != -1
    _demand_all(~inner | (columns["sum_hessian"] > 0), tree, "data that came to every question")


def _within(values: NDArray[Any], stop: int) -> Truths:
    return np.asarray((values >= 0) & (values < stop))


def _under(found: Index, value: int, *keys: str) -> list[int]:
    """Places of an object's entries."""
    places = found.entries(np.array([value]), *keys)[:, 0].tolist()
    for key, place in zip(keys, places, strict=True):
        _demand(place >= 0, f"an entry {key!r}")
    return [int(place) for place in places]


def _words(found: Index, value: int, *keys: str) -> list[bytes]:
    """Texts of an object's entries."""
    return [found.text(place) for place in _under(found, value, *keys)]


def _share(text: bytes) -> float:
    try:
        return float(np.float32(float(text.strip(b"[]"))))
    except ValueError:
        return math.nan


def _demand(holds: bool, what: str) -> None:  # noqa: FBT001
    if not holds:
        msg = f"a booster must have {what}; got one without. Write the model anew from its study."
        raise InputError(msg)


def _demand_all(holds: Truths, tree: Ints, what: str) -> None:
    if not holds.all():
        _demand(holds=False, what=f"{what} in tree {tree[int(np.argmin(holds))]}")


@kernel
def _pack(data: Bytes, rows: Ints, width: int, out: Bytes) -> None:
    """Put the contents of typed arrays one after the other."""
    at = 0
    for k in range(len(rows)):
        size = rows[k, COUNT] * width
        out[at : at + size] = data[rows[k, AT] : rows[k, AT] + size]
        at += size
