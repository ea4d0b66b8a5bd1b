"""Apply a finished study's models to new recordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from twelvelead.io import Found, read_model, read_table
from twelvelead.io.databases import ptbxl
from twelvelead.io.formats import Declaration
from twelvelead.io.formats.scale import UNDECLARED
from twelvelead.measure import features_contract
from twelvelead.predict import explain, from_parts, top_reasons
from twelvelead.study.archive import measure_archive
from twelvelead.study.declaration import Study
from twelvelead.study.fitting import FULL
from twelvelead.study.progress import Progress, silent
from twelvelead.study.sample import join_predictors
from twelvelead.study.shard import Wanted
from twelvelead.study.studies import parse_json
from twelvelead.terms import RISKS, InputError

ECG_ONLY = "ecg"


@dataclass(frozen=True)
class Applied:
    """Risks of new recordings.

    Parameters
    ----------
    risks : DataFrame keeping `terms.RISKS`
        One row per recording and target.
    failures : DataFrame keeping `terms.FAILURES`
        Recordings that could not be measured.
    model : str
        The set of predictors that was used.
    n_without_demographics : int
        Recordings of which neither age nor sex is known; their risk uses the ECG alone through the model's own
        treatment of missing values.
    """

    risks: pl.DataFrame
    failures: pl.DataFrame
    model: str
    n_without_demographics: int


def apply_study(
    folder: Path,
    recordings: Sequence[Found],
    *,
    demographics: pl.DataFrame | None,
    work: Path,
    workers: int = 1,
    declared: Declaration = UNDECLARED,
    progress: Progress = silent,
) -> Applied:
    """Predict every target of a study for new recordings, with the three strongest reasons.

    Parameters
    ----------
    folder : Path
        The study's output folder.
    recordings : sequence of Found
        What `io.find_recordings` found.
    demographics : DataFrame or None
        recording_id, age_years, sex, as `read_demographics` gives them. Without it the ECG-only models are used.
    work : Path
        Folder for measured shards.
    workers : int
        Processes.
    declared : Declaration
        For signal tables that don't say.
    progress : Progress
        Told how far the measuring has come.

    Raises
    ------
    InputError
        If the folder is no finished study.
    """
    study = _read_study(folder)
    wanted = Wanted(declared, fiducials=False)
    measured = measure_archive(recordings, work=work, workers=workers, wanted=wanted, progress=progress)
    ids = measured.features.select("recording_id")
    model = ECG_ONLY if demographics is None else FULL
    people = ids.with_columns(age_years=pl.lit(None, pl.Float64), sex=pl.lit(None, pl.String))
    if demographics is not None:
        people = match_demographics(ids["recording_id"], demographics)
    table = join_predictors(features_contract().check(measured.features), people, study.predictors)
    risks = [RISKS.empty()]
    for target in study.targets:
        kept = folder / "models" / target.name / model
        if not kept.is_dir() or table.is_empty():  # a target that the study refused has no model
            continue
        estimator = from_parts(*read_model(kept))
        x = table.select(list(estimator.feature_names_in_))
        reasons = explain(estimator, x, recording_ids=table["recording_id"].to_list())
        p = pl.Series(estimator.predict_proba(x)[:, 1], dtype=pl.Float64)
        rows = table.select("recording_id", target=pl.lit(target.name)).with_columns(p=p)
        risks.append(rows.join(top_reasons(reasons), on="recording_id", how="left", validate="1:1"))
    return Applied(
        risks=RISKS.check(pl.concat([r.select(list(RISKS.schema)) for r in risks]).sort("recording_id", "target")),
        failures=measured.failures,
        model=model,
        n_without_demographics=people.filter(pl.col("age_years").is_null() & pl.col("sex").is_null()).height,
    )


def read_demographics(path: Path) -> pl.DataFrame:
    """Read age and sex by recording: a table with recording_id, age_years and sex, or a database's own table.

    Returns
    -------
    DataFrame with columns recording_id (String), age_years (Float64, null unknown), sex (`female`, `male` or null)

    Raises
    ------
    InputError
        If the table is neither.
    """
    table = read_table(path)
    if {"filename_hr", "age", "sex"} <= set(table.columns):
        return ptbxl.demographics(table).select("recording_id", "age_years", "sex")
    if {"recording_id", "age_years", "sex"} <= set(table.columns):
        return table.select(
            pl.col("recording_id").cast(pl.String),
            pl.col("age_years").cast(pl.Float64, strict=False),
            pl.col("sex").cast(pl.String).str.to_lowercase(),
        )
    msg = (
        f"demographics must have the columns recording_id, age_years and sex, or be PTB-XL's table; got "
        f"{', '.join(table.columns[:12])} in {str(path)!r}. Rename the columns."
    )
    raise InputError(msg)


def match_demographics(ids: pl.Series, demographics: pl.DataFrame) -> pl.DataFrame:
    """Find each recording's age and sex by its id, or where that fails by the last part of its path.

    Parameters
    ----------
    ids : Series of str
        Recording ids, unique.
    demographics : DataFrame
        From `read_demographics`.

    Returns
    -------
    DataFrame with columns recording_id, age_years, sex, in the order of `ids`

    Raises
    ------
    InputError
        If one recording has two rows.

    Examples
    --------
    >>> table = pl.DataFrame({"recording_id": ["records500/00000/00001_hr"], "age_years": [56.0], "sex": ["female"]})
    >>> match_demographics(pl.Series(["00000/00001_hr"]), table)["age_years"].to_list()
    [56.0]
    """
    wanted = pl.DataFrame({"recording_id": ids}).with_columns(_last=pl.col("recording_id").str.split("/").list.last())
    by_id = demographics.unique(maintain_order=True)
    by_last = by_id.with_columns(_last=pl.col("recording_id").str.split("/").list.last())
    by_last = by_last.filter(pl.col("_last").is_unique()).drop("recording_id")
    twice = by_id.filter(pl.col("recording_id").is_duplicated())
    if twice.height:
        msg = (
            f"demographics must have one row per recording; got several for {twice['recording_id'][0]!r}. "
            "Remove all but one."
        )
        raise InputError(msg)
    exact = wanted.join(by_id, on="recording_id", how="left", validate="1:1", maintain_order="left")
    loose = wanted.join(by_last, on="_last", how="left", maintain_order="left")
    known = exact["recording_id"].is_in(by_id["recording_id"].implode())
    return exact.select(
        "recording_id",
        age_years=pl.when(known).then("age_years").otherwise(loose["age_years"]),
        sex=pl.when(known).then("sex").otherwise(loose["sex"]),
    )


def _read_study(folder: Path) -> Study:
    path = folder / "study.json"
    if not path.is_file():
        msg = (
            f"{str(folder)!r} must be the folder of a finished study; got one without study.json. Run the study first."
        )
        raise InputError(msg)
    return parse_json(path.read_text(encoding="utf-8"), name=str(path))
