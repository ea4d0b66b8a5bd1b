"""Commands for embeddings: make them, and find out what can be read off them."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from twelvelead.app.recordings import declare
from twelvelead.app.shell import BAD_INPUT, OK, PARTLY, PROCESSES, Fs, Leads, Out, Units, Workers, app
from twelvelead.app.show import Display

Checkpoint = Annotated[
    Path, Parameter(help="The encoder: *.safetensors of `twelvelead pretrain`, or a published file as it is.")
]
Device = Annotated[str, Parameter(help="cpu, or cuda where there is one.")]


@app.command
def embed(  # noqa: PLR0913 - one for each flag
    *paths: Path,
    checkpoint: Checkpoint,
    out: Out,
    pool: Literal["mean", "leads"] = "mean",
    use_leads: str | None = None,
    failures: Path | None = None,
    workers: Workers = PROCESSES,
    device: Device = "cpu",
    scheduler: str | None = None,
    fs: Fs = None,
    leads: Leads = None,
    units: Units = None,
) -> int:
    """Embed recordings: a column of numbers each, by an encoder that was trained before.

    Parameters
    ----------
    paths
        Recordings, or folders that are searched for readable ones.
    pool
        One vector of a recording, or one of each lead.
    use_leads
        Leads to be used, separated by commas, as in I,II,V1; by default all that are there and the encoder knows.
    failures
        Table of the recordings that could not be embedded, and why.
    scheduler
        A Dask cluster that embeds instead of processes here, as in dask=tcp://10.0.0.1:8786.
    """
    from twelvelead.study.embedding import embed_files

    declared = declare(fs, leads, units)
    only = None if use_leads is None else [lead.strip() for lead in use_leads.split(",")]
    with Display() as display:
        n, refused = embed_files(
            paths, checkpoint=checkpoint, out=out, failures=failures, pool=pool, only=only,
            workers=scheduler or workers, device=device, declared=declared, progress=display.progress,
        )  # fmt: skip
    display.note(f"{n} recording(s) embedded, {refused.height} refused: {out}")
    return display.failures(refused, partly=PARTLY if n else BAD_INPUT)


@app.command
def probe(  # noqa: PLR0913 - one for each flag
    data: Path,
    *,
    checkpoint: Checkpoint,
    out: Out,
    ways: Annotated[str, Parameter(help="Of linear, low_shot and fine_tune, separated by commas.")] = "linear,low_shot",
    held_out: Literal["each", "last"] = "each",
    resamples: int = 1000,
    seed: int = 0,
    workers: Workers = PROCESSES,
) -> int:
    """Find out what can be read off an encoder's embeddings, beside those of one that was never trained.

    Parameters
    ----------
    data
        Folder of PTB-XL.
    out
        The table of figures (.parquet or .csv).
    held_out
        Whether each fold is predicted by the others, or only the last, as most publications do.
    resamples
        Bootstrap resamples of patients.
    seed
        Of the resamples, the untrained encoder, and what is drawn for low-shot.
    """
    from twelvelead.app.show import align
    from twelvelead.study.probing import ProbePlan, print_rows, probe_database

    plan = ProbePlan(
        ways=tuple(way.strip() for way in ways.split(",")), held_out=held_out, n_resamples=resamples, seed=seed
    )
    with Display() as display:
        table = probe_database(
            data, checkpoint=checkpoint, out=out, plan=plan, workers=workers, progress=display.progress
        )
    sys.stdout.write(align(print_rows(table)))
    display.note(f"All figures are in {out}.")
    return OK
