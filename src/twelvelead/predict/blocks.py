"""Predictors that mean something only together: an embedding is one reason, not some hundred numbers without names."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from twelvelead.predict.trees import Floats, Ints

EMBEDDING = "embedding"
"""What a block is called, and, with an underscore after it, how the names of its predictors begin."""


def block_of(predictor: str) -> str:
    """Return the block that a predictor belongs to; one that has a meaning of its own is its own block.

    Examples
    --------
    >>> block_of("embedding_017"), block_of("embedding_v1_003"), block_of("qt_interval_ms")
    ('embedding', 'embedding', 'qt_interval_ms')
    """
    return EMBEDDING if predictor.startswith(f"{EMBEDDING}_") else predictor


def sum_blocks(shap: Floats, names: Sequence[str]) -> tuple[Floats, tuple[str, ...], Ints]:
    """Add Shapley values up within blocks.

    Parameters
    ----------
    shap : ndarray, shape (n_recordings, n_used)
        Shapley values, log-odds.
    names : sequence of str
        Their predictors.

    Returns
    -------
    ndarray of float64, shape (n_recordings, n_reasons)
        Those of single predictors as they are, then the sum of the block.
    tuple of str
        What they are of.
    ndarray of int64, shape (n_reasons,)
        Which column of `shap` each was; −1 for a block, which has no value to show.

    Notes
    -----
    Exact: Shapley values are additive, so the sums and the base value still add up to the margin.

    Examples
    --------
    >>> sums, names, columns = sum_blocks(np.array([[0.5, 1.0, -0.25]]), ["embedding_0", "age_years", "embedding_1"])
    >>> sums.tolist(), names, columns.tolist()
    ([[1.0, 0.25]], ('age_years', 'embedding'), [1, -1])
    """
    within = np.array([block_of(name) != name for name in names], dtype=bool)
    alone = np.flatnonzero(~within)
    if not within.any():
        return shap, tuple(names), alone
    sums = np.column_stack([shap[:, alone], np.sum(shap[:, within], axis=1, dtype=np.float64)])
    return sums, (*(names[int(i)] for i in alone), EMBEDDING), np.append(alone, -1)


def sum_reasons(explanation: pl.DataFrame) -> pl.DataFrame:
    """Do the same for a long table.

    Parameters
    ----------
    explanation : DataFrame with columns feature, value, shap, and those that tell recordings apart
        As `explain` returns it, or keeping `terms.SHAP`.

    Returns
    -------
    DataFrame
        The same columns: the rows of single predictors as they are, then one row per recording for the block, whose
        value is null.

    Examples
    --------
    >>> table = pl.DataFrame({"recording_id": ["r"] * 3, "feature": ["embedding_0", "age_years", "embedding_1"],
    ...                       "value": [7.0, 70.0, 8.0], "shap": [0.5, 1.0, -0.25]})
    >>> sum_reasons(table).rows()
    [('r', 'age_years', 70.0, 1.0), ('r', 'embedding', None, 0.25)]
    """
    within = pl.col("feature").str.starts_with(f"{EMBEDDING}_")
    alone, of_block = explanation.filter(~within), explanation.filter(within)
    if of_block.is_empty():
        return explanation
    keys = [c for c in explanation.columns if c not in {"feature", "value", "shap"}]
    sums = (
        of_block.group_by(*keys, maintain_order=True)
        .agg("shap")
        .with_columns(
            pl.col("shap").list.sum(),  # in the order of the rows, on any number of threads
            feature=pl.lit(EMBEDDING),
            value=pl.lit(None, pl.Float64),
        )
    )
    return pl.concat([alone, sums.select(explanation.columns)])
