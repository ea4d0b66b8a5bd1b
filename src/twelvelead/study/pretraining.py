"""Pre-train an encoder on an archive, in a folder that a killed run is taken up from."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError

from twelvelead.encode import (
    PRESETS,
    RECIPES,
    Plan,
    Training,
    batch_rows,
    check_training,
    learning_rate,
    restore,
    save_encoder,
    snapshot,
    start_training,
    teacher_momentum,
    train_step,
)
from twelvelead.encode.pretrain import Precision
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.tables import read_json, write_bytes, write_json, write_table, write_text
from twelvelead.report.training_curve import draw_training
from twelvelead.study.feed import Read, feed
from twelvelead.study.progress import Progress, silent
from twelvelead.study.ranks import Ranks, join_ranks
from twelvelead.study.training_data import FAILED, TrainingData, open_data, prepare_data
from twelvelead.terms import InputError

FORMAT = "twelvelead pre-training 1"
HELD_OUT = 0.1  # of the patients
CHECKED = 1024  # recordings held out of which the loss and the spread are computed, at most
ROWS = 50  # of the table: so often a training is checked and saved
CHECKPOINT = "checkpoint.safetensors"
COLUMNS = ("step", "loss", "held_out_loss", "embedding_std", "effective_rank", "learning_rate", "momentum")

Tell = Callable[[dict[str, float]], None]


@dataclass(frozen=True)
class Wish:
    """What a pre-training is asked to be; what is None, the recipe says.

    Parameters
    ----------
    preset, recipe : str
        Keys of `PRESETS` and `RECIPES`.
    steps, epochs : int or None
        How long; at most one of them.
    batch, views : int or None
        Recordings per step, over all processes; masks per recording.
    lr : float or None
        Highest learning rate.
    seed : int
        Of everything random.
    precision : {"auto", "float32", "bfloat16"}
        auto: bfloat16 on a GPU, float32 on a CPU.
    """

    preset: str = "small"
    recipe: str = "sound"
    steps: int | None = None
    epochs: int | None = None
    batch: int | None = None
    views: int | None = None
    lr: float | None = None
    seed: int = 0
    precision: Precision | str = "auto"


@dataclass(frozen=True)
class Pretrained:
    """What came of a pre-training.

    Parameters
    ----------
    encoder : Path
        The encoder, with its card beside it.
    log : DataFrame
        `COLUMNS`: a row before the first step, without `loss`, and one for each fiftieth of the steps.
    failures : DataFrame keeping `terms.FAILURES`
        Recordings that could not be used.
    n_train, n_held_out : int
        Recordings trained on, and held out.
    by_patient : bool
        Whether the two have no patient in common for certain; else it was not known of some whose they are.
    """

    encoder: Path
    log: pl.DataFrame
    failures: pl.DataFrame
    n_train: int
    n_held_out: int
    by_patient: bool


def pretrain_archive(  # noqa: PLR0913 - one for each flag
    archive: Path,
    *,
    out: Path,
    wish: Wish,
    device: str = "auto",
    compiled: bool = False,
    workers: int = 1,
    declared: Declaration = UNDECLARED,
    progress: Progress = silent,
    tell: Tell = lambda _: None,
) -> Pretrained:
    """Pre-train an encoder on all recordings of an archive that are fit.

    Parameters
    ----------
    archive : Path
        Folder of recordings in any format, or of shards. It is looked at once; after that, what was made ready in
        `out` is used.
    out : Path
        Folder for everything: the recordings made ready (data/), plan.json, checkpoint.safetensors, training.csv and
        training.svg, encoder.safetensors with its card. The same call takes a killed run up, from the last fiftieth
        of its steps, with the same result as if it had not been killed, byte for byte on a CPU.
    wish : Wish
        What is asked for.
    device : str
        As `join_ranks` takes it.
    compiled : bool
        Whether torch compiles the model first.
    workers : int
        Processes that make recordings ready.
    declared : Declaration
        What signal tables don't say of themselves.
    progress : Progress
        Told how far it has come.
    tell : callable
        Given each row of the log when it is there.

    Returns
    -------
    Pretrained
        Of a training that is done already, the same again.

    Raises
    ------
    InputError
        If the folder holds another training, a name is unknown, too few recordings are fit, or the batch can't be
        shared among the processes.
    """
    with join_ranks(device) as ranks:
        if ranks.rank > 0:
            progress, tell = silent, lambda _: None
        config = _named(PRESETS, wish.preset, "preset")
        _named(RECIPES, wish.recipe, "recipe")
        _check_folder(archive, out, wish)
        if ranks.rank == 0:
            prepare_data(
                archive, out / "data", config=config, held_out=HELD_OUT, workers=workers, declared=declared,
                progress=progress,
            )  # fmt: skip
        ranks.wait()
        data = open_data(out / "data", config=config)
        plan = make_plan(wish, n_train=len(data.train), device=ranks.device)
        if plan.recipe.batch % ranks.n_ranks:
            msg = f"a batch must be shared equally by {ranks.n_ranks} processes; got {plan.recipe.batch} recordings. "
            msg += "Give another --batch."
            raise InputError(msg)
        if ranks.rank == 0:
            _claim(out, _describe(archive, plan, data))
        ranks.wait()
        training = start_training(plan, device=ranks.device, rank=ranks.rank, n_ranks=ranks.n_ranks, compiled=compiled)
        log = _take_up(training, out)
        _train(training, data, log=log, out=out, ranks=ranks, progress=progress, tell=tell)
        if ranks.rank == 0:
            _publish(training, data, out)
        ranks.wait()
    return Pretrained(
        out / "encoder.safetensors",
        _table(log),
        pl.read_parquet(out / "data" / FAILED),
        len(data.train),
        len(data.held_out),
        data.by_patient,
    )


def make_plan(wish: Wish, *, n_train: int, device: torch.device) -> Plan:
    """Say what a wish comes to.

    Parameters
    ----------
    wish : Wish
        What is asked for.
    n_train : int
        Recordings to train on; a batch has no more.
    device : torch.device
        Where.

    Raises
    ------
    InputError
        If both steps and epochs are given, or a number is not positive.

    Examples
    --------
    A pass over 300 recordings has twenty steps or more, so a batch has 15.

    >>> make_plan(Wish(preset="tiny", epochs=2), n_train=300, device=torch.device("cpu")).n_steps
    40
    """
    if wish.steps is not None and wish.epochs is not None:
        msg = f"a training lasts steps or epochs; got {wish.steps} and {wish.epochs}. Give one of them."
        raise InputError(msg)
    recipe = RECIPES[wish.recipe]
    given = {"batch": wish.batch, "views": wish.views, "lr": wish.lr, "epochs": wish.epochs}
    for name, value in {**given, "steps": wish.steps}.items():
        if value is not None and value <= 0:
            msg = f"{name} must be positive; got {value}. Change it."
            raise InputError(msg)
    recipe = replace(recipe, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    config = PRESETS[wish.preset]
    if wish.batch is None:
        recipe = replace(recipe, batch=max(2, min(recipe.batch, n_train // recipe.least_steps)))
    if wish.lr is None and recipe.lr_width is not None:
        recipe = replace(recipe, lr=recipe.lr * recipe.lr_width / config.width)
    recipe = replace(recipe, batch=min(recipe.batch, n_train))
    steps = wish.steps if wish.steps is not None else math.ceil(recipe.epochs * n_train / recipe.batch)
    auto: Precision = "bfloat16" if device.type == "cuda" else "float32"
    precision = {"auto": auto, "float32": "float32", "bfloat16": "bfloat16"}.get(wish.precision)
    if precision is None:
        msg = f"precision must be auto, float32 or bfloat16; got {wish.precision!r}. Choose one."
        raise InputError(msg)
    return Plan(config, recipe, steps, wish.seed, "bfloat16" if precision == "bfloat16" else "float32")


def _train(
    training: Training, data: TrainingData, *, log: list[list[float]], out: Path, ranks: Ranks, progress: Progress,
    tell: Tell,
) -> None:  # fmt: skip
    """Do the steps that are left; at each fiftieth, check and save."""
    plan, read = training.plan, feed(data, training.device)
    every, share = math.ceil(plan.n_steps / ROWS), plan.recipe.batch // training.n_ranks
    mine = slice(training.rank * share, (training.rank + 1) * share)
    losses: list[torch.Tensor] = []

    def check(loss: float) -> None:
        log.append(_check(training, loss, read, data.held_out))
        _require_number(log[-1][COLUMNS.index("held_out_loss")], training.step)
        tell(dict(zip(COLUMNS, log[-1], strict=True)))
        _save(training, log, out)

    if ranks.rank == 0 and not log:
        check(math.nan)
    while training.step < plan.n_steps:
        rows = batch_rows(training.step, n=len(data.train), batch=plan.recipe.batch, seed=plan.seed)[mine]
        losses.append(train_step(training, read(data.train[rows])))
        progress("training", training.step, plan.n_steps)
        if training.step % every and training.step < plan.n_steps:
            continue
        loss = float(ranks.mean(torch.stack(losses).mean()))
        losses.clear()
        _require_number(loss, training.step)
        if ranks.rank == 0:
            check(loss)


def _check(training: Training, loss: float, read: Read, held_out: NDArray[np.int64]) -> list[float]:
    """Give a row of the log."""
    rows, size = held_out[:CHECKED], max(2, min(training.plan.recipe.batch, 128))
    pieces = np.array_split(rows, max(1, math.ceil(len(rows) / size)))
    held_out_loss, spread = check_training(training, (read(piece) for piece in pieces))
    last, plan = max(0, training.step - 1), training.plan
    rate = learning_rate(last, n_steps=plan.n_steps, recipe=plan.recipe)
    momentum = teacher_momentum(last, n_steps=plan.n_steps, recipe=plan.recipe)
    return [training.step, loss, held_out_loss, spread.std, spread.effective_rank, rate, momentum]


def _require_number(loss: float, step: int) -> None:
    """End a training that has left all bounds, before its checkpoint is written."""
    if not math.isfinite(loss):
        msg = f"a loss must be a number; got {loss} at step {step}. Train with a lower --lr, or float32."
        raise InputError(msg)


def _named(known: dict[str, Any], name: str, what: str) -> Any:  # noqa: ANN401 - whatever is known
    if name not in known:
        msg = f"{what} must be one of {', '.join(known)}; got {name!r}. Choose one."
        raise InputError(msg)
    return known[name]


def _check_folder(archive: Path, out: Path, wish: Wish) -> None:
    """Refuse a folder that holds something else, before any work is done for it."""
    if not (out / "plan.json").is_file():
        others = {p.name for p in out.iterdir()} - {"data", ".data.unfinished"} if out.is_dir() else set()
        if others:
            msg = f"out must be a new or empty folder, or one of a pre-training; got {str(out)!r} with "
            msg += f"{min(others)}. Choose another."
            raise InputError(msg)
        return
    given = read_json(out / "plan.json")
    asked = {"archive": str(archive.absolute()), "preset": asdict(PRESETS[wish.preset]), "seed": wish.seed}
    _compare(given, {**given, **asked}, out)


def _describe(archive: Path, plan: Plan, data: TrainingData) -> dict[str, Any]:
    """Put down all that a result depends on, as JSON has it."""
    said = {
        "format": FORMAT, "archive": str(archive.absolute()), "data": data.sha256, "preset": asdict(plan.config),
        "recipe": asdict(plan.recipe), "steps": plan.n_steps, "seed": plan.seed, "precision": plan.precision,
        "held_out": HELD_OUT, "rows": ROWS,
    }  # fmt: skip
    whole: dict[str, Any] = json.loads(json.dumps(said))
    return whole


def _claim(out: Path, said: dict[str, Any]) -> None:
    """Begin a training in a folder, or find that it is the one that was begun there."""
    if (out / "plan.json").is_file():
        _compare(read_json(out / "plan.json"), said, out)
    else:
        write_json(said, out / "plan.json")


def _compare(given: dict[str, Any], asked: dict[str, Any], out: Path) -> None:
    differing = sorted(key for key in given.keys() | asked.keys() if given.get(key) != asked.get(key))
    if differing:
        first = differing[0]
        msg = f"a folder must be of the training that is asked for; got another {', '.join(differing)} in {str(out)!r} "
        msg += f"({first}: {given.get(first)} there, {asked.get(first)} asked for). Choose another folder."
        raise InputError(msg)


def _save(training: Training, log: list[list[float]], out: Path) -> None:
    """Write the checkpoint, and then what it says as table and drawing."""
    state = {**snapshot(training), "log": torch.tensor(log, dtype=torch.float64)}
    write_bytes(safetensors.torch.save(state), out / CHECKPOINT)
    table = _table(log)
    write_table(table, out / "training.csv")
    write_text(draw_training(table), out / "training.svg")


def _take_up(training: Training, out: Path) -> list[list[float]]:
    """Restore the last checkpoint, if there is one, and give its log."""
    if not (out / CHECKPOINT).is_file():
        return []
    try:
        state = safetensors.torch.load_file(out / CHECKPOINT)
        log: list[list[float]] = state.pop("log").tolist()
    except (SafetensorError, KeyError) as error:
        msg = f"a checkpoint must be whole; got {error} in {str(out / CHECKPOINT)!r}. Remove it to begin anew."
        raise InputError(msg) from error
    restore(training, state)
    return log


def _publish(training: Training, data: TrainingData, out: Path) -> None:
    """Write the encoder, which says how it came about."""
    plan = training.plan
    about = {
        "recipe": asdict(plan.recipe), "steps": plan.n_steps, "seed": plan.seed, "precision": plan.precision,
        "n_train": len(data.train), "n_held_out": len(data.held_out), "data_sha256": data.sha256,
    }  # fmt: skip
    save_encoder(training.objective.encoder, out / "encoder.safetensors", about=about)


def _table(log: list[list[float]]) -> pl.DataFrame:
    schema = dict.fromkeys(COLUMNS, pl.Float64)
    return pl.DataFrame(log, schema=schema, orient="row").with_columns(
        pl.col("step").cast(pl.Int64), pl.col("loss").fill_nan(None)
    )
