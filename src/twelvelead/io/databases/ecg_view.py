"""ECG-ViEW II (doi:10.1371/journal.pone.0176222): a Korean hospital's ECG measurements, 1994 to 2013, and its codes.

The zip file `ECG_ViEW_II_for_CVS.zip` unpacked; there are no waveforms. Free text is in Latin-1, and is not read.
"""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.card import read_card
from twelvelead.io.databases.database import Database
from twelvelead.io.databases.events import EventTable, as_events, concat_events
from twelvelead.io.databases.machine import AXES, LONGEST, WIDEST, clean, derive_features
from twelvelead.io.databases.mimic_hosp import icd_code
from twelvelead.io.databases.published import Table, collect, find_tables, scan
from twelvelead.terms import COHORT, PATIENTS

_TIME, _ID, _NUMBER = pl.Datetime("us"), pl.String, pl.Float64
_PART = "ECG-ViEW II"

INTERVALS = {"rr_mean_ms": "RR", "pr_interval_ms": "PR", "qrs_duration_ms": "QRS", "qt_interval_ms": "QT"}
QTC = "QTc"
PUBLISHED_AXES = ("P_wave_axis", "QRS_axis", "T_wave_axis")

ECGS = Table(
    "Electrocardiogram",
    {"personid": _ID, "ecgdate": _TIME,
     **dict.fromkeys((*INTERVALS.values(), QTC, *PUBLISHED_AXES), _NUMBER)},
    {"ecgdept": pl.String, "ecgsource": pl.String, "ACCI": pl.Int32},
    {979_273: "II"},
    _PART,
)  # fmt: skip
PERSONS = Table(
    "Person", {"personid": _ID, "sex": pl.Float64, "Birthyeargroup": pl.Float64}, rows={461_034: "II"}, part=_PART
)
DIAGNOSES = Table(
    "Diagnosis",
    {"personid": _ID, "diagdate": _TIME, "diagcode": pl.String},
    {"diaglocalcode": _ID},
    {7_743_772: "II"},
    _PART,
)
MEANINGS = Table("DiagnosisCodeMaster", {"diaglocalcode": _ID, "diagnosis": pl.String}, part=_PART)
DRUGS = Table("Drug", {"personid": _ID, "drugdate": _TIME, "atccode": pl.String}, {"druglocalcode": _ID}, part=_PART)
LABORATORY = Table(
    "Laboratory", {"personid": _ID, "labdate": _TIME, "labname": pl.String, "labvalue": pl.String}, part=_PART
)

TABLES = (ECGS, PERSONS, DIAGNOSES, MEANINGS, DRUGS, LABORATORY)

SEX = {0: "female", 1: "male"}
LAST_GROUP, LAST_MIDDLE = 24, 2011.5  # 2010 to 2013; the others have five years
AGE_PRECISION_YEARS = 2.5  # half a group of birth years
NO_CODE = "NO_DATA"


def recognise(folder: Path) -> bool:
    """Whether `folder` holds the two tables without which there is no ECG-ViEW II."""
    return len(find_tables(folder, (ECGS, PERSONS))) == 2


def load(folder: Path, *, raw: bool = False) -> Database:
    """Load ECG-ViEW II.

    Parameters
    ----------
    folder : Path
        Holds the unpacked tables.
    raw : bool
        Whether the measurements are cleaned only as the publications did; QTc is the file's then.

    Returns
    -------
    Database
        recording_id is person, time and a number that tells ECGs of one person and second apart: `270-20040703T090513`
        and `270-20040703T090513-2`. The cohort has the columns `ecgdept`, `ecgsource` and `acci` (the age-adjusted
        Charlson index) besides. The systems of the events are `kcd` (the Korean ICD-10), `drug` (ATC codes) and
        `laboratory` (names as published; the tables give neither unit nor reference range).

    Raises
    ------
    InputError
        If one of the two needed tables is not there, or any lies in two folders.
    FormatError
        If a table is not what its name says.

    Notes
    -----
    The year of birth is known to five years; the middle of the group is taken, so that ages are right to about 2.5
    years. How sex is coded was published nowhere that we found: 1 is taken for male, as the publications do, who fit
    models of the prostate to it. A missing PR interval or P axis may mean atrial fibrillation, or an old record from
    paper: `ecgsource` and the year help to tell which.
    """
    found = find_tables(folder, TABLES)
    tables = tuple(_list_events(found))
    card = read_card(folder, found.values())
    ecgs = _identify(scan(ECGS, found[ECGS.name]))
    persons = _read_persons(found[PERSONS.name])
    return Database(
        name=str(card.get("name", "ECG-ViEW II")),
        folder=folder,
        cohort=_read_cohort(ecgs, persons, path=found[ECGS.name]),
        events=concat_events(tables),
        tables=tuple(found[name] for name in sorted(found)),
        features=features(ecgs, raw=raw),
        patients=persons.drop("born"),
        simulated=bool(card.get("simulated", False)),
        optimum={str(k): float(v) for k, v in card.get("optimum", {}).items()},
        event_tables=tables,
        age_precision_years=AGE_PRECISION_YEARS,
    )


def features(ecgs: pl.LazyFrame, *, raw: bool) -> pl.LazyFrame:
    """Give the machine's measurements in house names, one row per recording.

    Parameters
    ----------
    ecgs : LazyFrame
        `Electrocardiogram` with recording_id.
    raw : bool
        As `machine.derive_features` has it; `qtc_bazett_ms` is the file's then.

    Notes
    -----
    The file's QTc is the machine's by Bazett's formula, rounded down from an RR that is not rounded yet; it is
    `qtc_machine_ms`. Computed again from QT and RR it differs by up to 2 ms.
    """
    said = clean(QTC, raw_limit=LONGEST)
    numbers = ecgs.select(
        "recording_id",
        **{name: clean(column, raw_limit=LONGEST) for name, column in INTERVALS.items()},
        **{
            name: clean(axis, raw_limit=WIDEST, lowest=-WIDEST) for name, axis in zip(AXES, PUBLISHED_AXES, strict=True)
        },
        qtc_machine_ms=said,
    )
    derived = derive_features(numbers, raw=raw)
    return derived.with_columns(qtc_bazett_ms="qtc_machine_ms") if raw else derived


def birth_year(group: str) -> pl.Expr:
    """Give the middle of a group of birth years: 0 is 1890 to 1894, 23 is 2005 to 2009, 24 is 2010 to 2013."""
    number = pl.col(group)
    middle = pl.when(number == LAST_GROUP).then(LAST_MIDDLE).otherwise(1892 + 5 * number)
    return pl.when(number.is_between(0, LAST_GROUP)).then(middle)


def _identify(ecgs: pl.LazyFrame) -> pl.LazyFrame:
    """Name each row; ECGs of one person and second are counted in the order of the file."""
    nth = 1 + pl.int_range(pl.len()).over("personid", "ecgdate")
    more = pl.when(nth > 1).then(pl.lit("-") + nth.cast(pl.String)).otherwise(pl.lit(""))
    time = pl.col("ecgdate").dt.strftime("%Y%m%dT%H%M%S").fill_null("undated")
    name = pl.concat_str(pl.col("personid"), pl.lit("-"), time, more)
    return ecgs.with_columns(recording_id=name)


def _read_persons(path: Path) -> pl.DataFrame:
    rows = scan(PERSONS, path).select(
        patient_id="personid",
        sex=pl.col("sex").replace_strict(SEX, default=None, return_dtype=pl.String),
        died_at=pl.lit(None, pl.Datetime("us")),
        born=birth_year("Birthyeargroup"),
    )
    return PATIENTS.check(collect(rows, path))


def _read_cohort(ecgs: pl.LazyFrame, persons: pl.DataFrame, *, path: Path) -> pl.DataFrame:
    held = ecgs.collect_schema()
    more = {name.lower(): pl.col(name) for name in ECGS.optional if name in held}
    rows = ecgs.select("recording_id", patient_id="personid", recorded_at="ecgdate", **more)
    joined = collect(rows, path).join(persons.drop("died_at"), on="patient_id", how="left", validate="m:1")
    age = (pl.col("recorded_at").dt.year() - pl.col("born")).clip(0, 90)
    none = pl.lit(None, pl.String)
    cohort = joined.with_columns(age_years=age, stay_id=none, path=none).drop("born")
    return cohort.select(*COHORT.schema, pl.exclude(*COHORT.schema)).sort("recording_id")


def _list_events(found: dict[str, Path]) -> list[EventTable]:
    readers = ((DIAGNOSES, _diagnoses), (DRUGS, _drugs), (LABORATORY, _laboratory))
    return [read(found[table.name]) for table, read in readers if table.name in found]


def _diagnoses(path: Path) -> EventTable:
    rows = scan(DIAGNOSES, path)
    local = pl.col("diaglocalcode") if "diaglocalcode" in rows.collect_schema() else pl.lit(None, pl.String)
    table = rows.select(patient_id="personid", time="diagdate", code=icd_code("diagcode"), source_id=local)
    return as_events(table.filter(pl.col("code").str.len_chars() > 0, pl.col("code") != NO_CODE), "kcd")


def _drugs(path: Path) -> EventTable:
    rows = scan(DRUGS, path)
    local = pl.col("druglocalcode") if "druglocalcode" in rows.collect_schema() else pl.lit(None, pl.String)
    return as_events(
        rows.select(patient_id="personid", time="drugdate", code=icd_code("atccode"), source_id=local), "drug"
    )


def _laboratory(path: Path) -> EventTable:
    rows = scan(LABORATORY, path).select(
        patient_id="personid",
        time="labdate",
        code=pl.col("labname").str.strip_chars(),
        value=pl.col("labvalue").str.strip_chars().cast(pl.Float64, strict=False),
    )
    return as_events(rows, "laboratory")
