"""Diseases, the codes under which stays carry them, and the codes that studies predict."""

from dataclasses import dataclass

from twelvelead.simulate.published.effects import Planted


@dataclass(frozen=True)
class Spelling:
    """A code of a disease: in ICD-10-CM, in ICD-9-CM (None where that has none for it), its share, and its title.

    The ICD-10 code is the counterpart that the General Equivalence Mappings give for the ICD-9 code.
    """

    icd10: str
    icd9: str | None
    share: float
    title: str


@dataclass(frozen=True)
class Disease(Planted):
    """A planted or null disease.

    Parameters
    ----------
    spellings : tuple of Spelling
        Which of them a stay gets does not depend on the ECG.
    targets : tuple of str
        Beginnings of ICD-10 codes that a study may predict.
    """

    spellings: tuple[Spelling, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def in_icd9(self) -> bool:
        """Whether ICD-9 has a code for it."""
        return any(s.icd9 is not None for s in self.spellings)

    def shares(self, version: int) -> tuple[float, ...]:
        """Return how likely each spelling is in stays coded by a version of the ICD that has codes for it."""
        weights = [s.share if version == 10 or s.icd9 is not None else 0.0 for s in self.spellings]
        return tuple(w / sum(weights) for w in weights)

    def share_of(self, target: str) -> float:
        """Return the share of the spellings, in ICD-10, that begin with a target's code."""
        return sum(s.share for s in self.spellings if s.icd10.startswith(target))


def _disease(planted: Planted, *spellings: tuple[str, str | None, float, str], targets: str) -> Disease:
    written = tuple(Spelling(*s) for s in spellings)
    return Disease(planted.name, planted.base, planted.effects, planted.sex, written, tuple(targets.split()))


_P = Planted
DISEASES = (
    # heart
    _disease(
        _P("heart_failure", -1.5, {"wide QRS": 1.3, "fast": 0.9, "long QTc": 0.6, "fibrillation": 0.6, "age": 0.5}),
        ("I509", "4280", 0.5, "Heart failure, unspecified"),
        ("I5022", "42822", 0.3, "Chronic systolic (congestive) heart failure"),
        ("I5032", "42832", 0.2, "Chronic diastolic (congestive) heart failure"),
        targets="I50 I509",
    ),
    _disease(
        _P("atrial_fibrillation", -2.6, {"fibrillation": 4.2, "age": 0.5}),
        ("I4891", "42731", 0.8, "Unspecified atrial fibrillation"),
        ("I480", None, 0.2, "Paroxysmal atrial fibrillation"),
        targets="I48",
    ),
    _disease(
        _P("myocardial_infarction", -1.8, {"turned T": 1.2, "long QTc": 0.6, "age": 0.3, "female": -0.4}),
        ("I214", "41071", 1.0, "Non-ST elevation (NSTEMI) myocardial infarction"),
        targets="I21 I214",
    ),
    _disease(
        _P("coronary_disease", -1.2, {"turned T": 0.8, "left axis": 0.6, "age": 0.7, "female": -0.6}),
        ("I2510", "41401", 1.0, "Atherosclerotic heart disease of native coronary artery without angina pectoris"),
        targets="I25 I2510",
    ),
    _disease(
        _P("left_bundle_branch_block", -2.8, {"left block": 4.6}),
        ("I447", "4263", 1.0, "Left bundle-branch block, unspecified"),
        targets="I44 I447",
    ),
    _disease(
        _P("right_bundle_branch_block", -2.6, {"right block": 4.6}),
        ("I4510", "4264", 1.0, "Unspecified right bundle-branch block"),
        targets="I45 I451",
    ),
    # ICD-9 V42.2, V43.3 and V85.0 are spelt as codes of ICD-10 that mean accidents.
    _disease(
        _P("valve_transplant", -1.4, {"long PR": 1.1, "fibrillation": 1.3, "wide QRS": 1.0}),
        ("Z953", "V422", 1.0, "Heart valve replaced by transplant"),
        targets="Z953",
    ),
    _disease(
        _P("valve_prosthesis", -1.6, {"long PR": 1.0, "fibrillation": 1.3, "left axis": 0.8}),
        ("Z952", "V433", 1.0, "Heart valve replaced by other means"),
        targets="Z952",
    ),
    _disease(
        _P("low_body_mass", -1.6, {"fast": 0.8, "left axis": -0.8, "female": 0.5}),
        ("Z681", "V850", 1.0, "Body mass index less than 19, adult"),
        targets="Z68 Z681",
    ),
    _disease(
        _P("car_accident", -3.0),
        ("V422", None, 1.0, "Person on outside of car injured in collision in nontraffic accident"),
        targets="V42 V422",
    ),
    # other organs
    _disease(
        _P("hyperkalaemia", -1.7, {"wide QRS": 1.0, "long PR": 1.2, "age": 0.2}),
        ("E875", "2767", 1.0, "Hyperkalemia"),
        targets="E87 E875",
    ),
    _disease(
        _P("renal_failure", -1.5, {"long QTc": 0.9, "long PR": 0.5, "left axis": 0.5, "age": 0.5}),
        ("N183", "5853", 0.5, "Chronic kidney disease, stage 3"),
        ("N189", "5859", 0.5, "Chronic kidney disease, unspecified"),
        targets="N18 N189",
    ),
    _disease(
        _P("obstructive_lung_disease", -1.6, {"fast": 0.9, "left axis": -1.0, "age": 0.4}),
        ("J449", "496", 1.0, "Chronic obstructive pulmonary disease, unspecified"),
        targets="J44 J449",
    ),
    _disease(
        _P("anaemia", -1.4, {"fast": 1.2, "age": 0.2, "female": 0.3}),
        ("D649", "2859", 1.0, "Anemia, unspecified"),
        targets="D64 D649",
    ),
    _disease(
        _P("syncope", -1.8, {"long PR": 0.7, "left block": 0.8, "fast": -0.6}),
        ("R55", "7802", 1.0, "Syncope and collapse"),
        targets="R55",
    ),
    _disease(_P("chest_pain", -1.5), ("R0789", "78659", 1.0, "Other chest pain"), targets="R07 R0789"),
    _disease(_P("reflux", -1.4), ("K219", "53081", 1.0, "Gastro-esophageal reflux disease"), targets="K21 K219"),
    _disease(_P("back_pain", -1.7), ("M545", "7242", 1.0, "Low back pain"), targets="M54 M545"),
    # nervous system
    _disease(
        _P("alzheimer", -2.9, {"age": 1.4, "fast": -0.5, "female": 0.3}),
        ("G309", "3310", 1.0, "Alzheimer's disease, unspecified"),
        targets="G30",
    ),
    _disease(_P("parkinson", -2.0), ("G20", "3320", 1.0, "Parkinson's disease"), targets="G20"),
    _disease(
        _P("anoxic_brain_damage", -1.8, {"fast": 1.2, "long QTc": 1.2, "wide QRS": 0.5}),
        ("G931", "3481", 1.0, "Anoxic brain damage, not elsewhere classified"),
        targets="G931",
    ),
    _disease(
        _P("dementia", -2.7, {"age": 1.5, "fibrillation": 0.5, "left axis": 0.5}),
        ("F0390", "2900", 1.0, "Unspecified dementia"),
        targets="F03",
    ),
    _disease(
        _P("vascular_dementia", -2.6, {"age": 1.1, "left axis": 1.0, "turned T": 0.5}),
        ("F0150", "29040", 1.0, "Vascular dementia"),
        targets="F01",
    ),
    _disease(
        _P("delirium", -2.0, {"fast": 0.9, "long QTc": 0.9, "age": 0.5}),
        ("F05", "2930", 1.0, "Delirium due to known physiological condition"),
        targets="F05",
    ),
    # neoplasms
    _disease(
        _P("lung_cancer", -0.6, {"fast": 1.3, "left axis": -0.9, "age": 0.4}),
        ("C3410", "1623", 0.35, "Malignant neoplasm of upper lobe, unspecified bronchus or lung"),
        ("C3430", "1625", 0.30, "Malignant neoplasm of lower lobe, unspecified bronchus or lung"),
        ("C3490", "1629", 0.35, "Malignant neoplasm of unspecified part of unspecified bronchus or lung"),
        targets="C34 C341 C343 C349",
    ),
    _disease(_P("oesophageal_cancer", -1.8), ("C159", "1509", 1.0, "Malignant neoplasm of esophagus"), targets="C15"),
    _disease(
        _P("liver_cancer", -1.5, {"long QTc": 1.2, "fast": 0.6, "female": -0.7}),
        ("C228", "1550", 1.0, "Malignant neoplasm of liver, primary, unspecified as to type"),
        targets="C22",
    ),
    _disease(_P("biliary_cancer", -1.8), ("C240", "1561", 1.0, "Malignant neoplasm of bile duct"), targets="C24"),
    _disease(
        _P("brain_metastasis", -1.7, {"fast": 1.2, "turned T": 0.7}),
        ("C7931", "1983", 1.0, "Secondary malignant neoplasm of brain"),
        targets="C793",
    ),
    _disease(
        _P("prostate_cancer", -1.4, {"age": 1.0, "left axis": 0.6}, "male"),
        ("C61", "185", 1.0, "Malignant neoplasm of prostate"),
        targets="C61",
    ),
    _disease(
        _P("prostate_hyperplasia", -0.7, {"age": 1.1, "long PR": 0.5}, "male"),
        ("N400", "60000", 0.7, "Benign prostatic hyperplasia without lower urinary tract symptoms"),
        ("N401", "60001", 0.3, "Benign prostatic hyperplasia with lower urinary tract symptoms"),
        targets="N40 N400",
    ),
    _disease(_P("bladder_cancer", -1.8), ("C679", "1889", 1.0, "Malignant neoplasm of bladder"), targets="C679"),
    _disease(
        _P("leiomyoma", -1.3, {"age": -0.9, "fast": 0.5}, "female"),
        ("D250", "2180", 0.4, "Submucous leiomyoma of uterus"),
        ("D259", "2189", 0.6, "Leiomyoma of uterus, unspecified"),
        targets="D25",
    ),
    _disease(
        _P("endometriosis", -1.3, sex="female"), ("N809", "6179", 1.0, "Endometriosis, unspecified"), targets="N80"
    ),
    # liver
    _disease(
        _P("alcoholic_liver_disease", -1.0, {"long QTc": 1.4, "fast": 0.8, "female": -0.6, "age": -0.3}),
        ("K7030", "5712", 0.6, "Alcoholic cirrhosis of liver without ascites"),
        ("K7031", None, 0.2, "Alcoholic cirrhosis of liver with ascites"),
        ("K709", "5713", 0.2, "Alcoholic liver disease, unspecified"),
        targets="K70 K703 K7030",
    ),
    _disease(
        _P("hepatic_failure", -1.4),
        ("K7290", "5728", 0.7, "Hepatic failure, unspecified without coma"),
        ("K7291", "5722", 0.2, "Hepatic failure, unspecified with coma"),
        ("K7200", None, 0.1, "Acute and subacute hepatic failure without coma"),
        targets="K72 K729 K7290",
    ),
)  # fmt: skip
"""Every disease that a study may predict. Commoner than in any hospital, so that a thousand patients make a study."""

BACKGROUND = (
    Spelling("I10", "4019", 0.45, "Essential (primary) hypertension"),
    Spelling("E119", "25000", 0.25, "Type 2 diabetes mellitus without complications"),
    Spelling("E785", "2724", 0.30, "Hyperlipidemia, unspecified"),
    Spelling("N390", "5990", 0.12, "Urinary tract infection, site not specified"),
    Spelling("Z8719", "V1279", 0.10, "Personal history of other diseases of the digestive system"),
    Spelling("F329", "311", 0.15, "Depressive disorder, unspecified"),
    Spelling("J189", "486", 0.10, "Pneumonia, unspecified organism"),
    Spelling("W19XXXA", None, 0.06, "Unspecified fall, initial encounter"),
    Spelling("S060X0A", None, 0.04, "Concussion without loss of consciousness, initial encounter"),
)
"""What stays are coded with besides: it depends on nothing. `share` is the share of the stays that have it."""

COLLISIONS = {
    "V422": "Person on outside of car injured in collision in nontraffic accident",
    "V433": "Unspecified car occupant injured in collision with car in nontraffic accident",
    "V850": "Driver of special construction vehicle injured in traffic accident",
}
"""Codes of ICD-10 that are spelt as another code of ICD-9, and their titles in ICD-10."""
