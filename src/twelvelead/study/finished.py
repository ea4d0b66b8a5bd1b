"""What a finished study left in its folder, as its application elsewhere needs it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.cohort import Outcome
from twelvelead.io import read_model
from twelvelead.study.application import read_study
from twelvelead.study.declaration import Study
from twelvelead.study.fitting import ECG_ONLY, FULL, predictors_of
from twelvelead.study.nested_declaration import NestedStudy
from twelvelead.study.sample import DEMOGRAPHICS
from twelvelead.study.transport import Side
from twelvelead.terms import InputError


@dataclass(frozen=True)
class Finished:
    """A finished study.

    Parameters
    ----------
    folder : Path
        Where it lies.
    study : Study
        Its declaration, families expanded.
    modelled : tuple of Outcome
        The targets that have models.
    ecg : tuple of str
        Names of the measurements and columns of embeddings among the predictors.
    """

    folder: Path
    study: Study
    modelled: tuple[Outcome, ...]
    ecg: tuple[str, ...]

    @property
    def declared(self) -> tuple[Outcome, ...]:
        """The targets that have models: what an external sample is asked about."""
        return self.modelled

    @property
    def models(self) -> dict[str, tuple[str, ...]]:
        """Names of the models, and the predictors that each may know."""
        return predictors_of(self.study.predictors, self.ecg)

    def place(self, target: str, model: str) -> Path:
        """Where a model lies."""
        return self.folder / "models" / target / model

    def read(self, name: str, target: str) -> pl.DataFrame:
        """Read the full model's rows of one target from a table of the study, internal ones if it has sets."""
        rows = pl.scan_parquet(self.folder / f"{name}.parquet").filter(target=target, model=FULL)
        if "set" in rows.collect_schema():
            rows = rows.filter(pl.col("set") == "internal")
        return rows.collect(engine="streaming")


def open_study(folder: Path) -> Finished:
    """Open the folder of a finished study.

    Raises
    ------
    InputError
        If it is none, keeps no model, or is one that compares nested models.
    FormatError
        If a file of a model is not what its card says.
    """
    study = read_study(folder)
    if isinstance(study, NestedStudy):
        msg = f"external validation needs a study of single models; got {study.name}, which compares nested ones. "
        raise InputError(msg + "Declare its other database as [external].")
    modelled = tuple(t for t in study.targets if (folder / "models" / t.name / FULL).is_dir())
    if not modelled:
        msg = f"a finished study must keep its models; got none in {str(folder / 'models')!r}. Run the study first."
        raise InputError(msg)
    _, card = read_model(folder / "models" / modelled[0].name / ECG_ONLY)
    return Finished(folder, study, modelled, tuple(card["features"]))


def side_of_study(finished: Finished) -> Side:
    """Give the development side of a comparison from the tables of a study's folder.

    Returns
    -------
    Side
        Of all recordings that were measured; outcomes are known of those that were held out. Age and sex come from the
        table `people`; other columns of the database are not kept, and are missing here.
    """
    folder, study = finished.folder, finished.study
    folds = pl.read_parquet(folder / "folds.parquet").select("recording_id", "patient_id").sort("recording_id")
    there = pl.scan_parquet(folder / "features.parquet").collect_schema().names()
    columns = [name for name in finished.ecg if name in there]
    features = pl.scan_parquet(folder / "features.parquet").select("recording_id", *columns)
    table = folds.lazy().select("recording_id").join(features, on="recording_id", how="left", maintain_order="left")
    predictors = table.collect(engine="streaming")
    if (folder / "people.parquet").is_file():
        people = pl.read_parquet(folder / "people.parquet").filter(pl.col("set") == "internal")
        demographics = [DEMOGRAPHICS[name].alias(name) for name in study.predictors.demographics]
        predictors = predictors.join(
            people.select("recording_id", *demographics), on="recording_id", how="left", maintain_order="left"
        )
    ids = predictors.select("recording_id")

    def outcome(target: str) -> NDArray[np.int8]:
        known = finished.read("predictions", target).select("recording_id", "y")
        y = ids.join(known, on="recording_id", how="left", maintain_order="left")["y"]
        return y.fill_null(-1).cast(pl.Int8).to_numpy()

    numbers = predictors.with_columns(pl.exclude("recording_id").cast(pl.Float32))
    return Side(numbers, folds["patient_id"], outcome)
