"""Embed an archive of recordings: in shards, on several processes or machines, resumable after a kill."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from twelvelead.io import Found, find_recordings, open_found, sha256, sink_table
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.tables import require_table_name, write_table
from twelvelead.study.embedded import MADE
from twelvelead.study.fingerprint import fingerprint
from twelvelead.study.pool import run_tasks
from twelvelead.study.progress import Progress, silent
from twelvelead.study.refusal import refusing, take_unique
from twelvelead.terms import FAILURES, Reason

if TYPE_CHECKING:  # to import an encoder takes seconds, and needs an extra
    from twelvelead.encode.embed import Embedder, Pool

SHARD = 64  # recordings: some seconds of work, and all that a killed run has lost of each worker
SPARE_S = 1.0  # read of a long recording beyond what the encoder takes, for the resampling filter


@dataclass(frozen=True)
class Embedding:
    """What is wanted of recordings.

    Parameters
    ----------
    checkpoint : Path
        The encoder's file.
    digest : str
        Its SHA-256, by which work is known again.
    pool : {"mean", "leads"}
        As in `encode.embed.embed`.
    only : tuple of str or None
        Leads to be used.
    declared : Declaration
        What signal tables don't say of themselves.
    device : str
        Where it is computed.
    """

    checkpoint: Path
    digest: str
    pool: "Pool" = "mean"
    only: tuple[str, ...] | None = None
    declared: Declaration = UNDECLARED
    device: str = "cpu"

    @property
    def made(self) -> dict[str, Any]:
        """What a table says of how it was made: embeddings that differ in any of it can't be compared."""
        return {"encoder": self.digest, "pool": self.pool, "leads": None if self.only is None else list(self.only)}


@dataclass(frozen=True)
class EmbeddingShard:
    """Recordings that are embedded in one go, and where their tables are written."""

    recordings: tuple[Found, ...]
    wanted: Embedding
    stem: Path

    def path(self, table: str) -> Path:
        """File of one of the tables."""
        return self.stem.with_name(f"{self.stem.name}.{table}.parquet")

    @property
    def is_done(self) -> bool:
        """Whether it was embedded: its embeddings are written last."""
        return self.path("embeddings").is_file()


@dataclass(frozen=True)
class Embedded:
    """What came of an archive. The table stays in the shards' files until it is asked for.

    Parameters
    ----------
    shards : tuple of EmbeddingShard
        All done.
    failures : DataFrame keeping `terms.FAILURES`
        The recordings that could not be embedded.
    n_embedded : int
        How many could.
    """

    shards: tuple[EmbeddingShard, ...]
    failures: pl.DataFrame
    n_embedded: int

    def scan(self) -> pl.LazyFrame:
        """Give recording_id and the columns `embedding_…` (Float32), by recording_id, without reading them."""
        return pl.scan_parquet([shard.path("embeddings") for shard in self.shards])


def embed_archive(
    recordings: Sequence[Found],
    wanted: Embedding,
    *,
    work: Path,
    workers: int | str = 1,
    progress: Progress = silent,
) -> Embedded:
    """Embed recordings, each as if it were alone.

    Parameters
    ----------
    recordings : sequence of Found
        What `io.find_recordings` found, or a database's cohort names.
    wanted : Embedding
        By which encoder, and how.
    work : Path
        Folder for the shards. Shards of the same files, embedded by the same encoder and version, are taken from it.
    workers : int or str
        Processes of this machine, or `dask=ADDRESS` of a Dask cluster. The table doesn't depend on it.
    progress : Progress
        Told after each shard.

    Raises
    ------
    InputError
        If the checkpoint is of no known encoder, or leads or pool don't suit it.
    """
    from twelvelead.encode.cut import choose_leads
    from twelvelead.encode.embed import require_pool

    embedder = _load(wanted.checkpoint, wanted.digest, wanted.device)  # a wrong file is refused before the work
    require_pool(embedder, wanted.pool)
    choose_leads(embedder.takes, wanted.only)
    unique, repeated = take_unique(recordings)
    work.mkdir(parents=True, exist_ok=True)
    shards = []
    for start in range(0, len(unique), SHARD):
        part = tuple(unique[start : start + SHARD])
        name = f"{start // SHARD:06d}-{fingerprint(part, wanted)[:16]}"
        shards.append(EmbeddingShard(part, wanted, work.absolute() / name))
    run_tasks(
        embed_shard, [shard for shard in shards if not shard.is_done], workers=workers, stage="embedding",
        progress=progress, size=lambda shard: len(shard.recordings), needs=_needs,
    )  # fmt: skip
    refused = [pl.read_parquet(path) for shard in shards if (path := shard.path("failures")).is_file()]
    twice = [{"recording_id": n, "reason": Reason.DUPLICATE.value, "message": m} for n, m in repeated.items()]
    failures = pl.concat([FAILURES.empty(), *refused, FAILURES.select(twice)]).sort("recording_id", "reason")
    return Embedded(tuple(shards), FAILURES.check(failures), len(unique) - sum(table.height for table in refused))


def embed_shard(shard: EmbeddingShard) -> None:
    """Embed one shard and write its tables; that of the embeddings comes last, and says that it is done."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums of more threads may differ in the last bit
    try:
        _embed_each(shard)
    finally:
        torch.set_num_threads(threads)


def _embed_each(shard: EmbeddingShard) -> None:
    from twelvelead.encode.embed import columns

    wanted = shard.wanted
    embedder = _load(wanted.checkpoint, wanted.digest, wanted.device)
    names = columns(embedder, pool=wanted.pool)
    ids, rows = [], []
    refused: list[dict[str, str]] = []
    for found in shard.recordings:
        with refusing(found, refused, doing="embed"):
            rows.append(_embed_one(found, wanted, embedder))
            ids.append(found.recording_id)
    if refused:
        _write(FAILURES.select(refused), shard.path("failures"))
    values = np.array(rows, dtype=np.float32).reshape(len(rows), len(names))
    table = pl.DataFrame(values, schema=dict.fromkeys(names, pl.Float32), orient="row", nan_to_null=True)
    _write(table.insert_column(0, pl.Series("recording_id", ids, dtype=pl.String)), shard.path("embeddings"))


def embed_files(  # noqa: PLR0913 - one for each flag of the command
    paths: Sequence[Path],
    *,
    checkpoint: Path,
    out: Path,
    failures: Path | None = None,
    pool: "Pool" = "mean",
    only: Sequence[str] | None = None,
    workers: int | str = 1,
    device: str = "cpu",
    declared: Declaration = UNDECLARED,
    progress: Progress = silent,
) -> tuple[int, pl.DataFrame]:
    """Embed all recordings found under `paths`, and write the table.

    A killed run leaves its finished shards beside `out`; the same command takes them up, and removes them at the end.
    Memory does not grow with the number of recordings, but for their names.

    Parameters
    ----------
    paths : sequence of Path
        Recordings, and folders that are searched.
    checkpoint : Path
        The encoder's file.
    out, failures : Path
        Tables to be written, .parquet or .csv; the second where it is asked for.
    pool, only, device, declared
        As `Embedding` has them.
    workers : int or str
        Processes of this machine, or `dask=ADDRESS` of a Dask cluster.
    progress : Progress
        Told how far the embedding has come.

    Returns
    -------
    n_embedded : int
        Recordings that were embedded.
    failures : DataFrame keeping `terms.FAILURES`
        Those that were not.

    Raises
    ------
    InputError
        If a path is not there, no recording is found, a table's name has another suffix, or the checkpoint is of no
        known encoder.
    MissingExtra
        If PyTorch is not installed.
    """
    for path in (out, failures):
        if path is not None:
            require_table_name(path)
    work = out.with_name(f".{out.name}.unfinished")
    wanted = Embedding(
        checkpoint.absolute(), sha256(checkpoint), pool=pool, only=None if only is None else tuple(only),
        declared=declared, device=device,
    )  # fmt: skip
    done = embed_archive(find_recordings(paths), wanted, work=work, workers=workers, progress=progress)
    if failures is not None:
        write_table(done.failures, failures)
    sink_table(done.scan(), out, about={MADE: wanted.made})
    shutil.rmtree(work)
    return done.n_embedded, done.failures


def _embed_one(found: Found, wanted: Embedding, embedder: "Embedder") -> np.ndarray:
    from twelvelead.encode.embed import embed

    source = open_found(found, wanted.declared)
    enough = int((embedder.takes.seconds + SPARE_S) * source.fs) + 1
    recording = source.read() if source.n_samples <= enough else source.span(0, enough)
    return embed(recording, embedder, pool=wanted.pool, only=wanted.only, device=wanted.device)


@lru_cache(maxsize=1)
def _load(checkpoint: Path, digest: str, device: str) -> "Embedder":
    """Load the encoder, once for each process."""
    from twelvelead.encode.registry import load_embedder

    return load_embedder(checkpoint, sha256=digest, device=device)


def _needs(shard: EmbeddingShard) -> list[str]:
    """Find the files that are there to see for whoever embeds a shard."""
    files = (os.fspath(found.file) for found in shard.recordings)
    there = [file for file in files if Path(file).is_file()]
    return [str(shard.stem.parent), str(shard.wanted.checkpoint), *there]


def _write(table: pl.DataFrame, path: Path) -> None:
    sink_table(table.lazy(), path, durable=False)  # what a loss of power takes can be made again
