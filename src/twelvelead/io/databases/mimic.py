"""MIMIC-IV with its companions: whatever of ECGs, hospital, emergency and X-ray tables lies in one folder."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from twelvelead.io.databases import cxr_lt, mimic_cxr, mimic_ecg, mimic_ed, mimic_ext_icd, mimic_hosp
from twelvelead.io.databases.card import read_card
from twelvelead.io.databases.database import Database
from twelvelead.io.databases.events import EventTable, concat_events
from twelvelead.io.databases.published import find_tables
from twelvelead.terms import COHORT

TABLES = (
    *mimic_ecg.TABLES,
    *mimic_hosp.TABLES,
    *mimic_ed.TABLES,
    *mimic_ext_icd.TABLES,
    *mimic_cxr.TABLES,
    *cxr_lt.TABLES,
)

Found = dict[str, Path]


def recognise(folder: Path) -> bool:
    """Whether `folder` holds ECGs of MIMIC-IV, their codes or its hospital tables, in whatever layout."""
    known_by = (mimic_ecg.RECORDS, mimic_ecg.MEASUREMENTS, mimic_hosp.ADMISSIONS, mimic_ext_icd.RECORDS)
    return bool(find_tables(folder, known_by))


def load(folder: Path, *, raw: bool = False) -> Database:
    """Load what there is of MIMIC-IV, MIMIC-IV-ECG, -ED, -Ext-ICD, MIMIC-CXR-JPG and CXR-LT.

    Parameters
    ----------
    folder : Path
        Holds the published tables, each once, as they were unpacked.
    raw : bool
        Whether the machine's measurements are cleaned only as the publications did.

    Returns
    -------
    Database
        Recordings are those of MIMIC-IV-ECG (none without it); recording_id is the study_id. stay_id is given where
        Ext-ICD says it. Stays are `hosp-<hadm_id>` and `ed-<stay_id>`. The systems of the events are `icd9` and `icd10`
        (as published, by version), `laboratory`, `omr`, `vital`, `machine_statement`, `ext_icd_…`, `chest_xray`
        (CXR-LT, frontal images), `chest_xray_lateral`, `chest_xray_chexpert` and `chest_xray_negbio`.

    Raises
    ------
    FormatError
        If a table is not what its name says.
    InputError
        If a table lies in two folders.
    ContractError
        If a recording, a patient or a stay has two rows.
    """
    found = find_tables(folder, TABLES)
    stays = _read_stays(found)
    patients = _read_patients(found)
    tables = tuple(_list_events(found, stays))
    card = read_card(folder, found.values())
    return Database(
        name=str(card.get("name", "MIMIC-IV")),
        folder=folder,
        cohort=_read_cohort(found, patients, folder=folder),
        events=concat_events(tables),
        tables=tuple(found[name] for name in sorted(found)),
        features=_features(found, raw=raw),
        stays=stays,
        patients=patients,
        simulated=bool(card.get("simulated", False)),
        optimum={str(k): float(v) for k, v in card.get("optimum", {}).items()},
        event_tables=tables,
        dictionary=_read_dictionary(found),
    )


def _read_dictionary(found: Found) -> tuple[str, ...]:
    path = found.get(mimic_hosp.MEANINGS.name)
    return () if path is None else mimic_hosp.read_dictionary(path)


def _features(found: Found, *, raw: bool) -> pl.LazyFrame | None:
    path = found.get(mimic_ecg.MEASUREMENTS.name)
    return None if path is None else mimic_ecg.features(path, raw=raw)


def _read_stays(found: Found) -> pl.DataFrame | None:
    parts = []
    if path := found.get(mimic_hosp.ADMISSIONS.name):
        parts.append(mimic_hosp.read_stays(path))
    if path := found.get(mimic_ed.EDSTAYS.name):
        parts.append(mimic_ed.read_stays(path))
    return pl.concat(parts) if parts else None


def _read_patients(found: Found) -> pl.DataFrame | None:
    path, split = found.get(mimic_hosp.PATIENT_TABLE.name), found.get(mimic_cxr.SPLIT.name)
    if path is None:
        return None
    patients = mimic_hosp.read_patients(path)
    if split is None:
        return patients
    return patients.join(mimic_cxr.read_split(split), on="patient_id", how="left", validate="1:1")


def _read_cohort(found: Found, patients: pl.DataFrame | None, *, folder: Path) -> pl.DataFrame:
    """Put recordings, patients and Ext-ICD together; where two tables tell age or sex, the hospital's go first."""
    extended = found.get(mimic_ext_icd.RECORDS.name)
    if mimic_ecg.RECORDS.name in found or mimic_ecg.MEASUREMENTS.name in found:
        cohort = mimic_ecg.read_recordings(found, folder=folder)
    elif extended is not None:
        cohort = mimic_ext_icd.read_recordings(extended).select("recording_id", "patient_id", "recorded_at")
        cohort = cohort.with_columns(path=pl.lit(None, pl.String))
    else:
        return COHORT.empty()
    cohort = _add_demographics(cohort, patients)
    if extended is not None:
        said = mimic_ext_icd.read_recordings(extended).drop("patient_id", "recorded_at")
        cohort = cohort.join(said, on="recording_id", how="left", suffix="_said", validate="1:1")
        cohort = cohort.with_columns(
            age_years=pl.coalesce("age_years", "age_years_said"), sex=pl.coalesce("sex", "sex_said")
        ).drop("age_years_said", "sex_said")
    else:
        cohort = cohort.with_columns(stay_id=pl.lit(None, pl.String))
    return cohort.select(*COHORT.schema, pl.exclude(*COHORT.schema)).sort("recording_id")


def _add_demographics(cohort: pl.DataFrame, patients: pl.DataFrame | None) -> pl.DataFrame:
    if patients is None:
        return cohort.with_columns(age_years=pl.lit(None, pl.Float64), sex=pl.lit(None, pl.String))
    anchors = patients.select("patient_id", "sex", "anchor_age", "anchor_year")
    joined = cohort.join(anchors, on="patient_id", how="left", validate="m:1")
    return joined.with_columns(age_years=mimic_hosp.age_at("recorded_at")).drop("anchor_age", "anchor_year")


def _list_events(found: Found, stays: pl.DataFrame | None) -> list[EventTable]:
    """List the tables of events that are there; none is read yet."""
    items = found.get(mimic_hosp.ITEMS.name)
    metadata = found.get(mimic_cxr.METADATA.name)
    images = None if metadata is None else mimic_cxr.read_images(metadata)
    readers: dict[str, Callable[[Path], EventTable]] = {
        mimic_ecg.MEASUREMENTS.name: mimic_ecg.statements,
        mimic_hosp.DIAGNOSES.name: lambda path: mimic_hosp.diagnoses(path, stays),
        mimic_hosp.LABORATORY.name: lambda path: mimic_hosp.laboratory(path, items),
        mimic_hosp.RECORD.name: mimic_hosp.outpatient_record,
        mimic_ed.DIAGNOSIS.name: lambda path: mimic_ed.diagnoses(path, stays),
        mimic_ed.VITALSIGN.name: mimic_ed.vital_signs,
        mimic_ed.TRIAGE.name: lambda path: mimic_ed.triage(path, stays),
        mimic_cxr.CHEXPERT.name: lambda path: mimic_cxr.labels(path, images, system=mimic_cxr.CHEXPERT_SYSTEM),
        mimic_cxr.NEGBIO.name: lambda path: mimic_cxr.labels(path, images, system=mimic_cxr.NEGBIO_SYSTEM),
        cxr_lt.LABELS.name: lambda path: cxr_lt.labels(path, images),
    }
    tables = [read(found[name]) for name, read in readers.items() if name in found]
    extended = found.get(mimic_ext_icd.RECORDS.name)
    return tables if extended is None else tables + mimic_ext_icd.codes(extended)
