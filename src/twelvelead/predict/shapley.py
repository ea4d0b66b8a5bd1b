"""Exact Shapley values of trees, looked up in small tables."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.predict.forest import Forest
from twelvelead.predict.leaves import (
    ANSWERS,
    BITS,
    COLUMN,
    DEEPEST,
    LEAF,
    MOST_QUESTIONS,
    PLACE,
    QUESTION,
    Groups,
    group_leaves,
)  # fmt: skip
from twelvelead.predict.trees import Floats, Ints, Singles
from twelvelead.signal.kernel import kernel

_BATCH = 128
"""Trees whose tables are there at a time: some megabytes."""
_BLOCK = 512
"""Recordings worked on at a time, so that their sums stay in the processor's cache."""


class _Tables(NamedTuple):
    """Values of each group for every combination of answers, where that pays.

    Parameters
    ----------
    there : ndarray of bool, shape (n_groups,)
        Whether a group has a table.
    starts : ndarray of int64, shape (n_groups,)
        Where it begins.
    cells : ndarray of float64
        One row of 2^(number of questions) values for each of the group's columns.
    """

    there: NDArray[np.bool_]
    starts: Ints
    cells: Floats


def shapley_values(forest: Forest, X: Singles, *, n_jobs: int = 1) -> tuple[Floats, Ints]:
    """Return how much each predictor raised or lowered each recording's log-odds in one model.

    Parameters
    ----------
    forest : Forest
        Of one model: see `Forest.select`.
    X : ndarray of float32, shape (n_recordings, n_features)
        The forest's table, NaN where missing.
    n_jobs : int
        Threads. The result doesn't depend on it, nor on the other recordings.

    Returns
    -------
    ndarray of float64, shape (n_recordings, n_used)
        Shapley values, log-odds: with `expected_margin` a recording's add up to the model's margin.
    ndarray of int64, shape (n_used,)
        Columns of `X` that the model's trees ask for.

    Raises
    ------
    InputError
        If a tree asks more questions in a row than `leaves.DEEPEST`.

    Notes
    -----
    Path-dependent TreeSHAP [1]_. A leaf of value v whose path asks for m predictors is a game that pays v if all of
    them let the recording through; one that is not known lets r of it through, the share of the training data. The
    Shapley value of predictor i is v (oᵢ − rᵢ) Σₖ k! (m − 1 − k)! / m! cₖ, oᵢ being 1 if it lets the recording through,
    else 0, and cₖ the coefficient of tᵏ in the product of (rⱼ + oⱼ t) over the others.

    A recording enters by the answers that it gives and by nothing else. Leaves are therefore put into groups that
    depend on a few questions together, a whole tree where it is shallow, and the values for every combination of
    answers are tabulated, as [2]_ does for single leaves. Where there are fewer recordings than a table has rows they
    are worked out one by one, with the same arithmetic in the same order: no recording's values depend on the others.

    References
    ----------
    .. [1] Lundberg SM et al. From local explanations to global understanding with explainable AI for trees.
       doi:10.1038/s42256-019-0138-9
    .. [2] Yang J. Fast TreeSHAP: accelerating SHAP value computation for trees. doi:10.48550/arXiv.2109.09847
    """
    asked = forest.nodes["question"][forest.roots[0] : forest.roots[-1]]
    used = np.unique(asked[asked >= 0] >> 1).astype(np.int64)
    out = np.zeros((len(X), len(used)))
    blocks = range(0, len(X), _BLOCK)
    with ThreadPoolExecutor(max_workers=max(1, n_jobs)) as pool:
        each = map if n_jobs <= 1 else pool.map  # a thread costs as much as a recording
        for first in range(0, len(forest.roots) - 1, _BATCH):
            groups = group_leaves(forest.nodes, forest.cover, forest.roots[first : first + _BATCH + 1])
            tables = _tabulate(groups, n_recordings=len(X))
            groups.columns[:] = np.searchsorted(used, groups.columns)
            list(each(partial(_add_block, forest.nodes, groups, tables, X, used, out), blocks))
    return out / max(1, len(forest.bases)), used


def _tabulate(groups: Groups, *, n_recordings: int) -> _Tables:
    """Make the tables that have fewer rows than there are recordings."""
    sizes = np.diff(groups.starts, axis=0)
    there = (sizes[:, QUESTION] <= MOST_QUESTIONS) & (n_recordings > 2.0 ** sizes[:, QUESTION])
    n_cells = np.where(there, sizes[:, COLUMN] << np.where(there, sizes[:, QUESTION], 0), 0)
    ends = np.cumsum(n_cells)
    tables = _Tables(there, ends - n_cells, np.empty(int(n_cells.sum())))
    _fill(groups, tables)
    return tables


@kernel
def _fill(groups: Groups, tables: _Tables) -> None:
    """Fill the tables: for each group, each combination of its answers."""
    for g in range(tables.there.size):
        if tables.there[g]:
            size = 1 << (groups.starts[g + 1, QUESTION] - groups.starts[g, QUESTION])
            n_columns = groups.starts[g + 1, COLUMN] - groups.starts[g, COLUMN]
            cells = tables.cells[tables.starts[g] : tables.starts[g] + size * n_columns].reshape(n_columns, size)
            for answers in range(size):
                _share_out(groups, g, answers, cells[:, answers])


@kernel
def _share_out(groups: Groups, g: int, answers: int, out: Floats) -> None:
    """Share the worth of a group's leaves out among its columns, given the answers."""
    out[:] = 0.0
    worth = np.empty(DEEPEST + 1)
    for leaf in range(groups.starts[g, LEAF], groups.starts[g + 1, LEAF]):
        first, end = groups.leaves[leaf], groups.leaves[leaf + 1]
        m = end - first
        for i in range(first, end):
            n = 1  # the coefficients of the product over the others
            worth[0] = groups.values[leaf]
            for j in range(first, end):
                if j != i:
                    n = _multiply(worth, n, groups.ratios[j], _passes(groups.elements[j], answers))
            total, weight = 0.0, 1.0 / m
            for k in range(n):
                total += weight * worth[k]
                weight *= (k + 1) / max(1, m - 1 - k)
            own = 1.0 if _passes(groups.elements[i], answers) else 0.0
            out[groups.elements[i, PLACE]] += (own - groups.ratios[i]) * total


@kernel
def _passes(element: Ints, answers: int) -> bool:
    """Whether a predictor lets a recording with these answers through."""
    return bool((answers & element[BITS]) == element[ANSWERS])


@kernel
def _multiply(worth: Floats, n: int, ratio: float, passes: bool) -> int:  # noqa: FBT001 (compiled)
    """Multiply a polynomial of n coefficients by (ratio + t) or by the ratio; return how many it then has."""
    if passes:
        worth[n] = worth[n - 1]
        for k in range(n - 1, 0, -1):
            worth[k] = ratio * worth[k] + worth[k - 1]
        worth[0] *= ratio
        return n + 1
    for k in range(n):
        worth[k] *= ratio
    return n


@kernel
def _add_block(  # noqa: PLR0917 (compiled)
    nodes: NDArray[np.void], groups: Groups, tables: _Tables, X: Singles, used: Ints, out: Floats, start: int
) -> None:
    """Add the values of some trees to those of a block of recordings."""
    end = min(start + _BLOCK, len(X))
    n = end - start
    x, sums = np.empty((used.size, n), dtype=np.float32), np.zeros((used.size, n))
    for c in range(used.size):
        for row in range(n):
            x[c, row] = X[start + row, used[c]]
    answers, alone = np.empty(n, dtype=np.uint8), np.empty(used.size)
    for g in range(tables.there.size):
        columns = groups.columns[groups.starts[g, COLUMN] : groups.starts[g + 1, COLUMN]]
        asked = groups.questions[groups.starts[g, QUESTION] : groups.starts[g + 1, QUESTION]]
        if tables.there[g]:
            _ask(nodes, asked, used, x, answers)
            size = 1 << asked.size
            for k in range(columns.size):
                at = tables.starts[g] + k * size
                _look_up(tables.cells[at : at + size], answers, sums[columns[k]])
            continue
        for row in range(n):
            _share_out(groups, g, _ask_one(nodes, asked, X[start + row]), alone[: columns.size])
            for k in range(columns.size):
                sums[columns[k], row] += alone[k]
    for row in range(n):
        for c in range(used.size):
            out[start + row, c] += sums[c, row]


@kernel
def _look_up(cells: Floats, answers: NDArray[np.uint8], sums: Floats) -> None:
    for row in range(answers.size):
        sums[row] += cells[answers[row]]


@kernel
def _ask(nodes: NDArray[np.void], asked: Ints, used: Ints, x: Singles, answers: NDArray[np.uint8]) -> None:
    """Put the questions of a group to a block of recordings."""
    answers[:] = 0
    for b in range(asked.size):
        node = nodes[asked[b]]
        threshold, bit = node.threshold, np.uint8(1 << b)
        values = x[np.searchsorted(used, node.question >> 1)]
        if node.question & 1:
            for row in range(answers.size):  # a missing value is not above either
                answers[row] |= np.uint8(0) if values[row] >= threshold else bit
        else:
            for row in range(answers.size):
                answers[row] |= bit if values[row] < threshold else np.uint8(0)


@kernel
def _ask_one(nodes: NDArray[np.void], asked: Ints, row: Singles) -> int:
    """Put the questions of a group to one recording."""
    answers = 0
    for b in range(asked.size):
        node = nodes[asked[b]]
        value = row[node.question >> 1]
        goes_left = not value >= node.threshold if node.question & 1 else value < node.threshold
        answers |= int(goes_left) << b
    return answers
