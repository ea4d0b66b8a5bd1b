"""Chapters that many targets are arranged in: those of ICD-10, and the systems that other outcomes come from."""

from collections.abc import Mapping
from typing import Any

# Where each chapter of ICD-10 begins of 2019; it ends before the next.
_CHAPTERS = (
    ("A00", "I Infectious and parasitic diseases"),
    ("C00", "II Neoplasms"),
    ("D50", "III Blood, blood-forming organs, immune mechanism"),
    ("E00", "IV Endocrine, nutritional and metabolic diseases"),
    ("F00", "V Mental and behavioural disorders"),
    ("G00", "VI Nervous system"),
    ("H00", "VII Eye and adnexa"),
    ("H60", "VIII Ear and mastoid process"),
    ("I00", "IX Circulatory system"),
    ("J00", "X Respiratory system"),
    ("K00", "XI Digestive system"),
    ("L00", "XII Skin and subcutaneous tissue"),
    ("M00", "XIII Musculoskeletal system and connective tissue"),
    ("N00", "XIV Genitourinary system"),
    ("O00", "XV Pregnancy, childbirth and the puerperium"),
    ("P00", "XVI Conditions originating in the perinatal period"),
    ("Q00", "XVII Congenital malformations"),
    ("R00", "XVIII Symptoms, signs and abnormal findings"),
    ("S00", "XIX Injury, poisoning"),
    ("U00", "XXII Codes for special purposes"),
    ("V00", "XX External causes"),
    ("Z00", "XXI Factors influencing health status"),
)


def name_chapter(target: Mapping[str, Any]) -> str:
    """Name the chapter of a target: by its first code where that is ICD-10, else by the system it comes from.

    Parameters
    ----------
    target : mapping with keys system and codes
        As the declaration has it.

    Examples
    --------
    >>> name_chapter({"system": "icd10", "codes": ["D46"]}), name_chapter({"system": "icd10", "codes": ["D509"]})
    ('II Neoplasms', 'III Blood, blood-forming organs, immune mechanism')
    >>> name_chapter({"system": "chest_xray", "codes": ["Edema"]})
    'Chest xray'
    """
    if target["system"] != "icd10":
        return str(target["system"]).replace("_", " ").capitalize()
    code = str(target["codes"][0])[:3]
    begun = [name for start, name in _CHAPTERS if start <= code]
    return begun[-1] if begun else "Other codes"


def place_chapter(name: str) -> tuple[int, str]:
    """Give a key that sorts chapters by their codes, and after them other systems by name.

    Examples
    --------
    >>> sorted(["Laboratory", "X Respiratory system", "IX Circulatory system"], key=place_chapter)
    ['IX Circulatory system', 'X Respiratory system', 'Laboratory']
    """
    names = [chapter for _, chapter in _CHAPTERS]
    return (names.index(name) if name in names else len(names), name)
