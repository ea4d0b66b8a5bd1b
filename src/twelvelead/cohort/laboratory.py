"""Laboratory results in one unit per analyte."""

from dataclasses import dataclass

import polars as pl

from twelvelead.terms import EVENTS

SPELLINGS = {
    "K/uL": "10*9/L", "10^9/L": "10*9/L", "x10^9/L": "10*9/L", "x10^3/uL": "10*9/L", "10^3/uL": "10*9/L",
    "10*3/uL": "10*9/L", "m/uL": "10*12/L", "M/uL": "10*12/L", "10^12/L": "10*12/L", "x10^6/uL": "10*12/L",
    "10^6/uL": "10*12/L", "10*6/uL": "10*12/L", "#/uL": "/uL", "cells/uL": "/uL", "IU/L": "U/L", "units/L": "U/L",
    "uIU/mL": "mU/L", "uU/mL": "mU/L", "mIU/L": "mU/L", "mIU/mL": "U/L", "sec": "s", "seconds": "s", "mm Hg": "mm[Hg]",
    "mmHg": "mm[Hg]", "mcg/dL": "ug/dL", "µg/dL": "ug/dL", "mcg/L": "ug/L", "µg/L": "ug/L", "mcg/mL": "ug/mL",
    "µmol/L": "umol/L", "mg/100mL": "mg/dL", "gm/dL": "g/dL", "mEq/l": "mEq/L", "ratio": "1", "Ratio": "1",
    "µkat/L": "ukat/L",
}  # fmt: skip
"""How laboratories spell units, and the Unified Code for Units of Measure (beside mEq, which is no unit of it)."""

_GRAMS = {"g/dL": 1e4, "g/L": 1e3, "mg/dL": 10.0, "mg/L": 1.0, "ug/mL": 1.0, "ug/dL": 1e-2, "ug/L": 1e-3,
          "ng/mL": 1e-3, "ng/dL": 1e-5, "ng/L": 1e-6, "pg/mL": 1e-6}  # fmt: skip
_MOLES = {"mol/L": 1e3, "mmol/L": 1.0, "umol/L": 1e-3, "nmol/L": 1e-6, "pmol/L": 1e-9}
_SCALES = (
    {"U/L": 1.0, "mU/L": 1e-3, "ukat/L": 60.0},
    {"10*12/L": 1e6, "10*9/L": 1e3, "/uL": 1.0},
    {"%": 1.0, "1": 100.0},
    {"mm[Hg]": 1.0, "kPa": 7.50062},
    {"s": 1.0},
    {"fL": 1.0},
    {"pg": 1.0},
)
"""Units of one kind, and what they are in mg/L, mmol/L and the first unit of each other kind."""


@dataclass(frozen=True)
class Analyte:
    """How the results of an analyte become comparable.

    Parameters
    ----------
    unit : str
        The unit to which they are brought.
    grams_per_mole : float or None
        Molar mass of what is weighed (for urea nitrogen the two nitrogens of urea), where moles are in use too.
    charges : int
        Elementary charges of the ion, where mEq/L are in use.
    also : tuple of str
        Other names of `unit` that hold for this analyte only: haemoglobin per red cell volume in % is in g/dL.
    """

    unit: str
    grams_per_mole: float | None = None
    charges: int = 0
    also: tuple[str, ...] = ()

    def factors(self) -> dict[str, float]:
        """Give the factor for results in each known unit."""
        known = {unit: scale / kind[self.unit] for kind in _SCALES if self.unit in kind for unit, scale in kind.items()}
        weights = dict(_GRAMS)
        if self.grams_per_mole is not None:
            weights |= {unit: mmol * self.grams_per_mole for unit, mmol in _MOLES.items()}
        elif self.unit in _MOLES:
            weights = dict(_MOLES)
        if self.charges and "mmol/L" in weights:
            weights["mEq/L"] = weights["mmol/L"] / self.charges
        if self.unit in weights:
            known |= {unit: weight / weights[self.unit] for unit, weight in weights.items()}
        return known | dict.fromkeys((self.unit, *self.also), 1.0)


_CELLS, _ENZYME, _SHARE = Analyte("10*9/L"), Analyte("U/L"), Analyte("%")
_CHARGES = Analyte("mEq/L", also=("mmol/L",))  # of several ions with one charge each
_BILIRUBIN, _CHOLESTEROL = Analyte("mg/dL", 584.66), Analyte("mg/dL", 386.65)

ANALYTES = {
    "Sodium": Analyte("mEq/L", 22.990, 1),
    "Sodium, Whole Blood": Analyte("mEq/L", 22.990, 1),
    "Potassium": Analyte("mEq/L", 39.098, 1),
    "Potassium, Whole Blood": Analyte("mEq/L", 39.098, 1),
    "Chloride": Analyte("mEq/L", 35.453, 1),
    "Chloride, Whole Blood": Analyte("mEq/L", 35.453, 1),
    "Bicarbonate": Analyte("mEq/L", 61.017, 1),
    "Calculated Total CO2": Analyte("mEq/L", 61.017, 1),
    "Anion Gap": _CHARGES,
    "Base Excess": _CHARGES,
    "Calcium, Total": Analyte("mg/dL", 40.078, 2),
    "Free Calcium": Analyte("mmol/L", 40.078, 2),
    "Magnesium": Analyte("mg/dL", 24.305, 2),
    "Phosphate": Analyte("mg/dL", 30.974),
    "Urea Nitrogen": Analyte("mg/dL", 28.014),
    "Creatinine": Analyte("mg/dL", 113.12),
    "Glucose": Analyte("mg/dL", 180.16),
    "Lactate": Analyte("mmol/L", 90.08),
    "Uric Acid": Analyte("mg/dL", 168.11),
    "Bilirubin, Total": _BILIRUBIN,
    "Bilirubin, Direct": _BILIRUBIN,
    "Bilirubin, Indirect": _BILIRUBIN,
    "Cholesterol, Total": _CHOLESTEROL,
    "Cholesterol, HDL": _CHOLESTEROL,
    "Cholesterol, LDL, Calculated": _CHOLESTEROL,
    "Cholesterol, LDL, Measured": _CHOLESTEROL,
    "Triglycerides": Analyte("mg/dL", 885.7),
    "Iron": Analyte("ug/dL", 55.845),
    "Ferritin": Analyte("ng/mL"),
    "Albumin": Analyte("g/dL"),
    "Protein, Total": Analyte("g/dL"),
    "Globulin": Analyte("g/dL"),
    "C-Reactive Protein": Analyte("mg/L"),
    "Fibrinogen, Functional": Analyte("mg/dL"),
    "Troponin T": Analyte("ng/mL"),
    "Troponin I": Analyte("ng/mL"),
    "Creatine Kinase, MB Isoenzyme": Analyte("ng/mL"),
    "NTproBNP": Analyte("pg/mL"),
    "Thyroid Stimulating Hormone": Analyte("mU/L"),
    "Alanine Aminotransferase (ALT)": _ENZYME,
    "Asparate Aminotransferase (AST)": _ENZYME,
    "Alkaline Phosphatase": _ENZYME,
    "Gamma Glutamyltransferase": _ENZYME,
    "Lactate Dehydrogenase (LD)": _ENZYME,
    "Creatine Kinase (CK)": _ENZYME,
    "Lipase": _ENZYME,
    "Amylase": _ENZYME,
    "Hemoglobin": Analyte("g/dL", 16114.0),
    "Hematocrit": _SHARE,
    "Red Blood Cells": Analyte("10*12/L"),
    "White Blood Cells": _CELLS,
    "Platelet Count": _CELLS,
    "Absolute Lymphocyte Count": _CELLS,
    "Absolute Neutrophil Count": _CELLS,
    "Absolute Monocyte Count": _CELLS,
    "Absolute Eosinophil Count": _CELLS,
    "Absolute Basophil Count": _CELLS,
    "Lymphocytes": _SHARE,
    "Neutrophils": _SHARE,
    "Monocytes": _SHARE,
    "Eosinophils": _SHARE,
    "Basophils": _SHARE,
    "MCH": Analyte("pg"),
    "MCHC": Analyte("g/dL", also=("%",)),
    "MCV": Analyte("fL"),
    "RDW": _SHARE,
    "RDW-SD": Analyte("fL"),
    "% Hemoglobin A1c": _SHARE,
    "PT": Analyte("s"),
    "PTT": Analyte("s"),
    "INR(PT)": Analyte("1", also=("",)),
    "pCO2": Analyte("mm[Hg]"),
    "pO2": Analyte("mm[Hg]"),
    "pH": Analyte("1", also=("units", "")),
    "D-Dimer": Analyte("ng/mL FEU", also=("ng/mL",)),
}
"""Analytes whose unit is known, by their label in MIMIC-IV (misspelt as there), in the unit that is usual there.

D-dimer in ng/mL is taken for fibrinogen-equivalent units, which MIMIC-IV's reference limit of 500 for it says it is.
"""


def harmonise_units(events: pl.LazyFrame) -> pl.LazyFrame:
    """Bring laboratory results to one unit per analyte.

    Parameters
    ----------
    events : LazyFrame keeping `terms.EVENTS`
        Everything that happened.

    Returns
    -------
    LazyFrame keeping `terms.EVENTS`
        For system `laboratory`: units are spelt alike; values and reference limits of the ANALYTES are in their unit;
        in a unit that is not known for the analyte, or in none, they are null (see `count_units`). A reference range
        from 0 to 0 stands for "none" and is null: such a result has no class. Analytes that are not listed keep their
        values and their units. Other systems stay as they are. Rows are in no promised order.
    """
    table = _factors()
    is_laboratory = pl.col("system") == "laboratory"
    spelt = events.with_columns(unit=pl.when(is_laboratory).then(_spell(pl.col("unit"))).otherwise("unit"))
    # A missing unit is the unit "": for a ratio such as the INR it is the right one.
    spelt = spelt.with_columns(_unit=pl.col("unit").fill_null(""))
    joined = spelt.join(
        table.lazy(), left_on=["system", "code", "_unit"], right_on=["system", "code", "from"], how="left"
    )
    listed = is_laboratory & pl.col("code").is_in(list(ANALYTES))
    no_range = is_laboratory & (pl.col("reference_lower") == 0) & (pl.col("reference_upper") == 0)
    factor = pl.when(listed).then("_factor").otherwise(1.0)
    limits = ("reference_lower", "reference_upper")
    return joined.with_columns(
        value=pl.col("value") * factor,
        unit=pl.when(pl.col("_factor").is_not_null()).then("_to").otherwise("unit"),
        **{limit: pl.when(~no_range.fill_null(value=False)).then(pl.col(limit) * factor) for limit in limits},
    ).drop("_unit", "_factor", "_to")


def _factors() -> pl.DataFrame:
    rows = [
        ("laboratory", label, unit, factor, analyte.unit)
        for label, analyte in ANALYTES.items()
        for unit, factor in analyte.factors().items()
    ]
    columns = {"system": pl.String, "code": pl.String, "from": pl.String, "_factor": pl.Float64, "_to": pl.String}
    return pl.DataFrame(rows, schema=columns, orient="row")


def _spell(unit: pl.Expr) -> pl.Expr:
    return unit.str.strip_chars().replace(SPELLINGS)


def count_units(events: pl.LazyFrame) -> pl.DataFrame:
    """Count the laboratory results of each analyte in each unit, and say which of them can be used.

    Parameters
    ----------
    events : LazyFrame keeping `terms.EVENTS`
        Before `harmonise_units`.

    Returns
    -------
    DataFrame with columns code, unit, n_events, known
        known is true where the unit is converted, false where `harmonise_units` makes the results null, and null for an
        analyte that is not listed.
    """
    results = EVENTS.check_schema(events).filter((pl.col("system") == "laboratory") & pl.col("value").is_not_null())
    counts = results.with_columns(unit=_spell(pl.col("unit")).fill_null("")).group_by("code", "unit")
    table = counts.agg(n_events=pl.len().cast(pl.Int64)).collect(engine="streaming")
    known = _factors().select("code", unit="from", known=pl.lit(value=True))
    listed = pl.col("code").is_in(list(ANALYTES))
    joined = table.join(known, on=["code", "unit"], how="left", validate="1:1")
    joined = joined.with_columns(known=pl.when(listed).then(pl.col("known").fill_null(value=False)))
    return joined.sort("n_events", "code", "unit", descending=[True, False, False])


def main_fluids(items: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Choose, for every label of a laboratory's dictionary, the fluid in which it is measured most.

    Parameters
    ----------
    items : DataFrame with columns itemid, label, fluid
        The dictionary.
    counts : DataFrame with columns itemid, n
        Results of each item.

    Returns
    -------
    DataFrame with columns itemid, label, fluid
        The items of the chosen fluids: glucose in blood, and not in urine. Of two fluids with as many results it is the
        first by name.

    Examples
    --------
    >>> items = pl.DataFrame({"itemid": ["1", "2"], "label": ["Glucose"] * 2, "fluid": ["Blood", "Urine"]})
    >>> main_fluids(items, pl.DataFrame({"itemid": ["1", "2"], "n": [2971, 68]}))["itemid"].to_list()
    ['1']
    """
    sizes = items.join(counts, on="itemid", how="left").group_by("label", "fluid").agg(pl.col("n").fill_null(0).sum())
    chosen = sizes.sort("n", "fluid", descending=[True, False]).unique("label", keep="first", maintain_order=True)
    return items.join(chosen.select("label", "fluid"), on=["label", "fluid"], how="semi", nulls_equal=True).sort(
        "itemid"
    )
