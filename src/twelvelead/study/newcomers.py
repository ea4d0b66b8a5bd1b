"""What a finished study's models have to know of new recordings: measurements, embeddings, or both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from twelvelead.io import Found
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.io.tables import read_json, sha256
from twelvelead.measure import features_contract
from twelvelead.predict import EMBEDDING, block_of
from twelvelead.study.archive import measure_archive
from twelvelead.study.declaration import Study
from twelvelead.study.embedded import (
    Embeddings,
    list_lacking,
    match_embeddings,
    read_embeddings,
    require_alike,
    require_columns,
    require_embedding,
)
from twelvelead.study.embedding import Embedding, embed_archive
from twelvelead.study.progress import Progress, silent
from twelvelead.study.refusal import take_unique
from twelvelead.study.shard import Wanted
from twelvelead.terms import FAILURES, InputError, Reason


@dataclass(frozen=True)
class Reading:
    """How new recordings are read, and where their embeddings come from if the models know such.

    Parameters
    ----------
    work : Path
        Folder for shards.
    workers : int
        Processes.
    declared : Declaration
        For signal tables that don't say.
    progress : Progress
        Told how far the work has come.
    embeddings : Path or None
        A table that `twelvelead embed` wrote.
    checkpoint : Path or None
        The encoder, by which embeddings are made, instead of a table.
    """

    work: Path
    workers: int = 1
    declared: Declaration = UNDECLARED
    progress: Progress = silent
    embeddings: Path | None = None
    checkpoint: Path | None = None


class Newcomers(NamedTuple):
    """What is known of new recordings: a row each, recording_id first; and `terms.FAILURES` of those left out."""

    features: pl.DataFrame
    failures: pl.DataFrame


def gather_newcomers(study: Study, recordings: Sequence[Found], reading: Reading, *, folder: Path) -> Newcomers:
    """Measure new recordings, and embed them or look their embeddings up, as a study's models need it.

    Parameters
    ----------
    study : Study
        The declaration.
    recordings : sequence of Found
        What `io.find_recordings` found.
    reading : Reading
        How.
    folder : Path
        The study's output folder.

    Raises
    ------
    InputError
        If embeddings are needed and not given, or the other way about, or the table or encoder can't be read.
    StudyError
        If embeddings are not like those that the models were fitted on.
    """
    _require_source(study, reading)
    given = None if reading.embeddings is None else _like_those(folder, read_embeddings(reading.embeddings))
    known = _measure(recordings, reading) if study.predictors.measured else _list(recordings)
    refused = None
    if reading.checkpoint is not None:
        embeddings, refused = _embed(recordings, reading, folder=folder, checkpoint=reading.checkpoint)
        given = _like_those(folder, embeddings)
    if given is None:
        return known
    ids = known.features["recording_id"]
    matched = match_embeddings(given, ids)
    if refused is None:
        require_embedding(matched, ids, given)
        refused = list_lacking(matched, ids, given)
    features = known.features.join(matched, on="recording_id", how="inner", validate="1:1", maintain_order="left")
    lacking = refused.join(ids.to_frame(), on="recording_id", how="semi")  # of others it is said already
    return Newcomers(features, pl.concat([known.failures, lacking]).sort("recording_id", "reason"))


def made_by(folder: Path) -> dict[str, Any]:
    """Say how the embeddings were made that a study's models were fitted on; empty where that is not known."""
    path = folder / "manifest.json"
    inputs = read_json(path).get("inputs", {}) if path.is_file() else {}
    found = inputs.get("internal", {}).get("embeddings", {})
    return dict(found) if isinstance(found, dict) else {}


def _require_source(study: Study, reading: Reading) -> None:
    """Refuse too little, or too much."""
    given = [path for path in (reading.embeddings, reading.checkpoint) if path is not None]
    if study.predictors.embedded and len(given) != 1:
        msg = f"the models of {study.name} know embeddings, which need one source; got {len(given)}. "
        raise InputError(msg + "Give --embeddings (a table of `twelvelead embed`) or --checkpoint (the encoder).")
    if not study.predictors.embedded and given:
        msg = f"the models of {study.name} know no embeddings; got {str(given[0])!r}. Leave it out."
        raise InputError(msg)


def _like_those(folder: Path, given: Embeddings) -> Embeddings:
    """Refuse embeddings that are not like those that the models were fitted on."""
    require_alike(made_by(folder), given.made, where=given.name)
    for card in sorted((folder / "models").glob("*/*/card.json")):
        known = tuple(name for name in read_json(card)["features"] if block_of(name) == EMBEDDING)
        if known:
            require_columns(known, given)
            break
    return given


def _measure(recordings: Sequence[Found], reading: Reading) -> Newcomers:
    measured = measure_archive(
        recordings, work=reading.work, workers=reading.workers, wanted=Wanted(reading.declared, fiducials=False),
        progress=reading.progress,
    )  # fmt: skip
    return Newcomers(features_contract().check(measured.features), measured.failures)


def _list(recordings: Sequence[Found]) -> Newcomers:
    """List recordings, of which nothing is measured."""
    unique, repeated = take_unique(recordings)
    twice = [{"recording_id": n, "reason": Reason.DUPLICATE.value, "message": m} for n, m in repeated.items()]
    ids = pl.DataFrame({"recording_id": [found.recording_id for found in unique]}, schema={"recording_id": pl.String})
    return Newcomers(ids, FAILURES.select(twice))


def _embed(
    recordings: Sequence[Found], reading: Reading, *, folder: Path, checkpoint: Path
) -> tuple[Embeddings, pl.DataFrame]:
    """Embed recordings as those were that the models know; also returns those that could not be embedded."""
    made = made_by(folder)
    leads = made.get("leads")
    wanted = Embedding(
        checkpoint.absolute(), sha256(checkpoint), pool=made.get("pool", "mean"),
        only=None if leads is None else tuple(leads), declared=reading.declared,
    )  # fmt: skip
    done = embed_archive(
        recordings, wanted, work=reading.work / "embeddings", workers=reading.workers, progress=reading.progress
    )
    return Embeddings(checkpoint.name, wanted.digest, wanted.made, done.scan().collect()), done.failures
