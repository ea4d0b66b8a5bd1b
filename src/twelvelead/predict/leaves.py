"""Leaves of trees in groups that depend on a few questions together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.predict.trees import Floats, Ints, Singles
from twelvelead.signal.kernel import kernel
from twelvelead.terms import InputError

MOST_QUESTIONS = 8
"""Questions of a group, so that their answers fit into a byte. A group of one leaf may have more."""
DEEPEST = 60
"""Questions in a row, so that their answers fit into an integer."""

QUESTION, LEAF, COLUMN = range(3)
"""The lists of which a group has a part."""
PLACE, BITS, ANSWERS = range(3)
"""What an element says."""


class Groups(NamedTuple):
    """Leaves in groups.

    Parameters
    ----------
    starts : ndarray of int64, shape (n_groups + 1, 3)
        Where each group's questions, leaves and columns begin, and the end of all.
    questions : ndarray of int64, shape (n_questions,)
        Nodes; the first one's answer is the lowest bit of a group's answers, 1 for left.
    leaves : ndarray of int64, shape (n_leaves + 1,)
        Where each leaf's elements begin, and the end of all.
    values : ndarray of float64, shape (n_leaves,)
        Log-odds.
    columns : ndarray of int64
        Predictors that each group depends on.
    elements : ndarray of int64, shape (n_elements, 3)
        One per leaf and predictor on its path: its place among the group's columns; the bits of the answers that
        concern it; what they must be for it to let a recording through.
    ratios : ndarray of float64, shape (n_elements,)
        Share of the training data that it let through.
    """

    starts: Ints
    questions: Ints
    leaves: Ints
    values: Floats
    columns: Ints
    elements: Ints
    ratios: Floats


class _Survey(NamedTuple):
    """What is known of the nodes from `first` on: parent (−1 none), questions above, group (−1 none); groups' sizes."""

    first: int
    parent: Ints
    depth: Ints
    group: Ints
    sizes: Ints


def group_leaves(nodes: NDArray[np.void], cover: Singles, roots: Ints) -> Groups:
    """Put the leaves of some trees into groups.

    Parameters
    ----------
    nodes, cover, roots
        As in `Trees`.

    Raises
    ------
    InputError
        If a tree asks more than `DEEPEST` questions in a row.

    Notes
    -----
    A group is the largest subtree whose own questions and those above it are at most `MOST_QUESTIONS`, or else a leaf.

    Examples
    --------
    One question, which half of the data pass:

    >>> from twelvelead.predict.trees import NODE
    >>> nodes = np.array([(0.5, 1, 2, 6), (-1.0, -1, -1, -1), (1.0, -1, -1, -1)], dtype=NODE)
    >>> groups = group_leaves(nodes, np.array([4, 2, 2], dtype=np.float32), np.array([0, 3]))
    >>> groups.columns.tolist(), groups.ratios.tolist(), groups.elements.tolist()
    ([3], [0.5, 0.5], [[0, 1, 1], [0, 1, 0]])
    """
    survey = _survey(nodes, roots)
    deepest = int(survey.depth.max(initial=0))
    if deepest > DEEPEST:
        msg = (
            f"trees must ask at most {DEEPEST} questions in a row to be explained; got {deepest}. Grow them shallower."
        )
        raise InputError(msg)
    is_leaf = nodes["left"][roots[0] : roots[-1]] < 0
    starts = np.zeros((len(survey.sizes) + 1, 3), dtype=np.int64)
    starts[1:, QUESTION] = np.cumsum(survey.sizes)
    starts[1:, LEAF] = np.cumsum(np.bincount(survey.group[is_leaf], minlength=len(survey.sizes)))
    n_questions, n_leaves, _ = starts[-1].tolist()
    n_elements = int(survey.depth[is_leaf].sum())
    groups = Groups(
        starts=starts,
        questions=np.empty(n_questions, dtype=np.int64),
        leaves=np.zeros(n_leaves + 1, dtype=np.int64),
        values=np.empty(n_leaves),
        columns=np.empty(n_questions, dtype=np.int64),
        elements=np.zeros((n_elements, 3), dtype=np.int64),
        ratios=np.ones(n_elements),
    )
    bit, at = _number_questions(nodes, survey, groups)
    _follow_paths(nodes, cover, at, survey, bit, groups)
    return groups


@kernel
def _survey(nodes: NDArray[np.void], roots: Ints) -> _Survey:
    first = roots[0]
    n = roots[-1] - first
    parent, depth, within = np.full(n, -1), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for i in range(n):  # children come after their parents
        for child in (nodes[first + i].left, nodes[first + i].right):
            if child >= 0:
                parent[child - first] = first + i
                depth[child - first] = depth[i] + 1
    for i in range(n - 1, -1, -1):
        within[i] += nodes[first + i].left >= 0
        if parent[i] >= 0:
            within[parent[i] - first] += within[i]
    group, sizes, n_groups = np.full(n, -1), np.empty(n, dtype=np.int64), 0
    for i in range(n):
        if parent[i] >= 0:
            group[i] = group[parent[i] - first]
        if group[i] < 0 and (depth[i] + within[i] <= MOST_QUESTIONS or within[i] == 0):
            group[i] = n_groups
            sizes[n_groups] = depth[i] + within[i]
            n_groups += 1
    return _Survey(first, parent, depth, group, sizes[:n_groups])


@kernel
def _number_questions(nodes: NDArray[np.void], survey: _Survey, groups: Groups) -> tuple[Ints, Ints]:
    """Note each group's questions; return each node's bit in its group, and the node of each leaf."""
    first, bit = survey.first, survey.depth.copy()
    at = np.empty(groups.values.size, dtype=np.int64)
    next_bit, next_leaf = np.full(survey.sizes.size, -1), groups.starts[:, LEAF].copy()
    for i in range(bit.size):
        g = survey.group[i]
        if g < 0:
            continue
        if next_bit[g] < 0:  # the top of the group: what is asked above comes first
            next_bit[g] = survey.depth[i]
            above = survey.parent[i]
            while above >= 0:
                groups.questions[groups.starts[g, QUESTION] + survey.depth[above - first]] = above
                above = survey.parent[above - first]
        if nodes[first + i].left < 0:
            at[next_leaf[g]] = first + i
            next_leaf[g] += 1
        else:
            bit[i] = next_bit[g]
            groups.questions[groups.starts[g, QUESTION] + next_bit[g]] = first + i
            next_bit[g] += 1
    return bit, at


@kernel
def _follow_paths(
    nodes: NDArray[np.void], cover: Singles, at: Ints, survey: _Survey, bit: Ints, groups: Groups
) -> None:
    """Note what each leaf's path asks of each predictor."""
    element, column = 0, 0
    for g in range(survey.sizes.size):
        groups.starts[g, COLUMN] = column
        for leaf in range(groups.starts[g, LEAF], groups.starts[g + 1, LEAF]):
            groups.leaves[leaf] = element
            groups.values[leaf] = nodes[at[leaf]].threshold
            child, node = at[leaf], survey.parent[at[leaf] - survey.first]
            while node >= 0:
                column, place = _place(groups.columns, nodes[node].question >> 1, groups.starts[g, COLUMN], column)
                element, e = _place(groups.elements[:, PLACE], place, groups.leaves[leaf], element)
                answer = np.int64(1) << bit[node - survey.first]
                groups.elements[e, BITS] |= answer
                groups.elements[e, ANSWERS] |= answer * (nodes[node].left == child)
                groups.ratios[e] *= np.float64(cover[child]) / np.float64(cover[node])
                child, node = node, survey.parent[node - survey.first]
            _localise(groups.elements[groups.leaves[leaf] : element, PLACE], groups.starts[g, COLUMN])
    groups.leaves[-1] = element
    groups.starts[-1, COLUMN] = column


@kernel
def _place(values: Ints, value: int, start: int, end: int) -> tuple[int, int]:
    """Where a value stands among those from `start` on, put at the end if it is new; and the end, which comes first."""
    for k in range(start, end):
        if values[k] == value:
            return end, k
    values[end] = value
    return end + 1, end


@kernel
def _localise(places: Ints, start: int) -> None:
    for k in range(places.size):
        places[k] -= start
