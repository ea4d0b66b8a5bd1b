"""Columns that many tables share."""

import polars as pl

from twelvelead.terms.contract import Column

RECORDING_ID = Column("recording_id", pl.String, "Recording; the key of every table made from it.")
PATIENT_ID = Column("patient_id", pl.String, "Patient.")
TARGET = Column("target", pl.String, "Outcome that is predicted.")
MODEL = Column("model", pl.String, "Set of predictors: age_sex, ecg, measured_age_sex or ecg_age_sex.")
SET = Column("set", pl.String, "internal (held-out patients of the development database) or external.")
