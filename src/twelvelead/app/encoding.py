"""The command that pre-trains encoders."""

import math
from pathlib import Path
from typing import Literal

from twelvelead.app.recordings import declare
from twelvelead.app.shell import OK, PARTLY, PROCESSES, Fs, Leads, Out, Units, Workers, app
from twelvelead.app.show import Display


@app.command
def pretrain(  # noqa: PLR0913 - one for each flag
    archive: Path,
    *,
    out: Out,
    preset: Literal["tiny", "small", "base"] = "small",
    recipe: Literal["sound", "paper", "paper-random"] = "sound",
    steps: int | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    views: int | None = None,
    lr: float | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    compile: bool = False,  # noqa: A002 - the flag's name
    workers: Workers = PROCESSES,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Pre-train an encoder on recordings without labels; a killed run goes on where it was.

    Several GPUs: torchrun --nproc-per-node N -m twelvelead.app.cli pretrain …

    Parameters
    ----------
    archive
        A folder of recordings in any format, or of shards.
    out
        Folder for the encoder, the table and drawing of its training, and all that is needed to go on.
    preset
        Shape of the encoder: base is the published one.
    recipe
        How it is trained: as the released code of ECG-JEPA does (paper, paper-random), or mended (sound).
    steps
        How often the encoder is changed; by default what the recipe's epochs come to.
    epochs
        Passes over all recordings, instead.
    batch
        Recordings per step.
    views
        Masks per recording and step.
    lr
        Highest learning rate.
    seed
        Of everything random.
    device
        auto, cpu, cuda, or as torch names it.
    precision
        auto: bfloat16 on a GPU, float32 elsewhere. With small and base, bfloat16 is about 1.6 times as fast on
        processors that have it.
    compile
        Have torch compile the model first.
    """
    from twelvelead.study import Wish, pretrain_archive

    wish = Wish(preset, recipe, steps, epochs, batch, views, lr, seed, precision)
    with Display() as display:

        def tell(row: dict[str, float]) -> None:
            loss = "" if math.isnan(row["loss"]) else f"loss {row['loss']:.4f}  "
            display.note(
                f"step {row['step']:.0f}  {loss}held out {row['held_out_loss']:.4f}  "
                f"spread {row['embedding_std']:.3g}  effective rank {row['effective_rank']:.1f}"
            )

        done = pretrain_archive(
            archive, out=out, wish=wish, device=device, compiled=compile, workers=workers,
            declared=declare(fs, leads, units), progress=display.progress, tell=tell,
        )  # fmt: skip
    display.note(f"{done.n_train} recording(s) trained on, {done.n_held_out} held out, {done.failures.height} refused.")
    if not done.by_patient:
        display.note("It is not known of every recording whose it is: a patient may be on both sides.")
    display.note(f"The encoder is {done.encoder}; how it went: {out / 'training.svg'}")
    return display.failures(done.failures, partly=PARTLY) or OK
