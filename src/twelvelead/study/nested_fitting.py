"""One model of a study of nested models: fitted, kept, and its predictions for those held out."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.io import write_model
from twelvelead.io.tables import write_table
from twelvelead.predict.fuse import FusionClassifier
from twelvelead.predict.fuse_parts import fusion_to_parts
from twelvelead.predict.replicates import learn_replicates
from twelvelead.study.nested_declaration import PERMUTED, Fit, NestedStudy

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NestedModel:
    """One of the models that are compared.

    Parameters
    ----------
    name : str
        As it stands in the tables.
    blocks : tuple of str
        Names of its blocks.
    fit : Fit
        How they are joined.
    permuted : bool
        Whether the added block is dealt out among the people anew.
    """

    name: str
    blocks: tuple[str, ...]
    fit: Fit
    permuted: bool = False


@dataclass(frozen=True)
class NestedTask:
    """What one worker needs to fit one model.

    Parameters
    ----------
    study : NestedStudy
        The declaration.
    model : NestedModel
        Which of its models.
    fold : int
        Who is held out.
    people : Path
        Table of the people, as `gather_people` makes it.
    base, added : tuple of str
        The base block's columns, the added block's measurements.
    folder : Path
        Made whole at the end, or not at all.
    """

    study: NestedStudy
    model: NestedModel
    fold: int
    people: Path
    base: tuple[str, ...]
    added: tuple[str, ...]
    folder: Path


def list_models(study: NestedStudy) -> tuple[NestedModel, ...]:
    """List a study's models: of each block alone by each learner, of both by each fit, and the permuted one."""
    base, added = study.nested.base.name, study.nested.added.name
    models: dict[str, NestedModel] = {}
    for fit in study.nested.fits:
        alone = Fit(fusion=fit.fusion if fit.fusion == "intermediate" else "early", learner=fit.learner)
        for block in (base, added):
            models.setdefault(f"{block}_{fit.alone}", NestedModel(f"{block}_{fit.alone}", (block,), alone))
        name = f"{base}_{added}_{fit.name}"
        models[name] = NestedModel(name, (base, added), fit)
    first = study.nested.fits[0]
    name = f"{base}_{added}_{first.name}_{PERMUTED}"
    models[name] = NestedModel(name, (base, added), first, permuted=True)
    return tuple(models.values())


def list_contrasts(study: NestedStudy) -> tuple[tuple[str, str], ...]:
    """List which model is compared with which, the new one first: both blocks with the base block, by one learner."""
    base, added = study.nested.base.name, study.nested.added.name
    return tuple((f"{base}_{added}_{fit.name}", f"{base}_{fit.alone}") for fit in study.nested.fits)


def run_nested_fit(task: NestedTask) -> None:
    """Fit one model on the people of the other folds, and write it and the risks of those of this one."""
    people = pl.read_parquet(task.people)
    held_out = (people["fold"] == task.fold).to_numpy()
    blocks = _blocks(task, people, held_out)
    columns = {name: [f"{name} {i}" for i in range(block.shape[1])] for name, block in blocks.items()}
    table = pl.concat([pl.DataFrame(block, schema=columns[name]) for name, block in blocks.items()], how="horizontal")
    fit = task.model.fit
    model = FusionClassifier(blocks=columns, fusion=fit.fusion, learner=fit.learner, random_state=task.study.seed)
    known = ~held_out & people["y"].is_not_null().to_numpy()
    developed = people.filter(known)
    model.fit(table.filter(known), developed["y"].to_numpy(), groups=developed["patient_id"].to_numpy())
    risks = people.filter(held_out).select("recording_id", "patient_id", "y")
    p = model.predict_proba(table.filter(held_out))[:, 1]
    scratch = task.folder.with_name(f".{task.folder.name}.unfinished")
    shutil.rmtree(scratch, ignore_errors=True)
    parts, card = fusion_to_parts(model)
    write_model(scratch / "model", parts, {**card, "model": task.model.name, "columns": _meaning(task)})
    write_table(risks.with_columns(p=pl.Series(p, dtype=pl.Float64)), scratch / "risks.parquet")
    scratch.rename(task.folder)


def permute(table: pl.DataFrame, columns: list[str], *, within: str, seed: int) -> pl.DataFrame:
    """Deal some columns out among the people anew, all of a person's together; who is held out gets another's such.

    Parameters
    ----------
    table : DataFrame
        A row per person.
    columns : list of str
        Dealt out together.
    within : str
        Column of groups that nothing leaves.
    seed : int
        Which deal.

    Examples
    --------
    >>> dealt = permute(pl.DataFrame({"x": [1, 2, 3, 4], "g": [0, 0, 1, 1]}), ["x"], within="g", seed=1)
    >>> sorted(dealt["x"].to_list()[:2]), sorted(dealt["x"].to_list()[2:])
    ([1, 2], [3, 4])
    """
    rng = np.random.default_rng([seed, 1])
    group = table[within].to_numpy()
    source = np.arange(table.height)
    for value in np.unique(group):
        rows = np.flatnonzero(group == value)
        source[rows] = rng.permutation(rows)
    return table.with_columns(table.select(columns)[source])


def _blocks(task: NestedTask, people: pl.DataFrame, held_out: NDArray[np.bool_]) -> Mapping[str, Floats]:
    """Return the model's blocks, the added one as one row per person, learnt from those who are not held out."""
    nested = task.study.nested
    blocks: dict[str, Floats] = {}
    if nested.base.name in task.model.blocks:
        blocks[nested.base.name] = people.select(f"base {name}" for name in task.base).to_numpy()
    if nested.added.name in task.model.blocks:
        columns = [f"{name}_{i}" for i in range(1, nested.n_recordings + 1) for name in task.added]
        if task.model.permuted:
            people = permute(people, columns, within="part", seed=task.study.seed)
        values = people.select(columns).to_numpy().reshape(people.height, nested.n_recordings, len(task.added))
        blocks[nested.added.name] = learn_replicates(values[~held_out], how=nested.replicates)(values)
    return blocks


def _meaning(task: NestedTask) -> dict[str, list[str]]:
    """Say for the model's card which column of the database each of its columns is."""
    nested = task.study.nested
    repeated = range(1, nested.n_recordings + 1) if nested.replicates == "concat" else (nested.replicates,)
    added = [f"{name} {i}" for i in repeated for name in task.added]
    of_blocks = {nested.base.name: list(task.base), nested.added.name: added}
    return {name: columns for name, columns in of_blocks.items() if name in task.model.blocks}
