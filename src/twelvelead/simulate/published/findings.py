"""The 45 findings of CXR-LT 2024, planted or null."""

from twelvelead.simulate.published.effects import Planted

_PLANTED = {
    "Cardiomegaly": (-1.2, {"wide QRS": 1.2, "left axis": 0.9, "fibrillation": 0.6, "age": 0.4}),
    "Pleural Effusion": (-1.2, {"fast": 1.2, "long QTc": 0.7, "age": 0.4}),
    "Edema": (-1.7, {"fast": 1.0, "wide QRS": 0.9, "fibrillation": 0.6}),
    "Enlarged Cardiomediastinum": (-1.9, {"wide QRS": 0.8, "left axis": 0.8, "age": 0.5}),
    "Atelectasis": (-1.4, {"fast": 0.6, "age": 0.3}),
    "Lung Opacity": (-1.2, {"fast": 0.7}),
    "Pneumonia": (-1.9, {"fast": 0.9, "age": 0.2}),
    "Emphysema": (-2.2, {"left axis": -1.2, "age": 0.5}),
    "Pulmonary Hypertension": (-2.6, {"right block": 1.5, "fibrillation": 1.0}),
    "Hydropneumothorax": (-2.6, {"fast": 1.3, "left axis": -1.2}),
    "Support Devices": (-1.4, {"wide QRS": 0.8, "fast": 0.7, "left block": 0.8}),
    # Age and sex alone: whoever finds them in the ECG has found the age in it.
    "Osteopenia": (-2.6, {"age": 1.3, "female": 1.0}),
    "Kyphosis": (-2.5, {"age": 1.2, "female": 0.6}),
    "Calcification of the Aorta": (-2.2, {"age": 1.0}),
    "Tortuous Aorta": (-2.3, {"age": 0.9}),
}
_NULL = {
    "Rib Fracture": -2.2, "Granuloma": -2.2, "Nodule": -2.2, "Scoliosis": -2.4, "Pneumothorax": -2.4,
    "Adenopathy": -4.5, "Azygos Lobe": -5.5, "Bulla": -5.0, "Cardiomyopathy": -4.5, "Clavicle Fracture": -5.0,
    "Consolidation": -3.0, "Fibrosis": -4.5, "Fissure": -4.0, "Fracture": -3.5, "Hernia": -3.5, "Hilum": -4.0,
    "Infarction": -5.0, "Infiltration": -4.0, "Lobar Atelectasis": -5.0, "Lung Lesion": -4.0, "Mass": -4.0,
    "Pleural Other": -4.5, "Pleural Thickening": -4.0, "Pneumomediastinum": -5.0, "Pneumoperitoneum": -5.0,
    "Pulmonary Embolism": -5.0, "Round(ed) Atelectasis": -5.5, "Subcutaneous Emphysema": -4.5, "Tuberculosis": -5.0,
}  # fmt: skip

NORMAL = "Normal"
"""What an X-ray is that shows no finding."""

FINDINGS = tuple(Planted(name, base, effects) for name, (base, effects) in _PLANTED.items()) + tuple(
    Planted(name, base) for name, base in _NULL.items()
)
"""Every finding except `NORMAL`."""

PUBLISHED_ORDER = tuple(sorted([*_PLANTED, *_NULL, NORMAL]))

CHEXPERT = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Enlarged Cardiomediastinum", "Fracture", "Lung Lesion",
    "Lung Opacity", "No Finding", "Pleural Effusion", "Pleural Other", "Pneumonia", "Pneumothorax", "Support Devices",
)  # fmt: skip
"""The labels that programs read in the reports, in the order of their files."""
