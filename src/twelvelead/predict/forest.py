"""Many models as one flat forest: one recording against a thousand targets in one pass."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.utils.validation import check_is_fitted

from twelvelead.predict.calibrate import Calibrator
from twelvelead.predict.risk_model import RiskClassifier
from twelvelead.predict.trees import NODE, Floats, Ints, Singles, Trees, read_trees
from twelvelead.signal.kernel import kernel
from twelvelead.terms import InputError


@dataclass(frozen=True, eq=False)
class Forest:
    """All trees of many models, in the order of models, members, rounds.

    Parameters
    ----------
    features : tuple of str
        Columns of the table that all models look at.
    nodes, cover : ndarray, shape (n_nodes,)
        As in `Trees`; `question` counts columns of the shared table.
    roots : ndarray of int64, shape (n_trees + 1,)
        Where each tree begins, and the end.
    members : ndarray of int64, shape (n_members + 1,)
        Where each member's trees begin in `roots`, and the end.
    bases : ndarray of float32, shape (n_members,)
        Log-odds to which each member's leaves are added.
    models : ndarray of int64, shape (n_models + 1,)
        Where each model's members begin, and the end.
    calibrators : tuple of Calibrator
        Each model's curve from log-odds to risk.
    """

    features: tuple[str, ...]
    nodes: NDArray[np.void]
    cover: Singles
    roots: Ints
    members: Ints
    bases: Singles
    models: Ints
    calibrators: tuple[Calibrator, ...]

    @property
    def n_models(self) -> int:
        """Number of models."""
        return len(self.calibrators)

    def select(self, model: int) -> "Forest":
        """Return one model alone, without copying its trees but for their places."""
        first, end = self.models[model : model + 2]
        trees = self.members[first : end + 1]
        return Forest(
            self.features, self.nodes, self.cover, self.roots[trees[0] : trees[-1] + 1], trees - trees[0],
            self.bases[first:end], np.array([0, end - first]), self.calibrators[model : model + 1],
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Rooted:
    """A model's members as trees, not yet beside others.

    Parameters
    ----------
    members : tuple of (Trees, tuple of str)
        Each member's trees and the names of its predictors, in the order in which its trees count them.
    calibrator : Calibrator
        The curve from log-odds to risk.
    """

    members: tuple[tuple[Trees, tuple[str, ...]], ...]
    calibrator: Calibrator


def root_model(model: RiskClassifier) -> Rooted:
    """Read a fitted model's trees."""
    check_is_fitted(model)
    return Rooted(
        tuple(
            (
                read_trees(
                    bytes(member.booster.save_raw("ubj")),
                    n_features=len(member.columns),
                    n_trees=member.booster.num_boosted_rounds() * model.trees_per_round,
                ),
                tuple(model.feature_names_[i] for i in member.columns),
            )
            for member in model.members_
        ),
        model.calibrator_,
    )


def plant(models: Sequence[Rooted], features: Sequence[str]) -> Forest:
    """Set the trees of many models side by side, all looking at one table.

    Parameters
    ----------
    models : sequence of Rooted
        From `root_parts` or `root_model`.
    features : sequence of str
        Names of the table's columns.

    Raises
    ------
    InputError
        If a model needs a predictor that is not among them.
    """
    place = {name: i for i, name in enumerate(features)}
    every = [member for model in models for member in model.members]
    if missing := sorted({name for _, names in every for name in names} - set(place)):
        msg = f"features must hold every predictor of the models; got none named {', '.join(missing[:5])}. Add them."
        raise InputError(msg)
    trees = [trees for trees, _ in every]
    sizes = np.array([len(t.nodes) for t in trees], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    nodes = np.concatenate([np.empty(0, dtype=NODE), *(t.nodes for t in trees)])
    at = 0
    for (one, names), start in zip(every, starts, strict=True):
        mine = nodes[at : at + len(one.nodes)]
        _transplant(mine, start, np.array([place[name] for name in names], dtype=np.int64))
        at += len(mine)
    return Forest(
        tuple(features),
        nodes,
        np.concatenate([np.empty(0, dtype=np.float32), *(t.cover for t in trees)]),
        np.concatenate([*(t.roots[:-1] + start for t, start in zip(trees, starts, strict=True)), [len(nodes)]]),
        np.cumsum([0, *(len(t.roots) - 1 for t in trees)]),
        np.array([t.base for t in trees], dtype=np.float32),
        np.cumsum([0, *(len(model.members) for model in models)]),
        tuple(model.calibrator for model in models),
    )


def margins(forest: Forest, X: ArrayLike, *, n_jobs: int = 1) -> Floats:
    """Return each model's log-odds before calibration, exactly as `RiskClassifier.margin` gives them.

    Parameters
    ----------
    forest : Forest
        n models.
    X : array of shape (n_recordings, n_features)
        Columns as in `forest.features`; NaN where missing.
    n_jobs : int
        Threads. The result doesn't depend on it.

    Returns
    -------
    ndarray of float64, shape (n_recordings, n_models)
        The mean of the members'; each adds its leaves to its base in single precision, in the order of the trees, and
        compares in single precision, as XGBoost does.
    """
    x = single(forest, X)
    out = np.empty((len(x), forest.n_models))
    step = max(1, -(-forest.n_models // max(1, n_jobs)))

    def fall(k: int) -> None:
        models, part = forest.models[k : k + step + 1], out[:, k : k + step]
        _fall(forest.nodes, forest.roots, forest.members, forest.bases, models, x, part)

    if forest.n_models <= step:
        fall(0)
    else:
        with ThreadPoolExecutor(max_workers=n_jobs) as pool:
            list(pool.map(fall, range(0, forest.n_models, step)))
    return out


def expected_margins(forest: Forest) -> Floats:
    """Return each model's log-odds with every predictor unknown, from which its Shapley values start.

    Returns
    -------
    ndarray of float64, shape (n_models,)
        What is expected of a tree comes from the shares of the training data that went either way.
    """
    worth = _expect(forest.nodes, forest.cover)[forest.roots[:-1]]
    sums = np.concatenate([[0.0], np.cumsum(worth)])[forest.members]
    members = np.concatenate([[0.0], np.cumsum(np.diff(sums) + forest.bases)])[forest.models]
    out: Floats = np.diff(members) / np.diff(forest.models)
    return out


def calibrated(forest: Forest, margins: Floats) -> Floats:
    """Return each model's calibrated risks from its log-odds, both of shape (n_recordings, n_models).

    Parameters
    ----------
    forest : Forest
        Whose models have the curves.
    margins : ndarray of shape (n_recordings, n_models)
        As `margins` gives them.
    """
    curves = forest.calibrators
    line = np.array([(c.intercept, c.slope) for c in curves]).reshape(-1, 2)
    out: Floats = expit(line[:, 0] + line[:, 1] * margins)
    for k, curve in enumerate(curves):
        if curve.knots:
            out[:, k] = curve(margins[:, k])
    return out


def single(forest: Forest, X: ArrayLike) -> Singles:
    """Return the table of predictors in single precision, as XGBoost takes it.

    Parameters
    ----------
    forest : Forest
        Which names the predictors.
    X : array of shape (n_recordings, n_features)
        Its predictors, in its order; NaN where missing.

    Raises
    ------
    InputError
        If it doesn't have the forest's columns.
    """
    with np.errstate(over="ignore"):
        x: Singles = np.ascontiguousarray(X, dtype=np.float32)
    if x.ndim != 2 or x.shape[1] != len(forest.features):
        msg = f"X must have the forest's {len(forest.features)} columns; got shape {x.shape}. Select its features."
        raise InputError(msg)
    return x


@kernel
def _transplant(nodes: NDArray[np.void], start: int, columns: Ints) -> None:
    """Make nodes count from another start, and ask for columns of another table."""
    for k in range(nodes.size):
        if nodes[k].left >= 0:
            nodes[k].left += start
            nodes[k].right += start
            question = nodes[k].question
            nodes[k].question = 2 * columns[question >> 1] + (question & 1)


@kernel
def _fall(  # noqa: PLR0917 (compiled)
    nodes: NDArray[np.void], roots: Ints, members: Ints, bases: Singles, models: Ints, x: Singles, out: Floats
) -> None:
    """Let each recording fall through the trees of some models."""
    n, sums = len(x), np.empty(len(x), dtype=np.float32)
    for k in range(models.size - 1):
        out[:, k] = 0.0
        for member in range(models[k], models[k + 1]):
            sums[:] = bases[member]
            for tree in range(members[member], members[member + 1]):
                for row in range(n):
                    sums[row] += _leaf(nodes, roots[tree], x[row])
            for row in range(n):
                out[row, k] += np.float64(sums[row])
        out[:, k] /= models[k + 1] - models[k]


@kernel
def _leaf(nodes: NDArray[np.void], node: int, row: Singles) -> np.float32:
    """Value of the leaf that a recording comes to."""
    while nodes[node].left >= 0:
        value, question = row[nodes[node].question >> 1], nodes[node].question
        goes_left = value < nodes[node].threshold if not np.isnan(value) else (question & 1) == 1
        node = nodes[node].left if goes_left else nodes[node].right
    return np.float32(nodes[node].threshold)


@kernel
def _expect(nodes: NDArray[np.void], cover: Singles) -> Floats:
    """Mean of the leaves below each node, as the training data went."""
    out = np.empty(nodes.size)
    for k in range(nodes.size - 1, -1, -1):  # children come after their parents
        left, right = nodes[k].left, nodes[k].right
        if left < 0:
            out[k] = nodes[k].threshold
        else:
            share = np.float64(cover[left]) * out[left] + np.float64(cover[right]) * out[right]
            out[k] = share / np.float64(cover[k])
    return out
