"""The codes that stays are given: one row per stay and code, in the ICD version of their time."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from twelvelead.simulate.published.diseases import BACKGROUND, COLLISIONS, DISEASES, Spelling
from twelvelead.simulate.published.outcomes import Fate
from twelvelead.simulate.published.population import Block

_SCHEMA = {"visit": pl.Int64, "icd_code": pl.String, "icd_version": pl.Int64, "icd10": pl.String, "collided": pl.String}


def dictionary() -> pl.DataFrame:
    """Return every code in use and its title: columns icd_code, icd_version, long_title, sorted."""
    spellings = [s for d in DISEASES for s in d.spellings] + list(BACKGROUND)
    rows = {(s.icd9, 9): s.title for s in spellings if s.icd9} | {(s.icd10, 10): s.title for s in spellings}
    rows |= {(code, 10): title for code, title in COLLISIONS.items()}
    return pl.DataFrame(
        [{"icd_code": code, "icd_version": version, "long_title": title} for (code, version), title in rows.items()]
    ).sort("icd_code", "icd_version")


def disease_codes(fate: Fate) -> pl.DataFrame:
    """Return the codes of the diseases that visits are about.

    Returns
    -------
    polars.DataFrame
        `visit`, `icd_code` and `icd_version` as coded, `icd10` (the counterpart), and `collided`: the code that the
        published pipeline takes it for, which looks codes up without their version.
    """
    tables = []
    for d in DISEASES:
        for number, spelling in enumerate(d.spellings):
            visits = np.flatnonzero(fate.diseases[d.name] & (fate.spelling[d.name] == number))
            tables.append(_rows(spelling, visits, fate.version[visits]))
    return pl.concat(tables)


def background_codes(block: Block, name: str, version: NDArray[np.int64]) -> pl.DataFrame:
    """Return codes that depend on nothing; every stay has at least one. Columns as of `disease_codes`."""
    chance = block.uniform(f"background/{name}", version.size, len(BACKGROUND))
    given = chance < np.array([s.share for s in BACKGROUND])
    given[:, 0] |= ~given[:, [s.icd9 is not None for s in BACKGROUND]].any(axis=1)
    visits = [np.flatnonzero(given[:, j]) for j in range(len(BACKGROUND))]
    return pl.concat([_rows(s, rows, version[rows]) for s, rows in zip(BACKGROUND, visits, strict=True)])


def random_disease_codes(block: Block, name: str, version: NDArray[np.int64], *, share: float) -> pl.DataFrame:
    """Return codes of diseases drawn without regard to any ECG, for stays that no ECG belongs to."""
    diseases = [d for d in DISEASES if d.in_icd9 and d.sex is None]
    chance = block.uniform(f"random/{name}", version.size, len(diseases))
    tables = []
    for j, d in enumerate(diseases):
        visits = np.flatnonzero(chance[:, j] < share)
        tables.append(_rows(d.spellings[0], visits, version[visits]))
    return pl.concat(tables)


def _rows(spelling: Spelling, visits: NDArray[np.int64], version: NDArray[np.int64]) -> pl.DataFrame:
    """Write one spelling; stays coded by a version that has no code for it go without."""
    if spelling.icd9 is None:
        visits, version = visits[version == 10], version[version == 10]
    by_icd9 = version == 9
    collided = spelling.icd9 if spelling.icd9 in COLLISIONS else spelling.icd10
    return pl.DataFrame(
        {
            "visit": visits,
            "icd_code": np.where(by_icd9, spelling.icd9 or "", spelling.icd10),
            "icd_version": version,
            "icd10": np.full(visits.size, spelling.icd10),
            "collided": np.where(by_icd9, collided or "", spelling.icd10),
        },
        schema=_SCHEMA,
    )
