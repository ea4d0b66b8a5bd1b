"""MIMIC-IV `hosp` 2.2 to 3.1 (doi:10.13026/kpb9-mt58): patients, stays, diagnoses, laboratory, outpatient record."""

from pathlib import Path

import polars as pl

from twelvelead.io.databases.events import EventTable, as_events
from twelvelead.io.databases.published import Table, collect, scan
from twelvelead.terms import PATIENTS, STAYS

_TIME, _ID = pl.Datetime("us"), pl.String
_PART = "MIMIC-IV hosp"

PATIENT_TABLE = Table(
    "patients",
    {"subject_id": _ID, "gender": pl.String, "anchor_age": pl.Float64, "anchor_year": pl.Int32},
    {"dod": _TIME},
    {100: "demo 2.2", 299_712: "2.2", 364_627: "3.1"},
    _PART,
)
ADMISSIONS = Table(
    "admissions",
    {"subject_id": _ID, "hadm_id": _ID, "admittime": _TIME, "dischtime": _TIME, "deathtime": _TIME},
    {},
    {275: "demo 2.2", 431_231: "2.2", 546_028: "3.1"},
    _PART,
)
DIAGNOSES = Table(
    "diagnoses_icd",
    {"subject_id": _ID, "hadm_id": _ID, "icd_code": pl.String, "icd_version": pl.Int8},
    {},
    {4506: "demo 2.2"},
    _PART,
)
MEANINGS = Table(
    "d_icd_diagnoses", {"icd_code": pl.String, "icd_version": pl.Int8, "long_title": pl.String}, part=_PART
)
LABORATORY = Table(
    "labevents",
    {"subject_id": _ID, "hadm_id": _ID, "itemid": _ID, "charttime": _TIME, "valuenum": pl.Float64,
     "valueuom": pl.String, "ref_range_lower": pl.Float64, "ref_range_upper": pl.Float64, "flag": pl.String},
    {},
    {107_727: "demo 2.2", 118_171_367: "2.2", 158_374_764: "3.1"},
    _PART,
)  # fmt: skip
ITEMS = Table("d_labitems", {"itemid": _ID, "label": pl.String, "fluid": pl.String, "category": pl.String}, part=_PART)
RECORD = Table(
    "omr", {"subject_id": _ID, "chartdate": _TIME, "result_name": pl.String, "result_value": pl.String}, part=_PART
)

TABLES = (PATIENT_TABLE, ADMISSIONS, DIAGNOSES, MEANINGS, LABORATORY, ITEMS, RECORD)
SEX = {"M": "male", "F": "female"}


def stay_of(column: str, kind: str) -> pl.Expr:
    """Name a stay: `hosp-<hadm_id>` or `ed-<stay_id>`, null where there is none."""
    return pl.lit(f"{kind}-") + pl.col(column)


def sex_of(column: str) -> pl.Expr:
    """Read M and F; whatever else stands there, such as `missing`, is null."""
    return pl.col(column).str.strip_chars().replace_strict(SEX, default=None, return_dtype=pl.String)


def read_patients(path: Path) -> pl.DataFrame:
    """Read the patients.

    Returns
    -------
    DataFrame keeping `terms.PATIENTS`
        With anchor_age and anchor_year, from which the age at any time follows. Death is known to the day, and only up
        to a year after the last discharge.
    """
    rows = scan(PATIENT_TABLE, path)
    died = pl.col("dod") if "dod" in rows.collect_schema() else pl.lit(None, pl.Datetime("us"))
    table = rows.select(
        patient_id=pl.col("subject_id"), sex=sex_of("gender"), died_at=died, anchor_age="anchor_age",
        anchor_year="anchor_year",
    )  # fmt: skip
    return PATIENTS.check(collect(table, path))


def age_at(time: str) -> pl.Expr:
    """Give the age in years at a time: dates are shifted as a whole, so only years can be subtracted.

    Ages above 89 are published as 91 at the anchor, whatever they were; ages above 89 are 90. What was recorded before
    such an anchor was recorded at that age or an older one.
    """
    age = pl.col("anchor_age") + pl.col(time).dt.year() - pl.col("anchor_year")
    return age.clip(upper_bound=90.0)


def read_stays(path: Path) -> pl.DataFrame:
    """Read the hospital stays, keeping `terms.STAYS`; one that has no discharge ends with death."""
    rows = scan(ADMISSIONS, path).select(
        stay_id=stay_of("hadm_id", "hosp"),
        patient_id="subject_id",
        kind=pl.lit("hospital"),
        start="admittime",
        end=pl.coalesce("dischtime", "deathtime"),
        hospital_stay_id=pl.lit(None, pl.String),
    )
    return STAYS.check(collect(rows, path))


def icd_code(column: str) -> pl.Expr:
    """Give a code as it is compared: without padding and without dot, in capitals."""
    return pl.col(column).str.strip_chars().str.replace_all(".", "", literal=True).str.to_uppercase()


def icd_system(column: str = "icd_version") -> pl.Expr:
    """Name the classification of a code, without which a code means nothing: V422 is two things."""
    return pl.lit("icd") + pl.col(column).cast(pl.String)


def read_dictionary(path: Path) -> tuple[str, ...]:
    """List the codes that the database's own dictionary has for ICD-10, whether anybody bears them or not."""
    tenth = scan(MEANINGS, path).filter(pl.col("icd_version") == 10).select(icd_code("icd_code"))
    return tuple(collect(tenth, path)["icd_code"].unique().sort())


def diagnoses(path: Path, stays: pl.DataFrame | None) -> EventTable:
    """Discharge diagnoses (`icd9`, `icd10`), at the end of their stay where that is known: then they were coded."""
    rows = scan(DIAGNOSES, path).select(
        patient_id="subject_id",
        stay_id=stay_of("hadm_id", "hosp"),
        system=icd_system(),
        code=icd_code("icd_code"),
    )
    return as_events(at_end_of_stay(rows, stays), "icd9", "icd10")


def at_end_of_stay(rows: pl.LazyFrame, stays: pl.DataFrame | None) -> pl.LazyFrame:
    """Add the time at which the stay of an event ended."""
    if stays is None:
        return rows
    ends = stays.lazy().select("stay_id", time="end")
    return rows.join(ends, on="stay_id", how="left", maintain_order="left")


def laboratory(path: Path, items: Path | None) -> EventTable:
    """Laboratory results (`laboratory`), drawn at their time.

    Notes
    -----
    The code is the analyte's label: `Glucose`. Where a label stands for several fluids it belongs to blood, or to none
    of them if blood is not among them, and the others bear their fluid: `Glucose, Urine`. Blood gases and chemistry
    share the label, as each row has its own reference range. What has no label is called `item 50931`. `source_id` is
    the item, always.
    """
    rows = scan(LABORATORY, path).rename({"subject_id": "patient_id", "charttime": "time"})
    if items is not None:
        rows = rows.join(name_items(scan(ITEMS, items)).lazy(), on="itemid", how="left", maintain_order="left")
    name = pl.lit("item ") + pl.col("itemid")
    return as_events(
        rows.select(
            "patient_id",
            "time",
            code=name if items is None else pl.coalesce("analyte", name),
            value="valuenum",
            unit="valueuom",
            reference_lower="ref_range_lower",
            reference_upper="ref_range_upper",
            flag="flag",
            stay_id=stay_of("hadm_id", "hosp"),
            source_id="itemid",
        ),
        "laboratory",
    )


def name_items(items: pl.LazyFrame) -> pl.DataFrame:
    """Give each laboratory item the name of its analyte: columns itemid, analyte.

    Examples
    --------
    >>> rows = {"itemid": ["1", "2", "3"], "label": ["Glucose"] * 3, "fluid": ["Blood", "Urine", "Blood"]}
    >>> name_items(pl.LazyFrame(rows))["analyte"].to_list()
    ['Glucose', 'Glucose, Urine', 'Glucose']
    """
    label, fluid = pl.col("label").str.strip_chars(), pl.col("fluid").str.strip_chars()
    table = items.select("itemid", label=label, fluid=fluid).filter(pl.col("label").str.len_chars() > 0).collect()
    alone = pl.col("fluid").n_unique().over("label") == 1
    return table.unique("itemid", keep="first", maintain_order=True).select(
        "itemid",
        analyte=pl.when(alone | (pl.col("fluid") == "Blood") | pl.col("fluid").is_null())
        .then("label")
        .otherwise(pl.col("label") + ", " + pl.col("fluid")),
    )


def outpatient_record(path: Path) -> EventTable:
    """Body measures and blood pressure of the outpatient record (`omr`), known to the day.

    Notes
    -----
    Codes are the published names, `BMI (kg/m2)`; the unit is what stands in the brackets. A blood pressure `120/80`
    becomes two events, `Blood Pressure, systolic` and `Blood Pressure, diastolic`, in mm[Hg].
    """
    both = pl.col("result_value").str.contains("/", literal=True)
    parts = pl.col("result_value").str.split("/")
    side = pl.int_ranges(parts.list.len())
    rows = scan(RECORD, path).with_columns(part=parts, side=side, both=both).explode("part", "side")
    pressure = pl.col("result_name") + pl.when(pl.col("side") == 0).then(pl.lit(", systolic")).otherwise(
        pl.lit(", diastolic")
    )
    in_brackets = pl.col("result_name").str.extract(r"\(([^)]*)\)")
    return as_events(
        rows.select(
            patient_id="subject_id",
            time="chartdate",
            code=pl.when("both").then(pressure).otherwise("result_name"),
            value=pl.col("part").str.strip_chars().cast(pl.Float64, strict=False),
            unit=pl.when("both").then(pl.lit("mm[Hg]")).otherwise(in_brackets),
        ),
        "omr",
    )
