"""A simulated hospital as MIMIC-IV 3.1 with -ECG, -ED, -Ext-ICD, MIMIC-CXR-JPG and CXR-LT publish theirs."""

from datetime import date

import polars as pl

from twelvelead.simulate.published import mimic_cxr, mimic_ecg, mimic_ed, mimic_ext_icd, mimic_hosp, mimic_laboratory
from twelvelead.simulate.published.codes import dictionary, disease_codes
from twelvelead.simulate.published.outcomes import draw_fate, truth_table
from twelvelead.simulate.published.population import Block, Plan
from twelvelead.simulate.published.visits import draw_visits
from twelvelead.simulate.site import Site
from twelvelead.terms import CHEST_LEADS

HOSP = "mimic-iv-3.1/hosp"
ED = "mimic-iv-ed-2.2/ed"
ECG = "mimic-iv-ecg-diagnostic-electrocardiogram-matched-subset-1.0"
EXT_ICD = "mimic-iv-ecg-ext-icd-diagnostic-labels-for-mimic-iv-ecg-1.0.1"
CXR = "mimic-cxr-jpg-2.1.0"
CXR_LT = "cxr-lt-2024"

MIMIC = Plan(
    site=Site(
        code="mimic",
        name="Simulated hospital in the layout of MIMIC-IV",
        fs=500.0,
        leads=("I", "II", "III", "aVR", "aVF", "aVL", *CHEST_LEADS),  # aVF before aVL, as published
        adc_step_mv=0.005,
        band_hz=(0.05, 150.0),
        mains_hz=60.0,
        wander_mv=0.05,
        mains_mv=0.004,
        muscle_mv=0.008,
        age_mean=62.0,
        age_sd=17.0,
        female_share=0.49,
    ),
    single=0.355,
    tail=8.5,
    most=260,
    same_visit=0.45,
    apart_days=(20.0, 250.0),
    calendar=(date(2008, 1, 1), date(2022, 12, 31)),
    shift_days=(37_000, 68_000),
)
"""Five ECGs per patient on average, a third of the patients with one, some with hundreds; dates of a later century."""

SINCE_ICD10 = (date(2015, 10, 1) - MIMIC.calendar[0]).days


def mimic_tables(block: Block) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return a block's rows of every table, and the truth.

    Parameters
    ----------
    block : Block
        Drawn with the plan `MIMIC`.

    Returns
    -------
    tables : dict of str to polars.DataFrame
        By path below the data folder. Blocks are written one under the other.
    truth : polars.DataFrame
        One row per ECG, with `recording_id`, `patient_id` and `path` of its waveform.
    """
    fate = draw_fate(block, since_icd10=SINCE_ICD10)
    visits = draw_visits(block)
    ecgs = mimic_ecg.keys(block)
    patients = mimic_hosp.patients(block, visits)
    earlier = mimic_hosp.earlier_stays(block, visits)
    hospital, emergency = mimic_hosp.coded_stays(
        block, visits, earlier, disease_codes=disease_codes(fate), fate=fate, since_icd10=SINCE_ICD10
    )
    studies = mimic_cxr.draw_studies(block, visits, fate)
    images = mimic_cxr.draw_images(block, studies)
    extended = mimic_ext_icd.records(block, ecgs, visits, patients=patients, hospital=hospital, emergency=emergency)
    tables = {
        f"{ECG}/record_list.csv": mimic_ecg.record_list(ecgs),
        f"{ECG}/machine_measurements.csv": mimic_ecg.machine_measurements(block, ecgs),
        f"{ECG}/waveform_note_links.csv": mimic_ecg.waveform_note_links(block, ecgs),
        f"{HOSP}/patients.csv.gz": patients.drop("patient"),
        f"{HOSP}/admissions.csv.gz": mimic_hosp.admissions(block, visits, earlier),
        f"{HOSP}/diagnoses_icd.csv.gz": mimic_hosp.diagnoses_icd(block, hospital),
        f"{HOSP}/labevents.csv.gz": mimic_laboratory.labevents(block, visits, fate),
        f"{HOSP}/omr.csv.gz": mimic_hosp.omr(block, visits),
        f"{ED}/edstays.csv.gz": mimic_ed.edstays(block, visits),
        f"{ED}/diagnosis.csv.gz": mimic_ed.diagnosis(block, emergency),
        f"{ED}/vitalsign.csv.gz": mimic_ed.vitalsign(block, visits),
        f"{ED}/triage.csv.gz": mimic_ed.triage(block, visits),
        f"{EXT_ICD}/records_w_diag_icd10.csv": extended,
        f"{CXR}/mimic-cxr-2.0.0-metadata.csv.gz": mimic_cxr.metadata(images),
        f"{CXR}/mimic-cxr-2.0.0-split.csv.gz": mimic_cxr.split(images),
        f"{CXR}/mimic-cxr-2.0.0-chexpert.csv.gz": mimic_cxr.program_labels(block, studies, "chexpert"),
        f"{CXR}/mimic-cxr-2.0.0-negbio.csv.gz": mimic_cxr.program_labels(block, studies, "negbio"),
        f"{CXR_LT}/labels.csv": mimic_cxr.cxr_lt_labels(images),
    }
    return tables, _name(truth_table(block, fate), ecgs, visits)


def _name(truth: pl.DataFrame, ecgs: pl.DataFrame, visits: pl.DataFrame) -> pl.DataFrame:
    stays = visits.select("visit", stay_kind="kind", coded="coded")
    keys = ecgs.select(
        recording_id=pl.col("study_id").cast(pl.String), patient_id=pl.col("subject_id").cast(pl.String), path="path"
    )
    return pl.concat([keys, truth], how="horizontal").join(stays, on="visit", how="left", maintain_order="left")


def mimic_statics() -> dict[str, pl.DataFrame]:
    """Return the tables that are the same for every hospital of this layout: the dictionaries."""
    meanings = dictionary().with_columns(pl.col("icd_code").str.pad_end(mimic_hosp.CODE_WIDTH))
    return {
        f"{HOSP}/d_icd_diagnoses.csv.gz": meanings,
        f"{HOSP}/d_labitems.csv.gz": mimic_laboratory.d_labitems(),
    }
