import polars as pl
import pytest

from twelvelead.cohort import ANALYTES, count_units, harmonise_units, main_fluids
from twelvelead.terms import EVENTS


def results(*rows):
    names = ("code", "value", "unit", "reference_lower", "reference_upper", "system")
    table = pl.DataFrame([dict(zip(names, row, strict=False)) for row in rows]).with_columns(patient_id=pl.lit("p"))
    if "system" not in table.columns:
        table = table.with_columns(system=pl.lit(None, pl.String))
    table = table.with_columns(pl.col("system").fill_null("laboratory"))
    table = table.with_columns(pl.lit(None, t).alias(c) for c, t in EVENTS.schema.items() if c not in table.columns)
    return EVENTS.select(table).lazy()


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "expected", "house"),
    [
        # Factors of the usual conversion tables, to the digits that these print.
        ("Glucose", 5.55, "mmol/L", 100.0, "mg/dL"),
        ("Creatinine", 88.4, "umol/L", 1.0, "mg/dL"),
        ("Urea Nitrogen", 3.57, "mmol/L", 10.0, "mg/dL"),
        ("Calcium, Total", 2.5, "mmol/L", 10.02, "mg/dL"),
        ("Calcium, Total", 5.0, "mEq/L", 10.02, "mg/dL"),
        ("Free Calcium", 4.8, "mg/dL", 1.2, "mmol/L"),
        ("Magnesium", 0.82, "mmol/L", 2.0, "mg/dL"),
        ("Phosphate", 1.13, "mmol/L", 3.5, "mg/dL"),
        ("Bilirubin, Total", 17.1, "µmol/L", 1.0, "mg/dL"),
        ("Cholesterol, Total", 5.17, "mmol/L", 200.0, "mg/dL"),
        ("Triglycerides", 1.69, "mmol/L", 150.0, "mg/dL"),
        ("Uric Acid", 357.0, "umol/L", 6.0, "mg/dL"),
        ("Iron", 17.9, "umol/L", 100.0, "ug/dL"),
        ("Hemoglobin", 8.69, "mmol/L", 14.0, "g/dL"),
        ("Hemoglobin", 140.0, "g/L", 14.0, "g/dL"),
        ("Albumin", 40.0, "g/L", 4.0, "g/dL"),
        ("Potassium", 4.1, "mmol/L", 4.1, "mEq/L"),
        ("Lactate", 18.0, "mg/dL", 2.0, "mmol/L"),
        ("Troponin T", 14.0, "ng/L", 0.014, "ng/mL"),
        ("NTproBNP", 125.0, "ng/L", 125.0, "pg/mL"),
        ("C-Reactive Protein", 1.2, "mg/dL", 12.0, "mg/L"),
        ("White Blood Cells", 9300.0, "#/uL", 9.3, "10*9/L"),
        ("White Blood Cells", 9.3, "K/uL", 9.3, "10*9/L"),
        ("Red Blood Cells", 4.5, "m/uL", 4.5, "10*12/L"),
        ("Hematocrit", 0.42, "ratio", 42.0, "%"),
        ("Alanine Aminotransferase (ALT)", 40.0, "IU/L", 40.0, "U/L"),
        ("Alanine Aminotransferase (ALT)", 0.667, "ukat/L", 40.0, "U/L"),
        ("Thyroid Stimulating Hormone", 2.1, "uIU/mL", 2.1, "mU/L"),
        ("MCHC", 33.1, "%", 33.1, "g/dL"),
        ("pO2", 13.3, "kPa", 100.0, "mm[Hg]"),
        ("INR(PT)", 1.3, None, 1.3, "1"),
        ("pH", 7.4, " units ", 7.4, "1"),
    ],
)
def test_results_come_in_one_unit(analyte, value, unit, expected, house):
    row = harmonise_units(results((analyte, value, unit, value / 2, value * 2))).collect()
    # Three digits: as many as the tables give.
    assert row["value"].item() == pytest.approx(expected, rel=5e-3)
    assert row["reference_lower"].item() == pytest.approx(expected / 2, rel=5e-3)
    assert row["reference_upper"].item() == pytest.approx(expected * 2, rel=5e-3)
    assert row["unit"].item() == house


def test_a_result_in_an_unknown_unit_is_set_aside_and_counted():
    rows = results(
        ("Glucose", 5.0, "mg/dL"), ("Glucose", 5.0, "cups"), ("Glucose", 5.0, None), ("Ascorbate", 1.0, "cups")
    )
    table = harmonise_units(rows).collect()
    assert sorted(table.select("code", "value", "unit").rows(), key=str) == [
        ("Ascorbate", 1.0, "cups"), ("Glucose", 5.0, "mg/dL"), ("Glucose", None, "cups"), ("Glucose", None, None),
    ]  # fmt: skip
    assert sorted(count_units(rows).rows()) == [
        ("Ascorbate", "cups", 1, None), ("Glucose", "", 1, False), ("Glucose", "cups", 1, False),
        ("Glucose", "mg/dL", 1, True),
    ]  # fmt: skip


def test_a_range_from_zero_to_zero_is_none():
    table = harmonise_units(results(("Glucose", 5.0, "mg/dL", 0.0, 0.0), ("Glucose", 6.0, "mg/dL", 0.0, 9.0))).collect()
    ranges = table.sort("value").select("value", "reference_lower", "reference_upper").rows()
    assert ranges == [(5.0, None, None), (6.0, 0.0, 9.0)]


def test_other_systems_stay_as_they_are():
    rows = results(("Glucose", 5.0, "IU/L", 0.0, 0.0, "vital"))
    assert harmonise_units(rows).collect().equals(rows.collect())


def test_every_analyte_knows_its_own_unit():
    for label, analyte in ANALYTES.items():
        assert analyte.factors()[analyte.unit] == 1.0, label


def test_the_fluid_with_most_results_has_the_label():
    items = pl.DataFrame(
        {
            "itemid": ["1", "2", "3", "4", "5"],
            "label": ["Glucose", "Glucose", "Glucose", "Polys", "Polys"],
            "fluid": ["Blood", "Urine", "Blood", "Pleural", "Ascites"],
        }
    )
    counts = pl.DataFrame({"itemid": ["1", "2", "3"], "n": [40, 60, 30]})
    assert main_fluids(items, counts)["itemid"].to_list() == ["1", "3", "5"]
