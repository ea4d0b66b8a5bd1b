"""Laboratory tests: items of MIMIC-IV's dictionary, reference limits, and the abnormality that is planted in them."""

from typing import NamedTuple

from twelvelead.simulate.published.effects import Planted

OPPOSITE = 0.05
"""Share of the results that are abnormal in the other direction; the same for everybody."""


class Test(NamedTuple):
    """A laboratory test.

    Limits are whole numbers of the smallest step that is reported, `per_unit` of which make one unit: (women, men).
    `later` are the limits since 2018, where they changed. `share` is the share of the blood samples in which it is
    measured, `spread` how far abnormal results go beyond the limits.
    """

    outcome: Planted
    label: str
    itemid: int
    category: str
    unit: str
    per_unit: int
    lower: tuple[int, int]
    upper: tuple[int, int]
    outcome_is_high: bool
    share: float = 0.9
    spread: float = 0.35
    later: tuple[int, int] | None = None


_P = Planted
TESTS = (
    Test(
        _P("potassium", -1.9, {"wide QRS": 1.0, "long PR": 1.3, "age": 0.2}),
        "Potassium", 50971, "Chemistry", "mEq/L", 10, (33, 33), (51, 51), outcome_is_high=True, later=(35, 54),
    ),
    Test(
        _P("natriuretic_peptide", -0.8, {"wide QRS": 1.1, "fibrillation": 1.4, "fast": 0.8, "age": 0.8}),
        "NTproBNP", 50963, "Chemistry", "pg/mL", 1, (0, 0), (624, 353), outcome_is_high=True, share=0.5, spread=4.0,
    ),
    Test(
        _P("creatinine", -1.3, {"long QTc": 1.0, "left axis": 0.5, "age": 0.5}),
        "Creatinine", 50912, "Chemistry", "mg/dL", 10, (4, 5), (11, 12), outcome_is_high=True, spread=1.5,
    ),
    Test(
        _P("urea_nitrogen", -1.3, {"long QTc": 0.9, "fast": 0.5, "age": 0.6}),
        "Urea Nitrogen", 51006, "Chemistry", "mg/dL", 1, (6, 6), (20, 20), outcome_is_high=True, spread=1.0,
    ),
    Test(
        _P("haemoglobin", -1.1, {"fast": 1.3, "age": 0.4, "female": 0.3}),
        "Hemoglobin", 51222, "Hematology", "g/dL", 10, (112, 137), (157, 175), outcome_is_high=False,
    ),
    Test(
        _P("albumin", -1.4, {"fast": 1.0, "long QTc": 0.6, "age": 0.3}),
        "Albumin", 50862, "Chemistry", "g/dL", 10, (35, 35), (52, 52), outcome_is_high=False, share=0.6,
    ),
    Test(
        _P("calcium", -2.0, {"long QTc": 1.7}),
        "Calcium, Total", 50893, "Chemistry", "mg/dL", 10, (84, 84), (103, 103), outcome_is_high=False,
    ),
    Test(
        _P("magnesium", -2.0, {"long QTc": 1.1, "fibrillation": 0.8}),
        "Magnesium", 50960, "Chemistry", "mg/dL", 10, (16, 16), (26, 26), outcome_is_high=False,
    ),
    Test(
        _P("troponin", -1.6, {"turned T": 1.3, "fast": 0.7, "age": 0.3}),
        "Troponin T", 51003, "Chemistry", "ng/mL", 100, (0, 0), (1, 1), outcome_is_high=True, share=0.6, spread=20.0,
    ),
    Test(
        _P("sodium", -1.5),
        "Sodium", 50983, "Chemistry", "mEq/L", 1, (133, 133), (145, 145), outcome_is_high=False, later=(135, 147),
    ),
    Test(_P("chloride", -1.5), "Chloride", 50902, "Chemistry", "mEq/L", 1, (96, 96), (108, 108), outcome_is_high=True),
    Test(
        _P("bicarbonate", -1.7),
        "Bicarbonate", 50882, "Chemistry", "mEq/L", 1, (22, 22), (32, 32), outcome_is_high=False,
    ),
    Test(
        _P("phosphate", -1.7),
        "Phosphate", 50970, "Chemistry", "mg/dL", 10, (27, 27), (45, 45), outcome_is_high=True, share=0.7,
    ),
)  # fmt: skip
"""Every test with an outcome; the last four are null."""

OTHER_ITEMS = (
    (50931, "Glucose", "Blood", "Chemistry"),
    (51478, "Glucose", "Urine", "Hematology"),
    (50809, "Glucose", "Blood", "Blood Gas"),
    (50822, "Potassium, Whole Blood", "Blood", "Blood Gas"),
    (51491, "pH", "Urine", "Hematology"),
    (50820, "pH", "Blood", "Blood Gas"),
)
"""Further items of the dictionary: labels that stand for several fluids, or for one analyte in two laboratories."""


def target_of(test: Test) -> str:
    """Return the name of a test's outcome, as in `Potassium_high`.

    Examples
    --------
    >>> target_of(TESTS[6])
    'Calcium_Total_low'
    """
    return f"{test.label.replace(', ', '_').replace(' ', '_')}_{'high' if test.outcome_is_high else 'low'}"
